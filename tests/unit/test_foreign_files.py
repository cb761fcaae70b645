"""What somebody else has written under the name of a page, or of what lies beside it, is kept."""

from pathlib import Path

import pytest

from tegum.cli import run
from tegum.report import write_page

THEIRS = "<title>my site</title> Drawn by tegum and me"
COMMANDS = {
    "train": "train -n 3 -m 2 --seeds 1 --steps 5",
    "phase": "phase -n 2 -m 1 --points 2 --seeds 1 --rounds 0",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_foreign_page_is_set_aside_once(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, page = [*COMMANDS[command].split(), "--out", str(tmp_path)], tmp_path / "index.html"
    page.write_text(THEIRS)
    for _ in range(2):
        assert run(words) == 0
    assert capsys.readouterr().out.count(f"{page} was not written by tegum: it is kept as index.html.1.older\n") == 1
    assert [path.read_text() for path in tmp_path.glob("*.older")] == [THEIRS]
    assert "data-figure" in page.read_text()


def test_a_page_of_results_keeps_what_lies_there(tmp_path: Path) -> None:
    theirs = {name: f"{name} is mine" for name in ("index.html", "claims.json", "plotly.min.js", "lab.js", "lab.html")}
    for name, text in theirs.items():
        (tmp_path / name).write_text(text)
    said: list[str] = []
    for _ in range(2):
        write_page([], tmp_path, said.append)
    assert len(said) == len(theirs)
    assert {name: (tmp_path / f"{name}.1.older").read_text() for name in theirs} == theirs
    for name in theirs:  # of an older version, they are ours
        (tmp_path / name).write_text((tmp_path / name).read_text() + "\n")
    write_page([], tmp_path, said.append)
    assert len(said) == len(theirs)


@pytest.mark.parametrize("text", ['{"claims": []}', '["a"]', '[{"verdict": "held"}]'])
def test_claims_of_other_kinds_are_kept(text: str, tmp_path: Path) -> None:
    (tmp_path / "claims.json").write_text(text)
    write_page([], tmp_path, print)
    assert (tmp_path / "claims.json.1.older").read_text() == text


def test_a_page_that_only_speaks_of_tegum_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*COMMANDS["train"].split(), "--out", "five"]) == 0
    Path("five/index.html").write_text(THEIRS)
    assert run(["show", "five"]) == 2
    assert "five/index.html exists, and is no page of tegum's" in capsys.readouterr().err
    assert Path("five/index.html").read_text() == THEIRS
