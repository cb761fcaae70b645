"""Models side by side, each as the paper reads one: the map W^T W with its bias, and a bar for each feature.

Top: W^T W (features from most to least important, top to bottom and left to right) and, set apart, b; red +1, blue -1 (paper).
Bottom: the norm of every feature, coloured by its interference with the others, from dark (0, alone) to yellow (1 and more):
the paper's sum of squares, or its square root, which the authors' notebook shows.

Source: section 2 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.figures.theme import SIGNED, styled
from tegum.geometry import feature_norms, gram, interference

_MIXED = "Inferno"
_SQUARED, _ROOT = "interference Σ(ŵᵢ·Wⱼ)²", "interference √Σ(ŵᵢ·Wⱼ)²"


def strips(models: Mapping[str, xr.Dataset]) -> go.Figure:
    """One column for each model: W^T W and b above, norms below.

    Args:
        models: title to a model, ``W`` (hidden, feature) and ``b`` (feature).
    """
    count = len(models)
    figure = make_subplots(
        rows=2,
        cols=count,
        row_heights=[0.45, 0.55],
        subplot_titles=list(models),
        horizontal_spacing=0.012,
        vertical_spacing=0.06,
    )
    for column, model in enumerate(models.values(), start=1):
        W, b = model["W"].transpose("hidden", "feature").values.astype(np.float64), model["b"].values
        n = W.shape[1]
        gap = max(1, n // 20)
        shown = np.full((n, n + 2 * gap), np.nan)
        shown[:, :n] = gram(W)
        shown[:, n + gap :] = b[:, None]
        names = [f"feature {i}" for i in range(n)] + [""] * gap + ["bias"] * gap
        figure.add_trace(
            go.Heatmap(
                z=shown,
                coloraxis="coloraxis",
                customdata=np.broadcast_to(np.array(names), shown.shape),
                hovertemplate="output %{y}, %{customdata}: %{z:.3f}<extra></extra>",
            ),
            row=1,
            col=column,
        )
        norms, mixed = feature_norms(W), interference(W)
        figure.add_trace(
            go.Bar(
                x=norms,
                y=np.arange(n),
                orientation="h",
                marker={"color": np.clip(mixed, 0, 1), "coloraxis": "coloraxis2", "line": {"width": 0}},
                customdata=np.stack([mixed, np.sqrt(mixed)], axis=-1),
                hovertemplate="feature %{y}: norm %{x:.3f}, interference %{customdata[0]:.3f}, "
                "root %{customdata[1]:.3f}<extra></extra>",
                showlegend=False,
            ),
            row=2,
            col=column,
        )
        axis = 2 * count if column == 0 else column
        figure.update_yaxes(
            autorange="reversed", scaleanchor=f"x{axis if axis > 1 else ''}", constrain="domain", row=1, col=column
        )
        figure.update_yaxes(range=[n - 0.5, -0.5], row=2, col=column)
    figure.update_xaxes(visible=False, constrain="domain", row=1)
    figure.update_yaxes(showticklabels=False, showgrid=False, zeroline=False, ticks="")
    figure.update_yaxes(title="output", row=1, col=1)
    figure.update_yaxes(title="feature, by importance", row=2, col=1)
    figure.update_xaxes(range=[0, 1.35], tickvals=[0, 1], showgrid=False, zeroline=False, row=2)
    figure.update_xaxes(title={"text": "norm", "standoff": 4}, row=2)
    bar = {"thickness": 12, "x": 1.01}
    figure.update_layout(
        coloraxis={
            "colorscale": SIGNED,
            "cmin": -1,
            "cmax": 1,
            "colorbar": bar | {"title": {"text": "WᵀW, b", "side": "right"}, "y": 0.8, "len": 0.42},
        },
        coloraxis2={
            "colorscale": _MIXED,
            "cmin": 0,
            "cmax": 1.15,
            "colorbar": bar | {"title": {"text": _SQUARED, "side": "right"}, "y": 0.26, "len": 0.5, "tickvals": [0, 0.5, 1]},
        },
        bargap=0.1,
        updatemenus=[_measures({k: trace.customdata for k, trace in enumerate(figure.data) if trace.type == "bar"})],
    )
    styled(figure, height=560)
    if count > 6:
        figure.update_annotations(font_size=12)
    return figure.update_layout(margin={"t": 90})


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
