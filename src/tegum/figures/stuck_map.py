"""How often training got stuck, over density and importance: one panel for each kind of start."""

from collections.abc import Mapping

import plotly.graph_objects as go
import xarray as xr
from plotly.subplots import make_subplots

from tegum.figures.theme import styled


def stuck_panels(panels: Mapping[str, xr.DataArray], across: str = "importance_ratio") -> go.Figure:
    """Shares from 0 to 1 as colours, density falling from 1 at the top.

    Args:
        panels: title to shares, dims (density, ``across``); NaN where there was no such start.
        across: the dimension of the horizontal axis, logarithmic.
    """
    figure = make_subplots(cols=len(panels), subplot_titles=list(panels), horizontal_spacing=0.09)
    for column, share in enumerate(panels.values(), start=1):
        figure.add_trace(
            go.Heatmap(
                x=share[across].values,
                y=share["density"].values,
                z=100 * share.transpose("density", across).values,
                coloraxis="coloraxis",
                hovertemplate="importance %{x:.3g}<br>density %{y:.3g}<br>%{z:.0f} % stuck<extra></extra>",
            ),
            row=1,
            col=column,
        )
    figure.update_xaxes(
        type="log",
        tickvals=[0.1, 0.3, 1, 3, 10],
        ticktext=["0.1×", "0.3×", "1×", "3×", "10×"],
        title={"text": "relative importance", "standoff": 8},
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(type="log", tickvals=[1, 0.3, 0.1, 0.03, 0.01], showgrid=False, zeroline=False)
    figure.update_yaxes(title={"text": "feature density 1 − S", "standoff": 12}, col=1)
    figure.update_layout(
        coloraxis={
            "colorscale": "Cividis",
            "cmin": 0,
            "cmax": 100,
            "colorbar": {"title": {"text": "stuck, %", "side": "right"}, "thickness": 12},
        }
    )
    return styled(figure, height=400).update_layout(margin={"l": 75})
