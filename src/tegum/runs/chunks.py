"""A long training that can be stopped and resumed: pieces of the sweep, finished one by one, each a file.

An instance does not depend on what is trained beside it, so a sweep may be cut anywhere.  It is cut along its first axis
(along the seeds where there is none) into at most 20 pieces.  A piece's file is named by the hash of everything that
defines it; resuming is listing the folder.  A piece that was interrupted leaves no file.
"""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tegum.features import Features
from tegum.nets import Net
from tegum.runs.files import SUFFIX, read_dataset, write_dataset
from tegum.sweep import Axis
from tegum.training import Recipe, train

_MOST_PIECES = 20


def _cut(length: int) -> list[slice]:
    edges = np.linspace(0, length, min(length, _MOST_PIECES) + 1).astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def _part(axis: Axis | Sequence[Any], part: slice) -> Axis | Sequence[Any]:
    if isinstance(axis, Axis):
        return Axis(axis.labels[part], **{name: values[part] for name, values in axis.fields.items()})
    return axis[part]


def _pieces(recipe: Recipe, sweep: Mapping[str, Any]) -> list[tuple[Recipe, dict[str, Any]]]:
    """The pieces of a training: a recipe and a sweep each."""
    if not sweep:
        seeds = recipe.seed_list
        return [(recipe.replaced(seeds=seeds[part]), {}) for part in _cut(len(seeds))]
    first, *rest = sweep
    axis = sweep[first]
    length = len(axis.labels) if isinstance(axis, Axis) else len(axis)
    others = {name: sweep[name] for name in rest}
    return [(recipe, {first: _part(axis, part), **others}) for part in _cut(length)]


def _name(net: Net, features: Features, recipe: Recipe, sweep: Mapping[str, Any]) -> str:
    """The file name of a piece: a hash of everything that defines its result."""
    axes = {name: (a.labels, a.fields) if isinstance(a, Axis) else list(a) for name, a in sweep.items()}
    world = {
        name: np.asarray(getattr(features, name)).tolist()
        if name in ("density", "importance")
        else repr(getattr(features, name))
        for name in features.field_names()
    }
    with np.printoptions(threshold=2**31, precision=17):
        text = repr((net, type(features).__name__, world, recipe.model_dump(), axes))
    return hashlib.sha256(text.encode()).hexdigest()[:32] + SUFFIX


def train_to(
    folder: Path,
    net: Net,
    features: Features,
    recipe: Recipe,
    *,
    sweep: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Trains as `tegum.train` does, keeping finished pieces in ``folder``; a second call goes on where the first ended.

    Returns:
        The whole dataset; where Ctrl-C ended it, what is finished, with the attribute ``interrupted`` 1.

    Raises:
        Mistake: for wrong arguments, an unwritable folder or damaged pieces; nothing finished is lost.
    """
    sweep = dict(sweep or {})
    pieces = _pieces(recipe, sweep)
    along = next(iter(sweep), "seed")
    parts: list[xr.Dataset] = []
    for piece_recipe, piece_sweep in pieces:
        path = folder / _name(net, features, piece_recipe, piece_sweep)
        if path.exists():
            parts.append(read_dataset(path))
            continue
        part = train(net, features, piece_recipe, sweep=piece_sweep, threads=threads, progress=progress)
        parts.append(part)
        if part.attrs["interrupted"]:
            break
        write_dataset(part, path)
    data = xr.concat(parts, along, data_vars="minimal", combine_attrs="override", join="exact")
    data.attrs |= {
        "recipe": recipe.model_dump_json(),
        "interrupted": parts[-1].attrs["interrupted"],
        "wall_seconds": round(sum(part.attrs["wall_seconds"] for part in parts), 3),
    }
    return data
