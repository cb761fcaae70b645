"""Magnitudes and distributions as users write them: good ones, and each with one mistake."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from tegum.features import Blocks, Features, Magnitude, Uniform

Floats = NDArray[np.float64]


class Triangular(Magnitude):
    """Density 2 u on [0, 1]: the larger of two uniform numbers."""

    largest = 1.0

    def moment(self, order: int) -> float:
        return 2 / (order + 2)

    def quantile(self, probability: Floats) -> Floats:
        return np.sqrt(probability)

    def generating(self, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
        near = np.abs(z) < 1
        w = np.where(near, 1, z)
        found = 2 * (np.exp(w) * (w - 1) + 1) / w**2
        found[near] = sum(2 * z[near] ** k / (math.factorial(k) * (k + 2)) for k in range(20))
        return found


class Plain(Magnitude):
    """U[0, 1]."""

    largest = 1.0

    def moment(self, order: int) -> float:
        return 1 / (order + 1)

    def quantile(self, probability: Floats) -> Floats:
        return probability

    def generating(self, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
        near = np.abs(z) < 1e-2
        w = np.where(near, 1, z)
        return np.where(near, 1 + z / 2 + z**2 / 6 + z**3 / 24 + z**4 / 120 + z**5 / 720, (np.exp(w) - 1) / w)


class Peaked(Magnitude):
    """Without a moment generating function: training takes it, the exact engine does not."""

    largest = 1.0

    def moment(self, order: int) -> float:
        return 1 / (2 * order + 1)

    def quantile(self, probability: Floats) -> Floats:
        return probability**2


class WrongTransform(Peaked):
    """Its moment generating function is that of another law."""

    def generating(self, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
        return np.exp(z / 2)


class Falls(Magnitude):
    """Quantiles in the wrong order, and the wrong end."""

    largest = 0.5

    def moment(self, order: int) -> float:
        return 1 / (order + 1)

    def quantile(self, probability: Floats) -> Floats:
        return 1 - probability


class Fails(Plain):
    """Raises."""

    def moment(self, order: int) -> float:
        return order / 0


class Rivals(Features):
    """Feature 0 half of the time; of the others exactly one at a time."""

    def __init__(self, n_features: int, importance: float = 1.0) -> None:
        density = np.full(n_features, 1 / (n_features - 1))
        density[0] = 0.5
        self.set_fields(n_features, density, importance)

    def blocks(self) -> Blocks:
        each = np.arange(self.n_features)
        return Blocks(component_of_feature=each, block_of_component=np.minimum(each, 1), probability=self.density)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "samples n"]:
        first, other = generator.random((2, n_samples, 1))
        each = np.arange(self.n_features)
        return np.where(each == 0, first < 0.5, each == 1 + np.floor((self.n_features - 1) * other))


class Echo(Features):
    """Two features that are active together or not at all, without blocks."""

    def __init__(self) -> None:
        self.set_fields(2, 0.3)

    def joint_density(self) -> Floats:
        return np.full((2, 2), 0.3)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "samples n"]:
        return np.repeat(generator.random((n_samples, 1)) < 0.3, 2, axis=1)


class Empty(Echo):
    """Sets nothing."""

    def __init__(self) -> None:
        pass


class Forgets(Echo):
    """Does not keep what it is made of."""

    def __init__(self, strength: float) -> None:
        self.set_fields(2, strength / 10)


class Halves(Features):
    """Keeps half of the density that it is given, and says so of its features."""

    def __init__(self, n_features: int, density: Any = 0.8, importance: Any = 1.0, rate: float = 1.0) -> None:
        self.set_fields(n_features, np.asarray(density) / 2, importance, rate=rate)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "*batch samples n"]:
        return generator.random((n_samples, self.n_features)) < self.feature_density[..., None, :]


class HalvesRate(Halves):
    """Keeps half of a field that only it has."""

    def __init__(self, n_features: int, density: Any = 0.8, importance: Any = 1.0, rate: float = 1.0) -> None:
        self.set_fields(n_features, density, importance, rate=rate / 2)


class HalvesMagnitude(Halves):
    """Keeps magnitudes half as large."""

    def __init__(self, n_features: int, magnitude: Magnitude) -> None:
        self.set_fields(n_features, 0.5, magnitude=Uniform(0, magnitude.largest / 2))


class HalfAsOften(Halves):
    """Keeps what it is given, weights but for rounding, and is active half as often."""

    def __init__(self, n_features: int, density: Any = 0.8, importance: Any = 1.0, weights: Any = (1, 2, 4)) -> None:
        self.set_fields(n_features, density, importance, weights=np.asarray(weights) / np.sum(weights))

    @property
    def feature_density(self) -> Floats:
        return self.density / 2


class OneNumber(Halves):
    """Takes one density for all features, and keeps one for each."""

    def __init__(self, n_features: int, density: Any = 0.8, importance: Any = 1.0) -> None:
        self.set_fields(n_features, float(density), importance)


class WithoutAxes(Halves):
    """Takes no leading axes."""

    def __init__(self, n_features: int, density: Any = 0.8, importance: Any = 1.0) -> None:
        self.set_fields(n_features, np.broadcast_to(density, n_features), importance)


class Kept(Halves):
    """Keeps a function."""

    def __init__(self, n_features: int, function: Callable[[Any], Any]) -> None:
        self.set_fields(n_features, 0.3, function=function)


@dataclass(frozen=True)
class Power(Triangular):
    """Quantiles that are given as a function, here the square, and words."""

    function: Callable[[Any], Any]
    words: set[str]

    def moment(self, order: int) -> float:
        return 1 / (2 * order + 1)

    def quantile(self, probability: Floats) -> Floats:
        return np.asarray(self.function(probability))
