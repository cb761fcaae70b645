"""How fast a method converges: relative error against effort, both logarithmic, for several methods and kinds of cases.

A line is the median over cases, a dotted one the worst case, drawn over the median and the largest effort.  Errors below the
rounding of a float64 are drawn there.
"""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.errors import InvalidInputError
from tegum.figures.theme import FAINT, INK, styled

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
    error, terms = data["error"], data["terms"]
    dims = ("kind", "curve", "case", "effort")
    for variable in (error, terms):
        if set(variable.dims) != set(dims):
            raise InvalidInputError(f"{variable.name} has dimensions {dict(variable.sizes)}", f"give {', '.join(dims)}")
    if error.sizes["curve"] > len(_COLOURS):
        raise InvalidInputError(f"there are {error.sizes['curve']} methods", f"compare at most {len(_COLOURS)}")
    kinds = [str(kind) for kind in data["kind"].values]
    methods = [str(method) for method in data["curve"].values]
    figure = make_subplots(cols=len(kinds), subplot_titles=kinds, shared_yaxes=True, horizontal_spacing=0.03)
    named: set[str] = set()
    for column in range(len(kinds)):
        for row, method in enumerate(methods):
            errors = error.isel(kind=column, curve=row).transpose("case", "effort").values
            tried = ~np.isnan(errors).all(axis=0)
            if not tried.any():
                continue
            spent = terms.isel(kind=column, curve=row).transpose("case", "effort").values
            for statistic, summary in (("median", np.nanmedian), ("worst", np.nanmax)):
                height = np.maximum(summary(errors[:, tried], axis=0), _FLOOR)
                place = summary(spent[:, tried], axis=0)
                last = np.append(np.diff(place) > 0, True)
                trace = _curve(place[last], height[last], method, statistic, _COLOURS[row])
                trace.showlegend = trace.name not in named
                named.add(trace.name)
                figure.add_trace(trace, row=1, col=column + 1)
    least, most = float(np.nanmin(terms)), float(np.nanmax(terms))
    figure.update_xaxes(
        type="log",
        range=[np.log10(least) - 0.08, np.log10(most) + 0.08],
        tickvals=[2**k for k in range(1, 20, 2)],
        title={"text": "terms of the sum", "standoff": 8},
    )
    decades = np.arange(-16, 1, 2)
    figure.update_yaxes(
        type="log",
        range=[-15.7, -1.6],
        tickvals=[10.0**k for k in decades],
        ticktext=["10" + str(k).translate(_SUPERSCRIPTS) for k in decades],
    )
    figure.update_yaxes(title={"text": "relative error of the loss", "standoff": 8}, col=1)
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(showgrid=True, gridcolor="#ececec", zeroline=False, showline=True, linecolor=FAINT, mirror=True, ticks="")
    figure.update_annotations(font={"size": 15, "color": INK})
    styled(figure, height=420)
    figure.update_layout(
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.2, "yanchor": "top", "itemwidth": 40},
        margin={"l": 75, "b": 95, "t": 45},
    )
    return figure


def _curve(terms: NDArray[Any], errors: NDArray[np.float64], method: str, statistic: str, colour: str) -> go.Scatter:
    worst = statistic == "worst"
    return go.Scatter(
        x=terms,
        y=errors,
        mode="lines" if worst else "lines+markers",
        line={"color": colour, "width": 2, "dash": "dot" if worst else "solid"},
        marker={"color": colour, "size": 6},
        name=f"{method}, {statistic}",
        hovertemplate=f"{method}, {statistic}<br>%{{x}} terms<br>error %{{y:.1e}}<extra></extra>",
    )
