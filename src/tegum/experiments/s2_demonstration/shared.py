"""What the two sweeps over density share: linear and ReLU-output models with falling importances, the best by exact loss."""

from typing import Literal

import numpy as np
import xarray as xr

import tegum as tg
from tegum.experiments import Figure
from tegum.figures import strips

DENSITIES = [1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]


def sweep_study(n_features: int, n_hidden: int, decay: float, recipe: tg.Recipe) -> xr.Dataset:
    """Both families at the seven densities; ``loss`` is exact."""
    features = tg.features.Independent(n_features, importance=tg.features.geometric(decay, n_features))
    runs = []
    for net in (tg.nets.ReluOutput(n_features, n_hidden), tg.nets.Linear(n_features, n_hidden)):
        run = tg.train(net, features, recipe, sweep={"density": DENSITIES})
        worlds = features.replaced(density=np.array(DENSITIES)[:, None, None])
        activation: Literal["linear", "relu"] = "linear" if isinstance(net, tg.nets.Linear) else "relu"
        run["loss"] = (run["loss"].dims, tg.exact.loss(run["W"], run["b"], worlds, tol=1e-6, activation=activation))
        runs.append(run)
    data = xr.concat(runs, "net", combine_attrs="drop_conflicts", join="exact").assign_coords(net=["ReluOutput", "Linear"])
    data.attrs["interrupted"] = max(run.attrs["interrupted"] for run in runs)
    return data


def best(data: xr.Dataset, density: float, net: str = "ReluOutput") -> xr.Dataset:
    """The model with the lowest exact loss at one density."""
    return tg.best(data.sel(net=net, density=density))


def represented(model: xr.Dataset, least: float = 0.9) -> int:
    """How many features have a norm of at least ``least``."""
    return int((tg.geometry.feature_norms(model["W"].values) >= least).sum())


def reading(data: xr.Dataset) -> Figure:
    """Two models, large: one that is as good as linear, one in superposition."""
    models = {"ReLU, p = 1: no superposition": best(data, 1.0), "ReLU, p = 0.1: antipodal pairs": best(data, 0.1)}
    return Figure(
        strips(models),
        "How to read a model. Above, WᵀW, what each input does to each output, and beside it the bias: a red diagonal is a "
        "feature that passes through, blue off the diagonal are two features stored as opposites, and a pale red bias is the "
        "mean of a feature that is dropped. Below, the norm of each feature, coloured by how much the others excite its "
        "direction: the sum of squares of the paper's text or, by the button, its root, which the authors' notebook shows.",
    )


def picture(data: xr.Dataset) -> Figure:
    """The linear model, and the ReLU-output models from dense to sparse."""
    models = {"linear<br>p = 0.001": best(data, 0.001, "Linear")}
    models |= {f"ReLU<br>p = {p:g}": best(data, p) for p in DENSITIES}
    seeds = data.sizes["seed"]
    return Figure(
        strips(models),
        f"Each column is a model, the best of {seeds} seeds by exact loss. Above, what it computes: WᵀW and, set apart, b. "
        "Below, how much of each feature it keeps; dark features have a direction to themselves, bright ones share theirs. "
        "A linear model keeps the most important features, whatever the density; with a ReLU, sparser worlds hold more "
        "features than there are dimensions.",
    )
