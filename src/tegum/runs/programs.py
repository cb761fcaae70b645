"""Which program made a file that was left behind, and whether it still runs: on this machine or another.

>>> has_died(this_program())
False
"""

import hashlib
import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path


def this_program() -> str:
    """Machine and process of this program, as a word that can stand in a file's name."""
    return f"{_machine()}-{os.getpid()}"


def has_died(program: str) -> bool | None:
    """Whether the program with this word does not run any more; None where it ran on another machine, or is no such word."""
    machine, _, number = program.rpartition("-")
    if machine != _machine() or not number.isdecimal():
        return None
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


@cache
def _machine() -> str:
    """What tells this machine, since it was started, and this space of process numbers from others."""
    known = [socket.gethostname()]
    with suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        known.append(str(os.stat("/proc/self/ns/pid").st_ino))
    return hashlib.sha256(" ".join(known).encode()).hexdigest()[:8]
