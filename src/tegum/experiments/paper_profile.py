"""Verdicts of the paper profile, where it was ever run: a page of the quick profile shows those that differ from its own.

They stand in ``paper_profile.toml``, one table for each experiment, with the day and the version of the run; claims that are
not in it were not judged at the paper's sizes.

>>> known = paper_verdicts("hidden-codes")["important-words"]
>>> known.verdict, known.when
('held', '2026-11-28, tegum 0.1.0 at 7f639c0')
>>> paper_verdicts("an experiment of one's own")
{}
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, final

from tegum.claims import Verdict


@final
@dataclass(frozen=True)
class PaperVerdict:
    """What the paper profile found: the verdict, what was measured, in words, and which run it was."""

    verdict: Verdict
    measured: str
    when: str

    @property
    def shown(self) -> str:
        """In words: ``failed (44 of 40)``."""
        return f"{self.verdict} ({self.measured})"


def paper_verdicts(experiment: str) -> dict[str, PaperVerdict]:
    """The known verdicts of an experiment's claims, by name."""
    run = paper_runs().get(experiment, {"claims": {}})
    return {
        name: PaperVerdict(verdict, measured, f"{run['date']}, tegum {run['version']}")
        for name, (verdict, measured) in run["claims"].items()
    }


@cache
def paper_runs() -> dict[str, Any]:
    """Everything in ``paper_profile.toml``, by experiment."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
