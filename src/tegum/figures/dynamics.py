"""A training over time: energy levels, features that move through space, with the loss below and a slider that moves a mark.

`level_panels` and `level_slider` draw the dimensionality of every feature over time, events shaded.  Features that take part in
an event are coloured: orange where they rise, blue where they fall, purple where they do both, in different events; all others
are grey.  `path_slider` draws features as points in three dimensions, stages shaded; two sets of features have two colours.

>>> levels = xr.Dataset({"D": (("time", "feature"), [[0.5, 0.4], [1.0, 0.4]]), "loss": ("time", [0.2, 0.1])}, {"time": [1, 10]})
>>> event = Event(0, 1, begins=1, ends=10, risen=(0,), fallen=(), loss_drop=0.1, quiet=0.0)
>>> figure = level_panels({"flow": (levels, [event])}, {"flow": "time"})
>>> [(trace.name, trace.y.tolist()) for trace in figure.data if trace.name]
[('other features', [0.4, 0.4]), ('rises in an event', [0.5, 1.0])]
>>> W = np.linspace(0.1, 1, 3)[:, None, None] * np.eye(3, 6)
>>> path = {"W": (("time", "hidden", "feature"), W), "loss": ("time", [3.0, 2.0, 1.0])}
>>> figure = path_slider(xr.Dataset(path, {"time": [1.0, 10.0, 1e3]}), [], set_size=3, clock="steps")
>>> [step.label for step in figure.layout.sliders[0].steps]
['1', '10', '1,000']

Source: section 6 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.figures.models import Chosen, carry, needed
from tegum.figures.panels import Panels
from tegum.figures.paths import recorded_paths
from tegum.figures.theme import (
    FAINT,
    INK,
    OUTSIDE,
    PLAIN,
    SIGNED,
    category,
    legend_above,
    legend_below,
    log_labels,
    log_range,
    signed_ends,
    styled,
)
from tegum.figures.traces import arrow, line
from tegum.geometry import Event, Visit, events, gram
from tegum.geometry.stages import axis_frame

RISES, FALLS, BOTH, OTHER, SHADE = "#c2500a", "#1f5fa8", "#8a4fa3", "#b5b5b5", "rgba(230, 190, 60, 0.35)"
SETS = (("#c2500a", "first set"), ("#1f5fa8", "second set"))
_SHADES = {
    "A": "rgba(190,190,190,0.35)",
    "B": "rgba(230,190,60,0.35)",
    "C": "rgba(110,180,120,0.35)",
    "D": "rgba(150,130,200,0.35)",
}
_MOST_PATHS, _FEW = 3, 12
_LEVEL_STOPS, _PATH_STOPS = 60, 50
"""At how many times a slider stops."""

_HEIGHTS = [0.65, 0.35]
_VIEWS = {
    "from the side": {"eye": {"x": 1.0, "y": -0.5, "z": 0.25}, "up": {"x": 0, "y": 0, "z": 1}},
    "from above": {"eye": {"x": 0.0, "y": -0.01, "z": 1.15}, "up": {"x": 0, "y": 1, "z": 0}},
}
_TIME_AXIS: dict[str, Any] = {"type": "log", "showgrid": False, **OUTSIDE}


@checked
def level_panels(
    models: Mapping[str, tuple[xr.Dataset, Sequence[Event]]] | xr.Dataset, clock: Mapping[str, str] | None = None
) -> go.Figure:
    """One column for each title, its model and the model's events: D_i over time above, the loss below.

    Models have ``D`` (time, feature), ``loss`` (time), times above 0; ``clock`` has, by title, the time's name with its unit.
    In place of both, a dataset with ``W`` recorded on the way: a training, or a flow.

    Raises:
        InvalidInputError: where W was not recorded on the way.
    """
    said = None
    if isinstance(models, xr.Dataset):
        said = recorded_paths(models, _MOST_PATHS, learning=True)
        models = {title: (path, _events_of(path)) for title, path in said.models.items()}
        clock = {title: path.attrs["clock"] for title, (path, _) in models.items()}
    clock = clock or dict.fromkeys(models, "time")
    for title, (model, _) in models.items():
        _require_times("level_panels", model, D=("time", "feature"))
        if title not in clock:
            raise InvalidInputError(f"clock has no name for the time of {title!r}", "give one by each title")
    panels = Panels.titled(models, rows=2, row_heights=_HEIGHTS, vertical_spacing=0.06, horizontal_spacing=0.09)
    for above, (title, (model, found)) in zip(panels, models.items(), strict=True):
        _draw_levels(above, model, found, clock[title])
    _finish_axes(panels, "exact loss" if said is None else _loss_name(next(iter(models.values()))[0]))
    figure = styled(panels.figure, 560, legend=legend_below(centred=True))
    return said.noted(figure) if said else carry(figure, {title: model for title, (model, _) in models.items()})


@checked
def level_slider(model: xr.Dataset, found: Sequence[Event] | None = None, clock: str | None = None) -> go.Figure:
    """One model's levels, events and loss, W^T W at one time, and a slider over time, which is called ``clock``.

    The model has ``W`` (time, hidden, feature), ``D`` (time, feature), ``loss`` (time), and times above 0.  Without events, a
    dataset with ``W`` recorded on the way: of a training with many models the best of one grid point is drawn.

    Raises:
        InvalidInputError: where W was not recorded on the way.
    """
    said = None
    if found is None:
        said, model = _one_path(model)
        found = _events_of(model)
    clock = model.attrs.get("clock", "time") if clock is None else clock
    _require_times("level_slider", model, W=("time", "hidden", "feature"), D=("time", "feature"))
    panels = Panels.beside(
        row_heights=_HEIGHTS,
        column_widths=[0.55, 0.45],
        vertical_spacing=0.06,
        horizontal_spacing=0.1,
        subplot_titles=["levels of the features, and the loss", "WᵀW at the marked time"],
    )
    above, below, right = panels.at(1, 1), panels.at(2, 1), panels.at(1, 2)
    _draw_levels(above, model, found, clock)
    W = model["W"].transpose("time", "hidden", "feature").values.astype(np.float64)
    order = _partners_adjacent(W[-1], np.argsort(-model["D"].values[-1], kind="stable"))
    shown = _moments(len(W), _LEVEL_STOPS)
    grams = np.round(gram(W[shown][:, :, order]), 2)
    names = [f"feature {i}" for i in order]
    most, ends = signed_ends(grams)
    bar, hover = {"thickness": 12, "len": 0.8, **ends}, "%{y} × %{x}: %{z:.2f}"
    scale = {"colorscale": SIGNED, "zmin": -most, "zmax": most, "colorbar": bar}
    right.add_square(go.Heatmap(z=grams[-1], x=names, y=names, hovertemplate=hover, **scale))
    times, loss = model["time"].values.astype(float), model["loss"].values
    above.add(_mark(times[-1], 0, 1))
    below.add(_mark(times[-1], float(loss.min()), float(loss.max())))
    traces = range(len(panels.figure.data) - 3, len(panels.figure.data))
    stops = times[shown].tolist()
    changes = [{"x": [names, [t, t], [t, t]], "z": [G, None, None]} for t, G in zip(stops, grams.tolist(), strict=True)]
    slider = _time_slider(clock, stops, changes, traces, pad=55)
    right.axes(showticklabels=False, ticks="")
    right.x_axis("feature, by level", 6)
    _finish_axes(panels, "exact loss" if said is None else _loss_name(model))
    legend = legend_above(1.16)
    figure = styled(panels.figure, 640, sliders=[slider], legend=legend, margin={"t": 95, "b": 40})
    return said.noted(figure) if said else carry(figure, {"": model})


@checked
def path_slider(
    model: xr.Dataset, found: Sequence[Visit] = (), set_size: int | None = None, clock: str | None = None
) -> go.Figure:
    """One model's path in 3-D, twice, its loss with the stages it visits, and a slider over time, which is called ``clock``.

    The model has ``W`` (time, hidden, feature), three hidden units, ``loss`` (time), times above 0; with a ``set_size`` two
    sets of features, in two colours.  Or it is a dataset with ``W`` recorded on the way, of which one model is drawn.

    Raises:
        InvalidInputError: where W was not recorded on the way, or has other than three hidden dimensions.
    """
    said = None
    if "time" not in model.dims or "W_history" in model or "clock" not in model.attrs:
        said, model = _one_path(model)
    clock = model.attrs.get("clock", "time") if clock is None else clock
    _require_times("path_slider", model, W=("time", "hidden", "feature"))
    if model.sizes["hidden"] != 3:
        advice = "path_slider draws 3; arrow_film and level_slider draw any"
        raise InvalidInputError(f"W has {model.sizes['hidden']} hidden dimensions", advice)
    if set_size is not None and (set_size < 1 or model.sizes["feature"] != 2 * set_size):
        raise InvalidInputError(f"set_size is {set_size} and there are {model.sizes['feature']} features", "give two sets")
    specs = [[{"type": "scene"}, {"type": "scene"}], [{"colspan": 2}, None]]
    gaps: dict[str, Any] = {"vertical_spacing": 0.05, "horizontal_spacing": 0.02}
    panels = Panels.titled(_VIEWS, rows=2, specs=specs, row_heights=[0.66, 0.34], **gaps)
    W = model["W"].transpose("time", "hidden", "feature").values.astype(np.float64)
    n = W.shape[2]
    W = np.round(W if set_size is None else axis_frame(W[-1], set_size) @ W, 3)
    sets = [(category(i), f"feature {i}") if set_size is None else SETS[i // set_size] for i in range(n)]
    reach = max(1.1, 1.05 * float(np.abs(W).max()))
    arrows: list[int] = []
    for view in panels:
        for (x, y, z), (colour, _) in zip(W.transpose(2, 1, 0), sets, strict=True):
            path = {"mode": "lines", "line": {"color": colour, "width": 3}, "opacity": 0.6}
            view.add(go.Scatter3d(x=x, y=y, z=z, **path, showlegend=False, hoverinfo="skip"))
        arrows += range(len(panels.figure.data), len(panels.figure.data) + n)
        for i, (tip, (colour, name)) in enumerate(zip(W[-1].T, sets, strict=True)):
            drawn = arrow(tip, colour, 6, 5, f"feature {i}: %{{x:.2f}}, %{{y:.2f}}, %{{z:.2f}}")
            view.add(drawn.update(name=name, legendgroup=name))
    times, loss = model["time"].values, model["loss"].values
    below = panels.at(2, 1)
    low, high = _height(below, loss)
    below.add(line(times, loss, INK, 2, hover="%{x:.3g}: loss %{y:.3g}", showlegend=False))
    below.add(_mark(times[-1], low, high, "dot"))
    for visit in found:
        begins, ends = times[visit.first], times[visit.last]
        below.shade([(begins, ends)], _SHADES[visit.stage])
        below.note(visit.stage, x=float(np.log10(begins * ends) / 2), y=0.98, yref="y domain", yanchor="top")
    below.x_axis(clock, 4, **_TIME_AXIS, **log_labels([times]))
    name, across = "exact loss" if said is None else _loss_name(model), log_range([low, high])
    below.y_axis(name, 6, type="log", range=across, gridcolor=FAINT, **log_labels([loss]))
    shown = _moments(len(W), _PATH_STOPS)
    changes = [_moved(W[k], float(times[k]), [low, high]) for k in shown]
    slider = _time_slider(clock, times[shown].tolist(), changes, [*arrows, len(panels.figure.data) - 1], pad=45)
    scenes = {name: _scene(view, reach) for name, view in zip(("scene", "scene2"), _VIEWS.values(), strict=True)}
    legend = legend_above(1.1)
    figure = styled(panels.figure, 720, sliders=[slider], legend=legend, margin={"t": 90, "b": 30, "l": 75}, **scenes)
    if set_size is None and n > _FEW:
        figure.update_layout(showlegend=False)
    return said.noted(figure) if said else carry(figure, {"": model})


def _height(panel: Panels, loss: NDArray[np.float64]) -> tuple[float, float]:
    """The ends of a logarithmic axis of losses; the panel says so where there are none."""
    known = loss[np.isfinite(loss) & (loss > 0)]
    if known.size:
        return float(known.min()) * 0.8, float(known.max()) * 1.25
    panel.note("no losses were recorded", x=0.5, y=0.5, xref="x domain", yref="y domain")
    return 0.1, 1.0


def _events_of(path: xr.Dataset) -> list[Event]:
    """The events of a path that was recorded."""
    return events(path["D"].values, path["time"].values, path["loss"].values)


def _one_path(data: xr.Dataset) -> tuple[Chosen, xr.Dataset]:
    """The path that is drawn where there is a picture for one: of the last grid point, which is named."""
    chosen = recorded_paths(data, 1, learning=True)
    title, path = next(iter(chosen.models.items()))
    return replace(chosen, said="; ".join(part for part in (title, chosen.said) if part)), path


def _require_times(figure: str, model: xr.Dataset, **variables: tuple[str, ...]) -> None:
    """Raises an `InvalidInputError` unless the model has these variables, losses, and times above 0."""
    needed(figure, model, **variables, loss=("time",), time=("time",))
    if not (model["time"] > 0).all():
        raise InvalidInputError(f"a time is {float(model['time'].min()):g}", "give times above 0")


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
        panel.x_axis(**_TIME_AXIS, zeroline=False, **log_labels([times]))
    for event, panel in product(found, (above, below)):
        panel.shade([(event.begins, event.ends)], SHADE)
    above.x_axis(showticklabels=False)
    above.y_axis(tickvals=[0, 0.5, 1], ticktext=["0", "1/2", "1"], range=[-0.03, 1.03])
    below.x_axis(clock, 6)


def _loss_name(path: xr.Dataset) -> str:
    """What its loss is: sampled in a training."""
    return "loss" if path.attrs.get("clock") == "optimizer step" else "exact loss"


def _finish_axes(panels: Panels, loss: str) -> None:
    panels.x_axis(**OUTSIDE)
    panels.y_axis(showline=True, linecolor=FAINT, **PLAIN)
    panels.at(1, 1).y_axis("dimensionality D<sub>i</sub>", 6)
    panels.at(2, 1).y_axis(loss, 6)


def _moved(W: NDArray[np.float64], time: float, mark: list[float]) -> dict[str, list[Any]]:
    """What changes at a time: every arrow in both views, and the mark on the loss."""
    x, y, z = ([[0, tip] for tip in coordinate] * 2 for coordinate in W.tolist())
    return {"x": [*x, [time, time]], "y": [*y, mark], "z": [*z, None]}


def _scene(view: dict[str, Any], reach: float) -> dict[str, Any]:
    axis = {"range": [-reach, reach], "showticklabels": False, "title": "", "showbackground": False, "gridcolor": "#e4e4e4"}
    axis |= {"zerolinecolor": "#9a9a9a"}
    ratio, camera = dict.fromkeys("xyz", 1.7), {**view, "projection": {"type": "orthographic"}}
    return {"xaxis": axis, "yaxis": axis, "zaxis": axis, "aspectmode": "manual", "aspectratio": ratio, "camera": camera}


def _moments(rows: int, most: int) -> NDArray[np.intp]:
    """The rows, evenly spaced and the last among them, at which a slider stops."""
    return np.unique(np.linspace(0, rows - 1, most).astype(int))


def _mark(time: float, low: float, high: float, dash: str | None = None) -> go.Scatter:
    """A vertical line at a time."""
    return line([time] * 2, [low, high], INK, 1.5, dash, showlegend=False)


def _time_slider(
    clock: str, times: Sequence[float], changes: Sequence[dict[str, list[Any]]], traces: Sequence[int], pad: int
) -> dict[str, Any]:
    """A slider over times, which stands at the last, ``pad`` pixels below the panels.

    At each time the traces with these numbers become what ``changes`` says: attribute to values, one for each trace.
    """
    steps = [
        {"method": "restyle", "label": f"{time:,.0f}" if time >= 100 else f"{time:.2g}", "args": [change, list(traces)]}
        for time, change in zip(times, changes, strict=True)
    ]
    return {"active": len(steps) - 1, "steps": steps, "currentvalue": {"prefix": f"{clock}: "}, "pad": {"t": pad}}
