"""Features as points that move through three dimensions, seen from the side and from above, with the loss and its stages below.

A slider moves the arrows along their paths and a mark along the loss.  Two sets of features have two colours.

>>> W = np.linspace(0.1, 1, 3)[:, None, None] * np.eye(3, 6)
>>> path = {"W": (("time", "hidden", "feature"), W), "loss": ("time", [3.0, 2.0, 1.0])}
>>> model = xr.Dataset(path, {"time": [1.0, 10.0, 100.0]})
>>> figure = path_slider(model, [], set_size=3, clock="steps")
>>> [step.label for step in figure.layout.sliders[0].steps]
['1', '10', '100']

Source: section 6 of `Toy Models of Superposition` (learning as geometric transformations).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, legend_row, styled
from tegum.figures.timeline import TIME_AXIS, mark, moments, time_slider
from tegum.figures.traces import arrow, line
from tegum.geometry import Visit, axis_frame

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
    panels = Panels(
        make_subplots(
            rows=2,
            cols=2,
            specs=[[{"type": "scene"}, {"type": "scene"}], [{"colspan": 2}, None]],
            row_heights=[0.66, 0.34],
            vertical_spacing=0.05,
            horizontal_spacing=0.02,
            subplot_titles=list(_VIEWS),
        )
    )
    W = model["W"].transpose("time", "hidden", "feature").values.astype(np.float64)
    W = np.round(axis_frame(W[-1], set_size) @ W, 3)
    n = W.shape[2]
    sets = [SETS[i // set_size] for i in range(n)]
    arrows: list[int] = []
    for view in (panels.at(1, 1), panels.at(1, 2)):
        for (x, y, z), (colour, _) in zip(W.transpose(2, 1, 0), sets, strict=True):
            path = {"mode": "lines", "line": {"color": colour, "width": 3}, "opacity": 0.6}
            view.add(go.Scatter3d(x=x, y=y, z=z, **path, showlegend=False, hoverinfo="skip"))
        arrows += range(len(panels.figure.data), len(panels.figure.data) + n)
        for i, (tip, (colour, name)) in enumerate(zip(W[-1].T, sets, strict=True)):
            drawn = arrow(tip, colour, 6, 5, f"feature {i}: %{{x:.2f}}, %{{y:.2f}}, %{{z:.2f}}")
            view.add(drawn.update(name=name, legendgroup=name))
    times, loss = model["time"].values, model["loss"].values
    low, high = float(loss.min()) * 0.8, float(loss.max()) * 1.25
    below = panels.at(2, 1)
    below.add(line(times, loss, INK, 2, hover="%{x:.3g}: loss %{y:.3g}", showlegend=False))
    below.add(mark(times[-1], low, high, "dot"))
    for visit in found:
        begins, ends = times[visit.first], times[visit.last]
        below.shade([(begins, ends)], _SHADES[visit.stage])
        below.note(visit.stage, x=float(np.log10(begins * ends) / 2), y=0.98, yref="y domain", yanchor="top")
    below.x_axis(clock, 4, **TIME_AXIS)
    log = {"type": "log", "exponentformat": "power", "dtick": 1}
    below.y_axis("exact loss", 6, **log, range=np.log10([low, high]).tolist(), gridcolor=FAINT)
    shown = moments(len(W), _MOMENTS)
    changes = [_moved(W[k], float(times[k]), [low, high]) for k in shown]
    slider = time_slider(clock, times[shown].tolist(), changes, [*arrows, len(panels.figure.data) - 1], pad=45)
    scenes = dict(zip(("scene", "scene2"), map(_scene, _VIEWS.values()), strict=True))
    legend = legend_row(1.1, yanchor="bottom")
    return styled(panels.figure, 720, sliders=[slider], legend=legend, margin={"t": 90, "b": 30, "l": 75}, **scenes)


def _moved(W: NDArray[np.float64], time: float, mark: list[float]) -> dict[str, list[Any]]:
    """What changes at a time: every arrow in both views, and the mark on the loss."""
    x, y, z = ([[0, tip] for tip in coordinate] * 2 for coordinate in W.tolist())
    return {"x": [*x, [time, time]], "y": [*y, mark], "z": [*z, None]}


def _scene(view: dict[str, Any]) -> dict[str, Any]:
    axis = {"range": [-1.1, 1.1], "showticklabels": False, "title": "", "showbackground": False, "gridcolor": "#e4e4e4"}
    axis |= {"zerolinecolor": "#9a9a9a"}
    camera = {"eye": view["eye"], "up": view["up"], "projection": {"type": "orthographic"}}
    return {"xaxis": axis, "yaxis": axis, "zaxis": axis, "aspectmode": "manual", "aspectratio": _RATIO, "camera": camera}
