"""Purity under pressure end to end, on two sizes."""

import pytest
import xarray as xr

from tegum.experiments.comments import pressure


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pressure, "FEATURES", {"quick": (18, 72)})
        patch.setattr(pressure, "RECIPE", {"quick": pressure.RECIPE["quick"].replaced(steps=3000, seeds=4)})
        return pressure.study("quick")


def test_linear_models_are_never_pure(data: xr.Dataset) -> None:
    assert (data["linear_purity"].fillna(0) == 0).all()
    assert pressure.rise(data["linear_purity"]) == (0.0, 1.0)
    assert pressure.growth(data["linear_purity"]) == (0.0, 0.0, 1.0)


def test_purity_grows_with_n_and_training(data: xr.Dataset) -> None:
    crowded = data["relu_purity"].sel(density=pressure.CROWDED)
    assert pressure.rise(crowded)[0] > 0.4
    early, late, _ = pressure.growth(crowded)
    assert early < 0.05 < late


def test_trends_are_found_in_made_up_numbers() -> None:
    rising = xr.DataArray([[[0.1], [0.2], [0.3]], [[0.5], [0.6], [0.4]]], dims=("n_features", "seed", "step"))
    rising = rising.assign_coords(n_features=[10, 20])
    assert pressure.rise(rising)[0] > 0.8
    assert pressure.rise(rising.isel(n_features=[1, 0]).assign_coords(n_features=[10, 20]))[0] < -0.8


def test_claims_and_pictures(data: xr.Dataset) -> None:
    claims = pressure.claims(data)
    assert [claim.name for claim in claims] == ["more-features", "longer-training", "sparser"]
    assert all(claim.control is not None and not claim.control.holds for claim in claims)
    assert len(pressure.figures(data)["features"].picture.data) == 3
