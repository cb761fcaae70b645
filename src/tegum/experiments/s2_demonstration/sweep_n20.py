"""Twenty features in five dimensions: a linear model keeps five, a ReLU lets sparse features share.

Paper: section 2, how to read a model (F03) and the sweep over density (F04).  n = 20, m = 5, importance 0.7^i, densities 1 to
0.001.  The paper gives no training: here AdamW at 3e-3 without decay, cosine schedule, 8,000 steps of 1024, 8 seeds (paper
profile 20,000 steps, 12 seeds), and the best is chosen by exact loss.  Below density 0.01 results depend on steps and learning
rate.
"""

from itertools import pairwise

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s2_demonstration.shared import best, picture, reading, represented, sweep_study
from tegum.theory import dropped_loss, pair_regime_count, pair_regime_loss

IMPORTANCE = tg.features.geometric(0.7, 20)
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": tg.Recipe(steps=8000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=8),
    "paper": tg.Recipe(steps=20_000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=12),
}
PRINTED = {1.0: 5, 0.3: 7, 0.1: 9, 0.03: 10, 0.01: 11, 0.003: 13, 0.001: 12}
"""Features with a norm of 0.9 or more, read off the paper's figure."""
ALONE = {1.0: 5, 0.3: 3, 0.1: 1, 0.03: 0, 0.01: 0, 0.003: 0, 0.001: 0}
"""How many of them have a direction to themselves there."""
PAIRED = (1.0, 0.3, 0.1, 0.03)
"""Densities at which dedicated features and pairs are all there is."""


def study(profile: Profile) -> xr.Dataset:
    """Both families at seven densities."""
    return sweep_study(20, 5, 0.7, RECIPE[profile])


def dense_check(data: xr.Dataset, density: float) -> tuple[str, bool]:
    """How far the best model is from keeping the first five, and whether that is close enough."""
    model = best(data, density)
    G, b = tg.geometry.gram(model["W"].values), model["b"].values
    map_error = float(abs(G - np.diag([1.0] * 5 + [0.0] * 15)).max())
    bias_error = float(abs(b - np.array([0.0] * 5 + [density / 2] * 15)).max())
    excess = float(model["loss"]) / dropped_rest(density) - 1
    measured = f"{map_error:.4f}, {bias_error:.4f}, {float(model['loss']):.5f}"
    return measured, map_error < 0.02 and bias_error < 0.02 and abs(excess) < 0.02


def dropped_rest(density: float) -> float:
    """The loss of keeping the first five features and the means of the others."""
    return float(dropped_loss(density, IMPORTANCE[5:]).sum())


def dense_claim(data: xr.Dataset) -> Claim:
    """The model that is as good as linear (F03)."""
    measured, holds = dense_check(data, 1.0)
    return Claim(
        name="dense-is-linear",
        statement="In a dense world the ReLU model keeps the five most important features and outputs the mean of the others.",
        how="density 1: largest deviation of W^T W from the identity on the top five, of b from 0 and p/2, and the exact loss",
        expected=f"0, 0, and {dropped_rest(1.0):.5f}",
        tolerance="0.02, 0.02, 2 %",
        measured=measured,
        holds=holds,
        evidence=f"best of {data.sizes['seed']} seeds by exact loss",
        control=Control("density 0.1", *dense_check(data, 0.1)),
    )


def kept_by_linear(data: xr.Dataset, net: str) -> tuple[str, bool]:
    """How far the norms are from 1 for the first five features and 0 for the others, at every density."""
    wanted = np.array([1.0] * 5 + [0.0] * 15)
    off = max(abs(tg.geometry.feature_norms(best(data, p, net)["W"].values) - wanted).max() for p in PRINTED)
    return f"{off:.4f}", bool(off < 0.02)


def linear_claim(data: xr.Dataset) -> Claim:
    """What a linear model keeps, whatever the density."""
    measured, holds = kept_by_linear(data, "Linear")
    return Claim(
        name="linear-top",
        statement="A linear model always keeps the most important features, as many as there are dimensions, and nothing else.",
        how="largest deviation of a norm from 1 (first five) or 0 (others), over the seven densities",
        expected="0",
        tolerance="0.02",
        measured=measured,
        holds=holds,
        evidence=f"best of {data.sizes['seed']} seeds by exact loss at each density",
        control=Control("ReLU outputs", *kept_by_linear(data, "ReluOutput")),
    )


def count_claim(data: xr.Dataset) -> Claim:
    """How many features are represented at each density."""
    ours = {p: represented(best(data, p)) for p in PRINTED}
    linear = {p: represented(best(data, p, "Linear")) for p in PRINTED}
    theory = [pair_regime_count(IMPORTANCE, 5, p) for p in PAIRED]
    fits = all(abs(ours[p] - printed) <= (1 if p >= 0.03 else 2) for p, printed in PRINTED.items())
    return Claim(
        name="count",
        statement="The sparser the world, the more features are represented, up to more than twice the dimensions.",
        how="features with norm at least 0.9 in the best model at densities 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001",
        expected=", ".join(str(v) for v in PRINTED.values()),
        tolerance="1 down to density 0.03, 2 below",
        measured=", ".join(str(v) for v in ours.values()),
        holds=fits,
        evidence=f"best of {data.sizes['seed']} seeds by exact loss at each density",
        control=Control(
            "linear models",
            ", ".join(str(v) for v in linear.values()),
            all(abs(linear[p] - v) <= 1 for p, v in PRINTED.items()),
        ),
        note=f"Dedicated features and pairs alone would give {', '.join(map(str, theory))} down to density 0.03.",
    )


def theory_check(data: xr.Dataset, net: str) -> tuple[str, bool]:
    """Counts, and losses over those of the closed form, and whether both are as it says."""
    models = {p: best(data, p, net) for p in PAIRED}
    counts = {p: represented(model) for p, model in models.items()}
    excess = {p: float(model["loss"]) / pair_regime_loss(IMPORTANCE, 5, p) - 1 for p, model in models.items()}
    fits = all(abs(counts[p] - pair_regime_count(IMPORTANCE, 5, p)) <= 1 and excess[p] < 0.02 for p in PAIRED)
    return ", ".join(f"{counts[p]} ({excess[p]:+.1%})" for p in PAIRED), fits


def theory_claim(data: xr.Dataset) -> Claim:
    """The closed form of dedicated features and pairs."""
    measured, holds = theory_check(data, "ReluOutput")
    return Claim(
        name="pair-theory",
        statement="Dedicated features and antipodal pairs explain counts and losses: one more feature pays if I_N / I_(2m-N-1) "
        "exceeds 2p / (4 - 5p).",
        how="features with norm at least 0.9 (and exact loss against the closed form) at densities "
        + ", ".join(map(str, PAIRED)),
        expected=", ".join(str(pair_regime_count(IMPORTANCE, 5, p)) for p in PAIRED) + "; no loss above the closed form",
        tolerance="1; 2 %",
        measured=measured,
        holds=holds,
        evidence=f"best of {data.sizes['seed']} seeds by exact loss at each density",
        control=Control("linear models", *theory_check(data, "Linear")),
    )


def order_check(data: xr.Dataset, net: str) -> tuple[str, bool]:
    """How many features are alone at each density, and whether they are the most important, ever fewer, as in the figure."""
    counts, prefix = {}, True
    for p in ALONE:
        W = best(data, p, net)["W"].values.astype(np.float64)
        alone = np.flatnonzero((tg.geometry.feature_norms(W) >= 0.9) & (tg.geometry.interference(W) < 0.5))
        prefix &= list(alone) == list(range(len(alone)))
        counts[p] = len(alone)
    fewer = all(a >= b for a, b in pairwise(counts.values()))
    near = all(abs(counts[p] - printed) <= 1 for p, printed in ALONE.items())
    words = ", ".join(map(str, counts.values())) + ("" if prefix else "; not the most important ones")
    return words, prefix and fewer and near and counts[0.01] == counts[0.003] == counts[0.001] == 0


def order_claim(data: xr.Dataset) -> Claim:
    """Which features superposition reaches first and last."""
    measured, holds = order_check(data, "ReluOutput")
    return Claim(
        name="order",
        statement="Superposition reaches the least important features first and the most important last, then all.",
        how="represented features whose interference is below 0.5, at the seven densities: how many, and whether they are the "
        "most important",
        expected=", ".join(map(str, ALONE.values())),
        tolerance="1, and none at density 0.01 and below",
        measured=measured,
        holds=holds,
        evidence=f"best of {data.sizes['seed']} seeds by exact loss at each density",
        control=Control("linear models", *order_check(data, "Linear")),
    )


def pairs_check(data: xr.Dataset, density: float) -> tuple[str, bool, int]:
    """What superposed features share, whether it is antipodal pairs with a prefix left alone, and how many there are."""
    W = best(data, density)["W"].values.astype(np.float64)
    G, norms = tg.geometry.gram(W), tg.geometry.feature_norms(W)
    off = G - np.diag(np.diag(G))
    kept = norms >= 0.9
    mixed = kept & (tg.geometry.interference(W) > 0.5)
    partners = (off < -0.85).sum(axis=1)
    alone = np.flatnonzero(kept & ~mixed)
    holds = off.max() < 0.1 and (partners[mixed] == 1).all() and mixed.any() and list(alone) == list(range(len(alone)))
    measured = f"largest overlap {off.max():.3f}; partners {sorted(set(partners[mixed].tolist()))}; alone {alone.tolist()}"
    return measured, bool(holds), int(mixed.sum())


def pairs_claim(data: xr.Dataset, density: float) -> Claim:
    """Antipodal pairs, with the most important features left alone."""
    measured, holds, mixed = pairs_check(data, density)
    return Claim(
        name=f"pairs-{density:g}",
        statement=f"At density {density:g} superposition means antipodal pairs, and the most important features stay alone.",
        how="largest positive overlap, number of partners of each superposed feature, which features are alone",
        expected="no overlap above 0.1; one partner each with overlap below -0.85; a prefix of the importance order alone",
        tolerance="as stated",
        measured=measured,
        holds=holds,
        evidence=f"best of {data.sizes['seed']} seeds by exact loss, {mixed} superposed features",
        control=Control("density 0.003", *pairs_check(data, 0.003)[:2]),
    )


def sparse_check(data: xr.Dataset, densities: tuple[float, ...]) -> tuple[str, bool]:
    """Positive overlaps and the smallest bias at each density, and whether there are many and it is negative."""
    found = []
    for p in densities:
        model = best(data, p)
        G = tg.geometry.gram(model["W"].values.astype(np.float64))
        found.append((int((np.triu(G, 1) > 0.1).sum()), float(model["b"].min())))
    measured = "; ".join(f"{pairs} pairs, {bias:.2f}" for pairs, bias in found)
    return measured, all(pairs >= 10 and bias < -0.1 for pairs, bias in found)


def sparse_claim(data: xr.Dataset) -> Claim:
    """Positive interference and negative biases in very sparse worlds."""
    measured, holds = sparse_check(data, (0.01, 0.003, 0.001))
    return Claim(
        name="sparse",
        statement="In very sparse worlds features also interfere positively, and negative biases filter it.",
        how="pairs with overlap above 0.1 and the smallest bias, at densities 0.01, 0.003, 0.001",
        expected="at least 10 pairs, a bias below -0.1",
        tolerance="as stated",
        measured=measured,
        holds=holds,
        evidence=f"best of {data.sizes['seed']} seeds by exact loss at each density",
        control=Control("densities 0.3 and 0.1", *sparse_check(data, (0.3, 0.1))),
        note="The paper's figure has about 15, 41 and 59 such pairs.",
    )


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of section 2."""
    pairs = [pairs_claim(data, density) for density in (0.3, 0.1)]
    counts = [count_claim(data), theory_claim(data), order_claim(data)]
    return [dense_claim(data), linear_claim(data), *counts, *pairs, sparse_claim(data)]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """How to read a model, and the strip of models."""
    return {"reading": reading(data), "models": picture(data)}


experiment = Experiment(
    __name__,
    title="Twenty features in five dimensions, from dense to sparse",
    paper="Section 2, basic results (F03, F04)",
    seconds={"quick": 11, "paper": 50},
    study=study,
    figures=figures,
    claims=claims,
    order=1,
)
