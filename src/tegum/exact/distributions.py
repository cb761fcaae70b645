"""From a feature distribution to the tables of compiled code, one row for each distribution of its batch.

The engine needs independent blocks (see `tegum.features.Blocks`) and magnitudes whose moment generating function it knows:
uniform on [0, 1] and exponential.  Everything else is refused by name.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError, Problems
from tegum.exact.kernel.records import Distribution
from tegum.features import Exponential, Features, KSparse, Uniform

_OTHERS = "tegum.train measures the loss of others on samples"


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


def distributions_of(features: Features) -> Distributions:
    """The tables of a distribution, its leading axes flattened.

    Raises:
        InvalidInputError: where the distribution has no independent blocks, or magnitudes the engine cannot treat.
    """
    problems = Problems()
    law = features.magnitude
    if not isinstance(law, Uniform | Exponential):
        problems.add(
            f"the magnitudes are {type(law).__name__}", f"the exact engine knows Uniform() and Exponential(mean); {_OTHERS}"
        )
    if features.signed:
        problems.add("the features are signed", f"the exact engine knows values above 0 only; {_OTHERS}")
    with problems:
        if isinstance(features, KSparse):
            raise InvalidInputError("KSparse has no independent blocks", f"the exact engine needs them; {_OTHERS}")
        blocks = features.blocks()
    batch = features.batch_shape
    count = int(np.prod(batch, dtype=int))
    components = len(blocks.block_of_component)

    def rows(array: NDArray[Any], width: int) -> NDArray[np.float64]:
        return owned(np.broadcast_to(array, (*batch, width)).reshape(count, width))

    def starts(owner: NDArray[Any], owners: int) -> NDArray[np.int64]:
        return np.searchsorted(owner, np.arange(owners + 1)).astype(np.int64)

    mean = law.moment(1)
    return Distributions(
        block_first=starts(blocks.block_of_component, int(blocks.block_of_component[-1]) + 1),
        component_first=starts(blocks.component_of_feature, components),
        weight=rows(blocks.probability, components),
        importance=rows(features.importance, features.n_features),
        mean=mean,
        spread=law.moment(2) - mean * mean,
        exponential=int(isinstance(law, Exponential)),
    )
