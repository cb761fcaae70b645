"""How far work in pieces is, and who is at it: read off the folder, so that any machine that sees it can ask."""

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from tegum.execution.leases import SUFFIX as LEASE
from tegum.execution.leases import Owner, owner_of
from tegum.execution.pieces import version_mark
from tegum.runs import SWEEP
from tegum.runs.manifest import MANIFEST, read_manifest
from tegum.runs.programs import has_died

_SILENT_SECONDS = 300.0
"""Longer than the half minute after which leases end: here clocks of different machines are compared."""
_PAUSE_SECONDS, _MANY_TIMES = 3600.0, 10
"""In so long, and so many times what is typical, without a piece nobody worked."""


@final
@dataclass(frozen=True)
class Progress:
    """How many pieces there are and are done, who makes the next, and about how long all take at the pace so far."""

    total: int
    done: int
    owners: tuple[Owner, ...]
    seconds_left: float


def progress_in(folder: Path) -> dict[Path, Progress]:
    """The progress of each folder of pieces in a folder of results; of calls that have begun."""
    found: dict[Path, Progress] = {}
    lists = [path for pattern in ("", "pieces/", "pieces/*/*/") for path in folder.glob(f"{pattern}*{MANIFEST}")]
    lists = [path for path in lists if path.name != SWEEP]  # a copy of one in pieces/
    for place in sorted({path.parent for path in lists}):
        names: dict[str, None] = {}  # two calls may have a piece in common
        here = [path for path in lists if path.parent == place]
        ours = [path for path in here if path.name.startswith(version_mark())]
        for path in ours or here:  # what another version left undone is not gone on with
            with suppress(ValueError, KeyError, TypeError, AttributeError, OSError):
                names |= dict.fromkeys(read_manifest(path)[1])
        times = []
        for name in names:
            with suppress(OSError):
                times.append((place / name).stat().st_mtime)
        owners = tuple(one for path in place.glob(f"*{LEASE}") if (one := _at_work(path)) is not None)
        found[place] = Progress(len(names), len(times), owners, _seconds_left(times, len(names) - len(times), len(owners)))
    return found


def _at_work(path: Path) -> Owner | None:
    """Who has this lease; None where its owner has died, or has not touched it for longer than clocks may differ."""
    owner = owner_of(path)
    with suppress(OSError):
        if owner is not None and not has_died(owner.program) and path.stat().st_mtime > time.time() - _SILENT_SECONDS:
            return owner
    return None


def _seconds_left(times: list[float], missing: int, at_work: int) -> float:
    """About how long the missing pieces take, from when the others were finished, without the time in which nobody worked.

    Those at work may finish together, so that what is typical is how long as many pieces take as there are programs.
    """
    if not missing:
        return 0.0
    if len(times) < 2:
        return math.inf
    finished, many = np.sort(times), min(max(1, at_work), len(times) - 1)
    gaps, typical = np.diff(finished), float(np.median(finished[many:] - finished[:-many]))
    pace = float(gaps[gaps <= max(_MANY_TIMES * typical, _PAUSE_SECONDS)].mean())
    return max(pace * missing - (time.time() - float(finished[-1])), pace)
