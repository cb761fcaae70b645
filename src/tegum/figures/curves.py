"""Curves on shared axes: of one quantity for several solutions, of adversarial vulnerability, of errors against effort.

>>> loss = xr.DataArray([0.3, 0.1], {"density": [1.0, 0.1]}, ["density"])
>>> figure = curve_panel({"pair": loss}, "density", "expected loss")
>>> figure.data[0].name, figure.data[0].x.tolist(), figure.data[0].y.tolist()
('pair', [1.0, 0.1], [0.3, 0.1])

Source: `Toy Models of Superposition`, the comparison of solutions in section 3 and the vulnerability of section 7.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked, require_axes
from tegum.errors import InvalidInputError
from tegum.figures.models import clock_of, drawn_models, needed, parameter_of
from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, category, dash, legend_below, log_range, log_ticks, styled
from tegum.figures.traces import dots, line

_FEW, _MOST_OTHERS = 20, 20
"""Curves through at most so many points show them."""

_FLOOR = 1e-16
_METHODS = ("#c2500a", "#1f5fa8", "#3a7d34", "#7b4ba0")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@checked
def curve_panel(
    curves: Mapping[str, xr.DataArray],
    x_label: str,
    y_label: str,
    log_x: bool = False,
    points: Mapping[str, xr.DataArray] | None = None,
) -> go.Figure:
    """Curves, name to values over one dimension, whose coordinate is the horizontal axis; colour and dash tell them apart.

    Likewise ``points``, such as printed values to compare with, are drawn as open circles without a line.

    Raises:
        InvalidInputError: for values over other than one dimension.
    """
    _require_curves("curve_panel", curves)
    if points:
        _require_curves("curve_panel", points)
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
    return styled(chart.figure, 460, legend=legend_below(), margin={"l": 75, "t": 30})


def _require_curves(figure: str, curves: Mapping[str, xr.DataArray]) -> None:
    """Raises an `InvalidInputError` unless these are names and values over one dimension with labels."""
    advice = "give {name: values over one axis}; tegum.figures.loss_curves draws the losses of a training"
    if isinstance(curves, xr.Dataset) or not curves:
        raise InvalidInputError(f"{figure} got {'a dataset' if isinstance(curves, xr.Dataset) else 'no curves'}", advice)
    for name, values in curves.items():
        if values.ndim != 1:
            along = ", ".join(map(str, values.dims)) or "nothing"
            raise InvalidInputError(f"{figure} got values along {along} for {name!r}", advice)
        require_axes(name, values, values.dims)


@checked
def loss_curves(data: xr.Dataset, exact: Mapping[str, xr.DataArray] | None = None) -> go.Figure:
    """How the loss fell: of each grid point drawn the best start in colour, others grey; along the steps, or a flow's time.

    Losses on a fixed training set, where they were recorded, are dashed.  Exact losses (step) by the title of the model, as
    `tegum.figures.drawn_models` gives it, are drawn as diamonds.

    Raises:
        InvalidInputError: where no loss was recorded on the way.
    """
    name = "loss_history" if "loss_history" in data else "loss"
    clock = clock_of(data, name)
    if clock is None:
        advice = "train with Recipe(record_steps=40), or give a flow"
        raise InvalidInputError("loss_curves got no losses along steps or time", advice)
    chart = Panels(go.Figure())
    grey: dict[str, Any] = {"showlegend": False, "opacity": 0.35}
    chosen = drawn_models(data, name=parameter_of(data)) if name == "loss_history" else None
    own = {"": data} if chosen is None else chosen.models
    hover = f"<br>{clock} %{{x:,.4g}}<br>loss %{{y:.5g}}"
    for place in () if chosen is None else (chosen.places[title] for title in own):
        for losses in _others(data[name].isel(place), clock):
            chart.add(line(data[clock].values, losses, "#b5b5b5", 1, hover="another start" + hover, **grey))
    for k, (title, model) in enumerate(own.items()):
        shown = title or "loss"
        chart.add(line(model[clock].values, model[name].values, category(k), 2.5, hover=shown + hover, name=shown))
        if "training_loss_history" in model:
            on_set, name_of_set = model["training_loss_history"].values, f"{shown}, on its training set"
            chart.add(line(model[clock].values, on_set, category(k), 1.5, "dash", name_of_set + hover, name=name_of_set))
        look = {"symbol": "diamond", "size": 8, "color": category(k), "line": {"color": INK, "width": 1}}
        if exact and title in exact:
            points, name_of_points = exact[title], f"{shown}, exact loss"
            chart.add(dots(points[clock].values, points.values, look, name_of_points + hover, name_of_points))
    drawn = [model[one].values.ravel() for model in own.values() for one in (name, "training_loss_history") if one in model]
    known = np.concatenate(drawn)
    known = known[np.isfinite(known)]
    positive = bool(known.size and (known > 0).all())
    chart.axes(gridcolor="#eeeeee", zeroline=False)
    chart.x_axis(
        {"step": "optimizer step"}.get(clock, clock.replace("_", " ")), 8, type="log" if clock in ("step", "time") else "linear"
    )
    chart.y_axis("loss", 10, type="log" if positive else "linear")
    if positive:
        chart.y_axis(**log_ticks(float(known.min()), float(known.max())))
    figure = styled(chart.figure, 430, legend=legend_below(), margin={"l": 75, "t": 30})
    return figure if chosen is None else chosen.noted(figure)


def _others(losses: xr.DataArray, clock: str) -> NDArray[np.float64]:
    """The losses of starts along an axis that is left, (starts, clock), at most twenty; none where no axis is left."""
    if losses.ndim == 1:
        return np.zeros((0, losses.size))
    return losses.transpose(..., clock).values.reshape(-1, losses.sizes[clock])[:_MOST_OTHERS]


@checked
def vulnerability_panels(ratios: Mapping[str, xr.DataArray], per_dimension: xr.DataArray) -> go.Figure:
    """Vulnerability against 1 / (1 - S), one curve for each way to measure it, with features per dimension beneath.

    Right: the first of these ways against features per dimension, ||W||_F^2 / m, a point for each ``density``.
    """
    _require_curves("vulnerability_panels", ratios)
    for name, values in [*ratios.items(), ("per_dimension", per_dimension)]:
        require_axes(name, values, ("density",))
    if not (per_dimension["density"] > 0).all():
        raise InvalidInputError("a density is 0", "give densities above 0")
    panels = Panels.beside(column_widths=[0.56, 0.44], horizontal_spacing=0.13, vertical_spacing=0.06, shared_xaxes=True)
    above, below, right = panels.at(1, 1), panels.at(2, 1), panels.at(1, 2)
    inverse, packed = 1 / per_dimension["density"].values, per_dimension.values
    for k, (name, ratio) in enumerate(ratios.items()):
        hover = f"{name}<br>1 / density %{{x:.3g}}<br>vulnerability %{{y:.3f}}"
        above.add(line(inverse, ratio.values, category(k), 1.5 if k else 2.5, dash(k), hover, name=name))
    hover = "1 / density %{x:.3g}<br>features per dimension %{y:.3f}"
    below.add(line(inverse, packed, INK, 2.5, hover=hover, showlegend=False))
    ticks = np.arange(np.floor(np.log10(inverse.min())), np.ceil(np.log10(inverse.max())) + 0.5)
    bar = {"title": {"text": "1 / (1 − S)", "side": "right", "font": {"size": 14}}, "thickness": 12}
    bar |= {"tickvals": ticks.tolist(), "ticktext": [f"{10**tick:g}" for tick in ticks]}
    hover = "features per dimension %{x:.3f}<br>vulnerability %{y:.3f}"
    look = {"size": 8, "color": np.log10(inverse), "colorscale": "Viridis", "colorbar": bar}
    right.add(dots(packed, next(iter(ratios.values())).values, look, hover, showlegend=False))
    panels.axes(zeroline=False, gridcolor=FAINT)
    panels.at(column=1).x_axis(type="log", dtick=1)
    below.x_axis("1 / (1 − S), the inverse of density", 6)
    right.x_axis("features per dimension ‖W‖² / m", 6)
    below.y_axis("features per dimension")
    above.y_axis("vulnerability")
    right.y_axis("vulnerability")
    return styled(panels.figure, 560, legend=legend_below(), margin={"t": 30, "l": 65})


@checked
def error_curves(data: xr.Dataset) -> go.Figure:
    """How fast methods converge: relative error against effort, both logarithmic, one panel for each kind of cases.

    A line is the median over cases, a dotted one the worst case, drawn over the median and the largest effort.  Errors below
    the rounding of a float64 are drawn there.

    Args:
        data: ``error`` (kind, curve, case, effort), NaN where a method was not tried, and ``terms``, what it
            spent; the labels of ``kind`` and ``curve`` become titles and legend.

    Raises:
        InvalidInputError: where the dimensions are others, or there are more methods than colours.
    """
    dims = ("kind", "curve", "case", "effort")
    needed("error_curves", data, error=dims, terms=dims)
    if data.sizes["curve"] > len(_METHODS):
        raise InvalidInputError(f"there are {data.sizes['curve']} methods", f"compare at most {len(_METHODS)}")
    errors, terms = (data[name].transpose(*dims).values for name in ("error", "terms"))
    panels = Panels.titled(map(str, data["kind"].values), shared_yaxes=True, horizontal_spacing=0.03)
    for kind, panel in enumerate(panels):
        for method, colour, error, spent in zip(data["curve"].values, _METHODS, errors[kind], terms[kind], strict=False):
            tried = ~np.isnan(error).all(axis=0)
            if tried.any():
                panel.add(*_curves(spent[:, tried], error[:, tried], method, colour))
    spent = terms[~np.isnan(terms)]
    panels.x_axis("terms of the sum", 8, type="log", range=log_range(spent, 0.08), tickvals=[2**k for k in range(1, 20, 2)])
    low, high = _decades_of(np.concatenate([np.zeros(0), *(trace.y for trace in panels.figure.data)]))
    decades = np.arange(-16, max(0, int(np.ceil(high))) + 1, 2)
    labels = ["10" + str(k).translate(_SUPERSCRIPTS) for k in decades]
    panels.y_axis(type="log", range=[low, high], tickvals=[10.0**k for k in decades], ticktext=labels)
    panels.at(column=1).y_axis("relative error of the loss", 8)
    panels.axes(showgrid=True, gridcolor="#ececec", zeroline=False, showline=True, linecolor=FAINT, mirror=True, ticks="")
    panels.figure.update_annotations(font={"size": 15, "color": INK})
    legend = legend_below(centred=True, itemwidth=40)
    return styled(panels.figure, 420, legend=legend, margin={"l": 75, "t": 45})


def _decades_of(errors: NDArray[np.float64]) -> tuple[float, float]:
    """The ends of an axis of errors, as powers of ten: those of good methods, or as far as errors go."""
    finite = errors[np.isfinite(errors)]
    low, high = np.log10([finite.min(initial=1), finite.max(initial=_FLOOR)])
    return min(-15.7, low - 0.1), max(-1.6, high + 0.1)


def _curves(terms: NDArray[np.float64], errors: NDArray[np.float64], method: str, colour: str) -> list[go.Scatter]:
    """The median and the worst case of one method over the median and the largest effort, where the effort grows."""
    drawn = []
    for name, summary, mode, pattern in (
        (f"{method}, median", np.nanmedian, "lines+markers", "solid"),
        (f"{method}, worst", np.nanmax, "lines", "dot"),
    ):
        x, y = summary(terms, axis=0), np.maximum(summary(errors, axis=0), _FLOOR)
        last = np.append(np.diff(x) > 0, True)
        curve = line(x[last], y[last], colour, 2, pattern, f"{name}<br>%{{x}} terms<br>error %{{y:.1e}}", name=name)
        drawn.append(curve.update(mode=mode, marker={"color": colour, "size": 6}, legendgroup=name))
    return drawn
