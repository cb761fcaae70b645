"""Three features in two dimensions: the phase diagram that is hard to replicate.

Paper: section 3, theory (F13) and training (F14).  As `phase-n2m1`, with n = 3, m = 2 and importances (1, 1, r).  The theory
compares four solutions: leave out the extra feature, leave out another, pair the extra with another, pair the two others.  In
sparse worlds the pairings differ by terms of order p^2 only, so a fit's start decides which it finds, and the joint triangle
competes: the certified optimum shows what the loss itself prefers.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import Claim
from tegum.experiments.experiment import Experiment, Figure, Profile
from tegum.experiments.phase_study import BEST, OPTIMUM, phase_study
from tegum.figures import phase_panels
from tegum.theory import dropped_loss, pair_boundary, paired_loss

SIDE: dict[Profile, int] = {"quick": 16, "paper": 100}
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": tg.Recipe(steps=4000, batch_size=256, learning_rate=3e-3, schedule="cosine", weight_decay=0),
    "paper": tg.Recipe(steps=10_000, batch_size=1024, learning_rate=3e-3, schedule="cosine", weight_decay=0),
}


def study(profile: Profile) -> xr.Dataset:
    """The grid read in three ways."""
    return phase_study(3, SIDE[profile], RECIPE[profile], starts=12)


def corner(
    data: xr.Dataset, reading: str, name: str, statement: str, expected: str, density: slice, ratio: slice, check: str
) -> Claim:
    """One corner of a reading: every grid point must pass."""
    cells = data.sel(reading=reading, density=density, importance_ratio=ratio)
    norm, mixed = cells["norm"], cells["interference"]
    passed = {
        "not learned": norm < 0.1,
        "superposed": mixed > 0.5,
        "dedicated": (mixed < 0.1) & (norm > 0.9),
    }[check]
    share = float(passed.mean())
    return Claim(
        name=name,
        statement=statement,
        how=f"{reading}: every grid point with density {density.start or 0:g} to {density.stop or 1:g} and importance "
        f"{ratio.start or 0.1:g} to {ratio.stop or 10:g}",
        expected=expected,
        tolerance="all of them, as stated",
        measured=f"{share:.1%} of {passed.size}",
        holds=share == 1,
        evidence=f"{passed.size} grid points, 10 fits each",
        enough=passed.size >= 4,
    )


def candidates(data: xr.Dataset) -> xr.DataArray:
    """The lowest of the four candidates' losses at every grid point."""
    p, r = xr.broadcast(data["density"], data["importance_ratio"])
    four = [dropped_loss(p, r), dropped_loss(p), paired_loss(p, 1.0, r), paired_loss(p)]
    return xr.DataArray(np.min(four, axis=0), dims=p.dims)


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the two figures."""
    best, optimum = data.sel(reading=BEST), data.sel(reading=OPTIMUM)
    excess = (best["loss"] / candidates(data).values - 1).sel(density=slice(None, 0.05))
    lower = (optimum["loss"] / candidates(data).values).min()
    return [
        corner(
            data,
            OPTIMUM,
            "dense-left",
            "In dense worlds a less important feature is not learned.",
            "norm below 0.1",
            slice(0.7, None),
            slice(None, 0.5),
            "not learned",
        ),
        corner(
            data,
            OPTIMUM,
            "dense-right",
            "A more important one gets a dimension of its own.",
            "interference below 0.1, norm above 0.9",
            slice(0.2, None),
            slice(2, None),
            "dedicated",
        ),
        corner(
            data,
            BEST,
            "trained-left",
            "In sparse worlds a less important feature is stored in superposition.",
            "interference above 0.5",
            slice(None, 0.1),
            slice(None, 0.5),
            "superposed",
        ),
        corner(
            data,
            BEST,
            "trained-right",
            "Training gives a more important feature its own dimension where p > 0.2.",
            "interference below 0.1, norm above 0.9",
            slice(0.2, None),
            slice(2, None),
            "dedicated",
        ),
        Claim(
            name="sparse-loss",
            statement="In sparse worlds the trained loss is as low as the best candidate's, whichever pairing was found.",
            how="largest excess of the best of ten over the candidates at density up to 0.05",
            expected="at most 2 %",
            tolerance="2 %",
            measured=f"{float(excess.max()):+.2%}",
            holds=bool(excess.max() <= 0.02),
            evidence=f"{excess.size} grid points",
            note=f"The certified optimum is up to {1 - float(lower):.0%} below the best candidate.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The three readings."""
    left = np.geomspace(0.1, 1, 100)
    lines = {
        "the extra feature's pairing pays: p* = 4r / (5r + 2)": (left, pair_boundary(left)),
        "the others' pairing pays: p* = 4/7": (np.array([1.0, 10.0]), np.array([4 / 7, 4 / 7])),
    }
    maps = {title: data.sel(reading=title) for title in data["reading"].values}
    caption = (
        "The third feature of three in two dimensions, importances (1, 1, r). Grey: not learned; blue: a dimension of its own; "
        "red: in superposition. Averaging nine of ten fits blurs what the best of them, and the certified optimum, show."
    )
    return {"phases": Figure(phase_panels(maps, lines), caption)}


experiment = Experiment(
    id="phase-n3m2",
    title="Three features, two dimensions: the phase diagram that is hard to replicate",
    paper="Section 3, phase diagrams for n = 3, m = 2 (F13, F14)",
    describe=__doc__,
    seconds={"quick": 25, "paper": 400},
    study=study,
    figures=figures,
    claims=claims,
)
