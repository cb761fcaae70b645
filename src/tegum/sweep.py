"""Grids of feature distributions: any field of a feature distribution may be an axis, but for how many features there are.

    sweep={"density": [1, 0.2, 0.1]}                                          one field, one value each
    sweep={"importance_ratio": Axis([0.1, 1, 10], importance=[(1, 0.1), (1, 1), (1, 10)])}      a named axis, any fields

An axis that varies several fields varies them together, position by position; several axes make a grid.  Fields with an
array for each feature take one array for each position.  The training engine adds the recipe's fields to these.

>>> from tegum.features import Independent
>>> pair = Axis(["rare", "common"], density=[0.01, 0.5], importance=[2, 1])
>>> grid = feature_grid(Independent(3), {"pair": pair, "signed": [False, True]})
>>> grid.shape, [cell.features.signed for cell in grid.cells]
((2, 2), [False, True])
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError, Problems, unknown_field
from tegum.features import Features

FIXED_FIELDS = ("n_features", "n_sets", "set_size")
"""Fields of a distribution that cannot be swept, because they change the shapes of everything."""

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
        InvalidInputError: where the numbers of values differ, or there are none.
    """

    labels: tuple[Any, ...]
    fields: dict[str, tuple[Any, ...]]

    def __init__(self, labels: Sequence[Any], **fields: Any) -> None:
        object.__setattr__(self, "labels", tuple(labels))
        object.__setattr__(self, "fields", {name: tuple(values) for name, values in fields.items()})
        problems, count = Problems(), len(self.labels)
        if not count:
            problems.add("an axis has no positions", "give at least one value")
        for name, values in self.fields.items():
            if len(values) != count:
                problems.add(f"an axis has {count} labels and {len(values)} values of {name}", "give as many values as labels")
        problems.raise_if_any()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice) -> "Axis":
        return Axis(self.labels[part], **{name: values[part] for name, values in self.fields.items()})


@final
@dataclass(frozen=True, eq=False)
class Cell:
    """One structural corner of a sweep: distributions that differ in numbers only, and where they lie on the grid."""

    features: Features
    positions: NDArray[np.int64]


def as_axis(name: str, values: Any) -> Axis:
    """The axis that a user gave by name: an `Axis`, or the values of the field of that name.

    Raises:
        InvalidInputError: for something that is neither.
    """
    if isinstance(values, Axis):
        return values
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise InvalidInputError(f"the axis {name!r} is {values!r}", "give a list of values, or an Axis")
    simple = all(np.ndim(value) == 0 and not isinstance(value, dict) for value in values)
    labels = [value.item() if isinstance(value, np.generic) else value for value in values] if simple else range(len(values))
    return Axis(labels, **{name: values})


def check_axes(
    sweep: Mapping[str, Any], known: Sequence[str], fixed: Sequence[str], owner: str, problems: Problems
) -> dict[str, Axis]:
    """The axes of a sweep by name, in order; notes what is wrong with them.

    Args:
        sweep: what the user gave.
        known: the fields that may vary.
        fixed: the fields that exist but may not.
        owner: who has these fields, for the message: "neither Independent nor a recipe".
        problems: receives what is wrong.
    """
    axes: dict[str, Axis] = {}
    owners: dict[str, str] = {}
    for name, values in sweep.items():
        with problems.collecting():
            axes[name] = as_axis(name, values)
        if name in _RESERVED:
            problems.add(f"an axis is called {name!r}", "choose another name, tegum uses this one")
        for field in axes[name].fields if name in axes else ():
            if field in owners:
                problems.add(f"{field} varies along {owners[field]!r} and {name!r}", "vary a field along one axis")
            owners[field] = name
            if field in fixed:
                problems.add(f"the axis {name!r} varies {field}", "this field cannot be swept: give it once, or run separately")
            elif field not in known:
                problems.add(*unknown_field(owner, field, known))
    return axes


def cells_of(axes: dict[str, Axis], features: Features, positions: NDArray[np.int64], problems: Problems) -> tuple[Cell, ...]:
    """The distributions of a grid: one batch of distributions for each combination of fields that are not plain numbers."""
    own = features.field_names()
    mine = [{f: v for f, v in axis.fields.items() if f in own} for axis in axes.values()]
    numbers: dict[str, NDArray[np.float64]] = {}
    for field, values in ((f, v) for fields in mine for f, v in fields.items() if f in _ARRAYS):
        with problems.collecting():
            numbers[field] = _stacked(field, values, features)
    structural = [i for i, fields in enumerate(mine) if any(f not in _ARRAYS for f in fields)]
    corners, corner_of = np.unique(positions[:, structural], axis=0, return_inverse=True)
    cells = []
    for corner in range(len(corners)):
        inside = np.flatnonzero(corner_of.reshape(-1) == corner)
        changes: dict[str, Any] = {"importance": np.broadcast_to(features.importance, (len(inside), features.n_features))}
        for along, fields in zip(positions[inside].T, mine, strict=True):
            changes |= {f: numbers[f][along] for f in fields if f in numbers}
            changes |= {f: values[along[0]] for f, values in fields.items() if f not in _ARRAYS}
        with problems.collecting():
            cells.append(Cell(features.replaced(**changes), inside))
    return tuple(cells)


def _stacked(field: str, values: tuple[Any, ...], features: Features) -> NDArray[np.float64]:
    """An axis' values of an array field, shape (positions, the field's length)."""
    length = getattr(features, field).shape[-1]
    problems = Problems()
    rows = []
    for value in values:
        try:
            row = np.atleast_1d(np.asarray(value, dtype=np.float64))
        except (TypeError, ValueError):
            raise InvalidInputError(f"{field} is {value!r}", "give a number or an array of numbers") from None
        if row.shape not in ((1,), (length,)):
            advice = f"give one number or {length} of them at each position of the axis"
            raise InvalidInputError(f"{field} has shape {row.shape}", advice)
        rows.append(np.broadcast_to(row, (length,)))
        with problems.collecting():
            features.replaced(**{field: row})
    problems.raise_if_any()
    return np.stack(rows)


@final
@dataclass(frozen=True, eq=False)
class FeatureGrid:
    """Every distribution of a sweep over features alone: labels of its axes, and its cells."""

    axes: dict[str, tuple[Any, ...]]
    cells: tuple[Cell, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(len(labels) for labels in self.axes.values())


def positions_of(axes: Mapping[str, Axis]) -> NDArray[np.int64]:
    """The grid points that axes span, shape (points, axes): a position along each axis."""
    return np.array(list(np.ndindex(*(len(axis) for axis in axes.values()))), dtype=np.int64)


def instance_axes(features: Features) -> dict[str, tuple[Any, ...]]:
    """Leading axes of ``features`` as dimensions: ``instance``, or ``instance_0``, ... where there are several."""
    batch = features.batch_shape
    return {(f"instance_{i}" if len(batch) > 1 else "instance"): tuple(range(length)) for i, length in enumerate(batch)}


def check_one_source(features: Features, axes: Mapping[str, Axis]) -> None:
    """Raises an `InvalidInputError` for a sweep over features that have leading axes already."""
    if features.batch_shape and axes:
        raise InvalidInputError(
            f"the features have leading axes {features.batch_shape} and a sweep is given", "use one of the two"
        )


def feature_grid(features: Features, sweep: Mapping[str, Any]) -> FeatureGrid:
    """Every distribution that ``sweep`` spans around the given features.

    Raises:
        InvalidInputError: naming everything wrong with the axes and the distributions that they make.
    """
    problems = Problems()
    known = [name for name in features.field_names() if name not in FIXED_FIELDS]
    axes = check_axes(sweep, known, FIXED_FIELDS, type(features).__name__, problems)
    problems.raise_if_any()
    check_one_source(features, axes)
    if features.batch_shape:
        count = int(np.prod(features.batch_shape))
        return FeatureGrid(instance_axes(features), (Cell(features, np.arange(count)),))
    cells = cells_of(axes, features, positions_of(axes), problems)
    problems.raise_if_any()
    return FeatureGrid({name: axis.labels for name, axis in axes.items()}, cells)
