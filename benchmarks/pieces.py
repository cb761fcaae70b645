"""`python -m benchmarks.pieces`: what it costs to compute in pieces, against the work itself.

pieces     10,000 pieces of 10 ms on a cluster of two processes; the sum of their work over two, and the time it took
sweep      models of n = 2, m = 1 (100 steps), trained at once and in pieces on disk: seconds of CPU for each, and memory
"""

import argparse
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xarray as xr

import tegum as tg
from tegum.caching import cached

_NAP, _NAPS, _WORKERS = 0.01, 10_000, 2
_PLAIN = 20_000


@cached(splittable=True, cost=lambda sweep, **_: 60.0 * len(sweep["nap"]))
def naps(sweep: dict[str, Any]) -> xr.Dataset:
    """So many times 10 ms of work on one core."""
    for _ in sweep["nap"]:
        end = time.thread_time() + _NAP
        while time.thread_time() < end:
            pass
    made = {"interrupted": 0, "wall_seconds": 0}
    return xr.Dataset({"slept": ("nap", [_NAP] * len(sweep["nap"]))}, {"nap": sweep["nap"]}, made)


def pieces(count: int) -> None:
    """Times pieces of 10 ms on two processes."""
    from distributed import Client, LocalCluster

    sweep = {"nap": list(range(count))}
    with (
        LocalCluster(n_workers=_WORKERS, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        TemporaryDirectory() as folder,
        tg.executing(client, folder=folder),
    ):
        began = time.perf_counter()
        data = naps(sweep)
        seconds = time.perf_counter() - began
        files = sum(1 for _ in Path(folder).glob("*.safetensors"))
    work = count * _NAP
    print(f"pieces: {files} files, {data.sizes['nap']} results, {work:.0f} s of work on two in {seconds:.1f} s: ", end="")
    print(f"{seconds / work:.2f} of the work, {seconds / (work / _WORKERS):.2f} of each one's share")


def sweep(count: int) -> None:
    """Times models trained at once and in pieces."""
    net, features = tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.1)
    tg.train(net, features, tg.Recipe(steps=1, seeds=2), progress=False)
    began = time.process_time()
    tg.train(net, features, tg.Recipe(steps=100, seeds=_PLAIN), progress=False)
    plain = (time.process_time() - began) / _PLAIN
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with TemporaryDirectory() as folder, tg.executing(folder=folder):
        began, clock = time.process_time(), time.perf_counter()
        tg.train(net, features, tg.Recipe(steps=100, seeds=count))
        each, wall = (time.process_time() - began) / count, time.perf_counter() - clock
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"sweep: {count} models in {wall:.0f} s; CPU {1e3 * each:.3f} ms each, {1e3 * plain:.3f} at once: ", end="")
    print(f"ratio {each / plain:.2f}; {size:.0f} MB on disk; {most:.0f} MB of memory at most, {before:.0f} before")


def main() -> int:
    """Prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=_NAPS)
    parser.add_argument("--models", type=int, default=1_000_000)
    asked = parser.parse_args()
    if asked.pieces:
        pieces(asked.pieces)
    if asked.models:
        sweep(asked.models)
    return 0


if __name__ == "__main__":
    sys.exit(main())
