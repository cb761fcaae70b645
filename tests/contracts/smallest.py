"""Every study at its smallest: the same calls, with the fewest steps and starts that still give every dataset its shape.

Studies know nothing of it: whoever is asked for a call's result before it is computed may compute a smaller one.
"""

import math
import warnings

import xarray as xr

from tegum import Recipe
from tegum.caching import Call
from tegum.features import FiniteLaw
from tegum.sweep import feature_grid

_STEPS, _BATCH, _TEST = 40, 64, 640
_STARTS, _DESCENT = 4, 40
_LARGE, _FLAT = 40, 1e-2
_MAP = 100
"""From so many points on, the searches of a map are from one random start at each, without a certificate."""
_CHAINS = {"draws": 40, "warm_up": 40, "thinning": 1, "moves": 3}


def smallest(call: Call) -> xr.Dataset:
    """The call with short trainings and few searches.

    Trainings have 40 steps of 64 samples; searches for certified minima 4 random starts, on large maps one, as have others on
    finite laws; searches of large nets end where the gradient is 0.01, however flat the loss is; chains and volumes few draws
    and moves.  Of descents that go on from weights without a certificate it has the first 40 steps; certificates on
    large maps, of weights as they stand, or on finite laws, are left out; all else is as in the study.
    """
    if "recipe" in call.arguments:
        return call.replaced(recipe=_shortest(call.arguments["recipe"] or Recipe())).run()
    if few := {name: min(call.arguments[name], most) for name, most in _CHAINS.items() if name in call.arguments}:
        return call.replaced(**few).run()
    if "most_steps" not in call.arguments:
        return call.run()
    starts, steps, initial = (call.arguments[name] for name in ("seeds", "most_steps", "initial"))
    if initial is not None and (steps == 1 or isinstance(call.arguments["features"], FiniteLaw)):
        return call.replaced(certify=False, most_steps=min(steps, _DESCENT)).run()
    if call.arguments["net"].n_features >= _LARGE:
        call = call.replaced(gradient_tolerance=max(call.arguments["gradient_tolerance"], _FLAT))
    if call.arguments["certify"]:
        fewer = initial is None and isinstance(starts, int)
        points = math.prod(feature_grid(call.arguments["features"], call.arguments["sweep"] or {}).shape)
        if fewer and points >= _MAP:
            return call.replaced(seeds=1, certify=False).run()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "gradient_tolerance is", UserWarning)
            return call.replaced(seeds=min(starts, _STARTS)).run() if fewer else call.run()
    if initial is None:
        return call.replaced(seeds=1).run() if isinstance(call.arguments["features"], FiniteLaw) else call.run()
    return call.replaced(most_steps=min(steps, _DESCENT)).run()


def _shortest(recipe: Recipe) -> Recipe:
    recorded = () if isinstance(recipe.record_steps, int) else recipe.record_steps
    steps = min(recipe.steps, max([_STEPS, *recorded]))
    return recipe.replaced(
        steps=steps,
        warmup_steps=min(recipe.warmup_steps, steps // 2),
        batch_size=min(recipe.batch_size, _BATCH),
        evaluation_samples=min(recipe.evaluation_samples, _TEST),
    )
