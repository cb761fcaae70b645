"""What all restarts found: a bar for each minimum as long as its share; or one dot for each model, its loss against a baseline.

`census_bars` draws what `tegum.census` counts.  In `census_dots` colours are what a model is, and
a cross marks one more model of each kind: built by hand and trained on, or an exact minimum.  Dots are spread sideways within a
density by their rank in loss, so that the height of a plateau is its loss and its width how often it was found.

>>> kind, loss = [["pair", "?"]], [[0.5, 1.0]]
>>> data = xr.Dataset({"relative_loss": (("density", "seed"), loss), "kind": (("density", "seed"), kind)}, {"density": [0.1]})
>>> data["built_loss"] = xr.DataArray([[0.4]], {"density": [0.1], "kind_built": ["pair"]})
>>> [(trace.name, trace.y.tolist()) for trace in census_dots(data, ["pair"], other="?", crosses="exact minimum").data]
[('?', [1.0]), ('pair', [0.5]), (None, [0.4])]
"""

import re
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.figures.models import Chosen, label_of, needed
from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, PLAIN, SHAPE_COLOURS, kind_of, legend_above, styled
from tegum.figures.traces import dots
from tegum.geometry.catalogue import CROWDED, IRREGULAR, plural
from tegum.geometry.measures import DIVERGED, NOT_LEARNED

_COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#f0e442")
_WIDTH, _MOST_GROUPS, _MOST_MINIMA = 0.8, 6, 8


@checked
def census_dots(
    data: xr.Dataset, names: Sequence[str], other: str, crosses: str, baseline: str = "loss without superposition"
) -> go.Figure:
    """Dots by density and kind.

    Args:
        data: ``relative_loss`` and ``kind`` (density, seed), ``built_loss`` (density, kind_built); the kinds are coordinates.
        names: the kinds that have a colour, in the legend's order (at most seven).
        other: the kind that is drawn in grey.
        crosses: what the models of ``built_loss`` are, after their kind, such as "exact minimum".
        baseline: what the losses are relative to.

    Raises:
        InvalidInputError: where a variable is missing, or has other dimensions.
    """
    each = ("density", "seed")
    words, of_built = ("kind", "kind_built"), ("density", "kind_built")
    needed("census_dots", data, words, relative_loss=each, kind=each, built_loss=of_built, kind_built=("kind_built",))
    if unknown := sorted(set(names) - set(data["kind_built"].values.tolist())):
        raise InvalidInputError(f"names has {unknown[0]!r}", "give kinds that built_loss has")
    chart = Panels(go.Figure())
    densities, loss = data["density"].values, data["relative_loss"].values
    middle = np.arange(len(densities))
    rank = np.argsort(np.argsort(loss, axis=1), axis=1) / max(1, loss.shape[1] - 1)
    place = middle[:, None] + _WIDTH * (rank - 0.5)
    for name, colour in [(other, FAINT), *zip(names, _COLOURS, strict=False)]:
        chosen, dot = data["kind"].values == name, {"size": 5, "color": colour, "line": {"width": 0}}
        chart.add(dots(place[chosen], loss[chosen], dot, f"{name}: %{{y:.4f}}", name))
    for number, (name, colour) in enumerate(zip(names, _COLOURS, strict=False)):
        x, built = middle + _WIDTH * ((number + 0.5) / len(names) - 0.5), data["built_loss"].sel(kind_built=name).values
        cross = {"symbol": "x", "size": 9, "color": colour, "line": {"width": 0.8, "color": INK}}
        chart.add(dots(x, built, cross, f"{name}, {crosses}: %{{y:.4f}}", showlegend=False))
    chart.figure.add_hline(y=1, line={"color": INK, "width": 1, "dash": "dot"})
    chart.x_axis("density", tickvals=middle.tolist(), ticktext=[f"{p:g}" for p in densities], **PLAIN)
    chart.y_axis(f"loss / {baseline}", zeroline=False, gridcolor="#eeeeee")
    legend = legend_above(1.02, itemsizing="constant")
    return styled(chart.figure, 480, legend=legend, margin={"t": 100, "l": 70})


@checked
def census_bars(census: xr.Dataset) -> go.Figure:
    """The minima of a census from the best down, each as long as the share of starts that reached it, beside loss and excess.

    Args:
        census: what `tegum.census` returns; where it has many grid points or minima, the first minima of some are drawn.

    Raises:
        InvalidInputError: for other datasets.
    """
    needed("census_bars", census, ("shape",), **dict.fromkeys(("shape", "share", "loss", "excess", "count"), ("minimum",)))
    grid = [str(name) for name in census.coords if name not in ("minimum", "rank")]
    frame = census[["shape", "share", "loss", "excess", "count"]].to_dataframe()
    groups = list(frame.groupby(grid, sort=False)) if grid else [((), frame)]
    step = -(-len(groups) // _MOST_GROUPS)
    shown = groups[::step]
    titles = [", ".join(label_of(axis, value) for axis, value in zip(grid, where, strict=True)) for where, _ in shown]
    heights = [min(len(rows), _MOST_MINIMA) + 0.8 for _, rows in shown]
    drawn = Panels.titled(titles, 1, row_heights=heights, vertical_spacing=min(0.12, 0.3 / len(shown)), shared_xaxes=True)
    for panel, (_, rows) in zip(drawn, shown, strict=True):
        first = rows.head(_MOST_MINIMA)
        names = [f"{k + 1}. {shape}" for k, shape in enumerate(first["shape"])]
        colours = [SHAPE_COLOURS[_kind(shape)] for shape in first["shape"]]
        words = [
            f"{count} ({share:.3g} %)" + (f", loss {loss:.6g}, excess {excess:.3g} %" if np.isfinite(loss) else "")
            for count, share, loss, excess in zip(
                first["count"], 100 * first["share"], first["loss"], 100 * first["excess"], strict=True
            )
        ]
        bars = go.Bar(x=100 * first["share"], y=names, orientation="h", text=words, textposition="outside", cliponaxis=False)
        panel.add(bars.update(marker={"color": colours}, hovertemplate="%{y}<br>%{text}"))
        panel.y_axis(autorange="reversed", automargin=True, **PLAIN)
        rest = len(rows) - len(first)
        if rest:
            panel.note(f"and {rest} more", x=1, y=0, xref="x domain", yref="y domain", xanchor="right", yanchor="bottom")
    drawn.x_axis(range=[0, 190], tickvals=[0, 25, 50, 75, 100], **PLAIN)
    drawn.at(len(shown), 1).x_axis("share of the starts, %", 6)
    figure = styled(drawn.figure, int(110 + 30 * sum(heights) + 30 * len(shown)), showlegend=False, margin={"l": 160, "t": 40})
    said = f"{len(shown)} of {len(groups)} grid points" if len(shown) < len(groups) else ""
    return Chosen({}, said).noted(figure)


def _kind(label: str) -> str:
    """The kind in `SHAPE_COLOURS` of a model's label: that of its shape, where it has one kind of shape."""
    if label in (DIVERGED, "nothing"):
        return NOT_LEARNED
    if IRREGULAR in label:
        return IRREGULAR
    count = re.match(r"(\d+) ", label)
    several = {plural(kind, int(count[1])): kind for kind in (*SHAPE_COLOURS, CROWDED)} if count else {}
    return kind_of(several.get(label, label))
