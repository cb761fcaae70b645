"""The linear model end to end, shortened; what is no linear optimum does not pass for one."""

import pytest

from tegum.experiments.s2_demonstration import linear_forces


def test_the_claims_hold_and_random_weights_pass_none_but_the_split() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_forces, "RECIPE", {"quick": linear_forces.RECIPE["quick"].replaced(steps=3000, seeds=4)})
        patch.setattr(linear_forces, "SAMPLES", 50_000)
        data = linear_forces.study("quick")
    verdicts = {claim.name: claim.verdict for claim in linear_forces.claims(data)}
    assert set(verdicts.values()) == {"held"}
    assert set(verdicts) == {"frobenius", "two-forces", "competing", "two-norms", "no-more-than-dimensions", "bound"}
    wrong = data.assign(exact_W=(data["exact_W"].dims, data["exact_W"].values + 0.01))
    wrong["benefit"] = data["benefit"] * 1.01
    verdicts = {claim.name: claim.verdict for claim in linear_forces.claims(wrong)}
    assert {name for name, verdict in verdicts.items() if verdict == "failed"} == {"no-more-than-dimensions", "bound"}
    still = data.assign(interference=0 * data["interference"] + data["benefit"])
    assert {claim.name: claim.verdict for claim in linear_forces.claims(still)}["competing"] == "failed"
    assert len(linear_forces.figures(data)["forces"].picture.data) == 3
