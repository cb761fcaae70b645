"""Pressure: do polytopes become cleaner with more competing features, and with longer training?

Paper: a comment in the paper (F45) reports both, especially for sparse features, and gives no measure.  Here purity is the
share of features in identified shapes, of all learned features that overlap with others, and beside it stands how far their D_i
are from the shape's own value (`tegum.geometry.purity`).  ReLU-output models, m = 6, equal importances, densities 0.2 and 0.1,
n from 18 (three times m: fewer would all fit in pairs) to 144 (paper profile 288 and density 0.3 too); AdamW at a constant 3e-3
without decay, 6,000 steps of 256 (paper profile 12,000), so that every recorded step is a training of that length.  All
seeds count.  Linear models of the same sizes are the control.
"""

import numpy as np
import xarray as xr
from scipy.stats import mannwhitneyu, spearmanr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import curve_panel

M = 6
FEATURES: dict[Profile, tuple[int, ...]] = {"quick": (18, 36, 72, 144), "paper": (18, 36, 72, 144, 288)}
DENSITIES: dict[Profile, tuple[float, ...]] = {"quick": (0.2, 0.1), "paper": (0.3, 0.2, 0.1)}
CROWDED, SPARSE = 0.2, 0.1
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": tg.Recipe(steps=6000, batch_size=256, learning_rate=3e-3, weight_decay=0, seeds=8, evaluation_samples=4096),
    "paper": tg.Recipe(steps=12_000, batch_size=256, learning_rate=3e-3, weight_decay=0, seeds=16, evaluation_samples=4096),
}
LENGTHS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
EARLY = 1
LEVEL = 0.01


def study(profile: Profile) -> xr.Dataset:
    """Purity and level distance at every n, density, seed and length of training, of ReLU and of linear models."""
    recipe = RECIPE[profile]
    lengths = [round(recipe.steps * part) for part in LENGTHS]
    recipe = recipe.replaced(record=("W",), record_steps=tuple(lengths))
    sweeps = {"relu": DENSITIES[profile], "linear": (CROWDED,)}
    parts: dict[str, list[xr.Dataset]] = {"relu": [], "linear": []}
    attrs: dict[str, object] = {}
    for n in FEATURES[profile]:
        for kind, net in (("linear", tg.nets.Linear(n, M)), ("relu", tg.nets.ReluOutput(n, M))):
            run = tg.train(net, tg.features.Independent(n), recipe, sweep={"density": list(sweeps[kind])})
            parts[kind].append(measured(run, kind))
            attrs |= run.attrs | {"interrupted": max(int(attrs.get("interrupted", 0)), run.attrs["interrupted"])}  # type: ignore[call-overload]
    kinds = [xr.concat(found, "n_features").assign_coords(n_features=list(FEATURES[profile])) for found in parts.values()]
    return xr.merge([kinds[0], kinds[1].isel(density=0, drop=True)]).assign_attrs(attrs)


def measured(run: xr.Dataset, kind: str) -> xr.Dataset:
    """Both measures at every recorded step."""
    W = run["W_history"].transpose(..., "hidden", "feature")
    lead = W.dims[:-2]
    found = {"purity": tg.geometry.purity, "distance": tg.geometry.level_distance}
    return xr.Dataset(
        {f"{kind}_{name}": (lead, measure(W.values.astype(np.float64))) for name, measure in found.items()},
        {name: W[name] for name in lead},
    )


def rise(purity: xr.DataArray) -> tuple[float, float]:
    """Rank correlation of purity with n over all models at the end of training, and its one-sided p."""
    last = purity.isel(step=-1).transpose("n_features", "seed").fillna(0)
    n = np.repeat(last["n_features"].values, last.sizes["seed"])
    if last.min() == last.max():
        return 0.0, 1.0
    test = spearmanr(n, last.values.ravel(), alternative="greater")
    return float(test.statistic), float(test.pvalue)


def growth(purity: xr.DataArray) -> tuple[float, float, float]:
    """Mean purity early and late in training, over all n and seeds, and the one-sided p of late above early."""
    early, late = (purity.isel(step=k).fillna(0).values.ravel() for k in (EARLY, -1))
    same = np.ptp(np.concatenate([early, late])) == 0
    p = 1.0 if same else float(mannwhitneyu(late, early, alternative="greater").pvalue)
    return float(early.mean()), float(late.mean()), p


def claims(data: xr.Dataset) -> list[Claim]:
    """What the comment says."""
    crowded, sparse = (data["relu_purity"].sel(density=p) for p in (CROWDED, SPARSE))
    linear = data["linear_purity"]
    (r, p), (r_linear, p_linear), (r_sparse, p_sparse) = rise(crowded), rise(linear), rise(sparse)
    early, late, p_late = growth(crowded)
    early_linear, late_linear, p_late_linear = growth(linear)
    means, thin = (part.isel(step=-1).mean("seed").values for part in (crowded, sparse))
    gaps = data["relu_distance"].sel(density=CROWDED).mean(["n_features", "seed"]).values
    steps, models = data["step"].values, crowded.isel(step=-1).size
    evidence = f"{models} models at {data.sizes['n_features']} sizes, all counted"
    listed = ", ".join(f"{value:.0%}" for value in means)
    return [
        Claim(
            name="more-features",
            statement="With more competing features the polytopes are cleaner.",
            how=f"purity at density {CROWDED:g} against n over all models: rank correlation",
            expected="above 0, p below 1 %",
            tolerance="p < 0.01",
            measured=f"{r:.2f} (p = {p:.1g}); mean purity {listed} at n = {', '.join(map(str, data['n_features'].values))}",
            holds=r > 0 and p < LEVEL,
            evidence=evidence,
            control=Control("linear models", f"{r_linear:.2f} (p = {p_linear:.1g})", r_linear > 0 and p_linear < LEVEL),
        ),
        Claim(
            name="longer-training",
            statement="With longer training the polytopes are cleaner.",
            how=f"purity at density {CROWDED:g} after {steps[EARLY]} and after {steps[-1]} steps, all n",
            expected="higher after more steps, p below 1 % (Mann-Whitney)",
            tolerance="p < 0.01",
            measured=f"{early:.0%} and {late:.0%} (p = {p_late:.1g})",
            holds=late > early and p_late < LEVEL,
            evidence=evidence,
            control=Control(
                "linear models",
                f"{early_linear:.0%} and {late_linear:.0%} (p = {p_late_linear:.1g})",
                late_linear > early_linear and p_late_linear < LEVEL,
            ),
            note=f"Distance of D_i from the value of their shape, where there is one: {gaps[EARLY]:.3f} and {gaps[-1]:.3f}.",
        ),
        Claim(
            name="sparser",
            statement="The more so for sparser features.",
            how=f"purity against n at density {SPARSE:g}, as above",
            expected=f"correlation above that at density {CROWDED:g}, p below 1 %",
            tolerance="as stated",
            measured=f"{r_sparse:.2f} (p = {p_sparse:.1g}); mean purity {', '.join(f'{value:.0%}' for value in thin)}",
            holds=r_sparse > r and p_sparse < LEVEL,
            evidence=evidence,
            control=Control("linear models", f"{r_linear:.2f}", r_linear > r and p_linear < LEVEL),
            note="" if thin.max() >= 0.1 else "At this density hardly any feature belongs to a named shape, whatever n.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Purity against n, and against the length of training."""
    by_n = {f"density {p:g}": data["relu_purity"].sel(density=p).isel(step=-1).mean("seed") for p in data["density"].values}
    linear = data["linear_purity"].isel(step=-1).mean("seed")
    crowded = data["relu_purity"].sel(density=CROWDED).mean("seed")
    by_step = {f"n = {n}": crowded.sel(n_features=n, drop=True) for n in data["n_features"].values}
    label = "purity of polytopes"
    return {
        "features": Figure(
            curve_panel(by_n | {f"linear, density {CROWDED:g}": linear}, "number of features n", label),
            f"Share of overlapping features that belong to a named shape, in {M} dimensions, mean over seeds. Where more "
            "competing features make cleaner polytopes, a curve rises.",
        ),
        "training": Figure(
            curve_panel(by_step, "optimizer steps", label, log_x=True),
            f"The same at density {CROWDED:g} as training goes on.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Pressure: more features and longer training make cleaner polytopes",
    paper="Comments, pressure (F45)",
    seconds={"quick": 9, "paper": 70},
    study=study,
    figures=figures,
    claims=claims,
    order=2,
)
