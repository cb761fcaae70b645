"""Numbers as a reader would write them: in words for the page, as plain numbers for ``claims.json``.

number(0.98765, 3, "%")        "98.8 %"
listed(DataArray)              "1.15 at density 0.32, 1.17 at 0.1, 1.19 at 0.032"
plain(value)                   what JSON holds of it; long arrays by their extremes
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

MOST_LISTED = 13
"""Longer arrays are given by their smallest and largest entry."""

_MOST_STORED = 100


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


def measured(value: Any, show: Callable[[Any, str], str], unit: str) -> str:
    """A number or an array with its unit: % and ° at every entry, words once at the end."""
    if np.ndim(value) == 0 or unit in ("", "%", "°"):
        return listed(value, lambda entry: show(entry, unit))
    return with_unit(listed(value, lambda entry: show(entry, "")), unit)


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
    if array.ndim == 1:
        dim = str(value.dims[0]) if labels else ""
        return ", ".join(
            show(entry) + (f" at {dim + ' ' if k == 0 else ''}{labels[k]}" if labels else "") for k, entry in enumerate(array)
        )
    rows = [listed(row, show) for row in value]
    if not labels:
        return "; ".join(rows)
    return "; ".join(f"{value.dims[0]} {label}: {row}" for label, row in zip(labels, rows, strict=True))


def _extremes(array: Any, labels: list[str], show: Callable[[Any], str]) -> str:
    flat = array.ravel()
    if flat.dtype.kind not in "biuf":
        return ", ".join(sorted({show(entry) for entry in flat}))
    low, high = int(np.argmin(flat)), int(np.argmax(flat))
    where = [f" at {labels[k]}" if array.ndim == 1 and labels else "" for k in (low, high)]
    if np.isnan(flat).any():
        return f"{int(np.isnan(flat).sum())} of {flat.size} are no numbers"
    same = show(flat[low]) == show(flat[high])
    return show(flat[low]) if same else f"{show(flat[low])}{where[0]} to {show(flat[high])}{where[1]}"


def _labels(value: Any) -> list[str]:
    """The labels along the first dimension, where there are some."""
    if not isinstance(value, xr.DataArray) or not value.dims or value.dims[0] not in value.coords:
        return []
    return [f"{label:.4g}" if isinstance(label, float) else str(label) for label in value[value.dims[0]].values.tolist()]


def plain(value: Any) -> Any:
    """A measured value as JSON knows it; arrays of more than 100 entries as their size and extremes, or share of true ones."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, xr.DataArray | np.ndarray | np.generic):
        array = np.asarray(value)
        if array.size <= _MOST_STORED:
            return _finite(array.tolist())
        if array.dtype.kind == "b":
            return {"size": array.size, "share": float(array.mean())}
        if array.dtype.kind in "iuf":
            return _finite({"size": array.size, "min": float(array.min()), "max": float(array.max())})
        return {"size": array.size, "different": sorted({str(entry) for entry in array.ravel()})[:_MOST_STORED]}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    return _finite(value) if isinstance(value, str | int | float) or value is None else str(value)


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become words."""
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value
