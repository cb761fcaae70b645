"""Features as arrows in the plane: the columns of W for models with two hidden dimensions, panels side by side.

Features are coloured by importance (viridis, yellow most important) or by the set that they belong to; many models laid over
each other by a value, in a scale (cividis) that colour-blind readers see alike.  Grey circles have radius 1, or those given.

>>> figure = set_arrows({"a collapsed pair": np.array([[1, 1, 0], [0, 0, 1]])}, set_size=2)
>>> [trace.name for trace in figure.data if trace.showlegend]
['set 1', 'set 2']

Source: `Toy Models of Superposition`, the figure of the introduction; in section 5 the pictures of correlated features and the
perturbation of one feature.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from tegum.arraylike import takes_arrays
from tegum.checking import checked, require_axes, require_held
from tegum.errors import InvalidInputError, Problems
from tegum.figures.panels import Panels
from tegum.figures.theme import IMPORTANCE, INK, PLAIN, category, legend_row, styled
from tegum.figures.traces import arrow, circle, colour_key, line, segments
from tegum.geometry import aligned, polar_angles

_VALUES = "Cividis"
_PANEL = 210


@checked
def arrow_panels(data: xr.Dataset, along: str, turn: bool = True) -> go.Figure:
    """One panel of arrows for each position along a dimension, where ``W`` (along, hidden, feature) is one model.

    Colours are those of ``feature_importance``.  With ``turn`` feature 0 points to the right and the next off its line upwards,
    which is not for nets whose hidden layer has a nonlinearity.

    Raises:
        InvalidInputError: where W has other dimensions.
    """
    require_held("data", data, W=None, feature_importance=None)
    W = data["W"]
    if set(W.dims) != {along, "hidden", "feature"} or W.sizes["hidden"] != 2:
        raise InvalidInputError(
            f"W has dimensions {dict(W.sizes)}", f"select one model for each {along}, with 2 hidden dimensions"
        )
    models = W.transpose(along, "hidden", "feature").values
    importance = data["feature_importance"].broadcast_like(W.isel(hidden=0, drop=True)).transpose(along, "feature").values
    low, high = float(importance.min()), float(importance.max())
    panels = Panels.titled([_title(along, label) for label in data[along].values], horizontal_spacing=0.035)
    for panel, model, weights in zip(panels, aligned(models) if turn else models, importance, strict=True):
        panel.add(circle())
        for i in np.argsort(weights, kind="stable"):
            place = (weights[i] - low) / (high - low) if high > low else 1.0
            colour = sample_colorscale(IMPORTANCE, [place])[0]
            head: dict[str, Any] = {"symbol": ["circle", "arrow"], "angleref": "previous", "line": {"color": INK, "width": 0.5}}
            size = 13 if np.hypot(*model[:, i]) > 0.05 else 6
            says = f"feature {i}<br>importance {weights[i]:.3g}"
            panel.add(_arrow(model[:, i], colour, 3, size, says, **head).update(name=f"feature {i}"))
    panels.at(1, len(models)).add(colour_key(IMPORTANCE, low, high if high > low else low + 1, "importance", len=0.8))
    _hidden_axes(panels, 1.1 * max(1.05, float(np.sqrt((W**2).sum("hidden")).max())))
    return styled(panels.figure, 390, showlegend=False)


@takes_arrays
def set_arrows(
    models: Mapping[str, NDArray[np.floating]], set_size: int, radii: Sequence[float] = (1.0,), columns: int = 5
) -> go.Figure:
    """One panel for each title and its W (2, n), the members of a set in one colour; nothing is turned here.

    Members of a set that lie on each other are told apart by their heads: the first's is filled, the others' larger and hollow.
    The ``radii`` of the grey circles: 1 for a feature with a direction of its own, 1/sqrt(2) for a pair that shares one.

    Raises:
        InvalidInputError: where a W has other than two hidden dimensions.
    """
    problems = Problems()
    for name, value in (("set_size", set_size), ("columns", columns)):
        problems.check_count(name, value)
    problems.raise_if_any()
    for title, W in models.items():
        if W.ndim != 2 or W.shape[0] != 2 or not np.isfinite(W).all():
            raise InvalidInputError(f"W of {title!r} has shape {W.shape}", "draw models with 2 hidden dimensions")
    columns = min(columns, len(models))
    rows = -(-len(models) // columns)
    panels = Panels.titled(models, columns, horizontal_spacing=0.02, vertical_spacing=0.24 / rows)
    for panel, W in zip(panels, models.values(), strict=True):
        for radius in radii:
            panel.add(circle(radius, 1.2, showlegend=False))
        for i, tip in enumerate(W.T.astype(np.float64)):
            which, member = divmod(i, set_size)
            name, colour = f"set {which + 1}", category(which)
            head: dict[str, Any] = {
                "symbol": ["circle", "circle-open" if member else "circle"],
                "line": {"width": 2, "color": colour},
            }
            drawn = _arrow(tip, colour, 2.5, 14 if member else 8, f"{name}, feature {i}", **head)
            panel.add(drawn.update(name=name, legendgroup=name))
    _plane(panels, 1.1 * max(*radii, *(float(np.linalg.norm(W, axis=0).max()) for W in models.values())))
    panels.axes(visible=False)
    panels.figure.update_annotations(font={"size": 13})
    margin = {"l": 10, "r": 10, "t": 50, "b": 40}
    return styled(panels.figure, 110 + _PANEL * rows, legend=legend_row(-0.02, centred=True), margin=margin)


@checked
def arrow_overlay(panels: Mapping[str, xr.DataArray], label: str, between: tuple[float, float]) -> go.Figure:
    """Arrows of many solutions over each other, one panel for each title and its W (value, 2, feature), in a common position.

    The colours are those of the values (above 0), which are called ``label``, on a logarithmic scale from the first to the
    second of ``between``; values outside have the colour of its end.
    """
    for title, W in panels.items():
        require_axes(f"panels[{title!r}]", W, (str([*W.dims, ""][0]), "hidden", "feature"))
        if W.sizes["hidden"] != 2 or not (W[W.dims[0]].values > 0).all():
            raise InvalidInputError(
                f"W of {title!r} has shape {W.shape}", "draw models of 2 hidden dimensions at values above 0"
            )
    if not 0 < between[0] < between[1] < np.inf:
        raise InvalidInputError(f"between is {between}", "give two numbers above 0, rising")
    drawn = Panels.titled(panels, horizontal_spacing=0.08)
    low, high = np.log10(between)
    for panel, W in zip(drawn, panels.values(), strict=True):
        models, values = W.transpose(W.dims[0], "hidden", "feature").values, W[W.dims[0]].values
        panel.add(circle())
        for value, model in zip(values, models, strict=True):
            colour = sample_colorscale(_VALUES, [float(np.clip((np.log10(value) - low) / (high - low), 0, 1))])[0]
            panel.add(_all_arrows(model, colour, f"{label} {value:.3g}"))
        for i, (x, y) in enumerate(models[-1].T):
            if np.hypot(x, y) > 0.1:
                panel.note(str(i), x=1.2 * x, y=1.2 * y, font={"size": 15, "color": INK})
    ticks = np.log10([k * 10.0**e for e in range(int(np.floor(low)), int(np.ceil(high)) + 1) for k in (1, 3)])
    ticks = ticks[(ticks > low - 1e-9) & (ticks < high + 1e-9)]
    labels = {"tickvals": ticks.tolist(), "ticktext": [f"{10.0**tick:.2g}" for tick in ticks]}
    drawn.at(1, len(panels)).add(colour_key(_VALUES, low, high, label, len=0.85, **labels))
    _hidden_axes(drawn, 1.45, standoff=4)
    return styled(drawn.figure, 430, showlegend=False)


def _title(along: str, label: Any) -> str:
    if along == "density":
        return f"density {label:g}<br>sparsity {100 * (1 - label):.0f} %"
    if isinstance(label, str):
        return label
    return f"{along} {label:g}" if isinstance(label, float | np.floating) else f"{along} {label}"


def _arrow(tip: NDArray[np.floating], colour: str, width: float, size: float, says: str, **head: Any) -> go.Scatter:
    """One feature, which says its norm and angle after other things."""
    hover = f"{says}<br>norm {np.hypot(*tip):.3f}<br>angle {polar_angles(tip[:, None])[0]:.1f}°"
    return arrow(tip, colour, width, size, hover, opacity=1, **head)


def _all_arrows(W: NDArray[np.floating], colour: str, says: str) -> go.Scatter:
    """All features of one model: lines from the origin, with a head at each tip."""
    x, y = segments(0, W)
    norms, symbols = np.hypot(*W), ["circle", "arrow", "circle"] * W.shape[1]
    heads, texts = np.zeros(len(x)), [""] * len(x)
    heads[1::3] = np.where(norms > 0.1, 10, 5)
    texts[1::3] = [f"feature {i}, norm {norm:.3f}" for i, norm in enumerate(norms)]
    marker = {"symbol": symbols, "size": heads, "angleref": "previous", "color": colour, "opacity": 1, "line": {"width": 0}}
    return line(x, y, colour, hover=f"{says}<br>%{{text}}", text=texts).update(mode="lines+markers", marker=marker)


def _plane(panels: Panels, reach: float) -> None:
    """Makes each panel a square of the plane around the origin."""
    panels.axes(range=[-reach, reach], constrain="domain")
    for panel in panels:
        panel.same_units()


def _hidden_axes(panels: Panels, reach: float, standoff: int | None = None) -> None:
    """Makes each panel a square of the plane of two hidden dimensions, and names them."""
    _plane(panels, reach)
    panels.axes(tickvals=[-1, 0, 1], **PLAIN)
    panels.x_axis("hidden 1", 8)
    panels.at(column=1).y_axis("hidden 2", standoff)
