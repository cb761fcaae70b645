"""Whole trainings, every optimizer, schedule and option, follow the NumPy twin step by step."""

from itertools import product

import numpy as np
import pytest

import tegum as tg
from tegum.nets import Net
from tegum.training.arrays import scratch_for
from tegum.training.instances import grid_of, instances_of
from tegum.training.kernel import draw_samples
from tests.oracle import twin
from tests.oracle.families import families, label, random_parameters

OPTIONS = [
    {"optimizer": optimizer, "schedule": schedule, "warmup_steps": warmup}
    for optimizer, (schedule, warmup) in product(["adamw", "adam", "sgd"], [("constant", 0), ("linear", 5), ("cosine", 10)])
]


def fixed_samples(net: Net, recipe: tg.Recipe) -> np.ndarray:
    """The data set that the engine trains on, learnt from a linear probe: it is the batch of a full-batch training."""
    features = tg.features.Independent(net.n_features, density=0.5, signed=net.absolute_target)
    (one,) = instances_of(net, *grid_of(features, recipe, {}))
    samples = one.state.data_set
    draw_samples(scratch_for(net), one.features, one.data_set_stream, samples)
    return samples.transpose(0, 2, 1).reshape(-1, net.n_features)[: recipe.data_set_size].astype(np.float64)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: f"{o['optimizer']}-{o['schedule']}")
@pytest.mark.parametrize("net", [net for net in families(5, 3) if net.bias], ids=label)
def test_training_equals_twin(net: Net, options: dict[str, object]) -> None:
    groups = {name: (0.05 if len(shape) == 2 else -0.02) for name, shape in net.parameter_shapes().items()}
    recipe = tg.Recipe(
        steps=40,
        batch_size=150,
        data_set_size=150,
        learning_rate=0.01,
        l1=0.02,
        final_fraction=0.1,
        weight_decay=groups,
        evaluation_samples=64,
        beta1=0.8,
        beta2=0.99,
        momentum=0.7,
        **options,
    )
    initial = random_parameters(net, 7)
    features = tg.features.Independent(net.n_features, density=0.5, signed=net.absolute_target)
    data = tg.train(net, features, recipe, initial=initial)
    expected = twin.train(net, initial, fixed_samples(net, recipe), np.ones(net.n_features), recipe)
    for name, value in expected.items():
        np.testing.assert_allclose(data[name].values[0], value, atol=2e-4)


def test_negative_decay_grows_what_positive_decay_shrinks() -> None:
    def norm(decay: float) -> float:
        recipe = tg.Recipe(steps=200, batch_size=64, weight_decay=decay, learning_rate=1e-2, evaluation_samples=64)
        return float((tg.train(tg.nets.ReluOutput(4, 2), tg.features.Independent(4, density=0.01), recipe).W ** 2).sum())

    assert norm(-0.5) > norm(0.0) > norm(0.5)


def test_minibatches_of_a_fixed_set_come_from_the_set() -> None:
    recipe = tg.Recipe(steps=3000, batch_size=8, data_set_size=9, learning_rate=3e-3, evaluation_samples=64, seeds=4)
    features = tg.features.Independent(20, density=1.0)
    fixed = tg.train(tg.nets.Linear(20, 8), features, recipe)
    fresh = tg.train(tg.nets.Linear(20, 8), features, recipe.replaced(data_set_size=None))
    rank = np.linalg.matrix_rank(fixed.W.values.astype(np.float64), tol=0.05)
    assert (rank <= 9).all()
    assert fixed.loss.mean() > fresh.loss.mean()


def test_l1_on_the_hidden_layer_silences_it() -> None:
    features = tg.features.Independent(6, density=0.3)
    data = tg.train(tg.nets.ReluOutput(6, 3), features, tg.Recipe(steps=3000, seeds=2), sweep={"l1": [0.0, 5.0]})
    size = (data.W**2).sum(("hidden", "feature")).mean("seed")
    assert size[1] < 1e-3 < size[0]
