"""What experiments say of themselves, read off their files: a list of all of them is there before any could be imported.

>>> described(experiment_files()["intro"]).paper
'Introduction, first figure (F01)'
>>> groups()
{'beyond': 'Beyond the paper', 'open-problems': 'Open problems', 'posterior': 'Posterior'}

A folder is a part of the paper; one whose ``__init__`` gives a ``HEADING`` is a group beside it, which has its name.  An
experiment of tegum's gives its title, paper, cost and place in literals, which are all that is read here.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, final

from tegum.errors import InvalidInputError

FOLDER = Path(__file__).resolve().parent
PACKAGE = "tegum.experiments"


class InFile(Protocol):
    """An experiment, or what it says of itself."""

    @property
    def file(self) -> Path:
        """The file that defines it."""


@final
@dataclass(frozen=True)
class Description:
    """What an experiment says of itself, see `tegum.experiments.Experiment`."""

    file: Path
    describe: str
    title: str
    paper: str
    seconds: dict[str, float]
    order: float = 0

    @property
    def id(self) -> str:
        """The word that the command line knows it by."""
        return called(self.file)


def experiment_files() -> dict[str, Path]:
    """The file of each experiment, by id."""
    files = (path for path in FOLDER.glob("*/*.py") if path.stem not in ("__init__", "shared"))
    return {called(path): path for path in sorted(files)}


@cache
def described(path: Path) -> Description:
    """What the file of one of tegum's experiments says of it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    last = tree.body[-1]
    assert isinstance(last, ast.Assign)
    assert isinstance(last.value, ast.Call)
    said: dict[str, Any] = {str(one.arg): ast.literal_eval(one.value) for one in last.value.keywords}
    return Description(path, (ast.get_docstring(tree) or "").strip(), **said)


@cache
def every_description() -> tuple[Description, ...]:
    """The paper's experiments, sections by number and those without one last, then the groups; in each by ``order``."""
    found = map(described, experiment_files().values())
    return tuple(sorted(found, key=lambda each: (heading_of(each), _section(each.file), each.order, each.id)))


@cache
def groups() -> dict[str, str]:
    """The heading of each group of experiments that are not the paper's, by the name that the command line knows it by."""
    return {called(folder): heading for folder in sorted(FOLDER.iterdir()) if (heading := _heading(folder))}


def require_single(name: str) -> None:
    """Raises an `InvalidInputError` for the name of a group, with those of its experiments."""
    if name in groups():
        each = ", ".join(one.id for one in every_description() if heading_of(one) == groups()[name])
        raise InvalidInputError(f"{name!r} is a group of experiments", f"choose one of them: {each}")


def heading_of(experiment: InFile) -> str:
    """The heading of the group that an experiment belongs to; empty for the paper's, and for one's own."""
    folder = experiment.file.parent
    return _heading(folder) if folder.parent == FOLDER else ""


def introduction(heading: str) -> str:
    """What the group with this heading says of itself."""
    (folder,) = (each for each in FOLDER.iterdir() if _heading(each) == heading)
    return str(_package(folder).__doc__)


def about_folder(experiment: InFile) -> str:
    """The first line of what the folder of one of tegum's experiments says of itself, without a full stop."""
    return str(_package(experiment.file.parent).__doc__ or "").strip().partition("\n")[0].rstrip(".")


def called(path: Path) -> str:
    """The word that the command line knows a file or a folder by: its name, with hyphens."""
    return path.stem.replace("_", "-")


def _heading(folder: Path) -> str:
    return str(getattr(_package(folder), "HEADING", "")) if (folder / "__init__.py").exists() else ""


def _package(folder: Path) -> ModuleType:
    return import_module(f"{PACKAGE}.{folder.name}")


def _section(path: Path) -> tuple[float, str]:
    """Section 10 of ``s10_strategic_picture``, and infinity with the name of a folder that has no number."""
    number = re.match(r"s(\d+)_", path.parent.name)
    return (int(number[1]), "") if number else (float("inf"), path.parent.name)
