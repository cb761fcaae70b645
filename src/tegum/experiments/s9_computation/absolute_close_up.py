"""A close-up of polysemantic neurons: one primary weight, several secondary ones, and top activations that hide them.

Paper: section 9, a net at intermediate sparsity (F38); its density is illegible in print, 0.03 or 0.01.  Both are trained
here, as in the sweep over density, with their own seeds; the best of each by loss.  A neuron is polysemantic if a second input
weight exceeds a tenth of its largest, and its primary feature is that of the largest.  Of a neuron's activations on fresh
samples, those above a tenth of its largest, the top 1 % are compared with those between the quantiles 0.4 and 0.6.
Baseline: a net without superposition has only monosemantic neurons, whose primary feature is active whenever they fire.
"""

from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import Claim, above, at_least, below, best_of
from tegum.claims.words import listed, number
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s9_computation.shared import (
    FEATURES,
    RECIPE,
    Nets,
    best_nets,
    by_density,
    neuron_panels,
    relative_loss,
    trained,
)
from tegum.figures import curve_panel, stack_panels
from tegum.geometry import main_features, monosemantic, second_to_first
from tegum.geometry.neurons import primary_share

DENSITIES = [0.03, 0.01]
SIZE: dict[Profile, tg.Recipe] = {
    "quick": RECIPE.replaced(steps=10_000, batch_size=512, seeds=4, root_seed=1, evaluation_samples=2**17),
    "paper": RECIPE.replaced(steps=30_000, batch_size=1024, seeds=4, root_seed=1, evaluation_samples=2**20),
}
SAMPLES: dict[Profile, int] = {"quick": 2**17, "paper": 2**19}
BANDS: dict[str, tuple[float, float]] = {"top 1 %": (0.99, 1.0), "40 to 60 %": (0.4, 0.6)}
TENTHS = [(k / 10, (k + 1) / 10) for k in range(9)] + [(0.9, 0.99), (0.99, 1.0)]
POLYSEMANTIC, MONOSEMANTIC, BEFORE = "polysemantic", "monosemantic", "before training"


def study(profile: Profile) -> xr.Dataset:
    """The nets, and how often the primary feature is active in every band of activations of the best ones."""
    data = trained(DENSITIES, SIZE[profile])
    initial, rows = best_nets(data, initial=True), []
    for p, V in best_nets(data).items():
        x = FEATURES.replaced(density=p).sample(SAMPLES[profile], seed=1).astype(np.float32)
        mono = monosemantic(V)
        rows.append([mean_shares(x, group) for group in (V[~mono], V[mono], initial[p])])
    shares = np.array(rows)
    return data.assign(
        share=(("density", "kind", "band"), shares[..., : len(BANDS)]),
        tenths=(("density", "kind", "quantile"), shares[..., len(BANDS) :]),
    ).assign_coords(
        kind=[POLYSEMANTIC, MONOSEMANTIC, BEFORE], band=list(BANDS), quantile=[(low + high) / 2 for low, high in TENTHS]
    )


def mean_shares(x: NDArray[np.floating], V: NDArray[np.float64]) -> list[float]:
    """The share of activations in every band with the primary feature active, averaged over neurons; NaN without any."""
    bands = [*BANDS.values(), *TENTHS]
    if not len(V):
        return [float("nan")] * len(bands)
    h, active, primary = np.maximum(x @ V.T.astype(np.float32), 0), x != 0, main_features(V)
    return [float(np.nanmean(primary_share(h, active, primary, *band))) for band in bands]


def both_kinds(nets: Nets) -> dict[str, xr.DataArray | float]:
    """How many neurons of either kind each net has, and of the rarer kind the net that has most."""
    one, many = by_density(nets, lambda V: monosemantic(V).sum()), by_density(nets, lambda V: (~monosemantic(V)).sum())
    return {"monosemantic": one, "polysemantic": many, "rarer kind, in the better net": float(np.minimum(one, many).max())}


def alone(held: dict[float, tuple[NDArray[np.float64], NDArray[np.bool_]]]) -> dict[str, xr.DataArray | float]:
    """The monosemantic share of some chosen neurons and of the others."""
    chosen = by_density(held, lambda net: monosemantic(net[0])[net[1]])
    others = by_density(held, lambda net: monosemantic(net[0])[~net[1]])
    return {"of these": chosen, "of the others": others, "difference at 0.03": float((chosen - others).sel(density=0.03))}


def fullest_tenth(V: NDArray[np.float64]) -> tuple[float, int]:
    """The middle of the fullest tenth of the ratios of second to largest weight, and how many neurons are in it."""
    counts, _ = np.histogram(second_to_first(V), bins=10, range=(0, 1))
    return ((counts.argmax() + 0.5) / 10 if len(V) else np.nan), int(counts.max())


def modes(nets: Nets) -> dict[str, xr.DataArray]:
    """The fullest tenth at each density, and how many neurons there are."""
    return {
        "middle of the fullest tenth": by_density(nets, lambda V: fullest_tenth(V)[0]),
        "neurons in it": by_density(nets, lambda V: fullest_tenth(V)[1]),
        "neurons": by_density(nets, len),
    }


def claims(data: xr.Dataset) -> list[Claim]:
    """Both kinds side by side, and what they look like from their activations."""
    nets, initial = best_nets(data), best_nets(data, initial=True)
    claim = partial(Claim, evidence=best_of(data["loss"], "loss on a common test set"), needs=3)
    top, middle = (data["share"].sel(band=band, drop=True) for band in BANDS)
    first_ten = {p: (V, main_features(V) < 10) for p, V in nets.items()}
    last_ten = {p: (V, np.isin(main_features(V), np.unique(main_features(V))[-10:])) for p, V in nets.items()}

    return [
        claim(
            "both-kinds",
            "Monosemantic and polysemantic neurons live in one model.",
            how="neurons in use of either kind",
            measure=both_kinds,
            expect={"rarer kind, in the better net": at_least(2)},
            of=nets,
            against={"the same nets before training": initial},
            note=f"Their losses over that of the best net without superposition: {listed(relative_loss(data), number)}. Above "
            "1 that net, built by hand, is better.",
        ),
        claim(
            "important-alone",
            "Neurons with the most important features tend to be monosemantic.",
            how="monosemantic share of neurons whose main feature is one of the first ten, and of the others, at density 0.03",
            measure=alone,
            expect={"difference at 0.03": above(0)},
            of=first_ten,
            against={"the ten least important main features": last_ten},
        ),
        claim(
            "primary-and-secondary",
            "Polysemantic neurons have a large primary and smaller secondary weights.",
            how="the fullest tenth of the ratios of second largest to largest weight",
            measure=modes,
            expect={"middle of the fullest tenth": below(0.6)},
            of={p: V[~monosemantic(V)] for p, V in nets.items()},
            against={"the same nets before training": initial},
        ),
        claim(
            "top-looks-monosemantic",
            "The top activations of a polysemantic neuron look monosemantic.",
            how="primary feature active in the top 1 % of activations, mean over polysemantic neurons",
            expect=at_least(0.9, "%"),
            of=top.sel(kind=POLYSEMANTIC),
            against={"neurons before training": top.sel(kind=BEFORE)},
        ),
        *(
            claim(
                f"middle-is-mixed-{p:g}",
                f"Weaker activations of a polysemantic neuron are mixed (density {p:g}).",
                how="primary feature active between the quantiles 0.4 and 0.6 of activations, mean over polysemantic neurons",
                expect=below(0.6, "%"),
                of=middle.sel(density=p, kind=POLYSEMANTIC),
                against={"monosemantic neurons": middle.sel(density=p, kind=MONOSEMANTIC)},
                note="The printed density of the paper's net is illegible, 0.03 or 0.01.",
            )
            for p in DENSITIES
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The neurons, and what is active when they fire."""
    curves = {
        f"{kind}, p = {p:g}": data["tenths"].sel(density=p, kind=kind)
        for p in DENSITIES
        for kind in (POLYSEMANTIC, MONOSEMANTIC)
    }
    return {
        "neurons": Figure(
            stack_panels(neuron_panels(data), columns=1, row_height=240, own_scale=True),
            "Input weights at the canonical scale, one bar a neuron, dark where a feature is alone. On grey the polysemantic "
            "ones: one large primary weight and several small secondary ones. Neurons of important features (left) tend to "
            "have one.",
        ),
        "activations": Figure(
            curve_panel(curves, "quantile of a neuron's activations", "share with the primary feature active"),
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
