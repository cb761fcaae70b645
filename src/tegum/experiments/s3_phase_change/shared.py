"""What the two trained phase diagrams share: one more feature than dimensions, the last of importance r, the others 1.

Three readings of one grid: the paper's rule (ten fits, drop the worst, average norm and interference of the rest), the best of
the ten by exact loss, and the lowest certified minimum of the expected loss, of a few random starts and of those from
neighbours' minima.  A fit is *stuck* where its exact loss exceeds the optimum's by 5 %; it is *helped* by its initial weights
where the pair of lowest cosine has a negative one and is the pair that costs least: with two others, the pair without the last
feature if r > 1, else a pair with it.

The recipe is the cheapest of five tried on 10 x 10 points that is converged for these maps: 2,000 steps of 256 at 1e-2 leave
the best of ten 3e-5 above the optimum (median; 3e-3 at most) and 29 % of all fits stuck, between 4,000 steps at 3e-3 (1e-5,
31 %) and 6,000 (1e-5, 25 %).  The optimum's descents use 64 terms: its losses agree with those of 256 to 1e-10.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, at_least
from tegum.claims.words import number
from tegum.exact.transitions import JUMP
from tegum.experiments import Figure
from tegum.maps import extra_feature, paper_grid, ratio_axis, transitions_between
from tegum.selection import mean_without_worst

STUCK = 0.05
RECIPE = tg.Recipe(
    steps=2000, batch_size=256, learning_rate=0.01, schedule="cosine", weight_decay=0, seeds=10, record=("W",), record_steps=[0]
)
FIRST_ORDER_ABOVE = f"first order above {number(JUMP, 3, '%')}"
PAPER_RULE, BEST, OPTIMUM = "paper's rule, 9 of 10 fits", "best of 10 by exact loss", "lowest certified minimum"


def phase_study(n_features: int, side: int, ratios: list[float], starts: int) -> xr.Dataset:
    """The grid read in three ways, how often training got stuck, and the exact boundary at some ratios of importance.

    There are n features in n - 1 dimensions, ``side`` grid points along each axis, and random ``starts`` at each density.

    Returns:
        ``norm``, ``interference`` and ``loss`` over ``reading`` and the grid, ``stuck`` and ``helped`` of each fit, and over
        ``ratio`` the ``edge`` (a density), the ``jump`` of the slope there, relative, and its ``order``.
    """
    net, features = tg.nets.ReluOutput(n_features, n_features - 1), tg.features.Independent(n_features)
    sweep = paper_grid(n_features, side)
    certified: dict[str, Any] = {"seeds": starts, "warm_starts": 1, "terms": 64}
    minima = tg.exact.minimise(net, features, sweep=sweep, **certified)
    fits = tg.train(net, features, RECIPE, sweep=sweep)
    fits["loss"] = tg.exact.loss(fits, tol=1e-6)
    optimum = tg.best(minima).drop_vars(["seed", "start"])
    readings = {
        PAPER_RULE: mean_without_worst(extra_feature(fits)),
        BEST: extra_feature(tg.best(fits).drop_vars("seed")),
        OPTIMUM: extra_feature(optimum),
    }
    data = xr.concat(readings.values(), "reading", coords="minimal", compat="override").assign_coords(reading=list(readings))
    data["stuck"] = (fits["loss"] > (1 + STUCK) * optimum["loss"]).drop_vars("seed")
    data["helped"] = helped(fits["W_history"].sel(step=0)).drop_vars(["seed", "step"])
    data["gradient_norm"] = optimum["gradient_norm"]
    data.attrs = fits.attrs | {name: minima.attrs[name] for name in ("minimise", "not_converged")}
    line = {"importance_ratio": ratio_axis(n_features, ratios), "density": np.geomspace(0.05, 0.99, 60).tolist()}
    return data.merge(boundary(net, tg.best(tg.exact.minimise(net, features, sweep=line, **certified))))


def boundary(net: tg.nets.ReluOutput, minima: xr.Dataset) -> xr.Dataset:
    """Where the norms of the optimum change most abruptly with density: ``edge``, ``jump`` and ``order`` over ``ratio``."""
    norms = minima["b"].copy(data=np.sort(tg.geometry.feature_norms(minima["W"].values)))
    after = minima["density"] >= abs(norms.diff("density")).max("feature").idxmax("density")
    found = transitions_between(net, minima, after.transpose("importance_ratio", "density"))
    edges = found[["value", "jump", "order"]].rename(value="edge", transition="ratio")
    return edges.assign_coords(ratio=found["at"].values)


def helped(initial: xr.DataArray) -> xr.DataArray:
    """Whether the most opposed pair of a fit's initial weights is one that costs least."""
    W = initial.astype(np.float64)
    directions, last = W / (W**2).sum("hidden") ** 0.5, W.sizes["feature"] - 1
    one, other = (xr.DataArray(features, dims="pair") for features in np.triu_indices(last + 1, 1))
    cosine = (directions.isel(feature=one) * directions.isel(feature=other)).sum("hidden")
    with_last = other.isel(pair=cosine.argmin("pair")) == last
    pays = with_last if last == 1 else with_last == (initial["importance_ratio"] <= 1)
    return pays & (cosine.min("pair") < 0)


def orders(found: xr.Dataset) -> dict[str, Any]:
    """The orders of some transitions along density, with their jumps of the slope and where they are, by importance."""
    each = found.rename(ratio="importance").swap_dims(transition="importance").sortby("importance")
    return {"order": set(each["order"].values.tolist()), "jump": each["jump"], "density": each["value"].dropna("importance")}


def phase_figures(
    data: xr.Dataset,
    lines: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    caption: str,
    titles: tuple[str, str],
    stuck_caption: str,
) -> dict[str, Figure]:
    """The readings under theoretical lines and the exact boundary; how often fits got stuck without and with help."""
    readings = {title: data.sel(reading=title) for title in data["reading"].values}
    edge = {"boundary by lowest certified minima": (data["ratio"].values, data["edge"].values)}
    parts = [data["stuck"].where(part).mean("seed") for part in (~data["helped"], data["helped"])]
    return {
        "phases": Figure(tg.figures.phase_panels(readings, lines | edge), caption),
        "stuck": Figure(
            tg.figures.stuck_panels(dict(zip(titles, parts, strict=True))),
            f"Share of fits that end more than {number(STUCK, 3, '%')} above the lowest certified minimum, {stuck_caption}",
        ),
    }


def stuck_shares(fits: tuple[xr.DataArray, xr.DataArray]) -> dict[str, float]:
    """How often fits got stuck, of those of which the second array is not true and of those of which it is."""
    stuck, so = fits
    where_not, where_so = (float(stuck.where(part).mean()) for part in (~so, so))
    with np.errstate(divide="ignore", invalid="ignore"):
        times = float(np.divide(where_not, where_so))
    return {"times as many": times, "stuck where not": where_not, "stuck where so": where_so}


def stuck_claim(data: xr.Dataset, statement: str, by: str) -> Claim:
    """Fits that their initial weights do not help get stuck more often."""
    stuck = data["stuck"]
    return Claim(
        "same-sign",
        statement,
        source=OURS,
        how=f"a fit is stuck if its exact loss exceeds the optimum's by {number(STUCK, 3, '%')}: shares where {by} and where "
        "not, and their ratio",
        measure=stuck_shares,
        expect={"times as many": at_least(3)},
        of=(stuck, data["helped"]),
        against={"split by even and odd seeds instead": (stuck, stuck["seed"] % 2 == 1)},
        evidence=Evidence(f"{stuck.size} fits", stuck.size),
    )
