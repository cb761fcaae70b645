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
import reprlib
import resource
import shutil
import sys
import warnings
from abc import ABCMeta
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import fields
from functools import cache, wraps
from inspect import Parameter, Signature, signature
from numbers import Integral, Number, Real
from pathlib import Path
from types import UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.errors import MOST, InvalidInputError, Problem, Problems, unknown_field

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
    np.ndarray: ((np.ndarray,), "an array"),
}
"""What may stand for some types, and what they are called; a bool is no number."""

_LARGEST = {int: 2**63, float: 2**1023}
"""Whole numbers beyond have no place in an array, or are no floats."""

_LONGEST_PATH, _LONGEST_NAME = 4095, 255

_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = 40
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 400
"""Long lists are not written out before they are cut."""

_EITHER, _LISTS = (Union, UnionType), (tuple, list, Sequence)
_FOREIGN = (xr.Dataset, xr.DataArray, Path, np.random.Generator)


def misfit(name: str, value: object, kind: Any) -> Problem | None:
    """The problem of a value that is not of the annotated kind; None where it is, or where a kind is not known here."""
    if _is(value, kind):
        return None
    kinds = get_args(kind) if get_origin(kind) in _EITHER else (kind,)
    of_lists = [get_args(one)[0] for one in kinds if get_origin(one) in _LISTS and get_args(one)]
    if any(inner is not Any and _is(value, inner) for inner in of_lists):
        return Problem(f"{name} is {shown(value)}", f"give a list, [{shown(value)}]")
    called = "a number that is not as large" if isinstance(value, Integral) and {int, float} & {*kinds} else ""
    return Problem(f"{name} is {shown(value)}", f"give {called or ' or '.join(map(_called, kinds))}")


def _is(value: object, kind: Any) -> bool:
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in _EITHER:
        return any(_is(value, one) for one in inner)
    if origin is Literal:  # which words there are, says whoever looks them up
        return isinstance(value, str)
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        if not isinstance(value, tuple | list) or len(value) != len(inner):
            return False
        return all(_is(item, one) for item, one in zip(value, inner, strict=True))
    if origin in _LISTS:
        rows = bool(inner) and get_origin(inner[0]) in _LISTS
        held = isinstance(value, list | tuple | range) or (isinstance(value, np.ndarray) and value.ndim == 1 + rows)
        return held and (not inner or _is_family(inner[0]) or all(_is(item, inner[0]) for item in value))  # type: ignore[attr-defined]
    if origin is Mapping or origin is dict:
        held = isinstance(value, Mapping)
        return held and (not inner or all(_is(key, inner[0]) and _is(one, inner[1]) for key, one in value.items()))  # type: ignore[attr-defined]
    if origin is np.ndarray:
        return isinstance(value, np.ndarray)
    if origin in _KINDS:
        if origin in _LARGEST and isinstance(value, Integral):
            return not isinstance(value, bool | np.bool_) and abs(int(value)) < _LARGEST[origin]
        return isinstance(value, _KINDS[origin][0]) and (origin is bool or not isinstance(value, bool | np.bool_))
    ours = isinstance(origin, type) and (origin.__module__.startswith("tegum") or origin in _FOREIGN)
    return isinstance(value, origin) if ours or origin is type(None) else True


def _is_family(kind: Any) -> bool:
    """Whether it is a class of ours with several kinds: which there are, says whoever takes a list of them."""
    return isinstance(kind, type) and kind.__module__.startswith("tegum") and bool(kind.__subclasses__())


def _called(kind: Any) -> str:
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in _EITHER:
        return " or ".join(map(_called, inner))
    if origin is Literal:
        return "a word"
    if origin in _LISTS:
        return f"several of {_called(inner[0])}" if inner else "a list"
    if origin is Mapping and inner:
        return f"{_KINDS[Mapping][1]} with {_called(inner[1])} each"
    return "None" if origin is type(None) else _KINDS.get(origin, ((), f"a {getattr(origin, '__name__', origin)}"))[1]


def shown(value: object) -> str:
    """A value in a message: as Python writes it, in one line of at most 80 letters."""
    text = " ".join(_SHORT.repr(value).split())
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


def not_taken(owner: str, taken: Signature, args: Sequence[Any], named: Mapping[str, Any], kind: str) -> list[Problem]:
    """What is wrong with the number or the names of arguments: unknown, given twice, missing, too many."""
    parameters = list(taken.parameters.values())
    if parameters and parameters[0].name == "self":
        parameters, args = parameters[1:], args[1:]
    placed = [one.name for one in parameters if one.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    single = [one for one in parameters if one.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]
    known = [one.name for one in single if one.kind is not Parameter.POSITIONAL_ONLY]
    problems = Problems()
    if not any(one.kind is Parameter.VAR_KEYWORD for one in parameters):
        problems.found += [unknown_field(owner, name, known, kind) for name in named if name not in known]
    if len(args) > len(placed) and not any(one.kind is Parameter.VAR_POSITIONAL for one in parameters):
        problems.add(f"{owner} got {len(args)} values without a name", f"give at most {len(placed)}, and others as name=value")
    for name in set(placed[: len(args)]) & set(named) & set(known):
        problems.add(f"{owner} got {name} twice", "give it once")
    given = {*placed[: len(args)], *named}
    for one in single:
        if one.name not in given and one.default is Parameter.empty:
            problems.add(f"{owner} needs {one.name}", "give it a value")
    return problems.found


class Checked(ABCMeta):
    """What makes classes that users call: of arguments that a constructor does not take they are told which there are.

    >>> class Half(metaclass=Checked):
    ...     def __init__(self, whole: float) -> None: ...
    >>> Half(hole=1)
    Traceback (most recent call last):
        ...
    tegum.errors.InvalidInputError: 2 mistakes:
      Half has no field 'hole': did you mean 'whole'?
      Half needs whole: give it a value
    """

    def __call__(cls, /, *args: Any, **named: Any) -> Any:
        """An instance; an `InvalidInputError` for arguments that the constructor does not take."""
        try:
            return super().__call__(*args, **named)
        except TypeError:
            if problems := not_taken(cls.__name__, cls.__signature__, args, named, "field"):
                raise InvalidInputError(problems) from None
            raise

    @property
    def __signature__(cls) -> Signature:
        """That of the constructor, as without this metaclass."""
        own = signature(cls.__init__)  # type: ignore[misc]
        return own.replace(parameters=list(own.parameters.values())[1:])


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """The function, refusing arguments of other kinds than it is annotated with; NumPy's numbers become Python's."""
    parameters = signature(function)

    @wraps(function)
    def checking(*args: P.args, **kwargs: P.kwargs) -> T:
        problems = Problems()
        try:
            bound = parameters.bind(*args, **kwargs)
        except TypeError:
            raise InvalidInputError(not_taken(function.__name__, parameters, args, kwargs, "argument")) from None
        for name, value in bound.arguments.items():
            kind = parameters.parameters[name].annotation
            if parameters.parameters[name].kind is Parameter.VAR_KEYWORD:
                problems.found += [wrong for key, one in value.items() if (wrong := misfit(key, one, kind))]
            elif problem := misfit(name, value, kind):
                problems.add(*problem)
            else:
                bound.arguments[name] = plain_number(value, kind)
        problems.raise_if_any()
        return function(*bound.args, **bound.kwargs)

    return checking


def plain_number(value: Any, kind: Any) -> Any:
    """The value; a number of NumPy as Python's, and a whole one as a float where only floats are annotated."""
    kinds = {kind, *get_args(kind)} if isinstance(value, Number) else set()
    if isinstance(value, np.generic) and {bool, int, float} & kinds:
        value = float(value) if isinstance(value, np.floating) else value.item()
    return float(value) if float in kinds and int not in kinds and not isinstance(value, bool) else value


def in_order(array: xr.DataArray, last: Sequence[Hashable] = ()) -> xr.DataArray:
    """The array with its axes ``hidden`` and ``feature`` last, where it has them, or with each axis of ``last`` at its place.

    Axes of other names are left in their order, and stand where ``last`` has names that the array has not.
    """
    dims = array.transpose(..., *(axis for axis in _LAST if axis in array.dims)).dims
    if len(last) > len(dims):
        return array.transpose(*dims)
    others = iter([axis for axis in dims if axis not in last])
    lead = [next(others) for _ in dims[len(last) :]]
    return array.transpose(*lead, *(axis if axis in dims else next(others) for axis in last))


def numbers(name: str, value: Any, last: Sequence[Hashable] = ()) -> NDArray[np.floating]:
    """The values as an array of floats; an `InvalidInputError` for what is not a rectangular array of real numbers.

    Axes with names are ordered as `in_order` says.
    """
    found = as_array(name, value, "biuf", "real numbers", "numbers", last)
    with np.errstate(over="ignore"):
        return found if found.dtype in (np.float32, np.float64) else found.astype(np.float64)


def as_array(name: str, value: Any, kinds: str, called: str, wanted: str, last: Sequence[Hashable] = ()) -> NDArray[Any]:
    """The values as an array of one of NumPy's kinds, such as "iu"; an `InvalidInputError` for anything else."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = np.asarray(plain_array(value, last))
            if found.dtype.kind not in kinds:
                raise TypeError
        except (TypeError, ValueError, RuntimeError, AttributeError, OverflowError, Warning):
            raise InvalidInputError(f"{name} is no array of {called}", f"give {wanted} with rows of equal length") from None
    require_memory(f"{name} of shape {found.shape}", 8 * found.size)
    return found


def plain_array(value: Any, last: Sequence[Hashable] = ()) -> Any:
    """What NumPy can read: of a tensor its values without the history of its gradients, wherever it is stored."""
    if isinstance(value, xr.DataArray):
        return in_order(value, last).values
    if isinstance(value, list | tuple):
        return [plain_array(one, last) for one in value]
    return value.detach().cpu().double() if hasattr(value, "detach") else value


def real_numbers(name: str, array: Any) -> NDArray[np.float64]:
    """The array in double precision; refuses what `numbers` does."""
    with np.errstate(over="ignore"):
        return numbers(name, array).astype(np.float64)


def is_sparse(value: object) -> bool:
    """Whether it is a sparse array of SciPy, which is not loaded to say so: where it is not, nothing is one."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(value))


def require_range(name: str, values: Any, low: float, high: float) -> None:
    """Raises an `InvalidInputError` where one of the numbers is not from low to high, or no number."""
    found = real_numbers(name, values)  # a bound may be too large for single precision
    wrong = found[~((found >= low) & (found <= high))]
    if wrong.size:
        raise InvalidInputError(f"{name} is {wrong.flat[0]:g}", f"choose from {low:g} to {high:g}")


def as_path(path: Any) -> Path:
    """The path; an `InvalidInputError` for what is none, and for a name that no file can have."""
    if not isinstance(path, str | Path):
        raise InvalidInputError(f"path is {shown(path)}", "give the name of a file")
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        name = b"\0"
    if b"\0" in name or len(name) > _LONGEST_PATH or any(len(part) > _LONGEST_NAME for part in name.split(b"/")):
        raise InvalidInputError(f"path is {shown(str(path))}", f"no file has such a name: give at most {_LONGEST_NAME} letters")
    return Path(path)


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
    if count > (whole := _memory()):
        raise InvalidInputError(f"{what} would need {count / 1e9:,.0f} GB", f"choose less: there are {whole / 1e9:,.0f} GB")


def require_disk(what: str, count: int, folder: Path) -> None:
    """Raises an `InvalidInputError`, before anything is made, where so many bytes have no room in a folder."""
    place = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if count > (free := shutil.disk_usage(place).free):
        free_there = f"there are {free / 1e9:,.0f} GB free at {place}"
        raise InvalidInputError(f"{what} would need {count / 1e9:,.0f} GB", f"choose less, or another folder: {free_there}")


@cache
def _memory() -> int:
    """How many bytes this process may have: those of the machine, or fewer where its data are limited (`ulimit -d`)."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return whole if limit == resource.RLIM_INFINITY else min(whole, limit)


def require_held(
    name: str, data: Any, words: Collection[str] = (), kind: type[Any] = xr.Dataset, /, **variables: tuple[Hashable, ...] | None
) -> None:
    """Raises an `InvalidInputError` unless a dataset holds numbers, or words where said, of these names along these axes.

    With None for axes any will do.
    """
    if not isinstance(data, kind):
        raise InvalidInputError(f"{name} is {shown(data)}", "give a dataset")
    with Problems() as problems:
        for variable, dims in variables.items():
            if variable not in data.variables:
                held = ", ".join(map(str, data.variables)) or "nothing"
                problems.add(f"{name} holds {held} and no {variable}", "give a dataset that has it")
            else:
                with problems.collecting():
                    require_axes(f"{variable} of {name}", data[variable], dims, variable in words)


def require_axes(name: str, array: Any, dims: tuple[Hashable, ...] | None, words: bool = False) -> None:
    """Raises an `InvalidInputError` unless an array with names has these axes, none empty, and numbers, or words where said."""
    if not isinstance(array, xr.DataArray):
        raise InvalidInputError(f"{name} is {shown(array)}", "give a DataArray of xarray")
    if (dims is not None and set(array.dims) != set(dims)) or not array.size:
        wanted = f"give {', '.join(map(str, dims)) or 'a single one'}" if dims is not None else "give at least one value"
        raise InvalidInputError(f"{name} has dimensions {dict(array.sizes)}", wanted)
    if (array.dtype.kind in "biuf") == words:
        raise InvalidInputError(f"{name} holds {array.dtype} values", f"give {'words' if words else 'real numbers'}")
