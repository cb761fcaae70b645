"""`tegum inspect`: one command for any model; and what else people do with files of theirs and of ours."""

import json
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from safetensors.numpy import load_file

import tegum as tg
from tegum.cli import run
from tegum.runs import write_dataset

inspecting = import_module("tegum.cli.inspect")
SPARSE = tg.features.Independent(5, density=0.1)
PENTAGON, DIGONS = tg.geometry.polygon(5), np.array([[1.0, -1, 0, 0, 0], [0, 0, 1, -1, 0]])


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(words.split()) == 0
    return capsys.readouterr().out


def test_a_checkpoint_of_two_models(capsys: pytest.CaptureFixture[str]) -> None:
    W, b = np.stack([PENTAGON, DIGONS]), np.array([[-0.02] * 5, [-0.02] * 4 + [-1]])
    np.savez("mine.npz", W=W, b_final=b)
    found = json.loads(said("inspect mine.npz --density 0.1 --starts 8 --json", capsys))
    lowest = tg.best(tg.exact.minimise(tg.nets.ReluOutput(5, 2), SPARSE, seeds=8)).loss.item()
    losses = tg.exact.loss(W, b, SPARSE)
    assert [model["shape"] for model in found["models"]] == ["pentagon", "2 digons"]
    assert [model["dead"] for model in found["models"]] == [0, 1]
    np.testing.assert_allclose([model["loss"] for model in found["models"]], losses, rtol=1e-12)
    np.testing.assert_allclose([model["excess"] for model in found["models"]], losses / lowest - 1, atol=1e-6)
    assert found["models"][0]["basin_excess"] == pytest.approx(0, abs=1e-6)
    assert found["models"][1]["basin_excess"] > 0.1
    for model, one in zip(found["models"], W, strict=True):
        around = tg.exact.best_bias(one, SPARSE) + np.array([[0], [1e-3], [-1e-3]])
        tried = tg.exact.loss(one, around, SPARSE)
        assert model["best_bias_loss"] == pytest.approx(tried[0], rel=1e-9) == tried.min()
    lines = said("inspect mine.npz --sparsity 0.9 --starts 8 --picture mine.html", capsys).splitlines()
    assert lines[1] == "y = ReLU(WᵀW x + b); features: Independent, density 0.1, importance 1, Uniform()"
    assert "lowest certified minimum of 8 random starts and these models (0.0263051;" in lines[5]
    assert lines[-1] == "open mine.html"
    figures = re.findall(r"data-figure=\"(\w+)\"", Path("mine.html").read_text(encoding="utf-8"))
    assert figures == ["census", "arrows", "gram", "dimensionality"]


def test_of_a_model_that_diverged_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("mine.npz", W=np.stack([PENTAGON, PENTAGON * np.nan]), b=np.zeros((2, 5)))
    first, second = json.loads(said("inspect mine.npz --density 0.1 --starts 2 --json", capsys))["models"]
    numbers = ("loss", "excess", "basin_excess", "best_bias_loss", "dead")
    assert [second[name] for name in numbers] == [None] * 5
    assert all(isinstance(first[name], float) for name in numbers)


def test_a_sweep_is_judged_on_its_own_features_and_the_best_of_many_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tg.Recipe(steps=20, batch_size=64, seeds=11, evaluation_samples=64)
    data = tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), recipe, sweep={"density": [1, 0.1]}, progress=False)
    write_dataset(data, "result.safetensors")
    found = json.loads(said("inspect result.safetensors --starts 4 --json", capsys))["models"]
    exact = tg.exact.loss(data)
    assert [model["loss"] for model in found] == exact.min("seed").values.tolist()
    assert [model["seed"] for model in found] == exact.argmin("seed").values.tolist()
    lowest = tg.exact.minimise(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), seeds=4, sweep={"density": [1, 0.1]}).loss
    np.testing.assert_allclose([model["excess"] for model in found], exact.min("seed") / lowest.min("seed") - 1, rtol=1e-6)


def swept(sweep: dict[str, list[float]], seeds: int) -> xr.Dataset:
    """A file of models along these axes, hardly trained."""
    recipe = tg.Recipe(steps=2, batch_size=64, seeds=seeds, evaluation_samples=64)
    data = tg.train(tg.nets.ReluOutput(2, 1), tg.features.Independent(2), recipe, sweep=sweep, progress=False)
    write_dataset(data, "result.safetensors")
    return data


def test_of_many_grid_points_the_best_stands_beside_median_and_worst(capsys: pytest.CaptureFixture[str]) -> None:
    exact = tg.exact.loss(swept({"density": np.linspace(0.1, 1, 21).tolist()}, 3))
    columns = {"loss": exact.min("seed"), "median": exact.median("seed"), "worst": exact.max("seed")}
    for command in ("exact-loss", "inspect --starts 2"):
        lines = said(f"{command} result.safetensors", capsys).splitlines()
        assert lines[2] == "the best of 3 models for each density"
        names, *rows = [line.split() for line in lines[3:24]]
        for name, values in columns.items():
            shown = [float(row[names.index(name)]) for row in rows]
            np.testing.assert_allclose(shown, values[:20], rtol=1e-9)
        more = "--json shows everything" if "inspect" in command else "--out FILE.csv writes everything"
        assert f"... and 1 more grid points; {more}" in lines
    assert len(json.loads(said("inspect --starts 2 result.safetensors --json", capsys))["models"]) == 21


def test_grid_points_without_seeds_are_all_kept(capsys: pytest.CaptureFixture[str]) -> None:
    importances = np.linspace(0.1, 1, 11).tolist()
    data = swept({"density": [0.1, 0.5], "importance": importances}, 1).isel(seed=0)
    write_dataset(data, "map.safetensors")
    lines = said("inspect --starts 2 map.safetensors", capsys).splitlines()
    assert "best of" not in lines[2]
    assert not {"median", "worst"} & {*lines[2].split()}
    models = json.loads(said("inspect --starts 2 map.safetensors --json", capsys))["models"]
    assert [(one["density"], one["importance"]) for one in models] == [(p, i) for p in (0.1, 0.5) for i in importances]
    np.testing.assert_allclose([one["loss"] for one in models], tg.exact.loss(data).values.ravel(), rtol=1e-9)


def test_models_without_names_are_repeated_along_every_axis(capsys: pytest.CaptureFixture[str]) -> None:
    W = np.random.default_rng(0).normal(size=(3, 7, 2, 5))
    np.savez("mine.npz", W=W, b=np.zeros((3, 7, 5)))
    losses = tg.exact.loss(W, np.zeros((3, 7, 5)), SPARSE)
    found = json.loads(said("inspect --starts 2 mine.npz --density 0.1 --json", capsys))["models"]
    assert [(one["loss"], one["median"], one["worst"]) for one in found] == [
        pytest.approx((losses.min(), np.median(losses), losses.max()), rel=1e-9)
    ]
    assert "the best of 21 models\n" in said("inspect --starts 2 mine.npz --density 0.1", capsys)


def test_what_has_no_exact_loss_has_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("unknown.npy", PENTAGON)
    lines = said("inspect unknown.npy", capsys).splitlines()
    assert lines[1] == "no exact loss: the density is not known: say how often a feature is active, such as --density 0.1"
    assert [line.strip() for line in lines[2:]] == ["shape", "pentagon"]
    recipe = tg.Recipe(steps=2, batch_size=64, evaluation_samples=64)
    write_dataset(tg.train(tg.nets.ReluHidden(3, 2), tg.features.Independent(3), recipe, progress=False), "hidden.safetensors")
    assert "no exact loss: the models are of ReluHidden" in said("inspect hidden.safetensors", capsys)


def test_untied_nets_have_sampled_losses(capsys: pytest.CaptureFixture[str]) -> None:
    recipe, features = (
        tg.Recipe(steps=200, batch_size=64, evaluation_samples=64, seeds=2),
        tg.features.Independent(4, signed=True),
    )
    net = tg.nets.AbsoluteValue(4, 3)
    data = tg.train(net, features, recipe, sweep={"density": [0.5, 0.1]}, progress=False)
    write_dataset(data, "absolute.safetensors")
    found = json.loads(said("inspect absolute.safetensors --json", capsys))
    params = {name: data[name].values.astype(float) for name in net.parameter_shapes()}
    expected = tg.expected_loss(net, params, tg.features_of(data))
    np.testing.assert_allclose([model["loss"] for model in found["models"]], expected.value.ravel(), rtol=1e-12)
    assert [(model["density"], model["seed"]) for model in found["models"]] == [(0.5, 0), (0.5, 1), (0.1, 0), (0.1, 1)]
    other = json.loads(said("inspect absolute.safetensors --density 0.3 --mean --json", capsys))
    expected = tg.expected_loss(net, params, tg.features.Independent(4, density=0.3, signed=True))
    np.testing.assert_allclose([model["loss"] for model in other["models"]], expected.value.ravel() / 4, rtol=1e-12)
    lines = said("inspect absolute.safetensors --picture absolute.html", capsys).splitlines()
    assert lines[3].split() == ["density", "seed", "loss", "standard_error"]
    assert "open absolute.html" in lines[-1]
    assert run(["identify", "absolute.safetensors"]) == 2
    assert "choose one: --array W1 or --array W2" in capsys.readouterr().err
    shapes = json.loads(said("identify absolute.safetensors --array W2 --json", capsys))["models"]
    assert [one["label"] for one in shapes] == tg.geometry.shape_names(data.W2.values.swapaxes(-1, -2)).ravel().tolist()


def test_untied_nets_have_exact_losses_and_an_excess(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tg.Recipe(steps=300, batch_size=64, evaluation_samples=64, seeds=2)
    net = tg.nets.Untied(3, 2, hidden_bias=True)
    data = tg.train(net, tg.features.Independent(3, density=0.2), recipe, progress=False)
    data["W1"][0] = np.nan
    write_dataset(data, "untied.safetensors")
    first, second = json.loads(said("inspect untied.safetensors --starts 4 --json", capsys))["models"]
    assert first["loss"] is None
    params = {name: data[name].values[1].astype(float) for name in net.parameter_shapes()}
    expected = tg.expected_loss(net, params, tg.features.Independent(3, density=0.2))
    assert (second["loss"], expected.method) == (pytest.approx(float(expected.value), rel=1e-9), "exact")
    lowest = tg.best(tg.exact.minimise(net, tg.features.Independent(3, density=0.2), seeds=4)).loss.item()
    assert second["excess"] == pytest.approx(second["loss"] / lowest - 1, abs=1e-6)
    G, b = params["W2"] @ params["W1"], params["b"] + params["W2"] @ params["b_hidden"]
    own = tg.exact.loss(G, b, tg.features.Independent(3, density=0.2), tied=False)
    assert second["best_bias_loss"] <= own * (1 + 1e-9)
    assert "y = ReLU(W₂ (W₁ x + c) + b)" in said("inspect untied.safetensors --starts 2", capsys)


def test_losses_may_be_means_over_features(capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("mine.npz", W=PENTAGON, b=np.full(5, -0.1), b_enc=[0.1, 0.2])
    loss = tg.exact.loss(PENTAGON, PENTAGON.T @ [0.1, 0.2] - 0.1, SPARSE)
    options = "mine.npz --density 0.1 --json"
    for command, factor in (("exact-loss", 1), ("exact-loss --mean", 1 / 5), ("inspect --starts 2 --mean", 1 / 5)):
        model = json.loads(said(f"{command} {options}", capsys))["models"][0]
        assert model["loss"] == pytest.approx(loss * factor, rel=1e-12)
    whole = json.loads(said(f"inspect --starts 2 {options}", capsys))["models"][0]
    assert model["excess"] == pytest.approx(whole["excess"], rel=1e-9)
    assert "losses are means over 5 features" in said("exact-loss --mean mine.npz --density 0.1", capsys)


def test_no_excess_is_below_zero(capsys: pytest.CaptureFixture[str]) -> None:
    lowest = tg.best(tg.exact.minimise(tg.nets.ReluOutput(5, 2), SPARSE, seeds=16))
    np.savez("lowest.npz", W=lowest.W.values, b=lowest.b.values)
    assert "-0.00%" not in said("inspect lowest.npz --density 0.1 --starts 2", capsys)


def test_a_training_is_opened_and_exported(capsys: pytest.CaptureFixture[str]) -> None:
    said("train -n 3 -m 2 --sparsity 0,0.9 --steps 5 --seeds 2 --out five", capsys)
    data = tg.open("five")
    assert data.identical(tg.open("five/result.safetensors"))
    assert data.density.values.tolist() == [1.0, 0.1]
    assert said("export five --format state-dict", capsys).split() == [
        "five/export/result.state.pt",
        "five/export/result.state.safetensors",
    ]
    state = load_file("five/export/result.state.safetensors")
    assert sorted(state) == ["W", "b"]
    np.testing.assert_array_equal(tg.open("five/export/result.state.safetensors").W.values, data.W)
    assert "five/export/result.density-seed.csv" in said("export five", capsys).split()
    assert run(["report", "five"]) == 2
    advice = capsys.readouterr().err.split("`")[1]
    assert run([*advice.split()[1:], "--starts", "2"]) == 0


def test_options_that_cannot_apply_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    said("train -n 3 -m 2 --steps 5 --out five", capsys)
    shows = {
        "show five --array NONSENSE": "five/result.safetensors holds no NONSENSE with axes hidden and feature: choose",
        "lab five --array NONSENSE --no-browser": "five/result.safetensors holds no NONSENSE with axes hidden and feature",
        "lab five --mean --no-browser": "tegum lab has no option --mean: ",
        "show five --out results": "--out is results, and five is no experiment: say where the page goes with --page",
        "show intro --density 7 --page x.html --array Q": (
            "--density and --array and --page are given, and intro is an experiment: leave them out, or name a folder"
        ),
        "show intro --rows": "--rows is given, and intro is an experiment: leave it out",
        "lab --density 0.5 --replay": "--density and --replay are given, and no file of models: name one, or write",
        "lab #v=1&n=5&m=2 --activation linear": "--activation is given, and no file of models: name one, or write",
    }
    for words, says in shows.items():
        assert run(words.split()) == 2
        assert f"tegum: {says}" in capsys.readouterr().err
    assert not {*Path().glob("*.html")}
    assert "Read as dataset of tegum: W from W_history" in page_of("show five --array W_history --density 0.1", capsys)
    assert "Read as" not in page_of("show five", capsys)


def page_of(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The page that a command says to open."""
    return Path(said(words, capsys).rpartition("open ")[2].strip()).read_text(encoding="utf-8")


@pytest.mark.parametrize("bias", ["true", "false"])
def test_a_result_in_pieces_is_judged_as_one_in_a_file(
    bias: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"train -n 3 -m 2 --density 1,0.1 --steps 5 --seeds 2 --set net.bias={bias} --out"
    said(f"{words} small", capsys)
    monkeypatch.setattr("tegum.execution.pieces.LARGE_BYTES", 1000)
    said(f"{words} large", capsys)
    assert not Path("large/result.safetensors").exists()
    for command in ("identify", "exact-loss", "inspect --starts 2"):
        small, large = (json.loads(said(f"{command} {folder} --json", capsys)) for folder in ("small", "large"))
        assert large["models"] == small["models"]
        assert "sweep of tegum in pieces: W (density 2, seed 2, hidden 2, feature 3)" in large["read"]
        assert large["read"] in said(f"{command} large", capsys)


def test_a_result_in_pieces_is_exported(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tegum.execution.pieces.LARGE_BYTES", 1000)
    said("train -n 3 -m 2 --density 1,0.1 --steps 5 --seeds 2 --out large", capsys)
    data = tg.open("large")
    for place in ("large", "large/result.cut"):
        written = [f"large/export/result.state{suffix}" for suffix in (".pt", ".safetensors")]
        assert said(f"export {place} --format state-dict", capsys).split() == written
        np.testing.assert_array_equal(load_file(written[1])["W"], data.W)
        assert "large/export/result.density-seed.csv" in said(f"export {place}", capsys).split()
    assert run(["report", "large"]) == 2
    advice = capsys.readouterr().err.split("`")
    assert run([*advice[1].split()[1:], "--starts", "2"]) == 0
    assert run(advice[3].split()[1:]) == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tg.open("."), "the folder . holds no result.safetensors: give the folder that tegum train wrote, or a file"),
        (
            lambda: write_dataset(tg.exact.evaluate(PENTAGON, np.zeros(5), SPARSE), "a.nc"),
            "a.nc would be safetensors inside: call it a.safetensors; `tegum export` makes netcdf, csv and parquet of it",
        ),
        (
            lambda: tg.train(tg.nets.ReluOutput(5, 2), SPARSE, sweep={"n_hidden": [1, 2]}),
            "the axis 'n_hidden' varies n_hidden: it changes all shapes: call once for each, {k: ... for k in [1, 2]}",
        ),
    ],
)
def test_advice(call: object, says: str) -> None:
    with pytest.raises(tg.InvalidInputError) as mistake:
        call()  # type: ignore[operator]
    assert str(mistake.value) == says


def test_a_distribution_without_blocks_trains_and_is_told_what_an_exact_loss_needs() -> None:
    class Own(tg.features.Features):
        def __init__(self, n_features: int) -> None:
            self._set_fields(n_features, 0.1, 1.0, tg.features.Uniform(), False)

        def active(self, n_samples: int, generator: np.random.Generator) -> np.ndarray:  # type: ignore[type-arg]
            return generator.random((n_samples, self.n_features)) < self.density

    class Blocked(Own):
        def blocks(self) -> tg.features.Blocks:
            return SPARSE.blocks()

    recipe = tg.Recipe(steps=2, batch_size=64, evaluation_samples=64)
    assert tg.train(tg.nets.ReluOutput(5, 2), Own(5), recipe, progress=False)["status"].item() == "finished"
    with pytest.raises(tg.InvalidInputError, match=r"Own has no independent blocks: give it a method blocks\(\)"):
        tg.exact.loss(PENTAGON, np.zeros(5), Own(5))
    assert tg.exact.loss(PENTAGON, np.zeros(5), Blocked(5)) == tg.exact.loss(PENTAGON, np.zeros(5), SPARSE)


def test_the_version_is_there() -> None:
    assert tg.__version__[0].isdigit()


def written(net: tg.nets.Net, params: dict[str, object], features: tg.features.Features, name: str = "one.safetensors") -> None:
    """A file of one model as training writes it, with these parameters."""
    recipe = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64)
    data = tg.train(net, features, recipe, progress=False)
    write_dataset(
        data.assign({key: data[key].copy(data=np.broadcast_to(one, data[key].shape)) for key, one in params.items()}), name
    )


TIED = {"W": [[1.0, -0.9, 0.3]], "b": [0.1, 0.05, 0.0]}
UNTIED = {"W1": [[1.0, -0.9, 0.3]], "W2": [[0.8], [-0.7], [0.5]], "b": [0.1, 0.05, 0.0]}


@pytest.mark.parametrize(
    ("net", "params", "activation", "judged"),
    [
        (tg.nets.ReluHidden(3, 1), TIED, "relu", tg.nets.ReluHidden(3, 1)),
        (tg.nets.UntiedNeurons(3, 1, hidden_bias=True), UNTIED | {"b_hidden": [0.2]}, "relu", None),
        (tg.nets.Untied(3, 1, hidden_bias=True), UNTIED | {"b_hidden": [0.2]}, "linear", None),
        (tg.nets.ActivationOutput(3, 1, activation="tanh"), TIED, "relu", tg.nets.ReluOutput(3, 1)),
        (tg.nets.ReluOutput(3, 1, bias=False), {"W": TIED["W"]}, "linear", tg.nets.Linear(3, 1, bias=False)),
    ],
)
def test_another_output_leaves_the_rest_of_a_net(
    net: tg.nets.Net, params: dict[str, object], activation: str, judged: tg.nets.Net | None, capsys: pytest.CaptureFixture[str]
) -> None:
    features = tg.features.Independent(3, density=0.3)
    written(net, params, features)
    judged = judged or replace(net, activation={"linear": "identity"}.get(activation, activation))
    expected = tg.expected_loss(judged, {key: np.array(one) for key, one in params.items()}, features)
    assert expected.method == "exact"
    for command in ("exact-loss", "inspect --starts 2"):
        found = json.loads(said(f"{command} one.safetensors --activation {activation} --json", capsys))
        assert found["models"][0]["loss"] == pytest.approx(float(expected.value), rel=1e-9)
        assert ("+ b" in found["model"]) == net.bias


def test_the_output_of_neurons_is_not_another_one(capsys: pytest.CaptureFixture[str]) -> None:
    features = tg.features.Independent(3, density=0.3)
    written(tg.nets.ReluHidden(3, 1), TIED, features)
    for command in ("exact-loss", "inspect"):
        assert run([command, "one.safetensors", "--activation", "linear"]) == 2
        assert (
            "--activation is linear and the models are of ReluHidden: leave --activation out: their output is relu"
            in capsys.readouterr().err
        )
    net = tg.nets.UntiedNeurons(3, 1)
    written(net, UNTIED, features)
    found = json.loads(said("inspect one.safetensors --activation linear --json", capsys))
    expected = tg.expected_loss(
        replace(net, activation="identity"), {key: np.array(one) for key, one in UNTIED.items()}, features
    )
    assert found["models"][0]["loss"] == pytest.approx(float(expected.value), rel=1e-9)


def test_single_neurons_have_a_loss_and_a_shape_and_no_best_bias(capsys: pytest.CaptureFixture[str]) -> None:
    features = tg.features.Independent(3, density=0.3)
    for net, params in (
        (tg.nets.ReluHidden(3, 1, hidden_bias=True), TIED | {"b_hidden": [0.2]}),
        (tg.nets.UntiedNeurons(3, 1), UNTIED),
    ):
        written(net, params, features)
        expected = tg.exact.loss(params, features=features, net=net)
        for command in ("exact-loss", "inspect"):
            model = json.loads(said(f"{command} one.safetensors --json", capsys))["models"][0]
            assert model["loss"] == pytest.approx(float(expected), rel=1e-9)
            assert "best_bias_loss" not in model
        assert ("shape" in model) == net.tied


def test_models_minimised_with_a_penalty_are_compared_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    net, features = tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.2)
    data = tg.exact.minimise(net, features, seeds=2, penalties=[tg.exact.Interference(0.02)], progress=False)
    write_dataset(data, "penalised.safetensors")
    found = json.loads(said("inspect penalised.safetensors --starts 4 --json", capsys))
    lowest = tg.exact.minimise(net, features, seeds=4, progress=False).loss.min().item()
    assert found["models"][0]["excess"] == pytest.approx(found["models"][0]["loss"] / lowest - 1, abs=1e-6)
    words = said("inspect penalised.safetensors --starts 2", capsys)
    assert "the models were minimised with Interference(0.02); both excesses are of the loss without" in words.replace(
        "weight=", ""
    )


def test_identity_outputs_are_never_dead_and_large_untied_nets_are_not_certified(capsys: pytest.CaptureFixture[str]) -> None:
    features = tg.features.Independent(3, density=0.3)
    silent = {"W1": np.zeros((1, 3)), "W2": np.zeros((3, 1)), "b": np.zeros(3)}
    for activation, dead in (("identity", 0), ("relu", 3)):
        written(tg.nets.Untied(3, 1, activation=activation), silent, features)
        assert json.loads(said("inspect one.safetensors --starts 2 --json", capsys))["models"][0]["dead"] == dead
    asked: list[bool] = []

    def noted(net: tg.nets.Net, *_: object, certify: bool, **__: object) -> xr.Dataset:
        asked.append(certify)
        return xr.Dataset({"loss": ("seed", [0.0])})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspecting, "minimise", noted)
        for net in (tg.nets.ReluOutput(20, 18), tg.nets.Untied(20, 18)):
            inspecting._tries(net, tg.features.Independent(20), 1, 1.0)
    assert asked == [True, False]


def test_models_without_an_exact_loss_are_drawn_as_those_that_are_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[xr.Dataset] = []
    monkeypatch.setattr(inspecting, "_drawn", lambda data, _: drawn.append(data) or [])
    recipe = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64)
    net = tg.nets.UntiedNeurons(3, 2)
    write_dataset(tg.train(net, tg.features.Independent(3, density=0.3), recipe, progress=False), "two.safetensors")
    assert "no exact loss" in said("inspect two.safetensors --density 0.7 --activation linear --picture two.html", capsys)
    assert {*tg.features_of(drawn[0]).density.ravel().tolist()} == {0.7}
    assert drawn[0].attrs["net"] == repr(replace(net, activation="identity"))


def test_another_array_of_a_file_is_judged_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    features = tg.features.Independent(3, density=0.3)
    written(tg.nets.UntiedNeurons(3, 1), UNTIED, features)
    loss = tg.exact.loss(np.array(UNTIED["W1"]), np.zeros(3), features)
    for command in ("exact-loss", "inspect --starts 2"):
        model = json.loads(said(f"{command} one.safetensors --array W1 --bias none --density 0.3 --json", capsys))["models"][0]
        assert model["loss"] == pytest.approx(float(loss), rel=1e-9)


def test_a_page_has_the_losses_of_the_output_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    features = tg.features.Independent(3, density=0.3)
    written(tg.nets.Untied(3, 1), UNTIED, features)
    params = {key: np.array(one) for key, one in UNTIED.items()}
    for options, activation in (("", "relu"), (" --activation linear", "identity")):
        expected = tg.exact.loss(params, features=features, net=tg.nets.Untied(3, 1, activation=activation))
        assert f"{float(expected):.6g}" in said(f"show one.safetensors{options}", capsys)
        said(f"inspect one.safetensors --starts 2 --picture drawn.html{options}", capsys)
        assert f"{float(expected):.6g}" in Path("drawn.html").read_text(encoding="utf-8")
    assert run(["inspect", "one.safetensors", "--mean", "--picture", "one.html"]) == 2
    assert "--mean is given with --picture: leave one of them out: pictures show sums" in capsys.readouterr().err
    assert run(["show", "one.safetensors", "--mean"]) == 2
    assert "tegum show has no option --mean: " in capsys.readouterr().err
