"""From a feature distribution to the tables of compiled code, one row for each distribution of its batch.

Compiled code takes independent blocks (see `tegum.features.Blocks`) of magnitudes uniform on [0, 1] or exponential: those are
*native*.  Others are the business of `tegum.exact.laws`.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.kernel.records import Distribution
from tegum.features import Blocks, Exponential, Features, Magnitude, Uniform


@final
@dataclass(frozen=True, eq=False)
class Distributions:
    """A batch of distributions for compiled code: probabilities of components, importances, one row each."""

    block_first: NDArray[np.int64]
    component_first: NDArray[np.int64]
    weight: NDArray[np.float64]
    importance: NDArray[np.float64]
    mean: float
    spread: float
    exponential: int

    def blank(self) -> Distribution:
        """A distribution whose probabilities compiled code fills in, for one thread."""
        blocks, components = len(self.block_first) - 1, len(self.component_first) - 1
        return Distribution(
            blocks=blocks,
            block_first=self.block_first,
            component_first=self.component_first,
            feature_first=self.component_first[self.block_first],
            weight=np.zeros(components),
            inactive=np.zeros(blocks),
            mean=self.mean,
            spread=self.spread,
            exponential=self.exponential,
            simple=int(blocks == components == self.importance.shape[1]),
        )


def owned(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """A copy that may be written to: a read-only view would have the engine compiled anew, and rounding differently."""
    return np.array(array, dtype=np.float64, order="C")


def is_native(features: Features) -> bool:
    """Whether the compiled engine takes a distribution as it is: blocks, positive magnitudes whose transform it knows."""
    law = getattr(features, "magnitude", None)
    known = isinstance(law, Exponential) or (isinstance(law, Uniform) and law.is_unit)
    return known and not features.signed and features.has_blocks()


def distributions_of(features: Features) -> Distributions:
    """The tables of a distribution that `is_native`, its leading axes flattened."""
    blocks, batch = features.blocks(), features.batch_shape
    count = int(np.prod(batch, dtype=int))

    def rows(array: NDArray[Any]) -> NDArray[np.float64]:
        width = array.shape[-1]
        return np.broadcast_to(array, (*batch, width)).reshape(count, width)

    return tables(blocks, rows(blocks.probability), rows(features.importance), features.magnitude)


def tables(blocks: Blocks, probability: NDArray[np.float64], importance: NDArray[np.float64], law: Magnitude) -> Distributions:
    """The tables of distributions with the same blocks: probabilities (count, components), importances (count, features)."""

    def starts(owner: NDArray[Any], owners: int) -> NDArray[np.int64]:
        return np.searchsorted(owner, np.arange(owners + 1)).astype(np.int64)

    mean = law.moment(1)
    return Distributions(
        block_first=starts(blocks.block_of_component, int(blocks.block_of_component[-1]) + 1),
        component_first=starts(blocks.component_of_feature, len(blocks.block_of_component)),
        weight=owned(probability),
        importance=owned(importance),
        mean=mean,
        spread=law.moment(2) - mean * mean,
        exponential=int(isinstance(law, Exponential)),
    )
