"""Compiled code is reused from disk while it fits its sources, and made again where it does not or is damaged."""

import importlib
import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import types
from numba.core.registry import cpu_target

import tegum as tg
from tegum import byte_locks, compilation
from tegum.compilation import compile_beside, is_compiled
from tegum.exact.certificate import compile_hessians
from tegum.exact.kernel.hessian import hessian_at_point, hessians, row_hessian
from tegum.provenance import PACKAGE

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


INNER = """
from tegum.compilation import apart_from_callers, compiled, inner

@inner
def doubled(x):
    return 2 * x

@apart_from_callers
@inner
def tripled(x):
    return 3 * x

@compiled
def both(x):
    return doubled(x) + tripled(x)
"""


def test_what_compiled_code_alone_calls_has_no_way_in_from_python(tmp_path: Path) -> None:
    (tmp_path / "inside.py").write_text(INNER)
    program = """
import inside
print(inside.both(2), inside.both.stats.cache_hits.total(), inside.tripled.stats.cache_hits.total())
for function in (inside.doubled, inside.tripled):
    try:
        function(2)
    except TypeError as error:
        print(error)
"""
    refused = [
        f"{name} is called by compiled code only: decorate it with compiled instead of inner" for name in ("doubled", "tripled")
    ]
    for from_disk in (0, 1):
        said = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert said.stdout.splitlines() == [f"10 {from_disk} {from_disk}", *refused]


@pytest.mark.parametrize(
    "line",
    [
        "from tegum.compilation import apart_from_callers, compiled",
        "from tegum.compilation import copied_into_callers, inner",
        "from tegum.compilation import inlined",
        "import numba",
    ],
)
def test_a_change_anywhere_in_compiled_code_drops_what_is_on_disk(tmp_path: Path, line: str) -> None:
    """Code of other files of its folder was copied into it."""
    stamp = compilation._sources_stamp.__wrapped__
    (tmp_path / "one.py").write_text(f"{line}\n")
    before = stamp(tmp_path)
    (tmp_path / "plain.py").write_text("import numpy\n")
    assert stamp(tmp_path) == before
    (tmp_path / "one.py").write_text(f"{line}\nCHANGED = 1\n")
    assert stamp(tmp_path) != before


def test_every_file_of_compiled_code_is_in_its_folders_stamp() -> None:
    """A file that holds compiled code, however it comes by the decorators, imports them in the way that is looked for."""
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if re.search(r"^@(compiled|inner|inlined|numba\.njit)", source, re.MULTILINE) and path.name != "compilation.py":
            assert re.search(r"tegum\.compilation import|numba", source), path


HOLDER = """
import sys, time
from numba import types
from pathlib import Path
from tegum.byte_locks import waited_for
from doubling import doubled
index, key = doubled._cache._cache_file, doubled._cache._index_key((types.int64,), doubled.targetctx.codegen())
with waited_for(Path(index._index_path).parent, repr((index._index_name, key[1])), lambda: False, 60):
    print("held", flush=True)
    {}
"""


@contextmanager
def held_by_another(folder: Path, monkeypatch: pytest.MonkeyPatch, then: str) -> Iterator[Any]:
    """The function, while another process has the lock on its compiling and does something."""
    function = doubled_in(folder)
    monkeypatch.syspath_prepend(folder)  # code that another process has stored names the function's module
    program = f"import sys; sys.path.insert(0, {str(folder)!r}){HOLDER.format(then)}"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield function
        other.kill()


def test_what_another_process_compiles_just_now_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    then = "time.sleep(0.5); doubled.compile((types.int64,)); sys.stdin.read()"
    with held_by_another(tmp_path, monkeypatch, then) as function:
        assert function(3) == 6
        assert hits(function) == 1


def test_a_process_that_was_stopped_while_it_compiled_is_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "_PATIENCE_SECONDS", 0.2)
    with held_by_another(tmp_path, monkeypatch, "sys.stdin.read()") as function:
        assert function(3) == 6
        assert hits(function) == 0


def test_a_process_that_died_while_it_compiled_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held_by_another(tmp_path, monkeypatch, "sys.exit()") as function:
        assert function(3) == 6
        assert hits(function) == 0


def test_where_the_disk_knows_no_locks_each_process_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(byte_locks.fcntl, "lockf", unknown)
    assert doubled_in(tmp_path)(3) == 6


@pytest.mark.parametrize(("cores", "already"), [(2, ""), (1, ""), (2, "1")], ids=["two cores", "one core", "is one itself"])
def test_a_second_process_compiles_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, already: str) -> None:
    """Not where there is one core, nor of a second process a third."""
    function = doubled_in(tmp_path)
    (tmp_path / "work.py").write_text("from doubling import doubled\n\ndef double():\n    doubled(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(compilation, "default_threads", lambda: cores)
    monkeypatch.delenv("TEGUM_COMPILES_BESIDE", raising=False)
    if already:
        monkeypatch.setenv("TEGUM_COMPILES_BESIDE", already)
    started = list[object]()
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *what, **how: (started.append(what), run(*what, **how)))
    compile_beside("work:double", function)
    if cores == 1 or already:
        assert not started
        return
    patience = time.monotonic() + 60
    while not is_compiled(function) and time.monotonic() < patience:
        time.sleep(0.01)
    assert function(3) == 6
    assert hits(function) == 1
    compile_beside("work:double", function)
    assert len(started) == 1, "there is nothing left to do"


def test_one_process_at_a_time_has_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function = doubled_in(tmp_path)
    folder = compilation.folder_of(function)
    started = list[object]()
    monkeypatch.setattr(subprocess, "run", lambda *what, **_: started.append(what))
    monkeypatch.setattr(compilation, "default_threads", lambda: 2)
    monkeypatch.delenv("TEGUM_COMPILES_BESIDE", raising=False)
    program = f"""
from pathlib import Path
from tegum.byte_locks import taken_for_life
print(taken_for_life(Path({str(folder)!r}), {compilation._BESIDE!r}), flush=True)
input()
"""
    keep = [sys.executable, "-c", program]
    with subprocess.Popen(keep, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        compile_beside("work:double", function)
        assert not started
        other.kill()
    for _ in range(2):
        compile_beside("work:double", function)
    time.sleep(0.5)  # a thread starts them
    assert len(started) == 1


def test_what_a_second_process_compiles_is_what_a_search_needs() -> None:
    compile_hessians()
    tg.exact.minimise(tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=np.array([0.5])), seeds=2)
    assert [len(function.overloads) for function in (hessians, hessian_at_point, row_hessian)] == [1, 1, 1]
