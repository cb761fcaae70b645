"""Three correlated pairs from sparse to dense: one pair after another collapses to its principal component.

Paper: section 5, collapse of correlated features (F25).  n = 6, m = 2, three sets of two, densities 0.01 to 0.9.  The paper
shows five models and gives neither training nor selection.  Here every seed is trained by AdamW at 3e-3 with a cosine schedule,
no decay, equal importances, Xavier initial weights, and counted; the number of collapsed pairs at a density is that of the
lowest certified minimum of 24 starts (paper profile 96).  A pair is collapsed where its members have a cosine above 0.95 and
norms within 0.08 of each other; a second reading asks for the norm 1/sqrt(2) besides.  The minima are followed through density,
and where two cost the same is found with the exact engine.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Disagreement, Evidence, Expect, at_least, best_of, equal, every, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s5_correlated_features import shared
from tegum.experiments.s5_correlated_features.shared import best_model, counted, optimum
from tegum.geometry.sets import COLLAPSED, POLYGON

DENSITIES = [0.01, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9]
SHOWN = [0.75, 0.3, 0.2, 0.1, 0.01]
STARTS: dict[Profile, int] = {"quick": 24, "paper": 96}
QUICK = shared.BASE.replaced(steps=4000, seeds=16)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=10_000, seeds=96)}
NAMES = [POLYGON, "1 collapsed", "2 collapsed", "3 collapsed", "1 absent"]
BRANCHES: dict[str, tuple[str, float, float]] = {
    "none collapsed": (POLYGON, 0.03, 0.11),
    "1 collapsed": ("1 collapsed", 0.1, 0.15),
    "1 collapsed, sparser": ("1 collapsed", 0.1, 0.03),
    "2 collapsed, one unevenly": ("2 collapsed", 0.15, 0.12),
    "2 collapsed": ("2 collapsed", 0.2, 0.42),
    "3 collapsed": ("3 collapsed", 0.3, 0.42),
}
"""Kind, the density where its lowest minimum is taken, and that to which it is followed."""
MEETINGS = {
    "0 to 1": ("none collapsed", "1 collapsed, sparser"),
    "1 to 2": ("1 collapsed", "2 collapsed, one unevenly"),
    "2 to 3": ("2 collapsed", "3 collapsed"),
}
STEPS, FEWEST, MOST = [0.03, 0.1, 0.2, 0.6], np.array([0, 1, 2, 3]), np.array([0, 3, 3, 3])
"""Densities, and how many pairs are collapsed there."""
EITHER, BETWEEN = ("2 collapsed", "3 collapsed"), [0.25, 0.3, 0.4]
POINTS, DEFINITE = 9, 1e-5
HALF = float(np.sqrt(0.5))


def study(profile: Profile) -> xr.Dataset:
    """The census over density, the branches and where they meet, and the optimum of independent features."""
    net, features = tg.nets.ReluOutput(6, 2), tg.features.CorrelatedSets(3, 2)
    data = shared.census(net, features, DENSITIES, RECIPE[profile], STARTS[profile], 2)
    branches = {}
    for name, (kind, start, end) in BRANCHES.items():
        first = optimum(data, start, kind)
        branches[name] = tg.exact.follow(net, features, first["minima_W"], first["minima_b"], [start, end], tolerance=1e-4)
    pairs = [[branches[name] for name in names] for names in MEETINGS.values()]
    ends = [np.sort([each.data["density"].values[[0, -1]] for each in pair], axis=1) for pair in pairs]
    along = [np.linspace(low.max(), high.min(), POINTS) for low, high in np.swapaxes(ends, 1, 2)]
    losses = [[[each.minimum(p).loss for p in places] for each in pair] for pair, places in zip(pairs, along, strict=True)]
    loose = tg.best(tg.exact.minimise(net, tg.features.Independent(6), seeds=STARTS[profile], sweep={"density": DENSITIES}))
    return data.assign(
        branch_density=(("step", "point"), along),
        branch_loss=(("step", "side", "point"), losses),
        meeting=("step", [tg.exact.crossing(*pair, tol=DEFINITE) for pair in pairs]),
        independent_count=("density", [collapsed(W) for W in loose["W"].values]),
        independent_strict=("density", [collapsed_in_full(W) for W in loose["W"].values]),
    ).assign_coords(step=list(MEETINGS))


def collapsed(W: NDArray[np.floating]) -> int:
    """How many pairs are collapsed."""
    return tg.geometry.arrangement_of(W, 2).collapsed


def collapsed_in_full(W: NDArray[np.floating]) -> int:
    """How many pairs are collapsed with both norms within 0.08 of 1/sqrt(2)."""
    return tg.geometry.sets.collapsed_at(W, 2, HALF)


def over_density(data: xr.Dataset, count: Callable[[NDArray[np.floating]], int]) -> xr.DataArray:
    """A count in the lowest certified minimum at each density."""
    density = data["density"].values
    return xr.DataArray([count(optimum(data, p)["minima_W"].values) for p in density], {"density": density}, "density")


def counts(pairs: xr.DataArray) -> dict[str, Any]:
    """Collapsed pairs at some densities, all changes from one density to the next added up, and at all densities."""
    return {"at some": pairs.sel(density=STEPS), "all changes": int(abs(pairs.diff("density")).sum()), "pairs": pairs}


def within_counts(fewest: NDArray[np.integer], most: NDArray[np.integer]) -> Expect:
    """So many at least, and so many at most, one for each density."""
    middle, margin = (fewest + most) / 2, (most - fewest) / 2
    return replace(near(middle, margin), words=", ".join(map("{} to {}".format, fewest, most)), tolerance="as stated")


def sum_share(W: NDArray[np.floating]) -> float:
    """The share of ||W||^2 along the sums (a + b)/sqrt(2) of the pairs, the first three principal components."""
    sums = np.kron(np.eye(3), np.full((2, 1), HALF))
    return float(np.square(W @ sums).sum() / np.square(W).sum())


def unevenness(W: NDArray[np.floating]) -> float:
    """The largest difference of the two norms of a collapsed pair."""
    chosen = np.array(tg.geometry.sets.set_relations(W, 2)) == COLLAPSED
    return float(np.ptp(tg.geometry.feature_norms(W).reshape(-1, 2), axis=1)[chosen].max(initial=0.0))


def count_claims(data: xr.Dataset) -> list[Claim]:
    """The number of collapsed pairs over density."""
    found = over_density(data, collapsed)
    norms, dense = (tg.geometry.feature_norms(optimum(data, p)["minima_W"].values) for p in (0.6, 0.9))
    evidence = Evidence(
        f"lowest certified minimum of {data.sizes['start']} starts at each of {data.sizes['density']} densities"
    )
    at = ", ".join(f"{p:g}" for p in STEPS)
    certified = bool(np.isfinite(data["minima_loss"].min("start")).all())
    pairs = partial(Claim, measure=counts, evidence=evidence, lacking="" if certified else "certified optima")
    return [
        pairs(
            "one-after-another",
            "The denser the features, the more pairs collapse into one direction.",
            source=paper(
                "Collapsing of Correlated Features",
                'As we decrease sparsity, the features progressively "collapse" into their principal components',
            ),
            how=f"pairs with cosine above 0.95 and equal norms, in the lowest certified minimum, at densities {at}; their "
            "changes over all densities add up to three where the number never falls",
            expect={"at some": within_counts(FEWEST, MOST), "all changes": equal(3)},
            of=found,
            against={"six independent features, the same pairs of numbers": data["independent_count"]},
        ),
        pairs(
            "norm",
            "One or two collapsed pairs have norms of 1/√2; the three at density 0.6 are shorter.",
            source=OURS,
            how=f"the same count, with both norms within 0.08 of 0.707, at densities {at}",
            expect={"at some": within_counts(FEWEST * (FEWEST < 3), MOST * (FEWEST < 3))},
            of=over_density(data, collapsed_in_full),
            against={"six independent features": data["independent_strict"], "whatever the norms": found},
            note=f"Norms go down to {norms.min():.3f} at density 0.6, where {found.sel(density=0.6):d} pairs are collapsed: "
            "three directions do not fit into two dimensions. In the dense limit the squared norms of all six add up to 2, "
            f"1/√3 for each where all are equal; at density 0.9 they give {np.square(dense).sum():.2f}, and the norms are "
            f"{dense.min():.3f} to {dense.max():.3f}.",
        ),
    ]


def threshold_claims(data: xr.Dataset) -> list[Claim]:
    """Where one more collapsed pair begins to pay, and what training does there."""
    meeting = data["meeting"].values
    evidence = Evidence(f"branches followed from certified minima, crossings to {DEFINITE:g}")
    losses = {kind: optimum(data, 0.25, kind)["minima_loss"] for kind in EITHER}
    lowest = ", ".join(f"{kind} {'not found' if np.isnan(loss) else f'{loss:.6f}'}" for kind, loss in losses.items())
    uneven = unevenness(optimum(data, 0.15, "2 collapsed")["minima_W"].values)
    return [
        Claim(
            "first-and-second",
            "The first pair collapses at a density of about 0.05, the second at about 0.15.",
            source=paper("Collapsing of Correlated Features", "One Set of Features Collapsed Approximately 0.05 ≤ 1-S ≤ 0.15"),
            how="exact losses of the followed minima are equal",
            expect=near([0.05, 0.15], 0.03),
            of=meeting[:2],
            uncontrolled="no other sets of pairs are followed",
            evidence=evidence,
            note=f"The second pair collapses unevenly at first: at density 0.15 two norms of one pair differ by {uneven:.3f}.",
        ),
        Claim(
            "all-from-a-quarter",
            "All pairs are collapsed from a density of 0.25 on.",
            source=paper("Collapsing of Correlated Features", "All Sets of Features Collapsed Approximately 0.25 ≤ 1-S ≤ 0.5"),
            how="density above which three collapsed pairs cost less than two",
            expect=near(0.25, 0.05),
            of=float(meeting[2]),
            uncontrolled="it fails on the data judged, so it can fail",
            evidence=evidence,
            disagreement=Disagreement(
                "approximately 0.25",
                f"{meeting[2]:.4f}",
                f"Lowest exact minima at 0.25: {lowest}. Training there: {counted(data, 0.25)}.",
            ),
        ),
        Claim(
            "either",
            "Between densities 0.25 and 0.4 training ends with two or with three pairs collapsed.",
            source=OURS,
            how="share of seeds at each density",
            measure=lambda kinds: {kind: (kinds == kind).mean("seed") for kind in EITHER},
            expect={kind: at_least(0.05, "%") for kind in EITHER},
            of=data["kind"].sel(density=BETWEEN),
            against={f"density {p:g}": data["kind"].sel(density=[p]) for p in (0.1, 0.75)},
            evidence=every(data["kind"].sel(density=BETWEEN), "seed"),
            needs=16,
            note=f"By density, {'; '.join(f'at {p:g}: {counted(data, p)}' for p in [*BETWEEN, 0.75])}.",
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """How many pairs are collapsed, from where on, what a collapsed pair keeps, and the dense limit."""
    dense, sparse = (best_model(data, p)["W"].values for p in (0.75, 0.03))
    saved = 1 - data["minima_loss"].min("start") / data["linear_loss"]
    return [
        *count_claims(data),
        *threshold_claims(data),
        Claim(
            "sum-kept",
            "Of a pair the model keeps (a + b)/√2 and drops (a - b)/√2.",
            source=paper("Collapsing of Correlated Features", "the model will represent their principal component (a+b)/√2"),
            how="share of ‖W‖² along the principal components, the sums of pairs; best trained model at density 0.75",
            measure=sum_share,
            expect=near(1, 0.01),
            of=dense,
            against={"the best model at density 0.03": sparse},
            evidence=best_of(data["exact_loss"].sel(density=0.75), "exact loss"),
            needs=8,
        ),
        Claim(
            "dense-limit",
            "In the dense limit the model is principal component analysis.",
            source=paper("Collapsing of Correlated Features", "In very dense regimes, the solution becomes equivalent to PCA"),
            how="by how much the lowest minimum at density 0.75 costs less than the first two components (closed form)",
            expect=near(0, 0.02, "%"),
            of=saved.sel(density=0.75),
            against={"density 0.03": saved.sel(density=0.03)},
            evidence=Evidence(f"lowest certified minimum of {data.sizes['start']} starts"),
            note=f"At density 0.5 {saved.sel(density=0.5):.1%}, at 0.9 {saved.sel(density=0.9):.2%}.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The optimum over density, every seed, and the branches with their meetings."""
    optima = {p: optimum(data, p)[["minima_W", "minima_b"]].rename(minima_W="W", minima_b="b") for p in SHOWN}
    turned = {p: model.assign(W=model["W"].copy(data=tg.geometry.aligned(model["W"].values))) for p, model in optima.items()}
    models = {f"density {p:g}<br>{collapsed(model['W'].values)} collapsed": model for p, model in turned.items()}
    curves = {}
    for step in MEETINGS:
        mine = data.sel(step=step)
        excess = 100 * (mine["branch_loss"].isel(side=1) / mine["branch_loss"].isel(side=0) - 1)
        curves[f"{step} collapsed"] = xr.DataArray(excess.values, {"density": mine["branch_density"].values}, ["density"])
    meetings = ", ".join(f"{step} at {float(data['meeting'].sel(step=step)):.4f}" for step in MEETINGS)
    return {
        "arrows": Figure(
            tg.figures.set_arrows(models, 2, (HALF, 1.0)),
            f"The lowest certified minimum of {data.sizes['start']} starts, from dense to sparse. Pairs have one colour; a "
            "pair that lies on one line has collapsed to its principal component; its second member is the hollow ring. "
            "Circles have radius 1/√2 and 1.",
        ),
        "branches": Figure(
            tg.figures.curve_panel(curves, "density", "loss added by collapsing one more pair, %"),
            "Exact losses of the minima with 0 to 3 collapsed pairs, followed over density: what one more collapsed pair adds. "
            f"Below 0 it pays. The losses cross: {meetings}.",
        ),
        "census": shared.census_figure(data, NAMES),
    }


experiment = Experiment(
    __name__,
    title="Correlated pairs collapse to their principal components as features grow denser",
    paper="Section 5, collapse of correlated features (F25)",
    seconds={"quick": 7, "paper": 70},
    order=7,
)
