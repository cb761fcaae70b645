"""How far work in pieces is, and who is at it: read off the folder, so that any machine that sees it can ask."""

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

from tegum.execution.leases import SUFFIX as LEASE
from tegum.execution.leases import Owner, owner_of
from tegum.runs.manifest import MANIFEST, read_manifest
from tegum.runs.programs import has_died


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
    for place in sorted(
        {path.parent for pattern in ("", "pieces/", "pieces/*/*/") for path in folder.glob(f"{pattern}*{MANIFEST}")}
    ):
        names: list[str] = []
        for path in place.glob(f"*{MANIFEST}"):
            with suppress(ValueError, KeyError, TypeError, AttributeError, OSError):
                names += read_manifest(path)[1]
        times = []
        for name in names:
            with suppress(OSError):
                times.append((place / name).stat().st_mtime)
        owners = [owner_of(path) for path in place.glob(f"*{LEASE}")]
        alive = tuple(one for one in owners if one is not None and has_died(one.program) is not True)
        found[place] = Progress(len(names), len(times), alive, _seconds_left(times, len(names) - len(times)))
    return found


def _seconds_left(times: list[float], missing: int) -> float:
    """About how long the missing pieces take, from when the others were finished."""
    if not missing:
        return 0.0
    times = sorted(times)
    if len(times) < 2:
        return math.inf
    pace = (times[-1] - times[0]) / (len(times) - 1)
    return max(pace * missing - (time.time() - times[-1]), pace)
