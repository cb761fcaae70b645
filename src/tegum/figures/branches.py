"""Losses of many runs over the exact curves of the solutions that they fell into.

A dot is a run, coloured by its geometry; a line beneath is an exact branch, and a cross marks where it ends.

>>> values = {"value": [0.5, 2.0], "branch": ["pentagon"]}
>>> exact = xr.Dataset({"loss": (("branch", "value"), [[0.02, 0.03]])}, values)
>>> exact = exact.assign(lost_at=("branch", [np.nan]), lost_loss=("branch", [np.nan]))
>>> loss, kind = (("value", "seed"), [[0.02], [0.04]]), (("value", "seed"), [["pentagon"], ["square"]])
>>> figure = branch_scatter(xr.Dataset({"loss": loss, "kind": kind}, {"value": [0.5, 2.0]}), exact, ["square"], "ratio", {})
>>> [trace.name for trace in figure.data]
['exact: pentagon', 'square (1 runs)']

Source: section 5 of `Toy Models of Superposition`, the perturbation of one feature, whose colours for pentagon, square and
triangle (orange, yellow, green) are darkened here until they can be told apart.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tegum.checking import checked
from tegum.figures.models import needed
from tegum.figures.panels import Panels
from tegum.figures.theme import DASHES, INK, PLAIN, legend_below, log_range, styled
from tegum.figures.traces import dots, line

COLOURS = ("#d55e00", "#e6b800", "#009e73", "#888888")
_SYMBOLS = ("circle", "square", "triangle-up", "x")
_DASHES = (*DASHES, "longdash")


@checked
def branch_scatter(
    runs: xr.Dataset, branches: xr.Dataset, kinds: Sequence[str], label: str, places: Mapping[str, float]
) -> go.Figure:
    """Loss against a value, both logarithmic.

    Args:
        runs: ``loss`` and ``kind`` with the dimensions (value, seed), by any name for the first.
        branches: ``loss`` (branch, value), NaN where there is none; ``lost_at`` and ``lost_loss`` (branch).
        kinds: the kinds in the legend's order, four at most.
        label: the name of the value, with its unit.
        places: title to a value that is marked by a vertical line.

    Raises:
        InvalidInputError: where a variable is missing, or has other dimensions.
    """
    along = next((str(dim) for dim in branches["loss"].dims if dim != "branch"), "value") if "loss" in branches else "value"
    needed("branch_scatter", branches, loss=("branch", along), lost_at=("branch",), lost_loss=("branch",))
    first = next((str(dim) for dim in runs["loss"].dims if dim != "seed"), "value") if "loss" in runs else "value"
    needed("branch_scatter", runs, ("kind",), loss=(first, "seed"), kind=(first, "seed"))
    chart = Panels(go.Figure())
    value = next(str(dim) for dim in branches["loss"].dims if dim != "branch")
    for k, branch in enumerate(branches["branch"].values):
        name, loss = f"exact: {branch}", branches["loss"].sel(branch=branch)
        hover = f"{name}<br>{label} %{{x:.4g}}<br>loss %{{y:.6f}}"
        chart.add(line(loss[value].values, loss.values, INK, 1.5, _DASHES[k % len(_DASHES)], hover, name=name))
    losses = runs["loss"].values
    where = np.broadcast_to(runs[runs["loss"].dims[0]].values[:, None], losses.shape)
    for kind, colour, symbol in zip(kinds, COLOURS, _SYMBOLS, strict=False):
        chosen = (runs["kind"] == kind).values
        if chosen.any():
            hover, name = f"{kind}<br>{label} %{{x:.4g}}<br>exact loss %{{y:.6f}}", f"{kind} ({chosen.sum()} runs)"
            look = {"color": colour, "symbol": symbol, "size": 8, "opacity": 0.8, "line": {"color": INK, "width": 0.4}}
            chart.add(dots(where[chosen], losses[chosen], look, hover, name))
    ended = branches.where(np.isfinite(branches["lost_at"]), drop=True)
    if ended.sizes["branch"]:
        cross = {"symbol": "x-thin", "size": 12, "line": {"color": INK, "width": 3}}
        chart.add(dots(ended["lost_at"].values, ended["lost_loss"].values, cross, "ends at %{x:.6f}", "the branch ends"))
    for k, (title, place) in enumerate(places.items()):
        chart.figure.add_vline(x=place, line={"color": INK, "width": 1, "dash": "dot"})
        above = {"y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": "left" if k else "right"}
        chart.note(title, x=np.log10(place), font={"size": 13}, **above)
    chart.x_axis(label, 8, type="log", range=log_range(where, 0.05), tickvals=[0.1, 0.2, 0.5, 1, 2, 5, 10], **PLAIN)
    ticks = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]
    chart.y_axis("expected loss", 10, type="log", range=log_range(losses, 0.05), tickvals=ticks)
    chart.y_axis(gridcolor="#eeeeee", zeroline=False)
    return styled(chart.figure, 600, legend=legend_below(), margin={"l": 75, "t": 40})
