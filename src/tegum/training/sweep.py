"""From one training to a grid of them: nearly any field of the recipe or of the features may be an axis.

    sweep={"density": [1, 0.2, 0.1], "learning_rate": [1e-3, 1e-4]}              a grid of distributions and recipes

How axes are written is told in `tegum.sweep`; this adds the recipe's fields to the features'.
"""

from collections.abc import Mapping
from typing import Any

from tegum.errors import Problems
from tegum.features import Features
from tegum.sweep import FeatureGrid, axes_of, combinations, grid_along
from tegum.training.recipe import Recipe

_NOT_AXES = ("seeds", "record", "record_steps", "evaluation_samples")


def grid_of(features: Features, recipe: Recipe, sweep: Mapping[str, Any]) -> tuple[FeatureGrid, list[Recipe]]:
    """The grid that ``sweep`` spans around the given features and recipe, and the recipe of each grid point.

    >>> from tegum.features import Independent
    >>> grid, recipes = grid_of(Independent(3), Recipe(), {"density": [1, 0.1], "steps": [10, 20]})
    >>> grid.shape, [recipe.steps for recipe in recipes]
    ((2, 2), [10, 20, 10, 20])

    Raises:
        InvalidInputError: naming everything wrong with the axes and with the recipes and distributions that they make.
    """
    axes = axes_of(features, sweep, list(Recipe.model_fields), _NOT_AXES)
    recipes: dict[int, Recipe] = {}
    problems = Problems()
    for changes, points in combinations(axes, Recipe.model_fields):
        with problems.collecting():
            recipes |= dict.fromkeys(points.tolist(), recipe.replaced(**changes))
    with problems.raising():
        grid = grid_along(axes, features)
    return grid, [recipes[point] for point in sorted(recipes)]
