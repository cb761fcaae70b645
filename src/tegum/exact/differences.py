"""Second derivatives of the exact loss by central differences of its exact gradient, compiled.

    H e_i = [gradient(x + h e_i) - gradient(x - h e_i)] / (2 h)

With a fixed number of terms the gradient is smooth and exact for its own loss, so that h may be small: what is left is h^2 and
rounding over h.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled
from tegum.exact.descent import loss_at
from tegum.exact.model import enter_world


class Differences(NamedTuple):
    """Scratch memory for d parameters."""

    x: NDArray[np.float64]
    up: NDArray[np.float64]
    down: NDArray[np.float64]


def differences_for(size: int) -> Differences:
    """Fresh memory for ``size`` parameters."""
    return Differences(np.zeros(size), np.zeros(size), np.zeros(size))


@compiled
def hessian_times(
    world: Any,
    work: Any,
    point: Any,
    differences: Any,
    starts: Any,
    k: int,
    linear: int,
    biased: int,
    terms: int,
    step: float,
    vector: Any,
    found: Any,
) -> None:
    """Writes H v at point ``k`` of a batch into ``found``; v of norm about 1."""
    enter_world(world, point, starts.weight, starts.importance, starts.world_of[k])
    x, up, down = differences.x, differences.up, differences.down
    for i in range(x.size):
        x[i] = starts.x[k, i] + step * vector[i]
    loss_at(world, work, point, linear, biased, terms, x, up)
    for i in range(x.size):
        x[i] = starts.x[k, i] - step * vector[i]
    loss_at(world, work, point, linear, biased, terms, x, down)
    for i in range(x.size):
        found[i] = (up[i] - down[i]) / (2 * step)


@compiled
def hessians(
    world: Any,
    work: Any,
    point: Any,
    differences: Any,
    starts: Any,
    first: int,
    end: int,
    linear: int,
    biased: int,
    terms: int,
    step: float,
    found: Any,
) -> None:
    """Writes the symmetrised Hessian at the points ``first`` to ``end - 1`` of a batch into ``found[0 : end - first]``."""
    x, up, down = differences.x, differences.up, differences.down
    d = x.size
    for k in range(first, end):
        enter_world(world, point, starts.weight, starts.importance, starts.world_of[k])
        for i in range(d):
            x[i] = starts.x[k, i]
        moving = d if biased else d - point.b.size
        for i in range(d):
            for j in range(d):
                found[k - first, i, j] = 0.0
        for i in range(moving):
            here = x[i]
            x[i] = here + step
            loss_at(world, work, point, linear, biased, terms, x, up)
            x[i] = here - step
            loss_at(world, work, point, linear, biased, terms, x, down)
            x[i] = here
            for j in range(moving):
                found[k - first, i, j] = (up[j] - down[j]) / (2 * step)
        for i in range(d):
            for j in range(i):
                mean = 0.5 * (found[k - first, i, j] + found[k - first, j, i])
                found[k - first, i, j] = mean
                found[k - first, j, i] = mean
