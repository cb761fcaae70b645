"""Every command and every snippet in the README and in docs/ runs."""

import ast
import inspect
import pydoc
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

import tegum.figures
from tegum.cli import COMMANDS, run
from tegum.experiments import every_experiment, groups, heading_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


ELSEWHERE = ["conversions.md"]  # read files of other projects: test_conversions writes these first
SNIPPETS = [(page.name, block) for page in PAGES if page.name not in ELSEWHERE for block in blocks(page, "python")]
SESSIONS = [
    (page.name, [line for text in block.splitlines() if (line := text.split("#")[0].strip())])
    for page in PAGES
    for block in blocks(page, "sh")
]


@pytest.mark.parametrize(("page", "code"), SNIPPETS, ids=[f"{page}-{i}" for i, (page, _) in enumerate(SNIPPETS)])
def test_snippet(page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {})


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of one experiment, found by the blocks that begin with making them."""
    folder = tmp_path_factory.mktemp("docs") / "results"
    assert run(["reproduce", "intro", "--out", str(folder)]) == 0
    return folder


@pytest.mark.parametrize(("page", "lines"), SESSIONS, ids=[f"{page}-{i}" for i, (page, _) in enumerate(SESSIONS)])
def test_commands_of_a_block_run_one_after_the_other(
    page: str, lines: list[str], results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(results, "results")
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


def test_the_site_is_built_without_a_warning_and_its_notebook_runs(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees")]
    done = subprocess.run([*words, str(ROOT / "docs"), str(tmp_path / "site")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tutorial = (tmp_path / "site" / "tutorial.html").read_text()
    assert "pentagon" in tutorial
    assert "seed" in tutorial
    assert "js-plotly-plot" in tutorial or "plotly-graph-div" in tutorial
    pages = {heading: name for name, heading in groups().items()}
    for experiment in every_experiment():
        page = (tmp_path / "site" / f"{pages.get(heading_of(experiment), 'figures')}.html").read_text()
        assert f"tegum reproduce {experiment.id}" in re.sub(r"<[^>]*>", "", page)
    for path in (tmp_path / "site").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"""<(script|link|img)[^>]*(src|href)="https?:""", text), path.name
        assert not re.search(r"""<pre>|role="heading">""", text), f"{path.name}: axe-core finds fault with it"


def test_the_reference_has_every_module_once_and_a_picture_of_each_figure() -> None:
    listed = Counter[str]()
    for page in (ROOT / "docs" / "reference").glob("*.md"):
        for package, modules in re.findall(
            r"^\.\. parts:: ([\w.]+)(.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE
        ):
            names = modules.split() or [name.rpartition(".")[2] for name in imported(package)]
            listed.update(f"{package}.{name}" for name in names)
    packages = {name.rpartition(".")[0] for name in listed}
    assert {"tegum.exact", "tegum.features", "tegum.figures", "tegum.geometry", "tegum.lab", "tegum.nets"} <= packages
    assert listed == Counter(name for package in packages for name in imported(package))
    functions = {name for name in tegum.figures.__all__ if inspect.isfunction(getattr(tegum.figures, name))}
    drawn = {path.stem for path in (ROOT / "docs" / "pictures" / "figures").glob("*.png")}
    assert drawn == functions - {"colours_of", "drawn_models", "transition_marks"}


def imported(package: str) -> list[str]:
    """The modules of which a package makes something public."""
    tree = ast.walk(ast.parse(inspect.getsource(import_module(package))))
    return [
        str(each.module) for each in tree if isinstance(each, ast.ImportFrom) and str(each.module).startswith(f"{package}.")
    ]


def test_every_command_and_option_named_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    described = set(
        re.findall(r"^\| `tegum ([\w-]+)", (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    assert described == set(COMMANDS)
    for command in COMMANDS:
        assert run([command, "--help"]) == 0
    helped = set(re.findall(r"--[a-z][\w-]*", capsys.readouterr().out))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text)) - {"--help"} <= helped, page.name
        for name in re.findall(r"`((?:tg|tegum)(?:\.\w+)+)", text):
            assert pydoc.locate(re.sub(r"^tg\.", "tegum.", name)) is not None, f"{page.name}: {name}"


def test_links_to_files_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://transformer-circuits.pub/") or (page.parent / target).exists(), target


def test_pages_hold_no_placeholder() -> None:
    for page in PAGES:
        assert not re.search(r"\b(TODO|TBD|BENCH)\b", page.read_text(encoding="utf-8"))
