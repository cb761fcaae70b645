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

from tegum.cli.models import models_in
from tegum.cli.options import AS_IT_IS, Reading
from tegum.cli.output import MOST_LINES, say, say_first
from tegum.errors import InvalidInputError
from tegum.geometry import dimensionality
from tegum.geometry import identify as identified
from tegum.runs import plain

_MOST_FEATURES = 12

Model = dict[str, Any]


def identify(
    file: Path,
    /,
    *,
    reading: Reading = AS_IT_IS,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Name the polytopes that features form: pentagons, digons, tetrahedra, ..., or irregular.

    Example: tegum identify weights.npz --array encoder.weight

    Args:
        file: A result of tegum or its folder, or weights W (..., m, n): npz, npy, safetensors, a PyTorch state dict, a pickle
            of arrays.
        reading: Options of reading.
        json: Print JSON, everything about every model.
    """
    data = models_in(file, reading)
    if "W1" in data:
        what = f"{file} holds nets of an encoder W1 and a decoder W2, whose features have two directions each"
        raise InvalidInputError(what, "choose one: --array W1 or --array W2")
    if "W" not in data:
        raise InvalidInputError(f"{file} holds a map G, which has no hidden dimensions", "give weights W (..., m, n)")
    axes = {str(axis): data[axis].values.tolist() for axis in data["W"].dims[:-2]}
    models = []
    for place in np.ndindex(data["W"].shape[:-2]):
        labels = {axis: axes[axis][i] for axis, i in zip(axes, place, strict=True)}
        models.append(labels | _shapes(data["W"].values[place]))
    if json:
        everything = {"file": str(file), "read": data.attrs["understood"], "models": models}
        say(javascript.dumps(everything, indent=2, allow_nan=False, default=plain, ensure_ascii=False))
        return 0
    say(f"{file}: {data.attrs['understood']}")
    if len(models) == 1:
        _say_one(models[0])
    else:
        _say_many(models, list(axes))
    return 0


def _shapes(W: NDArray[np.float64]) -> Model:
    """What `tegum.geometry` says of one model; a shape that is not recognised has no fit error."""
    if not np.isfinite(W).all():
        return {"label": "diverged"}
    found = identified(W, rows=False)
    components = [
        {"name": one.name, "size": len(one.features)}
        | asdict(one)
        | {"nearest": one.nearest and one.nearest.name, "fit_error": None if np.isnan(one.fit_error) else one.fit_error}
        for one in found.components
    ]
    about = {"label": found.label, "polytope": found.polytope, "components": components, "names": found.names}
    return about | {"dimensionality": dimensionality(W)}


def _say_many(models: list[Model], axes: list[str]) -> None:
    """A line for each model, or where there are many, for each label."""
    if len(models) <= MOST_LINES:
        for model in models:
            which = (
                f"{axis} {model[axis]:.4g}" if isinstance(model[axis], float) else f"{axis} {model[axis]}" for axis in axes
            )
            say(f"  {', '.join(which):<35} {model['label']}")
        return
    counts = Counter(model["label"] for model in models)
    lines = [f"  {number:>6} ({number / len(models):>4.0%})  {label}" for label, number in counts.most_common()]
    say_first(lines, "  and {} more; --json shows every model")


def _say_one(model: Model) -> None:
    together = model.get("polytope") if len(model.get("components", [])) > 1 else None
    say(model["label"] + (f" ({together})" if together else ""))
    if not model.get("components"):
        return
    frame = pd.DataFrame(model["components"]).drop(columns="nearest").astype({"fit_error": float})
    shown = [" ".join(map(str, one[:_MOST_FEATURES])) + " ..." * (len(one) > _MOST_FEATURES) for one in frame.pop("features")]
    say("\n" + frame.assign(features=shown).to_string(index=False, float_format="{:.3f}".format, na_rep="-"))
    dropped = int((model["names"] == "not learned").sum())
    if dropped:
        say(f"not learned: {dropped}")
