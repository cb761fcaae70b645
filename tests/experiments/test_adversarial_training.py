"""Adversarial training end to end, small and short."""

import xarray as xr

from tegum import Recipe
from tegum.experiments.s7_adversarial import adversarial_training as experiment
from tests.experiments.reduced import reduced

recipe = Recipe(steps=1500, batch_size=256, learning_rate=5e-3, schedule="cosine", weight_decay=0, seeds=2)
data = reduced(experiment, SIZE=(20, 4), DENSITIES=(0.1, 0.05), SAMPLES=300, RECIPE=recipe)


def test_attacks_take_superposition_apart_and_cost_loss(data: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in experiment.claims(data)}
    assert claims["worse"].verdict == claims["robust"].verdict == "held"
    per = data["per_dimension"].mean("seed")
    assert (per.sel(size=0.8) < 0.7 * per.sel(size=0.0)).all()
    assert not any(control.holds for claim in claims.values() for control in claim.controls)


def test_both_draws_begin_at_the_same_unattacked_models(data: xr.Dataset) -> None:
    calm = data["per_dimension"].sel(size=0.0)
    assert (calm.sel(attack_draw="example") == calm.sel(attack_draw="batch")).all()


def test_models_that_attacks_leave_alone_fail(data: xr.Dataset) -> None:
    idle = data.copy(deep=True)
    for name in ("per_dimension", "loss", "rise"):
        idle[name] = data[name].sel(size=0.0, drop=True).expand_dims(size=data["size"]).transpose(*data[name].dims)
    verdicts = {claim.name: claim.verdict for claim in experiment.claims(idle)}
    assert verdicts == {"falls": "failed", "removed": "failed", "needed": "underpowered", "worse": "failed", "robust": "failed"}
