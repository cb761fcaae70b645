"""`tegum identify`: the shapes that features form, in weights from anywhere."""

import json as javascript
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from cyclopts import Parameter
from numpy.typing import NDArray

from tegum.cli.output import say
from tegum.errors import InvalidInputError
from tegum.geometry import Identification, dimensionality
from tegum.geometry import identify as identified
from tegum.runs import plain, read_weights

_MOST_LINES = 20
_MOST_FEATURES = 12

Found = list[tuple[dict[str, Any], NDArray[np.float64], Identification | None]]


def identify(
    file: Path,
    /,
    *,
    array: str | None = None,
    bias: str | None = None,
    rows: bool | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Name the polytopes that features form: pentagons, digons, tetrahedra, ..., or irregular.

    Example: tegum identify weights.npz --array encoder.weight

    Parameters
    ----------
    file
        A result of tegum, or weights W (..., m, n): npz, npy, safetensors, a PyTorch state dict, a pickle of arrays.
    array
        The name of the weights, where the file holds several arrays that could be.
    bias
        The name of the output bias, which has no part in the shapes.
    rows
        A row of the array is a feature: (..., n, m).
    json
        Print JSON, everything about every model.
    """
    data = read_weights(file, array=array, bias=bias, rows=rows)
    if "W" not in data:
        raise InvalidInputError(f"{file} holds a map G, which has no hidden dimensions", "give weights W (..., m, n)")
    axes = {str(axis): data[axis].values.tolist() for axis in data["W"].dims[:-2]}
    found: Found = []
    for place in np.ndindex(*data["W"].shape[:-2]):
        W = data["W"].values[place]
        labels = {axis: axes[axis][i] for axis, i in zip(axes, place, strict=True)}
        found.append((labels, W, identified(W) if np.isfinite(W).all() else None))
    if json:
        models = [_record(*one) for one in found]
        everything = {"file": str(file), "read": data.attrs["understood"], "models": models}
        say(javascript.dumps(everything, indent=2, allow_nan=False, default=plain, ensure_ascii=False))
        return 0
    say(f"{file}: {data.attrs['understood']}")
    if len(found) == 1:
        _say_one(found[0][2])
    else:
        _say_many(found)
    return 0


def _say_many(found: Found) -> None:
    """A line for each model, or where there are many, for each label."""
    labels = [_label(one) for _, _, one in found]
    if len(found) <= _MOST_LINES:
        for (model, _, _), label in zip(found, labels, strict=True):
            axes = (f"{axis} {value:.4g}" if isinstance(value, float) else f"{axis} {value}" for axis, value in model.items())
            say(f"  {', '.join(axes):<36}{label}")
        return
    for label, number in Counter(labels).most_common(_MOST_LINES):
        say(f"  {number:>6} ({number / len(labels):>4.0%})  {label}")
    if len(set(labels)) > _MOST_LINES:
        say(f"  and {len(set(labels)) - _MOST_LINES} more; --json shows every model")


def _say_one(found: Identification | None) -> None:
    say(_label(found) + (f" ({found.polytope})" if found and found.polytope and len(found.components) > 1 else ""))
    if found is None or not found.components:
        return
    frame = pd.DataFrame(_components(found)).drop(columns="nearest")
    frame["features"] = [
        " ".join(map(str, one[:_MOST_FEATURES])) + " ..." * (len(one) > _MOST_FEATURES) for one in frame["features"]
    ]
    say("\n" + frame.to_string(index=False, float_format="{:.3f}".format, na_rep="-"))
    dropped = np.flatnonzero(found.names == "not learned")
    if len(dropped):
        say(f"not learned: {len(dropped)}")


def _label(found: Identification | None) -> str:
    return "diverged" if found is None else found.label


def _components(found: Identification) -> list[dict[str, Any]]:
    """The shapes of one model, as tables and JSON take them."""
    return [
        {"name": one.name, "size": len(one.features)}
        | asdict(one)
        | {"nearest": one.nearest and one.nearest.name, "features": one.features.tolist()}
        for one in found.components
    ]


def _record(model: dict[str, Any], W: NDArray[np.float64], found: Identification | None) -> dict[str, Any]:
    """One model as it stands in the JSON; a shape that is not recognised has no fit error."""
    if found is None:
        return {**model, "label": "diverged"}
    components = [
        {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in one.items()}
        for one in _components(found)
    ]
    about = {"label": found.label, "polytope": found.polytope, "components": components, "names": found.names}
    return {**model, **about, "dimensionality": dimensionality(W)}
