"""Where the gradient flow of two features in one dimension ends, from biases of 0: basins with located boundaries.

    d(w_1, w_2, b_1, b_2) / dt = - gradient of the objective of `tegum.theory.stored_pair`,     b = 0 at the start

The flow is the same for (-w_1, -w_2).  On the circle |w| = r the end is a function of the angle; it changes where the start is
on the stable manifold of a saddle.  Changes that a fan of angles shows are brought together by 5-section.  Gaussian weights,
w ~ N(0, sigma^2), have every angle alike and a radius of density (r / sigma^2) exp(-r^2 / 2 sigma^2), so that

    P(end) = integral of that density times the share of angles that end there

by panels of the radius that are halved where the share is not a polynomial in it: a basin begins at some radius, like a root,
and boundaries have corners where curvatures jump.  One set of boundaries serves every sigma.

Where w_i = 0 and b_i = 0 the objective has a kink in b_i, and the flow may leave it or stay: its solutions are not unique.  It
starts there with probability 0; elsewhere the gradient is continuous and piecewise smooth, and the solution is unique.

>>> rests = pair_rests(0.3, 0.5)                                      # the first feature alone, and a pair
>>> rests[:, :2].round(3)
array([[ 1.   ,  0.   ],
       [ 1.029, -0.967]])
>>> pair_ends([[0.5, -0.4], [0.5, 0.4]], rests, 0.3, 0.5).tolist()
[1, 0]

Source: derived here; the question is O50 of Levine, "Mathematics for AI Safety" (2026).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import legfit, leggauss, legval
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked
from tegum.theory.pair_flow import NEAR, flowed
from tegum.theory.stored_pair import cost_of_a_trace, descended_pair, stored_pair, trace

Array = NDArray[np.float64]

_MIRROR = np.array([-1.0, -1.0, 1.0, 1.0])
_STARTS, _SAME, _STABLE = 40, 1e-4, 1e-9
_SWAP = [1, 0, 3, 2]
_PARTS = 5
_PANELS, _FINE, _NARROWEST = (1e-5, 0.06, 0.3, 1.2, 3.6), 60, 1e-6


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
    setting = (density, ratio, weight)
    lone = []
    for k, rest in enumerate(known):
        for swapped, (alone, sides) in enumerate(zip(_alone(density), _dies_out(density, ratio, weight), strict=True)):
            if (rest == alone).all() and not all(sides):
                sign = 1 if sides[0] else -1
                dies_out, grows = (_ray(density, one, bool(swapped)) for one in (sign, -sign))
                row = [k, 0 if swapped else 1, sign, -1, *dies_out, *grows]
                row[3] = flowed((rest + NEAR * grows)[None], known, np.array([row]), setting, tol)[0]
                lone.append(row)
    x = np.concatenate([start, np.zeros_like(start)], axis=1)
    return flowed(x, known, np.array(lone).reshape(-1, 12), setting, tol)


def _ray(p: float, sign: int, swapped: bool) -> Array:
    """The direction (w_1, w_2, b_1, b_2) in which a trace of that sign dies out or grows, per size of the trace."""
    beta, gamma = trace(np.asarray(p), same_sign=sign > 0)
    ray = np.array([gamma / 2, sign, beta, -sign * p / 2])
    return ray[_SWAP] if swapped else ray


class Basins(NamedTuple):
    """Where the flow ends, on circles of initial weights, and how probable that is.

    ``rests`` (rest, 4) as in `pair_rests`.  Boundaries on circles: ``radius`` and ``angle`` of each (k,), to ``within``, and
    the ends ``below`` and ``above`` it.  ``shares`` (circle, rest + 1) are of the angles of each circle of ``radii``, the last
    one of starts that end nowhere.  ``probability`` (..., rest + 1) by deviation, and its ``error``.
    """

    rests: Array
    radius: Array
    angle: Array
    below: NDArray[np.int64]
    above: NDArray[np.int64]
    within: float
    radii: Array
    shares: Array
    probability: Array
    error: Array


@checked
def pair_basins(
    density: float,
    ratio: float = 1.0,
    weight: float = 0.0,
    deviation: ArrayLike = 0.3,
    *,
    error: float = 1e-6,
    nodes: int = 5,
    fan: int = 64,
    rounds: int = 9,
    tol: float = 1e-8,
) -> Basins:
    """Where the basins of the rests meet in the plane of the initial weights, and the probability of each.

    Args:
        density: p.
        ratio: importance of the second feature.
        weight: of the interference penalty.
        deviation: of the Gaussian initial weights, (...).
        error: of the probabilities; panels of the radius are halved until it is reached.
        nodes: radii in a panel, its ends among them.
        fan: angles at which the end is looked up first; a basin that is narrower than their distance may be missed.
        rounds: of 5-section.
        tol: error of a step of the flow.
    """
    rests = pair_rests(density, ratio, weight)

    def ends(radius: Array, angle: Array) -> NDArray[np.int64]:
        starts = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return pair_ends(starts, rests, density, ratio, weight, tol)

    edges: list[Array] = []
    circles: list[tuple[Array, Array]] = []

    def shares(radii: Array) -> Array:
        row, angle, below, above, first = _boundaries(ends, radii, fan, rounds)
        edges.append(np.stack([radii[row], angle, below, above]))
        found = np.stack([_shares(angle[row == k], above[row == k], first[k], len(rests)) for k in range(len(radii))])
        circles.append((radii, found))
        return found

    probability, off = radial_mean(shares, deviation, error, nodes)
    radius, angle, below, above = np.concatenate(edges, axis=1)
    radii, known = (np.concatenate(each) for each in zip(*circles, strict=True))
    within = np.pi / fan / _PARTS**rounds / 2
    order, most = np.argsort(radii), np.unique(radius, return_counts=True)[1].max(initial=0)
    whole = probability, off + most * within / np.pi
    ordered = radii[order], known[order]
    return Basins(rests, radius, angle, below.astype(np.int64), above.astype(np.int64), within, *ordered, *whole)


def _boundaries(
    ends: Callable[[Array, Array], NDArray[np.int64]], radii: Array, fan: int, rounds: int
) -> tuple[NDArray[np.int64], Array, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of each boundary its circle, its angle and the ends below and above; and the end at the first angle of each circle."""
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
    return row, (low + high) / 2, below, above, first[:, 0]


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


class _Leaf(NamedTuple):
    """A panel of the radius: its ends, means over it and over its halves (..., k), and the values (nodes, k) of the halves."""

    low: float
    high: float
    whole: Array
    halves: tuple[Array, Array]
    values: tuple[Array, Array]

    @property
    def change(self) -> Array:
        """By how much the halves differ from the whole."""
        return np.abs(self.halves[0] + self.halves[1] - self.whole)


@checked
def radial_mean(
    values: Callable[[Array], Array], deviation: ArrayLike, error: float = 1e-6, nodes: int = 5
) -> tuple[Array, Array]:
    """The mean (..., k) of functions of |w|, w Gaussian in the plane with a deviation (...), and an estimate of its error.

    In each panel the functions are taken for the polynomial through their values at Chebyshev's points, and the density is
    integrated with it.  The ends are among the points: what begins next to an end would not be seen without.  The panels with
    the largest change by halving are halved until twice the sum of all changes is at most ``error``, or the panels are too
    narrow: the functions may have kinks, roots and jumps, as shares of angles have where a basin begins.  Radii below 1e-5 and
    above 3.6 are left out: that is 5e-9 at a deviation of 0.1 and 2e-8 at one of 0.6.

    Args:
        values: of radii (r,) the functions (r, k).
        deviation: sigma, (...).
        error: asked for.
        nodes: radii in a panel, its ends among them.
    """
    sigma = np.asarray(deviation, dtype=np.float64)
    x, (fine, mass) = -np.cos(np.pi * np.arange(nodes) / (nodes - 1)), leggauss(_FINE)
    known: dict[float, Array] = {}
    through = np.stack([legval(fine, legfit(x, one, nodes - 1)) for one in np.eye(nodes)], axis=-1)

    def mean(low: float, high: float, at: Array) -> Array:
        radius = (low + (high - low) * (fine + 1) / 2) / sigma[..., None]
        dense = radius / sigma[..., None] * np.exp(-(radius**2) / 2) * mass * (high - low) / 2
        return np.asarray(dense @ through @ at)

    def looked_up(panels: Sequence[tuple[float, float]]) -> list[Array]:
        radii = np.array([(low * (1 - x) + high * (1 + x)) / 2 for low, high in panels])  # neighbours agree in their ends
        new = np.array([radius for radius in np.unique(radii) if radius not in known])
        if new.size:
            known.update(zip(new.tolist(), values(new), strict=True))
        return [np.stack([known[radius] for radius in row]) for row in radii.tolist()]

    def leaves(panels: Sequence[tuple[float, float]], whole: Sequence[Array]) -> list[_Leaf]:
        parts = [part for low, high in panels for part in ((low, (low + high) / 2), ((low + high) / 2, high))]
        found = looked_up(parts)
        means = [mean(*part, at) for part, at in zip(parts, found, strict=True)]
        return [
            _Leaf(*panel, mean(*panel, at), (means[2 * k], means[2 * k + 1]), (found[2 * k], found[2 * k + 1]))
            for k, (panel, at) in enumerate(zip(panels, whole, strict=True))
        ]

    first = list(pairwise(_PANELS))
    tree = leaves(first, looked_up(first))
    while True:
        changes = np.array([leaf.change for leaf in tree])
        off = 2 * changes.sum(axis=0)
        each = changes.reshape(len(tree), -1).max(axis=1)
        split = (each > error / 4 / len(tree)) & [leaf.high - leaf.low > _NARROWEST for leaf in tree]
        if off.max() <= error or not split.any():
            return np.sum([leaf.halves[0] + leaf.halves[1] for leaf in tree], axis=0), off
        coarse = [leaf for leaf, parts in zip(tree, split, strict=True) if parts]
        tree = [leaf for leaf, parts in zip(tree, split, strict=True) if not parts]
        middles = [(leaf.low + leaf.high) / 2 for leaf in coarse]
        parts = [part for leaf, c in zip(coarse, middles, strict=True) for part in ((leaf.low, c), (c, leaf.high))]
        tree += leaves(parts, [at for leaf in coarse for at in leaf.values])
