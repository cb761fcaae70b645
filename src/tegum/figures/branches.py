"""Losses of many runs over the exact curves of the solutions that they fell into, and those solutions as arrows.

`branch_scatter` has one dot for each run, coloured by its geometry, and a line for each exact branch beneath; a cross marks
where a branch ends.  `arrow_overlay` lays the solutions of one branch over each other, coloured by a value: dark blue low,
yellow high, in a scale (cividis) that colour-blind readers see alike.

Source: section 5 of `Toy Models of Superposition`, the perturbation of one feature, whose colours for pentagon, square and
triangle (orange, yellow, green) are darkened here until they can be told apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from tegum.figures.theme import FAINT, INK, styled

COLOURS = ("#d55e00", "#e6b800", "#009e73", "#888888")
_SYMBOLS = ("circle", "square", "triangle-up", "x")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_SCALE = "Cividis"
_CIRCLE = np.linspace(0, 2 * np.pi, 121)


def branch_scatter(
    runs: xr.Dataset,
    branches: xr.Dataset,
    kinds: Sequence[str],
    label: str,
    places: Mapping[str, float],
) -> go.Figure:
    """Loss against a value, both logarithmic.

    Args:
        runs: ``loss`` and ``kind`` with the dimensions (value, seed), by any name for the first.
        branches: ``loss`` (branch, value), NaN where there is none; ``lost_at`` and ``lost_loss`` (branch).
        kinds: the kinds in the legend's order, four at most.
        label: the name of the value, with its unit.
        places: title to a value that is marked by a vertical line.
    """
    figure = go.Figure()
    name = next(str(dim) for dim in branches["loss"].dims if dim != "branch")
    for k, branch in enumerate(branches["branch"].values):
        one = branches.sel(branch=branch)
        figure.add_trace(
            go.Scatter(
                x=one[name].values,
                y=one["loss"].values,
                mode="lines",
                line={"color": INK, "width": 1.5, "dash": _DASHES[k % len(_DASHES)]},
                name=f"exact: {branch}",
                hovertemplate=f"exact: {branch}<br>{label} %{{x:.4g}}<br>loss %{{y:.6f}}<extra></extra>",
            )
        )
    first, _ = runs["loss"].dims
    where = np.broadcast_to(runs[first].values[:, None], runs["loss"].shape)
    for kind, colour, symbol in zip(kinds, COLOURS, _SYMBOLS, strict=False):
        chosen = (runs["kind"] == kind).values
        if not chosen.any():
            continue
        figure.add_trace(
            go.Scatter(
                x=where[chosen],
                y=runs["loss"].values[chosen],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 8, "opacity": 0.8, "line": {"color": INK, "width": 0.4}},
                name=f"{kind} ({chosen.sum()} runs)",
                hovertemplate=f"{kind}<br>{label} %{{x:.4g}}<br>exact loss %{{y:.6f}}<extra></extra>",
            )
        )
    ended = branches.where(np.isfinite(branches["lost_at"]), drop=True)
    if ended.sizes["branch"]:
        figure.add_trace(
            go.Scatter(
                x=ended["lost_at"].values,
                y=ended["lost_loss"].values,
                mode="markers",
                marker={"symbol": "x-thin", "size": 12, "line": {"color": INK, "width": 3}},
                name="the branch ends",
                hovertemplate="ends at %{x:.6f}<extra></extra>",
            )
        )
    for k, (title, place) in enumerate(places.items()):
        figure.add_vline(x=place, line={"color": INK, "width": 1, "dash": "dot"})
        text = {"text": title, "font": {"size": 13}, "showarrow": False, "xanchor": "left" if k else "right"}
        figure.add_annotation(x=np.log10(place), y=1, yref="paper", yanchor="bottom", **text)
    figure.update_xaxes(
        type="log",
        range=[np.log10(where.min()) - 0.05, np.log10(where.max()) + 0.05],
        title={"text": label, "standoff": 8},
        tickvals=[0.1, 0.2, 0.5, 1, 2, 5, 10],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(
        type="log",
        title={"text": "expected loss", "standoff": 10},
        tickvals=[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1],
        gridcolor="#eeeeee",
        zeroline=False,
    )
    low, high = float(runs["loss"].min()), float(runs["loss"].max())
    figure.update_yaxes(range=[np.log10(low) - 0.05, np.log10(high) + 0.05])
    styled(figure, height=600)
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": -0.14, "yanchor": "top"})
    return figure.update_layout(margin={"l": 75, "t": 40, "b": 170})


def arrow_overlay(panels: Mapping[str, xr.DataArray], label: str, between: tuple[float, float]) -> go.Figure:
    """Arrows of many solutions over each other, one panel for each branch.

    Args:
        panels: title to W (value, hidden, feature) with two hidden dimensions, in a common position, values above 0.
        label: the name of the value, shown at the colour bar.
        between: the values where the logarithmic colour scale begins and ends; those outside have the colour of its end.
    """
    figure = make_subplots(cols=len(panels), subplot_titles=list(panels), horizontal_spacing=0.08)
    low, high = np.log10(between)
    for column, W in enumerate(panels.values(), start=1):
        models, values = W.transpose(W.dims[0], "hidden", "feature").values, W[W.dims[0]].values
        circle = go.Scatter(x=np.cos(_CIRCLE), y=np.sin(_CIRCLE), mode="lines", line={"color": FAINT, "width": 1.5})
        figure.add_trace(circle.update(hoverinfo="skip"), row=1, col=column)
        for value, model in zip(values, models, strict=True):
            colour = sample_colorscale(_SCALE, [float(np.clip((np.log10(value) - low) / (high - low), 0, 1))])[0]
            figure.add_trace(_arrows(model, colour, label, float(value)), row=1, col=column)
        for i, (x, y) in enumerate(models[-1].T):
            if np.hypot(x, y) > 0.1:
                text = {"text": str(i), "showarrow": False, "font": {"size": 15, "color": INK}}
                figure.add_annotation(x=1.2 * x, y=1.2 * y, row=1, col=column, **text)
    figure.add_trace(_bar(low, high, label), row=1, col=len(panels))
    figure.update_xaxes(range=[-1.45, 1.45], constrain="domain", tickvals=[-1, 0, 1], showgrid=False, zeroline=False)
    figure.update_xaxes(title={"text": "hidden 1", "standoff": 8})
    figure.update_yaxes(range=[-1.45, 1.45], constrain="domain", tickvals=[-1, 0, 1], showgrid=False, zeroline=False)
    figure.update_yaxes(title={"text": "hidden 2", "standoff": 4}, col=1)
    for column in range(1, len(panels) + 1):
        figure.update_yaxes(scaleanchor=f"x{column if column > 1 else ''}", col=column)
    figure.update_layout(showlegend=False)
    return styled(figure, height=430)


def _arrows(W: NDArray[np.floating], colour: str, label: str, value: float) -> go.Scatter:
    """All features of one model: lines from the origin, with a head at each tip."""
    n = W.shape[1]
    points = np.full((2, 3 * n), np.nan)
    points[:, 0::3], points[:, 1::3] = 0, W
    norms, heads = np.hypot(*W), np.zeros(3 * n)
    heads[1::3] = np.where(norms > 0.1, 10, 5)
    symbols = ["circle", "arrow", "circle"] * n
    marker = {"symbol": symbols, "size": heads, "angleref": "previous", "color": colour, "opacity": 1, "line": {"width": 0}}
    texts = [""] * (3 * n)
    texts[1::3] = [f"feature {i}, norm {norm:.3f}" for i, norm in enumerate(norms)]
    return go.Scatter(
        x=points[0],
        y=points[1],
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker=marker,
        text=texts,
        hovertemplate=f"{label} {value:.3g}<br>%{{text}}<extra></extra>",
    )


def _bar(low: float, high: float, label: str) -> go.Scatter:
    """An invisible point that carries the colour bar."""
    ticks = np.log10([k * 10.0**e for e in range(int(np.floor(low)), int(np.ceil(high)) + 1) for k in (1, 3)])
    ticks = ticks[(ticks > low - 1e-9) & (ticks < high + 1e-9)]
    bar: dict[str, Any] = {"title": {"text": label, "side": "right"}, "thickness": 12, "len": 0.85}
    bar |= {"tickvals": ticks.tolist(), "ticktext": [f"{10.0**tick:.2g}" for tick in ticks]}
    marker = {"color": [low], "cmin": low, "cmax": high, "colorscale": _SCALE, "colorbar": bar}
    return go.Scatter(x=[None], y=[None], mode="markers", marker=marker, hoverinfo="skip")
