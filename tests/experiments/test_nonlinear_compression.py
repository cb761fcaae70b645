"""Nonlinear compression end to end: it is exact, so its claims are known."""

import pytest

from tegum.experiments.appendix import nonlinear_compression


def test_claims_and_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonlinear_compression, "POINTS", {"quick": 3})
    data = nonlinear_compression.study("quick")
    verdicts = {claim.name: claim.verdict for claim in nonlinear_compression.claims(data)}
    assert verdicts == {"sharp-steps": "held", "beats-linear": "held", "starts-at-36-neurons": "failed"}
    segments, ramps = nonlinear_compression.figures(data).values()
    assert [trace.name for trace in segments.picture.data] == ["Z = 2", "Z = 3", "Z = 4", "Z = 8", "linear code"]
    assert len(ramps.picture.data) == 5
