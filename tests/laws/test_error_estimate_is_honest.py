"""Numerics rule 2: the error that the exact engine admits is at least the error it makes, in 99 of 100 cases.

Half of the models are random, half are orthogonal sums of polytopes with noise of 1e-8 to 1e-1 and biases at the kink: what
training finds, and the hardest case.  The truth is the engine itself with 32768 terms, held to the 150-digit oracle here.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from tegum.exact import evaluate
from tegum.features import AnticorrelatedSets, CorrelatedSets, Exponential, Features, Independent, Uniform
from tegum.features.magnitudes import Magnitude
from tests.oracle.expected_loss import Oracle
from tests.oracle.families import label
from tests.oracle.polytopes import orthogonal_sum

UNIFORM, EXPONENTIAL = Uniform(), Exponential(1.0)
MOST_TERMS = 32768
ROUNDING = 1e-15
EFFORTS: list[dict[str, Any]] = [
    *({"tol": tol} for tol in (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)),
    *({"terms": terms} for terms in (8, 16, 32, 64, 256, 2048)),
]


class Model(NamedTuple):
    """One model, its features and what kind it is."""

    W: NDArray[np.float64]
    b: NDArray[np.float64]
    features: Features
    is_sum: bool


def models(seed: int, count: int, kind: str = "Independent", law: Magnitude = UNIFORM, most: int = 12) -> Iterator[Model]:
    """Random models and orthogonal sums in turn, 2 to ``most`` features, densities from 0.01 to 1."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        if k % 2:
            W, b = orthogonal_sum(rng, 10 ** rng.uniform(-8, -1), most)
        else:
            n = int(rng.integers(2, most + 1))
            m = int(rng.integers(1, n + 1))
            W, b = rng.normal(size=(m, n)) * rng.uniform(0.3, 1.2) / np.sqrt(m), rng.normal(size=n) * 0.1
        n, density = W.shape[1], 10 ** rng.uniform(-2, 0)
        size = int(rng.choice([size for size in range(min(2, n), n + 1) if n % size == 0]))
        if kind == "Independent":
            yield Model(W, b, Independent(n, density, magnitude=law), bool(k % 2))
        elif kind == "CorrelatedSets":
            yield Model(W, b, CorrelatedSets(n // size, size, density, magnitude=law), bool(k % 2))
        else:
            yield Model(W, b, AnticorrelatedSets(n // size, size, density / size, magnitude=law), bool(k % 2))


def scale_of(features: Features) -> float:
    """sum_i I_i E x_i^2: the loss of a model that says 0."""
    return float(features.importance @ np.diagonal(features.second_moment()))


def truth(model: Model, gradient: bool = False) -> xr.Dataset:
    """The best the engine can do."""
    return evaluate(model.W, model.b, model.features, terms=MOST_TERMS, gradient=gradient, threads=1)


def too_good(model: Model, exact: xr.Dataset, options: dict[str, Any]) -> bool:
    """Whether the true error exceeds the admitted one; the reference's own error and rounding aside."""
    found = evaluate(model.W, model.b, model.features, threads=1, **options)
    return bool(
        abs(found.loss - exact.loss) > found.loss_error + exact.loss_error + ROUNDING * (exact.loss + scale_of(model.features))
    )


def dishonest(cases: Iterator[Model], efforts: list[dict[str, Any]]) -> NDArray[np.float64]:
    """The share of models whose admitted error is too good, for each effort."""
    wrong = []
    for model in cases:
        exact = truth(model)
        wrong.append([too_good(model, exact, options) for options in efforts])
    return np.mean(wrong, axis=0)


def test_the_admitted_error_is_the_true_one_in_a_thousand_cases() -> None:
    shares = dishonest(models(0, 1000), EFFORTS)
    assert shares.mean() < 0.01, shares
    assert shares.max() < 0.02, shares


@pytest.mark.parametrize("law", [UNIFORM, EXPONENTIAL], ids=label)
@pytest.mark.parametrize("kind", ["Independent", "CorrelatedSets", "AnticorrelatedSets"])
def test_every_distribution_is_honest(kind: str, law: Magnitude) -> None:
    shares = dishonest(models(1, 200, kind, law), EFFORTS)
    assert shares.mean() < 0.01, shares
    assert shares.max() < 0.03, shares


@pytest.mark.parametrize("kind", ["Independent", "CorrelatedSets", "AnticorrelatedSets"])
def test_geometric_convergence_is_not_taken_for_granted(kind: str) -> None:
    """Halving the step squares the error of exponential magnitudes, unless one of the two errors is small by chance."""
    shares = dishonest(models(5, 400, kind, EXPONENTIAL), [{"tol": tol} for tol in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10)])
    assert shares.max() < 0.01, shares


@pytest.mark.parametrize("law", [UNIFORM, EXPONENTIAL], ids=label)
@pytest.mark.parametrize("kind", ["Independent", "CorrelatedSets", "AnticorrelatedSets"])
def test_the_tolerance_is_met(kind: str, law: Magnitude) -> None:
    """A true error above tol comes in fewer than 1 in 100 cases, and never without being admitted to within a factor of 100."""
    missed, count = 0, 0
    for model in models(2, 100, kind, law):
        exact = truth(model)
        for tol in (1e-4, 1e-6, 1e-8):
            found = evaluate(model.W, model.b, model.features, tol=tol, threads=1)
            error = abs(found.loss - exact.loss) - exact.loss_error - ROUNDING * (exact.loss + scale_of(model.features))
            count += 1
            missed += bool(error > tol * exact.loss and found.terms < MOST_TERMS / 2)
            assert error <= 100 * max(found.loss_error, tol * exact.loss)
    assert missed < count / 100


@pytest.mark.parametrize("law", [UNIFORM, EXPONENTIAL], ids=label)
@pytest.mark.parametrize("kind", ["Independent", "CorrelatedSets", "AnticorrelatedSets"])
def test_the_truth_is_the_oracles(kind: str, law: Magnitude) -> None:
    for model in models(3, 16, kind, law, most=5):
        exact = truth(model)
        expected = Oracle(model.features).squared_errors(model.W.T @ model.W, model.b).sum()
        assert abs(exact.loss - expected) <= exact.loss_error + 10 * ROUNDING * (expected + scale_of(model.features))
        assert exact.loss_error <= 1e-8 * expected + 10 * ROUNDING * scale_of(model.features)


def test_few_terms_are_enough_for_orthogonal_sums() -> None:
    """64 terms give the loss to 1e-7, 128 the gradient to 1e-6 of sum_i I_i E x_i^2."""
    losses, gradients = [], []
    for model in models(4, 1200):
        if not model.is_sum:
            continue
        exact = truth(model, gradient=True)
        coarse = evaluate(model.W, model.b, model.features, terms=64, threads=1)
        losses.append(abs(coarse.loss - exact.loss) / exact.loss)
        fine = evaluate(model.W, model.b, model.features, terms=128, gradient=True, threads=1)
        worst = max(np.abs(fine.dW - exact.dW).max(), np.abs(fine.db - exact.db).max())
        gradients.append(worst / scale_of(model.features))
    assert max(losses) < 1e-7
    assert max(gradients) < 1e-6
