"""Which of several answers holds where: maps with one colour for each answer, over importance and density.

Density falls from 1 at the top, as in the paper; the legend names every colour, and cells name their own on hovering.  On maps
finer than 150 cells a side only every few cells do, each for the point that it states: a name in each of 600 x 600 cells would
weigh 9 MB.  `geometry_map` draws such maps of the lowest certified minima.

>>> axes = {"density": [0.1, 1.0], "importance_ratio": [0.5, 1.0]}
>>> best = xr.DataArray([["pair", "pair"], ["ignored", "pair"]], axes, list(axes))
>>> figure = category_panels({"theory": best}, {"ignored": "#dddddd", "pair": "#dd4444"})
>>> figure.data[0].z.tolist()
[[1, 1], [0, 1]]

Source: the theoretical phase diagrams of section 3 of `Toy Models of Superposition`, for any number of features and dimensions.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.exact import NONE
from tegum.figures.models import needed, panels_of
from tegum.figures.panels import Panels
from tegum.figures.phase_map import density_axes
from tegum.figures.theme import INK, category, legend_below, log_range, stepped, styled
from tegum.figures.traces import dots

PHASES = {"not learned": "#dddddd", "dedicated": "#003399", "superposition": "#dd4444"}
"""The paper's colours for the phases of a feature."""

_SYMBOLS = ("x-thin-open", "circle-open", "diamond-open")
_NAMED = 150
"""At most so many cells a side say their names."""

_MOST_SHAPES = 9
_OTHER = "another shape"


@final
@dataclass(frozen=True, eq=False)
class Marks:
    """Points drawn over a map, and what each says on hovering."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    texts: list[str]


@checked
def colours_of(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name, in their order; used again after ten."""
    return {name: category(k) for k, name in enumerate(names)}


@checked
def category_panels(
    panels: Mapping[str, xr.DataArray] | xr.DataArray,
    colours: Mapping[str, str] | None = None,
    marks: Mapping[str, Marks] | None = None,
    across: str = "importance_ratio",
    label: str = "relative importance",
) -> go.Figure:
    """Maps of names side by side, title to dims (density, ``across``), with one legend, in the order of ``colours``.

    Without colours each name has one of its own, the most frequent first.

    Both axes are positive and logarithmic, the horizontal one is called ``label``.  Over every panel ``marks`` are drawn,
    points (``across``, density) by name, each kind with its symbol.

    Raises:
        InvalidInputError: for a name without a colour, and for panels of other things.
    """
    panels = panels_of("category_panels", panels, "names", "density", across, words=True)
    if colours is None:
        colours = colours_of(
            [name for name, _ in Counter(np.concatenate([one.values.ravel() for one in panels.values()])).most_common()]
        )
    for data in panels.values():
        if missing := sorted(set(data.values.ravel()) - set(colours), key=str):
            raise InvalidInputError(
                f"{str(missing[0])!r} has no colour", f"give it one; there are {', '.join(map(str, colours))}"
            )
    drawn = Panels.titled(panels, horizontal_spacing=0.09)
    place = {name: k for k, name in enumerate(colours)}
    scale = {"zmin": -0.5, "zmax": len(colours) - 0.5, "colorscale": stepped(list(colours.values())), "showscale": False}
    used: set[str] = set()
    for panel, data in zip(drawn, panels.values(), strict=True):
        names = data.transpose("density", across).values
        used |= set(names.ravel())
        x, y = data[across].values, data["density"].values
        codes = np.vectorize(place.__getitem__, otypes=[np.uint8])(names)
        panel.add(go.Heatmap(x=x, y=y, z=codes, hoverinfo="skip", **scale), _said(x, y, names, label))
        for symbol, (name, points) in zip(_SYMBOLS, (marks or {}).items(), strict=False):
            look = {"symbol": symbol, "size": 5, "color": INK, "line": {"width": 1.2, "color": INK}}
            panel.add(dots(points.x, points.y, look, "%{text}", name).update(legendgroup=name, text=points.texts))
        density_axes(panel, label, standoff=10)
        panel.x_axis(range=log_range(x))
        panel.y_axis(range=log_range(y))
    drawn.at(1, 1).add(*(_key(name, colour) for name, colour in colours.items() if name in used))
    rows = (len(used) + len(marks or {}) + 2) // 3
    return styled(drawn.figure, 470 + 22 * rows, legend=legend_below(), margin={"l": 75, "r": 30})


@checked
def geometry_map(data: xr.Dataset) -> go.Figure:
    """A phase diagram of certified minima: their shape, nine most frequent in a colour each; the phase of the last feature.

    The data are as `tegum.maps.phase_map` gives them: ``W``, ``shape`` and ``phase`` (density, importance_ratio), and over
    ``transition`` what `transition_marks` reads.
    """
    grid = ("density", "importance_ratio")
    needed("geometry_map", data, ("shape", "phase"), W=(*grid, "hidden", "feature"), shape=grid, phase=grid)
    shape = data["shape"].astype(object)
    frequent = [name for name, _ in Counter(shape.values.ravel()).most_common(_MOST_SHAPES)]
    shape = shape.where(shape.isin(frequent), _OTHER)
    phase = data["phase"].astype(object)
    panels = {"shape of the optimum": shape, "last feature": phase.copy(data="last feature: " + phase.values)}
    colours = colours_of([*frequent, _OTHER]) | {f"last feature: {name}": colour for name, colour in PHASES.items()}
    figure = category_panels(panels, colours, transition_marks(data), label="importance of the last feature")
    n, m = data.sizes["feature"], data.sizes["hidden"]
    title = f"{n} features in {m} dimension{'s' * (m > 1)}, importances (1, ..., 1, r)"
    return figure.update_layout(title={"text": title, "x": 0.08}, margin={"t": 95})


@checked
def transition_marks(found: xr.Dataset) -> dict[str, Marks]:
    """Where transitions are on a map, by their order; nothing where the same minimum goes on.

    They have, over ``transition`` as `tegum.maps` gives them, ``along``, ``at``, ``value``, ``before``, ``after``, ``jump`` and
    ``order``; ``along`` may be one word.
    """
    if "order" in found and not found["order"].size:
        return {}
    each = dict.fromkeys(("order", "at", "value", "before", "after", "jump"), ("transition",))
    along = tuple(map(str, found["along"].dims)) if "along" in found else ()
    needed("transition_marks", found, ("along", "before", "after", "order"), **each, along=along)
    marks = {}
    for order in sorted(set(found["order"].values.tolist()) - {NONE}, reverse=True):
        chosen = found.isel(transition=(found["order"] == order).values)
        by_density = chosen["along"] == "density"
        texts = [
            f"{one['before'].item()} → {one['after'].item()}<br>{one['along'].item()} {one['value'].item():.5g}: "
            f"the slope jumps by {one['jump'].item():.1%}"
            for one in (chosen.isel(transition=k) for k in range(chosen.sizes["transition"]))
        ]
        x, y = chosen["at"].where(by_density, chosen["value"]), chosen["value"].where(by_density, chosen["at"])
        marks[f"{order} transition"] = Marks(x.values, y.values, texts)
    return marks


def _said(x: NDArray[np.float64], y: NDArray[np.float64], names: NDArray[np.str_], label: str) -> go.Heatmap:
    """What cells say on hovering, and nothing in the picture."""
    down, right = (slice(None, None, -(-count // _NAMED)) for count in names.shape)
    hover = f"{label} %{{x:.3g}}<br>density %{{y:.3g}}<br>%{{text}}"
    nothing = {"z": np.zeros(names[down, right].shape, dtype=np.uint8), "opacity": 0, "showscale": False}
    return go.Heatmap(x=x[right], y=y[down], text=names[down, right], hovertemplate=hover, **nothing)


def _key(name: str, colour: str) -> go.Scatter:
    """A coloured square in the legend, and nothing in the picture."""
    marker = {"symbol": "square", "size": 12, "color": colour, "line": {"color": INK, "width": 0.5}}
    return go.Scatter(x=[None], y=[None], mode="markers", name=name, marker=marker)
