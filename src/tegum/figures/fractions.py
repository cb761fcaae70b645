"""Feature dimensionality against the fractions of known shapes.

Every feature is a dot; lines stand at the D_i of regular shapes (an antiprism's at that of the tight frame, 3/8).
Source: the scatter of section 4 of `Toy Models of Superposition`.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tegum.figures.theme import FAINT, INK, styled

FRACTIONS = {
    1.0: "1  dedicated",
    3 / 4: "3/4  tetrahedron",
    2 / 3: "2/3  triangle",
    1 / 2: "1/2  digon",
    2 / 5: "2/5  pentagon",
    3 / 8: "3/8  square antiprism",
    0.0: "0  not learned",
}
_COLOURS = ("#222222", "#66ccee", "#228833", "#ee6677", "#4477aa", "#aa3377", "#888888")
_SPREAD = 0.3


def fraction_scatter(
    places: Sequence[float],
    D: Sequence[NDArray[np.floating]],
    x_title: str,
    labels: Sequence[str] = (),
    line: Sequence[float] | None = None,
    line_name: str = "",
    log: bool = False,
    height: int = 460,
) -> go.Figure:
    """A column of dots at each place.

    Args:
        places: where each column stands, ascending.
        D: the dimensionalities in each column.
        x_title: what the places are.
        labels: a text above each column.
        line: a curve over the places, drawn below the dots.
        line_name: its name in the legend.
        log: whether the axis of places is logarithmic.
        height: of the picture, pixels.
    """
    x = np.log10(places) if log else np.asarray(places, float)
    step = np.diff(x).min(initial=np.inf) if len(x) > 1 else 1.0
    figure = go.Figure()
    if line is not None:
        figure.add_trace(
            go.Scatter(x=list(places), y=list(line), mode="lines", line={"color": FAINT, "width": 5}, name=line_name)
        )
    for (value, name), colour in zip(FRACTIONS.items(), _COLOURS, strict=True):
        figure.add_hline(y=value, line={"color": colour, "width": 1.2}, opacity=0.8)
        font = {"color": colour, "size": 13}
        nudge = {3 / 8: -9, 2 / 5: 9, 2 / 3: -7, 3 / 4: 7}.get(value, 0)
        figure.add_annotation(
            text=name, x=1.01, xref="paper", y=value, xanchor="left", showarrow=False, yshift=nudge, font=font
        )
    dots_x = np.concatenate([centre + _spread(len(column)) * step for centre, column in zip(x, D, strict=True)])
    few = max(len(column) for column in D)
    figure.add_trace(
        go.Scatter(
            x=10**dots_x if log else dots_x,
            y=np.concatenate(list(D)),
            mode="markers",
            marker={"size": 4 if few > 20 else 8, "color": INK, "opacity": 0.55},
            name="a feature",
            hovertemplate="D %{y:.4f}<extra></extra>",
        )
    )
    for place, text in zip(places, labels, strict=False):
        figure.add_annotation(
            text=text,
            x=np.log10(place) if log else place,
            y=1.04,
            textangle=-35,
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
        )
    figure.update_xaxes(title=x_title, type="log" if log else "linear", showgrid=False, zeroline=False)
    figure.update_yaxes(title="feature dimensionality D<sub>i</sub>", range=[-0.03, 1.06], showgrid=False, zeroline=False)
    figure.update_layout(showlegend=line is not None, legend={"x": 0.99, "xanchor": "right", "y": 0.97})
    styled(figure, height=height)
    figure.update_layout(margin={"r": 165, "t": 130 if labels else 40})
    return figure


def _spread(count: int) -> NDArray[np.float64]:
    """Positions side by side that look random and are the same each time: multiples of the golden ratio."""
    return np.asarray(_SPREAD * (2 * ((np.arange(count) * 0.6180339887) % 1) - 1)) if count > 1 else np.zeros(count)
