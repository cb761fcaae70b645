"""A name for everything that defines a result, so that a file can be found again by what it holds.

>>> fingerprint({"steps": 100, "density": np.array([0.1])})
'31779b2623d3fd06cfaa86e10f3a4551'

Values of equal type and content, down to the last bit of a number, have the same fingerprint, and others have other ones.
Content is also the order of a mapping's entries, and of a class of one's own the code.  Attributes of datasets and of their
arrays are no content: no result depends on them.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
import xarray as xr
from pydantic import BaseModel

from tegum.checking import is_sparse
from tegum.features import Features, Magnitude
from tegum.nets import Activation
from tegum.nets.code import code_of, is_own, members


def fingerprint(value: Any) -> str:
    """A hash of a value made of numbers, words, arrays, datasets, recipes, nets, features, laws, axes, and containers of these.

    Raises:
        TypeError: where it holds anything else, such as a function, or code that refers to what has none.
    """
    digest = hashlib.sha256()
    for part in _parts(value):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:32]


def _parts(value: Any) -> Iterator[bytes]:
    """The value as a sequence of byte strings, each with what kind of thing it is."""
    yield type(value).__name__.encode()
    yield from _own_code(type(value))
    match value:
        case None | bool() | int() | float() | complex() | str() | bytes():
            yield repr(value).encode()
        case np.ndarray() | np.generic() if value.dtype.kind == "O":
            yield from _parts(value.tolist())
        case np.ndarray() | np.generic():
            yield f"{value.dtype.str} {value.shape}".encode()
            yield np.ascontiguousarray(value).tobytes()
        case _ if is_sparse(value):
            yield from _parts((value.shape, value.indptr, value.indices, value.data))
        case BaseModel():
            yield value.model_dump_json().encode()
        case Activation():
            yield from _mapping({"name": value.name, "code": value.code})
        case Features():
            fields_of = {name: getattr(value, name) for name in value.field_names()}
            # one's own constructor may read a file or draw numbers, so that its arguments do not say what it made of them
            yield from _mapping(fields_of if not _own_classes(type(value)) else {**fields_of, **vars(value)})
        case xr.DataArray():
            yield from _mapping({"values": value.values, "dims": value.dims, "labels": _labels(value)})
        case xr.Dataset():
            yield from _mapping({**value.data_vars, "labels": _labels(value)})
        case Mapping():
            yield from _mapping(value)
        case list() | tuple() | range():
            yield str(len(value)).encode()
            for item in value:
                yield from _parts(item)
        case _ if is_dataclass(value):
            yield from _mapping({field.name: getattr(value, field.name) for field in fields(value)})
        case Magnitude():  # of one's own
            yield from _mapping(vars(value))
        case _:
            raise TypeError(f"{type(value).__name__} has no fingerprint")


@cache
def _own_classes(kind: type) -> tuple[type, ...]:
    """Of a class and those it is made of the ones that were written outside of tegum and the libraries it builds on."""
    return tuple(one for one in kind.__mro__ if is_own(one.__module__))


def _own_code(kind: type) -> Iterator[bytes]:
    """What the functions and constants of one's own classes are."""
    for one in _own_classes(kind):
        for name, member in members(one).items():
            yield f"{name} {code_of(member)}".encode()


def _labels(data: xr.DataArray | xr.Dataset) -> dict[str, Any]:
    return {str(name): coordinate.values for name, coordinate in data.coords.items()}


def _mapping(items: Mapping[Any, Any]) -> Iterator[bytes]:
    yield str(len(items)).encode()
    for name, item in items.items():
        yield str(name).encode()
        yield from _parts(item)
