"""Whose statement a claim is: quotations are in a list that says where they were compared, and nothing else looks like one."""

import re
import tomllib
from pathlib import Path

from tegum.claims import Claim

QUOTATIONS = tomllib.loads((Path(__file__).parent / "quotations.toml").read_text(encoding="utf-8"))


def claim_has_a_source(claim: Claim) -> None:
    """Quoted words are in the list of quotations; a statement is in our words, so nothing in it is in quotation marks."""
    source = claim.source
    if source.quote:
        assert source.quote in QUOTATIONS[source.kind][source.section], claim.name
        assert 3 <= len(source.quote.split()) <= 40, claim.name
    assert bool(source.section) == (source.kind not in ("ours", "identity")), claim.name
    assert bool(source.quote) == (source.kind in ("paper", "comment", "later work")), claim.name
    assert not re.search('["“”„«»]', claim.statement), claim.name
