"""Descending from many starts at many grid points: all cores, a second try for what got stuck, and a certificate for each."""

import itertools
import math
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import COMPILING, is_compiled
from tegum.datasets import Status
from tegum.exact.certificate import smallest_curvatures
from tegum.exact.conditions import FEASIBLE, Constrained, conditions
from tegum.exact.cone import certified
from tegum.exact.constrained import certified_end, descended
from tegum.exact.constraints import ColumnSparse, Constraint, Support, allowed, limits, supports_over
from tegum.exact.descent import descend_start
from tegum.exact.distributions import Distributions
from tegum.exact.evaluate import evaluate
from tegum.exact.kernel.descent import CONVERGED, STOPPED, STUCK, Memory, descend_many, memory_for, starts_at
from tegum.exact.kernel.landscape import Landscape, Starts
from tegum.exact.kernel.records import MOST_TERMS
from tegum.exact.kinks import descended_beside_kinks, downhill
from tegum.exact.laws import LawLoss, Laws
from tegum.exact.objective import Objective, landscape_for
from tegum.exact.parameters import exchanged, flat, free_of, named, parameters_of
from tegum.exact.penalties import Penalty, interpreted
from tegum.exact.starts import EXCHANGES, FIELDS, distribution_at, exchanged_columns
from tegum.nets import Net
from tegum.sweep import Cell, FeatureGrid
from tegum.threads import in_pieces

_FIRST_TERMS, _FIRST_TOLERANCE, _SECOND_TRY = 32, 1e-5, 4
_SADDLE_BELOW = 1e-6
_PIECE_OPERATIONS = 1e6
_RANKED, _ANOTHER = 1e-4, 1e-7
_SWITCHES, _IDLE, _MOST_CHOICES = 4, 1e-6, 256


@final
@dataclass(frozen=True, eq=False)
class Search:
    """One call of `minimise`: the landscape of every grid point, and how to descend in it.

    ``stopped`` holds something once Ctrl-C came: starts then keep what they have, without a certificate and with the loss of so
    many ``terms``.
    """

    net: Net
    grid: FeatureGrid
    distributions: tuple[Distributions | Laws, ...]
    gradient_tolerance: float
    most_steps: int
    terms: int
    tol: float
    certify: bool
    threads: int | None
    progress: bool | None
    penalties: tuple[Penalty, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    stopped: list[bool] = field(default_factory=list)

    def run(self, x: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        """Minimises from x (points, starts, d); every result has the axes (points, starts)."""
        cells = zip(self.grid.cells, self.distributions, strict=True)
        parts = [self._in_cell(cell, distributions, x[cell.positions]) for cell, distributions in cells]
        order = np.argsort(np.concatenate([cell.positions for cell in self.grid.cells]))
        return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}

    def warmer(self, found: dict[str, NDArray[Any]], places: NDArray[np.int64], rounds: int) -> dict[str, NDArray[Any]]:
        """The results with one more start for each neighbour, the best of several rounds; ``places`` (points, neighbours)."""
        everything, warm, score = found, None, "objective" if "objective" in found else "loss"
        for _ in range(rounds):
            lowest = np.where(_usable(everything), everything[score], np.inf).argmin(axis=1)
            best = everything["x"][np.arange(len(lowest)), lowest]
            fresh = self.run(best[places])
            if warm is not None:
                before = ~(fresh[score] < warm[score])
                for name, values in fresh.items():
                    values[before] = warm[name][before]
            warm = fresh
            everything = {name: np.concatenate([found[name], warm[name]], axis=1) for name in found}
        return everything

    def exchanged(self, found: dict[str, NDArray[Any]], rounds: int) -> dict[str, NDArray[Any]]:
        """The results with ``EXCHANGES`` more starts a round: the two lowest ends of each point, two features changing places.

        Of all exchanges those come first that cost least before they descend; none is tried twice from the same end.
        """
        score = "objective" if "objective" in found else "loss"
        tried: set[tuple[int, float, int]] = set()
        for _ in range(rounds):
            if self.stopped:
                break
            costs = np.where(_usable(found), found[score], np.inf)
            each = [
                self._exchanges(cell, place, found["x"][point], costs[point], tried)
                for cell in self.grid.cells
                for place, point in enumerate(cell.positions.tolist())
            ]
            fresh = self.run(np.stack(each)[np.argsort(np.concatenate([cell.positions for cell in self.grid.cells]))])
            found = {name: np.concatenate([found[name], fresh[name]], axis=1) for name in found}
        return found

    def _exchanges(
        self, cell: Cell, place: int, x: NDArray[np.float64], cost: NDArray[np.float64], tried: set[tuple[int, float, int]]
    ) -> NDArray[np.float64]:
        """The next starts of one grid point from its ends x (starts, d) of known costs; notes what is ``tried``."""
        order = exchanged_columns(self.net.n_features)
        lowest = np.argsort(cost)
        others = lowest[cost[lowest] > cost[lowest[0]] * (1 + _ANOTHER)]
        ends = [int(lowest[0]), *others[:1].tolist()]
        starts, marks = [], []
        for k in ends:
            starts.append(exchanged(self.net, x[k], order))
            marks += [(int(cell.positions[place]), round(float(cost[k]), 9), pair) for pair in range(len(order))]
        candidates, features = np.concatenate(starts), distribution_at(cell.features, place)
        if "density" in features.field_names():  # one for each feature, not for as many candidates
            features = features.replaced(density=np.atleast_2d(features.density))
        costs = evaluate(named(self.net, candidates), features=features, tol=_RANKED, net=self.net)["loss"].values
        for k, one in enumerate(zip(*parameters_of(self.net, candidates), strict=True)):
            costs[k] += sum(penalty(*one)[0] for penalty in self._penalties(cell, place))
        known = np.array([mark in tried for mark in marks])
        first = np.lexsort((costs, known))[: min(EXCHANGES, len(order))]
        tried.update(marks[k] for k in first.tolist())
        return np.asarray(candidates[first])

    def _in_cell(self, cell: Cell, distributions: Distributions | Laws, x: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        points, per_point, d = x.shape
        count = points * per_point
        x = x.reshape(count, d)
        mask = allowed(self.constraints, parameters_of(self.net, x)[0])
        free = free_of(self.net, mask if self.net.tied else np.ones_like(mask))
        starts = starts_at(
            x * free,
            free.astype(np.float64),
            np.repeat(np.arange(points), per_point),
            distributions.weight if isinstance(distributions, Distributions) else np.zeros((0, 0)),
            distributions.importance,
        )
        known = {name: np.full((count, *shape), np.nan) for name, shape in self._known_shapes().items()}
        if not self.stopped:
            try:
                known |= self._ended_well(cell, distributions, starts)
            except KeyboardInterrupt:
                self.stopped.append(True)
        done = starts.status != STOPPED
        status = np.full(count, Status.CONVERGED, dtype="<U13")
        if self.certify:
            curved_down = (known["curvature"] < -_SADDLE_BELOW * known["size"]) & (known["size"] > 0)
            status[:] = np.where(curved_down, Status.SADDLE, Status.MINIMUM)
        del known["size"]
        # where nothing is free there is nothing that could curve
        status[np.isnan(known["curvature"]) & starts.free.any(axis=1)] = Status.CONVERGED
        status[starts.status != CONVERGED] = Status.NOT_CONVERGED
        status[~done] = Status.INTERRUPTED
        results = {
            "x": starts.x,
            "gradient_norm": starts.norm,
            **{name: np.where(_along(done, values), values, np.nan) for name, values in known.items()},
            "steps": starts.steps,
            "evaluations": starts.evaluations,
            "status": status,
        }
        results |= self._rechecked(cell, starts, points, done)
        return {name: values.reshape(points, per_point, *values.shape[1:]) for name, values in results.items()}

    def _known_shapes(self) -> dict[str, tuple[int, ...]]:
        """What is known of every end, and its own axes."""
        own = limits(self.constraints)
        return {"curvature": (), "size": ()} | ({"violation": (), "multiplier": (len(own),)} if own else {})

    def _ended_well(self, cell: Cell, distributions: Distributions | Laws, starts: Starts) -> dict[str, NDArray[Any]]:
        """Descends from every start in place, where columns are sparse from other supports too; what is known of the ends."""
        known = self._ended(cell, distributions, starts)
        for _ in range(_SWITCHES if self._sparse else 0):
            again = self._switched(cell, starts)
            if not again.size:
                break
            each = {name: getattr(starts, name)[again] for name in Starts._fields if name not in ("weight", "importance")}
            second = starts._replace(**each)
            for name, values in self._ended(cell, distributions, second).items():
                known[name][again] = values
            for name in each:
                getattr(starts, name)[again] = getattr(second, name)
        if self.certify and self._sparse:
            self._other_choices(cell, starts, known)
        return known

    def _ended(self, cell: Cell, distributions: Distributions | Laws, starts: Starts) -> dict[str, NDArray[Any]]:
        """Descends from every start in place, and returns what else is known of the ends."""
        in_python = bool(limits(self.constraints) or interpreted(self.penalties))
        if isinstance(distributions, Laws):
            in_python = bool(self.constraints or self.penalties)
        return self._constrained(cell, starts) if in_python else self._unconstrained(distributions, starts)

    @property
    def _sparse(self) -> bool:
        """Whether columns are to be sparse."""
        return any(isinstance(one, ColumnSparse) for one in self.constraints)

    def _switched(self, cell: Cell, starts: Starts) -> NDArray[np.int64]:
        """Sets a weight of 0 free in place of an idle one where the loss pulls at it; returns the starts where it did."""
        support, found = self._support(), []
        for k in np.flatnonzero(starts.status == CONVERGED).tolist():
            objective, x = self._objective(cell, starts, k), starts.x[k]
            W, W_free = parameters_of(self.net, x)[0], self._W_free(starts, k)
            pull = np.abs(objective.parameters(objective.gradient(x))[0]) * (support & ~W_free)
            idle = W_free & (np.abs(W) < _IDLE)
            columns = np.flatnonzero(idle.any(axis=0) & (pull.max(axis=0) > 10 * self.gradient_tolerance))
            for column in columns:
                W_free[idle[:, column].argmax(), column], W_free[pull[:, column].argmax(), column] = False, True
            if columns.size:
                starts.free[k] = free_of(self.net, W_free)
                starts.x[k] = x * starts.free[k]
                found.append(k)
        return np.array(found, dtype=np.int64)

    def _other_choices(self, cell: Cell, starts: Starts, known: dict[str, NDArray[Any]]) -> None:
        """The smallest curvature over all supports that a point lies on, where columns have fewer weights than they may."""
        support = self._support()
        most = min(one.k for one in self.constraints if isinstance(one, ColumnSparse))
        for k in np.flatnonzero(starts.status == CONVERGED).tolist():
            W = parameters_of(self.net, starts.x[k])[0]
            small = np.abs(W) < _IDLE  # all of it in columns that a cap holds at 0: they may grow along any support
            idle = (small & support & (self._W_free(starts, k) | small.all(axis=0))).any(axis=0)
            choices = [supports_over(np.abs(W[:, c]) >= _IDLE, support[:, c], most) for c in np.flatnonzero(idle)]
            if math.prod(len(one) for one in choices) > _MOST_CHOICES:
                known["curvature"][k] = np.nan
                continue
            objective = self._objective(cell, starts, k)
            for columns in itertools.product(*choices) if choices else ():
                mask = self._W_free(starts, k)
                mask[:, idle] = np.stack(columns, axis=1)
                problem = Constrained(objective, limits(self.constraints), free_of(self.net, mask))
                curvature, _ = certified(problem, starts.x[k], problem.multipliers(starts.x[k]))
                known["curvature"][k] = min(known["curvature"][k], curvature.value)

    def _support(self) -> NDArray[np.bool_]:
        """Where weights may be that are not 0, (m, n), as far as it is given."""
        fixed = tuple(one for one in self.constraints if isinstance(one, Support))
        return allowed(fixed, np.zeros((self.net.n_hidden, self.net.n_features)))

    def _W_free(self, starts: Starts, k: int) -> NDArray[np.bool_]:
        """Which weights of start k are free, (m, n)."""
        return np.array(parameters_of(self.net, starts.free[k])[0] > 0)

    def _penalties(self, cell: Cell, place: int) -> tuple[Penalty, ...]:
        """What is added at one grid point of a cell."""
        features = distribution_at(cell.features, place)
        return tuple(penalty.on(features) for penalty in self.penalties)

    @property
    def _holds(self) -> bool:
        """Whether weights may be held at 0."""
        return any(isinstance(one, Support | ColumnSparse) for one in self.constraints) or any(p.kinked for p in self.penalties)

    def _objective(self, cell: Cell, starts: Starts, k: int) -> Objective:
        """What start k minimises."""
        features = distribution_at(cell.features, int(starts.distribution_of[k]))
        return Objective(self.net, features, self.terms, penalties=self.penalties)

    def _rechecked(self, cell: Cell, starts: Starts, points: int, done: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        """Losses and gradients with as many terms as ``tol`` asks for; with penalties and constraints what these add."""
        features, count = cell.features, len(starts.x)
        if self.stopped:
            return self._unchecked(starts)
        params = named(self.net, starts.x.reshape(points, -1, starts.x.shape[1]))
        fields = [name for name in FIELDS if name in features.field_names()]
        each = features.replaced(**{name: getattr(features, name)[..., None, :] for name in fields})
        exact = evaluate(params, features=each, tol=self.tol, net=self.net, gradient=True, threads=self.threads)
        by = [exact.get(f"d{name}", np.zeros_like(one)) for name, one in params.items()]
        slopes = flat(self.net, *by).reshape(count, -1)
        found = {"loss": (losses := exact["loss"].values.reshape(-1)), "loss_error": exact["loss_error"].values.reshape(-1)}
        if self.penalties or self.constraints:
            objective = losses.copy()
            for k, one in enumerate(starts.x):
                each_penalty = self._penalties(cell, int(starts.distribution_of[k]))
                for value, *slope in (penalty(*parameters_of(self.net, one)) for penalty in each_penalty):
                    objective[k] += value
                    slopes[k] += flat(self.net, *slope)
            found["objective"] = objective
        left = slopes * starts.free
        for k in np.flatnonzero(done).tolist() if limits(self.constraints) else ():
            left[k] = conditions(limits(self.constraints), self.net, starts.x[k], starts.free[k] > 0, left[k]).left
        found["rechecked_gradient_norm"] = np.linalg.norm(left, axis=1)
        found = {name: np.where(done, values, np.nan) for name, values in found.items()}
        if self._holds:
            W_slopes = parameters_of(self.net, np.where(starts.free > 0, 0.0, slopes))[0]
            found["held_gradient"] = np.where(done[:, None, None], W_slopes, np.nan)
        return found

    def _unchecked(self, starts: Starts) -> dict[str, NDArray[Any]]:
        """The same after Ctrl-C: what the descents said of themselves."""
        nothing = np.full(len(starts.x), np.nan)
        found = {"loss": starts.loss, "loss_error": nothing, "rechecked_gradient_norm": nothing}
        if self.penalties or self.constraints:
            found |= {"objective": starts.loss, "loss": nothing if self.penalties else starts.loss}
        if self._holds:
            found["held_gradient"] = np.full((len(starts.x), self.net.n_hidden, self.net.n_features), np.nan)
        return found

    def _unconstrained(self, distributions: Distributions | Laws, starts: Starts) -> dict[str, NDArray[Any]]:
        """Descends in compiled code; what is stuck is tried again with more terms.  Returns the curvatures."""
        self._descend(distributions, starts, self.terms)
        again = np.flatnonzero(starts.status == STUCK)
        if again.size:
            own = {name: getattr(starts, name)[again] for name in Starts._fields if name not in ("weight", "importance")}
            second = starts._replace(**own)
            self._descend(distributions, second, min(_SECOND_TRY * self.terms, MOST_TERMS))
            for old, new in ((starts.x, second.x), (starts.loss, second.loss), (starts.norm, second.norm)):
                old[again] = new
            starts.status[again] = second.status
            starts.steps[again] += second.steps
            starts.evaluations[again] += second.evaluations
        curvature = size = np.full(len(starts.x), np.nan)
        if self.certify:
            curvature, size = smallest_curvatures(
                self.net, distributions, starts, self.terms, self.penalties, self.threads, self.progress
            )
        return {"curvature": curvature, "size": size}

    def _constrained(self, cell: Cell, starts: Starts) -> dict[str, NDArray[Any]]:
        """Descends under inequalities, or with penalties of the user's own.  Returns curvatures, multipliers and violations."""
        count, own = len(starts.x), limits(self.constraints)
        found = {name: np.full((count, *shape), np.nan) for name, shape in self._known_shapes().items()}

        def work(_: None, first: int, end: int) -> None:
            for k in range(first, end):
                objective = self._objective(cell, starts, k)
                problem = Constrained(objective, own, starts.free[k] > 0)
                descend = descended_beside_kinks if problem.kinked else descended
                ended = descend(problem, starts.x[k], self.gradient_tolerance, self.most_steps)
                if self.certify:
                    ended, curvature, found["size"][k] = certified_end(problem, ended, self.gradient_tolerance, self.most_steps)
                    found["curvature"][k] = curvature.value
                starts.x[k], starts.free[k] = ended.x, ended.free
                starts.loss[k], starts.norm[k] = objective.loss(ended.x), np.linalg.norm(ended.multipliers.left)
                starts.steps[k], starts.evaluations[k] = ended.steps, ended.evaluations
                fulfilled = starts.norm[k] <= self.gradient_tolerance and ended.multipliers.violation <= FEASIBLE
                starts.status[k] = CONVERGED if fulfilled and not (problem.kinked and downhill(problem, ended.x)) else STUCK
                if own:
                    found["violation"][k] = ended.multipliers.violation
                    found["multiplier"][k] = problem.limits_of(ended.x, ended.multipliers)

        in_pieces(
            count, 1, lambda _: None, work, threads=self.threads, progress=self.progress, title="minimising", unit="start"
        )
        return found

    def _descend(self, distributions: Distributions | Laws, starts: Starts, terms: int) -> None:
        tolerances = max(_FIRST_TOLERANCE, self.gradient_tolerance), self.gradient_tolerance
        if isinstance(distributions, Laws):
            laws = distributions
            options: Any = {"threads": self.threads, "progress": self.progress, "title": "minimising", "unit": "start"}

            def each(_: None, first: int, end: int) -> None:
                for k in range(first, end):
                    sharp = LawLoss(self.net, laws, int(starts.distribution_of[k]), terms)
                    descend_start(
                        replace(sharp, terms=min(_FIRST_TERMS, terms)), sharp, starts, k, *tolerances, self.most_steps
                    )

            in_pieces(len(starts.x), 1, lambda _: None, each, **options)
            return
        tables = distributions

        def scratch(stop: NDArray[np.int64]) -> tuple[Landscape, Landscape, Memory]:
            sharp = landscape_for(self.net, tables, terms, self.penalties)
            return sharp._replace(terms=min(_FIRST_TERMS, terms)), sharp, memory_for(starts.x.shape[1], stop)

        def work(memory: tuple[Landscape, Landscape, Memory], first: int, end: int) -> None:
            descend_many(*memory, starts, first, end, *tolerances, self.most_steps)

        in_pieces(
            len(starts.x),
            max(1, int(_PIECE_OPERATIONS / (self.net.n_features**2 * terms))),
            scratch,
            work,
            threads=self.threads,
            progress=self.progress,
            title="minimising" if is_compiled(descend_many) else COMPILING,
            unit="start",
        )


def _usable(found: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Which starts have converged."""
    return np.isin(found["status"], (Status.MINIMUM, Status.SADDLE, Status.CONVERGED))


def _along(done: NDArray[np.bool_], values: NDArray[Any]) -> NDArray[np.bool_]:
    """``done`` with as many axes as the values."""
    return done.reshape(-1, *[1] * (values.ndim - 1))
