"""`tegum exact-loss` gives the library's numbers, for plain weights and for tegum's own files, and says whose they are."""

import csv
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import tegum as tg
from tegum.cli import run
from tegum.cli.exact_loss import _equation
from tegum.runs import is_dataset, read_dataset, write_dataset

RNG = np.random.default_rng(3)
W = RNG.normal(size=(3, 2, 4)) * 0.7
B = RNG.normal(size=(3, 4)) * 0.1
RECIPE = tg.Recipe(steps=200, seeds=2, batch_size=256, evaluation_samples=4096)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["exact-loss", *words.split()]) == 0
    return capsys.readouterr().out


def models(words: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(said(words + " --json", capsys))["models"]
    return found


DISTRIBUTIONS = {
    "--density 0.1": tg.features.Independent(4, density=0.1),
    "--density 0.1,0.2,0.3,0.4 --importance geometric:0.5": tg.features.Independent(
        4, density=[0.1, 0.2, 0.3, 0.4], importance=tg.features.geometric(0.5, 4)
    ),
    "--density 0.2 --importance 1,2,3,4 --sets correlated:2": tg.features.CorrelatedSets(2, 2, 0.2, [1, 2, 3, 4]),
    "--density 0.1,0.3 --sets correlated:2": tg.features.CorrelatedSets(2, 2, [0.1, 0.3]),
    "--density 0.1 --sets anticorrelated:4": tg.features.AnticorrelatedSets(1, 4, 0.1),
    "--density 0.3 --sets independent --magnitudes uniform": tg.features.Independent(4, density=0.3),
    "--density 0.3 --magnitudes exponential:0.5": tg.features.Independent(4, 0.3, magnitude=tg.features.Exponential(0.5)),
}


@pytest.mark.parametrize("options", DISTRIBUTIONS)
@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_plain_weights_get_the_library_s_losses(
    options: str, suffix: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if suffix == "npz":
        np.savez("weights.npz", W=W, b=B)
    else:
        save_file({"W": W, "b": B}, "weights.safetensors")
    expected = tg.exact.evaluate(W, B, DISTRIBUTIONS[options])
    found = models(f"weights.{suffix} {options}", capsys)
    assert [model["instance"] for model in found] == [0, 1, 2]
    assert [model["loss"] for model in found] == expected.loss.values.tolist()
    assert [model["loss_error"] for model in found] == expected.loss_error.values.tolist()
    assert [model["terms"] for model in found] == expected.terms.values.tolist()
    assert [model["squared_error"] for model in found] == expected.squared_error.values.tolist()


def test_the_map_the_output_and_the_tolerance_are_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    G, features = W.swapaxes(-1, -2) @ W, tg.features.Independent(4, density=0.3)
    np.savez("map.npz", G=G, b=B)
    np.savez("weights.npz", W=W[0])
    linear = models("map.npz --density 0.3 --activation linear", capsys)
    expected = tg.exact.loss(G, B, features, tied=False, net=tg.nets.Linear(4, 4))
    assert [model["loss"] for model in linear] == np.asarray(expected).tolist()
    coarse = models("weights.npz --density 0.3 --tol 1e-4", capsys)[0]
    assert coarse["loss"] == tg.exact.evaluate(W[0], np.zeros(4), features, tol=1e-4).loss
    assert coarse["terms"] < models("weights.npz --density 0.3", capsys)[0]["terms"]


@pytest.mark.parametrize("shape", [(3, 4), (3, 1, 4)])
def test_every_model_has_its_own_bias(shape: tuple[int, ...], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("weights.npz", W=W, b_final=B.reshape(shape))
    expected = np.asarray(tg.exact.loss(W, B, tg.features.Independent(4, density=0.1)))
    assert [model["loss"] for model in models("weights.npz --density 0.1", capsys)] == expected.tolist()
    assert f"b from b_final {shape}, one for each instance" in said("weights.npz --density 0.1", capsys)


def test_rows_names_and_biases_are_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("weights.npz", first=W.swapaxes(1, 2), second=W, b_1=B, b_2=B + 1)
    features = tg.features.Independent(4, density=0.1)
    found = models("weights.npz --density 0.1 --array first --rows --bias b_2", capsys)
    assert [model["loss"] for model in found] == np.asarray(tg.exact.loss(W, B + 1, features)).tolist()
    found = models("weights.npz --density 0.1 --array second --bias none", capsys)
    assert [model["loss"] for model in found] == np.asarray(tg.exact.loss(W, np.zeros(4), features)).tolist()


def test_numbers_may_belong_to_features_or_to_models(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    four = RNG.normal(size=(4, 2, 4))
    np.savez("weights.npz", W=four)
    density = [0.1, 0.2, 0.3, 0.4]
    text = ",".join(map(str, density))
    for axis, values in {"feature": [density], "instance": np.array(density)[:, None]}.items():
        expected = np.asarray(tg.exact.loss(four, np.zeros(4), tg.features.Independent(4, values)))
        assert [model["loss"] for model in models(f"weights.npz --density {axis}:{text}", capsys)] == expected.tolist()
        importance = models(f"weights.npz --density 0.1 --importance {axis}:1,2,3,4", capsys)
        each = np.array([1.0, 2, 3, 4]) if axis == "feature" else np.array([[1.0], [2], [3], [4]])
        expected = np.asarray(tg.exact.loss(four, np.zeros(4), tg.features.Independent(4, 0.1, each)))
        assert [model["loss"] for model in importance] == expected.tolist()
    assert "density 0.1 to 0.4 between instances" in said(f"weights.npz --density instance:{text}", capsys)
    assert "density 0.1 to 0.4 between features" in said(f"weights.npz --density feature:{text}", capsys)


def test_a_few_models_get_a_line_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("weights.npz", W=W)
    lines = said("weights.npz --density 0.1 --per-feature", capsys).splitlines()
    assert lines[0] == (
        "weights.npz: npz: W (3, 2, 4), a column for each feature, n = 4, m = 2, 3 instances; b = 0, there is no bias"
    )
    assert lines[1] == "y = ReLU(WᵀW x + b); features: Independent, density 0.1, importance 1, Uniform()"
    assert lines[2].split() == ["instance", "loss", "loss_error", "terms"]
    errors = tg.exact.squared_errors(W, np.zeros(4), tg.features.Independent(4, density=0.1))
    assert lines[6:8] == ["squared error of each feature:", lines[7]]
    assert lines[7].split() == ["instance", "0", "1", "2", "3"]
    for i in range(3):
        assert lines[3 + i].split()[0] == str(i)
        assert float(lines[3 + i].split()[1]) == pytest.approx(errors[i].sum(), rel=1e-10)
        assert lines[8 + i].split() == [str(i), *(f"{value:.6g}" for value in errors[i])]


def test_many_models_get_their_best_median_and_worst(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = RNG.normal(size=(41, 1, 2))
    np.savez("weights.npz", W=many, b=np.zeros(2))
    losses = np.asarray(tg.exact.loss(many, np.zeros(2), tg.features.Independent(2, density=0.1)))
    lines = said("weights.npz --density 0.1 --out all.csv --per-feature", capsys).splitlines()
    assert lines[2] == "the best of 41 models"
    assert lines[3].split() == ["instance", "loss", "median", "worst", "loss_error", "terms"]
    shown = [losses.min(), np.median(losses), losses.max()]
    assert lines[4].split()[:4] == [str(losses.argmin()), *(f"{value:.12g}" for value in shown)]
    assert len(lines) == 9
    assert lines[-1] == "everything: all.csv"
    with Path("all.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["instance", "loss", "loss_error", "terms", "squared_error_0", "squared_error_1"]
    assert [float(row["loss"]) for row in rows] == losses.tolist()


def test_a_trained_sweep_brings_its_features(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    features = tg.features.CorrelatedSets(2, 2, density=0.5, importance=[1, 2, 3, 4], magnitude=tg.features.Exponential(0.7))
    data = tg.train(tg.nets.ReluOutput(4, 2), features, RECIPE, sweep={"density": [[0.1, 0.3], [0.5, 0.6]]})
    write_dataset(data, Path("result.safetensors"))
    found = models("result.safetensors", capsys)
    trained_on = features.replaced(density=np.array([[[0.1, 0.3]], [[0.5, 0.6]]]))
    expected = np.asarray(tg.exact.loss(data.W.values, data.b.values, trained_on))
    assert [model["loss"] for model in found] == expected.reshape(-1).tolist()
    assert [(model["density"], model["seed"]) for model in found] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    strays = [abs(model["sampled_loss"] - model["loss"]) / model["loss_standard_error"] for model in found]
    assert max(strays) < 6
    lines = said("result.safetensors", capsys).splitlines()
    assert lines[1] == (
        "y = ReLU(WᵀW x + b); features: CorrelatedSets 2 x 2, density 0.1 to 0.6 between features and instances, "
        "importance 1 to 4 between features, Exponential(mean=0.7), as the file says"
    )
    assert lines[2].split() == ["density", "seed", "loss", "loss_error", "terms", "sampled_loss", "loss_standard_error"]
    other = models("result.safetensors --density 0.2 --magnitudes uniform", capsys)
    changed = tg.features.CorrelatedSets(2, 2, density=0.2, importance=[1, 2, 3, 4])
    assert [model["loss"] for model in other] == tg.exact.loss(data.W.values, data.b.values, changed).reshape(-1).tolist()
    assert "sampled_loss" not in other[0]


@pytest.mark.parametrize("name", ["independent", "anticorrelated:2"])
def test_sets_replace_those_of_the_file(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tg.train(tg.nets.Linear(4, 2), tg.features.CorrelatedSets(2, 2, density=[0.1, 0.3]), RECIPE.replaced(seeds=1))
    write_dataset(data, Path("result.safetensors"))
    density = [0.1, 0.1, 0.3, 0.3]
    sets = tg.features.Independent(4, density) if name == "independent" else tg.features.AnticorrelatedSets(2, 2, density)
    expected = tg.exact.loss(data.W.values[0], data.b.values[0], sets, net=tg.nets.Linear(4, 2))
    assert models(f"result.safetensors --sets {name}", capsys)[0]["loss"] == expected


def test_a_census_is_read_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tg.exact.minimise(tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.2), seeds=3, progress=False)
    write_dataset(tg.best(data), Path("best.safetensors"))
    found = models("best.safetensors", capsys)
    # the census has looked at the gradient, too, which may ask for more terms
    assert [model["loss"] for model in found] == [pytest.approx(tg.best(data).loss.item(), rel=1e-9)]
    assert found[0]["status"] == "minimum"


def test_a_diverged_model_is_a_row_without_a_loss(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.2), RECIPE)
    data["W"][1] = np.nan
    data["status"][1] = "diverged"
    write_dataset(data, Path("result.safetensors"))
    found = models("result.safetensors", capsys)
    assert found[0]["loss"] > 0
    assert found[1]["loss"] is None
    assert found[1]["squared_error"] == [None] * 3
    assert found[1]["status"] == "diverged"
    assert "1 without a loss: weights not finite (diverged), or not below 1e+30" in said("result.safetensors", capsys)
    np.savez("weights.npz", W=np.where(np.arange(3)[:, None, None] == 1, np.inf, W), b=B)
    assert [model["loss"] is None for model in models("weights.npz --density 0.1", capsys)] == [False, True, False]
    assert "1 without a loss: weights not finite (diverged), or not below 1e+30" in said("weights.npz --density 0.1", capsys)


def test_a_grid_of_many_models_gets_a_line_for_each_point(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = {"density": [0.1, 0.5]}
    data = tg.train(tg.nets.ReluOutput(2, 1), tg.features.Independent(2), RECIPE.replaced(seeds=11, steps=5), sweep=sweep)
    write_dataset(data, Path("result.safetensors"))
    lines = said("result.safetensors --out all.json", capsys).splitlines()
    assert lines[2] == "the best of 11 models for each density"
    assert [line.split()[0] for line in lines[3:6]] == ["density", "0.1", "0.5"]
    best = tg.exact.loss(data.W.values, data.b.values, tg.features.Independent(2, density=[[[0.1]], [[0.5]]]))
    assert [int(line.split()[1]) for line in lines[4:6]] == np.argmin(best, axis=1).tolist()
    assert len(json.loads(Path("all.json").read_text(encoding="utf-8"))["models"]) == 22


def test_losses_of_other_features_are_noticed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laws = (tg.features.Uniform(), tg.features.Exponential(2.0))
    axis = tg.Axis(["uniform", "exponential"], magnitude=laws)
    data = tg.train(tg.nets.ReluOutput(2, 1), tg.features.Independent(2), RECIPE, sweep={"law": axis}).sel(law="exponential")
    write_dataset(data, Path("result.safetensors"))
    assert "were these their features?" not in said("result.safetensors", capsys)
    write_dataset(data.drop_vars("feature_magnitude"), Path("result.safetensors"))
    assert "standard errors (median): were these their features?" in said("result.safetensors", capsys)


def test_a_tolerance_that_was_not_met_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez("weights.npz", W=W, b=B)
    found = tg.exact.evaluate(W, B, tg.features.Independent(4, density=0.1), terms=8)
    monkeypatch.setattr(import_module("tegum.cli.exact_loss"), "evaluate", lambda *arguments, **options: found)
    assert "3 with an error above 1e-09 of the loss" in said("weights.npz --density 0.1", capsys)


REFUSED = {
    "hidden.safetensors": (
        "the models are of ReluHidden: the exact engine knows nets whose hidden units are linear, such as ReluOutput"
    ),
    "sparse.safetensors": (
        "the magnitudes are Exponential without an upper end: "
        "take a sample of it for the law itself, FiniteLaw(features.sample(100_000, seed=0))"
    ),
    "signs.safetensors --density 0.1": "the kind of features varies along signed: write those of one kind: "
    'tegum.runs.write_dataset(tegum.open(FILE).isel(signed=0), "one.safetensors") in Python',
    "mixed.safetensors --sets correlated:2": (
        "the file's densities differ within a correlated set: give --density, one for each set"
    ),
    "loss.safetensors": "loss.safetensors holds no W with axes hidden and feature: give a dataset of models",
    "eight.safetensors --density 0.1": "W holds object values: give real numbers, such as 32- or 64-bit floats",
}


@pytest.fixture
def datasets(folder: Path) -> None:
    net, short = tg.nets.ReluOutput(4, 2), RECIPE.replaced(steps=2)
    mixed = tg.train(net, tg.features.Independent(4, density=[0.1, 0.2, 0.3, 0.3]), short)
    for name, data in {
        "hidden": tg.train(tg.nets.ReluHidden(4, 2), tg.features.Independent(4), short),
        "sparse": tg.train(tg.nets.ReluOutput(14, 2), tg.features.KSparse(14, 5, magnitude=tg.features.Exponential()), short),
        "signs": tg.train(net, tg.features.Independent(4), short, sweep={"signed": [False, True]}),
        "mixed": mixed,
        "loss": mixed[["loss"]].drop_attrs(),
    }.items():
        write_dataset(data, Path(f"{name}.safetensors"))
    header = json.dumps({"W": {"dtype": "F8_E4M3", "shape": [1, 2], "data_offsets": [0, 2]}}).encode()
    Path("eight.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(2))


@pytest.mark.usefixtures("datasets")
def test_files_that_the_engine_cannot_judge_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words, message in REFUSED.items():
        assert run(["exact-loss", *words.split()]) == 2
        assert capsys.readouterr().err == f"tegum: {message}\n"


def test_only_datasets_of_tegum_count_as_such(folder: Path) -> None:
    save_file({"W": W}, "plain.safetensors")
    assert not is_dataset(Path("plain.safetensors"))
    write_dataset(tg.train(tg.nets.Linear(2, 1), tg.features.Independent(2), RECIPE), Path("ours.safetensors"))
    assert is_dataset(Path("ours.safetensors"))
    assert "W" in read_dataset(Path("ours.safetensors"))


def test_what_a_net_computes_is_said() -> None:
    for net, words in (
        (tg.nets.ReluOutput(3, 2), "ReLU(WᵀW x + b)"),
        (tg.nets.Linear(3, 2), "WᵀW x + b"),
        (tg.nets.ActivationOutput(3, 2, activation="gelu"), "gelu(WᵀW x + b)"),
        (tg.nets.Untied(3, 2), "ReLU(W₂W₁ x + b)"),
        (tg.nets.Untied(3, 2, activation="tanh", hidden_bias=True), "tanh(W₂ (W₁ x + c) + b)"),
        (tg.nets.ReluHidden(3, 1), "ReLU(Wᵀ ReLU(W x) + b)"),
    ):
        assert _equation(net, tied=True) == words
    assert _equation(tg.nets.ReluOutput(3, 3), tied=False) == "ReLU(G x + b)"
