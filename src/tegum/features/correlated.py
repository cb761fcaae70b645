"""Sets of features that come together: one draw switches a whole set on or off, magnitudes stay independent.

    CorrelatedSets(n_sets=2, set_size=2, density=0.05)            # features 0, 1 and features 2, 3

Source: `Toy Models of Superposition`, section 5 ("Correlated and anticorrelated features").
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
class CorrelatedSets(Features):
    """``n_sets`` sets of ``set_size`` neighbouring features; a set is on or off as a whole.

    Args:
        n_sets: number of sets, at least 1.
        set_size: features in each, at least 1.
        density: probability that a set is on, 0 to 1; a number or an array (..., n_sets).
        importance: weight of each feature's squared error, at least 0; a number or an array (..., n).
        magnitude: law of the magnitude of an active feature.
        signed: whether an active feature gets a random sign of its own.

    Raises:
        InvalidInputError: naming every wrong field.
    """

    n_sets: int
    set_size: int

    def __init__(
        self,
        n_sets: int,
        set_size: int,
        density: ArrayLike = 1.0,
        importance: ArrayLike = 1.0,
        magnitude: Magnitude = Uniform(),
        signed: bool = False,
    ) -> None:
        problems = Problems()
        check_count("n_sets", n_sets, problems)
        check_count("set_size", set_size, problems)
        problems.raise_if_any()
        self._store(n_sets=n_sets, set_size=set_size)
        self._settle(problems, n_sets * set_size, density, importance, magnitude, signed, ("set", n_sets))
        problems.raise_if_any()

    @property
    def feature_density(self) -> Float[np.ndarray, "*batch n"]:
        """Each feature is on as often as its set, shape (..., n)."""
        return np.repeat(self.density, self.set_size, axis=-1)

    def joint_density(self) -> Float[np.ndarray, "*batch n n"]:
        """P within a set, the product of two sets' densities across."""
        return self.blocks().joint_density()

    def blocks(self) -> Blocks:
        """One block with one component, the whole set, for each set."""
        sets = np.arange(self.n_sets)
        return Blocks(component_of_feature=np.repeat(sets, self.set_size), block_of_component=sets, probability=self.density)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "*batch samples n"]:
        """One draw per set."""
        on = generator.random((n_samples, self.n_sets)) < self.density[..., None, :]
        return np.repeat(on, self.set_size, axis=-1)
