"""Points uniform in a level set {w: L(w) - L* < eps, |w - w*| < radius} that sinks, compiled: nested sampling with slices.

The worst of all points, whose excess L - L* is eps, dies: it becomes a copy of another one, which moves within the level set
below eps.  So the points stay uniform in a set whose volume has shrunk by the largest of N uniform numbers.

A point moves along a direction v, on the part of the line that lies in the set, uniformly: an interval of fixed length is
placed over the point at random, a place in it is drawn, and the interval shrinks to that place, towards the point, until it
lies in the set.  That leaves the uniform law as it is.  The direction is the difference of two *other* points, so that steps
are as long and as oblique as the set; the second is the nearest to the first among 1, 4 or 16, so that some are as short as
the bends of a curved set and others as long as the arms of a cross.

Sources: Skilling, "Nested sampling for general Bayesian computation" (2006); Neal, "Slice sampling" (2003); ter Braak (2006),
for differences.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled, copied_into_callers, inlined, inner
from tegum.exact.hessian import complement
from tegum.posterior.kernel.randomness import fill_normal, uniform
from tegum.posterior.kernel.target import Target, loss_of

_REACH = 4.0
_SHRINKS = 400
_CANDIDATES, _KINDS, _REMOVED = 4, 3, 3
_TINY, _ROUNDED = 1e-13, 100 * np.finfo(np.float64).eps
"""How far from the center rounding is measured: at least so much, and so much of its largest parameter."""
_ALIKE, _AS_ROUNDED = 1e-9, 1e-3
"""Shares of the level and of the lowest one: losses that are that near to each other are of one minimum, or of a plateau."""


class Group(NamedTuple):
    """The memory of one group of points (points, d), their losses above L*, and the ball that holds them.

    ``basis`` (k, d) are orthonormal directions in which points may leave the center, ``still`` the others; ``base`` is the loss
    at the center.
    """

    stop: NDArray[np.int64]
    stream: NDArray[np.uint64]
    center: NDArray[np.float64]
    basis: NDArray[np.float64]
    still: NDArray[np.float64]
    base: NDArray[np.float64]
    radius: float
    x: NDArray[np.float64]
    excess: NDArray[np.float64]
    trial: NDArray[np.float64]
    direction: NDArray[np.float64]
    normal: NDArray[np.float64]
    frame: NDArray[np.float64]
    gradient: NDArray[np.float64]


def group_for(
    points: int, stop: NDArray[np.int64], center: NDArray[np.float64], still: NDArray[np.float64], radius: float
) -> Group:
    """Fresh memory of a group that stays across the orthonormal rows of ``still``; whoever starts it fills the stream."""
    size, basis = center.size, complement(still)
    return Group(
        stop=stop,
        stream=np.zeros(4, dtype=np.uint64),
        center=center,
        basis=basis,
        still=still,
        base=np.zeros(1),
        radius=radius,
        x=np.zeros((points, size)),
        excess=np.zeros(points),
        trial=np.zeros(size),
        direction=np.zeros(size),
        normal=np.zeros(len(basis)),
        frame=np.zeros((_REMOVED, size)),
        gradient=np.zeros(size),
    )


@copied_into_callers
@inner
def _excess(target: Target, group: Group) -> float:
    """The loss above L* at ``trial``; infinite outside of the ball."""
    square = 0.0
    for i in range(group.trial.size):
        away = group.trial[i] - group.center[i]
        square += away * away
    if not square < group.radius * group.radius:
        return np.inf
    return float(loss_of(target, group.trial, group.gradient) - group.base[0])


@compiled
def fill_ball(target: Target, group: Group) -> float:
    """Points uniform in the ball; returns by how much the loss changes next to its center: by rounding, if nothing else."""
    points, d = group.x.shape
    free = group.normal.size
    tiny = _TINY
    for i in range(d):
        tiny = max(tiny, _ROUNDED * abs(group.center[i]))
    group.base[0] = loss_of(target, group.center, group.gradient)
    noise = 0.0
    for k in range(points):
        fill_normal(group.stream, group.normal, free)
        square = 0.0
        for j in range(free):
            square += group.normal[j] * group.normal[j]
        length = 0.999999 * group.radius * uniform(group.stream) ** (1.0 / free) / np.sqrt(square)
        for i in range(d):
            group.direction[i] = 0.0
            for j in range(free):
                group.direction[i] += group.normal[j] * group.basis[j, i]
            group.trial[i] = group.center[i] + tiny / np.sqrt(square) * group.direction[i]
        noise = max(noise, abs(_excess(target, group)))
        for i in range(d):
            group.x[k, i] = group.center[i] + length * group.direction[i]
            group.trial[i] = group.x[k, i]
        group.excess[k] = _excess(target, group)
    return noise


@copied_into_callers
@inner
def _other(group: Group, k: int, parent: int, a: int) -> int:
    """A point that is none of three, at random."""
    while True:
        b = int(uniform(group.stream) * group.excess.size)
        if b not in (k, parent, a):
            return b


@copied_into_callers
@inner
def _aim(group: Group, k: int, parent: int) -> None:
    """A direction for point k: the difference of two others, less its part along up to three more such differences.

    Neither is its ``parent``: of all others a copy knows nothing, and a law that is uniform beside them stays so.
    """
    d = group.trial.size
    tries = _CANDIDATES ** int(uniform(group.stream) * _KINDS)
    a = _other(group, k, parent, k)
    best = np.inf
    for _ in range(tries):
        b = _other(group, k, parent, a)
        square = 0.0
        for i in range(d):
            away = group.x[a, i] - group.x[b, i]
            square += away * away
        if square < best:
            best = square
            for i in range(d):
                group.direction[i] = group.x[a, i] - group.x[b, i]
    removed = int(uniform(group.stream) * min(len(group.frame) + 1, group.normal.size))
    for j in range(removed):
        a = _other(group, k, parent, k)
        b = _other(group, k, parent, a)
        for i in range(d):
            group.frame[j, i] = group.x[a, i] - group.x[b, i]
        for before in range(j):
            _remove(group.frame[j], group.frame[before])
    for j in range(removed):
        _remove(group.direction, group.frame[j])
    for j in range(len(group.still)):  # else rounding would grow along what the loss does not hold
        _remove(group.direction, group.still[j])


@inlined
def _remove(v: Any, u: Any) -> None:
    """Takes from v its part along u."""
    along, square = 0.0, 0.0
    for i in range(v.size):
        along += v[i] * u[i]
        square += u[i] * u[i]
    if square > 0.0:
        for i in range(v.size):
            v[i] -= along / square * u[i]


@copied_into_callers
@inner
def move(target: Target, group: Group, k: int, parent: int, level: float) -> float:
    """Moves point k, a copy of its parent, inside the level set, or leaves it; returns how many losses that took."""
    d = group.trial.size
    _aim(group, k, parent)
    low = -_REACH * uniform(group.stream)
    high = low + _REACH
    losses = 0.0
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
    return losses


@compiled
def sink(
    target: Target, group: Group, lowest: float, moves: int, deaths: NDArray[np.int64], first: float, width: float
) -> float:
    """Lets points die down to the level ``lowest``, each new one moving ``moves`` times; returns the losses that took.

    ``deaths`` counts them by log(1 / eps), in bins of a width from ``first`` on.  A group that is left in another minimum,
    which is higher, or whose copies do not move, would die for ever: it ends where all its points are as good as each other.
    """
    points, d = group.x.shape
    losses = 0.0
    while not group.stop[0]:
        worst, best = 0, 0
        for k in range(points):
            if not group.excess[k] <= group.excess[worst]:
                worst = k
            if group.excess[k] < group.excess[best]:
                best = k
        level = group.excess[worst]
        if not level > lowest or (level < np.inf and level - group.excess[best] <= _ALIKE * level + _AS_ROUNDED * lowest):
            break
        place = int((-np.log(level) - first) / width) if level < np.inf else 0
        deaths[min(max(place, 0), deaths.size - 1)] += 1
        parent = _other(group, worst, worst, worst)
        for i in range(d):
            group.x[worst, i] = group.x[parent, i]
        group.excess[worst] = group.excess[parent]
        for _ in range(moves):
            losses += move(target, group, worst, parent, level)
    return losses
