"""Capacities and spectra: what is measured of shapes whose answer is plain, and how minima are told apart."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.beyond import capacity_spectra as spectra
from tegum.geometry import polygon


def test_shapes_have_the_measures_of_their_frames() -> None:
    pentagon = spectra.measured(polygon(5))
    assert pentagon["unused"] == pytest.approx(0, abs=1e-12)
    assert pentagon["spread"] == pytest.approx(0, abs=1e-12)
    assert (pentagon["tightness"], pentagon["ratio"], pentagon["rank"]) == pytest.approx((1, 1, 2))
    pair_and_one = spectra.measured(np.array([[1.0, -1.0, 0.0, 1e-3], [0.0, 0.0, 1.0, 1e-3]]))
    assert pair_and_one["unused"] == pytest.approx(0, abs=1e-12)
    assert (pair_and_one["tightness"], pair_and_one["ratio"]) == pytest.approx((0.9, 2))
    assert (pair_and_one["rank"], pair_and_one["represented"]) == (2, 3)
    assert spectra.measured(np.array([[1.0, 1.0]]))["unused"] == pytest.approx(0, abs=1e-12)
    assert spectra.measured(np.array([[1.0, 1.0], [0.0, 0.0]]))["ratio"] == np.inf


def test_an_antiprism_is_tight_at_one_height_only() -> None:
    def antiprism(height: float) -> np.ndarray:
        top = np.vstack([polygon(4), np.full(4, height)])
        turned = np.vstack([polygon(8)[:, 1::2], np.full(4, -height)])
        return np.hstack([top, turned])

    assert spectra.measured(antiprism(np.sqrt(0.5)))["unused"] == pytest.approx(0, abs=1e-12)
    flat = spectra.measured(antiprism(0.61))
    assert 0.0 < flat["unused"] < 0.1
    assert flat["ratio"] == pytest.approx(4 / (8 * 0.61**2))


def test_minima_of_one_loss_are_one_and_saddles_are_left_out() -> None:
    found = xr.Dataset(
        {
            "loss": ("seed", [0.2, 0.1, 0.1 * (1 + 1e-9), 0.05]),
            "status": ("seed", ["minimum", "minimum", "minimum", "saddle"]),
            "W": (("seed", "hidden", "feature"), np.stack([k * polygon(3) for k in (1.0, 2.0, 2.0, 3.0)])),
            "b": (("seed", "feature"), np.full((4, 3), -0.1)),
        }
    )
    rows = spectra.different(found, (3, 5))
    assert [(row["loss"], row["hits"], row["lowest"]) for row in rows] == [(0.1, 2, True), (0.2, 1, False)]
    assert rows[0]["padded_W"].shape == (3, 5)
    np.testing.assert_allclose(rows[0]["padded_W"][:2, :3], 2 * polygon(3))
    assert rows[0]["padded_b"].tolist() == [-0.1, -0.1, -0.1, 0, 0]


def test_stretching_leaves_capacity_unused() -> None:
    models = {"padded_W": (("minimum", "padded_hidden", "padded_feature"), [polygon(5)])}
    data = xr.Dataset(models | {"m": ("minimum", [2])})
    assert float(spectra.stretched(data)["unused"].item()) > 0.2
