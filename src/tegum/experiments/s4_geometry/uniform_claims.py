"""The statements about equal features, each as a test that a list of models passes or not.

A test looks at all models in a window of 1 / (1 - S).  Its control is the same test on as many random directions, or, where
those are all joined and leave nothing to test, on the same models with their components mixed up.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.claims.old import Claim, Control
from tegum.experiments.s4_geometry.uniform_study import LEARNED, as_many_random, inverse, model, within
from tegum.geometry import dimensionality, factor_dimensions, feature_graph, identify, largest_across

Models = Sequence[NDArray[np.float64]]
Answer = tuple[str, bool]
MOST, LEAST = 3.6, 1.75
"""The digon plateau, as 1 / (1 - S)."""


@final
@dataclass(frozen=True)
class Statement:
    """One statement about the models in a window."""

    name: str
    statement: str
    how: str
    expected: str
    tolerance: str
    window: tuple[float, float]
    ask: Callable[[Models], Answer]
    against: Callable[[Models], Answer] | None = None


def near(models: Models, fractions: Sequence[float], within_: float) -> tuple[float, int]:
    """The share of learned features whose D_i is that near to one of the fractions, and the most of them in one model."""
    D = [dimensionality(W) for W in models]
    close = [np.abs(d[d > LEARNED][:, None] - np.array(fractions)).min(axis=1, initial=np.inf) <= within_ for d in D]
    everything = np.concatenate(close)
    return float(everything.mean()) if everything.size else 0.0, max(int(one.sum()) for one in close)


def _digons(models: Models) -> Answer:
    share, _ = near(models, [1 / 2], 0.01)
    return f"{share:.1%}", share >= 0.95


def _triangles(models: Models) -> Answer:
    share, _ = near(models, [2 / 3, 1 / 2], 0.01)
    return f"{share:.0%}, with {near(models, [2 / 3], 0.01)[0]:.0%} of all at 2/3", share >= 0.6


def _tetrahedra(models: Models) -> Answer:
    most = near(models, [3 / 4], 0.02)[1] / len(models[0])
    return f"{most:.2f} features per dimension", most >= 20 / 30


def _packed(models: Models) -> Answer:
    sums = [dimensionality(W).sum() / len(W) for W in models]
    return f"from {min(sums):.3f} to {max(sums):.3f}", min(sums) >= 0.95 and max(sums) <= 1 + 1e-9


def _pairs(models: Models) -> Answer:
    sizes = Counter(len(component) for W in models for component in feature_graph(W).components)
    return ", ".join(f"{count} of size {size}" for size, count in sorted(sizes.items())), set(sizes) == {2}


def _solids(models: Models) -> Answer:
    found = [(W, component) for W in models for component in identify(W).components]
    D = [dimensionality(W)[one.features] for W, one in found if one.name == "square antiprism"]
    pentagons = sum(one.name == "pentagon" for _, one in found)
    share = float((np.abs(np.concatenate(D) - 3 / 8) <= 0.012).mean()) if D else 0.0
    text = f" with {share:.0%} of their D within 0.012 of 3/8" if D else ""
    return f"{pentagons} pentagons, {len(D)} square antiprisms{text}", pentagons > 0 and share >= 0.75


def _across(models: Models, shift: int = 0) -> Answer:
    across = []
    for W in models:
        graph = feature_graph(W)
        component, nodes = graph.component.copy(), graph.component >= 0
        component[nodes] = np.roll(component[nodes], shift)
        if len(graph.components) > 1:
            across.append(largest_across(W, component))
    good = sum(one < 0.05 for one in across)
    largest = f"largest {max(across):.3f}; " if across else ""
    return f"{largest}below 0.05 in {good} of {len(across)} models that fall apart", 0 < len(across) == good


def _sums(models: Models) -> Answer:
    gaps = [
        abs(dimensionality(W)[members].sum() - factor_dimensions(W[:, members]))
        for W in models
        for members in feature_graph(W).components
    ]
    good = sum(gap <= 0.05 for gap in gaps)
    return f"largest difference {max(gaps):.3f}; within 0.05 in {good} of {len(gaps)} components", good == len(gaps)


STATEMENTS = (
    Statement(
        "tetrahedra",
        "Where superposition begins, features form tetrahedra.",
        "the most features within 0.02 of D = 3/4 in one model, per dimension",
        "20 features in 30 dimensions, 0.67 for each",
        "as stated",
        (1.2, 1.5),
        _tetrahedra,
    ),
    Statement(
        "triangles",
        "Then triangles and digons.",
        f"share of the learned features (D above {LEARNED:g}) within 0.01 of 2/3 or 1/2",
        "at least 60 %",
        "as stated",
        (1.5, 1.7),
        _triangles,
    ),
    Statement(
        "digons",
        "Dots cluster at 1/2 over a wide range of densities.",
        f"share of the learned features (D above {LEARNED:g}) within 0.01 of 1/2",
        "at least 95 %",
        "as stated",
        (LEAST, MOST),
        _digons,
    ),
    Statement(
        "packed",
        "Features are packed efficiently: their D_i sum to the number of dimensions.",
        "sum of all D_i over m",
        "0.95 to 1",
        "as stated",
        (LEAST, MOST),
        _packed,
    ),
    Statement(
        "pairs",
        "At 1/(1 − S) = 2.8 the feature graph consists of pairs.",
        "components of the graph with an edge where |W_i · W_j| > 0.1",
        "pairs only",
        "none",
        (2.7, 2.9),
        _pairs,
    ),
    Statement(
        "solids",
        "In sparser worlds pentagons and square antiprisms appear.",
        "shapes identified, and the D_i of square antiprisms",
        "some of both; three quarters of the antiprisms' D within 0.012 of 3/8",
        "as stated: the optimum of a single antiprism has 0.374",
        (3.9, 5.0),
        _solids,
    ),
    Statement(
        "factors",
        "What is disconnected in the graph is orthogonal: components are tegum factors.",
        "largest |W_i · W_j| between different components of a model, which by definition is 0.1 at most",
        "below 0.05 in every model that falls into several components",
        "as stated",
        (LEAST, 5.0),
        _across,
        partial(_across, shift=1),
    ),
    Statement(
        "factor-sums",
        "The D_i of a component sum to the dimensions that it spans.",
        "for each component, the sum of D_i against the number of its singular values above a fifth of the largest",
        "equal for every component",
        "0.05",
        (LEAST, 5.0),
        _sums,
    ),
)


def window_claims(data: xr.Dataset, way: str) -> list[Claim]:
    """Every statement, judged on the models of one way."""
    claims = []
    for one in STATEMENTS:
        places = within(data, *one.window)
        models = [model(data, way, k) for k in places]
        measured, holds = one.ask(models)
        if one.against is None:
            what, (other, passes) = "as many random directions", one.ask([as_many_random(data, W) for W in models])
        else:
            what, (other, passes) = "the same components, every feature in its neighbour's", one.against(models)
        claims.append(
            Claim(
                name=f"{one.name}-{way}",
                statement=f"{one.statement} ({way})",
                how=f"{one.how}, for 1/(1 − S) from {one.window[0]:g} to {one.window[1]:g}",
                expected=one.expected,
                tolerance=one.tolerance,
                measured=measured,
                holds=holds,
                evidence="1 model" if len(models) == 1 else f"{len(models)} densities, 1 model each",
                control=Control(what, other, passes),
            )
        )
    return claims


def first_place_with(data: xr.Dataset, way: str, name: str, share: float) -> float:
    """The smallest 1 / (1 - S) at which a shape fills that share of the dimensions; NaN where none does."""
    for k, x in enumerate(inverse(data)):
        W = model(data, way, k)
        if sum(one.dimensions for one in identify(W).components if one.name == name) >= share * len(W):
            return float(x)
    return float("nan")
