"""Ctrl-C that cannot get lost: many libraries catch it, end early and return what they have, or swallow it in a finaliser.

>>> with noticing_interruption() as interrupted:
...     data = sum(range(10))
>>> bool(interrupted)                    # if it were true, data might be half of what it should be
False

In a terminal the first Ctrl-C is answered at once: compiling, or a long step, cannot be left in the middle.

An exception that a signal raises inside a lock of `threading` may leave the lock held, or released twice.  Who waits for
threads therefore asks for Ctrl-C to be noted only, and looks at the list.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came while models were trained or minimised: ends a loop of such calls, and has in ``data`` what was finished."""

    def __init__(self, data: Any) -> None:
        super().__init__("interrupted; what was finished is in the exception's .data, at a prompt sys.last_value.data")
        self.data = data


@contextmanager
def noticing_interruption(raising: bool = True) -> Iterator[list[int]]:
    """A list that holds something once Ctrl-C was pressed inside the block; it still raises KeyboardInterrupt.

    Not ``raising``, the first one is noted only; the block must end soon.  Blocks may be nested: all of them notice.
    Where Ctrl-C is ignored, or outside the main thread, nothing is changed.
    """
    seen: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield seen
        return

    def note(number: int, frame: FrameType | None) -> None:
        if outermost and not seen and sys.stderr.isatty():
            sys.stderr.write("\nstopping after this step; Ctrl-C again stops at once\n")
        seen.append(number)
        try:
            before(number, frame)
        except KeyboardInterrupt:
            if raising or len(seen) > 1:
                raise

    outermost = getattr(before, "__code__", None) is not note.__code__
    signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)
