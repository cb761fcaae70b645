"""What experiments on open problems share: where one minimum takes over from another, and how many are certified."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import tegum as tg
from tegum.datasets import Status
from tegum.features import Features
from tegum.nets import Net

TOL = 1e-8
"""How exactly a crossing is located."""

NEAR, LEAST = 1e-5, 1e-9
"""How far to either side losses are compared, relative to the density; the least that is said of how exactly it is known."""


def certified(status: ArrayLike) -> str:
    """What evidence says of the lowest models, by the status of each.

    >>> certified(["minimum", "minimum"]), certified(["minimum", "saddle", "converged"])
    ('certified locally', '1 of 3 certified locally')
    """
    found = np.asarray(status).ravel()
    minima = int((found == Status.MINIMUM).sum())
    return "certified locally" if minima == found.size else f"{minima} of {found.size} certified locally"


def switches(net: Net, features: Features, found: xr.Dataset, names: Sequence[str]) -> list[dict[str, Any]]:
    """Where the name of the lowest minimum changes along density, one after the other.

    Each has its ``value`` and how exactly it is located (``within``), ``order``, ``jump`` of the slope, both names (``before``,
    ``after``), and both minima there: ``W`` (2, m, n), ``b`` (2, n), ``loss`` (2,).  Names that change where neither minimum is
    found to take over from the other, as one was missed at a density, are left out.

    Args:
        net: of the minima.
        features: their distribution, of which the density is set.
        found: ``W`` (density, hidden, feature) and ``b`` of the lowest minimum at each density.
        names: what each is called.
    """
    p, W, b = found["density"].values, found["W"].values, found["b"].values
    changes = [k for k in range(len(p) - 1) if names[k] != names[k + 1]]
    rows = np.array([[k, k + 1] for k in changes], dtype=int).reshape(-1, 2)

    def at(values: NDArray[np.float64]) -> Features:
        return features.replaced(density=values[:, None])

    measured = tg.exact.transitions(net, at, W[rows], b[rows], p[rows], progress=False)
    each = []
    for row, ends in enumerate(rows):
        value, width, order, jump = (measured[name].values[row] for name in ("value", "width", "order", "jump"))
        if np.isnan(value):
            continue
        value, within, models = sharpened(net, features, float(value), float(width), {"W": W[ends], "b": b[ends]})
        one = {"value": value, "within": within, "order": str(order), "jump": float(jump)}
        each.append(one | {"before": names[ends[0]], "after": names[ends[1]]} | models)
    return each


def sharpened(
    net: Net, features: Features, value: float, width: float, models: dict[str, NDArray[np.float64]]
) -> tuple[float, float, dict[str, NDArray[np.float64]]]:
    """Where two minima next to a density cost the same, by the secant of their exact losses; how exactly; and both there."""

    def minima(density: float, models: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        there = features.replaced(density=density)
        found = tg.exact.minimise(net, there, seeds=2, initial=models, progress=False)
        ends = {name: found[name].values for name in ("W", "b")}
        return ends | {"loss": np.asarray(tg.exact.loss(ends["W"], ends["b"], there, tol=1e-13))}

    here = minima(value, models)
    start = {name: here[name] for name in ("W", "b")}
    for _ in range(2):
        sides = value * (1 - NEAR), value * (1 + NEAR)
        low, high = (float(np.subtract(*minima(side, start)["loss"])) for side in sides)
        if not low * high < 0:
            return value, width, here  # not bracketed: the halving stands
        before, value = value, sides[0] + (sides[1] - sides[0]) * low / (low - high)
    return value, max(abs(value - before), LEAST), minima(value, start)
