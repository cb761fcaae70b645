"""The script of the lab: its modules joined into one text, which a page that opens from disk can hold.

The modules in ``js/`` import each other by name, as Node and a browser load them.  They are joined in the order in which they
need each other: each becomes a function that returns what it exports.  What computes (`CORE`) stands in one more function whose
source a worker runs, so that it is there once.

>>> text = script()
>>> text.startswith("const tegumLab = ("), "import {" in text
(True, False)
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from tegum.figures.theme import SHAPE_COLOURS

CORE = (
    "distribution",
    "random",
    "patterns",
    "products",
    "inversion",
    "loss",
    "algebra",
    "thomson",
    "catalogue",
    "shapes",
    "flow",
    "adam",
    "simulation",
    "serve",
)
"""What computes, in the order in which each needs those before it."""

SHOWN = (
    "address",
    "palette",
    "colours",
    "pen",
    "arrows",
    "panels",
    "scene",
    "charts",
    "maps",
    "phasemap",
    "dom",
    "driver",
    "stage",
    "controls",
    "replay",
    "presets",
    "share",
    "layout",
    "lab",
)
"""What is seen, likewise."""

_IMPORT = re.compile(r"^import \{[^}]*\} from \"\./(\w+)\.js\";\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_EXPORTED = re.compile(r"^export (const|(?:async )?function\*?|class) (\w+)(.*)", re.MULTILINE)
_MORE = re.compile(r", (\w+) =")


@cache
def script() -> str:
    """A classic script that defines ``tegumLab``, with ``tegumLab.mount(element, address, options)`` and what tests need."""
    names, own = (", ".join(name for module in part for name in exported(module)) for part in (CORE, SHOWN))
    text = (
        'const tegumLab = (() => {\n"use strict";\n'
        f'const core = () => {{\n"use strict";\n{"".join(map(_joined, CORE))}return {{ {names} }};\n}};\n'
        f"const {{ {names} }} = core();\n{''.join(map(_joined, SHOWN))}"
        "const workerSource = `(${core})().serve(self)`;\n"
        f"return {{ {names}, {own}, workerSource }};\n}})();\n"
    )
    return text.replace("</", "<\\/")  # in a page, the one would end the script


def source(module: str) -> str:
    """The text of a module; what Python knows is filled in."""
    text = files("tegum.lab").joinpath(f"js/{module}.js").read_text(encoding="utf-8")
    if module == "thomson":
        stored = files("tegum.geometry").joinpath("thomson.json").read_text(encoding="utf-8")
        return text.replace("THOMSON = {}", f"THOMSON = {json.dumps(json.loads(stored), separators=(',', ':'))}")
    if module == "maps":
        found = {name.upper(): json.dumps(part, separators=(",", ":")) for name, part in stored_optima().items()}
        return text.replace("MAPS = []", f"MAPS = {found['MAPS']}").replace("LINES = []", f"LINES = {found['LINES']}")
    if module == "palette":
        return text.replace("SHAPE_COLOURS = {}", f"SHAPE_COLOURS = {json.dumps(SHAPE_COLOURS)}")
    return text


@cache
def stored_optima() -> dict[str, Any]:
    """Certified optima, as `tegum.lab.maps` computed them: ``maps`` and ``lines``."""
    return dict(json.loads(files("tegum.lab").joinpath("maps.json").read_text(encoding="utf-8")))


def exported(module: str) -> list[str]:
    """The names that a module exports."""
    found = _EXPORTED.findall(source(module))
    return [name for kind, first, rest in found for name in (first, *(_MORE.findall(rest) if kind == "const" else ()))]


def imported(module: str) -> list[str]:
    """The modules that a module imports."""
    return _IMPORT.findall(source(module))


def _joined(module: str) -> str:
    text = _EXPORT.sub("", _IMPORT.sub("", source(module)))
    names = ", ".join(exported(module))
    return f"const {{ {names} }} = (() => {{\n{text}return {{ {names} }};\n}})();\n"
