"""What the page says of a result, from its dataset's attributes and its docstring."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, below
from tegum.experiments import PaperVerdict
from tegum.report import Part, ResultFolder
from tegum.report.chapters import paragraphs, section_of
from tegum.report.page import cost, counted_by_source, page
from tegum.report.part import made_of
from tests.experiments import small


def test_paragraphs_are_text_and_formulas_stay() -> None:
    text = "One line\nand another.\n\n    y = W x\n      + b\n\nThe end."
    assert paragraphs(text) == ["One line and another.", "    y = W x\n      + b", "The end."]


@pytest.mark.parametrize(
    ("paper", "section"),
    [
        ("Section 3, phase diagrams (F10)", "Section 3"),
        ("Comment by Tom McGrath (F12)", "Comment by Tom McGrath"),
        ("Introduction", "Introduction"),
    ],
)
def test_the_part_of_the_paper(paper: str, section: str) -> None:
    assert section_of(paper) == section


def test_what_it_cost_and_how_it_was_made(tmp_path: Path) -> None:
    part = ResultFolder(tmp_path, pytest.fail).part(small.experiment, "quick")
    assert cost(part) == (
        "Its training (of several, the first): ReLU output, 3 features in 2 dimensions; 20 steps of 64 samples; "
        f"adamw at 0.001; 8 seeds. The whole study took {part.seconds:.1f} s, quick profile."
    )
    text = page([part])
    assert text.count(cost(part)) == 1
    captions = re.findall(r"<figcaption.*?</figcaption>", text, flags=re.DOTALL)
    assert captions
    assert not any("adamw" in caption for caption in captions)  # they may show flows, or only some of the models
    assert "steps 20, batch size 64, learning rate 0.001, optimizer adamw" in text
    assert "What &lt;/script&gt; is trained." in text
    assert "ReluOutput" not in re.sub(r"<dl>.*?</dl>", "", text, flags=re.DOTALL)


def test_fields_that_a_sweep_varies_are_not_said_to_be_those_of_the_recipe(part: Part) -> None:
    net, features = tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.1)
    recipe = tg.Recipe(steps=5000, batch_size=64, evaluation_samples=64)
    for sweep in ({"steps": [10, 20], "learning_rate": [0.1, 0.2]}, {"mine": tg.Axis([1, 2], steps=[10, 20])}):
        made = made_of(tg.train(net, features, recipe, sweep=sweep, progress=False))
        said = cost(replace(part, made=made))
        assert "5,000" not in said
        assert ("adamw at 0.001" in said) == ("mine" in sweep)
        assert "5000" not in str(made)


def test_an_empty_folder_has_a_page_too() -> None:
    text = page([])
    assert "<h1>Toy models of superposition, rebuilt</h1>" in text
    assert "experiments are not in this folder yet" in text
    assert 'id="ledger"' not in text
    assert 'id="gallery"' not in text


def test_a_page_of_ones_own_experiment_is_about_it(part: Part) -> None:
    text = page([part])
    assert "<h1>A small experiment</h1>" in text
    assert '<p class="lead">An experiment that costs next to nothing' in text
    assert "Elhage" not in text
    assert "are not in this folder yet" not in text
    two = page([part, replace(part, id="other")])
    assert '<p class="lead">2 experiments: small, other.</p>' in two


def test_an_experiment_without_claims_has_a_page_without_a_ledger(part: Part) -> None:
    text = page([replace(part, claims=[])])
    assert 'href="#results">To the figures</a>' in text
    assert 'id="small-figure-arrows-place"' in text
    for word in ('id="ledger"', "claims", "held"):
        assert word not in re.sub(r"<(script|style|footer).*?</\1>", "", text, flags=re.DOTALL)


@pytest.fixture
def part(tmp_path: Path) -> Part:
    part = ResultFolder(tmp_path, pytest.fail).part(small.experiment, "quick")
    without = Claim(
        "e", "a fifth", OURS, "how", below(1), 2, Evidence("1 model"), uncontrolled="none", not_run="needs 400 features"
    )
    return replace(part, claims=[*part.claims, without.as_record("small")])


def test_a_claim_that_is_not_run_says_what_it_needs_and_is_counted_apart(part: Part) -> None:
    text = page([part])
    assert '<td data-label="measured"><div>needs 400 features</div></td>' in text
    assert "<dt>not run</dt><dd>needs 400 features</dd>" in text
    assert "Of 1 finding of our own 1 failed; 1 more is not run in this profile." in counted_by_source(part.claims)
    alone = [claim for claim in part.claims if claim["not_run"]]
    assert counted_by_source(alone * 2) == ["Of the findings of our own 2 are not run in this profile."]


@pytest.mark.parametrize(
    ("verdict", "profile", "shown"),
    [("failed", "quick", True), ("held", "quick", False), ("failed", "paper", False)],
    ids=["another verdict", "the same", "this is it"],
)
def test_what_the_paper_profile_found_stands_beside_a_claim_that_it_judges_otherwise(
    part: Part, verdict: Any, profile: str, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"a": PaperVerdict(verdict, "44 of 40", "2026-11-28, tegum 0.1.0")}
    monkeypatch.setattr("tegum.report.why.paper_verdicts", lambda name: known if name == "small" else {})
    text = page([replace(part, profile=profile)])
    assert text.count(f'<span class="said">paper profile: {verdict} (44 of 40)</span>') == shown
    assert text.count(f"<dt>paper profile</dt><dd>{verdict} (44 of 40); 2026-11-28, tegum 0.1.0</dd>") == shown
    assert text.count("paper profile") == 2 * shown + (profile == "paper") * text.count(", paper profile")
