"""Loss surfaces of two weights, with their minima, side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.figures.theme import INK, styled


def surface_panels(panels: Mapping[str, xr.DataArray], minima: Mapping[str, NDArray[np.float64]]) -> go.Figure:
    """Contours of a loss over (w1, w2); a filled star marks the lowest minimum, open circles the others.

    Args:
        panels: title to losses, dims (w1, w2).
        minima: title to rows (w1, w2, loss), lowest first.
    """
    figure = make_subplots(cols=len(panels), subplot_titles=list(panels), horizontal_spacing=0.06)
    for column, (title, loss) in enumerate(panels.items(), start=1):
        values = loss.transpose("w2", "w1").values
        low = float(values.min())
        high = float(np.quantile(values, 0.6))
        figure.add_trace(
            go.Contour(
                x=loss["w1"].values,
                y=loss["w2"].values,
                z=values,
                contours={"start": low, "end": high, "size": (high - low) / 18},
                colorscale="Cividis",
                reversescale=True,
                showscale=False,
                line={"width": 0.5, "color": "rgba(255,255,255,0.5)"},
                hovertemplate="w1 %{x:.3f}, w2 %{y:.3f}<br>loss %{z:.5f}<extra></extra>",
            ),
            row=1,
            col=column,
        )
        points = minima[title]
        figure.add_trace(_marks(np.concatenate([points, points * [-1, -1, 1]])), row=1, col=column)
        figure.update_yaxes(scaleanchor=f"x{column if column > 1 else ''}", constrain="domain", col=column)
    figure.update_xaxes(
        title={"text": "w₁", "standoff": 4}, constrain="domain", showgrid=False, zeroline=False, tickvals=[-1, 0, 1]
    )
    figure.update_yaxes(showgrid=False, zeroline=False, tickvals=[-1, 0, 1])
    figure.update_yaxes(title="w₂", col=1)
    return styled(figure, height=400)


def _marks(points: NDArray[np.float64]) -> go.Scatter:
    lowest = points[:, 2] <= points[:, 2].min() + 1e-12
    style: dict[str, Any] = {"size": 13, "line": {"width": 1.5, "color": INK}}
    return go.Scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        marker=style
        | {
            "symbol": ["star" if best else "circle-open" for best in lowest],
            "color": ["#ffffff" if best else INK for best in lowest],
        },
        customdata=points[:, 2],
        hovertemplate="minimum: w1 %{x:.4f}, w2 %{y:.4f}<br>loss %{customdata:.6f}<extra></extra>",
        showlegend=False,
    )
