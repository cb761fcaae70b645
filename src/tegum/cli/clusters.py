"""`tegum status` and `tegum sbatch`: what is done of work in pieces and who is at it, and a script that shares it out."""

import math
import re
import shlex
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tegum.cli.output import duration, say, say_first
from tegum.errors import InvalidInputError
from tegum.execution import ON_CLUSTER, Progress, progress_in


def status(folder: Path = Path("results"), /) -> int:
    """Say how far the work in a folder is, and what every program that works in it is doing.

    Args:
        folder: What --out named.
    """
    if not folder.is_dir():
        what = f"{folder} is a file" if folder.exists() else f"there is no folder {folder}"
        raise InvalidInputError(what, "give what --out named")
    found = progress_in(folder)
    if not found:
        raise InvalidInputError(f"nothing in {folder} is made in pieces", "give what --out of train, phase or reproduce named")
    for place, each in found.items():
        say(f"{place}: {_said(each)}")
    now = time.time()
    owners = [owner for each in found.values() for owner in each.owners]
    say_first([f"  {one.host}  {one.work}, for {duration(now - one.since)}" for one in owners], "  and {} more")
    return 0


def _said(progress: Progress) -> str:
    """How far it is, in words."""
    words = f"{progress.done} of {progress.total} pieces"
    if progress.done < progress.total:
        given = sum(one.work.startswith(ON_CLUSTER) for one in progress.owners)
        here = len(progress.owners) - given
        words += f", {here} under way" if here or not given else ""
        words += f", {given} given to a cluster" if given else ""
        if math.isfinite(progress.seconds_left) and progress.owners:
            words += f", about {duration(progress.seconds_left)} left"
    return words


def sbatch(
    command: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=True)],
    /,
    *,
    shards: int = 16,
    cores: int = 4,
    memory: str = "8G",
    hours: float = 4,
) -> int:
    """Print a SLURM script whose tasks are the shards of a command, and the job that gathers them.

    Example: tegum sbatch --shards 64 -- train sweep.toml --out /shared/sweep > job.sh

    Args:
        command: A command of tegum with its options; --out must be a folder that all nodes see.
        shards: How many tasks.
        cores: Cores of each task.
        memory: Memory of each task, as SLURM writes it.
        hours: Time limit; what is finished by then is kept, and the same script goes on.
    """
    words = [word for word in command if word != "--"]
    if not words or words[0] not in ("train", "phase", "reproduce"):
        raise InvalidInputError(f"the command is {' '.join(words)!r:.80}", "give train, phase or reproduce with its options")
    if any(word.partition("=")[0] in ("--shard", "--on") for word in words):
        raise InvalidInputError("the command has --shard or --on itself", "leave it out: the script gives each task its shard")
    named = [
        (word[6:] if word.startswith("--out=") else after)
        for word, after in zip(words, [*words[1:], ""], strict=True)
        if word.partition("=")[0] == "--out"
    ]
    if not named or any(not folder or folder.startswith("-") for folder in named):
        what = "--out has no folder" if named else "the command names no --out"
        raise InvalidInputError(what, "name a folder that all nodes see")
    if not (shards >= 1 and cores >= 1 and 0 < hours < 10_000):
        what = f"shards, cores and hours are {shards}, {cores} and {hours:g}"
        raise InvalidInputError(what, "choose at least 1 shard and core, and more than 0 hours")
    if not re.fullmatch(r"[1-9][0-9]*[KMGT]?", memory):
        raise InvalidInputError(f"memory is {memory!r:.80}", "write it as SLURM does, such as 8G or 500M")
    minutes = max(1, round(hours * 60))
    line = shlex.join(["tegum", *words])
    say(f"""#!/bin/bash
# Each task computes its share of the pieces; what is finished is kept, and the same script goes on from there.
# Submit both:  id=$(sbatch --parsable job.sh) && sbatch --dependency=afterany:$id --cpus-per-task={cores} \\
#                   --mem={memory} --time={minutes} --wrap {shlex.quote(line)}
#SBATCH --job-name=tegum
#SBATCH --array=1-{shards}
#SBATCH --cpus-per-task={cores}
#SBATCH --mem={memory}
#SBATCH --time={minutes}
{line} --shard "$SLURM_ARRAY_TASK_ID/{shards}\"""")
    return 0
