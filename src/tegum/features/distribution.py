"""What every feature distribution can do: say its moments and its blocks, and draw samples.

    x_i = (feature i is on) * sign * magnitude,     magnitudes independent of each other and of what is on

A distribution is a frozen description.  Its density and importance may carry leading axes, one element per instance:
``density`` of shape (3, 1) describes three worlds at once.  The arrays are broadcast against each other to
(..., n_features).  A new distribution is one file: `feature_density`, `joint_density`, `active`, `blocks` if it has them.
"""

from abc import ABC, abstractmethod
from inspect import signature
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray

from tegum.errors import InvalidInputError, Problems
from tegum.features.blocks import Blocks
from tegum.features.magnitudes import Magnitude


class Features(ABC):
    """The world a model lives in: n features, how often and how strongly each is on, and how much it matters."""

    n_features: int
    density: Float[np.ndarray, "..."]
    importance: Float[np.ndarray, "..."]
    magnitude: Magnitude
    signed: bool

    @property
    @abstractmethod
    def feature_density(self) -> Float[np.ndarray, "*batch n"]:
        """Probability that each feature is on, shape (..., n)."""

    @abstractmethod
    def joint_density(self) -> Float[np.ndarray, "*batch n n"]:
        """Probability that two features are on together, shape (..., n, n); the diagonal is the density."""

    @abstractmethod
    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "*batch samples n"]:
        """Which features are on in each of ``n_samples`` samples."""

    def __repr__(self) -> str:
        with np.printoptions(threshold=6, edgeitems=2, precision=4):
            shown = [f"{name}={_shown(getattr(self, name))}" for name in self.field_names()]
        return f"{type(self).__name__}({', '.join(shown)})"

    def replaced(self, **changes: Any) -> "Features":
        """The same distribution with some fields changed, checked anew.

        Raises:
            InvalidInputError: for a field this distribution does not have, or a wrong value.
        """
        mine = self.field_names()
        unknown = [name for name in changes if name not in mine]
        if unknown:
            raise InvalidInputError(f"{type(self).__name__} has no field {unknown[0]!r}", f"choose among {', '.join(mine)}")
        return type(self)(**{name: getattr(self, name) for name in mine} | changes)

    @classmethod
    def field_names(cls) -> list[str]:
        """What the constructor takes, in order."""
        return [name for name in signature(cls.__init__).parameters if name != "self"]

    def _settle(
        self,
        problems: Problems,
        n_features: int,
        density: ArrayLike,
        importance: ArrayLike,
        magnitude: Magnitude,
        signed: bool,
        each: tuple[str, int],
    ) -> None:
        """Fills the fields that all distributions share, broadcast and read-only; notes what is wrong with them.

        ``each`` says of what there is one density, and how many of these there are: ``("set", 3)``.
        """
        density = spread("density", density, each[1], each[0], problems)
        importance = spread("importance", importance, n_features, "feature", problems)
        check_worlds(density, importance, magnitude, signed, problems)
        self._store(n_features=n_features, density=density, importance=importance, magnitude=magnitude, signed=signed)

    def _store(self, **values: Any) -> None:
        """Fills fields of this frozen object; arrays become read-only."""
        for name, value in values.items():
            kept = value.view() if isinstance(value, np.ndarray) else value
            if isinstance(kept, np.ndarray):
                kept.flags.writeable = False
            object.__setattr__(self, name, kept)

    def blocks(self) -> Blocks:
        """The independent blocks that the exact engine enumerates; a `InvalidInputError` where there are none."""
        raise InvalidInputError(f"{type(self).__name__} has no independent blocks", "use the stochastic engine for it")

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape of the leading axes: how many worlds this object describes."""
        return np.broadcast_shapes(self.density.shape[:-1], self.importance.shape[:-1])

    def mean(self) -> Float[np.ndarray, "*batch n"]:
        """E[x_i], shape (..., n)."""
        return np.asarray(self.feature_density * (0.0 if self.signed else self.magnitude.moment(1)))

    def second_moment(self) -> Float[np.ndarray, "*batch n n"]:
        """E[x_i x_j], shape (..., n, n)."""
        between = 0.0 if self.signed else self.magnitude.moment(1) ** 2
        alone = np.eye(self.n_features, dtype=bool)
        return np.asarray(self.joint_density() * np.where(alone, self.magnitude.moment(2), between))

    def covariance(self) -> Float[np.ndarray, "*batch n n"]:
        """E[x_i x_j] - E[x_i] E[x_j], shape (..., n, n)."""
        mean = self.mean()
        return np.asarray(self.second_moment() - mean[..., :, None] * mean[..., None, :])

    def sample(self, n_samples: int, seed: int) -> Float[np.ndarray, "*batch samples n"]:
        """``n_samples`` draws, shape (..., n_samples, n); the same seed gives the same samples.

        All worlds of a batch are drawn from the same random numbers: a world alone gives what it gives in a batch, and
        differences between worlds are not noise.
        """
        if n_samples < 1:
            raise InvalidInputError(f"n_samples is {n_samples}", "draw at least 1 sample")
        generator = np.random.default_rng(seed)
        shape = (n_samples, self.n_features)
        magnitude = self.magnitude.quantile(generator.random(shape))
        if self.signed:
            magnitude = magnitude * generator.choice([-1.0, 1.0], size=shape)
        return np.asarray(np.where(self.active(n_samples, generator), magnitude, 0.0))


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.flat[0]:g}" if np.all(value == value.flat[0]) else np.array2string(value)
    return repr(value)


def check_count(name: str, value: Any, problems: Problems) -> None:
    """Notes a problem unless ``value`` is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        problems.add(f"{name} is {value!r}", "choose a whole number of at least 1")


def spread(name: str, value: ArrayLike, length: int, of: str, problems: Problems) -> NDArray[np.float64]:
    """``value`` as an array of shape (..., length), a single number repeated; notes a problem where it cannot be."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        problems.add(f"{name} is {value!r}", "give a number or an array of numbers")
        return np.ones(length)
    if array.ndim and array.shape[-1] not in (1, length):
        problems.add(f"{name} has length {array.shape[-1]}", f"give one number or {length} of them, one for each {of}")
        return np.ones(length)
    return np.broadcast_to(array, (*array.shape[:-1], length))


def _first(name: str, array: NDArray[np.float64], wrong: NDArray[np.bool_]) -> str:
    """How to speak of the first wrong element: ``density[3] is 1.5``."""
    position = tuple(int(index) for index in np.argwhere(wrong)[0])
    everywhere = np.all(array == array[position])
    place = "" if everywhere else f"[{', '.join(map(str, position))}]"
    return f"{name}{place} is {array[position]:g}"


def check_probability(name: str, array: NDArray[np.float64], problems: Problems) -> None:
    """Notes a problem for densities that are not numbers from 0 to 1."""
    wrong = ~((array >= 0) & (array <= 1))
    if wrong.any():
        problems.add(_first(name, array, wrong), "a density is the probability of being active, choose 0 to 1")


def check_worlds(
    density: NDArray[np.float64], importance: NDArray[np.float64], magnitude: object, signed: object, problems: Problems
) -> None:
    """Notes problems with what all distributions share."""
    check_probability("density", density, problems)
    wrong = ~((importance >= 0) & np.isfinite(importance))
    if wrong.any():
        problems.add(
            _first("importance", importance, wrong),
            "an importance weighs a squared error, choose a finite number of at least 0",
        )
    if not isinstance(magnitude, Magnitude):
        problems.add(f"magnitude is {magnitude!r}", "give a law: Uniform(), Exponential(mean) or Constant(value)")
    if not isinstance(signed, bool | np.bool_):
        problems.add(f"signed is {signed!r}", "choose True or False")
    try:
        np.broadcast_shapes(density.shape[:-1], importance.shape[:-1])
    except ValueError:
        problems.add(
            f"density has leading shape {density.shape[:-1]} and importance {importance.shape[:-1]}",
            "give leading axes (one element per world) that broadcast against each other",
        )
