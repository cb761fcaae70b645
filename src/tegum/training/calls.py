"""Calls in compiled code that cost more than what they call, and how to do without them.

Problem.  An array is 7 to 11 words to a compiled function, and a call writes all words of its arguments to the stack.  For the
product of a matrix with a panel these are 40, as many as it has instructions to do where n is 2.  Worse, a word that lies 4096
bytes above one just written is mistaken for it and waited for; where that is one of the caller's own arguments, their order
alone makes a step of n = 2 take 1.8 or 3.6 microseconds.

Idea.  LLVM copies the instructions of a few small functions into their callers: 1.3 to 1.5 microseconds, in any order.  Copies
cost compile time (each makes its caller longer), so this is for what is called for every panel or row.
"""

from typing import Any


def copied_into_callers(dispatcher: Any) -> Any:
    """A function that was just `compiled`, from now on copied into its compiled callers: numba tells LLVM to."""
    dispatcher.targetoptions["forceinline"] = True
    return dispatcher
