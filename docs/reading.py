"""How long the reader's paths of docs/architecture.md are, counted in the code.

    python docs/reading.py          # writes the numbers of lines into the page

A row of a path's table names a file and what to read in it: functions and classes (`advance`, `Pool.work`), headings of a page,
or all of it.  Of a Python file its docstring is counted, too: it is what one reads first.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent / "architecture.md"
ROW = re.compile(r"^\| (\d+) \| \[[^]]+\]\(([^)]+)\) \| (.+?) \| (.+?) \| (\d+) \|$", flags=re.MULTILINE)
EVERYTHING = "all of it"


@dataclass(frozen=True)
class Step:
    """One row of a path: a file, what to read in it, and how many lines the page says that is."""

    path: Path
    what: str
    said: int

    @property
    def lines(self) -> int:
        """How many lines there are to read.

        Raises:
            ValueError: where the file has nothing of a name.
        """
        text = self.path.read_text(encoding="utf-8")
        if self.what == EVERYTHING:
            return len(text.splitlines())
        if self.path.suffix == ".md":
            return sum(_section(text, heading) for heading in self.what.split(", "))
        tree = ast.parse(text)
        return _docstring(tree) + sum(_definition(tree, name) for name in re.findall(r"`([\w.]+)`", self.what))


def _section(text: str, heading: str) -> int:
    """The lines of a section of a page."""
    found = re.search(rf"^## {re.escape(heading)}\n.*?(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"no section {heading!r}")
    return len(found[0].splitlines())


def _docstring(tree: ast.Module) -> int:
    first = tree.body[0]
    return (first.end_lineno or 0) if ast.get_docstring(tree) else 0


def _definition(tree: ast.AST, name: str) -> int:
    """The lines of a function or class, with its decorators."""
    first, _, rest = name.partition(".")
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == first:
            if rest:
                return _definition(node, rest)
            start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            return (node.end_lineno or 0) - start + 1
    raise ValueError(f"no function or class {name!r}")


def paths(page: str) -> Iterator[tuple[str, list[Step]]]:
    """Each path of the page: its title and its steps."""
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        rows = ROW.findall(section)
        if rows:
            steps = [Step((PAGE.parent / file).resolve(), what, int(said)) for _, file, what, _, said in rows]
            yield section.splitlines()[0], steps


def renewed(page: str) -> str:
    """The page with the numbers of today."""

    def row(match: re.Match[str]) -> str:
        step = Step((PAGE.parent / match[2]).resolve(), match[3], int(match[5]))
        return match[0].removesuffix(f"| {match[5]} |") + f"| {step.lines} |"

    return ROW.sub(row, page)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for title, steps in paths(PAGE.read_text(encoding="utf-8")):
        print(f"{title}: {sum(step.lines for step in steps)} lines")
