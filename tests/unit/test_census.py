"""The census counts every start once, in the minimum that it is in; `tegum show` says it."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.cli import run
from tegum.figures.models import drawn_models

NET, FEATURES = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1)
PENTAGON, DIGONS = tg.geometry.polygon(5), np.array([[1.0, -1, 0, 0, 0], [0, 0, 1, -1, 0]])


def of_losses(shapes: list[np.ndarray], losses: list[float], status: str = "minimum") -> xr.Dataset:
    variables = {
        "W": (("seed", "hidden", "feature"), np.stack(shapes)),
        "loss": ("seed", losses),
        "status": ("seed", [status if np.isfinite(one) else "diverged" for one in losses]),
    }
    return xr.Dataset(variables, {"seed": [7, 8, 9, 10, 11][: len(losses)]})


def test_minima_by_shape_and_loss_the_best_first() -> None:
    shapes = [DIGONS, PENTAGON, PENTAGON, PENTAGON, PENTAGON * np.nan]
    found = tg.census(of_losses(shapes, [2.0, 1.0, 1.0 + 1e-8, 1.5, np.nan]))
    assert found["shape"].values.tolist() == ["pentagon", "pentagon", "2 digons", "diverged"]
    assert found["count"].values.tolist() == [2, 1, 1, 1]
    np.testing.assert_allclose(found["share"], [0.4, 0.2, 0.2, 0.2])
    np.testing.assert_allclose(found["excess"], [0, 0.5, 1, np.nan])
    assert found["seed"].values.tolist() == [8, 10, 7, 11]
    assert found["status"].values.tolist() == ["minimum"] * 3 + ["diverged"]
    assert tg.census(of_losses(shapes, [2.0, 1.0, 1.0 + 1e-8, 1.5, np.nan]), same=1.0)["count"].values.tolist() == [3, 1, 1]


def test_trained_models_are_counted_in_the_minima_that_they_descend_to() -> None:
    recipe = tg.Recipe(steps=300, batch_size=128, learning_rate=0.01, seeds=12, evaluation_samples=64)
    data = tg.train(NET, FEATURES, recipe, sweep={"density": [1.0, 0.1]}, progress=False)
    found = tg.census(data).to_dataframe()
    assert found.groupby("density")["count"].sum().tolist() == [12, 12]
    np.testing.assert_allclose(found.groupby("density")["share"].sum(), 1)
    sparse = found[found["density"] == 0.1]
    lowest = tg.exact.minimise(NET, FEATURES, seeds=8, progress=False)["loss"].min().item()
    assert sparse["shape"].iloc[0] == "pentagon"
    assert sparse["loss"].iloc[0] == pytest.approx(lowest, rel=1e-6)
    assert len(sparse) < len(tg.census(data, descend=False).to_dataframe().query("density == 0.1"))


@pytest.mark.parametrize("net", [tg.nets.ReluOutput(3, 3), tg.nets.Linear(3, 3)])
def test_where_nothing_is_lost_all_starts_are_in_one_minimum(net: tg.nets.Net) -> None:
    data = tg.exact.minimise(net, tg.features.Independent(3, density=0.1), seeds=8, progress=False)
    assert data["loss"].max() < 1e-14
    shapes = set(tg.geometry.shape_names(data).values.tolist())
    found = tg.census(data)
    assert found["count"].values.tolist() == [8] if len(shapes) == 1 else found.sizes["minimum"] == len(shapes)
    assert (found["excess"].values[found["rank"].values == 0] == 0).all()
    assert not (found["excess"] > 1e-6).any()


def test_above_a_loss_of_0_there_is_no_excess() -> None:
    data = of_losses([PENTAGON, PENTAGON, DIGONS], [1e-16, 9e-16, 0.1]).assign(loss_error=("seed", [1e-15] * 3))
    found = tg.census(data)
    assert found["count"].values.tolist() == [2, 1]
    np.testing.assert_array_equal(found["excess"], [0, np.nan])
    known = tg.census(data.assign(loss=data["loss"] + 1))
    assert known["count"].values.tolist() == [2, 1]
    np.testing.assert_allclose(known["excess"], [0, 0.1])


@pytest.mark.parametrize(("rate", "descend"), [(3.0, None), (3.0, False), (1e6, None), (1e6, False)])
def test_what_diverged_is_no_minimum_though_its_numbers_are_finite(rate: float, descend: bool | None) -> None:
    recipe = tg.Recipe(steps=50, learning_rate=rate, optimizer="sgd", seeds=3, batch_size=64, evaluation_samples=64)
    data = tg.train(tg.nets.ReluOutput(4, 2), tg.features.Independent(4, density=0.1), recipe, progress=False)
    data["status"][0] = "diverged"
    data["W"][0] = 1e3
    diverged = int((data["status"] == "diverged").sum())
    found = tg.census(data, descend=descend).set_coords("status")
    assert int(found["count"].where(found["status"] == "diverged").sum()) == diverged
    assert set(found["shape"].values[found["status"].values == "diverged"]) == {"diverged"}
    assert np.isnan(found["loss"].where(found["status"] == "diverged", drop=True)).all()
    if diverged == 3:
        assert found["share"].values.tolist() == [1]


def test_of_starts_that_all_diverged_the_first_is_drawn_and_said_to_be() -> None:
    data = of_losses([PENTAGON, DIGONS], [2.0, 1.0]).assign(status=("seed", ["diverged"] * 2))
    assert drawn_models(data).said == "of 2 seeds the first, as all diverged"
    unknown = of_losses([PENTAGON, DIGONS], [np.inf, np.inf]).drop_vars("status")
    assert drawn_models(unknown).said == "of 2 seeds the first, as none has a finite loss"
    swept = xr.concat([data, of_losses([PENTAGON, DIGONS], [2.0, 1.0])], xr.Variable("density", [0.1, 0.2]))
    right = "of 2 seeds the one of lowest loss at each density; of 2 seeds the first, as all diverged at 1 of 2 points"
    assert drawn_models(swept).said == right


@pytest.mark.parametrize("axis", ["shape", "count", "share", "excess", "rank"])
def test_an_axis_called_like_a_column_of_the_table_is_refused(axis: str) -> None:
    one = of_losses([PENTAGON, DIGONS], [2.0, 1.0])
    data = xr.concat([one, one], xr.Variable(axis, [10, 20]))
    says = f"the models have an axis '{axis}', and a census has a column of that name: rename it, data.rename"
    with pytest.raises(tg.InvalidInputError, match=says):
        tg.census(data)
    assert tg.census(data.rename({axis: f"my_{axis}"}))[f"my_{axis}"].values.tolist() == [10, 10, 20, 20]


def test_large_models_do_not_descend_on_the_way_to_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tegum.counting.minimise_from", pytest.fail)
    monkeypatch.setattr("tegum.counting.evaluate", pytest.fail)
    W = np.random.default_rng(0).normal(size=(4, 2, 129)) / 10
    data = xr.Dataset({"W": (("seed", "hidden", "feature"), W), "b": (("seed", "feature"), W[:, 0])})
    shown = tg.show(data)
    assert shown.absent["census"] == "models of more than 128 features take long: tegum.census(data)"
    assert "census" not in shown.figures


@pytest.mark.parametrize(("net", "name"), [(tg.nets.ReluHidden(3, 2), "overlaps"), (tg.nets.ReluOutput(3, 2), "gram")])
def test_the_gram_matrix_is_what_inputs_do_only_where_nothing_hidden_bends(net: tg.nets.Net, name: str) -> None:
    recipe = tg.Recipe(steps=5, batch_size=64, evaluation_samples=64)
    shown = tg.show(tg.train(net, tg.features.Independent(3, density=0.1), recipe, progress=False))
    assert {"overlaps", "gram"} & {*shown.figures} == {name}
    title, text = shown.captions[name]
    assert ("input does to each output" in title) == (name == "gram") == ("passes through" in text)


def test_models_of_several_sizes_are_said_to_be() -> None:
    shown = tg.show({"a": np.eye(2, 4), "b": np.eye(1, 3)})
    assert shown.lead[0] == "2 models of 3 to 4 features in 1 to 2 dimensions."
    assert tg.show({"a": np.eye(1, 3)}).lead[0] == "1 model of 3 features in 1 dimension."


def test_models_without_a_known_loss_are_counted_by_shape() -> None:
    found = tg.census(xr.Dataset({"W": (("instance", "hidden", "feature"), np.stack([PENTAGON, DIGONS, PENTAGON]))}))
    assert dict(zip(found["shape"].values, found["count"].values, strict=True)) == {"pentagon": 2, "2 digons": 1}
    assert found.attrs["loss"].startswith("not known")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (xr.Dataset({"W": (("hidden", "feature"), PENTAGON)}), "the dataset has one model: a census counts starts"),
        (xr.Dataset({"W": (("time", "hidden", "feature"), PENTAGON[None])}), "models along time: a census counts starts"),
        (xr.Dataset(), "the dataset has no models, neither W nor W1 nor G: a census counts starts"),
    ],
)
def test_what_has_no_starts(data: xr.Dataset, says: str) -> None:
    with pytest.raises(tg.InvalidInputError, match=says):
        tg.census(data)


def test_a_checkpoint_is_named_judged_and_drawn_by_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("mine.npz", W=PENTAGON, b_final=np.full(5, -0.02))
    assert run(["show", "mine.npz", "--density", "0.1"]) == 0
    said = capsys.readouterr().out
    loss = tg.exact.loss(PENTAGON, np.full(5, -0.02), FEATURES)
    assert re.search(rf"the model +{loss:.6g} +pentagon", said)
    assert said.splitlines()[-1] == "open mine.html"
    assert "data-figure" in Path("mine.html").read_text(encoding="utf-8")
    assert run(["show", "mine.npz"]) == 0  # its own page is written anew
    said = capsys.readouterr().out
    assert "no exact loss: the dataset does not say what its features are" in said
    assert "for exact losses say what the features are, such as --density 0.1" in said
    Path("mine.html").write_text("my thesis")
    assert run(["show", "mine.npz"]) == 2
    assert capsys.readouterr().err.strip() == (
        "tegum: mine.html exists, and is no page of tegum's: say where the page goes, such as --page shown.html"
    )
    assert Path("mine.html").read_text() == "my thesis"
    assert run(["show", "mine.npz", "--page", "shown.html"]) == 0


def test_a_training_writes_its_page_and_records_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    quick = ["train", "-n", "3", "-m", "2", "--density", "0.1,0.2", "--seeds", "2", "--steps", "50"]
    assert run([*quick, "--out", "five"]) == 0
    said = capsys.readouterr().out
    assert "open five/index.html" in said
    assert "(in Python: tegum.open('five/result.safetensors'))" in said
    assert run(["show", "five"]) == 0
    said = capsys.readouterr().out
    assert "\nFeatures: Independent, density 0.1 to 0.2 between instances, importance 1, Uniform().\n" in said
    titles = re.findall(r"<h[23][^>]*>\s*([^<]*?)\s*<", Path("five/index.html").read_text(encoding="utf-8"))
    assert "Where all starts ended" in titles
    assert len(titles) == len(set(titles))
    assert "the features of each model on the way" in Path("five/index.html").read_text(encoding="utf-8")
    assert "W_history" in tg.open("five")
    assert (
        run(
            [
                "train",
                "-n",
                "3",
                "-m",
                "2",
                "--density",
                "0.1",
                "--seeds",
                "2",
                "--steps",
                "50",
                "--set",
                "recipe.record_steps=3",
                "--out",
                "three",
            ]
        )
        == 0
    )
    assert tg.open("three").sizes["step"] == 4
    assert "W_history" not in tg.open("three")


def test_a_notebook_shows_the_page_in_a_frame() -> None:
    shown = tg.show({"a pentagon": PENTAGON})
    assert shown._repr_html_().startswith("<iframe")
    assert "srcdoc=" in shown._repr_html_()
    assert repr(shown) == "<Models: arrows, gram, dimensionality; .write('page.html') makes a page of it>"


@pytest.mark.parametrize("data", [PENTAGON, PENTAGON.tolist(), np.stack([PENTAGON] * 3)], ids=["array", "list", "models"])
def test_plain_weights_are_shown(data: object) -> None:
    assert {"arrows", "gram", "dimensionality"} <= set(tg.show(data).figures)


def test_a_neuron_that_diverged_stands_beside_others() -> None:
    net = tg.nets.ReluHidden(3, 1, hidden_bias=True)
    recipe = tg.Recipe(steps=30, batch_size=64, seeds=3, evaluation_samples=64)
    data = tg.train(net, tg.features.Independent(3, density=0.3), recipe, progress=False)
    broken = {name: data[name].where(data["seed"] != 1) for name in net.parameter_shapes()}
    found = tg.census(data.assign(broken | {"status": data["status"].where(data["seed"] != 1, "diverged")}))
    assert found.attrs["loss"] == "exact, in the minimum that each model descends to"
    whole = tg.exact.minimise_from(data, certify=False)["loss"].isel(seed=[0, 2])
    assert found["count"].sum() == 3
    assert found["loss"][0] == pytest.approx(whole.min().item(), rel=1e-9)
    assert found.isel(minimum=-1)["status"] == "diverged"
    assert np.isnan(found["loss"][-1])


def test_minima_of_untied_nets_are_counted_by_their_loss() -> None:
    net, features = tg.nets.Untied(3, 1, hidden_bias=True), tg.features.Independent(3, 0.2, [1.0, 0.8, 0.6])
    data = tg.exact.minimise(net, features, seeds=6, progress=False)
    found = tg.census(data)
    lowest = data["loss"].min().item()
    assert found["loss"][0] == lowest
    assert found["count"].sum() == 6
    assert found["count"][0] == (data["loss"] <= lowest * (1 + 1e-6)).sum()
    assert set(found["shape"].values) == {"untied"}
    recipe = tg.Recipe(steps=30, batch_size=64, seeds=2, evaluation_samples=64, record=("loss", "W1", "W2", "b", "b_hidden"))
    recipe = recipe.replaced(record_steps=4)
    shown = tg.show(tg.train(net, features, recipe, progress=False))
    assert "census" in shown.figures
    assert shown.tables[0].columns == ["model", "loss", "exact loss"]
    assert "exact loss" not in shown.absent


@pytest.mark.parametrize(
    "net", [tg.nets.ReluHidden(3, 1, hidden_bias=True), tg.nets.Untied(3, 2), tg.nets.ReluOutput(3, 2, bias=False)]
)
def test_exact_losses_on_the_way_are_those_of_all_parameters(net: tg.nets.Net) -> None:
    features = tg.features.Independent(3, density=0.3)
    names = tuple(net.parameter_shapes())
    recipe = tg.Recipe(steps=8, batch_size=64, seeds=1, evaluation_samples=64, record=("loss", *names), record_steps=(2, 8))
    data = tg.train(net, features, recipe, progress=False)
    shown = tg.show(data).figures["loss"]
    drawn = next(one for one in shown.data if one.name and "exact" in one.name)
    params = {name: data[f"{name}_history"].isel(seed=0).transpose("step", ...).values for name in names}
    np.testing.assert_allclose(drawn.y, tg.exact.loss(params, features=features, net=net), rtol=1e-9)
    np.testing.assert_array_equal(drawn.x, data["step"])


def test_a_map_alone_does_not_descend() -> None:
    maps = xr.Dataset({"G": (("seed", "output", "feature"), np.eye(3)[None]), "b": ("feature", np.zeros(3))})
    maps = maps.assign_coords(feature_density=("feature", [0.1] * 3), feature_importance=("feature", [1.0] * 3))
    maps = maps.assign_attrs(features=repr(tg.features.Independent(3, 0.1)))
    with pytest.raises(tg.InvalidInputError, match=r"the dataset holds G, b, and .* has W: give a dataset with its weights"):
        tg.exact.minimise_from(maps)
    assert tg.census(maps).attrs["loss"] == "exact"


def test_a_census_under_a_penalty_ranks_by_what_was_minimised() -> None:
    """Under L1 two pairs are lower than the pentagon, whose loss without it is the lower one."""
    features = tg.features.Independent(5, density=0.1)
    found = tg.exact.minimise(tg.nets.ReluOutput(5, 2), features, seeds=8, penalties=[tg.exact.L1(0.115)], progress=False)
    counted = tg.census(found)
    assert list(counted.objective.values) == sorted(counted.objective.values)
    assert float(counted.objective[0]) == float(tg.best(found).objective)
    assert float(counted.loss[0]) == float(tg.best(found).loss)
    assert float(counted.excess[-1]) == pytest.approx(float(counted.objective[-1] / counted.objective[0]) - 1)


@pytest.mark.parametrize(
    ("changes", "goal"),
    [
        ({"l1": 0.1}, "a penalty on activity"),
        ({"loss_on": "active"}, "errors of active features"),
        ({"attack_size": 0.5}, "adversarial examples"),
        ({"dropout": 0.2}, "dropout"),
        ({"data_set_size": 10, "batch_size": 10}, "data sets"),
        ({"unit_norms": 1.0}, "norms pulled to 1"),
        ({"optimizer": "adam"}, "L2 on weights"),
        ({"optimizer": "adam", "weight_decay": 0.0}, ""),
        ({"optimizer": "adam", "decoupled_decay": True}, ""),
        ({"weight_decay": {"W": 0.1}, "decoupled_decay": False}, "L2 on weights"),
        ({}, ""),
    ],
)
def test_models_that_were_trained_on_another_loss_stay_where_they_ended(changes: dict[str, Any], goal: str) -> None:
    recipe = tg.Recipe(**{"steps": 50, "batch_size": 64, "seeds": 2, "evaluation_samples": 64, **changes})
    data = tg.train(tg.nets.ReluOutput(3, 1), tg.features.Independent(3, density=0.2), recipe, progress=False)
    counted, descended = tg.census(data), tg.census(data, descend=True)
    here = float(tg.exact.loss(data).min())
    if not goal:
        assert counted.attrs["loss"] == descended.attrs["loss"] == "exact, in the minimum that each model descends to"
        assert float(counted["loss"][0]) < here
        return
    assert counted.attrs["loss"] == f"exact, where training ended, which was on another loss ({goal})"
    assert float(counted["loss"][0]) == pytest.approx(here, rel=1e-6)
    assert descended.attrs["loss"].endswith(f"descends to, which is not what they were trained on ({goal})")
    assert float(descended["loss"][0]) < here


def test_along_an_axis_of_goals_no_model_descends_unasked() -> None:
    recipe = tg.Recipe(steps=50, batch_size=64, seeds=2, evaluation_samples=64)
    net, features = tg.nets.ReluOutput(3, 1), tg.features.Independent(3, density=0.2)
    data = tg.train(net, features, recipe, sweep={"loss_on": ["all", "active"]}, progress=False)
    assert "(errors of active features)" in tg.census(data).attrs["loss"]
    quartic = tg.training.OwnLoss("quartic", value=lambda y, x: ((y - x) ** 4).sum(axis=1), slope=lambda y, x: 4 * (y - x) ** 3)
    assert "(the loss 'quartic')" in tg.census(tg.train(net, features, recipe, loss=quartic, progress=False)).attrs["loss"]


def test_models_of_different_steps_are_counted() -> None:
    recipe = tg.Recipe(batch_size=64, seeds=2, evaluation_samples=64)
    net, features = tg.nets.ReluOutput(3, 1), tg.features.Independent(3, density=0.2)
    data = tg.train(net, features, recipe, sweep={"steps": [10, 50]}, progress=False)
    assert set(tg.census(data)["steps"].values) == {10, 50}
    assert tg.show(data).tables


def test_starts_that_are_made_of_what_others_found_have_no_share() -> None:
    """Without seeds a search exchanges features of its best ends: what these find is no share of random starts."""
    found = tg.exact.minimise(tg.nets.ReluOutput(6, 2), tg.features.Independent(6, density=0.05), progress=False)
    random = found.isel(seed=np.flatnonzero(found["start"] == "random"))
    assert found.sizes["seed"] > random.sizes["seed"] == 32
    counted, alone = tg.census(found), tg.census(random)
    assert float(counted["share"].sum()) == 1 == float(alone["share"].sum())
    assert counted["count"].values[counted["count"].values > 0].tolist() == alone["count"].values.tolist()
