"""The lowest minimum at every point of a grid of data distributions, and how often random starts find it.

First random starts at every point; then rounds in which every point also starts from what its neighbours found, until none gets
lower.  Inside `tegum.caching.caching` every round is cached, so that a long map can be stopped and resumed.

Example: `lowest_minima(ReluOutput(3, 2), Independent(3), {"density": [0.1, 0.2]}, seeds=32)` has the best ``W``, ``b`` and
``loss`` at each density, and ``found``, the share of random starts that reached that loss.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.datasets import Status
from tegum.errors import InvalidInputError
from tegum.exact import minimise
from tegum.features import Features
from tegum.nets import Net
from tegum.selection import best

_KEPT = ("W", "b", "loss", "loss_error", "gradient_norm", "curvature", "status")
_SAME, _LOWER = 1e-6, 1e-9


@checked
def lowest_minima(
    net: Net,
    features: Features,
    sweep: Mapping[str, Any],
    *,
    seeds: int = 32,
    rounds: int = 6,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """The lowest minimum of the expected loss at each grid point.

    Args:
        net: `ReluOutput` or `Linear`.
        features: the data distribution.
        sweep: axes by name; neighbours on all of them exchange what they found.
        seeds: random starts at each point.
        rounds: most rounds of starts from neighbours.
        threads: as `tegum.exact.minimise` takes it.
        progress: likewise.

    Returns:
        A dataset over the grid with ``W``, ``b``, ``loss``, ``loss_error``, ``gradient_norm``, ``curvature``, ``status`` and
        ``found``.

    Raises:
        InvalidInputError: for wrong arguments.
    """
    if others := set(net.parameter_shapes()) - {"W", "b"}:
        raise InvalidInputError(f"the net is {net!r}, with {min(others)}", "give one of W and b, ReluOutput or Linear")
    settings: dict[str, Any] = {"sweep": sweep, "threads": threads, "progress": progress}
    first = minimise(net, features, seeds=seeds, **settings)
    lowest, grid = _lower(None, first), list(sweep)
    for _ in range(rounds):
        initial = {name: _with_neighbours(lowest[name], grid) for name in ("W", "b")}
        found = minimise(net, features, seeds=initial["W"].shape[len(grid)], initial=initial, **settings)
        before, lowest = lowest, _lower(lowest, found)
        if not (lowest["loss"] < before["loss"] * (1 - _LOWER)).any():
            break
    least = lowest["loss"] * (1 + _SAME) + first["loss_error"].fillna(0)  # where nothing is lost, all is rounding
    reached = first["loss"].where(first["status"] != Status.NOT_CONVERGED, np.inf) <= least
    return lowest.assign(found=reached.mean("seed"))


def _lower(known: xr.Dataset | None, found: xr.Dataset) -> xr.Dataset:
    """Point by point the lower of what is known and the best of what was found."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # where no start converged, the next round begins with the first one
        new = best(found)[list(_KEPT)].drop_vars(["seed", "start"], errors="ignore")
    new = new.fillna(found[list(_KEPT)].isel(seed=0, drop=True))
    if known is None:
        return new.assign_attrs(found.attrs)
    return new.where(new["loss"] < known["loss"], known).assign_attrs(known.attrs)


def _with_neighbours(data: xr.DataArray, grid: list[str]) -> NDArray[np.float64]:
    """Every point's parameters and its neighbours' along each axis, on an axis after the grid's; ends repeat themselves."""
    values = data.transpose(*grid, ...).values
    shifted = [values]
    for axis in range(len(grid)):
        shifted += [values.take(np.arange(values.shape[axis]) + step, axis=axis, mode="clip") for step in (-1, 1)]
    return np.stack(shifted, axis=len(grid))
