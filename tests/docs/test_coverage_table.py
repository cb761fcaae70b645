"""The table of what has an exact loss is what the code does."""

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_is_what_trying_gives() -> None:
    coverage = runpy.run_path(str(ROOT / "docs" / "coverage.py"))
    assert coverage["table"]() in (ROOT / "docs" / "exact.md").read_text(encoding="utf-8"), "call python docs/coverage.py"
