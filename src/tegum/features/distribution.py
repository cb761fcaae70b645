"""What every feature distribution can do: say its moments and its blocks, and draw samples.

    x_i = (feature i is active) * sign * magnitude,     magnitudes independent of each other and of what is active

A distribution is a frozen description.  Its density and importance may carry leading axes, one element per instance; the
arrays are broadcast against each other to (..., n_features):

>>> from tegum.features import Independent
>>> three = Independent(2, density=[[0.5], [0.2], [0.1]])
>>> three.batch_shape, three.sample(100, seed=0).shape
((3,), (3, 100, 2))

A new distribution is one class: its fields, how often its features are active together (`blocks`, or `joint_density` where
there are none), and `active`, which draws.  With `blocks` it is trained and has an exact loss; with `active` alone it can be
drawn, and ``FiniteLaw(own.sample(100_000, seed=0))`` has both.

>>> import numpy as np
>>> from tegum.features import Blocks, Features, Independent
>>> class Rare(Features):                                  # feature 0 half of the time, of the others one at most
...     def __init__(self, n_features, importance=1.0):
...         density = np.full(n_features, 0.5 / max(n_features - 1, 1))
...         density[0] = 0.5
...         self.set_fields(n_features, density, importance)
...     def blocks(self):
...         each = np.arange(self.n_features)
...         return Blocks(component_of_feature=each, block_of_component=np.minimum(each, 1), probability=self.density)
...     def active(self, n_samples, generator):
...         first, other = generator.random((2, n_samples, 1))
...         each = np.arange(self.n_features)
...         return np.where(each == 0, first < 0.5, each == 1 + np.floor(2 * (self.n_features - 1) * other))
>>> Rare(3).joint_density().round(3)
array([[0.5  , 0.125, 0.125],
       [0.125, 0.25 , 0.   ],
       [0.125, 0.   , 0.25 ]])
"""

from abc import abstractmethod
from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray

from tegum.checking import Checked, checked, misfit, real_numbers, require_memory, require_seeds, shown
from tegum.errors import MOST, InvalidInputError, Problems, unknown_field
from tegum.features.blocks import Blocks
from tegum.features.magnitudes import Magnitude, Uniform

_LARGEST = 1e30  # squared errors times this are numbers in single precision, too
_ROUNDING = 1e-9
_COPIED = "let its constructor take each argument as it is kept: density and importance are arrays, (..., n_features)"


class _Complete(Checked):
    """What makes distributions: one that lacks what all have is refused as soon as it is made, whoever wrote it.

    So is one whose copies are others: every distribution of a sweep, and the one that is trained on, is made of its fields.
    """

    def __call__(cls, /, *args: Any, **fields: Any) -> Any:
        made = super().__call__(*args, **fields)
        made.require_complete()
        if not _is_ours(cls):
            kept = {name: getattr(made, name) for name in made.field_names()}
            try:
                again = super().__call__(**kept)
            except Exception as error:  # noqa: BLE001  whatever a constructor of someone else's raises
                raise InvalidInputError(f"{cls.__name__} cannot be copied ({error})", _COPIED) from None
            _require_same(made, again)
        return made


class Features(metaclass=_Complete):
    """The distribution of a model's inputs: n features, how often and how strongly each is active, how much it matters."""

    n_features: int
    density: Float[np.ndarray, "..."]
    importance: Float[np.ndarray, "..."]
    magnitude: Magnitude
    signed: bool

    @property
    def feature_density(self) -> Float[np.ndarray, "*batch n"]:
        """Probability that each feature is active, shape (..., n)."""
        return self.density

    def blocks(self) -> Blocks:
        """The independent blocks that the exact engine enumerates.

        Raises:
            InvalidInputError: for a distribution that has none.
        """
        advice = "both engines need them: write a method blocks() that returns a tegum.features.Blocks"
        raise InvalidInputError(f"{type(self).__name__} has no independent blocks", advice)

    def has_blocks(self) -> bool:
        """Whether there are independent blocks."""
        return type(self).blocks is not Features.blocks

    def joint_density(self) -> Float[np.ndarray, "*batch n n"]:
        """Probability that two features are active together, shape (..., n, n); the diagonal is the density."""
        return self.blocks().joint_density()

    @abstractmethod
    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "*batch samples n"]:
        """Which features are active in each of ``n_samples`` samples."""

    def __repr__(self) -> str:
        with np.printoptions(threshold=6, edgeitems=2, precision=4):
            shown = [f"{name}={_shown(getattr(self, name))}" for name in self.field_names()]
        return f"{type(self).__name__}({', '.join(shown)})"

    def replaced(self, /, **changes: Any) -> "Features":
        """The same distribution with some fields changed, checked anew.

        Raises:
            InvalidInputError: for a field this distribution does not have, or a wrong value.
        """
        mine = self.field_names()
        unknown = [unknown_field(type(self).__name__, name, mine) for name in changes if name not in mine]
        if unknown:
            raise InvalidInputError(unknown)
        try:
            return type(self)(**self._kept_beside(changes) | changes)
        except Exception as error:
            if isinstance(error, InvalidInputError) or _is_ours(type(self)):
                raise
            raise InvalidInputError(f"{type(self).__name__} cannot be copied ({error})", _COPIED) from None

    def _kept_beside(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that a copy with these changes takes over."""
        return {name: getattr(self, name) for name in self.field_names()}

    @classmethod
    def field_names(cls) -> list[str]:
        """What the constructor takes, in order."""
        return [name for name in signature(cls.__init__).parameters if name != "self"]

    def batched(self) -> dict[str, NDArray[np.float64]]:
        """The fields that may carry leading axes, by name: its importance, and its density where it is a field."""
        return {name: getattr(self, name) for name in ("density", "importance") if name in self.field_names()}

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape of the leading axes: how many distributions this object describes."""
        return np.broadcast_shapes(self.density.shape[:-1], self.importance.shape[:-1])

    def singles(self) -> list["Features"]:
        """Every distribution of the batch on its own, without its importance; one, where they differ in importance only."""
        names, lead = self.field_names(), self.density.shape[:-1]
        plain = {"importance": 1.0} if "importance" in names else {}
        if "density" not in names or not lead:
            return [self.replaced(**plain)] if plain and self.importance.ndim > 1 else [self]
        width = self.density.shape[-1]
        rows = np.broadcast_to(self.density, (*self.batch_shape, width)).reshape(-1, width)
        return [self.replaced(density=row, **plain) for row in rows]

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

    @checked
    def sample(self, n_samples: int, seed: int) -> Float[np.ndarray, "*batch samples n"]:
        """``n_samples`` draws, shape (..., n_samples, n); the same seed gives the same samples.

        All distributions of a batch use the same random numbers: one alone gives what it gives in a batch, and differences
        between them are not noise.

        Raises:
            InvalidInputError: for less than one sample or a negative seed, and for more samples than fit into memory.
        """
        if n_samples < 1:
            raise InvalidInputError(f"n_samples is {n_samples}", "draw at least 1 sample")
        require_seeds(seed)
        require_memory(f"{n_samples} samples", 8 * n_samples * self.feature_density.size)
        return self.draw(n_samples, np.random.default_rng(seed))

    def draw(self, n_samples: int, generator: np.random.Generator) -> Float[np.ndarray, "*batch samples n"]:
        """What `sample` returns, from a generator."""
        shape = (n_samples, self.n_features)
        magnitude = self.magnitude.quantile(generator.random(shape))
        if self.signed:
            magnitude = magnitude * generator.choice([-1.0, 1.0], size=shape)
        return np.asarray(np.where(self.active(n_samples, generator), magnitude, 0.0))

    def require_complete(self) -> None:
        """Raises an `InvalidInputError` for a distribution of your own that lacks what every distribution has."""
        missing = [name for name in ("n_features", "density", "importance") if not hasattr(self, name)]
        if missing:
            advice = "call self.set_fields(n_features, density, importance) in its constructor"
            raise InvalidInputError(f"{type(self).__name__} has no {' and no '.join(missing)}", advice)
        unknown = [name for name in self.field_names() if not hasattr(self, name)]
        if unknown:
            advice = "keep every argument of the constructor under its own name: copies are made of them"
            raise InvalidInputError(f"{type(self).__name__} does not keep its argument {unknown[0]!r}", advice)

    def set_fields(
        self,
        n_features: int,
        density: ArrayLike,
        importance: ArrayLike = 1.0,
        magnitude: Magnitude = Uniform(),
        signed: bool = False,
        **own: Any,
    ) -> None:
        """Fills the fields of a distribution of your own, checked; ``own`` are those that only it has.

        Raises:
            InvalidInputError: naming every wrong field.
        """
        self._set_counts(n_features=n_features)
        self._set_fields(n_features, density, importance, magnitude, signed).raise_if_any()
        self._fill(**own)

    def _set_counts(self, **counts: int) -> None:
        """Checks and fills fields that are whole numbers."""
        with Problems() as problems:
            for name, value in counts.items():
                problems.check_count(name, value)
        self._fill(**counts)

    def _set_fields(
        self,
        n_features: int,
        density: ArrayLike,
        importance: ArrayLike,
        magnitude: Magnitude | None = None,
        signed: bool | None = None,
        owner: tuple[str, int] | None = None,
    ) -> Problems:
        """Fills the fields that all distributions share, arrays broadcast and read-only; returns what is wrong with them.

        ``owner`` says what has a density, and how many there are: ``("set", 3)``; by default each feature.  A law of finitely
        many states, or a mixture, has neither one magnitude nor one sign.
        """
        if n_features > MOST:
            raise InvalidInputError(f"there are {n_features} features", f"choose at most {MOST:,}")
        problems, feature = Problems(), ("feature", n_features)
        advice = "a density is the probability of being active, choose 0 to 1"
        density = _numbers("density", density, owner or feature, 1.0, advice, problems)
        advice = "an importance weighs a squared error, choose a number from 0 to 1e+30"
        importance = _numbers("importance", importance, feature, _LARGEST, advice, problems)
        if magnitude is not None or signed is not None:
            if not isinstance(magnitude, Magnitude):
                problems.add(f"magnitude is {magnitude!r}", "give a law: Uniform(), Exponential(mean) or Constant(value)")
            if problem := misfit("signed", signed, bool):
                problems.add(*problem)
            self._fill(magnitude=magnitude, signed=signed)
        try:
            np.broadcast_shapes(density.shape[:-1], importance.shape[:-1])
        except ValueError:
            problems.add(
                f"density has leading shape {density.shape[:-1]} and importance {importance.shape[:-1]}",
                "give leading axes (one element per instance) that broadcast against each other",
            )
        self._fill(n_features=n_features, density=density, importance=importance)
        return problems

    def _fill(self, **values: Any) -> None:
        """Fills fields of this frozen object; arrays become read-only."""
        for name, value in values.items():
            own = value.view() if isinstance(value, np.ndarray) else value.item() if isinstance(value, np.generic) else value
            if isinstance(own, np.ndarray):
                own.flags.writeable = False
            object.__setattr__(self, name, own)


def _is_ours(kind: type) -> bool:
    """Whether tegum defines a class."""
    return kind.__module__.partition(".")[0] == "tegum"


def _require_same(made: Features, again: Features) -> None:
    """Raises an `InvalidInputError` where a copy says other numbers than its original."""
    arguments = made.field_names()
    for name in dict.fromkeys((*arguments, "n_features", "feature_density", "importance")):
        before, after = getattr(made, name), getattr(again, name)
        if not _alike(_in_numbers(before), _in_numbers(after)):
            what = f"{type(made).__name__} changes its {'argument ' if name in arguments else ''}{name} when it is copied"
            advice = "keep arguments as they are given; how often features are then active say in a property feature_density"
            raise InvalidInputError(f"{what}, {_shown(before):.40} to {_shown(after):.40}", advice)


def _alike(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    """Whether words are the same, and numbers but for rounding; what is neither is believed to be."""
    if one is None or other is None:
        return True
    if one.shape != other.shape:
        return False
    words = "U" in (one.dtype.kind, other.dtype.kind)
    return bool((one == other).all() if words else np.allclose(one, other, rtol=_ROUNDING, atol=0, equal_nan=True))


def _in_numbers(value: Any) -> NDArray[Any] | None:
    """What a field says, as an array; None where these are neither numbers nor words."""
    try:
        array = np.asarray([value.moment(order) for order in (1, 2)] if isinstance(value, Magnitude) else value)
    except Exception:  # noqa: BLE001  a value of someone else's may raise anything
        return None
    return array if array.dtype.kind in "biufcU" else None


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        alike = value.dtype.kind in "biuf" and value.size and np.all(value == value.flat[0])
        return f"{value.flat[0]:g}" if alike else np.array2string(value)
    return repr(value)


def _numbers(
    name: str, value: ArrayLike, owner: tuple[str, int], highest: float, advice: str, problems: Problems
) -> NDArray[np.float64]:
    """``value`` as an array of shape (..., length) with numbers from 0 to ``highest``, a single one repeated.

    Notes a problem where it cannot be, and where its first wrong element is: ``density[3] is 1.5``.
    """
    kind, length = owner
    try:
        array = real_numbers(name, value)
    except InvalidInputError:
        problems.add(f"{name} is {shown(value)}", "give a number or an array of numbers")
        return np.ones(length)
    if array.ndim and array.shape[-1] not in (1, length):
        problems.add(f"{name} has length {array.shape[-1]}", f"give one number or {length} of them, one for each {kind}")
        return np.ones(length)
    array = np.broadcast_to(array, (*array.shape[:-1], length))
    wrong = np.argwhere(~((array >= 0) & (array <= highest)))
    if len(wrong):
        number = array[tuple(wrong[0])]
        place = "" if np.all(array == number) else f"[{', '.join(map(str, wrong[0]))}]"
        problems.add(f"{name}{place} is {number:g}", advice)
    return array
