"""Distributions side by side, independent of each other: sets beside single features, many small trees, one data set each.

    x = (x of parts[0], x of parts[1], ...)

>>> from tegum.features import CorrelatedSets, Independent, Joined
>>> both = Joined([Independent(2, density=0.5), CorrelatedSets(1, 2, density=0.1)])
>>> both.joint_density().round(3)
array([[0.5 , 0.25, 0.05, 0.05],
       [0.25, 0.5 , 0.05, 0.05],
       [0.05, 0.05, 0.1 , 0.1 ],
       [0.05, 0.05, 0.1 , 0.1 ]])
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import scipy
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from tegum.features.blocks import Blocks
from tegum.features.distribution import Features
from tegum.features.mixture import require_parts


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Joined(Features):
    """Independent distributions of neighbouring features.

    Args:
        parts: the distributions, in order; each a single one, of importance 1.
        importance: weight of each feature's squared error, at least 0; a number or an array (..., n).

    Raises:
        InvalidInputError: naming every wrong field.
    """

    parts: tuple[Features, ...]

    def __init__(self, parts: Sequence[Features], importance: ArrayLike = 1.0) -> None:
        own = require_parts("parts", parts)
        density = np.concatenate([one.feature_density for one in own])
        self._set_fields(len(density), density, importance).raise_if_any()
        self._fill(parts=own, signed=any(one.signed for one in own))
        first, *others = [(getattr(one, "magnitude", None), one.signed) for one in own]
        if first[0] is not None and all(one == first for one in others):  # laws of one's own need not be hashable
            self._fill(magnitude=first[0])

    def has_blocks(self) -> bool:
        """Whether all parts have independent blocks."""
        return all(one.has_blocks() for one in self.parts)

    def blocks(self) -> Blocks:
        """The blocks of all parts; an `InvalidInputError` where one has none."""
        each = [one.blocks() for one in self.parts]
        components, owners, first, block = [], [], 0, 0
        for one in each:
            components.append(one.component_of_feature + first)
            owners.append(one.block_of_component + block)
            first, block = first + len(one.block_of_component), block + int(one.block_of_component[-1]) + 1
        return Blocks(np.concatenate(components), np.concatenate(owners), np.concatenate([one.probability for one in each]))

    def joint_density(self) -> Float[np.ndarray, "n n"]:
        """Probability that two features are active together, shape (n, n); the diagonal is the density."""
        within = scipy.linalg.block_diag(*(np.ones((one.n_features, one.n_features)) for one in self.parts))
        own = scipy.linalg.block_diag(*(one.joint_density() for one in self.parts))
        return np.asarray(np.where(within == 1, own, np.outer(self.density, self.density)))

    def mean(self) -> Float[np.ndarray, " n"]:
        """E[x_i], shape (n,)."""
        return np.concatenate([one.mean() for one in self.parts])

    def second_moment(self) -> Float[np.ndarray, "n n"]:
        """E[x_i x_j], shape (n, n)."""
        mean = self.mean()
        return np.asarray(scipy.linalg.block_diag(*(one.covariance() for one in self.parts)) + np.outer(mean, mean))

    def draw(self, n_samples: int, generator: np.random.Generator) -> Float[np.ndarray, "samples n"]:
        """Samples of each part, side by side."""
        return np.concatenate([one.draw(n_samples, generator) for one in self.parts], axis=1)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "samples n"]:
        """Where samples are not 0."""
        return np.asarray(self.draw(n_samples, generator) != 0)
