"""Ctrl-C that cannot get lost: many libraries catch it, end early and return what they have.

with noticing_interruption() as interrupted:
    data = work()
if interrupted: ...                     # data may be half of what it should be
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noticing_interruption() -> Iterator[list[int]]:
    """A list that holds something once Ctrl-C was pressed inside the block; it still raises KeyboardInterrupt."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def note(number: int, _: object) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)
