"""A penalty on activity removes superposition by killing features; per activation, superposition saves no more than neurons.

Paper: section 10, the strategic picture (F40, F41), without a plot.  Adding l1 |h|_1 to the loss removes superposition at the
cost of a higher loss; for small penalties superposition falls while the loss changes to second order only.  Features and
training are not given.  Here: n = 20, m = 5, density 0.1, importances 0.7^i or all equal; AdamW at 5e-3, cosine, no decay; the
loss is exact and without the penalty; every seed counts.  Exponents are measured twice: in closed form, for an antipodal pair
(`tegum.theory.pair`), and in models with equal importances trained on from no penalty under 0, 0.01, 0.02 and 0.04 (slope of a
line through logarithms, median over seeds).  F41, a preliminary result: loss saved against dropping the features, over the mean
number of active hidden units; alone, as an antipodal pair, and as the best pentagon with one corner on an axis.
"""

from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, at_least, closed_form, every, near, paper, passes, share_at_least
from tegum.experiments import Experiment, Figure, Profile
from tegum.theory.activity import alone, pair
from tegum.theory.scaling import exponent

N, M, DENSITY = 20, 5, 0.1
IMPORTANCES = {"falling": tg.features.geometric(0.7, N), "equal": np.ones(N)}
PENALTIES: dict[Profile, list[float]] = {
    "quick": [0.0, 0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9],
    "paper": [0.0, *np.geomspace(1e-4, 1, 33).tolist()],
}
SEEDS: dict[Profile, int] = {"quick": 5, "paper": 16}
RECIPE = tg.Recipe(steps=4000, batch_size=512, learning_rate=5e-3, schedule="cosine", weight_decay=0)
SPARSE = np.geomspace(0.001, 0.1, 9)


def study(profile: Profile) -> xr.Dataset:
    """Models under every penalty; some of them trained on under small ones; the closed forms."""
    net, recipe = tg.nets.ReluOutput(N, M), RECIPE.replaced(seeds=SEEDS[profile])
    each = []
    for importance in IMPORTANCES.values():
        features = tg.features.Independent(N, density=DENSITY, importance=importance)
        run = tg.train(net, features, recipe, sweep={"l1": PENALTIES[profile]})
        each.append(measured(run, features).assign_attrs(run.attrs))
    initial = {name: run[name].sel(l1=0.0).values for name in ("W", "b")}
    small, slower = {"l1": [0.0, 0.01, 0.02, 0.04]}, recipe.replaced(learning_rate=2e-3)
    further = tg.train(net, features, slower, sweep=small, initial=initial)
    near_zero = measured(further, features).rename(l1="small")
    data = xr.concat(each, xr.Variable("distribution", list(IMPORTANCES)), combine_attrs="drop_conflicts")
    return data.merge(near_zero.rename({name: f"near_{name}" for name in near_zero.data_vars})).merge(per_activation())


def measured(run: xr.Dataset, features: tg.features.Features) -> xr.Dataset:
    """Size, superposition and exact loss of every model, and whether the represented features are the most important ones."""
    W, b = (run[name].values.astype(np.float64) for name in ("W", "b"))
    represented = tg.geometry.feature_norms(W) >= 0.5
    rises = np.diff(represented.astype(int), axis=-1)
    values = {
        "per_dimension": (W**2).sum(axis=(-2, -1)) / M,
        "represented": represented.sum(axis=-1),
        "most_important": (rises <= 0).all(axis=-1),
        "overlap": abs(tg.geometry.gram(W) * (1 - np.eye(N))).max(axis=(-2, -1)),
        "loss": tg.exact.loss(W, b, features, tol=1e-8),
    }
    return xr.Dataset({name: (("l1", "seed"), value) for name, value in values.items()}, run["loss"].coords)


def per_activation() -> xr.Dataset:
    """Loss saved per active hidden unit, alone, as a pair and as a pentagon."""
    net = tg.nets.ReluOutput(5, 2)
    initial = {"W": tg.geometry.polygon(5), "b": np.full(5, -0.1)}
    found = tg.exact.minimise(net, tg.features.Independent(5), sweep={"density": SPARSE.tolist()}, seeds=1, initial=initial)
    active = 2 - (1 - SPARSE) ** 5 - (1 - SPARSE) ** 4
    values = {
        "saved_alone": [alone(p).reduction_per_activation for p in SPARSE],
        "saved_pair": [pair(p).reduction_per_activation for p in SPARSE],
        "saved_pentagon": (5 * tg.theory.dropped_loss(SPARSE) - found["loss"].isel(seed=0).values) / active,
    }
    return xr.Dataset({name: ("density", value) for name, value in values.items()}, {"density": SPARSE})


def without_superposition(models: xr.Dataset) -> dict[str, xr.DataArray]:
    """The loss under penalties that leave 1 to m features without overlap at a higher loss; what each of them leaves."""
    count, overlap = models["represented"], models["overlap"]
    gone = (count >= 1) & (count <= M) & (overlap < 0.05) & models["worse"]
    left = {"fewest features": count.min("seed"), "most features": count.max("seed"), "overlap": overlap.median("seed")}
    return {"loss where it is gone": models["relative"][gone.all("seed").values]} | left


def exponents(curves: tuple[NDArray[np.float64], ...]) -> dict[str, float]:
    """The powers of l1 with which superposition falls and the loss rises, each (..., penalties); the median over models."""
    l1, *changes = curves
    fall, rise = (float(np.median([exponent(l1, model) for model in np.atleast_2d(each)])) for each in changes)
    return {"fall of superposition": fall, "rise of the loss": rise}


def short_of_all(saved: xr.DataArray) -> bool:
    """Whether what is saved falls short at every density, by less than a share as large as the density itself."""
    return bool(((saved > 0) & (saved < saved["density"])).all())


def partly(data: xr.Dataset, distribution: str) -> xr.Dataset:
    """The models under penalties that leave 1 to m - 1 features represented in every seed."""
    left = data["represented"].sel(distribution=distribution)
    return data.sel(distribution=distribution).isel(l1=((left.max("seed") < M) & (left.min("seed") > 0)).values)


def claims(data: xr.Dataset) -> list[Claim]:  # long: one declaration after the other
    """Penalties on activity, and the loss saved per activation."""
    free = data["loss"].sel(l1=0.0)
    evidence = every(data["loss"].isel(distribution=0), places={"l1": "penalties"})
    models = data.assign(relative=data["loss"].median("seed") / free.median("seed"), worse=data["loss"] > free.max("seed"))
    removed = partial(
        Claim,
        how="exact loss, relative to no penalty (medians), under the penalties with which every seed represents 1 to m "
        "features (norm at least 0.5), max |G_ij| < 0.05, at a loss above all of those without penalty",
        expect={"loss where it is gone": at_least(1)},
        of=models,
        against={"no penalty, whatever its loss": models.sel(l1=[0.0]).assign(worse=True)},
        evidence=evidence,
    )
    threshold = alone(DENSITY).killing_l1
    some = partly(data, "falling")
    above_it = (IMPORTANCES["falling"] * threshold >= some["l1"].values[:, None]).sum(axis=1)
    off = abs(some["represented"].median("seed").values - np.minimum(above_it, M))
    alone_saves, pair_saves, pentagon = (data[f"saved_{name}"] for name in ("alone", "pair", "pentagon"))
    l1, form = np.geomspace(1e-4, 1e-2, 9), pair(DENSITY)
    s = form.penalised(l1)
    rise = form.loss(s) - form.loss(form.penalised(0.0))
    size, loss = (data[f"near_{name}"].transpose("seed", "small").values for name in ("per_dimension", "loss"))
    small, falls, rises = data["small"].values[1:], size[:, :1] - size[:, 1:], loss[:, 1:] - loss[:, :1]
    return [
        removed(
            "removed",
            "A penalty on activity removes superposition at the cost of a higher loss.",
            source=paper(
                "Approach 1: Creating Models Without Superposition",
                "get rid of superposition in the toy models described in this paper, albeit at the cost of a higher loss",
            ),
            measure=lambda models: without_superposition(models.sel(distribution="falling")),
        ),
        removed(
            "removed-equal",
            "It does so too where all features are equally important.",
            source=OURS,
            measure=lambda models: without_superposition(models.sel(distribution="equal")),
            note="A pair pays less than its members would alone, so penalties kill equal pairs rather than part them: where no "
            "overlap is left, nearly all features are dead.",
        ),
        Claim(
            "killed",
            "It kills the features below a threshold of importance.",
            source=paper(
                "Approach 1: Creating Models Without Superposition", "killing features below a certain importance threshold"
            ),
            how="models whose represented features (norm at least 0.5) are the most important ones, under the "
            f"{some.sizes['l1']} penalties that leave 1 to m - 1 of them in every seed",
            expect=share_at_least(0.9),
            of=some["most_important"],
            against={"equally important features, by number": partly(data, "equal")["most_important"]},
            evidence=every(some["loss"], places={"l1": "penalties"}),
            lacking="" if some.sizes["l1"] else "a penalty that leaves so many",
            note=f"They are as many as have {threshold:.3f} I > l1, to within {off.max(initial=0):.0f} (median).",
        ),
        Claim(
            "second-order",
            "Small penalties lower superposition to first order and raise the loss to second order only (a pair).",
            source=paper(
                "Footnote 21",
                "some margin within which we can reduce the amount of superposition without affecting model performance",
            ),
            how="exponents in l1 of the fall of ||W||^2 and of the rise of the loss, closed form",
            measure=lambda curves: list(exponents(curves).values()),
            expect=near([1, 2], 0.02),
            of=(l1, form.best - s, rise),
            against={"the loss with its penalty": (l1, form.best - s, rise + l1 * form.activity * np.sqrt(s))},
            evidence=closed_form(penalties=len(l1)),
        ),
        Claim(
            "second-order-trained",
            "The same in trained models of many features.",
            source=OURS,
            how="the same from l1 = 0.01 to 0.04, equal importances, trained on from l1 = 0; median, none where a curve turns",
            measure=exponents,
            expect={"fall of superposition": near(1, 0.2), "rise of the loss": near(2, 0.2)},
            of=(small, falls, rises),
            uncontrolled="nothing else of these models changes with small penalties",
            evidence=every(data["near_loss"].isel(small=0)),
        ),
        Claim(
            "per-activation",
            "Per activation, pairs save less loss than features alone, but asymptotically as much.",
            source=paper(
                "Approach 1: Creating Models Without Superposition",
                "not optimal on these terms, although it asymptotically becomes as good as dedicated feature dimensions",
            ),
            how="loss saved over active hidden units, pair below alone by, densities 0.001 to 0.1, closed form: above 0, and "
            "below the density itself",
            measure=lambda saved: 1 - saved / alone_saves,
            expect=passes(short_of_all, "above 0 and below the density, at each density"),
            of=pair_saves,
            against={"the best pentagon": pentagon},
            evidence=closed_form(densities=data.sizes["density"]),
            note="A corner that is not on an axis needs both hidden units: pentagons stay far below at every density.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Superposition and loss against the penalty; loss saved per activation against density."""

    def medians(values: xr.DataArray) -> dict[str, xr.DataArray]:
        middle = values.median("seed").sel(l1=data["l1"] > 0)
        return {"importance 0.7^i": middle.sel(distribution="falling"), "equal importance": middle.sel(distribution="equal")}

    saved = {name: data[f"saved_{name}"] for name in ("alone", "pair", "pentagon")}
    relative = data["loss"] / data["loss"].sel(l1=0.0).median("seed")
    penalty = "penalty l1 on the hidden activity"
    return {
        "superposition": Figure(
            tg.figures.curve_panel(medians(data["per_dimension"]), penalty, "‖W‖² / m", log_x=True),
            "Features per dimension against the penalty (median over seeds). Small penalties shrink all norms a little; large "
            "ones kill features at once, the least important first.",
        ),
        "cost": Figure(
            tg.figures.curve_panel(medians(relative), penalty, "exact loss, relative to no penalty", log_x=True),
            "The loss without its penalty: flat at first (second order), then higher with the features killed.",
        ),
        "per-activation": Figure(
            tg.figures.curve_panel(saved, "density", "loss saved per active hidden unit", log_x=True),
            "Loss saved over the mean number of active hidden units. Pairs approach features alone as inputs become sparse; "
            "pentagons do not, because most of their features need both units.",
        ),
    }


experiment = Experiment(
    __name__,
    title="A penalty on activity removes superposition",
    paper="Section 10, the strategic picture: L1 and loss per activation (F40, F41)",
    seconds={"quick": 3, "paper": 30},
    order=1,
)
