"""What may be added to the expected loss: weights times interference, times squared weights, or a function of your own.

    minimise  L(W, b) + sum of penalties

    Interference(w)   w sum_{i != j} <W_i, W_j>^2         over ordered pairs of columns
    L2(w)             w sum_ki W_ki^2
    L1(w)             w sum_k E |h_k|, h = W x            mean activity; a kink at every weight of 0
    Smooth(f, name)   f(W, b), with its derivatives

>>> import numpy as np
>>> value, by_W, by_b = Interference(0.5)(np.array([[1.0, -1.0]]), np.zeros(2))
>>> value, by_W
(1.0, array([[ 2., -2.]]))
>>> def tilt(W, b):                                                  # a function of your own
...     return 0.1 * W.sum(), np.full_like(W, 0.1), np.zeros_like(b)
>>> Smooth(tilt, "tilt")
Smooth('tilt')

A penalty that turns with W, f(R W, b) = f(W, b) for every rotation R, leaves the loss's flat directions flat: Interference and
L2 do; of your own say ``turns=True``.

Source: Levine, "Mathematics for AI Safety" (2026), problems O44, O47 and O51, for the interference.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.checking import Checked, check_fields, misfit, shown
from tegum.errors import InvalidInputError, Problems
from tegum.exact.activity import hidden_activity, one_sided
from tegum.features import Constant, Features, FiniteLaw

Array = NDArray[np.float64]
Valued = tuple[float, Array, Array]
"""A value, and its derivatives by W (m, n) and by b (n,)."""

_LARGEST = 1e15
_STEP, _AGREES = 1e-5, 1e-4


@dataclass(frozen=True)
class Penalty(metaclass=Checked):
    """What is added to the loss: a function of W (m, n) and b (n,) that returns its value and both derivatives."""

    turns = True
    """Whether it stays the same where W is rotated, W -> R W."""

    kinked = False
    """Whether it has kinks where weights are 0."""

    def on(self, features: Features) -> "Penalty":
        """The penalty for inputs of this distribution; most are the same for all."""
        return self

    @abstractmethod
    def __call__(self, W: Array, b: Array) -> Valued:
        """The value, its derivative by W (m, n), its derivative by b (n,)."""

    def one_sided(self, W: Array) -> tuple[Array, Array]:
        """Of a kinked one the derivatives by every weight of W (m, n) as it falls and as it rises."""
        raise NotImplementedError


@dataclass(frozen=True)
class _Weighted(Penalty):
    weight: float

    def __post_init__(self) -> None:
        with Problems() as problems:
            if problem := misfit(f"the weight of {type(self).__name__}", self.weight, float):
                problems.add(*problem)
            else:
                problems.check_number(f"the weight of {type(self).__name__}", float(self.weight), 0, _LARGEST)
        object.__setattr__(self, "weight", float(self.weight))


@final
@dataclass(frozen=True)
class Interference(_Weighted):
    """``weight`` times sum_{i != j} <W_i, W_j>^2, over ordered pairs of columns."""

    def __call__(self, W: Array, b: Array) -> Valued:
        """The value, its derivative by W (m, n), its derivative by b (n,)."""
        G = W.T @ W
        np.fill_diagonal(G, 0)
        return self.weight * float((G**2).sum()), 4 * self.weight * (W @ G), np.zeros_like(b)


@final
@dataclass(frozen=True)
class L2(_Weighted):
    """``weight`` times the sum of the squares of all entries of W."""

    def __call__(self, W: Array, b: Array) -> Valued:
        """The value, its derivative by W (m, n), its derivative by b (n,)."""
        return self.weight * float((W**2).sum()), 2 * self.weight * W, np.zeros_like(b)


@final
@dataclass(frozen=True)
class L1(_Weighted):
    """``weight`` times sum_k E |h_k|, the mean activity of the hidden units (`tegum.exact.activity`).

    It is what `tegum.Recipe` calls ``l1``.  It pulls weights to exactly 0; minima on its kinks are found by `minimise`.
    """

    features: Features | None = field(default=None, repr=False, kw_only=True)

    turns = False
    kinked = True

    def on(self, features: Features) -> "L1":
        """The penalty for inputs of this distribution.

        Raises:
            InvalidInputError: for features that take few values, among which |h| has kinks at other weights than 0, too.
        """
        if _takes_few_values(features):
            advice = "choose magnitudes that have a density, such as Uniform(0.9, 1.1); or train with Recipe(l1=...)"
            raise InvalidInputError(f"{self!r} is asked of {features!r}, whose magnitudes take few values", advice)
        return replace(self, features=features)

    def __call__(self, W: Array, b: Array) -> Valued:
        """The value, its derivative by W (m, n), its derivative by b (n,)."""
        mean, slope = hidden_activity(W, self._known())
        return self.weight * float(mean.sum()), self.weight * slope, np.zeros_like(b)

    def one_sided(self, W: Array) -> tuple[Array, Array]:
        """The derivatives by every weight of W (m, n) as it falls and as it rises."""
        below, above = one_sided(W, self._known())
        return self.weight * below, self.weight * above

    def _known(self) -> Features:
        if self.features is None:
            raise InvalidInputError("L1 does not know the features", "give it to `minimise`, or take L1(weight).on(features)")
        return self.features


def _takes_few_values(features: Features) -> bool:
    """Whether some feature, in whatever part or component, has magnitudes without a density."""
    inside = [*getattr(features, "parts", ()), *getattr(features, "components", ())]
    few = isinstance(features, FiniteLaw) or isinstance(getattr(features, "magnitude", None), Constant)
    return few or any(_takes_few_values(one) for one in inside)


@final
@dataclass(frozen=True, eq=False, repr=False)
class Smooth(Penalty):
    """A function of your own: continuous derivatives, which it returns as well.

    Args:
        function: from W (m, n) and b (n,) to its value, its derivative by W and its derivative by b.
        name: what it is called in what is recorded with a result.
        turns: whether it stays the same where W is rotated, W -> R W.
    """

    function: Callable[[Array, Array], Valued]
    name: str
    turns: bool = False

    def __post_init__(self) -> None:
        with Problems() as problems:
            check_fields(self, problems)

    def __repr__(self) -> str:
        return f"Smooth({self.name!r})"

    def __call__(self, W: Array, b: Array) -> Valued:
        """What the function returns, as float64.

        Raises:
            InvalidInputError: where it returns something else than a number and two arrays of the shapes of W and b.
        """
        found: Any = self.function(W, b)
        try:
            value, by_W, by_b = found
            result = float(value), np.asarray(by_W, dtype=np.float64), np.asarray(by_b, dtype=np.float64)
        except (TypeError, ValueError):
            raise InvalidInputError(f"{self!r} returns {shown(found)}", "return the value, dW and db") from None
        if result[1].shape != W.shape or result[2].shape != b.shape:
            shapes = f"{self!r} returns derivatives of shapes {result[1].shape} and {result[2].shape}"
            raise InvalidInputError(shapes, f"return the value, dW {W.shape} and db {b.shape}")
        return result


def penalties_checked(penalties: Sequence[Any], W: Array, b: Array) -> tuple[Penalty, ...]:
    """The penalties, refused where they are none, or where the derivatives of one are not those of its values at W and b.

    Raises:
        InvalidInputError: naming everything that is wrong.
    """
    problems = Problems()
    for one in penalties:
        if isinstance(one, Smooth):
            with problems.collecting():
                _require_derivatives(one, W, b)
        elif not isinstance(one, Penalty):
            problems.add(
                f"a penalty is {shown(one)}",
                "choose among tegum.exact.Interference, L1, L2 and Smooth, which takes a function of your own",
            )
    problems.raise_if_any()
    return tuple(penalties)


def _require_derivatives(penalty: Smooth, W: Array, b: Array) -> None:
    """Raises where the slope along one direction is not what the derivatives say, nor that of half the step."""
    generator = np.random.default_rng(0)
    along_W, along_b = generator.normal(size=W.shape), generator.normal(size=b.shape)
    _, by_W, by_b = penalty(W, b)
    said = float((by_W * along_W).sum() + (by_b * along_b).sum())
    up, down = (penalty(W + h * along_W, b + h * along_b)[0] for h in (_STEP, -_STEP))
    slope = (up - down) / (2 * _STEP)
    scale = abs(said) + abs(slope) + float(np.abs(by_W).max(initial=0) + np.abs(by_b).max(initial=0))
    if not abs(slope - said) <= _AGREES * scale + 1e-9 * abs(up):
        raise InvalidInputError(
            f"{penalty!r} says that it changes by {said:.6g} along a direction, and it changes by {slope:.6g}",
            "return the derivatives of the value that you return",
        )


def compiled_weights(penalties: Sequence[Penalty]) -> tuple[float, float]:
    """The summed weights of `Interference` and `L2`, which compiled code knows."""
    interference = sum((one.weight for one in penalties if isinstance(one, Interference)), 0.0)
    return interference, sum((one.weight for one in penalties if isinstance(one, L2)), 0.0)


def interpreted(penalties: Sequence[Penalty]) -> tuple[Penalty, ...]:
    """Those that compiled code does not know."""
    return tuple(one for one in penalties if not isinstance(one, Interference | L2))
