"""How the command line speaks: plain lines on standard output, durations in words, folders checked before work starts."""

import os
import sys
from pathlib import Path

from tegum.errors import InvalidInputError


def say(text: str) -> None:
    """One line on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def duration(seconds: float) -> str:
    """Seconds in words: ``3 s``, ``12 min``, ``1.5 h``."""
    if seconds < 1:
        return "1 s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def require_writable(folder: Path) -> None:
    """Makes the folder; raises a `InvalidInputError` where nothing can be written there."""
    probe = folder / f".probe.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise InvalidInputError(
            f"the folder {folder} cannot be written ({error.strerror})", "choose another with --out"
        ) from None
