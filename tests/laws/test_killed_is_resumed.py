"""A reproduction killed at any moment and called again ends with the claims of an uninterrupted one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
