"""Two features in one dimension as maps: which geometry is the lowest where, drawn into every cell, and the surface it ends at.

A glyph is the dimension itself: a bar to the right as long as the weight of the first feature, and one for the second to the
right or to the left, by its sign.

>>> grid = {"penalty": [0.0], "density": [0.1, 0.5], "importance_ratio": [0.5, 1.0]}
>>> W = xr.DataArray(np.ones((1, 2, 2, 2)) * [1, -1], grid | {"feature": [0, 1]}, [*grid, "feature"])
>>> names = xr.DataArray(np.full((1, 2, 2), "pair", dtype=object), grid, list(grid))
>>> figure = pair_panels(xr.Dataset({"W": W, "geometry": names}), {"pair": "#dd8888"})
>>> [trace.name for trace in figure.data if trace.name]
['pair', 'feature 1', 'feature 2']
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.figures.models import needed
from tegum.figures.panels import Panels
from tegum.figures.theme import INK, PLAIN, legend_below, stepped, styled
from tegum.figures.traces import dots, line, segments

_GRID = ("density", "importance_ratio")
_COLUMNS, _MOST_GLYPHS = 4, 10
_FIRST, _SECOND = "#111111", "#0b6fc2"


@checked
def pair_panels(data: xr.Dataset, colours: Mapping[str, str], label: str = "λ") -> go.Figure:
    """A map for each penalty: colour and glyph of the lowest minimum over importance (across) and density (upwards).

    The data have ``W`` (penalty, density, importance_ratio, feature) and ``geometry``, the names that have colours; cells are
    drawn side by side, whatever the spacing of their values.
    """
    needed("pair_panels", data, ("geometry",), W=("penalty", *_GRID, "feature"))
    drawn = Panels.titled(
        [f"{label} = {value:g}" for value in data["penalty"].values],
        min(_COLUMNS, data.sizes["penalty"]),
        horizontal_spacing=0.02,
        vertical_spacing=0.1,
        shared_xaxes=True,
        shared_yaxes=True,
    )
    place = {name: k for k, name in enumerate(colours)}
    look = {"zmin": -0.5, "zmax": len(colours) - 0.5, "colorscale": stepped(list(colours.values())), "showscale": False}
    names = data["geometry"].transpose("penalty", *_GRID).values
    W = data["W"].transpose("penalty", *_GRID, "feature").values
    rows, columns = (np.arange(0, size, -(-size // _MOST_GLYPHS)) for size in names.shape[1:])
    p, ratio = (data[axis].values for axis in _GRID)
    for panel, named, weights in zip(drawn, names, W, strict=True):
        codes = np.vectorize(place.__getitem__, otypes=[np.uint8])(named)
        said = np.stack([named, *np.round(np.moveaxis(weights, -1, 0), 4), *np.meshgrid(ratio, p)], axis=-1)
        hover = "%{customdata[0]}<br>W = (%{customdata[1]}, %{customdata[2]})<br>I %{customdata[3]:.4g}, p %{customdata[4]:.4g}"
        panel.add(go.Heatmap(z=codes, customdata=said, hovertemplate=hover, **look))
        panel.add(*_glyphs(weights[np.ix_(rows, columns)], rows, columns))
        panel.x_axis(tickvals=columns[::2], ticktext=[f"{ratio[k]:.3g}" for k in columns[::2]], **PLAIN)
        panel.y_axis(tickvals=rows, ticktext=[f"{p[k]:.2g}" for k in rows], **PLAIN)
    drawn.at(row=-(-data.sizes["penalty"] // _COLUMNS)).x_axis("importance I", 6)
    drawn.at(column=1).y_axis("density p", 12)
    used = set(names.ravel())
    square = {"symbol": "square", "size": 12, "line": {"color": INK, "width": 0.5}}
    for name, colour in colours.items():
        if name in used:
            drawn.at(1, 1).add(dots([None], [None], square | {"color": colour}, name=name))
    for name, colour in (("feature 1", _FIRST), ("feature 2", _SECOND)):
        drawn.at(1, 1).add(line([np.nan], [np.nan], colour, 4, name=name))
    rows_of_panels = -(-data.sizes["penalty"] // _COLUMNS)
    return styled(drawn.figure, 60 + 290 * rows_of_panels + 90, legend=legend_below(), margin={"l": 75, "t": 40})


def _glyphs(weights: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> list[go.Scatter]:
    """Bars (row, column, feature) from the middle of each cell, the first feature's above the second's."""
    scale = 0.36 * (columns[1] - columns[0] if len(columns) > 1 else 1)
    lift = 0.1 * (rows[1] - rows[0] if len(rows) > 1 else 1)
    x, y = np.meshgrid(columns.astype(float), rows.astype(float))
    strongest = np.take_along_axis(weights, np.abs(weights).argmax(axis=-1)[..., None], axis=-1)
    signs = np.where(strongest < 0, -1, 1)
    traces: list[go.Scatter] = [dots(x.ravel(), y.ravel(), {"size": 3, "color": INK}, showlegend=False)]
    for feature, colour in enumerate((_FIRST, _SECOND)):
        length = scale * (weights * signs)[..., feature]
        height = y + (lift if feature == 0 else -lift)
        ends = segments([x.ravel(), height.ravel()], [(x + length).ravel(), height.ravel()])
        traces.append(line(ends[0], ends[1], colour, 3, showlegend=False))
    return traces


@checked
def limit_panels(limit: xr.DataArray, scale: xr.DataArray, fades: xr.DataArray, titles: tuple[str, str]) -> go.Figure:
    """Contours of a surface (density, importance_ratio), and of its share of ``scale``; a dotted line bounds where it fades."""
    drawn = Panels.titled(titles, horizontal_spacing=0.12)
    ratio, p = limit["importance_ratio"].values, limit["density"].values
    share = (limit / scale).transpose(*_GRID).values
    where = fades.transpose(*_GRID).values.astype(float)
    for panel, values, size in zip(drawn, (limit.transpose(*_GRID).values, share), (0.005, 0.1), strict=True):
        levels: dict[str, Any] = {"start": 0, "end": float(np.nanmax(values)), "size": size, "showlabels": True}
        look = {"line": {"color": "rgba(255,255,255,0.75)", "width": 1}, "colorscale": "Cividis", "showscale": False}
        hover = "I %{x:.4g}, p %{y:.4g}<br>%{z:.8f}"
        panel.add(go.Contour(x=ratio, y=p, z=values, contours=levels, hovertemplate=hover, **look))
        edge: dict[str, Any] = {"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"}
        dotted = {"color": "#ffffff", "width": 2.5, "dash": "dot"}
        panel.add(go.Contour(x=ratio, y=p, z=where, contours=edge, line=dotted, showscale=False, hoverinfo="skip"))
    drawn.axes(**PLAIN)
    drawn.x_axis("importance I of the second feature", 8)
    drawn.at(column=1).y_axis("density p = 1 − S", 8)
    return styled(drawn.figure, 470, margin={"l": 65, "b": 55}, showlegend=False)
