"""`tegum exact-loss`: the expected loss of models in a file, without a sample."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from cyclopts import Parameter

from tegum.cli.losses import as_csv, as_json, in_words, report
from tegum.cli.output import say
from tegum.cli.problem import features_of
from tegum.cli.values import curve, number, numbers
from tegum.errors import InvalidInputError, Problems
from tegum.exact import evaluate
from tegum.features import Features
from tegum.nets import Linear
from tegum.runs import read_weights, require_writable, write_atomically

_NETS = ("ReluOutput", "Linear")


def exact_loss(
    file: Path,
    /,
    *,
    density: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    importance: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    sets: str | None = None,
    magnitudes: str | None = None,
    activation: Literal["relu", "linear"] | None = None,
    array: str | None = None,
    bias: str | None = None,
    rows: bool | None = None,
    tol: Annotated[float, Parameter(allow_leading_hyphen=True)] = 1e-9,
    per_feature: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
    out: Path | None = None,
) -> int:
    """Compute the expected loss of models in a file, exactly: no sample, and an error estimate for each.

    Example: tegum exact-loss weights.npz --density 0.1 --importance geometric:0.9

    Args:
        file: A result of tegum, or W (..., m, n) or G (..., n, n), and b (..., n), as npz, npy, safetensors, PyTorch or pickle.
        density: Probability that a feature is active, or one for each feature (each correlated set) with commas.
        importance: A number, one for each feature with commas, or geometric:0.9, power_law:1, one_odd:0.1.
        sets: independent, correlated:SIZE or anticorrelated:SIZE; neighbouring features make a set.
        magnitudes: uniform or exponential:MEAN.
        activation: relu or linear output; relu by default.
        array: The name of the weights, where the file holds several arrays that could be.
        bias: The name of the output bias, or none for b = 0.
        rows: A row of the array is a feature: (..., n, m).
        tol: Tolerated relative error of each loss.
        per_feature: Show the squared error of each feature, too.
        json: Print JSON, everything about every model.
        out: Write everything about every model to this .csv or .json file.
    """
    data: xr.Dataset | None = None
    options = {"density": density, "importance": importance, "sets": sets, "magnitudes": magnitudes}
    given = {name: text for name, text in options.items() if text is not None}
    with Problems() as problems:
        with problems.collecting():
            data = _judgeable(read_weights(file, array=array, bias=bias, rows=rows), file)
        features = _features(given, data, problems)
        problems.check_fraction("tol", tol)
        _require_format(out)
    assert data is not None
    assert features is not None
    linear = _net(data) == "Linear" if activation is None else activation == "linear"
    found = _judged(data, features, linear, tol, as_the_file_says=not given).assign_attrs(file=str(file))
    if out is not None:
        write_atomically(out, as_csv(found) if out.suffix == ".csv" else as_json(found))
    if json:
        say(as_json(found).decode())
    else:
        report(found, per_feature, out)
    return 0


def _require_format(out: Path | None) -> None:
    if out is not None and out.suffix not in (".csv", ".json"):
        raise InvalidInputError(f"--out is {out}", "choose a name that ends in .csv or .json")
    if out is not None:
        require_writable(out.parent)


def _net(data: xr.Dataset) -> str:
    return str(data.attrs.get("net", "")).partition("(")[0]


def _judgeable(data: xr.Dataset, file: Path) -> xr.Dataset:
    """The dataset with W or G called ``map``, and what features have on all of its leading axes; refuses other nets."""
    net = _net(data) or ("a net with a hidden bias" if "b_hidden" in data else _NETS[0])
    if net not in _NETS:
        raise InvalidInputError(f"{file} holds models of {net}", f"the exact engine knows {' and '.join(_NETS)}")
    data = data.rename({"W" if "W" in data else "G": "map"})
    for axis in {"magnitude", "signed", "n_active"} & set(data["map"].dims):
        raise InvalidInputError(f"{file} varies {axis} along an axis", "write one dataset for each, data.isel(...)")
    spread = data["map"].isel({data["map"].dims[-2]: 0}, drop=True)
    for name in {"b", "feature_density", "feature_importance"} & set(data):
        if set(data[name].dims) <= set(spread.dims):
            data[name] = data[name].broadcast_like(spread).transpose(*spread.dims)
        else:
            data = data.drop_vars(name)
    return data


def _judged(data: xr.Dataset, features: Features, linear: bool, tol: float, as_the_file_says: bool) -> xr.Dataset:
    """What `evaluate` finds, on the axes of the file; models without finite weights have no loss."""
    weights, b, lead = data["map"], data["b"], data["map"].dims[:-2]
    tied = "hidden" in weights.dims
    finite = (abs(weights) < np.inf).all(weights.dims[-2:]) & (abs(b) < np.inf).all("feature")
    net = Linear(features.n_features, weights.shape[-2]) if linear else None
    found = evaluate(weights.where(finite, 0.0), b.where(finite, 0.0), features, tol, net=net, tied=tied)
    found = found.rename(dict(zip(found["loss"].dims, lead, strict=True)))
    found = found.assign_coords({name: label for name, label in weights.coords.items() if set(label.dims) <= set(lead)})
    found = found.assign({name: found[name].where(finite) for name in ("loss", "loss_error", "squared_error")})
    facts = {"status": "status"} if "status" in data else {}
    if as_the_file_says and "loss_standard_error" in data:
        facts |= {"sampled_loss": "loss", "loss_standard_error": "loss_standard_error"}
    inside = "WᵀW x + b" if tied else "G x + b"
    return found.assign({name: data[fact].broadcast_like(found["loss"]) for name, fact in facts.items()}).assign_attrs(
        read=data.attrs["understood"],
        model=f"y = {inside}" if linear else f"y = ReLU({inside})",
        features=in_words(features) + (", as the file says" if as_the_file_says else ""),
        tol=tol,
    )


def _features(given: dict[str, str], data: xr.Dataset | None, problems: Problems) -> Features | None:
    """The distribution of the file, changed by the options; None where anything is wrong in it, or the file cannot be read."""
    n = 0 if data is None else data.sizes["feature"]
    table = {} if data is None else _distribution_in(data)
    if "sets" in given:
        table = {key: value for key, value in table.items() if key not in ("distribution", "n_sets", "set_size", "n_active")}
        with problems.collecting():
            table |= _sets(given["sets"], n)
    with problems.collecting():
        table |= _magnitude(given["magnitudes"]) if "magnitudes" in given else {}
    correlated = table.get("distribution", "").lower() == "correlatedsets"
    for name, each in (("density", "set" if correlated else "feature"), ("importance", "feature")):
        if name in given:
            table[name] = 0.0  # where it cannot be read, everything else is checked
            axes = {each: table["n_sets"] if each == "set" else n}
            axes |= {} if data is None else {str(axis): data.sizes[axis] for axis in data["map"].dims[:-2]}
            with problems.collecting():
                table[name] = _placed(name, given[name], axes)
    if data is None or ("sets" in given and "distribution" not in table):
        return None
    if "density" not in table and "n_active" not in table:
        problems.add("the density is not known", "say how often a feature is active, such as --density 0.1")
        table["density"] = 0.0
    elif correlated and "density" not in given:
        each_set = table["density"][..., :: table["set_size"]]
        if (table["density"] != np.repeat(each_set, table["set_size"], axis=-1)).any():
            problems.add("the file's densities differ within a correlated set", "give --density, one for each set")
        table["density"] = each_set
    with problems.collecting():
        return features_of(table, n)
    return None


def _distribution_in(data: xr.Dataset) -> dict[str, Any]:
    """The table of the distribution that models were trained on; empty where the file does not say."""
    text = str(data.attrs.get("features", ""))
    name = re.match(r"(\w+)\(", text)
    law = re.search(r"magnitude=(\w+)\((?:\w+=)?([^)]*)\)", text)
    if name is None or law is None or "feature_density" not in data or "feature_importance" not in data:
        return {}
    sizes = {key: int(value) for key, value in re.findall(r"(n_sets|set_size|n_active)=(\d+)", text)}
    return {
        "distribution": name[1],
        "magnitude": {law[1].lower(): float(law[2])} if law[2] else law[1].lower(),
        "signed": "signed=True" in text,
        "importance": data["feature_importance"].values,
        **({} if "n_active" in sizes else {"density": data["feature_density"].values}),
        **sizes,
    }


def _placed(option: str, text: str, axes: dict[str, int]) -> Any:
    """A number, a named curve, or numbers along one of the axes, of which the first is the distribution's own.

    ``instance:0.1,0.2`` names another; numbers without a name that could be meant for another are a mistake.
    """
    name, colon, rest = text.partition(":")
    if name not in axes and colon and option == "importance":
        return curve(text)
    others = list(axes)[1:]
    values = numbers(rest if colon and name in axes else text)
    if len(values) == 1:
        return values[0]
    if name not in axes and len(values) in (axes[other] for other in others):
        fitting = [axis for axis in axes if axes[axis] == len(values)]
        what = f"--{option} has {len(values)} values, as many as there are along {' and '.join(fitting)}"
        raise InvalidInputError(what, f"say which: {' or '.join(f'--{option} {axis}:{text}' for axis in fitting)}")
    if name in axes and len(values) != axes[name]:
        raise InvalidInputError(f"--{option} has {len(values)} values for {name}", f"give one, or {axes[name]}")
    return np.reshape(values, [-1 if axis == name else 1 for axis in others] + [1]) if name in others else values


def _magnitude(text: str) -> dict[str, Any]:
    name, colon, mean = text.partition(":")
    if text == "uniform":
        return {"magnitude": text}
    if name == "exponential" and colon:
        return {"magnitude": {name: number(mean)}}
    raise InvalidInputError(f"--magnitudes is {text!r}", "choose uniform or exponential:MEAN, such as exponential:0.5")


def _sets(text: str, n: int) -> dict[str, Any]:
    """The fields of a distribution of sets."""
    name, _, size = text.partition(":")
    if text == "independent":
        return {"distribution": "Independent"}
    if name not in ("correlated", "anticorrelated") or not size.isdecimal() or int(size) == 0:
        advice = "choose independent, correlated:SIZE or anticorrelated:SIZE, such as correlated:2"
        raise InvalidInputError(f"--sets is {text!r}", advice)
    if n % int(size):
        raise InvalidInputError(f"--sets has {size} in a set and n is {n}", f"choose a size that divides {n}")
    return {"distribution": f"{name}Sets", "set_size": int(size), "n_sets": n // int(size)}
