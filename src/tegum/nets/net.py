"""What every model family is: an encoder, a hidden activation, a decoder, an output activation, a target.

    h = activation(W_in x + b_hidden)        y = activation(W_out h + b)        loss = sum_i I_i (target_i - y_i)^2

A family says its equation in words, which of the two activations are ReLUs (one family takes any other function of the
output), whether the decoder is the transposed encoder (*tied*), and what the output is compared with; from that follow the
parameters, a plain NumPy forward pass (the readable reference) and the compiled engine's specialisation.

Parameters are a dictionary of arrays; leading axes are instances.  Tied families have ``W`` (..., m, n), as in the paper
(a column is a feature's direction), untied ones ``W1`` (..., m, n) and ``W2`` (..., n, m); then ``b`` (..., n) and, where the
family has it, ``b_hidden`` (..., m).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import paired, with_labels
from tegum.checking import Checked, check_fields, checked, in_order, misfit, numbers, shown
from tegum.datasets import PARAMETER_DIMS
from tegum.errors import InvalidInputError, Problems
from tegum.nets.activation import IDENTITY, RELU, Activation
from tegum.nets.target import TargetMap

Parameters = Mapping[str, NDArray[np.floating]]

_MOST_WEIGHTS = 2**28


Axes = Mapping[str, Sequence[Any] | None]
"""The axes of models, such as a sweep's and ``seed``, in their order, with the labels along each, where these are known."""


def parameter(name: str, array: Any, called: str = "", axes: Axes = MappingProxyType({})) -> NDArray[np.floating]:
    """A net's parameter as numbers; the axes of an array that has names for them are put in the parameter's order.

    ``axes`` are those of the models: leading axes that have their names are put in their order, and where they have the same
    labels in theirs; other labels, such as of models that a training goes on from at other densities, go by their order.

    Raises:
        InvalidInputError: for another axis, and for labels of which some are the models' and some are not.
    """
    if isinstance(array, xr.DataArray):
        own = [axis for axis in PARAMETER_DIMS.get(name, ()) if axis in array.dims]
        lead = [str(axis) for axis in array.dims if axis not in own]
        if own and set(lead) & set(axes):
            if unknown := [axis for axis in lead if axis not in axes]:
                what = f"{called or name} has the axis {unknown[0]!r}, and the models have {', '.join(axes)}"
                raise InvalidInputError(what, "name axes like these, or give its values, whose leading axes go by their order")
            for axis in lead:
                array = _in_order_of(axes[axis], axis, array, called or name)
            missing = [axis for axis in axes if axis not in lead]
            array = array.drop_vars(missing, errors="ignore").expand_dims(missing).transpose(*axes, ...)
        array = in_order(array, PARAMETER_DIMS.get(name, ())).values
    return numbers(called or f"parameter {name!r}", array)


def _in_order_of(labels: Sequence[Any] | None, axis: str, array: xr.DataArray, called: str) -> xr.DataArray:
    """The array with its positions along an axis in the order of these labels, where it has the same."""
    its = array.indexes.get(axis)
    if its is None or labels is None or len(its) != len(labels):
        return array
    same = with_labels(array, axis, labels)
    if same is not None or not {*its} & {*labels}:
        return array if same is None else same
    what = f"along {axis}, {called} has the labels {shown(its.tolist())} and the models {shown(list(labels))}"
    raise InvalidInputError(what, "select the same positions, or give its values, whose leading axes go by their order")


def paired_parameters(params: Mapping[str, Any]) -> dict[str, Any]:
    """A net's parameters; those with names for their axes in the order of the weights' leading axes and of their labels."""
    named = {
        name: in_order(params[name], own) for name, own in PARAMETER_DIMS.items() if isinstance(params.get(name), xr.DataArray)
    }
    leads = {name: one.dims[: max(one.ndim - len(PARAMETER_DIMS[name]), 0)] for name, one in named.items()}
    return {**params, **paired(named, leads)}


def starts_in(initial: Mapping[str, Any], axes: Axes) -> int:
    """How many starts initial parameters have: the last of their leading axes, 1 without one; ``axes`` as in `parameter`."""
    shapes = {name: parameter(name, array, f"initial {name}", axes).shape for name, array in initial.items()}
    lead = [shape[: -len(PARAMETER_DIMS[name])] for name, shape in shapes.items() if name in PARAMETER_DIMS]
    return max((lengths[-1] for lengths in lead if lengths), default=1)


@dataclass(frozen=True)
class Net(metaclass=Checked):
    """A model family with its sizes.

    Args:
        n_features: n, inputs and outputs.
        n_hidden: m, hidden units.
        bias: whether the output has a bias b (it starts at 0).

    Raises:
        InvalidInputError: for sizes that are not whole numbers of at least 1, or make too large a net; for switches that are
            neither True nor False.
    """

    n_features: int
    n_hidden: int
    bias: bool = True

    hidden_relu: ClassVar[bool] = False
    output_relu: ClassVar[bool] = False
    tied: ClassVar[bool] = True
    absolute_target: ClassVar[bool] = False

    def __post_init__(self) -> None:
        with Problems() as problems:
            for name in ("n_features", "n_hidden"):
                problems.check_count(name, getattr(self, name))
            check_fields(self, problems, skipped=[int])
        mapped = self.target_map
        if isinstance(mapped, TargetMap) and mapped.n_features != self.n_features:
            what = f"the target map has {mapped.n_features} features and the net {self.n_features}"
            raise InvalidInputError(what, "choose the same number")
        if self.n_features * self.n_hidden > _MOST_WEIGHTS:
            size = 4 * 4 * self.n_features * self.n_hidden / 1e9  # weights, gradient and the optimizer's two averages
            what = f"a net of {self.n_features} features and {self.n_hidden} hidden units would need {size:,.0f} GB"
            raise InvalidInputError(what, f"choose at most {_MOST_WEIGHTS:,} weights")

    @property
    def has_hidden_bias(self) -> bool:
        """Whether the hidden units have a bias."""
        return False

    @property
    def target_map(self) -> TargetMap | None:
        """What the output is compared with, where it is not x."""
        return None

    @property
    def output_activation(self) -> Activation:
        """What the output is passed through."""
        return RELU if self.output_relu else IDENTITY

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every trained array of one instance, in the engine's order."""
        n, m = self.n_features, self.n_hidden
        shapes: dict[str, tuple[int, ...]] = {"W": (m, n)} if self.tied else {"W1": (m, n), "W2": (n, m)}
        if self.bias:
            shapes["b"] = (n,)
        if self.has_hidden_bias:
            shapes["b_hidden"] = (m,)
        return shapes

    def hidden(self, params: Parameters, x: Float[np.ndarray, "*batch samples n"]) -> Float[np.ndarray, "*batch samples m"]:
        """h, the hidden activations."""
        params, x = self._given(params, x)
        encoder = params["W" if self.tied else "W1"]
        with np.errstate(invalid="ignore", over="ignore"):  # a model that diverged has no outputs
            h = x @ np.swapaxes(encoder, -1, -2)
        if self.has_hidden_bias:
            h = h + params["b_hidden"][..., None, :]
        return RELU(h) if self.hidden_relu else h

    def forward(self, params: Parameters, x: Float[np.ndarray, "*batch samples n"]) -> Float[np.ndarray, "*batch samples n"]:
        """y, the outputs; samples are the second axis from the end."""
        params, x = self._given(params, x)
        decoder = params["W"] if self.tied else np.swapaxes(params["W2"], -1, -2)
        with np.errstate(invalid="ignore", over="ignore"):
            y = self.hidden(params, x) @ decoder
        if self.bias:
            y = y + params["b"][..., None, :]
        return self.output_activation(y)

    def target(self, x: Float[np.ndarray, "*batch samples n"]) -> Float[np.ndarray, "*batch samples n"]:
        """What the output is compared with: x, or |x| or r(A x + v) for families that compute it."""
        if self.target_map is not None:
            return self.target_map(x)
        return np.abs(numbers("x", x)) if self.absolute_target else x

    def _given(
        self, params: Parameters, x: NDArray[np.floating]
    ) -> tuple[dict[str, NDArray[np.floating]], NDArray[np.floating]]:
        """Parameters and inputs as arrays; an `InvalidInputError` where they do not fit the net."""
        if misfit("params", params, Mapping):
            raise InvalidInputError(f"params is {shown(params)}", "give arrays by name")
        arrays = {name: parameter(name, one) for name, one in paired_parameters(params).items()}
        self.check_parameters(arrays)
        inputs = numbers("x", x)
        if inputs.ndim < 2 or inputs.shape[-1] != self.n_features:
            raise InvalidInputError(f"x has shape {inputs.shape}", f"give samples, (..., samples, {self.n_features})")
        leads = [arrays[name].shape[: -len(own)] for name, own in self.parameter_shapes().items()] + [inputs.shape[:-2]]
        try:
            np.broadcast_shapes(*leads)
        except ValueError:
            raise InvalidInputError(f"the leading axes do not fit: {leads}", "give axes that broadcast") from None
        return arrays, inputs

    def check_parameters(self, params: Parameters) -> None:
        """Raises an `InvalidInputError` for arrays that are missing, unknown or of the wrong shape."""
        shapes = self.parameter_shapes()
        with Problems() as problems:
            for name, own in shapes.items():
                shape = np.shape(params[name]) if name in params else None
                if shape is None or shape[-len(own) :] != own:
                    what = f"parameter {name!r} is missing" if shape is None else f"parameter {name!r} has shape {shape}"
                    problems.add(what, f"give an array of shape (..., {', '.join(map(str, own))})")
            for name in (name for name in params if name not in shapes):
                problems.add(f"{type(self).__name__} has no parameter {name!r}", f"choose among {', '.join(shapes)}")


@checked
def require_same_features(net: Net, n_features: int) -> None:
    """Raises an `InvalidInputError` unless the net has as many inputs as there are features."""
    if net.n_features != n_features:
        raise InvalidInputError(f"the net has {net.n_features} features and the data {n_features}", "choose the same number")
