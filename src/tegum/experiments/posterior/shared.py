"""What experiments on posteriors share: regular polygons of features of which exactly one is active, and singular points."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import tegum as tg
from tegum.features import Features, Independent
from tegum.geometry import polygon
from tegum.nets import Net

RADIUS, BIAS = 1.2, -0.3
"""Where the descent to a polygon begins."""


class Point(NamedTuple):
    """A model of a net on features."""

    net: Net
    features: Features
    W: NDArray[np.float64]
    b: NDArray[np.float64]

    @property
    def loss(self) -> float:
        """Its exact loss."""
        return float(tg.exact.loss(self.W, self.b, self.features, net=self.net, tol=1e-13))


def world(n: int) -> tuple[Net, Features]:
    """N features in two dimensions, of which exactly one is active, uniform on [0, 1]."""
    return tg.nets.ReluOutput(n, 2), tg.features.AnticorrelatedSets(1, n, density=1 / n)


def start_of_ring(k: int, n: int) -> dict[str, NDArray[np.float64]]:
    """Where the descent to a regular k-gon begins: n - k features are dropped, with a bias of 1 / (2 n), their half mean."""
    W = np.pad(RADIUS * polygon(k), ((0, 0), (0, n - k)))
    return {"W": W, "b": np.where(np.arange(n) < k, BIAS, 0.5 / n)}


def ring(k: int, n: int | None = None) -> Point:
    """The minimum near a regular k-gon among n features, by default k."""
    n = n or k
    net, features = world(n)
    found = tg.exact.minimise(net, features, seeds=1, initial=start_of_ring(k, n), progress=False).isel(seed=0)
    return Point(net, features, found["W"].values, found["b"].values)


def dead(point: Point, bias: float = BIAS) -> Point:
    """The same with the last feature's bias below 0: its output never fires."""
    return point._replace(b=np.append(point.b[:-1], bias))


def four_gon() -> Point:
    """Four features at right angles, which cost nothing."""
    return Point(*world(4), np.array([[1.0, 0, -1, 0], [0, 1, 0, -1]]), np.zeros(4))


def crossing(density: float) -> Point:
    """Two features in one dimension, the second so important that its dropped minimum is about to store it.

    At W = (1, -t), small t > 0, with a bias of beta t on the first output, the loss changes by t^2 (F(beta) - I v) + O(t^3),

        F = p (v + (beta - p / 2)^2 / 4) + (1 - p) ((1 - p) beta^2 + p beta^3 / 3),     v = Var x = p / 3 - p^2 / 4

    F: of the first output, W_1 already the best; it vanishes for x_1 = 0 unless beta > x_2.  I v: of the second, its bias
    already the best.  At I = min F / v what is left is of third order; for t < 0 the loss rises like t^2.
    """
    p = density
    bent = p / 2 + 2 * (1 - p) ** 2
    beta = (np.sqrt(bent**2 + p**3 * (1 - p)) - bent) / (2 * p * (1 - p))  # F' = 0 is quadratic in beta
    v = p / 3 - p**2 / 4
    F = p * (v + (beta - p / 2) ** 2 / 4) + (1 - p) * ((1 - p) * beta**2 + p * beta**3 / 3)
    features = Independent(2, density=p, importance=[1, F / v])
    return Point(tg.nets.ReluOutput(2, 1), features, np.array([[1.0, 0.0]]), np.array([0.0, p / 2]))
