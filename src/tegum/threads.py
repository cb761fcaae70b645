"""Many independent pieces of work on all cores: plain threads around compiled code that holds no interpreter lock.

>>> squares = [0] * 10
>>> def work(scratch, first, end):
...     squares[first:end] = [k * k for k in range(first, end)]
>>> in_pieces(10, 3, lambda: None, work, threads=2)
10
>>> squares
[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

from tegum.interruption import noticing_interruption
from tegum.progress import ProgressBar

_BEAT_SECONDS = 0.1


def default_threads() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(work: Callable[[threading.Event], None], threads: int, show: Callable[[], object]) -> bool:
    """Runs ``work`` in several threads until all have returned; true unless Ctrl-C came, which ends the work cleanly.

    The work is given an event that is set when it must end, because of Ctrl-C or because another thread failed; ``show`` is
    called from time to time, to show progress.
    """
    stop = threading.Event()

    def guarded() -> None:
        try:
            work(stop)
        except BaseException:
            stop.set()
            raise

    with (
        noticing_interruption(raising=False) as pressed,
        ThreadPoolExecutor(threads, thread_name_prefix="tegum") as executor,
    ):
        pending = futures = {executor.submit(guarded) for _ in range(threads)}
        try:
            while pending and not pressed:
                _, pending = wait(pending, timeout=_BEAT_SECONDS, return_when=FIRST_COMPLETED)
                show()
        finally:
            stop.set()
    for future in futures:
        future.result()
    return not pressed


def in_pieces(
    count: int,
    piece: int,
    scratch: Callable[[], Any],
    work: Callable[[Any, int, int], None],
    *,
    threads: int | None = None,
    progress: bool | None = False,
    title: str = "",
    unit: str = "model",
) -> int:
    """Calls ``work(memory, first, end)`` for pieces of range(count) from several threads; returns how many items are done.

    ``scratch`` makes the memory of a thread, of which there is one per core by default.  Pieces of ``piece`` items come in any
    order; between them come Ctrl-C, which ends the work cleanly, and progress (of `ProgressBar`).  All ``count`` items are done
    unless Ctrl-C came; then as many as certainly are, from the first on.
    """
    pieces = range(0, count, max(1, piece))
    threads = min(threads or default_threads(), len(pieces))
    waiting = iter(pieces)
    lock = threading.Lock()
    done: set[int] = set()

    def through(stop: threading.Event) -> None:
        memory = scratch()
        while not stop.is_set():
            with lock:
                first = next(waiting, None)
            if first is None:
                return
            work(memory, first, min(first + piece, count))
            with lock:
                done.add(first)

    if threads <= 1 and progress is False:
        through(threading.Event())
        return count
    with ProgressBar(total=count, unit=unit, unit_scale=True, desc=title, progress=progress) as bar:
        whole = in_threads(through, max(threads, 1), lambda: bar.update(min(len(done) * piece, count) - bar.n))
    return count if whole else next((first for first in pieces if first not in done), count)
