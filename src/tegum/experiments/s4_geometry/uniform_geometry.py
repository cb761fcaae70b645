"""Four hundred equal features in thirty dimensions: which shapes they form, from dense features to sparse ones.

Paper: section 4, the geometry of superposition (F15, F16), tegum products (F17), and the relation to compressed sensing.
ReLU-output models, n = 400, m = 30, equal importances, 50 densities 10^(-k/49), one model each.  Three ways from the same
initial weights, Xavier normal times 0.2 (about the scale of the authors' notebook for 50 models side by side; at full scale
some outputs are inactive at first where features are dense, and stay so): *training* as in the paper, which gives no recipe
(AdamW at 0.003, cosine schedule, no decay, 16,000 batches of 1024); *exact*, the expected loss minimised by quasi-Newton steps
until the root mean square of the gradient is below 1e-5, or 1,500 steps; *exact from trained*, the same from the trained
weights, which measures how far training was from an end.  Claims are judged on the first two.  The quick profile has n = 120,
m = 12, 19 of the densities, 6,000 batches of 512 at 0.01.

Besides: smaller models, n = 200 and m = 20 (quick: 80 and 8), with m doubled (and n larger by a half), and with n = 2m.  A
feature is learned where D_i > 0.2, represented where its norm is at least 1/2; edges of the graph need |W_i . W_j| > 0.1.
Shapes are named by `tegum.geometry.identify`.  Random directions in controls are the initial weights of training, cut to as
many as there are learned features.
"""

from functools import partial

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, at_least, at_most, below, between, equal, near, paper, share_at_least
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s4_geometry import shared
from tegum.experiments.s4_geometry.shared import (
    EXACT,
    TRAINING,
    WAYS,
    at_shown,
    claim,
    in_both_ways,
    in_window,
    line_of,
    models_of,
    over_inverse,
    within,
)
from tegum.geometry import dimensionality

SIZE: dict[Profile, tuple[int, int]] = {"quick": (120, 12), "paper": (400, 30)}
SMALLER: dict[Profile, tuple[int, int]] = {"quick": (80, 8), "paper": (200, 20)}
GRID: dict[Profile, list[int]] = {
    "quick": [0, 2, 5, 8, 9, 11, 13, 15, 17, 19, 22, 26, 28, 30, 31, 34, 38, 42, 47],
    "paper": list(range(50)),
}
SHOWN = [5, 11, 22, 31, 34, 47]
"""The six densities of the paper's feature graphs: 1/(1 - S) = 1.26, 1.68, 2.81, 4.29, 4.94, 9.1."""
QUICK = tg.Recipe(steps=6000, batch_size=512, learning_rate=0.01, schedule="cosine", weight_decay=0, initialisation_scale=0.2)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=16_000, batch_size=1024, learning_rate=3e-3)}
X_TITLE = "1 / (1 − S), inverse density"
PLATEAU, FALLING_APART = (1.75, 3.6), (1.75, 5.0)
"""Where models form digons, and where they form several shapes, as 1 / (1 - S)."""


def study(profile: Profile) -> xr.Dataset:
    """Models in three ways, and the sizes of others to compare with."""
    n, m = SIZE[profile]
    every, shown = ([10 ** (-k / 49) for k in grid] for grid in (GRID[profile], SHOWN))
    recipe = RECIPE[profile]

    def trained(n: int, m: int, densities: list[float]) -> xr.Dataset:
        return tg.train(tg.nets.ReluOutput(n, m), tg.features.Independent(n), recipe, sweep={"density": densities})

    linear = (tg.nets.Linear(n, m), tg.features.Independent(n))
    others = {
        "smaller": trained(*SMALLER[profile], every),
        "crowded": trained(2 * m, m, every),
        "doubled": trained(3 * n // 2, 2 * m, shown),
        "linear": tg.exact.minimise(*linear, seeds=1, sweep={"density": shown}, gradient_tolerance=1e-5, certify=False),
    }
    return shared.with_sizes(shared.three_ways(n, m, every, recipe), others)


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the section, for training and for exact minimisation."""
    by_shape = in_both_ways(data, shape_claims, factor_claims)
    return [*in_both_ways(data, line_claims, phase_claims), *comparisons(data), *by_shape]


def line_claims(data: xr.Dataset, W: xr.DataArray) -> list[Claim]:
    """Everything about D*, and the dense end."""
    n, m, linear = W.sizes["feature"], W.sizes["hidden"], {"linear models": over_inverse(data["linear_D_star"])}
    return [
        claim(
            "line",
            "Dimensions per feature fall from 1 to 0.22 along the paper's line.",
            f"|D* − paper| for 1/(1 − S) from 1.2 on, n = {n}, m = {m}; the paper's line, of n = 400, m = 30, is interpolated",
            line_of(W),
            source=OURS,
            measure=shared.off_the_paper,
            expect=below(0.04),
            against=linear,
        ),
        claim(
            "sticky",
            "The line is sticky at 1 and at 1/2.",
            "widest run of models with |D* − 1/2| < 0.025, in steps of the paper's fifty; D* for 1/(1 − S) up to 1.1",
            line_of(W),
            source=paper("Uniform Superposition", 'Surprisingly, we find that this graph is "sticky" at 1 and 1/2'),
            measure=shared.sticking,
            expect={"grid points at 1/2": at_least(10), "dense D*": above(0.97)},
            against=linear,
        ),
        claim(
            "dense",
            "Where features are dense, none has a direction of its own: one blob around m/n.",
            f"mean of D_i at density 1, m/n = {m / n:.4f}; share of features with D_i > {shared.LEARNED:g}; D*",
            W[:1],
            source=paper(
                "Why These Geometric Structures?",
                "basis features are indistinguishable from other directions in the dense regime",
            ),
            measure=shared.blob,
            expect={"mean D": near(m / n, 0.01), "learned": at_most(0.05, "%"), "D*": near(1, 0.03)},
            against={
                "the initial weights": W[:1].copy(data=W["initial"].values[None]),
                "as many random directions": shared.random_like(W[:1]),
                "where features are sparsest": W[-1:],
            },
            note="Any m orthonormal rows cost the same there, so no direction is special, and D* is 1 for all of them. Random "
            "weights make the same blob; what training adds is D* = 1.",
        ),
        claim(
            "first-digons",
            "Digons come where a pair costs less than dropping one of two features, at 1/(1 − S) = 7/4.",
            "the smallest 1/(1 − S) at which digons fill a tenth of the dimensions; in the paper's figure 1.68 or 1.76",
            shared.filled(W, "digon"),
            source=OURS,
            measure=shared.first_place,
            expect=near(1.75, 0.15),
            against={"pentagons": shared.filled(W, "pentagon")},
            note="Digons at 1.68 would count as well, which is before a pair alone pays: triangles and digons mix there.",
        ),
    ]


def phase_claims(data: xr.Dataset, W: xr.DataArray) -> list[Claim]:
    """The six feature graphs, and where features are sparse."""
    six, sparsest = at_shown(W, data), ", ".join(f"from {low:g} to {high:g}" for low, high in shared.SPARSE_DOTS)
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
                "as many random directions": shared.random_like(six),
                "the six in reverse order": six.copy(data=six.values[::-1]),
            },
        ),
        claim(
            "sparse-dots",
            "Where features are sparsest, the dots sink with the density, within the printed limits.",
            f"learned features (D > {shared.LEARNED:g}) within the printed limits or 0.01 of them, at 1/(1 − S) {sparsest}",
            xr.concat([within(W, *window) for window in shared.SPARSE_DOTS], shared.INVERSE),
            source=OURS,
            measure=shared.sparse_dots,
            expect=dict.fromkeys(shared.sparse_dots(W), share_at_least(0.8)),
        ),
        claim(
            "compressed-sensing",
            "Features per dimension grow with sparsity as the compressed-sensing bound does.",
            "1/D* over x / ln x with x = 1/(1 − S), from x = 4 on; the bound leaves the constant open, and 1 is ours",
            within(line_of(W), 4),
            source=OURS,
            measure=lambda line: 1 / line / shared.features_per_dimension(line[shared.INVERSE].values),
            expect=near(1, 0.25),
            against={"linear models": within(over_inverse(data["linear_D_star"]), 4)},
            note="Where it rises, D* falls faster than the bound's form.",
        ),
    ]


def comparisons(data: xr.Dataset) -> list[Claim]:
    """How models of other sizes compare, and training with exact minimisation."""
    W = models_of(data, TRAINING)
    n, m, smaller = W.sizes["feature"], W.sizes["hidden"], f"{int(data['smaller_n'])}, {int(data['smaller_m'])}"
    D_star = {name: over_inverse(data[f"{name}_D_star"]) for name in ("smaller", "doubled", "crowded")}
    fewer, doubled = (at_shown(over_inverse(data[f"{name}_represented"]), data) for name in ("smaller", "doubled"))
    base = at_shown(shared.along(W, shared.represented(W.values)), data)
    line, exact_line = line_of(W), line_of(models_of(data, EXACT))
    trained, exact, polished = (over_inverse(data["loss"].sel(way=way)) for way in WAYS)
    dropped = shared.along(line, n * tg.theory.dropped_loss(data["density"].values))
    excess, higher, gap = trained / polished - 1, exact / polished - 1, abs(line - exact_line)
    at_rest = (data["gradient"].sel(way=list(WAYS[1:])) <= shared.GRADIENT).mean()
    return [
        Claim(
            "size",
            "Neither n (where n ≫ m) nor m changes the line.",
            source=paper(
                "Uniform Superposition", "it turns out the number of features and hidden dimensions doesn't matter very much"
            ),
            how=f"largest difference of D* between (n, m) = ({n}, {m}) and ({smaller}), all densities; and "
            f"({3 * n // 2}, {2 * m}), with fewer features per dimension, at those of the graphs",
            measure=lambda others: [shared.largest_gap(line, other) for other in others],
            expect=below(0.05),
            of=[D_star["smaller"], D_star["doubled"]],
            against={f"n not much larger than m: ({2 * m}, {m})": [D_star["crowded"]]},
            evidence=Evidence(f"{data.sizes['density']} and {data.sizes['shown_density']} densities, 1 model of each size"),
        ),
        Claim(
            "doubled",
            "Doubling m doubles the number of features represented.",
            source=paper(
                "Uniform Superposition",
                "Doubling the number of hidden dimensions just doubles the number of features the model learns",
            ),
            how=f"features with norm at least 1/2, ({3 * n // 2}, {2 * m}) over ({n}, {m}), at the densities of the graphs",
            expect=near(2, 0.1, relative=True),
            of=doubled / base.where(base > 0),
            against={f"({n}, {m}) over ({smaller})": base / fewer.where(fewer > 0)},
            evidence=Evidence(f"{data.sizes['shown_density']} densities, 1 model of each size"),
        ),
        claim(
            "converged",
            "Training has come to its end: minimising the expected loss further hardly lowers it.",
            "exact loss after training over that after exact minimisation from there, minus 1",
            excess,
            source=OURS,
            expect=at_most(0.01, "%"),
            against={"W = 0, every output at its mean (closed form)": dropped / polished - 1},
            note=f"The median is {excess.median():.2%}; {at_rest:.0%} of the minimisations ended by gradient, the others after "
            f"{shared.STEPS} steps. At density 1 the loss is {trained[0]:.3f}, of principal components {(n - m) / 12:.3f}.",
        ),
        claim(
            "both-ways",
            "Stochastic training and exact minimisation tell the same story.",
            "difference of D* between the two, from the same initial weights",
            gap,
            source=OURS,
            expect=at_most(0.05),
            against={"models with two features per dimension": abs(over_inverse(data["crowded_D_star"]) - exact_line)},
            note=f"The median is {gap.median():.3f}. Minimised from the initial instead of from the trained weights, "
            f"{(higher < 0).sum():d} of {higher.size} models end lower, by {max(-float(higher.min()), 0):.2%} at most; the "
            f"others higher, by {max(float(higher.max()), 0):.2%} at most.",
        ),
    ]


def shape_claims(data: xr.Dataset, W: xr.DataArray) -> list[Claim]:
    """Which shapes models have, from where superposition begins to where features are sparse."""
    looked_at = partial(in_window, W)
    return [
        looked_at(
            "tetrahedra",
            (1.2, 1.5),
            "Where superposition begins, features form tetrahedra.",
            "the most features within 0.02 of D = 3/4 in one model, per dimension; in the paper 20 features in 30 dimensions",
            source=OURS,
            measure=lambda W: (abs(dimensionality(W.values) - 3 / 4) <= 0.02).sum(axis=1).max(initial=0) / W.sizes["hidden"],
            expect=at_least(20 / 30),
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


def factor_claims(data: xr.Dataset, W: xr.DataArray) -> list[Claim]:
    """That components of the feature graph are tegum factors."""
    looked_at, parts = partial(in_window, W), shared.with_components(within(W, *FALLING_APART))
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


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The line, the dots, the graphs, the shares."""
    models = {way: models_of(data, way) for way in (TRAINING, EXACT)}
    lines = {way: line_of(models_of(data, way)) for way in WAYS}
    x = lines[EXACT][shared.INVERSE].values
    names = {way: np.array([tg.geometry.identify(each).names for each in W.values]) for way, W in models.items()}
    features = {f"features per dimension, {way}": 1 / lines[way] for way in models}
    bound = lines[EXACT][x > 1.3].copy(data=shared.features_per_dimension(x[x > 1.3]))
    size = f"{data.sizes['feature']} features in {data.sizes['hidden']} dimensions"
    paper = {"paper": xr.DataArray(shared.PAPER, {shared.INVERSE: shared.PAPER_X}, [shared.INVERSE])}
    pictures = {
        "line": Figure(
            tg.figures.curve_panel(lines, X_TITLE, "D* = m / ‖W‖², dimensions per feature", log_x=True, points=paper),
            f"Dimensions per feature, {size}. Where features are dense, on the left, W has the squared norm of one feature for "
            "each dimension, though no feature has a direction of its own; then D* falls to 1/2 and stays there while features "
            "sit in pairs. Circles are read off the paper's figure.",
        ),
        "sensing": Figure(
            tg.figures.curve_panel(features | {"x / ln x": bound}, X_TITLE, "features per dimension", log_x=True),
            "How many features each dimension holds, beside the form of the compressed-sensing bound with constant 1. The "
            "bound is on exact recovery; these models only pay for what they get wrong.",
        ),
        "factors": Figure(
            tg.figures.polytope_table(shared.clearest_factors(models[EXACT]), {}),
            "Tegum factors cut out of the models: for each shape the component that fits best at any density, turned into the "
            "dimensions that it spans, its features numbered anew. Where the graph of a model falls apart, the model is nearly "
            "an orthogonal sum of such parts.",
        ),
        "shares": Figure(
            tg.figures.shape_shares(list(x), names, X_TITLE),
            "Which share of the features forms which shape. The paper sees, from left to right: nothing with a direction of "
            "its own, tetrahedra, triangles, digons, pentagons and antiprisms, and one tangle.",
        ),
    }
    for way, W in models.items():
        six = at_shown(W, data)
        marks = {f"{place:.2f}": float(place) for place in six[shared.INVERSE].values}
        D, line = list(dimensionality(W.values)), list(lines[way].values)
        pictures[f"dots-{way}"] = Figure(
            tg.figures.fraction_scatter(list(x), D, X_TITLE, line=line, line_name="D*", log=True, marks=marks, height=520),
            f"The dimensionality of every feature ({way}); {size}. Dots gather on the fractions of regular shapes. "
            "Dotted lines: the densities of the six feature graphs.",
        )
        pictures[f"graphs-{way}"] = Figure(
            tg.figures.network_panels({f"1/(1−S) = {place}": each for place, each in zip(marks, six.values, strict=True)}),
            f"Feature graphs at six densities ({way}): learned features are joined where |W_i · W_j| > 0.1, by thicker lines "
            "where they overlap more, and coloured by the shape that their directions were identified as.",
        )
    return pictures


experiment = Experiment(
    __name__,
    title="Equal features form tetrahedra, triangles, digons, pentagons and antiprisms as they get sparser",
    paper="Section 4, the geometry of superposition and tegum products (F15, F16, F17)",
    seconds={"quick": 30, "paper": 2000},
    order=1,
)
