"""Verdicts follow from what was measured, and from controls."""

from dataclasses import replace

import pytest

from tegum.claims import Claim, Control

CLAIM = Claim("c", "statement", "how", "expected", "tolerance", "measured", True, "8 models")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "held"),
        ({"holds": False}, "failed"),
        ({"enough": False}, "underpowered"),
        ({"control": Control("untrained", "0", holds=False)}, "held"),
        ({"control": Control("untrained", "1", holds=True)}, "underpowered"),
        ({"control": Control("untrained", "1", holds=True), "holds": False}, "failed"),
        ({"ran": False}, "not run"),
    ],
)
def test_verdicts(changes: dict[str, object], verdict: str) -> None:
    assert replace(CLAIM, **changes).verdict == verdict  # type: ignore[arg-type]


def test_the_record_has_what_outside_programs_rely_on() -> None:
    record = CLAIM.as_record("intro")
    for key in ("experiment", "claim", "statement", "expected", "tolerance", "measured", "evidence", "verdict"):
        assert isinstance(record[key], str)
