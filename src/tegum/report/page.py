"""The page that a reader opens: verdicts, figures, how each was made.

It opens from disk without a network: plotly.js lies beside it once, shared by all figures.
"""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, final

import xarray as xr
from jinja2 import Environment, StrictUndefined
from plotly.offline import get_plotlyjs

from tegum.claims import Claim
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import CONFIG
from tegum.provenance import provenance
from tegum.runs import write_atomically, write_dataset


@final
@dataclass(frozen=True, eq=False)
class Part:
    """One experiment's results."""

    experiment: Experiment
    data: xr.Dataset
    figures: dict[str, Figure]
    claims: list[Claim]
    seconds: float

    @property
    def made(self) -> dict[str, Any]:
        """What the dataset says of its making."""
        return {name: value for name, value in self.data.attrs.items() if name not in ("interrupted", "wall_seconds")}


@cache
def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    return environment.from_string(files("tegum.report").joinpath("page.html").read_text(encoding="utf-8"))


def _drawn(figure: Figure) -> dict[str, Any]:
    """A figure as the template reads it; ``</`` is broken up so that no text can end the script."""
    return {"picture": figure.picture, "caption": figure.caption, "json": figure.picture.to_json().replace("</", "<\\/")}


def page(parts: list[Part], profile: Profile) -> str:
    """The HTML of the page."""
    verdicts = Counter(claim.verdict for part in parts for claim in part.claims)
    shown = [
        {
            "experiment": part.experiment,
            "figures": {name: _drawn(figure) for name, figure in part.figures.items()},
            "claims": part.claims,
            "seconds": part.seconds,
            "made": part.made,
        }
        for part in parts
    ]
    return str(
        _template().render(
            parts=shown,
            counts=dict(sorted(verdicts.items())),
            profile=profile,
            seconds=sum(part.seconds for part in parts),
            config=json.dumps(CONFIG),
            provenance=provenance(),
        )
    )


def write_report(parts: list[Part], profile: Profile, folder: Path) -> Path:
    """Writes the page, the claims and the datasets behind the pictures; returns the page's path.

    Raises:
        Mistake: where the folder cannot be written.
    """
    for part in parts:
        write_dataset(part.data, folder / "data" / f"{part.experiment.id}.safetensors")
    records = [claim.as_record(part.experiment.id) for part in parts for claim in part.claims]
    write_atomically(folder / "claims.json", json.dumps(records, indent=2, ensure_ascii=False).encode())
    write_atomically(folder / "plotly.min.js", get_plotlyjs().encode())
    write_atomically(folder / "index.html", page(parts, profile).encode())
    return folder / "index.html"
