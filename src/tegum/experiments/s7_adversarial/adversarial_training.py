"""Training under attack takes superposition apart, at the price of the loss.

Paper: section 7 (F31), two sentences without a plot: training with the analytic attack against one random feature reduces
superposition, but removing it needed attacks of 80 % of the input norm.  The world, the training, how often the feature is
drawn and the sign of the attack are not given.  Here: n = 60, m = 6 (paper profile 100, 10), equal importances, densities 0.1,
0.03 and 0.01; AdamW at 3e-3, cosine, no decay.  Every input is pushed by 0 to 0.8 of the average input norm (empty inputs
count) along the row of W^T W of a random feature, with the sign that leaves that output further from the truth; the target
stays clean, and gradients take the push as given.  The feature is drawn for each example or once for a batch: both are shown.
The clean loss is exact; robustness is the rise of the loss under the attack of F28, a tenth of the norm, each example's worst
row.  Every seed counts (means).
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.attacks import analytic_attack, average_norm
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import curve_panel

SIZE: dict[Profile, tuple[int, int]] = {"quick": (60, 6), "paper": (100, 10)}
DENSITIES = (0.1, 0.03, 0.01)
SIZES = (0.0, 0.1, 0.2, 0.4, 0.8)
DRAWS = {"example": "a feature for each example", "batch": "one feature for a batch"}
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": tg.Recipe(steps=3000, batch_size=512, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=1),
    "paper": tg.Recipe(steps=6000, batch_size=1024, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=2),
}
SAMPLES = 2000
TESTED = 0.1
GONE = 1.05


def study(profile: Profile) -> xr.Dataset:
    """Models trained under every attack; beside them as many without any, which differ by their seeds alone."""
    n, m = SIZE[profile]
    net, recipe = tg.nets.ReluOutput(n, m), RECIPE[profile]
    calm = recipe.replaced(seeds=tuple(range(100, 100 + len(SIZES))))
    worlds = []
    for density in DENSITIES:
        features = tg.features.Independent(n, density=density)
        x = features.sample(SAMPLES, seed=1)
        norm = average_norm(x)
        strengths = tg.Axis(SIZES, attack_size=[size * norm for size in SIZES])
        run = tg.train(net, features, recipe, sweep={"attack_draw": list(DRAWS), "size": strengths})
        plain = tg.train(net, features, calm).rename(seed="size").assign_coords(size=list(SIZES))
        attacked, unattacked = measured(run, features, x, TESTED * norm), measured(plain, features, x, TESTED * norm)
        world = attacked.merge(unattacked.rename({name: f"unattacked_{name}" for name in unattacked.data_vars}))
        worlds.append(world.assign_attrs(run.attrs))
    return xr.concat(worlds, "density", combine_attrs="drop_conflicts").assign_coords(density=list(DENSITIES))


def measured(run: xr.Dataset, features: tg.features.Features, x: np.ndarray, size: float) -> xr.Dataset:
    """Features per dimension, features represented, the exact clean loss, and its rise under the worst row."""
    W = run["W"].transpose(..., "hidden", "feature").values.astype(np.float64)
    b = run["b"].transpose(..., "feature").values.astype(np.float64)
    rise = np.array([analytic_attack(W[k], b[k], x, size).rise for k in np.ndindex(W.shape[:-2])]).reshape(W.shape[:-2])
    values = {
        "per_dimension": 1 / tg.geometry.dimensions_per_feature(W),
        "represented": (tg.geometry.feature_norms(W) >= 0.5).sum(axis=-1),
        "loss": tg.exact.loss(W, b, features, tol=1e-5),
        "rise": rise,
    }
    dims = [str(dim) for dim in run["W"].dims if dim not in ("hidden", "feature")]
    return xr.Dataset({name: (dims, value) for name, value in values.items()}, {dim: run[dim] for dim in dims})


def series(data: xr.Dataset, name: str) -> xr.DataArray:
    """A measure's mean over seeds, by density, draw and attack size."""
    return data[name].mean("seed").transpose("density", "attack_draw", "size")


def monotone(values: np.ndarray, sign: int) -> bool:
    """Whether every row rises (sign 1) or falls (sign -1) with every step."""
    return bool((sign * np.diff(values, axis=-1) > 0).all())


def listed(values: xr.DataArray, digits: int = 2) -> str:
    """Both draws at every density."""
    return "; ".join(
        f"density {float(p):g}: " + ", ".join(f"{float(v):.{digits}f} ({draw})" for v, draw in zip(row, DRAWS, strict=True))
        for p, row in zip(values["density"], values, strict=True)
    )


def claims(data: xr.Dataset) -> list[Claim]:
    """What the paper reports, and its prediction that robust models perform worse."""
    per, loss, rise = (series(data, name) for name in ("per_dimension", "loss", "rise"))
    per_there, loss_there, rise_there = (
        data[f"unattacked_{name}"].transpose("density", "size").values for name in ("per_dimension", "loss", "rise")
    )
    last, half = per.sel(size=0.8), per.sel(size=0.4)
    evidence = f"{len(DENSITIES)} densities, {len(DRAWS)} ways to draw, {data.sizes['seed']} seed(s) each, all counted"
    calmly = ", ".join(f"{float(v):.2f}" for v in per.sel(size=0.0, attack_draw="batch"))
    removed, needed = last.values <= GONE, half.values > GONE
    return [
        Claim(
            name="falls",
            statement="Adversarial training reduces superposition, the more the stronger the attack.",
            how="||W||^2 / m over attacks of 0, 0.1, 0.2, 0.4 and 0.8 of the input norm",
            expected="falls with every step, at every density",
            tolerance="as stated",
            measured=f"at 0.8 of the norm: {listed(last)}; without attack {calmly}",
            holds=monotone(per.values, -1),
            evidence=evidence,
            control=Control(
                "as many unattacked models, by seed",
                "falls" if monotone(per_there, -1) else "no order",
                monotone(per_there, -1),
            ),
        ),
        Claim(
            name="removed",
            statement="An attack of 80 % of the input norm removes superposition.",
            how="||W||^2 / m at 0.8",
            expected="at most 1.05",
            tolerance="at every density, whichever way the feature is drawn",
            measured=listed(last),
            holds=bool(removed.all()),
            evidence=evidence,
            control=Control("attacks of 0.1", listed(per.sel(size=0.1)), bool((per.sel(size=0.1).values <= GONE).all())),
            note="How strong an attack it takes depends on the density. Where the number is far below 1, whole features are "
            "forgotten rather than told apart: represented with a norm of 0.5 are "
            f"{listed(series(data, 'represented').sel(size=0.8), 0)}.",
        ),
        Claim(
            name="needed",
            statement="Nothing much weaker removes it.",
            how="||W||^2 / m at 0.4, where 0.8 brings it to 1.05",
            expected="above 1.05",
            tolerance="wherever 0.8 removes superposition",
            measured=listed(half),
            holds=bool(needed[removed].all()),
            evidence=evidence,
            enough=bool(removed.any()),
        ),
        Claim(
            name="worse",
            statement="Robust models perform worse (a prediction that the paper did not test).",
            how="exact clean loss after attacks of 0.8, over that of unattacked models",
            expected="above 1, and above the worst of the unattacked models, at every density",
            tolerance="as stated",
            measured=listed(loss.sel(size=0.8) / loss.sel(size=0.0)),
            holds=bool((loss.sel(size=0.8).values > loss_there.max(axis=1, keepdims=True)).all()),
            evidence=evidence,
            control=Control(
                "one unattacked model against four others",
                ", ".join(f"{value:.3f}" for value in loss_there[:, 0] / loss_there[:, 1:].max(axis=1)),
                bool((loss_there[:, 0] > loss_there[:, 1:].max(axis=1)).all()),
            ),
            note=f"An attack of 0.2 costs: {listed(loss.sel(size=0.2) / loss.sel(size=0.0), 3)}.",
        ),
        Claim(
            name="robust",
            statement="They are robust: the worst row of W^T W raises their loss less.",
            how="rise of the loss under each example's worst row, a tenth of the norm, after attacks of 0.8, over that of "
            "unattacked models",
            expected="below 1, and below the least of the unattacked models, at every density",
            tolerance="as stated",
            measured=listed(rise.sel(size=0.8) / rise.sel(size=0.0)),
            holds=bool((rise.sel(size=0.8).values < rise_there.min(axis=1, keepdims=True)).all()),
            evidence=f"{evidence}; {SAMPLES} examples",
            control=Control(
                "one unattacked model against four others",
                ", ".join(f"{value:.2f}" for value in rise_there[:, 0] / rise_there[:, 1:].min(axis=1)),
                bool((rise_there[:, 0] < rise_there[:, 1:].min(axis=1)).all()),
            ),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Superposition, and what its loss costs, by the strength of the attack."""

    def curves(values: xr.DataArray) -> dict[str, xr.DataArray]:
        return {
            f"density {density:g}, {name}": values.sel(density=density, attack_draw=draw, drop=True)
            for density in DENSITIES
            for draw, name in DRAWS.items()
        }

    strength = "attack in training, share of the average input norm"
    loss = series(data, "loss")
    return {
        "superposition": Figure(
            curve_panel(curves(series(data, "per_dimension")), strength, "features per dimension ‖W‖² / m"),
            "The stronger the attack that a model is trained against, the fewer features share a dimension; one per dimension "
            "would be no superposition. How far an attack must go depends on how sparse the world is.",
        ),
        "price": Figure(
            curve_panel(curves(loss / loss.sel(size=0.0)), strength, "exact clean loss, relative to no attack"),
            "What robustness costs: the loss on clean inputs, relative to the model that was never attacked.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Adversarial training takes superposition apart",
    paper="Section 7, adversarial training (F31)",
    seconds={"quick": 4, "paper": 50},
    study=study,
    figures=figures,
    claims=claims,
    order=2,
)
