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
by name, m and n in the annotation: an encoder is "m n", a decoder "n m".  A matrix n x n has the axes ``output`` and
``feature``.  Several arrays with names are paired by these and by their labels, wherever the axes lie.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import signature
from types import UnionType
from typing import Any, NamedTuple, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from tegum.checking import as_array, in_order, misfit, numbers, plain_number, require_memory, shown
from tegum.errors import InvalidInputError, Problem

P = ParamSpec("P")
R = TypeVar("R")


def takes_arrays(function: Callable[P, R]) -> Callable[P, R]:
    """The function, for whatever users have in place of its arrays; a result has the names of the first one's axes.

    Shapes that do not fit the annotations are refused, a result that would not fit into memory before anything is computed,
    and other arguments of other kinds than annotated.
    """
    parameters = signature(function).parameters
    arrays = {name: found for name, one in parameters.items() if (found := _array(one.annotation)) is not None}
    first = next((name for name, one in arrays.items() if one.inside is None), None)
    taken = (arrays[first].dims if first else ()) or _MATRIX
    left = getattr(signature(function).return_annotation, "dim_str", None)

    @wraps(function)
    def taking(*args: P.args, **kwargs: P.kwargs) -> R:
        if len(args) > len(parameters):
            return function(*args, **kwargs)  # which says so
        given: dict[str, Any] = dict(zip(parameters, args, strict=False)) | kwargs
        if first and isinstance(given.get(first), xr.Dataset):
            given[first] = _main(given[first])
        _pair(given, arrays)
        own = given.get(first) if first else None
        sizes: dict[str, int] = {}
        lead: tuple[int, ...] = ()
        problems: list[Problem] = []
        for name, value in given.items():
            if name in arrays:
                given[name] = arrays[name].read(name, value)
                lead = arrays[name].fitting(name, given[name], sizes, lead)
            elif name in parameters and (problem := misfit(name, value, parameters[name].annotation)):
                problems.append(problem)
            elif name in parameters:
                given[name] = plain_number(value, parameters[name].annotation)
        if problems:
            raise InvalidInputError(problems)
        if left is not None:
            count = math.prod(lead) * math.prod(sizes.get(size, 1) for size in left.split())
            if count > _MANY:
                require_memory(f"{function.__name__}, of shape {left},", 8 * count)
        found = function(**given)  # type: ignore[call-arg]
        if left is None or not isinstance(own, xr.DataArray):
            return found
        return _named(found, in_order(own, _axes(taken)), taken, left.split(), function.__name__)  # type: ignore[no-any-return]

    return taking


def _pair(given: dict[str, Any], arrays: "Mapping[str, _Array]") -> None:
    """Arrays with names in the order of the first of them."""
    named = {
        name: in_order(given[name], _axes(one.dims))
        for name, one in arrays.items()
        if one.dims and one.inside is None and isinstance(given.get(name), xr.DataArray)
    }
    given |= paired(named, {name: arrays[name].leading(one) for name, one in named.items()})


def paired(named: Mapping[str, xr.DataArray], leads: Mapping[str, tuple[Any, ...]]) -> dict[str, xr.DataArray]:
    """The arrays in the order of the first of them: of its leading axes, which are said, and of its labels along any axis.

    Raises:
        InvalidInputError: where labels are others, or leading axes that are not all of the other's.
    """
    found = dict(named)
    if len(found) < 2:
        return found
    first, *others = found
    own, lead = found[first], leads[first]
    for name in others:
        value, theirs = found[name], leads[name]
        for axis in set(own.indexes) & set(value.indexes) & {*own.dims} & {*value.dims}:
            labels, same = own.indexes[axis], with_labels(value, axis, own.indexes[axis])
            if same is None:
                its = value.indexes[axis].tolist()
                what = f"along {axis}, {name} has the labels {shown(its)} and {first} {shown(labels.tolist())}"
                raise InvalidInputError(what, "give both of the same positions")
            value = same
        more, held = [axis for axis in theirs if axis not in lead], [axis for axis in lead if axis in theirs]
        if more and len(held) < len(lead):
            what = f"{name} has the axes {', '.join(map(str, theirs))}, and {first} {', '.join(map(str, lead))}"
            raise InvalidInputError(what, f"give {first} all axes of {name}, or {name} all of {first} (xarray.broadcast)")
        lead = (*more, *lead)
        found[first] = own = _along(own, {axis: value.sizes[axis] for axis in more}, lead)
        found[name] = _along(value, {axis: own.sizes[axis] for axis in lead if axis not in theirs}, lead)
    return found


def with_labels(value: xr.DataArray, axis: Any, labels: "Sequence[Any] | pd.Index[Any]") -> xr.DataArray | None:
    """The array with these labels along an axis, in their order; None where it has others."""
    its, wanted = value.indexes[axis], pd.Index(labels)
    if its.equals(wanted):
        return value
    same = len(its) == len(wanted) and its.is_unique and {*its} == {*wanted}
    return value.sel({axis: wanted}) if same else None


def _along(value: xr.DataArray, more: "Mapping[Any, int]", lead: tuple[Any, ...]) -> xr.DataArray:
    """The array with more axes, along which it is the same, and its leading ones in this order."""
    return value.drop_vars(more.keys(), errors="ignore").expand_dims(more).transpose(*lead, ...)


def _main(data: xr.Dataset) -> xr.DataArray:
    """The weights of a dataset of models."""
    if "W" not in data:
        raise InvalidInputError(
            f"the dataset holds {', '.join(map(str, data)) or 'nothing'}, and no W", "give one of its arrays"
        )
    return data["W"]


class _Array(NamedTuple):
    """What an annotation says of an array: axes by name (none where it says nothing), kinds of NumPy, what it may be in."""

    dims: tuple[str, ...] = ()
    kinds: str = "f"
    optional: bool = False
    inside: type[Any] | None = None

    def leading(self, value: xr.DataArray) -> tuple[Any, ...]:
        """The names of its leading axes, before those that the annotation names."""
        return value.dims[: max(value.ndim - len(self.dims) + 1, 0)] if self.dims[0].startswith("*") else ()

    def read(self, name: str, value: Any) -> Any:
        """The values of one argument; integers and truth values stay what they are where the function asks for them."""
        if self.optional and value is None:
            return None
        if self.inside is Mapping:
            if misfit(name, value, Mapping[str, Any]) or not value:
                raise InvalidInputError(f"{name} is {shown(value)}", "give arrays by name, {...: ...}, one at least")
            return {key: self._replace(inside=None).read(f"{name}[{key!r}]", one) for key, one in value.items()}
        if self.inside is not None:
            if misfit(name, value, Sequence):
                raise InvalidInputError(f"{name} is {shown(value)}", "give a list of arrays")
            return [self._replace(inside=None).read(f"{name}[{k}]", one) for k, one in enumerate(value)]
        if self.kinds != "f":
            called, wanted = _CALLED[self.kinds]
            return as_array(name, value, self.kinds, called, wanted, _axes(self.dims))
        if isinstance(value, np.ndarray) and value.dtype in _FLOATS and value.size <= _MANY:
            return value
        return numbers(name, value, _axes(self.dims))

    def fitting(
        self, name: str, value: Any, sizes: dict[str, int], lead: tuple[int, ...], among: bool = False
    ) -> tuple[int, ...]:
        """The leading axes so far, broadcast with those of this array; notes the sizes of its other axes.

        One ``among`` several arrays may be empty.
        """
        if value is None or not self.dims:
            return lead
        if self.inside is not None:
            for key, one in value.items() if self.inside is Mapping else enumerate(value):
                self._replace(inside=None).fitting(f"{name}[{key!r}]", one, {}, (), among=True)
            return lead
        core = self.dims[1:] if self.dims[0].startswith("*") else self.dims
        shape = value.shape[value.ndim - len(core) :] if value.ndim >= len(core) else ()
        # no neurons have no values; of nothing at all there is no largest
        empty = shape[-1:] == (0,) and not among
        fits = len(shape) == len(core) and (value.ndim == len(core) or core != self.dims) and not empty
        for size, length in zip(core, shape, strict=True) if fits else ():
            fits &= length == (int(size) if size.isdecimal() else sizes.setdefault(size, length))
        if not fits:
            wanted = [str(sizes.get(size, size)) for size in core]
            wanted = ["...", *wanted] if core != self.dims else wanted
            advice = f"give ({', '.join(wanted)})" + (", none of them 0" if empty else "")
            raise InvalidInputError(f"{name} has shape {value.shape}", advice)
        try:
            return np.broadcast_shapes(lead, value.shape[: value.ndim - len(core)])
        except ValueError:
            what = f"{name} has leading axes {value.shape[: value.ndim - len(core)]} and others {lead}"
            raise InvalidInputError(what, "give axes that broadcast") from None


_CALLED = {"iu": ("whole numbers", "whole numbers"), "b": ("truth values", "True and False"), "UO": ("words", "words")}
_CALLED |= {"biuf": ("real numbers", "numbers")}
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_MANY = 10**7


def _array(annotation: Any) -> _Array | None:
    """What an annotation says of an array, or of arrays in a mapping or a sequence; None where it is about something else."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if getattr(annotation, "array_type", None) is np.ndarray:
        kinds = annotation.dtypes
        kind = "f" if "float64" in kinds else "iu" if "int64" in kinds else "b" if "bool" in str(kinds) else "biuf"
        return _Array(tuple(annotation.dim_str.split()), kind)
    if origin is np.ndarray:
        scalar = get_args(inner[1])[0]
        kind = "UO" if scalar is np.str_ else "b" if scalar is np.bool_ else "f" if scalar in _REAL else "biuf"
        return _Array((), kind)
    if annotation == ArrayLike:
        return _Array(("*batch",))
    if origin in (Union, UnionType):
        found = [one for one in map(_array, inner) if one is not None]
        return found[0]._replace(optional=type(None) in inner) if len(found) == 1 else None
    if origin in (Mapping, Sequence) and (one := _array(inner[-1])) is not None:
        return one._replace(inside=origin)
    return None


_REAL = (np.floating, np.float64)
_MATRIX = ("*batch", "m", "n")
"""What arrays are that are annotated without a shape: weights."""

_NAMES = {"m": "hidden", "n": "feature"}


def _axes(dims: Sequence[str]) -> list[str]:
    """What the last axes of an annotation are called; of n x n the last one is the features'."""
    core = [size for size in dims or _MATRIX if not size.startswith("*")]
    return [size if size in core[k + 1 :] else _NAMES.get(size, size) for k, size in enumerate(core)]


def _named(found: Any, own: xr.DataArray, taken: tuple[str, ...], left: list[str], name: str) -> Any:
    """A result with names: of the batch the argument's, of every other axis that of the size which it shares."""
    core = [size for size in taken if not size.startswith("*")]
    batch = own.dims[: own.ndim - len(core)]
    names = dict(zip(core, own.dims[len(batch) :], strict=True))
    dims = [*batch, *(names.get(size, size) for size in left if not size.startswith("*"))]
    dims = ["output" if name in dims[i + 1 :] else name for i, name in enumerate(dims)]
    if np.ndim(found) != len(dims):  # another argument has more axes than the first
        return found
    coords = {name: one for name, one in own.coords.items() if set(one.dims) <= set(dims) and "output" not in one.dims}
    return xr.DataArray(found, coords, dims, name)
