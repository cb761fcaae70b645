"""From one training to a grid of them: any field of the recipe or of the features may be an axis.

    sweep={"density": [1, 0.2, 0.1]}                                          one field, one value each
    sweep={"importance_ratio": Axis([0.1, 1, 10], importance=[(1, 0.1), (1, 1), (1, 10)])}      a named axis, any fields

An axis that varies several fields varies them together, position by position; several axes make a grid.  Fields with an
array for each feature take one array for each position.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import Mistake, Problem, Problems
from tegum.features import Features
from tegum.training.recipe import Recipe, unknown_field

_NOT_AXES = ("seeds", "record", "record_steps", "evaluation_samples", "n_features", "n_sets", "set_size")
_RESERVED = ("seed", "step", "hidden", "feature", "instance")
_ARRAYS = ("density", "importance")


@final
@dataclass(frozen=True, eq=False)
class Axis:
    """A named direction of a sweep: labels along it, and the fields that change with it.

    Args:
        labels: what the positions are called, numbers or words.
        fields: field name to its values, as many as labels.

    Raises:
        Mistake: where the numbers of values differ, or there are none.
    """

    labels: tuple[Any, ...]
    fields: dict[str, tuple[Any, ...]]

    def __init__(self, labels: Sequence[Any], **fields: Any) -> None:
        object.__setattr__(self, "labels", tuple(labels))
        object.__setattr__(self, "fields", {name: tuple(values) for name, values in fields.items()})
        problems = Problems()
        if not self.labels:
            problems.add("an axis has no positions", "give at least one value")
        for name, values in self.fields.items():
            if len(values) != len(self.labels):
                problems.add(
                    f"an axis has {len(self.labels)} labels and {len(values)} values of {name}", "give as many values as labels"
                )
        problems.raise_if_any()


@final
@dataclass(frozen=True, eq=False)
class Cell:
    """One structural corner of a sweep: worlds that differ in numbers only, and where they lie on the grid."""

    features: Features
    positions: NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class Grid:
    """Every grid point of a sweep: its axes, its recipe, and its world (a row of one of the cells)."""

    axes: dict[str, tuple[Any, ...]]
    recipes: tuple[Recipe, ...]
    recipe_of_point: NDArray[np.int64]
    cells: tuple[Cell, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(len(labels) for labels in self.axes.values())


def _as_axis(name: str, values: Any) -> Axis:
    if isinstance(values, Axis):
        return values
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise Mistake(Problem(f"the axis {name!r} is {values!r}", "give a list of values, or an Axis"))
    simple = all(np.ndim(value) == 0 and not isinstance(value, dict) for value in values)
    labels = [value.item() if isinstance(value, np.generic) else value for value in values] if simple else range(len(values))
    return Axis(labels, **{name: values})


def _checked(sweep: Mapping[str, Any], features: Features) -> dict[str, Axis]:
    problems = Problems()
    axes: dict[str, Axis] = {}
    owners: dict[str, str] = {}
    own, recipe = features.field_names(), list(Recipe.model_fields)
    known = [name for name in own + recipe if name not in _NOT_AXES]
    for name, values in sweep.items():
        with problems.collecting():
            axes[name] = _as_axis(name, values)
        if name in _RESERVED:
            problems.add(f"an axis is called {name!r}", "choose another name, tegum uses this one")
        for field in axes[name].fields if name in axes else ():
            if field in owners:
                problems.add(f"{field} varies along {owners[field]!r} and {name!r}", "vary a field along one axis")
            owners[field] = name
            if field in _NOT_AXES:
                problems.add(
                    f"the axis {name!r} varies {field}", "this field cannot be swept: give it once, or train separately"
                )
            elif field not in known:
                missing = unknown_field(f"neither {type(features).__name__} nor a recipe", field, known)
                problems.add(missing.what.replace(" has no field", " has a field"), missing.advice)
    problems.raise_if_any()
    return axes


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


def _cells(axes: dict[str, Axis], features: Features, positions: NDArray[np.int64], problems: Problems) -> tuple[Cell, ...]:
    """The worlds of a grid: one batch of distributions for each combination of fields that are not plain numbers."""
    mine = {name: {f: v for f, v in axis.fields.items() if f not in Recipe.model_fields} for name, axis in axes.items()}
    numbers: dict[str, NDArray[np.float64]] = {}
    for field, values in ((f, v) for fields in mine.values() for f, v in fields.items() if f in _ARRAYS):
        with problems.collecting():
            numbers[field] = _stacked(field, values, features)
    structural = [i for i, name in enumerate(axes) if any(f not in _ARRAYS for f in mine[name])]
    names = list(axes)
    cells = []
    for corner in product(*(range(len(axes[names[i]].labels)) for i in structural)):
        inside = np.flatnonzero(np.all(positions[:, structural] == np.array(corner, dtype=np.int64), axis=1))
        changes: dict[str, Any] = {"importance": np.broadcast_to(features.importance, (len(inside), features.n_features))}
        for index, name in enumerate(names):
            for field, values in mine[name].items():
                if field in numbers:
                    changes[field] = numbers[field][positions[inside, index]]
                elif field not in _ARRAYS:
                    changes[field] = values[corner[structural.index(index)]]
        with problems.collecting():
            cells.append(Cell(features.replaced(**changes), inside))
    return tuple(cells)


def _stacked(field: str, values: tuple[Any, ...], features: Features) -> NDArray[np.float64]:
    """An axis' values of an array field, shape (positions, 1 or the field's length)."""
    length = getattr(features, field).shape[-1]
    rows = []
    for value in values:
        try:
            row = np.atleast_1d(np.asarray(value, dtype=np.float64))
        except (TypeError, ValueError):
            raise Mistake(Problem(f"{field} is {value!r}", "give a number or an array of numbers")) from None
        if row.shape not in ((1,), (length,)):
            raise Mistake(
                Problem(f"{field} has shape {row.shape}", f"give one number or {length} of them at each position of the axis")
            )
        rows.append(np.broadcast_to(row, (length,)))
    problems = Problems()
    for row in rows:
        with problems.collecting():
            features.replaced(**{field: row})
    problems.raise_if_any()
    return np.stack(rows)


def grid_of(features: Features, recipe: Recipe, sweep: Mapping[str, Any]) -> Grid:
    """Every grid point that ``sweep`` spans around the given features and recipe.

    Leading axes of ``features`` itself become the first dimensions, called ``instance`` (``instance_0``, ... where several).

    Raises:
        Mistake: naming everything wrong with the axes and with the recipes and worlds that they make.
    """
    axes = _checked(sweep, features)
    batch = features.batch_shape
    labels = {(f"instance_{i}" if len(batch) > 1 else "instance"): tuple(range(length)) for i, length in enumerate(batch)}
    if batch and axes:
        raise Mistake(Problem(f"the features have leading axes {batch} and a sweep is given", "use one of the two"))
    shape = tuple(len(axis.labels) for axis in axes.values())
    positions = (
        np.stack(np.unravel_index(np.arange(int(np.prod(shape))), shape), axis=-1)
        if shape
        else np.zeros((1, 0), dtype=np.int64)
    )
    problems = Problems()
    recipes, which = _recipes(axes, recipe, positions, problems)
    if batch:
        count = int(np.prod(batch))
        cells: tuple[Cell, ...] = (Cell(features, np.arange(count)),)
        which = np.zeros(count, dtype=np.int64)
    else:
        cells = _cells(axes, features, positions, problems)
    problems.raise_if_any()
    return Grid({**labels, **{name: axis.labels for name, axis in axes.items()}}, recipes, which, cells)
