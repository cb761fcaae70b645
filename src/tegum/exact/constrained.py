"""Minimising under inequalities: sequential quadratic programmes, then Newton's method on the conditions of Karush, Kuhn and Tucker.

    min f(x)  with  s(x) >= 0:        grad f = J^T lambda,  lambda >= 0,  lambda s = 0        J = ds/dx

SciPy's SLSQP finds which inequalities are active; with those as equations Newton's method solves

    [ H  -J^T ] [ dx      ]     [ J^T lambda - grad f ]
    [ J    0  ] [ dlambda ]  =  [ -s                  ]        H = second derivatives of f - lambda . s

A *minimum* has no direction that curves down along the active inequalities; those with a multiplier of 0 may be left to one side.
A column of 0 is coherent with none, so that it may grow towards some sides only: these are searched as well.

Sources: Kraft, "A software package for sequential quadratic programming" (1988); Nocedal and Wright, "Numerical Optimization",
chapters 12 and 18.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orth
from scipy.optimize import minimize, nnls

from tegum.exact.constraints import Coherence, Limit
from tegum.exact.hessian import Curvature, smallest_curvature, still_directions
from tegum.exact.objective import Objective, parameters_of
from tegum.nets import Net

Array = NDArray[np.float64]

_ACTIVE, _STRONG = 1e-6, 1e-7
FEASIBLE = 1e-9
_ROUNDS, _NEWTON_STEPS, _HALVINGS = 6, 20, 12
_VANISHING, _NOTHING = 1e-2, 1e-5
_ROOM = 1e-6
_RHO, _TIGHTER, _OUTER = 1.0, 4.0, 10
_RANK = 1e-9
_CONE_STARTS = 4
_NUDGE = 1e-2


class Multipliers(NamedTuple):
    """The conditions at a point: which inequalities are active, their multipliers, what is left of the gradient, the violation."""

    active: NDArray[np.int64]
    values: Array
    left: Array
    violation: float


class Ended(NamedTuple):
    """Where a constrained descent ended."""

    x: Array
    free: NDArray[np.bool_]
    multipliers: Multipliers
    steps: int
    evaluations: int


def _slacks(limits: Sequence[Limit], net: Net, x: Array, free: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Every s(x) (c,) and ds/dx (c, d); inequalities that nothing free has a part in count as fulfilled."""
    W, b = parameters_of(net, x)
    found = [limit.slacks(W)[:2] for limit in limits]
    s = np.concatenate([np.zeros(0), *(slack for slack, _ in found)])
    J = np.concatenate([np.zeros((0, W.size)), *(by_W.reshape(-1, W.size) for _, by_W in found)])
    J = np.concatenate([J, np.zeros((len(J), b.size))], axis=1) * free
    return np.where(J.any(axis=1), s, np.maximum(s, 0)), J


def conditions(limits: Sequence[Limit], net: Net, x: Array, free: NDArray[np.bool_], gradient: Array) -> Multipliers:
    """The conditions at x, where the objective has a gradient (d,): with the multipliers of least squares that are not negative."""
    s, J = _slacks(limits, net, x, free)
    active = np.flatnonzero((s <= _ACTIVE) & J.any(axis=1))
    values = nnls(J[active].T, gradient)[0] if active.size else np.zeros(0)
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
    def capped(self) -> bool:
        """Whether coherence is limited."""
        return any(isinstance(limit, Coherence) for limit in self.limits)

    def __call__(self, x: Array) -> tuple[float, Array]:
        """The objective and its gradient by what is free, (d,)."""
        self.evaluations += 1
        value, gradient = self.objective(x)
        return value, gradient * self.free

    def slacks(self, x: Array) -> tuple[Array, Array]:
        """Every s(x) (c,) and ds/dx (c, d)."""
        return _slacks(self.limits, self.objective.net, x, self.free)

    def multipliers(self, x: Array, gradient: Array | None = None) -> Multipliers:
        """The conditions at x; the multipliers are those of least squares that are not negative."""
        gradient = self(x)[1] if gradient is None else gradient
        return conditions(self.limits, self.objective.net, x, self.free, gradient)

    def limits_of(self, x: Array, found: Multipliers) -> Array:
        """By how much the objective falls per unit of each limit: sum lambda ds/dc, shape (limits,)."""
        W, _ = self.objective.parameters(x)
        slopes = [limit.slacks(W)[2] for limit in self.limits]
        first = np.cumsum([0, *(len(one) for one in slopes)])
        every = np.zeros(int(first[-1]))
        every[found.active] = found.values
        return np.array([every[a:e] @ one for a, e, one in zip(first, first[1:], slopes, strict=False)])


@final
@dataclass(frozen=True, eq=False)
class _Lagrangian:
    """The function f - lambda . s, which is flat at a solution."""

    problem: Constrained
    active: NDArray[np.int64]
    values: Array

    def gradient(self, x: Array, /) -> Array:
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


def descended(problem: Constrained, x: Array, tolerance: float, most_steps: int) -> Ended:
    """A point that fulfils the conditions to ``tolerance``, or as near as these rounds come, downhill from x.

    More columns than fit under a cap on coherence would shrink without end: then the smallest of x is held at 0, until they fit.
    """
    m, n = problem.objective.net.n_hidden, problem.objective.net.n_features
    columns = np.arange(m * n).reshape(m, n)
    smallest = np.linalg.norm(x[columns], axis=0).argsort()
    steps, end = 0, x
    for held in range(n if problem.capped else 1):
        problem.free[:] = problem.support
        start = x.copy()
        start[columns[:, smallest[:held]]] = 0
        problem.free[columns[:, smallest[:held]]] = False
        if problem.capped and not _spread(problem, start):
            continue
        end, more = _settled(problem, start, tolerance, most_steps - steps)
        steps += more
        norms = np.linalg.norm(end[columns], axis=0)[problem.free[columns].any(axis=0)]
        if steps >= most_steps or not problem.capped or not (norms < _VANISHING * max(norms.max(initial=0), _VANISHING)).any():
            break
    return Ended(end, problem.free, problem.multipliers(end), steps, problem.evaluations)


def _spread(problem: Constrained, x: Array) -> bool:
    """Whether the free columns of x find room under the cap; x becomes the nearest such point that descending finds."""
    m, n = problem.objective.net.n_hidden, problem.objective.net.n_features
    size = np.linalg.norm(x[: m * n].reshape(m, n), axis=0)
    cap = min(limit.limit for limit in problem.limits if isinstance(limit, Coherence))
    free = np.flatnonzero(problem.free[: m * n])

    def excess(part: Array) -> tuple[float, Array]:
        W = np.zeros(m * n)
        W[free] = part
        norms = np.linalg.norm(W.reshape(m, n), axis=0)
        U = W.reshape(m, n) / np.where(norms > 0, norms, 1)
        G = U.T @ U
        np.fill_diagonal(G, 0)
        over = np.maximum(np.abs(G) - cap, 0)
        by_U = 4 * U @ (over * np.sign(G))
        by_W = (by_U - U * (U * by_U).sum(axis=0)) / np.where(norms > 0, norms, 1)
        return float((over**2).sum()), by_W.ravel()[free]

    found = minimize(excess, x[free], jac=True, method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-9})
    W = np.zeros(m * n)
    W[free] = found.x
    norms = np.linalg.norm(W.reshape(m, n), axis=0)
    x[: m * n] = (W.reshape(m, n) * (size / np.where(norms > 0, norms, 1))).ravel()
    return bool(found.fun <= _ROOM)


def _settled(problem: Constrained, x: Array, tolerance: float, most_steps: int) -> tuple[Array, int]:
    """Round after round from x: programmes, or where they got lost the augmented Lagrangian, columns that vanish, Newton's method."""
    steps = 0
    for method in (_programmes, *[_augmented, _programmes] * (_ROUNDS // 2)):
        there, more = method(problem, x, tolerance, max(most_steps - steps, 1))
        steps += more
        there = _without_vanishing(problem, there, tolerance)
        there, more = polished(problem, there, tolerance)
        steps += more
        if not _worse(problem, there, x):
            x = there
        grown = _grown(problem, x, tolerance)
        if grown is not None:
            x = grown
        elif _solved(problem, x, tolerance) or steps >= most_steps:
            break
    return x, steps


def _worse(problem: Constrained, x: Array, before: Array) -> bool:
    """Whether x is further outside than a point before, or as far outside and higher."""
    outside, was = (max(problem.multipliers(point).violation, 10 * FEASIBLE) for point in (x, before))
    higher = problem.objective.loss(x) > problem.objective.loss(before)
    return not outside <= was or (outside == was and higher)


def _augmented(problem: Constrained, x: Array, tolerance: float, most_steps: int) -> tuple[Array, int]:
    """The augmented Lagrangian from x: f + sum r(lambda / rho - s)^2 rho / 2, lambda from one minimum to the next."""
    free = np.flatnonzero(problem.free)
    values, rho, steps = np.zeros(len(problem.slacks(x)[0])), _RHO, 0
    for _ in range(_OUTER):

        def value(part: Array, x: Array = x, values: Array = values, rho: float = rho) -> tuple[float, Array]:
            full = x.copy()
            full[free] = part
            found, gradient = problem(full)
            s, J = problem.slacks(full)
            over = np.maximum(values - rho * s, 0)
            return found + float((over**2).sum()) / (2 * rho), (gradient - J.T @ over)[free]

        found = minimize(
            value, x[free], jac=True, method="L-BFGS-B", options={"gtol": tolerance, "ftol": 1e-15, "maxiter": most_steps}
        )
        x, steps = x.copy(), steps + int(found.nit)
        x[free] = found.x
        s, _ = problem.slacks(x)
        values = np.maximum(values - rho * s, 0)
        if _solved(problem, x, tolerance) or steps >= most_steps:
            break
        rho *= _TIGHTER
    return x, steps


def _solved(problem: Constrained, x: Array, tolerance: float) -> bool:
    found = problem.multipliers(x)
    return float(np.linalg.norm(found.left)) <= tolerance and found.violation <= FEASIBLE


def _programmes(problem: Constrained, x: Array, tolerance: float, most_steps: int) -> tuple[Array, int]:
    """SLSQP from x over what is free."""
    free = np.flatnonzero(problem.free)

    def whole(part: Array) -> Array:
        full = x.copy()
        full[free] = part
        return full

    def value(part: Array) -> tuple[float, Array]:
        found, gradient = problem(whole(part))
        return found, gradient[free]

    inequalities: list[dict[str, Any]] = []
    if problem.limits:
        inequalities = [
            {
                "type": "ineq",
                "fun": lambda part: problem.slacks(whole(part))[0],
                "jac": lambda part: problem.slacks(whole(part))[1][:, free],
            }
        ]
    options = {"maxiter": max(1, most_steps), "ftol": tolerance**2}
    found = minimize(value, x[free], jac=True, method="SLSQP", constraints=inequalities, options=options)
    if not np.isfinite(found.x).all():
        return x, int(found.nit)
    return whole(found.x), int(found.nit)


def polished(problem: Constrained, x: Array, tolerance: float) -> tuple[Array, int]:
    """A point near x that fulfils the conditions, by Newton's method on what is active there, and its steps."""
    found = problem.multipliers(x)
    active, values = found.active[found.values > _STRONG], found.values[found.values > _STRONG]
    for step in range(_NEWTON_STEPS):
        lagrangian = _Lagrangian(problem, active, values)
        s, J = problem.slacks(x)
        left = lagrangian.gradient(x)
        size = float(np.hypot(np.linalg.norm(left), np.linalg.norm(s[active])))
        missed = np.setdiff1d(np.flatnonzero((s < -FEASIBLE) & J.any(axis=1)), active)
        if missed.size:
            active, values = np.concatenate([active, missed]), np.concatenate([values, np.zeros(missed.size)])
            continue
        if size <= tolerance / 10:
            return x, step
        A = J[active]
        K = np.block([[lagrangian.hessian(x), -A.T], [A, np.zeros((len(A), len(A)))]])
        move = np.linalg.lstsq(K, np.concatenate([-left, -s[active]]), rcond=_RANK)[0]
        move[: x.size] *= problem.free
        for k in range(_HALVINGS):
            share = 0.5**k
            there, new = x + share * move[: x.size], values + share * move[x.size :]
            pull = _Lagrangian(problem, active, new).gradient(there)
            after = float(np.hypot(np.linalg.norm(pull), np.linalg.norm(problem.slacks(there)[0][active])))
            if after < size:
                break
        else:
            return x, step
        x, kept = there, new > 0
        active, values = active[kept], new[kept]
    return x, _NEWTON_STEPS


def _without_vanishing(problem: Constrained, x: Array, tolerance: float) -> Array:
    """The point, its smallest columns held at 0 one after the other where that costs nothing."""
    if not problem.capped:
        return x
    m, n = problem.objective.net.n_hidden, problem.objective.net.n_features
    while True:
        norms = np.linalg.norm(x[: m * n].reshape(m, n), axis=0)
        free = problem.free[: m * n].reshape(m, n).any(axis=0)
        small = np.flatnonzero(free & (norms < _VANISHING * norms.max(initial=0)))
        if not small.size:
            return x
        column = int(small[norms[small].argmin()])
        before, free_before = x, problem.free.copy()
        problem.free[np.arange(m) * n + column] = False
        x = x.copy()
        x[np.arange(m) * n + column] = 0
        if norms[column] > _NOTHING:
            x, _ = _programmes(problem, x, tolerance, 200)
        if norms[column] > _NOTHING and problem.objective.loss(x) > problem.objective.loss(before) + tolerance:
            problem.free[:] = free_before
            return before


def _zero_columns(problem: Constrained, x: Array) -> list[NDArray[np.int64]]:
    """Of every column of 0 that could grow into more than one cone, where its entries lie in x."""
    if not problem.capped:
        return []
    m, n = problem.objective.net.n_hidden, problem.objective.net.n_features
    columns = [np.arange(m) * n + column for column in range(n)]
    return [column[problem.support[column]] for column in columns if not x[column].any() and problem.support[column].any()]


def _cone(problem: Constrained, x: Array, v: Array, columns: list[NDArray[np.int64]]) -> Array:
    """What has to be at least 0 for columns of 0 to be able to grow along v."""
    beside = x.copy()
    for column in columns:
        beside[column] = v[column]
    W, _ = problem.objective.parameters(beside)
    return np.concatenate([limit.slacks(W)[0] for limit in problem.limits if isinstance(limit, Coherence)])


def _grown(problem: Constrained, x: Array, tolerance: float) -> Array | None:
    """The point with a column of 0 made a little longer, where that lowers the objective; it is free from then on."""
    gradient = problem.objective.gradient(x)
    generator = np.random.default_rng(0)
    for column in _zero_columns(problem, x):
        pull = gradient[column]
        if np.linalg.norm(pull) <= tolerance:
            continue

        def inside(part: Array, column: NDArray[np.int64] = column) -> Array:
            v = np.zeros(x.size)
            v[column] = part
            return np.append(_cone(problem, x, v, [column]), 1 - part @ part)

        inequality = {"type": "ineq", "fun": inside}
        for start in (-pull / np.linalg.norm(pull), *generator.normal(size=(_CONE_STARTS, column.size))):
            part = minimize(lambda v: v @ pull, start, jac=lambda _: pull, method="SLSQP", constraints=[inequality]).x  # noqa: B023
            if part @ pull < -tolerance and inside(part).min() > -_ACTIVE:
                x = x.copy()
                x[column] = _NUDGE * part
                problem.free[column] = True
                return x
    return None


def certified(problem: Constrained, x: Array, found: Multipliers) -> tuple[Curvature, float]:
    """The smallest curvature along what the constraints allow, and the size of the Hessian.

    Where directions are allowed to one side only, it is that of all lines unless one of these curves down; then the cone is searched.
    """
    objective = problem.objective
    strong = found.values > _STRONG
    lagrangian = _Lagrangian(problem, found.active[strong], found.values[strong])
    _, J = problem.slacks(x)
    weak = J[found.active[~strong]]
    gradient = objective.gradient(x)
    zero = [column for column in _zero_columns(problem, x) if np.abs(gradient[column]).max() <= _ACTIVE]
    before = problem.free.copy()
    for column in zero:
        problem.free[column] = True
    turns = all(penalty.turns for penalty in objective.penalties)
    still = still_directions(objective.parameters(x)[0], problem.free, turns)
    tangent = J[found.active[strong]]
    held = orth(np.concatenate([still, tangent / np.linalg.norm(tangent, axis=1, keepdims=True)]).T, rcond=_ACTIVE).T
    curvature = smallest_curvature(lagrangian, x, held)
    H = lagrangian.hessian(x)
    size = float(np.abs(H).max())
    if curvature.value < -_ACTIVE * size and (len(weak) or zero):
        curvature = _least_allowed(problem, x, H, held, weak, zero, curvature)
    problem.free[:] = before
    return curvature, size


def certified_end(problem: Constrained, end: Ended, tolerance: float, most_steps: int) -> tuple[Ended, Curvature, float]:
    """An end with its `certified` curvature; from a saddle that columns held at 0 have made it goes on downhill."""
    for _ in range(_ROUNDS):
        curvature, size = certified(problem, end.x, end.multipliers)
        zero = [column for column in _zero_columns(problem, end.x) if np.abs(curvature.direction[column]).max() > _ACTIVE]
        if not (curvature.value < -_ACTIVE * size and zero) or end.steps >= most_steps:
            break
        for column in zero:
            problem.free[column] = True
        x, steps = _settled(problem, end.x + _NUDGE * curvature.direction, tolerance, most_steps - end.steps)
        end = Ended(x, problem.free, problem.multipliers(x), end.steps + steps, problem.evaluations)
    return end, curvature, size


def _least_allowed(
    problem: Constrained, x: Array, H: Array, held: Array, weak: Array, zero: list[NDArray[np.int64]], known: Curvature
) -> Curvature:
    """The smallest curvature of a direction beyond those held that inequalities with multiplier 0 and columns of 0 allow."""
    rest = np.eye(x.size) - held.T @ held
    values, vectors = np.linalg.eigh(rest @ H @ rest)
    order = np.argsort(values)

    def quotient(v: Array) -> tuple[float, Array]:
        v, length = rest @ v, max(float(np.linalg.norm(rest @ v)), 1e-12)
        pulled = rest @ (H @ v)
        value = float(v @ pulled) / length**2
        return value, 2 * (pulled - value * v) / length**2

    def inside(v: Array) -> Array:
        v = rest @ v
        return np.concatenate([weak @ v, _cone(problem, x, v, zero) if zero else np.zeros(0), [v @ v - 0.5, 2 - v @ v]])

    best = Curvature(np.inf, known.error, known.direction)
    starts = [sign * vectors[:, k] for k in order[:_CONE_STARTS] for sign in (1, -1)]
    for start in (*starts, *np.random.default_rng(0).normal(size=(_CONE_STARTS, x.size))):
        v = minimize(quotient, start, jac=True, method="SLSQP", constraints=[{"type": "ineq", "fun": inside}]).x
        if inside(v).min() > -_ACTIVE and quotient(v)[0] < best.value:
            best = Curvature(quotient(v)[0], known.error, rest @ v / np.linalg.norm(rest @ v))
    return best if np.isfinite(best.value) else known._replace(value=0.0)
