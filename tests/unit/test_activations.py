"""Output activations: values, slopes, gradients of training, and one's own functions."""

import math
import subprocess
import sys
from functools import partial
from typing import Any

import numba
import numpy as np
import pytest

import tegum as tg
from tegum.nets import ACTIVATIONS, Activation, ActivationOutput, ReluOutput
from tegum.runs.fingerprint import fingerprint
from tegum.training import loss_and_gradient
from tegum.training.activations import activate_row, activation_code
from tegum.training.blocks import PANEL_WIDTH
from tests.oracle import twin
from tests.oracle.families import LEAKY, random_parameters

GELU_BY_HAND = Activation(
    "gelu by hand",
    value=lambda y: 0.5 * y * (1 + math.erf(y / math.sqrt(2))),
    slope=lambda y: 0.5 * (1 + math.erf(y / math.sqrt(2))) + y * math.exp(-0.5 * y * y) / math.sqrt(2 * math.pi),
)
EVERY = [*ACTIVATIONS.values(), LEAKY, GELU_BY_HAND]
FORMULAS = {
    "relu": lambda y: max(y, 0.0),
    "gelu": lambda y: 0.5 * y * math.erfc(-y / math.sqrt(2)),
    "softplus": lambda y: math.log1p(math.exp(-abs(y))) + max(y, 0.0),
    "square": lambda y: y * y,
    "abs": abs,
    "tanh": math.tanh,
    "identity": lambda y: y,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_named_activations_are_their_formulas(name: str) -> None:
    y = np.linspace(-20, 20, 1001)
    np.testing.assert_allclose(ACTIVATIONS[name](y), [FORMULAS[name](v) for v in y], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", [a for a in EVERY if a.name not in ("relu", "identity")], ids=repr)
def test_engine_values_and_slopes(activation: Activation) -> None:
    y = np.linspace(-20, 20, 40 * PANEL_WIDTH).astype(np.float32).reshape(40, PANEL_WIDTH)
    rows, slopes = y.copy(), np.zeros((40, PANEL_WIDTH), dtype=np.float32)
    for i in range(40):
        activate_row(*activation_code(activation), rows[i], slopes[i])
    exact = y.astype(np.float64)
    size = 1 + abs(exact)
    np.testing.assert_allclose(rows / size, activation(exact) / size, atol=1e-6 if activation.name != "square" else 2e-6)
    np.testing.assert_allclose(slopes / size, np.vectorize(activation.slope)(exact) / size, atol=1e-6)


@pytest.mark.parametrize("activation", EVERY, ids=repr)
def test_twin_equals_central_differences(activation: Activation) -> None:
    net = ActivationOutput(4, 2, activation=activation)
    params, importance = random_parameters(net, 1), np.array([1.0, 0.5, 2.0, 1.0])
    x = np.random.default_rng(2).random((50, 4))
    _, gradient = twin.loss_and_gradient(net, params, x, importance, l1=0.0)
    numeric = twin.central_differences(lambda p: twin.penalised_loss(net, p, x, importance, 0.0), params)
    for name, expected in numeric.items():
        np.testing.assert_allclose(gradient[name], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("activation", EVERY, ids=repr)
@pytest.mark.parametrize("count", [1, 64, 300])
def test_engine_gradient_equals_twin(activation: Activation, count: int) -> None:
    net = ActivationOutput(7, 3, activation=activation)
    params = {name: v.astype(np.float32).astype(np.float64) for name, v in random_parameters(net, count).items()}
    x = np.random.default_rng(3).random((count, 7)).astype(np.float32).astype(np.float64)
    loss, gradient = loss_and_gradient(net, params, x)
    expected_loss, expected = twin.loss_and_gradient(net, params, x, np.ones(7), l1=0.0)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for name, value in expected.items():
        scale = np.abs(value).max() + 1e-6
        np.testing.assert_allclose(gradient[name] / scale, value / scale, atol=5e-6)


def test_relu_by_name_computes_what_the_relu_model_computes() -> None:
    x = np.random.default_rng(0).random((200, 5))
    params = random_parameters(ReluOutput(5, 2), 0)
    loss, gradient = loss_and_gradient(ReluOutput(5, 2), params, x)
    named_loss, named = loss_and_gradient(ActivationOutput(5, 2), params, x)
    assert named_loss == loss
    assert named["W"].tobytes() == gradient["W"].tobytes()


@numba.njit
def helper(y: float) -> float:
    return math.tanh(y)


def cosh_squared(y: float) -> float:
    return math.cosh(y) ** -2


class Called:
    def __call__(self, y: float) -> float:
        return math.tanh(y)


@pytest.mark.parametrize(
    ("value", "slope"),
    [
        (np.tanh, cosh_squared),
        (math.tanh, lambda y: 1 - np.tanh(y) ** 2),
        (lambda y: 1 * helper(y), lambda y: 1 - helper(y) ** 2),
    ],
)
def test_what_is_not_written_in_python_is_an_activation_too(value: Any, slope: Any) -> None:
    outputs, slopes = np.full(PANEL_WIDTH, 0.5, np.float32), np.zeros(PANEL_WIDTH, np.float32)
    activate_row(*activation_code(Activation("by library", value=value, slope=slope)), outputs, slopes)
    np.testing.assert_allclose(outputs, math.tanh(0.5), rtol=1e-6)
    np.testing.assert_allclose(slopes, math.cosh(0.5) ** -2, rtol=1e-6)


@pytest.mark.parametrize(
    ("value", "slope"),
    [
        (partial(pow, exp=2), lambda y: 2 * y),
        (Called(), cosh_squared),
        (math.tanh, lambda y: 1 * cosh_squared(y)),
        (lambda y: np.where(y > 0, y, 0), lambda y: float(y > 0)),
    ],
)
def test_what_cannot_be_compiled_is_told_what_can(value: Any, slope: Any) -> None:
    with pytest.raises(tg.InvalidInputError, match=r"'whatever' cannot be compiled .* under @numba.njit"):
        activation_code(Activation("whatever", value=value, slope=slope))


def test_two_functions_of_one_name_do_not_share_code() -> None:
    losses, names = [], []
    for factor in (1.0, 2.0):
        own = Activation("own", value=lambda y, a=factor: a * y, slope=lambda y, a=factor: a)
        net = ActivationOutput(3, 2, activation=own)
        params, x = random_parameters(net, 0), np.random.default_rng(0).random((100, 3)).astype(np.float32)
        losses.append(loss_and_gradient(net, params, x)[0])
        names.append(fingerprint(net))
        assert losses[-1] == pytest.approx(twin.loss_and_gradient(net, params, x, np.ones(3), 0.0)[0], rel=1e-5)
    assert losses[0] != losses[1]
    assert names[0] != names[1]


def scaled(factor: float) -> Activation:
    return Activation("scaled", value=lambda y: factor * y, slope=lambda y: factor)


factor_now = 1.0
AS_NOW = Activation("scaled", value=lambda y: factor_now * y, slope=lambda y: factor_now)


def test_an_activation_has_the_values_that_it_refers_to_have_now(monkeypatch: pytest.MonkeyPatch) -> None:
    features, recipe = tg.features.Independent(3, 0.3), tg.Recipe(steps=20, batch_size=64, evaluation_samples=640)
    W, b = np.random.default_rng(0).normal(size=(2, 3)) / 2, np.full(3, 0.1)
    for factor in (1.0, 3.0):
        monkeypatch.setitem(globals(), "factor_now", factor)
        nets = [ActivationOutput(3, 2, activation=one) for one in (AS_NOW, scaled(factor))]
        now, plain = (tg.train(net, features, recipe, progress=False) for net in nets)
        np.testing.assert_array_equal(now.W, plain.W)
        now, plain = (tg.exact.loss(W, b, features, net=net) for net in nets)
        assert now == plain


def test_the_code_of_an_activation_says_what_it_does() -> None:
    assert scaled(2.0).code == scaled(2.0).code
    assert scaled(2.0).code != scaled(3.0).code
    assert fingerprint(ActivationOutput(2, 1, activation=LEAKY)) == fingerprint(ActivationOutput(2, 1, activation=LEAKY))


PROGRAM = """
import tegum as tg
own = tg.nets.Activation("own", value=lambda y: {value}, slope=lambda y: {slope})
data = tg.train(tg.nets.ActivationOutput(2, 1, activation=own), tg.features.Independent(2), tg.Recipe(steps=5), progress=False)
print(repr(float(data.loss[0])), data.attrs["net"])
"""


def test_other_processes_use_their_own_function() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM.format(value=value, slope=slope)], capture_output=True, text=True, check=True
        ).stdout
        for value, slope in (("y", "1.0"), ("3 * y + 1", "3.0"))
    ]
    assert said[0] != said[1]
    assert all("activation=Activation('own')" in line for line in said)


def test_an_activation_has_the_same_code_in_every_process() -> None:
    program = "from tegum.nets import ACTIVATIONS; print(*(each.code for each in ACTIVATIONS.values()))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.split() == [each.code for each in ACTIVATIONS.values()]


def test_a_value_that_is_no_number_ends_the_model_not_the_batch() -> None:
    own = Activation(
        "broken far out", value=lambda y: math.log(y) if y > 5 else (y if y > -3 else math.nan), slope=lambda y: 1.0
    )
    net = ActivationOutput(2, 1, activation=own)
    start = np.array([[[1.0, 1.0]], [[1.0, 1.0]]])
    recipe = tg.Recipe(steps=50, seeds=2, batch_size=64)
    data = tg.train(net, tg.features.Independent(2), recipe, initial={"W": start, "b": [[0.0, 0.0], [-9.0, 0.0]]})
    assert data.status.values.tolist() == ["finished", "diverged"]
