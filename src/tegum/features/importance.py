"""Importance curves: how much a squared error on each feature counts.

    geometric(0.9, 5)        1, 0.9, 0.81, 0.729, 0.6561        the paper's usual curve
    power_law(1.0, 4)        1, 1/2, 1/3, 1/4
    one_odd(0.1, 3)          1, 1, 0.1                          the phase diagrams' extra feature
    constant(3)              1, 1, 1

Each returns an array of shape (..., n): the first argument may itself be an array, which makes a batch of curves.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from tegum.errors import InvalidInputError


def _count(n_features: int) -> int:
    if n_features < 1:
        raise InvalidInputError(f"n_features is {n_features}", "an importance curve needs at least 1 feature")
    return n_features


def constant(n_features: int, value: ArrayLike = 1.0) -> Float[np.ndarray, "*batch n"]:
    """``value`` for every feature, shape (..., n).

    Raises:
        InvalidInputError: for fewer than one feature.
    """
    value = np.asarray(value, dtype=np.float64)
    return np.repeat(value[..., None], _count(n_features), axis=-1)


def geometric(ratio: ArrayLike, n_features: int) -> Float[np.ndarray, "*batch n"]:
    """ratio^i for i = 0 .. n-1, shape (..., n).

    Raises:
        InvalidInputError: for fewer than one feature.
    """
    base: NDArray[np.float64] = np.asarray(ratio, dtype=np.float64)[..., None]
    return np.asarray(base ** np.arange(_count(n_features)))


def power_law(exponent: ArrayLike, n_features: int) -> Float[np.ndarray, "*batch n"]:
    """(i + 1)^-exponent for i = 0 .. n-1, shape (..., n).

    Raises:
        InvalidInputError: for fewer than one feature.
    """
    power: NDArray[np.float64] = np.asarray(exponent, dtype=np.float64)[..., None]
    return np.asarray(np.arange(1, _count(n_features) + 1, dtype=np.float64) ** -power)


def one_odd(importance: ArrayLike, n_features: int, position: int = -1) -> Float[np.ndarray, "*batch n"]:
    """1 for every feature but the one at ``position`` (the last by default), shape (..., n).

    Raises:
        InvalidInputError: for a position beyond the features.
    """
    value = np.asarray(importance, dtype=np.float64)
    if not -n_features <= position < n_features:
        raise InvalidInputError(f"position is {position}", f"choose one of the {n_features} features, 0 to {n_features - 1}")
    curve = np.ones((*value.shape, _count(n_features)))
    curve[..., position] = value
    return curve
