"""Sweeps in pieces: how far they are, who is at work, the script for a queue, and opening what is too large for one file."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.caching import caching
from tegum.cli import run
from tegum.cli.models import models_in
from tegum.cli.options import Reading
from tegum.execution import Elsewhere, Pieces, Shard, progress_in
from tegum.execution.cluster import Cluster
from tegum.execution.executors import computing
from tegum.execution.leases import Leases
from tegum.provenance import science_version
from tegum.runs.manifest import manifest_of
from tests.oracle.datasets import without_time

WORDS = ["train", "-n", "3", "-m", "2", "--density", "1,0.5", "--seeds", "3", "--steps", "3", "--out"]
NET, FEATURES = tg.nets.ReluOutput(3, 2), tg.features.Independent(3)
RECIPE, SWEEP = tg.Recipe(steps=3, seeds=3, batch_size=16, evaluation_samples=64), {"density": [1.0, 0.5]}


def test_a_shard_says_what_is_left_and_the_status_who_is_at_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", words := ["tegum", *WORDS, str(tmp_path), "--shard", "1/3"])
    assert run(words[1:]) == 0
    said = capsys.readouterr().out
    assert "shard 1/3: its pieces are finished, 4 are the others'" in said
    assert f"--out {tmp_path}\n" in said
    pieces = tmp_path / "pieces"
    leases = Leases()
    assert leases.take(pieces / "other.safetensors", "train 2/6")
    assert run(["status", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"{pieces}: 2 of 6 pieces, 1 under way" in said
    assert "train 2/6, for 1 s" in said
    given = Leases()
    assert given.take(pieces / "queued.safetensors", f"{Cluster(None).said}train 3/6")
    assert run(["status", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "2 of 6 pieces, 1 under way, 1 given to a cluster" in said
    assert "given to the cluster: train 3/6, for 1 s" in said
    given.close()
    leases.close()
    assert run([*WORDS, str(tmp_path)]) == 0
    capsys.readouterr()
    assert run(["status", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{pieces}: 6 of 6 pieces\n"


def test_shards_of_experiments_go_on_with_the_next_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = str(Path(__file__).parents[1] / "experiments" / "small.py")
    assert run(["reproduce", small, "--out", str(tmp_path), "--shard", "2/2"]) == 0
    assert "the same command without --shard goes on" in capsys.readouterr().out
    assert run(["reproduce", small, "--out", str(tmp_path)]) in (0, 1)
    assert not list(tmp_path.rglob("*.lease"))


def test_what_another_version_left_undone_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for shard, version in ((Shard(1, 2), "0123456789abcdef"), (Shard(1, 1), science_version())):
        monkeypatch.setattr("tegum.execution.pieces.science_version", lambda version=version: version)
        monkeypatch.setattr(Pieces, "_require_one_version", lambda *_: None)
        with computing(shard), caching(Pieces(tmp_path, pytest.fail)), suppress(Elsewhere):
            tg.train(NET, FEATURES, RECIPE, sweep=SWEEP)
    progress = progress_in(tmp_path)[tmp_path]
    assert (progress.total, progress.done) == (6, 6)


def test_who_was_silent_for_long_is_not_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine, of whose programs nobody here knows whether they live."""
    (tmp_path / "a.cut").write_bytes(manifest_of("train", {"seed": [0, 1]}, ["b.safetensors"]))
    monkeypatch.setattr("tegum.execution.leases.this_program", lambda: "0123abcd-1")
    leases = Leases()
    assert leases.take(tmp_path / "b.safetensors", "train 1/1")
    assert len(progress_in(tmp_path)[tmp_path].owners) == 1
    lease = tmp_path / "b.safetensors.lease"
    os.utime(lease, (0, lease.stat().st_mtime - 600))
    assert progress_in(tmp_path)[tmp_path].owners == ()
    leases.close()


def test_a_shard_needs_a_folder_that_all_share() -> None:
    with pytest.raises(tg.InvalidInputError, match="there is no folder: give the folder that all"), tg.executing(shard="1/2"):
        pass


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nowhere", "there is no folder"),
        ("file", "file is a file: give what --out named"),
        ("", "is made in pieces: give what --out of train"),
    ],
)
def test_a_folder_without_pieces(place: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(["status", str(tmp_path / place)]) == 2
    assert message in capsys.readouterr().err


def test_the_time_left_is_at_the_pace_so_far(tmp_path: Path) -> None:
    with computing(Shard(1, 2)), caching(Pieces(tmp_path, pytest.fail)), pytest.raises(Elsewhere):
        tg.train(NET, FEATURES, RECIPE, sweep=SWEEP)
    progress = progress_in(tmp_path)[tmp_path]
    assert (progress.total, progress.done, progress.owners) == (6, 3, ())
    assert 0 < progress.seconds_left < 10


def test_the_script_for_a_queue_runs_every_shard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sbatch", "--shards", "5", "--cores", "2", "--hours", "1.5", "--", *WORDS, str(tmp_path / "a b")]) == 0
    script = capsys.readouterr().out
    assert "#SBATCH --array=1-5\n#SBATCH --cpus-per-task=2\n#SBATCH --mem=8G\n#SBATCH --time=90\n" in script
    shown = subprocess.run(
        ["bash"],
        input='tegum() { printf "%s\\n" "$@"; }\n' + script,
        env={"SLURM_ARRAY_TASK_ID": "3", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.splitlines() == [*WORDS, str(tmp_path / "a b"), "--shard", "3/5"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["list"], "give train, phase or reproduce"),
        (["train", "-n", "2"], "names no --out"),
        (["train", "--out", "a", "--shard", "1/2"], "leave it out"),
        (["train", "--out=a", "--on=dask"], "leave it out"),
    ],
)
def test_a_command_that_cannot_be_shared_out(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sbatch", "--", *words]) == 2
    assert message in capsys.readouterr().err
    assert run(["sbatch", "--shards", "0", "--", "train", "--out", "a"]) == 2
    assert "shards, cores and hours are 0, 4 and 4" in capsys.readouterr().err
    assert run(["sbatch", "--memory", "8 GB", "--", "train", "--out", "a"]) == 2
    assert "memory is '8 GB': write it as SLURM does" in capsys.readouterr().err


def test_a_large_result_stays_in_its_pieces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    assert run([*WORDS, str(small)]) == 0
    monkeypatch.setattr("tegum.execution.pieces.LARGE_BYTES", 1000)
    assert run([*WORDS, str(large)]) == 0
    said = capsys.readouterr().out
    assert "read where it is looked at, and too large for a page" in said
    assert not (large / "result.safetensors").exists()
    capsys.readouterr()
    assert run(["status", str(large)]) == 0
    assert capsys.readouterr().out == f"{large / 'pieces'}: 1 of 1 pieces\n"  # and nothing of result.cut, a copy
    whole, data = tg.open(small), tg.open(large)
    xr.testing.assert_identical(without_time(data).drop_attrs(), without_time(whole).drop_attrs())
    assert data.attrs["recipe"] == whole.attrs["recipe"]
    assert run(["train", *WORDS[1:3], "-m", "1", *WORDS[5:], str(large)]) == 0
    assert "was not of this training: it is kept as result.cut.1.older" in capsys.readouterr().out


def test_a_folder_of_one_sweep_opens_and_one_of_several_says_which(tmp_path: Path) -> None:
    with tg.executing(folder=tmp_path):
        data = tg.train(NET, FEATURES, RECIPE, sweep=SWEEP)
    np.testing.assert_array_equal(tg.open(tmp_path).W, data.W)
    np.testing.assert_array_equal(tg.open(next(tmp_path.glob("*.cut"))).W, data.W)
    with tg.executing(folder=tmp_path):
        tg.train(NET, FEATURES, RECIPE, sweep={"density": [0.2]})
    with pytest.raises(tg.InvalidInputError, match=r"holds no result\.safetensors: name a file, such as .*\.cut"):
        tg.open(tmp_path)
    path = min(tmp_path.glob("*.cut"))
    first = max(tmp_path.glob("*.safetensors"), key=os.path.getmtime)  # the one of the second sweep
    (last,) = (cut for cut in tmp_path.glob("*.cut") if first.name in cut.read_text())
    first.rename(aside := tmp_path / "aside")
    told = rf"1 of the \d pieces of .* are missing, such as .*{first.name}: run the command again"
    with pytest.raises(tg.InvalidInputError, match=told):
        tg.open(last)
    aside.rename(first)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(tg.InvalidInputError, match="is damaged"):
        tg.open(path)
    with pytest.raises(tg.InvalidInputError, match="leave out how to read it"):
        models_in(path, Reading(array="W"))
