"""The theoretical phase diagrams end to end, on a small map."""

import numpy as np
import pytest
import xarray as xr

from tegum.claims import Claim
from tegum.experiments.s3_phase_change import phase_theory
from tegum.theory.candidates import best_simplex


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phase_theory, "SIDE", {"quick": 20, "paper": 20})
        return phase_theory.study("quick")


@pytest.fixture(scope="module")
def verdicts(data: xr.Dataset) -> dict[str, Claim]:
    return {claim.name: claim for claim in phase_theory.claims(data)}


def test_the_printed_theory_holds_and_every_control_fails(verdicts: dict[str, Claim]) -> None:
    held = {name for name, claim in verdicts.items() if claim.verdict == "held"}
    assert held == set(verdicts)
    assert not any(control.holds for claim in verdicts.values() for control in claim.controls)


def test_a_map_with_one_wrong_cell_is_not_as_predicted(data: xr.Dataset) -> None:
    wrong = data.copy(deep=True)
    wrong["lowest_3"][0, 0] = "another ignored"
    assert {claim.name: claim.verdict for claim in phase_theory.claims(wrong)}["map-3"] == "failed"


def test_a_triangle_is_neither_a_pair_nor_a_dropped_feature() -> None:
    names = xr.DataArray(
        ["extra ignored", "two others in a pair", "extra in a triangle", phase_theory.TRIANGLE, phase_theory.PAIR]
    )
    assert phase_theory.triangles(names)["triangle or larger"] == 2


def test_the_slope_falls_where_candidates_cross_and_nowhere_else() -> None:
    assert phase_theory.slope_fall(4 / 7) == pytest.approx(1 / 3, abs=1e-4)
    assert phase_theory.slope_fall(0.3) == pytest.approx(0, abs=1e-4)
    assert phase_theory.slope_fall(0.7) == pytest.approx(0, abs=1e-4)


def test_the_optimum_leaves_the_pair_for_the_triangle_where_their_losses_cross(data: xr.Dataset) -> None:
    density = data["equal_density"].values
    loss = data["curve_loss"]
    triangle = loss.sel(curve=phase_theory.TRIANGLE).values < loss.sel(curve=phase_theory.PAIR).values
    at = density[np.flatnonzero(triangle)[0]]
    assert 3 * best_simplex(3, at - 0.02)[0] > 2 * best_simplex(2, at - 0.02)[0]
    np.testing.assert_allclose(
        loss.sel(curve=phase_theory.OPTIMUM)[triangle], 3 * best_simplex(3, density[triangle])[0], rtol=1e-9
    )
