"""Training over time: a logarithmic axis, a mark at one time, a slider that moves it.

>>> moments(100, 4).tolist()
[0, 33, 66, 99]
>>> slider = time_slider("step", [10.0, 1000.0], [{"y": [[0, 1]]}, {"y": [[0, 2]]}], traces=[3], pad=55)
>>> [step["label"] for step in slider["steps"]], slider["steps"][0]["args"]
(['10', '1,000'], [{'y': [[0, 1]]}, [3]])
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tegum.figures.theme import FAINT, INK
from tegum.figures.traces import line

TIME_AXIS: dict[str, Any] = {
    "type": "log",
    "dtick": 1,
    "exponentformat": "power",
    "showgrid": False,
    "showline": True,
    "linecolor": FAINT,
    "ticks": "outside",
}


def moments(rows: int, most: int) -> NDArray[np.intp]:
    """The rows, evenly spaced and the last among them, at which a slider stops."""
    return np.unique(np.linspace(0, rows - 1, most).astype(int))


def mark(time: float, low: float, high: float, dash: str | None = None) -> go.Scatter:
    """A vertical line at a time."""
    return line([time] * 2, [low, high], INK, 1.5, dash, showlegend=False)


def time_slider(
    clock: str, times: Sequence[float], changes: Sequence[dict[str, list[Any]]], traces: Sequence[int], pad: int
) -> dict[str, Any]:
    """A slider over times, which stands at the last.

    Args:
        clock: the name of the time.
        times: where it stops.
        changes: what the traces become at each: attribute to values, one for each trace.
        traces: their numbers in the figure.
        pad: pixels between the panels and the slider.
    """
    steps = [
        {"method": "restyle", "label": f"{time:,.0f}" if time >= 100 else f"{time:.2g}", "args": [change, list(traces)]}
        for time, change in zip(times, changes, strict=True)
    ]
    return {"active": len(steps) - 1, "steps": steps, "currentvalue": {"prefix": f"{clock}: "}, "pad": {"t": pad}}
