"""Descending from many starts at many grid points: all cores, a second try for what got stuck, and a certificate for each."""

from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import COMPILING, is_compiled
from tegum.datasets import Status
from tegum.exact.certificate import smallest_curvatures
from tegum.exact.descent import descend
from tegum.exact.distributions import Distributions
from tegum.exact.evaluate import evaluate
from tegum.exact.kernel.descent import CONVERGED, STOPPED, STUCK, Memory, descend_many, memory_for
from tegum.exact.kernel.landscape import Landscape, Starts
from tegum.exact.kernel.records import MOST_TERMS
from tegum.exact.laws import LawLoss, Laws
from tegum.exact.objective import landscape_for, parameters_of
from tegum.nets import Net
from tegum.sweep import Cell, FeatureGrid
from tegum.threads import in_pieces

_FIRST_TERMS, _FIRST_TOLERANCE, _SECOND_TRY = 32, 1e-5, 4
_SADDLE_BELOW = 1e-6
_PIECE_OPERATIONS = 1e6


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
    stopped: list[bool] = field(default_factory=list)

    def run(self, x: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        """Minimises from x (points, starts, d); every result has the axes (points, starts)."""
        cells = zip(self.grid.cells, self.distributions, strict=True)
        parts = [self._in_cell(cell, distributions, x[cell.positions]) for cell, distributions in cells]
        order = np.argsort(np.concatenate([cell.positions for cell in self.grid.cells]))
        return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}

    def warmer(self, found: dict[str, NDArray[Any]], places: NDArray[np.int64], rounds: int) -> dict[str, NDArray[Any]]:
        """The results with one more start for each neighbour, the best of several rounds; ``places`` (points, neighbours)."""
        everything, warm = found, None
        for _ in range(rounds):
            usable = np.isin(everything["status"], (Status.MINIMUM, Status.SADDLE, Status.CONVERGED))
            lowest = np.where(usable, everything["loss"], np.inf).argmin(axis=1)
            best = everything["x"][np.arange(len(lowest)), lowest]
            fresh = self.run(best[places])
            if warm is not None:
                before = ~(fresh["loss"] < warm["loss"])
                for name, values in fresh.items():
                    values[before] = warm[name][before]
            warm = fresh
            everything = {name: np.concatenate([found[name], warm[name]], axis=1) for name in found}
        return everything

    def _in_cell(self, cell: Cell, distributions: Distributions | Laws, x: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        features, (points, per_point, d) = cell.features, x.shape
        count = points * per_point
        starts = Starts(
            x=np.ascontiguousarray(x.reshape(count, d)),
            distribution_of=np.repeat(np.arange(points), per_point),
            weight=distributions.weight if isinstance(distributions, Distributions) else np.zeros((0, 0)),
            importance=distributions.importance,
            loss=np.full(count, np.nan),
            norm=np.full(count, np.nan),
            steps=np.zeros(count, dtype=np.int64),
            evaluations=np.zeros(count, dtype=np.int64),
            status=np.full(count, STOPPED),
        )
        curvature, status = np.full(count, np.nan), np.full(count, Status.CONVERGED, dtype="<U13")
        if not self.stopped:
            try:
                self._descend_twice(distributions, starts)
                if self.certify:
                    curvature, size = smallest_curvatures(
                        self.net, distributions, starts, self.terms, self.threads, self.progress
                    )
                    status[:] = np.where(curvature < -_SADDLE_BELOW * size, Status.SADDLE, Status.MINIMUM)
            except KeyboardInterrupt:
                self.stopped.append(True)
        status[starts.status != CONVERGED] = Status.NOT_CONVERGED
        status[starts.status == STOPPED] = Status.INTERRUPTED
        results = {
            "x": starts.x,
            "loss": starts.loss,
            "loss_error": np.full(count, np.nan),
            "gradient_norm": starts.norm,
            "rechecked_gradient_norm": np.full(count, np.nan),
            "curvature": curvature,
            "steps": starts.steps,
            "evaluations": starts.evaluations,
            "status": status,
        }
        if not self.stopped:
            W, b = parameters_of(self.net, starts.x.reshape(x.shape))
            fields = {name: getattr(features, name) for name in ("density", "importance") if name in features.field_names()}
            each = features.replaced(**{name: one[..., None, :] for name, one in fields.items()})
            exact = evaluate(W, b, each, self.tol, net=self.net, gradient=True, threads=self.threads)
            slopes = [exact[name].values.reshape(count, -1) for name in (("dW", "db") if self.net.bias else ("dW",))]
            results |= {name: exact[name].values.reshape(-1) for name in ("loss", "loss_error")}
            results["rechecked_gradient_norm"] = np.linalg.norm(np.concatenate(slopes, axis=1), axis=1)
        return {name: values.reshape(points, per_point, *values.shape[1:]) for name, values in results.items()}

    def _descend_twice(self, distributions: Distributions | Laws, starts: Starts) -> None:
        """Descends from every start, and goes on with more terms where one got stuck."""
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

    def _descend(self, distributions: Distributions | Laws, starts: Starts, terms: int) -> None:
        tolerances = max(_FIRST_TOLERANCE, self.gradient_tolerance), self.gradient_tolerance
        if isinstance(distributions, Laws):
            self._descend_by_laws(distributions, starts, terms, *tolerances)
            return
        tables = distributions

        def scratch(stop: NDArray[np.int64]) -> tuple[Landscape, Landscape, Memory]:
            sharp = landscape_for(self.net, tables, terms)
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

    def _descend_by_laws(self, laws: Laws, starts: Starts, terms: int, first_tolerance: float, tolerance: float) -> None:
        def work(_: None, first: int, end: int) -> None:
            for k in range(first, end):
                sharp = LawLoss(self.net, laws, int(starts.distribution_of[k]), terms)
                blunt = replace(sharp, terms=min(_FIRST_TERMS, terms))
                near = descend(blunt, starts.x[k].copy(), first_tolerance, self.most_steps)
                found = descend(sharp, near.x, tolerance, max(self.most_steps - near.steps, 1))
                starts.x[k] = found.x
                starts.loss[k], starts.norm[k], starts.status[k] = found.loss, found.norm, found.status
                starts.steps[k] = near.steps + found.steps
                starts.evaluations[k] = near.evaluations + found.evaluations

        options: Any = {"threads": self.threads, "progress": self.progress, "title": "minimising", "unit": "start"}
        in_pieces(len(starts.x), 1, lambda _: None, work, **options)
