"""Corners of commands: folders of two kinds, names that meet, laws without a density, everything wrong in one message."""

import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.cli import run
from tegum.cli.pages import make_room
from tegum.cli.problem import training_of
from tegum.execution.status import _seconds_left
from tegum.runs import write_dataset
from tests.unit.commands import refused, said

F = tg.features
NET = tg.nets.ReluOutput(2, 1)
QUICK = tg.Recipe(steps=2, batch_size=64, evaluation_samples=64, seeds=3)
WORDS = "train -n 2 -m 1 --seeds 2 --steps 2 --out"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trained(features: F.Features = F.Independent(2), **sweep: Any) -> xr.Dataset:  # noqa: B008
    return tg.train(NET, features, QUICK, sweep=sweep, progress=False)


def test_a_folder_of_experiments_and_a_result_holds_both(capsys: pytest.CaptureFixture[str]) -> None:
    write_dataset(trained(), "res/data/intro.safetensors")
    Path("res/parts").mkdir()
    said("lab --no-browser --out res/index.html", capsys)
    before = Path("res/index.html").read_bytes()
    assert "open res/result.html\n" in said(f"{WORDS} res", capsys)
    assert Path("res/index.html").read_bytes() == before
    assert {path.name for path in Path("res").glob("*.html")} == {"index.html", "result.html"}
    advice = "draw them with `tegum report res`, or the result beside them with `tegum show res/result.safetensors`\n"
    assert refused("show res", capsys).endswith(advice)
    assert "open res/result.html\n" in said("show res/result.safetensors", capsys)
    assert "export/result" not in said("export res intro", capsys)
    whole = said("export res", capsys)
    assert "export/intro" in whole
    assert "export/result" in whole
    assert "no results of 'nope': choose among intro, result\n" in refused("export res nope", capsys)
    assert "holds a result without experiments" not in refused("report res", capsys)


def test_the_page_of_a_training_makes_room_for_that_of_experiments(capsys: pytest.CaptureFixture[str]) -> None:
    said(f"{WORDS} res", capsys)
    before = Path("res/index.html").read_bytes()
    make_room(Path("res"))
    assert capsys.readouterr().out == "the page of res/result.safetensors is res/result.html now\n"
    assert Path("res/result.html").read_bytes() == before
    said("lab --no-browser --out res/index.html", capsys)
    write_dataset(trained(), "res/data/intro.safetensors")
    make_room(Path("res"))  # that of the experiments stays
    assert (capsys.readouterr().out, Path("res/index.html").exists()) == ("", True)


def test_what_export_takes_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    says = "there is no folder nope: name a folder that `tegum reproduce`, `train` or `phase` wrote, or the file of a result\n"
    assert refused("export nope", capsys).endswith(says)
    assert "name a folder that `tegum reproduce --out FOLDER` wrote\n" in refused("report nope", capsys)


def test_the_page_of_an_earlier_training_does_not_stay(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said(f"{WORDS} five", capsys)
    monkeypatch.setattr("tegum.execution.pieces.LARGE_BYTES", 1000)
    text = said(f"{WORDS} five --density 0.1,0.2,0.3", capsys)
    assert "five/index.html is of an earlier result: it is kept as index.html.1.older\n" in text
    assert not Path("five/index.html").exists()


LAWS = {
    "FiniteLaw": F.FiniteLaw([[1, 0], [1, 1], [0, 0.2]]),
    "Joined": F.Joined([F.Independent(1, 0.3), F.Independent(1, 0.7)]),
    "Mixture": F.Mixture([F.Independent(2, 0.3), F.Independent(2, 0.7)]),
    "UnitLength": F.UnitLength(F.Independent(2, 0.5)),
    "KSparse": F.KSparse(2, 1),
}


@pytest.mark.parametrize("name", LAWS)
def test_importance_needs_no_density_where_the_law_has_none(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = trained(LAWS[name])
    write_dataset(data, "result.safetensors")
    if name == "UnitLength":
        assert "importance 2" in said("inspect result.safetensors --importance 2", capsys)
        return
    twice = 2 * np.asarray(tg.exact.loss(data))
    found = json.loads(said("exact-loss result.safetensors --importance 2 --json", capsys))["models"]
    np.testing.assert_allclose([one["loss"] for one in found], twice, rtol=1e-9)
    law = LAWS[name].replaced(importance=[1, 0.5])
    losses = tg.exact.loss(data["W"].values, data["b"].values, law)
    found = json.loads(said("exact-loss result.safetensors --importance geometric:0.5 --json", capsys))["models"]
    np.testing.assert_allclose([one["loss"] for one in found], losses, rtol=1e-9)
    if name != "KSparse":
        assert f"{name} has no field 'density'" in refused("exact-loss result.safetensors --density 0.1", capsys)


@pytest.mark.parametrize("name", ["label", "shape", "median", "excess", "dead", "names", "polytope", "rank", "count"])
def test_axes_are_not_called_like_what_is_said_of_models(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(tg.InvalidInputError, match=f"an axis is called '{name}': choose another name"):
        trained(**{name: tg.Axis([1, 2], density=[0.1, 0.9])})
    data = trained(mine=tg.Axis([1, 2], density=[0.1, 0.9])).rename(mine=name)
    write_dataset(data, "result.safetensors")
    if name in ("rank", "count"):
        return
    for command in ("exact-loss", "inspect --starts 2", "identify"):
        found = json.loads(said(f"{command} result.safetensors --json", capsys))["models"]
        assert [one[f"axis_{name}"] for one in found] == [1, 1, 1, 2, 2, 2]
        assert f"the axis {name} is called axis_{name} here" in said(f"{command} result.safetensors", capsys)


def test_components_may_vary_and_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    parts = [F.Independent(2, 0.3), F.Independent(2, 0.7)]
    write_dataset(trained(F.Mixture(parts), components=[parts, parts[::-1]]), "result.safetensors")
    found = json.loads(said("identify result.safetensors --json", capsys))["models"]
    assert [one["axis_components"] for one in found] == [0, 0, 0, 1, 1, 1]


def test_laws_of_magnitudes_and_curves_are_swept_as_they_are_written() -> None:
    axes = {"magnitude": ["uniform", {"exponential": 0.5}], "importance": [1, {"geometric": 0.5}]}
    sweep = training_of({"net": {"n_features": 2, "n_hidden": 1}, "sweep": axes}).sweep
    data = trained(**sweep)
    assert data["feature_magnitude"].values.tolist() == ["Uniform()", "Exponential(mean=0.5)"]
    assert data["feature_importance"].values[0].tolist() == [[1, 1], [1, 0.5]]
    both = {"a": {"labels": ["u", "e"], "magnitude": ["uniform", "exponential"]}}
    assert (
        training_of({"net": {"n_features": 2, "n_hidden": 1}, "sweep": both}).sweep["a"].fields["magnitude"][0] == F.Uniform()
    )


def test_what_is_wrong_in_a_sweep_stands_beside_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    words = f'{WORDS} five --set recipe.learning_rate=-1 --set sweep.nonsense=[1,2] --set sweep.magnitude=["none"]'
    says = refused(words, capsys)
    for problem in ("learning_rate", "nonsense", "magnitude is 'none'"):
        assert problem in says


def test_one_kind_of_a_sweep_is_written_as_the_advice_says(capsys: pytest.CaptureFixture[str]) -> None:
    write_dataset(trained(signed=[False, True]), "both.safetensors")
    assert "features: of another kind along signed, " in said("exact-loss both.safetensors", capsys)
    advice = 'tegum.runs.write_dataset(tegum.open(FILE).isel(signed=0), "one.safetensors") in Python\n'
    for words in ("exact-loss both.safetensors --density 0.1", "inspect both.safetensors --density 0.1"):
        assert advice in refused(words, capsys)
    tg.runs.write_dataset(tg.open("both.safetensors").isel(signed=0), "one.safetensors")
    said("exact-loss one.safetensors --density 0.1", capsys)


def test_labels_and_shapes_stand_apart(capsys: pytest.CaptureFixture[str]) -> None:
    write_dataset(trained(density=[0.1, 0.9]).rename(density="a_name_of_thirty_characters_xx"), "result.safetensors")
    lines = said("identify result.safetensors", capsys).splitlines()[1:]
    assert all(re.match(r"  a_name_of_thirty_characters_xx 0\.\d, seed \d \S", line) for line in lines)


def test_an_experiment_says_that_a_folder_is_called_like_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "./intro" not in said("show intro", capsys)
    said(f"{WORDS} intro", capsys)
    assert said("show intro", capsys).endswith("\na folder here is called intro, too: tegum show ./intro\n")
    assert "open intro/index.html\n" in said("show ./intro", capsys)


def test_a_pause_is_not_work() -> None:
    now = time.time()
    steady = [now - 10 * k for k in range(11)]
    assert _seconds_left(steady, 3, 1) == pytest.approx(30, abs=1)
    stopped = [one - 86_400 * (one < now - 45) for one in steady]
    assert _seconds_left(stopped, 3, 1) == pytest.approx(30, abs=1)
    rounds = [now - 4000 * (k // 4) for k in range(12)]  # four at work, who finish together
    assert _seconds_left(rounds, 4, 4) == pytest.approx(4 * 8000 / 11, abs=1)


@pytest.mark.parametrize("words", ["train --out", "train --out=", "train --out --seeds 2"])
def test_a_shared_command_names_its_folder(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(f"sbatch -- {words}", capsys) == "tegum: --out has no folder: name a folder that all nodes see\n"


def test_densities_along_an_axis_that_there_is_not_name_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "one.npz", W=np.ones((2, 3)), b=np.zeros(3))
    assert run(["exact-loss", str(tmp_path / "one.npz"), "--density", "instance:0.5,0.2,0.1"]) == 2
    assert "--density names 'instance': choose among the axes: feature; or give numbers alone" in capsys.readouterr().err
    assert run(["exact-loss", str(tmp_path / "one.npz"), "--density", "feature:0.5,0.2,0.1"]) == 0
