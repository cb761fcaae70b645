"""Files are whole or absent, come back as they were, and a resumed training equals an uninterrupted one."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.cli import run
from tegum.features import Independent
from tegum.nets import ReluOutput
from tegum.runs import read_dataset, remove_leftovers, require_writable, set_aside, write_dataset
from tegum.runs.programs import this_program

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


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "a bit of a number": lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
    "half of it": lambda whole: whole[: len(whole) // 2],
    "no result": lambda whole: b"notes of my own",
}


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("command", ["train -n 3 -m 2 --seeds 1 --steps 5", "phase -n 2 -m 1 --points 2 --seeds 1 --rounds 0"])
def test_what_is_damaged_is_kept(command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, result = [*command.split(), "--out", str(tmp_path)], tmp_path / "result.safetensors"
    assert run(words) == 0
    damaged = DAMAGED[kind](result.read_bytes())
    result.write_bytes(damaged)
    capsys.readouterr()
    assert run(words) == 0
    said = rf"^{result} is .*: set aside as result.safetensors.1.damaged, and made again$"
    assert re.search(said, capsys.readouterr().out, re.MULTILINE)
    assert (tmp_path / "result.safetensors.1.damaged").read_bytes() == damaged
    other = ["--set", "recipe.l1=0.1"] if words[0] == "train" else ["--density", "0.2:1"]
    assert run([*words, *other]) == 0
    assert "it is kept as result.safetensors.1.older" in capsys.readouterr().out


def test_trainings_that_are_shown_alike_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "-n", "9", "-m", "2", "--steps", "2", "--seeds", "1", "--out", str(tmp_path), "--importance"]
    for middle in ("1", "0.5"):  # in the middle of nine numbers, of which the first and last two are shown
        assert run([*words, f"1,1,1,1,{middle},1,1,1,2"]) == 0
    assert "was not of this training" in capsys.readouterr().out


ODD: dict[str, tuple[xr.Dataset, str]] = {
    "stacked": (xr.Dataset({"a": (("x", "y"), np.ones((2, 2)))}).stack(z=("x", "y")), "the axis 'z' is stacked: unstack it"),
    "complex": (xr.Dataset({"a": ("x", np.ones(3) * 1j)}), "'a' holds complex128 values"),
    "bytes": (xr.Dataset({"a": ("x", np.array([b"a"]))}), "'a' holds |S1 values"),
    "long": (xr.Dataset({"a": ("x", np.ones(3, np.longdouble))}), "values: give real numbers of at most 64 bits, or words"),
    "dates": (xr.Dataset({"a": ("x", np.array(["2020-01-01"], "M8[ns]"))}), "'a' holds datetime64[ns] values"),
    "objects": (xr.Dataset({"a": ("x", np.array([object()]))}), "'a' holds Python objects"),
    "ragged": (xr.Dataset({"a": ("x", np.array([[1], [1, 2]], object))}), "'a' holds Python objects"),
    "a number as a name": (xr.Dataset({3: ("x", np.ones(3))}), "a variable is called 3"),
    "a set": (
        xr.Dataset({"a": ("x", np.ones(3), {"s": {1}})}, attrs={"t": {2}}),
        "2 mistakes:\n  the attributes of 'a' hold 's'",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_would_not_come_back_is_refused(name: str, tmp_path: Path) -> None:
    data, message = ODD[name]
    with pytest.raises(tg.InvalidInputError) as caught:
        write_dataset(data, tmp_path / "data.safetensors")
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_any_order_of_bytes_and_mixed_words_come_back(tmp_path: Path) -> None:
    mixed = np.array([None, "a", 1, 0.5], dtype=object)
    data = xr.Dataset({"a": ("x", np.arange(4, dtype=">f8")), "b": ("x", np.arange(4, dtype=">i2")), "c": ("x", mixed)})
    write_dataset(data, tmp_path / "data.safetensors")
    xr.testing.assert_identical(read_dataset(tmp_path / "data.safetensors"), data)


def test_what_killed_programs_left_half_written_is_removed(tmp_path: Path) -> None:
    code = "from tegum.runs.programs import this_program; print(this_program())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    places = [tmp_path, tmp_path / "data", tmp_path / "pieces" / "quick" / "intro"]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        for program in (dead, this_program(), "0123abcd-1", "4567cdef-1"):
            (place / f".index.html.89abcdef.{program}.part").write_bytes(b"half")
        os.utime(place / ".index.html.89abcdef.0123abcd-1.part", (0, 0))  # of another machine, long ago
    (tmp_path / f".probe.{dead}.part").write_bytes(b"")
    remove_leftovers(tmp_path)
    left = sorted(path.name for path in tmp_path.rglob("*.part"))
    young = [f".index.html.89abcdef.{program}.part" for program in (this_program(), "4567cdef-1")]
    assert left == sorted(young * len(places))


OTHERS = [".download.iso.part", "data/.notes.part", ".x.1234.part", ".index.html.mine.part", ".a.89abcdef.0123abcd.part"]


@pytest.mark.parametrize("name", [*OTHERS, ".a.89ABCDEF.0123abcd-1.part", "work/.a.89abcdef.0123abcd-1.part"])
def test_files_of_other_programs_stay(name: str, tmp_path: Path) -> None:
    """Nothing is removed under a name that tegum does not give, nor where it does not write."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half")
    os.utime(path, (0, 0))
    require_writable(tmp_path)
    assert path.read_bytes() == b"half"


def test_two_programs_set_a_file_aside_once(tmp_path: Path) -> None:
    path = tmp_path / "data.safetensors"
    path.write_bytes(b"damaged")
    assert set_aside(path).read_bytes() == b"damaged"
    set_aside(path)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("path", [3, None, b"a", "a\0b", "a" * 256, "\ud800", "a/" * 2048, "/", "", "."])
def test_a_path_that_no_file_can_have(path: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = xr.Dataset({"a": 1.0})
    for call in (tg.open, tg.read_weights, read_dataset, lambda place: write_dataset(data, place), tg.show(np.eye(2)).write):
        with pytest.raises(tg.InvalidInputError):
            call(path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_named_by_mistake_is_not_searched_to_its_ground(tmp_path: Path) -> None:
    for place in ("near/a", "deep/a/b/c"):
        write_dataset(xr.Dataset({"a": 1.0}), tmp_path / place / "x.safetensors")
    with pytest.raises(tg.InvalidInputError, match=r"name a file, such as .*/a/x\.safetensors"):
        tg.open(tmp_path / "near")
    with pytest.raises(tg.InvalidInputError, match="give the folder that tegum train wrote"):
        tg.open(tmp_path / "deep")


def test_words_along_an_axis_without_positions_come_back(tmp_path: Path) -> None:
    words, objects = np.empty((0, 3), "<U4"), np.empty((2, 0), object)
    data = xr.Dataset({"words": (("x", "y"), words), "objects": (("z", "x"), objects)}, {"x": np.empty(0, "<U1")})
    write_dataset(data, tmp_path / "empty.safetensors")
    found = read_dataset(tmp_path / "empty.safetensors")
    assert found.identical(data)
    assert (found.words.dtype.kind, found.objects.dtype.kind, found.x.dtype.kind) == ("U", "O", "U")


@pytest.mark.parametrize("held", [{1: 2}, [{"a": ({None: 1},)}], {"a": {2.5: "x"}}])
def test_names_in_attributes_are_words(held: object, tmp_path: Path) -> None:
    for data in (xr.Dataset(attrs={"b": held}), xr.Dataset({"x": ("k", [1.0], {"b": held})})):
        with pytest.raises(tg.InvalidInputError, match=r"are called (1|None|2\.5): give words as names"):
            write_dataset(data, tmp_path / "data.safetensors")
    write_dataset(xr.Dataset(attrs={"a": (1, [2.5]), "b": {"c": {"d": np.arange(2)}}}), tmp_path / "data.safetensors")
    assert read_dataset(tmp_path / "data.safetensors").attrs == {"a": [1, [2.5]], "b": {"c": {"d": [0, 1]}}}
