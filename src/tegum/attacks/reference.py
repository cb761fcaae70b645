"""What an attack is measured against: how long inputs are, and a model that attacks find without superposition.

The reference has the m most important features on an axis each and the mean of the others as output.  Where features are
independent, that is their best linear model.

>>> import tegum as tg
>>> tg.attacks.without_superposition(tg.features.Independent(2, density=0.1), n_hidden=1)
(array([[1., 0.]]), array([0.  , 0.05]))

Source: section 7 of `Toy Models of Superposition`; what its reference model is, the paper does not say.
"""

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.features import Features


def without_superposition(features: Features, n_hidden: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """W (m, n) and b (n,) of the best model of one distribution that gives each feature a dimension or none.

    Raises:
        InvalidInputError: where there are more dimensions than features.
    """
    n = features.n_features
    if not 1 <= n_hidden <= n:
        raise InvalidInputError(
            f"n_hidden is {n_hidden} and there are {n} features", "choose 1 to as many as there are features"
        )
    lost = np.broadcast_to(features.importance, (n,)) * np.diagonal(features.covariance())
    represented = np.argsort(-lost, kind="stable")[:n_hidden]
    b = np.broadcast_to(features.mean(), (n,)).astype(np.float64)
    b[represented] = 0
    return np.eye(n)[np.sort(represented)], b


def average_norm(x: NDArray[np.floating]) -> float:
    """The mean length of inputs (samples, n)."""
    return float(np.linalg.norm(x, axis=-1).mean())
