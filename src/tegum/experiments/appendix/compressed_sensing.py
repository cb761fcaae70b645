"""How many features fit into m dimensions: a layer that denoises sparse inputs is a decoder, and decoders obey a bound.

Paper: the appendix on compressed sensing (F43), which proves and measures nothing.  Lemma 1's decoder keeps the k largest
outputs of T(x) = ReLU(W' W x - b) and fits the hidden values on them; then m = Omega(k log(n/k)) follows.  Here it is run:
(1) on random unit columns, W' = W^T, b = 0, inputs with k ones, n = 16 k to 128 k; (2) on ReLU-output models trained on such
inputs (n = 64; AdamW at 3e-3, cosine, no decay, best of the seeds by common test loss); (3) on the features per dimension of
trained models over densities (n = 200, m = 5; paper profile 400, 10), against n / m = O(x / ln x), x = 1 / density.
Constants are not part of the theorem; those measured are given.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import linregress, spearmanr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import curve_panel
from tegum.theory import bound_units, denoised, half_recovered, recovered, recovery_rate, recovery_threshold
from tegum.theory.compressed_sensing import Decoder

ACTIVE = (2, 4, 8)
TIMES = (16, 32, 64, 128)
SAMPLES: dict[Profile, int] = {"quick": 200, "paper": 2000}
DECODERS: dict[str, Decoder] = {"denoiser": "denoiser", "told the support": "told", "guessed support": "guess"}
SHOWN_N, SHOWN_K = 64, (2, 4)
SHOWN_M = (4, 6, 8, 11, 15, 20, 28, 40)
INPUTS = 1000
WORLD: dict[Profile, tuple[int, int, int]] = {"quick": (200, 5, 9), "paper": (400, 10, 25)}
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": tg.Recipe(steps=2000, batch_size=256, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=2),
    "paper": tg.Recipe(steps=6000, batch_size=512, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=4),
}


def study(profile: Profile) -> xr.Dataset:
    """Recovery through random columns, through trained models, and how many features these hold."""
    trained, packed = trained_layers(profile), packing(profile)
    data = xr.merge([random_columns(profile), trained, packed], combine_attrs="drop_conflicts")
    return data.assign_attrs(interrupted=max(part.attrs["interrupted"] for part in (trained, packed)))


def random_columns(profile: Profile) -> xr.Dataset:
    """The m at which half of the inputs come back, for each k and n / k."""
    half = np.zeros((len(DECODERS), len(ACTIVE), len(TIMES)))
    for row, k in enumerate(ACTIVE):
        for column, times in enumerate(TIMES):
            for d, decoder in enumerate(DECODERS.values()):
                half[d, row, column] = recovery_threshold(times * k, k, SAMPLES[profile], 0, decoder)
    return xr.Dataset(
        {"half": (("decoder", "active", "times"), half)},
        {"decoder": list(DECODERS), "active": list(ACTIVE), "times": list(TIMES)},
    )


def trained_layers(profile: Profile) -> xr.Dataset:
    """Recovery through trained models and through random columns of the same sizes, and where Lemma 1 applies."""
    shape = (len(SHOWN_K), len(SHOWN_M))
    rate, untrained, random, near, lemma, guess = (np.zeros(shape) for _ in range(6))
    attrs: dict[str, object] = {}
    interrupted = 0
    for row, k in enumerate(SHOWN_K):
        world = tg.features.KSparse(SHOWN_N, k, magnitude=tg.features.Constant(1.0))
        x = world.sample(INPUTS, seed=1)
        for column, m in enumerate(SHOWN_M):
            net = tg.nets.ReluOutput(SHOWN_N, m)
            first = tg.best(tg.train(net, world, RECIPE[profile].replaced(steps=1)))
            untrained[row, column] = decoded_share(net, first, x, k)[0].mean()
            run = tg.train(net, world, RECIPE[profile])
            back, W, outputs = decoded_share(net, tg.best(run), x, k)
            small = abs(outputs - x).max(axis=1) < 0.5
            shuffled = recovered(x, denoised(W, x @ W.T, outputs[:, ::-1], k))
            rate[row, column], near[row, column] = back.mean(), small.sum()
            lemma[row, column], guess[row, column] = (back & small).sum(), (shuffled & small).sum()
            random[row, column] = recovery_rate(SHOWN_N, m, k, SAMPLES[profile], 1)
            attrs |= run.attrs
            interrupted = max(interrupted, run.attrs["interrupted"])
    names = {
        "trained_rate": rate,
        "untrained_rate": untrained,
        "random_rate": random,
        "near": near,
        "near_recovered": lemma,
        "near_mismatched": guess,
    }
    coordinates = {"shown_active": list(SHOWN_K), "shown_hidden": list(SHOWN_M)}
    return xr.Dataset({name: (tuple(coordinates), value) for name, value in names.items()}, coordinates, attrs).assign_attrs(
        interrupted=interrupted
    )


def decoded_share(
    net: tg.nets.Net, model: xr.Dataset, x: NDArray[np.float64], k: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.floating]]:
    """Which inputs the denoiser gets back behind a model, its weights, and its outputs."""
    W, b = (model[name].transpose(..., "feature").values.astype(np.float64) for name in ("W", "b"))
    outputs = net.forward({"W": W, "b": b}, x)
    return recovered(x, denoised(W, x @ W.T, outputs, k)), W, outputs


def packing(profile: Profile) -> xr.Dataset:
    """Features per dimension of trained models over 1 / density."""
    n, m, points = WORLD[profile]
    x = np.geomspace(2, 200, points)
    recipe = RECIPE[profile].replaced(seeds=1)
    run = tg.train(tg.nets.ReluOutput(n, m), tg.features.Independent(n), recipe, sweep={"density": list(1 / x)}).isel(seed=0)
    W = run["W"].transpose("density", "hidden", "feature").values.astype(np.float64)
    return xr.Dataset(
        {"per_dimension": ("inverse_density", 1 / tg.geometry.dimensions_per_feature(W))}, {"inverse_density": x}, run.attrs
    )


def straightness(data: xr.Dataset, decoder: str) -> tuple[float, float, int]:
    """The lowest correlation and slope of m/k against ln(n/k) over all k, and how many points there are."""
    half = data["half"].sel(decoder=decoder)
    fits = [
        linregress(np.log(row["times"].values), row.values / k)
        for k in ACTIVE
        if len((row := half.sel(active=k).dropna("times")).values) > 2
    ]
    if not fits:
        return float("nan"), float("nan"), 0
    return min(float(f.rvalue) for f in fits), min(float(f.slope) for f in fits), int(half.notnull().sum())


def fewer(one: list[float], other: list[float]) -> bool:
    """Whether each of the first is below its counterpart; NaN, which stands for never, is above everything."""
    return bool((np.nan_to_num(one, nan=np.inf) < np.nan_to_num(other, nan=np.inf)).all())


def size(m: float) -> str:
    """An m in words, "never" for NaN."""
    return "never" if np.isnan(m) else f"{m:.1f}"


def claims(data: xr.Dataset) -> list[Claim]:
    """What the theorem says, measured."""
    r, slope, points = straightness(data, "denoiser")
    told_r, told_slope, _ = straightness(data, "told the support")
    guessed = int(data["half"].sel(decoder="guessed support").notnull().sum())
    half = data["half"].sel(decoder="denoiser")
    units = half / bound_units(data["times"] * data["active"], data["active"]).T
    near, back, mismatched = (float(data[name].sum()) for name in ("near", "near_recovered", "near_mismatched"))
    x, per = data["inverse_density"].values, data["per_dimension"].values
    bound = per * np.log(x) / x
    trend, free = float(spearmanr(x, bound).statistic), float(spearmanr(x, np.log(x)).statistic)
    trained, first, random = (
        [half_recovered(SHOWN_M, data[f"{name}_rate"].sel(shown_active=k)) for k in SHOWN_K]
        for name in ("trained", "untrained", "random")
    )
    return [
        Claim(
            name="recovery-law",
            statement="The dimensions needed for recovery grow with log(n/k), at every k.",
            how="m / k at which half of all inputs come back exactly, against ln(n/k): correlation and slope for each k",
            expected="correlation at least 0.9, slope above 0",
            tolerance="as stated",
            measured=f"correlation at least {r:.3f}, slope at least {slope:.2f}",
            holds=r >= 0.9 and slope > 0,
            evidence=f"{points} pairs of n and k, random unit columns",
            control=Control(
                "a decoder that is told the support",
                f"m = k whatever n, slope {told_slope:.2f}",
                bool(told_r >= 0.9 and told_slope > 0),
            ),
            note="The bound is from below, m / (k ln(n/k)) above some constant; here that is "
            + ", ".join(f"{float(u.min()):.2f} to {float(u.max()):.2f} (k = {k})" for k, u in zip(ACTIVE, units, strict=True))
            + f". A guessed support brings half of the inputs back at {guessed} of {points} pairs, whatever m up to n.",
        ),
        Claim(
            name="lemma",
            statement="Where the layer's error is below half of an active entry, its largest outputs decode the input exactly.",
            how="share that the denoiser gets back, of the inputs on which a trained model errs by less than 1/2 everywhere",
            expected="all",
            tolerance="none",
            measured=f"{back / max(near, 1):.1%}",
            holds=near > 0 and back == near,
            evidence=f"{near:.0f} inputs of {len(SHOWN_K) * len(SHOWN_M)} trained models",
            enough=near >= 100,
            control=Control(
                "the same inputs with the outputs in reversed order", f"{mismatched / max(near, 1):.1%}", mismatched == near > 0
            ),
        ),
        Claim(
            name="training-is-better",
            statement="Trained layers recover from fewer dimensions than random columns.",
            how=f"m at which half of the inputs come back, n = {SHOWN_N}, k = {' and '.join(map(str, SHOWN_K))}",
            expected="fewer for every k",
            tolerance="none",
            measured="; ".join(
                f"k = {k}: {size(a)} trained, {size(c)} random" for k, a, c in zip(SHOWN_K, trained, random, strict=True)
            ),
            holds=fewer(trained, random),
            evidence=f"{len(SHOWN_K) * len(SHOWN_M)} trained models, best of their seeds",
            control=Control("the same models after one step", ", ".join(size(value) for value in first), fewer(first, random)),
            note="In units of k ln(n/k): "
            + ", ".join(f"{a / float(bound_units(SHOWN_N, k)):.2f}" for k, a in zip(SHOWN_K, trained, strict=True)),
        ),
        Claim(
            name="packing",
            statement="Features per dimension stay below C x / ln x, x = 1 / density.",
            how="(1/D*) ln x / x of trained models: rank correlation with x (above 0: no constant C would do)",
            expected="at most 0",
            tolerance="none",
            measured=f"{trend:.2f}, with C = {bound.max():.2f}",
            holds=trend <= 0,
            evidence=f"{len(x)} densities, one model each",
            control=Control("as many features per dimension as x, without the logarithm", f"{free:.2f}", free <= 0),
            note=f"1/D* rises from {per[0]:.2f} to {per.max():.2f}.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The phase curve, trained against random columns, and features per dimension against the bound."""
    half = data["half"].sel(decoder="denoiser", drop=True)
    log = data["times"].copy(data=np.log(data["times"].values))
    curves = {f"k = {k}": (half.sel(active=k, drop=True) / k).assign_coords(times=log.values) for k in ACTIVE}
    told = (data["half"].sel(decoder="told the support", active=ACTIVE[0], drop=True) / ACTIVE[0]).assign_coords(
        times=log.values
    )
    rates = {
        f"k = {k}, {name}": data[f"{name}_rate"].sel(shown_active=k, drop=True)
        for k in SHOWN_K
        for name in ("trained", "random")
    }
    x = data["inverse_density"]
    bound = float((data["per_dimension"] * np.log(x) / x).max())
    packed = {
        "trained models": data["per_dimension"],
        f"{bound:.2f} x / ln x": (bound * x / np.log(x)).where(x > np.e),
    }
    return {
        "phase": Figure(
            curve_panel(curves | {"told the support": told}, "ln(n/k)", "m / k at half recovery"),
            "How many dimensions bring back half of all inputs with k entries on, by Lemma 1's decoder through random columns. "
            "The bound says that m / k must grow at least like ln(n/k), the horizontal axis; a decoder that is told which "
            "entries are on escapes it with m = k.",
        ),
        "trained": Figure(
            curve_panel(rates, "hidden dimensions m", "share of inputs recovered exactly"),
            f"The same decoder behind trained ReLU-output models and behind random columns, n = {SHOWN_N}.",
        ),
        "packing": Figure(
            curve_panel(packed, "x = 1 / density", "features per dimension 1/D*", log_x=True),
            "Trained models pack more features as they become rarer, but fewer than in proportion. The dashed line has the "
            "bound's form; its constant is the largest that a model reaches.",
        ),
    }


experiment = Experiment(
    __name__,
    title="How many features fit: the compressed-sensing bound, measured",
    paper="Appendix, compressed sensing (F43)",
    seconds={"quick": 5, "paper": 55},
    study=study,
    figures=figures,
    claims=claims,
    order=2,
)
