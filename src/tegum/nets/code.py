"""What somebody's own code does, as a hash, so that a result is not taken for that of code which was changed since.

Into a function go its instructions, constants and defaults, and what it refers to: functions, classes and values, by name, in
a closure, or in a module (``helpers.scale``), which are looked at likewise.  Of Python's own modules and the libraries that
tegum builds on names are enough.

>>> code_of(lambda x: 2 * x) == code_of(lambda x: 2 * x) != code_of(lambda x: 3 * x)
True
"""

import dis
import hashlib
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import PurePath
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

_TEGUM_AND_ITS_OWN = {"tegum", "numpy", "xarray", "pandas", "pydantic", "scipy", "numba", "plotly"}
_LIBRARIES = _TEGUM_AND_ITS_OWN | (sys.stdlib_module_names - {"__main__"})
_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), slice, range, np.dtype, PurePath)
_PARTS_OF = {
    partial: ("func", "args", "keywords"),
    MethodType: ("__func__", "__self__"),
    classmethod: ("__func__",),
    staticmethod: ("__func__",),
    property: ("fget", "fset", "fdel"),
    cached_property: ("func",),
    re.Pattern: ("pattern", "flags"),
}
_NO_CODE = re.compile(r"__\w+__|_abc_impl")


def is_own(name: str | None) -> bool:
    """Whether a module of this name is neither Python's, nor tegum's, nor of the libraries it builds on."""
    return (name or "").partition(".")[0] not in _LIBRARIES


def code_of(*values: Any) -> str:
    """A hash of what functions do: their instructions, constants, and the values they refer to.

    Raises:
        TypeError: for what nobody can tell apart from what it was, such as an open file.
    """
    digest = hashlib.sha256()
    for value in values:
        for part in _parts(value, ()):
            digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def members(kind: type) -> dict[str, Any]:
    """What a class itself defines: functions, whatever they are called, and constants."""
    return {
        name: member for name, member in vars(kind).items() if isinstance(member, FunctionType) or not _NO_CODE.fullmatch(name)
    }


def _parts(value: Any, above: tuple[Any, ...]) -> Iterator[str]:
    """A value in words, with all that it is made of; what is inside itself once on the way down."""
    yield type(value).__name__
    if any(value is one for one in above):
        return
    inside = (*above, value)
    if isinstance(value, FunctionType):
        yield from _function(value, inside)
    elif (fields := next((names for kind, names in _PARTS_OF.items() if isinstance(value, kind)), None)) is not None:
        yield from _each((getattr(value, name) for name in fields), inside)
    elif isinstance(value, _PLAIN):
        yield repr(value)
    elif isinstance(value, np.ndarray | np.generic):
        yield f"{value.dtype.str} {value.shape}"
        yield from _each(value.tolist(), inside) if value.dtype.hasobject and value.shape else [value.tobytes().hex()]
    elif isinstance(value, list | tuple):
        yield str(len(value))
        yield from _each(value, inside)
    elif isinstance(value, set | frozenset):
        yield from sorted(" ".join(_parts(item, inside)) for item in value)
    elif isinstance(value, Mapping) and not is_own(type(value).__module__):
        yield from _each(value.items(), inside)
    elif hasattr(value, "py_func"):  # compiled
        yield from _parts(value.py_func, inside)
    else:
        yield from _other(value, inside)


def _other(value: Any, inside: tuple[Any, ...]) -> Iterator[str]:
    """Modules, classes and their instances, and what is known by its name."""
    name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', getattr(value, '__name__', ''))}"
    if isinstance(value, ModuleType):
        yield value.__name__
    elif isinstance(value, type):
        yield name
        for one in value.__mro__:
            if is_own(one.__module__):
                yield from _each(members(one).items(), inside)
    elif isinstance(value, BuiltinFunctionType):
        yield name
        yield from _parts(value.__self__, inside)
    elif is_own(type(value).__module__) or type(value).__module__.startswith("tegum."):
        yield from _parts(type(value), inside)
        yield from _parts(vars(value), inside)
    elif callable(value) and hasattr(value, "__name__"):  # of a library, such as NumPy's functions on arrays
        yield name
    else:
        raise TypeError(f"code that refers to a {type(value).__name__} has no fingerprint")


def _each(values: Any, inside: tuple[Any, ...]) -> Iterator[str]:
    for value in values:
        yield from _parts(value, inside)


def _function(function: FunctionType, inside: tuple[Any, ...]) -> Iterator[str]:
    """Its instructions, constants and defaults; of one's own, and of the first one in any case, also what it refers to."""
    codes = list(_codes(function.__code__))
    for code in codes:
        yield code.co_code.hex()
        yield from _each((constant for constant in code.co_consts if not isinstance(constant, CodeType)), inside)
        yield from code.co_names
    if len(inside) > 1 and not is_own(function.__module__):
        yield f"{function.__module__}.{function.__qualname__}"
        return
    yield from _each((function.__defaults__, function.__kwdefaults__), inside)
    names = [name for code in codes for name in code.co_names]
    for cell in function.__closure__ or ():
        if cell != CellType():  # it may have nothing in it yet
            yield from _reached(cell.cell_contents, names, inside)
    for name in names:
        if name in function.__globals__:
            yield from _reached(function.__globals__[name], names, inside)
    for module in _imported(codes, function):
        yield from _reached(module, names, inside)


def _reached(value: Any, names: list[str], inside: tuple[Any, ...]) -> Iterator[str]:
    """What a function with these names refers to; of a module of one's own, what it has under them."""
    yield from _parts(value, inside)
    if isinstance(value, ModuleType) and is_own(value.__name__) and not any(value is one for one in inside):
        for name in names:
            if hasattr(value, name):
                yield from _reached(getattr(value, name), names, (*inside, value))


def _imported(codes: list[CodeType], function: FunctionType) -> Iterator[ModuleType]:
    """The modules of one's own that a function imports where it needs them."""
    for code in codes:
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME" and is_own(step.argval):
                try:
                    yield importlib.import_module(step.argval)
                except Exception as error:  # noqa: BLE001  a module may raise anything
                    raise TypeError(f"{function.__qualname__} imports {step.argval!r}, which fails ({error})") from None


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The instructions of a function and of the functions defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
