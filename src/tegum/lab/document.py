"""The page of the lab: one file, which opens from disk, asks the network for nothing, and has its state in its address."""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, final

from jinja2 import Environment, StrictUndefined

from tegum.checking import as_path, checked
from tegum.lab.address import read
from tegum.lab.joining import script
from tegum.runs import write_atomically

_ROOT = ":root { color-scheme: light dark; } body { margin: 0; background: Canvas; }\n"
"""Dark where the reader wants it, also in a frame of a page, which is white where it says nothing."""

_SMALL = "main { padding: 0 4px; }\n"
_BODY = """body { background: #fafafb; } main { max-width: 1240px; margin: 0 auto; padding: 0 20px 40px; }
@media (prefers-color-scheme: dark) { body { background: #17171a; } }
@media (max-width: 720px) { main { padding: 0 12px 30px; } }
"""


@final
@dataclass(frozen=True)
class Record:
    """A recorded training or flow, as the page plays it; `record_of` makes it.

    Attributes:
        address: the setting, with the last model.
        clock: what ``times`` are: ``step`` or ``time``.
        times: of each model.
        W: weights, one model after the other, base64 of float32.
        b: biases, likewise.
    """

    address: str
    clock: str
    times: tuple[float, ...]
    W: str
    b: str


@cache
def style() -> str:
    """The style of a lab, all of it under ``.tegum-lab``."""
    return files("tegum.lab").joinpath("lab.css").read_text(encoding="utf-8")


def in_script(value: Any) -> str:
    r"""JSON for a script that stands in a page, whatever words it holds: no ``<``, so neither ``</script>`` nor ``<!--``.

    >>> in_script("<!--<script>")
    '"\\u003c!--\\u003cscript>"'
    """
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


@checked
def page(address: str = "", record: Record | None = None, layout: Literal["page", "small"] = "page", more: str = "") -> str:
    """The page with the lab: HTML that needs no other file.

    Args:
        address: where it begins if its own address says nothing (`link`).
        record: a recorded training that it shows in place of a live model (`record_of` makes it).
        layout: everything, or picture and density alone.
        more: where a small one finds the page with everything.

    Raises:
        InvalidInputError: for an address that is none of the lab's.
    """
    address = address if record is None else record.address
    if address:
        read(address)
    follows = record is None and layout == "page"
    options = in_script({"layout": layout, "address": follows, "given": bool(address), "more": more})
    lines = f'const options = {options};\noptions.worker = tegumLab.workerSource;\noptions.given ||= location.hash !== "";\n'
    if record is not None:
        lines += f"options.record = tegumLab.recordOf({in_script(asdict(record))});\n"
    start = "location.hash || " if record is None else ""
    lines += f'tegumLab.mount(document.getElementById("lab"), {start}{in_script(address)}, options);\n'
    text = f"\n{script()}{lines}"
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; worker-src blob:; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        files("tegum.lab").joinpath("page.html").read_text(encoding="utf-8")
    )
    return template.render(
        title="The lab of toy models of superposition",
        policy=policy,
        style=_ROOT + (_BODY if layout == "page" else _SMALL) + style(),
        script=text,
    )


@checked
def write(path: Path | str, address: str = "") -> Path:
    """Writes the page to a file; returns its path.

    Raises:
        InvalidInputError: where it cannot be written.
    """
    path = as_path(path)
    write_atomically(path, page(address).encode())
    return path
