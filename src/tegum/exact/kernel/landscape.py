"""A loss as a function of flat parameters: what descends, differentiates and flows in compiled code.

    loss = loss_at(landscape, x, gradient)          x: W row by row, then b, shape (m n + n,)

Its number of terms is fixed, so that loss and gradient belong to one smooth function.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled
from tegum.exact.kernel.model import Point, Settings, enter_distribution, model_loss
from tegum.exact.kernel.records import Distribution, Work


class Landscape(NamedTuple):
    """The loss of one net on one distribution, in memory of its own.

    ``linear`` is 1 for a net without ReLU, ``biased`` 0 for one whose bias stays 0; ``terms`` is how many a row gets.
    """

    distribution: Distribution
    work: Work
    point: Point
    linear: int
    biased: int
    terms: int


class Starts(NamedTuple):
    """A batch of points: flat parameters, the distribution of each, and what a descent from it finds."""

    x: NDArray[np.float64]
    distribution_of: NDArray[np.int64]
    weight: NDArray[np.float64]
    importance: NDArray[np.float64]
    loss: NDArray[np.float64]
    norm: NDArray[np.float64]
    steps: NDArray[np.int64]
    evaluations: NDArray[np.int64]
    status: NDArray[np.int64]


@compiled
def enter(landscape: Landscape, starts: Starts, k: int, x: Any) -> None:
    """The landscape becomes that of start ``k``, and ``x`` its parameters."""
    enter_distribution(landscape.distribution, landscape.point, starts.weight, starts.importance, starts.distribution_of[k])
    for i in range(x.size):
        x[i] = starts.x[k, i]


@compiled
def loss_at(landscape: Landscape, x: Any, gradient: Any) -> float:
    """The loss at x, and its gradient in place; by b it is 0 unless the net is biased."""
    point = landscape.point
    m, n = point.W.shape
    at = 0
    for k in range(m):
        for i in range(n):
            point.W[k, i] = x[at]
            at += 1
    for i in range(n):
        point.b[i] = x[at + i]
    settings = Settings(1, landscape.linear, 1, landscape.terms, landscape.terms, 0.0)
    loss = model_loss(landscape.distribution, landscape.work, point, settings).loss
    at = 0
    for k in range(m):
        for i in range(n):
            gradient[at] = point.dW[k, i]
            at += 1
    for i in range(n):
        gradient[at + i] = point.db[i] if landscape.biased else 0.0
    return loss
