"""Samples scaled to unit length: every input of a distribution divided by its norm.

    x = z / ||z||,      z from another distribution; where nothing is active x = 0

>>> import numpy as np
>>> from tegum.features import Independent, UnitLength
>>> features = UnitLength(Independent(1000, density=0.01))
>>> np.linalg.norm(features.sample(4, seed=0), axis=1)
array([1., 1., 1., 1.])

Which features are active together is not changed, but their magnitudes are no longer independent: the exact engine does not
know this distribution.  It knows a data set drawn from it (`tegum.features.data_set`), and `tegum.expected_loss` samples it.

Source: Henighan et al., "Superposition, Memorization, and Double Descent" (2023), who scale so the samples they train on.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from tegum.checking import shown
from tegum.errors import InvalidInputError
from tegum.features.distribution import Features


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class UnitLength(Features):
    """Samples of another distribution, each scaled to length 1.

    Args:
        of: the other distribution, a single one of importance 1.
        importance: weight of each feature's squared error, at least 0; a number or an array (..., n).

    Raises:
        InvalidInputError: naming every wrong field.
    """

    of: Features

    def __init__(self, of: Features, importance: ArrayLike = 1.0) -> None:
        if not isinstance(of, Features):
            raise InvalidInputError(
                f"of is {shown(of)}", "give a distribution, such as tegum.features.Independent(5, density=0.1)"
            )
        if of.batch_shape or (of.importance != 1).any():
            what = f"of has leading axes {of.batch_shape}" if of.batch_shape else "of has an importance of its own"
            raise InvalidInputError(what, "give a single distribution, and the importance to the whole")
        self._set_fields(of.n_features, of.feature_density, importance).raise_if_any()
        self._fill(of=of, signed=of.signed)

    def joint_density(self) -> Float[np.ndarray, "n n"]:
        """Probability that two features are active together, as in the other distribution."""
        return self.of.joint_density()

    def mean(self) -> Float[np.ndarray, " n"]:
        """Not known.

        Raises:
            InvalidInputError: always.
        """
        raise _unknown()

    def second_moment(self) -> Float[np.ndarray, "n n"]:
        """Not known.

        Raises:
            InvalidInputError: always.
        """
        raise _unknown()

    def draw(self, n_samples: int, generator: np.random.Generator) -> Float[np.ndarray, "samples n"]:
        """Samples of the other distribution, scaled."""
        z = self.of.draw(n_samples, generator)
        _, exponent = np.frexp(np.abs(z).max(axis=-1, keepdims=True))
        z = np.ldexp(z, -exponent)  # Dividing by powers of 2 is exact, and squares do not vanish then.
        norm = np.linalg.norm(z, axis=-1, keepdims=True)
        return np.asarray(z / np.where(norm > 0, norm, 1.0))

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "samples n"]:
        """Which features of the other distribution are active."""
        return self.of.active(n_samples, generator)


def _unknown() -> InvalidInputError:
    what = "samples are scaled to unit length, and the exact engine does not know how large their features are"
    return InvalidInputError(what, "take a data set for the law itself, tegum.features.data_set(features, 100_000)")
