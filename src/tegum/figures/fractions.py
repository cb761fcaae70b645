"""Which shapes features form: their dimensionality against the fractions of known shapes, and the shares of the shapes.

In `fraction_scatter` every feature is a dot; lines stand at the D_i of regular shapes (an antiprism's at that of the tight
frame, 3/8).  `shape_shares` is ours; it counts these dots by shape.

>>> figure = fraction_scatter([0.1, 0.2], [np.array([0.5, 0.5]), np.array([0.4])], "density")
>>> figure.data[0].x.round(3).tolist(), figure.data[0].y.tolist()
([0.07, 0.107, 0.2], [0.5, 0.5, 0.4])
>>> names = np.array([["triangle", "triangle", "triangle"], ["digon", "digon", "not learned"]])
>>> figure = shape_shares([1.0, 2.8], {"exact": names}, "1 / (1 - S)")
>>> {trace.name: trace.y.tolist() for trace in figure.data}
{'triangle': [1.0, 0.0], 'digon': [0.0, 0.6667], 'not learned': [0.0, 0.3333]}

Source: the scatter of section 4 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import checked, misfit
from tegum.errors import InvalidInputError
from tegum.figures.models import Chosen, Models, drawn_models
from tegum.figures.panels import Panels
from tegum.figures.theme import (
    FAINT,
    INK,
    OUTSIDE,
    PLAIN,
    SHAPE_COLOURS,
    category,
    kind_of,
    legend_below,
    log_range,
    log_ticks,
    styled,
)
from tegum.figures.traces import line
from tegum.geometry import dimensionality, identify

FRACTIONS = {
    "dedicated": ("1", 0),
    "tetrahedron": ("3/4", 7),
    "triangle": ("2/3", -7),
    "digon": ("1/2", 0),
    "pentagon": ("2/5", 9),
    "square antiprism": ("3/8", -9),
    "not learned": ("0", 0),
}
"""Shape to its D_i, and how many pixels its name is shifted upwards so that names do not touch."""

_MOST_COLUMNS = 40
_BINS = 48
"""Bins are centred on k / 48, where 1/2, 2/3, 3/8 and 3/4 are, and nearly 2/5: rounding moves no shape to another bin."""
_SPREAD = 0.3
_MANY = 1000
"""More dots than this are painted by the graphics card."""


@takes_arrays
def fraction_scatter(
    places: Sequence[float] | Models,
    D: Sequence[Float[np.ndarray, " features"]] | None = None,
    x_title: str = "",
    labels: Sequence[str] = (),
    line: Sequence[float] | None = None,
    line_name: str = "",
    log: bool = False,
    marks: Mapping[str, float] | None = None,
    height: int = 460,
) -> go.Figure:
    """A column of dots, dimensionalities ``D``, at each of the rising ``places``; ``height`` is in pixels.

    ``labels`` stand above the columns, ``line`` is a curve over the places beneath the dots, and ``marks`` are places of dotted
    lines by the text above them.  In place of the three, models: title to W, or a dataset, of which a column is drawn for each
    position of an axis, or for each model.
    """
    if D is None:
        said, rising, columns, axis, titles, rises = _columns_of(places)
        return said.noted(fraction_scatter(rising, columns, axis, titles, log=rises, height=height))
    places = _given(places)
    if not len(places) == len(D) == len(places if line is None else line) > 0:
        raise InvalidInputError(f"there are {len(places)} places and {len(D)} columns", "give as many of each, and of the line")
    x = np.log10(places) if log else np.asarray(places, float)
    step = float(np.diff(x).min()) if len(x) > 1 else 1.0
    chart = Panels(go.Figure())
    if line is not None:
        chart.add(go.Scatter(x=list(places), y=list(line), mode="lines", line={"color": FAINT, "width": 5}, name=line_name))
    for shape, (fraction, shift) in FRACTIONS.items():
        value, colour = float(Fraction(fraction)), SHAPE_COLOURS[shape] if shape != "not learned" else "#888888"
        chart.figure.add_hline(y=value, line={"color": colour, "width": 1.2}, opacity=0.8)
        beside = {"x": 1.01, "xref": "paper", "xanchor": "left", "yshift": shift}
        sign = f'<span style="color:{colour}">▬</span>'
        chart.note(f"{sign} {fraction}  {shape}", y=value, font={"size": 13}, **beside)
    dots_x = np.concatenate([centre + _spread(len(column)) * step for centre, column in zip(x, D, strict=True)])
    many, few = len(dots_x) > _MANY, max(len(column) for column in D) <= 20
    look = {"size": 3 if many else 8 if few else 4, "color": INK, "opacity": 0.55}
    features = {"mode": "markers", "marker": look, "name": "a feature", "hovertemplate": "D %{y:.4f}"}
    kind = go.Scattergl if many else go.Scatter
    chart.add(kind(x=10**dots_x if log else dots_x, y=np.round(np.concatenate(list(D)), 5), **features))
    for place, text in zip(x, labels, strict=False):
        chart.note(text, x=place, y=1.04, textangle=-35, xanchor="left", yanchor="bottom")
    for text, place in (marks or {}).items():
        chart.figure.add_vline(x=place, line={"color": INK, "width": 1, "dash": "dot"})
        chart.note(text, x=np.log10(place) if log else place, y=1.06, yanchor="bottom", textangle=-90, font={"size": 12})
    air = max(0.6 * step, 0.03 * float(np.ptp(x)))
    chart.x_axis(x_title, 8, type="log" if log else "linear", range=[float(x.min()) - air, float(x.max()) + air], **PLAIN)
    if log:
        chart.x_axis(**log_ticks(min(places), max(places)), **OUTSIDE)
    chart.y_axis("feature dimensionality D<sub>i</sub>", 8, range=[-0.03, 1.06], **PLAIN)
    margin = {"l": 65, "r": 180, "t": 130 if labels else 65 if marks else 40}
    legend = legend_below(itemsizing="constant")
    return styled(chart.figure, height, showlegend=line is not None, legend=legend, margin=margin)


@checked
def dimensionality_histogram(models: Models) -> go.Figure:
    """How many features have which D_i, of the models drawn of a dataset, with the fractions of known shapes marked."""
    chosen = drawn_models(models)
    chart, counts = Panels(go.Figure()), np.zeros(_BINS + 1, int)
    edges = (np.arange(_BINS + 2) - 0.5) / _BINS
    for k, (title, W) in enumerate(chosen.weights.items()):
        here = np.histogram(np.clip(dimensionality(W), 0, 1), edges)[0]
        counts += here
        bars = go.Bar(x=(edges[1:] + edges[:-1]) / 2, y=here, width=1 / _BINS, name=title or "features")
        hover = f"{title}<br>D about %{{x:.2f}}: %{{y}} features"
        chart.add(bars.update(marker={"color": category(k), "line": {"width": 0}}, hovertemplate=hover))
    top = float(counts.max())
    for shape, (fraction, _) in FRACTIONS.items():
        place, colour = float(Fraction(fraction)), SHAPE_COLOURS[shape] if shape != "not learned" else "#888888"
        chart.figure.add_vline(x=place, line={"color": colour, "width": 1.2, "dash": "dot"})
        text = {"font": {"size": 12, "color": colour}, "textangle": -40, "xanchor": "left", "yanchor": "bottom"}
        chart.note(f"{fraction} {shape}", x=place, y=1.01, yref="paper", **text)
    chart.x_axis("feature dimensionality D<sub>i</sub>", 8, range=[-0.03, 1.08], **PLAIN, **OUTSIDE)
    chart.y_axis("features", 8, range=[0, 1.05 * max(top, 1)], tickformat="d", **({"dtick": 1} if top < 6 else {}))
    chart.y_axis(zeroline=False, gridcolor="#eeeeee")
    legend = legend_below()
    margin = {"t": 120, "l": 65}
    figure = styled(chart.figure, 430, barmode="stack", bargap=0, legend=legend, margin=margin)
    return chosen.noted(figure.update_layout(showlegend=len(chosen.models) > 1))


@takes_arrays
def shape_shares(
    places: Sequence[float] | xr.Dataset, names: Mapping[str, NDArray[np.str_]] | None = None, x_title: str = ""
) -> go.Figure:
    """What share of the features forms which shape: areas stacked over a logarithmic axis, one panel for each way.

    Shapes are coloured and ordered as in `SHAPE_COLOURS`.  A model stands at each of the rising ``places``; ``names`` has, by
    title, the shape of every feature as `tegum.geometry.identify` gives them, (places, features).  In place of the three, a
    dataset of models along one axis of numbers above 0.
    """
    if names is None:
        said, rising, found, x_title = _shapes_of(places)
        return said.noted(shape_shares(rising, found, x_title))
    places = _given(places)
    for title, shapes in names.items():
        if shapes.ndim != 2 or len(shapes) != len(places):
            raise InvalidInputError(f"names of {title!r} have shape {shapes.shape}", f"give ({len(places)}, features)")
    panels = Panels.titled(names, shared_yaxes=True, horizontal_spacing=0.04)
    for panel, shapes in zip(panels, names.values(), strict=True):
        kinds = np.vectorize(kind_of, otypes=[object])(shapes)
        for rank, (kind, colour) in enumerate(SHAPE_COLOURS.items()):
            share = (kinds == kind).mean(axis=1)
            if share.any():
                area = line(list(places), np.round(share, 4), colour, 0.5, hover=f"{kind}: %{{y:.0%}}", name=kind)
                panel.add(area.update(stackgroup="features", fillcolor=colour, legendgroup=kind, legendrank=rank))
    panels.x_axis(x_title, 8, type="log", range=log_range(places), showgrid=False)
    panels.x_axis(**log_ticks(min(places), max(places)), **OUTSIDE)
    panels.y_axis(range=[0, 1], tickformat=".0%", **PLAIN)
    panels.at(column=1).y_axis("share of the features", 8)
    panels.figure.update_annotations(font={"size": 14, "color": INK})
    legend = legend_below(centred=True, traceorder="normal")
    return styled(panels.figure, 430, legend=legend, margin={"l": 65, "t": 45})


def _given(places: Any) -> Sequence[float]:
    """Places that are given as numbers."""
    if problem := misfit("places", places, Sequence[float]):
        raise InvalidInputError([problem])
    return cast("Sequence[float]", places)


def _columns_of(models: Any) -> tuple[Chosen, list[float], list[NDArray[np.float64]], str, list[str], bool]:
    """The models drawn of a dataset with their places and D_i: along an axis of numbers that rise, else side by side."""
    chosen = drawn_models(models, _MOST_COLUMNS)
    axis, places = _places_of(chosen)
    D = [dimensionality(W) for W in chosen.weights.values()]
    if places is None:
        return chosen, list(range(len(D))), D, "model", [title for title in chosen.models if title], False
    order = np.argsort(places)
    log = bool(places.min() > 0) and len(places) > 1
    return chosen, places[order].tolist(), [D[k] for k in order], axis.replace("_", " "), [], log


def _shapes_of(models: Any) -> tuple[Chosen, list[float], dict[str, NDArray[np.str_]], str]:
    """The models drawn of a dataset, their places along its axis, and the shape of every feature."""
    chosen = drawn_models(models, _MOST_COLUMNS)
    axis, places = _places_of(chosen)
    if places is None or len(places) < 2 or places.min() <= 0:
        advice = "give models along one axis of different numbers above 0, such as a sweep over density"
        raise InvalidInputError(f"shape_shares got the models {', '.join(map(repr, list(chosen.models)[:5]))}", advice)
    order = np.argsort(places)
    found = np.array([identify(W, rows=False).names for W in chosen.weights.values()])[order]
    return chosen, places[order].tolist(), {"": found}, axis.replace("_", " ")


def _places_of(chosen: Chosen) -> tuple[str, NDArray[np.float64] | None]:
    """The one axis of different numbers along which the models stand, and their places; None where there is none."""
    models = list(chosen.models.values())
    for axis in {str(name): None for model in models for name in model.coords if not model[name].ndim}:
        values = [model[axis].values for model in models if axis in model.coords]
        numeric = len(values) == len(models) and all(value.dtype.kind in "iuf" for value in values)
        if axis != "seed" and numeric and len({float(value) for value in values}) == len(values) > 1:
            return axis, np.array(values, dtype=np.float64)
    return "", None


def _spread(count: int) -> NDArray[np.float64]:
    """Positions side by side that look random and are the same each time: multiples of the golden ratio."""
    return np.asarray(_SPREAD * (2 * ((np.arange(count) * 0.6180339887) % 1) - 1)) if count > 1 else np.zeros(count)
