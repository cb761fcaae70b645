"""What the comments say, end to end: phase diagrams on a coarse grid, purity under pressure on two sizes."""

import xarray as xr

from tegum.experiments.comments import activations, pressure
from tegum.maps import extra_phase
from tests.experiments.reduced import reduced

recipe = activations.RECIPE["quick"].replaced(seeds=8, steps=1500, evaluation_samples=4096)
mapped = reduced(activations, SIDE=5, RECIPE=recipe)
pressed = reduced(pressure, FEATURES=(18, 72), RECIPE=pressure.RECIPE["quick"].replaced(steps=3000, seeds=4))


def test_relu_superposes_sparse_features_and_tanh_does_not(mapped: xr.Dataset) -> None:
    shares = activations.superposed(extra_phase(mapped))
    assert shares.sel(activation=activations.RELU) > 0.8
    assert shares.sel(activation="tanh") < 0.2


def test_tanh_differs_by_more_than_chance(mapped: xr.Dataset) -> None:
    different, one_sided = activations.claims(mapped)
    (again,) = different.controls
    assert different.found is not None
    assert different.found.value.sel(activation="tanh") > again.value.item()
    assert one_sided.uncontrolled


def test_the_result_names_every_activation(mapped: xr.Dataset) -> None:
    assert mapped.attrs["net_GELU"].endswith("activation=Activation('gelu'))")
    assert list(mapped["activation"].values) == ["ReLU", "ReLU, other seeds", "GELU", "softplus", "x²", "|x|", "tanh"]


def test_linear_models_are_never_pure(pressed: xr.Dataset) -> None:
    assert (pressed["linear_purity"].fillna(0) == 0).all()
    found = pressure.rise(pressed["linear_purity"]) | pressure.growth(pressed["linear_purity"])
    assert (found["correlation"], found["growth"], found["p"]) == (0, 0, 1)


def test_purity_grows_with_n_and_training(pressed: xr.Dataset) -> None:
    crowded = pressed["relu_purity"].sel(density=pressure.CROWDED)
    assert pressure.rise(crowded)["correlation"] > 0.4
    found = pressure.growth(crowded)
    assert found["purity early"] < 0.05 < found["late"]


def test_trends_are_found_in_made_up_numbers() -> None:
    rising = xr.DataArray([[[0.1], [0.2], [0.3]], [[0.5], [0.6], [0.4]]], dims=("n_features", "seed", "step"))
    rising = rising.assign_coords(n_features=[10, 20])
    assert pressure.rise(rising)["correlation"] > 0.8
    assert pressure.rise(rising.isel(n_features=[1, 0]).assign_coords(n_features=[10, 20]))["correlation"] < -0.8


def test_no_control_passes(pressed: xr.Dataset) -> None:
    assert not any(control.holds for claim in pressure.claims(pressed) for control in claim.controls)
