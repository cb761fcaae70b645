"""Sets of neighbouring features that depend on each other: active together, or excluding each other.

>>> from tegum.features import AnticorrelatedSets, CorrelatedSets
>>> CorrelatedSets(n_sets=2, set_size=2, density=0.1).joint_density()[0].round(3)         # one set: features 0 and 1
array([0.1 , 0.1 , 0.01, 0.01])
>>> AnticorrelatedSets(n_sets=2, set_size=2, density=0.1).joint_density()[0].round(3)
array([0.1 , 0.  , 0.01, 0.01])

Of an anticorrelated set at most one member is active.  Its density is that of each *feature*, so that some member is active
with probability set_size * density, which cannot exceed 1.  (The paper writes the density of the set; a member's is that
divided by set_size.)

Source: `Toy Models of Superposition`, section 5 ("Correlated and anticorrelated features").
"""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from tegum.features.blocks import Blocks
from tegum.features.distribution import Features
from tegum.features.magnitudes import Magnitude, Uniform

_ROUNDING, _DIGITS = 1e-12, 1e6


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class CorrelatedSets(Features):
    """``n_sets`` sets of ``set_size`` neighbouring features; a set is active or inactive as a whole.

    Args:
        n_sets: number of sets, at least 1.
        set_size: features in each, at least 1.
        density: probability that a set is active, 0 to 1; a number or an array (..., n_sets).
        importance: weight of each feature's squared error, at least 0; a number or an array (..., n).
        magnitude: law of the magnitude of an active feature; members of a set have magnitudes of their own.
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
        self._set_counts(n_sets=n_sets, set_size=set_size)
        self._set_fields(n_sets * set_size, density, importance, magnitude, signed, ("set", n_sets)).raise_if_any()

    @property
    def feature_density(self) -> Float[np.ndarray, "*batch n"]:
        """Each feature is active as often as its set, shape (..., n)."""
        return np.repeat(self.density, self.set_size, axis=-1)

    def blocks(self) -> Blocks:
        """One block with one component, the whole set, for each set."""
        sets = np.arange(self.n_sets)
        return Blocks(component_of_feature=np.repeat(sets, self.set_size), block_of_component=sets, probability=self.density)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "*batch samples n"]:
        """One draw per set."""
        active = generator.random((n_samples, self.n_sets)) < self.density[..., None, :]
        return np.repeat(active, self.set_size, axis=-1)


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class AnticorrelatedSets(Features):
    """``n_sets`` sets of ``set_size`` neighbouring features; of each set at most one is active.

    Args:
        n_sets: number of sets, at least 1.
        set_size: features in each, at least 1.
        density: probability that a feature is active; a number or an array (..., n); at most 1 in sum over a set.
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
        self._set_counts(n_sets=n_sets, set_size=set_size)
        problems = self._set_fields(n_sets * set_size, density, importance, magnitude, signed)
        total = self.density.reshape(*self.density.shape[:-1], n_sets, set_size).sum(axis=-1)
        if (total > 1 + _ROUNDING).any():
            most = math.floor(_DIGITS / set_size) / _DIGITS  # rounded down, so that it is no more than there may be
            problems.add(
                f"the densities of an anticorrelated set of {set_size} sum to {total.max():.10g}",
                f"at most one member can be active, so choose densities of at most {most:g} each",
            )
        problems.raise_if_any()

    def blocks(self) -> Blocks:
        """One block for each set, one component for each of its features."""
        each = np.arange(self.n_features)
        return Blocks(component_of_feature=each, block_of_component=each // self.set_size, probability=self.density)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "*batch samples n"]:
        """One draw per set, which falls into at most one member's interval."""
        draw = np.repeat(generator.random((n_samples, self.n_sets)), self.set_size, axis=-1)
        low = self.blocks().lower_edges()
        return np.asarray((draw >= low[..., None, :]) & (draw < (low + self.density)[..., None, :]))
