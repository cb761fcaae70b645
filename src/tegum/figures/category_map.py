"""Which of several answers holds where: maps with one colour for each answer, over importance and density.

Density falls from 1 at the top, as in the paper; the legend names every colour, and cells name their own on hovering.  On maps
finer than 150 cells a side only every few cells do, each for the point that it states: a name in each of 600 x 600 cells would
weigh 9 MB.

Example: `category_panels({"theory": best}, {"extra ignored": "#ddd", "extra in a pair": "#d44"})`.

Source: the theoretical phase diagrams of section 3 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.figures.theme import CATEGORIES, INK, styled

_SYMBOLS = ("circle-open", "x-thin-open", "diamond-open")
_NAMED = 150
"""At most so many cells a side say their names."""


@final
@dataclass(frozen=True, eq=False)
class Marks:
    """Points drawn over a map, and what each says on hovering."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    texts: list[str]


def colours_of(names: list[str]) -> dict[str, str]:
    """A colour for each name, in their order; used again after ten."""
    return {name: CATEGORIES[k % len(CATEGORIES)] for k, name in enumerate(names)}


def category_panels(
    panels: Mapping[str, xr.DataArray],
    colours: Mapping[str, str],
    marks: Mapping[str, Marks] | None = None,
    across: str = "importance_ratio",
    label: str = "relative importance",
) -> go.Figure:
    """Maps of names side by side, with one legend.

    Args:
        panels: title to names, dims (density, ``across``), both axes positive and shown logarithmically.
        colours: name to colour, in the legend's order.
        marks: name to points (``across``, density), drawn over every panel, each kind with its symbol.
        across: the dimension of the horizontal axis.
        label: what that axis is called.

    Raises:
        KeyError: for a name without a colour.
    """
    figure = make_subplots(cols=len(panels), subplot_titles=list(panels), horizontal_spacing=0.09)
    order = list(colours)
    place = {name: k for k, name in enumerate(order)}
    used: set[str] = set()
    for column, data in enumerate(panels.values(), start=1):
        names = data.transpose("density", across).values
        used |= set(names.ravel())
        x, y = data[across].values, data["density"].values
        figure.add_trace(
            go.Heatmap(
                x=x,
                y=y,
                z=np.vectorize(place.__getitem__, otypes=[np.uint8])(names),
                hoverinfo="skip",
                zmin=-0.5,
                zmax=len(order) - 0.5,
                colorscale=_steps(list(colours.values())),
                showscale=False,
            ),
            row=1,
            col=column,
        )
        figure.add_trace(_said(x, y, names, label), row=1, col=column)
        for symbol, (name, points) in zip(_SYMBOLS, (marks or {}).items(), strict=False):
            figure.add_trace(_drawn(name, points, symbol, first=column == 1), row=1, col=column)
        figure.update_xaxes(range=_span(x), col=column)
        figure.update_yaxes(range=_span(y), col=column)
    for name in order:
        if name in used:
            figure.add_trace(_key(name, colours[name]), row=1, col=1)
    ticks = [0.1, 0.3, 1, 3, 10]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}×" for tick in ticks])
    figure.update_xaxes(title={"text": label, "standoff": 8}, showgrid=False, zeroline=False)
    figure.update_yaxes(type="log", tickvals=[1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001], showgrid=False, zeroline=False)
    figure.update_yaxes(title={"text": "feature density 1 − S", "standoff": 10}, col=1)
    rows = (len(used) + len(marks or {}) + 2) // 3
    styled(figure, height=470 + 22 * rows)
    figure.update_layout(
        legend={"orientation": "h", "y": -0.2, "x": 0, "yanchor": "top"}, margin={"l": 75, "r": 30, "b": 60 + 22 * rows}
    )
    return figure


def _steps(colours: list[str]) -> list[list[Any]]:
    """A colour scale of single steps."""
    count = len(colours)
    return [[edge / count, colour] for k, colour in enumerate(colours) for edge in (k, k + 1)]


def _said(x: NDArray[np.float64], y: NDArray[np.float64], names: NDArray[np.str_], label: str) -> go.Heatmap:
    """What cells say on hovering, and nothing in the picture."""
    down, right = (slice(None, None, -(-count // _NAMED)) for count in names.shape)
    return go.Heatmap(
        x=x[right],
        y=y[down],
        z=np.zeros(names[down, right].shape, dtype=np.uint8),
        text=names[down, right],
        hovertemplate=f"{label} %{{x:.3g}}<br>density %{{y:.3g}}<br>%{{text}}<extra></extra>",
        opacity=0,
        showscale=False,
    )


def _span(values: NDArray[np.float64]) -> list[float]:
    """The range of a logarithmic axis from its lowest to its highest value, lowest first."""
    return [float(value) for value in np.log10([values.min(), values.max()])]


def _key(name: str, colour: str) -> go.Scatter:
    """A coloured square in the legend, and nothing in the picture."""
    marker = {"symbol": "square", "size": 12, "color": colour, "line": {"color": INK, "width": 0.5}}
    return go.Scatter(x=[None], y=[None], mode="markers", name=name, marker=marker)


def _drawn(name: str, points: Marks, symbol: str, first: bool) -> go.Scatter:
    return go.Scatter(
        x=points.x,
        y=points.y,
        mode="markers",
        name=name,
        legendgroup=name,
        showlegend=first,
        text=points.texts,
        hovertemplate="%{text}<extra></extra>",
        marker={"symbol": symbol, "size": 5, "color": INK, "line": {"width": 1.2, "color": INK}},
    )
