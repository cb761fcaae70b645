"""What the two trained phase diagrams share: one more feature than dimensions, the last of importance r, the others 1.

Three readings of one grid: the paper's rule (ten fits, drop the worst, average norm and interference of the rest), the best of
the ten by exact loss, and the certified optimum of the expected loss.  A fit is *stuck* where its exact loss exceeds the
optimum's by 5 %.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.geometry import SUPERPOSITION, phase_of
from tegum.selection import mean_without_worst

FITS = 10
STUCK = 1.05
PAPER_RULE, BEST, OPTIMUM = "paper's rule, 9 of 10 fits", "best of 10 by exact loss", "certified optimum"


def grid(n_features: int, side: int) -> dict[str, tg.Axis]:
    """Density 0.01 to 1 and importance of the last feature 0.1 to 10, both logarithmic."""
    density, ratio = np.geomspace(0.01, 1, side), np.geomspace(0.1, 10, side)
    importance = [(1.0,) * (n_features - 1) + (float(r),) for r in ratio]
    return {
        "density": tg.Axis(list(density), density=list(density)),
        "importance_ratio": tg.Axis(list(ratio), importance=importance),
    }


def extra_feature(data: xr.Dataset) -> xr.Dataset:
    """Norm and interference of the last feature, and the loss."""
    W = data["W"].transpose(..., "hidden", "feature")
    lead = W.dims[:-2]
    last = {"norm": tg.geometry.feature_norms, "interference": tg.geometry.interference}
    found = {name: (lead, measure(W.values.astype(np.float64))[..., -1]) for name, measure in last.items()}
    return xr.Dataset(found, {name: W[name] for name in lead if name in W.coords}).assign(loss=data["loss"])


def phase_study(n_features: int, side: int, recipe: tg.Recipe, starts: int) -> xr.Dataset:
    """The grid read in three ways, and how often training got stuck; dims (reading, density, importance_ratio)."""
    net = tg.nets.ReluOutput(n_features, n_features - 1)
    sweep, features = grid(n_features, side), tg.features.Independent(n_features)
    optimum = tg.exact.minimise(net, features, seeds=starts, sweep=sweep, warm_starts=1)
    fits = tg.train(net, features, recipe.replaced(seeds=FITS, record=("W",), record_steps=(0,)), sweep=sweep)
    worlds = features.replaced(
        density=fits["feature_density"].values[:, :, None], importance=fits["feature_importance"].values[:, :, None]
    )
    fits["loss"] = (fits["loss"].dims, tg.exact.loss(fits["W"], fits["b"], worlds, tol=1e-6))
    lowest, every = extra_feature(tg.best(optimum)), extra_feature(fits)
    readings = {
        PAPER_RULE: mean_without_worst(every),
        BEST: extra_feature(tg.best(fits)).drop_vars("seed"),
        OPTIMUM: lowest.drop_vars(["seed", "start"]),
    }
    first = fits["W_history"].sel(step=0)
    data = xr.concat(readings.values(), "reading", coords="minimal", compat="override").assign_coords(reading=list(readings))
    data["stuck"] = (every["loss"] > STUCK * lowest["loss"]).drop_vars("seed")
    data["helped"] = ((first.isel(feature=-1) * first.isel(feature=0)).sum("hidden") < 0).drop_vars("seed")
    data["gradient_norm"] = tg.best(optimum)["gradient_norm"].drop_vars(["seed", "start"])
    data = data.drop_vars(["start", "step"], errors="ignore")
    data.attrs = fits.attrs | {
        "minimise": optimum.attrs["minimise"],
        "not_converged": optimum.attrs["not_converged"],
        "interrupted": max(fits.attrs["interrupted"], optimum.attrs["interrupted"]),
    }
    return data


def boundary(reading: xr.Dataset) -> NDArray[np.float64]:
    """The highest density at which the last feature is in superposition, for each importance; NaN where it never is.

    Halfway, on the logarithmic axis, between the last grid point that is and the first that is not.
    """
    mixed = phase_of(reading["norm"].values, reading["interference"].values) == SUPERPOSITION
    mixed = reading["norm"].copy(data=mixed).transpose("density", "importance_ratio").values
    density = reading["density"].values
    found = np.full(mixed.shape[1], np.nan)
    for column in range(mixed.shape[1]):
        places = np.flatnonzero(mixed[:, column])
        if places.size:
            k = int(places[-1])
            found[column] = np.sqrt(density[k] * density[min(k + 1, len(density) - 1)])
    return found
