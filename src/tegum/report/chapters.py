"""How a page of experiments is divided: a chapter for each section of the paper, each other group, and what is one's own.

A chapter is folded, and its line says how many of its claims held.

>>> chapters([]), strip([{"verdict": "held"}, {"verdict": "failed"}, {"verdict": "not run"}]).words
([], '1 of 2 held')
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from tegum.experiments import Description, every_description, heading_of, introduction
from tegum.experiments.described import about_folder
from tegum.report.part import Part

VERDICTS = {
    "held": "measured as stated; where there is a control, the same check failed on it, as it must",
    "failed": "measured otherwise: both numbers are given, and why they differ where that is known",
    "underpowered": "too few models to tell, a verdict that flips with the seed, or a check that its control passes too",
    "not run": "this profile lacks the size at which the claim means something: what it lacks is said",
}


@final
@dataclass(frozen=True)
class Strip:
    """Verdicts at a glance.

    Attributes:
        words: ``7 of 8 held``; of claims that are all not run, that.
        more: the other verdicts, in words.
        shares: the colour bar: verdict and percent, in the order of `VERDICTS`.
    """

    words: str
    more: str
    shares: list[tuple[str, float]]


@final
@dataclass(frozen=True)
class Chapter:
    """What one fold of the page holds.

    Attributes:
        id: its anchor.
        name: such as "Section 5"; empty where the title says all.
        title: what it is about.
        parts: its experiments.
        heading: the group that it is; empty for the paper's and for one's own.
    """

    id: str
    name: str
    title: str
    heading: str = ""
    parts: list[Part] = field(default_factory=list)

    @property
    def claims(self) -> list[dict[str, Any]]:
        """All its claims."""
        return [claim for part in self.parts for claim in part.claims]

    @property
    def called(self) -> str:
        """Its name, or where it has none its title."""
        return self.name or self.title

    @property
    def text(self) -> list[str]:
        """What a group says of itself."""
        return paragraphs(introduction(self.heading)) if self.heading else []


def chapters(parts: Sequence[Part]) -> list[Chapter]:
    """The chapters of these parts, in their order."""
    known, found = {each.id: each for each in every_description()}, dict[str, Chapter]()
    for part in parts:
        chapter = _paper_chapter(known[part.id]) if part.id in known else _own_chapter(part)
        found.setdefault(chapter.id, chapter).parts.append(part)
    return list(found.values())


def _paper_chapter(experiment: Description) -> Chapter:
    """The chapter of one of tegum's experiments: its folder's own words, up to the first comma."""
    if heading := heading_of(experiment):
        return Chapter(_anchor(heading), "", heading, heading)
    said = about_folder(experiment) or section_of(experiment.paper)
    name, _, title = said.rpartition(": ")
    title = title.partition(",")[0]
    return Chapter(_anchor(name or title), name, title[0].upper() + title[1:])


def _own_chapter(part: Part) -> Chapter:
    """The chapter of an experiment of one's own: what it says it is about."""
    section = section_of(part.paper) or "My own"
    return Chapter(_anchor(section), "", section)


def _anchor(name: str) -> str:
    """A name as the end of an address."""
    return "chapter-" + (re.sub(r"\W+", "-", name.lower()).strip("-") or "own")


def section_of(paper: str) -> str:
    """The part of the paper, or the problem, that a figure belongs to.

    >>> section_of("Section 3, phase diagrams (F10)")
    'Section 3'
    """
    return re.split(r"[,(]", paper)[0].strip()


def figures_of(paper: str) -> str:
    """The numbers of the figures that an experiment rebuilds.

    >>> figures_of("Section 3, phase diagrams for n = 2, m = 1 (F10, F11)")
    'F10, F11'
    """
    return ", ".join(re.findall(r"\bF\d+\b", paper))


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a docstring: indented ones as they stand, others as running text."""
    found = [part.strip("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]
    return [part if part.startswith(" ") else re.sub(r"\s+", " ", part) for part in found]


def strip(claims: Iterable[Mapping[str, Any]]) -> Strip:
    """How many of these claims held, and the others."""
    counts = Counter(str(claim["verdict"]) for claim in claims)
    judged = counts.total() - counts["not run"]
    said = {verdict: f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]}
    words = f"{counts['held']} of {judged} held" if judged else said.get("not run", "no claims")
    more = ", ".join(text for verdict, text in said.items() if verdict not in ("held", "not run" if not judged else ""))
    return Strip(words, more, [(verdict, round(100 * counts[verdict] / counts.total(), 2)) for verdict in said])
