"""What the page says of a result, from its dataset's attributes and its docstring."""

from pathlib import Path

import pytest

from tegum.report import ResultFolder
from tegum.report.page import cost, page, paragraphs, section_of
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
        "ReluOutput(n_features=3, n_hidden=2, bias=True); 20 steps of 64 samples; adamw at 0.001; 8 seeds; "
        f"{part.seconds:.1f} s on this machine, quick profile"
    )
    text = page([part])
    assert "steps 20, batch size 64, learning rate 0.001, optimizer adamw" in text
    assert "What &lt;/script&gt; is trained." in text
    assert "experiments are not in this folder yet" in text


def test_an_empty_folder_has_a_page_too() -> None:
    assert "0 experiments, 0 claims" in page([])
