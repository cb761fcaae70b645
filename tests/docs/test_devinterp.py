"""The script that hands a model and its data to devinterp: both libraries agree, where it is installed."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "devinterp_interop.py"


@pytest.mark.interop
def test_devinterp_estimates_what_we_do() -> None:
    pytest.importorskip("devinterp")
    found = runpy.run_path(str(SCRIPT))["compared"](chains=8, draws=800, warm_up=800)
    apart = abs(found.devinterp - found.tegum)
    assert apart < 4 * (found.devinterp_error**2 + found.tegum_error**2) ** 0.5
    assert found.tegum == pytest.approx(found.predicted, rel=0.15, abs=4 * found.tegum_error)
