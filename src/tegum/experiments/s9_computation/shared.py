"""What experiments on |x| share: their baseline; with n = 100, m = 40 how nets are trained and which neurons count.

Xavier initial weights do not work where features are sparse: x_i alone makes about half of the output ReLUs negative and they
never become active (after 6,000 steps at density 0.001 the loss is 70 times that without superposition).  Training starts where
all outputs are active (`tegum.nets.active_parameters`), and warms up for a tenth of the steps, as the output bias otherwise
sinks faster than weights grow.  At densities of 0.01 and more: scale 0.3, rate 1e-2; below: 1 and 5e-3; AdamW without decay,
cosine schedule.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.datasets import joined
from tegum.figures import NeuronPanel
from tegum.geometry import monosemantic, rescaled_neurons
from tegum.geometry.neurons import inactive_neurons

N, M = 100, 40
NET = tg.nets.AbsoluteValue(N, M)
FEATURES = tg.features.Independent(N, importance=tg.features.geometric(0.8, N), signed=True)
RECIPE = tg.Recipe(schedule="cosine", weight_decay=0, record_steps=(0,))
Nets = dict[float, NDArray[np.float64]]
"""The input weights of a net's neurons, (m, n), by density."""


def without_superposition(densities: list[float], features: tg.features.Independent, m: int) -> xr.DataArray:
    """The loss of the best net with m neurons and one feature to a neuron, at each density."""
    losses = [tg.theory.absolute_without_superposition(p, features.importance, m)[0] for p in densities]
    return xr.DataArray(losses, {"density": densities}, ["density"])


def trained(densities: list[float], recipe: tg.Recipe) -> xr.Dataset:
    """The nets, what they were at first (``start_W1``, ``start_loss``), and ``naive``, the loss without superposition."""
    runs = []
    for sparse, scale, rate in ((False, 0.3, 1e-2), (True, 1.0, 5e-3)):
        mine = [p for p in densities if (p < 0.01) == sparse]
        if mine:
            initial = tg.nets.active_parameters(NET, len(recipe.seed_list), recipe.root_seed, scale)
            own = recipe.replaced(learning_rate=rate, warmup_steps=recipe.steps // 10)
            run = tg.train(NET, FEATURES, own, sweep={"density": mine}, initial=initial)
            runs.append(run.assign(start_W1=(run["W1"].dims, np.broadcast_to(initial["W1"], run["W1"].shape))))
    data = joined(runs, "density", join="exact", data_vars="all")
    naive = without_superposition(densities, FEATURES, M)
    return data.assign(naive=naive, start_loss=data["loss_history"].isel(step=0))


def neurons(model: xr.Dataset, initial: bool = False) -> NDArray[np.float64]:
    """Rows of W1 at the canonical scale, of the neurons that are in use; on request those of all neurons before training."""
    W1, W2 = (model[name].values.astype(np.float64) for name in ("start_W1" if initial else "W1", "W2"))
    V1, V2 = rescaled_neurons(W1, W2)
    return V1 if initial else np.asarray(V1[~inactive_neurons(V2.T)])


def best_nets(data: xr.Dataset, initial: bool = False) -> Nets:
    """The `neurons` of the best net at each density."""
    return {p: neurons(tg.best(data.sel(density=p)), initial) for p in data["density"].values.tolist()}


def by_density(nets: Mapping[float, Any], found: Callable[[Any], Any]) -> xr.DataArray:
    """The mean of what is found in the net at each density; NaN of nothing."""
    values = [np.asarray(found(net)) for net in nets.values()]
    return xr.DataArray([each.mean() if each.size else np.nan for each in values], {"density": list(nets)}, ["density"])


def relative_loss(data: xr.Dataset, name: str = "loss") -> xr.DataArray:
    """The lowest loss at each density over that of the best net without superposition."""
    return data[name].min("seed") / data["naive"]


def panels(data: xr.Dataset) -> dict[str, NeuronPanel]:
    """The best net at each density, polysemantic neurons shaded, its loss in the title."""
    loss = relative_loss(data)
    return {
        f"p = {p:g}, loss {float(loss.sel(density=p)):.2f} of that without superposition": NeuronPanel(V, ~monosemantic(V))
        for p, V in best_nets(data).items()
    }
