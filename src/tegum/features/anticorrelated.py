"""Sets of features that exclude each other: at most one member of a set is on.

    AnticorrelatedSets(n_sets=2, set_size=2, density=0.1)         # each set silent with probability 0.8

The density is that of each *feature*, so a set speaks with probability set_size * density, which cannot exceed 1.  (The
paper writes the density of the set; a member's is that divided by set_size.)

Source: `Toy Models of Superposition`, section 5 ("Correlated and anticorrelated features").
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray

from tegum.errors import Problems
from tegum.features.blocks import Blocks
from tegum.features.distribution import Features, check_count
from tegum.features.magnitudes import Magnitude, Uniform

_ROUNDING = 1e-12


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class AnticorrelatedSets(Features):
    """``n_sets`` sets of ``set_size`` neighbouring features; of each set at most one is on.

    Args:
        n_sets: number of sets, at least 1.
        set_size: features in each, at least 1.
        density: probability that a feature is on; a number or an array (..., n); at most 1 in sum over a set.
        importance: weight of each feature's squared error, at least 0; a number or an array (..., n).
        magnitude: law of the magnitude of an active feature.
        signed: whether an active feature gets a random sign.

    Raises:
        InvalidInputError: naming every wrong field.
    """

    n_sets: int
    set_size: int

    def __init__(
        self,
        n_sets: int,
        set_size: int,
        density: ArrayLike,
        importance: ArrayLike = 1.0,
        magnitude: Magnitude = Uniform(),
        signed: bool = False,
    ) -> None:
        problems = Problems()
        check_count("n_sets", n_sets, problems)
        check_count("set_size", set_size, problems)
        problems.raise_if_any()
        n = n_sets * set_size
        self._store(n_sets=n_sets, set_size=set_size)
        self._settle(problems, n, density, importance, magnitude, signed, ("feature", n))
        _check_sums(self.density, n_sets, set_size, problems)
        problems.raise_if_any()

    @property
    def feature_density(self) -> Float[np.ndarray, "*batch n"]:
        """The density itself, shape (..., n)."""
        return self.density

    def joint_density(self) -> Float[np.ndarray, "*batch n n"]:
        """0 within a set, p_i p_j across, p_i on the diagonal."""
        return self.blocks().joint_density()

    def blocks(self) -> Blocks:
        """One block for each set, one component for each of its features."""
        each = np.arange(self.n_features)
        return Blocks(component_of_feature=each, block_of_component=each // self.set_size, probability=self.density)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "*batch samples n"]:
        """One draw per set, which falls into at most one member's interval."""
        draw = np.repeat(generator.random((n_samples, self.n_sets)), self.set_size, axis=-1)
        low = self.blocks().lower_edges()
        return np.asarray((draw >= low[..., None, :]) & (draw < (low + self.density)[..., None, :]))


def _check_sums(density: NDArray[np.float64], n_sets: int, set_size: int, problems: Problems) -> None:
    total = density.reshape(*density.shape[:-1], n_sets, set_size).sum(axis=-1)
    if (total > 1 + _ROUNDING).any():
        problems.add(
            f"the densities of an anticorrelated set of {set_size} sum to {total.max():g}",
            f"at most one member can be on, so choose densities of at most {1 / set_size:g} each",
        )
