"""A ReLU on the hidden layer gives neurons a meaning: raw weights can be read, most neurons belong to one feature.

Paper: section 8, raw weights of a linear-hidden and a ReLU-hidden model (F32), sizes and training not given.  Here both have
n = 10, m = 5, importance 0.75^i, as in the sweep that follows it, densities 1 to 0.05, Xavier initial weights and AdamW at 3e-3
without decay, cosine schedule to 0.  A neuron is dedicated if its largest |weight| is more than 5 times the second.  Moderate
sparsity is read as densities 0.5 and 0.3.  Chance is the share among random rotations of the linear models, which compute the
same.  All seeds count beside the best by loss.  Without superposition all neurons would be dedicated.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import Claim, at_least, at_most, best_of, every, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.recorded import of_several_nets

DENSITIES = [1.0, 0.7, 0.5, 0.3, 0.2, 0.15, 0.1, 0.05]
MODERATE = [0.5, 0.3]
RELU, LINEAR = "ReLU-hidden", "linear-hidden"
NETS = {RELU: tg.nets.ReluHidden(10, 5), LINEAR: tg.nets.ReluOutput(10, 5)}
FEATURES = tg.features.Independent(10, importance=tg.features.geometric(0.75, 10))
QUICK = tg.Recipe(steps=4000, batch_size=256, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=32)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=10_000, batch_size=1024, evaluation_samples=2**20)}
ROTATIONS = 200


def study(profile: Profile) -> xr.Dataset:
    """Both families at all densities."""
    sweep = {"density": DENSITIES}
    return of_several_nets({name: tg.train(net, FEATURES, RECIPE[profile], sweep=sweep) for name, net in NETS.items()})


def dedicated(models: xr.Dataset, rotations: int = 0) -> xr.DataArray:
    """The share of dedicated neurons in every model; on request after random rotations of its hidden layer, their mean."""
    W = models["W"].values.astype(np.float64)
    turned = tg.geometry.neurons.random_rotations(W, rotations, seed=0) if rotations else W[None]
    share = (tg.geometry.second_to_first(turned) < 1 / 5).mean(axis=(0, -1))
    return models["loss"].copy(data=share)


def best_share(models: xr.Dataset) -> xr.DataArray:
    """The share in the models with the lowest loss."""
    return dedicated(models).isel(seed=models["loss"].argmin("seed"))


def readable(models: xr.Dataset) -> dict[str, xr.DataArray]:
    """The shares in the best and in all models at moderate density, and in the best at the lowest."""
    best, mean = best_share(models), dedicated(models).mean("seed").sel(density=MODERATE)
    return {"best": best.sel(density=MODERATE), "share in all": mean, "share at the lowest density": best.isel(density=[-1])}


def beyond_chance(models: xr.Dataset) -> dict[str, float]:
    """The share of all neurons, that of their rotations, and how many standard errors lie between them."""
    share, by_chance = float(dedicated(models).mean()), float(dedicated(models, ROTATIONS).mean())
    count = models["W"].isel(feature=0).size
    # where no neuron is dedicated the error is that of one
    error = np.sqrt(max(share, by_chance, 1 / count) / count)
    return {"share dedicated": share, "after rotation": by_chance, "standard errors apart": abs(share - by_chance) / error}


def claims(data: xr.Dataset) -> list[Claim]:
    """Readable with a ReLU, chance without."""
    relu, linear = data.sel(net=RELU), data.sel(net=LINEAR)
    return [
        Claim(
            "readable-with-relu",
            "Behind a ReLU many neurons are dedicated to one feature: the weights can be read directly.",
            source=paper(
                "Superposition in a Privileged Basis", "Many of the neurons are simply dedicated to representing a feature"
            ),
            how="neurons whose largest |weight| is more than 5 times the second, in the best model at densities 0.5 and 0.3",
            measure=readable,
            expect={"best": at_least(0.6, "%")},
            units={"share in all": "%", "share at the lowest density": "%"},
            of=relu,
            against={"models with a linear hidden layer": linear},
            evidence=best_of(relu.sel(density=MODERATE), "loss"),
            needs=16,
            note="Where features are so sparse that neurons share them, fewer are dedicated.",
        ),
        Claim(
            "chance-without",
            "Without a ReLU the weights of a neuron mean nothing: dedicated neurons are as rare as by chance.",
            source=paper("Privileged vs Non-privileged Bases", "There is no reason to expect basis dimensions to be special"),
            how=f"the share in all linear-hidden models, against {ROTATIONS} random rotations of each",
            measure=beyond_chance,
            expect={"standard errors apart": at_most(3)},
            units={"share dedicated": "%", "after rotation": "%"},
            of=linear,
            against={"ReLU-hidden models against their rotations": relu},
            evidence=every(linear),
            needs=16,
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Raw weights side by side, and the share over densities."""
    panels = {}
    for net in NETS:
        for p in MODERATE:
            W = tg.best(data.sel(net=net, density=p))["W"].values.astype(np.float64)
            panels[f"{net}<br>p = {p:g}"] = tg.figures.NeuronPanel(W, ~tg.geometry.monosemantic(W, 0.3))
    curves = {f"{net}, best": best_share(data.sel(net=net)) for net in NETS}
    curves |= {f"{net}, all": dedicated(data.sel(net=net)).mean("seed") for net in NETS}
    curves[f"{LINEAR}, rotated at random"] = dedicated(data.sel(net=LINEAR), ROTATIONS).mean("seed")
    return {
        "weights": Figure(
            tg.figures.stack_panels(panels, matrix=True),
            f"The raw weights (above) and each neuron's weights as a stack (below) of the best of {data.sizes['seed']} models. "
            "With a ReLU on the hidden layer a column has one large entry where a neuron belongs to one feature; without, any "
            "rotation would do as well and every neuron is a mixture. Neurons on grey hold several features.",
        ),
        "dedicated": Figure(
            tg.figures.curve_panel(curves, "density", "share of dedicated neurons", log_x=True),
            "The share of neurons whose largest weight is more than five times the second. Behind a ReLU it is highest at "
            "moderate density: where all features are active the ReLU hardly cuts, and where they are sparse neurons share "
            "them. Without a ReLU it is to be compared with the share after random rotations.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Behind a ReLU raw weights can be read",
    paper="Section 8, superposition in a privileged basis (F32)",
    seconds={"quick": 4, "paper": 35},
    order=1,
)
