"""What the experiment on equal features shares out: one world at many densities, solved in three ways from the same starts.

    TRAINING     stochastic training, as in the paper
    EXACT        the expected loss minimised from the same first weights
    POLISHED     the expected loss minimised from the trained weights: how far training was from an end

Each density is minimised in a call of its own, so that a study that is killed keeps the densities it has finished.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.geometry import aligned, dimensionality, dimensions_per_feature, feature_norms, identify

TRAINING, EXACT, POLISHED = "training", "exact", "exact from trained"
WAYS = (TRAINING, EXACT, POLISHED)
GRADIENT, STEPS, TERMS = 1e-5, 1500, 64
"""A minimisation ends where the root mean square of the gradient is below the first, or after so many steps."""
LEARNED = 0.2
"""The paper's dots above this D_i are features that are learned."""


def three_ways(n: int, m: int, densities: Sequence[float], recipe: tg.Recipe) -> xr.Dataset:
    """Models of n equal features in m dimensions at each density, in three ways.

    Returns:
        ``W`` (way, density, hidden, feature), ``b``, exact ``loss`` (way, density), ``gradient`` (its root mean square; NaN
        for training), and ``start_W`` (hidden, feature), the first weights at the first density.
    """
    net, features = tg.nets.ReluOutput(n, m), tg.features.Independent(n)
    recorded = recipe.replaced(record=("W",), record_steps=(0,))
    run = tg.train(net, features, recorded, sweep={"density": list(densities)}).isel(seed=0)
    W, b, first = (run[name].values.astype(np.float64) for name in ("W", "b", "W_history"))
    worlds = features.replaced(density=np.array(densities)[:, None])
    loss = tg.exact.loss(W, b, worlds, tol=1e-6)
    ends = []
    for k, density in enumerate(densities):
        initial = {"W": np.stack([first[k, 0], W[k]]), "b": np.stack([np.zeros(n), b[k]])}
        end = tg.exact.minimise(
            net,
            features.replaced(density=density),
            seeds=2,
            initial=initial,
            gradient_tolerance=GRADIENT * sqrt(n * m + n),
            most_steps=STEPS,
            terms=TERMS,
            tol=1e-6,
            certify=False,
        )
        ends.append(end)
    ended = xr.concat(ends, "density", data_vars="all", coords="minimal", compat="override", combine_attrs="override")
    shape = ("way", "density")

    def ways(name: str, trained: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([trained[None], np.moveaxis(ended[name].transpose("density", "seed", ...).values, 1, 0)])

    return xr.Dataset(
        {
            "W": ((*shape, "hidden", "feature"), ways("W", W).astype(np.float32)),
            "b": ((*shape, "feature"), ways("b", b).astype(np.float32)),
            "loss": (shape, ways("loss", loss), {"long_name": "exact expected loss"}),
            "gradient": (shape, ways("gradient_norm", np.full(len(densities), np.nan)) / sqrt(n * m + n)),
            "start_W": (("hidden", "feature"), first[0, 0].astype(np.float32)),
        },
        {"way": list(WAYS), "density": list(densities)},
        run.attrs
        | {
            "minimise": f"root mean square of the gradient {GRADIENT:g}, or {STEPS} steps; {TERMS} terms",
            "interrupted": max(run.attrs["interrupted"], *(end.attrs["interrupted"] for end in ends)),
        },
    )


def trained_sizes(n: int, m: int, densities: Sequence[float], recipe: tg.Recipe) -> xr.Dataset:
    """D* and the number of features with norm at least 1/2 of models of another size, (density,), beside that size."""
    sweep = {"density": list(densities)}
    run = tg.train(tg.nets.ReluOutput(n, m), tg.features.Independent(n), recipe, sweep=sweep).isel(seed=0)
    return sizes_of(run["W"]).assign_attrs(interrupted=run.attrs["interrupted"])


def linear_sizes(n: int, m: int, densities: Sequence[float]) -> xr.Dataset:
    """The same of linear models, at minima of their expected loss."""
    net, features = tg.nets.Linear(n, m), tg.features.Independent(n)
    run = tg.exact.minimise(net, features, seeds=1, sweep={"density": list(densities)}, gradient_tolerance=1e-5, certify=False)
    return sizes_of(run["W"].isel(seed=0)).assign_attrs(interrupted=run.attrs["interrupted"])


def sizes_of(W: xr.DataArray) -> xr.Dataset:
    """``D_star`` and ``represented`` (density,) of models W (density, hidden, feature), and their size, ``n`` and ``m``."""
    values = W.transpose("density", "hidden", "feature").values.astype(np.float64)
    represented = (feature_norms(values) >= 1 / 2).sum(axis=-1)
    per_density = {"D_star": ("density", dimensions_per_feature(values)), "represented": ("density", represented)}
    return xr.Dataset(per_density | {"n": values.shape[2], "m": values.shape[1]}, {"density": W["density"].values})


def model(data: xr.Dataset, way: str, k: int) -> NDArray[np.float64]:
    """W (m, n) at the k-th density."""
    return np.asarray(data["W"].sel(way=way).isel(density=k).transpose("hidden", "feature").values.astype(np.float64))


def inverse(data: xr.Dataset) -> NDArray[np.float64]:
    """1 / (1 - S) of every density."""
    return np.asarray(1 / data["density"].values)


def within(data: xr.Dataset, low: float, high: float) -> list[int]:
    """The grid points with 1 / (1 - S) from low to high."""
    x = inverse(data)
    return [int(k) for k in np.flatnonzero((x >= low - 1e-9) & (x <= high + 1e-9))]


def as_many_random(data: xr.Dataset, W: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors in random directions, as many as W has learned features: the first weights of training, cut off."""
    count = int((dimensionality(W) > LEARNED).sum())
    start = data["start_W"].values.astype(np.float64)[:, : max(count, 1)]
    return np.asarray(start / np.linalg.norm(start, axis=0))


def clearest_factors(data: xr.Dataset, way: str) -> dict[str, NDArray[np.float64]]:
    """Of each shape the component with the least fit error, in its own dimensions, by a title that says where it is from."""
    best: dict[str, tuple[float, str, NDArray[np.float64]]] = {}
    for k, x in enumerate(inverse(data)):
        W = model(data, way, k)
        for one in identify(W).components:
            if one.regular and len(one.features) > 1 and one.fit_error < best.get(one.name, (np.inf,))[0]:
                title = f"{one.name}, at 1/(1 − S) = {x:.2f}, fit error {one.fit_error:.3f}"
                best[one.name] = (one.fit_error, title, aligned(W[:, one.features])[: one.dimensions])
    return {title: W for _, title, W in sorted(best.values(), key=lambda each: each[2].shape)}
