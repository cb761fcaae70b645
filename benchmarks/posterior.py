"""How fast chains step: a million Langevin steps with the exact gradient, and the same where the loss is inverted.

python -m benchmarks.posterior
"""

import time

import numpy as np

import tegum as tg
from tegum.features import Features
from tegum.geometry import polygon
from tegum.nets import Net
from tegum.posterior import HMC, Langevin, sample
from tegum.posterior.sample import _seconds
from tegum.posterior.samplers import Sampler

MILLION, CHAINS, TERMS = 1_000_000, 2, 64
PAIR_OPERATIONS, NORMAL_OPERATIONS, DIMENSIONS = 30, 40, 2
"""Floating-point operations of a pair's closed form, without its coupling, and of a normal number; dimensions."""


def announced(net: Net, features: Features, sampler: Sampler, draws: int, thinning: int = 10) -> float:
    """How many seconds on one core are said beforehand of all chains."""
    numbers, ladder = range(CHAINS), np.ones(1)
    how = {"draws": draws, "thinning": thinning, "warm_up": 0}
    return _seconds(net, features, numbers=numbers, ladder=ladder, sampler=sampler, **how)


def main() -> None:
    """Prints seconds for a million steps, work per step and what was announced."""
    print("features, n, sampler: seconds for a million steps on all cores, work per step, seconds announced for one core")
    for name, n in (("one active", 6), ("one active", 12), ("independent", 6)):
        features = tg.features.AnticorrelatedSets(1, n, density=1 / n)
        steps = MILLION
        if name == "independent":
            features, steps = tg.features.Independent(n, density=0.1), MILLION // 20
        net, W, b = tg.nets.ReluOutput(n, DIMENSIONS), 1.2 * polygon(n), np.full(n, -0.3)
        for sampler in (Langevin(1e-7), HMC(leaps=1)):
            draws = steps // (10 * CHAINS)
            how = {"sampler": sampler, "chains": CHAINS, "thinning": 10, "warm_up": 0}
            sample(net, features, W, b, n_beta=1e6, draws=4, **how)
            began = time.perf_counter()
            sample(net, features, W, b, n_beta=1e6, draws=draws, **how)
            seconds = (time.perf_counter() - began) * MILLION / steps
            cost = announced(net, features, sampler, draws) * MILLION / steps
            print(f"{name:12} {n:3} {type(sampler).__name__:9} {seconds:7.2f} s   {work(name, n)}   {cost:6.1f} s")


def work(name: str, n: int) -> str:
    """What a step computes."""
    if name == "independent":
        return f"{n} rows of {TERMS} terms"
    operations = n * n * (PAIR_OPERATIONS + 6 * DIMENSIONS) + n * (DIMENSIONS + 1) * NORMAL_OPERATIONS
    return f"{n * n} pairs in closed form, about {operations} FLOP"


if __name__ == "__main__":
    main()
