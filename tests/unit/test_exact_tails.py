"""How often outputs are far off, and what couplings are worth, against samples, closed forms and losses of changed maps."""

from typing import Any

import numpy as np
import pytest
import scipy
from numpy.typing import NDArray

import tegum as tg
from tegum.exact.laws import states

Array = NDArray[np.float64]
FEATURES = tg.features.Independent(5, density=[0.1, 0.3, 0.5, 0.9, 0.2])


def a_model(case: int) -> tuple[Array, Array]:
    if case == 0:  # own couplings of 1, no others, biases on both sides of 0 and a threshold that is one of them
        return np.array([[1, 0, 0, -1, 0], [0, 1, -0.9, 0, 0.1]]), np.array([0, -0.05, 0.02, 0, 0.1])
    generator = np.random.default_rng(case)
    return generator.normal(size=(2, 5)) / 1.5, generator.normal(size=5) / 10


@pytest.mark.parametrize("case", range(5))
def test_tails_are_how_often_samples_are_off(case: int) -> None:
    W, b = a_model(case)
    t = np.array([0.01, 0.1, 0.4, 0.8])
    found = tg.exact.tails(W, b, FEATURES, t)
    x = FEATURES.sample(200_000, 100 + case)
    error = (x - np.maximum(x @ (W.T @ W) + b, 0))[..., None]
    for name, off in (("below", error > t), ("above", -error > t + 1e-12)):
        share = off.mean(axis=0)
        spread = np.sqrt(np.maximum(found[name] * (1 - found[name]), 1e-6) / len(x)).values
        assert (np.abs(found[name].values - share) < 4 * spread).all(), name
    assert (found.error < 1e-5).all()


def test_tails_of_a_pair_are_the_closed_form() -> None:
    """With W = (1, -1) and b = 0 an output is wrong only where both are active, by the smaller of the two."""
    t = np.linspace(0.05, 0.95, 7)
    found = tg.exact.tails([[1.0, -1.0]], [0.0, 0.0], tg.features.Independent(2, density=0.3), t)
    np.testing.assert_allclose(found.below, np.tile(0.09 * (1 - t) ** 2, (2, 1)), atol=1e-9)
    np.testing.assert_allclose(found.above, 0, atol=1e-9)


def test_the_mean_square_of_the_tails_is_the_loss() -> None:
    """E e^2 = 2 int t P(|e| > t) dt: all thresholds together against the expected squared error, to the error of the rule."""
    W, b = a_model(2)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    t = (nodes + 1) / 2
    found = tg.exact.tails(W / 1.5, b, FEATURES, t)
    squares = ((found.below + found.above).values * t) @ weights
    np.testing.assert_allclose(squares, tg.exact.squared_errors(W / 1.5, b, FEATURES), rtol=5e-4)


@pytest.mark.parametrize(
    "features",
    [FEATURES, tg.features.AnticorrelatedSets(1, 5, density=0.1, importance=[1, 2, 3, 4, 5])],
    ids=["independent", "anticorrelated"],
)
def test_an_ablation_is_the_loss_without_an_entry(features: tg.features.Features) -> None:
    W, b = a_model(1)
    G = W.T @ W
    found = tg.exact.ablations(W, b, features)
    whole = tg.exact.loss(G, b, features, tied=False)
    for j, i in np.ndindex(5, 5):
        without = G.copy()
        without[j, i] = 0
        assert found[j, i] == pytest.approx(tg.exact.loss(without, b, features, tied=False) - whole, abs=1e-10)
    np.testing.assert_allclose(tg.exact.ablations(G, b, features, tied=False), found, atol=1e-12)
    assert tg.exact.ablations(np.stack([W, W, W]), b, features).shape == (3, 5, 5)


def test_mistakes_are_said() -> None:
    wrong: list[tuple[Any, str]] = [
        (lambda: tg.exact.tails(np.eye(2), [0, 0], tg.features.Independent(2), [0.0]), "thresholds is"),
        (lambda: tg.exact.tails(np.eye(3), [0, 0], tg.features.Independent(2), [0.5]), "W has shape"),
        (lambda: tg.exact.ablations(np.eye(3), [0, 0, 0], tg.features.Independent(2)), "W has shape"),
    ]
    for call, said in wrong:
        with pytest.raises(tg.InvalidInputError, match=said):
            call()


def test_sparse_states_are_walked_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tails, moments and activities of a table, of which a million states of ten thousand features would fill any memory."""
    generator = np.random.default_rng(0)
    x = generator.random((40, 5)) * (generator.random((40, 5)) < 0.3)
    p = generator.dirichlet(np.ones(40))
    W, b = a_model(1)
    off = x - np.maximum(x @ (W.T @ W) + b, 0)
    t, h = np.array([0.1, 0.3]), x @ W.T
    monkeypatch.setattr(states, "_CHUNK_NUMBERS", 50)
    for features in (tg.features.FiniteLaw(x, p), tg.features.FiniteLaw(scipy.sparse.csr_array(x), p)):
        tails = tg.exact.tails(W, b, features, t)
        np.testing.assert_allclose(tails.below, np.tensordot(p, off[..., None] > t, 1), atol=1e-14)
        np.testing.assert_allclose(tails.above, np.tensordot(p, -off[..., None] > t, 1), atol=1e-14)
        moments = tg.exact.moments(W, b, features, [1, 4])
        np.testing.assert_allclose(moments.moment, np.stack([p @ off, p @ off**4], axis=1), atol=1e-14)
        activity, slope = tg.exact.hidden_activity(W, features)
        np.testing.assert_allclose(activity, p @ np.abs(h), atol=1e-14)
        np.testing.assert_allclose(slope, (p[:, None] * np.sign(h)).T @ x, atol=1e-14)


@pytest.mark.parametrize("beside", [0.0, 2e-7, -9e-7, 1.1e-6])
def test_tails_of_couplings_next_to_1_say_how_far_they_are(beside: float) -> None:
    """y_0 > x_0 + t where the other feature is above t / 0.4, less what ``beside`` adds: at a density of 1 / 0.4."""
    features = tg.features.Independent(2, [0.07, 0.45])
    found = tg.exact.tails([[1 + beside, 0.4], [0, 0]], [0, 0], features, [0.1], tied=False)
    exact = 0.45 * 0.75 + 0.07 * 0.45 * beside / 2 / 0.4
    assert abs(float(found.above[0, 0]) - exact) <= float(found.error[0, 0]) <= 1e-7


@pytest.mark.parametrize("mean", [0.01, 40.0, 1e4])
def test_exponential_magnitudes_may_have_any_mean(mean: float) -> None:
    features = tg.features.Independent(1, 0.5, magnitude=tg.features.Exponential(mean))
    moments = tg.exact.moments([[0.5]], [0.0], features, [1, 2], tied=False).moment.values[0]
    np.testing.assert_allclose(moments, [mean / 4, mean**2 / 4], rtol=1e-8)
    tails = tg.exact.tails([[0.5]], [0.0], features, [mean / 40], tied=False)
    assert float(tails.below[0, 0]) == pytest.approx(0.5 * np.exp(-1 / 20), abs=1e-8)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e15])
def test_the_slope_of_activity_does_not_grow_with_the_weights(size: float) -> None:
    mean, slope = tg.exact.hidden_activity(np.array([[size, -size]]), tg.features.Independent(2, 0.5))
    np.testing.assert_allclose(slope, [[1 / 6, -1 / 6]], atol=1e-10)
    assert mean[0] == pytest.approx(size / 3, rel=1e-9)
