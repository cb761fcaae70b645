"""What the experiments that perturb one feature share: many trained runs, and the exact branches of solutions beneath them.

Five features in two dimensions, density 0.05, importance 1; feature 0 has ``ratio`` times the density, or the importance, of
the others.  A branch is one exact minimum followed through all ratios (`tegum.exact.follow`) as far as it is one.

    W, b, loss (exact), kind         (ratio, seed)          what training found
    branch_W, branch_b, branch_loss  (branch, branch_ratio) the exact solutions, NaN where they are no minimum
    lost_at, lost_loss, lost_error   (branch)               where a branch ends as the ratio falls, NaN if nowhere
    crossing, slope                  ()  (branch)           where pentagon and digons cost the same, and d loss / d ratio there
"""

from itertools import pairwise
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.geometry import aligned, polar_angles, shape_names

N, M, DENSITY = 5, 2, 0.05
PENTAGON, DIGONS, OTHER_DIGONS, FAINT = (
    "pentagon",
    "two digons without feature 0",
    "two digons without another feature",
    "two digons and a faint feature",
)
KINDS = ("pentagon", "two digons", "triangle", "another geometry")
GRID = np.unique(np.round(np.concatenate([10 ** np.linspace(-3, 1, 81), [0.2, 0.25, 0.3, 0.4]]), 6))
_NEARBY = 1e-3
_CIRCLE = 2 * np.pi * np.arange(N) / N
_ONE, _OTHER, _FIFTH = (
    [[0.0, 1, -1, 0, 0], [0, 0, 0, 1, -1]],
    [[1.0, -1, 0, 0, 0], [0, 0, 1, -1, 0]],
    [[1.0, 0, 0, -1, 0], [0, 1, 0.4, 0, -1]],
)
_STARTS: dict[str, tuple[NDArray[np.float64], float, float]] = {
    PENTAGON: (1.1 * np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)]), 1.0, 1e-3),
    DIGONS: (np.array(_ONE), 0.3, 1e-3),
    OTHER_DIGONS: (np.array(_OTHER), 1.0, 0.1),
    FAINT: (np.array(_FIFTH), 10.0, 0.1),
}
"""First weights of each branch, the ratio where they are near a minimum, and the lowest ratio of interest."""

Field = Literal["density", "importance"]


def world(field: Field, ratio: float) -> tg.features.Independent:
    """The features where one of them is perturbed."""
    factor = np.ones(N)
    factor[0] = ratio
    density = DENSITY * (factor if field == "density" else np.ones(N))
    return tg.features.Independent(N, density=density, importance=np.ones(N) if field == "density" else factor)


def perturbed(field: Field, ratios: NDArray[np.float64], recipe: tg.Recipe) -> xr.Dataset:
    """Runs and branches, as described above; linear models at the lowest ratio and at 1 beside them."""
    runs = trained(tg.nets.ReluOutput(N, M), field, ratios, recipe)
    linear = trained(tg.nets.Linear(N, M), field, np.array([ratios[0], 1.0]), recipe.replaced(seeds=4))
    data = runs.merge(branches(field))
    data["linear_W"] = tg.best(linear)["W"].rename(ratio="linear_ratio").drop_vars("seed")
    collapsed = tg.exact.minimise(tg.nets.ReluOutput(N, M), world(field, 0.1), seeds=1, initial={"W": _STARTS[PENTAGON][0]})
    data["collapsed_W"], data["collapsed_loss"] = (collapsed[name].isel(seed=0, drop=True) for name in ("W", "loss"))
    data.attrs = runs.attrs | {"interrupted": max(runs.attrs["interrupted"], collapsed.attrs["interrupted"])}
    return data.drop_vars("start", errors="ignore")


def trained(net: tg.nets.Net, field: Field, ratios: NDArray[np.float64], recipe: tg.Recipe) -> xr.Dataset:
    """Every run's weights, exact loss and kind; runs that diverged have no loss."""
    worlds = [world(field, float(ratio)) for ratio in ratios]
    tuples = [tuple(getattr(each, field).tolist()) for each in worlds]
    sweep = {"ratio": tg.Axis([float(ratio) for ratio in ratios], **{field: tuples})}
    run = tg.train(net, tg.features.Independent(N, density=DENSITY), recipe, sweep=sweep)
    W = run["W"].transpose("ratio", "seed", "hidden", "feature").values.astype(np.float64)
    b = run["b"].transpose("ratio", "seed", "feature").values.astype(np.float64)
    density, importance = (np.stack([getattr(each, name) for each in worlds])[:, None] for name in ("density", "importance"))
    loss = tg.exact.loss(
        W,
        b,
        tg.features.Independent(N, density=density, importance=importance),
        tol=1e-6,
        activation="linear" if isinstance(net, tg.nets.Linear) else "relu",
    )
    lead = ("ratio", "seed")
    data = xr.Dataset(
        {
            "W": ((*lead, "hidden", "feature"), W, {"long_name": "weights; a column is a feature's direction"}),
            "b": ((*lead, "feature"), b, {"long_name": "output bias"}),
            "loss": (lead, loss, {"long_name": "exact expected loss"}),
            "kind": (lead, kinds_of(W)),
            "status": run["status"].transpose(*lead),
        },
        {"ratio": run["ratio"], "seed": run["seed"]},
    )
    data.attrs = run.attrs
    return data


def kinds_of(W: NDArray[np.float64]) -> NDArray[np.str_]:
    """The kind of each model by its `tegum.geometry.shape_names`; a triangle counts, whatever else there is."""
    named = {"pentagon": KINDS[0], "2 digons": KINDS[1]}
    kinds = [named.get(label, KINDS[2] if "triangle" in label else KINDS[3]) for label in shape_names(W).ravel()]
    return np.array(kinds, dtype=str).reshape(W.shape[:-2])


def branches(field: Field) -> xr.Dataset:
    """The exact branches, where they end, and where pentagon and digons cost the same."""
    net = tg.nets.ReluOutput(N, M)
    parts: dict[str, list[tg.exact.Branch]] = {}
    for name, (W, start, low) in _STARTS.items():
        first = tg.exact.minimise(net, world(field, start), seeds=1, initial={"W": W}).isel(seed=0)
        ways = (GRID[(low <= GRID) & (start >= GRID)][::-1], GRID[start <= GRID])
        parts[name] = [
            tg.exact.follow(net, lambda ratio: world(field, ratio), first["W"], first["b"], way, field="branch_ratio")
            for way in ways
            if len(way) > 1
        ]
    every = [
        xr.concat([way.data for way in ways], "branch_ratio", combine_attrs="drop").drop_duplicates("branch_ratio")
        for ways in parts.values()
    ]
    found = xr.concat([one.sortby("branch_ratio").reindex(branch_ratio=GRID) for one in every], "branch", combine_attrs="drop")
    data = found[["W", "b", "loss", "curvature"]].assign_coords(branch=list(parts))
    data = data.rename({name: f"branch_{name}" for name in ("W", "b", "loss", "curvature")})
    ends = [next((way.data for way in ways if way.lost_at is not None), None) for ways in parts.values()]
    for name in ("lost_at", "lost_error"):
        data[name] = ("branch", [np.nan if end is None else float(end.attrs[name]) for end in ends])
    data["lost_loss"] = ("branch", [np.nan if end is None else float(end["loss"][-1]) for end in ends])
    pentagon = parts[PENTAGON][0]
    digons = next(way for way in parts[DIGONS] if _crosses(pentagon, way))
    where = tg.exact.crossing(pentagon, digons)
    data["crossing"] = where
    data["slope"] = ("branch", [_slope(way, where) for way in (pentagon, digons)] + [np.nan] * 2)
    data["pentagon_slopes"] = ("side", [_slope(pentagon, where - _NEARBY), _slope(pentagon, where + _NEARBY)])
    return data


def _crosses(first: tg.exact.Branch, second: tg.exact.Branch) -> bool:
    """Whether the difference of two losses changes its sign where both are known."""
    common = first.data["loss"] - second.data["loss"].reindex_like(first.data["loss"])
    signs = np.sign(common.dropna("branch_ratio").values)
    return len(set(signs)) > 1


def _slope(branch: tg.exact.Branch, ratio: float) -> float:
    """The derivative of a branch's loss."""
    return (branch.minimum(ratio + _NEARBY / 2).loss - branch.minimum(ratio - _NEARBY / 2).loss) / _NEARBY


def neighbour_gap(W: NDArray[np.floating]) -> float:
    """The angle between the two features next to feature 0, on both sides of it, in degrees; NaN where there are none."""
    norms = np.linalg.norm(W, axis=0)
    angles = polar_angles(aligned(W))[1:][norms[1:] > 0.1 * norms.max()]
    return float(angles.min() + 360 - angles.max()) if np.isfinite(W).all() and norms[0] > 0.1 * norms.max() else float("nan")


def trained_crossing(data: xr.Dataset, behind: int = 0) -> float:
    """The ratio where the lowest losses of trained pentagons and two digons are equal, between grid points; NaN if nowhere.

    With ``behind`` the digons are those of the ratio so many grid points below.
    """
    ratio = data["ratio"].values
    lowest = {kind: data["loss"].where(data["kind"] == kind).min("seed") for kind in KINDS[:2]}
    gap = (lowest[KINDS[0]] - lowest[KINDS[1]].shift(ratio=behind)).values
    known = np.flatnonzero(np.isfinite(gap))
    for k, after in pairwise(known):
        if gap[k] > 0 >= gap[after]:
            share = gap[k] / (gap[k] - gap[after])
            return float(ratio[k] * (ratio[after] / ratio[k]) ** share)
    return float("nan")


def uniform(densities: NDArray[np.float64]) -> xr.Dataset:
    """Pentagon and two digons where all features have the same density, and where both cost the same; the unit one beside."""
    net, features = tg.nets.ReluOutput(N, M), tg.features.Independent(N, density=float(densities[0]))
    ways = []
    for branch in (PENTAGON, OTHER_DIGONS):
        first = tg.exact.minimise(net, features, seeds=1, initial={"W": _STARTS[branch][0]}).isel(seed=0)
        ways.append(tg.exact.follow(net, features, first["W"], first["b"], densities))
    pentagon, digons = (way.data.sel(density=densities) for way in ways)
    W = pentagon["W"].transpose("density", "hidden", "feature").values
    unit = np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)])
    worlds = tg.features.Independent(N, density=np.repeat(densities[:, None], N, axis=1))
    return xr.Dataset(
        {
            "uniform_loss": (("shape", "density"), [pentagon["loss"].values, digons["loss"].values]),
            "uniform_norm": ("density", np.linalg.norm(W, axis=1).mean(axis=1)),
            "uniform_b": ("density", pentagon["b"].mean("feature").values),
            "uniform_crossing": tg.exact.crossing(*ways),
            "unit_loss": ("density", tg.exact.loss(unit, np.zeros(N), worlds)),
        },
        {"density": densities, "shape": list(KINDS[:2])},
    )
