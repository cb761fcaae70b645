"""Where the gradient flow of two features in one dimension ends, from biases of 0: basins with located boundaries.

    d(w_1, w_2, b_1, b_2) / dt = - gradient of the objective of `tegum.theory.stored_pair`,     b = 0 at the start

The flow is the same for (-w_1, -w_2).  On the circle |w| = r the end is a function of the angle; it changes where the start is
on the stable manifold of a saddle.  Changes that a fan of angles shows are brought together by 5-section.  Gaussian weights,
w ~ N(0, sigma^2), have every angle alike and a radius of density (r / sigma^2) exp(-r^2 / 2 sigma^2), so that

    P(end) = integral of that density times the share of angles that end there

by Gauss's nodes for the radius in four panels, between which shares are polynomials: one set of boundaries serves every sigma.

Where w_i = 0 and b_i = 0 the objective has a kink in b_i, and the flow may leave it or stay: its solutions are not unique.  It
starts there with probability 0; elsewhere the gradient is continuous and piecewise smooth, and the solution is unique.

>>> rests = pair_rests(0.3, 0.5)                                      # the first feature alone, and a pair
>>> rests[:, :2].round(3)
array([[ 1.   ,  0.   ],
       [ 1.029, -0.967]])
>>> pair_ends([[0.5, -0.4], [0.5, 0.4]], rests, 0.3, 0.5).tolist()
[1, 0]

Source: Dormand and Prince's method as in Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I" (1993); the
question is O50 of Levine, "Mathematics for AI Safety" (2026).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import legfit, leggauss, legval
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked
from tegum.theory.stored_pair import cost_of_a_trace, descended_pair, objective_of, stored_pair, trace

Array = NDArray[np.float64]

_MIRROR = np.array([-1.0, -1.0, 1.0, 1.0])
_STARTS, _SAME, _STABLE = 40, 1e-4, 1e-9
_NEAR, _LONGEST, _MOST_STEPS, _LOOK = 0.03, 1e5, 6000, 5
_ALONG, _NOISE = 0.2, 10
_SWAP = [1, 0, 3, 2]
_PARTS = 5
_PANELS = (0.0, 0.06, 0.3, 1.2, 3.6)

_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
"""The method of fifth order, and how it differs from its companion of fourth."""


@checked
def pair_rests(density: float, ratio: float = 1.0, weight: float = 0.0) -> Array:
    """Where flows end, rows (w_1, w_2, b_1, b_2) with the larger weight positive: minima, and what attracts from one side.

    One feature alone, (1, 0, 0, p/2), has a kink in its curvature at w_2 = 0: a trace of the second may grow with the opposite
    sign and die out with the same (`tegum.theory.stored_pair`).  It is a minimum only where both die out; where one does, it
    still is the end of a set of starts that has a volume.
    """
    alone = _alone(density)
    found = [x for x, sides in zip(alone, _dies_out(density, ratio, weight), strict=True) if any(sides)]
    angles = np.pi * (np.arange(_STARTS) + 0.4) / _STARTS
    starts = [r * np.stack([np.sin(angles), np.cos(angles)], axis=-1) for r in (0.2, 0.7, 1.2)]
    biases = np.broadcast_to([0.0, density / 2], (3 * _STARTS, 2))
    ends, value = descended_pair(np.concatenate([np.concatenate(starts), biases], axis=1), density, ratio, weight)
    _, slope, H = stored_pair(ends, density, ratio, weight)
    minimum = (np.abs(slope).max(axis=1) < _STABLE) & (np.linalg.eigvalsh(H)[:, 0] > _STABLE)
    minimum &= np.abs(ends[:, :2]).min(axis=1) > _SAME
    for end in ends[minimum][np.argsort(value[minimum], kind="stable")]:
        x = end * (_MIRROR if end[np.abs(end[:2]).argmax()] < 0 else 1)
        if all(min(np.abs(x - one).max(), np.abs(x * _MIRROR - one).max()) > _SAME for one in found):
            found.append(x)
    return np.array(found).reshape(-1, 4)


def _alone(p: float) -> Array:
    """The first feature alone, and the second."""
    return np.array([[1, 0, 0, p / 2], [0, 1, p / 2, 0]])


def _dies_out(p: float, ratio: float, weight: float) -> list[tuple[bool, bool]]:
    """Of the first feature alone, and of the second: whether traces of the other do, of the same and of the opposite sign."""
    v = p / 3 - p * p / 4
    costs = [float(cost_of_a_trace(p, same)) for same in (True, False)]
    first, second = ([2 * weight + own * q > other * v for q in costs] for own, other in ((1, ratio), (ratio, 1)))
    return [(first[0], first[1]), (second[0], second[1])]


class _Lone(NamedTuple):
    """One feature alone that attracts from one side: which of the rests, on which side, and where the other side leads."""

    rest: int
    swapped: bool
    attracts: int
    leads_to: int = -1

    def ray(self, p: float, sign: int) -> Array:
        """The direction (w_1, w_2, b_1, b_2) in which a trace of that sign dies out or grows, per size of the trace."""
        beta, gamma = trace(np.asarray(p), same_sign=sign > 0)
        ray = np.array([gamma / 2, sign, beta, -sign * p / 2])
        return ray[_SWAP] if self.swapped else ray

    def size(self, gap: Array, sign: int) -> Array:
        """The trace of that sign in displacements (k, 4)."""
        return sign * gap[:, 0 if self.swapped else 1]


@checked
def pair_ends(
    w: ArrayLike, rests: ArrayLike, density: float, ratio: float = 1.0, weight: float = 0.0, tol: float = 1e-8
) -> NDArray[np.int64]:
    """The row of ``rests`` that the flow from weights (k, 2) and biases of 0 ends in, up to sign; -1 where it ends in none.

    All starts are integrated at once, each with steps of its own and an error of at most ``tol`` in each.  A flow has ended
    within 0.03 of a minimum.  As near to one feature alone, where that attracts from one side, the direction decides: along the
    one in which traces die out it has ended, along that in which they grow it will end where this leads.
    """
    start = np.asarray(w, dtype=np.float64)
    known = np.asarray(rests, dtype=np.float64).reshape(-1, 4)
    setting = (np.asarray(density, dtype=np.float64), np.asarray(ratio, dtype=np.float64), np.asarray(weight, dtype=np.float64))
    lone = []
    for k, rest in enumerate(known):
        for swapped, (alone, sides) in enumerate(zip(_alone(density), _dies_out(density, ratio, weight), strict=True)):
            if (rest == alone).all() and not all(sides):
                one = _Lone(k, bool(swapped), 1 if sides[0] else -1)
                there = rest + _NEAR * one.ray(density, -one.attracts)
                lone.append(one._replace(leads_to=int(_followed(there[None], known, setting, tol, [one])[0])))
    return _followed(np.concatenate([start, np.zeros_like(start)], axis=1), known, setting, tol, lone)


def _followed(
    x: Array, rests: Array, setting: tuple[Array, Array, Array], tol: float, lone: Sequence[_Lone]
) -> NDArray[np.int64]:
    """Where the flow from each of (k, 4) ends."""

    def velocity(x: Array) -> Array:
        return -objective_of(x, p, ratio, weight, hessian=False)[1]

    p, ratio, weight = setting

    x, end, going = x.copy(), np.full(len(x), -1), np.arange(len(x))
    time, step, speed = np.zeros(len(x)), np.full(len(x), 0.01), velocity(x)
    for number in range(_MOST_STEPS):
        here, h = x[going], step[going, None]
        slopes = [speed[going]]
        for stage in _STAGES:
            there = here + h * sum(share * slope for share, slope in zip(stage, slopes, strict=True))
            slopes.append(velocity(there))
        error = np.abs(h * sum(share * slope for share, slope in zip(_ERROR, slopes, strict=True))).max(axis=1) / tol
        taken = going[error <= 1]
        x[taken], speed[taken] = there[error <= 1], slopes[-1][error <= 1]
        time[taken] += step[taken]
        step[going] *= np.clip(0.9 * np.maximum(error, 1e-10) ** -0.2, 0.2, 5)
        if number % _LOOK == 0:
            end[going] = _ended(x[going], rests, float(setting[0]), lone, tol)
            going = going[(end[going] < 0) & (time[going] < _LONGEST)]
            if not going.size:
                break
    return end


def _ended(x: Array, rests: Array, p: float, lone: Sequence[_Lone], tol: float) -> NDArray[np.int64]:
    """Which of the rests each of (k, 4) has come to or is sure to come to, or -1."""
    end = np.full(len(x), -1)
    for k, rest in enumerate(rests):
        gap = np.stack([x - rest, x * _MIRROR - rest])
        off = np.abs(gap).max(axis=-1)
        gap, off = np.where(off[0] < off[1], gap[0].T, gap[1].T).T, off.min(axis=0)
        near, one_sided = off < _NEAR, [one for one in lone if one.rest == k]
        if not one_sided:
            end[near] = k
        for one in one_sided:
            for sign, leads_to in ((one.attracts, k), (-one.attracts, one.leads_to)):
                size = one.size(gap, sign)
                apart = np.abs(gap - size[:, None] * one.ray(p, sign)).max(axis=1)
                end[near & (size > 0) & (apart < _ALONG * size)] = leads_to
            end[off < _NOISE * tol] = k
    return end


class Basins(NamedTuple):
    """Boundaries on circles: radius and angle of each (k,), to ``within``; the ends below and above it; and shares of angles.

    ``shares`` (radius, rest + 1) are of ``radii``, the last one of starts that end nowhere.
    """

    radius: Array
    angle: Array
    below: NDArray[np.int64]
    above: NDArray[np.int64]
    within: float
    radii: Array
    shares: Array


@checked
def pair_basins(
    density: float,
    ratio: float = 1.0,
    weight: float = 0.0,
    *,
    nodes: int = 8,
    fan: int = 64,
    rounds: int = 9,
    tol: float = 1e-8,
) -> tuple[Array, Basins]:
    """The rests, and where their basins meet in the plane of the initial weights.

    Args:
        density: p.
        ratio: importance of the second feature.
        weight: of the interference penalty.
        nodes: radii in each panel.
        fan: angles at which the end is looked up first; a basin that is narrower than their distance may be missed.
        rounds: of 5-section.
        tol: error of a step of the flow.
    """
    rests = pair_rests(density, ratio, weight)

    def ends(radius: Array, angle: Array) -> NDArray[np.int64]:
        starts = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return pair_ends(starts, rests, density, ratio, weight, tol)

    radii = radial_nodes(nodes)
    angles = np.pi * ((np.arange(fan + 1) + 0.37) / fan - 0.5)  # from the last to the first by the mirror image
    first = ends(np.repeat(radii, fan), np.tile(angles[:-1], len(radii))).reshape(len(radii), fan)
    first = np.concatenate([first, first[:, :1]], axis=1)
    row, column = np.nonzero(first[:, :-1] != first[:, 1:])
    low, high, below, above = angles[column], angles[column + 1], first[row, column], first[row, column + 1]
    inner = np.arange(1, _PARTS) / _PARTS
    for _ in range(rounds):
        between = low[:, None] + (high - low)[:, None] * inner
        found = ends(np.repeat(radii[row], _PARTS - 1), between.ravel()).reshape(between.shape)
        at = np.concatenate([low[:, None], between, high[:, None]], axis=1)
        each = np.concatenate([below[:, None], found, above[:, None]], axis=1)
        k, j = np.nonzero(each[:, :-1] != each[:, 1:])
        row, low, high, below, above = row[k], at[k, j], at[k, j + 1], each[k, j], each[k, j + 1]
    middle = (low + high) / 2
    shares = np.stack([_shares(middle[row == k], above[row == k], first[k, 0], len(rests)) for k in range(len(radii))])
    return rests, Basins(radii[row], middle, below, above, np.pi / fan / _PARTS**rounds / 2, radii, shares)


def _shares(angle: Array, above: NDArray[np.int64], everywhere: np.int64, count: int) -> Array:
    """How much of a half circle ends in each rest, the last in none."""
    share = np.zeros(count + 1)
    if not angle.size:
        share[everywhere] = 1
        return share
    order = np.argsort(angle)
    ends = np.append(angle[order][1:], angle[order][0] + np.pi)
    np.add.at(share, above[order], (ends - angle[order]) / np.pi)
    return share


def radial_nodes(nodes: int) -> Array:
    """Gauss's nodes in each panel of the radius."""
    x = (leggauss(nodes)[0] + 1) / 2
    return np.concatenate([low + (high - low) * x for low, high in pairwise(_PANELS)])


@checked
def end_probabilities(shares: ArrayLike, deviation: ArrayLike) -> tuple[Array, Array]:
    """The probability of every end (..., rest + 1) from shares (radius, rest + 1), by standard deviation (...).

    Beside it how much a polynomial of one degree less in each panel would change.  Radii above 3.6 are left out: that is 2e-8
    at a deviation of 0.6.
    """
    known, sigma = np.asarray(shares, dtype=np.float64), np.asarray(deviation, dtype=np.float64)
    nodes = len(known) // (len(_PANELS) - 1)
    fine, mass = leggauss(200)
    whole, less = np.zeros((2, *sigma.shape, known.shape[1]))
    x = leggauss(nodes)[0]
    for k, (low, high) in enumerate(pairwise(_PANELS)):
        radius = (low + (high - low) * (fine + 1) / 2) / sigma[..., None]
        dense = radius / sigma[..., None] * np.exp(-(radius**2) / 2) * mass * (high - low) / 2
        part = known[k * nodes : (k + 1) * nodes]
        whole += dense @ legval(fine, legfit(x, part, nodes - 1)).T
        less += dense @ legval(fine, legfit(x, part, nodes - 2)).T
    return whole, np.abs(whole - less)
