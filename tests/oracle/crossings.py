"""Sums of squared monomials, whose learning coefficients and multiplicities are known, in the place of a model's loss.

    L(w) = sum_k prod_i w_i^(2 a_ki)

The kernel's functions are compiled again, with this loss in the place of a model's.
"""

from types import FunctionType
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from tegum.posterior.kernel import volumes as kernel
from tegum.posterior.kernel.randomness import stream_for
from tegum.posterior.kernel.volumes import group_for

WIDTH = 0.25
_AGAIN = ("_excess", "fill_ball", "_other", "_remove", "_aim", "move", "sink")


def _loss(exponents: Any, at: Any, gradient: Any) -> float:
    total = 0.0
    for k in range(exponents.shape[0]):
        term = 1.0
        for i in range(exponents.shape[1]):
            for _ in range(exponents[k, i]):
                term *= at[i] * at[i]
        total += term
    return total


def _compiled_again() -> dict[str, Any]:
    scope = dict(vars(kernel))
    scope["loss_of"] = numba.njit(_loss)
    for name in _AGAIN:
        function = getattr(vars(kernel)[name], "py_func", vars(kernel)[name])
        scope[name] = numba.njit(nogil=True, error_model="numpy")(FunctionType(function.__code__, scope))
    return scope


_KERNEL = _compiled_again()


def deaths_of(
    exponents: list[list[int]], lowest: float = 1e-30, groups: int = 8, points: int = 64, moves: int = 20, seed: int = 0
) -> tuple[NDArray[np.int64], int, NDArray[np.float64]]:
    """Deaths (groups, bins) in the unit ball by log(1/eps) in bins that all groups went through, points, and edges of bins."""
    a = np.array(exponents)
    edges = np.arange(-10.0, -np.log(lowest), WIDTH)
    deaths = np.zeros((groups, len(edges)), dtype=np.int64)
    for g in range(groups):
        group = group_for(points, np.zeros(1, dtype=np.int64), np.zeros(a.shape[1]), np.zeros((0, a.shape[1])), 1.0)
        group.stream[:] = stream_for("crossings", seed, g)
        _KERNEL["fill_ball"](a, group)
        _KERNEL["sink"](a, group, lowest, moves, deaths[g], edges[0], WIDTH)
    first = int(np.flatnonzero(deaths.all(axis=0))[0]) + 1
    return deaths[:, first:-1], points, edges[first:]
