"""Values of the same kind that a check could be given, most of them wrong: a check that passes all of them cannot fail."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr


def wrong_values(value: Any) -> Iterator[Any]:
    """Values of the kind of one that was measured: too large, too small, not a number, reversed, empty, other words."""
    if isinstance(value, Mapping):
        for corrupted in zip(*(wrong_values(item) for item in value.values()), strict=False):
            yield dict(zip(value, corrupted, strict=True))
    elif isinstance(value, bool | np.bool_):
        yield not value
        yield bool(value)
    elif isinstance(value, str):
        yield from ("nothing of the kind", "")
    elif isinstance(value, int | float | np.number):
        yield from (np.nan, -1e12, 1e12, 0.0)
    elif isinstance(value, np.ndarray | xr.DataArray):
        yield from _arrays(value)
    elif isinstance(value, list | tuple):
        yield type(value)()
        yield from (type(value)(items) for items in zip(*(wrong_values(item) for item in value), strict=False))
        yield type(value)(reversed(value))
    elif isinstance(value, set | frozenset):
        yield type(value)(["nothing of the kind"])
        yield type(value)()
    else:
        yield None


def is_finite(value: Any) -> bool:
    """Whether there is something in a value, and all numbers in it are finite: NaN and nothing meet no expectation anyway."""
    if isinstance(value, Mapping):
        return all(map(is_finite, value.values()))
    if isinstance(value, list | tuple):
        return bool(value) and all(map(is_finite, value))
    if isinstance(value, int | float | np.generic | np.ndarray | xr.DataArray) and np.asarray(value).dtype.kind in "iufb":
        return bool(np.size(value) and np.isfinite(np.asarray(value)).all())
    return True


def _arrays(value: Any) -> Iterator[Any]:
    array = np.asarray(value)
    if not array.size:
        array = np.zeros(3, dtype=array.dtype)

    def like(numbers: Any) -> Any:
        return value.copy(data=numbers) if isinstance(value, xr.DataArray) and value.size else np.asarray(numbers)

    if array.dtype.kind == "b":
        yield from (like(np.zeros_like(array)), like(np.ones_like(array)))
    elif array.dtype.kind in "iuf":
        generator = np.random.default_rng(0)
        for numbers in (np.full(array.shape, np.nan), np.full(array.shape, -1e12), np.full(array.shape, 1e12)):
            yield like(numbers)
        yield like(np.zeros_like(array))
        yield like(generator.normal(size=array.shape))
        yield like(np.flip(array))
    else:
        yield like(np.full(array.shape, "nothing of the kind", dtype=object))
