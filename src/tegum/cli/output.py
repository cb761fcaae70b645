"""How the command line speaks: plain lines on standard output, durations in words, exit codes."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FAILED_CLAIM, WRONG_USE, FAULT, INTERRUPTED, PIPE_CLOSED = 1, 2, 3, 130, 141
"""Exit codes; 0 where all is well."""

MOST_LINES = 20
"""How many of many models or grid points are listed."""


def say(text: str) -> None:
    """One line on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_first(lines: Sequence[str], rest: str, most: int = MOST_LINES) -> None:
    """The first lines, and of the others how many there are: ``rest`` says it, with {} for their number."""
    for line in lines[:most]:
        say(line)
    if len(lines) > most:
        say(rest.format(len(lines) - most))


def say_interrupted() -> int:
    """Says that a resumable command was interrupted; returns the exit code."""
    say("interrupted: what is finished is kept, the same command goes on from here")
    return INTERRUPTED


def at_paper_sizes(claim: Mapping[str, Any], profile: str) -> str:
    """What the paper profile is known to have found of a claim of another profile; empty where that is the same.

    >>> claim = {"experiment": "capacity-spectra", "claim": "nearly-all-is-used", "verdict": "held"}
    >>> at_paper_sizes(claim, "quick").partition(" %")[0], at_paper_sizes(claim | {"verdict": "failed"}, "quick")
    ("at the paper's sizes it is failed (3.603", '')
    """
    from tegum.report.why import elsewhere  # loads xarray

    known = elsewhere(claim, profile)
    return f"at the paper's sizes it is {known.shown}; {known.when}" if known else ""


def say_verdicts(claims: Iterable[Mapping[str, Any]], page: Path) -> int:
    """Says how many claims have which verdict, and where the page is; returns the exit code."""
    counts = Counter(claim["verdict"] for claim in claims)
    say(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "no claims")
    say(f"open {page}")
    return FAILED_CLAIM if counts["failed"] else 0


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(3.2), duration(700), duration(9000)
    ('3 s', '12 min', '2.5 h')
    """
    if seconds < 1:
        return "1 s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
