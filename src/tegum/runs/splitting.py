"""A long call in pieces: its sweep is cut along the first axis, along the seeds where there is none.

An instance does not depend on what is trained beside it, so a sweep may be cut anywhere, and the joined pieces equal the
uncut result bit for bit.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from tegum.caching import Call
from tegum.sweep import Axis

_MOST_PIECES = 20


def pieces_of(call: Call, least: int = 1) -> tuple[list[Call], str]:
    """The pieces of a call, at most 20 with at least ``least`` instances each, and the dimension along which they join."""
    sweep: dict[str, Any] = dict(call.arguments.get("sweep") or {})
    recipe = call.arguments.get("recipe")
    seeds = recipe.seed_list if recipe is not None else call.arguments.get("seeds", ())
    count = seeds if isinstance(seeds, int) else len(seeds)
    if sweep and call.splittable:
        first, *rest = sweep
        lengths = [_length(axis) for axis in sweep.values()]
        others = {name: sweep[name] for name in rest}
        parts = _cut(lengths[0], int(np.prod(lengths[1:], initial=count)), least)
        return [call.replaced(sweep={first: _part(sweep[first], part), **others}) for part in parts], first
    if recipe is not None and call.splittable:
        parts = _cut(count, 1, least)
        return [call.replaced(recipe=recipe.replaced(seeds=recipe.seed_list[part])) for part in parts], "seed"
    return [call], ""


def joined(parts: Sequence[xr.Dataset], along: str, call: Call) -> xr.Dataset:
    """The results of all pieces as the uncut ``call`` would have returned them."""
    if len(parts) == 1 and not along:
        return parts[0]
    data = xr.concat(parts, along, data_vars="minimal", combine_attrs="override", join="exact")
    data.attrs["interrupted"] = parts[-1].attrs["interrupted"]
    data.attrs["wall_seconds"] = round(sum(part.attrs["wall_seconds"] for part in parts), 3)
    if (recipe := call.arguments.get("recipe")) is not None:
        data.attrs["recipe"] = recipe.model_dump_json()
    if "not_converged" in data.attrs:
        sizes = [part["status"].size for part in parts]
        data.attrs["not_converged"] = float(np.average([part.attrs["not_converged"] for part in parts], weights=sizes))
    return data


def _length(axis: Any) -> int:
    return len(axis.labels) if isinstance(axis, Axis) else len(axis)


def _cut(length: int, instances: int, least: int) -> list[slice]:
    """Slices of range(length), each position of which is so many instances."""
    count = min(length, _MOST_PIECES, max(1, length * instances // max(1, least)))
    edges = np.linspace(0, length, count + 1).astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def _part(axis: Any, part: slice) -> Any:
    if isinstance(axis, Axis):
        return Axis(axis.labels[part], **{name: values[part] for name, values in axis.fields.items()})
    return axis[part]
