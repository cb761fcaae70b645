"""The expansion with few starts and samples; wrong terms are noticed."""

import pytest
import xarray as xr

from tegum.experiments.s2_demonstration import expansion


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expansion, "SAMPLES", {"quick": 200_000})
        patch.setattr(expansion, "SEEDS", {"quick": 8})
        patch.setattr(expansion, "DENSITIES", [0.3, 0.1, 0.001])
        return expansion.study("quick")


def failed(data: xr.Dataset) -> set[str]:
    """The claims that fail."""
    return {claim.name for claim in expansion.claims(data) if claim.verdict == "failed"}


def test_every_claim_holds(data: xr.Dataset) -> None:
    assert {claim.verdict for claim in expansion.claims(data)} == {"held"}


def test_terms_that_are_too_large_fail(data: xr.Dataset) -> None:
    assert failed(data.assign(model_by_count=data["model_by_count"] * 1.05)) == {"pattern-sum", "first-terms"}


def test_terms_in_the_wrong_order_fail(data: xr.Dataset) -> None:
    turned = data["by_count"].copy(data=data["by_count"].values[..., ::-1])
    assert failed(data.assign(by_count=turned)) == {"shares"}
