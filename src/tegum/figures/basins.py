"""The plane of two initial weights, with the boundaries between what starts end in, and these ends.

>>> edge = BasinEdge("pair | one alone", np.array([[0.5, 0.0], [1.0, 0.1]]))
>>> minima = {"pair": np.array([[1.0, -1.0]])}
>>> figure = basin_panels({"I = 1": ([edge], minima, [("pair", 1.0, -0.8)])})
>>> [trace.name for trace in figure.data]
['pair | one alone', 'pair | one alone', 'end: pair']
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.figures.panels import Panels
from tegum.figures.theme import INK, OUTSIDE, PLAIN, category, legend_below, styled
from tegum.figures.traces import dots, line

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "x")


@final
@dataclass(frozen=True, eq=False)
class BasinEdge:
    """A boundary between two ends: its name, and points (radius, angle) in the order of the radius, (k, 2)."""

    name: str
    points: NDArray[np.float64]


Panel = tuple[Sequence[BasinEdge], Mapping[str, NDArray[np.float64]], Sequence[tuple[str, float, float]]]
"""Edges; ends (k, 2) by name; and texts with the place (w_1, w_2) where each stands."""


@checked
def basin_panels(panels: Mapping[str, Panel], reach: float = 1.6, columns: int = 3) -> go.Figure:
    """Panels by title with edges, which are mirrored at the origin, ends and texts; a square of |w| <= reach each."""
    edges = list(dict.fromkeys(edge.name for each, _, _ in panels.values() for edge in each))
    kinds = list(dict.fromkeys(name for _, minima, _ in panels.values() for name in minima))
    drawn = Panels.titled(panels, min(columns, len(panels)), horizontal_spacing=0.07, vertical_spacing=0.12)
    for panel, (each, minima, texts) in zip(drawn, panels.values(), strict=True):
        for edge in each:
            radius, angle = edge.points.T
            for side in (1, -1):
                at = (side * radius * np.cos(angle), side * radius * np.sin(angle))
                hover = f"{edge.name}<br>w1 %{{x:.6f}}, w2 %{{y:.6f}}"
                panel.add(line(*at, category(edges.index(edge.name)), 2, None, hover, name=edge.name, legendgroup=edge.name))
        for name, points in minima.items():
            look = {"symbol": _SYMBOLS[kinds.index(name) % len(_SYMBOLS)], "size": 9, "color": INK}
            both = np.concatenate([points, -points])
            group = f"end: {name}"
            panel.add(dots(both[:, 0], both[:, 1], look, name + "<br>%{x:.4f}, %{y:.4f}", group, legendgroup=group))
        for text, x, y in texts:
            panel.note(text, x=x, y=y, font={"size": 11}, bgcolor="rgba(255,255,255,0.6)")
        panel.same_units()
    drawn.axes(range=[-reach, reach], constrain="domain", tickvals=[-1, 0, 1], **PLAIN, **OUTSIDE)
    drawn.x_axis("initial w₁", 4)
    drawn.at(column=1).y_axis("initial w₂", 4)
    rows = -(-len(panels) // columns)
    return styled(drawn.figure, 120 + 330 * rows, legend=legend_below(), margin={"l": 60, "t": 50})
