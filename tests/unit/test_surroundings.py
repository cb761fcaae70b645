"""The command line where streams are closed or narrow, terminals have no width, and Python is told to be another."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TEGUM = f"{sys.executable} -m tegum"
PYTHON = sys.executable


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"{TEGUM} list | head -n 0; exit ${{PIPESTATUS[0]}}", 141),
        (f"{TEGUM} train --help | head -n 0; exit ${{PIPESTATUS[0]}}", 141),
        (f"{TEGUM} list >&-", 0),
        (f"{TEGUM} list 2>&-", 0),
        (f"PYTHONIOENCODING=ascii {TEGUM} list", 0),
        (f"COLUMNS=0 {TEGUM} --help", 0),
        (f"{PYTHON} -OO -m tegum show intro", 0),
        (f"NUMBA_DISABLE_JIT=1 {TEGUM} train -n 2 -m 1 --density 0.1", 2),
        (f"{TEGUM} identify $'w\\xff.npz'", 0),
        (f"{TEGUM} exact-loss --json --density 0.1 $'w\\xff.npz'", 0),
        (f"{TEGUM} show $'w\\xff.py'", 2),
    ],
)
def test_nothing_of_it_is_a_fault(line: str, code: int, tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/w\xff.npz", "wb") as file:
        np.savez(file, W=np.eye(3)[:2])
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr
