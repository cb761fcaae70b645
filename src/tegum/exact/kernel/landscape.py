"""An objective as a function of flat parameters: what descends, differentiates and flows in compiled code.

    objective = loss_at(landscape, x, gradient)          x: W row by row, then b, shape (m n + n,)

    L + interference sum_{i != j} G_ij^2 + l2 sum_ki W_ki^2,     G = W^T W,     d/dW_k = 4 interference G_off W_k + 2 l2 W_k

The number of terms of L is fixed, so that value and gradient belong to one smooth function.  Where a parameter is held (the
bias of a net that has none, a weight outside a given support) its derivative is 0, and a descent leaves it where it begins.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import apart_from_callers, compiled, inlined
from tegum.exact.kernel.model import Point, Settings, enter_distribution, model_loss
from tegum.exact.kernel.records import Distribution, Work


class Landscape(NamedTuple):
    """The objective of one net on one distribution, in memory of its own.

    ``linear`` is 1 for a net without ReLU; ``free`` (d,) is 1 for parameters that may move and 0 for those that are held;
    ``terms`` is how many a row gets; ``interference`` and ``l2`` are the weights of the penalties.
    """

    distribution: Distribution
    work: Work
    point: Point
    linear: int
    free: NDArray[np.float64]
    terms: int
    interference: float
    l2: float


class Starts(NamedTuple):
    """A batch of points: flat parameters, which are free, the distribution of each, and what a descent from it finds."""

    x: NDArray[np.float64]
    free: NDArray[np.float64]
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
        landscape.free[i] = starts.free[k, i]


@inlined
def _add_penalties(point: Point, interference: float, l2: float) -> float:
    """The penalties at the point; their derivatives are added to ``dW``, row i of the couplings lying in ``squared_error``."""
    m, n = point.W.shape
    total = 0.0
    for i in range(n):
        row = point.squared_error
        for j in range(n):
            row[j] = 0.0
        for k in range(m):
            for j in range(n):
                row[j] += point.W[k, i] * point.W[k, j]
        row[i] = 0.0
        for j in range(n):
            total += interference * row[j] * row[j]
        for k in range(m):
            pull = 0.0
            for j in range(n):
                pull += row[j] * point.W[k, j]
            total += l2 * point.W[k, i] * point.W[k, i]
            point.dW[k, i] += 4 * interference * pull + 2 * l2 * point.W[k, i]
    return total


@apart_from_callers
@compiled
def loss_at(landscape: Landscape, x: Any, gradient: Any) -> float:
    """The objective at x, and its gradient in place; by parameters that are held it is 0."""
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
    if landscape.interference != 0 or landscape.l2 != 0:
        loss += _add_penalties(point, landscape.interference, landscape.l2)
    at = 0
    for k in range(m):
        for i in range(n):
            gradient[at] = point.dW[k, i] if landscape.free[at] else 0.0
            at += 1
    for i in range(n):
        gradient[at + i] = point.db[i] if landscape.free[at + i] else 0.0
    return loss
