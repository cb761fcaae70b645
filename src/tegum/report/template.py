"""The one template of all pages that tegum writes: look, policy, how figures are drawn; what stands between is each page's own.

No page asks the network for anything, and its policy forbids that it could: scripts and styles stand in the page, or, for the
report of the paper, lie beside it.  A script that stands in a page runs only where it is, letter for letter, the one that was
written: the policy has its digest.

>>> policy(["1;"], beside=False).split("; ")[1]
"script-src 'sha256-CImjRDTlhukYQ2AnxOi0wzgPhGQ3Mb3rVwJK24dFz1M='"
"""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from tegum.figures import CONFIG, DARK
from tegum.lab import style as lab_style
from tegum.lab.document import in_script
from tegum.runs.files import keep_foreign

_CONFIG = "tegum.config = "
"""What every page sets, and no other program's does."""


def policy(inline: Sequence[str], beside: bool) -> str:
    """What a browser may load for a page, as a Content-Security-Policy: these inline scripts, and those ``beside`` it.

    The live model computes in a worker, which is made of text.  Plotly.js styles its elements in place.  What draws many
    thousands of dots it compiles at run time, which only a page with scripts beside it allows.
    """
    digests = [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in inline]
    scripts = " ".join([*digests, *(["'self'", "file:", "'unsafe-eval'"] if beside else [])])
    return (
        f"default-src 'none'; script-src {scripts}; {'worker-src blob:; ' if beside else ''}style-src 'unsafe-inline'; "
        "img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def rendered(page: str, names: Sequence[str], script: str = "", library: str = "", beside: bool = False, **content: Any) -> str:
    """A page from its template, with what all pages share.

    Its scripts are the files of these ``names`` and more of its own, after a ``library``; others lie ``beside`` it, or none.
    """
    own = f"\n{''.join(map(_text, names))}{script}{_CONFIG}{in_script(CONFIG)};\ntegum.dark = {in_script(DARK)};\n"
    scripts = [library, own] if library else [own]
    look = _text("page.css") + (lab_style() if beside else "")
    shared = {"policy": policy(scripts, beside), "style": look, "scripts": scripts}
    return str(_environment().get_template(page).render(**content, **shared))


def is_page(content: bytes) -> bool:
    """Whether this is a page that `rendered` wrote."""
    return _CONFIG.encode() in content


def place_for_page(path: Path, notice: Callable[[str], Any]) -> Path:
    """The path, where a page may be written now: somebody else's file there is set aside, saying so."""
    return keep_foreign(path, is_page, notice)


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
