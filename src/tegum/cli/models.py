"""Models in a file as the `options` of a command say: read, with the output and the features that are wanted."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tegum.cli.options import AS_IT_IS, Reading, Wanted
from tegum.cli.problem import made_features
from tegum.cli.values import curve, number, numbers
from tegum.datasets import MODEL_DIMS, MOST_FEATURES, MOST_WEIGHTS, PARAMETER_DIMS
from tegum.errors import InvalidInputError, Problems
from tegum.exact import evaluate
from tegum.features import Features
from tegum.nets import ACTIVATIONS, ActivationOutput, Linear, Net, ReluOutput, Untied, UntiedNeurons
from tegum.recorded import features_of, finite_part, labelled_with, leading, net_of, plain_axis, said_net, unmeasured
from tegum.runs import open as opened
from tegum.runs import read_weights
from tegum.runs.manifest import MANIFEST
from tegum.runs.opening import result_file

_SAID = (
    *("label", "polytope", "components", "names", "dimensionality", "shape", "median", "worst", "excess"),
    *("basin_excess", "best_bias_loss", "dead", "model"),
)


def models_in(file: Path, reading: Reading) -> xr.Dataset:
    """The models in a file, or in the folder of a result, as `read_weights` understands them."""
    file = result_file(file)
    if file.suffix == MANIFEST:
        if reading != AS_IT_IS:
            raise InvalidInputError(f"{file} is a sweep of tegum, whose arrays are known", "leave out how to read it")
        return _apart(_in_pieces(opened(file), file))
    return _apart(
        read_weights(file, array=reading.array, bias=reading.bias, encoder_bias=reading.encoder_bias, rows=reading.rows)
    )


def _apart(data: xr.Dataset) -> xr.Dataset:
    """The models, axes that are called like what commands say of models under another name."""
    names = {axis: f"axis_{axis}" for axis in leading(data) if axis in _SAID}
    said = "".join(f"; the axis {axis} is called {name} here" for axis, name in names.items())
    return data.rename(names).assign_attrs(understood=data.attrs["understood"] + said) if names else data


def anything_in(path: Path, reading: Reading) -> xr.Dataset:
    """Models in a file, or whatever a folder holds; where it says how to read them, as `models_in` does."""
    whole = path.is_dir() or path.suffix == MANIFEST
    return opened(path) if whole and reading == AS_IT_IS else models_in(path, reading)


def _in_pieces(data: xr.Dataset, file: Path) -> xr.Dataset:
    """A sweep with its parameters in memory, all of which are looked at, and what it holds in words, as `read_weights` does."""
    held = [name for name in PARAMETER_DIMS if name in data]
    if not {"W", "W1"} & {*held}:
        raise InvalidInputError(f"{file} holds no weights W", "give a sweep of models")
    sizes = (f"{name} ({', '.join(f'{axis} {data.sizes[axis]}' for axis in data[name].dims)})" for name in held)
    whole = {name: data[name].astype(np.float64) for name in held}
    return data.assign(whole).assign_attrs(understood=f"sweep of tegum in pieces: {', '.join(sizes)}")


def finite_models_in(file: Path, reading: Reading) -> xr.Dataset:
    """The same; an `InvalidInputError` where all models diverged."""
    data = models_in(file, reading)
    if not finite_part(data)[0].any():
        advice = "there is no loss of models that diverged; train them anew, such as with a smaller learning rate"
        raise InvalidInputError(f"no model in {file} has finite weights", advice)
    return data


def wanted_net(data: xr.Dataset, wanted: Wanted) -> Net:
    """The net of the models; an `InvalidInputError` for one without an exact loss, or whose bias is not in the file."""
    net = with_activation(net_of(data), wanted)
    if "b" not in data and net.bias:
        raise InvalidInputError("the file does not hold the b of these W", "name it with --bias, or add --bias none if b = 0")
    return net


def with_activation(net: Net, wanted: Wanted) -> Net:
    """The net with the output that was asked for and all else as it is; an `InvalidInputError` where it has no other."""
    if wanted.activation is None:
        return net
    output = ACTIVATIONS["identity" if wanted.activation == "linear" else "relu"]
    if isinstance(net, ActivationOutput | Untied | UntiedNeurons):
        return replace(net, activation=output)
    if isinstance(net, Linear | ReluOutput):
        return (Linear if wanted.activation == "linear" else ReluOutput)(net.n_features, net.n_hidden, net.bias)
    if net.output_activation != output:
        what = f"--activation is {wanted.activation} and the models are of {type(net).__name__}"
        raise InvalidInputError(what, f"leave --activation out: their output is {net.output_activation.name}")
    return net


def wanted_features(data: xr.Dataset | None, wanted: Wanted, problems: Problems) -> Features | None:
    """The distribution of the file, changed by the options; None where nothing is changed, or anything is wrong.

    Without a dataset, which could not be read, the options alone are checked.
    """
    options = {"density": wanted.density, "importance": wanted.importance, "sets": wanted.sets, "magnitudes": wanted.magnitudes}
    given = {name: text for name, text in options.items() if text is not None}
    if data is None or "features" not in data.attrs:
        return _changed(given, data, None, problems)
    several = plain_axis(data) is not None  # each has a distribution of its own
    own = None
    if given or not several:
        try:
            own = features_of(data)
        except InvalidInputError as mistake:
            if several or not {"density", "importance"} <= given.keys():
                whole = "say what they are: --density, --importance, and --sets where they are in sets"
                problems.add(mistake.problems[0][0], one_along(plain_axis(data)) if several else whole)
                return None
    return _changed(given, data, own, problems) if given else None


def one_along(axis: str | None) -> str:
    """How to judge models of one kind of features, where a file has several."""
    return f'write those of one kind: tegum.runs.write_dataset(tegum.open(FILE).isel({axis}=0), "one.safetensors") in Python'


def as_wanted(data: xr.Dataset, features: Features | None, net: Net | None) -> xr.Dataset:
    """The models as those of other features or another net, where there are any: without what was measured of the former."""
    if features is None and (net is None or repr(net) == said_net(data)):
        return data
    data = unmeasured(data)
    data = data if net is None else data.assign_attrs(net=repr(net))
    return data if features is None else labelled_with(data, features)


def with_loss_again(data: xr.Dataset, before: xr.Dataset, loss: xr.DataArray) -> xr.Dataset:
    """The models `as_wanted` with a loss of theirs where they had one of other features, which stands nowhere any more."""
    return data if "loss" in data or "loss" not in before else data.assign(loss=loss.reset_coords(drop=True))


def ranked(data: xr.Dataset) -> xr.Dataset:
    """The models with exact losses, by which the best seed is chosen, where they have none and it does not take long."""
    large = data.sizes["feature"] > MOST_FEATURES or sum(data[name].size for name in MODEL_DIMS if name in data) > MOST_WEIGHTS
    if "loss" in data or "seed" not in leading(data) or large:
        return data
    with suppress(InvalidInputError):
        return data.assign(loss=evaluate(data.drop_dims("step", errors="ignore"))["loss"].reset_coords(drop=True))
    return data


def _changed(given: dict[str, str], data: xr.Dataset | None, own: Features | None, problems: Problems) -> Features | None:
    n = 0 if data is None else data.sizes["feature"]
    table: dict[str, Any] = {} if own is None else {name: getattr(own, name) for name in own.field_names()}
    table |= {} if own is None else {"distribution": type(own).__name__}
    if "sets" in given:
        table = {name: table[name] for name in ("importance", "magnitude", "signed") if name in table}
        table |= {} if own is None else {"density": own.feature_density}
        with problems.collecting():
            table |= _sets(given["sets"], n)
    with problems.collecting():
        table |= _magnitude(given["magnitudes"]) if "magnitudes" in given else {}
    correlated = table.get("distribution", "").lower() == "correlatedsets"
    for name, each in (("density", "set" if correlated else "feature"), ("importance", "feature")):
        if name in given:
            table[name] = 0.0  # where it cannot be read, everything else is checked
            axes = {each: table["n_sets"] if each == "set" else n}
            axes |= {} if data is None else {axis: data.sizes[axis] for axis in leading(data)}
            with problems.collecting():
                table[name] = _placed(name, given[name], axes)
    if data is None or ("sets" in given and "distribution" not in table):
        return None
    fixed = own is not None and "density" not in own.field_names() and "sets" not in given  # its states or parts say how often
    if not fixed and "density" not in table and "n_active" not in table:
        problems.add("the density is not known", "say how often a feature is active, such as --density 0.1")
        table["density"] = 0.0
    elif correlated and "density" not in given and own is not None and "sets" in given:
        each_set = table["density"][..., :: table["set_size"]]
        if (table["density"] != np.repeat(each_set, table["set_size"], axis=-1)).any():
            problems.add("the file's densities differ within a correlated set", "give --density, one for each set")
        table["density"] = each_set
    with problems.collecting():
        return made_features(table, n)
    return None


def _placed(option: str, text: str, axes: dict[str, int]) -> Any:
    """A number, a named curve, or numbers along one of the axes, of which the first is the distribution's own.

    ``instance:0.1,0.2`` names another; numbers without a name that could be meant for another are a mistake.
    """
    name, colon, rest = text.partition(":")
    if name not in axes and colon and option == "importance":
        return curve(text)
    if colon and name not in axes and name.isidentifier():
        raise InvalidInputError(
            f"--{option} names {name!r}", f"choose among the axes: {', '.join(axes)}; or give numbers alone"
        )
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
