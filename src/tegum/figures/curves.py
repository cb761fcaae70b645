"""Curves of one quantity, such as the losses of several solutions against density, on one pair of axes.

>>> loss = xr.DataArray([0.3, 0.1], {"density": [1.0, 0.1]}, ["density"])
>>> figure = curve_panel({"pair": loss}, "density", "expected loss")
>>> figure.data[0].name, figure.data[0].x.tolist(), figure.data[0].y.tolist()
('pair', [1.0, 0.1], [0.3, 0.1])

Source: the comparison of solutions in section 3 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, category, dash, legend_row, log_ticks, styled
from tegum.figures.traces import dots, line

_FEW = 20
"""Curves through at most so many points show them."""


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
    chart = Panels(go.Figure())
    hover = f"<br>{x_label} %{{x:.3g}}<br>{y_label} %{{y:.5g}}"
    for k, (name, data) in enumerate(curves.items()):
        curve = line(data[data.dims[0]].values, data.values, category(k), 2.5, dash(k), name + hover, name=name)
        chart.add(curve.update(mode="lines+markers") if data.size <= _FEW else curve)
    ring = {"symbol": "circle-open", "size": 9, "color": INK, "line": {"width": 1.5}}
    for name, data in (points or {}).items():
        chart.add(dots(data[data.dims[0]].values, data.values, ring, name + hover, name))
    chart.axes(gridcolor=FAINT, zeroline=False)
    chart.x_axis(x_label, 8, type="log" if log_x else "linear")
    chart.y_axis(y_label, 10)
    if log_x:
        every = np.concatenate([data[data.dims[0]].values for data in curves.values()])
        chart.x_axis(dtick=1, **log_ticks(float(every.min()), float(every.max())))
    return styled(chart.figure, 460, legend=legend_row(-0.2), margin={"l": 75, "t": 30})
