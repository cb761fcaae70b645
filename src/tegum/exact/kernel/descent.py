"""Minimising one model's exact loss: limited-memory BFGS, compiled, never stuck at a kink.

    x <- x + t p,    p = -H g,    H from the last steps s and changes of gradient y by the two-loop recursion

The expected loss of a ReLU model has a continuous gradient whose derivative jumps, for example where a bias is 0: the usual
strong-Wolfe line searches stall there.  This one looks for a *weak* Wolfe step by bisection, which exists and is found
wherever the function is continuous and bounded below; where the decrease has sunk into rounding, that of the loss or 1e-15 of
the loss of a model of zeros, it accepts a step by its slopes alone.  Where no step is found the memory is dropped and steepest
descent tried once before giving up.

Truncation makes the computed loss a slightly different function for each number of terms, smooth in itself: it is minimised
with few terms first, then with more from there.

Sources: Nocedal and Wright, "Numerical Optimization", algorithm 7.4; Lewis and Overton, "Nonsmooth optimization via
quasi-Newton methods" (2013), for the line search; Hager and Zhang (2005), for steps in rounding.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import apart_from_callers, compiled, inlined, inner
from tegum.exact.kernel.landscape import Landscape, Starts, enter, loss_at
from tegum.exact.kernel.model import scale_of

CONVERGED, OUT_OF_STEPS, STUCK, STOPPED = 0, 1, 2, -1

_MEMORY = 24
_DECREASE = 1e-4
_CURVATURE = 0.9
_ROUNDING, _SMALLEST = 1e-10, 1e-15
_TRIALS = 60
_TINY = 1e-300


class Memory(NamedTuple):
    """Scratch memory of one minimisation in d dimensions; it ends where ``stop[0]``, which others may set, is not 0."""

    stop: NDArray[np.int64]
    x: NDArray[np.float64]
    gradient: NDArray[np.float64]
    trial: NDArray[np.float64]
    slope: NDArray[np.float64]
    direction: NDArray[np.float64]
    steps: NDArray[np.float64]
    changes: NDArray[np.float64]
    inverse_curvature: NDArray[np.float64]
    projection: NDArray[np.float64]


def starts_at(
    x: NDArray[np.float64],
    free: NDArray[np.float64],
    distribution_of: NDArray[np.int64],
    weight: NDArray[np.float64],
    importance: NDArray[np.float64],
) -> Starts:
    """Starts (count, d) of which nothing is found yet, with room for it."""
    count = len(x)
    return Starts(
        x=x,
        free=free,
        distribution_of=distribution_of,
        weight=weight,
        importance=importance,
        loss=np.full(count, np.nan),
        norm=np.full(count, np.nan),
        steps=np.zeros(count, dtype=np.int64),
        evaluations=np.zeros(count, dtype=np.int64),
        status=np.full(count, STOPPED),
    )


def memory_for(size: int, stop: NDArray[np.int64]) -> Memory:
    """Fresh memory for ``size`` parameters."""
    return Memory(
        stop=stop,
        x=np.zeros(size),
        gradient=np.zeros(size),
        trial=np.zeros(size),
        slope=np.zeros(size),
        direction=np.zeros(size),
        steps=np.zeros((_MEMORY, size)),
        changes=np.zeros((_MEMORY, size)),
        inverse_curvature=np.zeros(_MEMORY),
        projection=np.zeros(_MEMORY),
    )


@inlined
def _dot(a: Any, b: Any) -> float:
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@inlined
def _set_direction(memory: Any, count: int, newest: int) -> None:
    """The direction -H gradient by the two-loop recursion over ``count`` remembered steps."""
    p = memory.direction
    for i in range(p.size):
        p[i] = -memory.gradient[i]
    if count == 0:
        return
    slots = memory.inverse_curvature.size
    slot = newest
    for _ in range(count):
        share = 0.0
        for i in range(p.size):
            share += memory.steps[slot, i] * p[i]
        share *= memory.inverse_curvature[slot]
        memory.projection[slot] = share
        for i in range(p.size):
            p[i] -= share * memory.changes[slot, i]
        slot = slot - 1 if slot > 0 else slots - 1
    square = 0.0
    for i in range(p.size):
        square += memory.changes[newest, i] * memory.changes[newest, i]
    scale = 1.0 / (memory.inverse_curvature[newest] * square)
    for i in range(p.size):
        p[i] *= scale
    slot = newest - count + 1
    if slot < 0:
        slot += slots
    for _ in range(count):
        share = 0.0
        for i in range(p.size):
            share += memory.changes[slot, i] * p[i]
        share = memory.projection[slot] - share * memory.inverse_curvature[slot]
        for i in range(p.size):
            p[i] += share * memory.steps[slot, i]
        slot = slot + 1 if slot + 1 < slots else 0


@apart_from_callers
@inner
def descend(landscape: Landscape, memory: Memory, tolerance: float, most_steps: int) -> tuple[float, float, int, int, int]:
    """Minimises from ``memory.x`` in place.

    It is long because it is one loop over the steps, and a line search inside.

    Returns:
        loss, gradient norm, steps, evaluations, status.
    """
    x, gradient, trial, slope_there, p = memory.x, memory.gradient, memory.trial, memory.slope, memory.direction
    d = x.size
    slots = memory.inverse_curvature.size
    count = 0
    newest = -1
    evaluations = 1
    loss = loss_at(landscape, x, gradient)
    rounding = _SMALLEST * scale_of(landscape.distribution, landscape.point)
    norm = np.sqrt(_dot(gradient, gradient))
    for step in range(most_steps):
        if norm <= tolerance:
            return loss, norm, step, evaluations, CONVERGED
        _set_direction(memory, count, newest)
        slope = _dot(gradient, p)
        if not slope < 0:
            count = 0
            for i in range(d):
                p[i] = -gradient[i]
            slope = -norm * norm
        low = 0.0
        high = np.inf
        t = 1.0 if count > 0 else min(1.0, 0.1 / norm)
        found = False
        there = loss
        for _ in range(_TRIALS):
            if memory.stop[0]:
                return loss, norm, step, evaluations, STOPPED
            for i in range(d):
                trial[i] = x[i] + t * p[i]
            there = loss_at(landscape, trial, slope_there)
            evaluations += 1
            new_slope = _dot(slope_there, p)
            sunk = max(_ROUNDING * abs(loss), rounding)
            flat = abs(there - loss) <= sunk and new_slope <= -(1 - 2 * _DECREASE) * slope
            if not (there <= loss + _DECREASE * t * slope or flat):
                high = t
            elif new_slope < _CURVATURE * slope:
                low = t
            else:
                found = True
                break
            t = 2 * low if high == np.inf else 0.5 * (low + high)
        if not found and not there < loss:
            if count == 0:
                return loss, norm, step, evaluations, STUCK
            count = 0
            continue
        slot = newest + 1 if newest + 1 < slots else 0
        curvature = 0.0
        for i in range(d):
            memory.steps[slot, i] = trial[i] - x[i]
            memory.changes[slot, i] = slope_there[i] - gradient[i]
            curvature += memory.steps[slot, i] * memory.changes[slot, i]
            x[i] = trial[i]
            gradient[i] = slope_there[i]
        loss = there
        norm = np.sqrt(_dot(gradient, gradient))
        if curvature > _TINY:
            memory.inverse_curvature[slot] = 1.0 / curvature
            newest = slot
            count = min(count + 1, slots)
    return loss, norm, most_steps, evaluations, CONVERGED if norm <= tolerance else OUT_OF_STEPS


@compiled
def descend_many(
    blunt: Landscape,
    sharp: Landscape,
    memory: Memory,
    starts: Starts,
    first: int,
    end: int,
    first_tolerance: float,
    tolerance: float,
    most_steps: int,
) -> None:
    """Minimises starts ``first`` to ``end - 1``: the blunt loss to ``first_tolerance``, then the sharp one to ``tolerance``.

    Both losses share their memory, and differ only in the number of terms.  A start that was stopped stays as it was.
    """
    for k in range(first, end):
        enter(sharp, starts, k, memory.x)
        _, _, steps, evaluations, _ = descend(blunt, memory, first_tolerance, most_steps)
        loss, norm, more, last, status = descend(sharp, memory, tolerance, max(most_steps - steps, 1))
        if memory.stop[0]:
            return
        for i in range(memory.x.size):
            starts.x[k, i] = memory.x[i]
        starts.loss[k] = loss
        starts.norm[k] = norm
        starts.steps[k] = steps + more
        starts.evaluations[k] = evaluations + last
        starts.status[k] = status
