"""A few attacks of each kind in every run; `make fuzz` makes many.  In a process of its own, without the tests' type checks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_wrong_gets_a_message() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--attempts", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
