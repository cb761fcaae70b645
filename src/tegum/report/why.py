"""Why a claim did not hold: the paper's words, our guess, our smaller size, the seed, or a difference that is news.

A failed claim of the quick profile has an account in ``failures.toml``: under whose head it stands, and a sentence.  Where
there is none, as in an experiment of one's own, the claim's source says whose statement it was that failed.

>>> claim = {"experiment": "mine", "claim": "a", "verdict": "failed", "source": "ours", "evidence": "as expected in 0 of 5"}
>>> claim |= {"controls": [], "uncontrolled": ""}
>>> for reason in reasons(claim, "quick"):
...     print(f"{reason.kind}: {reason.text}")
our own guess: It is a finding or a threshold of our own that does not hold, not the paper's word.
not the seed: None of 5 is as expected.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, final

from tegum.experiments import PaperVerdict, paper_verdicts

Whose = Literal["theirs", "ours", "protocol", "finding"]
_HEADS: dict[Whose, tuple[str, str]] = {
    "theirs": ("the source's words", "They do not hold as they stand"),
    "ours": ("our own guess", "A criterion, a guess or a reading of ours is wrong or too strict"),
    "protocol": ("our smaller size", "The size or the training of this profile does not get there"),
    "finding": ("a finding", "Both are right about what they look at, and the difference is news"),
}
_BY_SOURCE = {
    "paper": ("the paper's words", "They were measured otherwise here; nobody has looked into why yet."),
    "comment": ("the comment's words", "They were measured otherwise here; nobody has looked into why yet."),
    "later work": ("the later work's words", "They were measured otherwise here; nobody has looked into why yet."),
    "ours": ("our own guess", "It is a finding or a threshold of our own that does not hold, not the paper's word."),
    "open problem": ("our own answer", "Our answer to the open problem does not hold as it stands."),
    "identity": ("a fault", "An identity or a construction fails by a bug only: please tell us."),
}


@final
@dataclass(frozen=True)
class Reason:
    """One reason: its kind in a few words, and a sentence."""

    kind: str
    text: str


@final
@dataclass(frozen=True)
class Account:
    """What is known of a failure: whose it is, and why."""

    whose: Whose
    why: str


@cache
def accounts() -> dict[str, Account]:
    """The account of each failure of the quick profile, by ``experiment/claim``."""
    text = files("tegum.report").joinpath("failures.toml").read_text(encoding="utf-8")
    return {name: Account(*entry) for name, entry in tomllib.loads(text).items()}


def elsewhere(claim: Mapping[str, Any], profile: str) -> PaperVerdict | None:
    """What the paper profile is known to have found of a claim of another profile, where the verdicts differ."""
    known = None if profile == "paper" else paper_verdicts(claim["experiment"]).get(claim["claim"])
    return known if known and known.verdict != claim["verdict"] else None


def reasons(claim: Mapping[str, Any], profile: str) -> list[Reason]:
    """Why a claim of a profile failed, or tells nothing; nothing where it held, or is not run."""
    if claim["verdict"] not in ("failed", "underpowered"):
        return []
    found = _of_failure(claim, profile) if claim["verdict"] == "failed" else _of_too_little(claim)
    if met := re.search(r"as expected in (\d+) of (\d+)", claim["evidence"]):
        count, of = int(met[1]), met[2]
        held = f"{count} of {of} {'is' if count == 1 else 'are'} as expected, the others are not."
        found.append(Reason("the seed", held) if count else Reason("not the seed", f"None of {of} is as expected."))
    if known := elsewhere(claim, profile):
        found.append(Reason("our smaller size", f"At the paper's sizes it is {known.shown}; {known.when}."))
    return found


def _of_failure(claim: Mapping[str, Any], profile: str) -> list[Reason]:
    account = accounts().get(f"{claim['experiment']}/{claim['claim']}") if profile == "quick" else None
    if account is None:
        return [Reason(*_BY_SOURCE[claim["source"]])]
    kind, text = _HEADS[account.whose]
    if account.whose == "theirs":
        kind = _BY_SOURCE[claim["source"]][0]
    return [Reason(kind, f"{text}: {account.why}.")]


def _of_too_little(claim: Mapping[str, Any]) -> list[Reason]:
    """Why an underpowered claim tells nothing."""
    found = [
        Reason("the control", f"The same check passes on what it must fail on, {control['what']}: it tells nothing.")
        for control in claim["controls"]
        if control["holds"]
    ]
    if met := re.search(r"too little to tell: (?:it lacks )?([^;]+)", claim["evidence"]):
        found.append(Reason("too little data", f"It lacks {met[1]}."))
    needs, models = claim.get("needs", 1), claim.get("models")
    if models is not None and models < needs:
        found.append(
            Reason("too few models", f"It takes {needs} to tell, and there {'is' if models == 1 else 'are'} {models}.")
        )
    return found
