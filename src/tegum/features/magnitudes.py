"""How strongly an active feature is active: the law of its magnitude.

    law          density on               E[u^k]
    Uniform      [0, 1]                   1 / (k + 1)      the paper's choice
    Exponential  [0, inf), given mean     k! mean^k
    Constant     a single value           value^k          binary features

>>> from tegum.features import Exponential
>>> Exponential(mean=0.5).moment(2)
0.5

The paper remarks that exponential magnitudes would be as natural as its uniform ones (section 2.1 of `Toy Models of
Superposition`).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import factorial, inf
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import Problems


class Magnitude(ABC):
    """The law of an active feature's magnitude u (before a random sign, where features are signed)."""

    @abstractmethod
    def moment(self, order: int) -> float:
        """E[u^order]."""

    @abstractmethod
    def quantile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """The magnitude below which a fraction ``probability`` (in [0, 1)) of all magnitudes lies."""

    @property
    @abstractmethod
    def largest(self) -> float:
        """The upper end of the support; infinite for `Exponential`."""


def _require_size(law: Magnitude, name: str) -> None:
    """Refuses what is no number, or a magnitude whose powers single precision could not hold."""
    problems, value = Problems(), getattr(law, name)
    problems.check_number(f"{name} of the {type(law).__name__.lower()} magnitudes", value, 1e-15, 1e15)
    problems.raise_if_any()
    object.__setattr__(law, name, float(value))  # compiled code would be compiled anew for an integer, and fail


@final
@dataclass(frozen=True)
class Uniform(Magnitude):
    """u ~ U[0, 1]."""

    largest = 1.0

    def moment(self, order: int) -> float:
        """1 / (order + 1)."""
        return 1.0 / (order + 1)

    def quantile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """The identity."""
        return probability


@final
@dataclass(frozen=True)
class Exponential(Magnitude):
    """u ~ Exp with the given mean."""

    mean: float = 1.0

    largest = inf

    def __post_init__(self) -> None:
        _require_size(self, "mean")

    def moment(self, order: int) -> float:
        """The factorial of ``order``, times mean^order."""
        return factorial(order) * self.mean**order

    def quantile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """-mean ln(1 - probability)."""
        return -self.mean * np.log1p(-probability)


@final
@dataclass(frozen=True)
class Constant(Magnitude):
    """u is always ``value``."""

    value: float = 1.0

    def __post_init__(self) -> None:
        _require_size(self, "value")

    def moment(self, order: int) -> float:
        """The value to the power ``order``."""
        return self.value**order

    def quantile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """``value`` everywhere."""
        return np.full_like(probability, self.value)

    @property
    def largest(self) -> float:
        """The value itself."""
        return self.value
