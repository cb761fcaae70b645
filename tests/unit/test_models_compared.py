"""What commands compare: starts of the same features with each other, losses of the features and of the net that are meant."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.runs import write_dataset
from tests.unit.commands import refused, said

NET = tg.nets.ReluOutput(2, 1)
QUICK = tg.Recipe(steps=2, batch_size=64, evaluation_samples=64, seeds=3)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def models(words: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(said(f"{words} --json", capsys))["models"]
    return found


def rows(text: str, count: int = 2) -> list[dict[str, str]]:
    """The first rows of the table of `exact-loss` or `inspect`, by their columns; a shape of two words loses its second."""
    lines = [line.split() for line in text.splitlines()]
    head = next(k for k, line in enumerate(lines) if "loss" in line and "loss_error" in line)
    return [dict(zip(lines[head], line, strict=False)) for line in lines[head + 1 : head + 1 + count]]


def test_instances_of_different_features_are_no_repetitions(capsys: pytest.CaptureFixture[str]) -> None:
    density = np.geomspace(1, 0.01, 21)
    W = np.random.default_rng(0).normal(size=(21, 1, 2)) * 0.7
    np.savez("mine.npz", W=W, b=np.zeros((21, 2)))
    exact = np.asarray(tg.exact.loss(W, np.zeros(2), tg.features.Independent(2, density[:, None])))
    options = "--density instance:" + ",".join(map(str, density))
    text = said(f"exact-loss mine.npz {options}", capsys)
    assert "best of" not in text
    np.testing.assert_allclose([float(row["loss"]) for row in rows(text, 20)], exact[:20], rtol=1e-9)
    assert [one["loss"] for one in models(f"inspect mine.npz {options} --starts 2", capsys)] == exact.tolist()
    same = f"--density instance:{','.join(['0.1'] * 21)}"
    assert "the best of 21 models" in said(f"exact-loss mine.npz {same}", capsys)


def test_a_census_counts_starts_of_the_same_features() -> None:
    data = tg.train(NET, tg.features.Independent(2, [[1.0], [0.01]]), QUICK, progress=False)
    found = tg.census(data.isel(seed=0, drop=True))
    assert found["instance"].values.tolist() == [0, 1]
    assert (found["excess"] == 0).all()
    assert (found["share"] == 1).all()
    titles = list(tg.figures.drawn_models(data).models)
    assert titles == ["instance 0", "instance 1"]


@pytest.mark.parametrize("labels", [["same", "same"], [1.0, None]])
def test_positions_of_one_label_are_two(labels: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    sweep = {"a": tg.Axis(labels, density=[0.1, 0.9])}
    data = tg.train(NET, tg.features.Independent(2), QUICK.replaced(seeds=11), sweep=sweep, progress=False)
    write_dataset(data, "result.safetensors")
    exact = tg.exact.loss(data)
    found = rows(said("exact-loss result.safetensors", capsys))
    for name, values in {"loss": exact.min("seed"), "median": exact.median("seed"), "worst": exact.max("seed")}.items():
        np.testing.assert_allclose([float(row[name]) for row in found], values, rtol=1e-9)
    assert len(tg.figures.drawn_models(data).models) == 2


def test_inspect_says_which_seed_is_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    data = tg.train(NET, tg.features.Independent(2), QUICK.replaced(seeds=21), sweep={"density": [0.1, 0.9]}, progress=False)
    write_dataset(data, "result.safetensors")
    found = rows(said("inspect result.safetensors --starts 2", capsys))
    assert [int(row["seed"]) for row in found] == tg.exact.loss(data).argmin("seed").values.tolist()


def trained() -> xr.Dataset:
    """A file of models of which each density has another best, and in which losses are wrong on purpose."""
    data = tg.train(NET, tg.features.Independent(2), QUICK.replaced(record=("loss", "W", "b"), record_steps=2), progress=False)
    W = np.array([[[1.0, -1.0]], [[1.0, 0.0]], [[0.7, -0.7]]], dtype=np.float32)
    data = data.assign(W=data["W"].copy(data=W), b=data["b"] * 0, loss=data["loss"].copy(data=np.float32([2, 1, 3])))
    write_dataset(data, "result.safetensors")
    return data


def test_losses_of_other_features_stand_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    data = trained()
    exact = np.asarray(tg.exact.loss(data["W"].values, data["b"].values, tg.features.Independent(2, 0.1)))
    best = int(exact.argmin())
    assert best != 1
    text = said("show result.safetensors --density 0.1", capsys)
    assert re.search(r"model +exact loss +shape", text)
    assert re.search(rf"seed {best} +{exact[best]:.6g} ", text)
    said("inspect result.safetensors --density 0.1 --starts 2 --picture it.html", capsys)
    assert f"{exact[best]:.6g}" in Path("it.html").read_text(encoding="utf-8")
    assert "loss_standard_error" not in said("exact-loss result.safetensors --density 0.1", capsys)


def test_losses_of_another_output_stand_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    trained()
    text = said("exact-loss result.safetensors --activation linear", capsys)
    assert "sampled_loss" not in text
    assert "standard errors" not in text
    assert "sampled_loss" in said("exact-loss result.safetensors --activation relu", capsys)
    assert re.search(r"model +exact loss +shape", said("show result.safetensors --activation linear", capsys))


def test_no_page_is_written_over_a_file_of_one_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("mine.npz", W=[[1.0, -1.0]], b=np.zeros(2))
    before = Path("mine.npz").read_bytes()
    Path("lab.html").write_text("my notes", encoding="utf-8")
    for words in (
        "show mine.npz --density 0.1 --page mine.npz",
        "show mine.npz --density 0.1 --page lab.html",
        "lab mine.npz --density 0.1 --no-browser",
        "lab mine.npz --density 0.1 --no-browser --out mine.npz",
        "inspect mine.npz --density 0.1 --starts 2 --picture lab.html",
    ):
        option = re.search("--page|--picture", words)
        named = option[0] if option else "--out"
        says = f"exists, and is no page of tegum's: say where the page goes, such as {named} shown.html\n"
        assert refused(words, capsys).endswith(says)
    assert Path("mine.npz").read_bytes() == before
    assert Path("lab.html").read_text(encoding="utf-8") == "my notes"
    for words in (
        "lab --no-browser --out it.html",
        "show mine.npz --density 0.1 --page it.html",
        "lab --no-browser --out it.html",
    ):
        said(words, capsys)


@pytest.mark.parametrize("words", ["show mine.npz --page", "inspect mine.npz --starts 2 --picture"])
def test_a_page_that_cannot_be_written_is_put_elsewhere_by_its_own_option(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez("mine.npz", W=[[1.0, -1.0]], b=np.zeros(2))
    says = refused(f"{words} /proc/x/p.html --density 0.1", capsys)
    assert says.endswith(f"choose another with {words.split()[-1]}\n")
