"""Curves with their kinks marked, in panels side by side: frontiers, branches, probabilities.

A kink is where one solution takes over from another; it is drawn as an open circle, and says on hovering what happens there.

>>> curve = MarkedCurve("cheapest", np.array([0.1, 0.5, 0.9]), np.array([0.1, 0.2, 0.2]), np.array([[0.5, 0.2]]), ["a jump"])
>>> figure = marked_panels({"": [curve]}, "density", "loss")
>>> [trace.name for trace in figure.data], figure.data[1].text
(['cheapest', 'kink'], ('a jump',))
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, category, dash, legend_below, log_labels, styled
from tegum.figures.traces import dots, line

_PER_ROW = 3


@final
@dataclass(frozen=True, eq=False)
class MarkedCurve:
    """A curve (k,) by its points, and its kinks (j, 2) with a text for each; curves of one name look alike in all panels."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    kinks: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    texts: Sequence[str] = ()

    def __post_init__(self) -> None:
        if np.ndim(self.x) != 1 or np.shape(self.x) != np.shape(self.y):
            raise InvalidInputError(
                f"the curve {self.name!r} has x of shape {np.shape(self.x)} and y of shape {np.shape(self.y)}",
                "give two arrays of one length",
            )
        if np.shape(self.kinks) != (len(self.texts), 2):
            raise InvalidInputError(
                f"the curve {self.name!r} has kinks of shape {np.shape(self.kinks)} and {len(self.texts)} texts",
                "give a point (x, y) for each text",
            )


@checked
def marked_panels(
    panels: Mapping[str, Sequence[MarkedCurve]],
    x_label: str,
    y_label: str,
    log_x: bool = False,
    log_y: bool = False,
    height: int = 430,
    columns: int | None = None,
    same_units: bool = False,
) -> go.Figure:
    """Panels by title with curves in them, on axes of the same kind; one legend.

    With ``same_units`` a unit is as long upwards as sideways, as for lines in a plane.

    Raises:
        InvalidInputError: where there is no curve.
    """
    names = list(dict.fromkeys(curve.name for curves in panels.values() for curve in curves))
    if not names:
        raise InvalidInputError("marked_panels got no curves", "give {title: [curve, ...]}")
    drawn = Panels.titled(panels, columns or min(_PER_ROW, len(panels)), horizontal_spacing=0.08, vertical_spacing=0.14)
    for panel, curves in zip(drawn, panels.values(), strict=True):
        for curve in curves:
            k = names.index(curve.name)
            hover = f"{curve.name}<br>{x_label} %{{x:.6g}}<br>{y_label} %{{y:.6g}}"
            panel.add(line(curve.x, curve.y, category(k), 2.2, dash(k // 5), hover, name=curve.name, legendgroup=curve.name))
        for curve in curves:
            if len(curve.texts):
                ring = {"symbol": "circle-open", "size": 8, "color": INK, "line": {"width": 1.6}}
                hover = f"{curve.name}<br>{x_label} %{{x:.8g}}<br>%{{text}}"
                x, y = curve.kinks.T
                panel.add(dots(x, y, ring, hover, "kink", text=list(curve.texts), legendgroup="kink"))
        if same_units:
            _make_square(panel, curves)
    drawn.axes(gridcolor=FAINT, zeroline=False, showline=True, linecolor=INK)
    for panel, curves in zip(drawn, panels.values(), strict=True):
        if log_x and curves:
            panel.x_axis(type="log", **log_labels([curve.x for curve in curves]))
        if log_y and curves:
            panel.y_axis(type="log", **log_labels([curve.y for curve in curves]))
    drawn.x_axis(x_label, 8)
    drawn.at(column=1).y_axis(y_label, 8)
    rows = -(-(len(names) + 1) // _PER_ROW)
    return styled(drawn.figure, height + 20 * rows, legend=legend_below(), margin={"l": 75})


def _make_square(panel: Panels, curves: Sequence[MarkedCurve]) -> None:
    """Makes a panel a square around its curves, with a little air."""
    if not curves:
        return
    every = (np.concatenate([getattr(curve, at) for curve in curves]) for at in "xy")
    ends = [[float(np.nanmin(values)), float(np.nanmax(values))] for values in every]
    reach = 0.54 * max(high - low for low, high in ends) or 1.0
    for axis, (low, high) in zip((panel.x_axis, panel.y_axis), ends, strict=True):
        axis(range=[(low + high) / 2 - reach, (low + high) / 2 + reach], constrain="domain", nticks=5)
    panel.same_units()
