"""A ReLU on the hidden layer: as features grow sparser, neurons stop having one feature each and share them in codes.

Paper: section 8, stack plots and the sweep over density (F33, F34).  y = ReLU(W^T ReLU(W x) + b), n = 10, m = 5, importance
0.75^i, the best of 1,000 fits at each density (quick: 200).  One density inside each range of the paper's table, 0.15 and
0.12 as printed.  The paper gives no training: here AdamW at 3e-3 without decay, cosine schedule to 0.  All fits at a density
are compared on the same 2^20 samples, so that noise does not choose.  The matcher of `tegum.geometry.codes` names what each
fit found, whatever the order of features; whether they are in the order of importance is a claim of its own.  Beside them
every code of the paper is built by hand, features in order of importance, and trained on with the same recipe.  Baseline: the
best net without superposition has one neuron for each of the five most important features and the mean of the others, loss
sum_{i >= 5} I_i (p/3 - p^2/4).  Controls are models with a linear hidden layer.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import NeuronPanel, census_dots, stack_panels
from tegum.geometry.codes import ALL_MONOSEMANTIC, CODES, EIGHT_IN_FIVE, UNNAMED, Code, code_of, hand_built
from tegum.theory import dropped_loss

PRINTED = dict(zip([0.7, 0.3, 0.15, 0.12, 0.06, 0.03], CODES, strict=True))
ALONE = dict(zip(PRINTED, [5, 3, 2, 1, 0, 0], strict=True))
"""Monosemantic neurons of the paper's best models."""
IMPORTANCE = tg.features.geometric(0.75, 10)
RECIPE = tg.Recipe(learning_rate=3e-3, schedule="cosine", weight_decay=0, evaluation_samples=2**20)
SIZE: dict[Profile, tg.Recipe] = {
    "quick": RECIPE.replaced(steps=5000, batch_size=512, seeds=200),
    "paper": RECIPE.replaced(steps=10_000, batch_size=1024, seeds=1000),
}
LINEAR_SEEDS = 10
LEAD_SAMPLES = 2**20


def study(profile: Profile) -> xr.Dataset:
    """All fits, the codes built by hand and trained on, and linear-hidden models."""
    features = tg.features.Independent(10, importance=IMPORTANCE)
    recipe, sweep, net = SIZE[profile], {"density": list(PRINTED)}, tg.nets.ReluHidden(10, 5)
    data = tg.train(net, features, recipe, sweep=sweep)
    W = np.stack([hand_built(name, 10) for name in CODES])
    b = np.where((W == 0).all(axis=-2), np.array(list(PRINTED))[:, None, None] / 2, 0)
    start = recipe.replaced(seeds=len(CODES), record_steps=(0,))
    built = tg.train(net, features, start, sweep=sweep, initial={"W": W, "b": b})
    linear = tg.train(tg.nets.ReluOutput(10, 5), features, recipe.replaced(seeds=LINEAR_SEEDS), sweep=sweep)
    kinds = [[code_of(W).name for W in models] for models in data["W"].values.astype(np.float64)]
    dims = ("density", "kind_built")
    data = data.assign(
        kind=(("density", "seed"), np.array(kinds)),
        naive_loss=("density", (IMPORTANCE[5:].sum() * dropped_loss(np.array(list(PRINTED))))),
        built_W=((*dims, "hidden", "feature"), built["W"].values),
        built_loss=(dims, built["loss"].values),
        untrained_loss=(dims, built["loss_history"].isel(step=0).values),
        linear_W=(("density", "linear_seed", "hidden", "feature"), linear["W"].values),
    ).assign_coords(kind_built=list(CODES))
    data.attrs["interrupted"] = max(run.attrs["interrupted"] for run in (data, built, linear))
    return data


def code_at(data: xr.Dataset, density: float) -> Code:
    """The code of the best fit at a density."""
    return code_of(tg.best(data.sel(density=density))["W"].values.astype(np.float64))


def other_threshold(data: xr.Dataset, density: float) -> str:
    """What the matcher says of the best fit when only weights above half of the largest count."""
    W = tg.best(data.sel(density=density))["W"].values.astype(np.float64)
    half = code_of(W, weighty=0.5)
    return f"With 0.5 for 0.3 the matcher reads: {half.name} ({half})."


def described(losses: xr.DataArray) -> str:
    """How many fits there are and the lowest loss, in words."""
    return f"{losses.size} fits, lowest {float(losses.min()):.6f}" if losses.size else "no fit"


def lead(here: xr.Dataset, name: str, density: float) -> str:
    """By how much the best fit beats the best that has a code, on samples that neither training nor selection saw."""
    fits = here["loss"].where(here["kind"] == name)
    if not fits.notnull().any() or int(fits.argmin("seed")) == int(here["loss"].argmin("seed")):
        return ""
    world = tg.features.Independent(10, density=density, importance=IMPORTANCE)
    x, net = world.sample(LEAD_SAMPLES, seed=1), tg.nets.ReluHidden(10, 5)
    errors = []
    for seed in (int(fits.argmin("seed")), int(here["loss"].argmin("seed"))):
        params = {key: here[key].isel(seed=seed).values.astype(np.float64) for key in ("W", "b")}
        errors.append((x - net.forward(params, x)) ** 2 @ IMPORTANCE)
    ahead = errors[0] - errors[1]
    margin = ahead.std() / np.sqrt(len(ahead))
    return f" On {LEAD_SAMPLES:,} other samples it leads the best '{name}' by {ahead.mean():.6f} +- {margin:.6f}."


def regime_claim(data: xr.Dataset, density: float) -> Claim:
    """Whether the best fit at one density has the code that the paper found there."""
    here, name, code = data.sel(density=density), PRINTED[density], code_at(data, density)
    best = tg.best(here)
    own = here["loss"].where(here["kind"] == name, drop=True)
    built = here.sel(kind_built=name)
    kept = code_of(built["built_W"].values.astype(np.float64)).name
    linear = [code_of(W).name for W in here["linear_W"].values.astype(np.float64)]
    return Claim(
        name=name.replace(" ", "-"),
        statement=f"At density {density:g} the best model has the code '{name}'.",
        how="signs of the weights of the fit with the lowest loss, matched up to the order of neurons and features",
        expected=name,
        tolerance="|W| above 0.3 of the feature's largest positive weight counts; features of norm below 0.5 do not",
        measured=f"{code.name} ({code}), loss {float(best['loss']):.6f}",
        holds=code.name == name,
        evidence=f"best of {here.sizes['seed']} on a common test set; {name}: {described(own)}; built by hand: "
        f"{float(built['untrained_loss']):.6f} as built, {float(built['built_loss']):.6f} trained on (then {kept})",
        enough=here.sizes["seed"] >= 100,
        control=Control(
            "models with a linear hidden layer", f"{linear.count(name)} of {len(linear)} have this code", name in linear
        ),
        note=other_threshold(data, density)
        + lead(here, name, density)
        + ("" if code.silences or code.name == UNNAMED else f" Not every silencing weight of '{code.name}' is there."),
    )


def by_importance(W: np.ndarray) -> tuple[str, bool]:
    """Which features are represented and which of them alone, and whether both are the most important ones."""
    pattern = tg.geometry.sign_pattern(W)
    held = np.flatnonzero((pattern != 0).any(axis=0)).tolist()
    alone = sorted(int(f[0]) for neurons, f in tg.geometry.blocks_of(pattern) if len(f) == len(neurons) == 1)
    return f"{held}, alone {alone}", held == list(range(len(held))) and alone == list(range(len(alone)))


def important_first(data: xr.Dataset) -> Claim:
    """Whether importance decides which features are there and which are alone."""
    best = [by_importance(tg.best(data.sel(density=p))["W"].values.astype(np.float64)) for p in PRINTED]
    fits = [[by_importance(W)[1] for W in models] for models in data["W"].values.astype(np.float64)]
    return Claim(
        name="important-first",
        statement="The most important features are represented, and the most important of them have a neuron each.",
        how=f"features with a word, and those alone with a neuron, in the best fits, densities {', '.join(map(str, PRINTED))}",
        expected="the first ones by importance, both times, at every density",
        tolerance="none",
        measured="; ".join(words for words, _ in best),
        holds=all(first for _, first in best),
        evidence=f"best of {data.sizes['seed']} at each density on a common test set",
        enough=data.sizes["seed"] >= 100,
        control=Control(
            "every fit in place of the best", ", ".join(f"{np.mean(share):.0%} of them" for share in fits), bool(np.all(fits))
        ),
    )


def word_lengths(W: np.ndarray) -> list[int]:
    """How many neurons each feature excites, by importance."""
    return [int(count) for count in (tg.geometry.sign_pattern(W) > 0).sum(axis=0)]


def important_words(data: xr.Dataset) -> Claim:
    """Whether the two kinds of words of the code with eight features go by importance."""
    density = next(p for p, name in PRINTED.items() if name == EIGHT_IN_FIVE)
    here, expected = data.sel(density=density), word_lengths(hand_built(EIGHT_IN_FIVE, 10))
    mine = np.flatnonzero(here["kind"].values == EIGHT_IN_FIVE)
    mine = mine[np.argsort(here["loss"].values[mine], kind="stable")]
    found = [word_lengths(here["W"].values[seed].astype(np.float64)) for seed in mine]
    count = sum(lengths == expected for lengths in found)
    built = float(here["built_loss"].sel(kind_built=EIGHT_IN_FIVE))
    return Claim(
        name="important-words",
        statement=f"In '{EIGHT_IN_FIVE}' one neuron tells the four most important features from the next four.",
        how=f"neurons that each feature excites, by importance, in the best fit with this code at density {density:g}",
        expected=", ".join(map(str, expected)),
        tolerance="none",
        measured=", ".join(map(str, found[0])) if found else "no fit has this code",
        holds=bool(found) and found[0] == expected,
        evidence=f"with this code {described(here['loss'].isel(seed=mine))}, of {here.sizes['seed']}; built by hand in this "
        f"order and trained on: {built:.6f}",
        enough=here.sizes["seed"] >= 100,
        control=Control(
            "every fit with this code", f"{count} of {len(found)} have this order", bool(found) and count == len(found)
        ),
    )


def claims(data: xr.Dataset) -> list[Claim]:
    """The six regimes, and what the paper says of all of them."""
    codes = {p: code_at(data, p) for p in PRINTED}
    alone = [codes[p].alone for p in PRINTED]
    evidence = f"best of {data.sizes['seed']} at each density on a common test set"
    enough = data.sizes["seed"] >= 100
    gain = (tg.best(data)["loss"] / data["naive_loss"]).values
    linear = [[code_of(W).alone for W in models] for models in data["linear_W"].values.astype(np.float64)]
    coexist = sum(0 < count < 5 for count in alone)
    return [
        *(regime_claim(data, density) for density in PRINTED),
        important_first(data),
        important_words(data),
        Claim(
            name="monosemantic-neurons",
            statement="With sparsity neurons go from one feature each to many; in between both kinds live in one model.",
            how=f"neurons that are alone with one feature at densities {', '.join(f'{p:g}' for p in PRINTED)}",
            expected="never rising, from 5 to 0, with both kinds at one density or more",
            tolerance="as stated",
            measured=", ".join(map(str, alone)),
            holds=alone == sorted(alone, reverse=True) and alone[0] == 5 and alone[-1] == 0 and coexist > 0,
            evidence=evidence,
            enough=enough,
            control=Control(
                "models with a linear hidden layer at density 0.7",
                f"{max(linear[0])} alone at most",
                max(linear[0]) == 5,
            ),
            note=f"The paper's own models have {', '.join(map(str, ALONE.values()))}.",
        ),
        Claim(
            name="better-than-naive",
            statement="Codes store more than neurons of one feature each could.",
            how="lowest loss over that of the best net without superposition (closed form)",
            expected="1 at density 0.7, below 1 at all others and falling",
            tolerance="0.005 at 0.7",
            measured=", ".join(f"{value:.3f}" for value in gain),
            holds=bool(abs(gain[0] - 1) < 0.005 and (gain[1:] < 0.99).all() and (np.diff(gain) < 0).all()),
            evidence=evidence,
            enough=enough,
            control=Control("the monosemantic code as built", *_naive_control(data)),
        ),
    ]


def _naive_control(data: xr.Dataset) -> tuple[str, bool]:
    """The same ratio for nets without superposition as built, which must not fall."""
    gain = (data["untrained_loss"].sel(kind_built=ALL_MONOSEMANTIC) / data["naive_loss"]).values
    return ", ".join(f"{value:.3f}" for value in gain), bool((gain[1:] < 0.99).all())


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The best models as matrix and stacks, and what all fits found."""
    panels = {}
    for p in PRINTED:
        W, code = tg.best(data.sel(density=p))["W"].values.astype(np.float64), code_at(data, p)
        single = [neurons[0] for neurons, features in tg.geometry.blocks_of(tg.geometry.sign_pattern(W)) if len(features) == 1]
        mixed = ~np.isin(np.arange(5), single)
        panels[f"p = {p:g}<br>{code.name}"] = NeuronPanel(W, mixed)
    count = data.sizes["seed"]
    near = (data["loss"] < 1.01 * data["loss"].min("seed")).mean("seed").values
    census = data.assign(relative_loss=data["loss"] / data["naive_loss"], built_loss=data["built_loss"] / data["naive_loss"])
    return {
        "neurons": Figure(
            stack_panels(panels, matrix=True),
            f"Each column is the best of {count} fits at a density. Above, W (red +, blue −); below, every neuron's weights as "
            "a stack, one rectangle a feature, dark where it is alone and bright where it shares. Neurons on grey hold several "
            "features. From left to right features grow sparser, and neurons with one feature give way to codes.",
        ),
        "census": Figure(
            census_dots(census, CODES, UNNAMED),
            f"Every one of the {count} fits at each density is a dot, sorted by loss, as a share of the loss of the best net "
            "without superposition, and coloured by the code that the matcher reads. Crosses are the paper's codes built by "
            f"hand and trained on. Within 1 % of the lowest loss are {', '.join(f'{share:.1%}' for share in near)} of them.",
        ),
    }


experiment = Experiment(
    __name__,
    title="A ReLU on the hidden layer: neurons share features in codes",
    paper="Section 8, superposition in a privileged basis (F33, F34)",
    seconds={"quick": 26, "paper": 390},
    study=study,
    figures=figures,
    claims=claims,
    order=2,
)
