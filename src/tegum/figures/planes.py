"""Points in the plane, in panels of equal units: where a model of two hidden dimensions puts its features, and its samples.

>>> found = {"features": np.array([[1.0, -1.0], [0.0, 0.0]]), "samples": np.array([[0.5], [0.2]])}
>>> figure = plane_panels({"T = 1": found})
>>> [trace.name for trace in figure.data], len(figure.data[0].x)
(['features', 'samples'], 2)
"""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, category, legend_below, styled
from tegum.figures.traces import dots

_PANEL = 250
_MOST = 5
_MANY = 1000
"""More points are drawn on a canvas: as elements of the page they would make it slow."""


@checked
def plane_panels(panels: Mapping[str, Mapping[str, ArrayLike]], columns: int | None = None) -> go.Figure:
    """Panels by title, in each points (2, k) by name; one name has one colour everywhere, and each panel units of its own.

    Raises:
        InvalidInputError: where there is no panel, or points are not in the plane.
    """
    if not panels:
        raise InvalidInputError("plane_panels got no panels", "give {title: {name: points of shape (2, k)}}")
    names = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    many = sum(np.size(points) // 2 for panel in panels.values() for points in panel.values()) > _MANY
    drawn = Panels.titled(panels, columns or min(len(panels), _MOST), horizontal_spacing=0.05, vertical_spacing=0.12)
    for panel, clouds in zip(drawn, panels.values(), strict=True):
        for name, points in clouds.items():
            found = np.asarray(points, dtype=np.float64)
            if found.ndim != 2 or len(found) != 2:
                raise InvalidInputError(f"the points {name!r} have shape {found.shape}", "give (2, k)")
            look = {"color": category(names.index(name)), "size": 5, "opacity": 0.75}
            cloud = dots(found[0], found[1], look, f"{name}<br>%{{x:.3g}}, %{{y:.3g}}", name, legendgroup=name)
            panel.add(go.Scattergl({**cloud.to_plotly_json(), "type": "scattergl"}) if many else cloud)
        reach = 1.08 * max((float(np.nanmax(np.abs(points), initial=0)) for points in clouds.values()), default=0) or 1
        panel.axes(range=[-reach, reach])
        panel.same_units()
    drawn.axes(gridcolor=FAINT, zeroline=True, zerolinecolor=FAINT, showline=True, linecolor=INK, constrain="domain", nticks=5)
    rows = -(-len(panels) // drawn.columns)
    drawn.at(row=rows).x_axis("hidden 0", 4)
    drawn.at(column=1).y_axis("hidden 1", 4)
    return styled(drawn.figure, _PANEL * rows + 130, legend=legend_below(itemsizing="constant"))
