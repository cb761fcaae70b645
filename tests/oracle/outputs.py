"""The exact loss of any smooth output, by Gauss and Legendre's points in every pattern of active features.

    E (x_j - f(s_j))^2 = sum over patterns p sum over points w (x_j - f(s_j))^2          28 points for each active feature

which is exact to rounding where f is analytic and s moves by a few units, for two or three features.  Functions that are
quadratic between kinks are exact with pieces between them (`kinked_points`).  A distribution is taken apart by
`tests.oracle.patterns`.

>>> from tegum.features import Independent
>>> from tegum.nets import ACTIVATIONS
>>> points = Points(Independent(1, 1.0))
>>> squares, _, _ = points.squared_errors(np.eye(1), np.zeros(1), ACTIVATIONS["square"])     # E (x - x^2)^2 = 1/3 - 2/4 + 1/5
>>> bool(abs(squares[0] - 1 / 30) < 1e-15)
True
"""

import itertools

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

from tegum.features import Features
from tegum.nets import Activation
from tests.oracle.patterns import PatternOracle, patterns

_NODES, _FEW_NODES = 28, 4

Array = NDArray[np.float64]


class Points:
    """A distribution as points (T, n) with weights (T,)."""

    def __init__(self, features: Features) -> None:
        t, w = np.polynomial.legendre.leggauss(_NODES)
        xs, ws = [], []
        for probability, on in patterns(features):
            axes = [
                (i, *((np.array([float(low)]), np.ones(1)) if low == high else _on(low, high, t, w))) for i, low, high in on
            ]
            grid = np.array(list(itertools.product(*(u for _, u, _ in axes)))).reshape(-1 if axes else 1, len(axes))
            weight = np.array([float(probability)])
            for _, _, v in axes:
                weight = np.outer(weight, v).ravel()
            x = np.zeros((len(grid), features.n_features))
            x[:, [i for i, _, _ in axes]] = grid
            xs.append(x)
            ws.append(weight)
        self.x, self.w = np.concatenate(xs), np.concatenate(ws)

    def squared_errors(self, G: Array, b: Array, output: Activation) -> tuple[Array, Array, Array]:
        """E (x_j - f(s_j))^2 of each output (n,), and its derivatives by its row of G (n, n) and by b (n,)."""
        s = self.x @ G.T + b
        wrong = output(s) - self.x
        pull = 2 * self.w[:, None] * wrong * output.slopes(s)
        return self.w @ wrong**2, pull.T @ self.x, pull.sum(axis=0)


def _on(low: object, high: object, t: Array, w: Array) -> tuple[Array, Array]:
    a, e = float(low), float(high)  # type: ignore[arg-type]
    return a + (e - a) * (t + 1) / 2, w / 2


def kinked_points(features: Features, g: Array, kinks: Array) -> tuple[Array, Array]:
    """Points (T, n) and weights (T,) that are exact for x times functions of g x that are quadratic but at the kinks.

    Between all kinks seen from all corners of the features still to come, an expectation is a polynomial of low degree.
    """
    t, w = np.polynomial.legendre.leggauss(_FEW_NODES)
    xs, ws = [], []

    def along(x: Array, weight: float, left: list[tuple[int, float, float]]) -> None:
        if not left:
            xs.append(x)
            ws.append(weight)
            return
        (i, low, high), *rest = left
        if low == high:
            along(np.where(np.arange(len(g)) == i, low, x), weight, rest)
            return
        corners = np.array(
            [
                sum(g[k] * end for (k, _, _), end in zip(rest, ends, strict=True))
                for ends in itertools.product(*((a, e) for _, a, e in rest))
            ]
        )
        with np.errstate(all="ignore"):
            at = np.ravel((kinks[:, None] - g @ x - corners) / g[i])
        edges = np.unique(np.concatenate([[low, high], at[(at > low) & (at < high)]]))
        for a, e in itertools.pairwise(edges):
            for node, share in zip(a + (e - a) * (t + 1) / 2, w / 2, strict=True):
                along(np.where(np.arange(len(g)) == i, node, x), weight * share * (e - a) / (high - low), rest)

    for probability, on in patterns(features):
        along(np.zeros(len(g)), float(probability), [(i, float(low), float(high)) for i, low, high in on])
    return np.array(xs), np.array(ws)


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
