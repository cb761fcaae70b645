"""Files are whole or absent, come back as they were, and a resumed training equals an uninterrupted one."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.caching import Call
from tegum.cli import run
from tegum.features import Independent
from tegum.nets import ReluOutput
from tegum.runs import read_dataset, train_to, write_dataset
from tests.oracle.datasets import without_time

RECIPE = tg.Recipe(steps=30, batch_size=64, seeds=3, evaluation_samples=640, record_steps=3)
SWEEP = {"density": [1.0, 0.5, 0.1], "l1": [0.0, 0.1]}


def test_a_dataset_comes_back_as_it_was(tmp_path: Path) -> None:
    data = tg.train(ReluOutput(4, 2), Independent(4), RECIPE, sweep=SWEEP)
    write_dataset(data, tmp_path / "a" / "data.safetensors")
    xr.testing.assert_identical(read_dataset(tmp_path / "a" / "data.safetensors"), data)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["data.safetensors"]


def test_a_selection_without_axes_comes_back_as_it_was(tmp_path: Path) -> None:
    data = tg.best(tg.train(ReluOutput(4, 2), Independent(4), RECIPE))
    assert data["loss"].ndim == 0
    write_dataset(data, tmp_path / "best.safetensors")
    xr.testing.assert_identical(read_dataset(tmp_path / "best.safetensors"), data)


@pytest.mark.parametrize("sweep", [SWEEP, {}, {"pair": tg.Axis(["a", "b"], density=[1, 0.1], l1=[0, 0.1])}], ids=str)
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path: Path, sweep: dict[str, object]) -> None:
    whole = tg.train(ReluOutput(4, 2), Independent(4), RECIPE, sweep=sweep)
    first = train_to(tmp_path, ReluOutput(4, 2), Independent(4), RECIPE, sweep=sweep)
    pieces = sorted(tmp_path.iterdir())
    assert len(pieces) == first.sizes[next(iter(sweep), "seed")]
    pieces[0].unlink()
    stamps = {path: path.stat().st_mtime_ns for path in pieces[1:]}
    again = train_to(tmp_path, ReluOutput(4, 2), Independent(4), RECIPE, sweep=sweep)
    xr.testing.assert_identical(without_time(again), without_time(whole))
    assert {path: path.stat().st_mtime_ns for path in pieces[1:]} == stamps


def test_another_problem_has_other_pieces(tmp_path: Path) -> None:
    for n_steps, density in ((30, 0.5), (31, 0.5), (30, 0.5000001)):
        train_to(tmp_path, ReluOutput(4, 2), Independent(4, density=density), RECIPE.replaced(steps=n_steps, seeds=1))
    assert len(list(tmp_path.iterdir())) == 3


def test_an_interrupted_piece_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Call.run
    monkeypatch.setattr(Call, "run", lambda call: run(call).assign_attrs(interrupted=1))
    data = train_to(tmp_path, ReluOutput(4, 2), Independent(4), RECIPE, sweep=SWEEP)
    assert data.attrs["interrupted"] == 1
    assert data.sizes["density"] == 1
    assert list(tmp_path.iterdir()) == []


def test_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "data.safetensors"
    with pytest.raises(tg.InvalidInputError, match="there is no file"):
        read_dataset(path)
    write_dataset(xr.Dataset({"a": ("x", np.arange(3))}), path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(tg.InvalidInputError, match=r"is damaged .* delete it"):
        read_dataset(path)
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, path)
    with pytest.raises(tg.InvalidInputError, match="not a dataset of this version"):
        read_dataset(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(tg.InvalidInputError, match="cannot be written"):
        write_dataset(xr.Dataset({"a": ("x", np.arange(3))}), tmp_path / "file" / "data.safetensors")


def test_the_result_of_another_training_is_kept_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "-n", "3", "-m", "2", "--steps", "2", "--seeds", "1", "--out", str(tmp_path), "--density"]
    assert run([*words, "0.5"]) == 0
    first = read_dataset(tmp_path / "result.safetensors")
    assert run([*words, "0.5"]) == 0
    assert not list(tmp_path.glob("*.older"))
    capsys.readouterr()
    assert run([*words, "0.5,0.1"]) == 0
    assert "was not of this training: it is kept as result.safetensors.1.older" in capsys.readouterr().out
    np.testing.assert_array_equal(read_dataset(tmp_path / "result.safetensors.1.older")["W"], first["W"])
    assert read_dataset(tmp_path / "result.safetensors").sizes["density"] == 2
