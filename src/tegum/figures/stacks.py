"""Stack plots: one bar for each neuron, one rectangle for each of its weights, so that polysemantic neurons are seen.

A rectangle is as high as |weight|; negative weights hang below the axis unless asked otherwise.  Its colour is the feature's
interference with the others (dark 0, yellow 1 and more) or the feature itself.  Neurons are sorted by their largest
weight's feature, and those given as polysemantic stand on grey.  On request the weights stand above as a matrix, neurons
in the same order (columns), features down the rows.

Source: sections 8 and 9 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.figures.theme import INK, SIGNED, styled
from tegum.geometry import interference, neuron_order

_MIXED, _NAMED = "Inferno", "Viridis_r"
_GROUND = "#e4e4e4"
_VISIBLE = 0.01
"""Rectangles below this share of the panel's largest weight are not drawn: they would be thinner than a line."""

_MANY, _THIN = 20, 0.15
"""Rectangles of more features than this get thinner borders, which would hide them otherwise."""


@final
@dataclass(frozen=True, eq=False)
class NeuronPanel:
    """One model as a stack plot shows it.

    Args:
        weights: (m, n), a row for each neuron.
        polysemantic: (m,), the neurons to shade.
    """

    weights: NDArray[np.floating]
    polysemantic: NDArray[np.bool_]

    def sorted(self, by: NDArray[np.floating] | None = None) -> "NeuronPanel":
        """The same model, its neurons in readable order, that of other weights (m, n) on request."""
        order = neuron_order(self.weights if by is None else by)
        return NeuronPanel(self.weights[order], self.polysemantic[order])


def stack_panels(
    panels: Mapping[str, NeuronPanel],
    colour: Literal["interference", "feature"] = "interference",
    signed: bool = True,
    columns: int | None = None,
    matrix: bool = False,
    row_height: int = 260,
    ordered_by: NDArray[np.floating] | None = None,
    own_scale: bool = False,
) -> go.Figure:
    """One stack plot for each title.

    Args:
        panels: title to model.
        colour: what the colour of a rectangle means.
        signed: whether negative weights hang below the axis.
        columns: how many panels stand side by side; all of them by default.
        matrix: whether the weights stand above each stack plot as a matrix.
        row_height: height of one row of panels in pixels.
        ordered_by: weights (m, n) that give all panels the same order of neurons; by default each has its own.
        own_scale: whether each panel is as high as its own highest stack, instead of all sharing one scale.
    """
    columns = len(panels) if columns is None else columns
    grounds: list[dict[str, Any]] = []
    blocks = -(-len(panels) // columns)
    each = 2 if matrix else 1
    titles = list(panels) + [""] * (blocks * columns - len(panels))
    shown = [title for block in range(blocks) for title in _titles(titles[block * columns : (block + 1) * columns], each)]
    figure = make_subplots(
        rows=each * blocks,
        cols=columns,
        subplot_titles=shown,
        horizontal_spacing=0.06 / columns,
        vertical_spacing=0.3 / (each * blocks + 1) if blocks > 1 else 0.04,
    )
    features = max(panel.weights.shape[1] for panel in panels.values())
    reach = _reach([panel.weights for panel in panels.values()], signed)
    for number, panel in enumerate(panels.values()):
        model, column = panel.sorted(ordered_by), number % columns + 1
        row = each * (number // columns + 1)
        if matrix:
            _add_matrix(figure, model, row - 1, column)
        _add_stack(figure, model, colour, signed, row, column)
        grounds += _grounds(figure, model.polysemantic, row, column)
        top, bottom = _reach([panel.weights], signed) if own_scale else reach
        figure.update_yaxes(range=[bottom, top], showticklabels=own_scale or column == 1, row=row, col=column)
        figure.update_yaxes(title="weights" if column == 1 else None, row=row, col=column)
        last_row = number + columns >= len(panels)
        figure.update_xaxes(title={"text": "neuron", "standoff": 4} if last_row else None, row=row, col=column)
    bar: dict[str, Any] = {"thickness": 12, "x": 1.01, "len": 0.45 if matrix else 0.8, "y": 0.22 if matrix else 0.5}
    if colour == "interference":
        bar |= {"title": {"text": "interference", "side": "right"}, "tickvals": [0, 0.5, 1]}
        scale = {"colorscale": _MIXED, "cmin": 0, "cmax": 1.15, "colorbar": bar}
    else:
        bar |= {"title": {"text": "feature", "side": "right"}, "tick0": 0, "dtick": max(1, features // 10)}
        scale = {"colorscale": _NAMED, "cmin": 0, "cmax": features - 1, "colorbar": bar}
    figure.update_layout(coloraxis=scale, showlegend=False, bargap=0.12, barmode="overlay")
    if matrix:
        above = {"title": {"text": "W", "side": "right"}, "thickness": 12, "x": 1.01, "len": 0.45, "y": 0.78}
        figure.update_layout(coloraxis2={"colorscale": SIGNED, "cmin": -1.5, "cmax": 1.5, "colorbar": above})
    figure.update_annotations(font_size=12)
    figure.update_layout(shapes=[*figure.layout.shapes, *grounds])
    return styled(figure, height=each * blocks * row_height + 80)


def _reach(weights: list[NDArray[np.floating]], signed: bool) -> tuple[float, float]:
    """The heights between which all stacks of all panels lie, with a little air."""
    up = max(float((np.maximum(w, 0) if signed else abs(w)).sum(axis=1).max()) for w in weights)
    down = max(float(np.maximum(-w, 0).sum(axis=1).max()) for w in weights) if signed else 0.0
    return 1.04 * up, -1.04 * down


def _titles(titles: list[str], each: int) -> list[str]:
    return titles + [""] * len(titles) * (each - 1)


def _add_matrix(figure: go.Figure, model: NeuronPanel, row: int, column: int) -> None:
    hover = "neuron %{x}, feature %{y}: %{z:.3f}<extra></extra>"
    figure.add_trace(go.Heatmap(z=model.weights.T, coloraxis="coloraxis2", hovertemplate=hover), row=row, col=column)
    figure.update_yaxes(autorange="reversed", showticklabels=False, ticks="", row=row, col=column)
    figure.update_xaxes(showticklabels=False, ticks="", row=row, col=column)
    if column == 1:
        figure.update_yaxes(title="feature, by importance", row=row, col=column)


def rectangles(weights: NDArray[np.floating], signed: bool = True) -> dict[str, NDArray[Any]]:
    """The rectangles of a stack plot: neuron, feature, height (below the axis negative) and base, largest weights innermost."""
    order = np.argsort(-abs(weights), axis=1, kind="stable")
    height = np.take_along_axis(weights, order, axis=1)
    height = height if signed else abs(height)
    up, down = np.maximum(height, 0), np.minimum(height, 0)
    base = np.where(height >= 0, np.cumsum(up, axis=1) - up, np.cumsum(down, axis=1) - down)
    drawn = abs(height) > _VISIBLE * abs(weights).max(initial=0.0)
    neuron = np.broadcast_to(np.arange(len(weights))[:, None], height.shape)
    return {"neuron": neuron[drawn], "feature": order[drawn], "height": height[drawn], "base": base[drawn]}


def _grounds(figure: go.Figure, shaded: NDArray[np.bool_], row: int, column: int) -> list[dict[str, Any]]:
    """A grey rectangle behind every shaded neuron; set all at once, because plotly takes long to add them one by one."""
    axis = figure.get_subplot(row, column).xaxis.plotly_name.removeprefix("xaxis")
    ground = {"type": "rect", "xref": f"x{axis}", "yref": f"y{axis} domain", "y0": 0, "y1": 1}
    look = {"fillcolor": _GROUND, "line": {"width": 0}, "layer": "below"}
    return [{**ground, **look, "x0": k - 0.5, "x1": k + 0.5} for k in np.flatnonzero(shaded).tolist()]


def _add_stack(figure: go.Figure, model: NeuronPanel, colour: str, signed: bool, row: int, column: int) -> None:
    parts = rectangles(model.weights, signed)
    mixed = interference(model.weights)
    shade = np.clip(mixed, 0, 1)[parts["feature"]] if colour == "interference" else parts["feature"]
    weight = model.weights[parts["neuron"], parts["feature"]]
    border = _THIN if model.weights.shape[1] > _MANY else 0.6
    figure.add_trace(
        go.Bar(
            x=parts["neuron"],
            y=parts["height"],
            base=parts["base"],
            marker={
                "color": shade,
                "coloraxis": "coloraxis",
                "line": {"width": border, "color": "white"},
            },
            customdata=np.column_stack([parts["feature"], weight, mixed[parts["feature"]]]),
            hovertemplate="neuron %{x}, feature %{customdata[0]}: %{customdata[1]:.3f}, "
            "interference %{customdata[2]:.2f}<extra></extra>",
        ),
        row=row,
        col=column,
    )
    figure.add_hline(y=0, line={"color": INK, "width": 1}, row=row, col=column)
    figure.update_xaxes(
        range=[-0.5, len(model.weights) - 0.5],
        showticklabels=False,
        ticks="",
        showgrid=False,
        zeroline=False,
        row=row,
        col=column,
    )
    figure.update_yaxes(showgrid=False, zeroline=False, nticks=5, row=row, col=column)
