"""The weights of a two-matrix net as a graph: inputs below, neurons in the middle, outputs above, an edge for each weight.

Red edges excite, blue ones inhibit; the wider, the larger the weight.  Neurons are rescaled so that their largest input
weight is 1 (`tegum.geometry.rescaled_neurons`), stand in the order of their main feature, and carry a dark
ring where they are marked: as polysemantic, or as parts of a motif.

>>> graph = WeightGraph(np.array([[2.0], [-1.0]]), np.array([[0.5, -1.0]]), marked=np.array([False, True]))
>>> [str(trace.text[0]) for trace in weight_graphs({"|x|": graph}).data[:2]]
['input weight of neuron 0 from x_0: 1.00', 'input weight of neuron 1 from x_0: -1.00']

Source: the bipartite weight graphs of section 9 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, final

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.figures.models import Chosen, Models, are_all, drawn_models, weights_of
from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, NEGATIVE, PLAIN, POSITIVE, legend_below, styled
from tegum.figures.traces import dots, line, segments
from tegum.geometry import neuron_order, rescaled_neurons

_WIDTHS = 6
_WIDEST = 6.0
_NODE, _NUMBERED_NODE = 11, 19
_FEW = 12
"""Up to so many features carry their number."""


@final
@dataclass(frozen=True, eq=False)
class WeightGraph:
    """One net as the graph shows it: input weights (m, n), output weights (n, m), and which neurons get a dark ring (m,)."""

    W1: NDArray[np.floating]
    W2: NDArray[np.floating]
    marked: NDArray[np.bool_]

    def settled(self) -> "WeightGraph":
        """The same net at its canonical scale, its neurons in readable order."""
        W1, W2 = rescaled_neurons(self.W1.astype(np.float64), self.W2.astype(np.float64))
        order = neuron_order(W1)
        return WeightGraph(W1[order], W2[:, order], self.marked[order])


def edges(weights: NDArray[np.floating], least: float) -> dict[str, NDArray[Any]]:
    """The weights (rows, columns) of at least ``least`` in size: row, column, sign and class of width from 1 to 6."""
    largest = abs(weights).max(initial=0.0)
    row, column = np.nonzero((abs(weights) >= least) & (weights != 0))
    size = abs(weights[row, column]) / largest if largest > 0 else abs(weights[row, column])
    width = np.clip(np.ceil(size * _WIDTHS), 1, _WIDTHS).astype(int)
    return {"row": row, "column": column, "sign": np.sign(weights[row, column]).astype(int), "width": width}


@checked
def weight_graphs(
    graphs: Mapping[str, WeightGraph] | Models, least: float = 0.1, columns: int | None = None, row_height: int = 420
) -> go.Figure:
    """One weight graph for each title, ``columns`` or all of them side by side; ``row_height`` is in pixels.

    Of a dataset models are drawn by ``W1`` and ``W2``, or by ``W`` and its transpose.  Weights smaller than ``least``, after
    rescaling, are not drawn.
    """
    said = None
    if not are_all(graphs, WeightGraph):
        said, graphs = _graphs_of(graphs)
    graphs = cast("Mapping[str, WeightGraph]", graphs)
    if not graphs or (columns is not None and columns < 1):
        raise InvalidInputError(f"there are {len(graphs)} graphs in {columns} columns", "draw at least one of each")
    columns = columns or len(graphs)
    rows = -(-len(graphs) // columns)
    panels = Panels.titled(graphs, columns, horizontal_spacing=0.04, vertical_spacing=0.12 / rows)
    for panel, graph in zip(panels, graphs.values(), strict=True):
        _add_graph(panel, graph.settled(), least)
    panels.axes(visible=False)
    layers: dict[str, Any] = {"tickvals": [0, 1, 2], "ticktext": ["inputs x", "neurons", "outputs"], "ticks": "", **PLAIN}
    panels.y_axis(range=[-0.25, 2.25])
    panels.at(column=1).y_axis(visible=True, **layers)
    legend = legend_below(centred=True)
    figure = styled(panels.figure, rows * row_height + 90, legend=legend, margin={"l": 75})
    return said.noted(figure) if said else figure


def _graphs_of(models: Models) -> tuple[Chosen, dict[str, WeightGraph]]:
    """The models drawn of a dataset, as graphs without marks."""
    untied = isinstance(models, xr.Dataset) and "W1" in models and "W2" in models
    name = "W1" if untied else "W"
    chosen, graphs = drawn_models(models, name=name), {}
    for title, model in chosen.models.items():
        W1 = weights_of(model, name)
        W2 = model["W2"].transpose("feature", "hidden").values.astype(np.float64) if untied else W1.T
        graphs[title] = WeightGraph(W1, W2, np.zeros(len(W1), bool))
    return chosen, graphs


def _add_graph(panel: Panels, graph: WeightGraph, least: float) -> None:
    m, n = graph.W1.shape
    inputs, neurons, outputs = (
        np.stack([(np.arange(count) + 0.5) / count, np.full(count, height)]) for count, height in ((n, 0.0), (m, 1.0), (n, 2.0))
    )
    panel.add(*_edges(graph.W1, inputs, neurons, least, "input weight of neuron %d from x_%d"))
    panel.add(*_edges(graph.W2, neurons, outputs, least, "output weight to y_%d from neuron %d"))
    none = np.zeros(n, bool)
    panel.add(_nodes(inputs, "input x_%d", none, n <= _FEW))
    panel.add(_nodes(neurons, "neuron %d", graph.marked, False))
    panel.add(_nodes(outputs, "output y_%d", none, n <= _FEW))


def _edges(
    weights: NDArray[np.floating], begins: NDArray[np.float64], ends: NDArray[np.float64], least: float, words: str
) -> list[go.Scatter]:
    """The weights (to, from) as lines between places (2, ...), one trace for each sign and width that occurs."""
    drawn, traces = edges(weights, least), []
    for sign, colour, name in ((1, POSITIVE, "positive weight"), (-1, NEGATIVE, "negative weight")):
        for width in range(1, _WIDTHS + 1):
            chosen = (drawn["sign"] == sign) & (drawn["width"] == width)
            if chosen.any():
                r, c = drawn["row"][chosen], drawn["column"][chosen]
                texts = [f"{words % (i, j)}: {weights[i, j]:.2f}" for i, j in zip(r, c, strict=True)]
                x, y = segments(begins[:, c], (begins[:, c] + ends[:, r]) / 2, ends[:, r])
                trace = line(x, y, colour, _WIDEST * width / _WIDTHS, hover="%{text}", name=name, legendgroup=name)
                traces.append(trace.update(opacity=0.35 + 0.6 * width / _WIDTHS, text=np.repeat(texts, 4)))
    return traces


def _nodes(places: NDArray[np.float64], words: str, ringed: NDArray[np.bool_], numbered: bool) -> go.Scatter:
    ring = {"width": np.where(ringed, 4, 1.5), "color": np.where(ringed, INK, FAINT)}
    look = {"size": _NUMBERED_NODE if numbered else _NODE, "color": "white", "line": ring}
    (x, y), names = places, [words % k for k in range(len(ringed))]
    drawn = dots(x, y, look, "%{customdata}", customdata=names, textfont={"size": 11}, showlegend=False)
    return drawn.update(mode="markers+text", text=[str(k) for k in range(len(ringed))]) if numbered else drawn
