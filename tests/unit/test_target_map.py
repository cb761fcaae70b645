"""Nets that compute r(A x + v): targets in the trainer, in NumPy, and in what is recorded."""

import numpy as np
import pytest
from numpy.typing import NDArray

import tegum as tg
from tegum.cli.problem import parsed, training_of
from tegum.nets import Net, TargetMap, Untied, UntiedNeurons
from tegum.recorded import written_net
from tegum.training.probe import loss_and_gradient
from tests.oracle.families import random_parameters

A = np.array([[0.5, 0.5, 0, 0], [0, 1, -1, 0], [0, 0, 0, 0], [2.0, 0, 0, 1]])
V = [0.0, 0.1, 0.2, -0.3]
NETS = [
    Untied(4, 3, activation="gelu", target_map=TargetMap(A, V, relu=False)),
    UntiedNeurons(4, 6, hidden_bias=True, target_map=TargetMap(A, V)),
    UntiedNeurons(4, 6),
]
ALL = tg.features.Independent(4, 0.4, importance=[1, 2, 0.5, 1])


def test_values_are_those_of_the_matrix() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 4))
    np.testing.assert_allclose(TargetMap(A, V, relu=False)(x), x @ A.T + V)
    np.testing.assert_allclose(TargetMap(A, V)(x), np.maximum(x @ A.T + V, 0))
    rows = [{int(i): float(row[i]) for i in np.flatnonzero(row)} for row in A]
    assert TargetMap(rows, V) == TargetMap(A, V)
    assert hash(TargetMap(rows, V)) == hash(TargetMap(A, V))
    np.testing.assert_array_equal(TargetMap(A).matrix(), A)


@pytest.mark.parametrize("net", NETS)
def test_nets_are_read_back_from_what_is_recorded(net: Net) -> None:
    assert written_net(repr(net)) == net


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("samples", [64, 100])
def test_the_engine_compares_with_the_target(net: Net, samples: int) -> None:
    params, x = random_parameters(net, 1), ALL.sample(samples, seed=2).astype(np.float32).astype(np.float64)
    single = {name: value.astype(np.float32).astype(np.float64) for name, value in params.items()}
    loss, gradient = loss_and_gradient(net, params, x, ALL.importance)
    expected = ((net.target(x) - net.forward(single, x)) ** 2 @ ALL.importance).mean()
    assert loss == pytest.approx(expected, rel=1e-5)
    moved = {name: value.copy() for name, value in single.items()}
    step = 1e-5
    for name in net.parameter_shapes():
        where = np.unravel_index(1, single[name].shape)
        sides = []
        for sign in (1, -1):
            moved[name][where] = single[name][where] + sign * step
            sides.append(((net.target(x) - net.forward(moved, x)) ** 2 @ ALL.importance).mean())
        moved[name][where] = single[name][where]
        assert gradient[name][where] == pytest.approx((sides[0] - sides[1]) / (2 * step), abs=2e-4 * (1 + abs(loss)))


def test_training_and_its_measured_loss_know_the_target() -> None:
    net = NETS[1]
    recipe = tg.Recipe(steps=400, batch_size=100, seeds=2, learning_rate=3e-3, evaluation_samples=64_000)
    data = tg.train(net, ALL, recipe, progress=False)
    params = {name: data[name].values for name in net.parameter_shapes()}
    found = tg.expected_loss(net, params, ALL)
    assert found.method != "exact"
    assert (np.abs(found.value - data.loss) < 5 * np.hypot(data.loss_standard_error, found.standard_error)).all()
    nothing = (net.target(ALL.sample(10_000, seed=0)) ** 2 @ ALL.importance).mean()
    assert (data.loss < 0.3 * nothing).all()


def test_a_loss_of_your_own_is_given_the_target() -> None:
    net = NETS[1]
    squared = tg.training.OwnLoss("squared", value=lambda y, x: ((y - x) ** 2).sum(axis=1), slope=lambda y, x: 2 * (y - x))
    recipe = tg.Recipe(steps=20, batch_size=100, seeds=2, evaluation_samples=6400)
    features = tg.features.Mixture([tg.features.Independent(4, 0.3)])
    one, other = (tg.train(net, features, recipe, loss=loss, progress=False) for loss in (squared, None))
    for name in net.parameter_shapes():
        np.testing.assert_allclose(one[name], other[name], atol=2e-6)
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-5)


def test_targets_on_a_fixed_set_and_of_active_features_alone() -> None:
    """``training_loss`` and ``active_loss`` compare with the targets, too."""
    net = Untied(4, 3, target_map=TargetMap(A, V))
    features = tg.features.Independent(4, density=0.4)
    recipe = tg.Recipe(
        steps=200, batch_size=64, seeds=1, data_set_size=100, loss_on="active", evaluation_samples=2**16, learning_rate=1e-2
    )
    data = tg.train(net, features, recipe, progress=False).isel(seed=0)
    params = {name: data[name].values for name in net.parameter_shapes()}

    def errors(x: NDArray[np.floating]) -> NDArray[np.floating]:
        return (net.target(x) - net.forward(params, x)) ** 2

    assert float(data.training_loss) == pytest.approx(float(errors(data.data_set.values).sum(axis=-1).mean()), rel=1e-5)
    x = features.sample(2**17, seed=5)
    counted = (errors(x) * (x != 0)).sum(axis=-1)
    spread = float(counted.std()) * (2**-17 + 2**-16) ** 0.5
    assert float(data.active_loss) == pytest.approx(float(counted.mean()), abs=5 * spread)


def test_a_target_map_is_written_in_a_file_or_in_an_option() -> None:
    rows = [{1: 0.5}, {}, {0: 1.0, 2: -2.0}]
    text = 'family = "UntiedNeurons"\nn_features = 3\nn_hidden = 2\n'
    for map_of_text, wanted in (
        ("{ A = [{ 1 = 0.5 }, {}, { 0 = 1.0, 2 = -2.0 }], v = [0.0, 1.0, 0.0] }", tg.nets.TargetMap(rows, [0.0, 1.0, 0.0])),
        ("{ A = [[0, 0.5, 0], [0, 0, 0], [1, 0, -2]], relu = false }", tg.nets.TargetMap(rows, relu=False)),
    ):
        found = training_of({"net": parsed(f"{text}target_map = {map_of_text}")}).net
        assert found == tg.nets.UntiedNeurons(3, 2, target_map=wanted)
