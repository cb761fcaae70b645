"""Draws the house: which part of the library stands on which, read off the code.

    python docs/house.py            # writes docs/pictures/house.svg

The layers and their order are those of the import contract in pyproject.toml, what a part is for is the first sentence of its
docstring, and its size is counted.  Parts side by side in one layer do not import each other.
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
NAME_LETTER, LETTER, SMALL_LETTER, ROOM_LETTER = 8.3, 6.5, 6.2, 6.7
"""How wide an average letter is in a broad font: of names, words, sizes, and of the folders inside a part."""

STYLE = """
  text { font-family: system-ui, "Segoe UI", "Helvetica Neue", Helvetica, Arial, sans-serif; font-size: 12px; fill: #33393f }
  .name, .room { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }
  .name { font-size: 13.5px; font-weight: 600; fill: #14181c }
  .size { font-size: 11px; fill: #68717a; text-anchor: end }
  .room { font-size: 11px }
  .floor, .down { font-size: 11px; fill: #68717a } .floor { letter-spacing: 0.09em } .down { text-anchor: end }
  .roof { font-weight: 600; font-size: 15px; fill: #14181c; text-anchor: middle }
  .sheet { fill: #ffffff } .band { fill: #eef1f4 } .part { fill: #ffffff; stroke: #c3cad1 } .engines { fill: #d8e7f5 }
  .rule { stroke: #c3cad1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #c9d0d6 } .name, .roof { fill: #f2f5f7 } .size, .floor, .down { fill: #98a2ab }
    .sheet { fill: #15181b } .band { fill: #20252a } .part { fill: #2b3138; stroke: #454e56 } .engines { fill: #1c3448 }
    .rule { stroke: #454e56 }
  }
"""


@dataclass(frozen=True)
class Part:
    """A folder or a file of the library, with the folders in it."""

    name: str
    purpose: str
    size: str
    rooms: tuple[str, ...]


def layers() -> list[list[str]]:
    """The names of the parts in each layer, from the top down; what no layer names is counted to the lowest."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    lines = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    found = [[name.strip().removeprefix("tegum.") for name in line.split("|")] for line in lines]
    there = {path.stem for path in SOURCE.iterdir() if path.stem[0] != "_" and path.suffix in ("", ".py")}
    return [*found[:-1], sorted({*found[-1], *there.difference(*found)})]


def floors() -> Iterator[tuple[str, list[list[str]]]]:
    """Each floor's name and layers, from the roof down."""
    stack = layers()
    begins = [k for k, layer in enumerate(stack) if FLOORS.keys() & set(layer)]
    for begin, end, floor in zip(begins, [*begins[1:], len(stack)], FLOORS.values(), strict=True):
        yield floor, stack[begin:end]


def part_called(name: str) -> Part:
    """What stands in the code about a part."""
    folder = SOURCE / name
    files = sorted(folder.rglob("*.py")) or [SOURCE / f"{name}.py"]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    size = f"{len(files)} files, {round(lines, -1):,} lines" if folder.is_dir() else f"{lines} lines"
    rooms = sorted((path.parent.name for path in folder.glob("*/__init__.py")), key=_by_section)
    return Part(name, purpose_of(folder / "__init__.py" if folder.is_dir() else files[0]), size, tuple(rooms))


def _by_section(name: str) -> tuple[float, str]:
    number = re.match(r"s(\d+)_", name)
    return (int(number[1]) if number else float("inf"), name)


def purpose_of(file: Path) -> str:
    """The first sentence of a file's docstring."""
    words = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return re.split(r"\.(\s|$)", words.replace("`", ""))[0].replace("\n", " ")


def wrapped(text: str, width: float, letter: float, most: int) -> list[str]:
    """The text in lines that fit; where it needs more than ``most``, what stands before its colon."""
    lines = textwrap.wrap(text, int(width / letter))
    return lines if len(lines) <= most else textwrap.wrap(text.split(":")[0], int(width / letter))


def beside(part: Part, width: float) -> list[str]:
    """A part's purpose in lines between its name and its size."""
    used = 4 * INSET + NAME_LETTER * len(part.name) + SMALL_LETTER * len(part.size)
    return wrapped(part.purpose, width - used, LETTER, 1)


def below(part: Part, width: float, most: int) -> list[str]:
    """A part's purpose in lines below its name."""
    return wrapped(part.purpose, width - 2 * INSET, LETTER, most)


def rooms_of(part: Part, width: float) -> list[str]:
    """The folders inside a part in lines."""
    return textwrap.wrap(", ".join(part.rooms), int((width - 2 * INSET) / ROOM_LETTER))


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

    def part(self, part: Part, x: float, y: float, width: float, height: float, words: list[str]) -> None:
        """A box: name and size, purpose beside or below, and the folders inside."""
        self.box("part", x, y, width, height)
        self.text("name", x + INSET, y + 19, part.name)
        if height == SLAB:
            self.text("words", x + 2 * INSET + NAME_LETTER * len(part.name), y + 19, words[0])
        self.text("size", x + width - INSET, y + 19, part.size)
        y += 21
        for line in words if height > SLAB else []:
            y += LINE
            self.text("words", x + INSET, y, line)
        rooms = rooms_of(part, width)
        if rooms:
            self.elements.append(f'<path class="rule" d="M{x + INSET:g} {y + 7:g} h{width - 2 * INSET:g}"/>')
        for line in rooms:
            y += LINE
            self.text("room", x + INSET, y + 7, line)

    def row(self, parts: list[Part], y: float, brief: bool) -> float:
        """Parts side by side from ``y`` down, in few words where they are to be brief; returns where the row ends."""
        width = (WIDTH - 2 * EDGE - GAP * 2 - CRACK * (len(parts) - 1)) / len(parts)
        line = beside(parts[0], width) if len(parts) == 1 else []
        flat = len(line) == 1 and (brief or line[0] == parts[0].purpose)
        words = [line] if flat else [below(part, width, (1 if len(parts) == 1 else 2) if brief else 5) for part in parts]
        rooms = [rooms_of(part, width) for part in parts]
        heights = [30 + LINE * (len(a) + len(b)) + (7 if b else 0) for a, b in zip(words, rooms, strict=True)]
        for k, part in enumerate(parts):
            self.part(part, EDGE + GAP + k * (width + CRACK), y, width, SLAB if flat else max(heights), words[k])
        return y + (SLAB if flat else max(heights))

    def floor(self, name: str, stack: list[list[str]], top: float) -> float:
        """A floor whose upper edge is ``top``; returns where it ends."""
        behind, y = len(self.elements), top + 21
        self.text("floor", EDGE + GAP + INSET, top + 15, name)
        for layer in stack:
            parts = [part_called(part) for part in layer]
            for first in range(0, len(parts), 2):
                y = self.row(parts[first : first + 2], y, name == "ground") + CRACK
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
