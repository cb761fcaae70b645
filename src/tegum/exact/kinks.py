"""Minimising where the objective has kinks at weights of 0: from one orthant to the next.

A penalty such as `tegum.exact.L1` is smooth as long as no weight changes its sign.  So weights keep their signs, and those that
come to 0 are held there, until the slope away from 0 leads down to one side,

    d/dw to the right < 0      or      d/dw to the left > 0

alone or for several weights of a unit, whose kinks are weaker together than alone: |u x_1 + v x_2| <= |u| x_1 + |v| x_2.
A point where nothing leads down and what is free has no gradient is a minimum if it curves up along what is free: every other
direction rises at once.

`tegum.exact.follow` asks the same of every point of a branch.

Source: Andrew and Gao, "Scalable training of L1-regularized log-linear models" (2007), for descending in orthants.
"""

import numpy as np
from numpy.typing import NDArray

from tegum.exact.conditions import Array, Constrained, programmed
from tegum.exact.constrained import Ended, polished

_ROUNDS, _TURNS = 60, 20
_ZERO, _RELEASED = 1e-10, 1e-7
_BESIDE = 1e-8
_FIRST_STEP, _HALVINGS = 0.2, 30


def descended_beside_kinks(problem: Constrained, x: Array, tolerance: float, most_steps: int) -> Ended:
    """A point downhill from x, from which nothing leads down unless the steps ended, as `constrained.descended` returns it."""
    weights = problem.objective.net.n_hidden * problem.objective.net.n_features
    problem.free[:] = problem.support
    problem.free[:weights] &= x[:weights] != 0
    x, steps = x * problem.free, 0
    for _ in range(_ROUNDS):
        x, more = _in_its_orthant(problem, x, weights, tolerance, most_steps - steps)
        steps += more
        further = None if steps >= most_steps else _released(problem, x, weights)
        if further is None:
            break
        x = further
    return Ended(x, problem.free, problem.multipliers(x), steps, problem.evaluations)


def _in_its_orthant(problem: Constrained, x: Array, weights: int, tolerance: float, most_steps: int) -> tuple[Array, int]:
    """The lowest point near x in which no weight has changed its sign, and the steps; weights of 0 are held from then on."""
    steps = 0
    while True:
        free = np.flatnonzero(problem.free)
        if not free.size:
            return x, steps
        sign = np.where(free < weights, np.sign(x[free]), 0)
        bounds = [(0 if s > 0 else None, 0 if s < 0 else None) for s in sign]

        def value(part: Array, free: NDArray[np.int64] = free, x: Array = x) -> tuple[float, Array]:
            full = x.copy()
            full[free] = part
            found, gradient = problem(full)
            return found, gradient[free]

        found = programmed(value, x[free], bounds=bounds, maxiter=max(1, most_steps - steps), ftol=tolerance**2)
        steps += int(found.nit)
        if np.isfinite(found.x).all() and found.fun <= problem(x)[0]:
            x = x.copy()
            x[free] = found.x
        if not _hold_zeros(problem, x, weights):
            there, more = polished(problem, x, tolerance)
            steps += more
            crossing = np.sign(there[:weights]) != np.sign(x[:weights])
            if not crossing.any():
                return there, steps
            x[:weights][crossing] = 0
            _hold_zeros(problem, x, weights)
        if steps >= most_steps:
            return x, steps


def _hold_zeros(problem: Constrained, x: Array, weights: int) -> bool:
    """Holds the free weights of x that are 0; whether there were any."""
    gone = problem.free[:weights] & (np.abs(x[:weights]) <= _ZERO)
    problem.free[:weights] &= ~gone
    x[:weights][gone] = 0
    return bool(gone.any())


def _released(problem: Constrained, x: Array, weights: int) -> Array | None:
    """A lower point beside x where weights that were held at 0 are free, None where there is none."""
    for v in downhill(problem, x):
        step = np.zeros(x.size)
        step[:weights] = _FIRST_STEP * v / np.linalg.norm(v)
        before = problem.objective.loss(x)
        for _ in range(_HALVINGS):
            if problem.objective.loss(x + step) < before:
                problem.free[np.flatnonzero(step)] = True
                return x + step
            step /= 2
    return None


def downhill(problem: Constrained, x: Array) -> list[Array]:
    """Directions (m n,) in which weights that are held at 0 lead down from x."""
    weights = problem.objective.net.n_hidden * problem.objective.net.n_features
    slope = problem.objective.gradient(x)[:weights]
    W, _ = problem.objective.parameters(x)
    below, above = slope.copy(), slope.copy()
    for penalty in problem.objective.penalties:
        if penalty.kinked:
            sides = penalty.one_sided(W)
            middle = sum(sides) / 2
            below += (sides[0] - middle).ravel()
            above += (sides[1] - middle).ravel()
    held = problem.support[:weights] & ~problem.free[:weights]
    alone = np.where(above < -_RELEASED, -above, np.where(below > _RELEASED, -below, 0)) * held
    return [alone] if alone.any() else _together(problem, x, held, slope)


def _together(problem: Constrained, x: Array, held: NDArray[np.bool_], slope: Array) -> list[Array]:
    """Directions in which several held weights of one hidden unit lead down together.

    Next to x, on the side of v, the gradient is an ordinary one, g(v), and the slope along v is g(v) . v.  Of all v of one
    length it is least where v = -g(v); a few steps towards that are made.
    """
    n = problem.objective.net.n_features
    found = []
    for k in range(held.size // n):
        row = np.zeros(held.size, dtype=bool)
        row[k * n : (k + 1) * n] = held[k * n : (k + 1) * n]
        v = np.where(row, -slope, 0.0)
        if row.sum() < 2 or not np.linalg.norm(v) > _RELEASED:
            continue
        for _ in range(_TURNS):
            beside = x.copy()
            beside[: held.size] += _BESIDE * v / max(float(np.linalg.norm(v)), _RELEASED)
            gradient = np.where(row, problem.objective.gradient(beside)[: held.size], 0.0)
            if gradient @ v < -_RELEASED * np.linalg.norm(v):
                found.append(v)
                break
            v = (v - gradient) / 2
    return found
