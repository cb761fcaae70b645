"""`tegum list`, `tegum show ID` and `tegum experiment`: the experiments there are, and one of your own as a file to change."""

import re
from collections.abc import Mapping
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from tegum import experiments, report, runs
from tegum.cli.output import at_paper_sizes, duration, say
from tegum.errors import InvalidInputError
from tegum.experiments import described_in, every_description, experiment_files, groups, heading_of, require_single


def list_experiments() -> int:
    """List the experiments: id, what each shows, what it costs; the paper's, then groups of others under their headings."""
    width = max(len(experiment.id) for experiment in every_description())
    for heading, members in groupby(every_description(), heading_of):
        if heading:
            (name,) = (name for name, known in groups().items() if known == heading)
            say(f"\n{heading} (all of them: tegum reproduce {name})")
        for experiment in members:
            say(f"{experiment.id:<{width}}  {experiment.title}  [{experiment.paper}; {_cost(experiment.seconds)}]")
    return 0


def show_experiment(name: str, out: Path) -> int:
    """Says what an experiment trains, what it chooses where the paper is silent, and its verdicts if it has run."""
    require_single(name)
    known = {each.id: each for each in every_description()}
    experiment = known[name] if name in known else experiments.experiment_called(name)
    say(f"{experiment.id}: {experiment.title}\n{experiment.paper}\n\n{experiment.describe}")
    say(f"\ncost on two cores of a 2024 server: {_cost(experiment.seconds)}")
    done = (out / "parts" / f"{experiment.id}.json").exists()
    for part in report.ResultFolder(out, say).parts() if done else ():
        if part.id == experiment.id:
            say(f"\nresults in {out}, {part.profile} profile, {duration(part.seconds)}:")
            for claim in part.claims:
                say(f"\n{claim['claim']}: {claim['verdict']}\n  expected  {claim['expected']}\n  measured  {claim['measured']}")
                if elsewhere := at_paper_sizes(claim, part.profile):
                    say(f"  {elsewhere}")
    return 0


def _cost(seconds: Mapping[Any, float]) -> str:
    return ", ".join(f"{profile} {duration(cost)}" for profile, cost in seconds.items())


def start(name: str, /, *, out: Path = Path()) -> int:
    """Start an experiment of your own: a file that runs as it is, to be changed.

    Args:
        name: Its id, such as my-idea; the file is my_idea.py.
        out: Folder for the file; here by default.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise InvalidInputError(f"the name is {name!r}", "choose small letters, digits and hyphens, such as my-idea")
    if name in experiment_files() or described_in(name):
        raise InvalidInputError(f"{name} is one of tegum's own", "choose another name")
    path = out / f"{name.replace('-', '_')}.py"
    if path.exists():
        raise InvalidInputError(f"{path} exists", "choose another name, or delete it first")
    runs.require_writable(out)
    text = files("tegum.cli").joinpath("experiment.txt").read_text(encoding="utf-8")
    runs.write_atomically(path, text.replace("NAME", name).encode())
    say(f"{path}: change what it trains, shows and claims")
    say(f"run it with: tegum reproduce {path}")
    return 0
