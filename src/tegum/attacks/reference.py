"""What an attack is measured against: how long inputs are, and a model that attacks find without superposition.

    without_superposition(features, m)      the m most important features on an axis each, the mean of the others as output

Where features are independent, that is the best linear model of the world.  Example: two features in one dimension give
W = [[1, 0]], b = (0, p/2).

Source: section 7 of `Toy Models of Superposition`; what its reference model is, the paper does not say.
"""

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.features import Features


def without_superposition(features: Features, n_hidden: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """W (m, n) and b (n,) of the best model of one world that gives each feature a dimension or none.

    Args:
        features: one world.
        n_hidden: m, at most the number of features.

    Raises:
        InvalidInputError: where there are more dimensions than features.
    """
    n = features.n_features
    if not 1 <= n_hidden <= n:
        raise InvalidInputError(
            f"n_hidden is {n_hidden} and there are {n} features", "choose 1 to as many as there are features"
        )
    mean = np.broadcast_to(features.mean(), (n,))
    lost = np.broadcast_to(features.importance, (n,)) * np.diagonal(features.covariance())
    kept = np.argsort(-lost, kind="stable")[:n_hidden]
    W = np.zeros((n_hidden, n))
    W[np.arange(n_hidden), np.sort(kept)] = 1
    b = mean.astype(np.float64).copy()
    b[kept] = 0
    return W, b


def average_norm(x: NDArray[np.floating]) -> float:
    """The mean length of inputs (samples, n)."""
    return float(np.linalg.norm(x, axis=-1).mean())
