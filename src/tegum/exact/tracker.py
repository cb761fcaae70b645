"""The critical point next to a known one: a step along the tangent, then Newton's method on the exact gradient.

    predicted = x - H^+ d(grad L)/dv (v' - v),        x' = x' - H^+ grad L(x'; v')        H^+ beyond flat directions

A Hessian is kept as long as it serves; where Newton fails, as it may at a kink, a descent takes its place.  A point further
from its prediction than half the predicted step is refused, so that `tegum.exact.follow` stays on its branch.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.hessian import Curvature, hessian_at, pseudo_inverse, rotation_modes, smallest_curvature
from tegum.exact.minimise import minimise
from tegum.exact.objective import Objective, flat, parameters_of
from tegum.features import Features
from tegum.geometry import aligned_to
from tegum.nets import Net

FeaturesAt = Callable[[float], Features]
"""From a value to the distribution of the features there."""

_AHEAD = 1e-2
_NEWTON_STEPS, _HALVINGS, _CONTRACTION, _SURPLUS = 20, 20, 0.25, 1e-2
_NEAR = 0.5
ALWAYS_NEAR = 1e-4


class Minimum(NamedTuple):
    """A critical point at ``value``.

    Flat parameters x, what is known there, how far x may be from where the gradient is 0 (0 if it has converged), and the
    Hessian's pseudo-inverse beyond the symmetry.
    """

    value: float
    x: NDArray[np.float64]
    loss: float
    gradient_norm: float
    doubt: float
    curvature: Curvature
    inverse: NDArray[np.float64]

    @property
    def stable(self) -> bool:
        """Whether no direction curves down by more than the error of the curvature."""
        return not self.curvature.value < -self.curvature.error


@final
class _Landscape:
    """The loss at one value; its gradients are counted in ``spent``."""

    def __init__(self, objective: Objective, spent: dict[str, int]) -> None:
        self.objective, self._spent = objective, spent

    def gradient(self, x: NDArray[np.float64], /) -> NDArray[np.float64]:
        self._spent["evaluations"] += 1
        return self.objective.gradient(x)

    def hessian(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        self._spent["hessians"] += 1
        return hessian_at(self, x)

    def modes(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Directions along which nothing can change: rotations, and the biases of a net that has none."""
        return rotation_modes(self.objective.parameters(x)[0], self.objective.net.bias)


def _newton(
    landscape: _Landscape, x: NDArray[np.float64], inverse: NDArray[np.float64] | None, tolerance: float
) -> NDArray[np.float64]:
    """A critical point near x by Newton's method, with the inverse of an old Hessian as long as it serves.

    It goes on to a hundredth of the tolerated gradient where that is cheap, as it is where the Hessian does not jump.
    """
    gradient = landscape.gradient(x)
    norm = float(np.linalg.norm(gradient))
    for _ in range(_NEWTON_STEPS):
        if norm <= _SURPLUS * tolerance:
            break
        fresh = inverse is None
        if inverse is None:
            inverse = pseudo_inverse(landscape.hessian(x)[0], landscape.modes(x))
        step = -inverse @ gradient
        for _ in range(_HALVINGS if fresh else 1):
            there = landscape.gradient(x + step)
            new = float(np.linalg.norm(there))
            if new < norm:
                break
            step = step / 2
        slow = not new < _CONTRACTION * norm
        if new < norm:
            x, gradient, norm = x + step, there, new
        if slow and fresh and (norm <= tolerance or new > norm):
            break
        inverse = None if slow else inverse
    return x


@final
@dataclass(frozen=True, eq=False)
class Tracker:
    """Finds the critical point next to a known one.

    Attributes:
        net: the net.
        features_at: its features at every value.
        gradient_tolerance: a point has converged where the norm of its gradient is at most this.
        terms: terms of the loss.
        spent: counts the ``evaluations``, ``hessians`` and ``descents``.
    """

    net: Net
    features_at: FeaturesAt
    gradient_tolerance: float
    terms: int
    spent: dict[str, int]

    def with_terms(self, terms: int) -> "Tracker":
        """The same with more terms or fewer, counting in the same place."""
        return replace(self, terms=terms)

    def landscape(self, value: float) -> _Landscape:
        """The loss at a value."""
        return _Landscape(Objective(self.net, self.features_at(value), self.terms), self.spent)

    def descended(self, value: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where `tegum.exact.minimise` ends from x."""
        self.spent["descents"] += 1
        found = minimise(
            self.net,
            self.features_at(value),
            seeds=(0,),
            initial=dict(zip(("W", "b"), parameters_of(self.net, x), strict=True)),
            gradient_tolerance=self.gradient_tolerance,
            terms=self.terms,
            threads=1,
            progress=False,
        )
        self.spent["evaluations"] += int(found.evaluations.sum())
        return flat(found.W.values[0], found.b.values[0])

    def examined(self, value: float, x: NDArray[np.float64]) -> Minimum:
        """What is known at x."""
        landscape = self.landscape(value)
        H, error = landscape.hessian(x)
        modes, gradient = landscape.modes(x), landscape.gradient(x)
        curvature = smallest_curvature(landscape, x, modes, (H, error))
        norm, inverse = float(np.linalg.norm(gradient)), pseudo_inverse(H, modes)
        doubt = 0.0 if norm <= self.gradient_tolerance else float(np.linalg.norm(inverse @ gradient))
        return Minimum(value, x, landscape.objective.loss(x), norm, doubt, curvature, inverse)

    def settled(self, value: float, x: NDArray[np.float64]) -> Minimum:
        """The critical point that Newton's method finds from x."""
        return self.examined(value, _newton(self.landscape(value), x, None, self.gradient_tolerance))

    def step(self, point: Minimum, value: float) -> tuple[Minimum | None, float]:
        """The critical point at ``value`` next to a known one, None if there is none; and how wrong the prediction was.

        The error of the prediction is relative to the predicted step.
        """
        landscape, tolerance = self.landscape(value), self.gradient_tolerance
        ahead = self.landscape(point.value + _AHEAD * (value - point.value))
        pull = (ahead.gradient(point.x) - self.landscape(point.value).gradient(point.x)) / _AHEAD
        predicted = point.x - point.inverse @ pull
        length = float(np.linalg.norm(predicted - point.x)) + ALWAYS_NEAR / _NEAR
        best: Minimum | None = None
        for inverse in (point.inverse, None):  # where the known Hessian does not lead there, a descent and one of its own may
            start = predicted if inverse is not None else self.descended(value, point.x)
            x, away = self.turned(_newton(landscape, start, inverse, tolerance), predicted)
            if away <= _NEAR * length:
                found = self.examined(value, x)
                if best is None or found.doubt < best.doubt:
                    best, wrong = found, away / length
            if best is not None and best.doubt == 0:
                break
        return (best, wrong) if best is not None and best.doubt <= ALWAYS_NEAR else (None, np.inf)

    def walk(self, point: Minimum, value: float) -> Minimum | None:
        """The critical point at ``value`` by as many steps from a known one as it takes; None if 2^-8 of the way is too far."""
        least = abs(value - point.value) / 256
        step = value - point.value
        while point.value != value:
            last = abs(value - point.value) <= abs(step)
            found, _ = self.step(point, value if last else point.value + step)
            if found is None and abs(step) <= least:
                return None
            point, step = (point, step / 2) if found is None else (found, step)
        return point

    def turned(self, x: NDArray[np.float64], onto: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """X with W rotated onto the W of another point, and how far they are still apart."""
        W, b = parameters_of(self.net, x)
        turned = flat(aligned_to(W, parameters_of(self.net, onto)[0])[0], b)
        return turned, float(np.linalg.norm(turned - onto))
