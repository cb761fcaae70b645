"""Where an experiment's code is: which files it is made of, and how to load one from a file outside the package.

code_version(experiment)                  changes exactly when its file, or a part of `tegum.experiments` it imports, does
experiment_in(Path("mine.py"))            the `experiment` that mine.py defines
"""

import ast
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path

from tegum.errors import Mistake, Problem
from tegum.experiments.experiment import Experiment
from tegum.provenance import source_version

_FOLDER = Path(__file__).resolve().parent
_PACKAGE = "tegum.experiments"


def code_version(experiment: Experiment) -> str:
    """A hash of the experiment's file and of what it imports from `tegum.experiments`."""
    found: set[Path] = set()
    waiting = [Path(inspect.getfile(inspect.unwrap(experiment.study))).resolve()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return source_version(found)


def _imported(path: Path) -> list[Path]:
    """The files of `tegum.experiments` that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    stems = (name.removeprefix(f"{_PACKAGE}.").split(".")[0] for name in names if name.startswith(f"{_PACKAGE}."))
    return [file for stem in sorted(set(stems)) if (file := _FOLDER / f"{stem}.py").exists()]


def experiment_in(path: Path) -> Experiment:
    """The experiment that a Python file defines under the name ``experiment``.

    Raises:
        Mistake: where there is no such file, it cannot be run, or it defines none.
    """
    if not path.is_file():
        raise Mistake(Problem(f"there is no file {path}", "check its name; `tegum experiment NAME` starts one"))
    name = f"tegum_experiment_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, ImportError, NameError, AttributeError, TypeError) as error:
        raise Mistake(Problem(f"{path} cannot be run ({type(error).__name__}: {error})", "correct it")) from error
    experiment = getattr(module, "experiment", None)
    if not isinstance(experiment, Experiment):
        raise Mistake(Problem(f"{path} defines no experiment", "end it with experiment = Experiment(id=..., ...)"))
    return experiment


def fault_of(experiment: Experiment, error: Exception) -> Problem | None:
    """Where the file of an experiment of one's own failed; None for an error that went through no such file."""
    path = Path(inspect.getfile(inspect.unwrap(experiment.study)))
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    if not frames or path.is_relative_to(_FOLDER):
        return None
    place = f"{path.name} fails in {frames[-1].name}, line {frames[-1].lineno}"
    advice = "correct it and run the command again; what is finished is kept"
    return Problem(f"{place} ({type(error).__name__}: {error})", advice)
