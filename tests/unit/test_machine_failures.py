"""Where memory, open files or a disk are at their end, no good file is called damaged, set aside, or made again for ever."""

import errno
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import xarray as xr

import tegum as tg
from tegum.caching import cached, caching
from tegum.execution import Pieces
from tegum.report.part import read_part
from tegum.runs import read_dataset, read_or_set_aside, write_dataset

DATA = xr.Dataset({"a": ("x", [1.0, 2.0])})
FAILURES = [OSError(errno.EIO, "Input/output error"), OSError(errno.EMFILE, "Too many open files"), MemoryError()]


@cached()
def study(n: int) -> xr.Dataset:
    return xr.Dataset({"square": n * n}, attrs={"wall_seconds": 0.0})


def failing(error: BaseException) -> Callable[..., NoReturn]:
    def fails(*_: Any, **__: Any) -> NoReturn:
        raise error

    return fails


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_no_good_file_is_set_aside(error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.safetensors"
    write_dataset(DATA, path)
    with monkeypatch.context() as patch:
        patch.setattr("tegum.runs.files.safe_open", failing(error))
        for call in (read_dataset, lambda path: read_or_set_aside(path, pytest.fail)):
            with pytest.raises(type(error)) as caught:
                call(path)
            assert caught.value is error
    assert list(tmp_path.iterdir()) == [path]
    assert read_dataset(path).identical(DATA)


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_no_good_piece_is_made_again(error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with caching(Pieces(tmp_path, pytest.fail)):
        study(3)
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        for place in ("tegum.runs.files.safe_open", "tegum.execution.cut.read_manifest"):
            with monkeypatch.context() as patch:
                patch.setattr(place, failing(error))
                with pytest.raises(type(error)):
                    study(3)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
        assert study(3)["square"] == 9


def test_with_all_files_open_a_piece_stays(tmp_path: Path) -> None:
    path, (soft, hard) = tmp_path / "data.safetensors", resource.getrlimit(resource.RLIMIT_NOFILE)
    write_dataset(DATA, path)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        with pytest.raises(OSError, match="Too many open files") as caught:
            read_or_set_aside(path, pytest.fail)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caught.value.errno == errno.EMFILE
    assert read_dataset(path).identical(DATA)


def test_a_part_that_cannot_be_read_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "parts" / "small.json"
    path.parent.mkdir()
    path.write_bytes(b"{}")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", failing(FAILURES[0]))
        with pytest.raises(OSError, match="output"):
            read_part(tmp_path, "small", pytest.fail)
    assert path.read_bytes() == b"{}"


def test_a_disk_that_keeps_nothing_ends_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written, said = list[Path](), list[str]()

    def lost(_: xr.Dataset, path: Path) -> None:
        assert len(written) < 5
        written.append(path)
        path.write_bytes(b"")

    monkeypatch.setattr("tegum.execution.work.write_dataset", lost)
    with (
        pytest.raises(tg.InvalidInputError, match="is damaged again as soon as it is made: its disk"),
        caching(Pieces(tmp_path, said.append)),
    ):
        study(3)
    assert len(written) == len(said) == 2


def test_what_vanishes_is_only_missing(tmp_path: Path) -> None:
    assert read_or_set_aside(tmp_path / "gone.safetensors", pytest.fail) is None
