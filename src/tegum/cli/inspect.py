"""`tegum inspect`: what models in a file learned, and how far each is from the lowest minimum of its features."""

import json as javascript
import math
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import xarray as xr
from cyclopts import Parameter
from numpy.typing import NDArray

from tegum.cli.exact_loss import judged
from tegum.cli.losses import as_json, best_along, report
from tegum.cli.models import (
    as_wanted,
    finite_models_in,
    one_along,
    wanted_features,
    wanted_net,
    with_activation,
    with_loss_again,
)
from tegum.cli.options import AS_IT_IS, SUMS, Judged, Reading, given
from tegum.cli.output import MOST_LINES, say, say_first
from tegum.cli.pages import require_page
from tegum.cli.values import Number
from tegum.datasets import PARAMETER_DIMS, Status, start_axes
from tegum.errors import InvalidInputError, Problems
from tegum.exact import best_bias, evaluate, minimise, minimise_from
from tegum.exact.parameters import size_of
from tegum.expected import expected_loss
from tegum.features import Features
from tegum.geometry import shape_names
from tegum.nets import ACTIVATIONS, ActivationOutput, Net
from tegum.recorded import (
    features_of,
    finite_part,
    in_words,
    leading,
    over,
    plain_axis,
    said_net,
    written_net,
)
from tegum.report import show
from tegum.report.pictures import export_pictures
from tegum.runs import plain as as_json_knows
from tegum.runs import require_writable

_TOL, _SAME, _CERTIFIED = 1e-9, 1e-6, 600
_FORMATS = (".html", ".png", ".svg", ".pdf")


def inspect(
    file: Path,
    /,
    *,
    wanted: Judged = SUMS,
    reading: Reading = AS_IT_IS,
    starts: Number = 64,
    seconds: Annotated[float, Parameter(allow_leading_hyphen=True)] = 20.0,
    picture: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say what the models in a file learned: shapes, exact loss, and how far it is above the lowest minimum there is.

    Example: tegum inspect weights.npz --density 0.1 --picture weights.html

    Args:
        file: A result of tegum or its folder, or W (..., m, n) or G (..., n, n), and b (..., n): npz, npy, safetensors, PyTorch
            or pickle.
        wanted: Options of features.
        reading: Options of reading.
        starts: How many random starts look for the lowest minimum.
        seconds: No further starts after so many seconds, not counting the first two.
        picture: Draw some of the models to this .html, .png, .svg or .pdf file, as `tegum show` does.
        json: Print JSON, everything about every model that is shown.
    """
    data, why, plain = finite_models_in(file, reading), "", xr.Dataset()
    with Problems() as problems:
        problems.check_least("starts", starts)
        problems.check_number("seconds", seconds, 0, 1e9)
        if picture is not None and picture.suffix not in _FORMATS:
            problems.add(f"--picture is {picture}", f"choose a name that ends in {', '.join(_FORMATS)}")
        if picture is not None and wanted.mean:
            problems.add("--mean is given with --picture", "leave one of them out: pictures show sums")
        try:
            net, found, data = _judged(data, wanted)
        except InvalidInputError as mistake:
            (plain, data), why = _without_exact_loss(data, wanted), str(mistake)
            if not plain.data_vars:
                raise
    if picture is not None:
        require_writable(picture.parent, "choose another with --picture")
        if picture.suffix == ".html":
            require_page(picture, "--picture")
    if why:
        plain = plain.assign_attrs(file=str(file), read=data.attrs["understood"], no_exact_loss=why)
        (_say_as_json if json else _say_without_exact_loss)(plain)
    else:
        along = start_axes(data, leading(data))
        found, data, best_of = _chosen(found.assign_attrs(file=str(file)), data, along)
        found, tries = _measured(found, data, net, starts, seconds)
        if json:
            say(as_json(found).decode())
        else:
            report(found, along, best_of=best_of, more="--json shows")
            _say_lowest(found, tries)
    if picture is not None:
        drawn = _drawn(data, picture)
        for path in () if json else drawn:
            say(f"open {path}")
    return 0


def _without_exact_loss(data: xr.Dataset, wanted: Judged) -> tuple[xr.Dataset, xr.Dataset]:
    """What can be said of any model: its expected loss where net and features are known, and its shapes where it has W.

    And the models, with the net and the features that are wanted.
    """
    lead = leading(data)
    found = xr.Dataset(coords={axis: data[axis] for axis in lead if axis in data.coords})
    net = written_net(said_net(data))
    if net is not None and plain_axis(data) is None and set(net.parameter_shapes()) <= set(data.data_vars):
        with Problems() as problems:
            features = wanted_features(data, wanted, problems)
            with problems.collecting():
                net = with_activation(net, wanted)
        before = data
        data = as_wanted(data, features, None if wanted.activation is None else net)
        law = features_of(data)
        params = {name: over(data, data[name], PARAMETER_DIMS[name]) for name in net.parameter_shapes()}
        loss = expected_loss(net, params, law.replaced(importance=law.importance / net.n_features) if wanted.mean else law)
        words = in_words(law) + (f"; losses are means over {net.n_features} features" if wanted.mean else "")
        found = found.assign(loss=(lead, loss.value), standard_error=(lead, loss.standard_error))
        data = with_loss_again(data, before, found["loss"])
        found = found.assign_attrs(model=str(net), features=words, method=loss.method)
    elif given(wanted):
        return found, data
    if "W" in data:
        found = found.assign(shape=(lead, shape_names(over(data, data["W"], PARAMETER_DIMS["W"]), rows=False)))
    return found, data


def _say_as_json(found: xr.Dataset) -> None:
    """Everything about every model."""
    frame = _frame(found)
    everything = {**found.attrs, "models": frame.astype(object).where(frame.notna(), None).to_dict("records")}
    say(javascript.dumps(everything, indent=1, ensure_ascii=False, allow_nan=False, default=as_json_knows))


def _say_without_exact_loss(found: xr.Dataset) -> None:
    """The models in a table, or of many what their shapes are."""
    say(f"{found.attrs['file']}: {found.attrs['read']}")
    say(f"no exact loss: {found.attrs['no_exact_loss']}")
    if "loss" in found:
        say(f"{found.attrs['model']}; features: {found.attrs['features']}; loss: {found.attrs['method']}")
    frame = _frame(found)
    if len(frame) <= MOST_LINES:
        say(frame.to_string(index=False, formatters={"standard_error": "{:.1g}".format, "loss": "{:.6g}".format}))
        return
    if "loss" in frame:
        low, high, error = frame["loss"].min(), frame["loss"].max(), frame["standard_error"].max()
        say(f"{len(frame)} models; loss {low:.6g} at the lowest, median {frame['loss'].median():.6g}, highest {high:.6g}, each")
        say(f"± {error:.1g} at most; --json shows every model")
    if "shape" in frame:
        counts = Counter(frame["shape"])
        say_first([f"  {count:>6}  {shape}" for shape, count in counts.most_common()], "  and {} other shapes")


def _frame(found: xr.Dataset) -> pd.DataFrame:
    """A row for each model."""
    axes = [str(axis) for axis in next(iter(found.data_vars.values())).dims]
    frame = found.reset_coords(drop=True).to_dataframe(dim_order=axes) if axes else found.expand_dims("model").to_dataframe()
    return frame.reset_index(drop=not axes)


def _judged(data: xr.Dataset, wanted: Judged) -> tuple[Net, xr.Dataset, xr.Dataset]:
    """The net, what `tegum exact-loss` says of the models, and the models with the features that they are judged on."""
    with Problems() as problems:
        net, features = wanted_net(data, wanted), wanted_features(data, wanted, problems)
        axis = plain_axis(data)
        if axis is not None:
            problems.add(f"the kind of features varies along {axis}", one_along(axis))
    return net, *judged(data, features, net, _TOL, wanted)


def _chosen(found: xr.Dataset, data: xr.Dataset, starts: list[str]) -> tuple[xr.Dataset, xr.Dataset, int]:
    """All models, or of many the one of lowest loss at each grid point, with median and worst; their data; of how many."""
    found, loss = found.drop_vars(["terms", "sampled_loss", "loss_standard_error"], errors="ignore"), found["loss"]
    if loss.size <= MOST_LINES or not starts:
        return found, data, 1
    found, place = best_along(found, starts)
    return found, data.isel(place), math.prod(loss.sizes[axis] for axis in starts)


def _measured(
    found: xr.Dataset, data: xr.Dataset, net: Net, starts: int, seconds: float
) -> tuple[xr.Dataset, xr.Dataset | None]:
    """What was found, with the excess, best bias, dead outputs and shape of each model; the starts that excess rests on."""
    lead, features = leading(data), features_of(data)
    if "W" in data:
        found = found.assign(shape=(lead, shape_names(over(data, data["W"], PARAMETER_DIMS["W"]), rows=False)))
    if net.hidden_relu:
        return found, None
    finite, usable = finite_part(data)
    tied, W = _map_of(usable)
    plain = ActivationOutput(net.n_features, net.n_hidden, activation=net.output_activation)
    best = evaluate(W, best_bias(W, features, net=plain, tied=tied), features, _TOL, net=plain, tied=tied)["loss"].values
    best = np.where(finite, best, np.nan)
    silent = np.isclose(found["squared_error"], np.einsum("...ii->...i", features.second_moment()), rtol=1e-9, atol=0)
    dead = silent.sum(axis=-1) * (net.output_activation != ACTIVATIONS["identity"])
    found = found.assign(best_bias_loss=(lead, best), dead=(lead, dead if finite.all() else np.where(finite, dead, np.nan)))
    if "G" in data:
        return found, None
    tries = _tries(net, features, starts, seconds)
    below = minimise_from(usable, net=net, certify=False, penalties=(), constraints=())["loss"].where(finite).values
    same = tuple(k for k, size in enumerate(features.batch_shape) if size == 1)
    reached = tries["loss"].where(tries["status"].isin((Status.MINIMUM, Status.CONVERGED))).min("seed").values
    # A loss that is itself the lowest may be below it by rounding.
    least = np.fmin(below, found["loss"].values)
    lowest = np.fmin(reached, np.fmin.reduce(least, axis=same, keepdims=True) if least.ndim else least)
    found = found.assign(excess=(lead, _above(found["loss"].values, lowest)), basin_excess=(lead, _above(below, lowest)))
    minimised = javascript.loads(data.attrs.get("minimise", "{}"))
    apart = [one for name in ("penalties", "constraints") for one in minimised.get(name, ())]
    found = found.assign_attrs(lowest_without=", ".join(apart)) if apart else found
    return found, tries.assign(lowest=(tries["loss"].dims[:-1], lowest))


def _map_of(data: xr.Dataset) -> tuple[bool, NDArray[np.float64]]:
    """Whether the map of x is W^T W, and W, or else the map."""
    if "W" in data:
        return True, over(data, data["W"], PARAMETER_DIMS["W"])
    if "G" in data:
        return False, over(data, data["G"], ("output", "feature"))
    first, second = (over(data, data[name], PARAMETER_DIMS[name]) for name in ("W1", "W2"))
    return False, second @ first


def _above(loss: NDArray[np.float64], lowest: NDArray[np.float64]) -> NDArray[np.float64]:
    """By which share losses are above the lowest: 0 where both are 0, NaN above a lowest of 0, where no share is."""
    loss, lowest = np.broadcast_arrays(loss, lowest)
    none = np.where(loss > lowest, np.nan, 0.0)
    return np.asarray(np.divide(loss - lowest, lowest, out=none, where=lowest > 0))


def _tries(net: Net, features: Features, starts: int, seconds: float) -> xr.Dataset:
    """Minima of the loss from random starts, as many as there is time for; each round shows how far it is.

    The time begins after the first round, in which the engine may be compiled.
    """
    until, done, parts = np.inf, 0, list[xr.Dataset]()
    while done < starts and time.perf_counter() < until:
        more = tuple(range(done, min(starts, max(2, 2 * done))))
        parts.append(minimise(net, features, seeds=more, certify=size_of(net) <= _CERTIFIED))
        done += len(more)
        until = min(until, time.perf_counter() + seconds)
    return xr.concat(parts, "seed", data_vars="minimal", coords="minimal", compat="override", combine_attrs="override")


def _say_lowest(found: xr.Dataset, tries: xr.Dataset | None) -> None:
    """What excess means, and how sure it is."""
    if tries is None:
        return
    certified = bool((tries["status"] != Status.CONVERGED).all())
    near = tries["lowest"] * (1 + _SAME) + tries["loss_error"]
    share = float((tries["loss"] <= near).mean("seed").median())
    low, high = float(tries["lowest"].min()), float(tries["lowest"].max())
    losses = f"{low:.6g}" + (f" to {high:.6g}" if high > low else "")
    say(
        f"excess: above the lowest {'certified ' if certified else ''}minimum of {tries.sizes['seed']} random starts and these "
        f"models ({losses}; {share:.0%} of the starts reach it)"
    )
    say("basin_excess: of the minimum that the model itself descends to; best_bias_loss: with the best b for this W")
    if "lowest_without" in found.attrs:
        say(f"the models were minimised with {found.attrs['lowest_without']}; both excesses are of the loss without")
    say("dead: outputs that are 0 for every input")


def _drawn(data: xr.Dataset, path: Path) -> list[Path]:
    """Draws the pictures of `tegum.show`, as a page or as files of their own."""
    shown = show(data, title=path.stem)
    if path.suffix == ".html":
        return [shown.write(path)]
    return export_pictures(shown.figures, path.with_suffix(""), path.suffix[1:])  # type: ignore[arg-type]
