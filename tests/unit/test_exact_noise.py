"""Expected losses with Gaussian noise on the code: quadrature over both, samples, and differences."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm

import tegum as tg
from tegum.exact import loss, noisy

Array = NDArray[np.float64]
FEATURES = [
    tg.features.Independent(3, density=[0.1, 0.5, 0.9], importance=[1.0, 0.5, 2.0]),
    tg.features.CorrelatedSets(1, 3, density=0.4),
    tg.features.Independent(3, density=0.3, magnitude=tg.features.Exponential(0.5)),
    tg.features.Independent(3, density=0.5, signed=True),
]


def model(seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, 3)) * 0.8, rng.normal(size=3) * 0.2


@pytest.mark.parametrize("sigma", [0.05, 0.4])
def test_one_feature_by_quadrature(sigma: float) -> None:
    """Y = r(w^2 x + b + sigma w xi), x uniform where active."""
    w, b, density = 0.9, -0.1, 0.3

    def second(x: float) -> float:
        value, _ = quad(
            lambda xi: (x - max(w * w * x + b + sigma * w * xi, 0.0)) ** 2 * norm.pdf(xi), -9, 9, points=[0], limit=200
        )
        return float(value)

    active, _ = quad(second, 0, 1, epsabs=1e-10)
    found = noisy([[w]], [b], tg.features.Independent(1, density=density), sigma)
    assert float(found.loss) == pytest.approx((1 - density) * second(0.0) + density * active, rel=1e-7)


@pytest.mark.parametrize("features", FEATURES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("sigma", [0.05, 1.0])
def test_samples_with_noise(features: tg.features.Features, sigma: float) -> None:
    W, b = model()
    x = features.sample(400_000, seed=1).astype(np.float64)
    h = x @ W.T + sigma * np.random.default_rng(2).normal(size=(len(x), 2))
    each = (x - np.maximum(h @ W + b, 0)) ** 2
    found = noisy(W, b, features, sigma)
    spread = each.std(axis=0) / np.sqrt(len(x))
    assert (abs(found.squared_error.values - each.mean(axis=0)) < 4 * spread).all()
    assert float(found.loss) == pytest.approx(float(found.squared_error.values @ features.importance), rel=1e-12)


def differences(f: Any, at: Array, h: float = 1e-5) -> Array:
    steps = np.eye(at.size).reshape(-1, *at.shape) * h
    return np.array([(f(at + v) - f(at - v)) / (2 * h) for v in steps]).reshape(at.shape)


@pytest.mark.parametrize("features", FEATURES[:2], ids=lambda one: type(one).__name__)
def test_gradients_are_those_of_the_loss(features: tg.features.Features) -> None:
    W, b = model()
    found = noisy(W, b, features, 0.3, gradient=True)
    np.testing.assert_allclose(found.dW, differences(lambda at: float(noisy(at, b, features, 0.3).loss), W), atol=1e-7)
    np.testing.assert_allclose(found.db, differences(lambda at: float(noisy(W, at, features, 0.3).loss), b), atol=1e-7)


def test_untied_and_linear_nets() -> None:
    """Of an untied net the decoder alone carries the noise; a linear output has tau^2 more."""
    features, (W, b) = FEATURES[0], model()
    net = tg.nets.Untied(3, 2, hidden_bias=True)
    params = {"W1": W, "W2": 0.7 * W.T, "b": b, "b_hidden": np.array([0.1, -0.2])}
    found = noisy(params, None, features, 0.3, net=net, gradient=True)
    for name, array in params.items():

        def moved(at: Array, name: str = name) -> float:
            return float(noisy(params | {name: at}, None, features, 0.3, net=net).loss)

        np.testing.assert_allclose(found[f"d{name}"], differences(moved, array), atol=1e-7)
    linear = tg.nets.Linear(3, 2)
    more = 0.3**2 * (W**2).sum(axis=0) @ features.importance
    assert float(noisy(W, b, features, 0.3, net=linear).loss) == pytest.approx(float(loss(W, b, features, net=linear)) + more)


def test_little_noise_changes_little_and_dropped_features_have_none() -> None:
    features = tg.features.Independent(3, density=0.2)
    W, b = np.array([[1.0, -0.9, 0.0]]), np.array([0.01, 0.0, 0.1])
    exact = loss(W, b, features)
    small, smaller = (float(noisy(W, b, features, sigma).loss) - exact for sigma in (0.02, 0.01))
    assert 0 < smaller < small < 1e-3
    assert noisy(W, b, features, 0.02).squared_error.values[2] == pytest.approx(0.2 / 3 - 0.2 * 0.1 + 0.01)


def test_a_batch_is_its_models() -> None:
    features, models = FEATURES[0], [model(0), model(1)]
    together = noisy(np.array([W for W, _ in models]), np.array([b for _, b in models]), features, 0.2, gradient=True)
    for k, (W, b) in enumerate(models):
        one = noisy(W, b, features, 0.2, gradient=True)
        for name in one:
            np.testing.assert_array_equal(one[name], together[name][k])


@pytest.mark.parametrize("alone", [True, False])
def test_tables_of_states_have_no_noise_before_a_relu(alone: bool) -> None:
    """Also as a part of other distributions; before nothing every distribution has it."""
    table = tg.features.FiniteLaw(np.eye(2))
    features = table if alone else tg.features.Joined([table, tg.features.Independent(1, density=0.1)])
    W, b = np.ones((1, features.n_features)), np.zeros(features.n_features)
    with pytest.raises(
        tg.InvalidInputError, match=r"hold FiniteLaw, .* give distributions of magnitudes .* such as Uniform\(\)"
    ):
        noisy(W, b, features, 0.1)
    linear = tg.nets.Linear(features.n_features, 1)
    assert float(noisy(W, b, features, 0.1, net=linear).loss) > loss(W, b, features, net=linear)
