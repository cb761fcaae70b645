"""The expected loss as a sum over how many features are on, each part computed without a sample.

    L = sum_k p^k (1 - p)^(n - k) L_k,          L_k = sum over sets A of k features  E[loss | exactly A is on]

L_0 = sum_j I_j ReLU(b_j)^2; L_1 has a closed form (`losses_one_active`); the others are expected losses of worlds in which the
features of A are always on and all others never, 2^n of them.

Example: four features as two digons, W = [[1, -1, 0, 0], [0, 0, 1, -1]] without bias, have L_0 = L_1 = 0 and L_2 = 2/3.

Source: section 2.2 of `Toy Models of Superposition`.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tegum.errors import InvalidInputError
from tegum.exact import loss
from tegum.features import Independent
from tegum.theory.one_active import losses_one_active

MOST_FEATURES = 14
_TOL = 1e-10


def losses_by_count(W: NDArray[np.floating], b: NDArray[np.floating], features: Independent) -> NDArray[np.float64]:
    """L_0 to L_n of one model y = ReLU(W^T W x + b), shape (n + 1,); importance and magnitudes are the features'.

    Args:
        W: (m, n).
        b: (n,).
        features: the world; its density plays no part.

    Raises:
        InvalidInputError: for more than 14 features, whose sets are too many.
    """
    n = W.shape[-1]
    if n > MOST_FEATURES:
        raise InvalidInputError(f"W has {n} features", f"give at most {MOST_FEATURES}: every set of them is computed")
    sets = [A for k in range(n + 1) for A in combinations(range(n), k)]
    on = np.array([[float(i in A) for i in range(n)] for A in sets])
    each = loss(W, b, features.replaced(density=on), tol=_TOL)
    return np.asarray(np.bincount([len(A) for A in sets], weights=each), dtype=np.float64)


def shares_by_count(L: NDArray[np.floating], density: NDArray[np.floating]) -> NDArray[np.float64]:
    """p^k (1 - p)^(n - k) L_k for every k, shape (..., n + 1): the parts that sum to the expected loss.

    Args:
        L: (n + 1,), from `losses_by_count`.
        density: (...), the same for every feature.
    """
    p, k = np.asarray(density, dtype=np.float64)[..., None], np.arange(len(L))
    return np.asarray(p**k * (1 - p) ** (len(L) - 1 - k) * L)


def regular_polygon(sides: int, norm: float = 1.0) -> NDArray[np.float64]:
    """W (2, k) of k features evenly around a circle."""
    angles = 2 * np.pi * np.arange(sides) / sides
    return norm * np.stack([np.cos(angles), np.sin(angles)])


def polygon_loss(sides: int, norm: float, bias: float) -> float:
    """L_1 per feature of a regular polygon: the loss given that one of its features is on."""
    W = regular_polygon(sides, norm)
    return float(losses_one_active(W.T @ W, np.full(sides, bias), np.ones(sides))[0])


def best_polygon(sides: int) -> tuple[float, float, float]:
    """The lowest L_1 per feature of a regular polygon of ``sides`` features without positive bias, its norm and its bias.

    A bias above 0 costs n ReLU(b)^2 whenever nothing is on, which is nearly always in the limit that L_1 describes.
    """

    def of_two(x: NDArray[np.float64]) -> float:
        return polygon_loss(sides, float(np.exp(x[0])), -float(np.exp(x[1])))

    starts = [(np.log(1 + 0.1 * k), np.log(0.05 + 0.25 * k)) for k in range(5)]
    ends = [
        minimize(of_two, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 4000})
        for start in starts
    ]
    lowest = min(ends, key=lambda end: float(end.fun))
    unbiased = polygon_loss(sides, 1.0, 0.0)
    if unbiased <= float(lowest.fun):
        return unbiased, 1.0, 0.0
    return float(lowest.fun), float(np.exp(lowest.x[0])), -float(np.exp(lowest.x[1]))
