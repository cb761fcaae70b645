"""Compiled code is kept where it can be, found again where it is whole, and made anew where it is not."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
import time
from tegum.compilation import compiled, is_compiled

@compiled
def double(x):
    return 2 * x

before, found = is_compiled(double), double(21)
print(before, found)
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "own" / "engine.py"
    path.parent.mkdir()
    path.write_text(MODULE)
    return path


def run(module: Path, code: int = 0, **environment: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, module], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == code, done.stderr
    return done.stdout.strip(), done.stderr


def test_any_damage_is_compiled_anew(module: Path) -> None:
    """Loaded anew in this process, which looks on disk as another does."""
    assert run(module) == ("False 42", "")
    assert run(module) == ("True 42", "")
    for path in sorted(module.parent.glob("__pycache__/*.nb*")):
        whole = path.read_bytes()
        for content in (whole[: len(whole) // 2], whole[:-40] + bytes([whole[-40] ^ 16]) + whole[-39:]):
            path.write_bytes(content)
            assert runpy.run_path(str(module))["found"] == 42
    assert run(module) == ("True 42", "")


def test_where_nothing_else_can_be_written_it_is_in_a_private_folder(module: Path, tmp_path: Path) -> None:
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator", "TMPDIR": str(tmp_path)}
    place = tmp_path / f"tegum-{os.getuid()}"
    said = f"tegum: compiled code can be kept neither beside the package nor in your cache; it is in {place}\n"
    assert run(module, **nowhere) == ("False 42", said)
    assert run(module, **nowhere) == ("True 42", said)
    place.chmod(0o777)  # somebody else may have written it
    found, said = run(module, **nowhere)
    assert found == "False 42"
    assert f"it is in {tmp_path}/tegum-" in said


def test_without_a_compiler_it_is_said(module: Path) -> None:
    assert "NUMBA_DISABLE_JIT is set: unset it" in run(module, code=1, NUMBA_DISABLE_JIT="1")[1]
