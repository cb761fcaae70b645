"""What experiments on posteriors share: regular polygons of features of which exactly one is active."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import tegum as tg
from tegum.features import Features
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
