"""What share of the features forms which shape, stacked, over the sparsity of the features.

Shapes are coloured and ordered as in `SHAPE_COLOURS`; what is left up to 100 % is not learned.

>>> names = np.array([["triangle", "triangle", "triangle"], ["digon", "digon", "not learned"]])      # (places, features)
>>> figure = shape_shares([1.0, 2.8], {"exact": names}, "1 / (1 - S)")
>>> {trace.name: trace.y.tolist() for trace in figure.data}
{'triangle': [1.0, 0.0], 'digon': [0.0, 0.6667], 'not learned': [0.0, 0.3333]}

Source: ours; it counts the dots of the scatter in section 4 of `Toy Models of Superposition` by shape.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tegum.figures.panels import Panels
from tegum.figures.theme import FAINT, INK, PLAIN, SHAPE_COLOURS, kind_of, legend_row, log_ticks, styled
from tegum.figures.traces import line


def shape_shares(places: Sequence[float], names: Mapping[str, NDArray[np.str_]], x_title: str) -> go.Figure:
    """Stacked areas over a logarithmic axis, one panel for each way.

    Args:
        places: where each model stands, ascending.
        names: title to the shape of every feature, shape (places, features), as `tegum.geometry.identify` gives them.
        x_title: what the places are.
    """
    panels = Panels.titled(names, shared_yaxes=True, horizontal_spacing=0.04)
    for panel, shapes in zip(panels, names.values(), strict=True):
        kinds = np.vectorize(kind_of, otypes=[object])(shapes)
        for rank, (kind, colour) in enumerate(SHAPE_COLOURS.items()):
            share = (kinds == kind).mean(axis=1)
            if share.any():
                area = line(list(places), np.round(share, 4), colour, 0.5, hover=f"{kind}: %{{y:.0%}}", name=kind)
                panel.add(area.update(stackgroup="features", fillcolor=colour, legendgroup=kind, legendrank=rank))
    low, high = float(min(places)), float(max(places))
    panels.x_axis(x_title, 8, type="log", **log_ticks(low, high), range=[np.log10(low), np.log10(high)], showgrid=False)
    panels.x_axis(showline=True, linecolor=FAINT, ticks="outside")
    panels.y_axis(range=[0, 1], tickformat=".0%", **PLAIN)
    panels.at(column=1).y_axis("share of the features", 8)
    panels.figure.update_annotations(font={"size": 14, "color": INK})
    legend = legend_row(-0.22, centred=True, traceorder="normal")
    return styled(panels.figure, 430, legend=legend, margin={"l": 65, "t": 45, "b": 110})
