"""Distributions of a user's own: data sets, mixtures, trees, magnitudes, classes; sampled, trained, exact, kept in files."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tegum as tg
from tegum.features import (
    CorrelatedSets,
    Empirical,
    Exponential,
    Features,
    FiniteLaw,
    Independent,
    Joined,
    KSparse,
    Mixture,
    Uniform,
    tree,
)
from tegum.features.written import read, written
from tegum.runs import read_dataset, write_dataset
from tegum.sweep import feature_grid
from tegum.training import engine_samples
from tests.oracle import own

RNG = np.random.default_rng(0)
DATA = RNG.uniform(size=(40, 4)) * (RNG.uniform(size=(40, 4)) < 0.4)
PAIR = Mixture([Independent(2, [1, 0.8]), Independent(2, [0, 0.1])], [0.2, 0.8])
OF_FOUR: dict[str, Features] = {
    "data": Empirical(DATA, importance=[1, 2, 3, 4]),
    "table": FiniteLaw(DATA[:3], [0.5, 0.3, 0.2]),
    "mixture": Mixture([Independent(4, 0.1), CorrelatedSets(2, 2, 1 / 3, signed=True)], [1 / 3, 2 / 3], [1, 2, 3, 4]),
    "nested": Mixture([Mixture([Independent(4, 0.1), KSparse(4, 2)]), FiniteLaw(DATA)]),
    "tree": tree([None, 0, 0, 1], [0.5, 0.4, 0.3, 0.9]),
    "pairs": Joined([PAIR, PAIR], importance=0.5),
    "beside": Joined([Independent(2, 0.3), CorrelatedSets(1, 2, 0.2)]),
    "interval": Independent(4, 0.3, magnitude=Uniform(0.5, 2)),
    "interval, signed": Independent(4, 0.3, magnitude=Uniform(-0.5, 1), signed=True),
    "own law": Independent(4, 0.3, magnitude=own.Triangular()),
    "own law in sets": CorrelatedSets(2, 2, 0.3, magnitude=own.Peaked(), signed=True),
    "own class": own.Rivals(4),
}
RECIPE = tg.Recipe(steps=3, seeds=2, batch_size=70, evaluation_samples=20_000)
NET = tg.nets.ReluOutput(4, 2)


def test_magnitudes_below_0_have_losses() -> None:
    """E u^2 of u in [-3, -2] is 19 / 3; ReLU(x) is 0 of them, and ReLU(x + 3) is x + 3, always 3 off."""
    features = tg.features.Independent(1, density=0.4, magnitude=tg.features.Uniform(-3, -2))
    losses = tg.exact.loss(np.ones((2, 1, 1)), np.array([[0.0], [3.0]]), features)
    np.testing.assert_allclose(losses, [0.4 * 19 / 3, 9.0], rtol=1e-9)


@pytest.mark.parametrize("name", OF_FOUR)
@pytest.mark.parametrize("engine", [False, True])
def test_samples_have_the_moments_said(name: str, engine: bool) -> None:
    features, count = OF_FOUR[name], 100_000
    x = engine_samples(features, count, 1).astype(float) if engine else features.sample(count, 1)
    for values, expected in (
        (x, features.mean()),
        ((x != 0).astype(float), features.feature_density),
        (x[:, :, None] * x[:, None, :], features.second_moment()),
        ((x != 0)[:, :, None] * (x != 0)[:, None, :] * 1.0, features.joint_density()),
    ):
        error = np.sqrt(np.maximum(values.var(axis=0), 1e-9) / count)
        np.testing.assert_array_less(np.abs(values.mean(axis=0) - expected), 5 * error + 1e-6)


@pytest.mark.parametrize("name", OF_FOUR)
def test_every_distribution_trains_and_is_measured_as_it_is(name: str) -> None:
    features = OF_FOUR[name]
    data = tg.train(NET, features, RECIPE, progress=False)
    assert (data.status == "finished").all()
    if name == "own law in sets":  # no moment generating function
        return
    loss = tg.exact.loss(data.W.values, data.b.values, features, 1e-5)
    assert (np.abs(data.loss - loss) < 4.5 * data.loss_standard_error + 1e-6).all()


@pytest.mark.parametrize("name", ["data", "mixture", "own law"])
def test_training_does_not_depend_on_what_runs_beside_it(name: str) -> None:
    features = OF_FOUR[name]
    recipe = RECIPE.replaced(steps=300, record=("loss", "W"), record_steps=(0, 7, 250))
    both = tg.train(NET, features, recipe, sweep={"learning_rate": [1e-3, 1e-2]}, threads=2, progress=False)
    alone = tg.train(NET, features, recipe.replaced(seeds=(1,), learning_rate=1e-2), threads=1, progress=False)
    one = both.isel(learning_rate=1, seed=[1])
    for variable in ("W", "b", "loss", "W_history", "loss_history"):
        np.testing.assert_array_equal(one[variable], alone[variable])


def test_training_on_a_data_set_learns_it() -> None:
    recipe = tg.Recipe(steps=2000, learning_rate=1e-2, weight_decay=0, schedule="linear", seeds=3)
    data = tg.train(NET, OF_FOUR["data"], recipe, progress=False)
    lowest = tg.exact.minimise(NET, OF_FOUR["data"], seeds=8, progress=False).loss.min()
    assert tg.exact.loss(data).min() < 1.02 * lowest


def test_a_fixed_data_set_of_a_mixture() -> None:
    recipe = RECIPE.replaced(data_set_size=200, batch_size=64, steps=20)
    data = tg.train(NET, OF_FOUR["mixture"], recipe, progress=False)
    whole = tg.train(NET, OF_FOUR["mixture"], recipe.replaced(batch_size=200), progress=False)
    assert np.isfinite(data.loss).all()
    assert np.isfinite(whole.loss).all()


@pytest.mark.parametrize("name", [name for name in OF_FOUR if not name.startswith("own")])
def test_what_is_written_is_read(name: str, tmp_path: Path) -> None:
    features = OF_FOUR[name]
    again = read(written(features))
    assert written(again) == written(features)
    np.testing.assert_array_equal(again.second_moment(), features.second_moment())
    data = tg.train(NET, features, RECIPE, progress=False)
    write_dataset(data, tmp_path / "data.safetensors")
    data = read_dataset(tmp_path / "data.safetensors")
    found = tg.features_of(data)
    assert type(found) is type(features)
    np.testing.assert_array_equal(found.second_moment().reshape(4, 4), features.second_moment())
    np.testing.assert_array_equal(np.broadcast_to(found.importance, (1, 4))[0], features.importance)
    np.testing.assert_array_equal(tg.exact.loss(data), tg.exact.loss(data.W.values, data.b.values, features))


SWEEPS: list[tuple[Features, dict[str, list[Any]]]] = [
    (Independent(4, 0.2), {"magnitude": [Uniform(), Uniform(0.5, 2), Exponential(1 / 3)]}),
    (OF_FOUR["mixture"], {"weights": [[0.5, 0.5], [0.9, 0.1]], "importance": [1.0, 2.0]}),
    (OF_FOUR["mixture"], {"components": [[Independent(4, 0.1), KSparse(4, 2)], [FiniteLaw(DATA), Independent(4, 0.2)]]}),
    (OF_FOUR["table"], {"probabilities": [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]}),
]


@pytest.mark.parametrize(("features", "sweep"), SWEEPS)
def test_a_sweep_is_saved_selected_and_resumed(
    features: Features, sweep: dict[str, list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tg.executing(shard="1/1", folder=tmp_path / "pieces"):
        data = tg.train(NET, features, RECIPE, sweep=sweep, progress=False)
    pieces = sorted((tmp_path / "pieces").glob("*.safetensors"))
    assert len(pieces) > 1
    pieces[0].unlink()
    with tg.executing(shard="1/1", folder=tmp_path / "pieces"):
        again = tg.train(NET, features, RECIPE, sweep=sweep, progress=False)
    np.testing.assert_array_equal(again.W, data.W)
    write_dataset(again, tmp_path / "all.safetensors")
    again = read_dataset(tmp_path / "all.safetensors")
    whole = tg.exact.loss(again, tol=1e-6)
    for point in np.ndindex(tuple(len(values) for values in sweep.values())):
        changes = {name: values[k] for (name, values), k in zip(sweep.items(), point, strict=True)}
        at = dict(zip(sweep, point, strict=True))
        one = again.isel(at)
        expected = tg.exact.loss(one.W.values, one.b.values, features.replaced(**changes), tol=1e-6)
        np.testing.assert_allclose(whole.isel(at), expected, rtol=1e-12)
        np.testing.assert_allclose(tg.exact.loss(one, tol=1e-6), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("features", "field", "values", "probable"),
    [
        (FiniteLaw(DATA[:3]), "states", [DATA[:3], DATA[:5]], "probabilities"),
        (Mixture([Independent(4, 0.1)] * 2), "components", [[Independent(4, 0.1)] * count for count in (2, 5)], "weights"),
    ],
)
def test_another_count_of_what_is_equally_probable_is_too(
    features: Features, field: str, values: list[Any], probable: str
) -> None:
    for law in (features, read(written(features))):
        grid = feature_grid(law, {field: values})
        found = [getattr(cell.features, probable) for cell in grid.cells]
        assert [one.tolist() for one in found] == [getattr(features, probable).tolist(), [0.2] * 5]


def test_another_count_of_states_that_are_not_equally_probable_is_refused() -> None:
    with pytest.raises(tg.InvalidInputError, match=r"there are 5 states and probabilities of shape \(3,\): give one for each"):
        feature_grid(OF_FOUR["table"], {"states": [DATA[:5]]})


def test_a_law_of_your_own_in_ten_lines() -> None:
    features = Independent(5, density=0.1, magnitude=own.Triangular())
    net = tg.nets.ReluOutput(5, 2)
    data = tg.train(net, features, tg.Recipe(steps=1500, seeds=2, learning_rate=3e-3), progress=False)
    losses = tg.exact.evaluate(data.W.values, data.b.values, features, 1e-6)
    assert (np.abs(losses.loss.values - data.loss.values) < 4 * data.loss_standard_error.values).all()


def test_laws_without_a_transform_and_wrong_ones_are_refused() -> None:
    W, b = np.ones((1, 2)), np.zeros(2)
    with pytest.raises(tg.InvalidInputError, match=r"of WrongTransform is .* over its quantiles"):
        tg.exact.loss(W, b, Independent(2, 0.5, magnitude=own.WrongTransform()))
    for law in (own.Peaked(), own.WrongTransform()):
        sample = FiniteLaw(Independent(2, 0.5, magnitude=law).sample(1000, seed=0))
        assert tg.exact.loss(W, b, sample) > 0


def test_a_class_of_your_own_without_blocks_trains_and_its_sample_has_a_loss() -> None:
    data = tg.train(tg.nets.ReluOutput(2, 1), own.Echo(), RECIPE, progress=False)
    sample = FiniteLaw(own.Echo().sample(50_000, seed=0))
    loss = tg.exact.loss(data.W.values, data.b.values, sample)
    assert (np.abs(data.loss.values - loss) < 6 * data.loss_standard_error.values).all()
    with pytest.raises(tg.InvalidInputError, match="none of tegum's"):
        tg.features_of(data)


@pytest.mark.parametrize("law", [own.Triangular(), own.Plain()], ids=repr)
def test_a_law_of_your_own_is_no_number_in_what_was_trained_on_it(law: tg.features.Magnitude) -> None:
    """Its dataset says its name, and not where in memory it lay; what needs the features says that it has none of them."""
    features = Independent(2, 0.5, magnitude=law)
    data = tg.train(tg.nets.ReluOutput(2, 1), features, RECIPE, progress=False)
    assert repr(law) in data.attrs["features"]
    assert " at 0x" not in data.attrs["features"]
    for judge in (tg.features_of, tg.exact.loss):
        with pytest.raises(tg.InvalidInputError, match=f"are {re.escape(repr(law))}, which are none of tegum's: say them"):
            judge(data)
    assert tg.exact.loss(data, features=features).shape == data["loss"].shape
    assert "none of tegum's" in tg.show(data).absent["exact loss"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: own.Halves(3), "Halves changes its argument density when it is copied, 0.4 to 0.2: keep"),
        (lambda: own.HalvesRate(3), "HalvesRate changes its argument rate when it is copied, 0.5 to 0.25: keep"),
        (lambda: own.HalvesMagnitude(3, Uniform()), r"argument magnitude when it is copied, Uniform\(0.0, 0.5\) to"),
        (lambda: own.OneNumber(3), r"OneNumber cannot be copied \(only .* let its constructor take each argument"),
    ],
)
def test_a_class_whose_copies_are_others_is_refused(make: Callable[[], Features], says: str) -> None:
    with pytest.raises(tg.InvalidInputError, match=says):
        make()


def test_a_class_that_takes_no_leading_axes_cannot_be_swept() -> None:
    with pytest.raises(tg.InvalidInputError, match=r"WithoutAxes cannot be copied .* arrays"):
        tg.train(tg.nets.ReluOutput(3, 2), own.WithoutAxes(3), RECIPE, sweep={"density": [0.1, 0.2]})


def test_a_class_that_keeps_its_arguments_has_one_law_everywhere() -> None:
    features = own.HalfAsOften(3, 0.8)
    data = tg.train(tg.nets.ReluOutput(3, 2), features, RECIPE.replaced(data_set_size=20_000), progress=False)
    np.testing.assert_array_equal(data.feature_density, [0.4, 0.4, 0.4])
    for samples in (features.sample(20_000, 0), features.singles()[0].sample(20_000, 0), data.data_set[0].values):
        assert (samples != 0).mean() == pytest.approx(0.4, abs=0.01)


PROGRAM = """
import tegum as tg
from tegum.training.instances import _names
from tests.oracle import own
net, power = tg.nets.ReluOutput(3, 2), own.Power(lambda p: p ** 2, {"squared", "two", "law"})
for features in (tg.features.Independent(3, 0.3, magnitude=power), own.Kept(3, lambda p: p ** 2), own.Kept(3, lambda p: p)):
    print(_names(net, features)[0].hex())
"""


def test_what_holds_a_function_has_the_same_random_numbers_in_every_process() -> None:
    """Words of a set have another order for another seed of hashes, and functions another place in memory."""
    one, other = (
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    )
    assert one == other
    assert len({*one}) == 3


def test_what_nobody_can_tell_apart_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file, pytest.raises(tg.InvalidInputError, match="nobody can tell what"):
        tg.train(tg.nets.ReluOutput(3, 2), own.Kept(3, lambda p: print(p, file=file)), RECIPE)


def test_a_tree_has_children_with_their_parents_only() -> None:
    x = OF_FOUR["tree"].sample(20_000, seed=0)
    active = x != 0
    assert not (active[:, 1] & ~active[:, 0]).any()
    assert not (active[:, 3] & ~active[:, 1]).any()
    assert (active[:, 3] & ~active[:, 2]).any()


def test_many_trees_side_by_side_are_one_block_each() -> None:
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(3, 8)) / 2, rng.normal(size=8) / 5
    together = tg.exact.loss(W, b, Joined([PAIR] * 4), 1e-7)
    x = Joined([PAIR] * 4).sample(200_000, seed=0)
    losses = ((x - np.maximum(x @ W.T @ W + b, 0)) ** 2).sum(axis=1)
    assert abs(losses.mean() - together) < 4 * losses.std() / np.sqrt(len(x))


SQUARED = tg.training.OwnLoss("squared", value=lambda y, x: ((y - x) ** 2).sum(axis=1), slope=lambda y, x: 2 * (y - x))


@dataclass(frozen=True)
class LinearNeurons(tg.nets.Net):
    """y = W2 ReLU(W1 x) + b, a net of a user's own: the switches of a family."""

    hidden_relu = True
    tied = False


@pytest.mark.parametrize(
    "net", [NET, LinearNeurons(4, 2), tg.nets.ReluHidden(4, 2, hidden_bias=True), tg.nets.AbsoluteValue(4, 2)]
)
def test_a_loss_of_your_own_trains_any_net(net: tg.nets.Net) -> None:
    """The squared error as a user's own takes the same steps, on the same samples, as the engine's."""
    recipe = tg.Recipe(steps=30, batch_size=100, seeds=2, l1=0.01, evaluation_samples=6400)
    features = own.Echo() if net.n_features == 2 else Mixture([Independent(4, 0.3, signed=net.absolute_target)])
    one, other = (tg.train(net, features, recipe, loss=loss, progress=False) for loss in (SQUARED, None))
    for name in net.parameter_shapes():
        np.testing.assert_allclose(one[name], other[name], atol=2e-6)
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-5)
    assert one.attrs["loss"] == "squared"


def test_another_loss_finds_another_model() -> None:
    quartic = tg.training.OwnLoss("quartic", value=lambda y, x: ((y - x) ** 4).sum(axis=1), slope=lambda y, x: 4 * (y - x) ** 3)
    recipe = tg.Recipe(steps=250, batch_size=64, learning_rate=1e-2, evaluation_samples=6400)
    features = Independent(4, 0.3)
    one = tg.train(NET, features, recipe, loss=quartic, progress=False)
    other = tg.train(NET, features, recipe, progress=False)
    x = features.sample(20_000, seed=5)
    fourth = []
    for data in (one, other):
        W, b = data.W.values[0], data.b.values[0]
        fourth.append(((np.maximum(x @ W.T @ W + b, 0) - x) ** 4).sum(axis=1).mean())
    assert fourth[0] < fourth[1]
    assert one.loss.item() == pytest.approx(fourth[0], rel=0.15)


def test_sizes_of_a_net_of_your_own_are_a_loop() -> None:
    recipe = tg.Recipe(steps=5, batch_size=64, evaluation_samples=64)
    parts = [tg.train(tg.nets.Untied(4, m), Independent(4, 0.2), recipe, progress=False) for m in (1, 2, 3)]
    assert [part.W1.shape for part in parts] == [(1, m, 4) for m in (1, 2, 3)]
    G = parts[2].W2.values @ parts[2].W1.values
    assert tg.exact.loss(G, parts[2].b.values, Independent(4, 0.2), tied=False).shape == (1,)


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (tg.training.OwnLoss("mean", value=lambda y, x: ((y - x) ** 2).mean(), slope=lambda y, x: y - x), "returns the shapes"),
        (tg.training.OwnLoss("half", value=lambda y, x: ((y - x) ** 2).sum(axis=1), slope=lambda y, x: y - x), "the slope of"),
    ],
)
def test_a_wrong_loss_is_refused(loss: tg.training.OwnLoss, says: str) -> None:
    with pytest.raises(tg.InvalidInputError, match=says):
        tg.train(NET, Independent(4, 0.2), RECIPE, loss=loss)
