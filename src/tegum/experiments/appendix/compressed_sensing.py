"""How many features fit into m dimensions: a layer that denoises sparse inputs is a decoder, and decoders obey a bound.

Paper: the appendix on compressed sensing (F43), which proves and measures nothing.  Lemma 1's decoder keeps the k largest
outputs of T(x) = ReLU(W' W x - b) and fits the hidden values on them; then m = Omega(k log(n/k)) follows.  Here it is run:
(1) on random unit columns, W' = W^T, b = 0, inputs with k ones, n = 16 k to 128 k; (2) on ReLU-output models trained on such
inputs (n = 64; AdamW at 3e-3, cosine, no decay, best of the seeds by common test loss).  (3) Features per dimension of models
trained at several densities (n = 200, m = 5; paper profile 400, 10) stand against n / m = O(x / ln x), x = 1 / density.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import linregress, spearmanr

import tegum as tg
from tegum.claims import IDENTITY, OURS, Claim, Evidence, above, at_least, at_most, below, equal, in_each_seed, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.theory.compressed_sensing import Decoder, denoised, half_recovered, recovered, recovery_rate, recovery_threshold

ACTIVE = (2, 4, 8)
TIMES = (16, 32, 64, 128)
SAMPLES: dict[Profile, int] = {"quick": 200, "paper": 2000}
DECODERS: dict[str, Decoder] = {"denoiser": "denoiser", "told the support": "told", "guessed support": "guess"}
SHOWN_N, SHOWN_K = 64, (2, 4)
SHOWN_M = (4, 6, 8, 11, 15, 20, 28, 40)
INPUTS = 1000
DIRECTIONS = ((250, 100), (1000, 100), (1000, 400), (2000, 400))
"""N and d: how many directions, in how many dimensions."""
PACKED: dict[Profile, tuple[int, int, int]] = {"quick": (200, 5, 9), "paper": (400, 10, 25)}
"""n, m and the number of densities."""
PACKED_SEEDS = 5
QUICK = tg.Recipe(steps=2000, batch_size=256, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=2)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=6000, batch_size=512, seeds=4)}


def study(profile: Profile) -> xr.Dataset:
    """Recovery through random columns, through trained models, and how many features these hold."""
    samples, recipe = SAMPLES[profile], RECIPE[profile]
    half = [
        [[recovery_threshold(times * k, k, samples, 0, decoder) for times in TIMES] for k in ACTIVE]
        for decoder in DECODERS.values()
    ]
    axes = [("decoder", list(DECODERS)), ("active", list(ACTIVE)), ("times", list(TIMES))]
    layers = [trained_layer(k, m, recipe, samples) for k in SHOWN_K for m in SHOWN_M]
    trained = xr.combine_by_coords(layers, combine_attrs="override").assign(half=xr.DataArray(half, axes))
    return xr.merge([trained, packing(*PACKED[profile], recipe)], combine_attrs="drop_conflicts")


def trained_layer(k: int, m: int, recipe: tg.Recipe, samples: int) -> xr.Dataset:
    """Recovery through a trained model and through random columns of its size, and where Lemma 1 applies."""
    net, features = tg.nets.ReluOutput(SHOWN_N, m), tg.features.KSparse(SHOWN_N, k, magnitude=tg.features.Constant(1.0))
    x = features.sample(INPUTS, seed=1)

    def layer(run: xr.Dataset) -> tuple[NDArray[np.float64], NDArray[np.floating]]:
        W, b = (tg.best(run)[name].values.astype(np.float64) for name in ("W", "b"))
        return W, net.forward({"W": W, "b": b}, x)

    def back(W: NDArray[np.float64], outputs: NDArray[np.floating]) -> NDArray[np.bool_]:
        return recovered(x, denoised(W, x @ W.T, outputs, k))

    run = tg.train(net, features, recipe)
    W, outputs = layer(run)
    small = abs(outputs - x).max(axis=1) < 0.5
    found = {
        "trained_rate": back(W, outputs).mean(),
        "untrained_rate": back(*layer(tg.train(net, features, recipe.replaced(steps=1)))).mean(),
        "random_rate": recovery_rate(SHOWN_N, m, k, samples, 1),
        "near": small.sum(),
        "near_recovered": (back(W, outputs) & small).sum(),
        "far_recovered": (back(W, outputs) & ~small).sum(),
    }
    one = xr.Dataset({name: float(value) for name, value in found.items()}, attrs=run.attrs)
    return one.expand_dims(shown_active=[k], shown_hidden=[m])


def packing(n: int, m: int, points: int, recipe: tg.Recipe) -> xr.Dataset:
    """Features per dimension of trained models over 1 / density."""
    x = np.geomspace(2, 200, points)
    net, features = tg.nets.ReluOutput(n, m), tg.features.Independent(n)
    run = tg.train(net, features, recipe.replaced(seeds=PACKED_SEEDS), sweep={"density": list(1 / x)})
    W = run["W"].transpose("seed", "density", "hidden", "feature").values.astype(np.float64)
    axes = {"packed_seed": run["seed"].values, "inverse_density": x}
    return xr.Dataset({"per_dimension": (list(axes), 1 / tg.geometry.dimensions_per_feature(W))}, axes, run.attrs)


def straight_lines(half: xr.DataArray) -> dict[str, xr.DataArray]:
    """For each k, m / k at half recovery against ln(n/k): the correlation, by how much it is above that with n/k, the slope."""
    rows = {k: half.sel(active=k).dropna("times") for k in half["active"].values.tolist()}
    fits = {k: linregress(np.log(row["times"]), row / k) for k, row in rows.items() if row.size > 2}
    straight = [linregress(rows[k]["times"], rows[k]).rvalue for k in fits]
    values = {
        "correlation": [fit.rvalue for fit in fits.values()],
        "above that with n/k": np.subtract([fit.rvalue for fit in fits.values()], straight),
        "slope": [fit.slope for fit in fits.values()],
    }
    return {name: xr.DataArray(numbers, [("k", list(fits))]) for name, numbers in values.items()}


def dimensions_needed(rates: xr.DataArray) -> xr.DataArray:
    """The m at which half of the inputs come back, for each k; infinite where they never do."""
    needed = [half_recovered(rates["shown_hidden"], row) for row in rates]
    return xr.DataArray(needed, [("k", rates["shown_active"].values)]).fillna(np.inf)


def against_bound(per_dimension: xr.DataArray) -> dict[str, float]:
    """Features per dimension over x / ln x: whether that rises with x, and the largest."""
    x = per_dimension["inverse_density"]
    constant = per_dimension * np.log(x) / x
    return {"rank correlation": float(spearmanr(x, constant).statistic), "largest": float(constant.max())}


def coherence_ratio(W: NDArray[np.float64]) -> float:
    """The coherence of directions W (d, N), over what the largest of N^2 / 2 random ones would be."""
    d, N = W.shape
    return float(tg.geometry.coherence(W / np.linalg.norm(W, axis=0)) / np.sqrt(2 * np.log(N**2 / 2) / d))


def claims(data: xr.Dataset) -> list[Claim]:
    """What the theorem says, measured."""
    half = data["half"].sel(decoder="denoiser")
    units = half / tg.theory.bound_units(data["times"] * data["active"], data["active"]).T
    ranges = [f"{float(unit.min()):.2f} to {float(unit.max()):.2f} (k = {int(unit['active'])})" for unit in units]
    guessed = int(data["half"].sel(decoder="guessed support").notnull().sum())
    close = data["near"].sum()
    trained, random, untrained = (dimensions_needed(data[f"{name}_rate"]) for name in ("trained", "random", "untrained"))
    models = f"{data['near'].size} trained models"
    first = data["per_dimension"][0]
    directions = [np.random.default_rng(0).normal(size=(d, N)) for N, d in DIRECTIONS]
    return [
        Claim(
            "almost-orthogonal",
            "Far more directions than dimensions are almost orthogonal: random ones have cosines up to √(2 ln(N²/2) / d).",
            source=paper(
                "The Superposition Hypothesis",
                'many "almost orthogonal" (< ε cosine similarity) vectors in high-dimensional spaces',
            ),
            how=f"largest |cosine| of N directions in d dimensions over this, (N, d) = {', '.join(map(str, DIRECTIONS))}",
            measure=lambda sets: [coherence_ratio(W) for W in sets],
            expect=near(1, 0.15),
            of=directions,
            against={"directions with entries above 0": [abs(W) for W in directions]},
            evidence=Evidence(f"{len(DIRECTIONS)} sets of random directions"),
            note="So N = exp(ε² d / 4) √2 of them have cosines below ε.",
        ),
        Claim(
            "recovery-law",
            "The dimensions needed for recovery grow with log(n/k), at every k.",
            source=paper(
                "Compressed Sensing",
                "one can recover an n-dimensional k-sparse vector from an m dimensional projection if and only if",
            ),
            how="m / k at which half of all inputs come back exactly, against ln(n/k): correlation, by how much it is above "
            "that with n/k, and slope, for each k",
            measure=straight_lines,
            expect={"correlation": at_least(0.9), "above that with n/k": above(0), "slope": above(0)},
            of=half,
            against={
                "a decoder that is told the support (m = k whatever n)": data["half"].sel(decoder="told the support"),
                "m proportional to n": data["times"] * data["active"],
            },
            evidence=Evidence(f"{int(half.notnull().sum())} pairs of n and k, random unit columns"),
            note=f"The bound is from below, m / (k ln(n/k)) above some constant; here that is {', '.join(ranges)}. A guessed "
            f"support brings half of the inputs back at {guessed} of {half.size} pairs, whatever m up to n.",
        ),
        Claim(
            "lemma",
            "Where the layer's error is below half of an active entry, its largest outputs decode the input exactly.",
            source=IDENTITY,
            how="share that the denoiser gets back, of the inputs on which a trained model errs by less than 1/2 everywhere",
            measure=lambda counts: float(counts[0].sum() / max(counts[1].sum(), 1)),
            expect=equal(1, "%"),
            of=(data["near_recovered"], data["near"]),
            against={"the inputs on which it errs by 1/2 or more": (data["far_recovered"], INPUTS - data["near"])},
            evidence=Evidence(f"{int(close)} inputs of {models}"),
            lacking="" if close >= 100 else "100 inputs",
        ),
        Claim(
            "training-is-better",
            "Trained layers recover from fewer dimensions than random columns.",
            source=OURS,
            how=f"m at which half of the inputs come back (inf: never), over that with random columns, n = {SHOWN_N}",
            measure=lambda needed: {"over that of random columns": needed / random, "m": needed, "m of random columns": random},
            expect={"over that of random columns": below(1)},
            of=trained,
            against={"the same models after one step": untrained},
            evidence=Evidence(f"{models}, best of their seeds"),
            note="In units of k ln(n/k): "
            + ", ".join(f"{float(m / tg.theory.bound_units(SHOWN_N, m['k'])):.2f} (k = {int(m['k'])})" for m in trained),
        ),
        Claim(
            "packing",
            "Features per dimension stay below C x / ln x, x = 1 / density.",
            source=paper(
                "Compressed Sensing",
                "can be interpreted as giving an upper bound on the amount of superposition in our toy model",
            ),
            how="(1/D*) ln x / x of trained models: rank correlation with x (above 0: no constant C would do), and the largest",
            **in_each_seed(against_bound, {"rank correlation": at_most(0)}),
            of=list(data["per_dimension"]),
            uncontrolled="every model that we know stays below the bound, those without superposition most of all; as many "
            "features per dimension as x, without the logarithm, would have a rank correlation of 1",
            evidence=Evidence(f"{data.sizes['inverse_density']} densities, {PACKED_SEEDS} models each", PACKED_SEEDS),
            needs=5,
            note=f"1/D* rises from {float(first[0]):.2f} to {float(first.max()):.2f} in the first seed.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The phase curve, trained against random columns, and features per dimension against the bound."""
    half = (data["half"] / data["active"]).assign_coords(times=np.log(data["times"]))
    denoiser, told = half.sel(decoder="denoiser"), half.sel(decoder="told the support")
    curves = {f"k = {int(row['active'])}": row for row in denoiser} | {"told the support": told[0]}
    rates = {
        f"k = {k}, {name}": data[f"{name}_rate"].sel(shown_active=k)
        for k in data["shown_active"].values
        for name in ("trained", "random")
    }
    x, per_dimension = data["inverse_density"], data["per_dimension"][0]
    bound = against_bound(per_dimension)["largest"]
    packed = {"trained models": per_dimension, f"{bound:.2f} x / ln x": (bound * x / np.log(x)).where(x > np.e)}
    return {
        "phase": Figure(
            tg.figures.curve_panel(curves, "ln(n/k)", "m / k at half recovery"),
            "How many dimensions bring back half of all inputs with k active entries, by Lemma 1's decoder through random "
            "columns. The bound says that m / k must grow at least like ln(n/k), the horizontal axis; a decoder that is told "
            "which entries are active escapes it with m = k.",
        ),
        "trained": Figure(
            tg.figures.curve_panel(rates, "hidden dimensions m", "share of inputs recovered exactly"),
            f"The same decoder behind trained ReLU-output models and behind random columns, n = {SHOWN_N}.",
        ),
        "packing": Figure(
            tg.figures.curve_panel(packed, "x = 1 / density", "features per dimension 1/D*", log_x=True),
            "Trained models (the first seed) pack more features as they become rarer, but fewer than in proportion. The dashed "
            "line has the "
            "bound's form; its constant is the largest that a model reaches.",
        ),
    }


experiment = Experiment(
    __name__,
    title="How many features fit: the compressed-sensing bound, measured",
    paper="Appendix, compressed sensing (F43)",
    seconds={"quick": 5, "paper": 55},
    order=2,
)
