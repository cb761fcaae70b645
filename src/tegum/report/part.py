"""One experiment's share of a report: its claims, captions and pictures, as files.

``parts/ID.json`` holds what the page prints, ``figures/ID.js`` what it draws.  The pictures are a script because a page opened
from disk may load scripts, and nothing else.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from html import unescape
from pathlib import Path
from typing import Any, final

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from pydantic import TypeAdapter
from typing_extensions import TypedDict  # pydantic's own: that of Python before 3.12 does not keep enough

from tegum.claims import Verdict
from tegum.claims.source import Kind as SourceKind
from tegum.datasets import RECIPES
from tegum.errors import InvalidInputError
from tegum.experiments import Experiment, experiment_files
from tegum.figures.models import carried_models
from tegum.lab import link
from tegum.lab.document import in_script
from tegum.nets import Linear
from tegum.recorded import features_of, net_of
from tegum.report.template import fields_of
from tegum.runs import UNSEALED, plain, sealed, set_aside, unsealed, write_atomically
from tegum.runs.files import Damaged, failures_told

KEY = "tegum_result"
"""The attribute of a dataset that says from which profile and code it comes."""

_FORMAT, _EARLIER = "tegum part 5", tuple(f"tegum part {number}".encode() for number in range(1, 5))
_BEFORE, _AFTER = "tegum.receive(", ");\n"
_HEIGHT = 450
_PANEL_WIDTHS = {1: 250, 2: 290, 3: 210, 4: 170}
_MANY_PANELS, _LEGEND = 110, 130
"""How wide in pixels a panel is at least that can be read, by how many stand side by side; how wide a legend beside them."""

_LETTER, _ENTRY, _BAR = 0.56, 50, 85
"""How wide a letter is by its height; in pixels the sign before a name in a legend, and a colour bar with its name."""

_INTERNAL = ("interrupted", "wall_seconds", "seconds", KEY)


@final
@dataclass(frozen=True)
class Part:
    """What the page prints of one experiment: what it says of itself (see `Experiment`), and what its study returned.

    Attributes:
        profile: quick or paper.
        seconds: what the study cost.
        made: what the dataset says of its making.
        captions: name, text, height and least width of each picture, and its models' addresses in the lab, in order.
        claims: as they stand in ``claims.json``.
        key: the profile and code that made the data.
        code: the code that made claims and pictures.
    """

    id: str
    title: str
    paper: str
    describe: str
    profile: str
    seconds: float
    made: dict[str, Any]
    captions: list[dict[str, Any]]
    claims: list[dict[str, Any]]
    key: str
    code: str


def part_of(experiment: Experiment, data: xr.Dataset, code: str) -> tuple[Part, dict[str, go.Figure]]:
    """The claims and pictures of an experiment's dataset."""
    figures = experiment.figures(data)
    part = Part(
        id=experiment.id,
        title=experiment.title,
        paper=experiment.paper,
        describe=experiment.describe,
        profile=str(data.attrs.get("profile", "")),
        seconds=float(data.attrs.get("seconds", data.attrs.get("wall_seconds", 0.0))),
        made=made_of(data),
        captions=[caption_of(name, figure.caption, figure.picture) for name, figure in figures.items()],
        claims=_as_written([claim.as_record(experiment.id) for claim in experiment.claims(data)]),
        key=str(data.attrs.get(KEY, "")),
        code=code,
    )
    return part, {name: figure.picture for name, figure in figures.items()}


def made_of(data: xr.Dataset) -> dict[str, Any]:
    """What a dataset says of its making; of its recipes without the fields that its sweep varies."""
    made = {str(name): value for name, value in data.attrs.items() if name not in _INTERNAL}
    swept = re.findall(r"\w+", str(made.get("sweep", "")))
    for each in filter(RECIPES.fullmatch, list(made)):
        if recipe := fields_of(made[each]):
            made[each] = json.dumps({name: value for name, value in recipe.items() if name not in swept})
    return dict(_as_written(made))


def height_of(picture: go.Figure) -> int:
    """The height of a picture in pixels, where it says none plotly's own."""
    return int(picture.layout.height or _HEIGHT)


def width_of(picture: go.Figure) -> int:
    """How wide a picture is at least, in pixels, that can be read: on a narrower screen it is moved sideways.

    >>> from plotly.subplots import make_subplots
    >>> width_of(make_subplots(1, 1)) < width_of(make_subplots(1, 2)) < width_of(make_subplots(2, 3))
    True
    """
    layout = picture.layout.to_plotly_json()
    domains = [axis.get("domain", [0, 1])[0] for name, axis in layout.items() if name.startswith("xaxis")]
    domains += [scene.get("domain", {}).get("x", [0, 1])[0] for name, scene in layout.items() if name.startswith("scene")]
    columns = len({round(float(domain), 2) for domain in domains}) or 1
    margin = layout.get("margin", {})
    sides = float(margin.get("l", 80)) + float(margin.get("r", 80))
    shown = layout.get("showlegend") is not False
    beside = shown and layout.get("legend", {}).get("orientation", "v") == "v"
    entries = [trace.name for trace in picture.data if shown and trace.name is not None and trace.showlegend is not False]
    sides += _LEGEND if beside and len(entries) > 1 else 0
    panels = columns * _PANEL_WIDTHS.get(columns, _MANY_PANELS)
    below = max((_ENTRY + _written(name) for name in entries if not beside), default=0)
    return int(max(panels + sides, columns * _words_across(layout) + sides + _BAR * _has_bar(picture), below))


def _written(text: str, size: float = 14) -> float:
    """About how wide the longest line of a text is in pixels."""
    return _LETTER * size * max(len(unescape(re.sub("<[^>]*>", "", line))) for line in text.split("<br>"))


def _words_across(layout: Mapping[str, Any]) -> float:
    """How wide the longest of the panels' titles and of the names of their horizontal axes is in pixels."""
    places = {"xref": "paper", "xanchor": "center", "yanchor": "bottom"}
    notes = [note for note in layout.get("annotations", ()) if places.items() <= note.items() and note.get("text")]
    titles = [_written(note["text"], note.get("font", {}).get("size", 16)) for note in notes]
    axes = [axis.get("title", {}).get("text") for name, axis in layout.items() if name.startswith("xaxis")]
    return max([*titles, *(_written(name) for name in axes if name)], default=0)


def _has_bar(picture: go.Figure) -> bool:
    """Whether the picture has a colour bar beside its panels."""
    owners = [trace.marker if "marker" in trace else trace for trace in picture.data]
    bars = [owner.colorbar.title.text for owner in owners if "colorbar" in owner]
    return any(bars) or any(name.startswith("coloraxis") for name in picture.layout.to_plotly_json())


def caption_of(name: str, text: str, picture: go.Figure) -> dict[str, Any]:
    """What the page prints of a picture before it is drawn."""
    return {"name": name, "text": text, "height": height_of(picture), "width": width_of(picture), "lab": lab_links(picture)}


def lab_links(picture: go.Figure) -> list[dict[str, str]]:
    """The title and the address in the live lab of each model of a picture that the lab knows."""
    found = []
    for title, model in carried_models(picture).items():
        try:
            net, features = net_of(model), features_of(model)
            b = model["b"].values if "b" in model else None
            if b is not None or isinstance(net, Linear):
                found.append({"title": title, "address": link(net, features, model["W"].values, b)})
        except InvalidInputError:
            continue
    return found


def pictures_file(folder: Path, name: str) -> Path:
    """Where the pictures of a part lie."""
    return folder / "figures" / f"{name}.js"


def write_part(part: Part, pictures: Mapping[str, go.Figure], folder: Path) -> None:
    """Writes both files of a part; the pictures first, so that a part whose record exists is whole."""
    write_atomically(pictures_file(folder, part.id), sealed(f"// {UNSEALED}\n{script_of(part.id, pictures)}"))
    record = {"format": _FORMAT, "seal": UNSEALED, "part": asdict(part)}
    write_atomically(folder / "parts" / f"{part.id}.json", sealed(json.dumps(record, indent=1, ensure_ascii=False)))


def script_of(name: str, pictures: Mapping[str, go.Figure]) -> str:
    """The script that hands pictures to a page, in which it may stand."""
    drawn = {
        title: _slim(json.loads(go.Figure(picture).update_layout(meta=None).to_json())) for title, picture in pictures.items()
    }
    return f"{_BEFORE}{in_script(name)}, {in_script(drawn)}{_AFTER}"


def read_part(folder: Path, name: str, notice: Callable[[str], Any]) -> Part | None:
    """A part that was written to a folder, or None; a damaged one is set aside, saying so.

    Raises:
        InvalidInputError: where it cannot be read.
    """
    path = folder / "parts" / f"{name}.json"
    if not path.exists():
        return None
    try:
        with failures_told(path):
            content = path.read_bytes()
            return None if any(each in content for each in _EARLIER) else _checked(json.loads(unsealed(content))["part"])
    except Damaged as mistake:
        notice(f"{mistake.problems[0].what}: set aside as {set_aside(path).name}")
        return None


class _Control(TypedDict):
    what: str
    measured: str
    holds: bool


class _Judged(TypedDict):
    """What the page prints of a claim."""

    claim: str
    statement: str
    source: SourceKind
    section: str
    quote: str
    how: str
    expected: str
    tolerance: str
    measured: str
    evidence: str
    controls: list[_Control]
    uncontrolled: str
    note: str
    disagreement: dict[str, str] | None
    verdict: Verdict


class _Caption(TypedDict):
    name: str
    text: str
    height: int
    width: int
    lab: list[dict[str, str]]


def _checked(record: dict[str, Any]) -> Part:
    """The part that a file describes; a ValueError where the page could not be made of it."""
    part = TypeAdapter(Part).validate_python(record)
    TypeAdapter(list[_Judged]).validate_python(part.claims)
    TypeAdapter(list[_Caption]).validate_python(part.captions)
    return part


def has_pictures(folder: Path, name: str) -> bool:
    """Whether the pictures of a part are there as they were written."""
    try:
        return bool(unsealed(pictures_file(folder, name).read_bytes()))
    except (OSError, ValueError):
        return False


def read_pictures(folder: Path, name: str) -> dict[str, go.Figure]:
    """The pictures of a part; an `InvalidInputError` where the file is missing or damaged."""
    path = pictures_file(folder, name)
    ours = name in experiment_files()
    command = f"tegum report {folder}" if ours else f"tegum reproduce FILE --out {folder}"
    with failures_told(path, f"write it again with `{command}`{'' if ours else f', the FILE that defines {name!r}'}"):
        _, _, text = unsealed(path.read_bytes()).partition(_BEFORE)
        _, drawn = json.loads(f"[{text.removesuffix(_AFTER)}]")
        return {str(title): go.Figure(picture) for title, picture in drawn.items()}


def _as_written(value: Any) -> Any:
    """A value as it comes back from a JSON file: NumPy's numbers as Python's, tuples as lists."""
    return json.loads(json.dumps(value, default=plain))


def _slim(node: Any) -> Any:
    """A picture with its arrays in single precision: seven digits of each number are kept, more than a screen can show.

    An array with a number that would lose more than a millionth of itself stays as it is.
    """
    if isinstance(node, list):
        return [_slim(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("dtype") == "f8" and "bdata" in node:
        wide = np.frombuffer(base64.b64decode(node["bdata"]), dtype="<f8")
        with np.errstate(over="ignore", under="ignore"):
            narrow = wide.astype("<f4")
        lossless = np.allclose(narrow, wide, rtol=1e-6, atol=0, equal_nan=True)
        return node | {"dtype": "f4", "bdata": base64.b64encode(narrow.tobytes()).decode()} if lossless else node
    return {name: _slim(item) for name, item in node.items()}
