"""How every picture looks and behaves: one place for fonts, colours, legends and the buttons of plotly.

plotly's upload button is switched off here, and nothing that is drawn asks the network for anything.

>>> [kind_of(name) for name in ("digon", "2-simplex", "irregular (7 in 3)")]
['digon', 'another shape', 'irregular']
>>> log_ticks(1, 10)["ticktext"][:5]
['1', '2', '3', '4', '5']
"""

from collections.abc import Iterable, Sequence
from math import ceil, floor, log10
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.colors import sample_colorscale

from tegum.errors import InvalidInputError, Problems

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
INK = "#222222"
FAINT = "#c9c9c9"
IMPORTANCE = "Viridis"
"""Yellow is most important, as in the paper."""

_STRONG, _SEEN = 1.8, 1.05
"""Overlaps of trained models stay below so many times what is usual; what is so little beyond the end has its colour."""

INTERFERENCE = "Inferno"
"""From dark (0, alone) to yellow (1 and more)."""

MIXED = 1.15
"""Where that scale ends: 1 is bright yellow, and not its palest end."""

SIGNED = "RdBu_r"
POSITIVE, NEGATIVE = "#b2182b", "#2166ac"
"""Weights and overlaps: red above 0, blue below, as in the paper."""

CATEGORIES = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb", "#222222", "#ee7733", "#009988")
"""Ten colours that colour-blind readers tell apart (after Paul Tol), for answers that have no colour of their own."""

SHAPE_COLOURS = {
    "dedicated": "#222222",
    "tetrahedron": "#66ccee",
    "triangle": "#228833",
    "digon": "#ee6677",
    "pentagon": "#4477aa",
    "square antiprism": "#aa3377",
    "another shape": "#ccbb44",
    "irregular": "#999999",
    "not learned": "#e6e6e6",
}
"""Every kind of shape that the paper names, from many dimensions per feature to few, and its colour (after Paul Tol)."""

DARK = {
    **dict.fromkeys(("white", "#ffffff"), "#212125"),
    **dict.fromkeys(("black", INK), "#ececee"),
    "#5a5a60": "#b0b0b8",
    FAINT: "#6a6a72",
    **dict.fromkeys(("#eeeeee", "#ececec", "#dddddd"), "#3d3d44"),
    "#e4e4e4": "#303036",
    "#e6e6e6": "#505058",
}
"""What grounds, lines and words of a picture become on a dark page; colours that mean something stay as they are."""

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DECADES = 5
"""About so many powers of ten are labelled on an axis of more: they stand side by side on a phone, too."""

DASHES = ("solid", "dash", "dot", "dashdot")
PLAIN: dict[str, Any] = {"showgrid": False, "zeroline": False}
"""An axis without lines across its panel."""

_NAMED = {"title": {"font": {"size": 14}}}
"""A name of an axis or a colour bar no larger than all else: plotly's would be longer than many a panel."""

OUTSIDE: dict[str, Any] = {"showline": True, "linecolor": FAINT, "ticks": "outside"}
"""An axis with a line along its panel."""

CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["sendDataToCloud", "select2d", "lasso2d", "autoScale2d"],
}
"""What every page passes to plotly.js."""


def kind_of(name: str) -> str:
    """The kind in `SHAPE_COLOURS` that a name given by `tegum.geometry.identify` belongs to."""
    if name.startswith("irregular") or name == "crowded":
        return "irregular"
    return name if name in SHAPE_COLOURS else "another shape"


def category(k: int) -> str:
    """The colour of the k-th of several; used again after ten."""
    return CATEGORIES[k % len(CATEGORIES)]


def dash(k: int) -> str:
    """The dash of the k-th of several lines; used again after four."""
    return DASHES[k % len(DASHES)]


def stepped(colours: Sequence[str]) -> list[list[Any]]:
    """A colour scale of single steps, one for each colour."""
    return [[edge / len(colours), colour] for k, colour in enumerate(colours) for edge in (k, k + 1)]


def colour_scale(scale: str, low: float, high: float, title: str, side: str = "right", **bar: Any) -> dict[str, Any]:
    """Colours of numbers from ``low`` to ``high``, and the colour bar beside them: for a marker or a colour axis."""
    bar = {"title": {"text": title, "side": side, **_NAMED["title"]}, "thickness": 12, **bar}
    return {"colorscale": scale, "cmin": low, "cmax": high, "colorbar": bar}


def signed_ends(*values: ArrayLike, usual: float = 1.0) -> tuple[float, dict[str, Any]]:
    """Where a scale of numbers around 0 ends, and the ticks of its colour bar where some numbers lie beyond, which those say.

    It ends at what is ``usual``, or where numbers are far larger at the largest.

    >>> signed_ends([0.5, -1.0]), signed_ends([2.0, -7.0])
    ((1.0, {}), (7.0, {}))
    >>> signed_ends([-1.5])[1]["ticktext"]
    ['≤ -1', '-0.5', '0', '0.5', '≥ 1']
    """
    each = [np.abs(np.asarray(one, np.float64)) for one in values]
    largest = max(float(one[np.isfinite(one)].max(initial=0)) for one in each)
    most = largest if largest > _STRONG * usual else usual
    if largest <= _SEEN * most:
        return most, {}
    ticks = [k * most / 2 for k in range(-2, 3)]
    names = [f"{tick:.3g}" for tick in ticks]
    return most, {"tickvals": ticks, "ticktext": [f"≤ {names[0]}", *names[1:-1], f"≥ {names[-1]}"]}


def shades(scale: str, values: ArrayLike, high: float) -> list[str]:
    """The colours of numbers in a scale from 0 to ``high``, written out: bars have no numbers for colours in plotly.

    >>> shades("Greys", [0, 2], 2)
    ['rgb(255, 255, 255)', 'rgb(0, 0, 0)']
    """
    places = np.clip(np.atleast_1d(np.asarray(values, float)) / high, 0, 1)
    return [str(colour) for colour in sample_colorscale(scale, places.tolist())] if places.size else []


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Where a logarithmic axis is labelled: at 1, 2, 5 of each decade or more often; up to plotly over many decades."""
    if not 0 < low < high < 300 * low:
        return {}
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    digits = (1, 2, 3, 4, 5, 7) if high < 20 * low else (1, 2, 5)
    ticks = [digit * 10.0**decade for decade in decades for digit in digits]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def log_labels(values: Iterable[ArrayLike]) -> dict[str, Any]:
    """Where the logarithmic axis of several lists of values is labelled: as `log_ticks` says, and of many decades at some.

    >>> log_labels([[1e-9, 0.1], [0.0, 1.0]])["ticktext"]
    ['10⁻⁹', '10⁻⁷', '10⁻⁵', '10⁻³', '0.1', '10']
    """
    every = np.concatenate([np.ravel(np.asarray(one, float)) for one in values])
    shown = every[np.isfinite(every) & (every > 0)]
    low, high = (float(shown.min()), float(shown.max())) if shown.size else (1.0, 1.0)
    if low == high:
        return {"dtick": 1}
    if few := log_ticks(low, high):
        return few
    first, last = floor(log10(low)), ceil(log10(high))
    powers = range(first, last + 2, max(1, round((last - first) / _DECADES)))
    return {
        "tickmode": "array",
        "tickvals": [10.0**power for power in powers],
        "ticktext": [f"{10.0**power:g}" if -3 < power < 4 else f"10{str(power).translate(_RAISED)}" for power in powers],
    }


def log_range(values: ArrayLike, air: float = 0) -> list[float]:
    """The range of a logarithmic axis from the lowest value to the highest, and some decades of air on both sides."""
    if not np.size(values):
        raise InvalidInputError("a logarithmic axis has no values", "give one at least")
    if not (np.min(values) > 0 and np.isfinite(np.max(values))):
        raise InvalidInputError(
            f"a logarithmic axis has values from {np.min(values):g} to {np.max(values):g}", "give finite ones above 0"
        )
    return [float(np.log10(np.min(values))) - air, float(np.log10(np.max(values))) + air]


def legend_below(centred: bool = False, **more: Any) -> dict[str, Any]:
    """A legend at the foot of the figure, in as many rows as its width asks for: `styled` makes the panels give way to them."""
    place = {"x": 0.5, "xanchor": "center"} if centred else {"x": 0}
    return {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "tracegroupgap": 0, **place, **more}


def legend_above(y: float, **more: Any) -> dict[str, Any]:
    """A legend in rows above the panels, ``y`` of their height above their bottom."""
    return {"orientation": "h", "x": 0, "y": y, "yanchor": "bottom", "tracegroupgap": 0, **more}


def styled(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """The figure in tegum's style: white ground, plain axes, readable type.

    Each legend group has one entry, that of its first trace; what traces say on hovering is without the box that repeats names.
    The figure is changed in place; ``layout`` is what differs, such as ``margin``, of which only the sides given are changed.
    """
    with Problems() as problems:
        problems.check_number("the height in pixels", height, 10, 1e5)
    groups: set[str] = set()
    for trace in figure.data:
        if trace.legendgroup is not None:
            trace.showlegend = trace.legendgroup not in groups
            groups.add(trace.legendgroup)
        if trace.hovertemplate is not None:
            trace.hovertemplate += "<extra></extra>"
    figure.update_layout(
        template="none",
        height=height,
        font={"family": FONT, "size": 14, "color": INK},
        margin={"l": 55, "r": 20, "t": 60, "b": 45},
        paper_bgcolor="white",
        plot_bgcolor="white",
        hoverlabel={"font": {"family": FONT}},
    )
    figure.update_layout(layout)
    figure.update_xaxes(_NAMED, automargin="height")  # turned labels, and a legend below them, take what room they need
    return figure.update_yaxes(_NAMED)
