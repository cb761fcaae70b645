"""What `train` returns: dimensions, records, statuses, losses that mean what they say."""

import threading
import time
from _thread import interrupt_main

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.features import Independent
from tegum.nets import Linear, ReluOutput

RECIPE = tg.Recipe(steps=50, batch_size=64, seeds=2, evaluation_samples=6400)


def test_dimensions_are_the_sweep_then_seed_then_own() -> None:
    axes = {"density": [1.0, 0.1], "pair": tg.Axis(["low", "high", "odd"], importance=[(1, 1), (1, 2), (3, 1)], l1=[0, 0.1, 0])}
    data = tg.train(ReluOutput(2, 1), Independent(2), RECIPE, sweep=axes)
    assert data.W.dims == ("density", "pair", "seed", "hidden", "feature")
    assert data.b.dims == ("density", "pair", "seed", "feature")
    assert data.feature_importance.sel(pair="odd", density=1.0).values.tolist() == [3, 1]
    assert data.feature_density.sel(pair="low", density=0.1).values.tolist() == [0.1, 0.1]
    assert data.W.dtype == np.float32
    for variable in data.data_vars.values():
        assert variable.attrs["long_name"]
    for attribute in ("recipe", "net", "features", "tegum", "commit", "wall_seconds", "machine"):
        assert attribute in data.attrs


def test_fields_that_are_not_numbers_may_be_axes() -> None:
    laws = [tg.features.Uniform(), tg.features.Constant()]
    axes = {"law": tg.Axis(["uniform", "constant"], magnitude=laws), "optimizer": ["adam", "sgd"], "density": [0.5, 0.1]}
    data = tg.train(ReluOutput(2, 1), Independent(2), RECIPE, sweep=axes)
    alone = tg.train(ReluOutput(2, 1), Independent(2, density=0.1, magnitude=laws[1]), RECIPE.replaced(optimizer="sgd"))
    inside = data.sel(law="constant", optimizer="sgd", density=0.1)
    assert inside.W.values.tobytes() == alone.W.values.tobytes()


def test_an_axis_is_not_called_like_what_a_result_holds() -> None:
    axis, net = tg.Axis(["rare", "common"], density=[0.1, 0.5]), ReluOutput(2, 1)
    recipe = RECIPE.replaced(steps=2, record=("loss", "W"), record_steps=2, data_set_size=64)
    trained = tg.train(net, Independent(2), recipe, sweep={"pair": axis})
    minimised = tg.exact.minimise(net, Independent(2), seeds=2, sweep={"pair": axis})
    assert {"loss", "W_history", "feature_density", "data_set"} <= set(trained.variables)
    for name in {*trained.variables, *trained.dims, "sampled_loss", "output", "G", "instance_0"} - {"pair"}:
        with pytest.raises(tg.InvalidInputError, match=f"an axis is called '{name}': choose another name, tegum uses this one"):
            tg.train(net, Independent(2), recipe, sweep={str(name): axis})
    for name in {*minimised.variables, *minimised.dims} - {"pair"}:
        with pytest.raises(tg.InvalidInputError, match=f"an axis is called '{name}': choose another name, tegum uses this one"):
            tg.exact.minimise(net, Independent(2), seeds=2, sweep={str(name): axis})
    proved = tg.exact.certified_globally(net, Independent(2, density=0.3))
    for name in proved.variables:
        with pytest.raises(tg.InvalidInputError, match=f"an axis is called '{name}': choose another name, tegum uses this one"):
            tg.exact.certified_globally(net, Independent(2), sweep={str(name): axis})


def test_records_at_log_spaced_steps() -> None:
    recipe = RECIPE.replaced(record=("loss", "W", "b"), record_steps=5)
    data = tg.train(ReluOutput(3, 2), Independent(3, density=0.3), recipe)
    assert data.step.values.tolist() == [0, 1, 3, 7, 19, 50]
    assert data.W_history.dims == ("seed", "step", "hidden", "feature")
    np.testing.assert_array_equal(data.W_history.sel(step=50), data.W)
    np.testing.assert_array_equal(data.loss_history.sel(step=50), data.loss)
    assert (data.b_history.sel(step=0) == 0).all()


def test_the_loss_is_the_expected_loss() -> None:
    net, features = ReluOutput(4, 2), Independent(4, density=0.3, importance=tg.features.geometric(0.5, 4))
    data = tg.train(net, features, RECIPE.replaced(evaluation_samples=400_000, seeds=1))
    params = {name: data[name].values[0].astype(np.float64) for name in ("W", "b")}
    x = features.sample(400_000, seed=3)
    losses = (x - net.forward(params, x)) ** 2 @ features.importance
    error = np.hypot(float(data.loss_standard_error[0]), losses.std() / np.sqrt(len(x)))
    assert float(data.loss[0]) == pytest.approx(losses.mean(), abs=4 * error)
    assert float(data.loss_standard_error[0]) == pytest.approx(losses.std() / np.sqrt(len(x)), rel=0.05)


def test_initial_weights_have_the_scale_the_recipe_says() -> None:
    def spread(**changes: object) -> float:
        recipe = RECIPE.replaced(steps=1, learning_rate=1e-12, seeds=3, **changes)
        return float(tg.train(Linear(80, 20), Independent(80), recipe).W.std())

    assert spread() == pytest.approx(np.sqrt(2 / 100), rel=0.05)
    assert spread(initialisation="xavier_uniform", initialisation_scale=2.0) == pytest.approx(2 * np.sqrt(2 / 100), rel=0.05)
    assert spread(initialisation="normal", initialisation_scale=0.1) == pytest.approx(0.1, rel=0.05)
    assert spread(initialisation="uniform", initialisation_scale=0.3) == pytest.approx(0.3 / np.sqrt(3), rel=0.05)


def test_given_initial_weights_are_used() -> None:
    W = np.arange(6.0).reshape(2, 3) / 10
    data = tg.train(ReluOutput(3, 2), Independent(3), RECIPE.replaced(record=("W",), record_steps=(0,)), initial={"W": W})
    np.testing.assert_allclose(data.W_history.sel(step=0), np.stack([W, W]), rtol=1e-6)


@pytest.mark.parametrize("search", ["train", "minimise"])
def test_axes_of_initial_weights_go_by_their_names(search: str) -> None:
    sweep = {"density": [0.1, 0.5]}
    W = xr.DataArray(np.random.default_rng(0).normal(size=(2, 2, 2, 3)), dims=("density", "seed", "hidden", "feature"))

    def found(**initial: xr.DataArray) -> xr.Dataset:
        if search == "train":
            return tg.train(ReluOutput(3, 2), Independent(3), RECIPE, sweep=sweep, initial=initial)
        return tg.exact.minimise(ReluOutput(3, 2), Independent(3), sweep=sweep, initial=initial, certify=False, most_steps=3)

    b = -W[..., 0, :]
    plain = found(W=W, b=b)
    for turned in ({"W": W.transpose("seed", "density", ...), "b": b}, {"W": W.transpose(..., "density"), "b": b.T}):
        np.testing.assert_array_equal(found(**turned).W, plain.W)
    np.testing.assert_array_equal(found(W=W[:, 0], b=b).W[:, 0], found(W=W, b=b).W[:, 0])
    with pytest.raises(tg.InvalidInputError, match="initial W has the axis 'run', and the models have density, seed"):
        found(W=W.rename(seed="run"))
    np.testing.assert_array_equal(found(W=W.rename(density="first", seed="run"), b=b).W, plain.W)


def test_steps_and_warm_up_vary_together() -> None:
    recipe = RECIPE.replaced(steps=200, warmup_steps=100)
    both = tg.Axis(["short", "long"], steps=[10, 20], warmup_steps=[1, 2])
    found = tg.train(ReluOutput(3, 2), Independent(3), recipe, sweep={"length": both})
    assert found.steps_done.values.tolist() == [[10, 10], [20, 20]]
    alone = tg.train(ReluOutput(3, 2), Independent(3), recipe.replaced(steps=20, warmup_steps=2))
    np.testing.assert_array_equal(found.W[1], alone.W)


@pytest.mark.parametrize("number", [np.int64(3), np.uint8(3), 3])
def test_counts_may_be_numbers_of_numpy(number: int) -> None:
    recipe = tg.Recipe(seeds=number, record_steps=number)
    assert (recipe.seed_list, recipe.record_steps) == ((0, 1, 2), 3)


def test_a_warning_of_grid_points_without_a_model_is_where_best_is_called() -> None:
    models = tg.train(Linear(2, 1), Independent(2), RECIPE, sweep={"density": [0.1, 0.5]})
    models["status"] = models["status"].where(models["density"] > 0.2, "diverged")
    with pytest.warns(UserWarning, match="no model finished at density 0.1") as caught:
        tg.best(models)
    assert caught[0].filename == __file__


def test_a_diverging_instance_is_a_row_and_its_neighbours_are_untouched() -> None:
    recipe = RECIPE.replaced(optimizer="sgd", steps=300)
    calm = tg.train(Linear(5, 3), Independent(5), recipe, sweep={"learning_rate": [1e-3, 1e-2]})
    mixed = tg.train(Linear(5, 3), Independent(5), recipe, sweep={"learning_rate": [1e-3, 1e6, 1e-2]})
    assert mixed.status.sel(learning_rate=1e6).values.tolist() == ["diverged", "diverged"]
    assert (mixed.steps_done.sel(learning_rate=1e6) < 300).all()
    assert mixed.loss.sel(learning_rate=1e6).isnull().all()
    neighbours = mixed.sel(learning_rate=[1e-3, 1e-2])
    assert (neighbours.status == "finished").all()
    for name in ("W", "b", "loss"):
        assert calm[name].values.tobytes() == neighbours[name].values.tobytes()


def test_best_is_the_lowest_finished_loss() -> None:
    recipe = RECIPE.replaced(optimizer="sgd", steps=300, seeds=4)
    data = tg.train(Linear(5, 3), Independent(5), recipe, sweep={"density": [0.5, 0.1]})
    chosen = tg.best(data)
    assert (chosen.loss == data.loss.min("seed")).all()
    with pytest.warns(UserWarning, match=r"no model finished at density 0\.5 of 2 grid points: NaN there"):
        some = tg.best(data.assign(status=data.status.where(data.density < 0.3, "diverged")))
    assert some.sel(density=0.1).identical(chosen.sel(density=0.1))
    assert some.sel(density=0.5)[["W", "b", "loss"]].isnull().all().to_array().all()
    assert some.status.sel(density=0.5).item() == "diverged"
    assert tg.exact.loss(some).isnull().values.tolist() == some.loss.isnull().values.tolist()
    with pytest.raises(tg.InvalidInputError, match=r"no model finished at density 0\.5"):
        tg.best(data.assign(status=xr.full_like(data.status, "diverged")))


def test_control_c_ends_cleanly_with_what_is_finished() -> None:
    tg.train(Linear(5, 3), Independent(5), RECIPE)
    threading.Thread(target=lambda: (time.sleep(1.0), interrupt_main()), daemon=True).start()
    began = time.perf_counter()
    with pytest.raises(tg.Interrupted) as stop:
        tg.train(ReluOutput(50, 20), Independent(50), RECIPE.replaced(steps=1_000_000), sweep={"steps": [10, 1_000_000]})
    data = stop.value.data
    assert time.perf_counter() - began < 60  # the run would take hours
    assert data.attrs["interrupted"] == 1
    assert (data.status.sel(steps=10) == "finished").all()
    assert (data.status.sel(steps=1_000_000) == "interrupted").all()
    assert (data.steps_done.sel(steps=1_000_000) < 1_000_000).all()


def test_the_bar_shows_loss_and_time_left(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tegum.progress._SLOW_SECONDS", 0.0)
    tg.train(ReluOutput(30, 10), Independent(30), RECIPE.replaced(steps=40_000, batch_size=1024), progress=True)
    shown = capsys.readouterr().err
    assert "training" in shown
    assert "loss=" in shown
    assert "step/s" in shown
