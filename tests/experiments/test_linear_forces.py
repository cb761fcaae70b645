"""The linear model, shortened; what is no linear optimum does not pass for one."""

import pytest
import xarray as xr

from tegum.experiments.s2_demonstration import linear_forces


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_forces, "RECIPE", {"quick": linear_forces.RECIPE["quick"].replaced(steps=3000, seeds=4)})
        patch.setattr(linear_forces, "SAMPLES", 50_000)
        return linear_forces.study("quick")


def failed(data: xr.Dataset) -> set[str]:
    """The claims that fail."""
    return {claim.name for claim in linear_forces.claims(data) if claim.verdict == "failed"}


def test_every_claim_holds(data: xr.Dataset) -> None:
    assert {claim.verdict for claim in linear_forces.claims(data)} == {"held"}


def test_what_is_no_optimum_fails(data: xr.Dataset) -> None:
    wrong = data.assign(exact_W=data["exact_W"] + 0.01, benefit=data["benefit"] * 1.01)
    assert failed(wrong) == {"no-more-than-dimensions", "bound"}


def test_interference_that_stays_fails(data: xr.Dataset) -> None:
    assert "competing" in failed(data.assign(interference=data["benefit"]))


def test_losses_that_do_not_split_fail(data: xr.Dataset) -> None:
    assert failed(data.assign(sampled=data["sampled"] * 1.05)) == {"two-forces"}
