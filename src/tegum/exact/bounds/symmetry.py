"""Which parameters are the same model: equal features exchanged, and with one hidden dimension w -> -w.

>>> import tegum as tg
>>> from tegum.exact.bounds.boxes import World
>>> alike = World.of(tg.features.Independent(2, density=0.5))
>>> [one.low.tolist() for one in images(alike, Interval.of([1.0, 0.0, 0.0, 0.25]))]          # w_1, w_2, b_1, b_2
[[-1.0, 0.0, 0.0, 0.25], [0.0, -1.0, 0.25, 0.0], [0.0, 1.0, 0.25, 0.0], [1.0, 0.0, 0.0, 0.25]]
>>> equals(World.of(tg.features.Independent(2, density=0.5, importance=[1, 0.5])))
[]
"""

import itertools

import numpy as np

from tegum.exact.bounds.boxes import World
from tegum.exact.bounds.intervals import Interval


def exchanges(world: World) -> list[tuple[int, ...]]:
    """All orders of the features in which the distribution and the importances are what they were."""
    return [order for order in itertools.permutations(range(world.n)) if _is_kept(world, order)]


def equals(world: World) -> list[tuple[int, int]]:
    """Pairs of features, each with the next that it can be exchanged with."""
    pairs, n = list[tuple[int, int]](), world.n
    for i in range(n):
        for k in range(i + 1, n):
            order = list(range(n))
            order[i], order[k] = k, i
            if _is_kept(world, tuple(order)):
                pairs.append((i, k))
                break
    return pairs


def images(world: World, x: Interval) -> list[Interval]:
    """Everything that a point or a box (2 n,) is the same model as, each once."""
    n, found = world.n, dict[bytes, Interval]()
    for order in exchanges(world):
        own = np.array([*order, *(n + k for k in order)])
        for sign in (1, -1):
            signs = np.repeat([sign, 1], n)
            low, high = np.where(signs > 0, x.low[own], -x.high[own]) + 0.0, np.where(signs > 0, x.high[own], -x.low[own]) + 0.0
            found[low.tobytes() + high.tobytes()] = Interval(low, high)
    return sorted(found.values(), key=lambda one: (one.low.tolist(), one.high.tolist()))


def _is_kept(world: World, order: tuple[int, ...]) -> bool:
    moved = {tuple(sorted(order[i] for i in members)): q for members, q in world.odds.items()}
    return moved == world.odds and bool((world.importance[list(order)] == world.importance).all())
