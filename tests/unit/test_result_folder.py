"""A folder of results keeps what is finished, uses it where it fits, and loses nothing where it does not."""

import errno
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr

import tegum as tg
from tegum.experiments import Profile
from tegum.report import ResultFolder, read_pictures, write_page
from tegum.runs import read_dataset, write_dataset
from tests.experiments import small


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def folder(tmp_path: Path, notices: list[str]) -> ResultFolder:
    small.calls.clear()
    return ResultFolder(tmp_path / "results", notices.append)


def test_a_finished_study_is_not_run_again(folder: ResultFolder, notices: list[str]) -> None:
    assert not folder.finished(small.experiment, "quick")
    first = folder.part(small.experiment, "quick")
    assert folder.finished(small.experiment, "quick")
    assert folder.part(small.experiment, "quick") == first
    assert folder.parts() == [first]
    assert small.calls == ["quick"]
    assert notices == []
    assert list(read_pictures(folder.path, "small")) == ["arrows", "space"]


def test_pieces_found_again_give_the_same_claims(folder: ResultFolder) -> None:
    first = folder.part(small.experiment, "quick")
    pieces = list((folder.path / "pieces" / "quick" / "small").iterdir())
    assert {path.suffix for path in pieces} == {".cut", ".safetensors"}
    folder.data_file("small").unlink()
    stamps = [path.stat().st_mtime_ns for path in pieces]
    again = folder.part(small.experiment, "quick")
    assert again.claims == first.claims
    assert [path.stat().st_mtime_ns for path in pieces] == stamps


def test_another_profile_is_set_aside_and_found_again(folder: ResultFolder, notices: list[str]) -> None:
    folder.part(small.experiment, "paper")
    folder.part(small.experiment, "quick")
    assert len(notices) == 1
    assert "are of the paper profile; they are kept as" in notices[0]
    assert folder.finished(small.experiment, "paper")
    assert folder.part(small.experiment, "paper").profile == "paper"
    assert small.calls == ["paper", "quick"]


def test_results_of_older_code_are_set_aside(folder: ResultFolder, notices: list[str]) -> None:
    folder.part(small.experiment, "quick")
    path = folder.data_file("small")
    data = read_dataset(path)
    write_dataset(data.assign_attrs(tegum_result="quick 0123"), path)
    folder.part(small.experiment, "quick")
    assert "are of another version of the code; they are kept as" in notices[0]
    assert read_dataset(folder.path / "older" / "small-quick-0123.safetensors").attrs["tegum_result"] == "quick 0123"
    assert small.calls == ["quick", "quick"]


def test_what_was_set_aside_is_not_overwritten_by_what_is_set_aside_next(folder: ResultFolder) -> None:
    folder.part(small.experiment, "quick")
    path = folder.data_file("small")
    data = read_dataset(path)
    data.attrs.pop("tegum_result")
    for number in (1, 2, 3):
        write_dataset(data.assign_attrs(number=number), path)
        folder.part(small.experiment, "quick")
    older = [read_dataset(one).attrs["number"] for one in (folder.path / "older").iterdir() if "unmarked" in one.name]
    assert sorted(older) == [1, 2, 3]


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b[:-8] + b"12345678", lambda _: b""])
def test_damaged_data_are_set_aside_and_made_again(
    folder: ResultFolder, notices: list[str], damage: Callable[[bytes], bytes]
) -> None:
    first = folder.part(small.experiment, "quick")
    files = [folder.data_file("small"), *folder.path.glob("pieces/quick/small/*"), folder.path / "parts" / "small.json"]
    for path in files:
        path.write_bytes(damage(path.read_bytes()))
    assert replace(folder.part(small.experiment, "quick"), seconds=0, made={}) == replace(first, seconds=0, made={})
    assert len(notices) == len(files)
    assert all("damaged" in notice and "set aside" in notice for notice in notices)
    assert len(list(folder.path.rglob("*.damaged"))) == len(files)


def test_a_missing_picture_is_drawn_again(folder: ResultFolder) -> None:
    folder.part(small.experiment, "quick")
    (folder.path / "figures" / "small.js").unlink()
    with pytest.raises(
        tg.InvalidInputError, match=r"small.js cannot be read .*: write it again with `tegum reproduce FILE .*'small'"
    ):
        read_pictures(folder.path, "small")
    with pytest.raises(tg.InvalidInputError, match=r"intro.js cannot be read .*: write it again with `tegum report"):
        read_pictures(folder.path, "intro")
    folder.part(small.experiment, "quick")
    assert read_pictures(folder.path, "small")
    assert small.calls == ["quick"]


def test_a_full_disk_is_said_and_what_is_finished_stays(folder: ResultFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def fsync(number: int) -> None:
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(number)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(
            tg.InvalidInputError, match=r"cannot be written \(No space left on device\): choose another folder, or make room"
        ):
            folder.part(small.experiment, "quick")
    kept = sorted(path.name for path in folder.path.rglob("*") if path.is_file())
    assert len(kept) == 2
    assert not any(name.endswith(".part") for name in kept)
    stamps = {path: path.stat().st_mtime_ns for path in folder.path.rglob("pieces/*/*/*")}
    folder.part(small.experiment, "quick")
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())


def test_an_interruption_that_a_study_swallows_is_still_one(folder: ResultFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def study(profile: Profile) -> xr.Dataset:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return xr.Dataset()
        raise AssertionError

    monkeypatch.setattr(small, "study", study)
    with pytest.raises(KeyboardInterrupt):
        folder.part(small.experiment, "quick")
    assert not folder.data_file("small").exists()


def test_claims_are_renewed_from_the_data(folder: ResultFolder) -> None:
    assert folder.renewed(small.experiment) is None
    first = folder.part(small.experiment, "quick")
    changed = replace(small.experiment, title="Another title")
    renewed = folder.renewed(changed)
    assert renewed is not None
    assert renewed.title == "Another title"
    assert renewed.claims == first.claims
    assert small.calls == ["quick"]


def test_data_that_this_version_cannot_judge_are_named(folder: ResultFolder) -> None:
    folder.part(small.experiment, "quick")
    path = folder.data_file("small")
    write_dataset(read_dataset(path).drop_vars("loss").assign_attrs(tegum_result="quick 0123"), path)
    with pytest.raises(
        tg.InvalidInputError, match=r"is of another version of tegum, .*loss.*make it again with `tegum reproduce small"
    ):
        folder.renewed(small.experiment)
    assert path.exists()


def test_the_page_holds_everything_in_the_folder(folder: ResultFolder) -> None:
    folder.part(small.experiment, "quick")
    page = write_page(folder.parts(), folder.path)
    claims = json.loads((folder.path / "claims.json").read_text())
    assert [(claim["experiment"], claim["claim"], claim["verdict"]) for claim in claims] == [
        ("small", "a", "held"),
        ("small", "b", "failed"),
        ("small", "c", "underpowered"),
        ("small", "d", "held"),
    ]
    assert all(claim["statement"].split("<")[0] in page.read_text() for claim in claims)
