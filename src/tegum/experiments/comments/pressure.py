"""Pressure: do polytopes become cleaner with more competing features, and with longer training?

Paper: a comment (F45) reports both, especially for sparse features, without a measure.  Here purity is the share of features in
identified shapes, of all learned features that overlap with others, beside how far their D_i are from the shape's value
(`tegum.geometry.purity`).  ReLU-output models, m = 6, equal importances, densities 0.2 and 0.1, n from 18 (three times m: fewer
would fit in pairs) to 144 (paper profile 288 and density 0.3 too); AdamW at a constant 3e-3 without decay, 6,000 steps of 256
(paper profile 12,000), so that every recorded step is a training of that length.  All seeds count.  Controls are linear models.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import mannwhitneyu, spearmanr

import tegum as tg
from tegum.claims import Claim, Evidence, above, below, comment
from tegum.experiments import Experiment, Figure, Profile
from tegum.geometry.identification import level_distance, purity

AUTHORS = "Tom Henighan and Chris Olah"
M = 6
FEATURES: dict[Profile, tuple[int, ...]] = {"quick": (18, 36, 72, 144), "paper": (18, 36, 72, 144, 288)}
DENSITIES: dict[Profile, tuple[float, ...]] = {"quick": (0.2, 0.1), "paper": (0.3, 0.2, 0.1)}
CROWDED, SPARSE = 0.2, 0.1
QUICK = tg.Recipe(steps=6000, batch_size=256, learning_rate=3e-3, weight_decay=0, seeds=8, evaluation_samples=4096)
RECIPE: dict[Profile, tg.Recipe] = {"quick": QUICK, "paper": QUICK.replaced(steps=12_000, seeds=16)}
LENGTHS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
EARLY = 1
LEVEL = 0.01


def study(profile: Profile) -> xr.Dataset:
    """Purity and level distance at every n, density, seed and length of training, of ReLU and of linear models."""
    recipe, sizes = RECIPE[profile], FEATURES[profile]
    recipe = recipe.replaced(record=("W",), record_steps=tuple(round(recipe.steps * part) for part in LENGTHS))

    def runs(net: type[tg.nets.ReluOutput | tg.nets.Linear], densities: tuple[float, ...]) -> list[xr.Dataset]:
        sweep = {"density": list(densities)}
        return [tg.train(net(n, M), tg.features.Independent(n), recipe, sweep=sweep) for n in sizes]

    relu, linear = runs(tg.nets.ReluOutput, DENSITIES[profile]), runs(tg.nets.Linear, (CROWDED,))
    data = xr.merge([measured(relu, "relu"), measured(linear, "linear").isel(density=0, drop=True)])
    return data.assign_coords(n_features=list(sizes)).assign_attrs(relu[-1].attrs)


def measured(runs: list[xr.Dataset], kind: str) -> xr.Dataset:
    """Both measures at every recorded step, over ``n_features``."""
    weights = [run["W_history"].astype(np.float64) for run in runs]
    found = {}
    for name, measure in (("purity", purity), ("distance", level_distance)):
        each = [xr.apply_ufunc(measure, W, input_core_dims=[["hidden", "feature"]]) for W in weights]
        found[f"{kind}_{name}"] = xr.concat(each, "n_features")
    return xr.Dataset(found)


def rise(purity: xr.DataArray) -> dict[str, Any]:
    """Rank correlation of purity with n over all models at the end of training, its one-sided p, and the means."""
    last = purity.isel(step=-1).transpose("n_features", "seed").rename(n_features="n")
    means, last = last.mean("seed"), last.fillna(0)
    if last.min() == last.max():
        return {"correlation": 0.0, "p": 1.0, "mean purity": means}
    test = spearmanr(np.repeat(last["n"].values, last.sizes["seed"]), last.values.ravel(), alternative="greater")
    return {"correlation": float(test.statistic), "p": float(test.pvalue), "mean purity": means}


def growth(purity: xr.DataArray) -> dict[str, float]:
    """Mean purity early and late in training, over all n and seeds, and the one-sided p of late above early."""
    early, late = (purity.isel(step=k).fillna(0).values.ravel() for k in (EARLY, -1))
    same = np.ptp(np.concatenate([early, late])) == 0
    p = 1.0 if same else float(mannwhitneyu(late, early, alternative="greater").pvalue)
    before, after = float(early.mean()), float(late.mean())
    return {"growth": after - before, "p": p, "purity early": before, "late": after}


def claims(data: xr.Dataset) -> list[Claim]:
    """What the comment says."""
    crowded, sparse = (data["relu_purity"].sel(density=p) for p in (CROWDED, SPARSE))
    correlation, thin = rise(crowded)["correlation"], sparse.isel(step=-1).mean("seed")
    gaps = data["relu_distance"].sel(density=CROWDED).mean(["n_features", "seed"]).values
    steps, models = data["step"].values, crowded.isel(step=-1).size
    evidence = Evidence(f"{models} models at {data.sizes['n_features']} sizes, all counted", models)
    claim = partial(Claim, of=crowded, against={"linear models": data["linear_purity"]}, evidence=evidence)
    return [
        claim(
            "more-features",
            "With more competing features the polytopes are cleaner.",
            source=comment(AUTHORS, 'Cleaner structure often seems to emerge when there is more "pressure"'),
            how=f"purity at density {CROWDED:g} against n over all models: rank correlation",
            measure=rise,
            expect={"correlation": above(0), "p": below(LEVEL)},
        ),
        claim(
            "longer-training",
            "With longer training the polytopes are cleaner.",
            source=comment(AUTHORS, "training longer seems to also produce cleaner structure"),
            how=f"purity at density {CROWDED:g} after {steps[EARLY]} and after {steps[-1]} steps, all n (Mann-Whitney)",
            measure=growth,
            expect={"growth": above(0, "%"), "p": below(LEVEL)},
            note=f"Distance of D_i from the value of their shape, where there is one: {gaps[EARLY]:.3f} and {gaps[-1]:.3f}.",
        ),
        claim(
            "sparser",
            "The more so for sparser features.",
            source=comment(AUTHORS, "This is especially true at high sparsity levels"),
            how=f"purity against n at density {SPARSE:g}, as above: correlation above that at density {CROWDED:g}",
            measure=rise,
            expect={"correlation": above(correlation), "p": below(LEVEL)},
            of=sparse,
            note="" if thin.max() >= 0.1 else "At this density hardly any feature belongs to a named shape, whatever n.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Purity against n, and against the length of training."""
    relu, linear = (data[f"{kind}_purity"].mean("seed") for kind in ("relu", "linear"))
    by_n = {f"density {p:g}": relu.sel(density=p).isel(step=-1) for p in data["density"].values}
    by_n[f"linear, density {CROWDED:g}"] = linear.isel(step=-1)
    by_step = {f"n = {n}": relu.sel(density=CROWDED, n_features=n, drop=True) for n in data["n_features"].values}
    label = "purity of polytopes"
    return {
        "features": Figure(
            tg.figures.curve_panel(by_n, "number of features n", label),
            f"Share of overlapping features that belong to a named shape, in {M} dimensions, mean over seeds. Where more "
            "competing features make cleaner polytopes, a curve rises.",
        ),
        "training": Figure(
            tg.figures.curve_panel(by_step, "optimizer steps", label, log_x=True),
            f"The same at density {CROWDED:g} as training goes on.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Pressure: more features and longer training make cleaner polytopes",
    paper="Comments, pressure (F45)",
    seconds={"quick": 9, "paper": 70},
    order=2,
)
