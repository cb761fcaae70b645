"""`tegum doctor`: is this machine ready, are both engines right on it, and how fast are they?

What it found is kept beside the compiled code and told again, without loading an engine, as long as tegum's code, the
libraries, the processor, and what was compiled are the same.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tegum.cli.output import say
from tegum.provenance import PACKAGE, package_version, provenance
from tegum.threads import default_threads

_OF_NUMBA, _COMPILED = "NUMBA_", ".nbc"
_CHANGES = ("commit", "created")


def doctor(*, again: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Check the installation: versions, cores, gradients and exact losses against what is known, speed.

    Args:
        again: Check anew what was right before and cannot have changed.
    """
    facts = provenance()
    for name, value in facts.items():
        say(f"{name:<10} {value}")
    same = _same(facts)
    known = {} if again else _known(same)
    if known:
        say(f"{'checked':<10} {known['when']}, with the same code, libraries and processor (tegum doctor --again checks anew)")
        for line in known["lines"]:
            say(line)
        return 0
    from tegum.cli.checkup import findings, folders  # the engines, which what is known waits for in vain

    lines, fine = [], True
    for line, right in findings():
        say(line)
        lines.append(line)
        fine &= right
    if fine:
        compiled = {str(folder): _count(folder) for folder in folders()}
        _keep({"same": same, "when": facts["created"], "lines": lines, "compiled": compiled})
    return 0 if fine else 1


def _same(facts: dict[str, str]) -> dict[str, str]:
    """What the findings depend on."""
    settings = {name: value for name, value in os.environ.items() if name.startswith(_OF_NUMBA)}
    kept = {name: value for name, value in facts.items() if name not in _CHANGES}
    return {**kept, "code": package_version(), "threads": str(default_threads()), **settings}


def _place() -> Path:
    folder = os.environ.get("NUMBA_CACHE_DIR")
    return (Path(folder) if folder else PACKAGE / "__pycache__") / "tegum-doctor"


def _known(same: dict[str, str]) -> dict[str, Any]:
    """What was found before, if it still holds: nothing where that is not known, or compiled code has gone."""
    try:
        known: dict[str, Any] = json.loads(_place().read_text(encoding="utf-8"))
        there = all(_count(Path(folder)) >= count for folder, count in known["compiled"].items())
        return known if known["same"] == same and there else {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _keep(known: dict[str, Any]) -> None:
    """Notes what was found, where there is a place for it."""
    with suppress(OSError):
        place = _place()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(known, indent=1), encoding="utf-8")


def _count(folder: Path) -> int:
    """How many compiled functions lie in a folder."""
    return sum(path.suffix == _COMPILED for path in folder.iterdir())
