"""Models in a dataset of tegum, with W and b as the library wants them, and what was understood of any file in words."""

import math
import re
from pathlib import Path

import numpy as np
import xarray as xr

from tegum.datasets import PARAMETER_DIMS, RECIPES
from tegum.errors import InvalidInputError
from tegum.recorded import written_net
from tegum.spoken import spoken

NONE = "none"
NO_BIAS = "b = 0, there is no bias"
_UNKNOWN_BIAS = "the file does not hold their b"
_SAID_OF_W = ("net", "minimise", "features", "feature_law")


def models_of_dataset(
    data: xr.Dataset, path: Path, array: str | None, bias: str | None, inside: str | None, rows: bool | None
) -> xr.Dataset:
    """A dataset of tegum, with W and b as the library wants them."""
    untied = array is None and "W" not in data and {"W1", "W2"} <= set(data.data_vars)
    if rows or inside is not None or (untied and bias is not None):
        what, unfit = f"{path} is a dataset of tegum, with names for its axes", ("rows", "bias") if untied else ("rows",)
        raise InvalidInputError(what, f"leave {', '.join(map(spoken, unfit))} and {spoken('encoder_bias')} out")
    if untied:
        return _of_untied(data)
    name = array or "W"
    offered = [str(one) for one, variable in data.data_vars.items() if {"hidden", "feature"} <= set(variable.dims)]
    if name not in offered:
        advice = f"choose with {spoken('array')} among {', '.join(offered)}" if offered else "give a dataset of models"
        raise InvalidInputError(f"{path} holds no {name} with axes hidden and feature", advice)
    W = data[name].transpose(..., "hidden", "feature").astype(np.float64)
    own, b = _bias_beside(data, name, bias, path)
    if b is not None and not set(b.dims) <= set(W.dims) - {"hidden"}:
        raise InvalidInputError(f"{own} in {path} has axes {b.dims} and W {W.dims}", "give a dataset in which each W has one b")
    kept = data
    if name != "W":  # what is said of W need not be so of other weights
        kept = data[[]]
        if name != "W_history":
            others = {said for said in kept.attrs if said in _SAID_OF_W or RECIPES.match(str(said))}
            kept.attrs = {said: value for said, value in kept.attrs.items() if said not in others}
            kept = kept.drop_vars([one for one in kept.coords if str(one).startswith("feature_")])
    kept = kept.drop_vars(["W", "b"], errors="ignore").assign(W=W)
    kept = kept if b is None else kept.assign(b=b.transpose(..., "feature"))
    source = f"W{'' if name == 'W' else f' from {name}'} ({', '.join(f'{axis} {W.sizes[axis]}' for axis in W.dims)})"
    words = _UNKNOWN_BIAS if b is None else f"b{'' if own == 'b' else f' from {own}'} ({', '.join(map(str, b.dims))})"
    words = words if own else NO_BIAS
    words += f", b_hidden ({', '.join(map(str, kept['b_hidden'].dims))})" if "b_hidden" in kept else ""
    return explained(kept, "dataset of tegum", source, words, False, "")


def _bias_beside(data: xr.Dataset, name: str, bias: str | None, path: Path) -> tuple[str, xr.DataArray | None]:
    """The name and the values of the bias of weights in a dataset; "" and 0 where there is none, None where it is not held."""
    own = bias or re.sub(r"(^|_)W(?=$|_)", r"\1b", name)
    bare = written_net(str(data.attrs.get("net", ""))) if name in ("W", "W_history") else None
    if own == NONE or (bias is None and own not in data and bare is not None and not bare.bias):
        return "", xr.DataArray(np.zeros(data.sizes["feature"]), dims="feature")
    if own not in data and bias is not None:
        fitting = [
            str(one) for one, values in data.data_vars.items() if "feature" in values.dims and "hidden" not in values.dims
        ]
        raise InvalidInputError(f"{path} holds no {bias}", f"choose with {spoken('bias')} among {', '.join([*fitting, NONE])}")
    return own, data[own].astype(np.float64) if own in data and own != name else None


def _of_untied(data: xr.Dataset) -> xr.Dataset:
    """A dataset of nets with an encoder and a decoder of their own, which stay apart."""
    whole = {name: data[name].transpose(..., *own).astype(np.float64) for name, own in PARAMETER_DIMS.items() if name in data}
    shown = {name: ", ".join(f"{axis} {one.sizes[axis]}" for axis in one.dims) for name, one in whole.items()}
    source = ", ".join(f"{name} ({shown[name]})" for name in whole if name in ("W1", "W2"))
    biases = ", ".join(f"{name} ({shown[name]})" for name in whole if name not in ("W1", "W2"))
    return explained(data.assign(whole), "dataset of tegum", source, biases or NO_BIAS, False, "")


def explained(data: xr.Dataset, kind: str, weights: str, bias: str, rows: bool, unused: str) -> xr.Dataset:
    """The dataset with attributes that say what was understood."""
    found = data[next(name for name in ("W", "G", "W1") if name in data)]
    sizes = {"n_features": found.shape[-1], "instances": math.prod(found.shape[:-2])}
    sizes |= {"n_hidden": found.shape[-2]} if "hidden" in found.dims else {}
    layout = "a row for each feature" if rows else "a column for each feature"
    attributes = {"file_format": kind, "weights": weights, "bias": bias, "layout": layout, "unused": unused, **sizes}
    words = f"n = {sizes['n_features']}" + (f", m = {sizes['n_hidden']}" if "n_hidden" in sizes else "")
    words += "" if found.ndim == 2 else f", {sizes['instances']} instances"
    line = f"{kind}: {weights}, {layout}, {words}; {bias}" + (f"; not used: {unused}" if unused else "")
    return data.assign_attrs(attributes, understood=line)
