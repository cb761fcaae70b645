"""A ReLU on the hidden layer gives neurons a meaning: raw weights can be read, most neurons belong to one feature.

Paper: section 8, raw weights of a linear-hidden and a ReLU-hidden model (F32), sizes and training not given.  Here both
families have n = 10, m = 5, importance 0.75^i, as in the sweep that follows it, at densities from 1 to 0.05, with Xavier
starts and AdamW at 3e-3 without decay, cosine schedule to 0.  A neuron is dedicated if its largest |weight| is more than 5
times the second largest.  Moderate sparsity is read as densities 0.5 and 0.3.  Chance is the share among random rotations of
the trained linear models, which compute the same.  All seeds count beside the best by loss.  Baseline: without superposition
five neurons have a feature each, and all of them are dedicated.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import NeuronPanel, curve_panel, stack_panels
from tegum.geometry import monosemantic, random_rotations, second_to_first

DENSITIES = [1.0, 0.7, 0.5, 0.3, 0.2, 0.15, 0.1, 0.05]
MODERATE = [0.5, 0.3]
NETS = {"ReLU-hidden": tg.nets.ReluHidden(10, 5), "linear-hidden": tg.nets.ReluOutput(10, 5)}
FEATURES = tg.features.Independent(10, importance=tg.features.geometric(0.75, 10))
RECIPE = tg.Recipe(learning_rate=3e-3, schedule="cosine", weight_decay=0)
SIZE: dict[Profile, tg.Recipe] = {
    "quick": RECIPE.replaced(steps=4000, batch_size=256, seeds=32),
    "paper": RECIPE.replaced(steps=10_000, batch_size=1024, seeds=32, evaluation_samples=2**20),
}
TIMES_SECOND = 5
ROTATIONS = 200


def study(profile: Profile) -> xr.Dataset:
    """Both families at all densities."""
    runs = [tg.train(net, FEATURES, SIZE[profile], sweep={"density": DENSITIES}) for net in NETS.values()]
    data = xr.concat(runs, "net", combine_attrs="drop_conflicts", join="exact").assign_coords(net=list(NETS))
    data.attrs["interrupted"] = max(run.attrs["interrupted"] for run in runs)
    return data


def dedicated(data: xr.Dataset, net: str) -> xr.DataArray:
    """The share of dedicated neurons in every model."""
    W = data["W"].sel(net=net).transpose(..., "seed", "hidden", "feature").astype(np.float64)
    share = (second_to_first(W.values) < 1 / TIMES_SECOND).mean(axis=-1)
    return xr.DataArray(share, dims=W.dims[:-2], coords={"density": data["density"]})


def chance(data: xr.Dataset, net: str) -> xr.DataArray:
    """The same share after random rotations of the hidden layer, averaged over them."""
    W = data["W"].sel(net=net).transpose("density", "seed", "hidden", "feature").values.astype(np.float64)
    share = (second_to_first(random_rotations(W, ROTATIONS, seed=0)) < 1 / TIMES_SECOND).mean(axis=(0, -1))
    return xr.DataArray(share, dims=("density", "seed"), coords={"density": data["density"]})


def best_share(data: xr.Dataset, net: str) -> xr.DataArray:
    """The share in the models with the lowest loss."""
    return dedicated(data, net).isel(seed=data["loss"].sel(net=net).argmin("seed"))


def far_from_chance(data: xr.Dataset, net: str) -> tuple[str, bool]:
    """The share of all models beside that of their rotations, and whether 3 standard errors lie between them."""
    share, by_chance = float(dedicated(data, net).mean()), float(chance(data, net).mean())
    error = np.sqrt(max(share, by_chance) / data["W"].sel(net=net, feature=0).size)
    return f"{share:.1%} of neurons, {by_chance:.1%} after rotation", bool(abs(share - by_chance) > 3 * error)


def claims(data: xr.Dataset) -> list[Claim]:
    """Readable with a ReLU, chance without."""
    best = {net: best_share(data, net).sel(density=MODERATE).values for net in NETS}
    mean = {net: dedicated(data, net).mean("seed").sel(density=MODERATE).values for net in NETS}
    shown = {net: ", ".join(f"{a:.0%} (all: {b:.0%})" for a, b in zip(best[net], mean[net], strict=True)) for net in NETS}
    text, far = far_from_chance(data, "linear-hidden")
    evidence, enough = f"{data.sizes['seed']} models at each of {len(DENSITIES)} densities", data.sizes["seed"] >= 16
    return [
        Claim(
            name="readable-with-relu",
            statement="Behind a ReLU many neurons are dedicated to one feature: the weights can be read directly.",
            how="neurons whose largest |weight| is more than 5 times the second, in the best model at densities 0.5 and 0.3",
            expected="at least 60 %",
            tolerance="none",
            measured=shown["ReLU-hidden"],
            holds=bool((best["ReLU-hidden"] >= 0.6 - 1e-9).all()),
            evidence=evidence,
            enough=enough,
            control=Control(
                "models with a linear hidden layer",
                shown["linear-hidden"],
                bool((best["linear-hidden"] >= 0.6 - 1e-9).all()),
            ),
            note="In brackets the mean over all models. Where features are so sparse that neurons share them, fewer are "
            f"dedicated: {float(best_share(data, 'ReLU-hidden')[-1]):.0%} in the best model at the lowest density.",
        ),
        Claim(
            name="chance-without",
            statement="Without a ReLU the weights of a neuron mean nothing: dedicated neurons are as rare as by chance.",
            how=f"the share in all linear-hidden models, against {ROTATIONS} random rotations of each",
            expected="no difference",
            tolerance="3 standard errors",
            measured=text,
            holds=not far,
            evidence=evidence,
            enough=enough,
            control=Control("ReLU-hidden models against their rotations", *_near(*far_from_chance(data, "ReLU-hidden"))),
        ),
    ]


def _near(text: str, far: bool) -> tuple[str, bool]:
    return text, not far


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Raw weights side by side, and the share over densities."""
    panels = {}
    for net in NETS:
        for p in MODERATE:
            W = tg.best(data.sel(net=net, density=p))["W"].values.astype(np.float64)
            panels[f"{net}<br>p = {p:g}"] = NeuronPanel(W, ~monosemantic(W, 0.3))
    curves = {f"{net}, best": best_share(data, net) for net in NETS}
    curves |= {f"{net}, all": dedicated(data, net).mean("seed") for net in NETS}
    curves["linear-hidden, rotated at random"] = chance(data, "linear-hidden").mean("seed")
    return {
        "weights": Figure(
            stack_panels(panels, matrix=True),
            f"The raw weights (above) and each neuron's weights as a stack (below) of the best of {data.sizes['seed']} models. "
            "With a ReLU on the hidden layer a column has one large entry where a neuron belongs to one feature; without, any "
            "rotation would do as well and every neuron is a mixture. Neurons on grey hold several features.",
        ),
        "dedicated": Figure(
            curve_panel(curves, "density", "share of dedicated neurons", log_x=True),
            "The share of neurons whose largest weight is more than five times the second. Behind a ReLU it is highest at "
            "moderate density: where all features are on the ReLU hardly cuts, and where they are sparse neurons share them. "
            "Without a ReLU it is to be compared with the share after random rotations.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Behind a ReLU raw weights can be read",
    paper="Section 8, superposition in a privileged basis (F32)",
    seconds={"quick": 4, "paper": 35},
    study=study,
    figures=figures,
    claims=claims,
    order=1,
)
