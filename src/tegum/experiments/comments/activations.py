"""Phase diagrams for other output activations: with which functions do features superpose?

Paper: a comment in the paper (F44) says that phase diagrams look quite different for other activation functions, and shows
none.  As for the ReLU: n = 2, m = 1, importances (1, r), r from 0.1 to 10, densities 1 to 0.01; y = f(W^T W x + b) with f GELU,
softplus, x^2, |x| or tanh; AdamW at 3e-3 without decay, cosine schedule, 1,500 steps of 256 (paper profile 3,000), and at each
grid point the best of 6 fits (paper profile 10) by loss on a test set that all fits of a point share.  The phases are those of
norm and interference, with our thresholds.  Beside them stands the ReLU with another root seed: what differs by chance.
"""

import xarray as xr

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, at_least, below, comment
from tegum.experiments import Experiment, Figure, Profile
from tegum.geometry.measures import SUPERPOSITION

SIDE: dict[Profile, int] = {"quick": 12, "paper": 28}
QUICK = tg.Recipe(
    steps=1500, batch_size=256, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=6, evaluation_samples=16_384
)
RECIPE: dict[Profile, tg.Recipe] = {"quick": QUICK, "paper": QUICK.replaced(steps=3000, seeds=10, evaluation_samples=65_536)}
RELU, AGAIN = "ReLU", "ReLU, other seeds"
ONE_SIDED = {"GELU": "gelu", "softplus": "softplus"}
OTHERS = {"x²": "square", "|x|": "abs", "tanh": "tanh"}
SPARSE = 0.1


def study(profile: Profile) -> xr.Dataset:
    """The best fit at each grid point, for each activation, and for the ReLU twice."""
    recipe, sweep = RECIPE[profile], tg.maps.paper_grid(2, SIDE[profile])
    runs = {}
    for title, name in {RELU: "relu", AGAIN: "relu", **ONE_SIDED, **OTHERS}.items():
        mine = recipe.replaced(root_seed=1) if title == AGAIN else recipe
        run = tg.train(tg.nets.ActivationOutput(2, 1, activation=name), tg.features.Independent(2), mine, sweep=sweep)
        runs[title] = tg.maps.extra_feature(tg.best(run).drop_vars("seed")).assign_attrs(run.attrs)
    activation = xr.Variable("activation", list(runs))
    data = xr.concat(runs.values(), activation, coords="minimal", compat="override", combine_attrs="drop_conflicts")
    return data.assign_attrs({f"net_{title}": run.attrs["net"] for title, run in runs.items()})


def superposed(phases: xr.DataArray) -> xr.DataArray:
    """The share of superposition where features are sparse and about equally important, where the ReLU superposes."""
    similar = phases.sel(density=slice(None, SPARSE), importance_ratio=slice(10**-0.5, 10**0.5))
    return (similar == SUPERPOSITION).mean(["density", "importance_ratio"])


def claims(data: xr.Dataset) -> list[Claim]:
    """What the comment says, made measurable."""
    phases, sides = tg.maps.extra_phase(data), {"one-sided": [RELU, *ONE_SIDED], "others": list(OTHERS)}
    relu = phases.sel(activation=RELU)
    exchanged = {"GELU": "tanh", "tanh": "GELU"}
    titles = [exchanged.get(title, title) for title in data["activation"].values]
    cells = data.sizes["density"] * data.sizes["importance_ratio"]
    evidence = Evidence(f"{cells} grid points for each activation, best fit of each by common test loss")
    return [
        Claim(
            "different",
            "Phase diagrams look quite different for other activation functions.",
            source=comment("Kshitij Sachan", "the phase diagrams look quite different depending on the activation function"),
            how="share of grid points where the extra feature's phase is not the ReLU's, for each activation",
            measure=lambda phases: (phases != relu).mean(["density", "importance_ratio"]),
            expect=at_least(0.1, "%"),
            of=phases.sel(activation=[*ONE_SIDED, *OTHERS]),
            against={"the ReLU with another root seed": phases.sel(activation=[AGAIN])},
            evidence=evidence,
            note="How different is quite different is our choice.",
        ),
        Claim(
            "one-sided",
            "Functions that are flat on one side, as the ReLU is, keep superposition; the others lose it.",
            source=OURS,
            how=f"share of superposition at densities up to {SPARSE:g} and importances 0.32 to 3.2",
            measure=lambda phases: {side: superposed(phases.sel(activation=names)) for side, names in sides.items()},
            expect={"one-sided": above(0.5, "%"), "others": below(0.5, "%")},
            of=phases,
            against={"GELU and tanh exchanged": phases.assign_coords(activation=titles)},
            evidence=evidence,
            note="The paper says nothing of the kind; this is our guess at what decides. Where x² keeps superposition, a "
            "positive bias brings negative interference to its flat minimum.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The diagrams, one-sided functions and the others."""
    maps = {title: data.sel(activation=title) for title in data["activation"].values}
    return {
        "one-sided": Figure(
            tg.figures.phase_panels({title: maps[title] for title in (RELU, *ONE_SIDED)}),
            "The second of two features in one dimension, for output functions that are flat on one side. Grey: not learned; "
            "blue: alone in the dimension; red: in superposition with the first. Each cell is the best of its fits.",
        ),
        "others": Figure(
            tg.figures.phase_panels({title: maps[title] for title in OTHERS}),
            "The same for functions that are not flat on a side. |x| and tanh cannot ignore a feature's opposite and give the "
            "dimension to the more important feature. x² can: its bias is positive, and the opposite pushes it to its minimum.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Phase diagrams for other output activations",
    paper="Comments, other activation functions (F44)",
    seconds={"quick": 7, "paper": 100},
    order=1,
)
