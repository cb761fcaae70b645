"""The expansion end to end, with few starts and samples."""

import pytest

from tegum.experiments.s2_demonstration import expansion


def test_every_claim_is_judged_and_every_control_fails() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expansion, "SAMPLES", {"quick": 200_000})
        patch.setattr(expansion, "SEEDS", {"quick": 8})
        patch.setattr(expansion, "DENSITIES", [0.3, 0.1, 0.001])
        data = expansion.study("quick")
    claims = {claim.name: claim for claim in expansion.claims(data)}
    assert {claim.verdict for claim in claims.values()} == {"held"}
    assert not any(claim.control.holds for claim in claims.values() if claim.control is not None)
    wrong = data.assign(model_by_count=data["model_by_count"] * 1.05)
    verdicts = {claim.name: claim.verdict for claim in expansion.claims(wrong)}
    assert verdicts["pattern-sum"] == verdicts["first-terms"] == "failed"
    turned = data.assign(by_count=data["by_count"].isel(active=slice(None, None, -1)).assign_coords(active=data["active"]))
    assert {claim.name: claim.verdict for claim in expansion.claims(turned)}["shares"] == "failed"
    assert set(expansion.figures(data)) == {"terms", "shares", "polygons"}
