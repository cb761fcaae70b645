"""What `tests.fuzz.chaos` and `tests.fuzz.race` stop: calls and commands of about a second, each into a folder."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import tegum as tg
from tegum.caching import caching
from tegum.cli import main as tegum_command
from tegum.execution import Pieces
from tegum.runs import require_writable, write_dataset

Job = Callable[[Path], object]

SMALL = str(Path(__file__).parents[1] / "experiments" / "small.py")
COMMANDS = {
    "train": ["train", "-n", "5", "-m", "2", "--density", "1,0.1", "--seeds", "4", "--steps", "3000", "--out"],
    "phase": ["phase", "-n", "2", "-m", "1", "--points", "2", "--seeds", "4", "--rounds", "1", "--out"],
    "reproduce": ["reproduce", SMALL, "--out"],
    "intro": ["reproduce", "intro", "--out"],
}
_FIVE, _SPARSE = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1)


def command(words: list[str], folder: Path) -> None:
    """A command as the entry point runs it."""
    sys.argv = ["tegum", *words, str(folder)]
    tegum_command()


def minimise(folder: Path) -> None:
    """A census of large nets, in pieces."""
    sweep = {"density": [0.05, 0.1, 0.2, 0.4]}
    _kept(folder, lambda: tg.exact.minimise(tg.nets.ReluOutput(10, 3), tg.features.Independent(10), seeds=8, sweep=sweep))


def flow(folder: Path) -> None:
    """A gradient flow."""
    W = np.random.default_rng(0).normal(size=(2, 5)) / 3
    _kept(folder, lambda: tg.exact.gradient_flow(_FIVE, _SPARSE, W, np.zeros(5), 3e3))


def follow(folder: Path) -> None:
    """A pentagon as it becomes denser."""

    def study() -> Any:
        start = tg.best(tg.exact.minimise(_FIVE, _SPARSE, seeds=8))
        return tg.exact.follow(_FIVE, _SPARSE, start.W, start.b, np.linspace(0.1, 0.4, 7)).data

    _kept(folder, study)


def _kept(folder: Path, study: Callable[[], Any]) -> None:
    try:
        require_writable(folder)
        with caching(Pieces(folder / "pieces", print)):
            data = study()
        write_dataset(data, folder / "result.safetensors")
    except tg.InvalidInputError as mistake:
        sys.stderr.write(f"{mistake}\n")
        sys.exit(2)


def report(folder: Path) -> None:
    """The page of results that are there."""
    command(["report"], folder)


def export(folder: Path) -> None:
    """Results that are there, as tables."""
    command(["export", "--format", "csv"], folder)


JOBS: dict[str, Job] = {name: partial(command, words) for name, words in COMMANDS.items()}
JOBS |= {"minimise": minimise, "flow": flow, "follow": follow, "report": report, "export": export}
AFTER = {"report": "reproduce", "export": "reproduce"}
"""What makes the folder that a job works on."""
