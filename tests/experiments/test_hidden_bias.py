"""Hidden biases end to end: models with one run linearly, models without one do not unless features are many."""

import xarray as xr

from tegum.experiments.s8_privileged_basis import hidden_bias
from tests.experiments.reduced import reduced

data = reduced(hidden_bias, SIZE=hidden_bias.SIZE["quick"].replaced(steps=1500, seeds=4), MANY_SEEDS=1, COUNTS=(10, 100))


def test_controls_fail_and_few_models_are_called_few(data: xr.Dataset) -> None:
    for claim in hidden_bias.claims(data):
        assert not any(control.holds for control in claim.controls)
        assert claim.verdict == "underpowered"


def test_units_with_a_bias_are_nearly_always_active(data: xr.Dataset) -> None:
    assert (data["active"].sel(bias=hidden_bias.BIASED).mean("seed") > 0.9).all()
    assert float(data["active"].sel(bias=hidden_bias.PLAIN, density=0.05).mean()) < 0.5
