"""Adversarial vulnerability end to end, small and short."""

import numpy as np
import xarray as xr

from tegum import Recipe
from tegum.experiments.s7_adversarial import adversarial
from tests.experiments.reduced import reduced

recipe = Recipe(steps=3000, batch_size=256, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=1)
data = reduced(adversarial, SIZE=(30, 5), COUNT=7, SAMPLES=400, CHECKED_EXAMPLES=50, RECIPE=recipe)


def test_vulnerability_follows_superposition_and_controls_fail(data: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in adversarial.claims(data)}
    assert claims["dense"].verdict == claims["more-than-three"].verdict == claims["tracks"].verdict == "held"
    assert not any(control.holds for claim in claims.values() for control in claim.controls)


def test_a_model_that_is_its_own_reference_has_no_vulnerability(data: xr.Dataset) -> None:
    same = data.copy(deep=True)
    drift = 1 + 1e-3 * np.arange(data.sizes["density"])
    same["rise"].loc[{"model": "trained"}] = same["rise"].sel(model=adversarial.LINEAR) * drift[:, None]
    verdicts = {claim.name: claim.verdict for claim in adversarial.claims(same)}
    assert verdicts["dense"] == "underpowered"
    assert verdicts["more-than-three"] == "failed"
