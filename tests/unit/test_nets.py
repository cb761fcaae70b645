"""Each family computes its equation."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

import tegum as tg
from tegum.errors import InvalidInputError
from tegum.nets import (
    ACTIVATIONS,
    RELU,
    AbsoluteValue,
    ActivationOutput,
    Linear,
    Net,
    ReluHidden,
    ReluOutput,
    Untied,
    active_parameters,
    initial_parameters,
)
from tests.oracle.families import families, label, random_parameters

X = np.array([[0.5, 0.0, 0.25], [0.0, 1.0, 0.0]])


def relu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0)


def test_equations() -> None:
    for net, equation in [
        (Linear(3, 2), lambda p, x: p["W"].T @ p["W"] @ x + p["b"]),
        (ReluOutput(3, 2), lambda p, x: relu(p["W"].T @ p["W"] @ x + p["b"])),
        (ReluHidden(3, 2), lambda p, x: relu(p["W"].T @ relu(p["W"] @ x) + p["b"])),
        (ReluHidden(3, 2, hidden_bias=True), lambda p, x: relu(p["W"].T @ relu(p["W"] @ x + p["b_hidden"]) + p["b"])),
        (Untied(3, 2), lambda p, x: relu(p["W2"] @ p["W1"] @ x + p["b"])),
        (
            Untied(3, 2, activation="tanh", hidden_bias=True),
            lambda p, x: np.tanh(p["W2"] @ (p["W1"] @ x + p["b_hidden"]) + p["b"]),
        ),
        (AbsoluteValue(3, 2), lambda p, x: relu(p["W2"] @ relu(p["W1"] @ x) + p["b"])),
    ]:
        params = random_parameters(net, 0)
        expected = np.stack([equation(params, x) for x in X])
        np.testing.assert_allclose(net.forward(params, X), expected)


@pytest.mark.parametrize("net", families(3, 2), ids=label)
def test_leading_axes_are_instances(net: Net) -> None:
    several = [random_parameters(net, seed) for seed in range(3)]
    stacked = {name: np.stack([params[name] for params in several]) for name in several[0]}
    together = net.forward(stacked, np.broadcast_to(X, (3, *X.shape)))
    for instance, params in enumerate(several):
        np.testing.assert_allclose(together[instance], net.forward(params, X))


@pytest.mark.parametrize("net", families(3, 2), ids=label)
def test_a_copy_trains_as_its_original(net: Net) -> None:
    recipe = tg.Recipe(steps=20, batch_size=64, evaluation_samples=640)
    one, other = (tg.train(own, tg.features.Independent(3, 0.3), recipe, progress=False) for own in (net, copy.deepcopy(net)))
    for name in (*net.parameter_shapes(), "loss"):
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_named_activation_stays_the_same_one(name: str) -> None:
    named = ACTIVATIONS[name]
    assert copy.deepcopy(named) is pickle.loads(pickle.dumps(named)) is named
    assert ActivationOutput(3, 2, activation=replace(named)).output_activation is named


def test_a_pickled_net_is_the_same_net() -> None:
    assert pickle.loads(pickle.dumps(Untied(3, 2))).output_activation is RELU


def test_targets() -> None:
    x = np.array([[-0.5, 0.25]])
    assert AbsoluteValue(2, 2).target(x).tolist() == [[0.5, 0.25]]
    assert ReluOutput(2, 2).target(x).tolist() == [[-0.5, 0.25]]


def test_initial_parameters_do_not_depend_on_how_many_are_made() -> None:
    twice = [initial_parameters(ReluOutput(4, 2), np.random.default_rng(3)) for _ in range(2)]
    np.testing.assert_array_equal(twice[0]["W"], twice[1]["W"])
    assert (twice[0]["b"] == 0).all()


def test_wrong_sizes_and_parameters_are_named() -> None:
    with pytest.raises(InvalidInputError, match="n_hidden is 0"):
        ReluOutput(4, 0)
    with pytest.raises(InvalidInputError, match="parameter 'W' has shape"):
        ReluOutput(4, 2).check_parameters({"W": np.zeros((4, 2)), "b": np.zeros(4)})
    with pytest.raises(InvalidInputError, match="has no parameter 'V'"):
        ReluOutput(4, 2).check_parameters({"W": np.zeros((2, 4)), "b": np.zeros(4), "V": np.zeros(1)})
    with pytest.raises(InvalidInputError, match="'b' is missing"):
        ReluOutput(4, 2).check_parameters({"W": np.zeros((2, 4))})


def test_active_parameters_let_every_feature_excite_its_own_output_at_either_sign() -> None:
    net = AbsoluteValue(30, 20)
    params = active_parameters(net, 3, seed=0, scale=0.5)
    assert {name: value.shape for name, value in params.items()} == {"W1": (3, 20, 30), "W2": (3, 30, 20), "b": (3, 30)}
    usual = [initial_parameters(net, np.random.default_rng(seed)) for seed in range(3)]
    xavier = {name: np.stack([each[name] for each in usual]) for name in ("W1", "W2")}
    for sign in (1, -1):
        alive, half = (
            float((np.einsum("sik,ski->si", each["W2"], np.maximum(sign * each["W1"], 0)) > 0).mean())
            for each in (params, xavier)
        )
        assert alive > 0.9
        assert half < 0.7
    np.testing.assert_array_equal(params["W1"], active_parameters(net, 3, seed=0, scale=0.5)["W1"])
    with pytest.raises(InvalidInputError):
        active_parameters(ReluHidden(3, 2), 1, seed=0)
