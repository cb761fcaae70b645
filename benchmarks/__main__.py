"""``make bench``: the race against PyTorch, the share of the machine's peak, memory, costs, the exact engine, and geometry."""

import sys

import torch

from benchmarks.cost import print_costs
from benchmarks.exact import print_gradients, print_minima, print_tolerances
from benchmarks.geometry import print_identification
from benchmarks.peak import peak_gigaflops
from benchmarks.race import CASES, DENSITIES, gradients_agree, operations, peak_memory, race
from tegum.threads import default_threads


def main() -> None:
    """Prints the tables asked for: ``training``, ``cost``, ``exact``, ``geometry``, or all."""
    threads = default_threads()
    wanted = sys.argv[1:] or ["training", "cost", "exact", "geometry"]
    if "training" in wanted:
        print_training(threads)
    if "cost" in wanted:
        print_costs()
    if "exact" in wanted:
        print_gradients(threads)
        print_tolerances(threads)
        print_minima(threads)
    if "geometry" in wanted:
        print_identification()


def print_training(threads: int) -> None:
    """The race of the training engines."""
    peak = peak_gigaflops(threads)
    print(f"{threads} cores, fused multiply-add peak {peak:.0f} GFLOP/s in float32; PyTorch {torch.__version__}")
    print(f"peak memory of 100 instances of 400 x 30: {peak_memory():.0f} MB")
    print("time per step of all instances; ours is a whole call of tegum.train divided by its steps\n")
    ours = "".join(f"{f'p={p:g}':>11}" for p in DENSITIES)
    print(f"{'net':<14}{'n':>4}{'m':>4}{'inst':>6}{'batch':>6}{'PyTorch':>11}{ours}", end="")
    print(f"{'ratio':>8}{'target':>8}{'GFLOP/s':>9}{'of peak':>8}{'gradient':>10}")
    for case in CASES:
        seconds = race(case, threads)
        ours = [seconds[f"{p:g}"] for p in DENSITIES]
        rate = operations(case) / seconds["1"] / 1e9
        times = "".join(f"{value * 1e3:>8.3f} ms" for value in ours)
        print(f"{case.family:<14}{case.n:>4}{case.m:>4}{case.instances:>6}{case.batch:>6}", end="")
        print(f"{seconds['torch'] * 1e3:>8.2f} ms{times}{seconds['torch'] / max(ours):>7.1f}x{case.target:>7.0f}x", end="")
        print(f"{rate:>9.1f}{rate / peak:>8.0%}{gradients_agree(case):>10.0e}")
        sys.stdout.flush()
    print("\nratio: against our slowest density; GFLOP/s: of the products alone, at density 1")
    print("gradient: largest relative difference between the two engines\n")


main()
