"""An objective with inequalities for its weights, and the conditions of Karush, Kuhn and Tucker at a point.

    min f(x)  with  s(x) >= 0:        grad f = J^T lambda,  lambda >= 0,  lambda s = 0        J = ds/dx

The multipliers are those of least squares that are not negative (SciPy's ``nnls``), over the inequalities that are active.

Source: Nocedal and Wright, "Numerical Optimization", chapter 12.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
import scipy
from numpy.typing import NDArray

from tegum.exact.constraints import Coherence, Limit
from tegum.exact.objective import Objective
from tegum.exact.parameters import parameters_of
from tegum.nets import Net

Array = NDArray[np.float64]

ACTIVE = 1e-6
"""An inequality is active where its slack is at most this."""
STRONG = 1e-7
"""Multipliers above this hold a point to their inequality from both sides."""
FEASIBLE = 1e-9
"""By how much an inequality may be missed."""


class Multipliers(NamedTuple):
    """The conditions at a point: which inequalities are active, their multipliers, what is left of the gradient, the miss."""

    active: NDArray[np.int64]
    values: Array
    left: Array
    violation: float


def slacks_of(limits: Sequence[Limit], net: Net, x: Array, free: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Every s(x) (c,) and ds/dx (c, d); inequalities that nothing free has a part in count as fulfilled."""
    W = parameters_of(net, x)[0]
    found = [limit.slacks(W)[:2] for limit in limits]
    s = np.concatenate([np.zeros(0), *(slack for slack, _ in found)])
    J = np.concatenate([np.zeros((0, W.size)), *(by_W.reshape(-1, W.size) for _, by_W in found)])
    J = np.concatenate([J, np.zeros((len(J), x.size - W.size))], axis=1) * free
    return np.where(J.any(axis=1), s, np.maximum(s, 0)), J


def conditions(limits: Sequence[Limit], net: Net, x: Array, free: NDArray[np.bool_], gradient: Array) -> Multipliers:
    """The conditions at x, where the objective has a gradient (d,); its multipliers are those of least squares from 0 on."""
    s, J = slacks_of(limits, net, x, free)
    active = np.flatnonzero((s <= ACTIVE) & J.any(axis=1))
    values = scipy.optimize.nnls(J[active].T, gradient)[0] if active.size else np.zeros(0)
    return Multipliers(active, values, gradient - J[active].T @ values, max(0.0, -float(s.min(initial=0))))


@final
@dataclass(eq=False)
class Constrained:
    """An objective, the inequalities for its W, and which flat parameters (d,) are free; evaluations are counted."""

    objective: Objective
    limits: tuple[Limit, ...]
    free: NDArray[np.bool_]
    evaluations: int = 0

    def __post_init__(self) -> None:
        self.support, self.free = self.free, self.free.copy()

    @property
    def kinked(self) -> bool:
        """Whether the objective has kinks at weights of 0."""
        return any(penalty.kinked for penalty in self.objective.penalties)

    @property
    def capped(self) -> bool:
        """Whether coherence is limited."""
        return any(isinstance(limit, Coherence) for limit in self.limits)

    def __call__(self, x: Array) -> tuple[float, Array]:
        """The objective and its gradient by what is free, (d,)."""
        self.evaluations += 1
        value, gradient = self.objective(x * self.free)
        return value, gradient * self.free

    def slacks(self, x: Array) -> tuple[Array, Array]:
        """Every s(x) (c,) and ds/dx (c, d)."""
        return slacks_of(self.limits, self.objective.net, x, self.free)

    def multipliers(self, x: Array, gradient: Array | None = None) -> Multipliers:
        """The conditions at x; the multipliers are those of least squares that are not negative."""
        gradient = self(x)[1] if gradient is None else gradient
        return conditions(self.limits, self.objective.net, x, self.free, gradient)

    def limits_of(self, x: Array, found: Multipliers) -> Array:
        """By how much the objective falls per unit of each limit: sum lambda ds/dc, shape (limits,)."""
        W = self.objective.parameters(x)[0]
        slopes = [limit.slacks(W)[2] for limit in self.limits]
        first = np.cumsum([0, *(len(one) for one in slopes)])
        every = np.zeros(int(first[-1]))
        every[found.active] = found.values
        return np.array([every[a:e] @ one for a, e, one in zip(first, first[1:], slopes, strict=False)])


@final
@dataclass(frozen=True, eq=False)
class Lagrangian:
    """The function f - lambda . s, which is flat at a solution."""

    problem: Constrained
    active: NDArray[np.int64]
    values: Array

    def gradient(self, x: Array, /) -> Array:
        """The derivatives by x (d,)."""
        _, J = self.problem.slacks(x)
        return self.problem(x)[1] - J[self.active].T @ self.values

    def hessian(self, x: Array) -> Array:
        """Second derivatives: of the objective as it has them, of the inequalities by differences."""
        H = self.problem.objective.hessian(x) * np.outer(self.problem.free, self.problem.free)
        if not self.active.size:
            return H
        step = 1e-5
        for i in np.flatnonzero(self.problem.free):
            v = np.zeros(x.size)
            v[i] = step
            up, down = (self.problem.slacks(x + sign * v)[1][self.active].T @ self.values for sign in (1, -1))
            H[i] -= (up - down) / (2 * step)
        return (H + H.T) / 2


def programmed(value: Any, x: Array, inequalities: Any = None, bounds: Any = None, **options: float) -> Any:
    """What SciPy's SLSQP finds from x within ``bounds``; function and ``inequalities`` (c,) return values and derivatives."""
    told: Any = []
    if inequalities is not None:
        told = [{"type": "ineq", "fun": lambda v: inequalities(v)[0], "jac": lambda v: inequalities(v)[1]}]
    settings: Any = {"jac": True, "method": "SLSQP", "constraints": told, "bounds": bounds, "options": options}
    return scipy.optimize.minimize(value, x, **settings)
