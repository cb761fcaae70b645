"""Measured values as a reader would write them, and as ``claims.json`` records them.

>>> number(0.98765, 3, "%")
'98.8 %'
>>> listed(xr.DataArray([1.15, 1.17], {"density": [0.32, 0.1]}, ["density"]), number)
'1.15 at density 0.32, 1.17 at 0.1'
>>> listed(xr.DataArray([0.14, 0.72], {"activation": ["GELU", "tanh"]}, ["activation"]), number)
'0.14 (GELU), 0.72 (tanh)'
>>> recorded({"angles": np.linspace(0, 90, 200), "loss": np.nan})
{'angles': {'size': 200, 'min': 0.0, 'max': 90.0}, 'loss': 'nan'}
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

MOST_LISTED = 13
"""Longer arrays are given by their smallest and largest entry."""

_MOST_RECORDED = 100


def number(value: Any, digits: int = 4, unit: str = "") -> str:
    """One number with so many significant digits; ``%`` multiplies by 100."""
    scaled = 100 * float(value) if unit == "%" else float(value)
    exact = isinstance(value, int | np.integer | np.bool_) or scaled.is_integer()
    text = f"{scaled:.0f}" if exact and abs(scaled) < 1e15 else f"{scaled:.{digits}g}"
    return with_unit(text, unit)


def fixed(value: Any, decimals: int, unit: str = "") -> str:
    """One number with so many decimals; in powers of ten where all of them would be 0."""
    scaled = 100 * float(value) if unit == "%" else float(value)
    text = f"{scaled:.{decimals}f}"
    hidden = scaled != 0 and float(text) == 0
    return with_unit(f"{scaled:.1e}" if hidden else text, unit)


def with_unit(text: str, unit: str) -> str:
    """Degrees close to their number, every other unit after a space."""
    return f"{text}{unit}" if unit in ("", "°") else f"{text} {unit}"


def measured(value: Any, show: Callable[..., str], unit: str) -> str:
    """A number or an array with its unit: % and ° at every entry, words once at the end; ``show(entry, unit=...)``."""
    if np.ndim(value) == 0 or unit in ("", "%", "°"):
        return listed(value, partial(show, unit=unit))
    return with_unit(listed(value, show), unit)


def listed(value: Any, show: Callable[[Any], str]) -> str:
    """An array entry by entry, with the labels of an `xarray.DataArray`; a long one by its smallest and largest."""
    array = np.asarray(value)
    if array.ndim == 0:
        return show(array[()])
    if array.size == 0:
        return "nothing"
    labels = _labels(value)
    if array.size > MOST_LISTED:
        return _extremes(array, labels, show)
    words = bool(labels) and np.asarray(value[value.dims[0]]).dtype.kind not in "biufM"
    if array.ndim > 1:
        names = [f"{label}: " if words else f"{value.dims[0]} {label}: " for label in labels] or [""] * len(array)
        return "; ".join(name + listed(row, show) for name, row in zip(names, value, strict=True))
    if not labels:
        return ", ".join(show(entry) for entry in array)
    if words:
        return ", ".join(f"{show(entry)} ({label})" for entry, label in zip(array, labels, strict=True))
    labels[0] = f"{value.dims[0]} {labels[0]}"
    return ", ".join(f"{show(entry)} at {label}" for entry, label in zip(array, labels, strict=True))


def _extremes(array: Any, labels: list[str], show: Callable[[Any], str]) -> str:
    flat = array.ravel()
    if flat.dtype.kind not in "biuf":
        return ", ".join(sorted({show(entry) for entry in flat}))
    if np.isnan(flat).any():
        return f"{int(np.isnan(flat).sum())} of {flat.size} are no numbers"
    ends = [int(np.argmin(flat)), int(np.argmax(flat))]
    low, high = (show(flat[k]) for k in ends)
    if low == high:
        return low
    where = [f" at {labels[k]}" if array.ndim == 1 and labels else "" for k in ends]
    return f"{low}{where[0]} to {high}{where[1]}"


def _labels(value: Any) -> list[str]:
    """The labels along the first dimension, where there are some."""
    if not isinstance(value, xr.DataArray) or not value.dims or value.dims[0] not in value.coords:
        return []
    return [f"{label:.4g}" if isinstance(label, float) else str(label) for label in value[value.dims[0]].values.tolist()]


def recorded(value: Any) -> Any:
    """A measured value as JSON knows it; NaN and infinity are words.

    Of arrays with more than 100 entries the size, and the smallest and largest entry or the share of true ones.
    """
    if isinstance(value, Mapping):
        return {str(name): recorded(item) for name, item in value.items()}
    if isinstance(value, xr.DataArray | np.ndarray | np.generic):
        array = np.asarray(value)
        array = array.astype(np.float64) if array.dtype == np.longdouble else array
        if array.size <= _MOST_RECORDED:
            return recorded(array.tolist())
        if array.dtype.kind == "b":
            return {"size": array.size, "share": float(array.mean())}
        if array.dtype.kind in "iuf":
            return {"size": array.size, "min": recorded(float(array.min())), "max": recorded(float(array.max()))}
        return {"size": array.size, "different": sorted({str(entry) for entry in array.ravel()})[:_MOST_RECORDED]}
    if isinstance(value, list | tuple):
        return [recorded(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((recorded(item) for item in value), key=_numbers_first)
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float) or value is None else str(value)


def _numbers_first(item: Any) -> tuple[str, Any]:
    """A key by which entries of different types can be sorted."""
    return "" if isinstance(item, int | float) else str(type(item)), item
