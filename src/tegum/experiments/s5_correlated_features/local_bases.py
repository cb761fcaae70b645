"""Two sets of ten correlated features in ten dimensions: each set is an orthogonal basis, superposition only between them.

Paper: section 5, local almost-orthogonal bases (F24).  n = 20 = 2 sets of 10, m = 10.  The paper gives neither density nor
training.  Here: density 0.01 for what is judged, scanned to 0.1; AdamW at 1e-2 with a cosine schedule, no decay, equal
importances, Xavier initial weights.  Which features oppose each other matters only when both sets are active, in one sample of
10,000, so most seeds stop on the way (at a rate of 3e-3 all do).  Every seed is kept; judged is the lowest by exact loss.
Controls: twenty independent features trained alike, and the best linear model.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, all_of, below, equal, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s5_correlated_features import shared
from tegum.geometry.sets import LOCAL_BASES

SIZE, N, M = 10, 20, 10
DENSITY = 0.01
DENSITIES = [0.01, 0.03, 0.1]
STARTS: dict[Profile, int] = {"quick": 4, "paper": 12}
QUICK = shared.BASE.replaced(learning_rate=1e-2, seeds=8)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=12_000, seeds=32)}
NAMES = [LOCAL_BASES]


def study(profile: Profile) -> xr.Dataset:
    """Correlated sets over density; independent features at the density that is judged."""
    net, recipe, features = tg.nets.ReluOutput(N, M), RECIPE[profile], tg.features.CorrelatedSets(2, SIZE)
    data = shared.census(net, features, DENSITIES, recipe, STARTS[profile], SIZE)
    control = tg.best(tg.train(net, tg.features.Independent(N, density=DENSITY), recipe))
    linear, _ = tg.theory.best_linear(features.replaced(density=DENSITY), M)
    return data.assign(independent_W=(("hidden", "feature"), control["W"].values), linear_W=(("hidden", "feature"), linear))


def basis_error(W: NDArray[np.floating]) -> float:
    """The largest |W_i . W_j| of two features of one set."""
    within = np.kron(np.eye(2), np.ones((SIZE, SIZE))) - np.eye(N)
    return float(abs(tg.geometry.gram(W) * within).max())


def partners(W: NDArray[np.floating]) -> NDArray[np.intp]:
    """For each feature of the first set the one of the second that it opposes most, counted within the set."""
    return np.asarray(tg.geometry.gram(W)[:SIZE, SIZE:].argmin(axis=1))


def cross_block(W: NDArray[np.floating]) -> dict[str, Any]:
    """The block of W^T W between the sets: the weakest of the partners' overlaps, the rest, and how many partners differ."""
    G, chosen = tg.geometry.gram(W)[:SIZE, SIZE:], partners(W)
    own = np.eye(SIZE, dtype=bool)[chosen]
    return {
        "partners' overlap": float(G[own].max()),
        "other overlaps": float(abs(G[~own]).max()),
        "different partners": len(set(chosen)),
    }


PERMUTATION = {"partners' overlap": below(-0.85), "other overlaps": below(0.15), "different partners": equal(SIZE)}
"""The negative of a permutation matrix."""


def permuted(W: NDArray[np.floating]) -> bool:
    """Whether each feature opposes one of the other set and overlaps with no other."""
    return all_of(PERMUTATION).holds(cross_block(W))


def represented(W: NDArray[np.floating]) -> dict[str, int]:
    """How many features have a norm of 0.9 or more, and the rank of W."""
    return {"represented": int((tg.geometry.feature_norms(W) >= 0.9).sum()), "rank": int(np.linalg.matrix_rank(W, tol=0.1))}


def claims(data: xr.Dataset) -> list[Claim]:
    """What is seen in W^T W."""
    loose = {"the best model of twenty independent features": data["independent_W"].values.astype(np.float64)}
    agree = sum(permuted(W) and basis_error(W) < 0.1 for W in data["W"].sel(density=DENSITY).values)
    facing = [f"{p:g}" for p in data["density"].values if permuted(shared.optimum(data, p)["minima_W"].values)]
    best = shared.best_model(data, DENSITY)["W"].values.astype(np.float64)
    evidence = shared.best_trained(data, DENSITY).adding(f"{agree} of {data.sizes['seed']} pass both checks of blocks")
    seen = partial(Claim, of=best, evidence=evidence, needs=8)
    return [
        seen(
            "local-basis",
            "Each set of correlated features is an orthogonal basis.",
            source=paper(
                "Local Almost-Orthogonal Bases", "the correlated feature sets considered in isolation are (nearly) orthogonal"
            ),
            how=f"largest |W_i . W_j| within a set at density {DENSITY:g}",
            measure=basis_error,
            expect=near(0, 0.1),
            against=loose,
            note=f"Share of seeds with local bases, over density: {shared.scanned(data, LOCAL_BASES)}.",
        ),
        seen(
            "across",
            "Superposition happens only between the sets: each feature opposes one of the other set.",
            source=OURS,
            how="block of WᵀW between the sets: the negative of a permutation matrix has one entry in each row and column",
            measure=cross_block,
            expect=PERMUTATION,
            against=loose | {"density 0.1": shared.best_model(data, 0.1)["W"].values.astype(np.float64)},
            note=f"The lowest exact minimum is such a permutation at densities {', '.join(facing) or 'none'} of those scanned.",
        ),
        seen(
            "all-represented",
            "All twenty features are represented in the ten dimensions.",
            source=OURS,
            how="features of norm 0.9 or more; rank of W",
            measure=represented,
            expect={"represented": equal(N), "rank": equal(M)},
            against={"the best linear model": data["linear_W"].values, "without the last dimension": best[:-1]},
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """W^T W as trained and renumbered, beside independent features; every seed over density."""
    W = shared.best_model(data, DENSITY)["W"].values
    order = [*range(SIZE), *(SIZE + partners(W))]
    panels = {
        "two correlated sets": W,
        "second set renumbered": W[:, order],
        "independent features": data["independent_W"].values,
    }
    return {
        "gram": Figure(
            tg.figures.gram_panels(panels, SIZE),
            "WᵀW; lines mark the two sets. Within a set it is the identity: a basis. Between them each feature opposes one of "
            "the other set, which the middle panel shows by renumbering the second set. Independent features pair up within "
            f"and across alike. Best of {data.sizes['seed']} seeds at density {DENSITY:g}.",
        ),
        "census": shared.census_figure(data, NAMES),
    }


experiment = Experiment(
    __name__,
    title="Local almost-orthogonal bases: superposition only between correlated sets",
    paper="Section 5, local almost-orthogonal bases (F24)",
    seconds={"quick": 5, "paper": 35},
    order=6,
)
