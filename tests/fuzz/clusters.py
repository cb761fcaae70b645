"""`python -m tests.fuzz.clusters`: a training on a Dask cluster and in shards while their processes are killed, counted.

    workers      a random worker of two gets SIGKILL at random moments, until the command ends
    scheduler    the scheduler is killed at a random moment; the command must say so, and end; called again it goes on
    shards       seven calls share a folder, a random one is killed and called again, until all are done

Each time the folder must then hold what an unbroken local call leaves, bit for bit: no piece lost, none doubled, no lease left.
"""

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tegum.runs import read_dataset
from tegum.runs.manifest import read_manifest
from tests.oracle.datasets import without_time

JOB = ("train", "-n", "5", "-m", "2", "--density", "1,0.5,0.2,0.1,0.05", "--seeds", "8", "--steps", "20000")
_SHARDS, _PATIENCE = 7, 300.0


def tegum(*words: str, quiet: bool = True) -> "subprocess.Popen[bytes]":
    """A command in a process of its own."""
    aim = subprocess.PIPE if quiet else None
    return subprocess.Popen([sys.executable, "-m", "tegum", *words], stdout=aim, stderr=subprocess.STDOUT if quiet else None)


class Cluster:
    """A scheduler and two workers, each with the nanny that starts it again."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")
        where = f"tcp://127.0.0.1:{self.port}"
        words = ("worker", where, "--nthreads", "1", "--no-dashboard", "--death-timeout", "20")
        self.nannies = [self._start(*words) for _ in range(2)]

    @staticmethod
    def _start(*words: str) -> "subprocess.Popen[bytes]":
        line = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]]
        quick = os.environ | {"DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": "forkserver"}
        silent = subprocess.DEVNULL
        return subprocess.Popen(line, stdout=silent, stderr=silent, start_new_session=True, env=quick)

    @property
    def address(self) -> str:
        """What --on is given."""
        return f"dask://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """The processes that compute."""
        found = []
        for nanny in self.nannies:
            with suppress(psutil.Error):
                servers = [one for one in psutil.Process(nanny.pid).children() if "forkserver" in " ".join(one.cmdline())]
                found += [child.pid for server in servers for child in server.children()]
        return found

    def stop(self) -> None:
        """Ends it."""
        for process in [self.scheduler, *self.nannies]:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster for a while."""
    found = Cluster()
    try:
        yield found
    finally:
        found.stop()


def compared(folder: Path, whole: Path, count: Counter[str]) -> None:
    """Counts what is not as an unbroken local call leaves it."""
    count["compared"] += 1
    (cut,) = (folder / "pieces").glob("*.cut")
    wanted, found = {cut.name, *read_manifest(cut)[1]}, {path.name for path in (folder / "pieces").iterdir()}
    count["lost"] += bool(wanted - found)
    count["left over"] += bool(found - wanted)
    ours, theirs = (without_time(read_dataset(place / "result.safetensors")) for place in (folder, whole))
    count["differs"] += not ours.identical(theirs)


def ended(process: "subprocess.Popen[bytes]", codes: Sequence[int], count: Counter[str]) -> None:
    """Waits for a command that should end with one of the codes."""
    try:
        said, _ = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        count["hang"] += 1
    if process.returncode not in codes or b"Traceback" in said:
        count["wrong end"] += 1
        sys.stdout.write(f"ended with {process.returncode}:\n{said.decode(errors='replace')[-2000:]}\n")


def workers(folder: Path, whole: Path, generator: random.Random, count: Counter[str]) -> None:
    """Kills workers until the command ends."""
    with cluster() as found:
        command = tegum(*JOB, "--out", str(folder), "--on", found.address)
        before = 0
        while command.poll() is None:
            time.sleep(generator.uniform(0.02, 0.5))
            done = len(list((folder / "pieces").glob("*.safetensors")))
            if done > before and (running := found.workers()):  # a worker needs some seconds until it computes
                before = done
                with suppress(ProcessLookupError):
                    os.kill(generator.choice(running), signal.SIGKILL)
                    count["kills"] += 1
        ended(command, (0,), count)
    compared(folder, whole, count)


def scheduler(folder: Path, whole: Path, generator: random.Random, count: Counter[str]) -> None:
    """Kills the scheduler, and calls the command again with another one."""
    with cluster() as found:
        command = tegum(*JOB, "--out", str(folder), "--on", found.address)
        while command.poll() is None and not list(folder.glob("pieces/*.lease")):
            time.sleep(0.05)
        time.sleep(generator.uniform(0, 3))
        over = command.poll() is not None
        found.scheduler.kill()
        count["kills"] += not over
        ended(command, (0, 2), count)
    with cluster() as found:
        ended(tegum(*JOB, "--out", str(folder), "--on", found.address), (0,), count)
    compared(folder, whole, count)


def shards(folder: Path, whole: Path, generator: random.Random, count: Counter[str]) -> None:
    """Kills shards and calls them again until all are done; then gathers."""

    def called(number: int) -> "subprocess.Popen[bytes]":
        return tegum(*JOB, "--out", str(folder), "--threads", "1", "--shard", f"{number}/{_SHARDS}")

    running = {number: called(number) for number in range(1, _SHARDS + 1)}
    before = 0
    while running:
        time.sleep(generator.uniform(0.02, 0.5))
        for number, process in list(running.items()):
            if process.poll() is not None:
                ended(running.pop(number), (0,), count)
        done = len(list((folder / "pieces").glob("*")))  # pieces and leases: something happens
        if running and done != before:
            before = done
            number = generator.choice(list(running))
            running[number].kill()
            running[number].communicate()
            count["kills"] += 1
            running[number] = called(number)
    ended(tegum(*JOB, "--out", str(folder)), (0,), count)
    compared(folder, whole, count)


KINDS: dict[str, Callable[[Path, Path, random.Random, Counter[str]], None]] = {
    "workers": workers,
    "scheduler": scheduler,
    "shards": shards,
}
FAULTS = ("lost", "left over", "differs", "hang", "wrong end")


def main() -> int:
    """Prints a line for each kind; ends with 1 where anything was lost, doubled or different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS], help="all by default")
    parser.add_argument("--kills", type=int, default=200, help="of workers, and of shards; of schedulers a tenth")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    generator, faults = random.Random(asked.seed), 0
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place) / "whole"
        ended(tegum(*JOB, "--out", str(whole)), (0,), Counter())
        for kind in asked.kinds or KINDS:
            count: Counter[str] = Counter()
            while count["kills"] < (asked.kills if kind != "scheduler" else max(1, asked.kills // 10)):
                with tempfile.TemporaryDirectory() as folder:
                    KINDS[kind](Path(folder) / "out", whole, generator, count)
            faults += sum(count[name] for name in FAULTS)
            said = ", ".join(f"{count[name]} {name}" for name in FAULTS)
            print(f"{kind:<10} {count['kills']} kills, {count['compared']} folders compared: {said}", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
