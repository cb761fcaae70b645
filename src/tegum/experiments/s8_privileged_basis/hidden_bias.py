"""Why the ReLU-hidden models have no hidden bias and few features: otherwise their neurons run linearly.

Paper: section 8, limitations told without a plot (F35).  (a) A model with a hidden bias makes it positive, so that its ReLUs
hardly ever cut; (b) without one but with many features the sum of many small inputs does the same.  Here
y = ReLU(W^T ReLU(W x + c) + b), m = 5, Xavier initial weights, c starts at 0, AdamW at 3e-3 without decay, cosine schedule to
0, every seed counts.  (a): n = 10, importance 0.75^i, densities 1 to 0.05 (the sweep of F34).  (b): equal importances, n = 10,
50 and 200, the same densities; moderate density is read as 0.5 and 0.3.  A hidden unit is active where its input is above 0, on
fresh samples.  Baseline of (a): the linear-hidden model of the same features, whose loss a model that runs linearly must reach.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import Claim, above, best_of, equal, every, near, paper
from tegum.claims.words import listed, number
from tegum.experiments import Experiment, Figure, Profile

DENSITIES = [1.0, 0.5, 0.3, 0.1, 0.05]
M = 5
BIASED, PLAIN, LINEAR = "with a hidden bias, n = 10", "without, n = 10", "linear-hidden, n = 10"
NETS = {
    BIASED: tg.nets.ReluHidden(10, M, hidden_bias=True),
    PLAIN: tg.nets.ReluHidden(10, M),
    LINEAR: tg.nets.ReluOutput(10, M),
}
COUNTS = (10, 50, 200)
QUICK = tg.Recipe(steps=3000, batch_size=256, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=16)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=6000, batch_size=1024, seeds=32)}
MANY_SEEDS: dict[Profile, int] = {"quick": 5, "paper": 8}


def study(profile: Profile) -> xr.Dataset:
    """Models with and without hidden bias, and models of more and more features."""
    recipe, few = RECIPE[profile], tg.features.Independent(10, importance=tg.features.geometric(0.75, 10))
    runs = {name: trained(net, few, recipe) for name, net in NETS.items()}
    fewer = recipe.replaced(seeds=MANY_SEEDS[profile])
    crowd = [trained(tg.nets.ReluHidden(n, M), tg.features.Independent(n), fewer)["active"] for n in COUNTS]
    return xr.Dataset(
        {
            "active": xr.concat([runs[name]["active"] for name in (BIASED, PLAIN)], xr.Variable("bias", [BIASED, PLAIN])),
            "crowd_active": xr.concat(crowd, xr.Variable("features", list(COUNTS))).rename(seed="crowd_seed"),
            "b_hidden": runs[BIASED]["b_hidden"],
            "loss": xr.concat([run["loss"] for run in runs.values()], xr.Variable("kind", list(runs))),
        },
        attrs=runs[BIASED].attrs,
    )


def trained(net: tg.nets.Net, features: tg.features.Independent, recipe: tg.Recipe) -> xr.Dataset:
    """Models at every density, and how often the hidden units of each are ``active``, averaged over the units."""
    run = tg.train(net, features, recipe, sweep={"density": DENSITIES})
    active = []
    for density in DENSITIES:
        x = features.replaced(density=density).sample(4096, seed=1).astype(np.float32)
        params = {name: run[name].sel(density=density).values for name in net.parameter_shapes()}
        h = net.hidden(params, np.broadcast_to(x, (run.sizes["seed"], *x.shape)))
        active.append((h > 0).mean(axis=(-2, -1)))
    return run.assign(active=run["loss"].copy(data=active))


def claims(data: xr.Dataset) -> list[Claim]:
    """Both ways to run linearly."""
    positive, active = (data["b_hidden"] > 0).mean(("seed", "hidden")), data["active"].mean("seed")
    crowd, lowest = data["crowd_active"].mean("crowd_seed"), data["loss"].min("seed")
    relative = lowest / lowest.sel(kind=LINEAR, drop=True)
    fewest, most = data["features"].values[[0, -1]]
    return [
        Claim(
            "bias-positive",
            "Given a hidden bias, the model makes all of it positive and its hidden units run linearly.",
            source=paper(
                "Limitations of the ReLU Hidden Layer Toy Model",
                "given a hidden layer bias, the model will set all the biases to be positive",
            ),
            how="share of hidden biases above 0, and how often hidden units are active, at each density",
            expect={"positive": equal(1, "%"), "active": above(0.95, "%")},
            of={"positive": positive, "active": active.sel(bias=BIASED)},
            against={"without a hidden bias": {"positive": 0 * positive, "active": active.sel(bias=PLAIN)}},
            note=f"The lowest bias: {listed(data['b_hidden'].min(('seed', 'hidden')), number)}.",
            evidence=every(data["active"].isel(bias=0)),
            needs=8,
        ),
        Claim(
            "runs-linearly",
            "A model with a hidden bias is then as good as one whose hidden layer is linear.",
            source=paper(
                "Limitations of the ReLU Hidden Layer Toy Model",
                "shifting the neurons into a positive regime where they behave linearly",
            ),
            how="lowest loss over that of linear-hidden models, at each density",
            expect=near(1, 0.15),
            of=relative.sel(kind=BIASED),
            against={"without a hidden bias": relative.sel(kind=PLAIN)},
            evidence=best_of(data["loss"].isel(kind=0), "loss").adding("of each kind"),
            needs=8,
        ),
        Claim(
            "many-features",
            "Without a hidden bias but with many features, the model simulates one by averaging over features.",
            source=paper(
                "Limitations of the ReLU Hidden Layer Toy Model", "it will simulate a bias by averaging over many features"
            ),
            how=f"how often hidden units are active at n = {most}, m = {M}, at moderate densities",
            measure=lambda shares: {"active": shares.sel(density=[0.5, 0.3]), "share where sparse": shares.isel(density=[-1])},
            expect={"active": above(0.9, "%")},
            units={"share where sparse": "%"},
            of=crowd.sel(features=most),
            against={f"n = {fewest}": crowd.sel(features=fewest)},
            evidence=every(data["crowd_active"].sel(features=most), over="crowd_seed"),
            needs=5,
            note="The fewer features are active at a time, the less steady is their sum.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """How often hidden units are active, and the bias."""
    active = {BIASED: data["active"].sel(bias=BIASED).mean("seed")}
    active |= {f"without, n = {int(each['features'])}": each.mean("crowd_seed") for each in data["crowd_active"]}
    bias = {"median hidden bias, n = 10": data["b_hidden"].median(("seed", "hidden"))}
    return {
        "active": Figure(
            tg.figures.curve_panel(active, "density", "how often a hidden unit is active", log_x=True),
            "How often the hidden units are active. With a hidden bias nearly always: the ReLU hardly ever cuts and the layer "
            "is linear. Without one it cuts, unless many features are active at a time.",
        ),
        "bias": Figure(
            tg.figures.curve_panel(bias, "density", "hidden bias", log_x=True),
            "The median hidden bias over all units and models; it started at 0.",
        ),
    }


experiment = Experiment(
    __name__,
    title="With a hidden bias, or many features, hidden units run linearly",
    paper="Section 8, limitations of the ReLU-hidden model (F35)",
    seconds={"quick": 5, "paper": 50},
    order=3,
)
