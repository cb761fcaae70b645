"""A close-up of polysemantic neurons: one primary weight, several secondary ones, and top activations that hide them.

Paper: section 9, a net at intermediate sparsity (F38); its density is illegible in print, 0.03 or 0.01.  Both are trained
here, as in the sweep over density (`absolute_study`), with their own seeds; the best of each by loss.  A neuron is
polysemantic if a second input weight exceeds a tenth of its largest, and its primary feature is that of the largest.  Of a
neuron's activations on fresh samples, those above a tenth of its largest, the top 1 % are compared with those between the
quantiles 0.4 and 0.6.
Baseline: a net without superposition has only monosemantic neurons, whose primary feature is on whenever they fire.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s9_computation.shared import FEATURES, RECIPE, alone, neurons, trained
from tegum.figures import NeuronPanel, curve_panel, stack_panels
from tegum.geometry import main_features, primary_share, second_to_first

DENSITIES = [0.03, 0.01]
SIZE: dict[Profile, tg.Recipe] = {
    "quick": RECIPE.replaced(steps=10_000, batch_size=512, seeds=4, root_seed=1, evaluation_samples=2**17),
    "paper": RECIPE.replaced(steps=30_000, batch_size=1024, seeds=4, root_seed=1, evaluation_samples=2**20),
}
SAMPLES: dict[Profile, int] = {"quick": 2**17, "paper": 2**19}
BANDS = {"top 1 %": (0.99, 1.0), "40 to 60 %": (0.4, 0.6)}
TENTHS = [(k / 10, (k + 1) / 10) for k in range(9)] + [(0.9, 0.99), (0.99, 1.0)]
POLYSEMANTIC, MONOSEMANTIC, START = "polysemantic", "monosemantic", "before training"


def study(profile: Profile) -> xr.Dataset:
    """The best nets, and how often the primary feature is on in every band of activations."""
    data = trained(DENSITIES, SIZE[profile])
    rows = []
    for p in DENSITIES:
        x = FEATURES.replaced(density=p).sample(SAMPLES[profile], seed=1).astype(np.float32)
        model = tg.best(data.sel(density=p))
        V, first = neurons(model), neurons(model, start=True)
        groups = {POLYSEMANTIC: V[~alone(V)], MONOSEMANTIC: V[alone(V)], START: first}
        rows.append([mean_shares(x, rows_of) for rows_of in groups.values()])
    shares = np.array(rows)
    dims = ("density", "kind")
    centres = [(low + high) / 2 for low, high in TENTHS]
    return data.assign(
        share=((*dims, "band"), shares[..., : len(BANDS)]), tenths=((*dims, "quantile"), shares[..., len(BANDS) :])
    ).assign_coords(kind=[POLYSEMANTIC, MONOSEMANTIC, START], band=list(BANDS), quantile=centres)


def mean_shares(x: np.ndarray, V: np.ndarray) -> list[float]:
    """The share of activations in every band with the primary feature on, averaged over neurons; NaN without any."""
    bands = [*BANDS.values(), *TENTHS]
    if not len(V):
        return [float("nan")] * len(bands)
    h, on, primary = np.maximum(x @ V.T.astype(np.float32), 0), x != 0, main_features(V)
    return [float(np.nanmean(primary_share(h, on, primary, *band))) for band in bands]


def mode(V: np.ndarray) -> tuple[str, bool]:
    """The fullest tenth of the ratios of second to largest weight, and whether there is one and it lies below 0.6."""
    if not len(V):
        return "no such neuron", False
    counts, bounds = np.histogram(second_to_first(V), bins=10, range=(0, 1))
    fullest = int(counts.argmax())
    return f"{bounds[fullest]:.1f} to {bounds[fullest + 1]:.1f} ({counts.max()} of {len(V)})", bool(bounds[fullest] < 0.55)


def important_alone(V: np.ndarray, last: bool = False) -> tuple[float, float]:
    """The monosemantic share of neurons with one of the ten most (or least) important main features, and of the others."""
    main = main_features(V)
    held = np.unique(main)
    chosen = np.isin(main, held[-10:] if last else np.arange(10))
    one, rest = (float(alone(V)[each].mean()) if each.any() else np.nan for each in (chosen, ~chosen))
    return one, rest


def middle_claim(data: xr.Dataset, density: float) -> Claim:
    """What middling activations are made of at one density."""
    here = data["share"].sel(density=density, band="40 to 60 %")
    mixed, single = float(here.sel(kind=POLYSEMANTIC)), float(here.sel(kind=MONOSEMANTIC))
    return Claim(
        name=f"middle-is-mixed-{density:g}",
        statement=f"Weaker activations of a polysemantic neuron are mixed (density {density:g}).",
        how="primary feature on between the quantiles 0.4 and 0.6 of activations, mean over polysemantic neurons",
        expected="below 60 %",
        tolerance="none",
        measured=f"{mixed:.0%}",
        holds=mixed < 0.6,
        evidence=f"best of {data.sizes['seed']}",
        enough=data.sizes["seed"] >= 3,
        control=Control("monosemantic neurons", f"{single:.0%}", single < 0.6),
        note="The printed density of the paper's net is illegible, 0.03 or 0.01.",
    )


def claims(data: xr.Dataset) -> list[Claim]:
    """Both kinds side by side, and what they look like from their activations."""
    models = {p: tg.best(data.sel(density=p)) for p in DENSITIES}
    V = {p: neurons(model) for p, model in models.items()}
    first = {p: neurons(model, start=True) for p, model in models.items()}
    count = {p: (int(alone(v).sum()), int((~alone(v)).sum())) for p, v in V.items()}
    begun = {p: (int(alone(v).sum()), int((~alone(v)).sum())) for p, v in first.items()}
    share = {p: important_alone(v) for p, v in V.items()}
    back = {p: important_alone(v, last=True) for p, v in V.items()}
    modes = {p: mode(v[~alone(v)]) for p, v in V.items()}
    start_modes = {p: mode(v) for p, v in first.items()}
    relative = ", ".join(f"{value:.2f}" for value in (data["loss"].min("seed") / data["naive"]).sel(density=DENSITIES).values)
    evidence, enough = f"best of {data.sizes['seed']} at densities 0.03 and 0.01", data.sizes["seed"] >= 3

    def band(kind: str, name: str) -> np.ndarray:
        return np.asarray(data["share"].sel(kind=kind, band=name).values)

    def percents(values: np.ndarray) -> str:
        return ", ".join(f"{value:.0%}" for value in values)

    def counts(found: dict[float, tuple[int, int]]) -> str:
        return "; ".join(f"{p:g}: {one} and {many}" for p, (one, many) in found.items())

    def shares(found: dict[float, tuple[float, float]]) -> str:
        return "; ".join(f"{p:g}: {one:.0%} and {many:.0%}" for p, (one, many) in found.items())

    return [
        Claim(
            name="both-kinds",
            statement="Monosemantic and polysemantic neurons live in one model.",
            how="neurons in use of either kind, at density 0.03 and 0.01",
            expected="both kinds in one of the two nets at least",
            tolerance="at least 2 neurons of each kind",
            measured=counts(count),
            holds=any(min(pair) >= 2 for pair in count.values()),
            evidence=evidence,
            enough=enough,
            control=Control("the same nets before training", counts(begun), any(min(pair) >= 2 for pair in begun.values())),
            note=f"Their losses are {relative} times that of the best net without superposition; above 1 that net, built by "
            "hand, is better.",
        ),
        Claim(
            name="important-alone",
            statement="Neurons with the most important features tend to be monosemantic.",
            how="monosemantic share of neurons whose main feature is one of the first ten, and of the others, at 0.03",
            expected="higher for the first ten",
            tolerance="none",
            measured=shares(share),
            holds=bool(share[0.03][0] > share[0.03][1]),
            evidence=evidence,
            enough=enough,
            control=Control("the ten least important main features", shares(back), bool(back[0.03][0] > back[0.03][1])),
        ),
        Claim(
            name="primary-and-secondary",
            statement="Polysemantic neurons have a large primary and smaller secondary weights.",
            how="the fullest tenth of the ratios of second largest to largest weight, at 0.03 and 0.01",
            expected="below 0.6",
            tolerance="none",
            measured="; ".join(words for words, _ in modes.values()),
            holds=all(low for _, low in modes.values()),
            evidence=evidence,
            enough=enough,
            control=Control(
                "the same nets before training",
                "; ".join(words for words, _ in start_modes.values()),
                all(low for _, low in start_modes.values()),
            ),
        ),
        Claim(
            name="top-looks-monosemantic",
            statement="The top activations of a polysemantic neuron look monosemantic.",
            how="primary feature on in the top 1 % of activations, mean over polysemantic neurons, at 0.03 and 0.01",
            expected="at least 90 %",
            tolerance="none",
            measured=percents(band(POLYSEMANTIC, "top 1 %")),
            holds=bool((band(POLYSEMANTIC, "top 1 %") >= 0.9).all()),
            evidence=evidence,
            enough=enough,
            control=Control(
                "neurons before training", percents(band(START, "top 1 %")), bool((band(START, "top 1 %") >= 0.9).all())
            ),
        ),
        *(middle_claim(data, p) for p in DENSITIES),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The neurons, and what is on when they fire."""
    panels, curves = {}, {}
    for p in DENSITIES:
        V = neurons(tg.best(data.sel(density=p)))
        relative = float(data["loss"].sel(density=p).min() / data["naive"].sel(density=p))
        panels[f"p = {p:g}, loss {relative:.2f} of that without superposition"] = NeuronPanel(V, ~alone(V))
        for kind in (POLYSEMANTIC, MONOSEMANTIC):
            curves[f"{kind}, p = {p:g}"] = data["tenths"].sel(density=p, kind=kind)
    return {
        "neurons": Figure(
            stack_panels(panels, columns=1, row_height=240, own_scale=True),
            "Input weights at the canonical scale, one bar a neuron, dark where a feature is alone. On grey the polysemantic "
            "ones: one large primary weight and several small secondary ones. Neurons of important features (left) tend to "
            "have one.",
        ),
        "activations": Figure(
            curve_panel(curves, "quantile of a neuron's activations", "share with the primary feature on"),
            "How often the primary feature is on, from the weakest activations of a neuron (left) to the strongest (right). "
            "Whoever looks only at top activations takes polysemantic neurons for monosemantic ones.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Top activations hide the secondary features of a neuron",
    paper="Section 9, a close-up at intermediate sparsity (F38)",
    seconds={"quick": 15, "paper": 95},
    study=study,
    figures=figures,
    claims=claims,
    order=3,
)
