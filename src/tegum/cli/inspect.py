"""`tegum inspect`: what models in a file learned, and how far each is from the lowest minimum of its features."""

import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import xarray as xr
from cyclopts import Parameter
from numpy.typing import NDArray

from tegum.cli.exact_loss import judged
from tegum.cli.losses import as_json, report
from tegum.cli.models import AS_IT_IS, FILES_OWN, Reading, Wanted
from tegum.cli.output import MOST_LINES, say, say_first
from tegum.cli.values import Number
from tegum.datasets import Status
from tegum.errors import InvalidInputError, Problems
from tegum.exact import best_bias, evaluate, minimise, minimise_from
from tegum.expected import expected_loss
from tegum.features import Features
from tegum.geometry import shape_names
from tegum.nets import Linear, Net
from tegum.progress import ProgressBar
from tegum.recorded import features_of, leading, over, plain_axis, with_features, written_net
from tegum.report import show
from tegum.report.export import export_pictures
from tegum.runs import require_writable

_TOL, _SAME, _CERTIFIED = 1e-9, 1e-6, 600
_FORMATS = (".html", ".png", ".svg", ".pdf")


def inspect(
    file: Path,
    /,
    *,
    wanted: Wanted = FILES_OWN,
    reading: Reading = AS_IT_IS,
    starts: Number = 64,
    seconds: Annotated[float, Parameter(allow_leading_hyphen=True)] = 20.0,
    picture: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say what the models in a file learned: shapes, exact loss, and how far it is above the lowest minimum there is.

    Example: tegum inspect weights.npz --density 0.1 --picture weights.html

    Args:
        file: A result of tegum, or W (..., m, n) or G (..., n, n), and b (..., n), as npz, npy, safetensors, PyTorch or pickle.
        wanted: Options of features.
        reading: Options of reading.
        starts: How many random starts look for the lowest minimum.
        seconds: No further starts after so many seconds.
        picture: Draw some of the models to this .html, .png, .svg or .pdf file, as `tegum show` does.
        json: Print JSON, everything about every model that is shown.
    """
    data, why = reading.read(file), ""
    with Problems() as problems:
        problems.check_least("starts", starts)
        if picture is not None and picture.suffix not in _FORMATS:
            problems.add(f"--picture is {picture}", f"choose a name that ends in {', '.join(_FORMATS)}")
        try:
            net, found, data = _judged(data, wanted)
        except InvalidInputError as mistake:
            if wanted != FILES_OWN:
                raise
            why = str(mistake)
    if picture is not None:
        require_writable(picture.parent)
    if why:
        say(f"{file}: {data.attrs['understood']}")
        say(f"no exact loss: {why}")
        say_first(_expected(data), "  and {} other models")
        shapes = Counter(np.ravel(shape_names(data["W"].values))) if "W" in data else Counter()
        say_first([f"  {count:>6}  {shape}" for shape, count in shapes.most_common()], "  and {} other shapes")
    else:
        found, data = _chosen(found.assign_attrs(file=str(file)), data)
        found, tries = _measured(found, data, net, starts, seconds)
        if json:
            say(as_json(found).decode())
        else:
            report(found, per_feature=False, out=None)
            _say_lowest(found, tries)
    if picture is not None:
        for path in _drawn(data, picture):
            say(f"open {path}")
    return 0


def _expected(data: xr.Dataset) -> list[str]:
    """The sampled losses of models whose net and features the dataset says, a line each."""
    net = written_net(str(data.attrs.get("net", "")))
    if net is None or plain_axis(data) is not None or not set(net.parameter_shapes()) <= set(data.data_vars):
        return []
    try:
        features = features_of(data)
    except InvalidInputError:
        return []
    own = {"W2": ("feature", "hidden"), "b": ("feature",), "b_hidden": ("hidden",)}
    params = {name: over(data, data[name], own.get(name, ("hidden", "feature"))) for name in net.parameter_shapes()}
    found = expected_loss(net, params, features)
    each = zip(found.value.ravel(), found.standard_error.ravel(), strict=True)
    return [f"  expected loss, {found.method}:", *(f"  {value:>12.6g} ± {error:.2g}" for value, error in each)]


def _judged(data: xr.Dataset, wanted: Wanted) -> tuple[Net, xr.Dataset, xr.Dataset]:
    """The net, what `tegum exact-loss` says of the models, and the models with the features that they are judged on."""
    with Problems() as problems:
        net, features = wanted.net(data), wanted.features(data, problems)
        axis = plain_axis(data)
        if axis is not None:
            problems.add(f"the kind of features varies along {axis}", f"inspect one, data.isel({axis}=0)")
    return net, judged(data, features, net, _TOL), data if features is None else with_features(data, features)


def _chosen(found: xr.Dataset, data: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """All models, or of many the one of lowest loss at each grid point, with median and worst; the data of the same."""
    found, loss = found.drop_vars(["terms", "sampled_loss", "loss_standard_error"], errors="ignore"), found["loss"]
    if loss.size <= MOST_LINES:
        return found, data
    axis = str(loss.dims[-1])
    place = {axis: loss.fillna(np.inf).argmin(axis)}
    return found.isel(place).assign(median=loss.median(axis), worst=loss.max(axis)), data.isel(place)


def _measured(
    found: xr.Dataset, data: xr.Dataset, net: Net, starts: int, seconds: float
) -> tuple[xr.Dataset, xr.Dataset | None]:
    """What was found, with the excess, best bias, dead outputs and shape of each model; the starts that excess rests on."""
    if net.hidden_relu:
        return found, None
    lead, features = leading(data), features_of(data)
    W = over(data, data["W"], ("hidden", "feature")) if "W" in data else over(data, data["G"], ("output", "feature"))
    usable = np.where(np.isfinite(W).all(axis=(-2, -1), keepdims=True), W, 0.0)
    b = np.broadcast_to(best_bias(usable, features, net=net, tied="W" in data), (*W.shape[:-2], W.shape[-1]))
    best = evaluate(data.assign(b=((*lead, "feature"), b)), tol=_TOL, net=net)["loss"]
    silent = np.isclose(found["squared_error"], np.einsum("...ii->...i", features.second_moment()), rtol=1e-9, atol=0)
    found = found.assign(best_bias_loss=best, dead=(lead, silent.sum(axis=-1) * (not isinstance(net, Linear))))
    if "W" not in data:
        return found, None
    tries = _tries(net, features, starts, seconds)
    below = minimise_from(data.assign(W=((*lead, "hidden", "feature"), usable)), net=net, certify=False)["loss"].values
    same = tuple(k for k, size in enumerate(features.batch_shape) if size == 1)
    reached = tries["loss"].where(tries["status"].isin((Status.MINIMUM, Status.CONVERGED))).min("seed").values
    lowest = np.fmin(reached, np.fmin.reduce(below, axis=same, keepdims=True) if below.ndim else below)
    found = found.assign(excess=(lead, _above(found["loss"].values, lowest)), basin_excess=(lead, _above(below, lowest)))
    return found.assign(shape=(lead, shape_names(W))), tries.assign(lowest=(tries["loss"].dims[:-1], lowest))


def _above(loss: NDArray[np.float64], lowest: NDArray[np.float64]) -> NDArray[np.float64]:
    """By which share losses are above the lowest: 0 where both are 0, NaN above a lowest of 0, where no share is."""
    loss, lowest = np.broadcast_arrays(loss, lowest)
    none = np.where(loss > lowest, np.nan, 0.0)
    return np.asarray(np.divide(loss - lowest, lowest, out=none, where=lowest > 0))


def _tries(net: Net, features: Features, starts: int, seconds: float) -> xr.Dataset:
    """Minima of the loss from random starts, as many as there is time for."""
    began, done, parts = time.perf_counter(), 0, list[xr.Dataset]()
    settings: dict[str, Any] = {"certify": (net.n_hidden + 1) * net.n_features <= _CERTIFIED, "progress": False}
    with ProgressBar(total=starts, unit="start", desc="random starts") as bar:
        while done < starts and (not parts or time.perf_counter() - began < seconds):
            more = min(starts - done, max(2, done))
            parts.append(minimise(net, features, seeds=tuple(range(done, done + more)), **settings))
            done += more
            bar.update(more)
    return xr.concat(parts, "seed", data_vars="minimal", coords="minimal", compat="override", combine_attrs="override")


def _say_lowest(found: xr.Dataset, tries: xr.Dataset | None) -> None:
    """What excess means, and how sure it is."""
    if tries is None:
        return
    certified = bool((tries["status"] != Status.CONVERGED).all())
    share = float((tries["loss"] <= tries["lowest"] * (1 + _SAME)).mean("seed").median())
    low, high = float(tries["lowest"].min()), float(tries["lowest"].max())
    losses = f"{low:.6g}" + (f" to {high:.6g}" if high > low else "")
    say(
        f"excess: above the lowest {'certified ' if certified else ''}minimum of {tries.sizes['seed']} random starts and these "
        f"models ({losses}; {share:.0%} of the starts reach it)"
    )
    say("basin_excess: of the minimum that the model itself descends to; best_bias_loss: with the best b for this W")
    say("dead: outputs that are 0 for every input")


def _drawn(data: xr.Dataset, path: Path) -> list[Path]:
    """Draws the pictures of `tegum.show`, as a page or as files of their own."""
    shown = show(data, title=path.stem)
    if path.suffix == ".html":
        return [shown.write(path)]
    return export_pictures(shown.figures, path.with_suffix(""), path.suffix[1:])  # type: ignore[arg-type]
