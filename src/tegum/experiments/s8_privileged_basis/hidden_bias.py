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
from tegum.claims import Claim, above, best_of, every, near
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import curve_panel

DENSITIES = [1.0, 0.5, 0.3, 0.1, 0.05]
MODERATE = [0.5, 0.3]
M = 5
BIASED, PLAIN, LINEAR = "with a hidden bias, n = 10", "without, n = 10", "linear-hidden, n = 10"
NETS = {
    BIASED: tg.nets.ReluHidden(10, M, hidden_bias=True),
    PLAIN: tg.nets.ReluHidden(10, M),
    LINEAR: tg.nets.ReluOutput(10, M),
}
COUNTS = (10, 50, 200)
RECIPE = tg.Recipe(learning_rate=3e-3, schedule="cosine", weight_decay=0)
SIZE: dict[Profile, tg.Recipe] = {
    "quick": RECIPE.replaced(steps=3000, batch_size=256, seeds=16),
    "paper": RECIPE.replaced(steps=6000, batch_size=1024, seeds=32),
}
MANY_SEEDS: dict[Profile, int] = {"quick": 4, "paper": 8}
SAMPLES = 4096


def study(profile: Profile) -> xr.Dataset:
    """Models with and without hidden bias, and models of more and more features."""
    recipe, sweep = SIZE[profile], {"density": DENSITIES}
    few = tg.features.Independent(10, importance=tg.features.geometric(0.75, 10))
    runs = {name: tg.train(net, few, recipe, sweep=sweep) for name, net in NETS.items()}
    active = [shares(NETS[name], few, runs[name]) for name in (BIASED, PLAIN)]
    crowd = []
    for n in COUNTS:
        net, features = tg.nets.ReluHidden(n, M), tg.features.Independent(n)
        crowd.append(shares(net, features, tg.train(net, features, recipe.replaced(seeds=MANY_SEEDS[profile]), sweep=sweep)))
    data = xr.Dataset(
        {
            "active": xr.concat(active, "bias").assign_coords(bias=[BIASED, PLAIN]),
            "crowd_active": xr.concat(crowd, "features").rename(seed="crowd_seed").assign_coords(features=list(COUNTS)),
            "b_hidden": runs[BIASED]["b_hidden"],
            "loss": xr.concat([run["loss"] for run in runs.values()], "kind").assign_coords(kind=list(runs)),
        },
        attrs=runs[BIASED].attrs,
    )
    data.attrs["interrupted"] = max(run.attrs["interrupted"] for run in runs.values())
    return data


def shares(net: tg.nets.Net, features: tg.features.Features, run: xr.Dataset) -> xr.DataArray:
    """How often the hidden units of every model are active, averaged over the units; (density, seed)."""
    found = []
    for density in DENSITIES:
        x = features.replaced(density=density).sample(SAMPLES, seed=1).astype(np.float32)
        params = {name: run[name].sel(density=density).values for name in net.parameter_shapes()}
        h = net.hidden(params, np.broadcast_to(x, (run.sizes["seed"], *x.shape)))
        found.append((h > 0).mean(axis=(-2, -1)))
    return run["loss"].copy(data=found)


def claims(data: xr.Dataset) -> list[Claim]:
    """Both ways to run linearly."""
    bias, active = data["b_hidden"], data["active"]
    relative = data["loss"].min("seed") / data["loss"].sel(kind=LINEAR, drop=True).min("seed")
    crowd = data["crowd_active"].mean("crowd_seed")
    fewest, most = (crowd.isel(features=k) for k in (0, -1))
    return [
        Claim(
            "bias-positive",
            "Given a hidden bias, the model makes it positive and its hidden units run linearly.",
            how="median hidden bias, and how often hidden units are active, at each density",
            measure=lambda models: {"bias": models[0].median(("seed", "hidden")), "active": models[1].mean("seed")},
            expect={"bias": above(0), "active": above(0.95, "%")},
            of=(bias, active.sel(bias=BIASED)),
            against={"without a hidden bias": (xr.zeros_like(bias), active.sel(bias=PLAIN))},
            evidence=every(active.sel(bias=BIASED)),
            needs=8,
        ),
        Claim(
            "runs-linearly",
            "A model with a hidden bias is then as good as one whose hidden layer is linear.",
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
            how=f"how often hidden units are active at n = {int(most['features'])}, m = {M}, at moderate densities",
            measure=lambda shares: {"active": shares.sel(density=MODERATE), "where sparse": shares.isel(density=[-1])},
            expect={"active": above(0.9, "%")},
            of=most,
            against={f"n = {int(fewest['features'])}": fewest},
            evidence=every(data["crowd_active"].isel(features=-1), over="crowd_seed"),
            needs=4,
            note="The fewer features are active at a time, the less steady is their sum.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """How often hidden units are active, and the bias."""
    crowd = data["crowd_active"].mean("crowd_seed")
    curves = {BIASED: data["active"].sel(bias=BIASED).mean("seed")}
    curves |= {f"without, n = {n}": crowd.sel(features=n) for n in data["features"].values}
    median = {"median hidden bias, n = 10": data["b_hidden"].median(("seed", "hidden"))}
    return {
        "active": Figure(
            curve_panel(curves, "density", "how often a hidden unit is active", log_x=True),
            "How often the hidden units are active. With a hidden bias nearly always: the ReLU hardly ever cuts and the layer "
            "is linear. Without one it cuts, unless many features are active at a time.",
        ),
        "bias": Figure(
            curve_panel(median, "density", "hidden bias", log_x=True),
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
