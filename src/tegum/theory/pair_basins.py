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

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, real_numbers, require_range
from tegum.errors import InvalidInputError, Problems
from tegum.theory.pair_flow import NEAR, flowed
from tegum.theory.radial_mean import PANELS, radial_mean
from tegum.theory.stored_pair import cost_of_a_trace, descended_pair, stored_pair, trace

Array = NDArray[np.float64]

_MIRROR = np.array([-1.0, -1.0, 1.0, 1.0])
_STARTS, _SAME, _STABLE = 40, 1e-4, 1e-9
_SWAP = [1, 0, 3, 2]
_PARTS = 5
_FINER, _FINEST, _QUANTILES = 100, 1e-13, 1024
_LARGEST = 1e6


@checked
def pair_rests(density: float, ratio: float = 1.0, weight: float = 0.0) -> Array:
    """Where flows end, rows (w_1, w_2, b_1, b_2) with the larger weight positive: minima, and what attracts from one side.

    One feature alone, (1, 0, 0, p/2), has a kink in its curvature at w_2 = 0: a trace of the second may grow with the opposite
    sign and die out with the same (`tegum.theory.stored_pair`).  It is a minimum only where both die out; where one does, it
    still is the end of a set of starts that has a volume.

    Raises:
        InvalidInputError: for a density out of (0, 1], a ratio that is not above 0, or a weight below 0.
    """
    _require_setting(density, ratio, weight)
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


def _require_setting(density: float, ratio: float, weight: float) -> None:
    """Raises an `InvalidInputError` for a problem of two features that there is not."""
    with Problems() as problems:
        for name, value, low, high in (
            ("density", density, 1e-12, 1),
            ("ratio", ratio, 1e-12, 1e12),
            ("weight", weight, 0, 1e12),
        ):
            with problems.collecting():
                require_range(name, value, low, high)


def _rows(name: str, values: ArrayLike, length: int, what: str) -> Array:
    """Finite numbers (k, length): compiled code does not look whether a row has them."""
    found = np.asarray(real_numbers(name, values), dtype=np.float64)
    if found.ndim != 2 or found.shape[1] != length:
        raise InvalidInputError(f"{name} has shape {found.shape}", f"give rows of {what}, shape (k, {length})")
    require_range(name, found, -_LARGEST, _LARGEST)
    return found


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

    Raises:
        InvalidInputError: for weights or rests of another shape, or that are not finite, and as `pair_rests`.
    """
    with Problems() as problems:
        with problems.collecting():
            _require_setting(density, ratio, weight)
        with problems.collecting():
            start = _rows("w", w, 2, "two initial weights")
        with problems.collecting():
            known = _rows("rests", rests, 4, "w_1, w_2, b_1, b_2, as pair_rests gives them")
        problems.check_fraction("tol", tol)
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

    ``rests`` (rest, 4) as in `pair_rests`.  Boundaries on circles: ``radius`` and ``angle`` of each (k,), the ends ``below``
    and ``above`` it; ``within`` (k,), in rad, is how far from the angle flows of a hundredth of the step's error still end so.
    ``shares`` (circle, rest + 1) are of the angles of each circle of ``radii``, the last one of starts that end nowhere.
    ``probability`` (..., rest + 1) by deviation, and its ``error``: of the panels of the radius, of the boundaries and of the
    radii that are left out.
    """

    rests: Array
    radius: Array
    angle: Array
    below: NDArray[np.int64]
    above: NDArray[np.int64]
    within: Array
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
    tol: float = 1e-10,
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
        tol: error of a step of the flow, which grows on the way past a saddle: boundaries are off by 10 to 1000 times as much.

    Raises:
        InvalidInputError: for a deviation at which more than ``error`` of the starts have radii that are left out, for fewer
            than 2 nodes, and as `pair_rests`.
    """
    left_out = _left_out(deviation, error, nodes, fan, rounds)
    rests = pair_rests(density, ratio, weight)

    def ends(radius: Array, angle: Array, tol: float = tol) -> NDArray[np.int64]:
        starts = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return pair_ends(starts, rests, density, ratio, weight, tol)

    def finer(radius: Array, angle: Array) -> NDArray[np.int64]:
        return ends(radius, angle, max(tol / _FINER, _FINEST))

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
    within = _located(finer, radius, angle, (below, above), np.pi / fan / _PARTS**rounds / 2, rounds)
    order = np.argsort(radii)
    doubt = _mean_of_doubt(radii[order], radius, within, np.asarray(deviation, dtype=np.float64))
    whole = probability, off + (doubt + left_out)[..., None]
    ordered = radii[order], known[order]
    return Basins(rests, radius, angle, below.astype(np.int64), above.astype(np.int64), within, *ordered, *whole)


def _left_out(deviation: ArrayLike, error: float, nodes: int, fan: int, rounds: int) -> Array:
    """Which share of Gaussian weights has radii that are left out, by deviation; an `InvalidInputError` above the error."""
    with Problems() as problems:
        problems.check_fraction("error", error)
        for name, value, least in (("nodes", nodes, 2), ("fan", fan, 2), ("rounds", rounds, 0)):
            problems.check_least(name, value, least)
        with problems.collecting():
            require_range("deviation", deviation, 1e-9, 1e9)
    sigma = np.asarray(deviation, dtype=np.float64)
    outer, inner = np.exp(-((PANELS[-1] / sigma) ** 2) / 2), -np.expm1(-((PANELS[0] / sigma) ** 2) / 2)
    left_out = np.asarray(outer + inner)
    if left_out.max(initial=0) > error:
        worst = left_out.argmax()
        raise InvalidInputError(
            f"deviation is {sigma.flat[worst]:g}, where a share of {left_out.flat[worst]:.2g} of all weights has radii out of "
            f"{PANELS[0]:g} to {PANELS[-1]:g}",
            "choose from 0.1 to 0.6, or a larger error",
        )
    return left_out


def _located(
    finer: Callable[[Array, Array], NDArray[np.int64]],
    radius: Array,
    angle: Array,
    sides: tuple[Array, Array],
    narrowest: float,
    rounds: int,
) -> Array:
    """How far from each angle finer flows end as is said of its sides: half a section, or that times a power of 5.

    What lies beyond the next boundary of the circle says nothing: a basin may be narrower than the error where it begins.
    """
    within, open_, gaps = np.full(len(angle), narrowest), np.arange(len(angle)), _gaps(radius, angle)
    for _ in range(rounds + 1):
        as_said = np.ones(len(open_), dtype=bool)
        for sign, side, gap in zip((-1, 1), sides, gaps, strict=True):
            found = finer(radius[open_], angle[open_] + sign * within[open_])
            as_said &= (found == side[open_]) | (within[open_] >= gap[open_])
        open_ = open_[~as_said]
        if not open_.size:
            break
        within[open_] *= _PARTS
    return within


def _gaps(radius: Array, angle: Array) -> tuple[Array, Array]:
    """How far the boundaries before and after each one on its circle are, mirror images among them."""
    before, after = np.empty(len(angle)), np.empty(len(angle))
    for one in np.unique(radius):
        own = np.flatnonzero(radius == one)
        own = own[np.argsort(angle[own])]
        after[own] = np.diff(angle[own], append=angle[own[0]] + np.pi)
        before[own] = np.roll(after[own], 1)
    return before, after


def _mean_of_doubt(radii: Array, radius: Array, within: Array, sigma: Array) -> Array:
    """By how much shares may be off because of boundaries, the mean over radii of Gaussian weights; radii ascend."""
    doubt = np.zeros(len(radii))
    np.add.at(doubt, np.searchsorted(radii, radius), within / np.pi)
    middle = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return np.asarray(np.interp(sigma[..., None] * np.sqrt(-2 * np.log1p(-middle)), radii, doubt).mean(axis=-1))


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
