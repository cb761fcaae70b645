"""The appendices: the compressed-sensing bound on small sizes; nonlinear compression is exact, so its verdicts are known."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.appendix import compressed_sensing, nonlinear_compression
from tegum.theory.nonlinear_compression import compression_error
from tests.experiments.reduced import reduced

recipe = compressed_sensing.RECIPE["quick"].replaced(steps=800)
columns = {"ACTIVE": (2, 4), "TIMES": (16, 32, 64), "SAMPLES": 100}
layers = {"SHOWN_N": 24, "SHOWN_K": (2,), "SHOWN_M": (3, 8, 16), "INPUTS": 200}
sensed = reduced(compressed_sensing, **columns, **layers, PACKED=(40, 2, 4), RECIPE=recipe)
packed = reduced(nonlinear_compression, POINTS=3)


def test_a_told_support_needs_k_dimensions_and_a_guess_never_does(sensed: xr.Dataset) -> None:
    assert (sensed["half"].sel(decoder="told the support") == sensed["active"]).all()
    assert sensed["half"].sel(decoder="guessed support").isnull().all()


def test_inputs_with_small_errors_are_recovered(sensed: xr.Dataset) -> None:
    assert sensed["near"].sum() > 100
    assert (sensed["near"] == sensed["near_recovered"]).all()
    assert (sensed["trained_rate"].diff("shown_hidden") > 0).any()


def test_the_lemma_holds_and_no_control_does(sensed: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in compressed_sensing.claims(sensed)}
    assert claims["lemma"].verdict == "held"
    assert not any(control.holds for name in claims for control in claims[name].controls)


def test_what_never_recovers_needs_more_than_anything() -> None:
    rates = xr.DataArray(
        [[0.0, 1.0], [0.0, 0.1]], {"shown_active": [2, 4], "shown_hidden": [4, 16]}, ["shown_active", "shown_hidden"]
    )
    assert compressed_sensing.dimensions_needed(rates).values.tolist() == [pytest.approx(8), np.inf]


def test_verdicts(packed: xr.Dataset) -> None:
    verdicts = {claim.name: claim.verdict for claim in nonlinear_compression.claims(packed)}
    assert verdicts.pop("starts-at-36-neurons") == "failed"
    assert set(verdicts.values()) == {"held"}


def test_the_study_knows_its_axes(packed: xr.Dataset) -> None:
    error = packed["error"].sel(segments=4, epsilon=0.0625)
    assert error.sel(ramps="before") == compression_error(4, 0.0625, "before")
    assert error.sel(ramps=nonlinear_compression.OWN_UNITS) == compression_error(4, 0.0625 / 4)


def test_no_winner_is_none() -> None:
    before = nonlinear_compression.errors_at(0.125, "before").sel(segments=[1, 3, 4])
    assert nonlinear_compression.first_winner(before) == {"Z": None, "neurons": None}
