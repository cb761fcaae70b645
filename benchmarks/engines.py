"""`python -m benchmarks.engines [COMMIT]`: the training engine beside itself, in one run, by the work of one thread.

Compiled for every set of instructions that this machine has, and beside the version of a commit where one is given (`make bench
AGAINST=COMMIT`).  Each is a process of its own; they take turns, and the least of some rounds counts: other programs slow
them all, but hardly change what one thread works.
"""

import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from llvmlite import binding

from benchmarks.cases import CASES, HEADING, SPARSE, Case
from benchmarks.peak import peak_gigaflops
from benchmarks.steps import ROOT, Engine

BUILT = ROOT / "build" / "bench"
ROUNDS = 5
SECONDS = 0.3
DENSITY = 0.1


def instructions_here() -> list[str]:
    """The sets of instructions to compile for: those of this machine, then those with narrower registers that it has too."""
    features = binding.get_host_cpu_features()
    return ["", "AVX2"] if features.get("avx512f") and features.get("avx2") else [""]


def source_of(commit: str) -> Path:
    """The sources of a commit, as files."""
    name = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", commit], capture_output=True, text=True, check=True
    ).stdout.strip()
    folder = BUILT / name
    if not folder.exists():
        whole = subprocess.run(["git", "-C", str(ROOT), "archive", name, "src"], capture_output=True, check=True).stdout
        with tarfile.open(fileobj=BytesIO(whole)) as archive:
            archive.extractall(folder, filter="data")
    return folder / "src"


@contextmanager
def engines(commit: str) -> Iterator[dict[str, Engine]]:
    """The engines by what they are called; their compiled code stays in `BUILT`."""
    sources = {"": ROOT / "src"} | ({f" {commit}": source_of(commit)} if commit else {})
    with ExitStack() as stack:
        running = {}
        for instructions in instructions_here():
            for version, source in sources.items():
                name = (instructions or "native") + version
                running[name] = Engine(source, instructions, BUILT / "compiled")
                stack.callback(running[name].close)
        yield running


def least_seconds(running: dict[str, Engine], case: Case, density: float) -> dict[str, float]:
    """Seconds of one thread's work for a step, by engine: the least of some calls, less the least of some of a single step."""
    fields = {name: getattr(case, name) for name in ("family", "n", "m", "instances", "batch")} | {"density": density}
    for engine in running.values():
        engine.ask(**fields, steps=1)  # compiles
    steps = {name: _enough(engine, fields) for name, engine in running.items()}
    short, long = ({name: float("inf") for name in running} for _ in range(2))
    for _ in range(ROUNDS):
        for name, engine in running.items():
            short[name] = min(short[name], engine.ask(**fields, steps=1))
            long[name] = min(long[name], engine.ask(**fields, steps=1 + steps[name]))
    return {name: (long[name] - short[name]) / steps[name] for name in running}


def _enough(engine: Engine, fields: dict[str, Any]) -> int:
    """How many steps last long enough that a call's own cost hardly counts."""
    steps, once = 3, engine.ask(**fields, steps=1)
    while (seconds := engine.ask(**fields, steps=1 + steps) - once) < SECONDS:
        steps *= max(2, min(10, int(SECONDS / max(seconds, 1e-9))))
    return steps


def print_engines(commit: str = "", cases: Sequence[tuple[Case, float]] = ()) -> None:
    """The table: milliseconds of a step of all instances, and how often the first engine goes into each."""
    with engines(commit) as running:
        peak = peak_gigaflops(1)
        print("milliseconds of one thread for a step of all instances; in brackets how many times the first column;")
        print(f"of peak: five dense products in the first, as a share of {peak:.0f} GFLOP/s of fused multiply-adds\n")
        print(f"{HEADING}{'density':>9}" + "".join(f"{name:>26}" for name in running) + f"{'of peak':>9}")
        for case, density in cases or (*((case, DENSITY) for case in CASES), *SPARSE):
            seconds = least_seconds(running, case, density)
            first = next(iter(seconds.values()))
            times = "".join(f"{value * 1e3:>17.3f} ({value / first:5.2f})" for value in seconds.values())
            print(f"{case}{density:>9g}{times}{case.operations / first / 1e9 / peak:>9.0%}", flush=True)
    print()


if __name__ == "__main__":
    print_engines(*sys.argv[1:2])
