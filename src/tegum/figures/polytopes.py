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

from tegum.checking import checked
from tegum.figures.models import Models, drawn_models
from tegum.figures.panels import Panels, as_text
from tegum.figures.theme import FAINT, INK, NEGATIVE, POSITIVE, SIGNED, category, colour_scale, styled
from tegum.figures.traces import arrow, dots, line, segments
from tegum.geometry import feature_graph, gram

ROW_HEIGHT = 210
_BAR = 160
"""The height of the colour bar in pixels, as much as one row has."""

_WIDTHS, _FLAT = 3, 1e-6
_NUMBERED = 24
"""At most so many features carry their number in a graph."""


@checked
def polytope_table(models: Models, ignored: Mapping[str, Sequence[Sequence[int]]] | None = None) -> go.Figure:
    """One row for each title and its W (m, n), or for models of a dataset: in space, as a graph, as a matrix.

    Where there are vectors that W is orthogonal to, ``ignored``, they stand in the title.
    """
    chosen = drawn_models(models)
    shapes, ignored = chosen.weights, ignored or {}
    rows = len(shapes)
    reach = max(1.15, 1.05 * max(float(np.linalg.norm(W, axis=0).max()) for W in shapes.values()))
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
        table.figure.update_layout({f"scene{row if row > 1 else ''}": _scene(len(W), reach)})
    bar: dict[str, Any] = {"lenmode": "pixels", "len": _BAR, "y": 1, "yanchor": "top"}
    most = max(1.0, *(float(np.abs(gram(W)).max()) for W in shapes.values()))
    scale = colour_scale(SIGNED, -most, most, "W<sub>i</sub> · W<sub>j</sub>", **bar)
    return chosen.noted(styled(table.figure, ROW_HEIGHT * rows + 60, showlegend=False, coloraxis=scale))


def _write_title(table: Panels, title: str, m: int, vectors: Sequence[Sequence[int]], top: float, height: float) -> None:
    """The shape's name above its row, with what it ignores."""
    shown = ", ".join("(" + " ".join(map(str, vector)) + ")" for vector in vectors)
    text = f"<b>{as_text(title)}</b>" + (f"   ignores {shown}" if shown else "")
    sheet = {"xref": "paper", "yref": "paper"}
    table.note(text, x=0, y=top, xanchor="left", yanchor="bottom", font={"size": 14}, **sheet)
    if m > 3:
        table.note(f"{m} dimensions:<br>not drawn in space", x=0, y=top - height / 2, xanchor="left", **sheet)


def _scene(m: int, reach: float) -> dict[str, Any]:
    """Axes off, ``reach`` long; two dimensions are seen from above, three from the side."""
    axis = {"visible": False, "range": [-reach, reach]}
    eye = {"x": 0.01, "y": -0.2, "z": 1.7} if m < 3 else {"x": 1.15, "y": 1.0, "z": 0.6}
    return {"xaxis": axis, "yaxis": axis, "zaxis": axis, "aspectmode": "cube", "camera": {"eye": eye}, "dragmode": "orbit"}


def _in_space(W: NDArray[np.floating], colours: list[str]) -> list[go.Scatter3d | go.Mesh3d]:
    """Arrows from the origin, and the hull of their ends."""
    points = np.zeros((3, W.shape[1]))
    points[: len(W)] = W
    traces = [arrow(tip, colour, 6, 5, f"feature {i}") for i, (tip, colour) in enumerate(zip(points.T, colours, strict=True))]
    hull = _hull(W)
    if hull is not None and len(W) == 3:
        i, j, k = hull.simplices.T
        traces.append(go.Mesh3d(x=W[0], y=W[1], z=W[2], i=i, j=j, k=k, color=FAINT, opacity=0.35, hoverinfo="skip"))
    edges = _hull_edges(hull) if hull is not None else np.zeros((0, 2), int)
    x, y, z = segments(*points[:, edges].transpose(2, 0, 1))
    style = {"connectgaps": False, "line": {"color": "#888888", "width": 2}}
    traces.append(go.Scatter3d(x=x, y=y, z=z, mode="lines", hoverinfo="skip", **style))
    return traces


def _hull(W: NDArray[np.floating]) -> ConvexHull | None:
    """The hull of the ends; None where they span too little to have one."""
    flat = W.shape[1] <= len(W) or np.linalg.matrix_rank(W - W[:, :1], tol=_FLAT) < len(W)
    if len(W) > 1 and not flat:
        with suppress(QhullError):  # of numbers too large or too small to tell
            return ConvexHull(W.T)
    return None


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
    size = G[edges[:, 0], edges[:, 1]]
    thickness = np.ceil(_WIDTHS * np.abs(size) / max(float(np.abs(size).max(initial=0.0)), 1e-300))
    lines = []
    for colour, sign in ((POSITIVE, 1), (NEGATIVE, -1)):
        for width in range(1, _WIDTHS + 1):
            mine = edges[(np.sign(size) == sign) & (thickness == width)]
            if len(mine):
                across, up = segments(*np.stack([x, y])[:, mine].transpose(2, 0, 1))
                lines.append(line(across, up, colour, 0.5 + 4 * width / _WIDTHS))
    few = len(G) <= _NUMBERED
    look = {"size": 18 if few else 6, "color": colours, "line": {"color": INK, "width": 0.5}}
    names = [str(i) for i in range(len(G))]
    nodes = dots(x, y, look, "feature %{text}", text=names, textfont={"size": 11, "color": "white"})
    return [*lines, nodes.update(mode="markers+text" if few else "markers")]
