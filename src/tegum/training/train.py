"""A whole sweep trained with one call: arguments checked, instances made and trained, results gathered in one dataset."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.caching import cached
from tegum.errors import InvalidInputError, Problems
from tegum.features import Features
from tegum.nets import Linear, Net, ReluOutput, require_same_features
from tegum.provenance import provenance
from tegum.threads import default_threads
from tegum.training.arrays import parameter_slices
from tegum.training.instances import Instances, instances_of, rows_of
from tegum.training.pool import Outcome, train_instances
from tegum.training.recipe import Recipe
from tegum.training.sweep import Grid, grid_of

_PARAMETER_DIMS = {
    "W": ("hidden", "feature"),
    "W1": ("hidden", "feature"),
    "W2": ("feature", "hidden"),
    "b": ("feature",),
    "b_hidden": ("hidden",),
}
_MEANING = {
    "W": "weights; a column is a feature's direction",
    "W1": "encoder weights; a row is a neuron's inputs",
    "W2": "decoder weights; a column is a neuron's outputs",
    "b": "output bias",
    "b_hidden": "hidden bias",
}


@cached(splittable=True, whole_with=("initial",))
def train(
    net: Net,
    features: Features,
    recipe: Recipe | None = None,
    *,
    sweep: Mapping[str, Any] | None = None,
    initial: Mapping[str, ArrayLike] | None = None,
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
        sweep: axes by name, see `tegum.sweep`; they become the first dimensions, in this order.
        initial: initial weights by name, (..., m, n) and so on, leading axes broadcast to the sweep and the seeds;
            those not given start at 0.  By default drawn by the recipe.
        threads: how many instances train at a time; by default one per core.  It never changes a result.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        A dataset with the sweep's dimensions, then ``seed``, and

        - the parameters (``W`` (..., hidden, feature), ``b`` (..., feature), ...), float32;
        - ``loss``: sum_i I_i E[(target_i - y_i)^2], measured on ``evaluation_samples`` fresh samples that all seeds share, and
          ``loss_standard_error``;
        - ``status``: finished, diverged (the loss became non-finite; a row, not an error) or interrupted (Ctrl-C);
        - ``steps_done``, ``feature_density``, ``feature_importance``;
        - what the recipe records, as ``loss_history`` (..., step), ``W_history`` (..., step, hidden, feature) and so on.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
    """
    recipe = Recipe() if recipe is None else recipe
    problems = Problems()
    with problems.collecting():
        require_same_features(net, features.n_features)
    with problems.collecting():
        recipe.check_names(list(net.parameter_shapes()))
    if threads is not None and threads < 1:
        problems.add(f"threads is {threads}", "choose at least 1")
    with problems.collecting():
        grid = grid_of(features, recipe, sweep or {})
    problems.raise_if_any()
    _require_attackable(net, grid.recipes)
    began = time.perf_counter()
    given = None if initial is None else {name: np.asarray(value) for name, value in initial.items()}
    instances = instances_of(net, grid, given)
    recording = recipe.replaced(steps=max(r.steps for r in grid.recipes))
    outcome = train_instances(net, instances, recording, default_threads() if threads is None else threads, progress)
    data = _dataset(net, recording, grid, instances, outcome)
    data.attrs |= {
        "net": repr(net),
        "features": repr(features),
        "recipe": recipe.model_dump_json(),
        "sweep": ", ".join(grid.axes) or "none",
        "interrupted": int(outcome.interrupted),
        "wall_seconds": round(time.perf_counter() - began, 3),
        **provenance(),
    }
    return data


def _require_attackable(net: Net, recipes: tuple[Recipe, ...]) -> None:
    """Raises an `InvalidInputError` where a recipe attacks a net whose outputs are not W^T W x + b or its ReLU."""
    size = max(recipe.attack_size for recipe in recipes)
    if size > 0 and not isinstance(net, Linear | ReluOutput):
        raise InvalidInputError(
            f"attack_size is {size:g} and the net is {type(net).__name__}",
            "choose 0, or Linear or ReluOutput, whose outputs depend on x through W^T W",
        )


def _dataset(net: Net, recipe: Recipe, grid: Grid, instances: Instances, outcome: Outcome) -> xr.Dataset:
    """Everything that was found as variables (sweep, seed, what they are themselves)."""
    lead, seeds = (*grid.axes, "seed"), recipe.seed_list
    shapes, slices = net.parameter_shapes(), parameter_slices(net)

    def variable(
        values: NDArray[Any], dims: tuple[str, ...], own: tuple[int, ...], meaning: str, units: str = "1"
    ) -> xr.Variable:
        full = values.reshape(*grid.shape, len(seeds), *own)
        return xr.Variable((*lead, *dims), full, {"long_name": meaning, "units": units})

    def of_points(values: Callable[[Features], NDArray[Any]], meaning: str) -> xr.Variable:
        rows = np.empty((len(grid.recipe_of_point), net.n_features))
        for cell in grid.cells:
            rows[cell.positions] = rows_of(cell.features, values(cell.features))
        return xr.Variable((*grid.axes, "feature"), rows.reshape(*grid.shape, -1), {"long_name": meaning, "units": "1"})

    variables: dict[str, xr.Variable] = {
        name: variable(instances.parameters[:, slices[name]], _PARAMETER_DIMS[name], shapes[name], _MEANING[name])
        for name in shapes
    }
    variables |= {
        "loss": variable(outcome.loss, (), (), "sum_i I_i E[(target_i - y_i)^2] on the common test set"),
        "loss_standard_error": variable(outcome.loss_standard_error, (), (), "standard error of loss"),
        "status": variable(outcome.status, (), (), "finished, diverged or interrupted", ""),
        "steps_done": variable(outcome.steps_done, (), (), "optimizer steps done", "step"),
        "feature_density": of_points(lambda features: features.feature_density, "probability that a feature is active"),
        "feature_importance": of_points(lambda features: features.importance, "weight of a feature's squared error"),
    }
    coordinates: dict[str, Any] = {name: list(labels) for name, labels in grid.axes.items()} | {"seed": list(seeds)}
    steps = recipe.recorded_steps()
    if steps:
        coordinates["step"] = list(steps)
        if "loss" in recipe.record:
            variables["loss_history"] = variable(outcome.recorded_loss, ("step",), (len(steps),), "loss after this many steps")
        for name in recipe.record:
            if name != "loss":
                values, dims = outcome.recorded_parameters[:, :, slices[name]], ("step", *_PARAMETER_DIMS[name])
                meaning = f"{_MEANING[name]}, after this many steps"
                variables[f"{name}_history"] = variable(values, dims, (len(steps), *shapes[name]), meaning)
    return xr.Dataset(variables, coordinates)
