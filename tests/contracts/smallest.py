"""Every study at its smallest: the same calls, with the fewest steps and starts that still give every dataset its shape.

Studies know nothing of it: whoever is asked for a call's result before it is computed may compute a smaller one.
"""

import xarray as xr

from tegum import Recipe
from tegum.caching import Call

_STEPS, _BATCH, _TEST = 40, 64, 640
_STARTS, _DESCENT = 8, 40


def smallest(call: Call) -> xr.Dataset:
    """The call with trainings of 40 steps of 64 samples, 8 random starts of a search, and descents without a certificate cut.

    Certified minima are found as in the study, and flows are followed as they are.
    """
    if "recipe" in call.arguments:
        return call.replaced(recipe=_shortest(call.arguments["recipe"] or Recipe())).run()
    if "most_steps" not in call.arguments:
        return call.run()
    starts, steps = call.arguments["seeds"], call.arguments["most_steps"]
    if call.arguments["initial"] is None and isinstance(starts, int):
        starts = min(starts, _STARTS)
    return call.replaced(seeds=starts, most_steps=steps if call.arguments["certify"] else min(steps, _DESCENT)).run()


def _shortest(recipe: Recipe) -> Recipe:
    recorded = () if isinstance(recipe.record_steps, int) else recipe.record_steps
    steps = min(recipe.steps, max([_STEPS, *recorded]))
    return recipe.replaced(
        steps=steps,
        warmup_steps=min(recipe.warmup_steps, steps // 2),
        batch_size=min(recipe.batch_size, _BATCH),
        evaluation_samples=min(recipe.evaluation_samples, _TEST),
    )
