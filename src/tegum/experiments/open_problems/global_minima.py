"""Certified globally: two features in one dimension over a grid, and one active feature among three, proved by covering.

A minimum that K starts found may not be the lowest.  Here interval branch and bound with outward rounding covers all weights
and biases (`tegum.exact.certified_globally`): at each density and importance the global minimum lies in an interval as narrow
as rounding, and every global minimiser within a tiny distance of one point or of its images under w -> -w and exchanges of
equal features.  The closed forms behind it share no code with the inversion behind `tegum.exact.loss`, which is asked to
agree.

Worlds: n = 2, m = 1, independent features, importances (1, I); and exactly one active feature of n = 3: for m = 2 nothing is
lost, for m = 1 (paper profile, importances (1, 1, I)) a pair is stored and the third feature dropped, at I / 12.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import Claim, Evidence, answer, at_least, at_most, below, near, share_at_least
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.theory import dropped_loss

DENSITIES: dict[Profile, list[float]] = {"quick": [0.1, 0.3], "paper": [0.01, 0.03, *np.arange(1, 20) / 20]}
IMPORTANCES: dict[Profile, list[float]] = {"quick": [0.1, 1.0], "paper": [0.02, 0.05, *np.arange(1, 11) / 10]}
THIRDS: dict[Profile, list[float]] = {"quick": [], "paper": [0.25, 0.5, 0.75, 1.0]}
PAIR, ONE_OF_THREE = tg.nets.ReluOutput(2, 1), tg.features.AnticorrelatedSets(1, 3, density=1 / 3)
ANSWER = answer("O51, O42")
STARTS = 8
STORED = 0.02
RADIUS = "density p = 1 − S", "distance"


def study(profile: Profile) -> xr.Dataset:
    """The proofs over (density, importance), what searches find there, and the three features of which one is active."""
    densities, importances, thirds = DENSITIES[profile], IMPORTANCES[profile], THIRDS[profile]
    sweep = {
        "density": tg.Axis(densities, density=densities),
        "importance_ratio": tg.Axis(importances, importance=[[1, one] for one in importances]),
    }
    features = tg.features.Independent(2)
    proofs = tg.exact.certified_globally(PAIR, features, sweep=sweep)
    found = tg.best(tg.exact.minimise(PAIR, features, sweep=sweep, seeds=STARTS))
    free = tg.exact.certified_globally(tg.nets.ReluOutput(3, 2), ONE_OF_THREE)
    data = proofs.drop_vars("statement").assign(
        searched=found["loss"],
        engine=tg.exact.loss(proofs),
        free_low=free["loss_low"],
        free_loss=tg.exact.loss(free),
    )
    if thirds:
        third = tg.Axis(thirds, importance=[[1, 1, one] for one in thirds])
        three = tg.exact.certified_globally(tg.nets.ReluOutput(3, 1), ONE_OF_THREE, sweep={"third": third})
        data = data.assign({f"three_{name}": three[name] for name in ("loss_low", "loss_high", "radius", "boxes")})
    return data


def outside(parts: tuple[xr.DataArray, xr.DataArray, xr.DataArray]) -> float:
    """By how much values miss the interval that is proved, relative to its upper end, at worst."""
    low, high, value = parts
    return float((np.maximum(np.maximum(low - value, value - high), 0) / high).max())


def claims(data: xr.Dataset) -> list[Claim]:
    """The intervals, the distances, that the engine agrees, and that dropping a feature is proved where it is."""
    low, high, p, ratio = data["loss_low"], data["loss_high"], data["density"], data["importance_ratio"]
    dropped = ratio * xr.zeros_like(p).copy(data=dropped_loss(p.values))
    drops = abs(data["W"]).min(["hidden", "feature"]) < STORED
    evidence = Evidence(f"certified globally at each of {low.size} points, {int(data['boxes'].sum()):,} boxes")
    return [
        Claim(
            "two-in-one",
            "The global minimum of two features in one dimension is known to rounding, and at four of five points where all "
            "its minimisers are.",
            source=ANSWER,
            how="width of the interval that is proved, relative, and the distance within which all global minimisers are, at "
            "worst; points at which that is proved",
            measure=lambda proofs: {
                "gap": float((1 - proofs[0] / proofs[1]).max()),
                "radius": float(proofs[2].max()),
                "located": float(proofs[2].notnull().mean()),
            },
            expect={"gap": below(1e-8), "radius": below(1e-9), "located": at_least(0.8, "%")},
            of=(low, high, data["radius"]),
            against={"with no boxes looked at": (0 * low, high, data["radius"] * np.nan)},
            evidence=evidence,
        ),
        Claim(
            "engine-agrees",
            "What the search from a few starts finds is the global minimum, and the loss by inversion agrees.",
            source=ANSWER,
            how="distance of both from the interval that is proved, relative to its upper end, at worst",
            measure=lambda values: {"search": outside((low, high, values[0])), "inversion": outside((low, high, values[1]))},
            expect={"search": at_most(1e-9), "inversion": at_most(1e-9)},
            of=(data["searched"], data["engine"]),
            against={"dropping the second feature": (dropped, dropped)},
            evidence=evidence.adding(f"searches from {STARTS} starts"),
        ),
        Claim(
            "dropping-is-lowest",
            "Where the second feature is dropped, nothing costs less than I (p/3 − p²/4): proved.",
            source=ANSWER,
            how="points with a weight of 0 at which the closed form lies in the interval that is proved",
            measure=lambda at: ((low <= dropped * (1 + 1e-14)) & (dropped <= high * (1 + 1e-14))).values[at.values],
            expect=share_at_least(1),
            of=drops,
            against={"where both are stored": ~drops},
            evidence=evidence,
        ),
        Claim(
            "one-of-three-free",
            "With exactly one active feature of three, two dimensions lose nothing.",
            source=ANSWER,
            how="lower bound of the loss, and the loss by inversion of three features with unit norms and no positive product",
            measure=lambda values: [float(value) for value in values],
            expect=near([0.0, 0.0], 1e-15),
            of=(data["free_low"], data["free_loss"]),
            against={"one dropped, at 1 / 12": (data["free_low"] + 1 / 12, data["free_loss"] + 1 / 12)},
            evidence=Evidence("proved: every term of the loss is 0 there, and only there"),
        ),
        *(one_of_three(data) if "three_radius" in data else []),
    ]


def one_of_three(data: xr.Dataset) -> list[Claim]:
    """Three features in one dimension of which one is active, where the profile has them."""
    low, high, cost = data["three_loss_low"], data["three_loss_high"], data["third"] / 12
    return [
        Claim(
            "one-of-three-in-one",
            "In one dimension a pair is stored and the third feature dropped, at I / 12, and nothing costs less.",
            source=ANSWER,
            how="distance of I / 12 from the interval that is proved, relative, and the radius around the minimisers",
            measure=lambda value: {"missed": outside((low, high, value)), "radius": float(data["three_radius"].max())},
            expect={"missed": at_most(1e-12), "radius": below(1e-9)},
            of=cost,
            against={"a cost of 1 % less": 0.99 * cost},
            evidence=Evidence(f"certified globally at {cost.size} importances"),
        )
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The global minimum over density, and how close all minimisers are."""
    p, ratios = data["density"].values, data["importance_ratio"].values[::-1]
    v = data["density"].copy(data=dropped_loss(p))
    chosen = ratios if ratios.size <= 5 else ratios[:: -(-ratios.size // 5)]

    loss = {f"I = {one:g}": data["loss_high"].sel(importance_ratio=one, drop=True) / (one * v) for one in chosen}
    radius = {f"I = {one:g}": data["radius"].sel(importance_ratio=one, drop=True) for one in chosen}
    return {
        "minimum": Figure(
            tg.figures.curve_panel(loss, "density p = 1 − S", "global minimum / (I v)"),
            "The global minimum of two features of importances 1 and I in one dimension, in units of dropping the "
            "second, I v. Dots "
            "are proved, to a part in 10¹¹, lines guide the eye. At 1 the second feature is dropped.",
        ),
        "radius": Figure(
            marked_panels({"": [MarkedCurve(name, p, one.values) for name, one in radius.items()]}, *RADIUS, log_y=True),
            "Within this distance of one point, or of its images under w → −w and exchanges of equal features, all global "
            "minimisers lie: proved at the densities of the other figure.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Certified globally: two features in one dimension, and one active feature of three",
    paper="Open problems O51 and O42",
    seconds={"quick": 6, "paper": 240},
    order=1,
)
