"""Many independent pieces of work on all cores: plain threads around compiled code that holds no interpreter lock."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

from tegum.interruption import noticing_interruption
from tegum.progress import ProgressBar

_SLOW_SECONDS = 2.0


def default_threads() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    """Calls ``work(scratch, first, end)`` for pieces of range(count) from several threads, each with its own scratch memory.

    Args:
        count: how many items there are.
        piece: how many make a piece; Ctrl-C and progress come between pieces.
        scratch: makes the memory of one thread.
        work: does a piece; pieces may come in any order.
        threads: how many threads; by default one per core.
        progress: True shows a bar, False none, None one where standard error is a terminal; never within two seconds.
        title: what the bar says.
        unit: what it counts.

    Returns:
        How many items, from the first on, are certainly done: ``count`` unless Ctrl-C came, which ends the work cleanly.
    """
    pieces = range(0, count, max(1, piece))
    threads = min(threads or default_threads(), len(pieces))
    if threads <= 1 and progress is False:
        memory = scratch()
        for first in pieces:
            work(memory, first, min(first + piece, count))
        return count
    waiting = iter(pieces)
    lock, stop = threading.Lock(), threading.Event()
    done: set[int] = set()
    bar = ProgressBar(
        total=count,
        unit=unit,
        unit_scale=True,
        desc=title,
        delay=_SLOW_SECONDS,
        disable=None if progress is None else not progress,
    )

    def run() -> None:
        memory = scratch()
        try:
            while not stop.is_set():
                with lock:
                    first = next(waiting, None)
                if first is None:
                    return
                end = min(first + piece, count)
                work(memory, first, end)
                with lock:
                    done.add(first)
        except BaseException:
            stop.set()
            raise

    interrupted = False
    workers = ThreadPoolExecutor(max(threads, 1), thread_name_prefix="tegum")
    with noticing_interruption() as pressed, bar, workers as executor:
        futures = [executor.submit(run) for _ in range(max(threads, 1))]
        try:
            pending = set(futures)
            while pending:
                _, pending = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
                if pressed:
                    raise KeyboardInterrupt
                with lock:
                    finished = len(done)
                bar.update(min(finished * piece, count) - bar.n)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            stop.set()
    for future in futures:
        future.result()
    if not interrupted:
        return count
    return next((first for first in pieces if first not in done), count)
