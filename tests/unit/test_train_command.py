"""`tegum train`: what options do to a file, before anything is trained."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from tegum.cli import run
from tegum.cli.problem import Training
from tegum.errors import InvalidInputError

training = import_module("tegum.cli.training")
FILE = "[net]\nn_features = 2\nn_hidden = 1\n"


@pytest.fixture(autouse=True)
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Training]:
    """The trainings that commands would make."""
    monkeypatch.chdir(tmp_path)
    found: list[Training] = []

    def noted(one: Training, *_: object) -> None:
        found.append(one)
        raise InvalidInputError("this is enough", "look at what was asked")

    monkeypatch.setattr(training, "_announce", noted)
    return found


def mistake(text: str, words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a file and options."""
    Path("recipe.toml").write_text(FILE + text, encoding="utf-8")
    capsys.readouterr()
    assert run(["train", "recipe.toml", *words.split()]) == 2
    return capsys.readouterr().err


PAIR = "pair = { labels = ['a', 'b'], density = [0.1, 0.5] }"
BOTH = "pair = { labels = ['a', 'b'], density = [0.1, 0.5], importance = [1, 2] }"


@pytest.mark.parametrize(
    ("axis", "words", "value"),
    [
        ("steps = [10, 20]", "--steps 50", lambda one: one.recipe.steps == 50),
        ("learning_rate = [0.1, 0.2]", "--set recipe.learning_rate=0.3", lambda one: one.recipe.learning_rate == 0.3),
        ("density = [0.1, 0.2]", "--density 0.3", lambda one: (one.features.density == 0.3).all()),
        ("density = [0.1, 0.2]", "--set features.density=0.3", lambda one: (one.features.density == 0.3).all()),
        ("importance = [1, 2]", "--importance geometric:0.5", lambda one: np.array_equal(one.features.importance, [1, 0.5])),
        (PAIR, "--density 0.3", lambda one: (one.features.density == 0.3).all()),
    ],
)
def test_an_option_overrides_an_axis_of_the_file(
    axis: str, words: str, value: object, asked: list[Training], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "this is enough" in mistake(f"[sweep]\nl1 = [0, 0.1]\n{axis}", words, capsys)
    assert value(asked[0])  # type: ignore[operator]
    assert list(asked[0].sweep) == ["l1"]


def test_an_axis_that_is_given_overrides_those_of_the_file(asked: list[Training], capsys: pytest.CaptureFixture[str]) -> None:
    for axis in (PAIR, "density = [0.7]"):
        assert "this is enough" in mistake(f"[sweep]\n{axis}", "--density 0.3,0.4", capsys)
        assert asked.pop().sweep == {"density": [0.3, 0.4]}
    assert "this is enough" in mistake(f"[sweep]\n{BOTH}", "--set recipe.l1=0.5", capsys)
    assert list(asked[0].sweep) == ["pair"]


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        (
            f"[sweep]\n{BOTH}",
            "--density 0.3",
            (
                "--density is given, and the axis 'pair' of the file varies density and importance together: "
                "leave --density out, or take density out of this axis"
            ),
        ),
        (
            "",
            "--density 0.1,0.2 --set features.density=0.3",
            "--set features.density and --density both give density: leave one of them out",
        ),
        (
            "",
            "--steps 5 --set sweep.steps=[1,2]",
            "--steps and --set sweep.steps both give steps: leave one of them out",
        ),
        ("", "--steps 5 --set recipe.steps=6", "recipe.steps is given by --steps and --set recipe.steps: give it once"),
        ("", "--set recipe.l1=0 --set recipe.l1=0.1", "recipe.l1 is given twice: give it once"),
    ],
)
def test_what_cannot_be_overridden_is_said(text: str, words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mistake(text, words, capsys) == f"tegum: {says}\n"


@pytest.mark.parametrize("law", ["{ exponential = 0.5, constant = 2 }", "{ uniform = 0, high = 2 }", "{}"])
def test_magnitudes_have_one_law(law: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = mistake(f"[features]\nmagnitude = {law}", "", capsys)
    assert said.startswith("tegum: magnitude is {")
    assert said.endswith("or give one its number: { exponential = 0.5 }\n")


@pytest.mark.parametrize(
    "table", ["net = 5", "[[net]]", "features = 'a'", "recipe = 5", "[[recipe]]", "sweep = 3", "[[sweep]]"]
)
def test_what_is_no_table_is_said_beside_options(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = table.strip("[]").partition(" ")[0]
    Path("wrong.toml").write_text(table, encoding="utf-8")
    for density in ("0.1", "0.1,0.2"):
        words = ["-n", "3", "-m", "2", "--density", density, "--importance", "2", "--steps", "5", "--set", "sweep.l1=[0,1]"]
        assert run(["train", "wrong.toml", *words]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"tegum: {name} is ")
        assert said.endswith(f": write it as a table [{name}]\n")


@pytest.mark.parametrize(
    ("sparsity", "says"),
    [
        ("1e1000001", "density is -inf: a density is the probability of being active, choose 0 to 1"),
        ("-1e1000001", "density is inf: a density is the probability of being active, choose 0 to 1"),
        ("0,1e-99999999999999999999", "this is enough: look at what was asked"),
        ("sNaN", "'sNaN' is not a number: write numbers like 0.1, several with commas and no spaces"),
    ],
)
def test_a_sparsity_of_any_size_is_read(
    sparsity: str, says: str, asked: list[Training], capsys: pytest.CaptureFixture[str]
) -> None:
    assert mistake("", f"--sparsity {sparsity}", capsys) == f"tegum: {says}\n"
    assert all(one.sweep == {"density": [1.0, 1.0]} for one in asked)


def test_the_plan_says_what_the_features_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # here it is trained
    monkeypatch.chdir(tmp_path)
    small = ["train", "-n", "2", "-m", "1", "--steps", "2", "--set", "recipe.evaluation_samples=64"]
    assert run([*small, "--out", "one"]) == 0
    assert "\nfeatures: Independent, density 1, importance 1, Uniform()\n" in capsys.readouterr().out
    assert run([*small, "--density", "0.5,0.1", "--out", "two"]) == 0
    assert "importance 1, Uniform(); but for density, which the sweep varies\n" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["[.1,.2]", "{exponential:0.5}"])
def test_what_begins_like_a_list_or_a_table_and_is_none_is_no_word(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "-n", "2", "-m", "1", "--set", f"sweep.learning_rate={value}"]) == 2
    assert f"{value} cannot be read: write it as in TOML, such as [0.1, 0.2] or" in capsys.readouterr().err
