"""Features that are independent of each other: feature i is active with probability p_i.

>>> from tegum.features import Independent, geometric
>>> features = Independent(3, density=0.1, importance=geometric(0.9, 3))
>>> features.sample(4, seed=0).round(2)
array([[0.  , 0.27, 0.  ],
       [0.  , 0.  , 0.  ],
       [0.  , 0.  , 0.54],
       [0.  , 0.  , 0.  ]])

Source: `Toy Models of Superposition`, section 2.1.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool
from numpy.typing import ArrayLike

from tegum.features.blocks import Blocks
from tegum.features.distribution import Features
from tegum.features.magnitudes import Magnitude, Uniform


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Independent(Features):
    """Independent sparse features, each its own block.

    Args:
        n_features: n, at least 1.
        density: probability that a feature is active, 0 to 1; a number or an array (..., n).
        importance: weight of each feature's squared error, at least 0; a number or an array (..., n).
        magnitude: law of the magnitude of an active feature.
        signed: whether an active feature gets a random sign.

    Raises:
        InvalidInputError: naming every wrong field.
    """

    def __init__(
        self,
        n_features: int,
        density: ArrayLike = 1.0,
        importance: ArrayLike = 1.0,
        magnitude: Magnitude = Uniform(),
        signed: bool = False,
    ) -> None:
        self._set_counts(n_features=n_features)
        self._set_fields(n_features, density, importance, magnitude, signed).raise_if_any()

    def blocks(self) -> Blocks:
        """One block with one component for each feature."""
        each = np.arange(self.n_features)
        return Blocks(component_of_feature=each, block_of_component=each, probability=self.density)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "*batch samples n"]:
        """One draw per feature."""
        return generator.random((n_samples, self.n_features)) < self.density[..., None, :]
