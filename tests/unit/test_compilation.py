"""Compiled code is reused from disk while it fits its sources, and made again where it does not or is damaged."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

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
