"""Pictures and tables as one page: in a notebook, or in a file that needs no other and no network.

>>> shown = Shown("Nothing", ["There is nothing."], [], {}, {}, {"arrows": "there is no model"})
>>> "There is nothing." in shown.html(), shown
(True, <Nothing: nothing to draw; .write('page.html') makes a page of it>)
"""

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, final

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from tegum.checking import as_path
from tegum.provenance import tegum_version
from tegum.report.part import caption_of, height_of, script_of
from tegum.report.template import rendered
from tegum.runs import write_atomically

_READY = """tegum.scripts["plotly.min.js"] = tegum.scripts["figures/show.js"] = Promise.resolve();
"""
"""The scripts that a page loads otherwise stand in this one."""


@final
@dataclass(frozen=True)
class Table:
    """A table as a page prints it."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str


@final
@dataclass(frozen=True, eq=False)
class Shown:
    """Pictures and tables of a dataset.

    Attributes:
        title: what it is.
        lead: what it is in sentences, and what was chosen to be drawn.
        tables: the models that are drawn, and the census.
        figures: plotly figures by name.
        captions: the title and the text of each.
        absent: what could not be drawn, and why.
        made: how the dataset was made.
    """

    title: str
    lead: list[str]
    tables: list[Table]
    figures: dict[str, go.Figure]
    captions: dict[str, tuple[str, str]]
    absent: dict[str, str]
    made: dict[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """The page: one file, without a network."""
        pictures = [
            caption_of(name, self.captions[name][1], figure) | {"title": self.captions[name][0]}
            for name, figure in self.figures.items()
        ]
        script = _READY + script_of("show", self.figures)
        return rendered(
            "show.html",
            ("base.js", "player.js", "files.js"),
            script,
            library=get_plotlyjs(),
            title=self.title,
            lead=self.lead,
            tables=self.tables,
            pictures=pictures,
            absent=self.absent,
            made=self.made,
            version=tegum_version(),
        )

    def write(self, path: Path | str) -> Path:
        """Writes the page to a file; returns its path.

        Raises:
            InvalidInputError: where it cannot be written.
        """
        path = as_path(path)
        write_atomically(path, self.html().encode())
        return path

    def _repr_html_(self) -> str:
        """The page as a notebook shows it: in a frame of its own, whose style is not the notebook's."""
        height = min(300 + 60 * len(self.tables) + sum(130 + height_of(figure) for figure in self.figures.values()), 1600)
        style = f"width: 100%; height: {height}px; border: 1px solid #dcdce0; border-radius: 8px"
        return f'<iframe title="{escape(self.title)}" style="{style}" srcdoc="{escape(self.html())}"></iframe>'

    def __repr__(self) -> str:
        return f"<{self.title}: {', '.join(self.figures) or 'nothing to draw'}; .write('page.html') makes a page of it>"
