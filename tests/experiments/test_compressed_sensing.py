"""The compressed-sensing bound end to end, on small sizes."""

import pytest
import xarray as xr

from tegum.experiments.appendix import compressed_sensing


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compressed_sensing, "ACTIVE", (2, 4))
        patch.setattr(compressed_sensing, "TIMES", (16, 32, 64))
        patch.setattr(compressed_sensing, "SAMPLES", {"quick": 100})
        patch.setattr(compressed_sensing, "SHOWN_N", 24)
        patch.setattr(compressed_sensing, "SHOWN_K", (2,))
        patch.setattr(compressed_sensing, "SHOWN_M", (3, 8, 16))
        patch.setattr(compressed_sensing, "INPUTS", 200)
        patch.setattr(compressed_sensing, "WORLD", {"quick": (40, 2, 4)})
        patch.setattr(compressed_sensing, "RECIPE", {"quick": compressed_sensing.RECIPE["quick"].replaced(steps=800)})
        yield compressed_sensing.study("quick")


def test_a_told_support_needs_k_dimensions_and_a_guess_never_does(data: xr.Dataset) -> None:
    assert (data["half"].sel(decoder="told the support") == data["active"]).all()
    assert data["half"].sel(decoder="guessed support").isnull().all()


def test_inputs_with_small_errors_are_recovered(data: xr.Dataset) -> None:
    assert data["near"].sum() > 100
    assert (data["near"] == data["near_recovered"]).all()
    assert (data["trained_rate"].diff("shown_hidden") > 0).any()


def test_claims_and_pictures(data: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed_sensing, "ACTIVE", (2, 4))
    monkeypatch.setattr(compressed_sensing, "SHOWN_K", (2,))
    monkeypatch.setattr(compressed_sensing, "SHOWN_M", (3, 8, 16))
    claims = {claim.name: claim for claim in compressed_sensing.claims(data)}
    assert list(claims) == ["recovery-law", "lemma", "training-is-better", "packing"]
    assert not claims["recovery-law"].control.holds
    assert not claims["training-is-better"].control.holds
    assert claims["lemma"].verdict == "held"
    assert list(compressed_sensing.figures(data)) == ["phase", "trained", "packing"]
