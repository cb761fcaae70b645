"""What the experiments on learning dynamics share: the same starts followed through training and through exact gradient flow.

A path is a dataset with ``W`` (seed, time, hidden, feature), ``b``, the exact expected ``loss`` (seed, time), free of sampling
noise, and ``D`` (seed, time, feature).  In training the time counts optimizer steps, in a flow it is learning rate times
steps.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.threads import in_pieces

_TERMS = 64
TRAINING, FLOW = "training", "exact gradient flow"


def trained_path(net: tg.nets.Net, features: tg.features.Features, recipe: tg.Recipe) -> xr.Dataset:
    """Every seed's path through training; time 0, the start, included."""
    run = tg.train(net, features, recipe.replaced(record=tuple(net.parameter_shapes())))
    W, b = run["W_history"], run["b_history"]
    linear = isinstance(net, tg.nets.Linear)
    loss = tg.exact.loss(W, b, features, tol=1e-6, activation="linear" if linear else "relu")
    data = _path(W.values, b.values, loss, run["seed"].values, run["step"].values.astype(np.float64))
    data.attrs = run.attrs
    return data


def flowed_path(
    net: tg.nets.Net,
    features: tg.features.Features,
    start: xr.Dataset,
    times: NDArray[np.float64],
    rtol: float = 1e-6,
    threads: int | None = None,
) -> xr.Dataset:
    """The exact gradient flow from the first weights of every seed of ``start``, at rising times.

    The integrator is Python: in small models two ``threads`` of it hold each other up (n = 6: six flows 27 s, in a row 14 s).
    """
    first = start.isel(time=0)
    seeds, m, n = first.sizes["seed"], net.n_hidden, net.n_features
    W, b, loss = (
        np.full((seeds, len(times), m, n), np.nan),
        np.full((seeds, len(times), n), np.nan),
        np.full((seeds, len(times)), np.nan),
    )
    gave_up = [""] * seeds

    def follow(_: Any, begin: int, end: int) -> None:
        for k in range(begin, end):
            model = first.isel(seed=k)
            flow = tg.exact.gradient_flow(
                net,
                features,
                model["W"].values,
                model["b"].values,
                float(times[-1]),
                times=times,
                rtol=rtol,
                terms=_TERMS,
                progress=False,
            )
            reached = flow.sizes["time"]
            W[k, :reached], b[k, :reached], loss[k, :reached] = flow["W"].values, flow["b"].values, flow["loss"].values
            gave_up[k] = "" if reached == len(times) else str(flow.attrs["status"])

    done = in_pieces(seeds, 1, lambda: None, follow, threads=threads, progress=None, title="gradient flow", unit="flow")
    data = _path(W, b, loss, first["seed"].values, times)
    data.attrs = {
        "net": repr(net),
        "features": repr(features),
        "flow": f"BDF, rtol {rtol:g}, {_TERMS} terms, until time {times[-1]:g}",
        "flows_that_gave_up": sum(bool(status) for status in gave_up),
        "interrupted": int(done < seeds),
    }
    return data


def _path(W: NDArray[Any], b: NDArray[Any], loss: NDArray[Any], seeds: NDArray[Any], times: NDArray[np.float64]) -> xr.Dataset:
    D = tg.geometry.dimensionality(np.nan_to_num(W.astype(np.float64)))
    return xr.Dataset(
        {
            "W": (("seed", "time", "hidden", "feature"), W.astype(np.float32)),
            "b": (("seed", "time", "feature"), b.astype(np.float32)),
            "loss": (("seed", "time"), loss, {"long_name": "exact expected loss"}),
            "D": (("seed", "time", "feature"), D, {"long_name": "feature dimensionality"}),
        },
        {"seed": seeds, "time": times},
    )


def found_events(path: xr.Dataset) -> list[list[tg.geometry.Event]]:
    """The events of every seed, after half its features have settled; time 0 is left out."""
    late = path.isel(time=path["time"].values > 0)
    times = late["time"].values
    return [tg.geometry.events(late["D"].values[k], times, late["loss"].values[k]) for k in range(late.sizes["seed"])]
