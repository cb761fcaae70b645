"""What all restarts found: one dot for each model, its loss against a baseline, coloured by what it is.

Crosses mark models that were built by hand and trained on.  Dots are spread sideways within a density by their rank in loss,
so that the height of a plateau is its loss and its width how often it was found.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from tegum.figures.theme import FAINT, INK, styled

_COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#f0e442")
_WIDTH = 0.8


def census_dots(data: xr.Dataset, names: Sequence[str], other: str, baseline: str = "loss without superposition") -> go.Figure:
    """Dots by density and kind.

    Args:
        data: ``relative_loss`` and ``kind`` (density, seed), ``built_loss`` (density, kind_built); the kinds are coordinates.
        names: the kinds that have a colour, in the legend's order (at most seven).
        other: the kind that is drawn in grey.
        baseline: what the losses are relative to.
    """
    figure = go.Figure()
    densities = data["density"].values
    loss, kind = data["relative_loss"].values, data["kind"].values
    rank = np.argsort(np.argsort(loss, axis=1), axis=1) / max(1, loss.shape[1] - 1)
    place = np.arange(len(densities))[:, None] + _WIDTH * (rank - 0.5)
    for name, colour in [(other, FAINT), *zip(names, _COLOURS, strict=False)]:
        chosen = kind == name
        figure.add_trace(
            go.Scatter(
                x=place[chosen],
                y=loss[chosen],
                mode="markers",
                marker={"size": 5, "color": colour, "line": {"width": 0}},
                name=name,
                hovertemplate=f"{name}: %{{y:.4f}}<extra></extra>",
            )
        )
    for number, (name, colour) in enumerate(zip(names, _COLOURS, strict=False)):
        built = data["built_loss"].sel(kind_built=name).values
        figure.add_trace(
            go.Scatter(
                x=np.arange(len(densities)) + _WIDTH * ((number + 0.5) / len(names) - 0.5),
                y=built,
                mode="markers",
                marker={"symbol": "x", "size": 9, "color": colour, "line": {"width": 0.8, "color": INK}},
                showlegend=False,
                hovertemplate=f"hand-built {name}: %{{y:.4f}}<extra></extra>",
            )
        )
    figure.add_hline(y=1, line={"color": INK, "width": 1, "dash": "dot"})
    figure.update_xaxes(title="density", tickvals=list(range(len(densities))), ticktext=[f"{p:g}" for p in densities])
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(title=f"loss / {baseline}", zeroline=False, gridcolor="#eeeeee")
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "itemsizing": "constant"})
    return styled(figure, height=480).update_layout(margin={"t": 100, "l": 70})
