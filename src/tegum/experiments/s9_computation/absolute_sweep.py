"""Computing |x| of a hundred features with forty neurons: from one feature a neuron to many as features grow sparser.

Paper: section 9, the sweep over density (F37).  n = 100, m = 40, importance 0.8^i, densities 1 to 0.001, y = ReLU(W2 ReLU(W1
x) + b); the paper says nothing of training.  Starts and rates are those of `absolute_study`: Xavier starts leave most outputs
dead in sparse worlds.  The best of all seeds on a common test set is shown.  The paper judges polysemanticity by eye; here a
neuron is monosemantic if no second input weight exceeds a tenth of its largest, and other scores stand beside it.  Neurons
whose largest output weight is below 1 % of the net's (at the canonical scale) do not count.  Baseline: the best net without
superposition, two neurons for each of the 20 most important features, in closed form (`tegum.theory.absolute`).
"""

from collections.abc import Callable

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s9_computation.shared import RECIPE, M, alone, neurons, trained
from tegum.figures import NeuronPanel, curve_panel, stack_panels
from tegum.geometry import left_out, main_features, participation_ratio, second_to_first, weights_above

DENSITIES = [1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]
SIZE: dict[Profile, tg.Recipe] = {
    "quick": RECIPE.replaced(steps=8000, batch_size=512, seeds=3, evaluation_samples=2**17),
    "paper": RECIPE.replaced(steps=30_000, batch_size=1024, seeds=4, evaluation_samples=2**20),
}
SCORES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "no second weight above 0.1 of the largest": lambda V: weights_above(V) == 1,
    "no second weight above 0.3 of the largest": lambda V: second_to_first(V) < 0.3,
    "participation ratio below 1.1": lambda V: participation_ratio(V) < 1.1,
    "at least 90 % of the sum of squares in one weight": lambda V: left_out(V) < 0.1,
}


def study(profile: Profile) -> xr.Dataset:
    """The nets at all densities, and the starts that they came from."""
    return trained(DENSITIES, SIZE[profile])


def fractions(data: xr.Dataset, score: str = next(iter(SCORES)), start: bool = False) -> np.ndarray:
    """The share of monosemantic neurons of the best net at each density."""
    models = [neurons(tg.best(data.sel(density=p)), start) for p in data["density"].values]
    return np.array([SCORES[score](V).mean() for V in models])


def ranks(V: np.ndarray, mono: np.ndarray) -> tuple[float, float]:
    """The mean rank in importance of the main feature, of monosemantic neurons and of the others."""
    main = main_features(V)
    return (float(main[mono].mean()) if mono.any() else np.nan, float(main[~mono].mean()) if (~mono).any() else np.nan)


def turned_round(V: np.ndarray, mono: np.ndarray) -> np.ndarray:
    """The same kinds, dealt to the neurons in reverse order of the importance of their main feature."""
    order, dealt = np.argsort(main_features(V), kind="stable"), np.zeros_like(mono)
    dealt[order] = mono[order][::-1]
    return dealt


def spread(data: xr.Dataset, start: bool = False) -> np.ndarray:
    """The mean participation ratio of the neurons of the best net at each density."""
    models = [neurons(tg.best(data.sel(density=p)), start) for p in data["density"].values]
    return np.array([participation_ratio(V).mean() for V in models])


def rank_words(found: dict[float, tuple[float, float]]) -> str:
    """Those ranks at each density, in words."""
    return "; ".join(f"{p:g}: {one:.1f} and {many:.1f}" for p, (one, many) in found.items())


def pairs(V: np.ndarray) -> tuple[str, bool]:
    """How many features have two neurons of opposite sign, and whether these are the 20 most important ones."""
    main, W = main_features(V), V[np.arange(len(V)), main_features(V)]
    both = sorted({int(i) for i in main[W > 0]} & {int(i) for i in main[W < 0]})
    extra = len(V) - len(set(zip(main.tolist(), (W > 0).tolist(), strict=True)))
    words = f"{len(both)} features with a neuron of either sign ({sum(i < M // 2 for i in both)} of the first {M // 2}), "
    return f"{words}{extra} neurons repeat another's", both == list(range(M // 2)) and len(V) == M


def claims(data: xr.Dataset) -> list[Claim]:
    """The shift, who makes it, and that it pays."""
    fraction = dict(zip(data["density"].values.tolist(), fractions(data), strict=True))
    begun = dict(zip(fraction, fractions(data, start=True), strict=True))
    shown = ", ".join(f"{p:g}: {value:.0%}" for p, value in fraction.items())
    others = "; ".join(f"{name}: {', '.join(f'{v:.0%}' for v in fractions(data, name))}" for name in list(SCORES)[1:])
    evidence, enough = f"best of {data.sizes['seed']} at each density", data.sizes["seed"] >= 3
    best = {p: neurons(tg.best(data.sel(density=p))) for p in fraction}
    ratio, first_ratio = spread(data), spread(data, start=True)
    dense = int((data["density"].values > 0.1).sum())
    late = [fraction[p] for p in fraction if p <= 0.1]
    kinds = {p: alone(V) for p, V in best.items()}
    mixed = [p for p in fraction if p <= 0.03 and 0 < kinds[p].mean() < 1]
    rank = {p: ranks(best[p], kinds[p]) for p in mixed}
    turned = {p: ranks(best[p], turned_round(best[p], kinds[p])) for p in mixed}
    relative = (data["loss"].min("seed") / data["naive"]).values
    start = (data["start_loss"].min("seed") / data["naive"]).values
    sparse, crowded = data["density"].values <= 0.01, data["density"].values >= 0.3

    def claim(name: str, statement: str, expected: str, holds: bool, control: Control, note: str = "") -> Claim:
        how = "monosemantic share of the neurons in use"
        return Claim(name, statement, how, expected, "as stated", shown, holds, evidence, enough, control, note)

    return [
        claim(
            "dense-monosemantic",
            "At densities 1 and 0.3 all neurons are monosemantic.",
            "at least 95 % at both",
            bool(min(fraction[1.0], fraction[0.3]) >= 0.95),
            Control(
                "the same nets before training", f"{begun[1.0]:.0%}, {begun[0.3]:.0%}", min(begun[1.0], begun[0.3]) >= 0.95
            ),
            f"By other scores, at the same densities: {others}.",
        ),
        claim(
            "few-at-a-tenth",
            "At density 0.1 a few neurons are slightly polysemantic.",
            "60 % to below 100 % at 0.1",
            bool(0.6 <= fraction[0.1] < 1),
            Control("the same net before training", f"{begun[0.1]:.0%}", bool(0.6 <= begun[0.1] < 1)),
        ),
        claim(
            "ever-fewer",
            "From there on ever more neurons are polysemantic.",
            "strictly falling from density 0.1 to 0.001",
            bool((np.diff(late) < 0).all()),
            Control(
                "the same nets before training",
                ", ".join(f"{begun[p]:.0%}" for p in fraction if p <= 0.1),
                bool((np.diff([begun[p] for p in fraction if p <= 0.1]) < 0).all()),
            ),
        ),
        Claim(
            name="ever-more-features",
            statement="Neurons hold ever more features as features grow sparser.",
            how="participation ratio (sum w^2)^2 / sum w^4 of input weights, mean over the neurons in use",
            expected="strictly rising from density 0.1 to 0.001",
            tolerance="none",
            measured=", ".join(f"{p:g}: {value:.2f}" for p, value in zip(fraction, ratio, strict=True)),
            holds=bool((np.diff(ratio[dense:]) > 0).all()),
            evidence=evidence,
            enough=enough,
            control=Control(
                "the same nets before training",
                ", ".join(f"{value:.1f}" for value in first_ratio),
                bool((np.diff(first_ratio[dense:]) > 0).all()),
            ),
            note="A graded score, where the share of monosemantic neurons is 0 at more than one density.",
        ),
        claim(
            "sparse-polysemantic",
            "At density 0.001 all neurons are highly polysemantic.",
            "at most 5 % at 0.001",
            bool(fraction[0.001] <= 0.05),
            Control("density 1", f"{fraction[1.0]:.0%}", bool(fraction[1.0] <= 0.05)),
            f"The median neuron there has {np.median(weights_above(best[0.001])):.0f} weights above a tenth of its largest.",
        ),
        Claim(
            name="pairs-at-one",
            statement="At density 1 the 20 most important features have two neurons each.",
            how="largest input weight of every neuron, and its sign",
            expected="20 features, the first 20",
            tolerance="none",
            measured=pairs(best[1.0])[0],
            holds=pairs(best[1.0])[1],
            evidence=evidence,
            enough=enough,
            control=Control("the same net before training", *pairs(neurons(tg.best(data.sel(density=1.0)), start=True))),
            note=f"The best net has {relative[0]:.2f} times the loss of this code, which can be built by hand: a neuron that "
            "repeats another's leaves half a feature out.",
        ),
        Claim(
            name="important-ones-alone",
            statement="Polysemantic neurons hold the less important features.",
            how="mean rank in importance of the main feature, of monosemantic and of polysemantic neurons, at 0.03 and less",
            expected="lower for monosemantic ones wherever both kinds are there",
            tolerance="none",
            measured=rank_words(rank),
            holds=bool(rank) and all(one < many for one, many in rank.values()),
            evidence=evidence,
            enough=enough,
            control=Control(
                "kinds dealt out in reverse order of importance",
                rank_words(turned),
                bool(turned) and all(one < many for one, many in turned.values()),
            ),
        ),
        Claim(
            name="computes-in-superposition",
            statement="In sparse worlds the nets compute more than one function a neuron; in dense ones they do not.",
            how="lowest loss over that of the best net without superposition, at densities "
            + ", ".join(f"{p:g}" for p in fraction),
            expected="below 0.99 at 0.01 and less, not below 0.99 at 0.3 and 1",
            tolerance="as stated",
            measured=", ".join(f"{value:.3f}" for value in relative),
            holds=bool((relative[sparse] < 0.99).all() and (relative[crowded] >= 0.99).all()),
            evidence=f"{evidence}, common test set; closed form",
            enough=enough,
            control=Control(
                "the same nets before training", ", ".join(f"{v:.0f}" for v in start), bool((start[sparse] < 0.99).all())
            ),
            note="Above 1 training did not reach the code with one feature a neuron, which can be built by hand.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """All neurons at all densities, and the scores."""
    panels, relative = {}, (data["loss"].min("seed") / data["naive"]).values
    for p, value in zip(data["density"].values, relative, strict=True):
        V = neurons(tg.best(data.sel(density=p)))
        panels[f"p = {p:g}, loss {value:.2f} of that without superposition"] = NeuronPanel(V, ~alone(V))
    curves = {name: xr.DataArray(fractions(data, name), {"density": data["density"]}, "density") for name in SCORES}
    return {
        "neurons": Figure(
            stack_panels(panels, signed=False, columns=1, row_height=150, own_scale=True),
            "Every neuron's input weights as a stack of |W1| at the canonical scale, coloured by the feature's interference, "
            "sorted by the importance of its largest feature; polysemantic neurons on grey. Features grow sparser downwards: "
            f"single blocks give way to towers (each row has its own scale). The best of {data.sizes['seed']} at each density.",
        ),
        "scores": Figure(
            curve_panel(curves, "density", "share of monosemantic neurons", log_x=True),
            "The share of monosemantic neurons by four scores. They differ where neurons have a large weight and small ones.",
        ),
    }


experiment = Experiment(
    __name__,
    title="|x| of a hundred features with forty neurons",
    paper="Section 9, the sweep over density (F37)",
    seconds={"quick": 20, "paper": 190},
    study=study,
    figures=figures,
    claims=claims,
    order=2,
)
