"""The asymmetric motif end to end, with few seeds."""

import numpy as np
import pytest
import xarray as xr

from tegum.claims import Claim
from tegum.experiments.s9_computation import asymmetric_motif
from tests.experiments.reduced import reduced

small = asymmetric_motif.SIZE["quick"].replaced(steps=3000, seeds=12, evaluation_samples=2**15)
data = reduced(asymmetric_motif, SIZE=small, DENSITIES=[0.2, 0.35])


@pytest.fixture
def claims(data: xr.Dataset) -> dict[str, Claim]:
    return {claim.name: claim for claim in asymmetric_motif.claims(data)}


def test_rates_with_few_seeds_are_underpowered_and_controls_fail(claims: dict[str, Claim]) -> None:
    assert claims["rate-6"].verdict == claims["rate-10"].verdict == "underpowered"
    assert not any(control.holds for claim in claims.values() for control in claim.controls)


def test_the_motif_built_by_hand_is_better_than_its_symmetric_version(claims: dict[str, Claim], data: xr.Dataset) -> None:
    assert claims["better-than-symmetric"].verdict == "held"
    assert (np.diff(data["built"].sel(density=0.2)[:5]) < 0).all()
    assert (data["trained_on"] < data["built"]).all()


def test_the_net_that_is_drawn_has_a_motif(data: xr.Dataset) -> None:
    figures = asymmetric_motif.figures(data)
    assert len(figures["ratio"].picture.data) == 4
    assert "disturbs" in figures["graph"].caption
