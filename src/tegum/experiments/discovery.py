"""Experiments by their names, and of which files each is made: read off the folders, no list to keep.

>>> experiment_called("intro").file.parts[-2:]              # experiment_called("mine.py") is the one in that file
('s1_introduction', 'intro.py')
>>> [path.name for path in code_files(experiment_called("sweep-n80"))][-3:]
['__init__.py', 'shared.py', 'sweep_n80.py']
"""

import difflib
import importlib
import importlib.util
import sys
import traceback
from functools import cache
from pathlib import Path

from tegum.errors import InvalidInputError, Problem
from tegum.execution import OWN_EXPERIMENTS
from tegum.experiments.described import (
    FOLDER,
    PACKAGE,
    PAPER,
    described_in,
    every_description,
    experiment_files,
    groups,
    require_single,
)
from tegum.experiments.experiment import Experiment
from tegum.experiments.imported import own_files
from tegum.provenance import source_files, source_version


@cache
def every_experiment() -> tuple[Experiment, ...]:
    """The paper's experiments, then the groups, in the order of `every_description`."""
    return tuple(experiment_called(each.id) for each in every_description())


def experiments_called(name: str) -> list[Experiment]:
    """The experiments of the group with this name, ``paper`` for the paper's, or the one that `experiment_called` finds."""
    each = described_in(name)
    return [experiment_called(one.id) for one in each] if each else [experiment_called(name)]


def experiment_called(name: str) -> Experiment:
    """The experiment with this id, or the one that this Python file defines.

    Raises:
        InvalidInputError: where there is none, with the id that is closest; for a group; for a file named like one of tegum's.
    """
    files = experiment_files()
    if name.endswith(".py"):
        own = _experiment_in(Path(name))
        if own.id in files:
            raise InvalidInputError(f"{name} is named like tegum's experiment {own.id!r}", "give the file another name")
        return own
    if name in files:
        relative = files[name].relative_to(FOLDER).with_suffix("")
        module = importlib.import_module(".".join((PACKAGE, *relative.parts)))
        assert isinstance(module.experiment, Experiment)
        return module.experiment
    require_single(name)
    close = difflib.get_close_matches(name, [*files, PAPER, *groups()], n=1)
    advice = f"did you mean {close[0]!r}?" if close else "choose one that `tegum list` names, or a file that ends in .py"
    raise InvalidInputError(f"there is no experiment {name!r}", advice)


def _experiment_in(path: Path) -> Experiment:
    """The experiment that a Python file outside the package defines under the name ``experiment``."""
    if not path.is_file():
        raise InvalidInputError(f"there is no file {path}", "check its name; `tegum experiment NAME` starts one")
    name = f"{OWN_EXPERIMENTS}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit, GeneratorExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path.resolve())]
        where = f", line {lines[-1]}" if lines else ""
        raise InvalidInputError(f"{path} cannot be run ({type(error).__name__}: {error}{where})", "correct it") from error
    experiment = getattr(module, "experiment", None)
    if not isinstance(experiment, Experiment):
        raise InvalidInputError(f"{path} defines no experiment", "end it with experiment = Experiment(__name__, ...)")
    return experiment


def code_version(experiment: Experiment) -> str:
    """A hash of the experiment's `code_files`."""
    return source_version(set(code_files(experiment)))


def code_files(experiment: Experiment) -> list[Path]:
    """The files of `tegum.experiments` that an experiment may consist of, and its own.

    One of tegum's uses what its section shares, data files included, and nothing of other experiments; one's own may use
    every file, and modules of one's own.
    """
    path = experiment.file
    if not path.is_relative_to(FOLDER):
        return sorted({path, *own_files(path), *source_files(FOLDER)})
    ours = {path.stem, "__init__", "shared"}
    beside = (file for file in source_files(path.parent) if file.suffix != ".py" or file.stem in ours)
    return sorted([*FOLDER.glob("*.py"), *beside])


def faults_of(experiment: Experiment, error: BaseException) -> list[Problem]:
    """What is wrong in which line of the file of an experiment of one's own; nothing where the error is not from there."""
    path = experiment.file
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    if not frames or path.is_relative_to(FOLDER):
        return []
    if isinstance(error, InvalidInputError):
        return [Problem(f"{path.name}, line {frames[-1].lineno}: {one.what}", one.advice) for one in error.problems]
    place = f"{path.name} fails in {frames[-1].name}, line {frames[-1].lineno}"
    advice = "correct it and run the command again; what is finished is kept"
    return [Problem(f"{place} ({type(error).__name__}: {error})", advice)]
