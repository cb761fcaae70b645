"""A claim is a check: what is measured, what is expected of it, on which data, and on which other data it must fail.

>>> import numpy as np
>>> from tegum.claims import above, paper
>>> claim = Claim(
...     "more-than-three",
...     "Vulnerability rises by more than a factor of three.",
...     source=paper("Relationship to Adversarial Robustness", "increasing by >3x"),
...     how="highest vulnerability over densities, relative to the densest",
...     measure=lambda vulnerability: float(vulnerability.max() / vulnerability[0]),
...     expect=above(3),
...     of=np.array([1.0, 2.5, 4.2]),
...     against={"models with a dimension for every feature": np.array([1.0, 1.1, 1.3])},
...     evidence=Evidence("3 models", 3),
... )
>>> claim.verdict, claim.found.words, claim.controls[0].words
('held', '4.2', '1.3')

The same ``measure`` and the same ``expect`` are applied to ``of`` and to everything in ``against``, the *controls*; measured
value, expected value and verdict follow, in words and in numbers.

held           as expected, and no control was
failed         not as expected
underpowered   too few models to tell, or the verdict flips with the seed, or a control is as expected too
not run        the profile lacks what the claim needs to mean something, and ``not_run`` says what
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, final

from tegum.checking import Checked, check_fields
from tegum.claims.evidence import Evidence
from tegum.claims.expectations import Expect, all_of
from tegum.claims.source import Source
from tegum.claims.words import recorded
from tegum.errors import InvalidInputError, Problem, Problems

Verdict = Literal["held", "failed", "underpowered", "not run"]


@final
@dataclass(frozen=True)
class Disagreement(metaclass=Checked):
    """Where exact theory and the claim's source differ: both, and why, where that is known."""

    paper: str
    exact: str
    why: str = ""


@final
@dataclass(frozen=True)
class Measured:
    """What the check found on one set of data."""

    what: str
    value: Any
    words: str
    holds: bool

    def as_record(self) -> dict[str, Any]:
        """As it stands in ``claims.json``."""
        return {"what": self.what, "measured": self.words, "value": recorded(self.value), "holds": self.holds}


@final
@dataclass(frozen=True)
class Claim(metaclass=Checked):
    """One checked statement.

    Args:
        name: short and unique within its experiment.
        statement: what is claimed.
        source: whose statement it is, see `tegum.claims.source`.
        how: how it is measured.
        expect: what decides, see `tegum.claims.expectations`; a mapping where ``measure`` gives one.
        units: of measured parts that are shown beside those that are judged.
        of: the data judged; None where they were not made, which ``not_run`` explains.
        evidence: how many models, and how they were chosen, see `tegum.claims.evidence`.
        measure: from the data to a number, an array, a word, or a mapping of these; by default the data are the value.
        against: named data on which the same check must fail.
        uncontrolled: where there are no such data, why.
        needs: how many models it takes to tell.
        lacking: what is missing to tell, as a noun, such as "a certified minimum", where that is not a number of models:
            evidence, which no control needs; a criterion belongs into ``expect``.
        not_run: where the profile lacks the size, or the data, at which the claim means something, what it lacks; nothing is
            measured then.
        note: what a reader should know besides.
        disagreement: where exact theory differs from the paper; the page shows it highlighted.
    """

    name: str
    statement: str
    source: Source
    how: str
    expect: Expect | Mapping[str, Expect]
    of: Any = field(repr=False)
    evidence: Evidence
    measure: Callable[[Any], Any] = field(default=lambda data: data, repr=False)
    units: Mapping[str, str] = field(default_factory=dict)
    against: Mapping[str, Any] = field(default_factory=dict, repr=False)
    uncontrolled: str = ""
    needs: int = 1
    lacking: str = ""
    not_run: str = ""
    note: str = ""
    disagreement: Disagreement | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        check_fields(self, problems)
        if problems.found:
            raise InvalidInputError([Problem(f"claim {self.name!r}: {what}", advice) for what, advice in problems.found])
        if bool(self.against) == bool(self.uncontrolled):
            raise InvalidInputError(
                f"claim {self.name!r} has {'both' if self.against else 'neither'} against and uncontrolled",
                "name data on which it must fail, or say why there are none",
            )
        if self.of is None and not self.not_run:
            raise InvalidInputError(
                f"claim {self.name!r} has no data", "give those that are judged (of), or say why it is not run (not_run)"
            )

    @property
    def check(self) -> Expect:
        """What decides, of several parts or of one."""
        return self.expect if isinstance(self.expect, Expect) else all_of(self.expect, self.units)

    def applied_to(self, data: Any, what: str = "") -> Measured:
        """The check on any data."""
        value, check = self.measure(data), self.check
        return Measured(what, value, check.shown(value), check.holds(value))

    @cached_property
    def found(self) -> Measured | None:
        """The check on the data judged; None where it is not run."""
        return None if self.not_run else self.applied_to(self.of)

    @cached_property
    def controls(self) -> tuple[Measured, ...]:
        """The check on everything on which it must fail."""
        return tuple(self.applied_to(data, what) for what, data in self.against.items())

    @property
    def unopposed(self) -> list[str]:
        """The parts that hold on every control: nothing shows that these can fail."""
        parts = self.expect if isinstance(self.expect, Mapping) else {"": self.expect}
        values = [control.value for control in self.controls]
        alike = {part: all(expect.holds(value[part] if part else value) for value in values) for part, expect in parts.items()}
        return [part for part in parts if values and alike[part]]

    @property
    def holds(self) -> bool:
        """Whether the data judged are as expected."""
        return self.found is not None and self.found.holds

    @property
    def by_seed(self) -> list[bool]:
        """Whether each seed is as expected, where seeds are judged one by one (`tegum.claims.in_each_seed`); else nothing."""
        if self.found is None:
            return []
        parts = self.expect if isinstance(self.expect, Mapping) else {"": self.expect}
        values = {part: self.found.value[part] if part else self.found.value for part in parts}
        each = [[one.of_one.holds(value) for value in values[part]] for part, one in parts.items() if one.of_one]
        return [all(seed) for seed in zip(*each, strict=True)]

    @property
    def verdict(self) -> Verdict:
        """The verdict, from what was measured, from the controls, and from how much there was to measure."""
        if self.found is None:
            return "not run"
        too_few = self.evidence.models is not None and self.evidence.models < self.needs
        flips = len(set(self.by_seed)) > 1
        if too_few or flips or self.lacking or (self.found.holds and any(control.holds for control in self.controls)):
            return "underpowered"
        return "held" if self.found.holds else "failed"

    @property
    def _evidence_words(self) -> str:
        """What the verdict rests on; nothing where there is none."""
        if self.not_run:
            return ""
        by_seed = self.by_seed
        words = [f"as expected in {sum(by_seed)} of {len(by_seed)}"] if len(by_seed) > 1 else []
        words += [f"too little to tell: it lacks {self.lacking}"] if self.lacking else []
        return self.evidence.adding(*words).words

    def as_record(self, experiment: str) -> dict[str, Any]:
        """The claim as it stands in ``claims.json``."""
        found, check = self.found, self.check
        return {
            "experiment": experiment,
            "claim": self.name,
            "statement": self.statement,
            "source": self.source.kind,
            "section": self.source.section,
            "quote": self.source.quote,
            "how": self.how,
            "expected": check.words,
            "tolerance": check.tolerance,
            "measured": found.words if found else "",
            "value": recorded(found.value) if found else None,
            "bounds": check.bounds,
            "evidence": self._evidence_words,
            "models": None if self.not_run else self.evidence.models,
            "needs": self.needs,
            "controls": [control.as_record() for control in self.controls] if found else [],
            "unopposed": self.unopposed if found else [],
            "uncontrolled": self.uncontrolled,
            "not_run": self.not_run,
            "note": "" if self.not_run else self.note,
            "disagreement": asdict(self.disagreement) if self.disagreement else None,
            "verdict": self.verdict,
        }
