"""A claim of the paper, put so that it can fail: statement, measurement, expected value, evidence, verdict.

held           measured as stated, and the negative control (the same check where it must fail) did fail
failed         measured otherwise
underpowered   too few models to tell, or a check that its control passes too: it tells nothing
not run        the study was interrupted before

Claim("digons", statement="...", how="...", expected="4 features in 2 pairs", measured="...", holds=True, evidence="best of 16")
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal, final

Verdict = Literal["held", "failed", "underpowered", "not run"]


@final
@dataclass(frozen=True)
class Control:
    """The same check on something that must not pass it."""

    what: str
    measured: str
    holds: bool


@final
@dataclass(frozen=True)
class Disagreement:
    """Where exact theory and the paper differ: both numbers, and why, where that is known."""

    paper: str
    exact: str
    why: str = ""


@final
@dataclass(frozen=True)
class Claim:
    """One checked statement.

    Args:
        name: short and unique within its experiment.
        statement: what the paper says, in our words.
        how: how it is measured.
        expected: the expected value or structure.
        tolerance: how far from it still counts.
        measured: what came out.
        holds: whether that is within tolerance.
        evidence: how many models, and how they were chosen.
        enough: whether that is enough to tell.
        control: the same check where it must fail, if there is one.
        note: what a reader should know besides.
        ran: whether the study came so far.
        disagreement: where exact theory differs from the paper; the page shows it highlighted.
    """

    name: str
    statement: str
    how: str
    expected: str
    tolerance: str
    measured: str
    holds: bool
    evidence: str
    enough: bool = True
    control: Control | None = None
    note: str = ""
    ran: bool = True
    disagreement: Disagreement | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict, from what was measured and from the control."""
        if not self.ran:
            return "not run"
        if not self.enough or (self.holds and self.control is not None and self.control.holds):
            return "underpowered"
        return "held" if self.holds else "failed"

    def as_record(self, experiment: str) -> dict[str, Any]:
        """The claim as it stands in ``claims.json``."""
        record = asdict(self)
        record = {"experiment": experiment, "claim": record.pop("name")} | record
        for internal in ("holds", "enough", "ran"):
            record.pop(internal)
        control = record.pop("control")
        return record | {"controls": [control] if control else [], "uncontrolled": "", "verdict": self.verdict}
