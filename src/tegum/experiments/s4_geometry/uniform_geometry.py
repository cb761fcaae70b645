"""Four hundred equal features in thirty dimensions: which shapes they form, from dense features to sparse ones.

Paper: section 4, the geometry of superposition (F15, F16), tegum products (F17), and the relation to compressed sensing.
ReLU-output models, n = 400, m = 30, equal importances, 50 densities 10^(-k/49), five models each.  Three ways from the same
initial weights, Xavier normal times 0.2 (about the scale of the authors' notebook for 50 models side by side; at full scale
some outputs are inactive at first where features are dense, and stay so): *training* as in the paper, which gives no recipe
(AdamW at 0.003, cosine schedule, no decay, 16,000 batches of 1024, from 1/(1 - S) = 1.2 to 2 48,000);
*exact*, the expected loss minimised by quasi-Newton steps
until the root mean square of the gradient is below 1e-5, or 1,500 steps; *exact from trained*, the same from the trained
weights, which measures how far training was from an end.  Claims are judged on every seed of training by itself, where one
that only some seeds bear out is underpowered, and on the lowest of all minima at each density.  The quick profile has n = 120,
m = 12, 18 of the densities, 6,000 batches of 512 at 0.01.

Besides, of three seeds: smaller models, n = 200 and m = 20 (quick: 80 and 8), these with n and m doubled, and n = 2m.  A
feature is learned where D_i > 0.2, represented where its norm is at least 1/2; edges of the graph need |W_i . W_j| > 0.1.
Shapes are named by `tegum.geometry.identify`.  Random directions in controls are the initial weights of training, cut to as
many as there are learned features.
"""

from functools import partial

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import (
    OURS,
    Claim,
    Evidence,
    above,
    at_least,
    at_most,
    below,
    between,
    equal,
    in_each_seed,
    near,
    paper,
    share_at_least,
)
from tegum.claims.words import listed, number
from tegum.experiments import Experiment, Profile
from tegum.experiments.s4_geometry import shared
from tegum.experiments.s4_geometry.shared import (
    Models,
    at_shown,
    claim,
    in_both_ways,
    in_window,
    line_of,
    models_of,
    over_inverse,
    sizes_of,
    within,
)
from tegum.geometry import dimensionality
from tegum.maps.three_ways import EXACT, POLISHED, TRAINING, three_ways

SIZE: dict[Profile, tuple[int, int]] = {"quick": (120, 12), "paper": (400, 30)}
SMALLER: dict[Profile, tuple[int, int]] = {"quick": (80, 8), "paper": (200, 20)}
GRID: dict[Profile, list[int]] = {
    "quick": [0, 5, 8, 9, 11, 13, 15, 17, 19, 22, 26, 28, 30, 31, 34, 38, 42, 47],
    "paper": list(range(50)),
}
SHOWN = [5, 11, 22, 31, 34, 47]
"""The six densities of the paper's feature graphs: 1/(1 - S) = 1.26, 1.68, 2.81, 4.29, 4.94, 9.1."""
QUICK = tg.Recipe(
    steps=6000,
    batch_size=512,
    learning_rate=0.01,
    schedule="cosine",
    weight_decay=0,
    initialisation_scale=0.2,
    seeds=shared.SEEDS,
)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=16_000, batch_size=1024, learning_rate=3e-3)}
TIMES: dict[Profile, int] = {"quick": 1, "paper": 3}
"""As many times the steps where the loss is flat."""
SLOW = (1.2, 2.0)
"""Where that is, as 1 / (1 - S): shapes there differ by 0.1 % of it."""
OTHER_SEEDS = 3
PLATEAU, FALLING_APART = (1.75, 3.6), (1.75, 5.0)
"""Where models form digons, and where they form several shapes, as 1 / (1 - S)."""


def study(profile: Profile) -> xr.Dataset:
    """Models in three ways, and the sizes of others to compare with."""
    n, m = SIZE[profile]
    every, shown = ([10 ** (-k / 49) for k in grid] for grid in (GRID[profile], SHOWN))
    recipe, (few, fewer) = RECIPE[profile], SMALLER[profile]

    def trained(n: int, m: int, densities: list[float]) -> xr.Dataset:
        other = recipe.replaced(seeds=OTHER_SEEDS)
        return tg.train(tg.nets.ReluOutput(n, m), tg.features.Independent(n), other, sweep={"density": densities})

    linear = (tg.nets.Linear(n, m), tg.features.Independent(n))
    others = {
        "smaller": trained(few, fewer, every),
        "crowded": trained(2 * m, m, shown),
        "doubled": trained(2 * few, 2 * fewer, shown),
        "linear": tg.exact.minimise(*linear, seeds=1, sweep={"density": shown}, gradient_tolerance=1e-5, certify=False),
    }
    crowded_W = others["crowded"]["W"].transpose("seed", "density", "hidden", "feature")
    slow = [p for p in every if SLOW[0] <= 1 / p <= SLOW[1]]
    models = three_ways(tg.nets.ReluOutput(n, m), tg.features.Independent(n), every, recipe, slow, TIMES[profile])
    data = shared.with_sizes(models, others)
    return data.assign(crowded_W=(("crowded_seed", "shown_density", "hidden", "crowded_feature"), crowded_W.values))


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the section, for training and for exact minimisation."""
    by_shape = in_both_ways(data, shape_claims, factor_claims)
    return [*in_both_ways(data, line_claims, phase_claims), *comparisons(data), *by_shape]


def line_claims(data: xr.Dataset, models: Models) -> list[Claim]:
    """Everything about D*, and the dense end."""
    n, m, linear = data.sizes["feature"], data.sizes["hidden"], {"linear models": sizes_of(data, "linear_D_star")}
    lines, dense = [line_of(W) for W in models], [W[:1] for W in models]
    off = shared.off_the_paper(xr.concat(lines, "seed").mean("seed"))
    return [
        claim(
            "line",
            "Dimensions per feature fall from 1 to 0.22 along the paper's line.",
            f"|D* − paper| for 1/(1 − S) from 1.2 on, n = {n}, m = {m}; the paper's line, of n = 400, m = 30, is interpolated",
            lines,
            source=OURS,
            measure=shared.off_the_paper,
            expect=below(0.04),
            against=linear,
            not_run=shared.too_small(data),
            note=f"The mean of the seeds is off by {off.max():.3f} at most, at {off.idxmax(shared.INVERSE):.2f}.",
        ),
        claim(
            "sticky",
            "The line is sticky at 1 and at 1/2.",
            "widest run of models with |D* − 1/2| < 0.025, in steps of the paper's fifty; D* for 1/(1 − S) up to 1.1",
            lines,
            source=paper("Uniform Superposition", 'Surprisingly, we find that this graph is "sticky" at 1 and 1/2'),
            measure=shared.sticking,
            expect={"grid points at 1/2": at_least(10), "dense D*": above(0.97)},
            against=linear,
        ),
        claim(
            "dense",
            "Where features are dense, none has a direction of its own: one blob around m/n.",
            f"mean of D_i at density 1, m/n = {m / n:.4f}; share of features with D_i > {shared.LEARNED:g}; D*",
            dense,
            source=paper(
                "Why These Geometric Structures?",
                "basis features are indistinguishable from other directions in the dense regime",
            ),
            measure=shared.blob,
            expect={"mean D": near(m / n, 0.01), "learned": at_most(0.05, "%"), "D*": near(1, 0.03)},
            against={
                "the initial weights": [W.copy(data=W["initial"].values[None]) for W in dense],
                "as many random directions": list(map(shared.random_like, dense)),
                "where features are sparsest": [W[-1:] for W in models],
            },
            note="Any m orthonormal rows cost the same there, so no direction is special, and D* is 1 for all of them. Random "
            "weights make the same blob; what training adds is D* = 1.",
        ),
        claim(
            "first-digons",
            "Digons come where a pair costs less than dropping one of two features, at 1/(1 − S) = 7/4.",
            "the smallest 1/(1 − S) at which digons fill a tenth of the dimensions; in the paper's figure 1.68 or 1.76",
            [shared.filled(W, "digon") for W in models],
            source=OURS,
            measure=shared.first_place,
            expect=near(1.75, 0.15),
            against={"pentagons": [shared.filled(W, "pentagon") for W in models]},
            note="Digons at 1.68 would count as well, which is before a pair alone pays: triangles and digons mix there.",
        ),
    ]


def phase_claims(data: xr.Dataset, models: Models) -> list[Claim]:
    """The six feature graphs, and where features are sparse."""
    six, sparsest = [at_shown(W, data) for W in models], ", ".join(f"from {a:g} to {b:g}" for a, b in shared.SPARSE_DOTS)
    crowded = [over_inverse(W) for W in data["crowded_W"].rename(crowded_feature="feature")]
    return [
        claim(
            "phases",
            "Superposition is many phases: each of the six feature graphs looks different.",
            "shapes at 1/(1 − S) = 1.26, 1.68, 2.81, 4.29; learned features in an irregular core at 4.94, one component at 9.1",
            six,
            source=OURS,
            measure=shared.phases,
            expect=dict.fromkeys(shared.LOOKS, equal(True))
            | {"irregular core": above(0.5, "%"), "one component": at_least(0.9, "%")},
            against={
                "as many random directions": list(map(shared.random_like, six)),
                "models with two features per dimension": crowded,
            },
            not_run=shared.too_small(data),
        ),
        claim(
            "sparse-dots",
            "Where features are sparsest, the dots sink with the density, within the printed limits.",
            f"learned features (D > {shared.LEARNED:g}) within the printed limits or 0.01 of them, at 1/(1 − S) {sparsest}",
            [xr.concat([within(W, *window) for window in shared.SPARSE_DOTS], shared.INVERSE) for W in models],
            source=OURS,
            measure=shared.sparse_dots,
            expect=dict.fromkeys(shared.sparse_dots(models[0]), share_at_least(0.8)),
        ),
        in_window(
            models,
            "clusters",
            (3.9, 5.2),
            "Between digons and the tangle, dots gather where the paper's do, on values that sink with the density.",
            f"learned features (D > {shared.LEARNED:g}) within 0.015 of a value where the printed dots cluster at that density",
            source=OURS,
            measure=shared.in_clusters,
            expect=share_at_least(0.8),
        ),
        claim(
            "compressed-sensing",
            "Features per dimension grow with sparsity as the compressed-sensing bound does.",
            "1/D* over x / ln x with x = 1/(1 − S), from x = 4 on; the bound leaves the constant open, and 1 is ours",
            [within(line_of(W), 4) for W in models],
            source=OURS,
            measure=lambda line: 1 / line / tg.theory.features_per_dimension(line[shared.INVERSE].values),
            expect=near(1, 0.25),
            against={"linear models": [within(line, 4) for line in sizes_of(data, "linear_D_star")]},
            note="Where it rises, D* falls faster than the bound's form.",
        ),
    ]


def comparisons(data: xr.Dataset) -> list[Claim]:
    """How models of other sizes compare, and training with exact minimisation."""
    models, (n, m) = models_of(data, TRAINING), (data.sizes["feature"], data.sizes["hidden"])
    smaller, doubled = (f"({int(data[f'{name}_n'])}, {int(data[f'{name}_m'])})" for name in ("smaller", "doubled"))
    D_star = {name: sizes_of(data, f"{name}_D_star") for name in ("smaller", "doubled", "crowded")}
    few, many = (
        [at_shown(counts, data) for counts in sizes_of(data, f"{name}_represented")] for name in ("smaller", "doubled")
    )
    base = [at_shown(shared.along(W, shared.represented(W.values)), data) for W in models]
    lines, (exact_line,) = ([line_of(W) for W in models_of(data, way)] for way in (TRAINING, EXACT))
    trained, polished = ([over_inverse(loss) for loss in data["loss"].sel(way=way)] for way in (TRAINING, POLISHED))
    dropped = shared.along(lines[0], n * tg.theory.dropped_loss(data["density"].values))
    gaps = [shared.along(line, abs(line.values - exact_line.values)) for line in lines]
    compared = partial(Claim, evidence=Evidence(f"{OTHER_SEEDS} models of each size at each density", OTHER_SEEDS), needs=3)
    return [
        compared(
            "size",
            "Neither n (where n ≫ m) nor m changes the line.",
            source=paper(
                "Uniform Superposition", "it turns out the number of features and hidden dimensions doesn't matter very much"
            ),
            how=f"largest difference of D* between (n, m) = ({n}, {m}) and {smaller}, all densities; and {doubled}, at those "
            "of the graphs",
            **in_each_seed(lambda lines: [shared.largest_gap(lines[0], other) for other in lines[1:]], below(0.05)),
            of=list(zip(lines, D_star["smaller"], D_star["doubled"], strict=False)),
            against={f"n not much larger than m: ({2 * m}, {m})": list(zip(lines, D_star["crowded"], strict=False))},
        ),
        compared(
            "doubled",
            "Doubling m doubles the number of features represented.",
            source=paper(
                "Uniform Superposition",
                "Doubling the number of hidden dimensions just doubles the number of features the model learns",
            ),
            how=f"features with norm at least 1/2, {doubled} over {smaller}, at the densities of the graphs",
            **in_each_seed(lambda pair: pair[0] / pair[1].where(pair[1] > 0), near(2, 0.1, relative=True)),
            of=list(zip(many, few, strict=True)),
            against={f"({n}, {m}) over {smaller}": list(zip(base, few, strict=False))},
            note=f"Means of the seeds: {listed(sum(many) / sum(few), number)}.",
        ),
        claim(
            "converged",
            "Training has come to its end: minimising the expected loss further hardly lowers it.",
            "exact loss after training over that after exact minimisation from there, minus 1",
            [shared.along(lines[0], loss / least - 1) for loss, least in zip(trained, polished, strict=True)],
            source=OURS,
            expect=at_most(0.01, "%"),
            against={"W = 0, every output at its mean (closed form)": [dropped / least - 1 for least in polished]},
            note=shared.told_of_ends(data),
        ),
        claim(
            "both-ways",
            "Stochastic training and exact minimisation tell the same story.",
            "difference of D* between each trained model and the lowest minimum",
            gaps,
            source=OURS,
            expect=at_most(0.05),
            against={"models with two features per dimension": [abs(crowded - exact_line) for crowded in D_star["crowded"]]},
            note=f"The median is {np.median(gaps):.3f}. {shared.told_of_starts(data)}",
        ),
    ]


def shape_claims(data: xr.Dataset, models: Models) -> list[Claim]:
    """Which shapes models have, from where superposition begins to where features are sparse."""
    looked_at = partial(in_window, models)
    return [
        looked_at(
            "tetrahedra",
            (1.2, 1.5),
            "Where superposition begins, features form tetrahedra.",
            "the most features within 0.02 of D = 3/4 in one model, per dimension; in the paper 20 features in 30 dimensions",
            source=OURS,
            measure=lambda W: (abs(dimensionality(W.values) - 3 / 4) <= 0.02).sum(axis=1).max(initial=0) / W.sizes["hidden"],
            expect=at_least(20 / 30),
            not_run=shared.too_flat(models),
        ),
        looked_at(
            "triangles",
            (1.5, 1.7),
            "Then triangles and digons.",
            f"share of the learned features (D > {shared.LEARNED:g}) within 0.01 of 2/3 or 1/2",
            source=paper("Why These Geometric Structures?", "there are distinct lines corresponding to dimensionality of"),
            measure=shared.triangular,
            expect={"2/3 or 1/2": at_least(0.6)},
        ),
        looked_at(
            "digons",
            PLATEAU,
            "Dots cluster at 1/2 over a wide range of densities.",
            f"learned features (D > {shared.LEARNED:g}) within 0.01 of 1/2",
            source=paper(
                "Uniform Superposition", "the model preferentially uses them over a wide range of the sparsity regime"
            ),
            measure=lambda models: shared.learned_near(models, [1 / 2]),
            expect=share_at_least(0.95),
        ),
        looked_at(
            "packed",
            PLATEAU,
            "Features are packed efficiently: their D_i sum to the number of dimensions.",
            "sum of all D_i over m",
            source=paper(
                "Feature Dimensionality",
                "Empirically, it seems that the dimensionality of all features add up to the number of embedding dimensions",
            ),
            measure=lambda W: shared.along(W, dimensionality(W.values).sum(axis=1) / W.sizes["hidden"]),
            expect=between(0.95, 1 + 1e-9),
        ),
        looked_at(
            "pairs",
            (2.7, 2.9),
            "At 1/(1 − S) = 2.8 the feature graph consists of pairs.",
            "components of the graph with an edge where |W_i · W_j| > 0.1",
            source=paper("Uniform Superposition", 'a precise geometric arrangement where features come in "antipodal pairs"'),
            measure=shared.component_sizes,
            expect={"features in each": equal({2})},
        ),
        looked_at(
            "solids",
            (3.9, 5.0),
            "Where features are sparser, pentagons and square antiprisms appear.",
            f"shapes identified; the antiprisms' D within {shared.ANTIPRISM:g} of 3/8, as the optimum has 0.374",
            source=paper("Why These Geometric Structures?", "there are distinct lines corresponding to dimensionality of"),
            measure=shared.solids,
            expect={"pentagons": at_least(1), "their D near 3/8": share_at_least(0.75)},
        ),
    ]


def factor_claims(data: xr.Dataset, models: Models) -> list[Claim]:
    """That components of the feature graph are tegum factors."""
    looked_at, parts = partial(in_window, models), [shared.with_components(within(W, *FALLING_APART)) for W in models]
    return [
        looked_at(
            "factors",
            FALLING_APART,
            "What is disconnected in the graph is orthogonal: components are tegum factors.",
            "largest |W_i · W_j| between components of each model that falls into several, by definition 0.1 at most",
            source=paper(
                "Why These Geometric Structures?",
                "two subgraphs are disconnected if and only if they are in different tegum factors",
            ),
            measure=shared.across,
            expect=below(0.05),
            of=parts,
            against={},
            uncontrolled="components are made of whatever overlaps more than the definition allows",
        ),
        looked_at(
            "factor-sums",
            FALLING_APART,
            "The D_i of a component sum to the dimensions that it spans.",
            "for each component, the sum of D_i against the number of its singular values above a fifth of the largest",
            source=OURS,
            measure=shared.sum_gaps,
            expect={"within 0.05": share_at_least(1)},
        ),
    ]


figures = shared.pictures

experiment = Experiment(
    __name__,
    title="Equal features form tetrahedra, triangles, digons, pentagons and antiprisms as they get sparser",
    paper="Section 4, the geometry of superposition and tegum products (F15, F16, F17)",
    seconds={"quick": 113, "paper": 14_000},
    order=1,
)
