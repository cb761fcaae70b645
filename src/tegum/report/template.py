"""The one template of all pages that tegum writes: look, policy, how figures are drawn; what stands between is each page's own.

No page asks the network for anything, and its policy forbids that it could: scripts and styles stand in the page, or, for the
report of the paper, lie beside it.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from tegum.figures import CONFIG

_OWN = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src 'unsafe-inline'"
WHOLE = _OWN
"""The policy of a page that is one file."""

BESIDE = f"{_OWN} 'self' file: 'unsafe-eval'"
"""The policy of a page with scripts beside it; plotly compiles what draws many thousands of dots."""


def rendered(page: str, policy: str, scripts: Sequence[str], **content: Any) -> str:
    """A page from its template, with what all pages share."""
    script = "".join(_text(name) for name in scripts) + content.pop("script", "")
    shared = {"policy": policy, "style": _text("page.css"), "script": script, "config": json.dumps(CONFIG)}
    return str(_environment().get_template(page).render(**content, **shared))


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of a recipe or of other settings in JSON; none for anything else."""
    if not isinstance(value, str) or not value.startswith("{"):
        return {}
    try:
        return dict(json.loads(value))
    except ValueError:
        return {}


def _text(name: str) -> str:
    return files("tegum.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    options: dict[str, Any] = {"autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=FunctionLoader(_text), **options)
    environment.filters["words"] = _words
    return environment


def _words(value: Any) -> str:
    """An attribute as a reader would write it: the recipe's fields with commas, anything else as it is."""
    recipe = fields_of(value)
    return ", ".join(f"{name.replace('_', ' ')} {_shown(item)}" for name, item in recipe.items()) if recipe else str(value)


def _shown(item: Any) -> str:
    if isinstance(item, dict):
        return ", ".join(f"{name}: {value}" for name, value in item.items()) or "none"
    if isinstance(item, list):
        return " ".join(map(str, item)) if len(item) < 9 else f"{len(item)} values"
    return str(item)
