"""Every study at its smallest: the same calls, with the fewest steps that still give every dataset its shape.

Studies know nothing of it: whoever is asked for a call's result before it is computed may compute a smaller one.
"""

import xarray as xr

from tegum import Recipe
from tegum.caching import Call

_STEPS, _BATCH, _TEST = 40, 64, 640


def smallest(call: Call) -> xr.Dataset:
    """The call with trainings of 40 steps of 64 samples; descents and flows of the expected loss as they are."""
    if "recipe" not in call.arguments:
        return call.run()
    recipe = call.arguments["recipe"] or Recipe()
    recorded = () if isinstance(recipe.record_steps, int) else recipe.record_steps
    steps = min(recipe.steps, max([_STEPS, *recorded]))
    smaller = recipe.replaced(
        steps=steps,
        warmup_steps=min(recipe.warmup_steps, steps // 2),
        batch_size=min(recipe.batch_size, _BATCH),
        evaluation_samples=min(recipe.evaluation_samples, _TEST),
    )
    return call.replaced(recipe=smaller).run()
