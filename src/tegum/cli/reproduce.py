"""`tegum list`, `tegum show` and `tegum reproduce`: the paper's figures, rebuilt and judged."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tegum.cli.output import duration, require_writable, say, say_interrupted, say_verdicts
from tegum.errors import InvalidInputError, Problems
from tegum.experiments import Experiment, Profile, every_experiment, experiment_called, fault_of
from tegum.progress import Display
from tegum.report import Part, ResultFolder, write_page


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
    say(f"{experiment.id}: {experiment.title}\n{experiment.paper}\n\n{experiment.describe}")
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
    costs = _plan(experiments, profile, ResultFolder(out, say))
    claims: list[dict[str, Any]] = []
    try:
        with Display(costs) as display:
            folder = ResultFolder(out, display.say)
            for number, experiment in enumerate(experiments, start=1):
                display.start(experiment.id)
                display.say(f"[{number}/{len(experiments)}] {experiment.id}: {experiment.title}")
                part = _part(folder, experiment, profile)
                for claim in part.claims:
                    display.say(f"  {claim['verdict']:<12} {claim['statement']}")
                claims += part.claims
                page = write_page(folder.parts(), out)
                display.finish()
    except KeyboardInterrupt:
        return say_interrupted()
    return say_verdicts(claims, page)


def _part(folder: ResultFolder, experiment: Experiment, profile: Profile) -> Part:
    """The experiment's results; what is wrong in the file of an experiment of one's own is a wrong use."""
    try:
        return folder.part(experiment, profile)
    except Exception as error:
        if (problem := fault_of(experiment, error)) is None:
            raise
        raise InvalidInputError([problem]) from error


def _plan(experiments: list[Experiment], profile: Profile, folder: ResultFolder) -> list[tuple[str, float]]:
    """Says what will be done and what it costs; each experiment with its cost in seconds."""
    finished = [folder.finished(experiment, profile) for experiment in experiments]
    ahead = [e.seconds[profile] for e, done in zip(experiments, finished, strict=True) if not done]
    count = "1 experiment" if len(experiments) == 1 else f"{len(experiments)} experiments"
    before = f" ({sum(finished)} finished before)" if any(finished) else ""
    say(f"{count}, {profile} profile, about {duration(sum(ahead)) if ahead else 'no time'}{before}")
    return [(e.id, 0.5 if done else e.seconds[profile]) for e, done in zip(experiments, finished, strict=True)]
