"""Locks between processes on one disk, as many as there are names: each is one byte of a file, which need not be there.

The system gives them back where a process dies.  They are the process's: it may take one again that it has, in any thread, and
the first to give it back gives it back for all.  Where the disk knows no locks, nobody waits and nobody is refused a block.

>>> from tempfile import TemporaryDirectory
>>> with TemporaryDirectory() as folder, waited_for(Path(folder), "a function", lambda: False, 1.0):
...     taken_for_life(Path(folder), "another")
True
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_FILE, _BYTES, _BEAT_SECONDS = "tegum-locks", 7, 0.02


@contextmanager
def waited_for(folder: Path, name: str, in_vain: Callable[[], bool], seconds: float) -> Iterator[None]:
    """A block that no other process is in, unless waiting for it is in vain, or has taken so long: the other may be stopped."""
    number, patience, taken = _file(folder), time.monotonic() + seconds, False
    while number is not None and not taken:
        try:
            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(name))
            taken = True
        except (BlockingIOError, PermissionError):  # another process has it
            if in_vain() or time.monotonic() > patience:
                break
            time.sleep(_BEAT_SECONDS)
        except OSError:  # a disk that knows no locks
            break
    try:
        yield
    finally:
        if number is not None and taken:
            fcntl.lockf(number, fcntl.LOCK_UN, 1, _place(name))


def taken_for_life(folder: Path, name: str) -> bool:
    """Whether the lock is this process's until it ends; false where another has it, and where the disk knows no locks."""
    number = _file(folder)
    try:
        if number is not None:
            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(name))
    except OSError:
        return False
    return number is not None


def _place(name: str) -> int:
    """The byte of a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:_BYTES])


@cache
def _file(folder: Path) -> int | None:
    """A folder's file of locks, open as long as the process lives: closing it gives all of them back."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
