"""Curves of one quantity, such as the losses of several solutions against density, on one pair of axes.

Example: `curve_panel({"pair": losses}, "density", "expected loss")` with losses a DataArray over density.

Source: the comparison of solutions in section 3 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tegum.figures.theme import CATEGORIES, FAINT, INK, log_ticks, styled

_FEW = 20
_DASHES = ("solid", "dash", "dot", "dashdot")


def curve_panel(
    curves: Mapping[str, xr.DataArray],
    x_label: str,
    y_label: str,
    log_x: bool = False,
    points: Mapping[str, xr.DataArray] | None = None,
) -> go.Figure:
    """Curves on shared axes; colour and dash tell them apart.

    Args:
        curves: name to values over one dimension, whose coordinate is the horizontal axis.
        x_label: what that axis is called, with its unit.
        y_label: what the vertical axis is called.
        log_x: whether the horizontal axis is logarithmic.
        points: likewise, drawn as open circles without a line, such as printed values to compare with.
    """
    figure = go.Figure()
    every = np.concatenate([data[data.dims[0]].values for data in curves.values()])
    for k, (name, data) in enumerate(curves.items()):
        figure.add_trace(
            go.Scatter(
                x=data[data.dims[0]].values,
                y=data.values,
                mode="lines+markers" if data.size <= _FEW else "lines",
                name=name,
                line={"color": CATEGORIES[k % len(CATEGORIES)], "dash": _DASHES[k % len(_DASHES)], "width": 2.5},
                hovertemplate=f"{name}<br>{x_label} %{{x:.3g}}<br>{y_label} %{{y:.5g}}<extra></extra>",
            )
        )
    for name, data in (points or {}).items():
        figure.add_trace(
            go.Scatter(
                x=data[data.dims[0]].values,
                y=data.values,
                mode="markers",
                name=name,
                marker={"symbol": "circle-open", "size": 9, "color": INK, "line": {"width": 1.5}},
                hovertemplate=f"{name}<br>{x_label} %{{x:.3g}}<br>{y_label} %{{y:.5g}}<extra></extra>",
            )
        )
    figure.update_xaxes(
        title={"text": x_label, "standoff": 8},
        type="log" if log_x else "linear",
        dtick=1 if log_x else None,
        gridcolor=FAINT,
        zeroline=False,
    )
    if log_x:
        figure.update_xaxes(**log_ticks(float(every.min()), float(every.max())))
    figure.update_yaxes(title={"text": y_label, "standoff": 10}, gridcolor=FAINT, zeroline=False)
    figure.update_layout(legend={"orientation": "h", "y": -0.2, "x": 0})
    styled(figure, height=460)
    figure.update_layout(margin={"l": 75, "r": 20, "t": 30})
    return figure
