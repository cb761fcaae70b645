"""A close-up of polysemantic neurons: one primary weight, several secondary ones, and top activations that hide them.

Paper: section 9, a net at intermediate sparsity (F38); its density is illegible in print, 0.03 or 0.01.  Both are trained
here, as in the sweep over density, with their own seeds, every one judged by itself; the best is shown.  A neuron is
polysemantic if a second input weight exceeds a tenth of its largest, and its primary feature is that of the largest.  Of a
neuron's activations on fresh samples, those above a tenth of its largest, the top 1 % are compared with those between the
quantiles 0.4 and 0.6.
Baseline: a net without superposition has only monosemantic neurons, whose primary feature is active whenever they fire.
"""

from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import Claim, at_least, below, every, fisher, in_each_seed, paper
from tegum.claims.words import listed, number
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s9_computation import shared
from tegum.experiments.s9_computation.shared import Nets, best_nets, by_density
from tegum.geometry import main_features, monosemantic

DENSITIES = [0.03, 0.01]
QUICK = shared.RECIPE.replaced(steps=10_000, batch_size=512, seeds=5, root_seed=1, evaluation_samples=2**17)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=30_000, batch_size=1024, evaluation_samples=2**20)}
SAMPLES: dict[Profile, int] = {"quick": 2**15, "paper": 2**18}
BANDS: dict[str, tuple[float, float]] = {"top 1 %": (0.99, 1.0), "40 to 60 %": (0.4, 0.6)}
TENTHS = [(k / 10, (k + 1) / 10) for k in range(9)] + [(0.9, 0.99), (0.99, 1.0)]
POLYSEMANTIC, MONOSEMANTIC, BEFORE = "polysemantic", "monosemantic", "before training"


def study(profile: Profile) -> xr.Dataset:
    """The nets, and how often the primary feature is active in every band of their activations."""
    data = shared.trained(DENSITIES, RECIPE[profile])
    nets, first = (nets_of(data, initial) for initial in (False, True))
    rows = []
    for p in DENSITIES:
        x = shared.FEATURES.replaced(density=p).sample(SAMPLES[profile], seed=1).astype(np.float32)
        each = [(net[p], monosemantic(net[p]), initial[p]) for net, initial in zip(nets, first, strict=True)]
        rows.append([[mean_shares(x, group) for group in (V[~mono], V[mono], initial)] for V, mono, initial in each])
    shares, dims = np.array(rows), ("density", "seed", "kind")
    return data.assign(
        share=((*dims, "band"), shares[..., : len(BANDS)]),
        tenths=((*dims, "quantile"), shares[..., len(BANDS) :]),
    ).assign_coords(kind=[POLYSEMANTIC, MONOSEMANTIC, BEFORE], band=list(BANDS), quantile=np.mean(TENTHS, axis=1))


def nets_of(data: xr.Dataset, initial: bool = False) -> list[Nets]:
    """The nets of every seed."""
    return [best_nets(data.sel(seed=[seed]), initial) for seed in data["seed"].values]


def mean_shares(x: NDArray[np.floating], V: NDArray[np.float64]) -> list[float]:
    """The share of activations in every band with the primary feature active, averaged over neurons; NaN without any."""
    bands = [*BANDS.values(), *TENTHS]
    if not len(V):
        return [float("nan")] * len(bands)
    h, active, primary = np.maximum(x @ V.T.astype(np.float32), 0), x != 0, main_features(V)
    return [float(np.nanmean(tg.geometry.neurons.primary_share(h, active, primary, *band))) for band in bands]


def both_kinds(nets: Nets) -> dict[str, xr.DataArray | float]:
    """How many neurons of either kind each net has, and of the rarer kind the net that has most."""
    one, many = by_density(nets, lambda V: monosemantic(V).sum()), by_density(nets, lambda V: (~monosemantic(V)).sum())
    return {"monosemantic": one, "polysemantic": many, "rarer kind, in the better net": float(np.minimum(one, many).max())}


def alone(held: dict[float, tuple[NDArray[np.float64], NDArray[np.bool_]]]) -> dict[str, xr.DataArray | float]:
    """The monosemantic share of some chosen neurons and of the others, and p of Fisher's exact test at the first density."""
    chosen = by_density(held, lambda net: monosemantic(net[0])[net[1]])
    others = by_density(held, lambda net: monosemantic(net[0])[~net[1]])
    V, these = held[DENSITIES[0]]
    p = fisher(monosemantic(V[these]), monosemantic(V[~these])) if len(V) else np.nan
    return {"share of these": chosen, "of the others": others, "p": p}


def fullest_tenth(nets: Nets) -> dict[str, xr.DataArray]:
    """Of the tenths of ratios of second to largest weight the fullest, how many neurons are in it, and how many there are."""
    tenths = {p: np.histogram(tg.geometry.second_to_first(V), bins=10, range=(0, 1))[0] for p, V in nets.items()}
    middle = by_density(tenths, lambda counts: (counts.argmax() + 0.5) / 10 if counts.any() else np.nan)
    return {"fullest tenth around": middle, "neurons in it": by_density(tenths, np.max), "neurons": by_density(tenths, np.sum)}


def claims(data: xr.Dataset) -> list[Claim]:
    """Both kinds side by side, and what they look like from their activations."""
    nets, generator = nets_of(data), np.random.default_rng(0)
    before, evidence = {"the same nets before training": nets_of(data, initial=True)}, every(data["loss"], "net")
    claim = partial(Claim, against=before, evidence=evidence, needs=5)
    shares = [data["share"].sel(seed=seed, drop=True) for seed in data["seed"].values]
    top, middle = ([share.sel(band=band, drop=True) for share in shares] for band in BANDS)
    main = [{p: (V, main_features(V)) for p, V in net.items()} for net in nets]
    first = [{p: (V, features < 10) for p, (V, features) in net.items()} for net in main]
    drawn = [
        {p: (V, np.isin(found, generator.permutation(np.unique(found))[:10])) for p, (V, found) in net.items()} for net in main
    ]
    return [
        claim(
            "both-kinds",
            "Monosemantic and polysemantic neurons live in one model.",
            source=paper("Superposition vs Sparsity", "Neurons can be monosemantic and polysemantic in the same model"),
            how="neurons in use of either kind",
            **in_each_seed(both_kinds, {"rarer kind, in the better net": at_least(2)}),
            of=nets,
            note=f"Losses over that of the best net without superposition: {listed(shared.relative_loss(data), number)}.",
        ),
        claim(
            "important-alone",
            "Neurons with the most important features tend to be monosemantic.",
            source=paper(
                "Superposition vs Sparsity",
                "the neurons representing the most important features (on the left) tend to be monosemantic",
            ),
            how="monosemantic share of neurons whose main feature is one of the first ten, and of the others; p of Fisher's "
            "exact test at density 0.03, below 0.05 where the first are oftener monosemantic",
            **in_each_seed(alone, {"p": below(0.05)}),
            units={"share of these": "%", "of the others": "%"},
            of=first,
            against={"ten main features drawn at random": drawn},
        ),
        claim(
            "primary-and-secondary",
            "Polysemantic neurons have a large primary and smaller secondary weights.",
            source=paper("Superposition vs Sparsity", 'many neurons appear to be associated with a single "primary" feature'),
            how="the fullest tenth of the ratios of second largest to largest weight",
            **in_each_seed(fullest_tenth, {"fullest tenth around": below(0.6)}),
            of=[{p: V[~monosemantic(V)] for p, V in net.items()} for net in nets],
        ),
        claim(
            "top-looks-monosemantic",
            "The top activations of a polysemantic neuron look monosemantic.",
            source=paper(
                "Superposition vs Sparsity",
                "the largest activations of that neuron were all or nearly-all associated with",
            ),
            how="primary feature active in the top 1 % of activations, mean over polysemantic neurons",
            **in_each_seed(lambda share: share, at_least(0.9, "%")),
            of=[share.sel(kind=POLYSEMANTIC) for share in top],
            against={"neurons before training": [share.sel(kind=BEFORE) for share in top]},
        ),
        *(
            claim(
                f"middle-is-mixed-{p:g}",
                f"Weaker activations of a polysemantic neuron are mixed (density {p:g}).",
                source=paper("Superposition vs Sparsity", "the lower-magnitude activations were much more polysemantic"),
                how="primary feature active between the quantiles 0.4 and 0.6 of activations, mean over polysemantic neurons",
                **in_each_seed(lambda share: share, below(0.6, "%")),
                of=[share.sel(density=p, kind=POLYSEMANTIC) for share in middle],
                against={"monosemantic neurons": [share.sel(density=p, kind=MONOSEMANTIC) for share in middle]},
                evidence=every(data["loss"].sel(density=p), "net"),
                note="The printed density of the paper's net is illegible, 0.03 or 0.01.",
            )
            for p in DENSITIES
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The neurons, and what is active when they fire."""
    best = data["tenths"].isel(seed=data["loss"].argmin("seed"))
    tenths = best.transpose("density", "kind", "quantile").sel(kind=[POLYSEMANTIC, MONOSEMANTIC])
    curves = {f"{curve['kind'].item()}, p = {curve['density']:g}": curve for at in tenths for curve in at}
    return {
        "neurons": Figure(
            tg.figures.stack_panels(shared.panels(data), columns=1, row_height=240, own_scale=True),
            "Input weights at the canonical scale, one bar a neuron, dark where a feature is alone. On grey the polysemantic "
            "ones: one large primary weight and several small secondary ones. Neurons of important features (left) tend to "
            "have one.",
        ),
        "activations": Figure(
            tg.figures.curve_panel(curves, "quantile of a neuron's activations", "share with the primary feature active"),
            "How often the primary feature is active, from a neuron's weakest activations (left) to its strongest (right). "
            "Whoever looks only at top activations takes polysemantic neurons for monosemantic ones.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Top activations hide the secondary features of a neuron",
    paper="Section 9, a close-up at intermediate sparsity (F38)",
    seconds={"quick": 15, "paper": 95},
    order=3,
)
