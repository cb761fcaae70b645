"""`tegum identify` reads weights from anywhere and says what the library says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import tegum as tg
from tegum.cli import run
from tegum.cli.arrays import read_matrices
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


@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors"])
def test_weights_from_anywhere(suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    if suffix == "npy":
        np.save("weights.npy", W)
    elif suffix == "npz":
        np.savez("weights.npz", encoder=W, bias=np.zeros(8))
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
    assert said("weights.npz", capsys).count("3 dedicated") == 1
    assert [one["label"] for one in models("weights.npz --array other --rows", capsys)] == ["pentagon + digon"] * 2
    assert "2 models: 8 features in 4 dimensions, array other" in said("weights.npz --array other --rows", capsys)


def test_results_of_tegum_keep_the_names_of_their_axes(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tg.Recipe(steps=30, seeds=2, batch_size=64)
    data = tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), recipe, sweep={"density": [0.5, 0.1]})
    write_dataset(data, Path("result.safetensors"))
    found = models("result.safetensors", capsys)
    assert [(one["density"], one["seed"]) for one in found] == [(0.5, 0), (0.5, 1), (0.1, 0), (0.1, 1)]
    np.testing.assert_array_equal(read_matrices(Path("result.safetensors")).W, data["W"].values)
    with pytest.raises(tg.InvalidInputError, match="has axes density, seed, feature"):
        read_matrices(Path("result.safetensors"), "b")
    with pytest.raises(tg.InvalidInputError, match="choose --array among"):
        read_matrices(Path("result.safetensors"), "V")


def test_many_models_are_counted_and_what_diverged_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    many = np.stack([SHAPES["digon"]] * 30)
    many[3, 0, 0] = np.nan
    np.save("weights.npy", many)
    text = said("weights.npy", capsys)
    assert "29 ( 97%)  digon" in text
    assert "1 (  3%)  diverged" in text
    assert models("weights.npy", capsys)[3] == {"model": 3, "label": "diverged"}


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02hello"])
@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors"])
def test_damaged_files_are_a_mistake(content: bytes, suffix: str) -> None:
    Path(f"weights.{suffix}").write_bytes(content)
    with pytest.raises(tg.InvalidInputError, match="is damaged, or no"):
        read_matrices(Path(f"weights.{suffix}"))


def test_objects_are_refused() -> None:
    np.save("weights.npy", np.array([[None]]), allow_pickle=True)
    with pytest.raises(tg.InvalidInputError, match="pickled objects, or no array"):
        read_matrices(Path("weights.npy"))
    save_file({"W": np.ones((2, 2), np.int8)}, "weights.safetensors")
    with pytest.raises(tg.InvalidInputError, match="save it as 32- or 64-bit floats"):
        read_matrices(Path("weights.safetensors"))


def test_state_dicts_of_pytorch(capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"net": {"encoder.weight": torch.tensor(W).bfloat16(), "b": torch.zeros(8)}}, "weights.pt")
    assert models("weights.pt", capsys)[0]["label"] == "pentagon + digon"
    assert "array net.encoder.weight" in said("weights.pt", capsys)
    torch.save(torch.nn.Linear(3, 2), "whole.pt")
    Path("text.pt").write_text("hello")
    for name in ("whole.pt", "text.pt"):
        with pytest.raises(tg.InvalidInputError, match=r"torch.save\(model.state_dict"):
            read_matrices(Path(name))


def test_without_pytorch_a_state_dict_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("tegum.cli.arrays.import_module", missing)
    Path("weights.pt").write_bytes(b"")
    with pytest.raises(tg.InvalidInputError, match="PyTorch is not installed"):
        read_matrices(Path("weights.pt"))
