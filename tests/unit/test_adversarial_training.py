"""Training under attack: where the engine pushes its inputs, what it learns from them, and that no other model is touched."""

import numpy as np
import pytest

import tegum as tg
from tegum.errors import InvalidInputError
from tegum.nets import AbsoluteValue, ActivationOutput, Linear, Net, ReluHidden, ReluOutput
from tegum.training import attacked_samples, loss_and_gradient
from tests.oracle import twin
from tests.oracle.families import label, random_parameters

SIZES = ((3, 2, True), (3, 2, False), (7, 3, True), (7, 3, False), (33, 12, True))
NETS = [kind(n, m, bias=bias) for kind in (Linear, ReluOutput) for n, m, bias in SIZES]


def samples(net: Net, count: int, density: float = 0.5) -> np.ndarray:
    generator = np.random.default_rng(count)
    x = np.where(generator.random((count, net.n_features)) < density, generator.random((count, net.n_features)), 0.0)
    return x.astype(np.float32).astype(np.float64)


def chosen_rows(net: Net, params: dict[str, np.ndarray], x: np.ndarray, moved: np.ndarray, size: float) -> np.ndarray:
    """Which row of W^T W each sample was pushed along: the one whose push, by the twin, ends nearest."""
    ends = [twin.pushed(net, params, x, size, np.full(len(x), i)) for i in range(net.n_features)]
    distance = np.array([np.linalg.norm(end - moved, axis=1) for end in ends])
    assert distance.min(axis=0).max() < 1e-4
    return distance.argmin(axis=0)


@pytest.mark.parametrize("draw", ["example", "batch"])
@pytest.mark.parametrize("count", [1, 64, 150])
@pytest.mark.parametrize("net", NETS, ids=label)
def test_engine_pushes_and_learns_as_the_twin_says(net: Net, count: int, draw: str) -> None:
    params = {name: value.astype(np.float32).astype(np.float64) for name, value in random_parameters(net, 3).items()}
    x, importance = samples(net, count), np.random.default_rng(1).uniform(0.2, 1, net.n_features)
    moved = attacked_samples(net, params, x, importance, 0.3, draw).astype(np.float64)
    chosen = chosen_rows(net, params, x, moved, 0.3)
    assert (len(set(chosen)) == 1) == (draw == "batch" or count == 1)
    loss, gradient = loss_and_gradient(net, params, x, importance, 0.02, attack_size=0.3, attack_draw=draw)
    expected_loss, expected = twin.loss_and_gradient(net, params, moved, importance, 0.02, truth=x)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for name, value in expected.items():
        scale = np.abs(value).max() + 1e-6
        np.testing.assert_allclose(gradient[name] / scale, value / scale, atol=5e-6)


def test_every_push_has_the_length_asked_for_and_every_feature_is_drawn() -> None:
    net = ReluOutput(6, 3)
    params = random_parameters(net, 5)
    x = samples(net, 512)
    moved = attacked_samples(net, params, x, 1.0, 0.25)
    np.testing.assert_allclose(np.linalg.norm(moved - x, axis=1), 0.25, rtol=1e-5)
    count = np.bincount(chosen_rows(net, params, x, moved.astype(np.float64), 0.25), minlength=6)
    assert abs(count - 512 / 6).max() < 4 * np.sqrt(512 / 6)


def test_models_without_weights_are_left_alone() -> None:
    x = samples(ReluOutput(3, 2), 10)
    params = {"W": np.zeros((2, 3)), "b": np.zeros(3)}
    np.testing.assert_array_equal(attacked_samples(ReluOutput(3, 2), params, x, 1.0, 0.5), x.astype(np.float32))


def test_size_zero_is_training_without_attack() -> None:
    recipe = tg.Recipe(steps=30, batch_size=100, evaluation_samples=64, seeds=2)
    features = tg.features.Independent(5, density=0.2)
    plain = tg.train(ReluOutput(5, 2), features, recipe)
    swept = tg.train(ReluOutput(5, 2), features, recipe, sweep={"attack_size": [0.0, 0.5]})
    assert plain.W.values.tobytes() == swept.W.sel(attack_size=0.0).values.tobytes()
    assert not np.allclose(swept.W[0], swept.W[1])


def test_attacks_need_outputs_that_see_the_gram_matrix() -> None:
    recipe = tg.Recipe(steps=2, attack_size=0.1)
    for net in (ReluHidden(3, 2), AbsoluteValue(3, 4), ActivationOutput(3, 2, activation="gelu")):
        with pytest.raises(InvalidInputError, match=f"attack_size is 0.1 and the net is {type(net).__name__}"):
            tg.train(net, tg.features.Independent(3), recipe)


def test_more_samples_than_fit_cannot_be_shown() -> None:
    net = ReluOutput(33, 12)
    with pytest.raises(InvalidInputError, match="give at most 256"):
        attacked_samples(net, random_parameters(net, 1), samples(net, 600), 1.0, 0.1)
