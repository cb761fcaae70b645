"""Raw weights end to end: readable behind a ReLU; shuffled weights are not."""

import numpy as np
import xarray as xr

from tegum.experiments.s8_privileged_basis import raw_weights
from tegum.experiments.s8_privileged_basis.raw_weights import LINEAR, RELU, dedicated
from tests.experiments.reduced import reduced

data = reduced(raw_weights, SIZE=raw_weights.SIZE["quick"].replaced(steps=4000, seeds=6), DENSITIES=[0.5, 0.3])


def test_controls_fail_and_few_models_are_called_few(data: xr.Dataset) -> None:
    for claim in raw_weights.claims(data):
        assert not any(control.holds for control in claim.controls)
        assert claim.verdict == "underpowered"


def test_a_relu_makes_weights_readable(data: xr.Dataset) -> None:
    assert dedicated(data.sel(net=RELU, density=0.5)).mean() > 0.5
    assert dedicated(data.sel(net=LINEAR)).max() < 0.4


def test_rotations_change_no_share_of_weights_that_are_noise(data: xr.Dataset) -> None:
    turned = data.copy()
    turned["W"] = data["W"].copy(data=np.random.default_rng(0).normal(size=data["W"].shape).astype(np.float32))
    readable, chance = raw_weights.claims(turned)
    assert not readable.holds
    assert chance.holds
