"""Constant magnitudes: blocks of few states each, met in the middle.

Every feature has finitely many values, so that s takes one of N = 2^n values, too many to add up one by one.  The blocks are
split into two halves, whose partial sums a and c take about sqrt(N) values each:

    E r(a + c)^2 = sum_a p_a sum_{c > -a} p_c (a + c)^2 = sum_a p_a [a^2 C_0(-a) + 2 a C_1(-a) + C_2(-a)]

with C_k(t) the sum of p_c c^k over c > t: sort the c once, add up from above, look up.  E x_j r(s) and every derivative
2 E (r(s) - x_j) x_i [s > 0] are sums of the same kind, over the half that holds the feature.

Source: Horowitz and Sahni, "Computing partitions with applications to the knapsack problem" (1974), for the two halves.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.laws.answer import ROUNDING, Answer, Asked
from tegum.exact.laws.curvature import add_row, add_slopes, first_reached

MOST_HALF = 2**20
"""The most values of half the sum."""


class Part(NamedTuple):
    """One block: its states' values (states, members), their probabilities (states,), and which features they are."""

    values: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    members: NDArray[np.int64]


@final
class Half:
    """Some blocks: all combinations of their states, the last block's fastest."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts, self.shape = parts, tuple(len(part.probabilities) for part in parts)
        self.probabilities = np.ones(1)

    def filled(self) -> "Half":
        """The same, its probabilities multiplied out."""
        self.probabilities = np.ones(1)
        for part in self.parts:
            self.probabilities = (self.probabilities[:, None] * part.probabilities).ravel()
        return self

    def sums(self, g: NDArray[np.float64], start: float) -> NDArray[np.float64]:
        """``start`` plus the sum of g_i x_i, for every combination."""
        found = np.full(1, start)
        for part in self.parts:
            found = (found[:, None] + part.values @ g[part.members]).ravel()
        return found

    def place(self, j: int) -> tuple[int, int] | None:
        """Which block and member feature j is; None where it is in the other half."""
        return next(
            ((k, int(np.flatnonzero(part.members == j)[0])) for k, part in enumerate(self.parts) if j in part.members), None
        )

    def values(self, place: tuple[int, int]) -> NDArray[np.float64]:
        """The feature's value in every combination."""
        k, member = place
        column = self.parts[k].values[:, member]
        after = math.prod(self.shape[k + 1 :])
        return np.tile(np.repeat(column, after), len(self.probabilities) // (after * len(column)))

    def add_products(self, h: NDArray[np.float64], found: NDArray[np.float64]) -> None:
        """Writes the sum of h times x_i over all combinations for every feature i of this half."""
        for k, part in enumerate(self.parts):
            after = math.prod(self.shape[k + 1 :])
            found[part.members] = h.reshape(-1, self.shape[k], after).sum(axis=(0, 2)) @ part.values


def halves(parts: list[Part]) -> tuple[Half, Half]:
    """The blocks split so that both halves have about equally many combinations."""
    first, second = list[Part](), list[Part]()
    counts = [1, 1]
    for part in sorted(parts, key=lambda one: -len(one.probabilities)):
        less = 0 if counts[0] <= counts[1] else 1
        (first, second)[less].append(part)
        counts[less] *= len(part.probabilities)
    return Half(first), Half(second)


def _above(order: NDArray[np.int64], weights: list[NDArray[np.float64]], at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each list of weights from sorted place ``at`` on, added up (lists, places)."""
    tail = np.zeros((len(weights), len(order) + 1))
    tail[:, -2::-1] = np.cumsum(np.array(weights)[:, order[::-1]], axis=1)
    return np.asarray(tail[:, at])


@final
@dataclass(frozen=True, eq=False)
class LatticeLaw:
    """Independent blocks of finitely many states, in two halves."""

    first: Half
    second: Half

    def answer(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        """The squared errors of one model, exact to rounding."""
        n = len(b)
        squares, dG, db = np.zeros(n), np.zeros((n, n)), np.zeros(n)
        size = 0.0
        for j in range(n):
            squares[j], dG[j], db[j], scale = self._row(G[j], float(b[j]), j, asked.gradient)
            size += importance[j] * scale
        dG, db = dG * importance[:, None], db * importance
        rounding = ROUNDING * (4 + n / 4)
        slopes = max(float(np.abs(dG).max(initial=0)), float(np.abs(db).max(initial=0)))
        return Answer(squares, rounding * size, rounding * (slopes + math.sqrt(size * float(importance.max()))), 0, dG, db)

    def _row(self, g: NDArray[np.float64], b: float, j: int, gradient: bool) -> tuple[float, NDArray[np.float64], float, float]:
        """E (x_j - r(s))^2, its derivatives by g and b, and the size of what was added up."""
        if b <= 0 and not g.any():
            second = self._second(j)
            return second, np.zeros(len(g)), 0.0, second
        found = [self._seen_from(self.first, self.second, g, b, 0.0, j), self._seen_from(self.second, self.first, g, 0.0, b, j)]
        (square, own, pull), (_, _, back) = found if gradient else (found[0], found[0])
        slopes, second = np.zeros(len(g)), self._second(j)
        if gradient:
            self.first.add_products(2 * pull, slopes)
            self.second.add_products(2 * back, slopes)
        return second - 2 * own + square, slopes, 2 * float(pull.sum()), second + square

    def _second(self, j: int) -> float:
        """E x_j^2."""
        half, place = next((half, place) for half in (self.first, self.second) if (place := half.place(j)) is not None)
        part = half.parts[place[0]]
        return float(part.probabilities @ part.values[:, place[1]] ** 2)

    def _seen_from(
        self, here: Half, other: Half, g: NDArray[np.float64], b_here: float, b_other: float, j: int
    ) -> tuple[float, float, NDArray[np.float64]]:
        """E r(s)^2, E x_j r(s), and p_a E (r(s) - x_j) [s > 0] for every combination of this half."""
        a, c = here.sums(g, b_here), other.sums(g, b_other)
        order = np.argsort(c)
        at = np.searchsorted(c[order], -a, side="right")
        p, q = here.probabilities, other.probabilities
        weights, place = [q, q * c, q * c * c], here.place(j)
        if place is None:
            place = other.place(j)
            assert place is not None
            x = other.values(place)
            none, once, twice, target, moved = _above(order, [*weights, q * x, q * x * c], at)
            own = float(p @ (a * target + moved))
        else:
            none, once, twice = _above(order, weights, at)
            target = here.values(place) * none
            own = float(p @ (here.values(place) * (a * none + once)))
        return float(p @ (a * a * none + 2 * a * once + twice)), own, p * (a * none + once - target)

    def hessian(
        self, W: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], step: float, terms: int
    ) -> tuple[NDArray[np.float64], float]:
        """The Hessian of one model y = r(W^T W x + b) by W, row by row, and b: exact, whatever the step and the terms.

        On a kink it is the Hessian from below; the second number, how rows jump within the step, is 0.
        """
        m, n = W.shape
        H, G = np.zeros((m * n + n, m * n + n)), W.T @ W
        for j, g in enumerate(G):
            add_row(H, W, j, 2 * importance[j] * self._where_on(g, float(b[j])))
        add_slopes(H, m, self.answer(G, b, importance, Asked(0.5, 1, 1, True)).dG)
        return H, 0.0

    def _where_on(self, g: NDArray[np.float64], b: float) -> NDArray[np.float64]:
        """E y y^T [s > 0], y = (x, 1), for s = g x + b: (n + 1, n + 1)."""
        n = len(g)
        found = np.zeros((n + 1, n + 1))
        views = (self.first, self.second, b, 0.0), (self.second, self.first, 0.0, b)
        for here, other, b_here, b_other in views:
            a, c = here.sums(g, b_here), other.sums(g, b_other)
            order = np.argsort(c)
            at = np.searchsorted(c[order], -a, side="right")
            above = here.probabilities * _above(order, [other.probabilities], at)[0]
            here.add_products(above, found[n])
            found[n, n] = above.sum()
            for i in range(n):
                if (place := here.place(i)) is not None:
                    here.add_products(above * here.values(place), found[i])
                elif (place := other.place(i)) is not None:
                    weights = other.probabilities * other.values(place)
                    here.add_products(here.probabilities * _above(order, [weights], at)[0], found[i])
        found[:n, n] = found[n, :n]
        return found

    def nearest_kink(self, W: NDArray[np.float64], b: NDArray[np.float64], biased: bool) -> float:
        """At least how far W, and b where ``biased``, may move, in Euclidean norm, before some state's s_j changes its sign.

        As of `StatesLaw`, with the longest of all states for |x|.
        """
        farthest = sum(float((part.values**2).sum(axis=1).max()) for half in (self.first, self.second) for part in half.parts)
        nearest = np.inf
        for g, shift in zip(W.T @ W, b, strict=True):
            a, c = self.first.sums(g, float(shift)), np.sort(self.second.sums(g, 0.0))
            at = np.searchsorted(c, -a)
            for side in (np.maximum(at - 1, 0), np.minimum(at, len(c) - 1)):
                nearest = min(nearest, float(np.abs(a + c[side]).min()))
        length = math.sqrt(farthest)
        return float(first_reached(np.array(nearest), length, float(biased) + 2 * float(np.linalg.norm(W)) * length))
