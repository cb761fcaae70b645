"""Groups of experiments beside the paper: found by folder, listed under a heading, run by its name, shown as what they are."""

from dataclasses import replace
from pathlib import Path

import pytest

from tegum.claims import IDENTITY, answer
from tegum.cli import run
from tegum.cli.results import reproduce
from tegum.experiments import every_experiment, experiment_called, experiments_called, groups, heading_of, introduction
from tegum.report import Part, ResultFolder
from tegum.report.page import page
from tests.experiments import small

GROUP, HEADING = "open-problems", "Open problems"
MEMBERS = [experiment.id for experiment in every_experiment() if heading_of(experiment) == HEADING]


def test_a_folder_with_a_heading_is_a_group_that_stands_last() -> None:
    assert groups() == {"beyond": "Beyond the paper", GROUP: HEADING, "posterior": "Posterior"}
    headings = [heading_of(experiment) for experiment in every_experiment()]
    assert headings == sorted(headings)
    assert set(headings) == {"", "Beyond the paper", HEADING, "Posterior"}
    assert heading_of(small.experiment) == ""
    assert introduction(HEADING).startswith("Questions asked in print")


def test_a_group_is_its_experiments_and_a_name_is_one() -> None:
    assert [experiment.id for experiment in experiments_called(GROUP)] == MEMBERS
    assert [experiment.id for experiment in experiments_called("intro")] == ["intro"]


def test_the_list_has_the_paper_first_and_then_the_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list"]) == 0
    papers, _, others = capsys.readouterr().out.partition(f"\n{HEADING} (all of them: tegum reproduce {GROUP})\n")
    others, _, last = others.partition("\nPosterior (all of them: tegum reproduce posterior)\n")
    assert papers.startswith("intro ")
    assert last.startswith("llc-calibration ")
    assert [line.split()[0] for line in others.splitlines()] == MEMBERS
    assert all("Open problem" in line for line in others.splitlines())


class Planned(Exception):
    """Raised in place of the work."""


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ((), [each.id for each in every_experiment() if not heading_of(each)]),
        (("paper",), [each.id for each in every_experiment() if not heading_of(each)]),
        ((GROUP,), MEMBERS),
        (("intro", GROUP, MEMBERS[0]), ["intro", *MEMBERS]),
    ],
    ids=["nothing said", "the paper", "the group", "each once"],
)
def test_without_a_name_the_paper_is_rebuilt(
    ids: tuple[str, ...], expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = []

    def plan(experiments: list[object], *_: object) -> None:
        planned.extend(experiments)
        raise Planned

    monkeypatch.setattr("tegum.cli.results._plan", plan)
    with pytest.raises(Planned):
        reproduce(ids, out=tmp_path)
    assert [experiment.id for experiment in planned] == expected


@pytest.fixture
def part(tmp_path: Path) -> Part:
    return ResultFolder(tmp_path, pytest.fail).part(small.experiment, "quick")


def test_a_page_of_open_problems_is_not_called_the_paper(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("page", "chapters"):
        monkeypatch.setattr(f"tegum.report.{module}.heading_of", lambda _: HEADING)
        monkeypatch.setattr(f"tegum.report.{module}.every_description", lambda: (small.experiment,))
    text = page([part])
    assert f"<h1>{HEADING}</h1>" in text
    assert "Elhage" not in text
    assert text.count(f"<h2>{HEADING}</h2>") == 0


def test_a_page_of_both_says_where_the_paper_ends(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    other = experiment_called(MEMBERS[0])
    both = [replace(part, id="intro"), Part(**(vars(part) | {"id": other.id, "paper": other.paper}))]
    text = page(both)
    assert "<h1>Toy models of superposition, rebuilt</h1>" in text
    assert text.count(f"<h2>{HEADING}</h2>") == 1
    assert ">Open problems</option>" in text
    assert f"tegum reproduce {MEMBERS[-1]}</code></li>" in text
    alone = page([part])
    assert f"tegum reproduce {MEMBERS[-1]}</code></li>" not in alone


def test_a_group_is_no_experiment_and_its_name_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", GROUP]) == 2
    assert f"'{GROUP}' is a group of experiments: choose one of them: {MEMBERS[0]}" in capsys.readouterr().err
    assert run(["experiment", GROUP, "--out", str(tmp_path)]) == 2
    assert f"{GROUP} is one of tegum's own: choose another name" in capsys.readouterr().err


def test_an_answer_says_to_what() -> None:
    assert answer("O49").shown == "our answer to open problem O49"
    assert IDENTITY.shown == "identity or construction"
