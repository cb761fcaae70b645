"""Many independent pieces of work on all cores: plain threads around compiled code that holds no interpreter lock.

>>> squares = [0] * 10
>>> def work(scratch, first, end):
...     squares[first:end] = [k * k for k in range(first, end)]
>>> in_pieces(10, 3, lambda stop: None, work, threads=2)
>>> squares
[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]
"""

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from tegum.interruption import noticing_interruption
from tegum.progress import ProgressBar

_BEAT_SECONDS, _PATIENCE_SECONDS = 0.1, 1.0


def default_threads() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@final
class Stop(threading.Event):
    """Set when work must end; ``flag`` is an array of one integer that is then 1, for compiled code to look at."""

    def __init__(self) -> None:
        super().__init__()
        self.flag = np.zeros(1, dtype=np.int64)

    def set(self) -> None:
        """Tells the work to end."""
        self.flag[0] = 1
        super().set()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """A block in which matrix products have one thread each: several of ours would wait for those of the others, tenfold.

    The limit is the process's: of blocks that overlap, in several threads, the first sets it and the last lifts it.
    """
    scipy = "scipy.linalg" in sys.modules
    with _limits.lock:
        _limits.blocks += 1
        if scipy not in _limits.set_for:
            _limits.set_for.add(scipy)
            _limits.lifted.enter_context(_blas(scipy).limit(limits=1))
    try:
        yield
    finally:
        with _limits.lock:
            _limits.blocks -= 1
            if not _limits.blocks:
                _limits.set_for.clear()
                _limits.lifted.close()


@final
@dataclass
class _Limits:
    """How many blocks of `one_blas_thread` there are, for which libraries they set limits, and what lifts these."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    blocks: int = 0
    set_for: set[bool] = field(default_factory=set)
    lifted: ExitStack = field(default_factory=ExitStack)


_limits = _Limits()


@cache
def _blas(scipy: bool) -> Any:
    """The libraries of matrix products that are loaded: NumPy's, and SciPy's where that is."""
    return ThreadpoolController().select(user_api="blas")


def in_threads(work: Callable[[Stop], object], threads: int, show: Callable[[], object]) -> bool:
    """Runs ``work`` in several threads until all have returned; true unless Ctrl-C came.

    The work is given a `Stop` that is set when it must end, because of Ctrl-C or because another thread failed; ``show`` is
    called from time to time, to show progress.  Work that has not ended a second after Ctrl-C, or at a second one, is not
    waited for: it may then still run.
    """
    stop = Stop()

    def guarded(future: Future[None]) -> None:
        try:
            work(stop)
            future.set_result(None)
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            stop.set()
            future.set_exception(error)

    futures = [Future[None]() for _ in range(threads)]
    with one_blas_thread(), noticing_interruption(only=math.inf) as pressed:
        try:
            for number, future in enumerate(futures):
                threading.Thread(target=guarded, args=(future,), name=f"tegum_{number}", daemon=True).start()
            pending = set(futures)
            while pending and not pressed:
                _, pending = wait(pending, timeout=_BEAT_SECONDS, return_when=FIRST_COMPLETED)
                show()
        finally:
            stop.set()
        began, first = time.monotonic(), len(pressed)
        while pending and len(pressed) == first and time.monotonic() < began + _PATIENCE_SECONDS:
            _, pending = wait(pending, timeout=_BEAT_SECONDS)
    for future in futures:
        if future not in pending:
            future.result()
    return not pressed


def in_pieces(
    count: int,
    piece: int,
    scratch: Callable[[NDArray[np.int64]], Any],
    work: Callable[[Any, int, int], None],
    *,
    threads: int | None = None,
    progress: bool | None = False,
    title: str = "",
    unit: str = "model",
    brief: bool = False,
    shown: tuple[int, Callable[[], int]] | None = None,
) -> None:
    """Calls ``work(memory, first, end)`` for pieces of range(count) from several threads, in any order.

    ``scratch(stop)`` makes the memory of a thread, one per core by default; ``stop`` is the ``flag`` of `Stop`,
    for pieces that may last.  Progress (of `ProgressBar`) is shown in pieces of ``piece`` items, or, where pieces last, as
    ``shown``: a total, and what says how much of it is done.  ``brief`` work may be done by the thread that asks, where one
    suffices: Ctrl-C waits for each piece.

    Raises:
        KeyboardInterrupt: after Ctrl-C, which ends the work; some of it is done.
    """
    pieces = range(0, count, max(1, piece))
    threads = min(threads or default_threads(), len(pieces))
    waiting = iter(pieces)
    lock = threading.Lock()
    done: list[int] = []

    def through(stop: Stop) -> None:
        memory = scratch(stop.flag)
        while not stop.is_set():
            with lock:
                first = next(waiting, None)
            if first is None:
                return
            work(memory, first, min(first + piece, count))
            done.append(first)

    if threads <= 1 and progress is False and brief:
        through(Stop())
        return
    total, counted = shown or (count, lambda: min(len(done) * piece, count))
    with ProgressBar(total=total, unit=unit, unit_scale=True, desc=title, progress=progress) as bar:
        if not in_threads(through, max(threads, 1), lambda: bar.update(counted() - bar.n)):
            raise KeyboardInterrupt
