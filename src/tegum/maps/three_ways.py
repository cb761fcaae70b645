"""Models at many densities, found in three ways: by training, by descent from its initial weights, by descent from its end.

    TRAINING     stochastic training
    EXACT        the expected loss minimised from the initial weights of training
    POLISHED     the expected loss minimised from the trained weights: how far training was from an end

For models too large for certificates.  A descent ends where the root mean square of the gradient is below `GRADIENT`, or after
`STEPS` steps.  Each density is minimised in a call of its own, so that a study that is killed keeps those that it has finished.

Example: `three_ways(ReluOutput(30, 3), Independent(30), [0.5, 0.2], Recipe(seeds=5))` has ``W`` with the axes way, seed,
density, hidden and feature.
"""

from collections.abc import Sequence
from math import prod, sqrt

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked, shown
from tegum.datasets import dataset
from tegum.errors import InvalidInputError
from tegum.exact import loss as expected_loss
from tegum.exact import minimise
from tegum.features import Independent
from tegum.nets import ReluOutput
from tegum.training import Recipe, train

TRAINING, EXACT, POLISHED = "training", "exact", "exact from trained"
WAYS = (TRAINING, EXACT, POLISHED)
GRADIENT, STEPS, TERMS = 1e-5, 1500, 64
"""A minimisation ends where the root mean square of the gradient is below the first, or after so many steps."""


@checked
def three_ways(
    net: ReluOutput,
    features: Independent,
    densities: Sequence[float],
    recipe: Recipe,
    slow: Sequence[float] = (),
    times: int = 1,
) -> xr.Dataset:
    """Models at each density in three ways; ``times`` as many steps of training at ``slow`` densities, where the loss is flat.

    Returns:
        ``W`` (way, seed, density, hidden, feature), ``b``, exact ``loss`` (way, seed, density), ``gradient`` (its root mean
        square; NaN for training), and ``start_W`` (seed, hidden, feature), the initial weights at the first density; the
        coordinates say what the features are, see `tegum.features_of`.
    """
    if not densities or len(set(densities)) < len(densities):
        raise InvalidInputError(f"densities is {shown(densities)}", "give one at least, each once")
    run = _trained(net, features, densities, recipe, slow, times).transpose("density", "seed", ...)
    initial_W = run["W_history"].isel(step=0).transpose("density", "seed", "hidden", "feature").values.astype(np.float64)
    W, b = (run[name].values.astype(np.float64) for name in ("W", "b"))
    seeds = run.sizes["seed"]
    loss = expected_loss(W, b, features.replaced(density=np.array(densities)[:, None, None]), tol=1e-6)
    norm_of_rms = sqrt(sum(map(prod, net.parameter_shapes().values())))
    ends = [
        minimise(
            net,
            features.replaced(density=density),
            seeds=2 * seeds,
            initial={"W": np.concatenate([initial_W[k], W[k]]), "b": np.concatenate([np.zeros_like(b[k]), b[k]])},
            gradient_tolerance=GRADIENT * norm_of_rms,
            most_steps=STEPS,
            terms=TERMS,
            tol=1e-6,
            certify=False,
        )
        for k, density in enumerate(densities)
    ]

    def ways(name: str, trained: NDArray[np.float64]) -> NDArray[np.float64]:
        """(way, seed, density, ...) of what training found, (density, seed, ...), and what the descents did."""
        ended = np.stack([end[name].values for end in ends])
        found = np.stack([trained, *np.split(ended, 2, axis=1)])
        return np.swapaxes(found, 1, 2)

    models = ("way", "seed", "density")
    return dataset(
        {
            "W": ((*models, "hidden", "feature"), ways("W", W).astype(np.float32)),
            "b": ((*models, "feature"), ways("b", b).astype(np.float32)),
            "loss": (models, ways("loss", loss)),
            "gradient": (models, ways("gradient_norm", np.full(loss.shape, np.nan)) / norm_of_rms),
            "start_W": (("seed", "hidden", "feature"), initial_W[0].astype(np.float32)),
        },
        {"way": list(WAYS), "seed": run["seed"].values, "density": list(densities)}
        | {name: run[name].variable for name in ("feature_density", "feature_importance")},
        run.attrs | {"minimise": f"root mean square of the gradient {GRADIENT:g}, or {STEPS} steps; {TERMS} terms"},
        {"gradient": "root mean square of the gradient", "start_W": "initial weights at the first density"},
    )


def _trained(
    net: ReluOutput, features: Independent, densities: Sequence[float], recipe: Recipe, slow: Sequence[float], times: int
) -> xr.Dataset:
    """Trained models and their initial weights."""
    longer = [p for p in densities if times > 1 and p in slow]
    parts = ((1, [p for p in densities if p not in longer]), (times, longer))
    runs = [
        train(
            net,
            features,
            recipe.replaced(steps=factor * recipe.steps, record=("W",), record_steps=(0,)),
            sweep={"density": some},
        )
        for factor, some in parts
        if some
    ]
    named = [run[["W", "b", "W_history"]] for run in runs]
    return xr.concat(named, "density", combine_attrs="drop_conflicts", join="exact").sel(density=list(densities))
