"""Compiled code is reused from disk while it fits its sources, and made again where it does not or is damaged."""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from numba import types
from numba.core.registry import cpu_target

SOURCE = """
from tegum.compilation import compiled

@compiled
def doubled(x):
    return 2 * x
"""


def doubled_in(folder: Path) -> Any:
    """A compiled function as a new process would find it: one that has compiled nothing yet, with what is on disk."""
    path = folder / "doubling.py"
    if not path.exists():
        path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("doubling", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.doubled


def hits(function: Any) -> int:
    """How often its code came from disk."""
    return sum(function.stats.cache_hits.values())


def test_code_comes_from_disk_the_second_time(tmp_path: Path) -> None:
    assert doubled_in(tmp_path)(3) == 6
    again = doubled_in(tmp_path)
    assert again(3) == 6
    assert hits(again) == 1


@pytest.mark.parametrize("content", [b"", b"junk", b"\x80\x05cnowhere\nGone\n."], ids=["empty", "junk", "a class that is gone"])
@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_a_damaged_cache_is_mended(tmp_path: Path, kind: str, content: bytes) -> None:
    whole = doubled_in(tmp_path)
    assert whole(3) == 6
    (damaged,) = Path(whole._cache.cache_path).glob(f"doubling.*.{kind}")
    damaged.write_bytes(content)
    survivor = doubled_in(tmp_path)
    assert survivor(3) == 6
    assert hits(survivor) == 0
    mended = doubled_in(tmp_path)
    assert mended(3) == 6
    assert hits(mended) == 1


TWO = """
from tegum.compilation import apart_from_callers, compiled

@apart_from_callers
@compiled
def doubled(x):
    return 2 * x

@compiled
def twice(x):
    return doubled(doubled(x))

@compiled
def thrice(x):
    return doubled(twice(x))
"""


def module_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module with a function kept apart, as a new process would find it."""
    (folder / "apart.py").write_text(TWO)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "apart", raising=False)
    importlib.invalidate_caches()
    return importlib.import_module("apart")


def test_what_is_kept_apart_is_compiled_once_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = module_in(tmp_path, monkeypatch)
    assert fresh.thrice(5) == 40
    code = next(iter(fresh.thrice.inspect_llvm().values()))
    assert "declare i32 @_ZN5apart7doubled" in code
    again = module_in(tmp_path, monkeypatch)
    assert again.thrice(6) == 48
    assert [hits(function) for function in (again.doubled, again.twice, again.thrice)] == [1, 0, 1]


def test_what_is_kept_apart_may_be_called_from_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code from disk whose symbols the engine had not noted had the address 0."""
    assert module_in(tmp_path, monkeypatch).doubled(5) == 10
    engine = cpu_target.target_context.codegen()._engine
    noted = {name for name in engine._defined_symbols if "5apart7doubled" not in name}  # as in a new process
    monkeypatch.setattr(engine, "_defined_symbols", noted)
    again = module_in(tmp_path, monkeypatch)
    again.doubled.compile((types.int64,))
    assert hits(again.doubled) == 1
    (found,) = again.doubled.overloads.values()
    assert found.library.get_pointer_to_function(found.fndesc.llvm_cpython_wrapper_name) != 0
    assert again.doubled(6) == 12


@pytest.mark.parametrize("lost", ["nbi", "nbc"])
def test_callers_of_what_is_lost_are_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    """A new process may give it another symbol, which its callers on disk do not know."""
    assert module_in(tmp_path, monkeypatch).thrice(5) == 40
    for path in (tmp_path / "__pycache__").glob(f"apart.doubled*.{lost}"):
        path.unlink()
    again = module_in(tmp_path, monkeypatch)
    assert again.thrice(6) == 48
    assert again.twice(6) == 24
    assert [hits(function) for function in (again.doubled, again.twice, again.thrice)] == [0, 0, 0]
