"""The page that a reader opens: what it is about, every figure at a glance, chapter by chapter figures and claims, the ledger.

It opens from disk without a network: plotly.js lies beside it once, shared by all figures, and figures load when they come
into view.  A page of experiments of one's own is about these, and of an experiment without claims it has none.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from plotly.offline import get_plotlyjs

from tegum import lab
from tegum.claims import Source
from tegum.claims.source import KINDS
from tegum.datasets import RECIPES
from tegum.experiments import every_description, heading_of, introduction
from tegum.features import Independent
from tegum.geometry import polygon
from tegum.nets import ReluOutput
from tegum.report.bars import bars
from tegum.report.chapters import VERDICTS, chapters, figures_of, paragraphs, strip
from tegum.report.part import Part
from tegum.report.template import fields_of, place_for_page, rendered
from tegum.report.why import elsewhere, reasons
from tegum.runs import write_atomically
from tegum.runs.files import keep_foreign

_SOURCE = ("tegum", "commit", "python", "libraries", "machine")
_DENSITY = 0.1
"""Of the live model's features at first: a pentagon."""

_UNFOLDED = 4
"""Up to so many experiments a page shows them all at once; of more it shows the pictures, and folds the chapters."""

_MARKS = {"plotly.min.js": b"plotly.js v", "lab.js": b"const tegumLab = (", "lab.html": b"tegumLab.mount("}
"""What of any version has in it that lies beside the page."""

_NETS = {
    "Linear": "a linear net",
    "ReluOutput": "ReLU output",
    "ReluHidden": "ReLU on the hidden layer",
    "AbsoluteValue": "the absolute value",
    "Untied": "encoder and decoder of their own",
    "UntiedNeurons": "neurons, encoder and decoder of their own",
}


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


def net_in_words(net: str) -> str:
    """A net as a reader would say it; one that is not tegum's as it is written.

    >>> net_in_words("ReluOutput(n_features=5, n_hidden=2, bias=True)")
    'ReLU output, 5 features in 2 dimensions'
    """
    name, _, rest = net.partition("(")
    sizes = dict(re.findall(r"(n_features|n_hidden)=(\d+)", rest))
    if name not in _NETS or len(sizes) < 2:
        return net
    m = int(sizes["n_hidden"])
    unit = "neuron" if name in ("ReluHidden", "AbsoluteValue", "UntiedNeurons") else "dimension"
    return f"{_NETS[name]}, {sizes['n_features']} features in {m} {unit}{'s' if m != 1 else ''}"


def cost(part: Part) -> str:
    """How a part was trained and what it cost, as far as its dataset tells: of several trainings it may tell of the first.

    It is said once of the whole part: which of its figures show that training, their captions say.
    """
    recipes = [fields_of(part.made[name]) for name in filter(RECIPES.fullmatch, part.made)]
    said = [net_in_words(net)] if isinstance(net := part.made.get("net"), str) else []
    said += [
        f"{each['steps']:,} steps of {each['batch_size']:,} samples" for each in recipes if {"steps", "batch_size"} <= set(each)
    ]
    said += [
        f"{each['optimizer']} at {each['learning_rate']:g}" for each in recipes if {"optimizer", "learning_rate"} <= set(each)
    ]
    for seeds in [each["seeds"] for each in recipes if each.get("seeds")]:
        count = seeds if isinstance(seeds, int) else len(seeds)
        said.append(f"{count} seed{'s' if count != 1 else ''}")
    whose = "Its trainings: " if len(recipes) > 1 else "Its training (of several, the first): " if recipes else ""
    how = f"{whose}{'; '.join(dict.fromkeys(said))}. " if said else ""
    return f"{how}The whole study took {part.seconds:.1f} s, {part.profile} profile."


def page(parts: Sequence[Part]) -> str:
    """The HTML of the page."""
    claims = [claim for part in parts for claim in part.claims]
    counts = Counter(claim["verdict"] for claim in claims)
    known = {experiment.id: experiment for experiment in every_description()}
    divided = chapters(parts)
    headings = list(dict.fromkeys(chapter.heading for chapter in divided if chapter.parts[0].id in known))
    ours = all(part.id in known for part in parts)
    kind = "paper" if "" in headings or not parts else "group" if ours else "own"
    title, lead = _about(kind, headings, parts)
    here = {part.id for part in parts}
    made_by = dict.fromkeys(tuple(str(part.made.get(name, "")) for name in _SOURCE) for part in parts)
    return rendered(
        "page.html",
        ("base.js", "player.js", "files.js", "page.js", "ledger.js"),
        beside=True,
        kind=kind,
        live=lab.link(ReluOutput(5, 2), Independent(5, density=_DENSITY), polygon(5), np.zeros(5)),
        title=title,
        lead=lead,
        parts=parts,
        chapters=divided,
        numbers={part.id: number for number, part in enumerate(parts, start=1)},
        gallery=len(parts) > 1,
        unfolded=len(parts) <= _UNFOLDED,
        answers=any(headings),
        known=known,
        known_parts=bool(headings),
        overall=strip(claims),
        strip=strip,
        figures_of=figures_of,
        source_of=source_of,
        elsewhere=elsewhere,
        reasons=reasons,
        bars=bars,
        by_source=counted_by_source(claims),
        cost=cost,
        paragraphs=paragraphs,
        counts={verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]},
        verdicts=VERDICTS,
        claims=claims,
        missing=_missing(kind, headings, here),
        work=_in_minutes(sum(part.seconds for part in parts)),
        sources=list(made_by),
    )


def _about(kind: str, headings: Sequence[str], parts: Sequence[Part]) -> tuple[str, list[str]]:
    """What the page is called, and what it says at its head where it is not the paper's."""
    if kind == "paper":
        return "Toy models of superposition, rebuilt", []
    if kind == "group":
        return headings[0], paragraphs(introduction(headings[0]))
    if len(parts) == 1:
        return parts[0].title, paragraphs(parts[0].describe)
    return "Experiments of one's own", [f"{len(parts)} experiments: {', '.join(part.id for part in parts)}."]


def _in_minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds > 100 else f"{seconds:.0f} seconds"


def _missing(kind: str, headings: Sequence[str], here: set[str]) -> list[Any]:
    """The experiments that would stand on such a page and are not in the folder."""
    wanted = ["", *headings] if kind == "paper" else headings
    return [each for each in every_description() if each.id not in here and heading_of(each) in wanted]


def write_page(parts: Sequence[Part], folder: Path, notice: Callable[[str], Any] = print) -> Path:
    """Writes the page, the claims, and beside them plotly.js and the lab; returns the page's path.

    Other files of these names are set aside; ``notice`` receives a line for each.

    Raises:
        InvalidInputError: where the folder cannot be written.
    """
    claims = [claim for part in parts for claim in part.claims]
    said = json.dumps(claims, indent=2, ensure_ascii=False).encode()
    write_atomically(keep_foreign(folder / "claims.json", _are_claims, notice), said)
    plotly = get_plotlyjs().encode()
    beside = {"plotly.min.js": plotly, "lab.js": lab.script().encode(), "lab.html": lab.page().encode()}
    for name, content in beside.items():
        if not (folder / name).exists() or (folder / name).read_bytes() != content:
            write_atomically(keep_foreign(folder / name, partial(_has, _MARKS[name]), notice), content)
    write_atomically(place_for_page(folder / "index.html", notice), page(parts).encode())
    return folder / "index.html"


def _are_claims(content: bytes) -> bool:
    """Whether this is a file of claims as `write_page` writes it."""
    try:
        claims = json.loads(content)
    except ValueError:
        return False
    return isinstance(claims, list) and all(isinstance(one, dict) and {"verdict", "statement"} <= set(one) for one in claims)


def _has(mark: bytes, content: bytes) -> bool:
    return mark in content
