"""Training under attack takes superposition apart, at the cost of a higher loss.

Paper: section 7 (F31), two sentences without a plot: training with the analytic attack against one random feature reduces
superposition, but removing it needed attacks of 80 % of the input norm.  The data distribution, the training, how often the
feature is drawn and the sign of the attack are not given.  Here: n = 60, m = 6 (paper profile 100, 10), equal importances,
densities 0.1, 0.03 and 0.01; AdamW at 3e-3, cosine, no decay.  Every input is pushed by 0 to 0.8 of the average input norm
(empty inputs count) along the row of W^T W of a random feature, drawn for each example or once for a batch, with the sign that
leaves that output further from the truth; the target stays clean, and gradients take the push as given.  The clean loss is
exact; robustness is the rise of the loss under F28's attack, both ways, of a tenth of the norm.  Every seed is judged by
itself.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr

import tegum as tg
from tegum.attacks import analytic_attack, average_norm
from tegum.claims import OURS, Claim, Evidence, above, at_most, below, every, in_each_seed, paper
from tegum.claims.words import listed, number
from tegum.experiments import Experiment, Figure, Profile

SIZE: dict[Profile, tuple[int, int]] = {"quick": (60, 6), "paper": (100, 10)}
DENSITIES = (0.1, 0.03, 0.01)
SIZES = (0.0, 0.1, 0.2, 0.4, 0.8)
DRAWS = {"example": "a feature for each example", "batch": "one feature for a batch"}
QUICK = tg.Recipe(steps=3000, batch_size=512, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=5)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=6000, batch_size=1024)}
SAMPLES = 2000
GONE = 1.05
KEPT = "features with a norm of 0.5"


def study(profile: Profile) -> xr.Dataset:
    """Models trained under every attack; beside them as many without any, which differ by their seeds alone."""
    n, m = SIZE[profile]
    net, recipe = tg.nets.ReluOutput(n, m), RECIPE[profile]
    others = recipe.replaced(seeds=tuple(range(100, 100 + len(SIZES))))
    found = []
    for density in DENSITIES:
        features = tg.features.Independent(n, density=density)
        x = features.sample(SAMPLES, seed=1)
        norm = average_norm(x)
        strengths = tg.Axis(SIZES, attack_size=[size * norm for size in SIZES])
        run = tg.train(net, features, recipe, sweep={"attack_draw": list(DRAWS), "size": strengths})
        plain = tg.train(net, features, others).rename(seed="size").assign_coords(size=list(SIZES))
        attacked, unattacked = (measured(models, features, x, 0.1 * norm) for models in (run, plain))
        both = attacked.merge(unattacked.rename({name: f"unattacked_{name}" for name in unattacked.data_vars}))
        found.append(both.assign_attrs(run.attrs))
    return xr.concat(found, "density", combine_attrs="drop_conflicts").assign_coords(density=list(DENSITIES))


def measured(run: xr.Dataset, features: tg.features.Features, x: np.ndarray, size: float) -> xr.Dataset:
    """Features per dimension, features represented, the exact clean loss, and its rise under the worst row."""
    W, b = (run[name].values.astype(np.float64) for name in ("W", "b"))
    rise = [analytic_attack(W[k], b[k], x, size).rise for k in np.ndindex(W.shape[:-2])]
    values = {
        "per_dimension": 1 / tg.geometry.dimensions_per_feature(W),
        "represented": (tg.geometry.feature_norms(W) >= 0.5).sum(axis=-1),
        "loss": tg.exact.loss(W, b, features, tol=1e-5),
        "rise": np.reshape(rise, W.shape[:-2]),
    }
    return xr.Dataset({name: (run["loss"].dims, value) for name, value in values.items()}, run["loss"].coords)


def in_half(pair: tuple[xr.DataArray, xr.DataArray]) -> dict[str, Any]:
    """Features per dimension at half the strength, everywhere and where the full strength removes superposition."""
    half, last = pair
    return {"everywhere": half, "where 0.8 removes superposition": half.values[last.values <= GONE]}


def claims(data: xr.Dataset) -> list[Claim]:  # long: one declaration after the other
    """What the paper reports, and its prediction that robust models perform worse."""
    named = data.rename(attack_draw="draw").assign_coords(draw=[f"per {draw}" for draw in DRAWS])
    seeds = [named.sel(seed=seed, drop=True) for seed in data["seed"].values]
    per, relative = [each["per_dimension"] for each in seeds], seeds[0] / seeds[0].sel(size=0.0)
    last, half = [each.sel(size=0.8) for each in per], [each.sel(size=0.4) for each in per]
    held = [xr.Dataset({"features per dimension": each["per_dimension"], KEPT: each["represented"]}) for each in seeds]

    def after(*sizes: float) -> Evidence:
        """All models after attacks of these sizes."""
        return every(data["loss"].rename(attack_draw="draw", size="attack size").sel({"attack size": list(sizes)}))

    def beside_unattacked(name: str) -> dict[str, Any]:
        """Models after attacks of 0.8 beside unattacked ones, and as a control one of these beside the others."""
        plain = named[f"unattacked_{name}"]
        control = {"one unattacked model beside four others": [(plain[:, 0], plain[:, 1:])]}
        return {"of": [(each[name].sel(size=0.8), plain) for each in seeds], "against": control}

    beside = after(0.8).adding(f"{data.sizes['size']} unattacked ones at each density")
    claim = partial(Claim, needs=5)
    return [
        claim(
            "falls",
            "Adversarial training reduces superposition, the more the stronger the attack.",
            source=paper("Relationship to Adversarial Robustness", "We found that this did reduce superposition"),
            how=f"||W||^2 / m over attacks of {', '.join(f'{size:g}' for size in SIZES)} of the input norm",
            **in_each_seed(
                lambda per: {"at 0": per.sel(size=0.0), "at 0.8": per.sel(size=0.8), "change each step": per.diff("size")},
                {"change each step": below(0)},
            ),
            of=per,
            against={"as many unattacked models, by seed": [named["unattacked_per_dimension"]]},
            evidence=after(*SIZES),
        ),
        claim(
            "removed",
            "An attack of 80 % of the input norm removes superposition.",
            source=paper(
                "Relationship to Adversarial Robustness",
                "attacks had to be made unreasonably large (80% input L2 norm) to fully eliminate it",
            ),
            how="||W||^2 / m at 0.8, at every density, whichever way the feature is drawn",
            **in_each_seed(lambda held: held, {"features per dimension": at_most(GONE)}),
            of=[each.sel(size=0.8) for each in held],
            against={"attacks of 0.1": [each.sel(size=0.1) for each in held]},
            evidence=after(0.8),
            note="How much it takes depends on the density; far below 1, features are forgotten rather than told apart.",
        ),
        claim(
            "needed",
            "Nothing much weaker removes it.",
            source=paper(
                "Relationship to Adversarial Robustness",
                "attacks had to be made unreasonably large (80% input L2 norm) to fully eliminate it",
            ),
            how=f"||W||^2 / m at 0.4, where 0.8 brings it to {GONE}",
            **in_each_seed(in_half, {"where 0.8 removes superposition": above(GONE)}),
            of=list(zip(half, last, strict=True)),
            uncontrolled="attacks of other sizes are what it is about, and none of other models are made",
            evidence=after(0.4, 0.8),
            lacking="" if any((each <= GONE).any() for each in last) else "an attack that removes it: 0.8 does so nowhere",
        ),
        claim(
            "worse",
            "Robust models perform worse (a prediction that the paper did not test).",
            source=paper(
                "Relationship to Adversarial Robustness",
                "It also predicts that adversarially robust models would have worse performance",
            ),
            how="exact clean loss after attacks of 0.8, over the highest of several unattacked models",
            **in_each_seed(lambda pair: pair[0] / pair[1].max("size", skipna=False), above(1)),
            note=f"Over the same model unattacked, first seed: {listed(relative['loss'].sel(size=[0.2, 0.8]), number)}.",
            evidence=beside,
            **beside_unattacked("loss"),
        ),
        claim(
            "robust",
            "They are robust: the worst row of W^T W raises their loss less.",
            source=OURS,
            how="rise of the loss under each example's worst row, a tenth of the norm, after attacks of 0.8, over the lowest "
            "of several unattacked models",
            **in_each_seed(lambda pair: pair[0] / pair[1].min("size", skipna=False), below(1)),
            note=f"Over the same model unattacked, first seed: {listed(relative['rise'].sel(size=0.8), number)}.",
            evidence=beside.adding(f"{SAMPLES:,} examples"),
            **beside_unattacked("rise"),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Superposition, and what it costs to be rid of it, by the strength of the attack."""
    means = data.mean("seed")

    def by_strength(values: xr.DataArray, label: str, caption: str) -> Figure:
        curves = {
            f"density {density:g}, {name}": values.sel(density=density, attack_draw=draw, drop=True)
            for density in DENSITIES
            for draw, name in DRAWS.items()
        }
        return Figure(tg.figures.curve_panel(curves, "attack in training / average input norm", label), caption)

    return {
        "superposition": by_strength(
            means["per_dimension"],
            "features per dimension ‖W‖² / m",
            "The stronger the attack that a model is trained against, the fewer features share a dimension; one per dimension "
            "would be no superposition. How far an attack must go depends on how sparse the features are.",
        ),
        "cost": by_strength(
            means["loss"] / means["loss"].sel(size=0.0),
            "exact clean loss, relative to no attack",
            "What robustness costs: the loss on clean inputs, relative to the model that was never attacked.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Adversarial training takes superposition apart",
    paper="Section 7, adversarial training (F31)",
    seconds={"quick": 18, "paper": 125},
    order=2,
)
