"""Feature dimensionality against the fractions of known shapes.

Every feature is a dot; lines stand at the D_i of regular shapes (an antiprism's at that of the tight frame, 3/8).
Source: the scatter of section 4 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tegum.figures.shapes import SHAPE_COLOURS
from tegum.figures.theme import FAINT, INK, log_ticks, styled

FRACTIONS = {
    1.0: "1  dedicated",
    3 / 4: "3/4  tetrahedron",
    2 / 3: "2/3  triangle",
    1 / 2: "1/2  digon",
    2 / 5: "2/5  pentagon",
    3 / 8: "3/8  square antiprism",
    0.0: "0  not learned",
}
_SPREAD = 0.3
_MANY = 3000
"""More dots than this are painted by the graphics card."""


def fraction_scatter(
    places: Sequence[float],
    D: Sequence[NDArray[np.floating]],
    x_title: str,
    labels: Sequence[str] = (),
    line: Sequence[float] | None = None,
    line_name: str = "",
    log: bool = False,
    marks: Mapping[str, float] | None = None,
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
        marks: dotted lines across, by the text above them.
        height: of the picture, pixels.
    """
    x = np.log10(places) if log else np.asarray(places, float)
    step = np.diff(x).min(initial=np.inf) if len(x) > 1 else 1.0
    figure = go.Figure()
    if line is not None:
        figure.add_trace(
            go.Scatter(x=list(places), y=list(line), mode="lines", line={"color": FAINT, "width": 5}, name=line_name)
        )
    for value, name in FRACTIONS.items():
        colour = _colour(name)
        figure.add_hline(y=value, line={"color": colour, "width": 1.2}, opacity=0.8)
        font = {"color": colour, "size": 13}
        nudge = {3 / 8: -9, 2 / 5: 9, 2 / 3: -7, 3 / 4: 7}.get(value, 0)
        figure.add_annotation(
            text=name, x=1.01, xref="paper", y=value, xanchor="left", showarrow=False, yshift=nudge, font=font
        )
    dots_x = np.concatenate([centre + _spread(len(column)) * step for centre, column in zip(x, D, strict=True)])
    few = max(len(column) for column in D)
    kind = go.Scattergl if len(dots_x) > _MANY else go.Scatter
    figure.add_trace(
        kind(
            x=10**dots_x if log else dots_x,
            y=np.round(np.concatenate(list(D)), 5),
            mode="markers",
            marker={"size": 3 if len(dots_x) > _MANY else 4 if few > 20 else 8, "color": INK, "opacity": 0.55},
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
    for text, place in (marks or {}).items():
        figure.add_vline(x=place, line={"color": INK, "width": 1, "dash": "dot"})
        height_above = {"y": 1.06, "yanchor": "bottom", "showarrow": False, "font": {"size": 12}}
        figure.add_annotation(text=text, x=np.log10(place) if log else place, **height_above)
    title = {"text": x_title, "standoff": 8}
    figure.update_xaxes(title=title, type="log" if log else "linear", showgrid=False, zeroline=False)
    if log:
        figure.update_xaxes(**log_ticks(min(places), max(places)), showline=True, linecolor=FAINT, ticks="outside")
    title = {"text": "feature dimensionality D<sub>i</sub>", "standoff": 8}
    figure.update_yaxes(title=title, range=[-0.03, 1.06], showgrid=False, zeroline=False)
    figure.update_layout(showlegend=line is not None, legend={"orientation": "h", "x": 0, "y": -0.17, "itemsizing": "constant"})
    styled(figure, height=height)
    figure.update_layout(margin={"l": 65, "r": 165, "t": 130 if labels else 40, "b": 80 if line is not None else 45})
    return figure


def _colour(label: str) -> str:
    """The colour of the shape that a line's label ends with."""
    grey = "#888888"
    return next((colour for shape, colour in SHAPE_COLOURS.items() if label.endswith(shape) and shape != "not learned"), grey)


def _spread(count: int) -> NDArray[np.float64]:
    """Positions side by side that look random and are the same each time: multiples of the golden ratio."""
    return np.asarray(_SPREAD * (2 * ((np.arange(count) * 0.6180339887) % 1) - 1)) if count > 1 else np.zeros(count)
