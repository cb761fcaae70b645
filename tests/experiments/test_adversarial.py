"""Adversarial vulnerability, and training under attack, end to end, small and short."""

import numpy as np
import xarray as xr

from tegum import Recipe
from tegum.experiments.s7_adversarial import adversarial, adversarial_training
from tests.experiments.reduced import reduced

recipe = Recipe(steps=3000, batch_size=256, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=5)
attacked = reduced(adversarial, SIZE=(30, 5), COUNT=7, SAMPLES=400, CHECKED_EXAMPLES=50, RECIPE=recipe)
recipe = recipe.replaced(steps=1500, learning_rate=5e-3)
hardened = reduced(adversarial_training, SIZE=(20, 4), DENSITIES=(0.1, 0.05), SAMPLES=300, RECIPE=recipe)


def test_vulnerability_follows_superposition_and_controls_fail(attacked: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in adversarial.claims(attacked)}
    assert claims["dense"].verdict == claims["more-than-three"].verdict == claims["tracks"].verdict == "held"
    assert claims["linear-relation"].verdict == "held"


def test_a_model_that_is_its_own_reference_has_no_vulnerability(attacked: xr.Dataset) -> None:
    same = attacked.copy(deep=True)
    drift = 1 + 1e-3 * np.arange(attacked.sizes["density"])
    same["rise"].loc[{"model": "trained"}] = same["rise"].sel(model=adversarial.LINEAR) * drift[:, None, None]
    verdicts = {claim.name: claim.verdict for claim in adversarial.claims(same)}
    assert verdicts["dense"] == "underpowered"
    assert verdicts["more-than-three"] == "failed"


def test_attacks_take_superposition_apart_and_cost_loss(hardened: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in adversarial_training.claims(hardened)}
    assert claims["worse"].verdict == claims["robust"].verdict == "held"
    per = hardened["per_dimension"].mean("seed")
    assert (per.sel(size=0.8) < 0.7 * per.sel(size=0.0)).all()
    assert not any(control.holds for claim in claims.values() for control in claim.controls)


def test_both_draws_begin_at_the_same_unattacked_models(hardened: xr.Dataset) -> None:
    calm = hardened["per_dimension"].sel(size=0.0)
    assert (calm.sel(attack_draw="example") == calm.sel(attack_draw="batch")).all()


def test_models_that_attacks_leave_alone_fail(hardened: xr.Dataset) -> None:
    idle = hardened.copy(deep=True)
    for name in ("per_dimension", "loss", "rise"):
        idle[name] = hardened[name].sel(size=0.0, drop=True).expand_dims(size=hardened["size"]).transpose(*hardened[name].dims)
    verdicts = {claim.name: claim.verdict for claim in adversarial_training.claims(idle)}
    assert verdicts == {"falls": "failed", "removed": "failed", "needed": "underpowered", "worse": "failed", "robust": "failed"}
