"""Capacities, tight frames and eigenspaces at every certified minimum of many worlds: where the claims hold, where not.

Scherlis et al. (2022) call D_i = |W_i|^2 / sum_j (w_i . W_j)^2 a feature's capacity: the capacities sum to m where all of them
is used, and W is block-semi-orthogonal.  Ivanov et al. (2026) prove that then each feature lies in a single eigenspace of
F = W W^T, and that the features of one eigenspace are a tight frame of it.  The converse is as short: sum D_i is the rank of W
exactly where each W_i is an eigenvector of F.  So all of it stands or falls with one question: do minima use all capacity?

Certified minima that 16 random starts find (paper profile 64), every different one, of independent features: seven sizes (n, m)
with n <= 8 (paper profile also 10 in 3, 12 in 2, 12 in 4 and 20 in 5), densities 0.01 to 0.7, importances equal, 0.9^i and
0.7^i.  A minimum is *saturated* where m - sum D_i < 1e-3.  Features of norm below 1/100 are not counted: of those that are not
represented some minima keep a trace, which lies anywhere.
"""

from typing import Any

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import IDENTITY, OURS, Claim, Evidence, above, at_most, below, later, share_at_least
from tegum.datasets import Status
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures.clouds import Cloud, clouds
from tegum.geometry import dimensionality, feature_norms, frame_spectrum, spectral_spread, tightness

SIZES: dict[Profile, list[tuple[int, int]]] = {
    "quick": [(3, 2), (4, 2), (5, 2), (6, 2), (7, 2), (6, 3), (8, 3)],
    "paper": [(3, 2), (4, 2), (5, 2), (6, 2), (7, 2), (12, 2), (6, 3), (8, 3), (10, 3), (12, 4), (20, 5)],
}
DENSITIES: dict[Profile, list[float]] = {
    "quick": [0.01, 0.03, 0.1, 0.3, 0.7],
    "paper": [0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9],
}
STARTS: dict[Profile, int] = {"quick": 16, "paper": 64}
IVANOV = "Ivanov et al., 2026"
EQUAL = "equal"
IMPORTANCES = {EQUAL: 1.0, "0.9^i": 0.9, "0.7^i": 0.7}
SPARSE = 0.1
"""Densities up to here are sparse."""
SATURATED, LOCAL, TRACE, SAME = 1e-3, 0.05, 0.01, 1e-6
"""How much capacity may be unused; how far a feature may be from an eigenspace; the norm from which it counts; equal losses."""
UNUSED = "unused capacity m − Σ Dᵢ, in dimensions"
DRAWN = (5, 2, 0.03)
"""The world whose lowest minima are drawn."""


def study(profile: Profile) -> xr.Dataset:
    """Every different certified minimum of each world, with its measures; models are padded with zeros to one size."""
    most_n, most_m = (max(sizes) for sizes in zip(*SIZES[profile], strict=True))
    rows = [row for n, m in SIZES[profile] for row in of_size(profile, n, m, (most_m, most_n))]
    dims = {"padded_W": ("minimum", "padded_hidden", "padded_feature"), "padded_b": ("minimum", "padded_feature")}
    return xr.Dataset(
        {name: (dims.get(name, ("minimum",)), np.array([row[name] for row in rows])) for name in rows[0]},
        attrs={"starts": STARTS[profile]},
    )


def of_size(profile: Profile, n: int, m: int, padded: tuple[int, int]) -> list[dict[str, Any]]:
    """The minima of all worlds of one size."""
    importance = tg.Axis(list(IMPORTANCES), importance=[tg.features.geometric(r, n) for r in IMPORTANCES.values()])
    found = tg.exact.minimise(
        tg.nets.ReluOutput(n, m),
        tg.features.Independent(n),
        seeds=STARTS[profile],
        sweep={"density": DENSITIES[profile], "importance": importance},
        progress=False,
    )
    rows = []
    for p in found["density"].values:
        for name in IMPORTANCES:
            world = {"n": n, "m": m, "density": float(p), "importance": name}
            rows += [world | one for one in different(found.sel(density=p, importance=name), padded)]
    return rows


def different(found: xr.Dataset, padded: tuple[int, int]) -> list[dict[str, Any]]:
    """Each different minimum of one world, the lowest first, with how many starts ended there."""
    certified = found.isel(seed=found["status"].values == Status.MINIMUM).sortby("loss")
    losses = certified["loss"].values
    first = [k for k in range(losses.size) if k == 0 or losses[k] > losses[k - 1] * (1 + SAME)]
    rows = []
    for k, end in zip(first, [*first[1:], losses.size], strict=True):
        W = certified["W"].transpose("seed", "hidden", "feature").values[k]
        wide = [(0, size - own) for size, own in zip(padded, W.shape, strict=True)]
        row = {"loss": losses[k], "hits": end - k, "lowest": k == 0} | measured(W)
        b = np.pad(certified["b"].transpose("seed", "feature").values[k], wide[1])
        rows.append(row | {"padded_W": np.pad(W, wide), "padded_b": b})
    return rows


def measured(W: np.ndarray) -> dict[str, float]:
    """Capacity that is not used, tightness, the largest spread over eigenspaces, how many features are represented."""
    counted = np.where(feature_norms(W) > TRACE, W, 0.0)
    eigenvalues = frame_spectrum(counted)
    return {
        "unused": float(W.shape[0] - dimensionality(counted).sum()),
        "tightness": float(tightness(counted)),
        "spread": float(spectral_spread(counted).max()),
        "ratio": float(eigenvalues[0] / eigenvalues[-1]) if eigenvalues[-1] > 0 else float("inf"),
        "rank": float(np.linalg.matrix_rank(counted)),
        "represented": float((feature_norms(counted) > 0.5).sum()),
    }


def claims(data: xr.Dataset) -> list[Claim]:
    """Saturation and eigenspaces are one thing; nearly all capacity is used everywhere, all of it not even by equals."""
    equal, lowest, sparse = data["importance"].values == EQUAL, data["lowest"].values, data["density"].values <= SPARSE
    evidence = Evidence(
        f"{data.sizes['minimum']} certified minima of {int(lowest.sum())} worlds, {data.attrs['starts']} starts each"
    )
    of_lowest = Evidence(f"the lowest certified minimum of each world, {data.attrs['starts']} starts")
    full = data["unused"].values < SATURATED
    local = (data["spread"].values < 1e-4) & (data["rank"].values == data["m"].values)

    def where(n: int, m: int) -> xr.Dataset:
        return data.isel(minimum=lowest & equal & sparse & (data["n"].values == n) & (data["m"].values == m))

    pentagons = lowest & (data["density"].values <= SPARSE / 2) & (data["n"].values == 5) & (data["m"].values == 2)
    return [
        Claim(
            "saturation-localises",
            "Where capacities sum to m within 0.001, every feature lies in a single eigenspace of W Wᵀ within 5 %.",
            source=later(IVANOV, "capacity saturation forces spectral localization"),
            how="largest spread over eigenspaces at minima whose capacities sum to m within 0.001",
            measure=lambda one: largest(one["spread"]),
            expect=below(LOCAL),
            of=data.isel(minimum=full),
            against={"all other minima": data.isel(minimum=~full)},
            evidence=evidence.adding(f"{int(full.sum())} saturated"),
        ),
        Claim(
            "one-condition",
            "It holds in both directions: features in single eigenspaces use all capacity.",
            source=IDENTITY,
            how="largest unused capacity at minima whose features spread by less than 0.0001 and span all dimensions",
            measure=lambda one: largest(one["unused"]),
            expect=below(SATURATED),
            of=data.isel(minimum=local),
            against={"all other minima": data.isel(minimum=~local)},
            evidence=evidence,
        ),
        Claim(
            "sum-is-m",
            "Optima are block-semi-orthogonal, so that the capacities sum to m.",
            source=later("Scherlis et al., 2022", "We find a block-semi-orthogonal structure"),
            how="share of worlds of equal features whose lowest certified minimum has capacities that sum to m within 0.001",
            measure=lambda one: (one["unused"] < SATURATED).values,
            expect=share_at_least(1),
            of=data.isel(minimum=lowest & equal),
            against={"stretched twofold along an axis": stretched(data.isel(minimum=lowest & equal))},
            evidence=of_lowest,
        ),
        Claim(
            "nearly-all-is-used",
            "No certified minimum leaves more than 2 % of its capacity unused, be features equal or not.",
            source=OURS,
            how="largest m − Σ D, as a share of m",
            measure=lambda one: largest(one["unused"] / one["m"]),
            expect=at_most(0.02, "%"),
            of=data,
            against={"stretched twofold along an axis": stretched(data)},
            evidence=evidence,
        ),
        Claim(
            "antiprism-is-not-tight",
            "Eight equal sparse features in three dimensions, a square antiprism, are no tight frame and lie in no single "
            "eigenspace.",
            source=OURS,
            how="Σ D / m and the largest over the smallest eigenvalue of W Wᵀ at the lowest certified minima",
            measure=lambda one: {"used": largest(1 - one["unused"] / one["m"]), "ratio": -largest(-one["ratio"])},
            expect={"used": below(0.995), "ratio": above(1.1)},
            of=where(8, 3),
            against={"six in three, an octahedron": where(6, 3), "five in two, a pentagon": where(5, 2)},
            evidence=of_lowest,
            note="Its height is free: the loss sets it, and tight it would be higher. Ivanov et al. count antiprisms among the "
            "tight shapes.",
        ),
        Claim(
            "unequal-pentagons",
            "Pentagons of features of unequal importance are no tight frames: not every feature lies in a single eigenspace.",
            source=OURS,
            how="least of the largest spreads over worlds of five features in the plane at density 0.05 or less",
            measure=lambda one: -largest(-one["spread"]),
            expect=above(1e-4),
            of=data.isel(minimum=pentagons & ~equal),
            against={"equal importances": data.isel(minimum=pentagons & equal)},
            evidence=of_lowest,
        ),
        Claim(
            "two-eigenvalues",
            "All features together need not be a tight frame although all capacity is used: a pair and a dedicated feature.",
            source=OURS,
            how="unused capacity and tightness of three equal sparse features in two dimensions",
            measure=lambda one: {"unused": largest(one["unused"]), "tightness": largest(one["tightness"])},
            expect={"unused": below(1e-9), "tightness": below(0.95)},
            of=where(3, 2),
            against={"four in two, two pairs": where(4, 2), "eight in three": where(8, 3)},
            evidence=of_lowest,
            note="A tight frame is what the features of one eigenspace are; here are two.",
        ),
    ]


def largest(values: xr.DataArray) -> float:
    """The largest, NaN where there are none."""
    return float(values.max()) if values.size else float("nan")


def stretched(data: xr.Dataset) -> xr.Dataset:
    """The same models with one row of W doubled, and what that leaves unused."""
    rows = [
        measured(W[:m] * np.where(np.arange(m) == 0, 2.0, 1.0)[:, None])
        for W, m in zip(data["padded_W"].values, data["m"].values, strict=True)
    ]
    return data.assign(unused=("minimum", [row["unused"] for row in rows]))


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """What is not used over density; spread against it; the lowest minima of one world."""
    lowest = data.isel(minimum=data["lowest"].values)
    floor = 1e-9
    over_density = [
        Cloud(f"importance {name}", one["density"].values, np.maximum(one["unused"].values, floor), texts=texts(one))
        for name in IMPORTANCES
        for one in [lowest.isel(minimum=lowest["importance"].values == name)]
    ]
    against = [
        Cloud(
            f"importance {name}",
            np.maximum(one["spread"].values, floor),
            np.maximum(one["unused"].values, floor),
            texts=texts(one),
        )
        for name in IMPORTANCES
        for one in [data.isel(minimum=data["importance"].values == name)]
    ]
    n, m, p = DRAWN
    here = lowest.isel(minimum=((lowest["n"] == n) & (lowest["m"] == m) & (lowest["density"] == p)).values)
    drawn = here.assign_coords(minimum=[f"importance {name}" for name in here["importance"].values])
    own = drawn[["padded_W"]].isel(padded_hidden=slice(m), padded_feature=slice(n))
    arrows = own.rename(minimum="model", padded_W="W", padded_hidden="hidden", padded_feature="feature")
    return {
        "unused": Figure(
            clouds({"": over_density}, "density p = 1 − S", UNUSED, log_x=True, log_y=True),
            "Capacity that the lowest certified minimum of each world leaves unused (10⁻⁹: none). Most use all; eight features "
            "in three dimensions leave up to 0.05, pentagons of unequal features 10⁻⁷ to 10⁻⁴.",
        ),
        "spread": Figure(
            clouds({"": against}, "largest spread over eigenspaces", UNUSED, log_x=True, log_y=True),
            "Every certified minimum: no capacity is left unused exactly where each feature lies in one eigenspace of W Wᵀ.",
        ),
        "drawn": Figure(
            tg.figures.arrow_panels(arrows, "model"),
            "Lowest minima of five features in two dimensions at density 0.03. With equal importances a tight frame; else "
            "W Wᵀ has two eigenvalues, and features lie between its eigenvectors.",
        ),
    }


def texts(one: xr.Dataset) -> list[str]:
    """What hovering says of each minimum."""
    return [
        f"n = {int(n)}, m = {int(m)}, p = {p:g}"
        for n, m, p in zip(one["n"].values, one["m"].values, one["density"].values, strict=True)
    ]


experiment = Experiment(
    __name__,
    title="Capacities, tight frames and eigenspaces at every certified minimum",
    paper="Capacity (Scherlis et al., 2022) and spectra (Ivanov et al., 2026)",
    seconds={"quick": 8, "paper": 300},
    order=3,
)
