"""Whatever users have as an array: NumPy's, lists, integers, tensors of PyTorch and JAX, and xarray's, whose names are kept.

>>> from jaxtyping import Float
>>> @takes_arrays
... def norms(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n"]:
...     return np.sqrt((W**2).sum(axis=-2))
>>> norms([[3, 0], [4, 1]])
array([5., 1.])
>>> norms(xr.DataArray([[[3.0, 4.0], [0.0, 1.0]]], dims=("density", "feature", "hidden"), coords={"density": [0.1]})).sizes
Frozen({'density': 1, 'feature': 2})

The shapes of a result are in its annotation, so names of axes follow from it.  The axes ``hidden`` and ``feature`` are found
by name.  A matrix n x n has the axes ``output`` and ``feature``.
"""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import in_order, numbers, plain_array

P = ParamSpec("P")
R = TypeVar("R")


def takes_arrays(function: Callable[P, R]) -> Callable[P, R]:
    """The function, for whatever users have in place of its arrays; a result has the names of the first one's axes."""
    parameters = signature(function).parameters
    arrays = {name: one.annotation for name, one in parameters.items() if _is_array(one.annotation)}
    first = next(iter(arrays))
    taken = getattr(arrays[first], "dim_str", "*batch m n").split()
    left = getattr(signature(function).return_annotation, "dim_str", None)

    @wraps(function)
    def taking(*args: P.args, **kwargs: P.kwargs) -> R:
        given: dict[str, Any] = dict(zip(parameters, args, strict=False)) | kwargs
        own = given.get(first)
        for name in arrays.keys() & given.keys():
            if not isinstance(given[name], np.ndarray) or given[name].dtype.kind != "f":
                given[name] = _read(name, given[name], arrays[name])
        found = function(**given)  # type: ignore[call-arg]
        if left is None or not isinstance(own, xr.DataArray):
            return found
        return _named(found, in_order(own), taken, left.split()).rename(function.__name__)  # type: ignore[return-value]

    return taking


def _is_array(annotation: Any) -> bool:
    return getattr(annotation, "array_type", None) is np.ndarray or getattr(annotation, "__origin__", None) is np.ndarray


def _read(name: str, value: Any, annotation: Any) -> NDArray[Any]:
    """The values of one argument; integers and truth values stay what they are where the function asks for them."""
    kinds = getattr(annotation, "dtypes", None)
    floats = "float64" in kinds if kinds else np.floating in get_args(get_args(annotation)[1])
    return numbers(name, value) if floats else np.asarray(plain_array(value))


def _named(found: Any, own: xr.DataArray, taken: list[str], left: list[str]) -> xr.DataArray:
    """A result with names: of the batch the argument's, of every other axis that of the size which it shares."""
    core = [size for size in taken if not size.startswith("*")]
    batch = own.dims[: own.ndim - len(core)]
    names = dict(zip(core, own.dims[len(batch) :], strict=True))
    dims = [*batch, *(names.get(size, size) for size in left if not size.startswith("*"))]
    dims = ["output" if name in dims[i + 1 :] else name for i, name in enumerate(dims)]
    coords = {name: one for name, one in own.coords.items() if set(one.dims) <= set(dims) and "output" not in one.dims}
    return xr.DataArray(found, coords, dims)
