"""Twenty features in five dimensions: a linear model keeps five, a ReLU lets sparse features share.

Paper: section 2, how to read a model (F03) and the sweep over density (F04).  n = 20, m = 5, importance 0.7^i, densities 1 to
0.001.  The paper gives no training: here AdamW at 3e-3 without decay, cosine schedule, 8,000 steps of 1024, 8 seeds (paper
profile 20,000 steps, 12 seeds), and the best is chosen by exact loss.  Below density 0.01 results depend on steps and learning
rate.  Models of equally important features, in 3 seeds, are a control: what they do cannot go by importance.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

import tegum as tg
from tegum.claims import OURS, Claim, above, at_least, below, best_of, equal, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s2_demonstration import shared
from tegum.experiments.s2_demonstration.shared import BASE, PAIRED, best, norms, overlaps, represented

N, M = 20, 5
IMPORTANCE = tg.features.geometric(0.7, N)
TOP = np.arange(N) < M
"""The features that a linear model keeps."""
RECIPE = {"quick": BASE.replaced(steps=8000, seeds=8), "paper": BASE.replaced(steps=20_000, seeds=12)}
ALONE = xr.DataArray([5, 3, 1, 0, 0, 0, 0], [("density", shared.DENSITIES)])
"""How many of the represented features have a direction to themselves in the paper's figure."""
ALIKE_SEEDS = 3
ALIKE = "equally important features, by number"


def study(profile: Profile) -> xr.Dataset:
    """Both families at seven densities; beside them the best models of equally important features."""
    data = shared.sweep_study(N, M, 0.7, RECIPE[profile])
    net, sweep = tg.nets.ReluOutput(N, M), {"density": shared.DENSITIES}
    run = tg.train(net, tg.features.Independent(N), RECIPE[profile].replaced(seeds=ALIKE_SEEDS), sweep=sweep)
    alike = tg.best(run.assign(loss=tg.exact.loss(run, tol=1e-6)))
    values = {
        f"alike_{name}": (("density", *alike[name].dims[1:]), alike[name].values.astype(np.float64)) for name in ("W", "b")
    }
    return data.assign(values)


def growth(models: xr.Dataset) -> dict[str, Any]:
    """How the number of represented features goes with sparsity, and how many there are for each dimension at last."""
    counts = represented(models)
    rank = float(spearmanr(-counts["density"].values, counts.values).statistic) if np.ptp(counts.values) else 0.0
    return {"rank correlation": rank, "per dimension at last": float(counts[-1]) / M, "features": counts}


def alone(models: xr.Dataset) -> xr.DataArray:
    """Which features are represented and share their direction with no other."""
    return (norms(models) >= 0.9) & (tg.geometry.interference(models["W"].values) < 0.5)


def first_of_all(chosen: xr.DataArray) -> bool:
    """Whether the features chosen, of which there are some, are the most important ones."""
    return bool(chosen.any() and (chosen.astype(int).diff("feature") <= 0).all())


def alone_by_density(models: xr.Dataset) -> dict[str, Any]:
    """How many features are alone at each density, all changes of that over the first (1 if it only falls, to 0), and which."""
    counts = alone(models).sum("feature")
    changes = float(abs(counts.diff("density")).sum()) / max(int(counts[0]), 1)
    return {"alone": counts, "changes over the first": changes, "the most important": first_of_all(alone(models))}


def antipodal_pairs(model: xr.Dataset) -> dict[str, Any]:
    """What superposed features share: their largest overlap, how many opposites each has, and who is left alone."""
    overlap, left = overlaps(model["W"].values), alone(model)
    superposed = ((norms(model) >= 0.9) & ~left).values
    return {
        "largest overlap": overlap.max(),
        "opposites of each": np.unique((overlap < -0.85).sum(axis=1)[superposed]),
        "the most important are alone": first_of_all(left),
        "alone": np.flatnonzero(left),
        "superposed features": superposed.sum(),
    }


def beyond_pairs(models: xr.Dataset) -> dict[str, xr.DataArray]:
    """How many features models have beyond those of dedicated features and pairs, and their loss over the loss of these."""
    count, loss = (
        models["loss"].copy(data=[closed(IMPORTANCE, M, p) for p in models["density"].values])
        for closed in (tg.theory.pair_regime_count, tg.theory.pair_regime_loss)
    )
    return {"features too many": represented(models) - count, "loss": models["loss"] / loss}


def claims(data: xr.Dataset) -> list[Claim]:  # long: one declaration after the other
    """The statements of section 2."""
    relu, linear = best(data), best(data, "Linear")
    counts = relu["loss"].sel(density=PAIRED).copy(data=[tg.theory.pair_regime_count(IMPORTANCE, M, p) for p in PAIRED])
    chosen = partial(best_of, by="exact loss", unit="seed")
    all_seeds, alike = data.sel(net="ReluOutput"), data[["alike_W", "alike_b"]].rename(alike_W="W", alike_b="b")
    of_one_density = chosen(all_seeds.sel(density=1.0))
    judged = partial(Claim, evidence=chosen(all_seeds))
    of_every_density = partial(judged, of=relu, against={"linear models": linear})
    return [
        Claim(
            "dense-is-linear",
            "Where features are dense, the ReLU model keeps the five most important and outputs the mean of the others.",
            source=paper("Basic Results", "The ReLU output model behaves the same on dense features"),
            how="density 1: largest deviations of W^T W and b from those of the best linear model, and the ratio of the losses",
            measure=lambda model: {
                "error of W^T W": abs(tg.geometry.gram(model["W"].values) - np.diag(TOP)).max(),
                "error of b": abs(model["b"] - np.where(TOP, 0, model["density"] / 2)).max(),
                "loss over the best linear one": model["loss"] / tg.theory.dropped_loss(model["density"], IMPORTANCE[M:]).sum(),
                "loss": model["loss"],
            },
            expect={"error of W^T W": below(0.02), "error of b": below(0.02), "loss over the best linear one": near(1, 0.02)},
            of=relu.sel(density=1.0),
            against={"density 0.1": relu.sel(density=0.1)},
            evidence=of_one_density,
        ),
        judged(
            "linear-top",
            "A linear model always keeps the most important features, as many as there are dimensions, and nothing else.",
            source=paper("Basic Results", "the linear model always learns the top-m most important features"),
            how="largest deviation of a norm from 1 (first five) or 0 (others)",
            measure=lambda models: abs(norms(models) - TOP).max("feature"),
            expect=below(0.02),
            of=linear,
            against={"ReLU outputs": relu},
        ),
        of_every_density(
            "count",
            "The sparser the features, the more of them are represented, up to more than twice the dimensions.",
            source=paper("The Geometry of Superposition", "the number of extra features increases as we increase sparsity"),
            how="features with norm at least 0.9 in the best model: rank correlation of their number with the sparsity, and "
            "their number where features are sparsest, over the dimensions",
            measure=growth,
            expect={"rank correlation": above(0.9), "per dimension at last": above(2)},
        ),
        of_every_density(
            "printed-counts",
            "At each density there are as many as the paper's figure shows.",
            source=OURS,
            how="features with norm at least 0.9 in the best model, against those read off the figure",
            measure=represented,
            expect=near(shared.PRINTED, [1, 1, 1, 1, 2, 2, 2]),
            note="Dedicated features and pairs alone would give "
            f"{', '.join(str(count) for count in counts.values)} down to density 0.03.",
        ),
        judged(
            "pair-theory",
            "Dedicated features and pairs explain counts and losses: one more pays if I_N / I_(2m-N-1) > 2p / (4 - 5p).",
            source=OURS,
            how="features with norm at least 0.9, less those of the closed form, and the exact loss over its loss",
            measure=beyond_pairs,
            expect={"features too many": near(0, 1), "loss": near(1, 0.02)},
            of=relu.sel(density=PAIRED),
            against={"densities up to 0.01": relu.sel(density=slice(0.01, None)), "linear models": linear.sel(density=PAIRED)},
            evidence=chosen(all_seeds.sel(density=PAIRED)),
            note="Norms and biases adapt, and from density 0.03 on so do the arrangements: there counting pairs ends.",
        ),
        of_every_density(
            "order",
            "Superposition reaches the least important features first and the most important last, then all.",
            source=paper(
                "Basic Results", "It starts with less important features, and gradually affects the most important ones"
            ),
            how="represented features of interference below 0.5: number, all its changes added up over the first, which is 1 "
            "if it only falls, and whether these features are the most important",
            measure=alone_by_density,
            expect={
                "alone": near(ALONE, [1, 1, 1, 1, 0, 0, 0]),
                "changes over the first": equal(1),
                "the most important": equal(True),
            },
            against={"linear models": linear, ALIKE: alike},
        ),
        *(
            Claim(
                f"pairs-{density:g}",
                f"At density {density:g} superposition means antipodal pairs, and the most important features stay alone.",
                source=paper("Basic Results", "Initially this involves arranging them in antipodal pairs"),
                how="largest overlap; how many opposites (overlap below -0.85) superposed features have; which are alone",
                measure=antipodal_pairs,
                expect={
                    "largest overlap": below(0.1),
                    "opposites of each": equal(1),
                    "the most important are alone": equal(True),
                },
                of=relu.sel(density=density),
                against={"density 0.003": relu.sel(density=0.003), ALIKE: alike.sel(density=density)},
                evidence=of_one_density,
            )
            for density in (0.3, 0.1)
        ),
        judged(
            "sparse",
            "Where features are very sparse, they also interfere positively, and negative biases filter it.",
            source=paper("Basic Results", "at this point we begin to see positive interference and negative biases"),
            how="pairs with overlap above 0.1 and the smallest bias",
            measure=lambda models: {
                "pairs": models["loss"].copy(data=(overlaps(models["W"].values) > 0.1).sum(axis=(-2, -1)) // 2),
                "smallest bias": models["b"].min("feature"),
            },
            expect={"pairs": at_least(10), "smallest bias": below(-0.1)},
            of=relu.sel(density=[0.01, 0.003, 0.001]),
            evidence=chosen(all_seeds.sel(density=[0.01, 0.003, 0.001])),
            against={"densities 0.3 and 0.1": relu.sel(density=[0.3, 0.1])},
            note="The paper's figure has about 15, 41 and 59 such pairs.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """How to read a model, and the strip of models."""
    relu = best(data)
    read = {"ReLU, p = 1: no superposition": relu.sel(density=1.0), "ReLU, p = 0.1: antipodal pairs": relu.sel(density=0.1)}
    reading = Figure(
        tg.figures.strips(read),
        "How to read a model. Above, WᵀW, what each input does to each output, and beside it the bias: a red diagonal is a "
        "feature that passes through, blue off the diagonal are two features stored as opposites, and a pale red bias is the "
        "mean of a feature that is dropped. Below, the norm of each feature, coloured by how much the others excite its "
        "direction: the sum of squares of the paper's text or, by the button, its root, which the authors' notebook shows.",
    )
    return {"reading": reading, "models": shared.picture(data)}


experiment = Experiment(
    __name__,
    title="Twenty features in five dimensions, from dense to sparse",
    paper="Section 2, basic results (F03, F04)",
    seconds={"quick": 10, "paper": 45},
    order=1,
)
