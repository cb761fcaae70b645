"""`python -m tests.fuzz.chaos`: long calls stopped at random moments and at every write; afterwards all is as if they were not.

Each job is stopped, called again and stopped again, until a call ends by itself; then its folder must hold what an unbroken
call leaves, bit for bit, and nothing else.  Stopped are children of one process that has loaded and compiled everything; some
are processes of their own, half of the others have a terminal.  Counted are

    hang        no end within ten seconds of a signal             slow         none within two
    traceback   anything that looks like one                      exit code    not 130 after Ctrl-C, 2 after a full disk
    leftovers   files that an unbroken call does not leave        differs      other results
"""

import argparse
import builtins
import errno
import faulthandler
import hashlib
import io
import os
import pty
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from itertools import count
from pathlib import Path
from typing import Any

from tqdm import TMonitor

from tegum.runs import read_dataset
from tests.fuzz.jobs import AFTER, COMMANDS, JOBS, Job

BLOWS = (*[signal.SIGINT] * 12, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
_DONE = {0, 1}  # 1: a claim failed
_PATIENCE, _SLOW, _FRESH, _BEYOND, _TICKS, _SHOWN = 10.0, 2.0, 0.04, 1.2, 5, 50


class Child:
    """A job in a child of this process, or in a process of its own; what it says is in a file."""

    def __init__(self, name: str, folder: Path, fresh: bool = False, terminal: bool = False, fault: Job | None = None) -> None:
        self.said = tempfile.TemporaryFile()  # noqa: SIM115
        self.terminal, theirs = pty.openpty() if terminal else (None, None)
        self.process = None
        if fresh:
            words = [sys.executable, "-m", "tegum", *COMMANDS[name], str(folder)]
            self.process = subprocess.Popen(words, stdout=self.said, stderr=self.said)
            self.number = self.process.pid
            return
        ready, told = os.pipe()
        self.number = os.fork()
        if not self.number:
            self._run(name, folder, told, theirs, fault)
        os.close(told)
        os.read(ready, 1)
        for one in (ready, theirs):
            if one is not None:
                os.close(one)

    def _run(self, name: str, folder: Path, told: int, terminal: int | None, fault: Job | None) -> None:
        """What the child does, whatever signals come while it ends."""
        code = 0
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.dup2(self.said.fileno(), 1)
            os.dup2(self.said.fileno() if terminal is None else terminal, 2)
            sys.stdout, sys.stderr = (os.fdopen(k, "w", buffering=1) for k in (1, 2))
            faulthandler.register(signal.SIGUSR1, file=self.said, all_threads=True)
            if fault is not None:
                fault(folder)
            os.write(told, b"x")
            JOBS[name](folder)
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 0
        except KeyboardInterrupt:
            code = 130
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        except BaseException:  # noqa: BLE001
            traceback.print_exc(file=os.fdopen(os.dup(self.said.fileno()), "w"))
            code = 3
        finally:
            while True:
                with suppress(KeyboardInterrupt):
                    os._exit(code)

    def wait(self, seconds: float) -> tuple[int | None, float]:
        """The exit code, negative for a signal, None where it does not end in time; and how long it took."""
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            if self.terminal is not None:
                os.set_blocking(self.terminal, False)
                with suppress(OSError):
                    os.write(self.said.fileno(), os.read(self.terminal, 65536))
            found, status = os.waitpid(self.number, os.WNOHANG)
            if found:
                if self.terminal is not None:
                    os.close(self.terminal)
                if self.process is not None:
                    self.process.returncode = 0
                return os.waitstatus_to_exitcode(status), time.monotonic() - began
            time.sleep(0.005)
        return None, seconds

    def begun(self) -> None:
        """Waits until a process of its own has used a twentieth of a second: before, it is Python that starts."""
        while sum(map(int, Path(f"/proc/{self.number}/stat").read_text().rpartition(")")[2].split()[11:13])) < _TICKS:
            time.sleep(0.005)

    def text(self) -> str:
        """What it said."""
        self.said.seek(0)
        return self.said.read().decode(errors="replace")


def warm(name: str, folder: Path) -> None:
    """Does a job in this process: what it loads and compiles is then there in every child."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), suppress(SystemExit):
        JOBS[name](folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for thread in threading.enumerate():
        if isinstance(thread, TMonitor):
            thread.exit()
            thread.tqdm_cls.monitor = None
    time.sleep(1)
    if threading.active_count() > 1:
        raise RuntimeError(f"threads are left, which a child would not have: {threading.enumerate()}")


def stopped(name: str, folder: Path, generator: random.Random, longest: float) -> tuple[str, float]:
    """Starts a job, stops it at a random moment; what became of it in one word, and how long that took."""
    fresh = name in COMMANDS and generator.random() < _FRESH
    child = Child(name, folder, fresh, generator.random() < 0.5 and not fresh)
    if fresh:
        child.begun()
    code, _ = child.wait(generator.uniform(0, longest + 1.5) if fresh else generator.uniform(0, _BEYOND * longest))
    if code is not None:
        return judged(child.text(), code, _DONE), 0.0
    blow = generator.choice(BLOWS)
    for _ in range(generator.choice((1, 1, 3)) if blow == signal.SIGINT else 1):
        os.kill(child.number, blow)
        time.sleep(0.01)
    code, seconds = child.wait(_PATIENCE)
    if code is None:
        os.kill(child.number, signal.SIGUSR1)
        if child.wait(1)[0] is None:
            os.kill(child.number, signal.SIGKILL)
            child.wait(_PATIENCE)
        print(f"{blow.name}, {'a process of its own' if fresh else 'a child'}:", child.text(), flush=True)
        return "hang", seconds
    word = judged(child.text(), code, _DONE | ({130} if blow == signal.SIGINT else {-blow}))
    return (f"slow {blow.name}" if seconds > _SLOW and word in _FINE else word), seconds


def judged(said: str, code: int, expected: set[int]) -> str:
    """One word for how a job ended."""
    if "Traceback" in said or "Error" in said:
        print(said, flush=True)
        return "traceback"
    if code not in expected:
        print(said, flush=True)
        return f"exit code {code}"
    return "ended" if code in _DONE else "interrupted" if code == 130 else "stopped"


def content(folder: Path) -> dict[str, str]:
    """A hash of everything in a folder, of datasets without when and how long; what says when it was made only by name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            continue
        digest = b""
        if path.suffix == ".safetensors":
            data = read_dataset(path)
            arrays = (data[name].values for name in sorted(data.variables))
            digest = b"".join(repr(one.tolist()).encode() if one.dtype == object else one.tobytes() for one in arrays)
        elif path.name == "claims.json" or path.suffix in (".js", ".csv"):
            digest = path.read_bytes()
        found[name] = hashlib.sha256(digest).hexdigest()
    return found


class Place:
    """A job's folders in a temporary one: an unbroken run's, and those of runs that are stopped."""

    def __init__(self, name: str, place: Path) -> None:
        self.name, self.place, self.number = name, place, 0
        os.environ["TMPDIR"] = str(place / "temporary")
        (place / "temporary").mkdir()
        warm(name, self.folder())
        whole = self.folder()
        began = time.monotonic()
        child = Child(name, whole)
        code, _ = child.wait(600)
        if code not in _DONE:
            raise RuntimeError(child.text())
        self.seconds, self.whole = time.monotonic() - began, content(whole)

    def folder(self) -> Path:
        """A fresh folder."""
        self.number += 1
        folder = self.place / str(self.number)
        if self.name in AFTER and Child(AFTER[self.name], folder).wait(600)[0] not in _DONE:
            raise RuntimeError("nothing to work on")
        return folder

    def compared(self, folder: Path, counts: Counter[str]) -> None:
        """Counts what is not as an unbroken run leaves it."""
        found = content(folder)
        more = [*(found.keys() - self.whole.keys()), *os.listdir(self.place / "temporary")]
        other = [one for one in self.whole if found.get(one) != self.whole[one]]
        if more or other:
            print(f"{self.name}: more {more}, other {other}", flush=True)
        counts["compared"] += 1
        counts["leftovers"] += bool(more)
        counts["differs"] += bool(other)


def at_random(name: str, interrupts: int, seed: int) -> Counter[str]:
    """What became of a job until Ctrl-C has stopped it so many times."""
    generator, counts = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as temporary:
        place = Place(name, Path(temporary))
        folder, longest, slowest = place.folder(), max(place.seconds, 0.1), 0.0
        for attempt in count():
            if counts["interrupted"] + counts["slow SIGINT"] >= interrupts:
                break
            if attempt % _SHOWN == 0:
                print(f"{name}: {interrupts} interrupts wanted;", dict(counts), file=sys.stderr, flush=True)
            word, seconds = stopped(name, folder, generator, longest)
            counts[word] += 1
            slowest = max(slowest, seconds)
            if word == "ended":
                place.compared(folder, counts)
                folder = place.folder()
    print(f"{name:<10} slowest {slowest:.1f} s", end="; ")
    return counts


class Faulty:
    """The calls that write, one of which fails: by a signal, or by an error."""

    def __init__(self, at: int, fault: signal.Signals | int | None) -> None:
        self.at, self.fault, self.calls = at, fault, 0

    def __call__(self, folder: Path) -> None:
        """Replaces them; they are counted into a file beside the folder."""
        for name in ("fsync", "replace", "mkdir", "unlink", "open"):
            setattr(os, name, self._failing(getattr(os, name)))
        opened = io.open

        def opening(*args: Any, **settings: Any) -> Any:
            file = opened(*args, **settings)
            mode = args[1] if len(args) > 1 else settings.get("mode", "r")
            return _Half(file, self) if mode == "wb" else file

        io.open = builtins.open = opening  # type: ignore[assignment]

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*args: Any, **settings: Any) -> Any:
            self.count()
            return call(*args, **settings)

        return failing

    def count(self) -> None:
        """One more call; the one that fails does."""
        self.calls += 1
        if self.fault is None:
            print(f"calls: {self.calls}")
        elif self.calls == self.at and isinstance(self.fault, signal.Signals):
            os.kill(os.getpid(), self.fault)
        elif self.calls == self.at:
            raise OSError(self.fault, os.strerror(self.fault))


class _Half:
    """A file whose writes may fail in the middle."""

    def __init__(self, file: Any, faulty: Faulty) -> None:
        self._file, self._faulty = file, faulty

    def write(self, content: bytes) -> int:
        half = len(content) // 2
        self._file.write(content[:half])
        self._file.flush()
        self._faulty.count()
        return half + int(self._file.write(content[half:]))

    def __enter__(self) -> "_Half":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


FAULTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, errno.ENOSPC, errno.EIO)


def at_every_write(name: str) -> Counter[str]:
    """What became of a job of which every call that writes failed, in every way, once."""
    counts = Counter[str]()
    with tempfile.TemporaryDirectory() as temporary:
        place = Place(name, Path(temporary))
        child = Child(name, place.folder(), fault=Faulty(0, None))
        child.wait(600)
        writes = child.text().count("calls: ")
        for at in range(1, writes + 1):
            for fault in FAULTS:
                folder = place.folder()
                child = Child(name, folder, fault=Faulty(at, fault))
                code, _ = child.wait(60)
                expected = _DONE | {130 if fault == signal.SIGINT else -fault if isinstance(fault, signal.Signals) else 2}
                word = "hang" if code is None else judged(child.text(), code, expected)
                counts["stopped" if code == 2 and word == "stopped" else word] += 1
                again = Child(name, folder)
                code, _ = again.wait(60)
                counts["again " + ("hang" if code is None else judged(again.text(), code, _DONE))] += 1
                place.compared(folder, counts)
    print(f"{name:<10} {writes} writes", end="; ")
    return counts


_FINE = ("ended", "interrupted", "stopped", "compared", "again ended")


def main() -> int:
    """Prints one line for each job; returns 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="*", choices=[[], *JOBS], help="all by default")
    parser.add_argument(
        "--interrupts", type=int, default=100, help="how often Ctrl-C stops each job; other signals come on top"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--writes", action="store_true", help="at every write instead of at random moments")
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what is in its background with Ctrl-C ignored
    wrong = 0
    for name in asked.jobs or JOBS:
        counts = at_every_write(name) if asked.writes else at_random(name, asked.interrupts, asked.seed)
        print(", ".join(f"{times} {what}" for what, times in sorted(counts.items()) if times), flush=True)
        wrong += sum(times for what, times in counts.items() if what not in _FINE)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
