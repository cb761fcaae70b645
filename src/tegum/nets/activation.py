"""Output activations: what stands where the paper has a ReLU, by name or as two functions of your own.

>>> from tegum.nets import ACTIVATIONS, Activation
>>> cube = Activation("cube", value=lambda x: x**3, slope=lambda x: 3 * x**2)
>>> cube(np.array([1.0, 2.0])), ACTIVATIONS["relu"](np.array([-1.0, 2.0]))
(array([1., 8.]), array([0., 2.]))

    identity  y           relu      max(y, 0)              gelu   y Phi(y), Phi the normal distribution function
    square    y^2         softplus  log(1 + exp y)         abs    |y|                       tanh  tanh y

A slope is the derivative; training needs it beside the value, and at a kink takes the one of the two sides, or 0, that the
function gives.  Your own functions take one number and give one; the engine compiles them with Numba, so they may use
arithmetic, conditions, and the functions of ``math`` and NumPy.

Sources: Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)" (2016), with the exact distribution function.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import scipy
from numpy.typing import NDArray

from tegum.checking import Checked, numbers
from tegum.errors import InvalidInputError
from tegum.nets.code import code_of

Function = Callable[[Any], Any]

_PROBES = (-1.7, -0.9, -0.31, 0.23, 0.77, 1.3)
_STEP = 1e-5
_AGREES = 1e-3


@final
@dataclass(frozen=True, repr=False)
class Activation(metaclass=Checked):
    """A function of one number with its derivative; called with an array, its values.

    Args:
        name: what results and pictures call it.
        value: the function.
        slope: its derivative.
        on_arrays: whether both also take arrays, elementwise, which makes plain forward passes faster.

    Raises:
        InvalidInputError: where a function does not give finite numbers, or the slope is not the value's derivative, at six
            points between -2 and 2.
    """

    name: str
    value: Function = field(kw_only=True)
    slope: Function = field(kw_only=True)
    on_arrays: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        for x in _PROBES:
            here, slope = self._number("value", x), self._number("slope", x)
            left = (here - self._number("value", x - _STEP)) / _STEP
            right = (self._number("value", x + _STEP) - here) / _STEP
            rise, size = (left + right) / 2, 1 + abs(slope)
            smooth = abs(right - left) < _AGREES * size
            if smooth and abs(slope - rise) > _AGREES * size:
                what = f"the slope of activation {self.name!r} at {x:g} is {slope:g}, its value rises at {rise:g}"
                raise InvalidInputError(what, "give the derivative of the value")

    def _number(self, which: str, x: float) -> float:
        function: Function = getattr(self, which)
        place = f"the {which} of activation {self.name!r} at {x:g}"
        try:
            with np.errstate(all="ignore"):
                number = float(function(x))
        except Exception as error:  # noqa: BLE001  whatever a user's function raises is part of the message
            raise InvalidInputError(f"{place} fails ({error})", "give a function of one number") from None
        if not np.isfinite(number):
            raise InvalidInputError(f"{place} is {number}", "give a function that is finite everywhere")
        return number

    def __call__(self, x: NDArray[np.floating]) -> NDArray[np.floating]:
        """The values at every element of x."""
        return self._everywhere(self.value, x)

    def slopes(self, x: NDArray[np.floating]) -> NDArray[np.floating]:
        """The derivatives at every element of x."""
        return self._everywhere(self.slope, x)

    def _everywhere(self, function: Function, x: NDArray[np.floating]) -> NDArray[np.floating]:
        x = numbers("x", x)
        return np.asarray(function(x) if self.on_arrays else np.vectorize(function, otypes=[np.float64])(x))

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        """One that has a name travels and is copied by that: its functions have none, and the engines know it by what it is."""
        if self == ACTIVATIONS.get(self.name):
            return activation_called, (self.name,)
        return super().__reduce_ex__(protocol)

    @property
    def code(self) -> str:
        """A hash of what both functions do: their instructions, constants, and the values they refer to.

        Raises:
            TypeError: where they refer to something of which nobody can tell whether it has changed.
        """
        return code_of(self.value, self.slope)


def _gelu_slope(x: Any) -> Any:
    return scipy.special.ndtr(x) + x * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)


def _tanh_slope(x: Any) -> Any:
    return 1 - np.tanh(x) ** 2


def _plain(name: str, value: Function, slope: Function) -> Activation:
    return Activation(name, value=value, slope=slope, on_arrays=True)


IDENTITY = _plain("identity", lambda x: x, np.ones_like)
RELU = _plain("relu", lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1.0, 0.0))

ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        IDENTITY,
        RELU,
        _plain("gelu", lambda x: x * scipy.special.ndtr(x), _gelu_slope),
        _plain("softplus", lambda x: np.logaddexp(0, x), scipy.special.expit),
        _plain("square", np.square, lambda x: 2 * x),
        _plain("abs", np.abs, np.sign),
        _plain("tanh", np.tanh, _tanh_slope),
    )
}
"""The activations that have a name."""


def known_code(activation: Activation) -> str:
    """The code of an activation of one's own, whose functions may refer to what has changed since; empty for any that is known.

    What is made of a function is kept under this beside the function itself.  Where nobody can tell, the function has to do.
    """
    if activation == ACTIVATIONS.get(activation.name):
        return ""
    try:
        return activation.code
    except TypeError:
        return ""


def activation_called(choice: str | Activation) -> Activation:
    """The activation of that name, or the one given.

    Raises:
        InvalidInputError: for a name that stands for none, or one of your own under a name that is taken.
    """
    if isinstance(choice, Activation):
        if choice != ACTIVATIONS.get(choice.name, choice):
            raise InvalidInputError(f"an activation of your own is called {choice.name!r}", "choose a name that is not taken")
        return ACTIVATIONS.get(choice.name, choice)
    if choice not in ACTIVATIONS:
        raise InvalidInputError(
            f"activation is {choice!r}", f"choose among {', '.join(ACTIVATIONS)}, or give a tg.nets.Activation"
        )
    return ACTIVATIONS[choice]
