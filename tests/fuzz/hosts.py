"""`python -m tests.fuzz.hosts`: two hosts with a folder in common, as network namespaces of this machine; needs root and `ip`.

Each host has a name, an address and a network of its own, joined by a cable (a veth pair).  Then

    cluster    the scheduler on one, a worker on each, the command on the other
    shards     a shard on each at the same time, and a call that gathers
    together   the same command on both at the same time: they share the work
    killed     a command on one is killed; the other takes its work over once its lease has expired

must each leave what one local call does, bit for bit.  Where namespaces cannot be made, a word says so, and the exit code is 0.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fuzz.clusters import FAULTS, compared, ended

JOB = ("train", "-n", "5", "-m", "2", "--density", "1,0.5,0.2,0.1,0.05", "--seeds", "8", "--steps", "20000")
HOSTS = {"tegum-a": "10.213.77.1", "tegum-b": "10.213.77.2"}
_PORT = 8786


def impossible() -> str:
    """Why there can be no two hosts here; empty where there can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "needs root"
    if not (shutil.which("ip") and shutil.which("unshare")):
        return "needs the commands ip and unshare"
    if subprocess.run(["ip", "netns", "add", "tegum-probe"], capture_output=True, check=False).returncode:
        return "network namespaces cannot be made here"
    subprocess.run(["ip", "netns", "delete", "tegum-probe"], check=True)
    return ""


@contextmanager
def two_hosts() -> Iterator[None]:
    """The hosts, for a while."""
    lines = [f"ip netns add {host}" for host in HOSTS]
    first, second = HOSTS
    lines.append(f"ip link add tegum0 netns {first} type veth peer name tegum0 netns {second}")
    for host, address in HOSTS.items():
        lines += [
            f"ip -n {host} addr add {address}/24 dev tegum0",
            f"ip -n {host} link set tegum0 up",
            f"ip -n {host} link set lo up",
        ]
    try:
        for line in lines:
            subprocess.run(line.split(), check=True)
        yield
    finally:
        for host in HOSTS:
            subprocess.run(["ip", "netns", "delete", host], check=False)


def on(host: str, *words: str) -> "subprocess.Popen[bytes]":
    """A Python module run on a host, under its name."""
    inside = f'hostname {host} && exec "$@"'
    line = ["ip", "netns", "exec", host, "unshare", "--uts", "sh", "-c", inside, "sh", sys.executable, "-m", *words]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)


def stop(*processes: "subprocess.Popen[bytes]") -> None:
    """Kills processes with what they started."""
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def cluster(folder: Path, count: Counter[str]) -> None:
    """A scheduler on the first host, a worker on each, the command on the second."""
    first, second = HOSTS
    where = f"{HOSTS[first]}:{_PORT}"
    begun = [on(first, "distributed.cli.dask_scheduler", "--host", HOSTS[first], "--port", str(_PORT), "--no-dashboard")]
    begun += [on(host, "distributed.cli.dask_worker", f"tcp://{where}", "--nthreads", "1", "--no-dashboard") for host in HOSTS]
    try:
        ended(on(second, "tegum", *JOB, "--out", str(folder), "--on", f"dask://{where}"), (0,), count)
    finally:
        stop(*begun)


def shards(folder: Path, count: Counter[str]) -> None:
    """A shard on each host at once, then a call that gathers."""
    calls = [on(host, "tegum", *JOB, "--out", str(folder), "--shard", f"{k}/2") for k, host in enumerate(HOSTS, start=1)]
    for call in calls:
        ended(call, (0,), count)
    ended(on(next(iter(HOSTS)), "tegum", *JOB, "--out", str(folder)), (0,), count)


def together(folder: Path, count: Counter[str]) -> None:
    """The same command on both hosts at once."""
    for call in [on(host, "tegum", *JOB, "--out", str(folder)) for host in HOSTS]:
        ended(call, (0,), count)


def killed(folder: Path, count: Counter[str]) -> None:
    """A command that is killed on one host, and called on the other."""
    first, second = HOSTS
    call = on(first, "tegum", *JOB, "--out", str(folder))
    while not list(folder.glob("pieces/*.lease")):
        time.sleep(0.05)
    stop(call)
    ended(on(second, "tegum", *JOB, "--out", str(folder)), (0,), count)


def main() -> int:
    """Prints a line for each way; ends with 1 where anything is lost or different."""
    if why := impossible():
        print(f"two hosts: skipped, {why}")
        return 0
    faults = 0
    with tempfile.TemporaryDirectory() as place, two_hosts():
        whole = Path(place) / "whole"
        ended(on(next(iter(HOSTS)), "tegum", *JOB, "--out", str(whole)), (0,), Counter())
        for way in (cluster, shards, together, killed):
            count: Counter[str] = Counter()
            folder = Path(place) / way.__name__
            began = time.monotonic()
            way(folder, count)
            compared(folder, whole, count)
            faults += sum(count[name] for name in FAULTS)
            said = ", ".join(f"{count[name]} {name}" for name in FAULTS)
            print(f"{way.__name__:<10} {time.monotonic() - began:.0f} s: {said}", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
