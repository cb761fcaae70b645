"""An experiment of one's own is one file: the template runs as it is, is kept, and stands on the page."""

import json
import subprocess
from pathlib import Path

import pytest

import tegum as tg
from tegum.cli import run
from tegum.experiments import experiment_called

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert run(["experiment", "my-idea"]) == 0
    return tmp_path / "my_idea.py"


def test_one_file_is_an_experiment(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reproduce", own.name, "--out", "results"]) == 0
    claims = json.loads(Path("results/claims.json").read_text())
    assert [(claim["experiment"], claim["claim"], claim["verdict"]) for claim in claims] == [("my-idea", "two-in-one", "held")]
    assert "Where features are sparse, one dimension holds two of them." in Path("results/index.html").read_text()
    assert "tegum reproduce my-idea" not in Path("results/index.html").read_text()
    capsys.readouterr()
    assert run(["show", own.name]) == 0
    assert "measured  2" in capsys.readouterr().out


def test_changing_what_it_says_trains_nothing_again(own: Path) -> None:
    run(["reproduce", own.name, "--out", "results"])
    stamps = {path: path.stat().st_mtime_ns for path in Path("results/pieces").rglob("*.safetensors")}
    own.write_text(own.read_text().replace("Where features are sparse", "If features are sparse"))
    run(["reproduce", own.name, "--out", "results"])
    assert stamps
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert "If features are sparse" in Path("results/claims.json").read_text()


def test_what_claims_nothing_has_a_page_about_it(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.write_text(own.read_text() + "\ndel claims\n")
    assert run(["reproduce", own.name, "--out", "results"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["no claims", f"open {Path('results/index.html')}"]
    page = Path("results/index.html").read_text()
    assert "<h1>One line: what it shows</h1>" in page
    assert '<p class="lead">Does one hidden dimension hold two features?' in page
    assert 'id="ledger"' not in page


def test_it_is_short_and_says_so(own: Path) -> None:
    assert len([line for line in own.read_text().splitlines() if line.strip()]) <= 60


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_this_name", r"mine.py cannot be run \(ModuleNotFoundError: .*nothing_of_this_name.*\): correct it"),
        ("x = (", r"mine.py cannot be run \(SyntaxError: .*\): correct it"),
        ("experiment = 3", r"mine.py defines no experiment: end it with experiment = Experiment\(__name__, ...\)"),
    ],
)
def test_a_file_that_is_none_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(tg.InvalidInputError, match=message):
        experiment_called(str(path))


def test_make_starts_one() -> None:
    done = subprocess.run(["make", "-n", "experiment", "NAME=my-idea"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "tegum experiment my-idea" in done.stdout


def test_what_fails_in_a_file_of_ones_own_is_said_with_its_line(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = own.read_text()
    own.write_text(right.replace("    models = {", "    missing[0]\n    models = {"))
    line = 1 + own.read_text().splitlines().index("    missing[0]")
    assert run(["reproduce", own.name, "--out", "results"]) == 2
    said = capsys.readouterr().err
    assert f"tegum: my_idea.py fails in figures, line {line} (NameError: name 'missing' is not defined): correct it" in said
    assert Path("results/data/my-idea.safetensors").exists()
    own.write_text(right)
    assert run(["reproduce", own.name, "--out", "results"]) == 0


_TWICE = """from tegum.claims import Evidence
claims = lambda data: 2 * [Claim('a', 'b', OURS, 'c', equal(3), 1, Evidence('one', 1), uncontrolled='d')]"""
_MADE = 'experiment = Experiment(__name__, title="a", paper="b", seconds='


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ("del figures", "my_idea.py has no function figures: write one that returns a dict"),
        (
            "figures = lambda data: []",
            "my_idea.py, line 60: figures returns a list: let it return {name: Figure(",
        ),
        ("raise RuntimeError('no')", "my_idea.py cannot be run (RuntimeError: no, line 60): correct it"),
        ("raise SystemExit(0)", "my_idea.py cannot be run (SystemExit: 0, line 60): correct it"),
        ("def study(profile):\n    raise SystemExit(0)", "my_idea.py fails in study, line 61 (SystemExit: 0): correct it"),
        ("study = 3", "my_idea.py: study is no function of one argument: write one that returns a Dataset"),
        (
            "import plotly.graph_objects as go\nfigures = lambda data: go.Figure()",
            "my_idea.py, line 61: figures returns a Figure: let it return {name: Figure(picture, caption)}",
        ),
        (
            "claims = lambda data: [1 / 0]",
            "my_idea.py fails in <lambda>, line 60 (ZeroDivisionError: division by zero)",
        ),
        ("study = lambda profile: tg.Recipe(step=3)", "my_idea.py, line 60: a recipe has no field 'step'"),
        ("experiment = Experiment(__name__, titel='a')", "Experiment has no field 'titel': did you mean 'title'?"),
        ("figures = lambda data: {'a': 3}", "my_idea.py, line 60: figures returns 3 as 'a': wrap it: Figure(picture, caption)"),
        ("figures = lambda data: {'a': Figure(3, 'b')}", "picture is 3: give a figure of plotly"),
        ("import plotly.graph_objects as go\nfigures = lambda data: {'../a': Figure(go.Figure(), 'b')}", "calls one '../a'"),
        ("claims = lambda data: [3]", "my_idea.py, line 60: claims returns 3 in its list: let it return instances of Claim"),
        (
            "claims = lambda data: [Claim('a', 'b', OURS, 'c', 3, 1, 4, uncontrolled='d')]",
            "claim 'a': expect is 3: give a Expect or",
        ),
        (
            _TWICE,
            "my_idea.py, line 61: claims returns 2 claims called 'a': give each its own name",
        ),
        (_MADE + "{})", "seconds['paper'] is None: choose a number"),
        (_MADE + "3)", "seconds is 3: give values by name"),
        (_MADE.replace("__name__", "'nothing'") + "{'quick': 1, 'paper': 1})", "module is 'nothing': give __name__"),
    ],
)
def test_what_is_missing_or_of_another_kind_is_named(
    own: Path, last: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own.write_text(f"{own.read_text()}\n{last}\n")
    assert run(["reproduce", own.name, "--out", "results"]) == 2
    assert message in capsys.readouterr().err


def test_other_densities_are_another_question_and_no_error(own: Path) -> None:
    own.write_text(own.read_text().replace("[1.0, 0.3, 0.03]", "[1.0, 0.5, 0.02]"))
    assert run(["reproduce", own.name, "--out", "results"]) == 0


def test_an_id_of_the_papers_is_taken(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.rename("intro.py")
    assert run(["reproduce", "intro.py", "--out", "results"]) == 2
    assert "intro.py is named like tegum's experiment 'intro': give the file another name" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.b.py", "é (2).py", ".py"])
def test_a_file_name_that_makes_no_id_is_refused(own: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    own.rename(name)
    assert run(["reproduce", name, "--out", "results"]) == 2
    assert "choose letters, digits and hyphens, such as my_idea.py" in capsys.readouterr().err


def test_a_mark_before_the_first_letter_and_no_description_are_fine(own: Path) -> None:
    own.write_bytes(b"\xef\xbb\xbf" + own.read_text().partition('"""\n\nimport')[2].join(["import", ""]).encode())
    assert run(["reproduce", own.name, "--out", "results"]) == 0
    assert run(["show", own.name]) == 0
