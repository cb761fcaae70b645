"""Which features can be active together: independent blocks, and inside a block at most one component.

    distribution                block       inactive with   components (probability)
    independent, density p_i    {i}         1 - p_i         {i} (p_i)
    correlated set, density p   the set     1 - p           the whole set (p)
    anticorrelated set of s     the set     1 - s p         each {i} (p)

Everything that computes with a distribution (the exact engine, the training engine's sampler, the moments) reads this
one description.

>>> from tegum.features import CorrelatedSets
>>> blocks = CorrelatedSets(n_sets=2, set_size=2, density=0.1).blocks()
>>> blocks.component_of_feature, blocks.block_of_component
(array([0, 0, 1, 1]), array([0, 1]))
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from tegum.checking import Checked


@final
@dataclass(frozen=True, eq=False)
class Blocks(metaclass=Checked):
    """Independent blocks of mutually exclusive components; the members of a component are active together.

    Features of a component, and components of a block, are neighbours and in ascending order.
    """

    component_of_feature: Int[np.ndarray, " n"]
    block_of_component: Int[np.ndarray, " c"]
    probability: Float[np.ndarray, "*batch c"]

    def joint_density(self) -> Float[np.ndarray, "*batch n n"]:
        """P(features i and j are both active); the diagonal is the density."""
        component = self.component_of_feature
        block = self.block_of_component[component]
        density = self.probability[..., component]
        together = component[:, None] == component[None, :]
        exclusive = (block[:, None] == block[None, :]) & ~together
        joint = density[..., :, None] * density[..., None, :]
        joint = np.where(exclusive, 0.0, joint)
        return np.asarray(np.where(together, density[..., :, None], joint))

    def lower_edges(self) -> Float[np.ndarray, "*batch c"]:
        """Where each component's interval begins in its block's single draw from U[0, 1)."""
        before = np.cumsum(self.probability, axis=-1) - self.probability
        first = np.searchsorted(self.block_of_component, self.block_of_component)
        return np.asarray(before - before[..., first])
