"""What is killed at any moment and called again ends as if nothing had been: a reproduction, a call of chains."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.laws import chains_in_pieces

COMMAND = [sys.executable, "-m", "tegum", "reproduce", "intro", "--out"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    subprocess.run([*COMMAND, str(folder)], capture_output=True, check=True)
    return folder


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_a_stopped_reproduction_goes_on(blow: signal.Signals, whole: Path, tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"
    process = subprocess.Popen([*COMMAND, str(stopped)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (kept := list(stopped.glob("pieces/quick/intro/*.safetensors"))):
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    process.send_signal(blow)
    said, _ = process.communicate()
    assert process.returncode == (130 if blow == signal.SIGINT else -signal.SIGKILL)
    if blow == signal.SIGINT:
        assert "interrupted: what is finished is kept, the same command goes on from here" in said
    assert not (stopped / "data").exists()
    stamps = {path: path.stat().st_mtime_ns for path in kept}
    done = subprocess.run([*COMMAND, str(stopped)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert (stopped / "claims.json").read_bytes() == (whole / "claims.json").read_bytes()
    assert sorted(os.listdir(stopped)) == sorted(os.listdir(whole))


def test_killed_chains_go_on(tmp_path: Path) -> None:
    """Four chains in pieces of a chain each, as those are cut that take minutes: what was finished is not drawn again."""
    chains_in_pieces.drawn(steps=100)  # compiled code lies on disk from now on: all that follows is of the same code
    stopped, whole = (tmp_path / name for name in ("stopped", "whole"))
    command = [sys.executable, "-m", chains_in_pieces.__name__]
    process = subprocess.Popen([*command, str(stopped)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not (kept := list(stopped.glob("*.safetensors"))):
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(kept) < chains_in_pieces.CHAINS
    stamps = {path: path.stat().st_mtime_ns for path in stopped.glob("*.safetensors")}
    subprocess.run([*command, str(stopped)], check=True)
    assert len(list(stopped.glob("*.safetensors"))) == chains_in_pieces.CHAINS
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    subprocess.run([*command, str(whole), "whole"], check=True)
    assert len(list(whole.glob("*.safetensors"))) == 1
    uncut, resumed = np.load(whole / "drawn.npz"), np.load(stopped / "drawn.npz")
    for name in chains_in_pieces.COMPARED:
        assert np.array_equal(uncut[name], resumed[name])
