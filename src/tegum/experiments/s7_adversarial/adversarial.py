"""Adversarial vulnerability: it rises where superposition forms, and with the number of features per dimension.

Paper: section 7 (F28, F29, F30).  The attack pushes the input along the row of W^T W that hurts most, by a tenth of the
average input norm; vulnerability is the rise of the loss, relative to that of a model without superposition.  Not given: n, m,
the densities, the reference, whether directions have both signs, whether the worst row is chosen for each example.  Here:
n = 100, m = 10 (paper profile 400, 30), equal importances, densities 1 to 0.01, AdamW at 3e-3 without decay, one model each;
each example meets its own worst row of either sign; the reference is the best linear model of the same features, or the ReLU
model trained on dense inputs.  One worst row for all examples, and rows of positive sign only, are measured too.
"""

from functools import partial

import numpy as np
import xarray as xr
from scipy.stats import pearsonr, spearmanr

import tegum as tg
from tegum.attacks import Maximum, Signs, analytic_attack, average_norm, gradient_attack, without_superposition
from tegum.claims import OURS, Claim, Evidence, above, at_least, at_most, below, every, near, paper
from tegum.experiments import Experiment, Figure, Profile

SIZE: dict[Profile, tuple[int, int]] = {"quick": (100, 10), "paper": (400, 30)}
COUNT: dict[Profile, int] = {"quick": 13, "paper": 25}
SAMPLES: dict[Profile, int] = {"quick": 1000, "paper": 2000}
QUICK = tg.Recipe(steps=5000, batch_size=512, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=1)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=8000, batch_size=1024)}
LIMIT = 0.1
WAYS: dict[str, tuple[Maximum, Signs]] = {
    "each example": ("example", "both"),
    "each example, positive sign": ("example", "positive"),
    "one row for all": ("model", "both"),
}
SECTION = "Relationship to Adversarial Robustness"
LINEAR, DENSE = "best linear model", "dense ReLU model"
CHECKED_EXAMPLES, ASCENT_STEPS = 300, 40


def study(profile: Profile) -> xr.Dataset:
    """Loss under attack at every density, and the vulnerability of models that have a dimension for every feature."""
    n, m = SIZE[profile]
    models, roomy = trained(n, m, profile), trained(m, m, profile)
    data = against_gradients(models).assign(
        rise=under_attack(models, SAMPLES[profile]),
        per_dimension=("density", 1 / tg.geometry.dimensions_per_feature(models["W"].values)),
        roomy=vulnerability(under_attack(roomy, SAMPLES[profile])),
    )
    return data.assign_attrs(models.attrs)


def trained(n: int, m: int, profile: Profile) -> xr.Dataset:
    """One ReLU-output model at each density."""
    sweep = {"density": np.geomspace(1, 0.01, COUNT[profile]).tolist()}
    run = tg.train(tg.nets.ReluOutput(n, m), tg.features.Independent(n), RECIPE[profile], sweep=sweep)
    return run[["W", "b"]].isel(seed=0, drop=True).astype(np.float64)


def under_attack(models: xr.Dataset, samples: int) -> xr.DataArray:
    """By how much every kind of attack raises the loss of the trained model and of both references; (density, way, model)."""
    m, n = models["W"].shape[1:]
    W, b, rise = models["W"].values, models["b"].values, []
    for k, density in enumerate(models["density"].values):
        features = tg.features.Independent(n, density=density)
        x = features.sample(samples, seed=1)
        size = LIMIT * average_norm(x)
        three = [(W[k], b[k]), without_superposition(features, m), (W[0], b[0])]
        rise.append([[analytic_attack(*each, x, size, maximum=a, signs=s).rise for each in three] for a, s in WAYS.values()])
    return xr.DataArray(rise, [models["density"], ("way", list(WAYS)), ("model", ["trained", LINEAR, DENSE])])


def against_gradients(models: xr.Dataset) -> xr.Dataset:
    """How much gradient ascent raises the loss: from random directions, the analytic attack, and the input itself."""
    rows = []
    for density in (0.3, 0.1, 0.03, 0.01):
        model = models.sel(density=density, method="nearest")
        W, b, p = model["W"].values, model["b"].values, float(model["density"])
        x = tg.features.Independent(W.shape[-1], density=p).sample(CHECKED_EXAMPLES, seed=2)
        size = LIMIT * average_norm(x)
        attack = analytic_attack(W, b, x, size)
        row = {"checked_density": p, "analytic": attack.rise, "resting": (x @ W.T @ W + b <= 0).mean()}
        for name, initial in (("ascent", None), ("refined", attack.perturbations), ("unmoved", np.zeros_like(x))):
            row[name] = gradient_attack(W, b, x, size, steps=ASCENT_STEPS, initial=initial).rise
        rows.append(row)
    return xr.Dataset({name: ("checked", [row[name] for row in rows]) for name in rows[0]})


def vulnerability(rise: xr.DataArray, way: str = "each example", reference: str = LINEAR) -> xr.DataArray:
    """The rise of the loss of the trained model over that of the reference."""
    here = rise.sel(way=way, drop=True)
    return here.sel(model="trained", drop=True) / here.sel(model=reference, drop=True)


def claims(data: xr.Dataset) -> list[Claim]:  # long: one declaration after the other
    """The statements about adversarial examples."""
    rise, per, checked = data["rise"], data["per_dimension"].values, data["checked_density"].values
    ratio = vulnerability(rise)
    others = {f"{way}, against the {model}": vulnerability(rise, way, model) for way in WAYS for model in (LINEAR, DENSE)}
    readings = "; ".join(f"{name}: {float(other.max()):.2f}" for name, other in others.items())
    shares = (data[["ascent", "refined", "unmoved"]] / data["analytic"]).assign(resting=data["resting"])
    shares = shares.rename(checked="density").assign_coords(density=checked.round(3))
    attacked = rise.sel(model="trained").sel(density=checked, method="nearest").assign_coords(density=shares["density"])
    stronger = attacked.sel(way="each example") / attacked.sel(way="one row for all")
    claim = partial(Claim, evidence=every(ratio, over="density").adding("one at each density"))
    correlated = partial(
        claim,
        how="correlation of vulnerability and ||W||^2 / m over the densities",
        measure=lambda pair: {"of values": pearsonr(*pair).statistic, "of ranks": spearmanr(*pair).statistic},
        of=(ratio, per),
        against={"models with a dimension for every feature": (data["roomy"], per)},
    )
    examples, steps = f"{CHECKED_EXAMPLES} examples", f"{ASCENT_STEPS} steps"
    by_each = Evidence(f"{examples} at each of {len(checked)} densities, {steps}")
    return [
        claim(
            "dense",
            "Without superposition there is no extra vulnerability.",
            source=OURS,
            how="vulnerability at density 1",
            expect=near(1, 0.15),
            of=ratio[0],
            against={"density 0.1": ratio.sel(density=0.1, method="nearest")},
            evidence=Evidence("1 model", 1),
        ),
        claim(
            "more-than-three",
            "Vulnerability rises sharply as superposition forms, by more than a factor of three.",
            source=paper(
                SECTION,
                "vulnerability to adversarial examples sharply increases as superposition forms (increasing by >3x)",
            ),
            how="highest vulnerability over densities 1 to 0.01",
            measure=lambda ratio: {"highest": ratio.max(skipna=False), "at density": ratio.idxmax("density")},
            expect={"highest": above(3)},
            of=ratio,
            against={"models with a dimension for every feature": data["roomy"]},
            note=f"Highest by other readings: {readings}.",
        ),
        correlated(
            "tracks",
            "Vulnerability tracks the number of features per dimension.",
            source=paper(
                SECTION,
                "the level of vulnerability closely tracks the number of features per dimension",
            ),
            expect={"of ranks": above(0.9)},
        ),
        correlated(
            "linear-relation",
            "One is nearly a linear function of the other.",
            source=paper(
                SECTION,
                "highly correlated with the number of features stored in superposition per dimension",
            ),
            expect={"of values": above(0.9)},
        ),
        Claim(
            "masked",
            "Attacks by gradients are difficult on extremely sparse inputs, where nearly all outputs rest at zero.",
            source=paper(
                SECTION,
                "where ReLU neurons are in the zero regime 99% of the time, attacks were difficult",
            ),
            how="rise of the loss by gradient ascent from the input itself over that by the analytic attack, at one density",
            measure=lambda at: {"rise": at["unmoved"], "at density": at["density"], "share of outputs at rest": at["resting"]},
            expect={"rise": below(0.5)},
            of=shares.isel(density=-1),
            against={"the densest of those checked": shares.isel(density=0)},
            evidence=Evidence(f"{examples}, {steps}"),
            units={"share of outputs at rest": "%"},
            lacking="" if shares["resting"][-1] >= 0.99 else "99 % of the outputs at rest",
            note="The paper speaks of 99 % of the outputs. Those that are not at rest lead the ascent.",
        ),
        Claim(
            "not-weaker",
            "The analytic attack is not weaker than attacks by gradients.",
            source=paper(SECTION, "we found it worked better to analytically derive adversarial attacks"),
            how="rise of the loss by gradient ascent, each example's best of four random starts, over the analytic attack's",
            expect=at_most(1.05),
            of=shares["ascent"],
            against={"each example's own row over one row for all": stronger},
            evidence=by_each,
        ),
        Claim(
            "optimal",
            "Optimal for one feature is not optimal for the loss: ascent from the analytic attack does more damage.",
            source=OURS,
            how="rise of the loss by gradient ascent that begins at the analytic attack, over that by the attack alone",
            expect=at_least(1.05),
            of=shares["refined"],
            evidence=by_each,
            against={"one row for all over each example's own row": 1 / stronger},
            note="A row of W^T W moves one output most; the loss counts them all, and several rows together hurt more.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Vulnerability and features per dimension."""
    ratios = {f"{way}, against the {LINEAR}": vulnerability(data["rise"], way) for way in WAYS}
    ratios[f"each example, against the {DENSE}"] = vulnerability(data["rise"], reference=DENSE)
    return {
        "vulnerability": Figure(
            tg.figures.vulnerability_panels(ratios, data["per_dimension"]),
            "How much an attack of a tenth of the input norm raises the loss, relative to a model without superposition. As "
            "inputs become sparse, features share dimensions and vulnerability rises with them; right, one against the other.",
        )
    }


experiment = Experiment(
    __name__,
    title="Superposition makes models vulnerable to adversarial examples",
    paper="Section 7, adversarial robustness (F28, F29, F30)",
    seconds={"quick": 5, "paper": 185},
    order=1,
)
