"""What comes in from outside is checked here, each kind of thing in one place: fields, arguments, arrays, memory.

>>> @checked
... def sample(n_samples: int, seed: int | None = None, signed: bool = False) -> None: ...
>>> sample(2.5, signed=1)
Traceback (most recent call last):
    ...
tegum.errors.InvalidInputError: 2 mistakes:
  n_samples is 2.5: give a whole number
  signed is 1: give True or False
>>> real_numbers("W", [[1.0], [2.0, 3.0]])
Traceback (most recent call last):
    ...
tegum.errors.InvalidInputError: W is no array of real numbers: give numbers with rows of equal length
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from functools import wraps
from inspect import signature
from numbers import Integral, Real
from types import UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.errors import MOST, InvalidInputError, Problem, Problems

_LAST = ("hidden", "feature")
P = ParamSpec("P")
T = TypeVar("T")

_KINDS: dict[Any, tuple[tuple[Any, ...], str]] = {
    bool: ((bool, np.bool_), "True or False"),
    int: ((Integral,), "a whole number"),
    float: ((Real,), "a number"),
    str: ((str,), "a word"),
    Mapping: ((Mapping,), "values by name, {...: ...}"),
    Callable: ((Callable,), "a function"),
    dict: ((dict,), "values by name, {...: ...}"),
}
"""What may stand for some types, and what they are called; a bool is no number."""


def misfit(name: str, value: object, kind: Any) -> Problem | None:
    """The problem of a value that is not of the annotated kind; None where it is, or where a kind is not known here."""
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if any(_is(value, one) for one in kinds):
        return None
    return Problem(f"{name} is {shown(value)}", f"give {' or '.join(_called(one) for one in kinds)}")


def _is(value: object, kind: Any) -> bool:
    origin = get_origin(kind) or kind
    if origin is Literal:  # which words there are, says whoever looks them up
        return isinstance(value, str)
    if origin is tuple:
        return isinstance(value, list | tuple | range | np.ndarray) and all(_is(item, get_args(kind)[0]) for item in value)
    if origin in _KINDS:
        return isinstance(value, _KINDS[origin][0]) and (origin is bool or not isinstance(value, bool | np.bool_))
    ours = isinstance(origin, type) and origin.__module__.startswith("tegum")
    return isinstance(value, origin) if ours or origin is type(None) else True


def _called(kind: Any) -> str:
    origin = get_origin(kind) or kind
    if origin is Literal:
        return "a word"
    if origin is tuple:
        return f"several of {_called(get_args(kind)[0])}"
    return "None" if origin is type(None) else _KINDS.get(origin, ((), f"a {getattr(origin, '__name__', origin)}"))[1]


def shown(value: object) -> str:
    """A value in a message: as Python writes it, in one line of at most 80 letters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def check_fields(owner: Any, problems: Problems, skipped: Collection[Any] = ()) -> None:
    """Notes every field of a frozen dataclass that is not of its annotated kind; NumPy's numbers become Python's.

    Names and random streams are made of fields: what is called the same is the same.
    """
    for field in fields(owner):
        value = getattr(owner, field.name)
        if field.type not in skipped and (problem := misfit(field.name, value, field.type)):
            problems.add(*problem)
        if isinstance(value, np.generic):
            object.__setattr__(owner, field.name, value.item())


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """The function, refusing arguments of other kinds than it is annotated with; NumPy's numbers become Python's."""
    parameters = signature(function)

    @wraps(function)
    def checking(*args: P.args, **kwargs: P.kwargs) -> T:
        problems, bound = Problems(), parameters.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            kind = parameters.parameters[name].annotation
            if problem := misfit(name, value, kind):
                problems.add(*problem)
            elif isinstance(value, np.generic) and {bool, int, float} & {kind, *get_args(kind)}:
                bound.arguments[name] = float(value) if isinstance(value, np.floating) else value.item()
        problems.raise_if_any()
        return function(*bound.args, **bound.kwargs)

    return checking


def in_order(array: xr.DataArray) -> xr.DataArray:
    """The array with its axes ``hidden`` and ``feature`` last, where it has them."""
    return array.transpose(..., *(axis for axis in _LAST if axis in array.dims))


def numbers(name: str, value: Any) -> NDArray[np.floating]:
    """The values as an array of floats; an `InvalidInputError` for what is not a rectangular array of real numbers."""
    try:
        found = np.asarray(plain_array(value))
        if found.dtype.kind not in "biuf":
            raise TypeError
    except (TypeError, ValueError, RuntimeError):
        raise InvalidInputError(f"{name} is no array of real numbers", "give numbers with rows of equal length") from None
    return found if found.dtype.kind == "f" else found.astype(np.float64)


def plain_array(value: Any) -> Any:
    """What NumPy can read: of a tensor its values without the history of its gradients, wherever it is stored."""
    if isinstance(value, xr.DataArray):
        return in_order(value).values
    if isinstance(value, list | tuple):
        return [plain_array(one) for one in value]
    return value.detach().cpu().double() if hasattr(value, "detach") else value


def real_numbers(name: str, array: Any) -> NDArray[np.float64]:
    """The array in double precision; refuses what `numbers` does."""
    with np.errstate(over="ignore"):
        return numbers(name, array).astype(np.float64)


def require_seeds(*seeds: int) -> None:
    """Raises an `InvalidInputError` for a seed that is no whole number from 0 to 2^63 - 1."""
    for seed in seeds:
        if misfit("seed", seed, int) or not 0 <= seed < 2**63:
            raise InvalidInputError(f"a seed is {shown(seed)}", "choose a whole number of at least 0, below 2^63")


def seeds_of(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """The seeds 0, 1, ..., where a number says how many, or those given; refuses what is no seed, and more than a million."""
    if isinstance(seeds, Sequence | np.ndarray):
        require_seeds(*seeds)
        return tuple(int(seed) for seed in seeds)
    if seeds > MOST:
        raise InvalidInputError(f"seeds is {seeds}", f"choose at most {MOST:,}")
    return tuple(range(int(seeds)))


def require_memory(what: str, count: int) -> None:
    """Raises an `InvalidInputError`, before anything is made, where so many bytes are more than this machine has."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if count > whole:
        raise InvalidInputError(f"{what} would need {count / 1e9:,.0f} GB", f"choose less: there are {whole / 1e9:,.0f} GB")
