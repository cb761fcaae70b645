"""The linear model y = W^T W x + b: its loss from two moments, and its optimum.

    L = sum_j I_j E (x_j - (G x)_j - b_j)^2 = sum_j I_j { [(1 - G) S (1 - G)^T]_jj + ((1 - G) mu - b)_j^2 },   S = Cov[x]

For centred features of variance 1, without bias, the loss splits into *feature benefit* and *interference*,

    L = sum_i I_i (1 - ||W_i||^2)^2 + sum_{i != j} I_j (W_j . W_i)^2

and the best model keeps the m most important features on orthogonal axes: a linear model never superposes.

>>> import tegum as tg
>>> features = tg.features.CorrelatedSets(2, 2, density=0.3)
>>> W, b = tg.theory.best_linear(features, n_hidden=2)                                     # the mean of each pair
>>> tg.theory.linear_loss(W, b, features).round(6), tg.theory.linear_loss(0 * W, features.mean(), features).round(6)
(np.float64(0.05), np.float64(0.31))

Source: `Toy Models of Superposition`, section 2.2, after Saxe, McClelland and Ganguli (2014).
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import checked, require_range
from tegum.errors import InvalidInputError, Problems
from tegum.features import Features


@takes_arrays
def linear_loss(
    W: Float[np.ndarray, "*batch m n"], b: Float[np.ndarray, "*batch n"], features: Features
) -> NDArray[np.float64]:
    """The expected loss of y = W^T W x + b, shape (...), for any features; their leading axes broadcast against those of W."""
    n = W.shape[-1]
    require_range("W", W, -1e30, 1e30)
    require_range("b", b, -1e30, 1e30)
    if features.n_features != n:
        raise InvalidInputError(f"W has {n} features and the distribution {features.n_features}", "choose the same number")
    left_out = np.eye(n) - np.swapaxes(W, -1, -2) @ W
    spread = np.einsum("...ij,...jk,...ik->...i", left_out, features.covariance(), left_out)
    offset = np.einsum("...ij,...j->...i", left_out, features.mean()) - b
    return np.asarray((features.importance * (spread + offset**2)).sum(axis=-1))


@checked
def best_linear(features: Features, n_hidden: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """W (m, n) and b (n,) of the best linear model of one distribution: m principal components, and what keeps the mean.

    Raises:
        InvalidInputError: for many distributions at once, and where importances differ: principal components are not the
            answer there.
    """
    if features.batch_shape:
        raise InvalidInputError(f"the features have leading axes {features.batch_shape}", "give one distribution at a time")
    if np.ptp(features.importance) > 0:
        raise InvalidInputError("importances differ", "give all features the same importance")
    with Problems() as problems:
        problems.check_count("n_hidden", n_hidden)
    if n_hidden > features.n_features:
        raise InvalidInputError(f"n_hidden is {n_hidden}", f"choose at most {features.n_features}")
    _, directions = np.linalg.eigh(features.covariance())
    W = np.ascontiguousarray(directions[:, : -n_hidden - 1 : -1].T)
    return W, features.mean() - W.T @ (W @ features.mean())


def feature_benefit(W: Float[np.ndarray, "*batch m n"], importance: Float[np.ndarray, "*batch n"]) -> NDArray[np.float64]:
    """sum_i I_i (1 - ||W_i||^2)^2, shape (...): what is lost of each feature itself, at unit variance."""
    return np.asarray((importance * (1 - np.einsum("...mn,...mn->...n", W, W)) ** 2).sum(axis=-1))


def linear_interference(W: Float[np.ndarray, "*batch m n"], importance: Float[np.ndarray, "*batch n"]) -> NDArray[np.float64]:
    """sum_{i != j} I_j (W_j . W_i)^2, shape (...): what features do to each other's outputs, at unit variance."""
    squares = (np.swapaxes(W, -1, -2) @ W) ** 2
    own = np.einsum("...ii->...i", squares)
    return np.asarray((importance * (squares.sum(axis=-1) - own)).sum(axis=-1))
