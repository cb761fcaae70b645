"""Curves with their kinks marked, in panels side by side: frontiers, branches, probabilities.

A kink is where one solution takes over from another; it is drawn as an open circle, and says on hovering what happens there.

>>> curve = MarkedCurve("cheapest", np.array([0.1, 0.5, 0.9]), np.array([0.1, 0.2, 0.2]), np.array([[0.5, 0.2]]), ["a jump"])
>>> figure = marked_panels({"": [curve]}, "density", "loss")
>>> [trace.name for trace in figure.data], figure.data[1].text
(['cheapest', 'kink'], ('a jump',))
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, category, dash, legend_row, log_ticks, styled
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
) -> go.Figure:
    """Panels by title with curves in them, on axes of the same kind; one legend.

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
    drawn.axes(gridcolor=FAINT, zeroline=False, showline=True, linecolor=INK)
    if log_x:
        drawn.x_axis(type="log", dtick=1, **_ticks(curve.x for each in panels.values() for curve in each))
    if log_y:
        every = (curve.y for each in panels.values() for curve in each)
        drawn.y_axis(type="log", dtick=1, exponentformat="power", **_ticks(every))
    drawn.x_axis(x_label, 8)
    drawn.at(column=1).y_axis(y_label, 8)
    rows = -(-(len(names) + 1) // _PER_ROW)
    legend = legend_row(-0.17 * 430 / height, yanchor="top")
    return styled(drawn.figure, height + 20 * rows, legend=legend, margin={"l": 75, "b": 55 + 20 * rows})


def _ticks(values: Iterable[NDArray[np.float64]]) -> dict[str, Any]:
    """The labels of a logarithmic axis of these values, where they span little more than two decades."""
    every = np.concatenate(list(values))
    shown = every[np.isfinite(every) & (every > 0)]
    return log_ticks(float(shown.min()), float(shown.max())) if shown.size else {}
