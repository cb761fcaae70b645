"""Models with two hidden dimensions as arrows, the members of a set in one colour, panels side by side in rows.

Members of a set that lie on each other are told apart by their heads: the first is filled, the others are larger and hollow.
Grey circles have given radii: 1 for a feature with a direction of its own, 1/sqrt(2) for a pair that shares one.

Source: the pictures of correlated features in section 5 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.errors import InvalidInputError
from tegum.figures.theme import CATEGORIES, FAINT, styled

_ANGLES = np.linspace(0, 2 * np.pi, 121)
_PANEL = 210


def set_arrows(
    models: Mapping[str, NDArray[np.floating]], set_size: int, radii: Sequence[float] = (1.0,), columns: int = 5
) -> go.Figure:
    """One panel for each model.

    Args:
        models: title to W (2, n), in the order of the panels; nothing is turned here.
        set_size: features in each set.
        radii: of the grey circles.
        columns: panels in a row.

    Raises:
        InvalidInputError: where a W has other than two hidden dimensions.
    """
    for title, W in models.items():
        if W.shape[0] != 2:
            raise InvalidInputError(f"W of {title!r} has shape {W.shape}", "draw models with 2 hidden dimensions")
    columns = min(columns, len(models))
    rows = -(-len(models) // columns)
    figure = make_subplots(
        rows, columns, subplot_titles=list(models), horizontal_spacing=0.02, vertical_spacing=0.24 / rows if rows > 1 else 0
    )
    reach = 1.1 * max(*radii, *(float(np.linalg.norm(W, axis=0).max()) for W in models.values()))
    for k, W in enumerate(models.values()):
        place = {"row": k // columns + 1, "col": k % columns + 1}
        for radius in radii:
            figure.add_trace(_circle(radius), **place)
        for i in range(W.shape[1]):
            figure.add_trace(_arrow(W[:, i].astype(np.float64), i, set_size, legend=k == 0), **place)
        figure.update_yaxes(scaleanchor=f"x{k + 1 if k else ''}", **place)
    figure.update_xaxes(range=[-reach, reach], constrain="domain", visible=False)
    figure.update_yaxes(range=[-reach, reach], constrain="domain", visible=False)
    figure.update_annotations(font={"size": 13})
    styled(figure, height=110 + _PANEL * rows)
    figure.update_layout(legend={"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0.5, "xanchor": "center"})
    return figure.update_layout(margin={"l": 10, "r": 10, "t": 50, "b": 40})


def _circle(radius: float) -> go.Scatter:
    return go.Scatter(
        x=radius * np.cos(_ANGLES),
        y=radius * np.sin(_ANGLES),
        mode="lines",
        line={"color": FAINT, "width": 1.2},
        hoverinfo="skip",
        showlegend=False,
    )


def _arrow(direction: NDArray[np.float64], i: int, set_size: int, legend: bool) -> go.Scatter:
    which, member = divmod(i, set_size)
    colour = CATEGORIES[which % len(CATEGORIES)]
    norm, angle = float(np.hypot(*direction)), float(np.degrees(np.arctan2(direction[1], direction[0]))) % 360
    return go.Scatter(
        x=[0, direction[0]],
        y=[0, direction[1]],
        mode="lines+markers",
        line={"color": colour, "width": 2.5},
        marker={
            "symbol": ["circle", "circle-open" if member else "circle"],
            "size": [0, 14 if member else 8],
            "opacity": 1,
            "color": colour,
            "line": {"width": 2, "color": colour},
        },
        name=f"set {which + 1}",
        legendgroup=f"set {which + 1}",
        showlegend=legend and member == 0,
        hovertemplate=f"set {which + 1}, feature {i}<br>norm {norm:.3f}<br>angle {angle:.1f}°<extra></extra>",
    )
