"""Every command and every snippet in the README and in docs/ runs."""

import re
import shlex
from pathlib import Path

import pytest

from tegum.cli import run

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


SNIPPETS = [(page.name, block) for page in PAGES for block in blocks(page, "python")]
COMMANDS = [
    (page.name, line.split("#")[0].strip()) for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()
]
COMMANDS = [(page, line) for page, line in COMMANDS if line]


@pytest.mark.parametrize(("page", "code"), SNIPPETS, ids=[f"{page}-{i}" for i, (page, _) in enumerate(SNIPPETS)])
def test_snippet(page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {})


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[line for _, line in COMMANDS])
def test_command(page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, *words = shlex.split(line)
    if program == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
        assert words[0] in targets
        return
    assert program == "tegum"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "example.toml").write_bytes((ROOT / "docs" / "example.toml").read_bytes())
    assert run(words) == 0


def test_links_to_files_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://transformer-circuits.pub/") or (page.parent / target).exists(), target


def test_pages_hold_no_placeholder() -> None:
    for page in PAGES:
        assert not re.search(r"\b(TODO|TBD|BENCH)\b", page.read_text(encoding="utf-8"))
