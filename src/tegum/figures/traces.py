"""What is drawn in panels: lines, dots, arrows from the origin, circles around it.

What one says on hovering is a template of plotly's; it says nothing unless given one.

>>> segments([[0], [0]], [[1], [2]]).tolist()        # a line from (0, 0) to (1, 2)
[[0.0, 1.0, nan], [0.0, 2.0, nan]]
>>> arrow([0.6, 0.8], "black", width=2, size=9, hover="feature 0").y
(0, 0.8)
"""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from tegum.figures.theme import FAINT, INK, colour_scale

_ANGLES = np.linspace(0, 2 * np.pi, 121)


def line(
    x: ArrayLike, y: ArrayLike, colour: str = INK, width: float = 2, dash: str | None = None, hover: str = "", **more: Any
) -> go.Scatter:
    """A line through points; ``more`` is passed to plotly."""
    style = {"color": colour, "width": width, "dash": dash}
    return go.Scatter(x=x, y=y, mode="lines", line=style, **_hovering(hover), **more)


def dots(x: Any, y: Any, marker: dict[str, Any], hover: str = "", name: str | None = None, **more: Any) -> go.Scatter:
    """Dots at points, which look as plotly's ``marker`` says; ``more`` is passed to plotly."""
    return go.Scatter(x=x, y=y, mode="markers", marker=marker, name=name, **_hovering(hover), **more)


def arrow(tip: ArrayLike, colour: str, width: float, size: float, hover: str, **head: Any) -> go.Scatter | go.Scatter3d:
    """An arrow from the origin to a tip in two or three dimensions, whose head has that size in pixels and looks as told."""
    ends = {axis: [0, float(value)] for axis, value in zip("xyz", np.asarray(tip), strict=False)}
    kind = go.Scatter3d if "z" in ends else go.Scatter
    style = {"line": {"color": colour, "width": width}, "marker": {"size": [0, size], "color": colour, **head}}
    return kind(**ends, mode="lines+markers", **style, **_hovering(hover))


def segments(*points: ArrayLike) -> NDArray[np.float64]:
    """The coordinates of k lines as one trace has them, (d, ...): each through its point of every array (d, k), then a gap."""
    through = np.stack(np.broadcast_arrays(*points, np.nan), axis=-1)
    return through.reshape(len(through), -1)


def circle(radius: float = 1, width: float = 1.5, **more: Any) -> go.Scatter:
    """A grey circle around the origin."""
    return line(radius * np.cos(_ANGLES), radius * np.sin(_ANGLES), FAINT, width, **more)


def colour_key(scale: str, low: float, high: float, title: str, **bar: Any) -> go.Scatter:
    """An invisible point that carries the colour bar of a scale from ``low`` to ``high``."""
    return dots([None], [None], {"color": [low], **colour_scale(scale, low, high, title, **bar)})


def _hovering(template: str) -> dict[str, str]:
    return {"hovertemplate": template} if template else {"hoverinfo": "skip"}
