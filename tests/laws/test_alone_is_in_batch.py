"""Numerics rule 1: an instance trained alone equals, bit for bit, the same instance in any batch, on any threads."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import tegum as tg
from tegum.features import AnticorrelatedSets, CorrelatedSets, Features, Independent, KSparse, data_set
from tegum.nets import AbsoluteValue, Linear, Net, ReluHidden, ReluOutput
from tests.oracle.families import families, label

RECIPE = tg.Recipe(steps=60, batch_size=100, seeds=3, evaluation_samples=640, record=("loss", "b"), record_steps=(0, 7, 60))


def same(a: xr.Dataset, b: xr.Dataset) -> None:
    """Every number of two datasets agrees in every bit."""
    assert set(a.data_vars) == set(b.data_vars)
    for name in a.data_vars:
        left, right = a[name].values, b[name].values
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes(), name


@pytest.mark.parametrize("net", families(6, 3), ids=label)
def test_alone_equals_in_batch_on_one_and_two_threads(net: Net) -> None:
    recipe = RECIPE if net.bias else RECIPE.replaced(record=("loss",))
    features = Independent(6, importance=tg.features.geometric(0.8, 6), signed=net.absolute_target)
    sweep = {"density": [0.9, 0.2, 0.02], "learning_rate": [1e-3, 1e-2]}
    batch = tg.train(net, features, recipe, sweep=sweep, threads=2)
    same(batch, tg.train(net, features, recipe, sweep=sweep, threads=1))
    for density in sweep["density"]:
        for seed in range(3):
            alone = tg.train(
                net,
                Independent(6, density=density, importance=tg.features.geometric(0.8, 6), signed=net.absolute_target),
                recipe.replaced(seeds=(seed,), learning_rate=1e-2),
                threads=1,
            )
            inside = batch.sel(density=density, learning_rate=1e-2, seed=[seed]).drop_vars(["density", "learning_rate"])
            same(alone, inside)


@pytest.mark.parametrize(
    "features",
    [
        CorrelatedSets(2, 3, density=0.3),
        AnticorrelatedSets(2, 3, density=0.2),
        KSparse(6, 2, magnitude=tg.features.Exponential()),
    ],
    ids=label,
)
def test_every_distribution_alone_equals_in_batch(features: Features) -> None:
    net = ReluOutput(6, 2)
    batch = tg.train(net, features, RECIPE, threads=2)
    for seed in range(3):
        same(batch.sel(seed=[seed]), tg.train(net, features, RECIPE.replaced(seeds=[seed]), threads=1))


def test_with_dropout_alone_equals_in_batch() -> None:
    net, features, recipe = ReluOutput(6, 2), Independent(6, density=0.3), RECIPE.replaced(optimizer="rmsprop")
    batch = tg.train(net, features, recipe, sweep={"dropout": [0.0, 0.4]}, threads=2)
    for size in (0.0, 0.4):
        for seed in range(3):
            same(
                batch.sel(seed=[seed], dropout=size, drop=True),
                tg.train(net, features, recipe.replaced(seeds=[seed], dropout=size), threads=1),
            )


@pytest.mark.parametrize("draw", ["example", "batch"])
def test_under_attack_alone_equals_in_batch(draw: str) -> None:
    net, recipe = ReluOutput(6, 2), RECIPE.replaced(attack_draw=draw)
    features = CorrelatedSets(2, 3, density=0.3)
    batch = tg.train(net, features, recipe, sweep={"attack_size": [0.0, 0.4]}, threads=2)
    for size in (0.0, 0.4):
        for seed in range(3):
            alone = tg.train(net, features, recipe.replaced(seeds=[seed], attack_size=size), threads=1)
            same(batch.sel(seed=[seed], attack_size=size, drop=True), alone)


@pytest.mark.parametrize(
    "sweep",
    [{"l1": [0.0, 0.1]}, {"dropout": [0.0, 0.4]}, {"attack_size": [0.0, 0.4]}, {"loss_on": ["all", "active"]}],
    ids=lambda sweep: next(iter(sweep)),
)
@pytest.mark.parametrize("size", [100, 170])
def test_on_given_samples_alone_equals_in_batch(sweep: dict[str, list[Any]], size: int) -> None:
    net, features = ReluOutput(50, 5), Independent(50, density=0.1)
    samples = data_set(features, size)
    batch = tg.train(net, features, RECIPE, sweep=sweep, data=samples, threads=2)
    ((name, values),) = sweep.items()
    for value in values:
        for seed in range(3):
            alone = tg.train(net, features, RECIPE.replaced(seeds=[seed], **{name: value}), data=samples, threads=1)
            inside = batch.sel(seed=[seed], **{name: value}).drop_vars(name)
            same(inside if "active_loss" in alone else inside.drop_vars("active_loss", errors="ignore"), alone)
    with tg.executing():
        in_pieces = tg.train(net, features, RECIPE, sweep=sweep, data=samples)
    same(batch.drop_vars("status"), in_pieces.drop_vars("status"))  # words of another width


def test_leading_axes_are_distributions_of_their_own() -> None:
    both = tg.train(ReluOutput(3, 2), Independent(3, density=np.array([[0.5], [0.1]])), RECIPE)
    assert both.W.dims == ("instance", "seed", "hidden", "feature")
    one = tg.train(ReluOutput(3, 2), Independent(3, density=0.1), RECIPE)
    same(both.isel(instance=1, drop=True), one)


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(1, 59), data_set=st.booleans(), dropout=st.sampled_from([0.0, 0.3]))
def test_a_shorter_training_is_the_beginning_of_a_longer_one(cut: int, data_set: bool, dropout: float) -> None:
    recipe = RECIPE.replaced(record=("W",), record_steps=(cut,), seeds=1, data_set_size=300 if data_set else None)
    recipe = recipe.replaced(dropout=dropout)
    long = tg.train(ReluHidden(4, 2), Independent(4, density=0.4), recipe)
    short = tg.train(ReluHidden(4, 2), Independent(4, density=0.4), recipe.replaced(steps=cut))
    assert long.W_history.sel(step=cut).values.tobytes() == short.W.values.tobytes()


def test_different_seeds_distributions_and_root_seeds_differ() -> None:
    base = tg.train(Linear(3, 2), Independent(3), RECIPE)
    assert not np.array_equal(base.W[0], base.W[1])
    other_features = tg.train(Linear(3, 2), Independent(3, density=0.999), RECIPE)
    other_root = tg.train(Linear(3, 2), Independent(3), RECIPE.replaced(root_seed=1))
    other_net = tg.train(ReluOutput(3, 2), Independent(3), RECIPE.replaced(steps=7, record_steps=()))
    for other in (other_features, other_root, other_net):
        assert not np.allclose(base.W.values, other.W.values, atol=1e-4)


def test_learning_rates_start_from_the_same_weights() -> None:
    data = tg.train(
        AbsoluteValue(3, 4),
        Independent(3, signed=True),
        RECIPE.replaced(record=("W1",), record_steps=(0,)),
        sweep={"learning_rate": [1e-3, 1e-1]},
    )
    first = data.W1_history.sel(step=0).values
    assert np.array_equal(first[0], first[1])
