"""A certified phase diagram: the shape of the optimum and the fate of the last feature, with the transitions between them.

Example: `geometry_map(data)` with data from `tegum.maps.phase_map`.

Source: the phase diagrams of section 3 of `Toy Models of Superposition`, for any number of features and dimensions.
"""

from collections import Counter

import plotly.graph_objects as go
import xarray as xr

from tegum.figures.category_map import Marks, category_panels, colours_of

FATES = {"not learned": "#dddddd", "dedicated": "#003399", "superposition": "#dd4444"}
"""The paper's colours for what becomes of a feature."""

_MOST_SHAPES = 9
_OTHER = "another shape"


def geometry_map(data: xr.Dataset) -> go.Figure:
    """Two maps: the optimum's shape, the nine most frequent in a colour each, and what became of the last feature.

    Args:
        data: ``W``, ``shape`` and ``fate`` (density, importance_ratio), and over ``transition`` the variables ``along``,
            ``at``, ``value``, ``before``, ``after``, ``jump`` and ``order``.
    """
    shape = data["shape"].astype(object)
    frequent = [name for name, _ in Counter(shape.values.ravel()).most_common(_MOST_SHAPES)]
    shape = shape.where(shape.isin(frequent), _OTHER)
    colours = colours_of([*frequent, _OTHER])
    fate = data["fate"].astype(object)
    fates = {f"last feature: {name}": colour for name, colour in FATES.items()}
    panels = {"shape of the optimum": shape, "last feature": fate.copy(data="last feature: " + fate.values)}
    figure = category_panels(panels, colours | fates, _marks(data), label="importance of the last feature")
    n, m = data.sizes["feature"], data.sizes["hidden"]
    figure.update_layout(title={"text": f"{n} features in {m} dimension{'s' * (m > 1)}, importances (1, ..., 1, r)", "x": 0.08})
    return figure.update_layout(margin={"t": 95})


def _marks(data: xr.Dataset) -> dict[str, Marks]:
    """Where transitions are, by their order."""
    marks = {}
    for order in sorted(set(data["order"].values.tolist())):
        chosen = data.isel(transition=(data["order"] == order).values)
        by_density = chosen["along"] == "density"
        texts = [
            f"{before} → {after}<br>{along} {value:.5g}: the slope jumps by {jump:.1%}"
            for before, after, along, value, jump in zip(
                *(chosen[name].values for name in ("before", "after", "along", "value", "jump")), strict=True
            )
        ]
        x, y = chosen["at"].where(by_density, chosen["value"]), chosen["value"].where(by_density, chosen["at"])
        marks[f"{order} transition"] = Marks(x.values, y.values, texts)
    return marks
