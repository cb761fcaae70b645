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
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from tegum.checking import Checked, as_array, real_numbers, shown
from tegum.errors import InvalidInputError, Problems

_ROUNDING = 1e-9


@final
@dataclass(frozen=True, eq=False)
class Blocks(metaclass=Checked):
    """Independent blocks of mutually exclusive components; the members of a component are active together.

    Features of a component, and components of a block, are neighbours and in ascending order.

    Args:
        component_of_feature: the component of each feature, counted up from 0.
        block_of_component: the block of each component, counted up from 0.
        probability: how often each component is active, (..., components); at most 1 in sum over a block.

    Raises:
        InvalidInputError: naming every wrong field.
    """

    component_of_feature: Int[np.ndarray, " n"]
    block_of_component: Int[np.ndarray, " c"]
    probability: Float[np.ndarray, "*batch c"]

    def __post_init__(self) -> None:
        with Problems() as problems:
            for name, of in (("component_of_feature", "component"), ("block_of_component", "block")):
                with problems.collecting():
                    object.__setattr__(self, name, _counted_up(name, getattr(self, name), of))
        count, block = int(self.component_of_feature[-1]) + 1, self.block_of_component
        p = real_numbers("probability", self.probability)
        object.__setattr__(self, "probability", p)
        if len(block) != count:
            raise InvalidInputError(f"there are {count} components and the blocks of {len(block)}", "give the block of each")
        if p.shape[-1:] != block.shape:
            raise InvalidInputError(f"probability has shape {p.shape}", f"give one for each component, (..., {len(block)})")
        wrong = p[~(p >= 0)]
        if wrong.size:
            raise InvalidInputError(f"the probability of a component is {wrong[0]:g}", "give numbers of at least 0")
        total = np.add.reduceat(p, np.searchsorted(block, np.arange(block[-1] + 1)), axis=-1)
        if not (total <= 1 + _ROUNDING).all():
            what = f"the probabilities of a block's components sum to {total.max():.10g}"
            raise InvalidInputError(what, "at most one of them is active, so let them sum to at most 1")

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


def _counted_up(name: str, value: Any, of: str) -> NDArray[Any]:
    """Numbers of components or blocks; an `InvalidInputError` unless neighbours have the same one or the next, from 0 on."""
    numbers = as_array(name, value, "iu", "whole numbers", "whole numbers")
    if numbers.ndim != 1 or not numbers.size:
        raise InvalidInputError(f"{name} has shape {numbers.shape}", "give a list of whole numbers")
    found = numbers.astype(np.int64)
    if found[0] != 0 or not np.isin(np.diff(found), (0, 1)).all():
        advice = f"count up from 0, what belongs to one {of} side by side: [0, 0, 1, 2], and order the features so"
        raise InvalidInputError(f"{name} is {shown(found.tolist())}", advice)
    return found
