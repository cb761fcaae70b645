"""What all restarts found: one dot for each model, its loss against a baseline, coloured by what it is.

A cross marks one more model of each kind: built by hand and trained on, or an exact minimum.  Dots are spread sideways within a
density by their rank in loss, so that the height of a plateau is its loss and its width how often it was found.

>>> kind, loss = [["pair", "?"]], [[0.5, 1.0]]
>>> data = xr.Dataset({"relative_loss": (("density", "seed"), loss), "kind": (("density", "seed"), kind)}, {"density": [0.1]})
>>> data["built_loss"] = xr.DataArray([[0.4]], {"density": [0.1], "kind_built": ["pair"]})
>>> [(trace.name, trace.y.tolist()) for trace in census_dots(data, ["pair"], other="?", crosses="exact minimum").data]
[('?', [1.0]), ('pair', [0.5]), (None, [0.4])]
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tegum.checking import checked, require_held
from tegum.errors import InvalidInputError
from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, PLAIN, legend_row, styled
from tegum.figures.traces import dots

_COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#f0e442")
_WIDTH = 0.8


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
    """
    each, kinds = ("density", "seed"), ("density", "kind_built")
    require_held(
        "data", data, ("kind", "kind_built"), relative_loss=each, kind=each, built_loss=kinds, kind_built=("kind_built",)
    )
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
    legend = legend_row(1.02, yanchor="bottom", itemsizing="constant")
    return styled(chart.figure, 480, legend=legend, margin={"t": 100, "l": 70})
