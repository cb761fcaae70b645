"""`tegum list`, `tegum show` and `tegum reproduce`: the paper's figures, rebuilt and judged."""

from collections import Counter
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tegum.cli.output import duration, require_writable, say
from tegum.errors import InvalidInputError, Problems
from tegum.experiments import Experiment, Profile, every_experiment, experiment_called, fault_of
from tegum.progress import Display
from tegum.report import ResultFolder, write_page

FAILED_CLAIM = 1
INTERRUPTED = 130


def list_experiments() -> int:
    """List the experiments: id, what each shows, what it costs."""
    width = max(len(experiment.id) for experiment in every_experiment())
    for experiment in every_experiment():
        cost = f"quick {duration(experiment.seconds['quick'])}, paper {duration(experiment.seconds['paper'])}"
        say(f"{experiment.id:<{width}}  {experiment.title}  [{experiment.paper}; {cost}]")
    return 0


def show(id: str, /, *, out: Path = Path("results")) -> int:  # noqa: A002
    """Show what an experiment trains, what it chooses where the paper is silent, and its verdicts if it has run.

    Parameters
    ----------
    id
        An id from `tegum list`, or a Python file that defines an experiment.
    out
        The folder of results to look for verdicts in.
    """
    experiment = experiment_called(id)
    say(f"{experiment.id}: {experiment.title}\n{experiment.paper}\n\n{experiment.describe.strip()}")
    cost = ", ".join(f"{profile} {duration(seconds)}" for profile, seconds in experiment.seconds.items())
    say(f"\ncost on two cores: {cost}")
    for part in ResultFolder(out, say).parts():
        if part.id == experiment.id:
            say(f"\nresults in {out}, {part.profile} profile, {duration(part.seconds)}:")
            for claim in part.claims:
                say(f"\n{claim['claim']}: {claim['verdict']}\n  expected  {claim['expected']}\n  measured  {claim['measured']}")
    return 0


def reproduce(
    ids: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=False)] = (),
    /,
    *,
    profile: Profile = "quick",
    out: Path = Path("results"),
) -> int:
    """Rebuild the paper's figures and judge its claims; ends with exit code 1 where a claim failed.

    What is finished is kept: the same command again, after Ctrl-C or worse, goes on where it was stopped.

    Parameters
    ----------
    ids
        Which experiments, from `tegum list`, or Python files that define one; all of the paper's by default.
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
    experiments = chosen or list(every_experiment())
    require_writable(out)
    folder = ResultFolder(out, say)
    costs = _plan(experiments, profile, folder)
    counts: Counter[str] = Counter()
    with Display(costs) as display:
        folder = ResultFolder(out, display.say)
        for number, experiment in enumerate(experiments, start=1):
            display.start(experiment.id)
            display.say(f"[{number}/{len(experiments)}] {experiment.id}: {experiment.title}")
            try:
                part = folder.part(experiment, profile)
            except KeyboardInterrupt:
                display.say("interrupted: what is finished is kept, the same command goes on from here")
                return INTERRUPTED
            except InvalidInputError:
                raise
            except Exception as error:
                problem = fault_of(experiment, error)
                if problem is None:
                    raise
                raise InvalidInputError([problem]) from error
            for claim in part.claims:
                display.say(f"  {claim['verdict']:<12} {claim['statement']}")
            counts.update(claim["verdict"] for claim in part.claims)
            page = write_page(folder.parts(), out)
            display.finish()
    say(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    say(f"open {page}")
    return FAILED_CLAIM if counts["failed"] else 0


def _plan(experiments: list[Experiment], profile: Profile, folder: ResultFolder) -> list[tuple[str, float]]:
    """Says what will be done and what it costs; each experiment with its cost in seconds."""
    kept = {experiment.id for experiment in experiments if folder.finished(experiment, profile)}
    costs = [(e.id, 0.5 if e.id in kept else e.seconds[profile]) for e in experiments]
    count = "1 experiment" if len(experiments) == 1 else f"{len(experiments)} experiments"
    cost = duration(sum(seconds for name, seconds in costs if name not in kept)) if len(kept) < len(experiments) else "no time"
    say(f"{count}, {profile} profile, about {cost}" + (f" ({len(kept)} finished before)" if kept else ""))
    return costs
