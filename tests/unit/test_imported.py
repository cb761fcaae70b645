"""An experiment of one's own is computed again where a module of one's own that it imports was changed."""

import sys
from pathlib import Path

import pytest

from tegum.experiments import code_version, experiment_called
from tegum.experiments.imported import own_files

IDEA = """
from settings_of_an_idea import STEPS

from tegum.experiments import Experiment


def study(profile):
    from helpers_of_an_idea import deep

    return deep.scaled(STEPS)


experiment = Experiment(__name__, title="An idea", paper="", seconds={"quick": 1, "paper": 1})
"""
FILES = {
    "idea_that_imports.py": IDEA,
    "settings_of_an_idea.py": "import json\nSTEPS = 200\n",
    "helpers_of_an_idea/__init__.py": "\ndef never(): from ...... import beyond\n",
    "helpers_of_an_idea/deep.py": "from . import deeper\nfrom .absent import nothing\n\nscaled = deeper.FACTOR.__mul__\n",
    "helpers_of_an_idea/deeper.py": "import helpers_of_an_idea.deep, not_there\nFACTOR = 2\ndef f(): from .broken.a import b\n",
    "helpers_of_an_idea/broken/__init__.py": "raise RuntimeError('on import')\n",
    "helpers_of_an_idea/unused.py": "FACTOR = 3\n",
}


@pytest.fixture
def idea(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path / "idea_that_imports.py"


@pytest.mark.parametrize("changed", sorted(FILES))
def test_the_version_of_an_own_experiment_counts_its_own_modules(idea: Path, changed: str) -> None:
    experiment = experiment_called(str(idea))
    before = code_version(experiment)
    assert code_version(experiment) == before
    with (idea.parent / changed).open("a") as file:
        file.write("\nANOTHER = 1\n")
    assert (code_version(experiment) == before) == ("unused" in changed)


def test_of_libraries_nothing_is_followed(idea: Path) -> None:
    names = {path.relative_to(idea.parent).as_posix() for path in own_files(idea)}
    assert names == set(FILES) - {idea.name, "helpers_of_an_idea/unused.py"}
    idea.write_text("import numpy, json, plotly.graph_objects, tegum\nimport hypothesis\nimport (\n")
    assert own_files(idea) == []
    idea.write_text("import numpy, json, plotly.graph_objects, tegum\nimport hypothesis\n")
    assert [path.parent.name for path in own_files(idea)] == ["hypothesis"]
