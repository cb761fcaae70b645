"""Feature graphs as networks: a node for each learned feature, joined where features overlap, coloured by shape.

Each component is laid out by forces (Kamada and Kawai's springs where a shape is small, Fruchterman and Reingold's where it is
large, from the same start each time); components are packed around the largest one.  Thicker edges are larger overlaps.

>>> figure = network_panels({"a digon and a feature alone": np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]])})
>>> [(trace.name, len(trace.x)) for trace in figure.data if trace.name]
[('dedicated', 1), ('digon', 2)]

Source: the insets of the scatter in section 4 of `Toy Models of Superposition`.
"""

from typing import Any

import networkx as nx
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.figures.models import Models, drawn_models
from tegum.figures.panels import Panels
from tegum.figures.theme import INK, SHAPE_COLOURS, kind_of, legend_below, styled
from tegum.figures.traces import dots, line, segments
from tegum.geometry import feature_graph, identify

_SMALL = 12
_GAP, _TURN = 0.7, 0.35
_WIDTHS = ((0.1, 0.3, 0.6), (0.3, 0.6, 1.2), (0.6, np.inf, 2.2))
"""Edges with |W_i . W_j| from the first number to the second are drawn in the third's width."""
_EDGE = "#8a8a8a"
ROW_HEIGHT = 330


@checked
def network_panels(models: Models, columns: int = 3) -> go.Figure:
    """One network for each title and its W (m, n), or for models of a dataset, so many ``columns`` side by side."""
    chosen = drawn_models(models)
    panels = Panels.titled(chosen.titles, columns, horizontal_spacing=0.02, vertical_spacing=0.08)
    panels.axes(visible=False)
    for panel, W in zip(panels, chosen.weights.values(), strict=True):
        graph = feature_graph(W)
        position = component_layout(graph.weights, graph.components)
        panel.add(*_edges(graph.weights, graph.edges, position))
        nodes, names = np.flatnonzero(graph.component >= 0), identify(W, rows=False).names
        kinds = np.array([kind_of(name) for name in names])
        for rank, (kind, colour) in enumerate(SHAPE_COLOURS.items()):
            mine = nodes[kinds[nodes] == kind]
            if len(mine):
                look = {"size": 8 if len(nodes) < 90 else 6, "color": colour, "line": {"color": "white", "width": 0.7}}
                x, y = position[mine].T
                texts = [f"feature {i}<br>{names[i]}" for i in mine]
                panel.add(dots(x, y, look, "%{customdata}", kind).update(customdata=texts, legendgroup=kind, legendrank=rank))
        panel.same_units()
    panels.figure.update_annotations(font={"size": 14, "color": INK})
    legend = legend_below(centred=True, itemsizing="constant")
    height = ROW_HEIGHT * -(-len(chosen.models) // columns) + 70
    return chosen.noted(styled(panels.figure, height, legend=legend, margin={"l": 10, "r": 10, "t": 45}))


def component_layout(weights: NDArray[np.floating], components: list[NDArray[np.intp]]) -> NDArray[np.float64]:
    """Where every feature stands, shape (n, 2), NaN for what is in no component; ``weights`` of edges have shape (n, n)."""
    position = np.full((len(weights), 2), np.nan)
    centres, radii = np.empty((len(components), 2)), np.empty(len(components))
    for count, members in enumerate(sorted(components, key=len, reverse=True)):
        inside = _laid_out(weights[np.ix_(members, members)])
        radii[count] = np.linalg.norm(inside, axis=1).max(initial=0.0)
        centres[count] = _free_place(centres[:count], radii[:count], radii[count])
        position[members] = centres[count] + inside
    return position


def _laid_out(weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """The nodes of one component around 0, about one unit apart, shape (k, 2)."""
    k = len(weights)
    if k == 1:
        return np.zeros((1, 2))
    graph = nx.from_numpy_array(weights)
    found: dict[int, Any] = nx.kamada_kawai_layout(graph, weight=None) if k <= _SMALL else nx.spring_layout(graph, seed=0)
    place = np.array([found[i] for i in range(k)])
    place -= place.mean(axis=0)
    return np.asarray(place * (0.55 * np.sqrt(k) / np.linalg.norm(place, axis=1).max()))


def _free_place(centres: NDArray[np.float64], radii: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """The first place on a spiral from the middle where a disc does not touch those there are."""
    angle = 0.0
    while True:
        centre = 0.12 * angle * np.array([np.cos(angle), np.sin(angle)])
        if (np.hypot(*(centre - centres).T) >= radius + radii + _GAP).all():
            return np.asarray(centre)
        angle += _TURN / (1 + 0.1 * angle)


def _edges(weights: NDArray[np.floating], edges: NDArray[np.intp], position: NDArray[np.float64]) -> list[go.Scatter]:
    """One trace for each width that occurs."""
    size = weights[edges[:, 0], edges[:, 1]]
    traces = []
    for least, most, width in _WIDTHS:
        mine = edges[(size > least) & (size <= most)]
        if len(mine):
            x, y = segments(*position[mine].transpose(1, 2, 0))
            traces.append(line(x, y, _EDGE, width, showlegend=False, opacity=0.35 if len(edges) > 600 else 1.0))
    return traces
