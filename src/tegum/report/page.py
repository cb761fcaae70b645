"""The page that a reader opens: an introduction, every claim with its verdict, every figure, how each was made.

It opens from disk without a network: plotly.js lies beside it once, shared by all figures, and figures load when they come
into view.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from tegum.claims import Source
from tegum.claims.source import KINDS
from tegum.experiments import PaperVerdict, every_description, heading_of, introduction, paper_verdicts
from tegum.report.part import Part
from tegum.report.template import fields_of, rendered
from tegum.runs import write_atomically

VERDICTS = {
    "held": "measured as stated; where there is a control, the same check failed on it, as it must",
    "failed": "measured otherwise: both numbers are given",
    "underpowered": "too few models to tell, a verdict that flips with the seed, or a check that its control passes too",
    "not run": "this profile lacks the size at which the claim means something: what it lacks is said",
}
_SOURCE = ("tegum", "commit", "python", "libraries", "machine")


def section_of(paper: str) -> str:
    """The part of the paper, or the problem, that a figure belongs to.

    >>> section_of("Section 3, phase diagrams (F10)")
    'Section 3'
    """
    return re.split(r"[,(]", paper)[0].strip()


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a docstring: indented ones as they stand, others as running text."""
    found = [part.strip("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]
    return [part if part.startswith(" ") else re.sub(r"\s+", " ", part) for part in found]


def source_of(claim: Mapping[str, Any]) -> Source:
    """Whose statement a claim of ``claims.json`` is."""
    return Source(claim["source"], claim["section"], claim["quote"])


def counted_by_source(claims: Sequence[Mapping[str, Any]]) -> list[str]:
    """The verdicts of each source's claims in one line; claims that are not run are counted apart.

    >>> counted_by_source([{"source": "paper", "verdict": verdict} for verdict in ("held", "failed", "held", "not run")])
    ['Of 3 statements of the paper 2 held, 1 failed; 1 more is not run in this profile.']
    """
    lines = []
    for kind, names in KINDS.items():
        counts = Counter(claim["verdict"] for claim in claims if claim["source"] == kind)
        apart = counts.pop("not run", 0)
        left_out = f"{apart} {'more ' if counts else ''}{'is' if apart == 1 else 'are'} not run in this profile"
        if total := counts.total():
            said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
            lines.append(f"Of {total} {names[total > 1]} {said}{f'; {left_out}' if apart else ''}.")
        elif apart:
            lines.append(f"Of the {names[True]} {left_out}.")
    return lines


def cost(part: Part) -> str:
    """How a part was trained and what it cost, in one line, as far as its dataset tells."""
    recipe = fields_of(part.made.get("recipe"))
    said = [net] if isinstance(net := part.made.get("net"), str) else []
    if {"steps", "batch_size", "optimizer", "learning_rate"} <= set(recipe):
        said.append(f"{recipe['steps']:,} steps of {recipe['batch_size']:,} samples")
        said.append(f"{recipe['optimizer']} at {recipe['learning_rate']:g}")
    if seeds := recipe.get("seeds"):
        count = seeds if isinstance(seeds, int) else len(seeds)
        said.append(f"{count} seed{'s' if count != 1 else ''}")
    return "; ".join([*said, f"{part.seconds:.1f} s on this machine, {part.profile} profile"])


def elsewhere(part: Part, claim: Mapping[str, Any]) -> PaperVerdict | None:
    """What the paper profile is known to have found of a claim of another profile, where the verdicts differ."""
    known = None if part.profile == "paper" else paper_verdicts(part.id).get(claim["claim"])
    return known if known and known.verdict != claim["verdict"] else None


def page(parts: Sequence[Part]) -> str:
    """The HTML of the page."""
    claims = [claim for part in parts for claim in part.claims]
    counts = Counter(claim["verdict"] for claim in claims)
    known = {experiment.id: experiment for experiment in every_description()}

    def heading(part: Part) -> str:
        """The group that a part belongs to; empty for the paper's, and for one's own."""
        return heading_of(known[part.id]) if part.id in known else ""

    here = {part.id for part in parts}
    headings = list(dict.fromkeys(map(heading, parts))) or [""]
    made_by = dict.fromkeys(tuple(str(part.made.get(name, "")) for name in _SOURCE) for part in parts)
    return rendered(
        "page.html",
        ("base.js", "ledger.js"),
        beside=True,
        parts=parts,
        sections=list(dict.fromkeys(section_of(part.paper) for part in parts)),
        section_of=section_of,
        heading=heading,
        headings=headings,
        only=headings[0] if len(headings) == 1 else "",
        introduction=introduction,
        source_of=source_of,
        elsewhere=elsewhere,
        by_source=counted_by_source(claims),
        cost=cost,
        paragraphs=paragraphs,
        counts={verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]},
        verdicts=VERDICTS,
        claims=claims,
        known=known,
        missing=[each for name, each in known.items() if name not in here and heading_of(each) in headings],
        seconds=sum(part.seconds for part in parts),
        sources=list(made_by),
    )


def write_page(parts: Sequence[Part], folder: Path) -> Path:
    """Writes the page, the claims and plotly.js; returns the page's path.

    Raises:
        InvalidInputError: where the folder cannot be written.
    """
    claims = [claim for part in parts for claim in part.claims]
    write_atomically(folder / "claims.json", json.dumps(claims, indent=2, ensure_ascii=False).encode())
    plotly = get_plotlyjs().encode()
    script = folder / "plotly.min.js"
    if not script.exists() or script.read_bytes() != plotly:
        write_atomically(script, plotly)
    write_atomically(folder / "index.html", page(parts).encode())
    return folder / "index.html"
