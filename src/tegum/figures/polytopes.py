"""Polytopes as the paper tabulates them: the features as arrows, the graph of their overlaps, the matrix W^T W.

Up to three dimensions the arrows are drawn in space, with the hull that they span, and can be turned; beyond, graph and matrix
remain.

>>> figure = polytope_table({"digon": np.array([[1.0, -1.0]])}, ignored={"digon": [(1, 1)]})
>>> figure.data[-1].z.tolist()
[[1.0, -1.0], [-1.0, 1.0]]
>>> figure.layout.annotations[0].text
'<b>digon</b>   ignores (1 1)'
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from tegum.arraylike import takes_arrays
from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, NEGATIVE, POSITIVE, SIGNED, category, colour_scale, styled
from tegum.figures.traces import arrow, dots, line, segments
from tegum.geometry import feature_graph, gram

ROW_HEIGHT = 210
_AXIS = {"visible": False, "range": [-1.15, 1.15]}


@takes_arrays
def polytope_table(shapes: Mapping[str, NDArray[np.floating]], ignored: Mapping[str, Sequence[Sequence[int]]]) -> go.Figure:
    """One row for each title and its W (m, n): in space, as a graph, as a matrix.

    Where there are vectors that W is orthogonal to, ``ignored``, they stand in the title.
    """
    rows = len(shapes)
    kinds = [[{"type": "scene"}, {}, {}] for _ in shapes]
    gap, widths = 0.18 / rows, [0.42, 0.29, 0.29]
    table = Panels.titled((), 3, rows, specs=kinds, column_widths=widths, vertical_spacing=gap, horizontal_spacing=0.04)
    for row, (title, W) in enumerate(shapes.items(), start=1):
        space, network, matrix = (table.at(row, column) for column in (1, 2, 3))
        graph = feature_graph(W)
        colours = [category(k) if k >= 0 else FAINT for k in graph.component]
        if len(W) <= 3:
            space.add(*_in_space(W, colours))
        network.add(*_as_graph(gram(W), graph.edges, colours))
        network.axes(visible=False, range=[-1.25, 1.25])
        network.same_units()
        matrix.add_square(go.Heatmap(z=gram(W), coloraxis="coloraxis", hovertemplate="W%{y} · W%{x} = %{z:.3f}"))
        matrix.axes(showticklabels=False, ticks="")
        height = (1 - gap * (rows - 1)) / rows
        _write_title(table, title, len(W), ignored.get(title, []), 1 - (row - 1) * (height + gap), height)
        table.figure.update_layout({f"scene{row if row > 1 else ''}": _scene(len(W))})
    scale = colour_scale(SIGNED, -1, 1, "W<sub>i</sub> · W<sub>j</sub>", len=0.3, y=0.85)
    return styled(table.figure, ROW_HEIGHT * rows + 60, showlegend=False, coloraxis=scale)


def _write_title(table: Panels, title: str, m: int, vectors: Sequence[Sequence[int]], top: float, height: float) -> None:
    """The shape's name above its row, with what it ignores."""
    shown = ", ".join("(" + " ".join(map(str, vector)) + ")" for vector in vectors)
    text = f"<b>{title}</b>" + (f"   ignores {shown}" if shown else "")
    sheet = {"xref": "paper", "yref": "paper"}
    table.note(text, x=0, y=top, xanchor="left", yanchor="bottom", font={"size": 14}, **sheet)
    if m > 3:
        table.note(f"{m} dimensions:<br>not drawn in space", x=0.2, y=top - height / 2, **sheet)


def _scene(m: int) -> dict[str, Any]:
    """Axes off; two dimensions are seen from above, three from the side."""
    eye = {"x": 0.01, "y": -0.2, "z": 1.7} if m < 3 else {"x": 1.15, "y": 1.0, "z": 0.6}
    return {"xaxis": _AXIS, "yaxis": _AXIS, "zaxis": _AXIS, "aspectmode": "cube", "camera": {"eye": eye}, "dragmode": "orbit"}


def _in_space(W: NDArray[np.floating], colours: list[str]) -> list[go.Scatter3d | go.Mesh3d]:
    """Arrows from the origin, and the hull of their ends."""
    points = np.zeros((3, W.shape[1]))
    points[: len(W)] = W
    traces = [arrow(tip, colour, 6, 5, f"feature {i}") for i, (tip, colour) in enumerate(zip(points.T, colours, strict=True))]
    hull = None
    if len(W) > 1:
        with suppress(QhullError):  # features in one line, or in one plane, have none
            hull = ConvexHull(W.T)
    if hull is not None and len(W) == 3:
        i, j, k = hull.simplices.T
        traces.append(go.Mesh3d(x=W[0], y=W[1], z=W[2], i=i, j=j, k=k, color=FAINT, opacity=0.35, hoverinfo="skip"))
    edges = _hull_edges(hull) if hull is not None else np.zeros((0, 2), int)
    x, y, z = segments(*points[:, edges].transpose(2, 0, 1))
    style = {"connectgaps": False, "line": {"color": "#888888", "width": 2}}
    traces.append(go.Scatter3d(x=x, y=y, z=z, mode="lines", hoverinfo="skip", **style))
    return traces


def _hull_edges(hull: ConvexHull) -> NDArray[np.intp]:
    """The edges of the hull; those between facets in one plane are left out."""
    if hull.simplices.shape[1] == 2:
        return np.asarray(hull.simplices)
    found = []
    for facet, (vertices, neighbours) in enumerate(zip(hull.simplices, hull.neighbors, strict=True)):
        for corner, neighbour in enumerate(neighbours):
            flat = np.allclose(hull.equations[facet], hull.equations[neighbour], atol=1e-3)
            if neighbour > facet and not flat:
                found.append(np.delete(vertices, corner))
    return np.array(found)


def _as_graph(G: NDArray[np.floating], edges: NDArray[np.intp], colours: list[str]) -> list[go.Scatter]:
    """Features around a circle, joined where they overlap: red positive, blue negative, thickness the size."""
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(G)) / len(G)
    x, y = np.cos(angles), np.sin(angles)
    lines = [
        line([x[i], x[j]], [y[i], y[j]], POSITIVE if G[i, j] > 0 else NEGATIVE, 0.5 + 4 * abs(float(G[i, j])))
        for i, j in edges.tolist()
    ]
    nodes = dots(x, y, {"size": 18, "color": colours, "line": {"color": INK, "width": 0.5}}, "feature %{text}")
    names = [str(i) for i in range(len(G))]
    return [*lines, nodes.update(mode="markers+text", text=names, textfont={"size": 11, "color": "white"})]
