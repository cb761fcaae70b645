"""Bounds of the loss and of its gradient over boxes of parameters of a net with one hidden dimension, many boxes at once.

    L(w, b) = sum_j I_j sum_A q_A E (x_j - r(s_j))^2,     s_j = b_j + sum_{i in A} w_j w_i x_i,     r(t) = max(t, 0)

A is which features are active, at most two, and q_A how often.  Each row is  E x_j^2 - 2 E x_j r + E r^2  and its derivatives

    by b_j: 2 (E r - E x_j 1[s_j > 0])          by w_j w_i: 2 (E x_i r - E x_i x_j 1[s_j > 0])

Every expectation rises with b_j and with each w_j w_i, so that two corners of a box bound it (`tegum.exact.bounds.active`).
Where j is active there is a second bound, whatever else happens: with a = w_j^2 and t the rest of s_j,

    int_0^1 (x - r(a x + t))^2 dx  >=  h(a) = (1 - a)^2 / 12 for a <= 1,   ((a - 1) / (a + 1))^2 / 3 for a >= 1

For a <= 1 the loss falls with t up to t = (1 - a) / 2, where it is h.  For a >= 1 it rises with t from 0 on; at t <= 0, with
e = 1 + t / a the length of the active part, it is 1/3 less a e^2 (1 - e (a + 1) / 3), which is most at e = 2 / (a + 1).

>>> import numpy as np, tegum as tg
>>> world = World.of(tg.features.Independent(2, density=0.5))
>>> dropped = Interval.of(np.array([[1.0, 0.0, 0.0, 0.25]]))                      # w_1, w_2, b_1, b_2: p / 3 - p^2 / 4
>>> losses(world, dropped).low.round(12), losses(world, dropped).high.round(12)
(array([0.10416667]), array([0.10416667]))

Source: Neumaier, "Interval Methods for Systems of Equations" (1990); h is derived here.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, final

import numpy as np

from tegum.exact.bounds.active import LEVEL, ONE, Active
from tegum.exact.bounds.intervals import Array, Interval, stacked
from tegum.features import Features

_LESS = 1 - 2.0**-48
"""More than what a few roundings take from a product."""


@final
@dataclass(frozen=True, eq=False)
class World:
    """What the loss depends on besides the parameters: which features are active how often, and how much each matters."""

    odds: dict[tuple[int, ...], Fraction]
    patterns: tuple[tuple[tuple[int, ...], Interval], ...]
    importance: Array

    @classmethod
    def of(cls, features: Features) -> "World":
        """Of independent blocks, all patterns with their probabilities."""
        blocks = features.blocks()
        odds: dict[tuple[int, ...], Fraction] = {(): Fraction(1)}
        for block in range(int(blocks.block_of_component[-1]) + 1):
            own = np.flatnonzero(blocks.block_of_component == block)
            each = [
                (tuple(np.flatnonzero(blocks.component_of_feature == one).tolist()), blocks.probability[one]) for one in own
            ]
            choices: dict[tuple[int, ...], Fraction] = {members: Fraction(float(p)) for members, p in each}
            # probabilities such as three times 1/3, rounded, may add up to a little more than 1
            choices[()] = max(1 - sum(choices.values(), Fraction(0)), Fraction(0))
            odds = {before + now: q * p for before, q in odds.items() for now, p in choices.items() if q * p > 0}
        return cls(odds, tuple((members, Interval.around(q)) for members, q in odds.items()), features.importance)

    @property
    def n(self) -> int:
        """How many features there are."""
        return len(self.importance)

    def density(self, j: int) -> Interval:
        """How often feature j is active."""
        return Interval.around(sum((q for members, q in self.odds.items() if j in members), Fraction(0)))


class Rows(NamedTuple):
    """Lower bounds of the loss over boxes (boxes,), and enclosures of its gradient (boxes, 2 n) by w and b."""

    loss: Array
    slope: Interval


def couplings(w: Interval) -> list[list[Interval]]:
    """w_j w_i of boxes (boxes, n)."""
    n = w.low.shape[-1]
    return [[w[:, i].squared() if i == j else w[:, j] * w[:, i] for i in range(n)] for j in range(n)]


def least_alone(a: Interval) -> Array:
    """A lower bound of h over the squares of weights."""
    below = np.maximum(1 - a.high, 0) ** 2 / 12
    above = (np.maximum(a.low - 1, 0) / (a.low + 1)) ** 2 / 3
    return np.asarray(np.maximum(below, above) * _LESS)


def corners(g: list[Interval], b: Interval, members: tuple[int, ...]) -> tuple[Active, Active]:
    """Where a row is active at the lowest and at the highest corner of boxes."""
    return Active(b.low, [g[i].low for i in members]), Active(b.high, [g[i].high for i in members])


def _value(low: Active, high: Active, own: int | None) -> Interval:
    """E (x_j - r)^2 of one pattern, in which feature j is number ``own``."""
    value = Interval(low.below(LEVEL, LEVEL), high.above(LEVEL, LEVEL))
    if own is None:
        return value
    return value + _THIRD - 2 * Interval(low.below(LEVEL, own), high.above(LEVEL, own))


def pull_on(low: Active, high: Active, f: int, own: int | None) -> Interval:
    """E f (r - x_j) 1(s > 0) of one pattern."""
    pull = Interval(low.below(LEVEL, f), high.above(LEVEL, f))
    return pull if own is None else pull - Interval(low.below(f, own), high.above(f, own))


def losses(world: World, x: Interval) -> Interval:
    """Enclosures of the loss over boxes (boxes, 2 n): narrow where a box is a point."""
    n = world.n
    g, total = couplings(x[:, :n]), Interval.of(np.zeros(len(x.low)))
    for j in range(n):
        for members, q in world.patterns:
            low, high = corners(g[j], x[:, n + j], members)
            total = total + q * world.importance[j] * _value(low, high, _place(members, j))
    return total


def rows(world: World, x: Interval) -> Rows:
    """Bounds over boxes (boxes, 2 n), row by row: where the loss has kinks, of all the limits of its gradient."""
    n = world.n
    w = [x[:, k] for k in range(n)]
    g, zero = couplings(x[:, :n]), Interval.of(np.zeros(len(x.low)))
    by_g, by_b, total = [[zero] * n for _ in range(n)], [zero] * n, zero
    for j in range(n):
        least = least_alone(g[j][j])
        for members, q in world.patterns:
            own, weight = _place(members, j), q * world.importance[j]
            low, high = corners(g[j], x[:, n + j], members)
            value = _value(low, high, own).low
            total = total + weight * Interval.of(np.maximum(value, 0 if own is None else least))
            by_b[j] = by_b[j] + 2 * weight * pull_on(low, high, ONE, own)
            for at, i in enumerate(members):
                by_g[j][i] = by_g[j][i] + 2 * weight * pull_on(low, high, at, own)
    by_w = [sum(((by_g[k][i] + by_g[i][k]) * w[i] for i in range(n)), zero) for k in range(n)]
    return Rows(total.low, stacked([*by_w, *by_b]))


def around_middles(world: World, x: Interval, slope: Interval) -> tuple[Array, Array, Array]:
    """Lower bounds of the loss over boxes by the mean value theorem; their middles, and upper bounds of the loss there.

    L >= L(c) - sum_k sup |dL/dv_k| rad_k,         v = (w, b)
    """
    middle = (x.low + x.high) / 2
    radius = np.maximum((Interval.of(x.high) - middle).high, (Interval.of(middle) - x.low).high)
    at = losses(world, Interval.of(middle))
    bound, fall = at, Interval.of(slope.magnitude()) * radius
    for k in range(middle.shape[1]):
        bound = bound - fall[:, k]
    return bound.low, middle, at.high


def _place(members: tuple[int, ...], j: int) -> int | None:
    """Where a feature is among those that are active."""
    return members.index(j) if j in members else None


_THIRD = Interval.around(Fraction(1, 3))
