"""Minimising any smooth or piecewise smooth function: what `tegum.exact.kernel.descent` does, in NumPy.

    x <- x + t p,    p = -H g,    H from the last steps and changes of gradient,    t a weak Wolfe step by bisection

For losses that compiled code does not know: see there for why, and for the sources.

>>> found = descend(lambda x: (float(x @ x), 2 * x), np.array([3.0, -4.0]), tolerance=1e-8, most_steps=100)
>>> found.status == CONVERGED, found.x.round(6) + 0.0
(True, array([0., 0.]))
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.exact.kernel.descent import CONVERGED, OUT_OF_STEPS, STUCK
from tegum.exact.kernel.landscape import Starts

_MEMORY, _TRIALS = 24, 60
_DECREASE, _CURVATURE = 1e-4, 0.9
_ROUNDING, _TINY = 1e-10, 1e-300

Function = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]
Change = tuple[NDArray[np.float64], NDArray[np.float64]]


class Descended(NamedTuple):
    """Where a descent ended, what it found there, and what it spent."""

    x: NDArray[np.float64]
    loss: float
    norm: float
    steps: int
    evaluations: int
    status: int


def _direction(gradient: NDArray[np.float64], changes: deque[Change]) -> NDArray[np.float64]:
    """-H gradient by the two-loop recursion over the remembered changes of x and of the gradient."""
    p = -gradient
    shares = []
    for s, y in reversed(changes):
        shares.append(float(s @ p) / float(s @ y))
        p -= shares[-1] * y
    if changes:
        s, y = changes[-1]
        p *= float(s @ y) / float(y @ y)
    for (s, y), share in zip(changes, reversed(shares), strict=True):
        p += (share - float(y @ p) / float(s @ y)) * s
    return p


def descend(function: Function, x: NDArray[np.float64], tolerance: float, most_steps: int) -> Descended:
    """Minimises a function that returns its value and gradient, from x, until the gradient's norm is at most the tolerance."""
    changes = deque[Change](maxlen=_MEMORY)
    loss, gradient = function(x)
    evaluations = 1
    for step in range(most_steps):
        norm = float(np.linalg.norm(gradient))
        if norm <= tolerance:
            return Descended(x, loss, norm, step, evaluations, CONVERGED)
        p = _direction(gradient, changes)
        slope = float(gradient @ p)
        if not slope < 0:
            changes.clear()
            p, slope = -gradient, -norm * norm
        low, high, t, found = 0.0, np.inf, 1.0 if changes else min(1.0, 0.1 / norm), False
        for _ in range(_TRIALS):
            there = x + t * p
            value, new_gradient = function(there)
            evaluations += 1
            new_slope = float(new_gradient @ p)
            flat = abs(value - loss) <= _ROUNDING * abs(loss) and new_slope <= -(1 - 2 * _DECREASE) * slope
            if not (value <= loss + _DECREASE * t * slope or flat):
                high = t
            elif new_slope < _CURVATURE * slope:
                low = t
            else:
                found = True
                break
            t = 2 * low if high == np.inf else 0.5 * (low + high)
        if not found and not value < loss:
            if not changes:
                return Descended(x, loss, norm, step, evaluations, STUCK)
            changes.clear()
            continue
        moved, turned = there - x, new_gradient - gradient
        x, loss, gradient = there, value, new_gradient
        if float(moved @ turned) > _TINY:
            changes.append((moved, turned))
    norm = float(np.linalg.norm(gradient))
    return Descended(x, loss, norm, most_steps, evaluations, CONVERGED if norm <= tolerance else OUT_OF_STEPS)


def descend_start(
    blunt: Function, sharp: Function, starts: Starts, k: int, first_tolerance: float, tolerance: float, most_steps: int
) -> None:
    """Descends from start k of a batch in place: to the first tolerance in a function of few terms, then in that of all."""
    near = descend(blunt, starts.x[k].copy(), first_tolerance, most_steps)
    found = descend(sharp, near.x, tolerance, max(most_steps - near.steps, 1))
    starts.x[k], starts.loss[k], starts.norm[k], starts.status[k] = found.x, found.loss, found.norm, found.status
    starts.steps[k], starts.evaluations[k] = near.steps + found.steps, near.evaluations + found.evaluations
