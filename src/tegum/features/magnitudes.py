"""How strongly an active feature is active: the law of its magnitude.

    law          density on               E[u^k]
    Uniform      [0, 1]                   1 / (k + 1)      the paper's choice
    Uniform      [low, high]              (high^(k+1) - low^(k+1)) / ((k + 1) (high - low))
    Exponential  [0, inf), given mean     k! mean^k
    Constant     a single value           value^k          binary features

>>> from tegum.features import Exponential, Uniform
>>> Exponential(mean=0.5).moment(2), Uniform(-1, 1).moment(2)
(0.5, 0.3333333333333333)

A law of your own says its moments, its quantiles and the upper end of its support.  Training draws from its quantiles; if it
also says its moment generating function E e^{zu}, and has an end, its exact loss is known (`tegum.exact`).

>>> class Triangular(Magnitude):                          # the larger of two uniform numbers, density 2 u
...     largest = 1.0
...     def moment(self, order): return 2 / (order + 2)
...     def quantile(self, probability): return np.sqrt(probability)
>>> Triangular().moment(1)
0.6666666666666666
>>> class Wrong(Triangular):
...     def moment(self, order): return 1 / (order + 1)
>>> Wrong()
Traceback (most recent call last):
    ...
tegum.errors.InvalidInputError: 2 mistakes:
  Wrong says E u = 0.5, and its quantiles have 0.6667: let moment(k) be the integral of quantile(p)^k
  Wrong says E u^2 = 0.3333, and its quantiles have 0.5: let moment(k) be the integral of quantile(p)^k

The paper remarks that exponential magnitudes would be as natural as its uniform ones (section 2.1 of `Toy Models of
Superposition`).
"""

from abc import abstractmethod
from dataclasses import dataclass
from math import factorial, inf
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.checking import Checked
from tegum.errors import InvalidInputError, Problems

_CHECK_POINTS, _AGREEMENT = 4096, 2e-3


class _Consistent(Checked):
    """What makes laws: one that contradicts itself is refused as soon as it is made, whoever wrote it."""

    def __call__(cls, /, *args: Any, **fields: Any) -> Any:
        law = super().__call__(*args, **fields)
        _require_consistent(law)
        return law


class Magnitude(metaclass=_Consistent):
    """The law of an active feature's magnitude u (before a random sign, where features are signed).

    Raises:
        InvalidInputError: where moments, quantiles and the end of the support of a law of your own contradict each other.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

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

    def generating(self, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """E e^{zu} for complex z, the moment generating function; the exact engine needs it of a law of your own.

        Raises:
            InvalidInputError: where the law does not say it.
        """
        advice = "give it a method generating(z) that returns E e^{zu} for an array of complex z"
        raise InvalidInputError(f"the magnitudes are {type(self).__name__}, without a moment generating function", advice)


def _require_consistent(law: Magnitude) -> None:
    """Refuses a law whose functions fail, or whose moments are not those of its quantiles."""
    name = type(law).__name__
    t = (np.arange(_CHECK_POINTS) + 0.5) / _CHECK_POINTS
    p, share = 1 - (1 - t) ** 4, 4 * (1 - t) ** 3 / _CHECK_POINTS  # dense where a law may have a long tail
    try:
        u = np.asarray(law.quantile(p), dtype=np.float64)
        moments = [float(law.moment(order)) for order in (1, 2)]
        largest = float(law.largest)
        flat = u.shape == p.shape and bool(np.isfinite(u).all())
    except Exception as error:  # noqa: BLE001  whatever a law of someone else's raises
        what = f"{name} fails with {type(error).__name__} ({error})"
        raise InvalidInputError(what, "let moment(k), quantile(p) and largest take and return numbers, p an array") from None
    with Problems() as problems:
        if not flat:
            problems.add(
                f"quantile of {name} returns the shape {u.shape} for {p.shape}, or numbers that are not finite",
                "let it return a finite number for each probability in [0, 1)",
            )
            return
        if (np.diff(u) < 0).any():
            problems.add(f"the quantiles of {name} fall", "let quantile(p) rise with p")
        if not u.max() <= largest + 1e-9 * abs(largest):
            problems.add(f"{name} says largest = {largest:g}, and its quantiles reach {u.max():g}", "let largest be the end")
        for order, said in enumerate(moments, 1):
            found, size = float(share @ u**order), float(share @ np.abs(u) ** order)
            if not abs(said - found) <= _AGREEMENT * size:
                label = "E u" if order == 1 else "E u^2"
                problems.add(
                    f"{name} says {label} = {said:.4g}, and its quantiles have {found:.4g}",
                    "let moment(k) be the integral of quantile(p)^k",
                )


def _require_size(law: Magnitude, name: str) -> None:
    """Refuses what is no number, or a magnitude whose powers single precision could not hold."""
    problems, value = Problems(), getattr(law, name)
    problems.check_number(f"{name} of the {type(law).__name__.lower()} magnitudes", value, 1e-15, 1e15)
    problems.raise_if_any()
    object.__setattr__(law, name, float(value))  # compiled code would be compiled anew for an integer, and fail


@final
@dataclass(frozen=True, repr=False)
class Uniform(Magnitude):
    """u ~ U[low, high], by default U[0, 1]; of both signs where low is negative."""

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        with Problems() as problems:
            for name in ("low", "high"):
                value = getattr(self, name)
                problems.check_number(f"{name} of the uniform magnitudes", value, -1e15, 1e15)
        for name in ("low", "high"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not self.high - self.low >= 1e-6 * max(abs(self.low), abs(self.high), 1e-9):
            raise InvalidInputError(
                f"uniform magnitudes from {self.low:g} to {self.high:g}",
                "let high be above low; for one value, Constant(value)",
            )

    def __repr__(self) -> str:
        return "Uniform()" if self.is_unit else f"Uniform({self.low!r}, {self.high!r})"

    @property
    def is_unit(self) -> bool:
        """Whether it is the paper's U[0, 1]."""
        return (self.low, self.high) == (0.0, 1.0)

    @property
    def largest(self) -> float:
        """``high``."""
        return self.high

    def moment(self, order: int) -> float:
        """(high^(order+1) - low^(order+1)) / ((order + 1) (high - low))."""
        powers = (self.high ** (order - k) * self.low**k for k in range(order + 1))
        return sum(powers) / (order + 1)

    def quantile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Low + (high - low) probability."""
        return probability if self.is_unit else self.low + (self.high - self.low) * probability


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
