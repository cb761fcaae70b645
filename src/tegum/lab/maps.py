"""What the lab's page carries of certified optima: ``python -m tegum.lab.maps`` computes ``maps.json`` in some minutes.

    maps     the lowest minimum at each density and importance of the last feature, by `tegum.maps.lowest_minima`
    lines    the lowest loss of other settings at each density, of `tegum.exact.minimise` from so many starts

The densities are among those of the page's slider and its presets, so that the lowest certified loss can be drawn beside what
moves; 0 stands where no minimum was certified.

>>> round(computed_line(2, 1, "independent", "1", [0.1], seeds=4)["loss"][0], 6)                      # a digon
0.003319

Weights are stored to 1e-4 and move to the minimum by themselves; losses have ten digits.
"""

import base64
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from tegum.datasets import Status
from tegum.exact import minimise
from tegum.features import Independent
from tegum.geometry import shape_names
from tegum.lab.address import read
from tegum.maps import lowest_minima
from tegum.maps.extra_feature import ratio_axis
from tegum.nets import ReluOutput

SIZES = ((2, 1), (3, 2), (5, 2))
SCALE = 10_000
_DENSITY = 10 ** (np.arange(-24, 1) / 12)
_RATIO = 10 ** (np.arange(-12, 13) / 12)

Density = float | tuple[float, ...]
"""Of all features, or of each."""

_CROSSING = (0.013454, 0.05, 0.05, 0.05, 0.05)
"""Where a pentagon and two digons cost the same (`tegum.experiments.s5_perturbed_pentagon.one_density`)."""

_DENSITIES = tuple(sorted({*(float(f"{one:.12g}") for one in _DENSITY), 0.02, 0.03, 0.05, 0.2, 0.3, 0.5}))
_LINES: tuple[tuple[int, int, str, str, tuple[Density, ...]], ...] = (
    (5, 2, "independent", "1", (*_DENSITIES, _CROSSING)),
    (5, 2, "independent", "geometric:0.9", _DENSITIES),
    (4, 2, "correlated:2", "1", _DENSITIES),
    (4, 2, "anticorrelated:2", "1", tuple(one for one in _DENSITIES if one <= 0.5)),
    (6, 3, "independent", "1", _DENSITIES),
    (7, 3, "independent", "1", _DENSITIES),
    (8, 3, "independent", "1", _DENSITIES),
    (20, 5, "independent", "geometric:0.9", _DENSITIES),
)


def computed_line(n: int, m: int, sets: str, importance: str, density: Sequence[Density], seeds: int = 32) -> dict[str, Any]:
    """The lowest certified loss of one setting at each density."""
    losses = []
    for each in density:
        said = ",".join(map(repr, each)) if isinstance(each, tuple) else repr(each)
        setting = read(f"#v=1&n={n}&m={m}&sets={sets}&I={importance}&p={said}")
        found = minimise(setting.net, setting.features, seeds=seeds, progress=False)
        best = float(found["loss"].where(found["status"] == Status.MINIMUM).min())
        losses.append(float(f"{best:.10g}") if best > 0 else 0.0)
    return {"n": n, "m": m, "sets": sets, "I": importance, "starts": seeds, "density": list(density), "loss": losses}


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
    found = {"maps": [computed_map(n, m) for n, m in SIZES], "lines": [computed_line(*line) for line in _LINES]}
    json.dump(found, sys.stdout, separators=(",", ":"))
