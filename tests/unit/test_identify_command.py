"""`tegum identify` reads weights from anywhere and says what the library says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import tegum as tg
from tegum.cli import run
from tegum.runs import write_dataset
from tests.oracle.polytopes import SHAPES, summed

W = summed([SHAPES["pentagon"], SHAPES["digon"], SHAPES["dropped"]])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["identify", *words.split()]) == 0
    return capsys.readouterr().out


def models(words: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(said(words + " --json", capsys))["models"]
    return found


def test_the_folder_of_a_result_is_opened(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dataset(tg.read_weights(saved(folder)), folder / "five" / "result.safetensors")
    assert "pentagon + digon (pentagonal bipyramid)" in said("five", capsys)


def saved(folder: Path) -> Path:
    np.savez(folder / "weights.npz", encoder=W, bias=np.zeros(8))
    return folder / "weights.npz"


@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors"])
def test_weights_from_anywhere(suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    if suffix == "npy":
        np.save("weights.npy", W)
    elif suffix == "npz":
        saved(Path())
    else:
        save_file({"encoder": W.astype(np.float32), "bias": np.zeros(8)}, "weights.safetensors")
    text = said(f"weights.{suffix}", capsys)
    assert "pentagon + digon (pentagonal bipyramid)" in text
    assert "0 1 2 3 4" in text
    assert "not learned" in text
    found = models(f"weights.{suffix}", capsys)[0]
    assert found["names"] == ["pentagon"] * 5 + ["digon"] * 2 + ["not learned"]
    assert found["polytope"] == "pentagonal bipyramid"
    assert [component["dimensions"] for component in found["components"]] == [2, 1]


def test_rows_may_be_features_and_arrays_are_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("weights.npz", W=np.eye(3), other=np.stack([W.T, W.T]))
    assert said("weights.npz --array W", capsys).count("3 dedicated") == 1
    assert [one["label"] for one in models("weights.npz --array other --rows", capsys)] == ["pentagon + digon"] * 2
    assert said("weights.npz --array other --rows", capsys).splitlines()[0] == (
        "weights.npz: npz: W from other (2, 8, 4), a row for each feature, n = 8, m = 4, 2 instances; b = 0, there is no bias; "
        "not used: W (3, 3)"
    )


def test_few_columns_are_not_taken_for_few_features(capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("weights.npz", W=np.stack([W.T] * 10))
    assert run(["identify", "weights.npz"]) == 2
    assert "fewer columns than rows: add --rows if a row is a feature" in capsys.readouterr().err
    assert said("weights.npz --rows", capsys).count("pentagon + digon") == 10
    assert "dedicated" in said("weights.npz --no-rows", capsys)


def test_results_of_tegum_keep_the_names_of_their_axes(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tg.Recipe(steps=30, seeds=2, batch_size=64)
    data = tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), recipe, sweep={"density": [0.5, 0.1]})
    write_dataset(data, Path("result.safetensors"))
    found = models("result.safetensors", capsys)
    assert [(one["density"], one["seed"]) for one in found] == [(0.5, 0), (0.5, 1), (0.1, 0), (0.1, 1)]
    assert "  density 0.5, seed 1 " in said("result.safetensors", capsys)


def test_many_models_are_counted_and_what_diverged_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    many = np.stack([SHAPES["digon"]] * 30)
    many[3, 0, 0] = np.nan
    np.save("weights.npy", many)
    text = said("weights.npy", capsys)
    assert "29 ( 97%)  digon" in text
    assert "1 (  3%)  diverged" in text
    assert models("weights.npy", capsys)[3] == {"instance": 3, "label": "diverged"}


def test_what_fits_no_shape_has_no_fit_error(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("weights.npy", np.random.default_rng(0).normal(size=(3, 9)))
    component = models("weights.npy", capsys)[0]["components"][0]
    assert component["name"].startswith("irregular")
    assert component["fit_error"] is None
    assert " - " in said("weights.npy", capsys)


def test_a_map_has_no_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("map.npz", G=np.eye(3))
    assert run(["identify", "map.npz"]) == 2
    assert "map.npz holds a map G, which has no hidden dimensions" in capsys.readouterr().err
