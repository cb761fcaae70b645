"""Adversarial vulnerability: it rises where superposition forms, and with the number of features per dimension.

Paper: section 7 (F28, F29, F30).  The attack pushes the input along the row of W^T W that hurts most, by a tenth of the
average input norm; vulnerability is the rise of the loss, relative to that of a model without superposition.  Not given: n, m,
the densities, the reference, whether directions have both signs, whether the worst row is chosen for each example.  Here:
n = 100, m = 10 (paper profile 400, 30), equal importances, densities 1 to 0.01, AdamW at 3e-3 without decay, five models each,
every seed judged by itself.  Of six readings one is chosen by the paper's words: each example meets its own worst row, as
adversarial examples are examples; rows have the sign of the printed formula, without a minus; and the reference is the best
linear model of the same features, which the paper introduces as the baseline that does not exhibit superposition.  The others,
with rows of both signs, one worst row for all examples, or the ReLU model trained on dense inputs, are a claim of ours.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr

import tegum as tg
from tegum.attacks import Maximum, Signs, analytic_attack, average_norm, gradient_attack, without_superposition
from tegum.claims import OURS, Claim, Evidence, above, at_least, at_most, below, every, in_each_seed, near, paper
from tegum.experiments import Experiment, Figure, Profile

SIZE: dict[Profile, tuple[int, int]] = {"quick": (100, 10), "paper": (400, 30)}
COUNT: dict[Profile, int] = {"quick": 9, "paper": 25}
SAMPLES: dict[Profile, int] = {"quick": 1000, "paper": 2000}
QUICK = tg.Recipe(steps=5000, batch_size=512, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=5)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=8000, batch_size=1024)}
LIMIT = 0.1
EACH, BOTH, ONE = "each example", "each example, both signs", "one row for all"
WAYS: dict[str, tuple[Maximum, Signs]] = {EACH: ("example", "positive"), BOTH: ("example", "both"), ONE: ("model", "both")}
SECTION = "Relationship to Adversarial Robustness"
LINEAR, DENSE = "best linear model", "dense ReLU model"
ROOMY = "models with a dimension for every feature"
Weights = tuple[NDArray[np.float64], NDArray[np.float64]]
CHECKED_EXAMPLES, ASCENT_STEPS = 300, 40


def study(profile: Profile) -> xr.Dataset:
    """Loss under attack at every density, and the vulnerability of models that have a dimension for every feature."""
    n, m = SIZE[profile]
    models, roomy = trained(n, m, profile), trained(m, m, profile)
    data = against_gradients(models).assign(
        rise=under_attack(models, SAMPLES[profile]),
        per_dimension=(("density", "seed"), 1 / tg.geometry.dimensions_per_feature(models["W"].values)),
        roomy_rise=under_attack(roomy, SAMPLES[profile]),
    )
    beside = against_gradients(roomy)
    return data.assign({f"roomy_{name}": beside[name] for name in beside.data_vars}).assign_attrs(models.attrs)


def trained(n: int, m: int, profile: Profile) -> xr.Dataset:
    """ReLU-output models, (density, seed)."""
    sweep = {"density": np.geomspace(1, 0.01, COUNT[profile]).tolist()}
    run = tg.train(tg.nets.ReluOutput(n, m), tg.features.Independent(n), RECIPE[profile], sweep=sweep)
    return run[["W", "b"]].transpose("density", "seed", "hidden", "feature").astype(np.float64)


def under_attack(models: xr.Dataset, samples: int) -> xr.DataArray:
    """By how much attacks raise the loss of the trained models and of both references; (density, way, model, seed)."""
    m, n = models["W"].shape[2:]
    each, rise = list(zip(np.swapaxes(models["W"].values, 0, 1), np.swapaxes(models["b"].values, 0, 1), strict=True)), []
    for k, density in enumerate(models["density"].values):
        features = tg.features.Independent(n, density=density)
        x = features.sample(samples, seed=1)
        size = LIMIT * average_norm(x)
        linear = [without_superposition(features, m)] * len(each)
        three = [[(W[k], b[k]) for W, b in each], linear, [(W[0], b[0]) for W, b in each]]
        rise.append([[risen(x, size, models, *way) for models in three] for way in WAYS.values()])
    return xr.DataArray(
        rise, [models["density"], ("way", list(WAYS)), ("model", ["trained", LINEAR, DENSE]), ("seed", models["seed"].values)]
    )


def risen(x: NDArray[np.floating], size: float, models: list[Weights], maximum: Maximum, signs: Signs) -> list[float]:
    """By how much one kind of attack raises the loss of each model; one that stands there several times is attacked once."""
    found = {id(model): model for model in models}
    rises = {key: analytic_attack(*model, x, size, maximum=maximum, signs=signs).rise for key, model in found.items()}
    return [rises[id(model)] for model in models]


def against_gradients(models: xr.Dataset) -> xr.Dataset:
    """How much gradient ascent raises the loss: from random directions, the analytic attack, and the input itself."""
    chosen = models.sel(density=[0.3, 0.1, 0.03, 0.01], method="nearest")
    rows = [[one_ascent(chosen.isel(density=k, seed=j)) for j in range(chosen.sizes["seed"])] for k in range(4)]
    values = {name: (("checked", "seed"), [[each[name] for each in row] for row in rows]) for name in rows[0][0]}
    return xr.Dataset(values, {"checked": chosen["density"].values, "seed": models["seed"].values})


def one_ascent(model: xr.Dataset) -> dict[str, float]:
    """What gradient ascent does to one model, beside the analytic attack, and the share of outputs at rest."""
    W, b = model["W"].values, model["b"].values
    x = tg.features.Independent(W.shape[-1], density=float(model["density"])).sample(CHECKED_EXAMPLES, seed=2)
    size = LIMIT * average_norm(x)
    attack = analytic_attack(W, b, x, size)
    starts = {"ascent": None, "refined": attack.perturbations, "unmoved": np.zeros_like(x)}
    found = {name: gradient_attack(W, b, x, size, steps=ASCENT_STEPS, initial=each).rise for name, each in starts.items()}
    return found | {"analytic": attack.rise, "resting": float((x @ W.T @ W + b <= 0).mean())}


def vulnerability(rise: xr.DataArray, way: str = EACH, reference: str = LINEAR) -> xr.DataArray:
    """The rise of the loss of the trained model over that of the reference."""
    here = rise.sel(way=way, drop=True)
    return here.sel(model="trained", drop=True) / here.sel(model=reference, drop=True)


def seeds_of(values: xr.DataArray | xr.Dataset) -> list[Any]:
    """What there is of every seed."""
    return [values.sel(seed=seed, drop=True) for seed in values["seed"].values]


def highest(ratio: xr.DataArray) -> dict[str, Any]:
    """The highest vulnerability, and where."""
    return {"highest": ratio.max(skipna=False), "at density": ratio.idxmax("density")}


def by_other_readings(rise: xr.DataArray) -> dict[str, xr.DataArray]:
    """The highest vulnerability by the readings that were not chosen."""
    readings = [(way, model) for way in WAYS for model in (LINEAR, DENSE)][1:]
    return {f"{way}, against the {model}": vulnerability(rise, way, model).max(skipna=False) for way, model in readings}


def correlations(pair: tuple[xr.DataArray, xr.DataArray]) -> dict[str, float]:
    """How vulnerability and features per dimension go together."""
    return {"of values": pearsonr(*pair).statistic, "of ranks": spearmanr(*pair).statistic}


def vulnerability_claims(data: xr.Dataset) -> list[Claim]:
    """How vulnerable models are, and what that goes with."""
    rises, roomy = seeds_of(data["rise"]), seeds_of(data["roomy_rise"])
    ratios, beside, per = list(map(vulnerability, rises)), list(map(vulnerability, roomy)), seeds_of(data["per_dimension"])
    seeds = len(ratios)
    claim = partial(Claim, evidence=every(data["per_dimension"]), needs=5)
    correlated = partial(
        claim,
        how="correlation of vulnerability and ||W||^2 / m over the densities",
        of=list(zip(ratios, per, strict=True)),
        against={ROOMY: list(zip(beside, per, strict=True))},
    )
    others = by_other_readings(rises[0])
    return [
        claim(
            "dense",
            "Without superposition there is no extra vulnerability.",
            source=OURS,
            how="vulnerability at density 1",
            of=[ratio[0] for ratio in ratios],
            against={"density 0.1": [ratio.sel(density=0.1, method="nearest") for ratio in ratios]},
            **in_each_seed(float, near(1, 0.15)),
            evidence=Evidence(f"{seeds} models", seeds),
        ),
        claim(
            "more-than-three",
            "Vulnerability rises sharply as superposition forms, by more than a factor of three.",
            source=paper(
                SECTION,
                "vulnerability to adversarial examples sharply increases as superposition forms (increasing by >3x)",
            ),
            how="highest vulnerability over densities 1 to 0.01; each example's worst row, against the best linear model",
            **in_each_seed(highest, {"highest": above(3)}),
            of=ratios,
            against={ROOMY: beside},
        ),
        claim(
            "other-readings",
            "So it does by every other reading of what vulnerability is.",
            source=OURS,
            how="the same with rows of both signs, with one row for all examples, and against the ReLU model of dense inputs",
            **in_each_seed(by_other_readings, dict.fromkeys(others, above(3))),
            of=rises,
            against={ROOMY: roomy},
            note="The paper's words choose the reading of the claim before this one (see the experiment's description).",
        ),
        correlated(
            "tracks",
            "Vulnerability tracks the number of features per dimension.",
            source=paper(
                SECTION,
                "the level of vulnerability closely tracks the number of features per dimension",
            ),
            **in_each_seed(correlations, {"of ranks": above(0.9)}),
        ),
        correlated(
            "linear-relation",
            "One is nearly a linear function of the other.",
            source=paper(
                SECTION,
                "highly correlated with the number of features stored in superposition per dimension",
            ),
            **in_each_seed(correlations, {"of values": above(0.9)}),
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements about adversarial examples."""
    ascents = data[["ascent", "refined", "unmoved"]] / data["analytic"]
    shares = ascents.assign(resting=data["resting"]).rename(checked="density")
    shares = shares.assign_coords(density=shares["density"].round(3))
    attacked = data["rise"].sel(model="trained").sel(density=data["checked"].values, method="nearest")
    stronger = (attacked.sel(way=BOTH) / attacked.sel(way=ONE)).assign_coords(density=shares["density"])
    roomy = (data["roomy_refined"] / data["roomy_analytic"]).rename(checked="density").assign_coords(density=shares["density"])
    examples, steps = f"{CHECKED_EXAMPLES} examples", f"{ASCENT_STEPS} steps"
    ascent = partial(Claim, evidence=every(data["ascent"], places={"checked": "densities"}).adding(examples, steps), needs=5)
    return [
        *vulnerability_claims(data),
        ascent(
            "masked",
            "Attacks by gradients are difficult on extremely sparse inputs, where nearly all outputs rest at zero.",
            source=paper(
                SECTION,
                "where ReLU neurons are in the zero regime 99% of the time, attacks were difficult",
            ),
            how="rise of the loss by gradient ascent from the input itself over that by the analytic attack, at one density",
            **in_each_seed(
                lambda at: {"rise": at["unmoved"], "at density": at["density"], "share of outputs at rest": at["resting"]},
                {"rise": below(0.5)},
            ),
            of=seeds_of(shares.isel(density=-1)),
            against={"the densest of those checked": seeds_of(shares.isel(density=0))},
            units={"share of outputs at rest": "%"},
            lacking="" if (shares["resting"][-1] >= 0.99).all() else "99 % of the outputs at rest",
            note="The paper speaks of 99 % of the outputs. Those that are not at rest lead the ascent.",
        ),
        ascent(
            "not-weaker",
            "The analytic attack is not weaker than attacks by gradients.",
            source=paper(SECTION, "we found it worked better to analytically derive adversarial attacks"),
            how="rise of the loss by gradient ascent, each example's best of four random starts, over the analytic attack's, "
            "rows of both signs",
            **in_each_seed(lambda share: share, at_most(1.05)),
            of=seeds_of(shares["ascent"]),
            against={"one row for all in its place": seeds_of(shares["ascent"] * stronger)},
        ),
        ascent(
            "optimal",
            "Optimal for one feature is not optimal for the loss: ascent from the analytic attack does more damage.",
            source=OURS,
            how="rise of the loss by gradient ascent that begins at the analytic attack, over that by the attack alone",
            **in_each_seed(lambda share: share, at_least(1.05)),
            of=seeds_of(shares["refined"]),
            against={ROOMY: seeds_of(roomy)},
            note="A row of W^T W moves one output most; the loss counts them all, and several rows together hurt more.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Vulnerability and features per dimension."""
    first = data.isel(seed=0)
    ratios = {f"{way}, against the {LINEAR}": vulnerability(first["rise"], way) for way in WAYS}
    ratios[f"{EACH}, against the {DENSE}"] = vulnerability(first["rise"], reference=DENSE)
    return {
        "vulnerability": Figure(
            tg.figures.vulnerability_panels(ratios, first["per_dimension"]),
            "How much an attack of a tenth of the input norm raises the loss, relative to a model without superposition. As "
            "inputs become sparse, features share dimensions and vulnerability rises with them; right, one against the other.",
        )
    }


experiment = Experiment(
    __name__,
    title="Superposition makes models vulnerable to adversarial examples",
    paper="Section 7, adversarial robustness (F28, F29, F30)",
    seconds={"quick": 20, "paper": 900},
    order=1,
)
