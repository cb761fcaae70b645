"""Loss surfaces of two weights, with their minima, side by side.

>>> w = np.array([-1.0, 0.0, 1.0])
>>> loss = xr.DataArray((w[:, None] - w) ** 2, {"w1": w, "w2": w}, ["w1", "w2"])
>>> figure = surface_panels({"(w1 - w2)^2": loss}, {"(w1 - w2)^2": np.array([[1.0, 1.0, 0.0]])})
>>> figure.data[1].x.tolist(), figure.data[1].marker.symbol
([1.0, -1.0], ('star', 'star'))
"""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.errors import InvalidInputError
from tegum.figures.models import panels_of
from tegum.figures.panels import Panels
from tegum.figures.theme import INK, PLAIN, styled
from tegum.figures.traces import dots


@takes_arrays
def surface_panels(panels: Mapping[str, xr.DataArray], minima: Mapping[str, NDArray[np.float64]]) -> go.Figure:
    """Contours of losses, title to dims (w1, w2); a filled star marks the lowest minimum, open circles the others.

    Losses are the same at (-w1, -w2), so that ``minima`` has one of each pair of mirror images: title to rows (w1, w2, loss).
    """
    panels = panels_of("surface_panels", panels, "losses", "w1", "w2")
    for title in panels:
        if title not in minima or minima[title].ndim != 2 or minima[title].shape[1] != 3:
            raise InvalidInputError(f"minima has no rows (w1, w2, loss) for {title!r}", "give some by each title")
    drawn = Panels.titled(panels, horizontal_spacing=0.06)
    for panel, (title, loss) in zip(drawn, panels.items(), strict=True):
        values = loss.transpose("w2", "w1").values
        low, high = float(values.min()), float(np.quantile(values, 0.6))
        levels = {"start": low, "end": high, "size": (high - low) / 18}
        thin = {"width": 0.5, "color": "rgba(255,255,255,0.5)"}
        hover, look = "w1 %{x:.3f}, w2 %{y:.3f}<br>loss %{z:.5f}", {"colorscale": "Cividis", "reversescale": True}
        at = {"x": loss["w1"].values, "y": loss["w2"].values, "z": values}
        panel.add(go.Contour(**at, contours=levels, line=thin, showscale=False, hovertemplate=hover, **look))
        panel.add(_marks(np.concatenate([minima[title], minima[title] * [-1, -1, 1]])))
        panel.same_units()
    drawn.axes(constrain="domain", tickvals=[-1, 0, 1], **PLAIN)
    drawn.x_axis("w₁", 4)
    drawn.at(column=1).y_axis("w₂")
    return styled(drawn.figure, 400)


def _marks(points: NDArray[np.float64]) -> go.Scatter:
    x, y, loss = points.T
    lowest = loss <= loss.min() + 1e-12
    marker = {"size": 13, "line": {"width": 1.5, "color": INK}}
    marker |= {"symbol": np.where(lowest, "star", "circle-open").tolist(), "color": np.where(lowest, "#ffffff", INK).tolist()}
    hover = "minimum: w1 %{x:.4f}, w2 %{y:.4f}<br>loss %{customdata:.6f}"
    return dots(x, y, marker, hover, customdata=loss, showlegend=False)
