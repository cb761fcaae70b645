"""Where constraints leave directions to one side only: columns of 0 that may grow, and inequalities with a multiplier of 0.

A column of 0 is coherent with none: it may grow along v where |<v, W_j>| <= c |v| |W_j| for every other column, which is no
convex cone.  It does, where the gradient pulls that way.  At a critical point the curvature of v counts where v is allowed:

    min  v . H v / |v|^2    over v in the tangent space, in the cones, and with  J v >= 0  for inequalities of multiplier 0

and is sought from several starts, after the whole space, where there is no more to do if nothing in it curves down.

Source: Nocedal and Wright, "Numerical Optimization", section 12.5, for the critical cone.
"""

import numpy as np
import scipy
from numpy.typing import NDArray

from tegum.exact.conditions import ACTIVE, STRONG, Array, Constrained, Lagrangian, Multipliers, programmed, slacks_of
from tegum.exact.constraints import Coherence
from tegum.exact.hessian import Curvature, smallest_curvature, still_directions

_CONE_STARTS = 4
NUDGE = 1e-2
"""How far a point moves along a direction that leads down."""


def zero_columns(problem: Constrained, x: Array) -> list[NDArray[np.int64]]:
    """Of every column of 0 that could grow into more than one cone, where its entries lie in x."""
    if not problem.capped:
        return []
    m, n = problem.objective.net.n_hidden, problem.objective.net.n_features
    columns = [np.arange(m) * n + column for column in range(n)]
    return [column[problem.support[column]] for column in columns if not x[column].any() and problem.support[column].any()]


def _cone(problem: Constrained, x: Array, v: Array, columns: list[NDArray[np.int64]]) -> tuple[Array, Array]:
    """What has to be at least 0 for columns of 0 to be able to grow along v (c,), and its derivatives by v (c, d)."""
    beside, moving = x.copy(), np.zeros(x.size, dtype=bool)
    for column in columns:
        beside[column] = v[column]
        moving[column] = True
    caps = [limit for limit in problem.limits if isinstance(limit, Coherence)]
    return slacks_of(caps, problem.objective.net, beside, moving)


def grown(problem: Constrained, x: Array, tolerance: float) -> Array | None:
    """The point with a column of 0 made a little longer, where that lowers the objective; it is free from then on."""
    gradient = problem.objective.gradient(x)
    generator = np.random.default_rng(0)
    for column in zero_columns(problem, x):
        pull = gradient[column]
        if np.linalg.norm(pull) <= tolerance:
            continue

        def inside(part: Array, column: NDArray[np.int64] = column, x: Array = x) -> tuple[Array, Array]:
            v = np.zeros(x.size)
            v[column] = part
            s, J = _cone(problem, x, v, [column])
            return np.append(s, 1 - part @ part), np.vstack([J[:, column], -2 * part])

        for start in (-pull / np.linalg.norm(pull), *generator.normal(size=(_CONE_STARTS, column.size))):
            part = programmed(lambda v, pull=pull: (v @ pull, pull), start, inside).x
            if part @ pull < -tolerance and inside(part)[0].min() > -ACTIVE:
                x = x.copy()
                x[column] = NUDGE * part
                problem.free[column] = True
                return x
    return None


def certified(problem: Constrained, x: Array, found: Multipliers) -> tuple[Curvature, float]:
    """The smallest curvature along what the constraints allow, and the size of the Hessian.

    Where directions are allowed to one side only, it is that of all lines unless one curves down; then the cone is searched.
    """
    objective = problem.objective
    strong = found.values > STRONG
    lagrangian = Lagrangian(problem, found.active[strong], found.values[strong])
    _, J = problem.slacks(x)
    weak = J[found.active[~strong]]
    gradient = objective.gradient(x)
    zero = [column for column in zero_columns(problem, x) if np.abs(gradient[column]).max() <= ACTIVE]
    before = problem.free.copy()
    for column in zero:
        problem.free[column] = True
    turns = all(penalty.turns for penalty in objective.penalties)
    still = still_directions(objective.net, x, problem.free, turns)
    tangent = J[found.active[strong]]
    held = scipy.linalg.orth(
        np.concatenate([still, tangent / np.linalg.norm(tangent, axis=1, keepdims=True)]).T, rcond=ACTIVE
    ).T
    curvature = smallest_curvature(lagrangian, x, held)
    H = lagrangian.hessian(x)
    size = float(np.abs(H).max())
    if curvature.value < -ACTIVE * size and (len(weak) or zero):
        curvature = _least_allowed(problem, x, H, held, weak, zero, curvature)
    problem.free[:] = before
    return curvature, size


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

    def inside(v: Array) -> tuple[Array, Array]:
        v = rest @ v
        s, J = _cone(problem, x, v, zero)
        values = np.concatenate([weak @ v, s, [v @ v - 0.5, 2 - v @ v]])
        return values, np.vstack([weak, J, 2 * v, -2 * v]) @ rest

    best = Curvature(np.inf, known.error, known.direction)
    starts = [sign * vectors[:, k] for k in order[:_CONE_STARTS] for sign in (1, -1)]
    for start in (*starts, *np.random.default_rng(0).normal(size=(_CONE_STARTS, x.size))):
        v = programmed(quotient, start, inside).x
        if inside(v)[0].min() > -ACTIVE and quotient(v)[0] < best.value:
            best = Curvature(quotient(v)[0], known.error, rest @ v / np.linalg.norm(rest @ v))
    return best if np.isfinite(best.value) else known._replace(value=0.0)
