"""A gradient flow through kinks at weights of 0, of the minimal-norm subgradient: weights that come to a kink may stay in it.

    dx/dt  =  - the shortest element of the subdifferential of f at x

Between the kinks this is a smooth flow, and goes by an ordinary solver, which sees the slopes of the side it comes from until
it is told otherwise.  Where a weight w becomes 0, the slopes to both sides decide: it is held as long as

    d/dw to the left  <=  0  <=  d/dw to the right

and else goes on to the other side.  A held weight is let go as soon as one of the slopes leads down, alone or together with
others of its hidden unit (`tegum.exact.kinks.downhill`), then moved 1e-9 that way.  Both moments are found on the dense output
of the solver, which starts anew there.  Since f is convex across its kinks, there is one such path, and descents with small
steps follow it.

Sources: Filippov, "Differential Equations with Discontinuous Righthand Sides" (1988); Brezis, "Operateurs maximaux monotones"
(1973), for the shortest element.
"""

from collections.abc import Callable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from tegum.exact.conditions import Array, Constrained
from tegum.exact.kinks import downhill
from tegum.exact.objective import Objective

_NUDGE, _AT_ZERO, _HALVINGS = 1e-9, 1e-11, 40


def least_subgradient(objective: Objective, x: Array) -> Array:
    """The gradient (d,) at x, or the shortest of all slopes by weights that are 0 where the objective has kinks."""
    slope = objective.gradient(x)
    W = objective.parameters(x)[0]
    for penalty in objective.penalties:
        if penalty.kinked:
            below, above = penalty.one_sided(W)
            middle, zero = (below + above) / 2, W == 0
            part = slope[: W.size].reshape(W.shape)
            left, right = part + below - middle, part + above - middle
            slope[: W.size] = np.where(zero, np.maximum(left, 0) + np.minimum(right, 0), part).ravel()
    return slope


@final
class Sliding:
    """A solver like those of `scipy.integrate`, which stops at every kink.

    ``begin(t, x, free, inside)`` makes one that goes on to the next: ``inside`` brings points (d,) to the near side of kinks.
    """

    def __init__(self, objective: Objective, support: NDArray[np.bool_], begin: Callable[..., Any], x: Array) -> None:
        """Starts at x (d,); weights that are 0 there stay so where nothing leads down."""
        self.problem, self._begin = Constrained(objective, (), support), begin
        self.weights = objective.net.n_hidden * objective.net.n_features
        self.nfev = self.njev = 0
        self.problem.free[: self.weights] &= x[: self.weights] != 0
        self._restart(0.0, self._let_go(x))

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which flat parameters are not held now."""
        return self.problem.free

    def step(self) -> str | None:
        """Goes on by one step of the solver, or to the first kink in it; says what went wrong, if anything did."""
        inner, before = self._inner, self._signs
        evaluations, jacobians = inner.nfev, inner.njev
        said: str | None = inner.step()
        self.nfev, self.njev = self.nfev + inner.nfev - evaluations, self.njev + inner.njev - jacobians
        self.status = inner.status
        if self.status == "failed":
            return said
        self._dense = inner.dense_output()
        self.t = inner.t
        crossing = self._first_crossing(inner.t_old, inner.t, before)
        released = self._first_release(inner.t_old, inner.t if crossing is None else crossing)
        if crossing is None and released is None:
            return said
        self.t = float(released if released is not None else crossing or 0.0)
        self.status = "running"
        x = self._dense(self.t)
        if released is None:
            x = self._arrived(x, before)
        self._restart(self.t, self._let_go(x))
        return said

    def dense_output(self) -> Any:
        """The path over the last step."""
        return self._dense

    def _restart(self, t: float, x: Array) -> None:
        self._signs = np.sign(x[: self.weights])
        self._inner = self._begin(t, x, self.problem.free, self._inside)
        self.t, self.status = t, self._inner.status
        self.nfev += self._inner.nfev

    def _inside(self, x: Array) -> Array:
        """The point nearest to x whose weights have not changed their signs since the last kink."""
        x = x.copy()
        W = x[: self.weights]
        W[:] = np.where(self._signs == 0, W, self._signs * np.maximum(self._signs * W, _NUDGE))
        return x

    def _first_crossing(self, start: float, end: float, signs: Array) -> float | None:
        """When the first free weight becomes 0."""
        after = self._dense(end)[: self.weights]
        crossed = np.flatnonzero(self.problem.free[: self.weights] & (signs != 0) & (np.sign(after) != signs))
        moments = []
        for i in crossed.tolist():
            at_start = self._dense(start)[i] * signs[i]
            moments.append(float(brentq(lambda t, i=i: self._dense(t)[i], start, end)) if at_start > 0 else start)
        return min(moments, default=None)

    def _first_release(self, start: float, end: float) -> float | None:
        """When the first held weight is let go, to a fraction of the step."""
        if not self._leads_down(end):
            return None
        for _ in range(_HALVINGS):
            middle = (start + end) / 2
            if not start < middle < end:
                break
            start, end = (start, middle) if self._leads_down(middle) else (middle, end)
        return end

    def _leads_down(self, t: float) -> bool:
        held = self.problem.support[: self.weights] & ~self.problem.free[: self.weights]
        return bool(held.any()) and bool(downhill(self.problem, self._dense(t) * self.problem.free))

    def _arrived(self, x: Array, signs: Array) -> Array:
        """The point where weights came to 0: they are held there, or go on to the other side."""
        x = x.copy()
        zero = self.problem.free[: self.weights] & (np.abs(x[: self.weights]) <= _AT_ZERO * (1 + np.abs(x).max()))
        x[: self.weights][zero] = 0
        left, right = self._sides(x)
        on = zero & ((left > 0) | (right < 0))
        x[: self.weights][on] = -_NUDGE * signs[on]
        self.problem.free[: self.weights] &= ~(zero & ~on)
        return x

    def _sides(self, x: Array) -> tuple[Array, Array]:
        """The slopes by every weight to the left and to the right."""
        slope = self.problem.objective.gradient(x)[: self.weights]
        left, right = slope.copy(), slope.copy()
        for penalty in self.problem.objective.penalties:
            if penalty.kinked:
                below, above = (side.ravel() for side in penalty.one_sided(self.problem.objective.parameters(x)[0]))
                left += (below - above) / 2
                right += (above - below) / 2
        return left, right

    def _let_go(self, x: Array) -> Array:
        """The point with the held weights that lead down moved a little that way, and free."""
        for v in downhill(self.problem, x):
            x = x.copy()
            x[: self.weights] += _NUDGE * v / np.abs(v).max()
            self.problem.free[np.flatnonzero(v)] = True
        return x
