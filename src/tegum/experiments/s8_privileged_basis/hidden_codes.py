"""A ReLU on the hidden layer: as features grow sparser, neurons stop having one feature each and share them in codes.

Paper: section 8, stack plots and the sweep over density (F33, F34).  y = ReLU(W^T ReLU(W x) + b), n = 10, m = 5, importance
0.75^i, the best of 1,000 fits at each density (quick: 200), one inside each range of the paper's table, 0.15 and 0.12 as
printed.  Training is not given: here AdamW at 3e-3 without decay, cosine schedule to 0; 10,000 batches of 1,024 (quick: 5,000
of 512, and 10,000 where features are sparsest, as fits there need the steps).  All fits at a density are compared on the same
2^20 samples, so that noise does not choose.  The matcher of `tegum.geometry.codes` names what each fit found, whatever the
order of features; that order is a claim of its own.  Every code of the paper is also built by hand, features in order of
importance, and trained on with the recipe of the fits there.  Baseline: the best net without superposition has a neuron for
each of the five most important features and the mean of the others, loss sum_{i >= 5} I_i (p/3 - p^2/4).  Controls have a
linear hidden layer.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, above, at_least, below, best_of, equal, falling, near, paper
from tegum.datasets import joined
from tegum.experiments import Experiment, Figure, Profile
from tegum.geometry.codes import ALL_MONOSEMANTIC, CODES, EIGHT_IN_FIVE, REPRESENTED, UNNAMED, WEIGHTY, code_of, hand_built

PRINTED = dict(zip([0.7, 0.3, 0.15, 0.12, 0.06, 0.03], CODES, strict=True))
WORDS = [
    "In this regime, every feature gets a dedicated neuron",
    "the next three are represented in a kind of binary code by two neuron's activations",
    "Five Features in Three Neurons (1-S = 0.15)",
    "Six Features in Four Neurons (1-S = 0.12)",
    "Eight Features in Five Neurons (0.05 ≤ 1-S ≤ 0.08)",
    "In this regime, each feature simply correspond to a pair of neurons",
]
"""What the paper says of each regime."""
SECTION = "Visualizing Superposition in Terms of Neurons"
DENSITIES = list(PRINTED)
NET = tg.nets.ReluHidden(10, 5)
IMPORTANCE = tg.features.geometric(0.75, 10)
QUICK = tg.Recipe(
    steps=5000, batch_size=512, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=200, evaluation_samples=2**20
)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=10_000, batch_size=1024, seeds=1000)}
SPARSEST = {"quick": QUICK.replaced(steps=10_000), "paper": RECIPE["paper"]}
"""At the lowest density, where half as many steps leave the best of 200 fits without its code."""
LEAD_SAMPLES = 2**20
ENOUGH = 1000
"""So many fits have one that sorts its features by importance: of 10,000 batches of 1,024, 1 of 209 with the code."""


def study(profile: Profile) -> xr.Dataset:
    """All fits, the codes built by hand and trained on, and linear-hidden models."""
    features = tg.features.Independent(10, importance=IMPORTANCE)
    recipe, sparsest = RECIPE[profile], SPARSEST[profile]
    parts = ((recipe, DENSITIES[:-1]), (sparsest, DENSITIES[-1:]))
    W = np.stack([hand_built(name, 10) for name in CODES])
    fits, built, linear = list[xr.Dataset](), list[xr.Dataset](), list[xr.Dataset]()
    for each, densities in parts:
        sweep, b = {"density": densities}, np.where((W == 0).all(axis=-2), np.array(densities)[:, None, None] / 2, 0)
        longer = each.replaced(seeds=len(CODES), record_steps=(0,))
        fits.append(tg.train(NET, features, each, sweep=sweep))
        built.append(tg.train(NET, features, longer, sweep=sweep, initial={"W": W, "b": b}).isel(step=[0]))
        linear.append(tg.train(tg.nets.ReluOutput(10, 5), features, each.replaced(seeds=10), sweep=sweep))
    data, by_hand, controls = (joined(each, "density", join="exact") for each in (fits, built, linear))
    by_hand = by_hand.rename(seed="kind_built").assign_coords(kind_built=list(CODES))
    return data.assign(
        kind=(("density", "seed"), [[code_of(W).name for W in fits] for fits in data["W"].values.astype(np.float64)]),
        naive_loss=("density", (IMPORTANCE[5:].sum() * tg.theory.dropped_loss(np.array(DENSITIES)))),
        built_W=by_hand["W"],
        built_loss=by_hand["loss"],
        untrained_loss=by_hand["loss_history"].isel(step=0, drop=True),
        linear_W=controls["W"].drop_vars("seed").rename(seed="linear_seed"),
    )


def codes_in(models: NDArray[np.floating], name: str) -> dict[str, Any]:
    """How many models have a code, and what the matcher reads in them, with its threshold and with 0.5 in place of it."""
    codes, half = ([code_of(W, weighty) for W in models] for weighty in (WEIGHTY, 0.5))
    return {
        f"models with '{name}'": np.mean([code.name == name for code in codes]),
        "code": {code.name for code in codes},
        "blocks": {str(code) for code in codes},
        f"with 0.5 for {WEIGHTY}": {f"{code.name} ({code})" for code in half},
    }


def lead(here: xr.Dataset, name: str) -> tuple[float, float] | None:
    """Lead of the best fit over the best with a code on new samples, and its error; None where no fit or the best has it."""
    first, having = int(here["loss"].argmin("seed")), here["loss"].where(here["kind"] == name)
    if having.isnull().all() or having[first].notnull():
        return None
    x = tg.features.Independent(10, density=float(here["density"])).sample(LEAD_SAMPLES, seed=1)

    def errors(seed: int) -> NDArray[np.float64]:
        params = {key: here[key].values[seed].astype(np.float64) for key in ("W", "b")}
        return np.asarray((x - NET.forward(params, x)) ** 2 @ IMPORTANCE)

    ahead = errors(int(having.argmin("seed"))) - errors(first)
    return float(ahead.mean()), float(ahead.std() / np.sqrt(len(ahead)))


def described(losses: xr.DataArray) -> str:
    """How many fits there are and the lowest loss, in words."""
    return f"{losses.size} fits, lowest {float(losses.min()):.6f}" if losses.size else "no fit"


def regime_claim(here: xr.Dataset, name: str, words: str) -> Claim:
    """Whether the best fit at one density has the code that the paper found there."""
    best, built, ahead = tg.best(here), here.sel(kind_built=name), lead(here, name)
    code, trained = code_of(best["W"].values), code_of(built["built_W"].values)
    note = f"On {LEAD_SAMPLES:,} other samples it leads the best '{name}' by {ahead[0]:.6f} ± {ahead[1]:.6f}. " if ahead else ""
    if code.name != UNNAMED and not code.inhibits:
        note += f"Not every inhibitory weight of '{code.name}' is there."
    return Claim(
        name.replace(" ", "-"),
        f"At density {float(here['density']):g} the best model has the code '{name}'.",
        source=paper(SECTION, words),
        how="signs of the weights of the fit with the lowest loss, matched up to the order of neurons and features; |W| above "
        f"{WEIGHTY} of the feature's largest positive weight counts, features of norm below {REPRESENTED} do not",
        measure=lambda models: codes_in(models, name),
        expect={f"models with '{name}'": above(0, "%")},
        of=best["W"].values[None],
        against={f"{here.sizes['linear_seed']} models with a linear hidden layer": here["linear_W"].values},
        evidence=best_of(here["loss"], f"loss on a common test set ({float(best['loss']):.6f})").adding(
            f"'{name}': {described(here['loss'].where(here['kind'] == name, drop=True))}",
            f"built by hand: {float(built['untrained_loss']):.6f} as built, "
            f"{float(built['built_loss']):.6f} trained on (then '{trained.name}')",
        ),
        needs=100,
        note=note,
    )


def by_importance(W: NDArray[np.floating]) -> tuple[bool, int, int]:
    """Whether the represented features and those alone are the most important ones, and how many there are of either."""
    pattern = tg.geometry.codes.sign_pattern(W)
    represented = np.flatnonzero((pattern != 0).any(axis=0)).tolist()
    alone = sorted(int(of[0]) for neurons, of in tg.geometry.codes.blocks_of(pattern) if len(of) == len(neurons) == 1)
    first = represented == list(range(len(represented))) and alone == list(range(len(alone)))
    return first, len(represented), len(alone)


def features_in(W: xr.DataArray) -> dict[str, xr.DataArray]:
    """The share of fits (density, fit, ...) in which importance decides; the most features that one has, and the most alone."""
    rows = [[by_importance(each) for each in fits] for fits in W.values]
    found = xr.DataArray(rows, {"density": W["density"]}, ["density", "fit", "what"])
    most = found.max("fit")
    return {"by importance": found[..., 0].mean("fit"), "features represented": most[:, 1], "of these alone": most[:, 2]}


def alone_in(W: xr.DataArray) -> dict[str, object]:
    """How many neurons are alone with a feature at each density, and at how many densities there are others too."""
    alone = features_in(W)["of these alone"]
    both = int(((alone > 0) & (alone < W.sizes["hidden"])).sum())
    return {"neurons alone": alone, "densities with both kinds": both}


def excited(models: NDArray[np.floating]) -> NDArray[np.int64]:
    """How many neurons each feature of every model excites, by importance; (models, features)."""
    return np.array([(tg.geometry.codes.sign_pattern(W) > 0).sum(axis=0) for W in models]).reshape(-1, 10)


def claims(data: xr.Dataset) -> list[Claim]:
    """The six regimes, and what the paper says of all of them."""
    data = data.assign(data[["W", "built_W", "linear_W"]].astype(np.float64))
    best, claim = tg.best(data), partial(Claim, evidence=best_of(data["loss"], "loss on a common test set"), needs=100)
    W = best["W"].drop_vars("seed").expand_dims("fit", axis=1)
    relative = best["loss"] / data["naive_loss"]
    here = data.isel(density=CODES.index(EIGHT_IN_FIVE))
    having = here.isel(seed=np.flatnonzero(here["kind"] == EIGHT_IN_FIVE)).sortby("loss")
    as_built = data["untrained_loss"].sel(kind_built=ALL_MONOSEMANTIC) / data["naive_loss"]
    excites, (order,) = excited(having["W"].values), excited(hand_built(EIGHT_IN_FIVE, 10)[None])
    return [
        *(regime_claim(data.sel(density=p), name, words) for (p, name), words in zip(PRINTED.items(), WORDS, strict=True)),
        claim(
            "important-first",
            "The most important features are represented, and the most important of them have a neuron each.",
            source=OURS,
            how="fits whose features with a word, and those alone with a neuron, are both the first ones by importance",
            measure=features_in,
            expect={"by importance": equal(1, "%")},
            of=W,
            against={"every fit in place of the best": data["W"]},
        ),
        claim(
            "three-alone",
            "At density 0.3 the three most important features have a neuron each.",
            source=paper(SECTION, "the three most important features still get dedicated neurons"),
            how="features alone with a neuron, and whether they are the first ones by importance",
            measure=features_in,
            expect={"by importance": equal(1, "%"), "of these alone": equal(3)},
            of=W.sel(density=[0.3]),
            against={"the most in a model with a linear hidden layer": data["linear_W"].sel(density=[0.3])},
            evidence=best_of(data["loss"].sel(density=0.3), "loss on a common test set"),
        ),
        claim(
            "important-words",
            f"In '{EIGHT_IN_FIVE}' one neuron tells the four most important features from the next four.",
            source=paper(
                SECTION,
                "either sets of three of the other neurons, or a single other neuron, are used",
            ),
            how=f"neurons that each feature excites, by importance, of the best such fit at density {float(here['density']):g}",
            measure=lambda found: {"neurons excited": found, "in this order": sum((found == order).all(1)), "fits": len(found)},
            expect={"neurons excited": equal(order)},
            of=excites[:1],
            against={"every fit with this code": excites},
            evidence=best_of(here["loss"], "loss").adding(
                f"with this code {described(having['loss'])}",
                f"built by hand in this order and trained on: {float(here['built_loss'].sel(kind_built=EIGHT_IN_FIVE)):.6f}",
            ),
            not_run=""
            if here.sizes["seed"] >= ENOUGH
            else f"needs {ENOUGH:,} fits of 10,000 batches of 1,024: here are "
            f"{here.sizes['seed']} shorter ones, and about one of 200 with this code is in order",
        ),
        claim(
            "monosemantic-neurons",
            "With sparsity neurons go from one feature each to many; in between both kinds live in one model.",
            source=paper(
                SECTION,
                "there's a shift from monosemantic to polysemantic neurons as sparsity increases",
            ),
            how="neurons that are alone with one feature, at each density",
            measure=alone_in,
            expect={"neurons alone": equal([5, 3, 2, 1, 0, 0]), "densities with both kinds": at_least(1)},
            of=W,
            against={"the most in a model with a linear hidden layer": data["linear_W"]},
            note="Expected is what the paper's own models have. Where it has six in four, eight in five has the lower loss.",
        ),
        claim(
            "better-than-naive",
            "Codes store more than neurons of one feature each could.",
            source=OURS,
            how="lowest loss over that of the best net without superposition (closed form)",
            measure=lambda loss: {"loss": loss, "at the first": loss[0], "highest at others": loss[1:].max(skipna=False)},
            expect={"loss": falling(), "at the first": near(1, 0.005), "highest at others": below(0.99)},
            of=relative,
            against={
                "the monosemantic code as built": as_built,
                "the worst of all fits": data["loss"].max("seed") / data["naive_loss"],
            },
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The best models as matrix and stacks, and what all fits found."""
    panels = {}
    for density, W in zip(DENSITIES, tg.best(data)["W"].values.astype(np.float64), strict=True):
        blocks = tg.geometry.codes.blocks_of(tg.geometry.codes.sign_pattern(W))
        single = [neurons[0] for neurons, features in blocks if len(features) == 1]
        panels[f"p = {density:g}<br>{code_of(W).name}"] = tg.figures.NeuronPanel(W, ~np.isin(np.arange(5), single))
    close = (data["loss"] < 1.01 * data["loss"].min("seed")).mean("seed").values
    census = data.assign(relative_loss=data["loss"] / data["naive_loss"], built_loss=data["built_loss"] / data["naive_loss"])
    count = data.sizes["seed"]
    return {
        "neurons": Figure(
            tg.figures.stack_panels(panels, matrix=True),
            f"Each column is the best of {count} fits at a density. Above, W (red +, blue −); below, every neuron's weights as "
            "a stack, one rectangle a feature, dark where it is alone and bright where it shares. Neurons on grey hold several "
            "features. From left to right features grow sparser, and neurons with one feature give way to codes.",
        ),
        "census": Figure(
            tg.figures.census_dots(census, CODES, UNNAMED, "built by hand and trained on"),
            f"Every one of the {count} fits at each density is a dot, sorted by loss, as a share of the loss of the best net "
            "without superposition, and coloured by the code that the matcher reads. Crosses are the paper's codes built by "
            f"hand and trained on. Within 1 % of the lowest loss are {', '.join(f'{share:.1%}' for share in close)} of them.",
        ),
    }


experiment = Experiment(
    __name__,
    title="A ReLU on the hidden layer: neurons share features in codes",
    paper="Section 8, superposition in a privileged basis (F33, F34)",
    seconds={"quick": 22, "paper": 390},
    order=2,
)
