"""Maps over importance and density: what becomes of one feature, the paper's phase diagrams; how often training got stuck.

Every cell of a phase diagram shows two numbers at once: the feature's norm (pale 0, strong 1 and more) and its interference
with the others (blue 0, red 1 and more).  Pale grey is not learned, blue has a dimension of its own, red is in superposition;
the square beside the panels is the legend.  Density falls from 1 at the top, as in the paper.

>>> axes = {"density": [0.1, 1.0], "importance_ratio": [0.5, 1.0]}
>>> share = xr.DataArray([[0.0, 0.25], [0.5, 1.0]], axes, list(axes))
>>> stuck_panels({"same sign": share}).data[0].z.tolist()
[[0.0, 25.0], [50.0, 100.0]]

Source: the figures of section 3 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.figures.models import needed, panels_of
from tegum.figures.panels import Panels
from tegum.figures.theme import INK, PLAIN, colour_scale, dash, legend_below, log_range, stepped, styled
from tegum.figures.traces import line

_SHADES = 24
_PALE, _ALONE, _MIXED = np.array([[226.0, 226.0, 226.0], [20.0, 70.0, 160.0], [205.0, 45.0, 45.0]])


def density_axes(panel: Panels, label: str, ratios: Sequence[float] = (0.1, 0.3, 1, 3, 10), standoff: int = 12) -> None:
    """Labels a panel whose horizontal axis is an importance relative to the others', its vertical one density."""
    panel.x_axis(label, 8, type="log", tickvals=list(ratios), ticktext=[f"{ratio:g}×" for ratio in ratios], **PLAIN)
    panel.y_axis(type="log", tickvals=[1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001], **PLAIN)
    panel.at(column=1).y_axis("feature density 1 − S", standoff)


@checked
def phase_panels(
    panels: Mapping[str, xr.Dataset] | xr.Dataset,
    lines: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] | None = None,
    across: str = "importance_ratio",
    label: str = "relative importance",
) -> go.Figure:
    """Phase diagrams side by side, title to ``norm`` and ``interference`` (density, ``across``), with a square legend.

    Both axes are logarithmic, the horizontal one is called ``label``; over every panel ``lines`` are drawn, points
    (``across``, density) by name.  A dataset, such as `tegum.maps.phase_map` returns, is one panel.

    Raises:
        InvalidInputError: where a panel holds something else.
    """
    panels = {"": panels} if isinstance(panels, xr.Dataset) else panels
    for data in panels.values():
        needed("phase_panels", data, norm=("density", across), interference=("density", across))
    widths = [1.0] * len(panels) + [0.46]
    drawn = Panels.titled([*panels, ""], column_widths=widths, horizontal_spacing=0.06)
    *maps, legend = drawn
    for panel, data in zip(maps, panels.values(), strict=True):
        norm, mixed = (data[name].transpose("density", across).values for name in ("norm", "interference"))
        x, y = data[across].values, data["density"].values
        hover = f"{across.replace('_', ' ')} %{{x:.3g}}<br>density %{{y:.3g}}"
        hover += "<br>norm %{customdata[0]:.3f}<br>interference %{customdata[1]:.3f}"
        panel.add(_cells(x, y, norm, mixed, customdata=np.stack([norm, mixed], axis=-1), hovertemplate=hover))
        for k, (name, (x_line, y_line)) in enumerate((lines or {}).items()):
            hover = f"{name}<br>{label} %{{x:.3g}}<br>density %{{y:.3g}}"
            panel.add(line(x_line, y_line, INK, 2, dash(k), hover, name=name, legendgroup=name))
        density_axes(panel, label, (0.1, 1, 10))
        panel.x_axis(range=log_range(x))
        panel.y_axis(range=log_range(y), showticklabels=panel.column == 1)
    steps = np.linspace(0, 1, _SHADES)
    legend.add(_cells(steps, steps, *np.meshgrid(steps, steps, indexing="ij"), hoverinfo="skip"))
    legend.axes(tickvals=[0, 1], ticktext=["0", "≥ 1"], constrain="domain")
    legend.x_axis("interference", 6)
    legend.y_axis("norm", 2, side="right")
    legend.same_units()
    drawn.x_axis(tickfont={"size": 12})
    drawn.figure.update_annotations(font_size=13)
    return styled(drawn.figure, 440, legend=legend_below(), margin={"l": 75, "r": 60})


@checked
def stuck_panels(panels: Mapping[str, xr.DataArray] | xr.DataArray, across: str = "importance_ratio") -> go.Figure:
    """How often training got stuck, one panel for each kind of start: shares (density, ``across``), NaN without such starts."""
    panels = panels_of("stuck_panels", panels, "shares", "density", across)
    drawn = Panels.titled(panels, horizontal_spacing=0.09)
    for panel, share in zip(drawn, panels.values(), strict=True):
        z = 100 * share.transpose("density", across).values
        hover = "importance %{x:.3g}<br>density %{y:.3g}<br>%{z:.0f} % stuck"
        x, y = share[across].values, share["density"].values
        panel.add(go.Heatmap(x=x, y=y, z=z, coloraxis="coloraxis", hovertemplate=hover))
        density_axes(panel, "relative importance")
    return styled(drawn.figure, 400, coloraxis=colour_scale("Cividis", 0, 100, "stuck, %"), margin={"l": 75})


def _cells(
    x: NDArray[np.float64], y: NDArray[np.float64], norm: NDArray[np.float64], interference: NDArray[np.float64], **more: Any
) -> go.Heatmap:
    """Cells in the colours of norm and interference: each pair of shades is a step of one colour scale."""
    row, column = (np.rint(np.clip(values, 0, 1) * (_SHADES - 1)) for values in (norm, interference))
    codes = (row * _SHADES + column + 0.5) / _SHADES**2
    shades = np.arange(_SHADES) / (_SHADES - 1)
    scale = stepped([_colour(mixed, strength) for strength in shades for mixed in shades])
    return go.Heatmap(x=x, y=y, z=codes, zmin=0, zmax=1, colorscale=scale, showscale=False, **more)


def _colour(interference: float, norm: float) -> str:
    strong = _ALONE + (_MIXED - _ALONE) * interference
    red, green, blue = (_PALE + (strong - _PALE) * norm).round().astype(int)
    return f"rgb({red},{green},{blue})"
