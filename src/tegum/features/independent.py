"""Features that know nothing of each other: feature i is on with probability p_i.

    Independent(5, density=0.1, importance=geometric(0.9, 5))

Source: `Toy Models of Superposition`, section 2.1.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from tegum.errors import Problems
from tegum.features.blocks import Blocks
from tegum.features.distribution import Features, check_count
from tegum.features.magnitudes import Magnitude, Uniform


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Independent(Features):
    """Independent sparse features, each its own block.

    Args:
        n_features: n, at least 1.
        density: probability that a feature is on, 0 to 1; a number or an array (..., n).
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
        problems = Problems()
        check_count("n_features", n_features, problems)
        problems.raise_if_any()
        self._settle(problems, n_features, density, importance, magnitude, signed, ("feature", n_features))
        problems.raise_if_any()

    @property
    def feature_density(self) -> Float[np.ndarray, "*batch n"]:
        """The density itself, shape (..., n)."""
        return self.density

    def joint_density(self) -> Float[np.ndarray, "*batch n n"]:
        """p_i p_j, and p_i on the diagonal."""
        return self.blocks().joint_density()

    def blocks(self) -> Blocks:
        """One block with one component for each feature."""
        each = np.arange(self.n_features)
        return Blocks(component_of_feature=each, block_of_component=each, probability=self.density)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "*batch samples n"]:
        """One draw per feature."""
        return generator.random((n_samples, self.n_features)) < self.density[..., None, :]
