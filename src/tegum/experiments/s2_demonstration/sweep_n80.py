"""Eighty features in twenty dimensions: the same story, rescaled.

Paper: section 2 (F05).  As `sweep-n20` with n = 80, m = 20, importance 0.9^i; 5,000 steps (paper profile
12,000) and 5 seeds, the best by exact loss; the linear models, which are a control, are minima of the expected loss.
"""

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

import tegum as tg
from tegum.claims import OURS, Claim, above, best_of, equal, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s2_demonstration.shared import BASE, PAIRED, PRINTED, best, picture, represented, sweep_study
from tegum.theory import pair_regime_count

RECIPE: dict[Profile, tg.Recipe] = {"quick": BASE.replaced(steps=5000, seeds=5), "paper": BASE.replaced(steps=12_000, seeds=5)}


def study(profile: Profile) -> xr.Dataset:
    """Both families at seven densities."""
    return sweep_study(80, 20, 0.9, RECIPE[profile], train_linear=False)


def alike(per_dimension: xr.DataArray) -> dict[str, float]:
    """How features per dimension go with the printed ones of the smaller model, and how many there are at density 1."""
    rank = float(spearmanr(per_dimension, PRINTED).statistic) if np.ptp(per_dimension.values) else 0.0
    return {"rank correlation": rank, "at density 1": float(per_dimension.sel(density=1.0))}


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the figure."""
    relu, linear = represented(best(data)), represented(best(data, "Linear"))
    large, small = (
        xr.DataArray([pair_regime_count(tg.features.geometric(decay, n), m, p) for p in PAIRED], [("density", PAIRED)])
        for decay, n, m in ((0.9, 80, 20), (0.7, 20, 5))
    )
    here, printed = (", ".join(f"{count:.2f}" for count in per_dimension) for per_dimension in (large / 20, small / 5))
    all_seeds = data.sel(net="ReluOutput")
    return [
        Claim(
            "count",
            "Comparing the losses of pairs and dedicated features predicts how many features are represented.",
            source=OURS,
            how=f"features with norm at least 0.9 at densities {', '.join(f'{p:g}' for p in PAIRED)}",
            expect=near(large, 3),
            of=relu.sel(density=PAIRED),
            against={"linear models": linear.sel(density=PAIRED)},
            evidence=best_of(all_seeds.sel(density=PAIRED), "exact loss", unit="seed"),
        ),
        Claim(
            "rescaled",
            "The larger model is a rescaled copy of the smaller one.",
            source=paper("Basic Results", "we observe essentially a rescaled version of the visualization above"),
            how="rank correlation of represented features per dimension with those printed for n = 20, over density; that many "
            "at density 1",
            measure=alike,
            expect={"rank correlation": above(0.9), "at density 1": equal(1)},
            of=relu / 20,
            against={"linear models": linear / 20},
            evidence=best_of(all_seeds, "exact loss", unit="seed"),
        ),
        Claim(
            "rescaled-counts",
            "It has as many features per dimension at every density.",
            source=OURS,
            how="represented features per dimension at the seven densities, against those printed for n = 20",
            expect=near(PRINTED / 5, 0.3),
            of=relu / 20,
            against={"linear models": linear / 20},
            evidence=best_of(all_seeds, "exact loss", unit="seed"),
            note=f"Pairs and dedicated features alone give {here} here and {printed} for n = 20, down to density 0.03: 0.9^4 "
            "is 0.66, not 0.7. Below that counts depend on training, too; the printed ones fall from density 0.003 to 0.001.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The strip of models."""
    return {"models": picture(data)}


experiment = Experiment(
    __name__,
    title="Eighty features in twenty dimensions: the same, rescaled",
    paper="Section 2, basic results (F05)",
    seconds={"quick": 18, "paper": 70},
    order=2,
)
