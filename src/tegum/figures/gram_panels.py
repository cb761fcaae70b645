"""W^T W of several models side by side, sets of features marked off by lines; red is +1, blue -1.

>>> figure = gram_panels({"two digons": np.array([[1, -1, 0, 0], [0, 0, 1, -1]])}, set_size=2)
>>> figure.data[0].z.astype(int).tolist()
[[1, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1]]

Source: the picture of local almost-orthogonal bases in section 5 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tegum.figures.panels import Panels
from tegum.figures.theme import INK, PLAIN, SIGNED, colour_scale, styled
from tegum.geometry import gram


def gram_panels(models: Mapping[str, NDArray[np.floating]], set_size: int) -> go.Figure:
    """One square map for each model.

    Args:
        models: title to W (m, n).
        set_size: features in each set, where the lines are drawn.
    """
    panels = Panels.titled(models, horizontal_spacing=0.07)
    panels.axes(constrain="domain", **PLAIN)
    for panel, W in zip(panels, models.values(), strict=True):
        G = gram(W.astype(np.float64))
        panel.add(go.Heatmap(z=G, coloraxis="coloraxis", hovertemplate="features %{y}, %{x}: %{z:.3f}"))
        first, last = -0.5, len(G) - 0.5
        border = {"type": "line", "line": {"color": INK, "width": 1}, "row": panel.row, "col": panel.column}
        for edge in np.arange(set_size, len(G), set_size) - 0.5:
            panels.figure.add_shape(x0=edge, x1=edge, y0=first, y1=last, **border)
            panels.figure.add_shape(x0=first, x1=last, y0=edge, y1=edge, **border)
        panel.y_axis(autorange="reversed")
        panel.same_units()
    panels.x_axis("feature", 6)
    panels.at(column=1).y_axis("feature")
    scale = colour_scale(SIGNED, -1, 1, "WᵀW", side="top", tickvals=[-1, -0.5, 0, 0.5, 1])
    return styled(panels.figure, 430, coloraxis=scale)
