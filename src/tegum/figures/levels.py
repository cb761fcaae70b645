"""A training as energy levels: the dimensionality of every feature over time, the loss below, events shaded.

Features that take part in an event are coloured: orange where they rise, blue where they fall, purple where they do both, in
different events; all others are grey.
`level_slider` shows one model with W^T W beside it, and a slider that moves through time.

Source: section 6 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from plotly.subplots import make_subplots

from tegum.figures.theme import FAINT, INK, SIGNED, styled
from tegum.geometry import Event

RISES, FALLS, BOTH, QUIET, SHADE = "#c2500a", "#1f5fa8", "#8a4fa3", "#b5b5b5", "rgba(230, 190, 60, 0.35)"
_MOMENTS = 60


def level_panels(models: Mapping[str, tuple[xr.Dataset, Sequence[Event]]], clock: Mapping[str, str]) -> go.Figure:
    """One column for each model: D_i over time above, the loss below.

    Args:
        models: title to ``D`` (time, feature) and ``loss`` (time), times above 0, and the model's events.
        clock: title to the name of its time axis, with the unit.
    """
    titles = list(models)
    figure = make_subplots(
        rows=2,
        cols=len(titles),
        row_heights=[0.65, 0.35],
        subplot_titles=titles,
        vertical_spacing=0.06,
        horizontal_spacing=0.09,
    )
    named: set[str] = set()
    for column, title in enumerate(titles, start=1):
        model, found = models[title]
        _draw_levels(figure, model, found, column, named)
        figure.update_xaxes(title={"text": clock[title], "standoff": 6}, row=2, col=column)
    _dress(figure, len(titles))
    styled(figure, height=560)
    figure.update_layout(legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.13, "yanchor": "top"})
    return figure.update_layout(margin={"b": 85})


def level_slider(model: xr.Dataset, found: Sequence[Event], clock: str) -> go.Figure:
    """One model's levels and loss, W^T W at one time, and a slider over time.

    Args:
        model: ``W`` (time, hidden, feature), ``D`` (time, feature), ``loss`` (time), times above 0.
        found: its events.
        clock: the name of the time axis.
    """
    figure = make_subplots(
        rows=2,
        cols=2,
        specs=[[{}, {"rowspan": 2}], [{}, None]],
        row_heights=[0.65, 0.35],
        column_widths=[0.55, 0.45],
        vertical_spacing=0.06,
        horizontal_spacing=0.1,
        subplot_titles=["dimensionality of every feature", "WᵀW at the marked time"],
    )
    _draw_levels(figure, model, found, 1, set())
    figure.update_xaxes(title={"text": clock, "standoff": 6}, row=2, col=1)
    W = model["W"].transpose("time", "hidden", "feature").values.astype(np.float64)
    order = np.argsort(-model["D"].values[-1], kind="stable")
    order = _partners_adjacent(W[-1], order)
    moments = np.unique(np.linspace(0, len(W) - 1, _MOMENTS).astype(int))
    grams = [np.round(W[k][:, order].T @ W[k][:, order], 2) for k in moments]
    names = [f"feature {i}" for i in order]
    hover = "%{y} × %{x}: %{z:.2f}<extra></extra>"
    heat = go.Heatmap(z=grams[-1], x=names, y=names, colorscale=SIGNED, zmin=-1, zmax=1, hovertemplate=hover)
    heat.colorbar = {"thickness": 12, "len": 0.8}
    figure.add_trace(heat, row=1, col=2)
    times, loss = model["time"].values, model["loss"].values
    first_mark = len(figure.data)
    for row, (low, high) in enumerate(((0, 1), (float(loss.min()), float(loss.max()))), start=1):
        mark = go.Scatter(x=[times[-1]] * 2, y=[low, high], mode="lines", line={"color": INK, "width": 1.5}, showlegend=False)
        figure.add_trace(mark.update(hoverinfo="skip"), row=row, col=1)
    steps = []
    for k, G in zip(moments, grams, strict=True):
        lines: dict[str, list[Any]] = {"x": [names, *[[float(times[k])] * 2] * 2], "z": [G.tolist(), None, None]}
        steps.append(
            {
                "method": "restyle",
                "label": f"{times[k]:,.0f}" if times[k] >= 100 else f"{times[k]:.2g}",
                "args": [lines, list(range(first_mark - 1, first_mark + 2))],
            }
        )
    slider = {"active": len(steps) - 1, "steps": steps, "currentvalue": {"prefix": f"{clock}: "}, "pad": {"t": 55}}
    figure.update_xaxes(showticklabels=False, ticks="", title={"text": "feature, by level", "standoff": 6}, row=1, col=2)
    figure.update_yaxes(
        showticklabels=False, ticks="", autorange="reversed", scaleanchor="x2", constrain="domain", row=1, col=2
    )
    figure.update_xaxes(constrain="domain", row=1, col=2)
    _dress(figure, 1)
    styled(figure, height=640)
    figure.update_layout(sliders=[slider], legend={"orientation": "h", "x": 0, "y": 1.16, "yanchor": "bottom"})
    return figure.update_layout(margin={"t": 95, "b": 40})


def _partners_adjacent(W: Any, order: Any) -> Any:
    """The order with every feature followed by the one it opposes most."""
    G, left, found = W.T @ W, list(order), []
    while left:
        i = left.pop(0)
        found.append(i)
        partner = min(left, key=lambda j: G[i, j], default=None)
        if partner is not None and G[i, partner] < -0.5 * G[i, i]:
            left.remove(partner)
            found.append(partner)
    return np.array(found)


def _draw_levels(figure: go.Figure, model: xr.Dataset, found: Sequence[Event], column: int, named: set[str]) -> None:
    """Draws one column and adds to ``named`` the kinds of lines that the legend has."""
    times, D = model["time"].values, model["D"].transpose("time", "feature").values
    risen = {i for event in found for i in event.risen}
    fallen = {i for event in found for i in event.fallen}
    other = "other features"
    kinds = {other: QUIET, "rises in an event": RISES, "falls in an event": FALLS, "does both, in different events": BOTH}
    for i in sorted(range(D.shape[1]), key=lambda i: (i in risen or i in fallen, i)):
        kind = list(kinds)[(i in risen) + 2 * (i in fallen)]
        figure.add_trace(
            go.Scatter(
                x=times,
                y=np.round(D[:, i], 4),
                mode="lines",
                line={"color": kinds[kind], "width": 1 if kind == other else 2.2},
                name=kind,
                legendgroup=kind,
                showlegend=kind not in named,
                hovertemplate=f"feature {i}<br>%{{x:.3g}}: D = %{{y:.3f}}<extra></extra>",
            ),
            row=1,
            col=column,
        )
        named.add(kind)
    figure.add_trace(
        go.Scatter(
            x=times,
            y=model["loss"].values,
            mode="lines",
            line={"color": INK, "width": 1.8},
            showlegend=False,
            hovertemplate="%{x:.3g}: loss %{y:.4f}<extra></extra>",
        ),
        row=2,
        col=column,
    )
    for event in found:
        for row in (1, 2):
            figure.add_vrect(x0=event.begins, x1=event.ends, fillcolor=SHADE, line_width=0, layer="below", row=row, col=column)


def _dress(figure: go.Figure, columns: int) -> None:
    figure.update_xaxes(
        type="log", exponentformat="power", dtick=1, showgrid=False, zeroline=False, selector={"showticklabels": None}
    )
    figure.update_xaxes(showline=True, linecolor=FAINT, ticks="outside")
    figure.update_yaxes(showgrid=False, zeroline=False, showline=True, linecolor=FAINT)
    for column in range(1, columns + 1):
        figure.update_yaxes(tickvals=[0, 0.5, 1], ticktext=["0", "1/2", "1"], range=[-0.03, 1.03], row=1, col=column)
    figure.update_yaxes(title={"text": "dimensionality D<sub>i</sub>", "standoff": 6}, row=1, col=1)
    figure.update_yaxes(title={"text": "exact loss", "standoff": 6}, row=2, col=1)
