"""What experiments on open problems share: where, between neighbouring densities, one minimum takes over from another."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.features import Features
from tegum.nets import Net

TOL = 1e-8
"""How exactly a crossing is located."""


def switches(
    net: Net, features: Features, found: xr.Dataset, names: Sequence[str], sharp: bool = False
) -> list[dict[str, Any]]:
    """Where the name of the lowest minimum changes along density, one after the other.

    Each has its ``value`` and how exactly it is located (``within``), ``order``, ``jump`` of the slope, both names (``before``,
    ``after``), and both minima there: ``W`` (2, m, n), ``b`` (2, n), ``loss`` (2,).

    Args:
        net: of the minima.
        features: their distribution, of which the density is set.
        found: ``W`` (density, hidden, feature) and ``b`` of the lowest minimum at each density.
        names: what each is called.
        sharp: follow both to where they cost the same, to `TOL`; otherwise the interval between neighbours is halved 18 times.
    """
    p, W, b = found["density"].values, found["W"].values, found["b"].values
    changes = [k for k in range(len(p) - 1) if names[k] != names[k + 1]]
    rows = np.array([[k, k + 1] for k in changes], dtype=int).reshape(-1, 2)

    def at(values: NDArray[np.float64]) -> Features:
        return features.replaced(density=values[:, None])

    measured = tg.exact.transitions(net, at, W[rows], b[rows], p[rows], progress=False)
    each = []
    for row, (first, second) in enumerate(rows):
        value, within, order, jump = (measured[name].values[row] for name in ("value", "width", "order", "jump"))
        if sharp and order == tg.exact.FIRST_ORDER:
            with suppress(tg.InvalidInputError):  # where one of them is lost on the way, the halving stands
                both = [
                    tg.exact.follow(net, features, W[start], b[start], p[[start, end]], progress=False)
                    for start, end in ((first, second), (second, first))
                ]
                around = (value - 20 * within, value + 20 * within)
                value, within = tg.exact.crossing(*both, tol=TOL, between=around, progress=False), TOL
        one = {"value": float(value), "within": float(within), "order": str(order), "jump": float(jump)}
        there = tg.exact.minimise(
            net,
            features.replaced(density=float(value)),
            seeds=2,
            initial={"W": W[[first, second]], "b": b[[first, second]]},
            progress=False,
        )
        models = {name: there[name].values for name in ("W", "b", "loss")}
        each.append(one | {"before": names[first], "after": names[second]} | models)
    return each
