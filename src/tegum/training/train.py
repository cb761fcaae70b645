"""A whole sweep trained with one call: arguments checked, instances made and trained, results gathered in one dataset."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.caching import cached
from tegum.checking import checked
from tegum.datasets import PARAMETER_DIMS, dataset
from tegum.errors import Problems
from tegum.features import Features, FiniteLaw
from tegum.nets import Net, require_same_features
from tegum.nets.net import parameter
from tegum.provenance import provenance
from tegum.recorded import said_of
from tegum.sweep import Axis, FeatureGrid, model_axes
from tegum.threads import default_threads
from tegum.training.cost import estimated_seconds, require_affordable, require_room, seconds_on_sets
from tegum.training.instances import grid_of, instances_of, require_attackable
from tegum.training.own_loss import OwnLoss
from tegum.training.pool import train_instances
from tegum.training.recipe import Recipe


def _seconds(
    net: Net,
    features: Features,
    recipe: Recipe | None,
    *,
    sweep: Mapping[str, Any] | None,
    loss: OwnLoss | None,
    data: FiniteLaw | Sequence[FiniteLaw] | None,
    **_: Any,
) -> float:
    """About how long `train` takes on one core."""
    if data is not None:
        return seconds_on_sets(net, features, recipe or Recipe(), sweep or {}, [data] if isinstance(data, FiniteLaw) else data)
    return estimated_seconds(net, features, recipe, sweep=sweep, loss=loss, threads=1)


# Longer than other functions by its docstring: this is where users look up what goes in and what comes out.
@checked
@cached(splittable=True, cost=_seconds)
def train(
    net: Net,
    features: Features,
    recipe: Recipe | None = None,
    *,
    data: FiniteLaw | Sequence[FiniteLaw] | None = None,
    sweep: Mapping[str, Any] | None = None,
    initial: Mapping[str, ArrayLike] | None = None,
    loss: OwnLoss | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Trains one model per grid point and seed and returns them all.

    >>> import tegum as tg
    >>> net = tg.nets.ReluOutput(5, 2)
    >>> features = tg.features.Independent(5, importance=tg.features.geometric(0.9, 5))
    >>> recipe = tg.Recipe(steps=50, seeds=8, batch_size=64, evaluation_samples=640)
    >>> data = tg.train(net, features, recipe, sweep={"density": [1, 0.2, 0.1]}, progress=False)
    >>> dict(data.W.sel(density=0.1).sizes)
    {'seed': 8, 'hidden': 2, 'feature': 5}
    >>> tg.best(data).loss.values.argsort()[::-1].tolist()             # sparser features are smaller and lose less
    [0, 1, 2]

    Args:
        net: the model family and its sizes.
        features: the feature distribution; leading axes of its density and importance are instances too.
        recipe: how to train; `Recipe()` by default.
        data: samples to train on in place of fresh ones, one data set or one for each seed (`tegum.features.data_set`); all of
            it at each step where ``batch_size`` is its size.  What is known of ``features`` is then the test loss.
        sweep: axes by name, see `tegum.sweep`; they become the first dimensions, in this order.
        initial: initial weights by name, (..., m, n) and so on, leading axes broadcast to the sweep and the seeds, those of
            a DataArray by their names; those not given start at 0.  By default drawn by the recipe.
        loss: a loss of your own in place of the squared error, see `OwnLoss`; slower, because it is Python.
        threads: how many instances train at a time; by default one per core.  It never changes a result.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        A dataset with the sweep's dimensions, then ``seed``, and

        - the parameters (``W`` (..., hidden, feature), ``b`` (..., feature), ...), float32;
        - ``loss``: sum_i I_i E[(target_i - y_i)^2], measured on ``evaluation_samples`` fresh samples that all seeds share, and
          ``loss_standard_error``;
        - with ``data`` or ``data_set_size`` ``training_loss``, the same sum on the samples trained on, and with
          ``data_set_size`` these, ``data_set`` (..., sample, feature); with ``loss_on="active"`` ``active_loss``, the part of
          ``loss`` that is minimised;
        - ``status``: finished, diverged (the loss became non-finite; a row, not an error) or interrupted;
        - ``steps_done``, and as coordinates ``feature_density``, ``feature_importance``;
        - what the recipe records, as ``loss_history`` (..., step), ``W_history`` (..., step, hidden, feature) and so on.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
        Interrupted: after Ctrl-C, a KeyboardInterrupt that has the dataset so far in ``data``.
    """
    recipe = Recipe() if recipe is None else recipe
    problems = Problems()
    with problems.collecting():
        require_same_features(net, features.n_features)
    with problems.collecting():
        grid, recipes = grid_of(net, features, recipe, sweep or {})
    problems.check_least("threads", threads)
    problems.raise_if_any()
    require_affordable(net, recipes, threads or default_threads())
    sets = () if data is None else _data_sets(data, features, recipes, sweep or {}, loss)
    require_room(net, recipes, sets)
    require_attackable(net, recipes)
    _require_measurable(recipes, sweep or {}, bool(sets))
    if loss is not None:
        _require_own_loss(loss, net, recipes)
    began = time.perf_counter()
    given: dict[str, NDArray[Any]] | None = None
    if initial is not None:
        axes = model_axes(features, sweep or {}, recipe.seed_list)
        given = {name: parameter(name, value, f"initial {name}", axes) for name, value in initial.items()}
    recording = recipe.replaced(steps=max(one.steps for one in recipes), warmup_steps=0)
    found, interrupted = train_instances(
        net,
        instances_of(net, grid, recipes, given, all_outside=loss is not None, data=sets),  # what they hold ends with the call
        recording,
        threads or default_threads(),
        progress,
        loss,
    )
    models = _dataset(recording, grid, found)
    if loss is not None:
        models["loss"].attrs["long_name"] = f"mean of the loss {loss.name!r} on the common test set"
    models.attrs |= {
        "net": repr(net),
        **said_of(features),
        "recipe": recipe.model_dump_json(),
        "sweep": ", ".join(map(_axis_in_words, sweep or {}, (sweep or {}).values())) or "none",
        **({} if loss is None else {"loss": loss.name}),
        **({"data": ", ".join(dict.fromkeys(map(repr, sets)))} if sets else {}),
        "interrupted": int(interrupted),
        "wall_seconds": round(time.perf_counter() - began, 3),
        **provenance(),
    }
    return models


def _require_own_loss(loss: OwnLoss, net: Net, recipes: list[Recipe]) -> None:
    """Raises an `InvalidInputError` for a loss of one's own that cannot be used, or with what only the squared error has."""
    with Problems() as problems:
        with problems.collecting():
            loss.require_usable(net.n_features)
        for field in ("attack_size", "data_set_size", "loss_on"):
            if any(getattr(recipe, field) not in (0, None, "all") for recipe in recipes):
                advice = "leave it out; for a fixed data set give it as the features, tg.features.Empirical(samples)"
                problems.add(f"{field} is set with a loss of your own", advice)


def _data_sets(
    data: FiniteLaw | Sequence[FiniteLaw],
    features: Features,
    recipes: list[Recipe],
    sweep: Mapping[str, Any],
    loss: OwnLoss | None,
) -> tuple[FiniteLaw, ...]:
    """The data set of each seed; an `InvalidInputError` names everything wrong with them."""
    seeds = len(recipes[0].seed_list)
    sets = (data,) * seeds if isinstance(data, FiniteLaw) else tuple(data)
    with Problems() as problems:
        if len(sets) != seeds:
            problems.add(f"there are {len(sets)} data sets and {seeds} seeds", "give one data set, or one for each seed")
        if any(recipe.data_set_size for recipe in recipes):
            problems.add("data are given and data_set_size is set", "leave data_set_size out: data bring their own size")
        if loss is not None:
            problems.add("data are given with a loss of your own", "leave data out, and give them as the features")
        if features.batch_shape or any(field in features.field_names() for field in _swept(sweep)):
            problems.add("data are given and the features vary", "train on the data of one distribution at a time")
        for one in dict.fromkeys(sets):
            count, n = one.states.shape
            most = max(recipe.batch_size for recipe in recipes)
            if n != features.n_features:
                problems.add(f"a data set has {n} features and the distribution {features.n_features}", "give equally many")
            elif not (one.importance == features.importance).all():
                what = "a data set and the distribution differ in importance"
                problems.add(what, "give both the same: tegum.features.data_set draws data of the importance of the features")
            if not one.is_even:
                advice = "give a data set; on the law itself you train by giving it as the features"
                problems.add("the states of a data set have unequal probabilities", advice)
            if most > count:
                advice = f"choose at most {count} (equal: every step sees the whole set)"
                problems.add(f"batch_size is {most} of a data set of {count}", advice)
    return sets


def _axis_in_words(name: str, axis: Any) -> str:
    """An axis of a sweep, and what varies along it where that is called otherwise."""
    fields = set(axis.fields) - {name} if isinstance(axis, Axis) else set()
    return f"{name} ({', '.join(sorted(fields))})" if fields else name


def _swept(sweep: Mapping[str, Any]) -> set[str]:
    """The fields that vary along the axes of a sweep."""
    return {field for name, axis in sweep.items() for field in (axis.fields if isinstance(axis, Axis) else (name,))}


def _require_measurable(recipes: list[Recipe], sweep: Mapping[str, Any], on_data: bool) -> None:
    """Raises an `InvalidInputError` for records of a loss that no recipe of the sweep has, nor another part of it may have."""
    swept = _swept(sweep) | ({"data_set_size"} if on_data else set())
    with Problems() as problems:
        for name, field, none in (("training_loss", "data_set_size", None), ("active_loss", "loss_on", "all")):
            if name in recipes[0].record and field not in swept and getattr(recipes[0], field) == none:
                advice = "set it to a number of samples" if none is None else "set it to 'active'"
                problems.add(f"record names {name!r} and {field} is {none!r}", f"{advice}, or leave {name} out")


def _dataset(recipe: Recipe, grid: FeatureGrid, found: Mapping[str, NDArray[Any]]) -> xr.Dataset:
    """What was found of each instance, as variables (sweep, seed, what they are themselves)."""
    seeds, steps = recipe.seed_list, recipe.recorded_steps()
    variables: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {}
    own = PARAMETER_DIMS | {"data_set": ("sample", "feature")}
    for name, values in found.items():
        subject = name.removesuffix("_history")
        dims = (*grid.axes, "seed", *(() if name == subject else ("step",)), *own.get(subject, ()))
        variables[name] = dims, values.reshape(*grid.shape, len(seeds), *values.shape[1:])
    labels = grid.coordinates() | {"seed": list(seeds)} | ({"step": list(steps)} if steps else {})
    loss = "sum_i I_i E[(target_i - y_i)^2] on"
    meanings = {"loss": f"{loss} the common test set", "training_loss": f"{loss} the model's own data set"}
    return dataset(variables, labels, meanings=meanings)
