"""Four hundred equal features in thirty dimensions: which shapes they form, from dense worlds to sparse ones.

Paper: section 4, the geometry of superposition (F15, F16), tegum products (F17), and the relation to compressed sensing.
ReLU-output models, n = 400, m = 30, equal importances, 50 densities 10^(-k/49), one model each.  Three ways from the same
starts, Xavier normal times 0.2 (about the scale of the authors' notebook for 50 models side by side; at full scale some outputs
start silent in dense worlds and stay so): *training* as in the paper, which gives no recipe (AdamW at 0.003, cosine schedule,
no decay, 16,000 batches of 1024); *exact*, the expected loss minimised by quasi-Newton steps until the root mean square of the
gradient is below 1e-5, or 1,500 steps; *exact from trained*, the same from the trained weights, which measures how far
training was from an end.  Claims are judged on the first two.  The quick profile has n = 120, m = 12, 19 of the densities,
6,000 batches of 512 at 0.01.

Besides: smaller models, n = 200 and m = 20 (quick: 80 and 8), with m doubled (and n larger by a half), and with n = 2m.  A
feature is learned where D_i > 0.2, represented where its norm is at least 1/2; edges of the graph need |W_i . W_j| > 0.1.
Shapes are named by `tegum.geometry.identify`.  Random directions in controls are the first weights of training, cut to as many
as there are learned features.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s4_geometry.uniform_claims import window_claims
from tegum.experiments.s4_geometry.uniform_comparisons import comparison_claims
from tegum.experiments.s4_geometry.uniform_lines import PAPER, PAPER_X, features_per_dimension, line_claims, shown_places
from tegum.experiments.s4_geometry.uniform_study import (
    EXACT,
    POLISHED,
    TRAINING,
    WAYS,
    clearest_factors,
    inverse,
    linear_sizes,
    model,
    three_ways,
    trained_sizes,
)
from tegum.figures import curve_panel, fraction_scatter, network_panels, polytope_table, shape_shares
from tegum.geometry import dimensionality, dimensions_per_feature, identify

SIZE: dict[Profile, tuple[int, int]] = {"quick": (120, 12), "paper": (400, 30)}
SMALLER: dict[Profile, tuple[int, int]] = {"quick": (80, 8), "paper": (200, 20)}
GRID: dict[Profile, list[int]] = {
    "quick": [0, 2, 5, 8, 9, 11, 13, 15, 17, 19, 22, 26, 28, 30, 31, 34, 38, 42, 47],
    "paper": list(range(50)),
}
SHOWN = [5, 11, 22, 31, 34, 47]
"""The six densities of the paper's feature graphs: 1/(1 - S) = 1.26, 1.68, 2.81, 4.29, 4.94, 9.1."""
BASE = tg.Recipe(learning_rate=0.01, schedule="cosine", weight_decay=0, initialisation_scale=0.2)
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": BASE.replaced(steps=6000, batch_size=512),
    "paper": BASE.replaced(steps=16_000, batch_size=1024, learning_rate=3e-3),
}
X_TITLE = "1 / (1 − S), inverse density"


def densities(grid: list[int]) -> list[float]:
    """10^(-k/49) of every k."""
    return [float(10 ** (-k / 49)) for k in grid]


def study(profile: Profile) -> xr.Dataset:
    """Models in three ways, and the sizes of others to compare with."""
    n, m = SIZE[profile]
    every, shown, recipe = densities(GRID[profile]), densities(SHOWN), RECIPE[profile]
    data = three_ways(n, m, every, recipe)
    others = {
        "smaller": trained_sizes(*SMALLER[profile], every, recipe),
        "crowded": trained_sizes(2 * m, m, every, recipe),
        "doubled": trained_sizes(3 * n // 2, 2 * m, shown, recipe),
        "linear": linear_sizes(n, m, shown),
    }
    for name, other in others.items():
        place = "density" if other.sizes["density"] == len(every) else "shown_density"
        data = data.merge(other.rename({"density": place} | {key: f"{name}_{key}" for key in other.data_vars}))
    data.attrs["interrupted"] = max(data.attrs["interrupted"], *(other.attrs["interrupted"] for other in others.values()))
    return data


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the section, for training and for exact minimisation."""
    return [
        *line_claims(data),
        *comparison_claims(data),
        *(claim for way in (TRAINING, EXACT) for claim in window_claims(data, way)),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The line, the dots, the graphs, the shares."""
    x, count = inverse(data), data.sizes["density"]
    lines = {
        way: dimensions_per_feature(data["W"].sel(way=way).transpose("density", "hidden", "feature").values) for way in WAYS
    }
    names = {way: np.array([identify(model(data, way, k)).names for k in range(count)]) for way in (TRAINING, EXACT)}
    near = shown_places(data)
    over = {way: xr.DataArray(line, {"x": x}, ["x"]) for way, line in lines.items()}
    features = {f"features per dimension, {way}": 1 / line for way, line in over.items() if way != POLISHED}
    bound = xr.DataArray(features_per_dimension(x[x > 1.3]), {"x": x[x > 1.3]}, ["x"])
    size = f"{data.sizes['feature']} features in {data.sizes['hidden']} dimensions"
    pictures = {
        "line": Figure(
            curve_panel(over, X_TITLE, "D* = m / ‖W‖², dimensions per feature", log_x=True, points={"paper": _printed()}),
            f"Dimensions per feature, {size}. In dense worlds, on the left, W has the squared norm of one feature for each "
            "dimension, though no feature has a direction of its own; then D* "
            "falls to 1/2 and stays there while features sit in pairs. Circles are read off the paper's figure.",
        ),
        "sensing": Figure(
            curve_panel(features | {"x / ln x": bound}, X_TITLE, "features per dimension", log_x=True),
            "How many features each dimension holds, beside the form of the compressed-sensing bound with constant 1. The "
            "bound is on exact recovery; these models only pay for what they get wrong.",
        ),
        "factors": Figure(
            polytope_table(clearest_factors(data, EXACT), {}),
            "Tegum factors cut out of the models: for each shape the component that fits best at any density, turned into the "
            "dimensions that it spans, its features numbered anew. Where the graph of a model falls apart, the model is nearly "
            "an orthogonal sum of such parts.",
        ),
        "shares": Figure(
            shape_shares(list(x), names, X_TITLE),
            "Which share of the features forms which shape. The paper sees, from left to right: nothing with a direction of "
            "its own, tetrahedra, triangles, digons, pentagons and antiprisms, and one tangle.",
        ),
    }
    for way in (TRAINING, EXACT):
        D = [dimensionality(model(data, way, k)) for k in range(count)]
        marks = {f"{x[k]:.2f}": float(x[k]) for k in near}
        pictures[f"dots-{way}"] = Figure(
            fraction_scatter(list(x), D, X_TITLE, line=list(lines[way]), line_name="D*", log=True, marks=marks, height=520),
            f"The dimensionality of every feature ({way}); {size}. Dots gather on the fractions of regular shapes. "
            "Dotted lines: the densities of the six feature graphs.",
        )
        graphs = {f"1/(1−S) = {x[k]:.2f}": model(data, way, k) for k in near}
        pictures[f"graphs-{way}"] = Figure(
            network_panels(graphs),
            f"Feature graphs at six densities ({way}): learned features are joined where |W_i · W_j| > 0.1, by thicker lines "
            "where they overlap more, and coloured by the shape that their directions were identified as.",
        )
    return pictures


def _printed() -> xr.DataArray:
    return xr.DataArray(PAPER, {"x": PAPER_X}, ["x"])


experiment = Experiment(
    __name__,
    title="Equal features form tetrahedra, triangles, digons, pentagons and antiprisms as the world gets sparser",
    paper="Section 4, the geometry of superposition and tegum products (F15, F16, F17)",
    seconds={"quick": 30, "paper": 2000},
    study=study,
    figures=figures,
    claims=claims,
    order=1,
)
