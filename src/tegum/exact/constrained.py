"""Minimising under inequalities: sequential quadratic programmes, then Newton's method on the conditions at their end.

SciPy's SLSQP finds which inequalities are active (`tegum.exact.conditions`); with those as equations Newton's method solves

    [ H  -J^T ] [ dx      ]     [ J^T lambda - grad f ]
    [ J    0  ] [ dlambda ]  =  [ -s                  ]        H = second derivatives of f - lambda . s

Where the linearised inequalities leave no room, as where three lines in a plane have to keep 60 degrees, SLSQP gets lost and an
augmented Lagrangian takes its place.

Sources: Kraft, "A software package for sequential quadratic programming" (1988); Nocedal and Wright, "Numerical Optimization",
chapters 17 and 18.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.exact.conditions import ACTIVE, FEASIBLE, STRONG, Array, Constrained, Lagrangian, Multipliers, programmed
from tegum.exact.cone import NUDGE, certified, grown, zero_columns
from tegum.exact.constraints import Coherence
from tegum.exact.hessian import Curvature

_ROUNDS, _NEWTON_STEPS, _HALVINGS = 6, 20, 12
_VANISHING, _NOTHING = 1e-2, 1e-5
_ROOM = 1e-6
_RHO, _TIGHTER, _OUTER = 1.0, 4.0, 10
_RANK = 1e-9


class Ended(NamedTuple):
    """Where a constrained descent ended."""

    x: Array
    free: NDArray[np.bool_]
    multipliers: Multipliers
    steps: int
    evaluations: int


def descended(problem: Constrained, x: Array, tolerance: float, most_steps: int) -> Ended:
    """A point that fulfils the conditions to ``tolerance``, or as near as these rounds come, downhill from x.

    More columns than fit under a cap on coherence would shrink without end: the smallest of x are held at 0, until they fit.
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
        if problem.capped:
            if not _spread(problem, start):
                continue
            _turn_round(problem, start, columns)
        end, more = _settled(problem, start, tolerance, most_steps - steps)
        steps += more
        norms = np.linalg.norm(end[columns], axis=0)[problem.free[columns].any(axis=0)]
        if steps >= most_steps or not problem.capped or not (norms < _VANISHING * max(norms.max(initial=0), _VANISHING)).any():
            break
    return Ended(end, problem.free, problem.multipliers(end), steps, problem.evaluations)


def _turn_round(problem: Constrained, x: Array, columns: NDArray[np.int64]) -> None:
    """Turns columns of x round, one by one, as long as that lowers the objective: under a cap they cannot turn later."""
    lowest, turned = problem(x)[0], True
    while turned:
        turned = False
        for column in columns.T:
            x[column] *= -1
            there = problem(x)[0]
            if there < lowest:
                lowest, turned = there, True
            else:
                x[column] *= -1


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

    found = programmed(excess, x[free], ftol=1e-16, maxiter=500)
    W = np.zeros(m * n)
    W[free] = found.x
    norms = np.linalg.norm(W.reshape(m, n), axis=0)
    x[: m * n] = (W.reshape(m, n) * (size / np.where(norms > 0, norms, 1))).ravel()
    return bool(found.fun <= _ROOM)


def _settled(problem: Constrained, x: Array, tolerance: float, most_steps: int) -> tuple[Array, int]:
    """Round after round from x: programmes or, where they got lost, the augmented Lagrangian; then Newton's method."""
    steps = 0
    for method in (_programmes, *[_augmented, _programmes] * (_ROUNDS // 2)):
        there, more = method(problem, x, tolerance, max(most_steps - steps, 1))
        steps += more
        free = problem.free.copy()
        there = _without_vanishing(problem, there, tolerance)
        there, more = polished(problem, there, tolerance)
        steps += more
        if _worse(problem, there, x):
            problem.free[:] = free
        else:
            x = there
        longer = grown(problem, x, tolerance)
        if longer is not None:
            x = longer
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

        found = programmed(value, x[free], ftol=1e-16, maxiter=most_steps)
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

    def inside(part: Array) -> tuple[Array, Array]:
        s, J = problem.slacks(whole(part))
        return s, J[:, free]

    limited = inside if problem.limits else None
    found = programmed(value, x[free], limited, maxiter=max(1, most_steps), ftol=tolerance**2)
    if not np.isfinite(found.x).all():
        return x, int(found.nit)
    return whole(found.x), int(found.nit)


def polished(problem: Constrained, x: Array, tolerance: float) -> tuple[Array, int]:
    """A point near x that fulfils the conditions, by Newton's method on what is active there, and its steps."""
    found = problem.multipliers(x)
    active, values = found.active[found.values > STRONG], found.values[found.values > STRONG]
    for step in range(_NEWTON_STEPS):
        lagrangian = Lagrangian(problem, active, values)
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
            pull = Lagrangian(problem, active, new).gradient(there)
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


def certified_end(problem: Constrained, end: Ended, tolerance: float, most_steps: int) -> tuple[Ended, Curvature, float]:
    """An end with its `certified` curvature; from a saddle that columns held at 0 have made it goes on downhill."""
    for _ in range(_ROUNDS):
        curvature, size = certified(problem, end.x, end.multipliers)
        zero = [column for column in zero_columns(problem, end.x) if np.abs(curvature.direction[column]).max() > ACTIVE]
        if not (curvature.value < -ACTIVE * size and zero) or end.steps >= most_steps:
            break
        for column in zero:
            problem.free[column] = True
        x, steps = _settled(problem, end.x + NUDGE * curvature.direction, tolerance, most_steps - end.steps)
        end = Ended(x, problem.free, problem.multipliers(x), end.steps + steps, problem.evaluations)
    return end, curvature, size
