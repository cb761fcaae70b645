"""How long commands take to start: seconds of the processor, the least of some rounds, all that they need compiled before."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

ROUNDS = 5
TARGETS = {"import tegum": 0.05, "list": 0.5, "show intro": 0.5, "doctor": 0.5, "exact-loss": 1.0}


def seconds(*words: str) -> float:
    """What a process works, with all that it starts."""
    measured = []
    for _ in range(ROUNDS):
        before = os.times()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        worked = after.children_user + after.children_system - before.children_user - before.children_system
        measured.append(worked)
    return min(measured)


def print_starts() -> None:
    """The table of commands."""
    nothing = seconds("-c", "pass")
    print(f"seconds of the processor until a command has ended (Python alone: {nothing:.2f})\n")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "five.npz"
        np.savez(file, W=np.eye(2, 5), b=np.zeros(5))
        for name, target in TARGETS.items():
            words = ["-m", "tegum", *name.split()]
            if name == "import tegum":
                words = ["-c", name]
            if name == "exact-loss":
                words += [str(file), "--density", "0.1"]
            subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
            worked = seconds(*words) - (nothing if name == "import tegum" else 0)
            print(f"{name:<14}{worked:>7.3f}   target {target:g}", flush=True)
    print()
