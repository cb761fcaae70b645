"""Purity under pressure end to end, on two sizes."""

import xarray as xr

from tegum.experiments.comments import pressure
from tests.experiments.reduced import reduced

data = reduced(pressure, FEATURES=(18, 72), RECIPE=pressure.RECIPE["quick"].replaced(steps=3000, seeds=4))


def test_linear_models_are_never_pure(data: xr.Dataset) -> None:
    assert (data["linear_purity"].fillna(0) == 0).all()
    found = pressure.rise(data["linear_purity"]) | pressure.growth(data["linear_purity"])
    assert (found["correlation"], found["growth"], found["p"]) == (0, 0, 1)


def test_purity_grows_with_n_and_training(data: xr.Dataset) -> None:
    crowded = data["relu_purity"].sel(density=pressure.CROWDED)
    assert pressure.rise(crowded)["correlation"] > 0.4
    found = pressure.growth(crowded)
    assert found["purity early"] < 0.05 < found["late"]


def test_trends_are_found_in_made_up_numbers() -> None:
    rising = xr.DataArray([[[0.1], [0.2], [0.3]], [[0.5], [0.6], [0.4]]], dims=("n_features", "seed", "step"))
    rising = rising.assign_coords(n_features=[10, 20])
    assert pressure.rise(rising)["correlation"] > 0.8
    assert pressure.rise(rising.isel(n_features=[1, 0]).assign_coords(n_features=[10, 20]))["correlation"] < -0.8


def test_no_control_passes(data: xr.Dataset) -> None:
    assert not any(control.holds for claim in pressure.claims(data) for control in claim.controls)
