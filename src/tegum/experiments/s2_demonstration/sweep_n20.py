"""Twenty features in five dimensions: a linear model keeps five, a ReLU lets sparse features share.

Paper: section 2, how to read a model (F03) and the sweep over density (F04).  n = 20, m = 5, importance 0.7^i, densities 1 to
0.001.  The paper gives no training: here AdamW at 3e-3 without decay, cosine schedule, 8,000 steps of 1024, 8 seeds (paper
profile 20,000 steps, 12 seeds), and the best is chosen by exact loss.  Below density 0.01 results depend on steps and learning
rate.
"""

from typing import Any

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import Claim, at_least, at_most, below, best_of, equal, near
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s2_demonstration.shared import DENSITIES, PAIRED, PRINTED, best, norms, picture, represented, sweep_study
from tegum.figures import strips
from tegum.theory import dropped_loss, pair_regime_count, pair_regime_loss

N, M = 20, 5
IMPORTANCE = tg.features.geometric(0.7, N)
TOP = np.arange(N) < M
"""The features that a linear model keeps."""
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": tg.Recipe(steps=8000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=8),
    "paper": tg.Recipe(steps=20_000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=12),
}
ALONE = xr.DataArray([5, 3, 1, 0, 0, 0, 0], [("density", DENSITIES)])
"""How many of the represented features have a direction to themselves in the paper's figure."""


def study(profile: Profile) -> xr.Dataset:
    """Both families at seven densities."""
    return sweep_study(N, M, 0.7, RECIPE[profile])


def off_linear(model: xr.Dataset) -> dict[str, xr.DataArray]:
    """How far a model is from keeping the first five features and the means of the others."""
    map_error = abs(tg.geometry.gram(model["W"].values) - np.diag(TOP))
    return {
        "error of W^T W": map_error.max(),
        "error of b": abs(model["b"] - np.where(TOP, 0, model["density"] / 2)).max(),
        "loss over the best linear one": model["loss"] / dropped_loss(model["density"], IMPORTANCE[M:]).sum(),
        "loss": model["loss"],
    }


def against_pairs(models: xr.Dataset) -> dict[str, xr.DataArray]:
    """Counts, and how far losses are above those of the best model of dedicated features and pairs."""
    theory = [pair_regime_loss(IMPORTANCE, M, p) for p in models["density"].values]
    return {"features": represented(models), "loss above the closed form": models["loss"] / theory - 1}


def alone(models: xr.Dataset) -> xr.DataArray:
    """Which features are represented and share their direction with no other."""
    return (norms(models) >= 0.9) & (tg.geometry.interference(models["W"].values) < 0.5)


def first_of_all(chosen: xr.DataArray) -> bool:
    """Whether the features chosen are the most important ones."""
    return bool((chosen.astype(int).diff("feature") <= 0).all())


def alone_by_density(models: xr.Dataset) -> dict[str, Any]:
    """How many features are alone at each density, how that changes to the next, and whether they are the first."""
    chosen = alone(models)
    counts = chosen.sum("feature")
    return {"alone": counts, "change": counts.diff("density"), "the most important": first_of_all(chosen)}


def antipodal_pairs(model: xr.Dataset) -> dict[str, Any]:
    """What superposed features share: their largest overlap, how many opposites each has, and who is left alone."""
    overlaps = tg.geometry.gram(model["W"].values) * (1 - np.eye(N))
    left = alone(model)
    superposed = ((norms(model) >= 0.9) & ~left).values
    return {
        "largest overlap": overlaps.max(),
        "opposites of each": np.unique((overlaps < -0.85).sum(axis=1)[superposed]),
        "the most important are alone": first_of_all(left),
        "alone": np.flatnonzero(left),
        "superposed features": superposed.sum(),
    }


def positive_interference(models: xr.Dataset) -> dict[str, xr.DataArray]:
    """Pairs with positive overlaps and the smallest bias at each density."""
    pairs = np.triu(tg.geometry.gram(models["W"].values) > 0.1, 1).sum(axis=(-2, -1))
    return {"pairs": models["loss"].copy(data=pairs), "smallest bias": models["b"].min("feature")}


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of section 2."""
    relu, linear = best(data), best(data, "Linear")
    counts = relu["loss"].sel(density=PAIRED).copy(data=[pair_regime_count(IMPORTANCE, M, p) for p in PAIRED])
    evidence = best_of(data.sel(net="ReluOutput"), "exact loss", unit="seed")
    of_one_density = best_of(data.sel(net="ReluOutput", density=1.0), "exact loss", unit="seed")
    return [
        Claim(
            "dense-is-linear",
            "Where features are dense, the ReLU model keeps the five most important and outputs the mean of the others.",
            how="density 1: largest deviation of W^T W from the identity on the top five, of b from 0 and p/2, and the exact "
            "loss against that of keeping the top five and the means of the others",
            measure=off_linear,
            expect={
                "error of W^T W": below(0.02),
                "error of b": below(0.02),
                "loss over the best linear one": near(1, 0.02),
            },
            of=relu.sel(density=1.0),
            against={"density 0.1": relu.sel(density=0.1)},
            evidence=of_one_density,
        ),
        Claim(
            "linear-top",
            "A linear model always keeps the most important features, as many as there are dimensions, and nothing else.",
            how="largest deviation of a norm from 1 (first five) or 0 (others)",
            measure=lambda models: abs(norms(models) - TOP).max("feature"),
            expect=below(0.02),
            of=linear,
            against={"ReLU outputs": relu},
            evidence=evidence,
        ),
        Claim(
            "count",
            "The sparser the features, the more of them are represented, up to more than twice the dimensions.",
            how="features with norm at least 0.9 in the best model",
            measure=represented,
            expect=near(PRINTED, [1, 1, 1, 1, 2, 2, 2]),
            of=relu,
            against={"linear models": linear},
            evidence=evidence,
            note="Dedicated features and pairs alone would give "
            f"{', '.join(str(count) for count in counts.values)} down to density 0.03.",
        ),
        Claim(
            "pair-theory",
            "Dedicated features and antipodal pairs explain counts and losses: one more feature pays if I_N / I_(2m-N-1) "
            "exceeds 2p / (4 - 5p).",
            how="features with norm at least 0.9, and by how much the exact loss exceeds that of the closed form",
            measure=against_pairs,
            expect={"features": near(counts, 1), "loss above the closed form": below(0.02, "%")},
            of=relu.sel(density=PAIRED),
            against={"linear models": linear.sel(density=PAIRED)},
            evidence=evidence,
        ),
        Claim(
            "order",
            "Superposition reaches the least important features first and the most important last, then all.",
            how="represented features whose interference is below 0.5: how many, how that changes from each density to the "
            "next, and whether they are the most important",
            measure=alone_by_density,
            expect={
                "alone": near(ALONE, [1, 1, 1, 1, 0, 0, 0]),
                "change": at_most(0),
                "the most important": equal(True),
            },
            of=relu,
            against={"linear models": linear},
            evidence=evidence,
        ),
        *(
            Claim(
                f"pairs-{density:g}",
                f"At density {density:g} superposition means antipodal pairs, and the most important features stay alone.",
                how="largest positive overlap, how many opposites (overlap below -0.85) each superposed feature has, and "
                "whether the features that are alone are the most important",
                measure=antipodal_pairs,
                expect={
                    "largest overlap": below(0.1),
                    "opposites of each": equal(1),
                    "the most important are alone": equal(True),
                },
                of=relu.sel(density=density),
                against={"density 0.003": relu.sel(density=0.003)},
                evidence=of_one_density,
            )
            for density in (0.3, 0.1)
        ),
        Claim(
            "sparse",
            "Where features are very sparse, they also interfere positively, and negative biases filter it.",
            how="pairs with overlap above 0.1 and the smallest bias",
            measure=positive_interference,
            expect={"pairs": at_least(10), "smallest bias": below(-0.1)},
            of=relu.sel(density=[0.01, 0.003, 0.001]),
            against={"densities 0.3 and 0.1": relu.sel(density=[0.3, 0.1])},
            evidence=evidence,
            note="The paper's figure has about 15, 41 and 59 such pairs.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """How to read a model, and the strip of models."""
    relu = best(data)
    read = {"ReLU, p = 1: no superposition": relu.sel(density=1.0), "ReLU, p = 0.1: antipodal pairs": relu.sel(density=0.1)}
    reading = Figure(
        strips(read),
        "How to read a model. Above, WᵀW, what each input does to each output, and beside it the bias: a red diagonal is a "
        "feature that passes through, blue off the diagonal are two features stored as opposites, and a pale red bias is the "
        "mean of a feature that is dropped. Below, the norm of each feature, coloured by how much the others excite its "
        "direction: the sum of squares of the paper's text or, by the button, its root, which the authors' notebook shows.",
    )
    return {"reading": reading, "models": picture(data)}


experiment = Experiment(
    __name__,
    title="Twenty features in five dimensions, from dense to sparse",
    paper="Section 2, basic results (F03, F04)",
    seconds={"quick": 11, "paper": 50},
    order=1,
)
