"""One feature becomes sparser or denser than the others: the pentagon bends, until two digons cost less.

Paper: section 5, perturbing a single feature (F19), and the losses of pentagons and digons (F20).  ReLU-output models, n = 5,
m = 2, importance 1, density 0.05; feature 0 has `ratio` times the density of the others, 0.1 to 10 in training, down to 0.001
on the exact branches.  The paper does not give its training: AdamW at 1e-3, decay 0.01, batches of 1024 are those of the
authors' notebook; 5,000 steps, because runs that stay in worse solutions are wanted.  Every run is shown with its exact
expected loss and named by `tegum.geometry.identify`.  Branches are followed by continuation, their crossing is exact to 1e-6.
Beside them the regular pentagon, for which the paper gives a formula, and two digons where all features have one density.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import tegum as tg
from tegum.claims import Claim, Disagreement, Evidence, above, at_most, below, between, equal, near, rising, share_at_least
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s5_perturbed_pentagon import shared
from tegum.experiments.s5_perturbed_pentagon.shared import DIGONS, NET, OTHER_DIGONS, PENTAGON, STARTS, N
from tegum.figures import curve_panel
from tegum.geometry import feature_norms, identify, polygon

RATIOS = [0.2, 0.25, 0.3, 0.4, 1.0]
TABLE = {
    "pentagon loss": (0.00554, 0.00597, 0.00631, 0.00686, 0.00888),
    "digons loss": (0.00498, 0.00579, 0.00661, 0.00823, 0.01771),
    "‖W₀‖": (1.135, 1.156, 1.164, 1.166, 1.135),
    "other ‖W‖": (1.08, 1.095, 1.105, 1.117, 1.135),
    "b₀": (-0.465, -0.437, -0.41, -0.37, -0.247),
    "other b": (-0.136, -0.16, -0.18, -0.20, -0.247),
}
"""From sampled magnitudes, with 1 to 2 % of noise; the digons by their closed form rp/3 - (rp)^2/4 + 2p^2/3."""
DENSITIES = np.array([0.05, 0.1, 0.15, 0.2, 0.25])
UNIFORM = {
    "pentagon loss": (0.0089, 0.0266, 0.0509, 0.0803, 0.1133),
    "digons loss": (0.0177, 0.0375, 0.0594, 0.0833, 0.1094),
    "‖W‖": (1.135, 1.10, 1.065, 1.03, 1.0),
    "b": (-0.25, -0.21, -0.17, -0.13, -0.085),
}
BIASES = ("b₀", "other b", "b")
SHAPES = ["pentagon", "two digons"]


def study(profile: Profile) -> xr.Dataset:
    """Runs and branches over the ratio of densities, and the uniform pentagon and digons over density."""
    return shared.perturbed("density", profile).merge(uniform(), combine_attrs="override")


def uniform() -> xr.Dataset:
    """Pentagon and two digons where all features have the same density, and where both cost the same; the unit one beside."""
    features = tg.features.Independent(N, density=DENSITIES[0])
    ways = []
    for branch in (PENTAGON, OTHER_DIGONS):
        first = tg.exact.minimise(NET, features, seeds=1, initial={"W": STARTS[branch][0]}).isel(seed=0)
        ways.append(tg.exact.follow(NET, features, first["W"], first["b"], DENSITIES))
    pentagon, digons = (way.data.sel(density=DENSITIES) for way in ways)
    each = tg.features.Independent(N, density=DENSITIES[:, None])
    return xr.Dataset(
        {
            "uniform_loss": (("shape", "density"), [pentagon["loss"].values, digons["loss"].values]),
            "uniform_norm": ("density", feature_norms(pentagon["W"].values).mean(axis=-1)),
            "uniform_b": ("density", pentagon["b"].mean("feature").values),
            "uniform_crossing": tg.exact.crossing(*ways),
            "unit_loss": ("density", tg.exact.loss(polygon(N), np.zeros(N), each)),
        },
        {"density": DENSITIES, "shape": SHAPES},
    )


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the two figures."""
    reference = "The {} pentagon and the digons have the losses, norms and biases of a rough calculation."
    return [
        *shared.shape_claims(data, "sparser"),
        critical_ratio(data),
        collapse(data),
        *shared.transition_claims(data),
        beside("table", reference.format("perturbed"), TABLE, perturbed_values(data)),
        uniform_crossing(data),
        beside("uniform-table", reference.format("regular"), UNIFORM, uniform_values(data)),
        norm_formula(data),
    ]


def sides(apart: xr.DataArray, where: float) -> dict[str, object]:
    """Where two losses are equal, and whether the first is the lower one below it and the higher one above."""
    value = apart[apart.dims[0]]
    return {"critical value": where, "less below it": (apart < 0)[value < where], "more above it": (apart > 0)[value > where]}


ON_BOTH_SIDES = {"less below it": share_at_least(1), "more above it": share_at_least(1)}


def critical_ratio(data: xr.Dataset) -> Claim:
    """Where two digons begin to cost less than the pentagon."""
    where, loss = float(data["crossing"]), data["branch_loss"]
    less = {name: (loss.sel(branch=name) - loss.sel(branch=PENTAGON)).dropna("branch_ratio") for name in (DIGONS, OTHER_DIGONS)}
    at = {name: float(loss.sel(branch=name, branch_ratio=0.4)) for name in (PENTAGON, DIGONS)}
    return Claim(
        "critical-ratio",
        "Below a critical ratio two digons without the sparser feature cost less than the pentagon.",
        how="where the exact losses of the two branches are equal, to 1e-6; ratios on either side at which both are minima",
        measure=lambda apart: sides(apart, where),
        expect={"critical value": between(0.2, 0.45)} | ON_BOTH_SIDES,
        of=less[DIGONS],
        against={"two digons without one of the other features": less[OTHER_DIGONS]},
        evidence=Evidence("two exact branches"),
        disagreement=Disagreement(
            "about 2.5 times sparser (0.4)",
            f"{1 / where:.3f} times sparser ({where:.6f})",
            f"The paper read it off its own runs. At 0.4 the pentagon costs {at[PENTAGON]:.5f}, two digons {at[DIGONS]:.5f}.",
        ),
    )


def uniform_crossing(data: xr.Dataset) -> Claim:
    """Where the pentagon of equally dense features begins to cost more than two digons."""
    where = float(data["uniform_crossing"])
    pentagon, digons = (data["uniform_loss"].sel(shape=shape) for shape in SHAPES)
    below_closed_form = 1 - digons / (DENSITIES / 3 - DENSITIES**2 / 4 + 2 * DENSITIES**2 / 3)
    return Claim(
        "uniform-crossing",
        "With equally dense features the pentagon costs less than two digons below a density of about 0.22, more above.",
        how="where the exact losses of the two branches are equal, to 1e-6; the densities of the table on either side",
        measure=lambda apart: sides(apart, where),
        expect={"critical value": near(0.22, 0.01)} | ON_BOTH_SIDES,
        of=pentagon - digons,
        against={"a pentagon of norm 1 without biases": data["unit_loss"] - digons},
        evidence=Evidence("two exact branches"),
        note=f"The optimised digons are {float(below_closed_form.min()):.2%} to {float(below_closed_form.max()):.2%} below "
        "their closed form p/3 - p²/4 + 2p²/3.",
    )


def collapse(data: xr.Dataset) -> Claim:
    """At ratio 0.1 there is no pentagon."""
    kept = data.sel(branch=PENTAGON, branch_ratio=0.3)
    constant = float(data["branch_loss"].sel(branch=DIGONS, branch_ratio=0.1))
    return Claim(
        "collapse",
        "At ratio 0.1 the pentagon is no solution any more: a start there ends in two digons.",
        how="exact descent from a regular pentagon, its end named, and its loss",
        measure=lambda model: {"shape": identify(model[0].values).label, "loss": float(model[1])},
        expect={"shape": equal("2 digons"), "loss": near(0.00327, 0.02, relative=True)},
        of=(data["collapsed_W"], data["collapsed_loss"]),
        against={"the exact pentagon at ratio 0.3": (kept["branch_W"], kept["branch_loss"])},
        evidence=Evidence("one exact descent"),
        note=f"The two digons whose output 0 gives E x₀ instead of 0 cost {constant:.6f}, a little less.",
    )


def perturbed_values(data: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """What the exact engine gives for the table."""
    pentagon, digons = (data.sel(branch=name, branch_ratio=RATIOS) for name in (PENTAGON, DIGONS))
    norms, b = feature_norms(pentagon["branch_W"].values), pentagon["branch_b"].values
    return {
        "pentagon loss": pentagon["branch_loss"].values,
        "digons loss": digons["branch_loss"].values,
        "‖W₀‖": norms[:, 0],
        "other ‖W‖": norms[:, 1:].mean(axis=1),
        "b₀": b[:, 0],
        "other b": b[:, 1:].mean(axis=1),
    }


def uniform_values(data: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """The same for equally dense features."""
    pentagon, digons = (data["uniform_loss"].sel(shape=shape).values for shape in SHAPES)
    return {"pentagon loss": pentagon, "digons loss": digons, "‖W‖": data["uniform_norm"].values, "b": data["uniform_b"].values}


def beside(name: str, statement: str, table: Mapping[str, ArrayLike], found: Mapping[str, NDArray[np.float64]]) -> Claim:
    """Exact values beside a table."""

    def deviations(found: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
        """The largest relative deviation of losses and norms, and the largest deviation of a bias."""
        relative = [abs(found[column] / np.asarray(table[column]) - 1) for column in table if column not in BIASES]
        absolute = [abs(found[column] - np.asarray(table[column])) for column in table if column in BIASES]
        return {"losses and norms": float(np.max(relative)), "biases": float(np.max(absolute))}

    rows = np.size(table["pentagon loss"])
    return Claim(
        name,
        statement,
        how="largest deviation of the exact branches from reference values, from sampled magnitudes or closed forms",
        measure=deviations,
        expect={"losses and norms": at_most(0.02, "%"), "biases": at_most(0.01)},
        of=found,
        against={"each row against the next one's values": {column: np.roll(values, 1) for column, values in found.items()}},
        evidence=Evidence(f"{rows * len(table)} numbers in {rows} rows"),
    )


def norm_formula(data: xr.Dataset) -> Claim:
    """Norm and bias of the regular pentagon."""
    norm, b = (float(data[name][0]) for name in ("uniform_norm", "uniform_b"))
    order = "1 - b, ‖W‖², 1/(1 + b)"
    return Claim(
        "norm-formula",
        "The vertices lie off the unit circle: a slightly negative bias, made up for by a larger norm.",
        how="b and ‖W‖ of the exact regular pentagon at density 0.05, and bounds of ‖W‖²",
        measure=lambda model: {"b": model[1], "‖W‖": model[0], order: [1 - model[1], model[0] ** 2, 1 / (1 + model[1])]},
        expect={"b": below(0), "‖W‖": above(1), order: rising(strictly=False)},
        of=(norm, b),
        against={"the pentagon at density 0.25": (float(data["uniform_norm"][-1]), float(data["uniform_b"][-1]))},
        evidence=Evidence("exact minimum"),
        disagreement=Disagreement(
            f"‖W‖ = 1/(1 - b) = {1 / (1 - b):.3f}",
            f"‖W‖ = {norm:.4f}",
            "With the bias added, as everywhere else in the paper, the formula gives less than 1. "
            f"1/(1 + b) = {1 / (1 + b):.3f} and 1 - b = {1 - b:.3f} are close to ‖W‖² = {norm**2:.3f}.",
        ),
    )


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The losses, the solutions, and the uniform pentagon."""
    curves = {str(shape): data["uniform_loss"].sel(shape=shape, drop=True) for shape in data["shape"].values}
    places = {"exact crossing": float(data["crossing"]), "paper's": 0.4}
    return shared.perturbed_figures(data, "relative density of feature 0", places) | {
        "uniform": Figure(
            curve_panel(curves, "density of every feature", "expected loss"),
            "All features alike: the regular pentagon costs less than two digons and a dropped feature where features are "
            f"sparser than density {float(data['uniform_crossing']):.6f}, more where they are denser.",
        )
    }


experiment = Experiment(
    __name__,
    title="One feature becomes sparser: the pentagon bends, then two digons cost less",
    paper="Section 5, perturbing a single feature (F19, F20)",
    seconds={"quick": 7, "paper": 40},
    order=1,
)
