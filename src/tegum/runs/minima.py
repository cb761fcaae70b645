"""The lowest minimum at every point of a grid of worlds, found in rounds that can be stopped and resumed.

First rounds of random starts at every point; then rounds in which every point also starts from what its neighbours found, until
none gets lower.  A finished round is a file named by the hash of everything that defines it; resuming is listing the folder.

Example: `lowest_minima(folder, ReluOutput(3, 2), Independent(3), {"density": [0.1, 0.2]}, seeds=32)` has the best ``W``, ``b``
and ``loss`` at each density, and ``found``, the share of random starts that reached that loss.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.errors import Mistake, Problem
from tegum.exact import minimise
from tegum.features import Features
from tegum.nets import Net
from tegum.runs.files import SUFFIX, read_dataset, write_dataset
from tegum.selection import best
from tegum.sweep import Axis

_KEPT = ("W", "b", "loss", "loss_error", "gradient_norm", "curvature", "status")
_SAME = 1e-6
_LOWER = 1e-9


def lowest_minima(
    folder: Path,
    net: Net,
    features: Features,
    sweep: Mapping[str, Any],
    *,
    seeds: int = 32,
    rounds: int = 6,
    piece: int = 8,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """The lowest minimum of the expected loss at each grid point; a second call goes on where the first ended.

    Args:
        folder: where finished rounds are kept.
        net: `ReluOutput` or `Linear`.
        features: the world.
        sweep: axes by name; neighbours on all of them exchange what they found.
        seeds: random starts at each point.
        rounds: most rounds of starts from neighbours.
        piece: random starts of one round.
        threads: as `tegum.exact.minimise` takes it.
        progress: likewise.

    Returns:
        A dataset over the grid with ``W``, ``b``, ``loss``, ``loss_error``, ``gradient_norm``, ``curvature``, ``status`` and
        ``found``; where Ctrl-C ended it, attribute ``interrupted`` is 1 and the best so far may be missing.

    Raises:
        Mistake: for wrong arguments, no seeds, an unwritable folder or damaged rounds; nothing finished is lost.
    """
    if seeds < 1:
        raise Mistake(Problem(f"seeds is {seeds}", "give at least 1 start"))
    settings = {"seeds": 0, "sweep": sweep, "threads": threads, "progress": progress}
    losses: list[NDArray[np.float64]] = []
    lowest: xr.Dataset | None = None
    for first in range(0, seeds, piece):
        few = tuple(range(first, min(first + piece, seeds)))
        found = _round(folder, net, features, settings | {"seeds": few})
        if found.attrs["interrupted"]:
            return found
        losses.append(found["loss"].where(found["status"] != "not converged", np.inf).transpose(..., "seed").values)
        lowest = _lower(lowest, found)
    assert lowest is not None
    grid = list(sweep)
    for _ in range(rounds):
        initial = {name: _with_neighbours(lowest[name], grid) for name in ("W", "b")}
        count = initial["W"].shape[len(grid)]
        found = _round(folder, net, features, settings | {"seeds": count, "initial": initial})
        if found.attrs["interrupted"]:
            return found
        before, lowest = lowest, _lower(lowest, found)
        if not (lowest["loss"] < before["loss"] * (1 - _LOWER)).any():
            break
    every = np.concatenate(losses, axis=-1)
    same = every <= lowest["loss"].transpose(*grid).values[..., None] * (1 + _SAME)
    lowest["found"] = (grid, same.mean(axis=-1))
    return lowest


def _round(folder: Path, net: Net, features: Features, settings: dict[str, Any]) -> xr.Dataset:
    """One call of `minimise`, or what it found before."""
    path = folder / _name(net, features, settings)
    if path.exists():
        return read_dataset(path)
    found = minimise(net, features, **settings)
    found = found[list(_KEPT)].assign_attrs(found.attrs)
    if not found.attrs["interrupted"]:
        write_dataset(found, path)
    return found


def _name(net: Net, features: Features, settings: dict[str, Any]) -> str:
    axes = {name: (a.labels, a.fields) if isinstance(a, Axis) else list(a) for name, a in settings["sweep"].items()}
    world = {name: np.asarray(getattr(features, name)).tolist() for name in ("density", "importance")}
    starts = {name: array.tobytes() for name, array in settings.get("initial", {}).items()}
    text = repr((net, type(features).__name__, features, world, axes, settings["seeds"], starts))
    return hashlib.sha256(text.encode()).hexdigest()[:32] + SUFFIX


def _lower(known: xr.Dataset | None, found: xr.Dataset) -> xr.Dataset:
    """Point by point the lower of what is known and the best of what was found."""
    new = best(found)[list(_KEPT)].drop_vars(["seed", "start"], errors="ignore")
    if known is None:
        return new.assign_attrs(found.attrs)
    return new.where(new["loss"] < known["loss"], known).assign_attrs(known.attrs)


def _with_neighbours(data: xr.DataArray, grid: list[str]) -> NDArray[np.float64]:
    """Every point's parameters and its neighbours' along each axis, on an axis after the grid's; ends repeat themselves."""
    values = data.transpose(*grid, ...).values
    shifted = [values]
    for axis in range(len(grid)):
        places = np.arange(values.shape[axis])
        shifted += [np.take(values, np.clip(places + step, 0, len(places) - 1), axis=axis) for step in (-1, 1)]
    return np.stack(shifted, axis=len(grid))
