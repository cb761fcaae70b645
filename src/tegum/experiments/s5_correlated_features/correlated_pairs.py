"""Two correlated pairs in two dimensions: partners become orthogonal, and each feature opposes one of the other pair.

Paper: section 5, correlated features (F21).  n = 4, m = 2, two sets of two; members of a set are active together, with
independent magnitudes.  The paper gives neither density nor training.  Here: density 0.05 for what is judged, and a scan from
0.0025 to 0.4, because the answer depends on it; AdamW at 3e-3 with a cosine schedule, no decay, equal importances, Xavier
initial weights.  Every seed is kept and counted, against as many models of four independent features trained alike: these look
much the same, and what they do as often tells nothing about correlation.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, at_most, below, every, fisher, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s5_correlated_features import shared
from tegum.geometry.sets import ANTIPODAL_PAIRS, LOCAL_BASES
from tegum.theory.scaling import exponent

DENSITY = 0.05
SURE = 0.05
DENSITIES = [0.0025, 0.01, 0.05, 0.1, 0.2, 0.4]
SCALING = [0.0025, 0.01, 0.05]
STARTS = 24
RECIPE = {"quick": shared.BASE.replaced(seeds=64), "paper": shared.BASE.replaced(steps=10_000, seeds=128)}
INDEPENDENT = "four independent features, the same pairs of numbers"
NAMES = [LOCAL_BASES, ANTIPODAL_PAIRS, "1 collapsed", "2 collapsed", "1 absent"]


def study(profile: Profile) -> xr.Dataset:
    """Correlated pairs over density; independent features at the density that is judged."""
    net, recipe, features = tg.nets.ReluOutput(4, 2), RECIPE[profile], tg.features.CorrelatedSets(2, 2)
    control = tg.train(net, tg.features.Independent(4, density=DENSITY), recipe)
    linear, _ = tg.theory.best_linear(features.replaced(density=DENSITY), 2)
    data = shared.census(net, features, DENSITIES, recipe, STARTS, 2)
    return data.assign(independent_W=control["W"], linear_W=(("hidden", "feature"), linear))


def orthogonal(W: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether both pairs of partners are orthogonal, shape (...)."""
    return np.asarray((abs(shared.partner_cosines(W)) <= 0.15).all(axis=-1))


def opposed(W: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether each feature is opposite to one of the other pair, shape (...)."""
    across = tg.geometry.cosines(W)[..., :2, 2:]
    return np.asarray((across.min(axis=-1) < -0.95).all(axis=-1) & (across.min(axis=-2) < -0.95).all(axis=-1))


def in_full(W: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether all norms are 0.93 to 1.07, shape (...)."""
    return np.asarray((abs(tg.geometry.feature_norms(W) - 1) <= 0.07).all(axis=-1))


def antipodes(W: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether some partners are opposites, shape (...)."""
    return np.asarray((shared.partner_cosines(W) < -0.95).any(axis=-1))


def shape_claims(data: xr.Dataset) -> list[Claim]:
    """The three things seen in the paper's picture, counted over all seeds and beside independent features."""
    here, others = data["W"].sel(density=DENSITY), data["independent_W"].values
    test = f"p of Fisher's exact test against independent features, below {SURE:g} where they are told apart"

    def seen(name: str, check: Callable[[NDArray[np.floating]], NDArray[np.bool_]], how: str, **words: Any) -> Claim:
        def measure(models: NDArray[np.floating]) -> dict[str, float]:
            return {"seeds": float(check(models).mean()), "p": fisher(check(models), check(others))}

        return Claim(
            name,
            how=f"seeds in which {how}; {test}",
            measure=measure,
            units={"seeds": "%"},
            expect={"p": below(SURE)},
            of=here.values,
            against={INDEPENDENT: others},
            evidence=every(here, "seed"),
            needs=20,
            lacking="" if measure(here.values)["p"] < SURE else "a difference from independent features",
            **words,
        )

    return [
        seen(
            "orthogonal",
            orthogonal,
            f"partners have |cosine| up to 0.15, at density {DENSITY:g}",
            statement="The members of a correlated pair are represented orthogonally.",
            source=paper(
                "Organization of Correlated and Anticorrelated Features",
                "Models prefer to represent correlated features in orthogonal dimensions",
            ),
            note=f"Share of seeds with local bases, over density: {shared.scanned(data, LOCAL_BASES)}.",
        ),
        seen(
            "opposed",
            opposed,
            "each feature has a cosine below -0.95 with one of the other pair",
            statement="Each feature is nearly opposite to one of the other pair.",
            source=OURS,
        ),
        seen(
            "norms",
            in_full,
            "all feature norms are 0.93 to 1.07",
            statement="All features are represented in full, oftener than independent ones.",
            source=OURS,
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """What is seen in all runs, and how the loss grows with density."""
    here, others = data["W"].sel(density=DENSITY), data["independent_W"].values
    loss, linear = data["minima_loss"].min("start").sel(density=SCALING), data["linear_loss"].sel(density=SCALING)
    ours, theirs = (f"{(orthogonal(W) & opposed(W) & in_full(W)).mean():.0%}" for W in (here.values, others))
    return [
        *shape_claims(data),
        Claim(
            "no-antipodes",
            "Correlated features are not stored as opposites of each other.",
            source=paper(
                "Correlated and Anticorrelated Features",
                "it prefers positive interference between correlated features over negative interference",
            ),
            how="share of seeds in which partners have a cosine below -0.95 (none of five in the paper); p of Fisher's exact "
            "test, one-sided, against independent features",
            measure=lambda models: {
                "opposite partners": antipodes(models).mean(),
                "p": fisher(antipodes(others), antipodes(models)),
            },
            expect={"opposite partners": at_most(0.05, "%"), "p": below(SURE)},
            of=here.values,
            against={INDEPENDENT: others},
            evidence=every(here, "seed"),
            needs=20,
            note=f"Independent features pass the first three checks together in {theirs} of seeds, correlated ones in {ours}: "
            "what correlation decides is which two are not opposites.",
        ),
        Claim(
            "square-law",
            "The loss is 0 unless both sets are active, so it grows with the square of the density.",
            source=OURS,
            how=f"slope of log loss by log density, lowest minima at densities {', '.join(f'{p:g}' for p in SCALING)}",
            measure=lambda losses: exponent(SCALING, losses),
            expect=near(2, 0.02),
            of=loss,
            against={"best linear models": linear},
            evidence=Evidence(f"lowest certified minimum of {data.sizes['start']} starts at each density"),
            note=f"At {SCALING[0]:g} the loss is {loss[0] / SCALING[0] ** 2:.4f} times the square of it.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Five runs, and all of them over density."""
    return {"arrows": shared.arrows_of_seeds(data, DENSITY, 2), "census": shared.census_figure(data, NAMES)}


experiment = Experiment(
    __name__,
    title="Two correlated pairs: partners at right angles, opposites across",
    paper="Section 5, correlated features (F21)",
    seconds={"quick": 6, "paper": 20},
    order=3,
)
