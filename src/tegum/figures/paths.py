"""Models on their way: W at recorded steps, along the time of a flow, or along a branch; and a film of them with a play button.

`recorded_paths` brings all of these to one form: ``W`` (time, hidden, feature), its dimensionalities ``D`` (time, feature),
``loss`` (time), times above 0, and the attribute ``clock``, the time's name.

>>> W = xr.DataArray(np.ones((3, 2, 5)), {"time": [0.0, 1.0, 10.0]}, ["time", "hidden", "feature"])
>>> film = arrow_film(xr.Dataset({"W": W, "loss": ("time", [3.0, 2.0, 1.0])}))
>>> [button.label for button in film.layout.updatemenus[0].buttons], [frame.name for frame in film.frames]
(['▶ play', '❚❚ pause'], ['0', '1', '10'])
"""

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked, require_axes
from tegum.errors import InvalidInputError
from tegum.figures.models import Chosen, clock_of, drawn_models
from tegum.figures.panels import Panels
from tegum.figures.theme import INK, PLAIN, SIGNED, category, colour_scale, legend_above, signed_ends, styled
from tegum.figures.traces import circle, segments
from tegum.geometry import dimensionality, gram

_MOST_FILMS, _MOST_FRAMES, _FRAME_MS, _MOST_NAMED = 3, 60, 120, 10
"""How many models and moments are drawn at most, how long a moment lasts, and how many features have a colour of their own."""

_PANEL, _TITLE_LINE = 310, 20
"""How many pixels a panel is high, and a line of its title."""

_CLOCKS = {"step": "optimizer step", "time": "time"}


def recorded_paths(data: xr.Dataset, most: int = _MOST_FILMS, learning: bool = False) -> Chosen:
    """The paths of the models drawn of a dataset, at most so many, in one form; with ``learning`` only those above time 0.

    Raises:
        InvalidInputError: where W was recorded along nothing.
    """
    history = "W_history" if isinstance(data, xr.Dataset) and "W_history" in data else "W"
    clock = clock_of(data, history)
    if clock is None or (history == "W" and clock == "step"):
        advice = 'train with Recipe(record=("loss", "W", "b"), record_steps=40), or give a flow or a branch'
        raise InvalidInputError("the dataset has no W along steps or time", advice)
    if history == "W":
        return Chosen({"": _path(data, "", clock, learning)}, "")
    chosen = drawn_models(data, most)
    paths = {title: _path(model, "_history", clock, learning) for title, model in chosen.models.items()}
    return replace(chosen, models=paths)


@checked
def arrow_film(data: xr.Dataset) -> go.Figure:
    """Up to three models as they move: arrows in 1 to 3 hidden dimensions, W^T W beyond; a play button, and a slider.

    Of a training with ``W`` recorded on the way, a flow, or a branch that is followed.

    Raises:
        InvalidInputError: where W was recorded along nothing.
    """
    chosen = recorded_paths(data)
    times = max((path["time"].values for path in chosen.models.values()), key=len)
    paths = {title: _at(path, times) for title, path in chosen.models.items()}
    m, n = next(iter(paths.values())).shape[1:]
    kinds: dict[str, Any] = {"specs": [[{"type": "scene"}] * len(paths)]} if m == 3 else {}
    ended = ["" if len(path["time"]) == len(times) else _until(path) for path in chosen.models.values()]
    titles = ["".join(both) for both in zip(chosen.titles, ended, strict=True)]
    panels = Panels.titled(titles, horizontal_spacing=0.04, **kinds)
    reach = 1.1 * max(1.05, *(float(np.linalg.norm(W, axis=1).max()) for W in paths.values()))
    shown = np.unique(np.linspace(0, len(times) - 1, _MOST_FRAMES).astype(int))
    if m == 2:
        for panel in panels:
            panel.add(circle(showlegend=False))
    named = m < 4 and n <= _MOST_NAMED
    if named:
        panels.at(1, 1).add(*(_key(i, m) for i in range(n)))
    first = len(panels.figure.data)
    for panel, W in zip(panels, paths.values(), strict=True):
        drawn = _picture(W[shown[-1]])
        panel.add_square(drawn) if m > 3 else panel.add(drawn)
        if m == 2:
            panel.same_units()
    moving = list(range(first, len(panels.figure.data)))
    labels = [f"{times[k]:,.0f}" if times[k] >= 100 or float(times[k]).is_integer() else f"{times[k]:.3g}" for k in shown]
    labels = [f"{label}{'' if labels.count(label) == 1 else f' ({k})'}" for k, label in enumerate(labels)]
    panels.figure.frames = [
        go.Frame(name=label, data=[_picture(W[k]) for W in paths.values()], traces=moving)
        for label, k in zip(labels, shown, strict=True)
    ]
    colours = signed_ends(*(gram(W[shown]) for W in paths.values())) if m > 3 else (1.0, {})
    _describe(panels, m, n, reach, colours)
    head = _TITLE_LINE * max(title.count("<br>") + 1 for title in titles)
    legend = legend_above(1 + (head + 10) / _PANEL, itemsizing="constant")
    margin = {"t": head + 80, "b": 110, "l": 65}
    figure = styled(panels.figure, _PANEL + margin["t"] + margin["b"], showlegend=named, legend=legend, margin=margin)
    figure.update_layout(sliders=[_slider(labels, _named(chosen))], updatemenus=[_buttons()])
    return chosen.noted(figure)


def _at(path: xr.Dataset, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """W at all these times; after the last one that is finite, W there."""
    return path["W"].values[np.searchsorted(path["time"].values, times, side="right") - 1]


def _until(path: xr.Dataset) -> str:
    """The end of a title of a model that diverged before others did."""
    return f"<br>diverged after {path.attrs['clock']} {float(path['time'][-1]):g}"


def _path(model: xr.Dataset, ending: str, clock: str, learning: bool) -> xr.Dataset:
    """One path in the common form, of variables with this ``ending``; without losses they are NaN."""
    own = {f"{name}{ending}": name for name in ("W", "b", "loss") if f"{name}{ending}" in model}
    path = model[list(own)].rename(own)
    path = path.sortby(clock) if clock in path.indexes else path
    require_axes("W on the way", path["W"], (clock, "hidden", "feature"))
    W = path["W"].transpose(clock, "hidden", "feature")
    times, finite = W[clock].values.astype(np.float64), np.isfinite(W.values).all(axis=(1, 2))
    kept = finite & (times > 0) if learning else finite
    if kept.sum() < 2:
        raise InvalidInputError(
            f"W is recorded at {kept.sum()} places along {clock}", "record at least 2 steps after the first"
        )
    values = W.values[kept].astype(np.float64)
    path = path.rename({} if clock == "time" else {clock: "time"}).isel(time=kept)
    path = path.assign(W=(("time", "hidden", "feature"), values), D=(("time", "feature"), dimensionality(values)))
    if "loss" not in path:
        path["loss"] = ("time", np.full(len(values), np.nan))
    return path.assign_coords(time=times[kept]).assign_attrs(clock=_CLOCKS.get(clock, clock.replace("_", " ")))


def _picture(W: NDArray[np.float64]) -> Any:
    """One model at one time, in one trace."""
    m, n = W.shape
    if m > 3:
        return go.Heatmap(z=np.round(gram(W), 3), coloraxis="coloraxis", hovertemplate="%{y} × %{x}: %{z:.2f}<extra></extra>")
    tips = np.round(W if m > 1 else np.stack([W[0], np.arange(n)]), 4)
    tails = np.zeros_like(tips) if m > 1 else np.stack([np.zeros(n), np.arange(n)])
    ends = segments(tails, tips)
    colours = np.repeat([category(i) for i in range(n)], 3)
    marker = {"size": [0, 8 if m < 3 else 5, 0] * n, "color": colours, "line": {"width": 0}, "opacity": 1}
    words = np.repeat([f"feature {i}, norm {np.linalg.norm(W[:, i]):.3f}" for i in range(n)], 3)
    look = {"mode": "lines+markers", "marker": marker, "text": words, "hovertemplate": "%{text}<extra></extra>"}
    kind = go.Scatter3d if m == 3 else go.Scatter
    stem = {"color": "#9a9aa2", "width": 4 if m == 3 else 2}
    return kind(**dict(zip("xyz", ends, strict=False)), **look, line=stem, showlegend=False)


def _key(i: int, m: int) -> go.Scatter | go.Scatter3d:
    """The entry of a feature in the legend."""
    kind, at = (go.Scatter3d, "xyz") if m == 3 else (go.Scatter, "xy")
    place: dict[str, Any] = {axis: [None] for axis in at}
    return kind(**place, mode="markers", marker={"size": 8, "color": category(i)}, name=f"feature {i}", hoverinfo="skip")


def _describe(panels: Panels, m: int, n: int, reach: float, colours: tuple[float, dict[str, Any]]) -> None:
    """The axes of every panel, and where the colours of matrices end."""
    if m == 3:
        axes = {
            f"{axis}axis": {
                "range": [-reach, reach],
                "title": {"text": f"hidden {k}"},
                "tickvals": [-1, 0, 1],
                "showbackground": False,
            }
            for k, axis in enumerate("xyz")
        }
        panels.figure.update_scenes({**axes, "aspectmode": "cube", "camera": {"eye": {"x": 1.6, "y": 1.6, "z": 0.95}}})
    elif m > 3:
        panels.figure.update_layout(coloraxis=colour_scale(SIGNED, -colours[0], colours[0], "WᵀW", **colours[1]))
        panels.axes(**PLAIN)
        panels.x_axis("feature", 6)
    else:
        panels.x_axis("hidden 0", 6, range=[-reach, reach], constrain="domain", tickvals=[-1, 0, 1], **PLAIN)
        up: dict[str, Any] = (
            {"range": [-reach, reach], "tickvals": [-1, 0, 1], "constrain": "domain"} if m == 2 else {"range": [n - 0.5, -0.5]}
        )
        panels.y_axis(**up, **PLAIN)
        panels.at(column=1).y_axis("hidden 1" if m == 2 else "feature")


def _named(chosen: Chosen) -> str:
    return str(next(iter(chosen.models.values())).attrs["clock"])


def _slider(labels: list[str], clock: str) -> dict[str, Any]:
    at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    steps = [{"method": "animate", "label": label, "args": [[label], at_once]} for label in labels]
    place = {"x": 0.16, "len": 0.84, "pad": {"t": 50}, "active": len(labels) - 1}
    return {"steps": steps, "currentvalue": {"prefix": f"{clock}: "}, **place}


def _buttons() -> dict[str, Any]:
    """Play from the first frame, and stop."""
    play = {
        "frame": {"duration": _FRAME_MS, "redraw": True},
        "transition": {"duration": 0},
        "fromcurrent": False,
        "mode": "immediate",
    }
    stop = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    buttons = [
        {"label": "▶ play", "method": "animate", "args": [None, play]},
        {"label": "❚❚ pause", "method": "animate", "args": [[None], stop]},
    ]
    place = {"x": 0, "xanchor": "left", "y": 0, "yanchor": "top", "pad": {"t": 55}}
    return {"type": "buttons", "direction": "down", "showactive": False, "buttons": buttons, "font": {"color": INK}, **place}
