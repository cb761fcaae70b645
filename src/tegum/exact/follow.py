"""Following one minimum while the features change, to where it loses stability, and to where two branches cost the same.

    grad L(x; v) = 0,        dx/dv = -H^+ d(grad L)/dv         v: a density, an importance, anything a distribution depends on

    pentagon = follow(net, features, W, b, np.linspace(0.05, 0.6, 12))           # of all densities
    pentagon.data.loss, pentagon.data.curvature, pentagon.lost_at
    tegum.exact.crossing(pentagon, digons)                                        # the density where both cost the same

`tegum.exact.tracker` predicts along the tangent dx/dv and corrects by Newton's method.  A point further from its prediction
than half the predicted step is refused and the step halved: so a branch is not left by mistake, and where the steps shrink to
nothing it *ends*: it meets a saddle and both vanish (a fold).  Newton's method does not care for stability: where a direction
begins to curve down (most often a symmetry breaks, a pitchfork) it goes on along the saddle, and the value where the smallest
curvature is 0 is found by bisection.  Second derivatives converge more slowly in the loss's terms than the loss does; the
bisection spends eight times as many, and what half of these would change is part of ``lost_error``.

Example: five equally important features in two dimensions.  The pentagon costs less than two digons and a dropped feature
below a density of 0.224875, and more above; the pentagon is a minimum up to 0.302883, the digons up to 0.659695.

Sources: Allgower and Georg, "Numerical Continuation Methods" (1990); Schoenemann, "A generalized solution of the orthogonal
Procrustes problem" (1966).
"""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, final

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, real_numbers
from tegum.datasets import PARAMETER_DIMS, Status, dataset
from tegum.errors import InvalidInputError, Problems
from tegum.exact.constraints import Constraint
from tegum.exact.evaluate import evaluate
from tegum.exact.flow import percent_bar, starting_point
from tegum.exact.kernel.descent import descend_many
from tegum.exact.kernel.records import MOST_TERMS
from tegum.exact.objective import constraints_of, penalties_of
from tegum.exact.parameters import named, parameters_of, shapes_of
from tegum.exact.penalties import Penalty
from tegum.exact.starts import FIELDS
from tegum.exact.tracker import ALWAYS_NEAR, ConstraintsAt, FeaturesAt, Minimum, PenaltiesAt, Tracker, at_values
from tegum.features import Features
from tegum.features.written import written
from tegum.interruption import Interrupted, noticing_interruption
from tegum.nets import Net
from tegum.progress import ProgressBar
from tegum.provenance import provenance
from tegum.recorded import said_of
from tegum.sweep import recorded_values

_AIM, _GROWTH, _LONGEST_STEP = 0.25, 2.0, 1 / 20
_SHARPER = 8


@final
@dataclass(frozen=True, eq=False)
class Branch:
    """One minimum as a function of a value.

    Attributes:
        data: what was visited, along a dimension called ``name``: ``W`` and ``b``, or all parameters of another net; ``loss``,
            ``gradient_norm``, ``converged``, ``curvature`` (the smallest beyond what leaves the outputs as they are, such as
            rotations of W) and its ``curvature_error``.
        lost_at: the value where the minimum is lost; None if it is one throughout.
        tracker: finds it at other values.
        points: the same as ``data``.
    """

    data: xr.Dataset
    lost_at: float | None
    tracker: Tracker = dataclasses.field(repr=False)
    points: tuple[Minimum, ...] = dataclasses.field(repr=False)

    @property
    def name(self) -> str:
        """What the value is: the dimension of ``data``."""
        return str(self.data["loss"].dims[0])

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest value visited."""
        low, high = sorted((self.points[0].value, self.points[-1].value))
        return low, high

    @checked
    def minimum(self, value: float) -> Minimum:
        """The minimum at any value between those visited.

        Raises:
            InvalidInputError: for a value outside of them, or, next to where the branch is lost, one that cannot be reached.
        """
        low, high = self.ends
        if not low <= value <= high:
            raise InvalidInputError(f"{self.name} is {value:g}", f"this branch is known from {low:g} to {high:g}")
        start = min(self.points, key=lambda point: abs(point.value - value))
        found = self.tracker.walk(start, float(value))
        if found is None:
            raise InvalidInputError(f"the branch is lost on the way to {self.name} {value:g}", "follow it there in more values")
        return found

    def at(self, value: float) -> xr.Dataset:
        """The minimum at any value between those visited, as a dataset without the branch's dimension."""
        return _dataset(self.tracker, self.name, [self.minimum(value)]).isel({self.name: 0})

    def loss_error(self, value: float) -> float:
        """The estimated error of the loss at a value."""
        net, terms = self.tracker.net, self.tracker.terms
        params = named(net, self.minimum(value).x)
        return float(evaluate(params, features=self.tracker.features_at(value), net=net, terms=terms)["loss_error"])


@checked
def follow(
    net: Net,
    features: Features | FeaturesAt,
    W: ArrayLike | Mapping[str, ArrayLike],
    b: ArrayLike | None,
    values: ArrayLike,
    *,
    field: str = "density",
    feature: int | Sequence[int] | None = None,
    penalties: Sequence[Penalty] | PenaltiesAt = (),
    constraints: Sequence[Constraint] | ConstraintsAt = (),
    tolerance: float = 1e-6,
    gradient_tolerance: float = 1e-9,
    terms: int = 512,
    progress: bool | None = None,
) -> Branch:  # long: most of it says what each of its many arguments means
    """Follows one minimum through changing features, as far as it is one.

    Args:
        net: one whose hidden units are linear: `ReluOutput`, `Linear`, `ActivationOutput`, `Untied`; or with one
            hidden ReLU.
        features: one distribution, of which a field changes; or a function from the value to a distribution.
        W: weights (m, n) near a minimum at the first value, or all parameters by name; they are minimised first.
        b: biases (n,); None where W has all parameters.
        values: where to record it, rising or falling, two at least; the steps between are chosen, and recorded too.
        field: the field that is set to the value, "density" or "importance"; for a function only the name of the dimension.
        feature: which entries of the field are set, by default all.
        penalties: what is added to the loss, see `tegum.exact.penalties`; or a function from the value to that.
        constraints: what W has to fulfil, see `tegum.exact.constraints`; or a function from the value to that.
        tolerance: how exactly to find the value where the minimum is lost.
        gradient_tolerance: a point has converged where the norm of its gradient is at most this.
        terms: terms of the loss that is minimised, a power of two.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        The branch.  Attributes of its data say ``lost_at`` (NaN if it is not lost) and ``lost_error``, and what was spent.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments; where the start leads to no minimum.
        Interrupted: after Ctrl-C, a KeyboardInterrupt that has the branch so far in ``data``.
    """
    began = time.perf_counter()
    problems = Problems()
    asked = np.atleast_1d(real_numbers("values", values))
    step = np.diff(asked)
    if asked.ndim != 1 or asked.size < 2 or not np.isfinite(asked).all() or not ((step > 0).all() or (step < 0).all()):
        problems.add(f"values is {asked}", "give at least 2 finite numbers, rising or falling")
    problems.check_fraction("tolerance", tolerance)
    problems.check_fraction("gradient_tolerance", gradient_tolerance)
    if not asked.size:
        problems.raise_if_any()
    with problems:
        features_at = cache(features if callable(features) else _along(features, field, feature))
        each = [features_at(float(value)) for value in asked.flat]
        _, x = starting_point(net, each[0], W, b, terms, problems)
        penalties_at, constraints_at = at_values(penalties), at_values(constraints)
        for value in asked.flat:
            penalties_of(net, penalties_at(float(value)))
            constraints_of(net, constraints_at(float(value)))
    spent = {"evaluations": 0, "hessians": 0, "descents": 0}
    tracker = Tracker(net, features_at, gradient_tolerance, terms, spent, penalties_at, constraints_at)
    first = float(asked[0])
    with percent_bar(f"following along {field}", progress, descend_many) as bar:
        start = tracker.settled(first, tracker.descended(first, x))
        bar.set_description(f"following along {field}", refresh=False)
        if not (start.stable and start.doubt <= ALWAYS_NEAR):
            raise InvalidInputError(
                f"the start leads to no minimum at {field} {first:g} (gradient {start.gradient_norm:.1e}, "
                f"smallest curvature {start.curvature.value:.1e})",
                "start from a minimum, for example one that tegum.exact.minimise finds there",
            )
        walk = _Walk(tracker, start, tolerance)
        interrupted = 0
        with noticing_interruption() as pressed:
            try:
                walk.along(asked, bar, pressed)
            except KeyboardInterrupt:
                interrupted = 1
    data = _dataset(tracker, field, walk.points).assign_attrs(
        terms=terms,
        gradient_tolerance=gradient_tolerance,
        start_moved=tracker.turned(first, x, start.x)[1],
        lost_at=np.nan if walk.lost_at is None else walk.lost_at,
        lost_error=walk.lost_error,
        lost_because=walk.lost_because,
        **tracker.spent,
        interrupted=interrupted,
        wall_seconds=round(time.perf_counter() - began, 3),
        **provenance(),
    )
    branch = Branch(data, walk.lost_at, tracker, tuple(walk.points))
    if interrupted:
        raise Interrupted(branch)
    return branch


def _along(features: Features, field: str, feature: int | Sequence[int] | None) -> FeaturesAt:
    """The distribution as a function of one of its fields, for features that exist."""
    if field not in FIELDS:
        raise InvalidInputError(
            f"field is {field!r}", f"choose {' or '.join(map(repr, FIELDS))}, or give a function as features"
        )
    before = getattr(features, field)
    chosen = np.arange(before.shape[-1]) if feature is None else np.atleast_1d(feature)
    if not (np.issubdtype(chosen.dtype, np.integer) and (np.abs(chosen + 0.5) < before.shape[-1]).all()):
        raise InvalidInputError(f"feature is {feature}", f"choose among the {before.shape[-1]} entries of {field}")

    def features_at(value: float) -> Features:
        after = before.copy()
        after[..., chosen] = value
        return features.replaced(**{field: after})

    return features_at


@final
class _Walk:
    """The way along one branch: the points so far, and where and why it was lost."""

    def __init__(self, tracker: Tracker, start: Minimum, tolerance: float) -> None:
        self.points = [start]
        self.lost_at: float | None = None
        self.lost_error, self.lost_because = np.nan, ""
        self._tracker, self._tolerance = tracker, tolerance
        self._sharp = tracker.with_terms(min(_SHARPER * tracker.terms, MOST_TERMS))

    def along(self, values: NDArray[np.float64], bar: ProgressBar, pressed: Sequence[int]) -> None:
        """Visits the values, with steps between where they are far apart, until the last or until the branch is lost.

        Raises:
            KeyboardInterrupt: where ``pressed`` holds something, though whoever called a step may have swallowed it.
        """
        span = float(values[-1] - values[0])
        step = longest = abs(span) * _LONGEST_STEP
        for target in values[1:]:
            while (here := self.points[-1]).value != target:
                if pressed:
                    raise KeyboardInterrupt
                ahead = abs(target - here.value)
                value = float(target) if ahead <= step * (1 + 1e-9) else here.value + np.sign(span) * step
                found, wrong = self._tracker.step(here, value)
                if found is None:
                    step = min(step, ahead) / 2
                    if step < self._tolerance / 2:
                        self.lost_at, self.lost_because = here.value, Status.ENDED
                        self.lost_error = 2 * step + self._shift(here, value)
                        return
                    continue
                if not found.stable and self._loses(found):
                    return
                self.points.append(found)
                step = min(step * min(_AIM / max(wrong, _AIM / _GROWTH), _GROWTH), longest)
                bar.update(int(100 * (value - values[0]) / span) - bar.n)

    def _shift(self, here: Minimum, value: float) -> float:
        """By how much more terms would move the fold next to a point: the pull along its flattest direction decides."""
        places = ((self._tracker, here.value), (self._sharp, here.value), (self._tracker, value))
        pulls = (tracker.landscape(at, here.x, here.active).gradient(here.whole) for tracker, at in places)
        blunt, sharp, moved = (float(here.curvature.direction @ pull[: here.x.size]) for pull in pulls)
        return abs(value - here.value) * abs((sharp - blunt) / (moved - blunt)) if moved != blunt else 0.0

    def _loses(self, found: Minimum) -> bool:
        """Whether more terms confirm that a point is a saddle; if so, finds the value where it became one."""
        sharp = self._sharp
        if sharp.settled(found.value, found.x).stable:
            return False
        high = found.value
        while True:
            here = self.points[-1]
            low = sharp.settled(here.value, here.x)
            if low.stable or len(self.points) == 1:
                break
            high = self.points.pop().value
        began, because = low, Status.UNSTABLE
        while abs(high - low.value) > self._tolerance / 2:
            middle = (low.value + high) / 2
            trial, _ = sharp.step(low, middle)
            if trial is not None and trial.stable:
                low = trial
            else:
                high, because = middle, Status.UNSTABLE if trial is not None else Status.ENDED
        blunt = sharp.with_terms(sharp.terms // 2).settled(low.value, low.x)
        doubt = abs(blunt.curvature.value - low.curvature.value) + low.curvature.error
        fall = abs(began.curvature.value - low.curvature.value)
        wide = abs(low.value - began.value) * doubt / fall if fall > 0 else 0.0
        self.lost_at, self.lost_error, self.lost_because = low.value, self._tolerance / 2 + wide, because
        if low.value != here.value:
            self.points.append(self._tracker.settled(low.value, low.x))
        return True


def _said(each: Sequence[Any]) -> str:
    """What there is at every point, in words; from the first to the last where it changes."""
    words = list(dict.fromkeys(", ".join(map(repr, one)) or "none" for one in each))
    return words[0] if len(words) == 1 else f"{words[0]} to {words[-1]}"


def _dataset(tracker: Tracker, name: str, points: Sequence[Minimum]) -> xr.Dataset:
    arrays = parameters_of(tracker.net, np.array([point.x for point in points]))
    norms = np.array([point.gradient_norm for point in points])
    penalties = [tuple(tracker.penalties_at(point.value)) for point in points]
    variables: dict[str, tuple[tuple[str, ...], Any]] = {
        **{one: ((name, *PARAMETER_DIMS[one]), array) for one, array in zip(shapes_of(tracker.net), arrays, strict=True)},
        "loss": ((name,), [point.loss for point in points]),
        "gradient_norm": ((name,), norms),
        "curvature": ((name,), [point.curvature.value for point in points]),
        "curvature_error": ((name,), [point.curvature.error for point in points]),
        "converged": ((name,), norms <= tracker.gradient_tolerance),
    }
    constraints = [tuple(tracker.constraints_at(point.value)) for point in points]
    if any(penalties) or any(constraints):
        variables["objective"] = ((name,), [point.objective for point in points])
    each = [tracker.features_at(point.value) for point in points]
    coordinates: dict[str, tuple[Any, Any]] = {
        "feature_density": ((name, "feature"), [features.feature_density for features in each]),
        "feature_importance": ((name, "feature"), [features.importance for features in each]),
    }
    for field in (one for one in each[0].field_names() if one not in FIELDS):
        values = [getattr(features, field) for features in each]
        if len({written(value) or repr(value) for value in values}) > 1:
            coordinates[f"feature_{field}"] = (name, recorded_values(values))
    said = {"net": repr(tracker.net)} | said_of(each[0])
    said |= {kind: _said(all_of_them) for kind, all_of_them in (("penalties", penalties), ("constraints", constraints))}
    return dataset(variables, {name: [point.value for point in points]} | coordinates, said)
