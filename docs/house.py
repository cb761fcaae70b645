"""Draws the house: which part of the library stands on which, read off the code.

    python docs/house.py            # writes docs/pictures/house.svg

The layers and their order are those of the import contract in pyproject.toml, what a part is for is the first sentence of its
docstring.  Parts side by side in one layer do not import each other.
"""

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "tegum"
PICTURE = ROOT / "docs" / "pictures" / "house.svg"
FLOORS = {
    "cli": "interfaces",
    "experiments": "the paper",
    "claims": "bridge",
    "figures": "pictures",
    "attacks": "science",
    "exact": "engines",
    "selection": "ground",
}
"""Where each floor begins, from the roof down: at the layer with this part."""

WIDTH, EDGE, GAP, CRACK, INSET = 460, 8, 8, 3, 10
LINE, SLAB = 15, 28
NAME_LETTER, LETTER, ROOM_LETTER = 8.3, 6.5, 6.7
"""How wide an average letter is in a broad font: of names, of words, and of the folders inside a part."""

STYLE = """
  text { font-family: system-ui, "Segoe UI", "Helvetica Neue", Helvetica, Arial, sans-serif; font-size: 12px; fill: #33393f }
  .name, .room { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }
  .name { font-size: 13.5px; font-weight: 600; fill: #14181c }
  .room { font-size: 11px }
  .floor, .down { font-size: 11px; fill: #68717a } .floor { letter-spacing: 0.09em } .down { text-anchor: end }
  .roof { font-weight: 600; font-size: 15px; fill: #14181c; text-anchor: middle }
  .sheet { fill: #ffffff } .band { fill: #eef1f4 } .part { fill: #ffffff; stroke: #c3cad1 } .engines { fill: #d8e7f5 }
  .rule { stroke: #c3cad1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #c9d0d6 } .name, .roof { fill: #f2f5f7 } .floor, .down { fill: #98a2ab }
    .sheet { fill: #15181b } .band { fill: #20252a } .part { fill: #2b3138; stroke: #454e56 } .engines { fill: #1c3448 }
    .rule { stroke: #454e56 }
  }
"""


@dataclass(frozen=True)
class Part:
    """A folder or a file of the library, with the folders in it."""

    name: str
    purpose: str
    rooms: tuple[str, ...]


def layers() -> list[list[str]]:
    """The names of the parts in each layer, from the top down; what no layer names is counted to the lowest."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    lines = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    found = [[name.strip().removeprefix("tegum.") for name in line.split("|")] for line in lines]
    there = {
        path.stem
        for path in SOURCE.iterdir()
        if path.stem[0] != "_" and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    return [*found[:-1], sorted({*found[-1], *there.difference(*found)})]


def floors() -> Iterator[tuple[str, list[list[str]]]]:
    """Each floor's name and layers, from the roof down."""
    stack = layers()
    begins = [k for k, layer in enumerate(stack) if FLOORS.keys() & set(layer)]
    for begin, end, floor in zip(begins, [*begins[1:], len(stack)], FLOORS.values(), strict=True):
        yield floor, stack[begin:end]


def part_called(name: str, brief: bool = False) -> Part:
    """What stands in the code about a part; in brief the words before a colon."""
    folder = SOURCE / name
    rooms = sorted((path.parent.name for path in folder.glob("*/__init__.py")), key=_by_section)
    purpose = purpose_of(folder.with_suffix(".py") if folder.with_suffix(".py").exists() else folder / "__init__.py")
    return Part(name, purpose.split(":")[0] if brief else purpose, tuple(rooms))


def _by_section(name: str) -> tuple[float, str]:
    number = re.match(r"s(\d+)_", name)
    return (int(number[1]) if number else float("inf"), name)


def purpose_of(file: Path) -> str:
    """The first sentence of a file's docstring."""
    words = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return re.split(r"\.(\s|$)", words.replace("`", ""))[0].replace("\n", " ")


def in_lines(text: str, width: float, letter: float = LETTER) -> list[str]:
    """The text in lines that fit into a width."""
    return textwrap.wrap(text, int(width / letter))


class Drawing:
    """SVG elements, in the order in which they are painted."""

    def __init__(self) -> None:
        self.elements: list[str] = []

    def box(self, kind: str, x: float, y: float, width: float, height: float) -> None:
        """A rectangle with round corners."""
        self.elements.append(f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4"/>')

    def text(self, kind: str, x: float, y: float, words: str) -> None:
        """A line of text that stands at ``y``."""
        self.elements.append(f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words, quote=False)}</text>')

    def row(self, parts: list[Part], top: float) -> float:
        """Parts side by side, their purposes below their names, or beside one that stands alone; returns where the row ends."""
        width = (WIDTH - 2 * EDGE - 2 * GAP - CRACK * (len(parts) - 1)) / len(parts)
        inside, beside = width - 2 * INSET, 2 * INSET + NAME_LETTER * len(parts[0].name)
        flat = len(parts) == 1 and len(in_lines(parts[0].purpose, width - beside - INSET)) == 1
        words = [in_lines(part.purpose, inside) for part in parts]
        rooms = [in_lines(", ".join(part.rooms), inside, ROOM_LETTER) for part in parts]
        height = max(30 + LINE * (len(a) + len(b)) + 7 * bool(b) for a, b in zip(words, rooms, strict=True))
        for k, part in enumerate(parts):
            left = EDGE + GAP + k * (width + CRACK)
            self.box("part", left, top, width, SLAB if flat else height)
            self.text("name", left + INSET, top + 19, part.name)
            if flat:
                self.text("words", left + beside, top + 19, part.purpose)
                return top + SLAB
            for number, line in enumerate(words[k], start=1):
                self.text("words", left + INSET, top + 21 + LINE * number, line)
            line_above = top + 28 + LINE * len(words[k])
            if rooms[k]:
                self.elements.append(f'<path class="rule" d="M{left + INSET:g} {line_above:g} h{inside:g}"/>')
            for number, line in enumerate(rooms[k], start=1):
                self.text("room", left + INSET, line_above + LINE * number, line)
        return top + height

    def floor(self, name: str, stack: list[list[str]], top: float) -> float:
        """A floor whose upper edge is ``top``; returns where it ends."""
        behind, y = len(self.elements), top + 21
        self.text("floor", EDGE + GAP + INSET, top + 15, name)
        for layer in stack:
            parts = [part_called(part, brief=name == "ground") for part in layer]
            for first in range(0, len(parts), 2):
                y = self.row(parts[first : first + 2], y) + CRACK
            y += GAP - CRACK
        self.box("engines" if name == "engines" else "band", EDGE, top, WIDTH - 2 * EDGE, y - top)
        self.elements.insert(behind, self.elements.pop())
        return y


def house() -> str:
    """The picture as SVG."""
    drawing, y = Drawing(), 64.0
    drawing.elements.append(f'<path class="band" d="M{EDGE} 58 L{WIDTH / 2} 8 L{WIDTH - EDGE} 58 Z"/>')
    drawing.text("roof", WIDTH / 2, 47, "tegum")
    for name, stack in floors():
        y = drawing.floor(name, stack, y) + GAP
    drawing.text("down", WIDTH - EDGE - GAP - INSET, 79, "imports point down ↓")
    about = "The parts of tegum in layers, from the command line down to what everything stands on; imports point down only."
    height = f"{y - GAP + EDGE:g}"
    head = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {head}>', f"<title>{about}</title>", f"<style>{STYLE}</style>"]
    return "\n".join([*lines, '<rect class="sheet" width="100%" height="100%"/>', *drawing.elements, "</svg>\n"])


if __name__ == "__main__":
    PICTURE.write_text(house(), encoding="utf-8")
