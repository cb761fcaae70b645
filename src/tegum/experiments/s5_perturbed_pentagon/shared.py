"""What the experiments that perturb one feature share: trained runs, the exact branches beneath them, pictures and claims.

Five features in two dimensions, density 0.05, importance 1; feature 0 has ``ratio`` times the density, or the importance, of
the others.  A branch is one exact minimum followed through all ratios (`tegum.exact.follow`) as far as it is one.

    W, b, loss (exact), kind         (ratio, seed)          what training found
    branch_W, branch_b, branch_loss  (branch, branch_ratio) the exact solutions, NaN where they are no minimum
    lost_at, lost_loss, lost_error   (branch)               where a branch ends as the ratio falls, NaN if nowhere
    crossing, slope                  ()  (branch)           where pentagon and digons cost the same, and d loss / d ratio there
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import tegum as tg
from tegum.claims import (
    Claim,
    Disagreement,
    Evidence,
    Source,
    above,
    at_most,
    below,
    best_of,
    every,
    near,
    paper,
    rising,
    share_at_least,
)
from tegum.claims.words import number
from tegum.experiments import Figure, Profile
from tegum.geometry import circle_gaps, cosines, feature_norms, identify, polar_angles, polygon
from tegum.recorded import labelled_with

Field = Literal["density", "importance"]
Quoted = Callable[[str], Source]
"""The source of a statement that the paper makes in these words of the density of a feature, and not of its importance."""

SECTION = "Perturbing a Single Feature"

POINTS: dict[Profile, int] = {"quick": 21, "paper": 41}
RECIPE = {"quick": tg.Recipe(steps=5000, seeds=10), "paper": tg.Recipe(steps=5000, seeds=64)}
N, M, DENSITY = 5, 2, 0.05
NET = tg.nets.ReluOutput(N, M)
PENTAGON, DIGONS = "pentagon", "two digons without feature 0"
OTHER_DIGONS, FIFTH = "two digons without another feature", "two digons and a fifth feature"
STARTS: dict[str, tuple[NDArray[np.float64], float, float]] = {
    PENTAGON: (1.1 * polygon(N), 1.0, 1e-3),
    DIGONS: (np.array([[0.0, 1, -1, 0, 0], [0, 0, 0, 1, -1]]), 0.3, 1e-3),
    OTHER_DIGONS: (np.array([[1.0, -1, 0, 0, 0], [0, 0, 1, -1, 0]]), 1.0, 0.1),
    FIFTH: (np.array([[1.0, 0, 0, -1, 0], [0, 1, 0.4, 0, -1]]), 10.0, 0.1),
}
"""Initial weights of each branch, the ratio where they are near a minimum, and the lowest ratio of interest."""
GRID = np.unique(np.round(np.concatenate([10 ** np.linspace(-3, 1, 81), [0.2, 0.25, 0.3, 0.4]]), 6))
KINDS = ("pentagon", "two digons", "triangle", "another geometry")
OWN_BRANCHES = {"pentagon": [PENTAGON], "two digons": [DIGONS, OTHER_DIGONS, FIFTH]}
ANY = "any branch"
"""The kind of runs that may lie on any branch."""
CLOSE = 0.05
"""How far from a branch, as a share of its loss, a run may be to lie on it."""
_NEARBY = 1e-3


def features_at(field: Field, ratio: ArrayLike) -> tg.features.Independent:
    """The features where one of them is perturbed, for one ratio or an array of them."""
    factor = np.ones((*np.shape(ratio), N))
    factor[..., 0] = ratio
    fields: dict[str, Any] = {"density": DENSITY, "importance": 1.0}
    return tg.features.Independent(N, **fields | {field: fields[field] * factor})


def perturbed(field: Field, profile: Profile) -> xr.Dataset:
    """Runs and branches, as described above; linear models at the lowest ratio and at 1 beside them."""
    ratios, recipe = np.round(10 ** np.linspace(-1, 1, POINTS[profile]), 6), RECIPE[profile]
    runs = trained(NET, field, ratios, recipe)
    linear = trained(tg.nets.Linear(N, M), field, np.array([ratios[0], 1.0]), recipe.replaced(seeds=4))
    data = runs.merge(branches(field))
    data["linear_W"] = tg.best(linear)["W"].rename(ratio="linear_ratio").drop_vars("seed")
    collapsed = tg.exact.minimise(NET, features_at(field, 0.1), seeds=1, initial={"W": STARTS[PENTAGON][0]})
    data["collapsed_W"], data["collapsed_loss"] = (collapsed[name].isel(seed=0, drop=True) for name in ("W", "loss"))
    return data.drop_vars("start", errors="ignore").assign_attrs(runs.attrs)


def trained(net: tg.nets.Net, field: Field, ratios: NDArray[np.float64], recipe: tg.Recipe) -> xr.Dataset:
    """Every run's weights, exact loss and kind; runs that diverged have no loss."""
    values = [tuple(each) for each in getattr(features_at(field, ratios), field).tolist()]
    sweep = {"ratio": tg.Axis(ratios.tolist(), **{field: values})}
    run = tg.train(net, tg.features.Independent(N, density=DENSITY), recipe, sweep=sweep)
    data = run[["W", "b"]].astype(np.float64)
    W, b, runs = data["W"].values, data["b"].values, ("ratio", "seed")
    loss = tg.exact.loss(W, b, features_at(field, ratios[:, None]), tol=1e-6, net=net)
    exact = (runs, loss, {"long_name": "exact expected loss"})
    return data.assign(loss=exact, kind=(runs, kinds_of(W)), status=run["status"])


def kinds_of(W: NDArray[np.float64]) -> NDArray[np.str_]:
    """The kind of each model by its `tegum.geometry.shape_names`; a triangle counts, whatever else there is."""
    named, shapes = {"pentagon": KINDS[0], "2 digons": KINDS[1]}, tg.geometry.shape_names(W).ravel()
    kinds = [named.get(shape, KINDS[2] if "triangle" in shape else KINDS[3]) for shape in shapes]
    return np.array(kinds, dtype=str).reshape(W.shape[:-2])


def branches(field: Field) -> xr.Dataset:
    """The exact branches, where they end, and where pentagon and digons cost the same."""
    ways = {name: _followed(field, *start) for name, start in STARTS.items()}
    each = [
        xr.concat([way.data for way in some], "branch_ratio").drop_duplicates("branch_ratio").reindex(branch_ratio=GRID)
        for some in ways.values()
    ]
    names = ["W", "b", "loss", "curvature"]
    # the branches share their axis with the runs, not the distribution recorded at each place
    data = xr.concat(each, "branch", combine_attrs="drop")[names].drop_vars(["feature_density", "feature_importance"])
    data = data.assign_coords(branch=list(ways))
    ends = [max(some, key=lambda way: way.lost_at is not None).data for some in ways.values()]
    lost_at, lost_error = ([end.attrs[name] for end in ends] for name in ("lost_at", "lost_error"))
    pentagon = ways[PENTAGON][0]
    # the digons were followed down and up, and cross the pentagon on one of the two
    digons = next(way for way in ways[DIGONS] if np.unique(np.sign(pentagon.data["loss"] - way.data["loss"])).size > 1)
    where = tg.exact.crossing(pentagon, digons)
    return data.rename({name: f"branch_{name}" for name in names}).assign(
        lost_at=("branch", lost_at),
        lost_error=("branch", lost_error),
        lost_loss=("branch", np.where(np.isnan(lost_at), np.nan, [end["loss"][-1] for end in ends])),
        crossing=where,
        slope=("branch", [_slope(pentagon, where), _slope(digons, where), np.nan, np.nan]),
        pentagon_slopes=("side", [_slope(pentagon, where - _NEARBY), _slope(pentagon, where + _NEARBY)]),
    )


def _followed(field: Field, W: NDArray[np.float64], start: float, low: float) -> list[tg.exact.Branch]:
    """One minimum followed from the ratio where it was found, down and up."""
    first = tg.exact.minimise(NET, features_at(field, start), seeds=1, initial={"W": W}).isel(seed=0)
    down, up = GRID[(low <= GRID) & (start >= GRID)][::-1], GRID[start <= GRID]
    return [
        tg.exact.follow(NET, partial(features_at, field), first["W"], first["b"], ratios, field="branch_ratio")
        for ratios in (down, up)
        if len(ratios) > 1
    ]


def _slope(branch: tg.exact.Branch, ratio: float) -> float:
    """The derivative of a branch's loss."""
    return (branch.minimum(ratio + _NEARBY / 2).loss - branch.minimum(ratio - _NEARBY / 2).loss) / _NEARBY


def lowest_model(data: xr.Dataset, ratio: float) -> NDArray[np.float64]:
    """W of the run with the lowest exact loss at a ratio of the grid."""
    return np.asarray(tg.best(data[["loss", "status", "W"]].sel(ratio=ratio, method="nearest"))["W"].values)


def regularity(W: NDArray[np.float64]) -> dict[str, Any]:
    """Gaps around the plane and norms, 72 degrees and equal in a regular pentagon."""
    norms = feature_norms(W)
    spread = norms.max() / norms.min() - 1 if norms.min() > 0 else np.inf
    return {"gaps": circle_gaps(W), "norms": norms, "spread of norms": float(spread)}


def pairing(W: NDArray[np.float64]) -> dict[str, Any]:
    """The norm of feature 0 and, of each of the others, the norm and the cosines: the lowest, and the other two in size."""
    norms, angles = feature_norms(W), np.sort(cosines(W)[1:, 1:], axis=1)
    return {
        "‖W₀‖": norms[0],
        "other norms": norms[1:],
        "cos with the partner": angles[:, 0],
        "|cos| with the others": abs(angles[:, 1:3]).max(),
    }


def neighbour_gap(W: NDArray[np.floating]) -> float:
    """The angle between the two features next to feature 0, on both sides of it, in degrees; NaN where there are none."""
    norms, angles = feature_norms(W), polar_angles(W)
    learned = norms > 0.1 * norms.max()
    away = (angles[1:] - angles[0])[learned[1:]] % 360
    return float(away.min() + 360 - away.max()) if learned[0] and away.size else float("nan")


def neighbour_gaps(data: xr.Dataset, branch: str) -> xr.DataArray:
    """The same at every ratio where a branch has it."""
    W = data["branch_W"].sel(branch=branch)
    gaps = [neighbour_gap(each) for each in W.values]
    return xr.DataArray(gaps, [("ratio", W["branch_ratio"].values)]).dropna("ratio")


def shape_claims(data: xr.Dataset, what: str, source: Quoted) -> list[Claim]:
    """A regular pentagon at ratio 1, two digons at ratio 0.1, and a pentagon that bends between; ``what`` feature 0 becomes."""
    alike, gaps = lowest_model(data, 1.0), neighbour_gaps(data, PENTAGON)
    chosen = partial(Claim, evidence=best_of(data["loss"].isel(ratio=0), "exact loss"), needs=8)
    low, high = gaps["ratio"].values[[0, -1]]
    return [
        chosen(
            "regular",
            "Where all features are alike the best solution is a regular pentagon.",
            source=paper(SECTION, "we get a regular pentagon"),
            how="gaps between neighbouring features and norms in the run with the lowest exact loss at ratio 1",
            measure=regularity,
            expect={"gaps": near(72, 2, "°"), "spread of norms": at_most(0.02, "%")},
            of=alike,
            against={"the best linear model": data["linear_W"].sel(linear_ratio=1.0).values},
        ),
        chosen(
            "two-digons",
            f"Far below the critical ratio the best solution is two digons, and the {what} feature is not represented.",
            source=source("it collapses from a pentagon to a pair of digons with the sparser point at zero"),
            how="the run with the lowest exact loss at ratio 0.1; features 1 to 4 among one another",
            measure=pairing,
            expect={
                "‖W₀‖": below(0.1),
                "other norms": above(0.9),
                "cos with the partner": below(-0.98),
                "|cos| with the others": below(0.1),
            },
            of=lowest_model(data, 0.1),
            against={"the best run at ratio 1": alike, "the best linear model": data["linear_W"].isel(linear_ratio=0).values},
            note=f"The exact descent from a pentagon at ratio 0.1 ends as {identify(data['collapsed_W'].values).label}, "
            f"loss {data['collapsed_loss']:.5f}.",
        ),
        Claim(
            "neighbours",
            "The others move away from the varied feature as its ratio rises, and close in as it falls.",
            source=source("the other features repel from it, giving it more space"),
            how="angle between the two neighbours of feature 0 on the exact pentagon branch, by ratio",
            expect=rising("°"),
            of=gaps,
            against={"two digons without another feature": neighbour_gaps(data, OTHER_DIGONS)},
            evidence=Evidence(f"one exact branch, {gaps.size} ratios from {low:.3g} to {high:g}"),
            note=f"At ratio 1, where all features are alike, it is {gaps.sel(ratio=1.0):.0f}°.",
            disagreement=_turned_back(gaps),
        ),
    ]


def _turned_back(gaps: xr.DataArray) -> Disagreement | None:
    """Where the neighbours are widest apart, if they come back beyond it."""
    widest = int(gaps.values.argmax())
    if widest == gaps.size - 1 or not rising().holds(gaps[: widest + 1]):
        return None
    return Disagreement(
        "the others move away, and it has more space",
        f"until {gaps['ratio'][widest]:.3g}, then {gaps[widest] - gaps[-1]:.1f}° back",
        "Found on exact minima, not on runs that stopped early: beyond that ratio the neighbours come back a little.",
    )


def where_equal(apart: xr.DataArray) -> float:
    """Where a difference of losses falls to 0 along its dimension, between grid points on a log scale; NaN if nowhere."""
    (along,) = apart.dims
    known = apart.dropna(along)
    for (low, here), (high, there) in pairwise(zip(known[along].values, known.values, strict=True)):
        if here > 0 >= there:
            return float(low * (high / low) ** (here / (here - there)))
    return float("nan")


def on_own_curve(data: xr.Dataset) -> NDArray[np.bool_]:
    """Of every run of a kind that has branches, whether its loss is as near as `CLOSE` to one of them."""
    exact = data["branch_loss"].rename(branch_ratio="ratio").reindex(ratio=data["ratio"], method="nearest", tolerance=1e-6)
    close = abs(data["loss"] / exact - 1) <= CLOSE
    kinds = OWN_BRANCHES | {ANY: list(STARTS)}
    hits = [close.sel(branch=names).any("branch").values[(data["kind"] == kind).values] for kind, names in kinds.items()]
    return np.concatenate(hits)


def transition_claims(data: xr.Dataset, source: Quoted) -> list[Claim]:
    """Branches that cross at an angle, and runs that lie on them and cross where they do."""
    where, lost = float(data["crossing"]), data["lost_at"].sel(branch=PENTAGON).fillna(GRID[0])
    followed = data["branch_loss"].sel(branch=DIGONS).dropna("branch_ratio")["branch_ratio"]
    pentagons, twos = (data["loss"].where(data["kind"] == kind).min("seed") for kind in OWN_BRANCHES)
    runs = every(data["loss"].stack(run=("ratio", "seed")), "run", over="run")
    count = {kind: int((data["kind"] == kind).sum()) for kind in KINDS}
    keeping = (data["kind"] == KINDS[1]) & (feature_norms(data["W"].values)[..., 0] > 0.5)
    kept, named = data["loss"].where(keeping).min("seed"), data["kind"].isin(list(OWN_BRANCHES))
    slopes = data["slope"].sel(branch=[PENTAGON, DIGONS])
    return [
        Claim(
            "first-order",
            "Every geometry has a loss curve of its own; the phase change is where they cross, a first-order transition.",
            source=source(
                "The phase change corresponds to loss curves corresponding to the two different geometries crossing over"
            ),
            how="slopes of the exact losses of both branches at the crossing, 0 apart if the pentagon is no minimum there",
            measure=lambda branches: {
                "d loss / d ratio": branches[0],
                "slopes differ by": abs(branches[0][1] / branches[0][0] - 1) * (branches[1] < where),
                "the pentagon is a minimum down to ratio": branches[1],
            },
            expect={"slopes differ by": above(0.1, "%")},
            of=(slopes, lost),
            against={"the pentagon itself, just below and just above": (data["pentagon_slopes"], lost)},
            evidence=Evidence("two exact branches"),
            note=f"The two digons were followed as a minimum from ratio {followed.min():g} to {followed.max():g}.",
        ),
        Claim(
            "trained-crossing",
            "Trained runs, labelled by their geometry, cross where the exact branches do.",
            source=source("the pentagon-digon phase change corresponds to a cross over between the curves"),
            how="ratio where the lowest losses of trained pentagons and of trained two digons are equal, between grid points",
            measure=where_equal,
            expect=near(where, 0.1, relative=True),
            of=pentagons - twos,
            against={"two digons that have kept feature 0": pentagons - kept},
            evidence=runs,
            needs=100,
        ),
        Claim(
            "own-curves",
            "Suboptimal runs included, each geometry traces its own loss curve.",
            source=source("each geometry creates a different loss curve"),
            how=f"pentagons and two digons whose exact loss is within {number(CLOSE, 3, '%')} of an exact branch of that shape",
            measure=on_own_curve,
            expect=share_at_least(0.9),
            of=data,
            against={
                "runs of other geometries, beside any branch": data.assign(kind=named.copy(data=np.where(named, "", ANY)))
            },
            evidence=runs.adding(", ".join(f"{kind} ({number})" for kind, number in count.items())),
            lacking="" if min(count[kind] for kind in OWN_BRANCHES) >= 8 else "8 runs of either",
        ),
    ]


def perturbed_figures(data: xr.Dataset, field: Field, places: Mapping[str, float]) -> dict[str, Figure]:
    """The three pictures of a feature perturbed in this ``field``; ``places`` are marked in the first."""
    label = f"relative {field} of feature 0"
    exact = data[["branch_loss", "lost_at", "lost_loss"]].rename(branch_loss="loss")
    where, lost = float(data["crossing"]), data["lost_at"].sel(branch=PENTAGON)
    panels = {
        f"pentagon, {lost:.3f} to 10": solutions(data, field, PENTAGON),
        f"two digons, 0.001 to {where:.3f}": solutions(data, field, DIGONS).sel(branch_ratio=slice(None, where)),
    }
    gaps = {"exact pentagon": neighbour_gaps(data, PENTAGON)}
    return {
        "losses": Figure(
            tg.figures.branch_scatter(data[["loss", "kind"]], exact, KINDS, label, places),
            f"Every trained run, {data['loss'].size} in all, with its exact expected loss, coloured by geometry identified; "
            "lines are the exact solutions, followed by continuation. Runs fall into one of a few solutions, often not the "
            f"best. The lowest curves cross at {where:.6f}; the pentagon remains a minimum down to {lost:.4f}, so training may "
            "stay in it.",
        ),
        "solutions": Figure(
            tg.figures.arrow_overlay(panels, label, (0.1, 10.0)),
            "The exact solutions at many ratios over each other. Left: all pentagons, turned so that feature 0 points upwards; "
            "blue where it counts for less than the others, yellow where for more. The others close in on it as it counts "
            "for less. Right: two digons where they are best. Feature 0 is not represented, and the others do not change.",
        ),
        "neighbours": Figure(
            tg.figures.curve_panel(gaps, label, "angle between the neighbours of feature 0 (°)", True),
            "How far the two neighbours of feature 0 stand apart on the exact pentagon branch: 144° in the regular pentagon. "
            "To the left the curve ends, steeply, where the pentagon stops being a minimum.",
        ),
    }


def solutions(data: xr.Dataset, field: Field, branch: str) -> xr.Dataset:
    """W and b at every fourth ratio of a branch, in one position: feature 0 upwards where it is represented, else feature 1."""
    found = data[["branch_W", "branch_b"]].sel(branch=branch, drop=True).rename(branch_W="W", branch_b="b")
    found = found.sel(branch_ratio=GRID[::4]).dropna("branch_ratio")
    turned = found["W"].copy(data=tg.geometry.aligned(found["W"].values, axes=[1]))
    models = found.assign(W=turned).assign_attrs(net=repr(NET))
    return labelled_with(models, features_at(field, found["branch_ratio"].values))
