"""Phase diagrams of other activations end to end, on a coarse grid."""

import pytest
import xarray as xr

from tegum.experiments.comments import activations


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activations, "SIDE", {"quick": 5})
        recipe = activations.RECIPE["quick"].replaced(seeds=8, steps=1500, evaluation_samples=4096)
        patch.setattr(activations, "RECIPE", {"quick": recipe})
        return activations.study("quick")


def test_relu_superposes_sparse_features_and_tanh_does_not(data: xr.Dataset) -> None:
    assert activations.superposed(data, activations.RELU) > 0.8
    assert activations.superposed(data, "tanh") < 0.2
    assert activations.different(data, activations.RELU) == 0
    assert activations.different(data, "tanh") > activations.different(data, activations.AGAIN)


def test_the_result_names_every_activation(data: xr.Dataset) -> None:
    assert data.attrs["net_GELU"].endswith("activation=Activation('gelu'))")
    assert list(data["activation"].values) == ["ReLU", "ReLU, other seeds", "GELU", "softplus", "x²", "|x|", "tanh"]


def test_claims_and_pictures(data: xr.Dataset) -> None:
    claims = activations.claims(data)
    assert [claim.name for claim in claims] == ["different", "one-sided"]
    assert claims[0].control is not None
    assert claims[1].control is not None
    assert not claims[1].control.holds
    assert [len(figure.picture.data) for figure in activations.figures(data).values()] == [4, 4]
