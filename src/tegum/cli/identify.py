"""`tegum identify`: the shapes that features form, in weights from anywhere."""

import json as javascript
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from tegum.cli.arrays import Matrices, read_matrices
from tegum.cli.output import say
from tegum.geometry import Component, Identification, dimensionality
from tegum.geometry import identify as identified

_MOST_LINES = 20
_MOST_FEATURES = 12

Found = list[tuple[dict[str, Any], NDArray[np.float64], Identification | None]]


def identify(
    file: Path,
    /,
    *,
    array: str | None = None,
    rows: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Name the polytopes that features form: pentagons, digons, tetrahedra, ..., or irregular.

    Example: tegum identify weights.npz --array encoder.weight

    Parameters
    ----------
    file
        A result of tegum, or weights W (..., m, n) as .safetensors, .npz, .npy, or a PyTorch state dict (.pt, .pth).
    array
        The name of the array; W by default, or the only matrix in the file.
    rows
        A row is a feature: the array is (..., n, m).
    json
        Print JSON, everything about every model.
    """
    matrices = read_matrices(file, array, rows)
    found: Found = []
    for labels in product(*(enumerate(values) for values in matrices.axes.values())):
        W = matrices.W[tuple(place for place, _ in labels)]
        model = dict(zip(matrices.axes, (label for _, label in labels), strict=True))
        found.append((model, W, identified(W) if np.isfinite(W).all() else None))
    if json:
        say(javascript.dumps({"file": str(file), "models": [_record(*one) for one in found]}, indent=2, allow_nan=False))
    else:
        _report(matrices, found)
    return 0


def _report(matrices: Matrices, found: Found) -> None:
    m, n = matrices.W.shape[-2:]
    count = "1 model" if len(found) == 1 else f"{len(found)} models"
    dimensions = "1 dimension" if m == 1 else f"{m} dimensions"
    say(f"{count}: {n} features in {dimensions}{f', array {matrices.name}' if matrices.name not in ('', 'W') else ''}")
    if len(found) == 1:
        _say_one(*found[0][1:])
        return
    labels = [_label(one) for _, _, one in found]
    if len(found) <= _MOST_LINES:
        for (model, _, _), label in zip(found, labels, strict=True):
            say(f"  {', '.join(f'{name} {_short(value)}' for name, value in model.items()):<36}{label}")
        return
    for label, number in Counter(labels).most_common(_MOST_LINES):
        say(f"  {number:>6} ({number / len(labels):>4.0%})  {label}")
    if len(set(labels)) > _MOST_LINES:
        say(f"  and {len(set(labels)) - _MOST_LINES} more; --json shows every model")


def _say_one(W: NDArray[np.float64], found: Identification | None) -> None:
    say(_label(found) + (f" ({found.polytope})" if found and found.polytope and len(found.components) > 1 else ""))
    if found is None or not found.components:
        return
    say(f"\n  {'shape':<30}{'size':<10}{'fit error':>10}{'tightness':>11}{'sum of D':>10}{'outside':>9}  features")
    for one in found.components:
        error = "-" if np.isnan(one.fit_error) else f"{one.fit_error:.3f}"
        size = f"{len(one.features)} in {one.dimensions}"
        say(
            f"  {one.name:<30}{size:<10}{error:>10}{one.tightness:>11.3f}{one.dimensionality:>10.3f}{one.outside:>9.3f}"
            f"  {_features(one)}"
        )
    dropped = int((found.names == "not learned").sum())
    if dropped:
        say(f"  {'not learned':<30}{dropped}")


def _label(found: Identification | None) -> str:
    return "diverged" if found is None else found.label


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _features(component: Component) -> str:
    shown = " ".join(map(str, component.features[:_MOST_FEATURES]))
    return shown + (" ..." if len(component.features) > _MOST_FEATURES else "")


def _record(model: dict[str, Any], W: NDArray[np.float64], found: Identification | None) -> dict[str, Any]:
    """One model as it stands in the JSON."""
    if found is None:
        return {**model, "label": "diverged"}
    components = [
        {
            "name": one.name,
            "features": one.features.tolist(),
            "dimensions": one.dimensions,
            "fit_error": None if np.isnan(one.fit_error) else one.fit_error,
            "nearest": one.nearest.name if one.nearest else None,
            "tightness": one.tightness,
            "dimensionality": one.dimensionality,
            "outside": one.outside,
        }
        for one in found.components
    ]
    return {
        **model,
        "label": found.label,
        "polytope": found.polytope,
        "components": components,
        "names": found.names.tolist(),
        "dimensionality": dimensionality(W).tolist(),
    }
