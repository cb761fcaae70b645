"""What the experiments on |x| with n = 100, m = 40 share: how the nets are trained and which of their neurons count.

Xavier starts do not work in sparse worlds: x_i alone makes about half of the output ReLUs negative and they never wake (after
6,000 steps at density 0.001 the loss is 70 times that of a net without superposition).  Training therefore starts where all
outputs are alive (`tegum.nets.alive_parameters`), and warms up for a tenth of the steps, because the output bias otherwise
sinks faster than weights grow.  At densities of 0.01 and more: scale 0.3, rate 1e-2; below: scale 1, rate 5e-3; AdamW without
decay, cosine schedule to 0.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.geometry import rescaled_neurons, silent_neurons, weights_above
from tegum.nets import alive_parameters
from tegum.theory import absolute_without_superposition

N, M = 100, 40
IMPORTANCE = tg.features.geometric(0.8, N)
NET = tg.nets.AbsoluteValue(N, M)
FEATURES = tg.features.Independent(N, importance=IMPORTANCE, signed=True)
RECIPE = tg.Recipe(schedule="cosine", weight_decay=0, record_steps=(0,))
SPARSE = 0.01
"""Densities below this start larger and learn more slowly."""


def trained(densities: list[float], recipe: tg.Recipe) -> xr.Dataset:
    """The nets at all densities, their starts (``start_W1``, ``start_loss``), and ``naive``, the loss without superposition."""
    runs = []
    for sparse, scale, rate in ((False, 0.3, 1e-2), (True, 1.0, 5e-3)):
        mine = [p for p in densities if (p < SPARSE) == sparse]
        if mine:
            start = alive_parameters(NET, len(recipe.seed_list), recipe.root_seed, scale)
            own = recipe.replaced(learning_rate=rate, warmup_steps=recipe.steps // 10)
            run = tg.train(NET, FEATURES, own, sweep={"density": mine}, initial=start)
            runs.append(run.assign(start_W1=(run["W1"].dims, np.broadcast_to(start["W1"], run["W1"].shape))))
    data = xr.concat(runs, "density", combine_attrs="drop_conflicts", join="exact", data_vars="all")
    naive = [absolute_without_superposition(p, IMPORTANCE, M)[0] for p in data["density"].values]
    data.attrs |= {"interrupted": max(run.attrs["interrupted"] for run in runs)}
    return data.assign(naive=("density", naive), start_loss=data["loss_history"].isel(step=0))


def neurons(model: xr.Dataset, start: bool = False) -> NDArray[np.float64]:
    """Rows of W1 at the canonical scale, of the neurons that are in use; on request as they were at the start."""
    W1, W2 = (model[name].values.astype(np.float64) for name in ("W1", "W2"))
    if start:
        return rescaled_neurons(model["start_W1"].values.astype(np.float64), W2)[0]
    V1, V2 = rescaled_neurons(W1, W2)
    return np.asarray(V1[~silent_neurons(V2.T)])


def alone(V1: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which neurons are monosemantic: no second weight above a tenth of the largest."""
    return np.asarray(weights_above(V1) == 1)
