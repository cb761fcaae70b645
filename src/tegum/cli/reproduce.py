"""`tegum list`, `tegum show` and `tegum reproduce`: the paper's figures, rebuilt and judged."""

import time
from collections import Counter
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tegum.cli.output import duration, require_writable, say
from tegum.errors import Problems
from tegum.experiments import EXPERIMENTS, Experiment, Profile, experiment_called
from tegum.report import Part, write_report

FAILED_CLAIM = 1
INTERRUPTED = 130


def list_experiments() -> int:
    """List the experiments: id, what each shows, what it costs."""
    width = max(len(experiment.id) for experiment in EXPERIMENTS)
    for experiment in EXPERIMENTS:
        price = f"quick {duration(experiment.seconds['quick'])}, paper {duration(experiment.seconds['paper'])}"
        say(f"{experiment.id:<{width}}  {experiment.title}  [{experiment.paper}; {price}]")
    return 0


def show(id: str, /) -> int:  # noqa: A002
    """Show what an experiment trains, and what it chooses where the paper is silent.

    Parameters
    ----------
    id
        An id from `tegum list`.
    """
    experiment = experiment_called(id)
    say(f"{experiment.id}: {experiment.title}\n{experiment.paper}\n\n{experiment.describe.strip()}")
    return 0


def reproduce(
    ids: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=False)] = (),
    /,
    *,
    profile: Profile = "quick",
    out: Path = Path("results"),
) -> int:
    """Rebuild the paper's figures and judge its claims; ends with exit code 1 where a claim failed.

    Parameters
    ----------
    ids
        Which experiments; all of them by default.
    profile
        quick (minutes) or paper (the paper's sizes).
    out
        Folder for index.html, claims.json and the data.
    """
    problems = Problems()
    chosen: list[Experiment] = []
    for name in ids:
        with problems.collecting():
            chosen.append(experiment_called(name))
    problems.raise_if_any()
    experiments = chosen or list(EXPERIMENTS)
    require_writable(out)
    price = sum(experiment.seconds[profile] for experiment in experiments)
    count = "1 experiment" if len(experiments) == 1 else f"{len(experiments)} experiments"
    say(f"{count}, {profile} profile, about {duration(price)}")
    parts: list[Part] = []
    for number, experiment in enumerate(experiments, start=1):
        say(f"[{number}/{len(experiments)}] {experiment.id}: {experiment.title}")
        began = time.perf_counter()
        data = experiment.study(profile)
        if data.attrs.get("interrupted"):
            say("interrupted: nothing was written for this experiment")
            return INTERRUPTED
        part = Part(experiment, data, experiment.figures(data), experiment.claims(data), time.perf_counter() - began)
        for claim in part.claims:
            say(f"  {claim.verdict:<12} {claim.statement}")
        parts.append(part)
    path = write_report(parts, profile, out)
    counts = Counter(claim.verdict for part in parts for claim in part.claims)
    say(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    say(f"open {path}")
    return FAILED_CLAIM if counts["failed"] else 0
