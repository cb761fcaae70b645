"""What the experiments on learning dynamics share: the same initial weights followed through training and exact gradient flow.

A path is a dataset with ``W`` (seed, time, hidden, feature), ``b``, the exact expected ``loss`` (seed, time), free of sampling
noise, and ``D`` (seed, time, feature).  The time counts optimizer steps in training, learning rate times steps in a flow.
"""

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import Evidence, every
from tegum.datasets import dataset
from tegum.recorded import labelled_with
from tegum.threads import in_pieces

TRAINING, FLOW = "training", "exact gradient flow"
SHORT = {TRAINING: "training", FLOW: "flow"}
CLOCK = {TRAINING: "optimizer steps", FLOW: "time (learning rate × steps)"}
_TERMS, _RTOL = 64, 1e-6


def trained_path(net: tg.nets.Net, features: tg.features.Features, recipe: tg.Recipe) -> xr.Dataset:
    """Every seed's path through training; time 0, the initial weights, included."""
    run = tg.train(net, features, recipe.replaced(record=tuple(net.parameter_shapes())))
    W, b = run["W_history"].values, run["b_history"].values
    loss = tg.exact.loss(W, b, features, tol=1e-6, net=net)
    return _path(W, b, loss, run["seed"].values, run["step"].values.astype(np.float64)).assign_attrs(run.attrs)


def flowed_path(
    net: tg.nets.Net,
    features: tg.features.Features,
    trained: xr.Dataset,
    times: NDArray[np.float64],
    threads: int | None = None,
) -> xr.Dataset:
    """The exact gradient flow from the initial weights of every seed of a trained path, at rising times; NaN where it gave up.

    The integrator is Python: in small models two ``threads`` of it hold each other up (n = 6: six flows 27 s, in a row 14 s).
    """
    initial = trained.isel(time=[0])
    flows = [initial.isel(seed=k) for k in range(initial.sizes["seed"])]
    settings: dict[str, Any] = {"times": times, "rtol": _RTOL, "terms": _TERMS, "progress": False}

    def follow(_: Any, k: int, end: int) -> None:
        flows[k] = tg.exact.gradient_flow(net, features, flows[k]["W"][0], flows[k]["b"][0], float(times[-1]), **settings)

    in_pieces(len(flows), 1, lambda _: None, follow, threads=threads, progress=None, title="gradient flow", unit="flow")
    W, b, loss = (np.stack([flow[name].reindex(time=times).values for flow in flows]) for name in ("W", "b", "loss"))
    return _path(W, b, loss, initial["seed"].values, times).assign_attrs(
        net=repr(net),
        features=repr(features),
        flow=f"BDF, rtol {_RTOL:g}, {_TERMS} terms, until time {times[-1]:g}",
        flows_that_gave_up=sum(flow.sizes["time"] < len(times) for flow in flows),
    )


def _path(W: NDArray[Any], b: NDArray[Any], loss: NDArray[Any], seeds: NDArray[Any], times: NDArray[np.float64]) -> xr.Dataset:
    D = tg.geometry.dimensionality(np.nan_to_num(W.astype(np.float64)))
    return dataset(
        {
            "W": (("seed", "time", "hidden", "feature"), W.astype(np.float32)),
            "b": (("seed", "time", "feature"), b.astype(np.float32)),
            "loss": (("seed", "time"), loss),
            "D": (("seed", "time", "feature"), D),
        },
        {"seed": seeds, "time": times},
        meanings={"time": "optimizer steps, or the time of the gradient flow", "D": "feature dimensionality"},
    )


def side_by_side(paths: Mapping[str, xr.Dataset], *own: str) -> xr.Dataset:
    """One dataset of all paths, variables and ``own`` axes of each named by its key; of attributes that differ, the first."""
    named = [path.rename({name: f"{key}_{name}" for name in (*path.data_vars, *own)}) for key, path in paths.items()]
    return xr.merge(named).assign_attrs(ChainMap(*(path.attrs for path in paths.values())))


def path_called(data: xr.Dataset, key: str) -> xr.Dataset:
    """The path of that key in float64, times above 0; seeds that did not come to their end are left out."""
    names = {f"{key}_{name}": name for name in ("W", "b", "loss", "D") if f"{key}_{name}" in data}
    path = data[list(names)].astype(np.float64).rename(names)
    path = path.rename(dict(zip(path["loss"].dims, ("seed", "time"), strict=True)))
    return path.isel(time=path["time"].values > 0, seed=np.isfinite(path["loss"].values[:, -1]))


def as_models(path: xr.Dataset, net: tg.nets.Net, features: tg.features.Features) -> xr.Dataset:
    """The path, which says of what net and features it is."""
    return labelled_with(path.assign_attrs(net=repr(net)), features)


def evidence(data: xr.Dataset, path: xr.Dataset, engine: str) -> Evidence:
    """All models of a path that came to their end, and how many flows did not."""
    found = every(path)
    return found.adding(f"{data.attrs['flows_that_gave_up']} flows gave up") if engine == FLOW else found
