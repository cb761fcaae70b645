"""What becomes of one feature as its importance and the density change: the paper's phase diagrams.

Every cell shows two numbers at once: the feature's norm (pale 0, strong 1 and more) and its interference with the others
(blue 0, red 1 and more).  Pale grey is not learned, blue has a dimension of its own, red is in superposition; the square
beside the panels is the legend.  Density falls from 1 at the top, as in the paper.

Source: the figures of section 3 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.figures.theme import INK, styled

_SHADES = 24
_PALE = np.array([226.0, 226.0, 226.0])
_ALONE = np.array([20.0, 70.0, 160.0])
_MIXED = np.array([205.0, 45.0, 45.0])


def _colour(interference: float, norm: float) -> str:
    strong = _ALONE + (_MIXED - _ALONE) * interference
    red, green, blue = (_PALE + (strong - _PALE) * norm).round().astype(int)
    return f"rgb({red},{green},{blue})"


def _scale() -> list[list[Any]]:
    """A colour scale of single steps, one for each pair (norm, interference)."""
    count = _SHADES * _SHADES
    steps: list[list[Any]] = []
    for k in range(count):
        colour = _colour((k % _SHADES) / (_SHADES - 1), (k // _SHADES) / (_SHADES - 1))
        steps += [[k / count, colour], [(k + 1) / count, colour]]
    return steps


def _codes(norm: NDArray[np.float64], interference: NDArray[np.float64]) -> NDArray[np.float64]:
    """The step of the colour scale of every cell."""
    row = np.rint(np.clip(norm, 0, 1) * (_SHADES - 1))
    column = np.rint(np.clip(interference, 0, 1) * (_SHADES - 1))
    return np.asarray((row * _SHADES + column + 0.5) / _SHADES**2)


def phase_panels(
    panels: Mapping[str, xr.Dataset],
    lines: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] | None = None,
    across: str = "importance_ratio",
    label: str = "relative importance",
) -> go.Figure:
    """Phase diagrams side by side, with a square legend.

    Args:
        panels: title to a dataset with ``norm`` and ``interference`` of the extra feature, dims (density, ``across``).
        lines: name to boundary points (``across``, density), drawn over every panel.
        across: the dimension of the horizontal axis, logarithmic.
        label: what that axis is called.
    """
    count = len(panels)
    figure = make_subplots(
        cols=count + 1, column_widths=[1.0] * count + [0.46], subplot_titles=[*panels, ""], horizontal_spacing=0.06
    )
    shared = {"zmin": 0, "zmax": 1, "colorscale": _scale(), "showscale": False}
    styles = ["solid", "dash", "dot"]
    for column, data in enumerate(panels.values(), start=1):
        norm = data["norm"].transpose("density", across).values
        mixed = data["interference"].transpose("density", across).values
        figure.add_trace(
            go.Heatmap(
                x=data[across].values,
                y=data["density"].values,
                z=_codes(norm, mixed),
                customdata=np.stack([norm, mixed], axis=-1),
                hovertemplate=(
                    f"{across.replace('_', ' ')} %{{x:.3g}}<br>density %{{y:.3g}}<br>norm %{{customdata[0]:.3f}}"
                    "<br>interference %{customdata[1]:.3f}<extra></extra>"
                ),
                **shared,
            ),
            row=1,
            col=column,
        )
        for style, (name, (x, y)) in zip(styles, (lines or {}).items(), strict=False):
            figure.add_trace(
                go.Scatter(
                    x=x,
                    y=y,
                    mode="lines",
                    name=name,
                    legendgroup=name,
                    showlegend=column == 1,
                    line={"color": INK, "width": 2, "dash": style},
                ),
                row=1,
                col=column,
            )
        low, high = np.log10(data[across].values[[0, -1]])
        bottom, top = sorted(np.log10(data["density"].values[[0, -1]]))
        figure.update_xaxes(
            type="log",
            range=[low, high],
            tickvals=[0.1, 1, 10],
            ticktext=["0.1×", "1×", "10×"],
            col=column,
        )
        figure.update_xaxes(title={"text": label, "standoff": 8}, showgrid=False, zeroline=False, col=column)
        figure.update_yaxes(
            type="log", range=[bottom, top], tickvals=[1, 0.3, 0.1, 0.03, 0.01], showgrid=False, zeroline=False, col=column
        )
        figure.update_yaxes(showticklabels=column == 1, col=column)
    figure.update_yaxes(title={"text": "feature density 1 − S", "standoff": 12}, col=1)
    steps = np.linspace(0, 1, _SHADES)
    figure.add_trace(
        go.Heatmap(x=steps, y=steps, z=_codes(*np.meshgrid(steps, steps, indexing="ij")), hoverinfo="skip", **shared),
        row=1,
        col=count + 1,
    )
    legend = count + 1
    figure.update_xaxes(title={"text": "interference", "standoff": 6}, tickvals=[0, 1], ticktext=["0", "≥ 1"], col=legend)
    figure.update_yaxes(
        title={"text": "norm", "standoff": 2},
        side="right",
        tickvals=[0, 1],
        ticktext=["0", "≥ 1"],
        scaleanchor=f"x{legend}",
        constrain="domain",
        col=legend,
    )
    figure.update_xaxes(constrain="domain", col=legend)
    figure.update_layout(legend={"orientation": "h", "y": -0.22, "x": 0})
    figure.update_annotations(font_size=13)
    figure.update_xaxes(tickfont={"size": 12})
    styled(figure, height=440)
    figure.update_layout(margin={"l": 75, "r": 60})
    return figure
