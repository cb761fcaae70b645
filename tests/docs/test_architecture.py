"""The page on the house is true of the code: its picture, and how much one has to read."""

import ast
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSE = runpy.run_path(str(ROOT / "docs" / "house.py"))
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATHS = {
    title: re.findall(r"^\| \d+ \| \[[^]]+\]\(([^)]+)\) \| (.+?) \| .+ \|$", section, flags=re.MULTILINE)
    for title, section in re.findall(r"^## (From .*?)\n(.*?)(?=^## )", PAGE, flags=re.MULTILINE | re.DOTALL)
}


def test_the_picture_is_drawn_from_this_code() -> None:
    assert HOUSE["PICTURE"].read_text(encoding="utf-8") == HOUSE["house"](), "call python docs/house.py"


def test_every_part_stands_on_one_floor() -> None:
    drawn = [part for _, stack in HOUSE["floors"]() for layer in stack for part in layer]
    names = {path.stem for path in HOUSE["SOURCE"].iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert sorted(drawn) == sorted(names - {"__init__", "__main__"})
    assert re.findall(r'<text class="name"[^>]*>(\w+)<', HOUSE["house"]()) == drawn


@pytest.mark.parametrize("title", PATHS)
def test_a_path_of_the_reader_is_short(title: str) -> None:
    assert len(PATHS[title]) >= 10
    assert sum(lines_to_read(ROOT / "docs" / file, what) for file, what in PATHS[title]) < 900


def lines_to_read(path: Path, what: str) -> int:
    """How many lines a row names: all of a file, sections of a page, or a module's docstring and some of its definitions."""
    text = path.read_text(encoding="utf-8")
    if what == "all of it":
        return len(text.splitlines())
    if path.suffix == ".md":
        sections = [re.search(rf"^## {heading}\n.*?(?=^## )", text, re.MULTILINE | re.DOTALL) for heading in what.split(", ")]
        return sum(len(section[0].splitlines()) for section in sections if section)
    module = ast.parse(text)
    defined = {path: node for node in module.body for path, node in definitions(node)}
    wanted = [defined[name] for name in re.findall(r"`([\w.]+)`", what)]
    return sum((node.end_lineno or 0) - first_line(node) + 1 for node in [module.body[0], *wanted])


def definitions(node: ast.stmt) -> list[tuple[str, ast.stmt]]:
    """A function by its name; a class with its methods as ``Class.method``."""
    if isinstance(node, ast.FunctionDef):
        return [(node.name, node)]
    if isinstance(node, ast.ClassDef):
        return [(node.name, node), *((f"{node.name}.{name}", inner) for part in node.body for name, inner in definitions(part))]
    return []


def first_line(node: ast.stmt) -> int:
    """Where a definition begins, decorators included."""
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
