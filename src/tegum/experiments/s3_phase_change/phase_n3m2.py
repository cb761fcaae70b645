"""Three features in two dimensions: the phase diagram that is hard to replicate.

Paper: section 3, theory (F13) and training (F14).  As `phase-n2m1`, with n = 3, m = 2 and importances (1, 1, r), on 16 x 16
points (paper profile 100 x 100).  The theory compares four solutions: leave out the extra feature, leave out another, pair the
extra with another, pair the two others.  Where features are sparse the pairings differ by terms of order p^2 only, so a fit's
initial weights decide which it finds, and the joint triangle competes: the lowest certified minimum of 6 starts and its
neighbours' shows what the loss prefers.  Where features are sparse 20 fits of twice the steps are made besides the ten.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, at_most, share_at_least
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s3_phase_change.shared import (
    BEST,
    OPTIMUM,
    PAPER_RULE,
    RECIPE,
    phase_figures,
    phase_study,
    stuck_claim,
)
from tegum.maps import paper_grid
from tegum.theory import dropped_loss, pair_boundary, paired_loss

SIDE: dict[Profile, int] = {"quick": 16, "paper": 100}
SPARSE, MORE_FITS = 0.05, 20
"""Up to this density so many fits of twice the steps are made besides: at some grid points all ten are stuck."""
LINE = [float(r) for r in np.geomspace(0.1, 0.95, 8)]
"""Importances at which the boundary on the left is located."""
DENSE_LEFT = "density from 0.7, importance up to 0.5"
SPARSE_LEFT = "density up to 0.3, importance up to 0.5"
BELOW = "density up to 0.3 and below 4r / (5r + 2), importance up to 0.5"
RIGHT = "density from 0.2, importance from 2"
NOT_LEARNED = "norm below 0.1"
SUPERPOSED = "interference and norm above 0.5"
DEDICATED = "interference below 0.1, norm above 0.9"


def study(profile: Profile) -> xr.Dataset:
    """The grid read in three ways, and the boundary of a less important feature."""
    data, side = phase_study(3, SIDE[profile], LINE, starts=6), SIDE[profile]
    sparse = [p for p in data["density"].values.tolist() if p <= SPARSE]
    sweep = paper_grid(3, side) | {"density": tg.Axis(sparse, density=sparse)}
    recipe = RECIPE.replaced(steps=2 * RECIPE.steps, seeds=MORE_FITS, record=(), record_steps=0)
    fits = tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), recipe, sweep=sweep)
    best = tg.exact.loss(fits, tol=1e-6).min("seed")
    return data.assign(sparse_loss=(("sparse", "importance_ratio"), best.transpose("density", ...).values), sparse=sparse)


def points(data: xr.Dataset, reading: str, where: str) -> xr.Dataset:
    """What a reading has at the grid points of a corner, over ``point``."""
    grid = data.sel(reading=reading)[["norm", "interference"]].stack(point=["density", "importance_ratio"])
    p, r = grid["density"], grid["importance_ratio"]
    inside = {
        DENSE_LEFT: (p >= 0.7) & (r <= 0.5),
        SPARSE_LEFT: (p <= 0.3) & (r <= 0.5),
        BELOW: (p <= 0.3) & (p < pair_boundary(r)) & (r <= 0.5),
        RIGHT: (p >= 0.2) & (r >= 2),
    }
    return grid.isel(point=inside[where].values)


def passing(cells: xr.Dataset, check: str) -> xr.DataArray:
    """Which grid points pass a check."""
    norm, mixed = cells["norm"], cells["interference"]
    return {NOT_LEARNED: norm < 0.1, SUPERPOSED: (mixed > 0.5) & (norm > 0.5), DEDICATED: (mixed < 0.1) & (norm > 0.9)}[check]


def candidates(data: xr.Dataset) -> xr.DataArray:
    """The lowest of the four candidates' losses at every grid point."""
    p, r = xr.broadcast(data["density"], data["importance_ratio"])
    return p.copy(data=np.min([dropped_loss(p, r), dropped_loss(p), paired_loss(p, 1.0, r), paired_loss(p)], axis=0))


def corner_claims(data: xr.Dataset) -> list[Claim]:
    """In the optimum and in training every grid point of a corner passes a check that not every one elsewhere does."""

    def claim(name: str, statement: str, reading: str, check: str, where: str, elsewhere: str) -> Claim:
        cells, fits = points(data, reading, where), "" if reading == OPTIMUM else f", best of {data.sizes['seed']} fits each"
        return Claim(
            name,
            statement,
            source=OURS,
            how=f"{reading}: {check} at every grid point with {where}",
            measure=lambda cells: passing(cells, check),
            expect=share_at_least(1),
            of=cells,
            against={elsewhere: points(data, reading, elsewhere)},
            evidence=Evidence(f"{cells.sizes['point']} grid points{fits}", cells.sizes["point"]),
            needs=4,
        )

    left, right = "a less important feature is not learned", "A more important feature gets a dimension of its own"
    below = "Below the theory's boundary a less important, sparse feature is stored in superposition."
    return [
        claim("dense-left", f"Where features are dense, {left}.", OPTIMUM, NOT_LEARNED, DENSE_LEFT, SPARSE_LEFT),
        claim("dense-right", f"{right}.", OPTIMUM, DEDICATED, RIGHT, DENSE_LEFT),
        claim("trained-dense-left", f"In trained models, too, {left}.", BEST, NOT_LEARNED, DENSE_LEFT, SPARSE_LEFT),
        claim("trained-right", f"{right} where p > 0.2, in training too.", BEST, DEDICATED, RIGHT, DENSE_LEFT),
        claim("trained-left-below", below, BEST, SUPERPOSED, BELOW, RIGHT),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the two figures."""
    least, optimum = candidates(data), data["loss"].sel(reading=OPTIMUM)
    best = data["sparse_loss"].rename(sparse="density")
    ten = data["loss"].sel(reading=BEST, density=slice(None, SPARSE))
    mixed = data["interference"].sel(density=slice(None, 0.1))
    dropped = dropped_loss(best["density"].values[:, None], best["importance_ratio"].values)
    high, seeds = ten / least > 1.02, data.sizes["seed"]
    return [
        *corner_claims(data),
        Claim(
            "sparse-loss",
            "Where features are sparse the trained loss is as low as the best candidate's, whichever pairing was found.",
            source=OURS,
            how=f"excess of the best of {MORE_FITS} fits over the best candidate at density up to {SPARSE:g}",
            measure=lambda loss: {"excess": loss / least - 1, "share above 2 %": (loss / least > 1.02).mean()},
            expect={"excess": at_most(0.02, "%")},
            of=best,
            against={"leaving out the extra feature": best.copy(data=dropped)},
            evidence=Evidence(f"{best.size} grid points, best of {MORE_FITS} fits each", MORE_FITS),
            note=f"The best of {seeds} fits is above 2 % at {high.sum():d} points; at "
            f"{(high & data['stuck'].all('seed')).sum():d} of them all of these are stuck. The lowest certified "
            f"minimum is up to {1 - (optimum / least).min():.0%} below the candidates'.",
        ),
        Claim(
            "blur",
            "The rule of nine fits of ten mixes solutions where features are sparse: the diagram is hard to replicate.",
            source=OURS,
            how=f"share of grid points with density up to 0.1 at which the interference is between 0.1 and 0.9, {PAPER_RULE}",
            measure=lambda mixed: ((mixed > 0.1) & (mixed < 0.9)).mean(),
            expect=above(0.5, "%"),
            of=mixed.sel(reading=PAPER_RULE),
            against={OPTIMUM: mixed.sel(reading=OPTIMUM)},
            evidence=Evidence(f"{mixed.sel(reading=PAPER_RULE).size} grid points, {seeds - 1} of {seeds} fits each"),
        ),
        stuck_claim(
            data,
            "Which pairing a fit finds is decided by its initial weights (why replications differ).",
            "the most opposed pair of the initial weights is one that costs least",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The three readings, and where training got stuck."""
    left = np.geomspace(0.1, 1, 100)
    return phase_figures(
        data,
        {
            "the extra feature's pairing pays: p* = 4r / (5r + 2)": (left, pair_boundary(left)),
            "the others' pairing pays: p* = 4/7": (np.array([1.0, 10.0]), np.array([4 / 7, 4 / 7])),
        },
        "The third feature of three in two dimensions, importances (1, 1, r). Grey: not learned; blue: a dimension of its own; "
        "red: in superposition. Averaging nine of ten fits blurs what the best of them, and the lowest certified minimum show.",
        ("most opposed initially: a wrong pair", "most opposed initially: the right pair"),
        "by the most opposed pair of initial weights. Right are the pairs that cost least: with the extra feature if it is "
        "less important, else the two others.",
    )


experiment = Experiment(
    __name__,
    title="Three features, two dimensions: the phase diagram that is hard to replicate",
    paper="Section 3, phase diagrams for n = 3, m = 2 (F13, F14)",
    seconds={"quick": 12, "paper": 350},
    order=3,
)
