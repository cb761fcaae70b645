"""Dots with errors in panels side by side: estimates beside a truth, or one number of many models against another.

>>> cloud = Cloud("HMC", ["5-gon", "6-gon"], np.array([7.02, 8.49]), np.array([0.03, 0.04]))
>>> exact = Cloud("exact", ["5-gon", "6-gon"], np.array([7.0, 8.5]))
>>> figure = clouds({"": [cloud]}, "point", "learning coefficient", truth=exact)
>>> [trace.name for trace in figure.data]
['exact', 'HMC']
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, category, legend_below, log_labels, styled
from tegum.figures.traces import dots

_TOP, _BELOW, _BELOW_WORDS = 50, 60, 150
"""Pixels above the panels, and for what is written below them."""
_PER_ROW, _SYMBOLS = 2, ("circle", "square", "diamond", "triangle-up", "x", "cross")


@final
@dataclass(frozen=True, eq=False)
class Cloud:
    """Dots (k,) of one name, at numbers or words, with errors where they are known; it has one colour in all panels."""

    name: str
    x: Sequence[str] | NDArray[np.float64]
    y: NDArray[np.float64]
    error: NDArray[np.float64] | None = None
    texts: Sequence[str] = ()

    def __post_init__(self) -> None:
        lengths = {len(self.x), len(self.y), *([] if self.error is None else [len(self.error)])}
        if self.texts:
            lengths.add(len(self.texts))
        if len(lengths) > 1:
            raise InvalidInputError(
                f"the cloud {self.name!r} has lists of lengths {sorted(lengths)}", "give lists of one length"
            )


@checked
def clouds(
    panels: Mapping[str, Sequence[Cloud]],
    x_label: str,
    y_label: str,
    truth: Cloud | None = None,
    log_x: bool = False,
    log_y: bool = False,
    height: int = 430,
) -> go.Figure:
    """Panels by title with dots in them; the ``truth`` is a bar behind the dots of every panel.

    Raises:
        InvalidInputError: where there is no cloud.
    """
    names = list(dict.fromkeys(cloud.name for each in panels.values() for cloud in each))
    if not names:
        raise InvalidInputError("clouds got none", "give {title: [cloud, ...]}")
    words = any(isinstance(x, str) for each in panels.values() for cloud in each for x in cloud.x)
    drawn = Panels.titled(panels, 1 if words else min(_PER_ROW, len(panels)), horizontal_spacing=0.1, vertical_spacing=0.2)
    for panel, each in zip(drawn, panels.values(), strict=True):
        if truth is not None:
            bar = {"symbol": "line-ew", "size": 26, "line": {"width": 3, "color": INK}}
            panel.add(dots(list(truth.x), truth.y, bar, f"{truth.name}<br>%{{y:.6g}}", truth.name, legendgroup=truth.name))
        for cloud in each:
            k = names.index(cloud.name)
            look = {"color": category(k), "symbol": _SYMBOLS[k % len(_SYMBOLS)], "size": 8, "opacity": 0.85}
            more: dict[str, Any] = {} if cloud.error is None else {"error_y": {"array": cloud.error, "thickness": 1.2}}
            hover = f"{cloud.name}<br>{x_label} %{{x}}<br>{y_label} %{{y:.5g}}" + ("<br>%{text}" if cloud.texts else "")
            if cloud.texts:
                more["text"] = list(cloud.texts)
            panel.add(dots(list(cloud.x), cloud.y, look, hover, cloud.name, legendgroup=cloud.name, **more))
    drawn.axes(gridcolor=FAINT, zeroline=False, showline=True, linecolor=INK)
    for panel, each in zip(drawn, panels.values(), strict=True):
        if log_x and each:
            panel.x_axis(type="log", **log_labels([cloud.x for cloud in each]))
        if log_y and each:
            panel.y_axis(type="log", **log_labels([cloud.y for cloud in each]))
    drawn.x_axis(x_label, 8)
    drawn.at(column=1).y_axis(y_label, 8)
    if words:
        drawn.x_axis(tickangle=30)
    seen: set[str] = set()
    for trace in drawn.figure.data:
        trace.showlegend = trace.name not in seen
        seen.add(trace.name)
    rows = -(-(len(names) + 1) // 3)
    below = _BELOW_WORDS if words else _BELOW
    margin = {"l": 75, "t": _TOP, "r": 70 if words else 20}
    return styled(drawn.figure, height + below + 25 * rows, legend=legend_below(), margin=margin)
