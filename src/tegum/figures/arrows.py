"""Features as arrows: the columns of W for models with one, two or three hidden dimensions, panels side by side.

Features are coloured by importance (viridis, yellow most important) or by the set that they belong to; many models laid over
each other by a value, in a scale (cividis) that colour-blind readers see alike.  Grey circles have radius 1, or those given.

>>> figure = set_arrows({"a collapsed pair": np.array([[1, 1, 0], [0, 0, 1]])}, set_size=2)
>>> [trace.name for trace in figure.data if trace.showlegend]
['set 0', 'set 1']

Source: `Toy Models of Superposition`, the figure of the introduction; in section 5 the pictures of correlated features and the
perturbation of one feature.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from tegum.checking import checked, numbers, require_axes
from tegum.errors import InvalidInputError, Problems
from tegum.features import AnticorrelatedSets, CorrelatedSets
from tegum.figures.models import MOST, Chosen, Models, carry, drawn_models, lead_of, needed
from tegum.figures.panels import Panels
from tegum.figures.theme import IMPORTANCE, INK, PLAIN, category, legend_below, styled
from tegum.figures.traces import arrow, circle, colour_key, line, segments
from tegum.geometry import aligned, polar_angles
from tegum.recorded import features_of, said_net

_VALUES = "Cividis"
_PANEL = 210
_EQUAL = "#4477aa"
"""The colour of features of equal importance."""

_AIR = 1.2
"""How much wider than the longest feature a panel is: its head is drawn around the tip."""

_NOT_TURNED = ("ReluHidden", "AbsoluteValue", "UntiedNeurons")
"""Nets whose hidden axes mean something."""

_FEW, _MOST_COLOURS = 24, 16
"""Of more features than this those of one colour are drawn together, in so many colours."""


@checked
def arrow_panels(models: Models, along: str | None = None, turn: bool | None = None) -> go.Figure:
    """Models side by side, each feature an arrow: on a line, in the plane or in space, for 1, 2 or 3 hidden dimensions.

    Any models that `tegum.figures.drawn_models` chooses from, or with ``along`` one model for each position along a dimension.
    Colours are those of ``feature_importance``, where features differ in it.  With ``turn`` feature 0 points to the right and
    the next off its line upwards: by default, unless the dataset is of a net whose hidden layer has a nonlinearity.

    Raises:
        InvalidInputError: for models of other sizes, and where W has other dimensions than ``along``.
    """
    if along is not None:
        W = models["W"] if isinstance(models, xr.Dataset) and "W" in models else xr.DataArray(0.0)
        if set(W.dims) != {along, "hidden", "feature"}:
            advice = f"give a dataset with one model for each {along}, or leave `along` out"
            raise InvalidInputError(f"W has dimensions {dict(W.sizes)}", advice)
        most = W.sizes[along]
    chosen = drawn_models(models, MOST if along is None else most)
    m = _common_dimensions(chosen)
    if turn is None:
        turn = not any(said_net(model).startswith(_NOT_TURNED) for model in chosen.models.values())
    weights = np.stack(list(chosen.weights.values()))
    importance = np.stack([_importance(model) for model in chosen.models.values()])
    low, high = float(importance.min()), float(importance.max())
    titles = [_sparsity(title) for title in chosen.titles]
    columns = min(len(titles), 3 if m == 3 else len(titles))
    kinds: dict[str, Any] = {"specs": [[{"type": "scene"}] * columns] * -(-len(titles) // columns)} if m == 3 else {}
    panels = Panels.titled(titles, columns, horizontal_spacing=0.035, **kinds)
    reach = 1.1 * max(1.05, float(np.linalg.norm(weights, axis=1).max()))
    for panel, W, weight in zip(panels, aligned(weights) if turn else weights, importance, strict=True):
        place = (weight - low) / (high - low) if high > low else None
        colours = [_EQUAL] * len(weight) if place is None else sample_colorscale(IMPORTANCE, place)
        words = [f"feature {i}<br>importance {one:.3g}" for i, one in enumerate(weight)]
        _DRAWN[m](panel, W, colours, words, np.argsort(weight, kind="stable"))
    if high > low:
        key = colour_key(IMPORTANCE, low, high, "importance", len=0.8)
        panels.figure.add_trace(key if m < 3 else key.update(showlegend=False))
    if m == 2:
        _hidden_axes(panels, reach)
    elif m == 1:
        panels.x_axis("hidden 0", 8, range=[-reach, reach], **PLAIN)
        panels.y_axis(autorange="reversed", tick0=0, dtick=max(1, weights.shape[2] // 10), **PLAIN)
        panels.at(column=1).y_axis("feature", 6)
    else:
        panels.figure.update_scenes(_space(reach))
        panels.axes(visible=False)
    rows = -(-len(titles) // columns)
    height = 330 + chosen.head if m < 3 else 60 + 360 * rows
    return chosen.noted(styled(panels.figure, height, showlegend=False, margin={"t": chosen.head}))


def _common_dimensions(chosen: Chosen) -> int:
    """How many hidden dimensions the models have: from 1 to 3, and features of one number."""
    shapes = {W.shape for W in chosen.weights.values()}
    if len(shapes) > 1:
        raise InvalidInputError(f"W has shapes {', '.join(map(str, sorted(shapes)))}", "draw models of one size")
    m = int(next(iter(shapes))[0])
    if m not in _DRAWN:
        advice = "arrows are drawn in 1 to 3; strips, gram_panels and network_panels draw any model"
        raise InvalidInputError(f"W has {m} hidden dimensions", advice)
    return m


def _importance(model: xr.Dataset) -> NDArray[np.float64]:
    """The importance of every feature of one model; 1 where it is not known."""
    n = model.sizes["feature"]
    own = numbers("feature_importance", model.get("feature_importance", 1.0))
    return np.broadcast_to(own.astype(np.float64), (n,)) if own.ndim < 2 else np.ones(n)


def _sparsity(title: str) -> str:
    """A title with the sparsity beneath the density, where it says one alone."""
    said = re.fullmatch(r"density (0(\.\d+)?|1(\.0+)?|\d(\.\d+)?e-\d+)", title)
    if said is None:
        return title
    return f"{title}<br>sparsity {(100 - 100 * Decimal(said[1])).normalize():f} %"


def _on_a_line(panel: Panels, W: NDArray[np.floating], colours: list[str], words: list[str], order: NDArray[np.intp]) -> None:
    """Each feature at a height of its own, so that none hides another."""
    del order
    for group, mine in _grouped(colours).items():
        x, y = segments([np.zeros(len(mine)), mine], [W[0, mine], mine])
        texts = np.repeat([f"{words[i]}<br>weight {W[0, i]:.3f}" for i in mine], 3)
        look = {"mode": "lines+markers", "marker": {"size": [0, 7, 0] * len(mine), "color": group, "line": {"width": 0}}}
        panel.add(line(x, y, group, 2.5, hover="%{text}", text=texts).update(**look))


def _in_the_plane(
    panel: Panels, W: NDArray[np.floating], colours: list[str], words: list[str], order: NDArray[np.intp]
) -> None:
    panel.add(circle())
    if W.shape[1] > _FEW:
        for group, mine in _grouped(colours).items():
            panel.add(_all_arrows(W[:, mine], group, [words[i] for i in mine]))
        return
    for i in order:
        head: dict[str, Any] = {"symbol": ["circle", "arrow"], "angleref": "previous", "line": {"color": INK, "width": 0.5}}
        size = 13 if np.hypot(*W[:, i]) > 0.05 else 6
        panel.add(_arrow(W[:, i], colours[i], 3, size, words[i], **head).update(name=f"feature {i}"))


def _in_space(panel: Panels, W: NDArray[np.floating], colours: list[str], words: list[str], order: NDArray[np.intp]) -> None:
    del order
    for group, mine in _grouped(colours).items():
        x, y, z = segments(np.zeros((3, len(mine))), W[:, mine])
        texts = np.repeat([f"{words[i]}<br>norm {np.linalg.norm(W[:, i]):.3f}" for i in mine], 3)
        marker = {"size": [0, 5, 0] * len(mine), "color": group, "line": {"width": 0}}
        look = {"line": {"color": group, "width": 5}, "marker": marker, "text": texts, "hovertemplate": "%{text}"}
        panel.add(go.Scatter3d(x=x, y=y, z=z, mode="lines+markers", showlegend=False, **look))


def _grouped(colours: list[str]) -> dict[str, NDArray[np.intp]]:
    """The features of every colour; of many colours only so many are told apart, a trace for each."""
    kinds = list(dict.fromkeys(colours))
    step = -(-len(kinds) // _MOST_COLOURS)
    shown = {colour: kinds[k // step * step] for k, colour in enumerate(kinds)}
    each = np.array([shown[colour] for colour in colours])
    return {colour: np.flatnonzero(each == colour) for colour in dict.fromkeys(each.tolist())}


def _space(reach: float) -> dict[str, Any]:
    """The three hidden dimensions, as far as the longest feature, seen from the side."""
    axes = {
        f"{axis}axis": {
            "range": [-reach, reach],
            "title": {"text": f"hidden {k}", "font": {"size": 11}},
            "tickvals": [-1, 0, 1],
            "tickfont": {"size": 10},
            "showbackground": False,
            "gridcolor": "#e4e4e4",
            "zerolinecolor": "#9a9a9a",
        }
        for k, axis in enumerate("xyz")
    }
    return {**axes, "aspectmode": "cube", "camera": {"eye": {"x": 1.6, "y": 1.6, "z": 0.95}}, "dragmode": "orbit"}


_DRAWN = {1: _on_a_line, 2: _in_the_plane, 3: _in_space}


@checked
def set_arrows(models: Models, set_size: int | None = None, radii: Sequence[float] = (1.0,), columns: int = 5) -> go.Figure:
    """One panel for each title and its W (2, n), or for models of a dataset, each set in a colour; nothing is turned.

    ``set_size`` features, neighbours, make a set; a dataset of correlated or anticorrelated sets knows how many.

    Members of a set that lie on each other are told apart by their heads: the first's is filled, the others' larger and hollow.
    The ``radii`` of the grey circles: 1 for a feature with a direction of its own, 1/sqrt(2) for a pair that shares one.

    Raises:
        InvalidInputError: where a W has other than two hidden dimensions.
    """
    with Problems() as problems:
        for name, value in (("set_size", set_size), ("columns", columns)):
            problems.check_count(name, 1 if value is None else value)
        problems.add("there are no radii", "give one at least") if not radii else None
    chosen = drawn_models(models)
    weights = chosen.weights
    for title, W in weights.items():
        if W.shape[0] != 2:
            raise InvalidInputError(f"W of {title!r} has shape {W.shape}", "draw models with 2 hidden dimensions")
    set_size = _set_size(models) if set_size is None else set_size
    columns = min(columns, len(weights))
    rows = -(-len(weights) // columns)
    panels = Panels.titled(weights, columns, horizontal_spacing=0.02, vertical_spacing=0.24 / rows)
    for panel, W in zip(panels, weights.values(), strict=True):
        for radius in radii:
            panel.add(circle(radius, 1.2, showlegend=False))
        for i, tip in enumerate(W.T.astype(np.float64)):
            which, member = divmod(i, set_size)
            name, colour = f"set {which}", category(which)
            head: dict[str, Any] = {
                "symbol": ["circle", "circle-open" if member else "circle"],
                "line": {"width": 2, "color": colour},
            }
            drawn = _arrow(tip, colour, 2.5, 14 if member else 8, f"{name}, feature {i}", **head)
            panel.add(drawn.update(name=name, legendgroup=name))
    _plane(panels, _AIR * max(*radii, *(float(np.linalg.norm(W, axis=0).max()) for W in weights.values())))
    panels.axes(visible=False)
    panels.figure.update_annotations(font={"size": 13})
    margin = {"l": 10, "r": 10, "t": 50, "b": 40}
    return chosen.noted(styled(panels.figure, 110 + _PANEL * rows, legend=legend_below(centred=True), margin=margin))


def _set_size(models: Any) -> int:
    """How many features make a set, as the dataset says."""
    said = features_of(models) if isinstance(models, xr.Dataset) and "features" in models.attrs else None
    if not isinstance(said, CorrelatedSets | AnticorrelatedSets):
        raise InvalidInputError("the models do not say how many features make a set", "say it, such as set_size=2")
    return said.set_size


@checked
def arrow_overlay(
    panels: Mapping[str, xr.DataArray | xr.Dataset] | xr.Dataset,
    label: str | None = None,
    between: tuple[float, float] | None = None,
) -> go.Figure:
    """Arrows of many solutions over each other, one panel for each title and its W (value, 2, feature), or a dataset with it.

    The colours are those of the values (above 0), which are called ``label``, on a logarithmic scale from the first to the
    second of ``between``; values outside have the colour of its end.  A dataset of models along one axis is one panel.

    Raises:
        InvalidInputError: where W has other dimensions, or values are not above 0.
    """
    given = {"": panels} if isinstance(panels, xr.Dataset) else panels
    if not given:
        raise InvalidInputError("there are no panels", "give one at least")
    models = {title: one for title, one in given.items() if isinstance(one, xr.Dataset)}
    weights = {title: _weights_in("arrow_overlay", one) for title, one in given.items()}
    values = np.concatenate([_values_of(title, W) for title, W in weights.items()])
    label = str(next(iter(weights.values())).dims[0]) if label is None else label
    between = (float(values.min()), float(values.max())) if between is None else between
    if not 0 < between[0] <= between[1] < np.inf:
        raise InvalidInputError(f"between is {between}", "give two numbers above 0, rising")
    drawn = Panels.titled(weights, horizontal_spacing=0.08)
    low, high = np.log10(between)
    high = high if high > low else low + 1
    for panel, W in zip(drawn, weights.values(), strict=True):
        each, values = W.transpose(W.dims[0], "hidden", "feature").values, W[W.dims[0]].values
        panel.add(circle())
        for value, model in zip(values, each, strict=True):
            colour = sample_colorscale(_VALUES, [float(np.clip((np.log10(value) - low) / (high - low), 0, 1))])[0]
            panel.add(_all_arrows(model, colour, [f"{label} {value:.3g}<br>feature {i}" for i in range(model.shape[1])]))
        for i, (x, y) in enumerate(each[-1].T):
            if np.hypot(x, y) > 0.1:
                panel.note(str(i), x=1.2 * x, y=1.2 * y, font={"size": 15, "color": INK})
    ticks = np.log10([k * 10.0**e for e in range(int(np.floor(low)), int(np.ceil(high)) + 1) for k in (1, 3)])
    ticks = ticks[(ticks > low - 1e-9) & (ticks < high + 1e-9)]
    labels = {"tickvals": ticks.tolist(), "ticktext": [f"{10.0**tick:.2g}" for tick in ticks]}
    drawn.at(1, len(weights)).add(colour_key(_VALUES, low, high, label, len=0.85, **labels))
    norms = [np.linalg.norm(W.values.astype(np.float64), axis=W.get_axis_num("hidden")) for W in weights.values()]
    longest = max(float(norm[np.isfinite(norm)].max(initial=0)) for norm in norms)
    _hidden_axes(drawn, max(1.45, 1.25 * longest), standoff=4)  # the number of a feature stands a little beyond its tip
    return carry(styled(drawn.figure, 430, showlegend=False), models)


def _weights_in(figure: str, panel: xr.DataArray | xr.Dataset) -> xr.DataArray:
    """W (value, hidden, feature) of a panel."""
    return needed(figure, panel, W=_along_one(panel))["W"] if isinstance(panel, xr.Dataset) else panel


def _along_one(data: xr.Dataset) -> tuple[str, ...]:
    """The axes that an overlay of this dataset's models has: one, then hidden and feature."""
    lead = lead_of(data) if "W" in data else []
    return (lead[0] if lead else "value", "hidden", "feature")


def _values_of(title: str, W: xr.DataArray) -> NDArray[np.float64]:
    """The values along the first dimension of W (value, 2, feature), all above 0."""
    if W.ndim != 3 or set(W.dims[1:]) != {"hidden", "feature"} or W.sizes["hidden"] != 2:
        raise InvalidInputError(f"W of {title!r} has dimensions {dict(W.sizes)}", "give (value, 2 hidden, feature)")
    require_axes(f"W of {title!r}", W, W.dims)
    values = W[W.dims[0]].values
    if values.dtype.kind not in "iuf" or not ((values > 0) & np.isfinite(values)).all():
        raise InvalidInputError(f"{W.dims[0]} is {values.tolist()}", "give values above 0, such as densities")
    return values.astype(np.float64)


def _arrow(tip: NDArray[np.floating], colour: str, width: float, size: float, says: str, **head: Any) -> go.Scatter:
    """One feature, which says its norm and angle after other things."""
    hover = f"{says}<br>norm {np.hypot(*tip):.3f}<br>angle {polar_angles(tip[:, None])[0]:.1f}°"
    return arrow(tip, colour, width, size, hover, opacity=1, **head)


def _all_arrows(W: NDArray[np.floating], colour: str, words: list[str]) -> go.Scatter:
    """Several features of one model: lines from the origin, with a head at each tip."""
    x, y = segments(0, W)
    norms, symbols = np.hypot(*W), ["circle", "arrow", "circle"] * W.shape[1]
    heads, texts = np.zeros(len(x)), [""] * len(x)
    heads[1::3] = np.where(norms > 0.1, 10, 5)
    texts[1::3] = [f"{said}, norm {norm:.3f}" for said, norm in zip(words, norms, strict=True)]
    marker = {"symbol": symbols, "size": heads, "angleref": "previous", "color": colour, "opacity": 1, "line": {"width": 0}}
    return line(x, y, colour, hover="%{text}", text=texts).update(mode="lines+markers", marker=marker)


def _plane(panels: Panels, reach: float) -> None:
    """Makes each panel a square of the plane around the origin."""
    panels.axes(range=[-reach, reach], constrain="domain")
    for panel in panels:
        panel.same_units()


def _hidden_axes(panels: Panels, reach: float, standoff: int | None = None) -> None:
    """Makes each panel a square of the plane of two hidden dimensions, and names them."""
    _plane(panels, reach)
    panels.axes(tickvals=[-1, 0, 1], **PLAIN)
    panels.x_axis("hidden 0", 8)
    panels.at(column=1).y_axis("hidden 1", standoff)
