"""The NumPy method in docs/ is what docs/exact.md says: it converges to the engine's losses."""

import runpy
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import tegum as tg

PLAIN = runpy.run_path(str(Path(__file__).resolve().parents[2] / "docs" / "plain_inversion.py"))
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("density", [0.05, 0.6])
@pytest.mark.parametrize("scale", [0.9, 1e-3])
def test_the_plain_method_converges_to_the_engine_s_loss(density: float, scale: float) -> None:
    n = 6
    W = np.eye(3).repeat(2, axis=1) * [1, -1, 1, -1, 1, -1] if scale < 0.1 else np.zeros((3, n))
    W = W + scale * RNG.normal(size=(3, n)) * 0.6
    b = np.array([0.05, -0.05, 0.0, 3.0, -9.0, 0.01])  # the fourth output is always on, the fifth never
    few, many = PLAIN["plain_losses"](W, b, density, [64, 16384])
    exact = tg.exact.loss(W, b, tg.features.Independent(n, density=density), terms=8192)
    assert many == pytest.approx(exact, rel=2e-10)
    assert few == pytest.approx(exact, rel=1e-3)
    assert few != many


def test_the_picture_of_errors_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """With few terms, so that it is quick; what `make pictures` draws has many."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs"))
    exact_error = import_module("exact_error")
    monkeypatch.setattr(exact_error, "TERMS", [8, 16])
    monkeypatch.setattr(exact_error, "TRUTH", 256)
    error = exact_error.measured()["error"].median("case")
    assert (error.sel(curve="tegum", kind="random weights") < [1e-3, 1e-4]).all()
