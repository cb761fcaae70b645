"""The exact loss of outputs that are smooth between kinks, by Gauss and Legendre's points in every pattern of active features.

    E (x_j - f(s_j))^2 = sum over patterns p sum over points w (x_j - f(s_j))^2,        s = b + g x

Along each feature the points lie in pieces between all kinks, seen from all corners of the features still to come.  Where f is
quadratic between kinks, such an expectation is a polynomial of low degree in each piece, so that few points are exact; where
it is analytic, pieces are as long as s moves by 2 at most.  Magnitudes of a density bring it as a factor.  Distributions are
taken apart by `tests.oracle.patterns`; nothing here knows what the engine does.

>>> import tegum as tg
>>> squares, _ = squared_errors(tg.features.Independent(1, 1.0), np.eye(1), np.zeros(1), tg.nets.ACTIVATIONS["square"])
>>> bool(abs(squares[0] - 1 / 30) < 1e-15)                                   # E (x - x^2)^2 = 1/3 - 2/4 + 1/5
True
>>> x, w = kinked_points(tg.features.Independent(1, 0.5), np.ones(1), np.array([0.3]))
>>> (w @ np.maximum(x[:, 0] - 0.3, 0) ** 2).round(12)                        # 0.5 * 0.7^3 / 3
np.float64(0.057166666667)
"""

import itertools
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

from tegum.features import Exponential, Features, FiniteLaw, Joined, Mixture, Uniform
from tegum.nets import Activation
from tests.oracle.own import Triangular
from tests.oracle.patterns import PatternOracle, patterns

_SMOOTH_NODES, _BEND = 14, 2.0
_LATEST, _STEPS = 48.0, np.array([1.0, 3.0, 7.0, 15.0, 30.0])

Array = NDArray[np.float64]


class Alike(NamedTuple):
    """Patterns in which as many features move: probabilities (P,), what is constant (P, n), who moves (P, k), and where."""

    weight: Array
    base: Array
    members: NDArray[np.int64]
    low: Array
    high: Array


class Pieces(NamedTuple):
    """A distribution's patterns; a magnitude's density over that of a uniform one, where to cut it, and how many points."""

    alike: tuple[Alike, ...]
    density: Callable[[Array], Array] | None
    edges: Array
    nodes: int


@lru_cache(maxsize=64)
def pieces_of(features: Features) -> Pieces:
    """Of uniform, constant, exponential and triangular magnitudes; beyond 48 means of exponential ones nothing is left."""
    law = None if isinstance(features, Mixture | Joined | FiniteLaw) else features.magnitude
    if isinstance(law, Exponential):
        most = _LATEST * law.mean
        plain, edges = features.replaced(magnitude=Uniform(0, most)), np.concatenate([-_STEPS, _STEPS]) * law.mean

        def density(x: Array) -> Array:
            return np.asarray(_LATEST * np.exp(-np.abs(x) / law.mean))

        return Pieces(_alike(plain), density, edges, 16)
    if isinstance(law, Triangular):
        return Pieces(_alike(features.replaced(magnitude=Uniform())), lambda x: 2 * np.abs(x), np.zeros(0), 6)
    return Pieces(_alike(features), None, np.zeros(0), 4)


def _alike(features: Features) -> tuple[Alike, ...]:
    found: dict[int, list[tuple[float, Array, Any]]] = {}
    for probability, on in patterns(features):
        base = np.zeros(features.n_features)
        moving = []
        for i, low, high in on:
            if low == high:
                base[i] = float(low)
            else:
                moving.append((i, float(low), float(high)))
        found.setdefault(len(moving), []).append((float(probability), base, moving))
    groups = []
    for k, some in found.items():
        lists = [np.array([[one[part] for one in moving] for _, _, moving in some]).reshape(len(some), k) for part in range(3)]
        groups.append(
            Alike(np.array([p for p, _, _ in some]), np.array([x for _, x, _ in some]), lists[0].astype(np.int64), *lists[1:])
        )
    return tuple(groups)


def cut(pieces: Pieces, j: int, low: float, high: float) -> Pieces:
    """The same where feature j lies between two numbers; the rest of the probability is left out."""
    left = []
    for one in pieces.alike:
        mine = one.members == j
        moves = mine.any(axis=1)
        a, e = np.where(mine, np.maximum(one.low, low), one.low), np.where(mine, np.minimum(one.high, high), one.high)
        there = np.where(moves, (a < e).all(axis=1), (one.base[:, j] > low) & (one.base[:, j] < high))
        share = np.prod((e - a) / (one.high - one.low), axis=1)
        left.append(Alike(*(part[there] for part in (one.weight * share, one.base, one.members, a, e))))
    return pieces._replace(alike=tuple(one for one in left if len(one.weight)))


def kinked_points(
    features: Features | Pieces, g: Array, kinks: Array, bend: float = np.inf, surface: bool = False
) -> tuple[Array, Array]:
    """Points (T, n) and weights (T,) that are exact for x times functions of g x that are quadratic but at the kinks.

    With a ``bend`` for functions that are analytic between kinks: g x moves by no more in a piece.  On the ``surface`` where
    g x is one of the kinks the points are those of E f(x) delta(g x - kink).
    """
    pieces = features if isinstance(features, Pieces) else pieces_of(features)
    found = [_points_of(one, pieces, g, kinks, bend, surface) for one in pieces.alike if not surface or one.members.shape[1]]
    nothing = [(np.zeros((0, len(g))), np.zeros(0))]
    return np.concatenate([x for x, _ in found or nothing]), np.concatenate([w for _, w in found or nothing])


def _points_of(one: Alike, pieces: Pieces, g: Array, kinks: Array, bend: float, surface: bool) -> tuple[Array, Array]:
    """The points of patterns in which as many features move, the one that moves g x most last."""
    order = np.argsort(np.abs(g[one.members]), axis=1)
    members, low, high = (np.take_along_axis(part, order, axis=1) for part in (one.members, one.low, one.high))
    x, weight, of = one.base, one.weight, np.arange(len(one.weight))
    k = members.shape[1]
    nodes, shares = np.polynomial.legendre.leggauss(max(pieces.nodes, _SMOOTH_NODES if bend < np.inf else 0))
    nodes, shares = (nodes + 1) / 2, shares / 2
    for level in range(k - surface):
        i, a, e = members[of, level], low[of, level], high[of, level]
        ends = np.array(list(itertools.product((0.0, 1.0), repeat=k - level - 1)))
        start, reach = (g[members[of, level + 1 :]] * one_end[of, level + 1 :] for one_end in (low, high))
        corners = start @ (1 - ends.T) + reach @ ends.T
        edges = _edges(pieces, kinks[:, None] - ((x @ g)[:, None] + corners)[:, None, :], g[i], a, e, bend)
        width = np.diff(edges, axis=1)
        row, piece = np.nonzero(width > 0)
        span, count = width[row, piece][:, None], len(nodes)
        at = edges[row, piece][:, None] + span * nodes
        w = weight[row, None] * span / (e - a)[row, None] * shares * (pieces.density(at) if pieces.density else 1.0)
        x, of, weight = np.repeat(x[row], count, axis=0), np.repeat(of[row], count), w.ravel()
        x[np.arange(len(x)), np.repeat(i[row], count)] = at.ravel()
    return _on_surface(pieces, x, weight, members[of, -1], low[of, -1], high[of, -1], g, kinks) if surface else (x, weight)


def _edges(pieces: Pieces, left: Array, g: Array, a: Array, e: Array, bend: float) -> Array:
    """Where pieces between a and e (T,) end, sorted: ``left`` (T, kinks, corners) is what a kink is away from a corner."""
    with np.errstate(all="ignore"):
        crossing = left.reshape(len(a), -1) / g[:, None]
    crossing = np.where(np.isfinite(crossing), crossing, a[:, None])
    count = max(int(np.ceil(np.max(np.abs(g) * (e - a) / bend, initial=1))), 1)
    even = a[:, None] + (e - a)[:, None] * np.arange(count + 1) / count
    fixed = np.broadcast_to(pieces.edges, (len(a), len(pieces.edges)))
    return np.sort(np.clip(np.concatenate([crossing, even, fixed], axis=1), a[:, None], e[:, None]), axis=1)


def _on_surface(
    pieces: Pieces, x: Array, weight: Array, i: NDArray[np.int64], a: Array, e: Array, g: Array, kinks: Array
) -> tuple[Array, Array]:
    """The last feature is what the others leave of a kink."""
    xs, ws = [], []
    for kink in kinks:
        with np.errstate(all="ignore"):
            at = (kink - x @ g) / g[i]
        there = (at > a) & (at < e)
        inside = x[there].copy()
        inside[np.arange(len(inside)), i[there]] = at[there]
        xs.append(inside)
        dense = pieces.density(at[there]) if pieces.density else 1.0
        ws.append(weight[there] * dense / (np.abs(g[i[there]]) * (e - a)[there]))
    return np.concatenate(xs), np.concatenate(ws)


def squared_errors(features: Features, G: Array, b: Array, output: Activation) -> tuple[Array, Array]:
    """E (x_j - f(s_j))^2 of each smooth output (n,), and its derivatives by its row of G and, last, by its bias (n, n + 1)."""
    squares, slopes = np.zeros(len(b)), np.zeros((len(b), len(b) + 1))
    for j, g in enumerate(G):
        x, w = kinked_points(features, g, np.zeros(0), _BEND)
        s = x @ g + b[j]
        wrong = output(s) - x[:, j]
        squares[j] = w @ wrong**2
        slopes[j] = (2 * w * wrong * output.slopes(s)) @ np.column_stack([x, np.ones(len(x))])
    return squares, slopes


class AbsoluteOracle(PatternOracle):
    """The same for outputs |s|, of which r(s) and r(-s) are two halves, in 150 digits."""

    def row(self, j: int, b: object, g: list[object]) -> object:
        """E (x_j - |b + g x|)^2."""
        step = mp.mpf(10) ** -35
        up, down = list(g), list(g)
        up[j], down[j] = up[j] + step, down[j] - step  # type: ignore[operator]
        return self.second(j) + self._both(b, g, 1) - (self._both(b, up, -1) - self._both(b, down, -1)) / (2 * step)

    def _both(self, b: object, g: list[object], sign: int) -> object:
        """E r(s)^2 plus, or less, E r(-s)^2; of both together the derivative by g_j is 2 E x_j s, of the other 2 E x_j |s|."""
        return self.moment(b, g) + sign * self.moment(-b, [-one for one in g])  # type: ignore[operator]
