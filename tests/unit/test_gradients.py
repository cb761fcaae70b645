"""The compiled gradient of every family equals the plain NumPy one, which equals central differences."""

import numpy as np
import pytest

from tegum.nets import Net
from tegum.training import loss_and_gradient
from tests.oracle import twin
from tests.oracle.families import SIZES, families, label, random_parameters

ALL = [net for n, m in SIZES for net in families(n, m)]


def samples(net: Net, count: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    on = generator.random((count, net.n_features)) < 0.6
    return np.where(on, generator.uniform(-1 if net.absolute_target else 0, 1, on.shape), 0.0)


@pytest.mark.parametrize("net", families(3, 2), ids=label)
def test_twin_equals_central_differences(net: Net) -> None:
    params = random_parameters(net, 1)
    x, importance = samples(net, 50, 2), np.array([1.0, 0.5, 2.0])
    _, gradient = twin.loss_and_gradient(net, params, x, importance, l1=0.03)
    numeric = twin.central_differences(lambda p: twin.penalised_loss(net, p, x, importance, 0.03), params)
    for name, expected in numeric.items():
        np.testing.assert_allclose(gradient[name], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("net", ALL, ids=label)
@pytest.mark.parametrize("count", [1, 64, 200, 1100])
def test_engine_equals_twin(net: Net, count: int) -> None:
    params = random_parameters(net, count)
    params = {name: value.astype(np.float32).astype(np.float64) for name, value in params.items()}
    x = samples(net, count, 3).astype(np.float32).astype(np.float64)
    importance = np.random.default_rng(4).uniform(0.1, 1, net.n_features)
    loss, gradient = loss_and_gradient(net, params, x, importance, l1=0.05)
    expected_loss, expected = twin.loss_and_gradient(net, params, x, importance, l1=0.05)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert gradient.keys() == expected.keys()
    for name, value in expected.items():
        scale = np.abs(value).max() + 1e-6
        np.testing.assert_allclose(gradient[name] / scale, value / scale, atol=3e-6)


@pytest.mark.parametrize("net", families(40, 20), ids=label)
def test_skipping_inactive_features_changes_nothing(net: Net) -> None:
    params = random_parameters(net, 8)
    generator = np.random.default_rng(9)
    x = np.where(generator.random((700, 40)) < 0.003, generator.random((700, 40)), 0.0).astype(np.float32)
    _, gradient = loss_and_gradient(net, params, x)
    _, expected = twin.loss_and_gradient(net, params, x.astype(np.float64), np.ones(40), l1=0.0)
    for name, value in expected.items():
        scale = np.abs(value).max() + 1e-6
        np.testing.assert_allclose(gradient[name] / scale, value / scale, atol=3e-6)


def test_gradient_sees_the_penalty_but_the_loss_does_not() -> None:
    net = families(5, 2)[2]
    params, x = random_parameters(net, 5), samples(net, 100, 6)
    plain, without = loss_and_gradient(net, params, x)
    penalised, with_l1 = loss_and_gradient(net, params, x, l1=1.0)
    assert plain == penalised
    assert not np.allclose(without["W"], with_l1["W"])
