"""Phase diagrams of other activations end to end, on a coarse grid."""

import xarray as xr

from tegum.experiments.comments import activations
from tegum.maps import extra_phase
from tests.experiments.reduced import reduced

data = reduced(activations, SIDE=5, RECIPE=activations.RECIPE["quick"].replaced(seeds=8, steps=1500, evaluation_samples=4096))


def test_relu_superposes_sparse_features_and_tanh_does_not(data: xr.Dataset) -> None:
    shares = activations.superposed(extra_phase(data))
    assert shares.sel(activation=activations.RELU) > 0.8
    assert shares.sel(activation="tanh") < 0.2


def test_tanh_differs_by_more_than_chance(data: xr.Dataset) -> None:
    different, one_sided = activations.claims(data)
    (again,) = different.controls
    assert different.found is not None
    assert different.found.value.sel(activation="tanh") > again.value.item()
    assert not one_sided.controls[0].holds


def test_the_result_names_every_activation(data: xr.Dataset) -> None:
    assert data.attrs["net_GELU"].endswith("activation=Activation('gelu'))")
    assert list(data["activation"].values) == ["ReLU", "ReLU, other seeds", "GELU", "softplus", "x²", "|x|", "tanh"]
