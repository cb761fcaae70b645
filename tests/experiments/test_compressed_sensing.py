"""The compressed-sensing bound, on small sizes."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.appendix import compressed_sensing
from tests.experiments.reduced import reduced

recipe = compressed_sensing.RECIPE["quick"].replaced(steps=800)
columns = {"ACTIVE": (2, 4), "TIMES": (16, 32, 64), "SAMPLES": 100}
layers = {"SHOWN_N": 24, "SHOWN_K": (2,), "SHOWN_M": (3, 8, 16), "INPUTS": 200}
data = reduced(compressed_sensing, **columns, **layers, PACKED=(40, 2, 4), RECIPE=recipe)


def test_a_told_support_needs_k_dimensions_and_a_guess_never_does(data: xr.Dataset) -> None:
    assert (data["half"].sel(decoder="told the support") == data["active"]).all()
    assert data["half"].sel(decoder="guessed support").isnull().all()


def test_inputs_with_small_errors_are_recovered(data: xr.Dataset) -> None:
    assert data["near"].sum() > 100
    assert (data["near"] == data["near_recovered"]).all()
    assert (data["trained_rate"].diff("shown_hidden") > 0).any()


def test_the_lemma_holds_and_no_control_does(data: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in compressed_sensing.claims(data)}
    assert claims["lemma"].verdict == "held"
    assert not any(control.holds for name in claims for control in claims[name].controls)


def test_what_never_recovers_needs_more_than_anything() -> None:
    rates = xr.DataArray(
        [[0.0, 1.0], [0.0, 0.1]], {"shown_active": [2, 4], "shown_hidden": [4, 16]}, ["shown_active", "shown_hidden"]
    )
    assert compressed_sensing.dimensions_needed(rates).values.tolist() == [pytest.approx(8), np.inf]
