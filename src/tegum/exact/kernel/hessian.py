"""Second derivatives of the exact loss by central differences of its exact gradient, compiled.

    H v = [gradient(x + h v) - gradient(x - h v)] / (2 h)

With a fixed number of terms the gradient is smooth and exact for its own loss, so that h may be small: what is left is h^2 and
rounding over h.  `tegum.exact.hessian` has the same with an error estimate, for one point.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled
from tegum.exact.kernel.landscape import Landscape, Starts, enter, loss_at

STEP = 1e-4
"""The step h, for v of length 1."""


class Differences(NamedTuple):
    """Scratch memory for d parameters: a point, a direction, a trial point, the gradients there and on both sides.

    A Hessian ends unfinished where ``stop[0]``, which others may set, is not 0.
    """

    stop: NDArray[np.int64]
    x: NDArray[np.float64]
    direction: NDArray[np.float64]
    trial: NDArray[np.float64]
    here: NDArray[np.float64]
    up: NDArray[np.float64]
    down: NDArray[np.float64]


def differences_for(size: int, stop: NDArray[np.int64] | None = None) -> Differences:
    """Fresh memory for ``size`` parameters."""
    never = np.zeros(1, dtype=np.int64)
    return Differences(never if stop is None else stop, *(np.zeros(size) for _ in Differences._fields[1:]))


@compiled
def hessian_times(landscape: Landscape, memory: Differences, found: Any) -> None:
    """Writes H v at ``memory.x`` into ``found``; v is ``memory.direction``, of length 1."""
    _, x, direction, trial, _, up, down = memory
    for i in range(x.size):
        trial[i] = x[i] + STEP * direction[i]
    loss_at(landscape, trial, up)
    for i in range(x.size):
        trial[i] = x[i] - STEP * direction[i]
    loss_at(landscape, trial, down)
    for i in range(x.size):
        found[i] = (up[i] - down[i]) / (2 * STEP)


@compiled
def hessian_at_point(landscape: Landscape, memory: Differences, H: Any) -> float:
    """Writes the symmetrised Hessian at ``memory.x`` into H (d, d); rows of parameters that are held are 0.

    Returns by how much an entry differs from one side to the other: at a kink that stays as h vanishes.
    """
    d = memory.x.size
    jump = 0.0
    loss_at(landscape, memory.x, memory.here)
    for i in range(d):
        memory.direction[i] = 0.0
    for i in range(d):
        if memory.stop[0]:
            return 0.0
        for j in range(d):
            H[i, j] = 0.0
        if landscape.free[i]:
            memory.direction[i] = 1.0
            hessian_times(landscape, memory, H[i])
            memory.direction[i] = 0.0
            for j in range(d):
                jump = max(jump, abs(memory.up[j] - 2 * memory.here[j] + memory.down[j]) / STEP)
    for i in range(d):
        for j in range(i):
            mean = 0.5 * (H[i, j] + H[j, i])
            H[i, j] = mean
            H[j, i] = mean
    return jump


@compiled
def hessians(landscape: Landscape, memory: Differences, starts: Starts, first: int, end: int, found: Any, jumps: Any) -> None:
    """Writes the Hessians at the points ``first`` to ``end - 1`` of a batch, and how they jump, from place 0 on."""
    for k in range(first, end):
        enter(landscape, starts, k, memory.x)
        jumps[k - first] = hessian_at_point(landscape, memory, found[k - first])
