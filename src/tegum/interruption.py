"""Ctrl-C that cannot get lost: many libraries catch it, end early and return what they have, or swallow it in a finaliser.

>>> with noticing_interruption() as interrupted:
...     data = sum(range(10))
>>> bool(interrupted)                    # if it were true, data might be half of what it should be
False

In a terminal the first Ctrl-C is answered at once: compiling, or a long step, cannot be left in the middle.

An exception that a signal raises inside a lock of `threading` may leave the lock held, or released twice.  Who waits for
threads therefore asks for Ctrl-C to be noted only, and looks at the list.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, final


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came while models were trained or minimised: ends a loop of such calls, and has in ``data`` what was finished."""

    def __init__(self, data: Any) -> None:
        super().__init__("interrupted; what was finished is in the exception's .data, at a prompt sys.last_value.data")
        self.data = data


def came_of_interruption(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: a library that is loaded just then may turn the exception into one of its own.

    >>> came_of_interruption(ImportError("initialization failed"))
    False
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


@contextmanager
def never_losing_interruption() -> Iterator[None]:
    """Raises KeyboardInterrupt at the end of the block where it came and was lost: in a callback of LLVM, a finaliser.

    Python's remark about it ("Exception ignored") is not made.
    """
    said = sys.unraisablehook
    sys.unraisablehook = lambda lost: None if isinstance(lost.exc_value, KeyboardInterrupt) else said(lost)
    try:
        with noticing_interruption() as pressed:
            yield
    finally:
        sys.unraisablehook = said
    if pressed:
        raise KeyboardInterrupt


@final
class _Note:
    """What a signal calls inside a block: notes it, and passes it on to what was called before."""

    def __init__(self, before: Callable[[int, FrameType | None], Any], only: float) -> None:
        self.seen: list[int] = []
        self.only = only
        self._before = before

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if not isinstance(self._before, _Note) and not self.seen and sys.stderr.isatty():
            os.write(sys.stderr.fileno(), b"\nstopping after this step; Ctrl-C again stops at once\n")
        self.seen.append(number)
        try:
            self._before(number, frame)
        except KeyboardInterrupt:
            if len(self.seen) > self.only:
                raise


@contextmanager
def noticing_interruption(only: float = 0) -> Iterator[list[int]]:
    """A list that holds something once Ctrl-C was pressed inside the block; it still raises KeyboardInterrupt.

    The first ``only`` are noted and raise nothing; the block must end soon.  Blocks may be nested: all of them notice.
    Where Ctrl-C is ignored, or outside the main thread, nothing is changed.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield []
        return
    note = _Note(before, only)
    signal.signal(signal.SIGINT, note)
    try:
        yield note.seen
    finally:
        signal.signal(signal.SIGINT, before)
