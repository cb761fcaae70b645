"""The theoretical phase diagrams end to end, on a small map."""

import numpy as np
import pytest
import xarray as xr

from tegum.claims import Claim
from tegum.experiments.s3_phase_change import phase_theory
from tegum.theory import best_simplex


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
    assert held == set(verdicts) - {"triangle"}
    assert verdicts["triangle"].verdict == "failed"
    assert all(not claim.control.holds for claim in verdicts.values() if claim.control is not None)


def test_a_map_with_one_wrong_cell_is_not_as_predicted(data: xr.Dataset) -> None:
    wrong = data.copy(deep=True)
    wrong["lowest_3"][0, 0] = "another ignored"
    assert phase_theory.map_claim(3, wrong, "", data["lowest_2"].values).verdict == "failed"


def test_the_optimum_leaves_the_pair_for_the_triangle_where_their_losses_cross(data: xr.Dataset) -> None:
    density = data["equal_density"].values
    loss = data["curve_loss"]
    triangle = loss.sel(curve=phase_theory.TRIANGLE).values < loss.sel(curve=phase_theory.PAIR).values
    at = density[np.flatnonzero(triangle)[0]]
    assert 3 * best_simplex(3, at - 0.02)[0] > 2 * best_simplex(2, at - 0.02)[0]
    np.testing.assert_allclose(
        loss.sel(curve=phase_theory.OPTIMUM)[triangle], 3 * best_simplex(3, density[triangle])[0], rtol=1e-9
    )


def test_the_pictures_are_drawn(data: xr.Dataset) -> None:
    drawn = phase_theory.figures(data)
    assert [trace.name for trace in drawn["theory"].picture.data if trace.name] == list(phase_theory.COLOURS)
    assert len(drawn["curves"].picture.data) == 6
