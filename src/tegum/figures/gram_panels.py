"""W^T W of several models side by side, red +1, blue -1 as in the paper: with sets marked off, or as the paper reads a model.

>>> model = xr.Dataset({"W": (("hidden", "feature"), [[1.0, -1.0]]), "b": ("feature", [0.0, 0.5])})
>>> {trace.name: trace.z.tolist() for trace in strips({"a digon": model}).data if trace.type == "heatmap"}
{'WᵀW': [[1.0, -1.0], [-1.0, 1.0]], 'bias': [[0.0], [0.5]]}
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

from tegum.checking import checked, numbers
from tegum.errors import Problems
from tegum.figures.models import Models, drawn_models, weights_of
from tegum.figures.panels import Panels
from tegum.figures.theme import INK, INTERFERENCE, MIXED, PLAIN, SIGNED, colour_scale, shades, signed_ends, styled
from tegum.figures.traces import dots
from tegum.geometry import feature_norms, gram, interference

_HOVER = "output %{y}, feature %{x}: %{z:.3f}"
_UNIT_TICKS = {"tickvals": [0, 1, 2]}
_SQUARED, _ROOT = "interference Σ(ŵᵢ·Wⱼ)²", "interference √Σ(ŵᵢ·Wⱼ)²"


@checked
def gram_panels(models: Models, set_size: int | None = None) -> go.Figure:
    """One square map for each title and its W (m, n), or models of a dataset; lines between sets of ``set_size`` features.

    Of models of which only the map G is known, this is drawn.
    """
    with Problems() as problems:
        problems.check_count("set_size", 1 if set_size is None else set_size)
    name = "G" if isinstance(models, xr.Dataset) and "G" in models else "W"
    chosen = drawn_models(models, name=name)
    weights = {title: weights_of(model, name) for title, model in chosen.models.items()}
    maps = {title: W if name == "G" else gram(W) for title, W in weights.items()}
    panels = Panels.titled(chosen.titles, horizontal_spacing=0.07)
    panels.axes(**PLAIN)
    for panel, G in zip(panels, maps.values(), strict=True):
        panel.add_square(go.Heatmap(z=G, coloraxis="coloraxis", hovertemplate="features %{y}, %{x}: %{z:.3f}"))
        first, last = -0.5, len(G) - 0.5
        border = {"type": "line", "line": {"color": INK, "width": 1}, "row": panel.row, "col": panel.column}
        for edge in np.arange(set_size or len(G), len(G), set_size or len(G)) - 0.5:
            panels.figure.add_shape(x0=edge, x1=edge, y0=first, y1=last, **border)
            panels.figure.add_shape(x0=first, x1=last, y0=edge, y1=edge, **border)
    panels.x_axis("feature", 6)
    panels.at(column=1).y_axis("feature")
    most, ends = signed_ends(*maps.values())
    scale = colour_scale(
        SIGNED,
        -most,
        most,
        "WᵀW" if name == "W" else "the map",
        side="top",
        **({"tickformat": ".3~g", "tickvals": [k * most / 2 for k in range(-2, 3)]} | ends),
    )
    return chosen.noted(styled(panels.figure, 370 + chosen.head, coloraxis=scale, margin={"t": chosen.head}))


@checked
def strips(models: Models) -> go.Figure:
    """One column for each title and its model, ``W`` (hidden, feature) and ``b`` (feature), or for models of a dataset.

    Above: W^T W (features in their order, in the paper's models by importance) and, set apart, b.  Below: the norm
    of every feature, coloured by its interference with the others, from dark (0, alone) to yellow (1 and more): the paper's
    sum of squares, or its square root, which the authors' notebook shows.
    """
    chosen = drawn_models(models)
    panels = Panels.titled(chosen.titles, rows=2, row_heights=[0.45, 0.55], horizontal_spacing=0.012, vertical_spacing=0.06)
    longest, shown = 0.0, list[NDArray[np.floating]]()
    for above, model in zip(panels, chosen.models.values(), strict=True):
        W, b = weights_of(model), model["b"].values if "b" in model else None
        below = above.at(2, above.column)
        above.add_square(go.Heatmap(z=gram(W), name="WᵀW", coloraxis="coloraxis", hovertemplate=_HOVER))
        if b is not None:
            above.add(_apart(b))
        norms, mixed = feature_norms(W), interference(W)
        longest = max(longest, float(norms.max()))
        shown += [gram(W), *(() if b is None else (b,))]
        n = len(norms)
        hover = "feature %{y}: norm %{x:.3f}, interference %{customdata[0]:.3f}, root %{customdata[1]:.3f}"
        marker = {"color": _colours(mixed), "line": {"width": 0}}
        both = np.stack([mixed, np.sqrt(mixed)], axis=-1)
        bar = go.Bar(x=norms, y=np.arange(n), orientation="h", marker=marker, customdata=both, hovertemplate=hover)
        below.add(bar.update(showlegend=False))
        below.y_axis(range=[n - 0.5, -0.5])
    panels.figure.add_trace(dots([None], [None], {"color": [0], "coloraxis": "coloraxis2"}, showlegend=False))
    panels.y_axis(showticklabels=False, ticks="", **PLAIN)
    panels.at(row=1).x_axis(visible=False)
    panels.at(row=2).x_axis(
        "norm", 4, range=[0, max(1.35, 1.05 * longest)], **(_UNIT_TICKS if longest < 3 else {"nticks": 3}), **PLAIN
    )
    panels.at(1, 1).y_axis("output")
    panels.at(2, 1).y_axis("feature, by importance" if all(map(_falls, chosen.models.values())) else "feature")
    if len(chosen.models) > 6:
        panels.figure.update_annotations(font_size=12)
    most, ends = signed_ends(*shown)
    figure = styled(
        panels.figure,
        560,
        coloraxis=colour_scale(SIGNED, -most, most, "WᵀW, b", x=1.01, y=0.8, len=0.42, **ends),
        coloraxis2=colour_scale(INTERFERENCE, 0, MIXED, _SQUARED, x=1.01, y=0.26, len=0.5, tickvals=[0, 0.5, 1]),
        bargap=0.1,
        updatemenus=[_measures({k: trace.customdata for k, trace in enumerate(panels.figure.data) if trace.type == "bar"})],
        margin={"t": chosen.head + 40},
    )
    return chosen.noted(figure)


def _colours(mixed: NDArray[np.float64]) -> list[str]:
    return shades(INTERFERENCE, np.clip(mixed, 0, 1), MIXED)


def _falls(model: xr.Dataset) -> bool:
    """Whether importance is known and falls from the first feature to the last."""
    importance = np.ravel(numbers("feature_importance", model.get("feature_importance", 1.0)))
    return bool((np.diff(importance) <= 0).all() and importance[0] > importance[-1])


def _apart(b: NDArray[np.floating]) -> go.Heatmap:
    """The bias of every output, set apart on the right of W^T W."""
    wide = max(1, len(b) // 20)
    hover = "output %{y}, bias: %{z:.3f}"
    first = len(b) - 0.5 + 1.5 * wide
    return go.Heatmap(z=b[:, None], x0=first, dx=wide, name="bias", coloraxis="coloraxis", hovertemplate=hover)


def _measures(bars: Mapping[int, NDArray[np.float64]]) -> dict[str, Any]:
    """Two buttons for the bars (trace number to both measures): coloured by the sum of squares, or by its square root."""
    buttons = [
        {
            "label": label,
            "method": "update",
            "args": [
                {"marker.color": [_colours(both[:, k]) for both in bars.values()]},
                {"coloraxis2.colorbar.title.text": title},
                list(bars),
            ],
        }
        for k, (label, title) in enumerate((("sum of squares (paper)", _SQUARED), ("root (notebook)", _ROOT)))
    ]
    place = {"x": 0, "xanchor": "left", "y": 1.2, "yanchor": "top"}
    return {"type": "buttons", "direction": "right", "buttons": buttons, "showactive": True, **place}
