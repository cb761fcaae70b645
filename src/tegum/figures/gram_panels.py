"""W^T W of several models side by side, sets of features marked off by lines; red is +1, blue -1.

Source: the picture of local almost-orthogonal bases in section 5 of `Toy Models of Superposition`.
"""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tegum.figures.theme import INK, SIGNED, styled
from tegum.geometry import gram


def gram_panels(models: Mapping[str, NDArray[np.floating]], set_size: int) -> go.Figure:
    """One square map for each model.

    Args:
        models: title to W (m, n).
        set_size: features in each set, where the lines are drawn.
    """
    figure = make_subplots(1, len(models), subplot_titles=list(models), horizontal_spacing=0.07)
    for column, W in enumerate(models.values(), start=1):
        figure.add_trace(
            go.Heatmap(
                z=gram(W.astype(np.float64)),
                coloraxis="coloraxis",
                hovertemplate="features %{y}, %{x}: %{z:.3f}<extra></extra>",
            ),
            row=1,
            col=column,
        )
        n = W.shape[1]
        for edge in np.arange(set_size, n, set_size) - 0.5:
            line = {"line": {"color": INK, "width": 1}, "row": 1, "col": column}
            figure.add_shape(type="line", x0=edge, x1=edge, y0=-0.5, y1=n - 0.5, **line)
            figure.add_shape(type="line", x0=-0.5, x1=n - 0.5, y0=edge, y1=edge, **line)
        figure.update_yaxes(autorange="reversed", scaleanchor=f"x{column if column > 1 else ''}", row=1, col=column)
    figure.update_xaxes(constrain="domain", showgrid=False, zeroline=False, title={"text": "feature", "standoff": 6})
    figure.update_yaxes(constrain="domain", showgrid=False, zeroline=False)
    figure.update_yaxes(title="feature", col=1)
    bar = {"title": {"text": "WᵀW", "side": "top"}, "thickness": 12, "tickvals": [-1, -0.5, 0, 0.5, 1]}
    figure.update_layout(coloraxis={"colorscale": SIGNED, "cmin": -1, "cmax": 1, "colorbar": bar})
    return styled(figure, height=430)
