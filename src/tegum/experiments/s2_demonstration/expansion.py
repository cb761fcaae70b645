"""The loss by how many features are active: where they are sparse, none or one, and then negative interference is free.

Paper: section 2.2, the expansion (F07) and its 1-sparse part (F08).  L = sum_k p^k (1 - p)^(n - k) L_k is computed set by set
for the lowest certified minimum of 24 starts of eight equal features in two, three and four dimensions at six densities, and
for one model of falling importances, with a sample beside it.  The paper prints the importance squared in the norm and leaves
the integrals of L_1 unevaluated: here importance enters to the first power, and L_1 is in closed form.  Regular polygons have
the best norm and bias, biases above 0 excluded.
"""

from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import tegum as tg
from tegum.claims import IDENTITY, OURS, Claim, Evidence, above, at_most, below, closed_form, equal, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.geometry import gram
from tegum.theory.expansion import active_error, inactive_error, loss_nothing_active, losses_by_count, losses_one_active

N = 8
DIMENSIONS = [2, 3, 4]
DENSITIES = [0.3, 0.1, 0.03, 0.01, 0.003, 0.001]
SIDES = range(3, 11)
IMPORTANCE = tg.features.geometric(0.8, N)
POLYGONS = xr.DataArray([0.0, 0.0, 0.01583, 0.0482], [("sides", [3, 4, 5, 6])])
"""L_1 per feature, found before tegum was written."""
SOME = xr.DataArray([0.1, 0.5, 1.0], [("density", [0.1, 0.5, 1.0])])
"""Densities of a feature that is dropped."""

SAMPLES: dict[Profile, int] = {"quick": 200_000, "paper": 2_000_000}
SEEDS: dict[Profile, int] = {"quick": 24, "paper": 96}


def study(profile: Profile) -> xr.Dataset:
    """L_k of the optima, and of one model of features of falling importance, that one sampled, too; the best polygons."""
    alike, seeds, samples, sweep = tg.features.Independent(N), SEEDS[profile], SAMPLES[profile], {"density": DENSITIES}
    optima = [tg.best(tg.exact.minimise(tg.nets.ReluOutput(N, m), alike, seeds=seeds, sweep=sweep)) for m in DIMENSIONS]
    by_count = [
        [losses_by_count(W, b, alike) for W, b in zip(each["W"].values, each["b"].values, strict=True)] for each in optima
    ]
    polygon, norm, bias = np.transpose([tg.theory.expansion.best_polygon(sides) for sides in SIDES])
    falling = [tg.features.Independent(N, density=p, importance=IMPORTANCE) for p in DENSITIES]
    model = tg.best(tg.exact.minimise(tg.nets.ReluOutput(N, 3), falling[DENSITIES.index(0.1)], seeds=8))
    W, b = model["W"].values, model["b"].values
    errors = []
    for features in falling:
        x = features.sample(samples, seed=1).astype(np.float64)
        errors.append(((x - np.maximum(x @ W.T @ W + b, 0)) ** 2 * IMPORTANCE).sum(axis=-1))
    return xr.Dataset(
        {
            "loss": (("dimensions", "density"), [each["loss"].values for each in optima]),
            "points": (("density", "coordinate", "point"), optima[DIMENSIONS.index(3)]["W"].values),
            "by_count": (("dimensions", "density", "active"), by_count),
            "polygon": ("sides", polygon),
            "norm": ("sides", norm),
            "bias": ("sides", bias),
            "model_loss": ("density", [float(tg.exact.loss(W, b, features, tol=1e-10)) for features in falling]),
            "sampled": ("density", [each.mean() for each in errors]),
            "standard_error": ("density", [each.std() / samples**0.5 for each in errors]),
            "model_by_count": ("active", losses_by_count(W, b, falling[0])),
            "W": (("hidden", "feature"), W),
            "b": ("feature", b),
        },
        {"dimensions": DIMENSIONS, "density": DENSITIES, "active": range(N + 1), "sides": SIDES},
        {"seeds": seeds, "samples": samples},
    )


def shares(data: xr.Dataset) -> xr.DataArray:
    """What each L_k contributes to the loss of the optima, (dimensions, density, active)."""
    parts = data["by_count"] * tg.theory.expansion.shares_by_count(np.ones(N + 1), data["density"].values)
    return parts / parts.sum("active")


def low_share(data: xr.Dataset) -> xr.DataArray:
    """What L_0 and L_1 contribute together, (dimensions, density)."""
    return shares(data).sel(active=[0, 1]).sum("active")


def unit_polygons() -> xr.DataArray:
    """L_1 per feature of regular polygons of norm 1 without bias."""
    return xr.DataArray([tg.theory.expansion.polygon_loss(sides, 1.0, 0.0) for sides in SIDES], [("sides", list(SIDES))])


def linear_error(slope: ArrayLike, bias: ArrayLike) -> NDArray[np.float64]:
    """int_0^1 (slope x + bias)^2 dx, elementwise: an inactive output's square without the ReLU."""
    a, b = np.asarray(slope, dtype=np.float64), np.asarray(bias, dtype=np.float64)
    return np.asarray(a * a / 3 + a * b + b * b)


def best_bias(slope: float) -> dict[str, xr.DataArray]:
    """The bias between -1 and 1, in steps of 0.001, that is best for an output without interference, and what it saves."""
    b = xr.DataArray(np.linspace(-1, 1, 2001), dims="bias")
    active, inactive = b.copy(data=active_error(slope, b)), b.copy(data=inactive_error(0.0, b))
    loss = SOME * active + (1 - SOME) * inactive
    return {"bias": b[loss.argmin("bias")], "saved": SOME * float(active_error(slope, 0.0)) - loss.min("bias")}


def off_the_energy(W: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far 3 L_1 of models (..., m, n) without bias is from the energy of their columns, as a share of it."""
    L_1 = losses_one_active(gram(W), np.zeros((len(W), N)), np.ones(N)).sum(axis=-1)
    return np.asarray(abs(3 * L_1 / tg.geometry.relu_energy(W) - 1))


def sparse_claims(data: xr.Dataset) -> list[Claim]:  # long: one declaration after the other
    """What the 1-sparse loss says (F08), and that for unit vectors without bias it is the energy of points that repel (F09)."""
    slope, bias = np.meshgrid(np.linspace(-1.5, 1.5, 60), np.linspace(-1, 1, 41))
    five = data.sel(sides=5)
    unit = data["points"].values / np.linalg.norm(data["points"].values, axis=-2, keepdims=True)
    formula = partial(Claim, evidence=closed_form())
    active = active_error(slope, bias) - linear_error(1 - slope, -bias)
    added = np.array([active, inactive_error(slope, bias) - linear_error(slope, bias)])
    negative = np.array([1 / 3 - linear_error(0, 0), inactive_error(-1, 0) - linear_error(-1, 0)])
    return [
        formula(
            "integrals",
            "The two integrals of L_1 are elementary.",
            source=IDENTITY,
            how="active feature at slope 1.2, bias -0.2; inactive ones at slope 0.3, bias -0.1 and slope -0.4, bias 0.2",
            expect=near([0.0092593, 0.0088889, 0.0066667], 1e-7),
            of=np.array([active_error(1.2, -0.2), inactive_error(0.3, -0.1), inactive_error(-0.4, 0.2)]),
            against={"without the ReLU": linear_error([1 - 1.2, 0.3, -0.4], [0.2, -0.1, 0.2])},
        ),
        Claim(
            "relu-benefit",
            "The ReLU never hurts the feature benefit, and it only takes interference away.",
            source=IDENTITY,
            how="squared error with the ReLU minus without, of the active feature and of an inactive one",
            expect=at_most(1e-12),
            of=added,
            against={"a negative input, slope 1, no bias": negative},
            evidence=closed_form(slopes_and_biases=slope.size),
        ),
        Claim(
            "bias-for-dropped",
            "The bias helps features that are dropped: their output is the mean.",
            source=IDENTITY,
            how="best bias of an output with slope 0, and the loss that it saves: p / 2 and p^2 / 4",
            measure=best_bias,
            expect={"bias": near(SOME / 2, 1e-3), "saved": near(SOME**2 / 4, 1e-6)},
            of=0.0,
            against={"a feature with a dimension to itself, slope 1": 1.0},
            evidence=closed_form(biases=2001),
        ),
        formula(
            "free",
            "With one feature active, negative interference is free, and so is positive below a negative bias.",
            source=IDENTITY,
            how="squared output of an inactive feature at overlap -0.4 without bias, and at 0.4 with bias -0.4",
            expect=equal(0),
            of=inactive_error([-0.4, 0.4], [0.0, -0.4]),
            against={"overlap 0.4 without bias": inactive_error(0.4, 0.0)},
        ),
        formula(
            "polygons",
            "So four features in two dimensions cost nothing; more pay with larger norms and negative biases.",
            source=IDENTITY,
            how="lowest L_1 per feature of a regular polygon over norm and bias",
            expect=near(POLYGONS, 2e-5),
            of=data["polygon"].sel(sides=POLYGONS["sides"]),
            against={"norm 1 without bias": unit_polygons().sel(sides=POLYGONS["sides"])},
            note=f"The pentagon's norm is {five['norm']:.3f}, its bias {five['bias']:.3f}. Seven to ten cost "
            f"{', '.join(f'{loss:.4f}' for loss in data['polygon'].sel(sides=[7, 8, 9, 10]))}.",
        ),
        Claim(
            "thomson-reduction",
            "With equal importance, unit norms and no bias, L_1 is a Thomson problem: sum ReLU(W_i . W_j)^2, over 3.",
            source=IDENTITY,
            how="3 L_1 over the energy, for the weights of optima put on the unit sphere: difference from 1",
            measure=off_the_energy,
            expect=below(1e-9),
            of=unit,
            against={"norms of 1.2": 1.2 * unit},
            evidence=Evidence(f"{len(unit)} arrangements of {N} points"),
            note="The feature benefit is the same for all of them, 0 here. `polytopes` has the optima of this energy.",
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """The expansion and its first two terms (F07), and what the second says."""
    parts = tg.theory.expansion.shares_by_count(data["model_by_count"].values, data["density"].values)
    share, low = shares(data), low_share(data)
    two, (_, three, four) = low.sel(dimensions=2), low.sel(density=0.001).values
    G, b, seeds = gram(data["W"].values), data["b"].values, data.attrs["seeds"]
    starts = Evidence(f"best of {seeds} starts", seeds)
    return [
        Claim(
            "pattern-sum",
            "The expected loss is the sum over how many features are active of p^k (1 - p)^(n - k) L_k.",
            source=IDENTITY,
            how="eight features, three dimensions, six densities: sum over all 256 sets against the exact loss and a sample",
            measure=lambda total: {
                "relative to the exact loss": abs(total / data["model_loss"] - 1).max(),
                "standard errors from the sample": (abs(total - data["sampled"]) / data["standard_error"]).max(),
            },
            expect={"relative to the exact loss": below(1e-8), "standard errors from the sample": below(4)},
            of=parts.sum(axis=-1),
            against={"without the sets of one feature": parts.sum(axis=-1) - parts[:, 1]},
            evidence=Evidence(f"one model, {data.attrs['samples']:,} samples at each density"),
        ),
        Claim(
            "first-terms",
            "L_0 is sum I_i ReLU(b_i)^2, and L_1 has the closed form of the two integrals.",
            source=IDENTITY,
            how="L_0 and L_1 against the exact losses where no feature, or exactly one, is active",
            measure=lambda importance: [loss_nothing_active(b, importance), losses_one_active(G, b, importance).sum()],
            expect=near(data["model_by_count"].values[:2], 1e-8),
            of=IMPORTANCE,
            against={"importance squared, as printed": IMPORTANCE**2},
            evidence=Evidence(f"one model, {1 + N} sets of active features"),
        ),
        Claim(
            "dominate",
            "Where features are sparse, L_0 and L_1 dominate the loss.",
            source=paper("Mathematical Understanding", "Note that as S → 1, L₁ and L₀ dominate"),
            how="their share of the optimum's loss, eight equal features in two dimensions, density 0.001",
            expect=above(0.9, "%"),
            of=two.sel(density=0.001),
            against={"density 0.3": two.sel(density=0.3)},
            evidence=starts.adding("over density " + ", ".join(f"{part:.0%} at {part['density']:g}" for part in two)),
            note=f"In three dimensions it is {three:.0%}, in four {four:.1%}: where the optimum makes L_0 and L_1 vanish (four "
            "digons), collisions of two features are all that is left.",
        ),
        Claim(
            "shares",
            "Where features are sparsest, one term leads: L_1 as long as features must share directions on one side.",
            source=OURS,
            how="k of the largest L_k at density 0.001, equal features in 2, 3 and 4 dimensions (four digons have L_1 = 0)",
            measure=lambda share: {
                "leading k": share["active"][share.argmax("active")],
                "share of L_0 to L_3": share.sel(active=range(4)),
            },
            expect={"leading k": equal(data["dimensions"].copy(data=[1, 1, 2]))},
            of=share.sel(density=0.001),
            against={"density 0.3": share.sel(density=0.3)},
            evidence=starts.adding("in each number of dimensions"),
        ),
        *sparse_claims(data),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """What each L_k contributes, and what polygons cost."""
    low = {f"{N} features in {m} dimensions": low_share(data).sel(dimensions=m) for m in DIMENSIONS}
    two = shares(data).sel(dimensions=2)
    terms = {f"L{'₀₁₂₃₄'[k]}": two.sel(active=k) for k in range(5)}
    terms["L₅ to L₈"] = two.sel(active=slice(5, None)).sum("active")
    polygons = {"best norm and bias": data["polygon"], "norm 1 without bias": unit_polygons()}
    return {
        "terms": Figure(
            tg.figures.curve_panel(terms, "feature density 1 − S", "share of the loss", log_x=True),
            "What each L_k contributes to the loss of the lowest certified minimum of eight equal features in two dimensions: "
            "the fewer features are active at a time, the more of the loss comes from one alone.",
        ),
        "shares": Figure(
            tg.figures.curve_panel(low, "feature density 1 − S", "share of L₀ and L₁ in the loss", log_x=True),
            "What no or one active feature contributes to the loss of these minima. Where features are sparse these "
            "terms dominate, unless the optimum makes them vanish: four digons have L₁ = 0.",
        ),
        "polygons": Figure(
            tg.figures.curve_panel(polygons, "features around a circle", "L₁ per feature"),
            "The loss of a regular polygon in two dimensions given that one of its features is active. A larger norm and a "
            "negative bias filter the positive interference of five and more.",
        ),
    }


experiment = Experiment(
    __name__,
    title="The loss by how many features are active",
    paper="Section 2.2, mathematical understanding (F07, F08)",
    seconds={"quick": 6, "paper": 20},
    order=4,
)
