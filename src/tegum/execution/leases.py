"""Leases: how programs that share a folder, on one machine or many, see who is at work on what.

    NAME.lease     beside the file that is being made: who makes it, as JSON; touched every few seconds

A lease is taken by making the file, which one program alone can do.  It ends with the work; where its owner has died, by
`SIGKILL` or with its machine, others see that: at once where it ran on this machine, else because the lease was not touched for
half a minute, by the clock of who looks, so that clocks need not agree.

A lease saves work and guards nothing: files are written whole, and whoever makes one makes the same bits.  Two programs that
take over a dead one's lease in the same moment may therefore both do the work.
"""

import json
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from tegum.errors import InvalidInputError
from tegum.runs.programs import has_died, this_program

SUFFIX = ".lease"
_BEAT_SECONDS, DEAD_SECONDS = 5.0, 30.0


@final
@dataclass(frozen=True)
class Owner:
    """Who has a lease: its machine, the program as `tegum.runs.programs` knows it, and what it does, in words."""

    host: str
    program: str
    work: str
    since: float


@final
class Leases:
    """The leases of one piece of work."""

    def __init__(self) -> None:
        self._held: set[Path] = set()
        self._seen: dict[Path, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._beating: threading.Thread | None = None
        self._ended = threading.Event()

    def close(self) -> None:
        """Gives all of them back."""
        self._ended.set()
        with self._lock:
            held = list(self._held)
        for path in held:
            self.give_back(path)

    def take(self, file: Path, work: str) -> bool:
        """Whether this program may make ``file``: nobody else is making it."""
        path = _lease(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self._made(path, work):
            if self.alive(file) or not self._cleared(path):
                return False
            if not self._made(path, work):
                return False
        with self._lock:
            self._held.add(path)
        if self._beating is None:
            self._beating = threading.Thread(target=self._beat, name="tegum-leases", daemon=True)
            self._beating.start()
        return True

    def give_back(self, file: Path) -> None:
        """Ends the lease of a file, or the lease that this path is."""
        path = file if file.suffix == SUFFIX else _lease(file)
        with self._lock:
            self._held.discard(path)
        with suppress(OSError):
            path.unlink(missing_ok=True)

    def alive(self, file: Path) -> bool:
        """Whether another program that lives has a lease of the file."""
        path = _lease(file)
        try:
            touched, owner = path.stat().st_mtime_ns, owner_of(path)
        except OSError:
            return False
        if path in self._held:
            return False
        if owner is not None and has_died(owner.program):
            return False
        before = self._seen.get(path)
        if before is None or before[0] != touched:
            self._seen[path] = touched, time.monotonic()
            return True
        return time.monotonic() - before[1] < DEAD_SECONDS

    def _made(self, path: Path, work: str) -> bool:
        """Whether the lease could be made; an `InvalidInputError` where nothing can be written there."""
        owner = {"host": socket.gethostname(), "program": this_program(), "work": work, "since": time.time()}
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(json.dumps(owner))
        except FileExistsError:
            return False
        except BaseException as error:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            if not isinstance(error, OSError):
                raise
            advice = "choose another folder, or make room"
            raise InvalidInputError(f"{path} cannot be written ({error.strerror})", advice) from None
        return True

    def _cleared(self, path: Path) -> bool:
        """Whether this program, of all that find the lease dead, has taken it away."""
        aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}{SUFFIX}")
        try:
            path.replace(aside)
            aside.unlink()
        except OSError:
            return False
        return True

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_SECONDS):
            with self._lock:
                held = list(self._held)
            for path in held:
                with suppress(OSError):
                    os.utime(path)


def _lease(file: Path) -> Path:
    return file.with_name(file.name + SUFFIX)


def owner_of(path: Path) -> Owner | None:
    """Who has this lease; None where it is being written, or is none."""
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
        return Owner(**said)
    except (OSError, ValueError, TypeError):
        return None
