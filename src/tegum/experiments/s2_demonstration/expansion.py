"""The loss by how many features are on: in sparse worlds none or one, and then negative interference is free.

Paper: section 2.2, the expansion (F07) and its 1-sparse part (F08).  L = sum_k p^k (1 - p)^(n - k) L_k is computed set by
set for the certified optimum of eight equal features in two, three and four dimensions at six densities, and for one model of
falling importances, with a sample beside it.  The paper prints the importance squared in the norm and leaves the integrals of
L_1 unevaluated: here importance enters to the first power, and L_1 is in closed form.  Regular polygons have the best norm and
bias, biases above 0 excluded.
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.features import Independent
from tegum.figures import curve_panel
from tegum.geometry import relu_energy
from tegum.theory import (
    active_error,
    best_polygon,
    loss_nothing_active,
    losses_by_count,
    losses_one_active,
    polygon_loss,
    shares_by_count,
    silent_error,
)

N = 8
DIMENSIONS = [2, 3, 4]
DENSITIES = [0.3, 0.1, 0.03, 0.01, 0.003, 0.001]
TRAINED = 1
IMPORTANCE = tg.features.geometric(0.8, N)
POLYGONS = {3: 0.0, 4: 0.0, 5: 0.01583, 6: 0.0482}
"""L_1 per feature, found before tegum was written."""

SAMPLES: dict[Profile, int] = {"quick": 200_000, "paper": 2_000_000}
SEEDS: dict[Profile, int] = {"quick": 24, "paper": 96}


def study(profile: Profile) -> xr.Dataset:
    """L_k of the optima and of one model more, that one sampled, too; the best polygons."""
    data = xr.Dataset(coords={"dimensions": DIMENSIONS, "density": DENSITIES, "active": range(N + 1)})
    losses, by_count = np.empty((3, len(DENSITIES))), np.empty((3, len(DENSITIES), N + 1))
    for i, m in enumerate(DIMENSIONS):
        run = tg.exact.minimise(
            tg.nets.ReluOutput(N, m), tg.features.Independent(N), seeds=SEEDS[profile], sweep={"density": DENSITIES}
        )
        best = tg.best(run)
        losses[i] = best["loss"]
        if m == 3:
            points = best["W"].transpose("density", "hidden", "feature").values
        for k in range(len(DENSITIES)):
            one = best.isel(density=k)
            W = one["W"].transpose("hidden", "feature").values
            by_count[i, k] = losses_by_count(W, one["b"].values, tg.features.Independent(N))
    data["loss"] = (("dimensions", "density"), losses)
    data["points"] = (("density", "coordinate", "point"), points)
    data["by_count"] = (("dimensions", "density", "active"), by_count)
    best_ones = np.array([best_polygon(sides) for sides in range(3, 11)])
    data.attrs = {"interrupted": 0, "seeds": SEEDS[profile], "samples": SAMPLES[profile]}
    data = data.merge(sampled_model(SAMPLES[profile])).assign_coords(sides=range(3, 11))
    return data.assign({name: ("sides", column) for name, column in zip(("polygon", "norm", "bias"), best_ones.T, strict=True)})


def sampled_model(samples: int) -> xr.Dataset:
    """One model of features of falling importance in worlds of every density: its L_k, its exact loss and its sampled one."""
    worlds = [tg.features.Independent(N, density=p, importance=IMPORTANCE) for p in DENSITIES]
    model = tg.best(tg.exact.minimise(tg.nets.ReluOutput(N, 3), worlds[TRAINED], seeds=8))
    W, b = model["W"].transpose("hidden", "feature").values, model["b"].values
    errors = [sampled_errors(W, b, world, samples) for world in worlds]
    parts = {
        "model_loss": [float(tg.exact.loss(W, b, world, tol=1e-10)) for world in worlds],
        "sampled": [each.mean() for each in errors],
        "standard_error": [each.std() / len(each) ** 0.5 for each in errors],
    }
    found = xr.Dataset({name: ("density", column) for name, column in parts.items()}, {"density": DENSITIES})
    found["model_by_count"] = ("active", losses_by_count(W, b, worlds[0]))
    return found.assign(W=(("hidden", "feature"), W), b=("feature", b))


def sampled_errors(W: NDArray[np.float64], b: NDArray[np.float64], world: Independent, samples: int) -> NDArray[np.float64]:
    """The loss of each of many samples."""
    x = world.sample(samples, seed=1).astype(np.float64)
    return np.asarray(((x - np.maximum(x @ W.T @ W + b, 0)) ** 2 * IMPORTANCE).sum(axis=-1))


def low_share(data: xr.Dataset, dimensions: int, density: float) -> float:
    """What L_0 and L_1 contribute to the loss of an optimum."""
    L = data["by_count"].sel(dimensions=dimensions, density=density).values
    parts = shares_by_count(L, np.array(density))
    return float(parts[:2].sum() / parts.sum())


def sum_claims(data: xr.Dataset) -> list[Claim]:
    """The expansion and its first two terms (F07)."""
    G, b = data["W"].values.T @ data["W"].values, data["b"].values
    L = data["model_by_count"].values
    parts = shares_by_count(L, data["density"].values)
    off = abs(parts.sum(axis=-1) / data["model_loss"].values - 1).max()
    noise = data["standard_error"].values
    deviation, without = (abs(total - data["sampled"].values) / noise for total in (parts.sum(-1), parts.sum(-1) - parts[:, 1]))
    nothing, alone = float(loss_nothing_active(b, IMPORTANCE)), float(losses_one_active(G, b, IMPORTANCE).sum())
    squared = float(loss_nothing_active(b, IMPORTANCE**2))
    shares = [low_share(data, 2, p) for p in data["density"].values]
    return [
        Claim(
            name="pattern-sum",
            statement="The expected loss is the sum over how many features are on of p^k (1 - p)^(n - k) L_k.",
            how="eight features in three dimensions, six densities: the sum over all 256 sets against the exact loss of the "
            "world, and against a sample",
            expected="equal; within 4 standard errors",
            tolerance="1e-8 relative; 4 standard errors",
            measured=f"{off:.0e}; {deviation.max():.1f} standard errors",
            holds=bool(off < 1e-8 and deviation.max() < 4),
            evidence=f"one model, {data.attrs['samples']:,} samples at each density",
            control=Control(
                "without the sets of one feature", f"up to {without.max():.0f} standard errors", bool(without.max() < 4)
            ),
        ),
        Claim(
            name="first-terms",
            statement="L_0 is sum I_i ReLU(b_i)^2, and L_1 has the closed form of the two integrals.",
            how="both against the exact losses of the worlds in which no feature, or exactly one, is on",
            expected=f"{L[0]:.8f}, {L[1]:.8f}",
            tolerance="1e-8",
            measured=f"{nothing:.8f}, {alone:.8f}",
            holds=abs(nothing - L[0]) < 1e-8 and abs(alone - L[1]) < 1e-8,
            evidence="one model, nine worlds",
            control=Control("importance squared, as printed", f"{squared:.8f}", abs(squared - L[0]) < 1e-8),
        ),
        Claim(
            name="dominate",
            statement="In sparse worlds L_0 and L_1 dominate the loss.",
            how="their share of the optimum's loss, eight equal features in two dimensions, density 0.001",
            expected="above 90 %",
            tolerance="as stated",
            measured=f"{shares[-1]:.1%}",
            holds=shares[-1] > 0.9,
            evidence=f"best of {data.attrs['seeds']} starts; from density 0.3 on {', '.join(f'{s:.0%}' for s in shares)}",
            control=Control("density 0.3", f"{shares[0]:.1%}", shares[0] > 0.9),
            note=f"In three dimensions it is {low_share(data, 3, 0.001):.0%}, in four {low_share(data, 4, 0.001):.1%}: "
            "where the optimum makes L_0 and L_1 vanish (four digons), collisions of two features are all that is left.",
        ),
    ]


def shares(data: xr.Dataset, dimensions: int) -> xr.DataArray:
    """What each L_k contributes to the loss of the optima, (density, active)."""
    L = data["by_count"].sel(dimensions=dimensions)
    parts = np.array([shares_by_count(row, p) for row, p in zip(L.values, data["density"].values, strict=True)])
    return L.copy(data=parts / parts.sum(axis=-1, keepdims=True))


def share_claim(data: xr.Dataset) -> Claim:
    """The share of every term, and which one leads."""
    each = {m: shares(data, m) for m in DIMENSIONS}
    sparsest = {m: share.isel(density=-1) for m, share in each.items()}
    leading = {m: int(share.argmax("active")) for m, share in sparsest.items()}
    dense = int(each[2].isel(density=0).argmax("active"))
    words = "; ".join(
        f"{m} dimensions: " + ", ".join(f"L_{k} {float(share[k]):.1%}" for k in range(4)) for m, share in sparsest.items()
    )
    return Claim(
        name="shares",
        statement="In the sparsest worlds one term leads: L_1 as long as features must share directions on one side.",
        how=f"share of every L_k in the optimum's loss at density {float(data['density'][-1]):g}, eight equal features in two, "
        "three and four dimensions",
        expected="L_1 leads in two and three dimensions, L_2 in four (digons, L_1 = 0)",
        tolerance="none",
        measured=words,
        holds=leading == {2: 1, 3: 1, 4: 2},
        evidence=f"best of {data.attrs['seeds']} starts each",
        control=Control(f"density {float(data['density'][0]):g}, two dimensions", f"L_{dense} leads", dense == 1),
    )


def thomson_claim(data: xr.Dataset) -> Claim:
    """L_1 of unit vectors without bias is the energy of points that repel (F09)."""
    unit = data["points"].values / np.linalg.norm(data["points"].values, axis=-2, keepdims=True)
    energy, ones = relu_energy(unit), np.ones(N)
    reduced = losses_one_active(tg.geometry.gram(unit), np.zeros((len(unit), N)), ones).sum(axis=-1)
    longer = losses_one_active(tg.geometry.gram(1.2 * unit), np.zeros((len(unit), N)), ones).sum(axis=-1)
    off, other = (float(abs(3 * L / energy - 1).max()) for L in (reduced, longer))
    return Claim(
        name="thomson-reduction",
        statement="With equal importance, unit norms and no bias, L_1 is a Thomson problem: sum ReLU(W_i . W_j)^2, over 3.",
        how="3 L_1 over the energy, for the first weights of optima put on the unit sphere",
        expected="1",
        tolerance="1e-9",
        measured=f"1 to within {off:.0e}",
        holds=off < 1e-9,
        evidence=f"{len(unit)} arrangements of {N} points",
        control=Control("norms of 1.2", f"off by up to {other:.2f}", other < 1e-9),
        note="The feature benefit is the same for all of them, 0 here. `polytopes` has the optima of this energy.",
    )


def linear_error(slope: ArrayLike, bias: ArrayLike) -> NDArray[np.float64]:
    """int_0^1 (slope x + bias)^2 dx, elementwise."""
    a, b = np.asarray(slope, dtype=np.float64), np.asarray(bias, dtype=np.float64)
    return np.asarray(a * a / 3 + a * b + b * b)


def best_bias(slope: float, density: float) -> tuple[float, float]:
    """The bias between -1 and 1 that is best for an output without interference, in steps of 0.001, and what it saves."""
    b = np.linspace(-1, 1, 2001)
    loss = density * active_error(slope, b) + (1 - density) * silent_error(0.0, b)
    k = int(loss.argmin())
    return float(b[k]), float(density * active_error(slope, 0.0) - loss[k])


def dropped_bias_claim() -> Claim:
    """What the bias is good for where a feature is not represented."""
    p = np.array([0.1, 0.5, 1.0])
    found, kept = (np.array([best_bias(slope, density) for density in p]) for slope in (0.0, 1.0))
    return Claim(
        name="bias-for-dropped",
        statement="The bias helps features that are dropped: their output is the mean.",
        how="best bias of an output with slope 0, and the loss that it saves, at densities 0.1, 0.5 and 1",
        expected=f"p/2 and p^2/4: {', '.join(f'{b:g} and {gain:g}' for b, gain in zip(p / 2, p**2 / 4, strict=True))}",
        tolerance="0.001, 1e-6",
        measured=", ".join(f"{b:.3f} and {gain:.6f}" for b, gain in found),
        holds=bool((abs(found[:, 0] - p / 2) <= 1e-3).all() and (abs(found[:, 1] - p**2 / 4) < 1e-6).all()),
        evidence="closed form, 2001 biases",
        control=Control(
            "a feature with a dimension to itself, slope 1",
            ", ".join(f"{b:.3f} and {gain:.6f}" for b, gain in kept),
            bool((kept[:, 1] > 1e-6).all()),
        ),
    )


def sparse_claims(data: xr.Dataset) -> list[Claim]:
    """What the 1-sparse loss says (F08)."""
    found = {int(k): float(data["polygon"].sel(sides=k)) for k in data["sides"].values}
    plain = {k: polygon_loss(k, 1.0, 0.0) for k in POLYGONS}
    five = data.sel(sides=5)
    slope, bias = np.meshgrid(np.linspace(-1.5, 1.5, 60), np.linspace(-1, 1, 41))
    relu = active_error(slope, bias) - linear_error(1 - slope, -bias)
    silent = linear_error(slope, bias) - silent_error(slope, bias)
    negative = 1 / 3 - float(linear_error(0.0, 0.0))
    free = float(silent_error(-0.4, 0.0)), float(silent_error(0.4, -0.4)), float(silent_error(0.4, 0.0))
    three = [float(active_error(1.2, -0.2)), float(silent_error(0.3, -0.1)), float(silent_error(-0.4, 0.2))]
    unbent = [float(linear_error(*line)) for line in ((-0.2, 0.2), (0.3, -0.1), (-0.4, 0.2))]
    return [
        Claim(
            name="integrals",
            statement="The two integrals of L_1 are elementary.",
            how="active feature at slope 1.2, bias -0.2; silent ones at slope 0.3, bias -0.1 and slope -0.4, bias 0.2",
            expected="0.0092593, 0.0088889, 0.0066667",
            tolerance="1e-7",
            measured=", ".join(f"{value:.7f}" for value in three),
            holds=bool(np.allclose(three, [0.0092593, 0.0088889, 0.0066667], atol=1e-7)),
            evidence="closed form",
            control=Control(
                "without the ReLU",
                ", ".join(f"{value:.7f}" for value in unbent),
                bool(np.allclose(unbent, [0.0092593, 0.0088889, 0.0066667], atol=1e-7)),
            ),
        ),
        Claim(
            name="relu-benefit",
            statement="The ReLU never hurts the feature benefit, and it only takes interference away.",
            how="error of the active feature with ReLU minus without; squared output of a silent one without minus with",
            expected="at most 0; at least 0",
            tolerance="1e-12",
            measured=f"{relu.max():.0e} at most; {silent.min():.0e} at least",
            holds=bool(relu.max() <= 1e-12 and silent.min() >= -1e-12),
            evidence=f"{slope.size} slopes and biases",
            control=Control("an active feature that is negative, slope 1, no bias", f"{negative:.3f}", negative <= 1e-12),
        ),
        dropped_bias_claim(),
        Claim(
            name="free",
            statement="With one feature on, negative interference is free, and so is positive below a negative bias.",
            how="squared output of a silent feature at overlap -0.4 without bias, and at 0.4 with bias -0.4",
            expected="0, 0",
            tolerance="none",
            measured=f"{free[0]:g}, {free[1]:g}",
            holds=free[0] == 0 and free[1] == 0,
            evidence="closed form",
            control=Control("overlap 0.4 without bias", f"{free[2]:.4f}", free[2] == 0),
        ),
        Claim(
            name="polygons",
            statement="So four features in two dimensions cost nothing; more pay with larger norms and negative biases.",
            how="lowest L_1 per feature of a regular polygon with 3, 4, 5 and 6 sides over norm and bias",
            expected=", ".join(f"{value:g}" for value in POLYGONS.values()),
            tolerance="2e-5",
            measured=", ".join(f"{abs(found[k]):.5f}" for k in POLYGONS),
            holds=all(abs(found[k] - value) < 2e-5 for k, value in POLYGONS.items()),
            evidence="closed form",
            control=Control(
                "norm 1 without bias",
                ", ".join(f"{value:.5f}" for value in plain.values()),
                all(abs(plain[k] - value) < 2e-5 for k, value in POLYGONS.items()),
            ),
            note=f"The pentagon's norm is {float(five['norm']):.3f}, its bias {float(five['bias']):.3f}. Seven to ten cost "
            + ", ".join(f"{found[k]:.4f}" for k in (7, 8, 9, 10))
            + ".",
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the section."""
    return [*sum_claims(data), share_claim(data), *sparse_claims(data), thomson_claim(data)]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """What each L_k contributes, and what polygons cost."""
    curves = {}
    for m in DIMENSIONS:
        share = [low_share(data, m, p) for p in data["density"].values]
        curves[f"{N} features in {m} dimensions"] = data["density"].copy(data=share)
    each = shares(data, 2)
    terms = {f"L{'₀₁₂₃₄₅₆₇₈'[k]}": each.sel(active=k, drop=True) for k in range(5)}
    terms["L₅ to L₈"] = each.sel(active=slice(5, None)).sum("active")
    polygons = {
        "best norm and bias": data["polygon"],
        "norm 1 without bias": data["polygon"].copy(data=[polygon_loss(k, 1.0, 0.0) for k in data["sides"].values]),
    }
    return {
        "terms": Figure(
            curve_panel(terms, "feature density 1 − S", "share of the loss", log_x=True),
            "What each L_k contributes to the loss of the certified optimum of eight equal features in two dimensions: the "
            "fewer features are on at a time, the more of the loss comes from one alone.",
        ),
        "shares": Figure(
            curve_panel(curves, "feature density 1 − S", "share of L₀ and L₁ in the loss", log_x=True),
            "What no or one active feature contributes to the loss of the certified optimum. In sparse worlds these terms "
            "dominate, unless the optimum makes them vanish: four digons have L₁ = 0.",
        ),
        "polygons": Figure(
            curve_panel(polygons, "features around a circle", "L₁ per feature"),
            "The loss of a regular polygon in two dimensions given that one of its features is on. A larger norm and a "
            "negative bias filter the positive interference of five and more.",
        ),
    }


experiment = Experiment(
    __name__,
    title="The loss by how many features are on",
    paper="Section 2.2, mathematical understanding (F07, F08)",
    seconds={"quick": 6, "paper": 20},
    study=study,
    figures=figures,
    claims=claims,
    order=4,
)
