"""Maps of certified optima that the lab's page carries: the lowest minimum at each density and importance of the last feature.

`stored_maps` reads ``maps.json``; ``python -m tegum.lab.maps`` computes it anew in some minutes, by `tegum.maps.lowest_minima`.
The grid's densities are among those of the page's slider, so that the lowest certified loss can be drawn beside what moves.

>>> [(one["n"], one["m"], len(one["cells"])) for one in stored_maps()]
[(2, 1, 625), (3, 2, 625), (5, 2, 625)]

Weights are stored to 1e-4 and move to the minimum by themselves; losses have ten digits.
"""

import base64
import json
import sys
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from tegum.datasets import Status
from tegum.features import Independent
from tegum.geometry import shape_names
from tegum.maps import lowest_minima
from tegum.maps.extra_feature import ratio_axis
from tegum.nets import ReluOutput

SIZES = ((2, 1), (3, 2), (5, 2))
SCALE = 10_000
_DENSITY = 10 ** (np.arange(-24, 1) / 12)
_RATIO = 10 ** (np.arange(-12, 13) / 12)


@cache
def stored_maps() -> list[dict[str, Any]]:
    """What ``maps.json`` holds: for each size the axes, the shapes, and of each cell its shape, loss and parameters."""
    return list(json.loads(files("tegum.lab").joinpath("maps.json").read_text(encoding="utf-8")))


def computed_map(n: int, m: int, seeds: int = 24) -> dict[str, Any]:
    """The map of one size, importances (1, ..., 1, r)."""
    sweep = {"density": list(_DENSITY), "importance_ratio": ratio_axis(n, _RATIO)}
    found = lowest_minima(ReluOutput(n, m), Independent(n), sweep, seeds=seeds)
    order = ("density", "importance_ratio")
    W = found["W"].transpose(*order, "hidden", "feature").values
    b = found["b"].transpose(*order, "feature").values
    status = found["status"].transpose(*order).values.ravel()
    names = shape_names(W, rows=False).ravel()
    shapes = sorted(set(names), key=lambda name: (-int((names == name).sum()), name))
    cells = len(names)
    parameters = np.round(SCALE * np.concatenate([W.reshape(cells, -1), b.reshape(cells, -1)], axis=1)).astype("<i2")
    losses = found["loss"].transpose(*order).values.ravel()
    certified = status == Status.MINIMUM
    return {
        "n": n,
        "m": m,
        "density": [float(f"{one:.12g}") for one in _DENSITY],
        "ratio": [float(f"{one:.12g}") for one in _RATIO],
        "shapes": shapes,
        "cells": [shapes.index(name) for name in names],
        "loss": [float(f"{loss:.10g}") if good else 0 for loss, good in zip(losses, certified, strict=True)],
        "scale": SCALE,
        "parameters": base64.b64encode(parameters.tobytes()).decode(),
    }


if __name__ == "__main__":
    json.dump([computed_map(n, m) for n, m in SIZES], sys.stdout, separators=(",", ":"))
