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
SESSIONS = [
    (page.name, [line for text in block.splitlines() if (line := text.split("#")[0].strip())])
    for page in PAGES
    for block in blocks(page, "sh")
]


@pytest.mark.parametrize(("page", "code"), SNIPPETS, ids=[f"{page}-{i}" for i, (page, _) in enumerate(SNIPPETS)])
def test_snippet(page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {})


@pytest.mark.parametrize(("page", "lines"), SESSIONS, ids=[f"{page}-{i}" for i, (page, _) in enumerate(SESSIONS)])
def test_commands_of_a_block_run_one_after_the_other(
    page: str, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    for path in (ROOT / "docs").glob("*.*"):
        if path.suffix in (".toml", ".safetensors"):
            (tmp_path / "docs" / path.name).write_bytes(path.read_bytes())
    for line in lines:
        program, *words = shlex.split(line)
        if program == "make":
            targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
            assert words[0] in targets
            continue
        assert program == "tegum"
        assert run(words) == 0, line


def test_links_to_files_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://transformer-circuits.pub/") or (page.parent / target).exists(), target


def test_pages_hold_no_placeholder() -> None:
    for page in PAGES:
        assert not re.search(r"\b(TODO|TBD|BENCH)\b", page.read_text(encoding="utf-8"))
