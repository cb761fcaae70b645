"""The weights of a two-matrix net as a graph: inputs below, neurons in the middle, outputs above, an edge for each weight.

Red edges excite, blue ones inhibit; the wider, the larger the weight.  Neurons are rescaled so that their largest input
weight is 1 (`tegum.geometry.rescaled_neurons`), stand in the order of their main feature, and carry a dark
ring where they are marked: as polysemantic, or as parts of a motif.

Source: the bipartite weight graphs of section 9 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.figures.theme import FAINT, INK, NEGATIVE, POSITIVE, styled
from tegum.geometry import neuron_order, rescaled_neurons

_WIDTHS = 6
_WIDEST = 6.0
_NODE, _NUMBERED_NODE = 11, 19
_FEW = 12
"""Up to so many features carry their number."""


@final
@dataclass(frozen=True, eq=False)
class WeightGraph:
    """One net as the graph shows it.

    Args:
        W1: (m, n) input weights.
        W2: (n, m) output weights.
        marked: (m,), neurons that get a dark ring.
    """

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


def weight_graphs(
    graphs: Mapping[str, WeightGraph], least: float = 0.1, columns: int | None = None, row_height: int = 420
) -> go.Figure:
    """One weight graph for each title.

    Args:
        graphs: title to net.
        least: weights smaller than this, after rescaling, are not drawn.
        columns: how many graphs stand side by side; all of them by default.
        row_height: height of one row of graphs in pixels.
    """
    columns = len(graphs) if columns is None else columns
    rows = -(-len(graphs) // columns)
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=list(graphs), horizontal_spacing=0.04, vertical_spacing=0.12 / rows
    )
    seen: set[str] = set()
    for number, graph in enumerate(graphs.values()):
        _add_graph(figure, graph.settled(), least, number // columns + 1, number % columns + 1, seen)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, range=[-0.25, 2.25])
    for row in range(1, rows + 1):
        ticks = {"tickvals": [0, 1, 2], "ticktext": ["inputs x", "neurons", "outputs"], "ticks": "", "showgrid": False}
        figure.update_yaxes(visible=True, zeroline=False, **ticks, row=row, col=1)
    figure.update_layout(legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.02, "yanchor": "top"})
    return styled(figure, height=rows * row_height + 90).update_layout(margin={"l": 75})


def _add_graph(figure: go.Figure, graph: WeightGraph, least: float, row: int, column: int, seen: set[str]) -> None:
    m, n = graph.W1.shape
    feature_x, neuron_x = (np.arange(n) + 0.5) / n, (np.arange(m) + 0.5) / m
    layers = (
        (graph.W1, neuron_x, feature_x, 1.0, 0.0, "input weight of neuron %d from x_%d"),
        (graph.W2, feature_x, neuron_x, 2.0, 1.0, "output weight to y_%d from neuron %d"),
    )
    for weights, to_x, from_x, to_y, from_y, words in layers:
        drawn = edges(weights, least)
        for sign, colour, name in ((1, POSITIVE, "positive weight"), (-1, NEGATIVE, "negative weight")):
            for width in range(1, _WIDTHS + 1):
                chosen = (drawn["sign"] == sign) & (drawn["width"] == width)
                if not chosen.any():
                    continue
                r, c = drawn["row"][chosen], drawn["column"][chosen]
                gap = np.full(len(r), np.nan)
                text = [f"{words % (i, j)}: {weights[i, j]:.2f}" for i, j in zip(r, c, strict=True)]
                figure.add_trace(
                    go.Scatter(
                        x=np.column_stack([from_x[c], (from_x[c] + to_x[r]) / 2, to_x[r], gap]).ravel(),
                        y=np.tile([from_y, (from_y + to_y) / 2, to_y, np.nan], len(r)),
                        mode="lines",
                        line={"color": colour, "width": _WIDEST * width / _WIDTHS},
                        opacity=0.35 + 0.6 * width / _WIDTHS,
                        name=name,
                        legendgroup=name,
                        showlegend=name not in seen,
                        text=np.repeat(text, 4),
                        hovertemplate="%{text}<extra></extra>",
                    ),
                    row=row,
                    col=column,
                )
                seen.add(name)
    for x, y, names, ring in (
        (feature_x, 0.0, [f"input x_{i}" for i in range(n)], np.zeros(n, bool)),
        (neuron_x, 1.0, [f"neuron {k}" for k in range(m)], graph.marked),
        (feature_x, 2.0, [f"output y_{i}" for i in range(n)], np.zeros(n, bool)),
    ):
        numbered = n <= _FEW and y != 1
        figure.add_trace(
            go.Scatter(
                x=x,
                y=np.full(len(x), y),
                mode="markers+text" if numbered else "markers",
                marker={
                    "size": _NUMBERED_NODE if numbered else _NODE,
                    "color": "white",
                    "line": {"width": np.where(ring, 4, 1.5), "color": np.where(ring, INK, FAINT)},
                },
                text=[str(k) for k in range(len(x))] if numbered else None,
                textfont={"size": 11},
                customdata=names,
                showlegend=False,
                hovertemplate="%{customdata}<extra></extra>",
            ),
            row=row,
            col=column,
        )
