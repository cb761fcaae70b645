"""Nonlinear compression is exact, so its verdicts are known."""

import xarray as xr

from tegum.experiments.appendix import nonlinear_compression
from tegum.theory import compression_error
from tests.experiments.reduced import reduced

data = reduced(nonlinear_compression, POINTS=3)


def test_verdicts(data: xr.Dataset) -> None:
    verdicts = {claim.name: claim.verdict for claim in nonlinear_compression.claims(data)}
    assert verdicts == {"sharp-steps": "held", "beats-linear": "held", "starts-at-36-neurons": "failed"}


def test_the_study_knows_its_axes(data: xr.Dataset) -> None:
    error = data["error"].sel(segments=4, epsilon=0.0625)
    assert error.sel(ramps="before") == compression_error(4, 0.0625, "before")
    assert error.sel(ramps=nonlinear_compression.OWN_UNITS) == compression_error(4, 0.0625 / 4)


def test_no_winner_is_none() -> None:
    before = nonlinear_compression.errors_at(0.125, "before").sel(segments=[1, 3, 4])
    assert nonlinear_compression.first_winner(before) == {"Z": None, "neurons": None}
