"""What the two sweeps over density share: linear and ReLU-output models with falling importances, the best by exact loss."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.experiments import Figure
from tegum.recorded import of_several_nets

BASE = tg.Recipe(learning_rate=3e-3, schedule="cosine", weight_decay=0)
DENSITIES = [1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]
PAIRED = [1.0, 0.3, 0.1, 0.03]
"""Densities at which dedicated features and pairs are all there is."""
PRINTED = xr.DataArray([5, 7, 9, 10, 11, 13, 12], [("density", DENSITIES)])
"""Features of norm 0.9 or more of the twenty in five dimensions, read off the paper's figure."""


def sweep_study(n_features: int, n_hidden: int, decay: float, recipe: tg.Recipe, train_linear: bool = True) -> xr.Dataset:
    """Both families at the seven densities; ``loss`` is exact.  Linear models that are only a control are exact minima."""
    features = tg.features.Independent(n_features, importance=tg.features.geometric(decay, n_features))
    relu, linear = tg.nets.ReluOutput(n_features, n_hidden), tg.nets.Linear(n_features, n_hidden)
    sweep = {"density": DENSITIES}
    runs = [tg.train(net, features, recipe, sweep=sweep) for net in (relu, linear)[: 1 + train_linear]]
    runs = [run.drop_vars("loss_standard_error").assign(loss=tg.exact.loss(run, tol=1e-6)) for run in runs]
    if not train_linear:
        minima = tg.exact.minimise(
            linear, features, seeds=len(recipe.seed_list), sweep=sweep, gradient_tolerance=1e-5, certify=False
        )
        runs.append(minima[["W", "b", "loss", "status"]])
    return of_several_nets(dict(zip(("ReluOutput", "Linear"), runs, strict=True)))


def best(data: xr.Dataset, net: str = "ReluOutput") -> xr.Dataset:
    """The model with the lowest exact loss at each density."""
    models = tg.best(data.sel(net=net))
    return models.assign(W=models["W"].astype(np.float64))


def norms(models: xr.Dataset) -> xr.DataArray:
    """The norm of every feature, with the models' other dimensions."""
    return models["b"].copy(data=tg.geometry.feature_norms(models["W"].values))


def represented(models: xr.Dataset) -> xr.DataArray:
    """How many features have a norm of at least 0.9."""
    return (norms(models) >= 0.9).sum("feature")


def overlaps(W: NDArray[np.float64]) -> NDArray[np.float64]:
    """W_i . W_j of different features, shape (..., n, n); 0 on the diagonal."""
    return tg.geometry.gram(W) * (1 - np.eye(W.shape[-1]))


def picture(data: xr.Dataset) -> Figure:
    """The linear model, and the ReLU-output models from dense to sparse."""
    models = {"linear<br>p = 0.001": best(data, "Linear").sel(density=0.001)}
    models |= {f"ReLU<br>p = {p:g}": best(data).sel(density=p) for p in DENSITIES}
    return Figure(
        tg.figures.strips(models),
        f"Each column is a model, the best of {data.sizes['seed']} seeds by exact loss. Above, what it computes: WᵀW and, set "
        "apart, b. Below, how much of each feature it keeps; dark features have a direction to themselves, bright ones share "
        "theirs. A linear model keeps the most important features, whatever the density; with a ReLU, the sparser the "
        "features are, the more of them are held, beyond the number of dimensions.",
    )
