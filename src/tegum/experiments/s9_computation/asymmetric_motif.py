"""Asymmetric superposition with inhibition: how small nets squeeze |x| of one more feature out of two neurons.

Paper: section 9, asymmetric superposition motif (F39), drawn from one model whose n, m, importances and density are not
given.  Here y = ReLU(W2 ReLU(W1 x) + b) with n = 6 and n = 10 features, m = 10, importance 0.7^i, densities 0.2 to 0.35, many
Xavier initial weights, AdamW at 3e-3 without decay, cosine schedule to 0.  The detector is `tegum.geometry.motif`; every seed
counts.  Its control is the same nets with the input weights of every neuron dealt out at random.  Beside them the motif is
built by hand with the paper's numbers (n = 3, m = 5, equal importances), with ratios from 1 (symmetric superposition) to 16,
and with and without inhibition, and trained on likewise.  Test sets are common.  Baseline:
`tegum.theory.absolute_without_superposition`.
"""

from functools import partial

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, at_least, below, best_of, every, rising
from tegum.claims.words import listed, number
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s9_computation.shared import without_superposition
from tegum.figures import NeuronPanel, WeightGraph, curve_panel, stack_panels, weight_graphs
from tegum.geometry import hand_built_motif, monosemantic, motifs, rescaled_neurons

DENSITIES = [0.2, 0.25, 0.3, 0.35]
M, COUNTS = 10, [6, 10]
RATIOS = [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 16.0]
PAPER = 4.0
MOTIF, SYMMETRIC, BARE = f"ratio {PAPER:g}", "ratio 1", f"ratio {PAPER:g} without inhibition"
QUICK = tg.Recipe(
    steps=4000, batch_size=256, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=50, evaluation_samples=2**17
)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=10_000, batch_size=1024, seeds=200, evaluation_samples=2**20)}


def study(profile: Profile) -> xr.Dataset:
    """Nets of both sizes from many initial weights, and the motif built by hand."""
    recipe, runs = RECIPE[profile], []
    for n in COUNTS:
        features = tg.features.Independent(n, importance=tg.features.geometric(0.7, n), signed=True)
        run = tg.train(tg.nets.AbsoluteValue(n, M), features, recipe, sweep={"density": DENSITIES})
        run = (
            run[["W1", "W2", "loss", "status"]]
            .drop_vars(["feature_density", "feature_importance"])
            .assign(naive=without_superposition(DENSITIES, features, M))
        )
        runs.append(run.rename({name: f"{name}_{n}" for name in ("feature", *run.data_vars)}))
    return xr.merge([*runs, built(recipe)], combine_attrs="override", join="exact")


def built(recipe: tg.Recipe) -> xr.Dataset:
    """Losses of the hand-built nets as built and trained on, over those without superposition; (density, version)."""
    nets = {f"ratio {ratio:g}": hand_built_motif(ratio) for ratio in RATIOS}
    nets |= {f"ratio {ratio:g} without inhibition": hand_built_motif(ratio, inhibited=False) for ratio in (1.0, PAPER)}
    initial = {name: np.stack(weights) for name, weights in zip(("W1", "W2"), zip(*nets.values(), strict=True), strict=True)}
    features = tg.features.Independent(3, signed=True)
    longer = recipe.replaced(seeds=len(nets), record_steps=(0,))
    run = tg.train(tg.nets.AbsoluteValue(3, 5), features, longer, sweep={"density": DENSITIES}, initial=initial)
    run = run.rename(seed="version").assign_coords(version=list(nets))
    losses = xr.Dataset({"built": run["loss_history"].isel(step=0, drop=True), "trained_on": run["loss"]})
    return losses / without_superposition(DENSITIES, features, 5)


def nets_of(data: xr.Dataset, n: int) -> xr.Dataset:
    """Weights, losses over that without superposition and numbers of motifs of all nets of one size; (density, seed)."""
    nets = data[[f"W1_{n}", f"W2_{n}"]].rename({f"W1_{n}": "W1", f"W2_{n}": "W2", f"feature_{n}": "feature"})
    relative = (data[f"loss_{n}"] / data[f"naive_{n}"]).transpose("density", "seed")
    return nets.assign(relative=relative, motifs=motif_counts(nets["W1"], nets["W2"]))


def motif_counts(W1: xr.DataArray, W2: xr.DataArray) -> xr.DataArray:
    """How many motifs each net has; (density, seed)."""
    axes = [["hidden", "feature"], ["feature", "hidden"]]
    return xr.DataArray(xr.apply_ufunc(lambda *net: len(motifs(*net)), W1, W2, input_core_dims=axes, vectorize=True))


def dealt(W1: xr.DataArray) -> xr.DataArray:
    """The input weights of every neuron, given to features at random."""
    values = W1.transpose(..., "hidden", "feature")
    return values.copy(data=np.random.default_rng(0).permuted(values.values, axis=-1))


def rate_claim(data: xr.Dataset, n: int) -> Claim:
    """How often training finds the motif at one size."""
    nets = nets_of(data, n)
    best = nets.isel(seed=nets["relative"].argmin("seed"))
    return Claim(
        f"rate-{n}",
        f"Small nets form the asymmetric motif (n = {n}, m = {M}).",
        source=OURS,
        how="nets in which the detector finds one, all seeds at all densities together",
        measure=lambda counts: {"together": float((counts > 0).mean()), "share by density": (counts > 0).mean("seed")},
        expect={"together": at_least(0.1, "%")},
        units={"share by density": "%"},
        of=nets["motifs"],
        against={"every neuron's input weights dealt out at random": motif_counts(dealt(nets["W1"]), nets["W2"])},
        evidence=every(nets["relative"]),
        needs=30,
        note=f"Motifs in the best nets: {listed(best['motifs'], number)}. Their losses over that of the best net without "
        f"superposition: {listed(best['relative'], number)}.",
    )


def claims(data: xr.Dataset) -> list[Claim]:
    """How often it forms, what it is worth, and that it is computation in superposition."""
    losses = xr.concat([data[f"loss_{n}"] / data[f"naive_{n}"] for n in COUNTS], xr.Variable("n", COUNTS))
    p, sparse, dense = data["density"].values, losses.isel(density=0, drop=True), losses.isel(density=-1, drop=True)
    by_hand = f"hand-built nets, n = 3, m = 5, at {len(p)} densities; losses over the best without superposition"
    beside_symmetric = partial(
        Claim,
        how=f"losses with the paper's ratio {PAPER:g} and then with 1: rising where the motif loses less",
        expect=rising(),
        of=data.sel(version=[MOTIF, SYMMETRIC]),
        against={"the same ratio without inhibition": data.sel(version=[BARE, SYMMETRIC])},
        evidence=Evidence(by_hand),
    )
    return [
        *(rate_claim(data, n) for n in COUNTS),
        beside_symmetric(
            "better-than-symmetric",
            "The motif loses less than symmetric superposition with the same wiring.",
            source=OURS,
            measure=lambda versions: versions["built"],
            note="As built. Above 1 a net without superposition is better still.",
        ),
        beside_symmetric(
            "better-after-training",
            "The motif still loses less after both were trained on.",
            source=OURS,
            measure=lambda versions: versions["trained_on"],
        ),
        Claim(
            "better-than-naive",
            "The trained nets compute in superposition: no net with one feature to a neuron does as well.",
            source=OURS,
            how=f"lowest loss at density {p[0]:g} over that of the best net without superposition (closed form)",
            expect=below(0.99),
            of=sparse.min("seed", skipna=False),
            against={f"the median net at density {p[-1]:g}": dense.median("seed", skipna=False)},
            evidence=best_of(sparse[0], "loss on a common test set"),
            needs=30,
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The drawn example twice, and what the ratio is worth."""
    nets = nets_of(data, COUNTS[0])
    has = nets["motifs"] > 0
    # the lowest loss against the baseline, among nets with a motif if there are any
    net = nets.isel(nets["relative"].where(has | ~has.any(), np.inf).argmin(["density", "seed"]))
    W1, W2 = (net[name].values.astype(np.float64) for name in ("W1", "W2"))
    found = motifs(W1, W2)
    marked = np.isin(np.arange(M), [k for each in found for k in (each.neuron, each.inhibitor)])
    V1, V2 = rescaled_neurons(W1, W2)
    mixed = ~monosemantic(V1)
    words = "; ".join(f"feature {each.culprit} disturbs {each.victim}, ratio {each.ratio:.1f}" for each in found) or "none"
    size = f"n = {COUNTS[0]}, m = {M}, density {float(net['density']):g}"
    panels = {"input weights W1": NeuronPanel(V1, mixed), "output weights W2": NeuronPanel(V2.T, mixed)}
    ratios = data[["built", "trained_on"]].isel(version=slice(len(RATIOS))).assign_coords(version=RATIOS)
    curves = {
        f"p = {p:g}, {words}": ratios[name].sel(density=p)
        for name, words in (("built", "as built"), ("trained_on", "trained on"))
        for p in data["density"].values[[0, -1]]
    }
    return {
        "graph": Figure(
            weight_graphs({"the best net with a motif" if found else "the best net": WeightGraph(W1, W2, marked)}),
            f"{size}, loss {float(net['relative']):.2f} of the best without superposition. Motifs: {words}. Red weights "
            "excite, blue ones inhibit; A and B of a motif have a dark ring. A has one wide and one narrow input and the "
            "reverse widths at its outputs; B fires on the wide input and inhibits the other output.",
        ),
        "stacks": Figure(
            stack_panels(panels, colour="feature", ordered_by=V1),
            "The same net as stacks, one bar a neuron, one rectangle a weight, coloured by feature; both panels have the "
            "neurons in the same order. Neurons on grey hold several features.",
        ),
        "ratio": Figure(
            curve_panel(curves, "ratio of A's input weights", "loss / loss without superposition", log_x=True),
            "Three features in five neurons, by hand. At ratio 1 superposition is symmetric. As built, losses fall from "
            "there to a ratio near the paper's and hardly change beyond it; where they lie below 1 the net is better than any "
            "without superposition. Training on brings all close to each other.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Asymmetric superposition with inhibition",
    paper="Section 9, the asymmetric superposition motif (F39)",
    seconds={"quick": 5, "paper": 140},
    order=4,
)
