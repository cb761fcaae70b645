"""The panels of a figure: where traces are drawn, and how their axes look.

>>> panels = Panels.titled(["dense", "sparse"])
>>> for panel, height in zip(panels, (1, 2), strict=True):
...     panel.add(go.Scatter(x=[0, 1], y=[0, height]))
>>> panels.x_axis("density", standoff=8)
>>> [trace.xaxis for trace in panels.figure.data], panels.figure.layout.xaxis2.title.text
(['x', 'x2'], 'density')
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Any, final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tegum.errors import InvalidInputError

_MOST_COLUMNS = 1000
_MOST_GAPS = {"horizontal_spacing": 0.5, "vertical_spacing": 0.8}
"""Gaps take at most this share of the width, and of the height: plotly refuses those that leave nothing to the panels."""


@final
@dataclass(frozen=True, eq=False)
class Panels:
    """The panel of a figure in a row and a column, counted from 1; where one is None, those in all of them.

    Iterating gives the panels that have titles one by one, row by row.
    """

    figure: go.Figure
    row: int | None = None
    column: int | None = None
    count: int = 0
    columns: int = 1

    @classmethod
    def titled(cls, titles: Iterable[str], columns: int | None = None, rows: int | None = None, **options: Any) -> "Panels":
        """One panel beneath each title, by default all side by side, in as many rows as they fill or more.

        Titles are text, of which only ``<br>`` is markup.  The options are those of plotly's ``make_subplots``; gaps between
        many panels are as small as these need.
        """
        titles = [as_text(title) for title in titles]
        columns = len(titles) if columns is None else columns
        if not 1 <= columns <= _MOST_COLUMNS or not (titles or rows):
            raise InvalidInputError(
                f"there are {len(titles)} panels in {columns} columns",
                f"draw at least one of each, in at most {_MOST_COLUMNS} columns",
            )
        rows = rows or -(-len(titles) // columns)
        for gap, count in (("horizontal_spacing", columns), ("vertical_spacing", rows)):
            if gap in options:
                options[gap] = min(options[gap], _MOST_GAPS[gap] / max(1, count - 1))
        return cls(make_subplots(rows, columns, subplot_titles=titles, **options), count=len(titles), columns=columns)

    @classmethod
    def beside(cls, **options: Any) -> "Panels":
        """Two panels on the left, one above the other, and on the right one that is as high as both."""
        return cls(make_subplots(2, 2, specs=[[{}, {"rowspan": 2}], [{}, None]], **options))

    def __iter__(self) -> Iterator["Panels"]:
        return (self.at(k // self.columns + 1, k % self.columns + 1) for k in range(self.count))

    def at(self, row: int | None = None, column: int | None = None) -> "Panels":
        """Those in this row and this column."""
        return replace(self, row=row, column=column)

    def add(self, *traces: Any) -> None:
        """Draws traces in this panel."""
        for trace in traces:
            self.figure.add_trace(trace, row=self.row, col=self.column)

    def note(self, text: str, **place: Any) -> None:
        """Writes a text in this panel, or where ``place`` says."""
        self.figure.add_annotation(text=text, showarrow=False, row=self.row, col=self.column, **place)

    def shade(self, spans: Iterable[tuple[float, float]], colour: str) -> None:
        """Shades what lies between places on the horizontal axis; all at once, because plotly adds shapes slowly."""
        across = {"xref": f"x{self.axis}", "yref": f"y{self.axis} domain", "y0": 0, "y1": 1}
        look = {"type": "rect", "fillcolor": colour, "line": {"width": 0}, "layer": "below"}
        shapes = [{**across, **look, "x0": begins, "x1": ends} for begins, ends in spans]
        self.figure.update_layout(shapes=[*self.figure.layout.shapes, *shapes])

    def x_axis(self, title: str | None = None, standoff: float | None = None, **axis: Any) -> None:
        """Describes the horizontal axes: title, its distance in pixels, and whatever else plotly knows of an axis."""
        self.figure.update_xaxes(_titled(axis, title, standoff), row=self.row, col=self.column)

    def y_axis(self, title: str | None = None, standoff: float | None = None, **axis: Any) -> None:
        """Describes the vertical axes, likewise."""
        self.figure.update_yaxes(_titled(axis, title, standoff), row=self.row, col=self.column)

    def axes(self, **axis: Any) -> None:
        """Describes the axes of both directions."""
        self.x_axis(**axis)
        self.y_axis(**axis)

    @property
    def axis(self) -> str:
        """The number that plotly gave this panel's axes: nothing for the first, then 2, 3, ..."""
        return str(self.figure.get_subplot(self.row, self.column).xaxis.plotly_name).removeprefix("xaxis")

    def same_units(self) -> None:
        """Makes a unit of this panel as long upwards as sideways."""
        self.y_axis(scaleanchor=f"x{self.axis}")

    def add_square(self, heatmap: go.Heatmap) -> None:
        """Draws a matrix as one reads it, the first row above, in square cells."""
        self.add(heatmap)
        self.axes(constrain="domain")
        self.y_axis(autorange="reversed")
        self.same_units()


def as_text(title: str) -> str:
    """A title whose letters plotly draws as they are; only ``<br>`` is markup.

    >>> as_text("R&D,<br>p < 0.1")
    'R&amp;D,<br>p &lt; 0.1'
    """
    return escape(str(title), quote=False).replace("&lt;br&gt;", "<br>")


def _titled(axis: dict[str, Any], title: str | None, standoff: float | None) -> dict[str, Any]:
    return axis if title is None else {"title": {"text": title, "standoff": standoff}, **axis}
