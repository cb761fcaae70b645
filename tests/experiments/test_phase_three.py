"""The phase diagram of three features end to end, on a small grid."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.s3_phase_change import phase_n3m2 as phase_three
from tegum.experiments.s3_phase_change.shared import BEST, OPTIMUM, helped


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phase_three, "SIDE", {"quick": 12, "paper": 12})
        patch.setattr(phase_three, "LINE", [0.1, 0.5])
        return phase_three.study("quick")


def test_the_corners_are_as_the_theory_says(data: xr.Dataset) -> None:
    verdicts = {claim.name: claim.verdict for claim in phase_three.claims(data)}
    assert verdicts["dense-left"] == verdicts["dense-right"] == verdicts["trained-left-below"] == "held"
    assert verdicts["blur"] == verdicts["same-sign"] == "held"
    assert set(verdicts) >= {"trained-dense-left", "trained-right", "sparse-loss"}


def test_a_feature_that_is_hardly_learned_does_not_count_as_superposed(data: xr.Dataset) -> None:
    tiny = data.assign(norm=0 * data["norm"] + 1e-6, interference=0 * data["interference"] + 1)
    cells = phase_three.points(tiny, BEST, phase_three.SPARSE_LEFT)
    assert cells.sizes["point"] > 4
    assert not phase_three.passing(cells, phase_three.SUPERPOSED).any()
    assert phase_three.passing(cells, phase_three.NOT_LEARNED).all()


def test_corners_hold_the_grid_points_that_they_name(data: xr.Dataset) -> None:
    for where, (low, high) in {phase_three.DENSE_LEFT: (0.7, 1), phase_three.BELOW: (0, 0.3)}.items():
        cells = phase_three.points(data, OPTIMUM, where)
        assert ((cells["density"] >= low) & (cells["density"] <= high) & (cells["importance_ratio"] <= 0.5)).all()
    below, corner = (phase_three.points(data, OPTIMUM, where) for where in (phase_three.BELOW, phase_three.SPARSE_LEFT))
    assert 4 <= below.sizes["point"] < corner.sizes["point"]


def test_initial_weights_help_by_the_pair_that_costs_least() -> None:
    extra_paired = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.1]])
    others_paired = np.array([[1.0, -1.0, 0.1], [0.0, 0.1, 1.0]])
    acute = np.array([[1.0, 0.9, 0.8], [0.1, 0.2, 0.3]])
    W = np.broadcast_to(np.stack([extra_paired, others_paired, acute]), (2, 3, 2, 3))
    initial = xr.DataArray(W, {"importance_ratio": [0.5, 2.0]}, ("importance_ratio", "seed", "hidden", "feature"))
    assert helped(initial).values.tolist() == [[True, False, False], [False, True, False]]
    pair = initial.isel(feature=[0, 2], hidden=[0])
    assert helped(pair).values.tolist() == [[True, False, False]] * 2


def test_no_fit_is_below_the_certified_optimum_and_no_optimum_above_a_candidate(data: xr.Dataset) -> None:
    optimum = data["loss"].sel(reading=OPTIMUM)
    assert (data["loss"].sel(reading=BEST) > optimum * (1 - 1e-5)).all()
    assert (optimum.values <= phase_three.candidates(data).values * (1 + 1e-9)).all()
