"""W^T W of several models side by side, red +1, blue -1 as in the paper: with sets marked off, or as the paper reads a model.

>>> model = xr.Dataset({"W": (("hidden", "feature"), [[1.0, -1.0]]), "b": ("feature", [0.0, 0.5])})
>>> strips({"a digon": model}).data[0].z.tolist()
[[1.0, -1.0, nan, 0.0], [-1.0, 1.0, nan, 0.5]]
>>> figure = gram_panels({"two digons": np.array([[1, -1, 0, 0], [0, 0, 1, -1]])}, set_size=2)
>>> figure.data[0].z.astype(int).tolist()
[[1, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1]]

Source: section 2 and the local almost-orthogonal bases in section 5 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import checked, require_held
from tegum.errors import Problems
from tegum.figures.panels import Panels
from tegum.figures.theme import INK, INTERFERENCE, PLAIN, SIGNED, colour_scale, styled
from tegum.geometry import feature_norms, gram, interference

_SQUARED, _ROOT = "interference Σ(ŵᵢ·Wⱼ)²", "interference √Σ(ŵᵢ·Wⱼ)²"


@takes_arrays
def gram_panels(models: Mapping[str, NDArray[np.floating]], set_size: int) -> go.Figure:
    """One square map for each title and its W (m, n), sets of ``set_size`` features marked off by lines."""
    with Problems() as problems:
        problems.check_count("set_size", set_size)
    panels = Panels.titled(models, horizontal_spacing=0.07)
    panels.axes(**PLAIN)
    for panel, W in zip(panels, models.values(), strict=True):
        G = gram(W.astype(np.float64))
        panel.add_square(go.Heatmap(z=G, coloraxis="coloraxis", hovertemplate="features %{y}, %{x}: %{z:.3f}"))
        first, last = -0.5, len(G) - 0.5
        border = {"type": "line", "line": {"color": INK, "width": 1}, "row": panel.row, "col": panel.column}
        for edge in np.arange(set_size, len(G), set_size) - 0.5:
            panels.figure.add_shape(x0=edge, x1=edge, y0=first, y1=last, **border)
            panels.figure.add_shape(x0=first, x1=last, y0=edge, y1=edge, **border)
    panels.x_axis("feature", 6)
    panels.at(column=1).y_axis("feature")
    scale = colour_scale(SIGNED, -1, 1, "WᵀW", side="top", tickvals=[-1, -0.5, 0, 0.5, 1])
    return styled(panels.figure, 430, coloraxis=scale)


@checked
def strips(models: Mapping[str, xr.Dataset]) -> go.Figure:
    """One column for each title and its model, ``W`` (hidden, feature) and ``b`` (feature).

    Above: W^T W (features from most to least important, top to bottom and left to right) and, set apart, b.  Below: the norm
    of every feature, coloured by its interference with the others, from dark (0, alone) to yellow (1 and more): the paper's
    sum of squares, or its square root, which the authors' notebook shows.
    """
    for title, model in models.items():
        require_held(f"models[{title!r}]", model, W=("hidden", "feature"), b=("feature",))
    panels = Panels.titled(models, rows=2, row_heights=[0.45, 0.55], horizontal_spacing=0.012, vertical_spacing=0.06)
    for above, model in zip(panels, models.values(), strict=True):
        W, b = model["W"].transpose("hidden", "feature").values.astype(np.float64), model["b"].values
        below = above.at(2, above.column)
        above.add_square(_map(W, b))
        norms, mixed = feature_norms(W), interference(W)
        n = len(norms)
        hover = "feature %{y}: norm %{x:.3f}, interference %{customdata[0]:.3f}, root %{customdata[1]:.3f}"
        marker = {"color": np.clip(mixed, 0, 1), "coloraxis": "coloraxis2", "line": {"width": 0}}
        both = np.stack([mixed, np.sqrt(mixed)], axis=-1)
        bar = go.Bar(x=norms, y=np.arange(n), orientation="h", marker=marker, customdata=both, hovertemplate=hover)
        below.add(bar.update(showlegend=False))
        below.y_axis(range=[n - 0.5, -0.5])
    panels.y_axis(showticklabels=False, ticks="", **PLAIN)
    panels.at(row=1).x_axis(visible=False)
    panels.at(row=2).x_axis("norm", 4, range=[0, 1.35], tickvals=[0, 1], **PLAIN)
    panels.at(1, 1).y_axis("output")
    panels.at(2, 1).y_axis("feature, by importance")
    if len(models) > 6:
        panels.figure.update_annotations(font_size=12)
    return styled(
        panels.figure,
        560,
        coloraxis=colour_scale(SIGNED, -1, 1, "WᵀW, b", x=1.01, y=0.8, len=0.42),
        coloraxis2=colour_scale(INTERFERENCE, 0, 1.15, _SQUARED, x=1.01, y=0.26, len=0.5, tickvals=[0, 0.5, 1]),
        bargap=0.1,
        updatemenus=[_measures({k: trace.customdata for k, trace in enumerate(panels.figure.data) if trace.type == "bar"})],
        margin={"t": 90},
    )


def _map(W: NDArray[np.float64], b: NDArray[np.floating]) -> go.Heatmap:
    """W^T W, and b set apart on its right."""
    n = len(b)
    gap = max(1, n // 20)
    shown = np.hstack([gram(W), np.full((n, gap), np.nan), np.tile(b[:, None], gap)])
    names = np.array([f"feature {i}" for i in range(n)] + [""] * gap + ["bias"] * gap)
    named = np.broadcast_to(names, shown.shape)
    hover = "output %{y}, %{customdata}: %{z:.3f}"
    return go.Heatmap(z=shown, coloraxis="coloraxis", customdata=named, hovertemplate=hover)


def _measures(bars: Mapping[int, NDArray[np.float64]]) -> dict[str, Any]:
    """Two buttons for the bars (trace number to both measures): coloured by the sum of squares, or by its square root."""
    buttons = [
        {
            "label": label,
            "method": "update",
            "args": [
                {"marker.color": [np.clip(both[:, k], 0, 1) for both in bars.values()]},
                {"coloraxis2.colorbar.title.text": title},
                list(bars),
            ],
        }
        for k, (label, title) in enumerate((("sum of squares (paper)", _SQUARED), ("root (notebook)", _ROOT)))
    ]
    place = {"x": 0, "xanchor": "left", "y": 1.2, "yanchor": "top"}
    return {"type": "buttons", "direction": "right", "buttons": buttons, "showactive": True, **place}
