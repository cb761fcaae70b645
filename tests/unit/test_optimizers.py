"""Whole trainings, every optimizer, schedule and option, follow the NumPy twin step by step."""

from itertools import product

import numpy as np
import pytest

import tegum as tg
from tegum.nets import Net
from tegum.training.arrays import parameter_slices, scratch_for, shape_of
from tegum.training.instances import grid_of, instances_of
from tegum.training.kernel import advance, draw_samples
from tests.oracle import twin
from tests.oracle.families import families, label, random_parameters

OPTIONS = [
    {"optimizer": optimizer, "schedule": schedule, "warmup_steps": warmup}
    for optimizer, (schedule, warmup) in product(["adamw", "adam", "sgd"], [("constant", 0), ("linear", 5), ("cosine", 10)])
]
OPTIONS += [
    {"optimizer": "rmsprop", "schedule": "quarter_cosine", "warmup_steps": 5, "epsilon": 1e-3},
    {"optimizer": "rmsprop", "decoupled_decay": True, "epsilon": 1e-3},
    {"optimizer": "sgd", "decoupled_decay": True, "schedule": "quarter_cosine"},
    {"optimizer": "adam", "decoupled_decay": True, "loss_on": "active"},
    {"optimizer": "adamw", "decoupled_decay": False},
    {"optimizer": "adamw", "unit_norms": 2.0},
]


def fixed_samples(net: Net, recipe: tg.Recipe) -> np.ndarray:
    """The data set that the engine trains on, learnt from a linear probe: it is the batch of a full-batch training."""
    features = tg.features.Independent(net.n_features, density=0.5, signed=net.absolute_target)
    (one,) = instances_of(net, *grid_of(net, features, recipe, {}))
    samples = one.state.data_set
    draw_samples(scratch_for(net), one.features, one.data_set_stream, samples)
    return samples.transpose(0, 2, 1).reshape(-1, net.n_features)[: recipe.data_set_size].astype(np.float64)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
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


def test_both_kinds_of_decay_of_both_names_of_adam_agree() -> None:
    net, features = tg.nets.ReluOutput(4, 2), tg.features.Independent(4, density=0.3)
    recipe = tg.Recipe(steps=30, batch_size=64, weight_decay=0.3, evaluation_samples=64)
    kinds = {"decoupled_decay": [None, True, False], "optimizer": ["adamw", "adam"]}
    W = tg.train(net, features, recipe, sweep=kinds).W.values
    assert np.array_equal(W[0, 0], W[1, 1])
    assert np.array_equal(W[0, 1], W[2, 0])
    assert not np.allclose(W[0, 0], W[0, 1])


def test_features_are_pulled_to_unit_norms() -> None:
    recipe = tg.Recipe(steps=400, batch_size=64, weight_decay=0, unit_norms=2.0, learning_rate=0.01, evaluation_samples=64)
    nothing = tg.features.Independent(3, density=0.0)
    W = np.array([[[2.0, 0.0, 0.1], [0.0, 0.0, 0.1]]])
    found = tg.train(tg.nets.ReluOutput(3, 2), nothing, recipe, initial={"W": W}).W.values[0]
    lengths = np.array([2.0, 0.1 * np.sqrt(2)])
    for _ in range(recipe.steps):
        lengths = lengths + 0.01 * 2.0 * (1 - lengths)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), [lengths[0], 0, lengths[1]], rtol=1e-5)


def test_decay_shrinks_what_has_no_gradient_as_each_kind_says() -> None:
    features = tg.features.Independent(3, density=0.0)
    recipe = tg.Recipe(steps=100, batch_size=64, weight_decay={"W": 0.5}, learning_rate=1e-2, evaluation_samples=64)
    initial, expected = {"W": np.full((2, 3), 0.5)}, 0.5 * (1 - 0.01 * 0.5) ** 100
    for optimizer in ("sgd", "rmsprop"):
        found = tg.train(
            tg.nets.ReluOutput(3, 2), features, recipe.replaced(optimizer=optimizer, decoupled_decay=True), initial=initial
        )
        np.testing.assert_allclose(found.W, expected, rtol=1e-4)


@pytest.mark.parametrize("net", families(5, 3), ids=label)
@pytest.mark.parametrize("active_only", [False, True])
def test_gradient_under_dropout_equals_twin(net: Net, active_only: bool) -> None:
    options = {"loss_on": "active" if active_only else "all"}
    recipe = tg.Recipe(batch_size=50, data_set_size=50, l1=0.05, dropout=0.3, **options)
    params = random_parameters(net, 3)
    features = tg.features.Independent(5, density=0.5, importance=[1, 2, 3, 4, 5], signed=net.absolute_target)
    (one,) = instances_of(net, *grid_of(net, features, recipe, {}), params)
    scratch = scratch_for(net)
    draw_samples(scratch, one.features, one.data_set_stream, one.state.data_set)
    x = one.state.data_set[0, :, :50].T.astype(np.float64)
    _, loss = advance(shape_of(net), scratch, one.features, one.recipe, one.state, 0, 0)
    kept = scratch.kept[:, :50].T.astype(np.float64)
    assert set(np.unique(kept).round(6)) == {0.0, round(1 / 0.7, 6)}
    expected, gradient = twin.loss_and_gradient(net, params, x, features.importance, 0.05, kept=kept, active_only=active_only)
    assert loss == pytest.approx(expected, rel=1e-5)
    for name, part in parameter_slices(net).items():
        np.testing.assert_allclose(scratch.gradient[part].reshape(gradient[name].shape), gradient[name], atol=1e-5)
    shares = []
    for _ in range(300):
        advance(shape_of(net), scratch, one.features, one.recipe, one.state, 0, 0)
        shares.append((scratch.kept[:, :50] == 0).mean())
    assert np.mean(shares) == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / (300 * 50 * 3)))


def test_dropout_changes_neither_data_nor_test_set_and_is_off_when_measured() -> None:
    net, features = tg.nets.ReluOutput(4, 2), tg.features.Independent(4, density=0.3)
    recipe = tg.Recipe(steps=1, batch_size=64, learning_rate=1e-12, data_set_size=200, evaluation_samples=640, seeds=2)
    data = tg.train(net, features, recipe, sweep={"dropout": [0.0, 0.5]})
    for name in ("loss", "training_loss", "data_set"):
        np.testing.assert_allclose(data[name][0], data[name][1], rtol=1e-6)
    moved = tg.train(net, features, recipe.replaced(learning_rate=0.1), sweep={"dropout": [0.0, 0.5]})
    assert (moved.W[0] != moved.W[1]).any()


def test_a_fixed_set_has_its_losses_and_itself_in_the_result() -> None:
    net, features = tg.nets.ReluOutput(6, 3), tg.features.Independent(6, density=0.3, importance=tg.features.geometric(0.8, 6))
    recipe = tg.Recipe(steps=400, batch_size=20, seeds=2, learning_rate=1e-2, record=("loss", "training_loss"), record_steps=3)
    data = tg.train(net, features, recipe, sweep={"data_set_size": [30, 70]})
    assert data.data_set.dims == ("data_set_size", "seed", "sample", "feature")
    assert data.data_set.isel(data_set_size=0).isnull().all("feature").sum("sample").values.tolist() == [40, 40]
    for one in (data.isel(data_set_size=k, seed=s) for k in (0, 1) for s in (0, 1)):
        x = one.data_set.dropna("sample").values.astype(np.float64)
        params = {name: one[name].values.astype(np.float64) for name in ("W", "b")}
        losses = (net.forward(params, x) - x) ** 2 @ features.importance
        assert one.training_loss.item() == pytest.approx(losses.mean(), rel=1e-5)
    np.testing.assert_array_equal(data.training_loss_history.sel(step=400), data.training_loss)
    assert (data.training_loss < data.loss).all()  # it has learnt its set by heart
    smaller = data.data_set.sel(data_set_size=30).dropna("sample", how="all")
    np.testing.assert_array_equal(smaller, data.data_set.sel(data_set_size=70)[:, :30])


def test_errors_of_active_features_alone_leave_the_bias_free() -> None:
    features = tg.features.Independent(3, density=0.2, magnitude=tg.features.Constant(1.0))
    recipe = tg.Recipe(steps=3000, learning_rate=1e-2, weight_decay=0.0, seeds=2, evaluation_samples=6400)
    data = tg.train(tg.nets.ReluOutput(3, 1), features, recipe, sweep={"loss_on": ["all", "active"]})
    assert (data.active_loss.sel(loss_on="active") < 1e-6).all()  # all outputs are always 1
    assert (data.loss.sel(loss_on="active") > 2).all()
    assert data.active_loss.sel(loss_on="all").isnull().all()
    own = tg.features.FiniteLaw(np.vstack([np.zeros(3), np.eye(3)]))
    outside = tg.train(tg.nets.ReluOutput(3, 1), own, recipe.replaced(loss_on="active", steps=1500))
    assert (outside.active_loss < 1e-5).all()


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
