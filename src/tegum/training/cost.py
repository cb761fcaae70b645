"""What a training will cost, before it starts.

    seconds = instances * steps * batch * (n a + n m c + m d) / threads

with a = 0.8 ns a sample and feature, c = 0.07 ns a product, and under dropout d = 0.13 ns a hidden value (else 0),
measured on one core of a 2023 server with 512-bit registers; other machines differ by a factor of two or three.
"""

from collections.abc import Sequence

from tegum.checking import checked, require_memory
from tegum.errors import InvalidInputError
from tegum.nets import Net
from tegum.training.recipe import Recipe

_SECONDS_PER_FEATURE = 0.8e-9
_SECONDS_PER_PRODUCT = 0.07e-9
_SECONDS_PER_DROP = 0.13e-9
_YEAR = 365 * 86400


@checked
def estimated_seconds(net: Net, instances: int, steps: int, batch_size: int, threads: int, dropout: bool = False) -> float:
    """About how long training takes, in seconds.

    >>> from tegum.nets import ReluOutput
    >>> round(estimated_seconds(ReluOutput(5, 2), instances=10, steps=10_000, batch_size=1024, threads=2), 2)
    0.24

    Args:
        net: what is trained.
        instances: how many models.
        steps: optimizer steps of each.
        batch_size: samples a step.
        threads: how many models are trained at a time.
        dropout: whether hidden values are dropped.
    """
    sample = net.n_features * (_SECONDS_PER_FEATURE + net.n_hidden * _SECONDS_PER_PRODUCT)
    sample += dropout * net.n_hidden * _SECONDS_PER_DROP
    return instances * steps * batch_size * sample / min(threads, max(instances, 1))


def require_affordable(net: Net, recipes: Sequence[Recipe], threads: int) -> None:
    """Raises an `InvalidInputError`, before anything is made, for what would take years, or more memory than there is."""
    models = sum(len(one.seed_list) for one in recipes)
    require_memory(f"a training of {models} models", bytes_of(net, recipes))
    samples = sum(len(one.seed_list) * (one.steps * one.batch_size + one.evaluation_samples) for one in recipes)
    years = estimated_seconds(net, 1, 1, 1, 1) * samples / min(threads, models) / _YEAR
    if years > 1:
        what = f"a training of {models} models with {samples:,} samples would take about {years:,.0f} years"
        raise InvalidInputError(what, "choose fewer steps, samples or models")


def _most_records(recipe: Recipe) -> int:
    """How many steps a recipe records at most."""
    asked = recipe.record_steps
    return min(asked + 1, recipe.steps + 1) if isinstance(asked, int) else len(asked)


def bytes_of(net: Net, recipes: Sequence[Recipe]) -> int:
    """About how much memory a training takes: weights, averages, fixed data and what is recorded, of every recipe and seed."""
    weights = 2 * (net.n_hidden + 1) * net.n_features + net.n_hidden
    return sum(
        4 * len(one.seed_list) * (weights * (4 + _most_records(one)) + 2 * (one.data_set_size or 0) * net.n_features)
        for one in recipes
    )
