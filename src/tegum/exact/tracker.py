"""The critical point next to a known one: a step along the tangent, then Newton's method on the exact gradient.

    predicted = x - H^+ d(grad L)/dv (v' - v),        x' = x' - H^+ grad L(x'; v')        H^+ beyond flat directions

Under inequalities the conditions of Karush, Kuhn and Tucker take the place of the gradient: x becomes (x, lambda), the loss the
function L - lambda . s, and H its second derivatives; which inequalities are active is kept as long as it serves.

A Hessian is kept as long as it serves; where Newton fails, as it may at a kink, a descent takes its place.  A point further
from its prediction than half the predicted step is refused, so that `tegum.exact.follow` stays on its branch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.conditions import FEASIBLE, STRONG, Constrained, Lagrangian
from tegum.exact.cone import certified, grown
from tegum.exact.constraints import ColumnSparse, Constraint, Support, allowed, limits
from tegum.exact.hessian import Curvature, differentiated, hessian_at, pseudo_inverse, smallest_curvature, still_directions
from tegum.exact.kernel.hessian import STEP
from tegum.exact.kinks import downhill
from tegum.exact.laws import CurvedBy
from tegum.exact.minimise import minimise
from tegum.exact.objective import Objective
from tegum.exact.parameters import flat, free_of, parameters_of, shapes_of, turned_onto
from tegum.exact.penalties import Penalty
from tegum.features import Features
from tegum.nets import Net

FeaturesAt = Callable[[float], Features]
"""From a value to the distribution of the features there."""

PenaltiesAt = Callable[[float], Sequence[Penalty]]
ConstraintsAt = Callable[[float], Sequence[Constraint]]
"""From a value to what is added to the loss, and to what W has to fulfil."""

_AHEAD = 1e-2
_ROUNDED = 1e-14
_NEWTON_STEPS, _HALVINGS, _CONTRACTION, _SURPLUS = 20, 20, 0.25, 1e-2
_NEAR = 0.5
ALWAYS_NEAR = 1e-4


def at_values(given: Any) -> Any:
    """From a value to the penalties or constraints there, of what is given for all values or is such a function already."""
    return given if callable(given) else lambda _: tuple(given)


class Bends(NamedTuple):
    """What second derivatives say of a point: the smallest curvature, and the Hessian's pseudo-inverse beyond the symmetry."""

    curvature: Curvature
    inverse: NDArray[np.float64]


@final
class Minimum:
    """A critical point at a value; second derivatives, which cost most of it, are taken when they are first asked for.

    Attributes:
        value: where it is.
        x: flat parameters.
        loss: without penalties.
        objective: with them.
        gradient: of the objective by x and the multipliers, which has converged where its norm is at most ``tolerance``.
        active: the active inequalities.
        multipliers: theirs.
    """

    def __init__(
        self,
        value: float,
        x: NDArray[np.float64],
        losses: tuple[float, float],
        gradient: tuple[NDArray[np.float64], float],
        conditions: tuple[NDArray[np.int64], NDArray[np.float64]],
        bends: Callable[[], Bends],
    ) -> None:
        self.value, self.x = value, x
        self.loss, self.objective = losses
        self.gradient, self._tolerance = gradient
        self.active, self.multipliers = conditions
        self._found: Callable[[], Bends] | Bends = bends

    @property
    def _bends(self) -> Bends:
        if callable(self._found):
            self._found = self._found()
        return self._found

    @property
    def curvature(self) -> Curvature:
        """The smallest beyond what leaves the outputs as they are."""
        return self._bends.curvature

    @property
    def inverse(self) -> NDArray[np.float64]:
        """The Hessian's pseudo-inverse, by x and the multipliers."""
        return self._bends.inverse

    @property
    def gradient_norm(self) -> float:
        """The length of the gradient."""
        return float(np.linalg.norm(self.gradient))

    @property
    def doubt(self) -> float:
        """How far x may be from where the gradient is 0; 0 where it has converged."""
        if self.gradient_norm <= self._tolerance:
            return 0.0
        return float(np.linalg.norm((self.inverse @ self.gradient)[: self.x.size]))

    @property
    def stable(self) -> bool:
        """Whether no direction curves down by more than the error of the curvature, and rounding where that is 0."""
        return not self.curvature.value < -self.curvature.error - _ROUNDED

    @property
    def whole(self) -> NDArray[np.float64]:
        """The parameters and the multipliers."""
        return np.concatenate([self.x, self.multipliers])


@final
class _Landscape:
    """What is stationary at one value: the objective less multipliers times active inequalities; ``spent`` counts."""

    def __init__(self, problem: Constrained, active: NDArray[np.int64], spent: dict[str, int]) -> None:
        self.problem, self.objective, self.active = problem, problem.objective, active
        self._spent = spent

    def gradient(self, whole: NDArray[np.float64], /) -> NDArray[np.float64]:
        """The derivatives by x and by the multipliers of the active inequalities."""
        self._spent["evaluations"] += 1
        x, multipliers = whole[: self.objective.size], whole[self.objective.size :]
        if not self.active.size:
            return self.problem(x)[1]
        s, _ = self.problem.slacks(x)
        return np.concatenate([Lagrangian(self.problem, self.active, multipliers).gradient(x), -s[self.active]])

    @property
    def terms(self) -> int:
        """How many terms the loss has."""
        return self.objective.terms

    @property
    def curved_by(self) -> CurvedBy:
        """As `tegum.exact.Objective.curved_by`."""
        return self.objective.curved_by

    def hessian_by_rows(
        self, whole: NDArray[np.float64], step: float = STEP, terms: int | None = None
    ) -> tuple[NDArray[np.float64], float] | None:
        """As `tegum.exact.Objective.hessian_by_rows`, where no inequality is active."""
        found = None if self.active.size else self.objective.hessian_by_rows(whole, step, terms)
        return found and (found[0] * np.outer(self.problem.free, self.problem.free), found[1])

    def hessian(self, whole: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """As `tegum.exact.hessian_at`."""
        self._spent["hessians"] += 1
        return hessian_at(self, whole)

    def leading(self, whole: NDArray[np.float64]) -> NDArray[np.float64]:
        """The Hessian as Newton's method needs it, without its error, which costs as much again."""
        self._spent["hessians"] += 1
        return differentiated(self, whole)[0]

    def modes(self, whole: NDArray[np.float64]) -> NDArray[np.float64]:
        """Directions along which nothing can change: rotations, and parameters that are held."""
        turns = all(penalty.turns for penalty in self.objective.penalties)
        modes = still_directions(self.objective.net, whole[: self.objective.size], self.problem.free, turns)
        return np.pad(modes, ((0, 0), (0, self.active.size)))


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
            inverse = pseudo_inverse(landscape.leading(x), landscape.modes(x))
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


def _is_inside(landscape: _Landscape, whole: NDArray[np.float64]) -> bool:
    """Whether a point fulfils all inequalities, with multipliers that are not negative."""
    d = landscape.objective.size
    s, _ = landscape.problem.slacks(whole[:d])
    return bool((s >= -10 * FEASIBLE).all() and (whole[d:] >= -STRONG).all())


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
        penalties_at: what is added to the loss at every value.
        constraints_at: what W has to fulfil at every value.
    """

    net: Net
    features_at: FeaturesAt
    gradient_tolerance: float
    terms: int
    spent: dict[str, int]
    penalties_at: PenaltiesAt = field(default=lambda _: ())
    constraints_at: ConstraintsAt = field(default=lambda _: ())

    def with_terms(self, terms: int) -> "Tracker":
        """The same with more terms or fewer, counting in the same place."""
        return replace(self, terms=terms)

    def under(self, value: float) -> str:
        """The penalties and constraints at a value, in words."""
        said = ", ".join(map(repr, (*self.penalties_at(value), *self.constraints_at(value))))
        return said or "the loss alone"

    def landscape(self, value: float, x: NDArray[np.float64], active: NDArray[np.int64] | None = None) -> _Landscape:
        """What is stationary at a value near x, where constraints hold weights as at x; by default what is active there."""
        objective = Objective(self.net, self.features_at(value), self.terms, penalties=self.penalties_at(value))
        constraints = tuple(self.constraints_at(value))
        W = parameters_of(self.net, x)[0]
        mask = allowed(constraints, W)
        if limits(constraints):
            mask = mask & W.any(axis=0)
        problem = Constrained(objective, limits(constraints), free_of(self.net, allowed(constraints, W)))
        if problem.kinked:
            mask = mask & (W != 0)
        problem.free[:] = free_of(self.net, mask)
        if active is None:
            found = problem.multipliers(x)
            active = found.active[found.values > STRONG]
        return _Landscape(problem, active, self.spent)

    def descended(self, value: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where `tegum.exact.minimise` ends from x."""
        self.spent["descents"] += 1
        found = minimise(
            self.net,
            self.features_at(value),
            seeds=(0,),
            initial=dict(zip(shapes_of(self.net), parameters_of(self.net, x), strict=True)),
            penalties=self.penalties_at(value),
            constraints=self.constraints_at(value),
            gradient_tolerance=self.gradient_tolerance,
            terms=self.terms,
            threads=1,
            progress=False,
        )
        self.spent["evaluations"] += int(found.evaluations.sum())
        return flat(self.net, *(found[name].values[0] for name in shapes_of(self.net)))

    def examined(self, value: float, landscape: _Landscape, whole: NDArray[np.float64]) -> Minimum:
        """What is known at x and the multipliers of what is active."""
        x, multipliers = whole[: landscape.objective.size], whole[landscape.objective.size :]
        objective = landscape.objective.loss(x)
        penalties = landscape.objective.penalties
        loss = objective - sum(penalty(*parameters_of(self.net, x))[0] for penalty in penalties)
        gradient = landscape.gradient(whole), self.gradient_tolerance
        conditions = landscape.active, multipliers
        return Minimum(value, x, (loss, objective), gradient, conditions, partial(self._bends, landscape, whole))

    def _bends(self, landscape: _Landscape, whole: NDArray[np.float64]) -> Bends:
        x = whole[: landscape.objective.size]
        H, error = landscape.hessian(whole)
        modes = landscape.modes(whole)
        if landscape.problem.limits:
            curvature, _ = certified(landscape.problem, x, landscape.problem.multipliers(x))
            if grown(landscape.problem, x.copy(), 10 * self.gradient_tolerance) is not None:
                curvature = curvature._replace(value=-np.inf)  # a column of 0 is pulled to where it may grow
        else:
            curvature = smallest_curvature(landscape, x, modes, (H, error))
            if landscape.problem.kinked and downhill(landscape.problem, x):
                curvature = curvature._replace(value=-np.inf)
        return Bends(curvature, pseudo_inverse(H, modes))

    def _keeps_signs(self, landscape: _Landscape, start: NDArray[np.float64], x: NDArray[np.float64]) -> bool:
        """Whether, where the objective has kinks at weights of 0, none was crossed on the way, and none leads down."""
        if not landscape.problem.kinked:
            return True
        before, after = (np.sign(parameters_of(self.net, one)[0]) for one in (start, x))
        return bool((before == after).all()) and not downhill(landscape.problem, x)

    def settled(self, value: float, x: NDArray[np.float64]) -> Minimum:
        """The critical point that Newton's method finds from x."""
        landscape = self.landscape(value, x)
        start = self._with_multipliers(landscape, x)
        return self.examined(value, landscape, _newton(landscape, start, None, self.gradient_tolerance))

    def _with_multipliers(self, landscape: _Landscape, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """X and the multipliers of what is active."""
        found = landscape.problem.multipliers(x)
        known = dict(zip(found.active.tolist(), found.values.tolist(), strict=True))
        return np.concatenate([x, [known.get(one, 0.0) for one in landscape.active.tolist()]])

    def step(self, point: Minimum, value: float) -> tuple[Minimum | None, float]:
        """The critical point at ``value`` next to a known one, None if there is none; and how wrong the prediction was.

        The error of the prediction is relative to the predicted step.
        """
        tolerance, d = self.gradient_tolerance, point.x.size
        ahead = self.landscape(point.value + _AHEAD * (value - point.value), point.x, point.active)
        here = self.landscape(point.value, point.x, point.active)
        pull = (ahead.gradient(point.whole) - here.gradient(point.whole)) / _AHEAD
        predicted = point.whole - point.inverse @ pull
        length = float(np.linalg.norm(predicted[:d] - point.x)) + ALWAYS_NEAR / _NEAR
        best: Minimum | None = None
        for inverse in (point.inverse, None):  # where the known Hessian does not lead there, a descent and one of its own may
            if inverse is not None:
                landscape, start = self.landscape(value, point.x, point.active), predicted
            else:
                x = self.descended(value, point.x)
                landscape = self.landscape(value, x)
                start = self._with_multipliers(landscape, x)
            whole = _newton(landscape, start, inverse, tolerance)
            x, away = self.turned(value, whole[:d], predicted[:d])
            whole = np.concatenate([x, whole[d:]])
            inside = _is_inside(landscape, whole) and self._keeps_signs(landscape, start[:d], x)
            if away <= _NEAR * length and inside:
                found = self.examined(value, landscape, whole)
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

    def turned(self, value: float, x: NDArray[np.float64], onto: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """X brought as near to another point as it comes without a change of anything, and how far they are still apart."""
        turned = turned_onto(self.net, x, onto) if self._may_turn(value) else x
        return turned, float(np.linalg.norm(turned - onto))

    def _may_turn(self, value: float) -> bool:
        """Whether everything stays the same where W is rotated."""
        held = any(isinstance(one, Support | ColumnSparse) for one in self.constraints_at(value))
        return not held and all(penalty.turns for penalty in self.penalties_at(value))
