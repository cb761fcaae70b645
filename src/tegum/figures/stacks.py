"""Stack plots: one bar for each neuron, one rectangle for each of its weights, so that polysemantic neurons are seen.

A rectangle is as high as |weight|; negative weights hang below the axis unless asked otherwise.  Its colour is the feature's
interference with the others (dark 0, yellow 1 and more) or the feature itself.  Neurons are sorted by their largest
weight's feature (those of a matrix above too), and those given as polysemantic stand on grey.

>>> parts = rectangles(np.array([[1.0, -0.5, 0.25]]))        # one neuron
>>> {name: values.tolist() for name, values in parts.items() if name != "neuron"}
{'feature': [0, 1, 2], 'height': [1.0, -0.5, 0.25], 'base': [0.0, 0.0, 1.0]}

Source: sections 8 and 9 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast, final

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.errors import Problems
from tegum.figures.models import Chosen, Models, are_all, drawn_models, weights_of
from tegum.figures.panels import Panels
from tegum.figures.theme import INK, INTERFERENCE, MIXED, PLAIN, SIGNED, colour_scale, shades, signed_ends, styled
from tegum.figures.traces import colour_key, segments
from tegum.geometry import interference, monosemantic, neuron_order

_NAMED = "Viridis_r"
_GROUND = "#e4e4e4"
_VISIBLE = 0.01
"""Rectangles below this share of the panel's largest weight are not drawn: they would be thinner than a line."""

_MANY, _THIN = 20, 0.15
"""Rectangles of more features than this get thinner borders, which would hide them otherwise."""

_USUAL = 1.5
"""Where the colours of a matrix of weights end, unless some are far larger."""

_MANY_RECTANGLES, _COLOURS, _CORNERS, _HALF = 2000, 24, 6, 0.44
"""More weights than this are drawn as outlines, in so many colours; the points of one with the gap; half the width of one."""


@final
@dataclass(frozen=True, eq=False)
class NeuronPanel:
    """One model as a stack plot shows it: a row of weights (m, n) for each neuron, and which neurons are shaded (m,)."""

    weights: NDArray[np.floating]
    polysemantic: NDArray[np.bool_]

    def sorted(self, by: NDArray[np.floating] | None = None) -> "NeuronPanel":
        """The same model, its neurons in readable order, that of other weights (m, n) on request."""
        order = neuron_order(self.weights if by is None else by)
        return NeuronPanel(self.weights[order], self.polysemantic[order])


@takes_arrays
def stack_panels(
    panels: Mapping[str, NeuronPanel] | Models,
    colour: Literal["interference", "feature"] = "interference",
    signed: bool = True,
    columns: int | None = None,
    matrix: bool = False,
    row_height: int = 260,
    ordered_by: NDArray[np.floating] | None = None,
    own_scale: bool = False,
) -> go.Figure:
    """One stack plot for each title, ``columns`` or all of them side by side; ``row_height`` is in pixels.

    Of a dataset models are drawn by their ``W1`` or ``W``, neurons with weights of several features as polysemantic.

    With ``signed`` negative weights hang below the axis, with ``matrix`` weights stand above as a matrix, with ``own_scale``
    each panel is as high as its own highest stack.  Neurons have each panel's own order, or that of weights ``ordered_by``.
    """
    said = None
    if not are_all(panels, NeuronPanel):
        said, panels = _neurons_of(panels)
    panels = cast("Mapping[str, NeuronPanel]", panels)
    columns = len(panels) if columns is None else columns
    with Problems() as problems:
        problems.check_count("columns", columns)
        if ordered_by is not None and {ordered_by.shape[:-1]} != {panel.weights.shape[:-1] for panel in panels.values()}:
            problems.add(f"ordered_by has shape {ordered_by.shape}", "give a row for each neuron, of which panels have as many")
    blocks, each = -(-len(panels) // columns), 2 if matrix else 1
    titles = np.full((blocks, each, columns), "", dtype=object)
    titles[:, 0].flat[: len(panels)] = list(panels)
    gap = 0.3 / (each * blocks + 1) if blocks > 1 else 0.04
    drawn = Panels.titled(titles.ravel(), columns, horizontal_spacing=0.06 / columns, vertical_spacing=gap)
    places = [(each * (k // columns + 1), k % columns + 1) for k in range(len(panels))]
    models = [panel.sorted(ordered_by) for panel in panels.values()]
    features = max(panel.weights.shape[1] for panel in panels.values())
    named = colour == "feature"
    scale = (_NAMED, features - 1 or 1) if named else (INTERFERENCE, MIXED)
    draw = _add_outlines if sum(model.weights.size for model in models) > _MANY_RECTANGLES else _add_bars
    for number, ((row, column), model) in enumerate(zip(places, models, strict=True)):
        if matrix:
            _add_matrix(drawn.at(row - 1, column), model)
        stack, first = drawn.at(row, column), column == 1
        draw(stack, _Stack(model, named, signed), scale)
        _finish_stack(stack, model)
        bottom, top = _reach([model] if own_scale else models, signed)
        stack.y_axis("weights" if first else None, range=[bottom, top], showticklabels=own_scale or first)
        if number + columns >= len(panels):
            stack.x_axis("neuron", 4)
    for place, model in zip(places, models, strict=True):
        drawn.at(*place).shade(_spans(model.polysemantic), _GROUND)
    at: dict[str, Any] = {"x": 1.01, "y": 0.22, "len": 0.45} if matrix else {"x": 1.01, "y": 0.5, "len": 0.8}
    if named:
        key = colour_key(_NAMED, 0, features - 1, "feature", tick0=0, dtick=max(1, features // 10), **at)
    else:
        key = colour_key(INTERFERENCE, 0, MIXED, "interference", tickvals=[0, 0.5, 1], **at)
    drawn.figure.add_trace(key)
    scales = {"coloraxis": _scale_of_weights(models)} if matrix else {}
    drawn.figure.update_annotations(font_size=12)
    height = each * blocks * row_height + 80
    figure = styled(drawn.figure, height, showlegend=False, bargap=0.12, barmode="overlay", **scales)
    return said.noted(figure) if said else figure


def _neurons_of(models: Models) -> tuple[Chosen, dict[str, NeuronPanel]]:
    """The models drawn of a dataset, and their neurons."""
    name = "W1" if isinstance(models, xr.Dataset) and "W1" in models else "W"
    chosen = drawn_models(models, name=name)
    weights = {title: weights_of(model, name) for title, model in chosen.models.items()}
    return chosen, {title: NeuronPanel(W, ~monosemantic(W)) for title, W in weights.items()}


def _spans(which: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Where neurons stand, each 1 wide, as spans: neighbours together."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], which, [False]])))
    return [(begins - 0.5, after - 0.5) for begins, after in ends.reshape(-1, 2).tolist()]


def _reach(models: list[NeuronPanel], signed: bool) -> tuple[float, float]:
    """The heights between which all stacks of all models lie, with a little air."""
    up = max(float((np.maximum(m.weights, 0) if signed else abs(m.weights)).sum(axis=1).max()) for m in models)
    down = max(float(np.maximum(-m.weights, 0).sum(axis=1).max()) for m in models) if signed else 0.0
    return -1.04 * down, 1.04 * up


def _scale_of_weights(models: list[NeuronPanel]) -> dict[str, Any]:
    most, ends = signed_ends(*(model.weights for model in models), usual=_USUAL)
    return colour_scale(SIGNED, -most, most, "W", x=1.01, y=0.78, len=0.45, **ends)


def _add_matrix(panel: Panels, model: NeuronPanel) -> None:
    hover = "neuron %{x}, feature %{y}: %{z:.3f}"
    panel.add(go.Heatmap(z=model.weights.T, coloraxis="coloraxis", hovertemplate=hover))
    panel.axes(showticklabels=False, ticks="")
    panel.y_axis("feature" if panel.column == 1 else None, autorange="reversed")


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


@final
@dataclass(frozen=True, eq=False)
class _Stack:
    """The rectangles of one panel: where they are, what colours them, what is said of each."""

    model: NeuronPanel
    named: bool
    signed: bool

    @cached_property
    def parts(self) -> dict[str, NDArray[Any]]:
        return rectangles(self.model.weights, self.signed)

    @cached_property
    def mixed(self) -> NDArray[np.float64]:
        return interference(self.model.weights)

    @property
    def shade(self) -> NDArray[np.float64]:
        feature = self.parts["feature"]
        return feature.astype(np.float64) if self.named else np.clip(self.mixed, 0, 1)[feature]

    @property
    def said(self) -> NDArray[np.float64]:
        neuron, feature = self.parts["neuron"], self.parts["feature"]
        return np.column_stack([neuron, feature, self.model.weights[neuron, feature], self.mixed[feature]])


_HOVER = "neuron %{customdata[0]}, feature %{customdata[1]}: %{customdata[2]:.3f}, interference %{customdata[3]:.2f}"


def _add_bars(panel: Panels, stack: _Stack, scale: tuple[str, float]) -> None:
    """A bar for each rectangle."""
    parts = stack.parts
    border = {"width": _THIN if len(stack.mixed) > _MANY else 0.6, "color": "white"}
    bars = go.Bar(x=parts["neuron"], y=parts["height"], base=parts["base"], customdata=stack.said, hovertemplate=_HOVER)
    panel.add(bars.update(marker={"color": shades(scale[0], stack.shade, scale[1]), "line": border}))


def _add_outlines(panel: Panels, stack: _Stack, scale: tuple[str, float]) -> None:
    """The rectangles of about one colour as one outline: a page draws a few of these, not thousands of bars."""
    parts, bins = stack.parts, np.round(stack.shade / scale[1] * (_COLOURS - 1)).astype(int)
    left, right = parts["neuron"] - _HALF, parts["neuron"] + _HALF
    bottom, top = parts["base"], parts["base"] + parts["height"]
    x, y = segments(*np.stack([[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]]))
    x, y, said = x.reshape(-1, _CORNERS), y.reshape(-1, _CORNERS), np.repeat(stack.said[:, None], _CORNERS, axis=1)
    for number, colour in zip(range(_COLOURS), shades(scale[0], np.arange(_COLOURS), _COLOURS - 1), strict=True):
        if (mine := bins == number).any():
            look = {"mode": "none", "fill": "toself", "fillcolor": colour, "hoveron": "points", "hovertemplate": _HOVER}
            words = np.round(said[mine].reshape(-1, 4), 3)
            panel.add(go.Scatter(x=x[mine].ravel(), y=np.round(y[mine].ravel(), 4), customdata=words, **look))


def _finish_stack(panel: Panels, model: NeuronPanel) -> None:
    panel.figure.add_hline(y=0, line={"color": INK, "width": 1}, row=panel.row, col=panel.column)
    panel.x_axis(range=[-0.5, len(model.weights) - 0.5], showticklabels=False, ticks="", **PLAIN)
    panel.y_axis(nticks=5, **PLAIN)
