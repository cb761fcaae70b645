"""How fast a method converges: relative error against effort, both logarithmic, for several methods and kinds of cases.

A line is the median over cases, a dotted one the worst case, drawn over the median and the largest effort.  Errors below the
rounding of a float64 are drawn there.

>>> dims, labels = ("kind", "curve", "case", "effort"), {"kind": ["all"], "curve": ["ours"]}
>>> error = xr.DataArray([[[[1e-2, 1e-4], [1e-3, 1e-5]]]], labels, dims)
>>> figure = error_curves(xr.Dataset({"error": error, "terms": 0 * error + [8, 16]}))
>>> [(trace.name, trace.y.round(5).tolist()) for trace in figure.data]
[('ours, median', [0.0055, 6e-05]), ('ours, worst', [0.01, 0.0001])]
"""

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tegum.errors import InvalidInputError
from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, legend_row, styled
from tegum.figures.traces import line

_FLOOR = 1e-16
_COLOURS = ("#c2500a", "#1f5fa8", "#3a7d34", "#7b4ba0")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def error_curves(data: xr.Dataset) -> go.Figure:
    """Median and worst error of each method, one panel for each kind of cases.

    Args:
        data: ``error`` (kind, curve, case, effort), NaN where a method was not tried, and ``terms``, what it
            spent; the labels of ``kind`` and ``curve`` become titles and legend.

    Raises:
        InvalidInputError: where the dimensions are others, or there are more methods than colours.
    """
    dims = ("kind", "curve", "case", "effort")
    for variable in (data["error"], data["terms"]):
        if set(variable.dims) != set(dims):
            raise InvalidInputError(f"{variable.name} has dimensions {dict(variable.sizes)}", f"give {', '.join(dims)}")
    if data.sizes["curve"] > len(_COLOURS):
        raise InvalidInputError(f"there are {data.sizes['curve']} methods", f"compare at most {len(_COLOURS)}")
    errors, terms = (data[name].transpose(*dims).values for name in ("error", "terms"))
    panels = Panels.titled(map(str, data["kind"].values), shared_yaxes=True, horizontal_spacing=0.03)
    for kind, panel in enumerate(panels):
        for method, colour, error, spent in zip(data["curve"].values, _COLOURS, errors[kind], terms[kind], strict=False):
            tried = ~np.isnan(error).all(axis=0)
            if tried.any():
                panel.add(*_curves(spent[:, tried], error[:, tried], method, colour))
    least, most = np.nanmin(terms), np.nanmax(terms)
    panels.x_axis("terms of the sum", 8, type="log", range=[np.log10(least) - 0.08, np.log10(most) + 0.08])
    panels.x_axis(tickvals=[2**k for k in range(1, 20, 2)])
    decades = np.arange(-16, 1, 2)
    labels = ["10" + str(k).translate(_SUPERSCRIPTS) for k in decades]
    panels.y_axis(type="log", range=[-15.7, -1.6], tickvals=[10.0**k for k in decades], ticktext=labels)
    panels.at(column=1).y_axis("relative error of the loss", 8)
    panels.axes(showgrid=True, gridcolor="#ececec", zeroline=False, showline=True, linecolor=FAINT, mirror=True, ticks="")
    panels.figure.update_annotations(font={"size": 15, "color": INK})
    legend = legend_row(-0.2, centred=True, itemwidth=40)
    return styled(panels.figure, 420, legend=legend, margin={"l": 75, "b": 95, "t": 45})


def _curves(terms: np.ndarray, errors: np.ndarray, method: str, colour: str) -> list[go.Scatter]:
    """The median and the worst case of one method over the median and the largest effort, where the effort grows."""
    drawn = []
    for name, summary, mode, dash in (
        (f"{method}, median", np.nanmedian, "lines+markers", "solid"),
        (f"{method}, worst", np.nanmax, "lines", "dot"),
    ):
        x, y = summary(terms, axis=0), np.maximum(summary(errors, axis=0), _FLOOR)
        last = np.append(np.diff(x) > 0, True)
        curve = line(x[last], y[last], colour, 2, dash, f"{name}<br>%{{x}} terms<br>error %{{y:.1e}}", name=name)
        drawn.append(curve.update(mode=mode, marker={"color": colour, "size": 6}, legendgroup=name))
    return drawn
