"""Points uniform in a level set {w: L(w) - L* < eps, |w - w*| < radius}, compiled: slices along differences of other points.

A point moves along a direction v, on the part of the line that lies in the set, uniformly: an interval of fixed length is
placed over the point at random, a place in it is drawn, and the interval shrinks to that place, towards the point, until it
lies in the set.  That leaves the uniform law as it is.  The direction is the difference of two points of the *other half* of
a group, so that steps are as long and as oblique as the set, however it has collapsed; it does not depend on the point that
moves.

Sources: Neal, "Slice sampling" (2003); ter Braak (2006), for differences; Goodman and Weare (2010), for halves.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled
from tegum.posterior.kernel.randomness import fill_normal, uniform
from tegum.posterior.kernel.target import Target, loss_of

_REACH = 4.0
_SHRINKS = 200


class Group(NamedTuple):
    """The memory of one group of points (an even number, d), their losses above L*, and the ball that holds them."""

    stop: NDArray[np.int64]
    stream: NDArray[np.uint64]
    center: NDArray[np.float64]
    base: float
    radius: float
    x: NDArray[np.float64]
    excess: NDArray[np.float64]
    trial: NDArray[np.float64]
    direction: NDArray[np.float64]
    gradient: NDArray[np.float64]


def group_for(
    points: int, size: int, stop: NDArray[np.int64], center: NDArray[np.float64], base: float, radius: float
) -> Group:
    """Fresh memory of a group; whoever starts it fills the stream."""
    return Group(
        stop=stop,
        stream=np.zeros(4, dtype=np.uint64),
        center=center,
        base=base,
        radius=radius,
        x=np.zeros((points, size)),
        excess=np.zeros(points),
        trial=np.zeros(size),
        direction=np.zeros(size),
        gradient=np.zeros(size),
    )


@compiled
def _excess(target: Target, group: Group) -> float:
    """The loss above L* at ``trial``; infinite outside of the ball."""
    square = 0.0
    for i in range(group.trial.size):
        away = group.trial[i] - group.center[i]
        square += away * away
    if not square < group.radius * group.radius:
        return np.inf
    return float(loss_of(target, group.trial, group.gradient) - group.base)


@compiled
def fill_ball(target: Target, group: Group) -> None:
    """Points uniform in the ball, of the parameters that are free."""
    free = target.landscape.free
    points, d = group.x.shape
    count = 0.0
    for i in range(d):
        count += 1.0 if free[i] else 0.0
    for k in range(points):
        fill_normal(group.stream, group.direction, d)
        square = 0.0
        for i in range(d):
            if not free[i]:
                group.direction[i] = 0.0
            square += group.direction[i] * group.direction[i]
        length = 0.999999 * group.radius * uniform(group.stream) ** (1.0 / count) / np.sqrt(square)
        for i in range(d):
            group.x[k, i] = group.center[i] + length * group.direction[i]
            group.trial[i] = group.x[k, i]
        group.excess[k] = _excess(target, group)


@compiled
def contract(target: Target, group: Group, level: float, share: float) -> None:
    """Draws every point towards the center until it lies in the level set: where the next level begins."""
    points, d = group.x.shape
    for k in range(points):
        for _ in range(_SHRINKS):
            if group.excess[k] < level:
                break
            for i in range(d):
                group.x[k, i] = group.center[i] + share * (group.x[k, i] - group.center[i])
                group.trial[i] = group.x[k, i]
            group.excess[k] = _excess(target, group)


@compiled
def move(target: Target, group: Group, level: float, sweeps: int) -> float:
    """Moves every point ``sweeps`` times inside the level set; returns how many losses that took for each move."""
    points, d = group.x.shape
    half = points // 2
    losses = 0.0
    for _ in range(sweeps):
        if group.stop[0]:
            return losses
        for k in range(points):
            other = half if k < half else 0
            a = other + int(uniform(group.stream) * half)
            b = other + int(uniform(group.stream) * half)
            for i in range(d):
                group.direction[i] = group.x[a, i] - group.x[b, i]
            low = -_REACH * uniform(group.stream)
            high = low + _REACH
            for _ in range(_SHRINKS):
                t = low + (high - low) * uniform(group.stream)
                for i in range(d):
                    group.trial[i] = group.x[k, i] + t * group.direction[i]
                excess = _excess(target, group)
                losses += 1.0
                if excess < level:
                    group.excess[k] = excess
                    for i in range(d):
                        group.x[k, i] = group.trial[i]
                    break
                if t < 0:
                    low = t
                else:
                    high = t
    return losses / (points * sweeps)
