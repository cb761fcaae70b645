"""What share of the features forms which shape, stacked, over the sparsity of the world.

    shape_shares([1.0, 2.8], {"exact": names}, "1 / (1 - S)")       # names (places, features), as `identify` gives them

Shapes are coloured and ordered as in `tegum.figures.shapes`; what is left up to 100 % is not learned.

Source: ours; it counts the dots of the scatter in section 4 of `Toy Models of Superposition` by shape.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.figures.shapes import SHAPE_COLOURS, kind_of
from tegum.figures.theme import FAINT, INK, log_ticks, styled


def shape_shares(places: Sequence[float], names: dict[str, NDArray[np.str_]], x_title: str) -> go.Figure:
    """Stacked areas over a logarithmic axis, one panel for each way.

    Args:
        places: where each model stands, ascending.
        names: title to the shape of every feature, shape (places, features).
        x_title: what the places are.
    """
    figure = make_subplots(1, len(names), subplot_titles=list(names), shared_yaxes=True, horizontal_spacing=0.04)
    seen: set[str] = set()
    for column, shapes in enumerate(names.values(), start=1):
        kinds = np.vectorize(kind_of, otypes=[object])(shapes)
        for rank, (kind, colour) in enumerate(SHAPE_COLOURS.items()):
            share = (kinds == kind).mean(axis=1)
            if not share.any():
                continue
            trace = go.Scatter(
                x=list(places),
                y=np.round(share, 4),
                stackgroup="features",
                mode="lines",
                line={"width": 0.5, "color": colour},
                fillcolor=colour,
                name=kind,
                legendgroup=kind,
                legendrank=rank,
                showlegend=kind not in seen,
                hovertemplate=f"{kind}: %{{y:.0%}}<extra></extra>",
            )
            figure.add_trace(trace, row=1, col=column)
            seen.add(kind)
    low, high = float(min(places)), float(max(places))
    figure.update_xaxes(type="log", **log_ticks(low, high), range=[np.log10(low), np.log10(high)], showgrid=False)
    figure.update_xaxes(title={"text": x_title, "standoff": 8}, showline=True, linecolor=FAINT, ticks="outside")
    figure.update_yaxes(range=[0, 1], tickformat=".0%", showgrid=False, zeroline=False)
    figure.update_yaxes(title={"text": "share of the features", "standoff": 8}, col=1)
    figure.update_annotations(font={"size": 14, "color": INK})
    styled(figure, height=430)
    legend = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.22, "yanchor": "top", "traceorder": "normal"}
    return figure.update_layout(legend=legend, margin={"l": 65, "t": 45, "b": 110})
