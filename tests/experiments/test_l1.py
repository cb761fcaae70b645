"""A penalty on activity, small and short."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.s10_strategic_picture import l1
from tegum.theory.scaling import exponent
from tests.experiments.reduced import reduced

recipe = l1.RECIPE.replaced(steps=2500, batch_size=256)
data = reduced(l1, PENALTIES=[0.0, 0.03, 0.2, 0.4], SEEDS=2, RECIPE=recipe, SPARSE=np.geomspace(0.001, 0.1, 3))


def test_penalties_remove_superposition_and_kill(data: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in l1.claims(data)}
    for name in ("removed", "killed", "second-order", "per-activation"):
        assert claims[name].verdict == "held", name
    assert not any(control.holds for claim in claims.values() for control in claim.controls)


def test_models_that_ignore_the_penalty_fail(data: xr.Dataset) -> None:
    deaf = data.copy(deep=True)
    for name in ("per_dimension", "represented", "overlap", "loss"):
        deaf[name] = xr.zeros_like(data[name]) + data[name].sel(l1=0.0, drop=True)
        deaf[f"near_{name}"] = xr.zeros_like(data[f"near_{name}"]) + data[f"near_{name}"].sel(small=0.0, drop=True)
    verdicts = {claim.name: claim.verdict for claim in l1.claims(deaf)}
    assert verdicts["removed"] == verdicts["removed-equal"] == verdicts["second-order-trained"] == "failed"
    assert verdicts["killed"] == "underpowered"


def test_exponents_of_powers_are_found() -> None:
    x = np.geomspace(1e-3, 1e-1, 5)
    assert exponent(x, 3 * x**1.5) == pytest.approx(1.5)
    assert np.isnan(exponent(x, x - 0.01))
    models = np.array([x, 2 * x]), np.array([x**2, x**3])
    assert l1.exponents((x, *models)) == {"fall of superposition": pytest.approx(1), "rise of the loss": pytest.approx(2.5)}
