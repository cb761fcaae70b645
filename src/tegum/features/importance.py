"""Importance curves: how much a squared error on each feature counts.

>>> from tegum.features import constant, geometric, one_odd, power_law
>>> geometric(0.9, 4)                           # the paper's usual curve
array([1.   , 0.9  , 0.81 , 0.729])
>>> power_law(1.0, 4)
array([1.        , 0.5       , 0.33333333, 0.25      ])
>>> one_odd([0.1, 10], 3)                       # the phase diagrams' extra feature
array([[ 1. ,  1. ,  0.1],
       [ 1. ,  1. , 10. ]])

Each returns an array of shape (..., n): its parameter may itself be an array, which makes a batch of curves.  Fewer than one
feature are an `InvalidInputError`.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from tegum.checking import misfit, real_numbers
from tegum.errors import InvalidInputError, Problems


def _each(n_features: int) -> NDArray[np.float64]:
    """0 to n - 1."""
    problems = Problems()
    problems.check_count("n_features", n_features)
    problems.raise_if_any()
    return np.arange(n_features, dtype=np.float64)


def _column(parameter: ArrayLike) -> NDArray[np.float64]:
    return real_numbers("the parameter of an importance curve", parameter)[..., None]


def _finite(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """The curve; refuses one that leaves the numbers on its way."""
    if not np.isfinite(curve).all():
        raise InvalidInputError("an importance curve is not finite", "choose a smaller exponent or ratio")
    return curve


def constant(n_features: int, value: ArrayLike = 1.0) -> Float[np.ndarray, "*batch n"]:
    """``value`` for every feature, shape (..., n)."""
    return np.repeat(_column(value), len(_each(n_features)), axis=-1)


def geometric(ratio: ArrayLike, n_features: int) -> Float[np.ndarray, "*batch n"]:
    """ratio^i for i = 0 .. n-1, shape (..., n)."""
    with np.errstate(all="ignore"):
        return _finite(np.asarray(_column(ratio) ** _each(n_features)))


def power_law(exponent: ArrayLike, n_features: int) -> Float[np.ndarray, "*batch n"]:
    """(i + 1)^-exponent for i = 0 .. n-1, shape (..., n)."""
    with np.errstate(all="ignore"):
        return _finite(np.asarray((1 + _each(n_features)) ** -_column(exponent)))


def one_odd(importance: ArrayLike, n_features: int, position: int = -1) -> Float[np.ndarray, "*batch n"]:
    """1 for every feature but the one at ``position`` (the last by default), shape (..., n).

    Raises:
        InvalidInputError: for a position beyond the features.
    """
    odd, each = _column(importance), _each(n_features)
    if misfit("position", position, int) or not -n_features <= position < n_features:
        raise InvalidInputError(f"position is {position!r}", f"choose one of the {n_features} features, 0 to {n_features - 1}")
    curve = np.ones((*odd.shape[:-1], len(each)))
    curve[..., position] = odd[..., 0]
    return curve
