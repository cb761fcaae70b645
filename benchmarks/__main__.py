"""``make bench``: the race against PyTorch, the engine for each set of instructions and beside another version, and the rest.

python -m benchmarks [TABLE...] [--against COMMIT]
"""

import argparse
import sys

import torch

from benchmarks.cases import CASES, DENSITIES, HEADING, SPARSE
from benchmarks.cost import print_costs
from benchmarks.engines import print_engines
from benchmarks.exact import print_gradients, print_minima, print_tolerances
from benchmarks.geometry import print_identification
from benchmarks.peak import peak_gigaflops
from benchmarks.race import gradients_agree, peak_memory, race
from benchmarks.start import print_starts
from benchmarks.terms import print_terms
from tegum.threads import default_threads

TABLES = ("training", "sparse", "engines", "start", "cost", "exact", "terms", "geometry")


def main() -> None:
    """Prints the tables asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Prints tables of speed and memory.")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"{', '.join(TABLES)}; by default all of them")
    parser.add_argument("--against", default="", metavar="COMMIT", help="another version, beside which the engine is timed")
    asked = parser.parse_args()
    if unknown := {*asked.tables} - {*TABLES}:
        parser.error(f"there is no table {', '.join(sorted(unknown))}")
    wanted, threads = asked.tables or TABLES, default_threads()
    if "training" in wanted:
        print_training(threads)
    if "sparse" in wanted:
        print_sparse(threads)
    if "engines" in wanted:
        print_engines(asked.against)
    if "start" in wanted:
        print_starts()
    if "cost" in wanted:
        print_costs()
    if "exact" in wanted:
        print_gradients(threads)
        print_tolerances(threads)
        print_minima(threads)
    if "terms" in wanted:
        print_terms()
    if "geometry" in wanted:
        print_identification()


def print_training(threads: int) -> None:
    """The race of the training engines."""
    peak = peak_gigaflops(threads)
    print(f"{threads} cores, fused multiply-add peak {peak:.0f} GFLOP/s in float32; PyTorch {torch.__version__}")
    print(f"peak memory of 100 instances of 400 x 30: {peak_memory():.0f} MB")
    print("time per step of all instances; ours is a whole call of tegum.train divided by its steps\n")
    ours = "".join(f"{f'p={p:g}':>11}" for p in DENSITIES)
    print(f"{HEADING}{'PyTorch':>11}{ours}", end="")
    print(f"{'ratio':>8}{'target':>8}{'GFLOP/s':>9}{'of peak':>8}{'gradient':>10}")
    for case in CASES:
        seconds = race(case, threads, DENSITIES)
        ours = [seconds[f"{p:g}"] for p in DENSITIES]
        rate = case.operations / seconds["1"] / 1e9
        times = "".join(f"{value * 1e3:>8.3f} ms" for value in ours)
        print(
            f"{case}{seconds['torch'] * 1e3:>8.2f} ms{times}{seconds['torch'] / max(ours):>7.1f}x{case.target:>7.0f}x", end=""
        )
        print(f"{rate:>9.1f}{rate / peak:>8.0%}{gradients_agree(case):>10.0e}")
        sys.stdout.flush()
    print("\nratio: against our slowest density; GFLOP/s: of the products alone, at density 1")
    print("gradient: largest relative difference between the two engines\n")


def print_sparse(threads: int) -> None:
    """The race of large sparse models, from weights as training leaves them: the rows that matter are few then."""
    print("large sparse models: time per step, from weights whose outputs are rarely above 0 but for active features\n")
    print(f"{HEADING}{'density':>9}{'PyTorch':>11}{'tegum':>11}{'ratio':>8}")
    for case, density in SPARSE:
        seconds = race(case, threads, (density,))
        ours, theirs = seconds[f"{density:g}"], seconds["torch"]
        print(f"{case}{density:>9g}{theirs * 1e3:>8.2f} ms{ours * 1e3:>8.2f} ms{theirs / ours:>7.1f}x", flush=True)
    print()


main()
