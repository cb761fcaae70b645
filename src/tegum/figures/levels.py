"""A training as energy levels: the dimensionality of every feature over time, the loss below, events shaded.

Features that take part in an event are coloured: orange where they rise, blue where they fall, purple where they do both, in
different events; all others are grey.
`level_slider` shows one model with W^T W beside it, and a slider that moves through time.

>>> levels = xr.Dataset({"D": (("time", "feature"), [[0.5, 0.4], [1.0, 0.4]]), "loss": ("time", [0.2, 0.1])}, {"time": [1, 10]})
>>> event = Event(0, 1, begins=1, ends=10, risen=(0,), fallen=(), loss_drop=0.1, quiet=0.0)
>>> figure = level_panels({"flow": (levels, [event])}, {"flow": "time"})
>>> [(trace.name, trace.y.tolist()) for trace in figure.data if trace.name]
[('other features', [0.4, 0.4]), ('rises in an event', [0.5, 1.0])]

Source: section 6 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, PLAIN, SIGNED, legend_row, styled
from tegum.figures.timeline import TIME_AXIS, mark, moments, time_slider
from tegum.figures.traces import line
from tegum.geometry import Event, gram

RISES, FALLS, BOTH, OTHER, SHADE = "#c2500a", "#1f5fa8", "#8a4fa3", "#b5b5b5", "rgba(230, 190, 60, 0.35)"
_MOMENTS = 60
_HEIGHTS = [0.65, 0.35]


def level_panels(models: Mapping[str, tuple[xr.Dataset, Sequence[Event]]], clock: Mapping[str, str]) -> go.Figure:
    """One column for each model: D_i over time above, the loss below.

    Args:
        models: title to ``D`` (time, feature) and ``loss`` (time), times above 0, and the model's events.
        clock: title to the name of its time axis, with the unit.
    """
    panels = Panels.titled(models, rows=2, row_heights=_HEIGHTS, vertical_spacing=0.06, horizontal_spacing=0.09)
    for above, (title, (model, found)) in zip(panels, models.items(), strict=True):
        _draw_levels(above, model, found, clock[title])
    _finish_axes(panels)
    return styled(panels.figure, 560, legend=legend_row(-0.13, centred=True), margin={"b": 85})


def level_slider(model: xr.Dataset, found: Sequence[Event], clock: str) -> go.Figure:
    """One model's levels and loss, W^T W at one time, and a slider over time.

    Args:
        model: ``W`` (time, hidden, feature), ``D`` (time, feature), ``loss`` (time), times above 0.
        found: its events.
        clock: the name of the time axis.
    """
    panels = Panels.beside(
        row_heights=_HEIGHTS,
        column_widths=[0.55, 0.45],
        vertical_spacing=0.06,
        horizontal_spacing=0.1,
        subplot_titles=["dimensionality of every feature", "WᵀW at the marked time"],
    )
    above, below, right = panels.at(1, 1), panels.at(2, 1), panels.at(1, 2)
    _draw_levels(above, model, found, clock)
    W = model["W"].transpose("time", "hidden", "feature").values.astype(np.float64)
    order = _partners_adjacent(W[-1], np.argsort(-model["D"].values[-1], kind="stable"))
    shown = moments(len(W), _MOMENTS)
    grams = np.round(gram(W[shown][:, :, order]), 2)
    names = [f"feature {i}" for i in order]
    hover, bar = "%{y} × %{x}: %{z:.2f}", {"thickness": 12, "len": 0.8}
    right.add(go.Heatmap(z=grams[-1], x=names, y=names, colorscale=SIGNED, zmin=-1, zmax=1, hovertemplate=hover, colorbar=bar))
    times, loss = model["time"].values.astype(float), model["loss"].values
    above.add(mark(times[-1], 0, 1))
    below.add(mark(times[-1], float(loss.min()), float(loss.max())))
    traces = range(len(panels.figure.data) - 3, len(panels.figure.data))
    stops = times[shown].tolist()
    changes = [{"x": [names, [t, t], [t, t]], "z": [G, None, None]} for t, G in zip(stops, grams.tolist(), strict=True)]
    slider = time_slider(clock, stops, changes, traces, pad=55)
    right.axes(showticklabels=False, ticks="", constrain="domain")
    right.x_axis("feature, by level", 6)
    right.y_axis(autorange="reversed")
    right.same_units()
    _finish_axes(panels)
    legend = legend_row(1.16, yanchor="bottom")
    return styled(panels.figure, 640, sliders=[slider], legend=legend, margin={"t": 95, "b": 40})


def _partners_adjacent(W: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.intp]:
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


def _draw_levels(above: Panels, model: xr.Dataset, found: Sequence[Event], clock: str) -> None:
    """Draws levels in a panel and the loss in the one below."""
    below = above.at(2, above.column)
    times, D = model["time"].values, model["D"].transpose("time", "feature").values
    risen = {i for event in found for i in event.risen}
    fallen = {i for event in found for i in event.fallen}
    other = "other features"
    kinds = {other: OTHER, "rises in an event": RISES, "falls in an event": FALLS, "does both, in different events": BOTH}
    for i in sorted(range(D.shape[1]), key=lambda i: (i in risen or i in fallen, i)):
        kind = list(kinds)[(i in risen) + 2 * (i in fallen)]
        hover, width = f"feature {i}<br>%{{x:.3g}}: D = %{{y:.3f}}", 1 if kind == other else 2.2
        above.add(line(times, np.round(D[:, i], 4), kinds[kind], width, hover=hover, name=kind, legendgroup=kind))
    below.add(line(times, model["loss"].values, INK, 1.8, hover="%{x:.3g}: loss %{y:.4f}", showlegend=False))
    for panel in (above, below):
        panel.x_axis(**TIME_AXIS, zeroline=False)
    for event in found:
        for panel in (above, below):
            panel.shade([(event.begins, event.ends)], SHADE)
    above.y_axis(tickvals=[0, 0.5, 1], ticktext=["0", "1/2", "1"], range=[-0.03, 1.03])
    below.x_axis(clock, 6)


def _finish_axes(panels: Panels) -> None:
    panels.y_axis(**PLAIN)
    panels.axes(showline=True, linecolor=FAINT)
    panels.x_axis(ticks="outside")
    panels.at(1, 1).y_axis("dimensionality D<sub>i</sub>", 6)
    panels.at(2, 1).y_axis("exact loss", 6)
