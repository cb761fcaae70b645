"""The phase diagram of two features end to end, on a small grid; its checks fail where they must."""

import numpy as np
import pytest
import xarray as xr

from tegum.claims import Claim
from tegum.experiments.s3_phase_change import phase_n2m1 as phase_two
from tegum.experiments.s3_phase_change.shared import BEST, OPTIMUM, PAPER_RULE, stuck_shares


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phase_two, "SIDE", {"quick": 10, "paper": 10})
        patch.setattr(phase_two, "LINE", sorted({*phase_two.PRINTED, 10.0}))
        return phase_two.study("quick")


@pytest.fixture(scope="module")
def verdicts(data: xr.Dataset) -> dict[str, Claim]:
    return {claim.name: claim for claim in phase_two.claims(data)}


def test_the_optimum_and_the_best_fits_have_the_phases_of_the_theory(verdicts: dict[str, Claim]) -> None:
    assert verdicts["optimum"].verdict == "held"
    assert verdicts["trained"].verdict == "held"
    assert verdicts["same-sign"].verdict == "held"
    assert not any(control.holds for claim in verdicts.values() for control in claim.controls)


def test_the_certified_boundary_is_where_two_minima_tie(data: xr.Dataset, verdicts: dict[str, Claim]) -> None:
    np.testing.assert_allclose(data["edge"].sel(ratio=[0.1, 0.5]), [0.18125, 0.4846], atol=1e-4)
    np.testing.assert_allclose(data["edge"].sel(ratio=10.0), data["edge"].sel(ratio=0.1), rtol=1e-4)
    assert (data["order"] == "first order").all()
    assert verdicts["boundary"].verdict == "held"
    assert verdicts["apex"].verdict == "held"
    lower = data.assign(edge=0.8 * data["edge"])
    assert {claim.name: claim.verdict for claim in phase_two.boundary_claims(lower)}["boundary"] == "failed"


def test_no_fit_is_below_the_certified_optimum(data: xr.Dataset) -> None:
    assert (data["loss"].sel(reading=BEST) > data["loss"].sel(reading=OPTIMUM) * (1 - 1e-5)).all()
    assert data.attrs["not_converged"] == 0
    assert set(data.reading.values) == {PAPER_RULE, BEST, OPTIMUM}


def test_superposition_ends_between_grid_points() -> None:
    density, ratio = np.array([0.01, 0.1, 1.0]), np.array([0.5, 1.0, 2.0])
    one = xr.DataArray([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], dims=("density", "importance_ratio"))
    reading = xr.Dataset({"norm": one, "interference": one}, {"density": density, "importance_ratio": ratio})
    np.testing.assert_allclose(phase_two.end_of_superposition(reading), [np.sqrt(0.1), np.sqrt(0.001), np.nan])


def test_the_theory_knows_the_phases_away_from_boundaries() -> None:
    grid = xr.Dataset(coords={"density": [0.05, 0.9], "importance_ratio": [0.1, 1.0, 10.0]})
    assert phase_two.theory(grid).values.tolist() == [
        ["superposition", "superposition", "superposition"],
        ["not learned", "", "dedicated"],
    ]


def test_fits_that_never_get_stuck_show_nothing() -> None:
    stuck = xr.DataArray(np.zeros((2, 4), dtype=bool), dims=("density", "seed"))
    assert np.isnan(stuck_shares((stuck, stuck["seed"] % 2 == 1))["times as many"])
    assert stuck_shares((stuck["seed"] == 0, stuck["seed"] > 1))["times as many"] == np.inf
