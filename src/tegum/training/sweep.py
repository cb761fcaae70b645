"""From one training to a grid of them: nearly any field of the recipe or of the features may be an axis.

    sweep={"density": [1, 0.2, 0.1], "learning_rate": [1e-3, 1e-4]}              a grid of distributions and recipes

How axes are written is told in `tegum.sweep`; this adds the recipe's fields to the features'.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import Problems
from tegum.features import Features
from tegum.sweep import FIXED_FIELDS, Axis, Cell, cells_of, check_axes, check_one_source, instance_axes, positions_of
from tegum.training.recipe import Recipe

_NOT_AXES = ("seeds", "record", "record_steps", "evaluation_samples", *FIXED_FIELDS)


@final
@dataclass(frozen=True, eq=False)
class Grid:
    """Every grid point of a sweep: its recipe (one of a few), and its feature distribution (a row of one of the cells)."""

    axes: dict[str, tuple[Any, ...]]
    recipes: tuple[Recipe, ...]
    recipe_of_point: NDArray[np.int64]
    cells: tuple[Cell, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(len(labels) for labels in self.axes.values())


def _recipes(
    axes: dict[str, Axis], recipe: Recipe, positions: NDArray[np.int64], problems: Problems
) -> tuple[tuple[Recipe, ...], NDArray[np.int64]]:
    """The different recipes of a grid, and which of them each grid point uses."""
    mine = {name: {f: v for f, v in axis.fields.items() if f in Recipe.model_fields} for name, axis in axes.items()}
    varying = [index for index, name in enumerate(axes) if mine[name]]
    names = list(axes)
    distinct, which = np.unique(positions[:, varying], axis=0, return_inverse=True)
    recipes = []
    for row in distinct:
        changes = {f: v[row[j]] for j, index in enumerate(varying) for f, v in mine[names[index]].items()}
        with problems.collecting():
            recipes.append(recipe.replaced(**changes) if changes else recipe)
    return tuple(recipes), which.reshape(-1)


def grid_of(features: Features, recipe: Recipe, sweep: Mapping[str, Any]) -> Grid:
    """Every grid point that ``sweep`` spans around the given features and recipe.

    Leading axes of ``features`` itself become the first dimensions, called ``instance`` (``instance_0``, ... where several).

    Raises:
        InvalidInputError: naming everything wrong with the axes and with the recipes and distributions that they make.
    """
    problems = Problems()
    known = [name for name in (*features.field_names(), *Recipe.model_fields) if name not in _NOT_AXES]
    axes = check_axes(sweep, known, _NOT_AXES, f"neither {type(features).__name__} nor a recipe", problems)
    problems.raise_if_any()
    check_one_source(features, axes)
    if features.batch_shape:
        count = int(np.prod(features.batch_shape))
        cells: tuple[Cell, ...] = (Cell(features, np.arange(count)),)
        return Grid(instance_axes(features), (recipe,), np.zeros(count, dtype=np.int64), cells)
    positions = positions_of(axes)
    recipes, which = _recipes(axes, recipe, positions, problems)
    cells = cells_of(axes, features, positions, problems)
    problems.raise_if_any()
    return Grid({name: axis.labels for name, axis in axes.items()}, recipes, which, cells)
