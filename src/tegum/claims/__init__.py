"""Claims that can fail: a check, the data it judges, and data on which it must fail."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.claims.claim import Claim, Disagreement, Verdict
    from tegum.claims.evidence import Evidence, best_of, closed_form, every, fisher
    from tegum.claims.expectations import (
        Expect,
        above,
        all_of,
        at_least,
        at_most,
        below,
        between,
        equal,
        falling,
        in_each_seed,
        near,
        passes,
        rising,
        share_at_least,
    )
    from tegum.claims.source import IDENTITY, OURS, Source, answer, comment, later, paper

__all__ = [
    "IDENTITY",
    "OURS",
    "Claim",
    "Disagreement",
    "Evidence",
    "Expect",
    "Source",
    "Verdict",
    "above",
    "all_of",
    "answer",
    "at_least",
    "at_most",
    "below",
    "best_of",
    "between",
    "closed_form",
    "comment",
    "equal",
    "every",
    "falling",
    "fisher",
    "in_each_seed",
    "later",
    "near",
    "paper",
    "passes",
    "rising",
    "share_at_least",
]

load_on_first_use(__name__)
