"""A certified phase diagram: the shape of the optimum and the phase of the last feature, with the transitions between them.

Example: `geometry_map(data)` with data from `tegum.maps.phase_map`.

Source: the phase diagrams of section 3 of `Toy Models of Superposition`, for any number of features and dimensions.
"""

from collections import Counter

import plotly.graph_objects as go
import xarray as xr

from tegum.figures.category_map import Marks, category_panels, colours_of

PHASES = {"not learned": "#dddddd", "dedicated": "#003399", "superposition": "#dd4444"}
"""The paper's colours for the phases of a feature."""

_MOST_SHAPES = 9
_OTHER = "another shape"


def geometry_map(data: xr.Dataset) -> go.Figure:
    """Two maps: the optimum's shape, the nine most frequent in a colour each, and the phase of the last feature.

    Args:
        data: ``W``, ``shape`` and ``phase`` (density, importance_ratio), and over ``transition`` the variables ``along``,
            ``at``, ``value``, ``before``, ``after``, ``jump`` and ``order``.
    """
    shape = data["shape"].astype(object)
    frequent = [name for name, _ in Counter(shape.values.ravel()).most_common(_MOST_SHAPES)]
    shape = shape.where(shape.isin(frequent), _OTHER)
    colours = colours_of([*frequent, _OTHER])
    phase = data["phase"].astype(object)
    phases = {f"last feature: {name}": colour for name, colour in PHASES.items()}
    panels = {"shape of the optimum": shape, "last feature": phase.copy(data="last feature: " + phase.values)}
    figure = category_panels(panels, colours | phases, transition_marks(data), label="importance of the last feature")
    n, m = data.sizes["feature"], data.sizes["hidden"]
    figure.update_layout(title={"text": f"{n} features in {m} dimension{'s' * (m > 1)}, importances (1, ..., 1, r)", "x": 0.08})
    return figure.update_layout(margin={"t": 95})


def transition_marks(found: xr.Dataset) -> dict[str, Marks]:
    """Where transitions are on a map, by their order.

    Args:
        found: over ``transition``, as `tegum.maps` gives it: ``along``, ``at``, ``value``, ``before``, ``after``, ``jump`` and
            ``order``; ``along`` may be one word.
    """
    marks = {}
    for order in sorted(set(found["order"].values.tolist())):
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
