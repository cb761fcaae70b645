"""The extra feature of a phase diagram: the last of n, of importance r where the others have 1, and what becomes of it.

Example: `train(net, Independent(2), recipe, sweep=paper_grid(2, 24))` trains at every density and importance of the paper's
diagrams, and `extra_phase(extra_feature(best(run)))` names the phase of the second feature there.

Source: the phase diagrams of section 3 of `Toy Models of Superposition`.
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import checked, require_held, require_memory
from tegum.datasets import dataset
from tegum.errors import InvalidInputError, Problems
from tegum.geometry import feature_norms, interference, phase_of
from tegum.sweep import Axis

GRID = ("density", "importance_ratio")
"""The dimensions of a phase diagram."""


@takes_arrays
def importances(n_features: int, ratio: ArrayLike) -> NDArray[np.float64]:
    """(1, ..., 1, r) for each r, shape (k, n)."""
    r = np.asarray(ratio, dtype=np.float64)
    with Problems() as problems:
        problems.check_count("n_features", n_features)
        if r.ndim != 1:
            problems.add(f"ratio has shape {r.shape}", "give a list of numbers")
        require_memory("so many importances", 8 * r.size * n_features)
    return np.concatenate([np.ones((len(r), n_features - 1)), r[:, None]], axis=1)


@takes_arrays
def ratio_axis(n_features: int, ratio: ArrayLike) -> Axis:
    """The axis of a sweep along which the last feature's importance is r and the others' is 1."""
    labels = np.asarray(ratio, dtype=np.float64).tolist()
    return Axis(labels, importance=[tuple(row) for row in importances(n_features, labels).tolist()])


@checked
def paper_grid(n_features: int, side: int) -> dict[str, Axis]:
    """The paper's axes, both logarithmic: densities 0.01 to 1, importances of the last feature 0.1 to 10."""
    with Problems() as problems:
        problems.check_count("n_features", n_features)
        problems.check_count("side", side)
        require_memory(f"a grid of {side} x {side}", 8 * side * side * n_features)
    density = np.geomspace(0.01, 1, side).tolist()
    return {"density": Axis(density, density=density), "importance_ratio": ratio_axis(n_features, np.geomspace(0.1, 10, side))}


@checked
def extra_feature(data: xr.Dataset) -> xr.Dataset:
    """``norm`` and ``interference`` of the last feature of every model, beside its ``loss``."""
    require_held("data", data, W=None, loss=None)
    if not {"hidden", "feature"} <= {*data["W"].dims}:
        raise InvalidInputError(f"W of data has dimensions {dict(data['W'].sizes)}", "give (..., hidden, feature)")
    W, measures = data["W"].astype(np.float64), (feature_norms, interference)
    norm, mixed = (measure(W).isel(feature=-1, drop=True) for measure in measures)  # type: ignore[arg-type, attr-defined]
    measured = {name: (tuple(map(str, each.dims)), each.values) for name, each in (("norm", norm), ("interference", mixed))}
    return dataset(measured, norm.coords).assign(loss=data["loss"])


@checked
def extra_phase(extra: xr.Dataset) -> xr.DataArray:
    """The phase of the last feature, from its ``norm`` and ``interference``; see `tegum.geometry.phase_of`."""
    require_held("extra", extra, norm=None, interference=None)
    return phase_of(extra["norm"], extra["interference"])  # type: ignore[arg-type, return-value]
