"""Models in a file, for `tegum exact-loss`: plain arrays from any program, or a dataset that tegum wrote.

    arrays in .npz or .safetensors      W (..., m, n), or G (..., n, n), and b (..., n); leading axes are models
    datasets of tegum                   the same, the names of the axes, and the world the models were trained in

A world is a table as in the [features] of a recipe file; the densities of a dataset are those of features, not of sets.
"""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from tegum.errors import InvalidInputError, Problems
from tegum.runs import is_dataset, read_dataset

NAMES = ("W", "G", "b")
_NETS = {"ReluOutput": False, "Linear": True}


@final
@dataclass(frozen=True, eq=False)
class Weights:
    """A batch of models.

    Attributes:
        map: W (..., m, n), or G (..., n, n) where not ``tied``.
        b: (..., n).
        tied: whether the models compute W^T W x.
        linear: whether the file says that the output has no ReLU.
        axes: names and labels of the leading axes that map and b have together.
        world: the table of the features the models were trained on; None where the file does not say.
        feature_density: probability that each feature is on, (..., n); None where the file does not say.
        facts: what else the file knows of each model (status, losses measured by sampling), arrays (...).
        has_bias: False where the file holds no b, which is then 0.
    """

    map: NDArray[np.float64]
    b: NDArray[np.float64]
    tied: bool
    axes: dict[str, tuple[Any, ...]]
    linear: bool = False
    world: dict[str, Any] | None = None
    feature_density: NDArray[np.float64] | None = None
    facts: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    has_bias: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """How many models there are along each axis."""
        return tuple(len(labels) for labels in self.axes.values())

    @property
    def n_features(self) -> int:
        """How many features there are."""
        return int(self.map.shape[-1])


def read_weights(path: Path) -> Weights:
    """The models in a file.

    Raises:
        InvalidInputError: where the file cannot be read, or does not hold models that the exact engine knows.
    """
    if path.suffix not in (".safetensors", ".npz"):
        raise InvalidInputError(
            f"{path} is neither .safetensors nor .npz", "save arrays called W and b in one of these formats"
        )
    if not path.is_file():
        raise InvalidInputError(f"there is no file {path}", "check its name")
    if path.suffix == ".safetensors" and is_dataset(path):
        return _from_dataset(read_dataset(path), path)
    arrays, others = _arrays(path)
    return _from_arrays(arrays, others, path)


def require_finite(weights: Weights) -> None:
    """Refuses plain arrays with numbers that are not finite; models of tegum have a status and may have diverged.

    Raises:
        InvalidInputError: naming the first such number of each array.
    """
    problems = Problems()
    for name, array in (("W" if weights.tied else "G", weights.map), ("b", weights.b)):
        bad = ~np.isfinite(array)
        if bad.any() and "status" not in weights.facts:
            place = tuple(int(i) for i in np.argwhere(bad)[0])
            problems.add(f"{name} is {array[place]} at {place}", "give finite numbers; a model that diverged has no loss")
    problems.raise_if_any()


def _arrays(path: Path) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """The arrays of a plain file that we know by name, and the names of the others."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="numpy") as file:
                names = list(file.keys())
                for name in names:
                    if name in NAMES and (kind := file.get_slice(name).get_dtype()) not in ("F16", "F32", "F64"):
                        raise InvalidInputError(f"{name} in {path} is {kind}", "save it as 32- or 64-bit floats")
                return {name: file.get_tensor(name) for name in names if name in NAMES}, names
        with zipfile.ZipFile(path):
            pass
        with np.load(path, allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files if name in NAMES}, list(loaded.files)
    except (SafetensorError, zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        if isinstance(error, InvalidInputError):
            raise
        raise InvalidInputError(f"{path} is damaged, or no {path.suffix[1:]} file ({error})", "write it again") from None


def _from_arrays(arrays: dict[str, NDArray[Any]], names: list[str], path: Path) -> Weights:
    problems = Problems()
    if ("W" in arrays) == ("G" in arrays):
        held = f"holds {', '.join(names)}" if names else "holds no arrays"
        raise InvalidInputError(f"{path} {held}", "give W (..., m, n), or the untied map G (..., n, n), and b (..., n)")
    name = "W" if "W" in arrays else "G"
    numbers: dict[str, NDArray[np.float64]] = {}
    for key, array in arrays.items():
        if array.dtype.kind not in "fiu":
            problems.add(f"{key} holds {array.dtype} values", "give real numbers")
            continue
        numbers[key] = array.astype(np.float64)
    weights, b = arrays[name], arrays.get("b")
    n = weights.shape[-1] if weights.ndim else 0
    wrong = weights.ndim < 2 or (name == "G" and weights.shape[-2] != n)
    if wrong:
        problems.add(f"{name} has shape {weights.shape}", "give (..., m, n)" if name == "W" else "give (..., n, n)")
    elif weights.size == 0:
        problems.add(f"{name} has shape {weights.shape}", "give at least one model, hidden unit and feature")
    elif b is not None and (b.ndim < 1 or b.shape[-1] != n):
        turned = b.ndim > 0 and name == "W" and b.shape[-1] == weights.shape[-2]
        advice = (
            "exchange the last two axes of W, so that a column is a feature's direction" if turned else f"give b (..., {n})"
        )
        problems.add(f"{name} has shape {weights.shape} and b {b.shape}", advice)
    elif b is not None:
        try:
            np.broadcast_shapes(weights.shape[:-2], b.shape[:-1])
        except ValueError:
            problems.add(f"{name} has leading axes {weights.shape[:-2]} and b {b.shape[:-1]}", "give axes that broadcast")
    problems.raise_if_any()
    bias = numbers.get("b", np.zeros(n))
    lead = np.broadcast_shapes(weights.shape[:-2], bias.shape[:-1])
    axes = {("model" if len(lead) == 1 else f"model_{i}"): tuple(range(length)) for i, length in enumerate(lead)}
    return Weights(numbers[name], bias, name == "W", axes, has_bias=b is not None)


def _from_dataset(data: xr.Dataset, path: Path) -> Weights:
    net = str(data.attrs.get("net", "")).partition("(")[0]
    if net and net not in _NETS:
        raise InvalidInputError(f"{path} holds models of {net}", f"the exact engine knows {' and '.join(_NETS)}")
    if "W" not in data:
        raise InvalidInputError(f"{path} holds no W", "give a dataset of models, or plain arrays W and b")
    W = data["W"].transpose(..., "hidden", "feature")
    lead = [str(name) for name in W.dims[:-2]]
    like = W.isel(hidden=0, drop=True)

    def spread(name: str, *own: str) -> NDArray[Any]:
        return np.asarray(data[name].broadcast_like(like if own else like.isel(feature=0)).transpose(*lead, *own).values)

    world = _world(str(data.attrs.get("features", "")))
    known = world is not None and "feature_density" in data and "feature_importance" in data
    if world is not None and known:
        for axis in ("magnitude", "signed", "n_active"):
            if axis in lead:
                raise InvalidInputError(f"{path} varies {axis} along an axis", "write one dataset for each, data.isel(...)")
        world["importance"] = spread("feature_importance", "feature")
    facts = {name: spread(name) for name in ("status", "loss_standard_error") if name in data}
    if "loss_standard_error" in facts:
        facts["sampled_loss"] = spread("loss")
    return Weights(
        map=W.values.astype(np.float64),
        b=spread("b", "feature").astype(np.float64) if "b" in data else np.zeros(W.sizes["feature"]),
        tied=True,
        axes={name: tuple(data[name].values.tolist()) for name in lead},
        linear=_NETS.get(net, False),
        world=world if known else None,
        feature_density=spread("feature_density", "feature") if known else None,
        facts=facts,
        has_bias="b" in data,
    )


def _world(text: str) -> dict[str, Any] | None:
    """The table of a distribution from the text that a dataset keeps of it, without density and importance."""
    name = re.match(r"(\w+)\(", text)
    law = re.search(r"magnitude=(\w+)\((?:\w+=)?([^)]*)\)", text)
    if name is None or law is None:
        return None
    world: dict[str, Any] = {
        "distribution": name[1],
        "magnitude": {law[1].lower(): float(law[2])} if law[2] else law[1].lower(),
        "signed": "signed=True" in text,
    }
    sizes = re.findall(r"(n_sets|set_size|n_active)=(\d+)", text)
    return world | {key: int(value) for key, value in sizes}
