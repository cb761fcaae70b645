"""Features as arrows in the plane: the columns of W for models with two hidden dimensions, side by side.

Colour is importance (viridis, yellow most important), the grey circle has radius 1.
Source: the introduction figure of `Toy Models of Superposition`.
"""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from tegum.errors import InvalidInputError
from tegum.figures.theme import FAINT, IMPORTANCE, INK, styled
from tegum.geometry import aligned

_ANGLES = np.linspace(0, 2 * np.pi, 121)


def arrow_panels(data: xr.Dataset, along: str, turn: bool = True) -> go.Figure:
    """One panel of arrows for each position along a dimension.

    Args:
        data: one model at each position: ``W`` (along, hidden, feature) with two hidden dimensions, and ``feature_importance``.
        along: the dimension whose positions become panels, named in their titles.
        turn: turn each model so that feature 0 points to the right and the next off its line upwards; not for nets whose
            hidden layer has a nonlinearity.

    Raises:
        InvalidInputError: where W has other dimensions.
    """
    W = data["W"]
    if set(W.dims) != {along, "hidden", "feature"} or W.sizes["hidden"] != 2:
        raise InvalidInputError(
            f"W has dimensions {dict(W.sizes)}", f"select one model for each {along}, with 2 hidden dimensions"
        )
    labels = data[along].values
    models = [W.sel({along: label}).transpose("hidden", "feature").values for label in labels]
    models = [aligned(model) for model in models] if turn else models
    figure = make_subplots(
        cols=len(labels), subplot_titles=[_title(along, label) for label in labels], horizontal_spacing=0.035
    )
    importance = data["feature_importance"].broadcast_like(W.isel(hidden=0, drop=True)).transpose(along, "feature")
    low, high = float(importance.min()), float(importance.max())
    reach = 1.1 * max(1.05, float(np.sqrt((W**2).sum("hidden")).max()))
    for column, (label, model) in enumerate(zip(labels, models, strict=True), start=1):
        figure.add_trace(_circle(), row=1, col=column)
        weights = importance.sel({along: label}).values
        for i in np.argsort(weights, kind="stable"):
            figure.add_trace(_arrow(model[:, i], int(i), float(weights[i]), low, high), row=1, col=column)
    figure.add_trace(_importance_bar(low, high), row=1, col=len(labels))
    figure.update_xaxes(
        range=[-reach, reach],
        constrain="domain",
        tickvals=[-1, 0, 1],
        showgrid=False,
        zeroline=False,
        title={"text": "hidden 1", "standoff": 8},
    )
    figure.update_yaxes(range=[-reach, reach], constrain="domain", tickvals=[-1, 0, 1], showgrid=False, zeroline=False)
    figure.update_yaxes(title="hidden 2", col=1)
    for column in range(1, len(labels) + 1):
        figure.update_yaxes(scaleanchor=f"x{column if column > 1 else ''}", col=column)
    figure.update_layout(showlegend=False)
    return styled(figure, height=390)


def _title(along: str, label: Any) -> str:
    if along == "density":
        return f"density {label:g}<br>sparsity {100 * (1 - label):.0f} %"
    return f"{along} {label:g}" if isinstance(label, float | np.floating) else f"{along} {label}"


def _circle() -> go.Scatter:
    return go.Scatter(x=np.cos(_ANGLES), y=np.sin(_ANGLES), mode="lines", line={"color": FAINT, "width": 1.5}, hoverinfo="skip")


def _arrow(direction: NDArray[np.floating], i: int, importance: float, low: float, high: float) -> go.Scatter:
    place = (importance - low) / (high - low) if high > low else 1.0
    colour = sample_colorscale(IMPORTANCE, [place])[0]
    x, y = float(direction[0]), float(direction[1])
    norm = float(np.hypot(x, y))
    angle = np.degrees(np.arctan2(y, x)) % 360
    hover = f"feature {i}<br>importance {importance:.3g}<br>norm {norm:.3f}<br>angle {angle:.1f}°<extra></extra>"
    return go.Scatter(
        x=[0, x],
        y=[0, y],
        mode="lines+markers",
        line={"color": colour, "width": 3},
        marker={
            "symbol": ["circle", "arrow"],
            "size": [0, 13 if norm > 0.05 else 6],
            "angleref": "previous",
            "opacity": 1,
            "color": colour,
            "line": {"color": INK, "width": 0.5},
        },
        name=f"feature {i}",
        hovertemplate=hover,
    )


def _importance_bar(low: float, high: float) -> go.Scatter:
    """An invisible point that carries the colour bar."""
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={
            "color": [low],
            "cmin": low,
            "cmax": high if high > low else low + 1,
            "colorscale": IMPORTANCE,
            "colorbar": {"title": {"text": "importance", "side": "right"}, "thickness": 12, "len": 0.8},
        },
        hoverinfo="skip",
    )
