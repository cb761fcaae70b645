"""How every picture looks and behaves: one place for fonts, colours and the buttons of plotly.

plotly's upload button is switched off here, and nothing that is drawn asks the network for anything.
"""

from math import ceil, floor, log10
from typing import Any

import plotly.graph_objects as go

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
INK = "#222222"
FAINT = "#c9c9c9"
IMPORTANCE = "Viridis"
"""Yellow is most important, as in the paper."""

SIGNED = "RdBu_r"
POSITIVE, NEGATIVE = "#b2182b", "#2166ac"
"""Weights and overlaps: red above 0, blue below, as in the paper."""

CATEGORIES = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb", "#222222", "#ee7733", "#009988")
"""Ten colours that colour-blind readers tell apart (after Paul Tol), for answers that have no colour of their own."""

CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["sendDataToCloud", "select2d", "lasso2d", "autoScale2d"],
}
"""What every page passes to plotly.js."""


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Where a logarithmic axis is labelled: at 1, 2, 5 of each decade or more often; up to plotly over many decades."""
    if not 0 < low < high < 300 * low:
        return {}
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    digits = (1, 2, 3, 4, 5, 7) if high < 20 * low else (1, 2, 5)
    ticks = [digit * 10.0**decade for decade in decades for digit in digits]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def styled(figure: go.Figure, height: int) -> go.Figure:
    """The figure in tegum's style: white ground, plain axes, readable type; changed in place and returned."""
    figure.update_layout(
        template="none",
        height=height,
        font={"family": FONT, "size": 14, "color": INK},
        margin={"l": 55, "r": 20, "t": 60, "b": 45},
        paper_bgcolor="white",
        plot_bgcolor="white",
        hoverlabel={"font": {"family": FONT}},
    )
    return figure
