"""Polytopes as the paper tabulates them: the features as arrows, the graph of their overlaps, the matrix W^T W.

Up to three dimensions the arrows are drawn in space, with the hull that they span, and can be turned; beyond, graph and matrix
remain.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots
from scipy.spatial import ConvexHull

from tegum.figures.theme import CATEGORIES, FAINT, INK, NEGATIVE, POSITIVE, SIGNED, styled
from tegum.geometry import feature_graph, gram

ROW_HEIGHT = 210
_AXIS = {"visible": False, "range": [-1.15, 1.15]}


def polytope_table(shapes: Mapping[str, NDArray[np.floating]], ignored: Mapping[str, Sequence[Sequence[int]]]) -> go.Figure:
    """One row for each shape: in space, as a graph, as a matrix.

    Args:
        shapes: title to W (m, n).
        ignored: title to the vectors that W is orthogonal to, where they are to be shown.
    """
    rows = len(shapes)
    kinds = [[{"type": "scene"}, {"type": "xy"}, {"type": "xy"}] for _ in shapes]
    gap = 0.045 / rows * 4
    figure = make_subplots(
        rows, 3, specs=kinds, column_widths=[0.42, 0.29, 0.29], vertical_spacing=gap, horizontal_spacing=0.04
    )
    for row, (title, W) in enumerate(shapes.items(), start=1):
        graph = feature_graph(W)
        colours = [CATEGORIES[k % len(CATEGORIES)] if k >= 0 else FAINT for k in graph.component]
        if len(W) <= 3:
            figure.add_traces(_in_space(W, colours), rows=row, cols=1)
        figure.add_traces(_as_graph(W, graph.edges, colours), rows=row, cols=2)
        G = gram(W)
        figure.add_trace(
            go.Heatmap(z=G, coloraxis="coloraxis", hovertemplate="W%{y} · W%{x} = %{z:.3f}<extra></extra>"), row=row, col=3
        )
        figure.update_yaxes(
            autorange="reversed", scaleanchor=f"x{2 * row}", constrain="domain", showticklabels=False, ticks="", row=row, col=3
        )
        figure.update_xaxes(constrain="domain", showticklabels=False, ticks="", row=row, col=3)
        figure.update_yaxes(
            visible=False, scaleanchor=f"x{2 * row - 1 if row > 1 else ''}", range=[-1.25, 1.25], row=row, col=2
        )
        figure.update_xaxes(visible=False, range=[-1.25, 1.25], row=row, col=2)
        _write_title(figure, row, rows, title, len(W), ignored.get(title, []), gap)
    scenes = {name: _scene(len(W)) for name, W in zip(_scene_names(rows), shapes.values(), strict=True)}
    bar = {"title": {"text": "W<sub>i</sub> · W<sub>j</sub>", "side": "right"}, "thickness": 12, "len": 0.3, "y": 0.85}
    figure.update_layout(**scenes, showlegend=False, coloraxis={"colorscale": SIGNED, "cmin": -1, "cmax": 1, "colorbar": bar})
    return styled(figure, height=ROW_HEIGHT * rows + 60)


def _write_title(
    figure: go.Figure, row: int, rows: int, title: str, m: int, vectors: Sequence[Sequence[int]], gap: float
) -> None:
    """The shape's name above its row, with what it ignores."""
    height = (1 - gap * (rows - 1)) / rows
    shown = ", ".join("(" + " ".join(map(str, vector)) + ")" for vector in vectors)
    text = f"<b>{title}</b>" + (f"   ignores {shown}" if shown else "")
    place: dict[str, Any] = {"xref": "paper", "yref": "paper", "showarrow": False}
    top = 1 - (row - 1) * (height + gap)
    figure.add_annotation(text=text, x=0, y=top, xanchor="left", yanchor="bottom", font={"size": 14}, **place)
    if m > 3:
        figure.add_annotation(text=f"{m} dimensions:<br>not drawn in space", x=0.2, y=top - height / 2, **place)


def _scene_names(rows: int) -> list[str]:
    return ["scene"] + [f"scene{k}" for k in range(2, rows + 1)]


def _scene(m: int) -> dict[str, Any]:
    """Axes off; two dimensions are seen from above, three from the side."""
    eye = {"x": 0.01, "y": -0.2, "z": 1.7} if m < 3 else {"x": 1.15, "y": 1.0, "z": 0.6}
    return {"xaxis": _AXIS, "yaxis": _AXIS, "zaxis": _AXIS, "aspectmode": "cube", "camera": {"eye": eye}, "dragmode": "orbit"}


def _in_space(W: NDArray[np.floating], colours: list[str]) -> list[go.Scatter3d | go.Mesh3d]:
    """Arrows from the origin, and the hull of their ends."""
    points = np.zeros((3, W.shape[1]))
    points[: len(W)] = W
    traces: list[go.Scatter3d | go.Mesh3d] = [
        go.Scatter3d(
            x=[0, x],
            y=[0, y],
            z=[0, z],
            mode="lines+markers",
            line={"color": colours[i], "width": 6},
            marker={"color": colours[i], "size": [0, 5]},
            hovertemplate=f"feature {i}<extra></extra>",
        )
        for i, (x, y, z) in enumerate(points.T)
    ]
    hull = ConvexHull(W.T) if len(W) > 1 else None
    if hull is not None and len(W) == 3:
        i, j, k = hull.simplices.T
        traces.append(go.Mesh3d(x=W[0], y=W[1], z=W[2], i=i, j=j, k=k, color=FAINT, opacity=0.35, hoverinfo="skip"))
    edges = _hull_edges(hull) if hull is not None else np.zeros((0, 2), int)
    ends = np.full((3, 3 * len(edges)), np.nan)
    ends[:, 0::3], ends[:, 1::3] = points[:, edges[:, 0]], points[:, edges[:, 1]]
    x, y, z = ends
    traces.append(
        go.Scatter3d(x=x, y=y, z=z, mode="lines", connectgaps=False, line={"color": "#888888", "width": 2}, hoverinfo="skip")
    )
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


def _as_graph(W: NDArray[np.floating], edges: NDArray[np.intp], colours: list[str]) -> list[go.Scatter]:
    """Features around a circle, joined where they overlap: red positive, blue negative, thickness the size."""
    n = W.shape[1]
    angles = np.pi / 2 - 2 * np.pi * np.arange(n) / n
    x, y = np.cos(angles), np.sin(angles)
    G = W.T @ W
    lines = [
        go.Scatter(
            x=[x[i], x[j]],
            y=[y[i], y[j]],
            mode="lines",
            line={"color": POSITIVE if G[i, j] > 0 else NEGATIVE, "width": 0.5 + 4 * abs(float(G[i, j]))},
            hoverinfo="skip",
        )
        for i, j in edges.tolist()
    ]
    nodes = go.Scatter(
        x=x,
        y=y,
        mode="markers+text",
        marker={"size": 18, "color": colours, "line": {"color": INK, "width": 0.5}},
        text=[str(i) for i in range(n)],
        textfont={"size": 11, "color": "white"},
        hovertemplate="feature %{text}<extra></extra>",
    )
    return [*lines, nodes]
