"""Exactly k of n features active, every choice of k equally likely: the setting of compressed sensing.

>>> from tegum.features import KSparse
>>> features = KSparse(n_features=5, n_active=2)
>>> (features.sample(4, seed=0) > 0).sum(axis=1)
array([2, 2, 2, 2])

The features are not independent, nor are there independent blocks: P(i and j active) = k (k - 1) / (n (n - 1)).
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from tegum.features.distribution import Features
from tegum.features.magnitudes import Magnitude, Uniform


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class KSparse(Features):
    """Features of which exactly ``n_active`` are active in every sample.

    Args:
        n_features: n, at least 1.
        n_active: k, from 1 to n.
        importance: weight of each feature's squared error, at least 0; a number or an array (..., n).
        magnitude: law of the magnitude of an active feature.
        signed: whether an active feature gets a random sign.

    Raises:
        InvalidInputError: naming every wrong field.
    """

    n_active: int

    def __init__(
        self,
        n_features: int,
        n_active: int,
        importance: ArrayLike = 1.0,
        magnitude: Magnitude = Uniform(),
        signed: bool = False,
    ) -> None:
        self._set_counts(n_features=n_features, n_active=n_active)
        problems = self._set_fields(n_features, min(n_active / n_features, 1.0), importance, magnitude, signed)
        if n_active > n_features:
            problems.add(f"n_active is {n_active} of {n_features} features", f"choose 1 to {n_features}")
        problems.raise_if_any()

    def joint_density(self) -> Float[np.ndarray, "*batch n n"]:
        """For two features k (k - 1) / (n (n - 1)), on the diagonal k / n."""
        n, k = self.n_features, self.n_active
        pair = k * (k - 1) / (n * (n - 1)) if n > 1 else 0.0
        return np.where(np.eye(n, dtype=bool), k / n, pair)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "*batch samples n"]:
        """The k features with the smallest of n random keys."""
        keys = generator.random((n_samples, self.n_features))
        return keys.argsort(axis=-1).argsort(axis=-1) < self.n_active
