"""Features as points that move through three dimensions, seen from the side and from above, with the loss and its stages below.

A slider moves the arrows along their paths and a mark along the loss.  Two sets of features have two colours.

Source: section 6 of `Toy Models of Superposition` (learning as geometric transformations).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from plotly.subplots import make_subplots

from tegum.figures.theme import FAINT, INK, styled
from tegum.geometry import Visit
from tegum.geometry.stages import axis_frame

SETS = (("#c2500a", "first set"), ("#1f5fa8", "second set"))
_SHADES = {
    "A": "rgba(190,190,190,0.35)",
    "B": "rgba(230,190,60,0.35)",
    "C": "rgba(110,180,120,0.35)",
    "D": "rgba(150,130,200,0.35)",
}
_MOMENTS = 50
_RATIO = {"x": 1.7, "y": 1.7, "z": 1.7}
_VIEWS = {
    "from the side": {"eye": {"x": 1.0, "y": -0.5, "z": 0.25}, "up": {"x": 0, "y": 0, "z": 1}},
    "from above": {"eye": {"x": 0.0, "y": -0.01, "z": 1.15}, "up": {"x": 0, "y": 1, "z": 0}},
}


def path_slider(model: xr.Dataset, found: Sequence[Visit], set_size: int, clock: str) -> go.Figure:
    """One model's path in 3-D, twice, its loss, and a slider over time.

    Args:
        model: ``W`` (time, hidden, feature) with three hidden units and two sets of features, ``loss`` (time), times above 0.
        found: the stages it visits.
        set_size: features in a set.
        clock: the name of the time axis.
    """
    figure = make_subplots(
        rows=2,
        cols=2,
        specs=[[{"type": "scene"}, {"type": "scene"}], [{"colspan": 2}, None]],
        row_heights=[0.66, 0.34],
        vertical_spacing=0.05,
        horizontal_spacing=0.02,
        subplot_titles=list(_VIEWS),
    )
    W = model["W"].transpose("time", "hidden", "feature").values.astype(np.float64)
    W = axis_frame(W[-1], set_size) @ W
    moments = np.unique(np.linspace(0, len(W) - 1, _MOMENTS).astype(int))
    moving: list[int] = []
    for column in (1, 2):
        for i in range(W.shape[2]):
            colour, name = SETS[i // set_size]
            path = np.round(W[:, :, i], 3)
            line = go.Scatter3d(
                x=path[:, 0], y=path[:, 1], z=path[:, 2], mode="lines", line={"color": colour, "width": 3}, opacity=0.6
            )
            figure.add_trace(line.update(showlegend=False, hoverinfo="skip"), row=1, col=column)
        for i in range(W.shape[2]):
            colour, name = SETS[i // set_size]
            x, y, z = _arrow(W[-1, :, i])
            arrow = go.Scatter3d(
                x=x,
                y=y,
                z=z,
                mode="lines+markers",
                line={"color": colour, "width": 6},
                marker={"size": [0, 5], "color": colour},
                name=name,
                legendgroup=name,
                showlegend=column == 1 and i % set_size == 0,
                hovertemplate=f"feature {i}: %{{x:.2f}}, %{{y:.2f}}, %{{z:.2f}}<extra></extra>",
            )
            moving.append(len(figure.data))
            figure.add_trace(arrow, row=1, col=column)
    times, loss = model["time"].values, model["loss"].values
    curve = go.Scatter(x=times, y=loss, mode="lines", line={"color": INK, "width": 2}, showlegend=False)
    figure.add_trace(curve.update(hovertemplate="%{x:.3g}: loss %{y:.3g}<extra></extra>"), row=2, col=1)
    low, high = float(loss.min()) * 0.8, float(loss.max()) * 1.25
    mark = go.Scatter(x=[times[-1]] * 2, y=[low, high], mode="lines", line={"color": INK, "width": 1.5, "dash": "dot"})
    moving.append(len(figure.data))
    figure.add_trace(mark.update(hoverinfo="skip", showlegend=False), row=2, col=1)
    for visit in found:
        begins, ends = times[visit.first], times[visit.last]
        figure.add_shape(
            type="rect",
            x0=begins,
            x1=ends,
            y0=0,
            y1=1,
            xref="x",
            yref="y domain",
            fillcolor=_SHADES[visit.stage],
            line_width=0,
            layer="below",
        )
        middle = float(np.log10(begins * ends) / 2)
        figure.add_annotation(x=middle, y=0.98, xref="x", yref="y domain", text=visit.stage, showarrow=False, yanchor="top")
    figure.update_xaxes(
        type="log", dtick=1, exponentformat="power", showline=True, linecolor=FAINT, ticks="outside", showgrid=False
    )
    figure.update_yaxes(type="log", range=np.log10([low, high]).tolist(), exponentformat="power", dtick=1, gridcolor=FAINT)
    figure.update_xaxes(title={"text": clock, "standoff": 4})
    figure.update_yaxes(title={"text": "exact loss", "standoff": 6})
    for number, view in enumerate(_VIEWS.values(), start=1):
        figure.update_layout({f"scene{number if number > 1 else ''}": _scene(view)})
    steps = [_step(W[k], float(times[k]), [low, high], moving) for k in moments]
    slider = {"active": len(steps) - 1, "steps": steps, "currentvalue": {"prefix": f"{clock}: "}, "pad": {"t": 45}}
    styled(figure, height=720)
    figure.update_layout(sliders=[slider], legend={"orientation": "h", "x": 0, "y": 1.1, "yanchor": "bottom"})
    return figure.update_layout(margin={"t": 90, "b": 30, "l": 75})


def _arrow(point: Any) -> tuple[list[float], list[float], list[float]]:
    x, y, z = (float(value) for value in np.round(point, 3))
    return [0.0, x], [0.0, y], [0.0, z]


def _step(W: Any, time: float, mark: list[float], moving: list[int]) -> dict[str, Any]:
    """What the slider does at one time: every arrow in both views, and the mark on the loss."""
    arrows = [_arrow(W[:, i]) for i in range(W.shape[1])] * 2
    lines: dict[str, Any] = {axis: [arrow[k] for arrow in arrows] for k, axis in enumerate("xyz")}
    lines["x"].append([time, time])
    lines["y"].append(mark)
    lines["z"].append(None)
    return {"method": "restyle", "label": f"{time:,.0f}" if time >= 100 else f"{time:.2g}", "args": [lines, moving]}


def _scene(view: dict[str, Any]) -> dict[str, Any]:
    axis = {"range": [-1.1, 1.1], "showticklabels": False, "title": "", "showbackground": False, "gridcolor": "#e4e4e4"}
    axis |= {"zerolinecolor": "#9a9a9a"}
    camera = {"eye": view["eye"], "up": view["up"], "projection": {"type": "orthographic"}}
    return {"xaxis": axis, "yaxis": axis, "zaxis": axis, "aspectmode": "manual", "aspectratio": _RATIO, "camera": camera}
