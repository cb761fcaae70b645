"""The phase diagram of three features end to end, on a small grid."""

import pytest
import xarray as xr

from tegum.experiments import phase_three
from tegum.experiments.phase_study import BEST, OPTIMUM


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phase_three, "SIDE", {"quick": 12, "paper": 12})
        return phase_three.study("quick")


def test_the_corners_are_as_the_theory_says(data: xr.Dataset) -> None:
    verdicts = {claim.name: claim.verdict for claim in phase_three.claims(data)}
    assert verdicts["dense-left"] == verdicts["dense-right"] == verdicts["trained-left"] == "held"
    assert set(verdicts) == {"dense-left", "dense-right", "trained-left", "trained-right", "sparse-loss"}


def test_no_fit_is_below_the_certified_optimum_and_no_optimum_above_a_candidate(data: xr.Dataset) -> None:
    optimum = data["loss"].sel(reading=OPTIMUM)
    assert (data["loss"].sel(reading=BEST) > optimum * (1 - 1e-5)).all()
    assert (optimum.values <= phase_three.candidates(data).values * (1 + 1e-9)).all()


def test_the_picture_is_drawn(data: xr.Dataset) -> None:
    assert len(phase_three.figures(data)["phases"].picture.data) == 3 * 3 + 1
