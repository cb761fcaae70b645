"""Exact losses of nets that are compared with a linear map of the features: against samples, differences, and nets without."""

import numpy as np
import pytest
from numpy.typing import NDArray

import tegum as tg

Array = NDArray[np.float64]

A = [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.7, -0.2, 0.4]]
V = [0.1, 0.0, -0.2]
MAP = tg.nets.TargetMap(A, V, relu=False)
LAWS = {
    "independent": tg.features.Independent(3, density=[0.3, 0.6, 1.0], importance=[1, 2, 0.5]),
    "signed": tg.features.Independent(3, density=0.4, signed=True),
    "exponential": tg.features.Independent(3, density=0.4, magnitude=tg.features.Exponential(0.5)),
    "sets": tg.features.AnticorrelatedSets(1, 3, density=0.2),
    "k of n": tg.features.KSparse(3, 2),
    "states": tg.features.FiniteLaw([[0, 0, 0], [1, 0, 0.5], [0, 1, 1]], [0.5, 0.2, 0.3]),
}


def a_net(activation: str = "relu", target: tg.nets.TargetMap = MAP) -> tuple[tg.nets.Untied, dict[str, Array]]:
    generator = np.random.default_rng(4)
    net = tg.nets.Untied(3, 2, activation=activation, hidden_bias=True, target_map=target)
    return net, {name: generator.normal(size=own) * 0.7 for name, own in net.parameter_shapes().items()}


@pytest.mark.parametrize("activation", ["relu", "identity", "abs"])
@pytest.mark.parametrize("name", LAWS)
def test_the_loss_is_that_of_samples_and_the_gradient_its_slope(name: str, activation: str) -> None:
    features = LAWS[name]
    net, params = a_net(activation)
    loss, by = tg.exact.loss_and_gradient(params, features=features, net=net)
    x = features.sample(40_000, seed=3)
    losses = (features.importance * (net.target(x) - net.forward(params, x)) ** 2).sum(axis=-1)
    assert abs(losses.mean() - loss) < 4.5 * losses.std() / np.sqrt(len(x))
    generator, h = np.random.default_rng(0), 1e-5
    v = {key: generator.normal(size=one.shape) for key, one in params.items()}
    sides = [
        tg.exact.loss({key: params[key] + sign * h * v[key] for key in v}, features=features, net=net, tol=1e-12)
        for sign in (1, -1)
    ]
    slope = sum(float((by[key] * v[key]).sum()) for key in v)
    assert slope == pytest.approx((sides[0] - sides[1]) / (2 * h), abs=2e-6)


def test_compared_with_x_it_is_the_loss_without_a_target() -> None:
    net, params = a_net(target=tg.nets.TargetMap(np.eye(3)))
    plain = tg.nets.Untied(3, 2, hidden_bias=True)
    for features in (LAWS["independent"], LAWS["sets"]):
        wanted, slopes = tg.exact.loss_and_gradient(params, features=features, net=plain, tol=1e-11)
        found, by = tg.exact.loss_and_gradient(params, features=features, net=net, tol=1e-11)
        assert found == pytest.approx(wanted, rel=1e-10)
        for key, slope in slopes.items():
            np.testing.assert_allclose(by[key], slope, atol=1e-8)


def test_an_exchange_that_is_computed_costs_nothing() -> None:
    net = tg.nets.Untied(2, 2, target_map=tg.nets.TargetMap([[0, 1], [1, 0]]))
    params = {"W1": np.eye(2), "W2": np.eye(2)[::-1], "b": np.zeros(2)}
    found = tg.exact.evaluate(params, features=tg.features.Independent(2, density=0.3), net=net)
    assert abs(float(found.loss)) <= float(found.loss_error) < 1e-12


def test_it_is_minimised_followed_and_flows() -> None:
    features = tg.features.Independent(2, density=0.2)
    net = tg.nets.Untied(2, 1, target_map=tg.nets.TargetMap([[0.7, 0.3], [0, 1]]))
    found = tg.exact.minimise(net, features, seeds=1, progress=False)
    best = tg.best(found)
    assert float(best.gradient_norm) <= 1e-8
    params = {name: best[name].values for name in net.parameter_shapes()}
    assert tg.expected_loss(net, params, features).method == "exact"
    branch = tg.exact.follow(net, features, params, None, [0.2, 0.21])
    assert float(branch.at(0.21).loss) > float(branch.at(0.2).loss)
    start = {name: one + 0.01 for name, one in params.items()}
    flow = tg.exact.gradient_flow(net, features, start, None, duration=20.0, times=[0, 20])
    assert float(flow.loss[-1]) < float(flow.loss[0])


@pytest.mark.parametrize(
    ("net", "features", "said"),
    [
        (tg.nets.Untied(3, 2, target_map=tg.nets.TargetMap(A)), LAWS["independent"], "negative entries"),
        (tg.nets.Untied(3, 2, target_map=tg.nets.TargetMap(np.eye(3))), LAWS["signed"], "features may be negative"),
        (tg.nets.Untied(3, 2, activation="gelu", target_map=MAP), LAWS["independent"], "relu and identity and abs"),
        (tg.nets.UntiedNeurons(3, 1, target_map=MAP), LAWS["independent"], "relu and identity and abs"),
    ],
)
def test_what_is_not_known_is_sampled(net: tg.nets.Net, features: tg.features.Features, said: str) -> None:
    generator = np.random.default_rng(0)
    params = {name: generator.normal(size=own) for name, own in net.parameter_shapes().items()}
    with pytest.raises(tg.InvalidInputError, match=said) as refused:
        tg.exact.loss(params, features=features, net=net)
    assert "tegum.expected_loss" in str(refused.value)
    assert tg.expected_loss(net, params, features, samples=1024).method.startswith("sampled")


def test_what_knows_x_alone_refuses_other_targets() -> None:
    net, params = a_net()
    with pytest.raises(tg.InvalidInputError, match="compared with A x"):
        tg.exact.noisy(params, None, LAWS["independent"], 0.1, net=net)
