"""Grids of feature distributions: any field of a feature distribution may be an axis, but for how many features there are.

    sweep={"density": [1, 0.2, 0.1]}                                          one field, one value each
    sweep={"importance_ratio": Axis([0.1, 1, 10], importance=[(1, 0.1), (1, 1), (1, 10)])}      a named axis, any fields

An axis that varies several fields varies them together, position by position; several axes make a grid.  Fields with an
array for each feature take one array for each position.  `tegum.training` sweeps the recipe's fields as well.

>>> from tegum.features import Independent
>>> pair = Axis(["rare", "common"], density=[0.01, 0.5], importance=[2, 1])
>>> grid = feature_grid(Independent(3), {"pair": pair, "signed": [False, True]})
>>> grid.shape, [cell.features.signed for cell in grid.cells]
((2, 2), [False, True])
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.checking import Checked, is_sparse, shown
from tegum.datasets import VARIABLES, instance_dims
from tegum.errors import MOST, InvalidInputError, Problems, unknown_field
from tegum.features import Features
from tegum.features.written import written

FIXED_FIELDS = ("n_features", "n_sets", "set_size", "n_hidden")
"""Fields that cannot be swept, because they change the shapes of everything."""

_RESERVED = (
    *("seed", "step", "time", "start", "sample", "hidden", "feature", "output", "instance"),
    *("G", "training_loss", "sampled_loss", *VARIABLES),
    *("median", "worst", "excess", "basin_excess", "best_bias_loss", "dead", "shape", "label", "polytope", "names"),
    *("dimensionality", "minimum", "rank", "share", "count"),
    *("loss_low", "loss_high", "radius", "convex_curvature", "convex_box", "boxes", "statement"),
)
_RESERVED_PARTS = re.compile(r"feature_.*|instance_\d+|.*_history")
"""What variables and axes of results are called, besides the fields that vary."""
_ARRAYS = ("density", "importance")


@final
@dataclass(frozen=True, eq=False)
class Axis(metaclass=Checked):
    """A named direction of a sweep: labels along it, and the fields that change with it.

    Args:
        labels: what the positions are called, numbers or words.
        fields: field name to its values, as many as labels.

    Raises:
        InvalidInputError: where the numbers of values differ, or there are none.
    """

    labels: tuple[Any, ...]
    fields: dict[str, tuple[Any, ...]]

    def __init__(self, labels: Sequence[Any], /, **fields: Any) -> None:
        with Problems() as problems:
            lists = {name: _positions(name, values, problems) for name, values in {"": labels, **fields}.items()}
        object.__setattr__(self, "labels", lists.pop(""))
        object.__setattr__(self, "fields", lists)
        count = len(self.labels)
        with Problems() as problems:
            if not count:
                problems.add("an axis has no positions", "give at least one value")
            if not _are_labels(self.labels):
                problems.add(f"an axis has the labels {shown(list(self.labels))}", "give numbers, or words")
            for name, values in self.fields.items():
                if len(values) != count:
                    problems.add(
                        f"an axis has {count} labels and {len(values)} values of {name}", "give as many values as labels"
                    )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice) -> "Axis":
        return Axis(self.labels[part], **{name: values[part] for name, values in self.fields.items()})


@final
@dataclass(frozen=True, eq=False)
class Cell:
    """Grid points whose distributions differ in density and importance only: one batch of distributions, a row for each."""

    features: Features
    positions: NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class FeatureGrid:
    """Every distribution of a sweep: its axes, and its cells."""

    axes: dict[str, Axis]
    cells: tuple[Cell, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(len(axis) for axis in self.axes.values())

    def values(self, field: str) -> NDArray[np.float64]:
        """``feature_density`` or ``importance`` at every grid point, shape (..., n)."""
        rows = np.empty((sum(len(cell.positions) for cell in self.cells), self.cells[0].features.n_features))
        for cell in self.cells:
            rows[cell.positions] = getattr(cell.features, field)
        return rows.reshape(*self.shape, -1)

    def coordinates(self) -> dict[str, Any]:
        """Labels of the axes, and the distribution of every grid point, which `tegum.features_of` reads.

        Density and importance of each feature; of other fields, along the axis on which they vary, numbers or words.
        """
        plain = [name for name in self.cells[0].features.field_names() if name not in _ARRAYS]
        found: dict[str, Any] = {name: list(axis.labels) for name, axis in self.axes.items()}
        for name, axis in self.axes.items():
            found |= {
                f"feature_{field}": (name, recorded_values(axis.fields[field])) for field in plain if field in axis.fields
            }
        for name, field in (("feature_density", "feature_density"), ("feature_importance", "importance")):
            found[name] = (*self.axes, "feature"), self.values(field)
        return found


def _positions(name: str, values: Any, problems: Problems) -> tuple[Any, ...]:
    """What lies along an axis, one item for each position."""
    listed = isinstance(values, Sequence) or (isinstance(values, np.ndarray) and values.ndim > 0)
    if isinstance(values, str) or not listed:
        problems.add(f"an axis has {f'as its {name}' if name else 'the labels'} {shown(values)}", "give a list")
        return ()
    if len(values) > MOST or (not name and np.ndim(values[:1]) > 1):
        problems.add(
            f"an axis has {len(values)} {'values of ' + name if name else 'labels'}", f"give one each, at most {MOST:,}"
        )
        return ()
    return tuple(value.item() if isinstance(value, np.generic) else value for value in values)


def _are_labels(values: Iterable[Any]) -> bool:
    """Whether these are all numbers, or all words; None counts as either."""
    return any(all(value is None or isinstance(value, kind) for value in values) for kind in (Real, str))


def as_axis(name: str, values: Any) -> Axis:
    """The axis that a user gave by name, an `Axis` or the values of the field of that name; else an `InvalidInputError`."""
    if isinstance(values, Axis):
        return values
    single = isinstance(values, str) or getattr(values, "ndim", 1) == 0
    if single or not isinstance(values, Sequence | np.ndarray):
        raise InvalidInputError(f"the axis {name!r} is {values!r}", "give a list of values, or an Axis")
    simple = all(np.ndim(value) == 0 and not isinstance(value, dict) for value in values)
    labels = list(values) if simple else range(len(values))
    return Axis(_words(labels), **{name: values})


def _words(values: Sequence[Any]) -> list[Any]:
    """The values as labels: numbers or words."""
    return list(values) if _are_labels(values) else [str(value) for value in values]


def recorded_values(values: Sequence[Any]) -> list[Any]:
    """The values of a field as a dataset keeps them: numbers, words, or texts of `tegum.features.written`."""
    composite = (Sequence, np.ndarray, Features)
    if any(is_sparse(value) or (isinstance(value, composite) and not isinstance(value, str)) for value in values):
        texts = [written(value) for value in values]
        return texts if all(texts) else _words([repr(value) for value in values])
    return _words(values)


def axes_of(
    features: Features, sweep: Mapping[str, Any], others: Sequence[str] = (), fixed: Sequence[str] = ()
) -> dict[str, Axis]:
    """The axes of a sweep by name, in order; an `InvalidInputError` names everything wrong with them.

    Fields of the features may vary, and ``others``, a recipe's; ``fixed`` ones may not, besides `FIXED_FIELDS`.  Leading axes
    of ``features`` are axes without fields.
    """
    owner = f"neither {type(features).__name__} nor a recipe" if others else type(features).__name__
    fixed = (*fixed, *FIXED_FIELDS)
    known = [name for name in (*features.field_names(), *others) if name not in fixed]
    problems, axes, axis_of = Problems(), dict[str, Axis](), dict[str, str]()
    for name, given in sweep.items():
        if not isinstance(name, str):
            problems.add(f"an axis is called {shown(name)}", "choose a word")
            continue
        with problems.collecting():
            axes[name] = as_axis(name, given)
        if name not in others and (name in _RESERVED or _RESERVED_PARTS.fullmatch(name)):
            problems.add(f"an axis is called {name!r}", "choose another name, tegum uses this one")
        for field, values in axes[name].fields.items() if name in axes else ():
            if field in axis_of:
                problems.add(f"{field} varies along {axis_of[field]!r} and {name!r}", "vary a field along one axis")
            axis_of[field] = name
            if field in fixed:
                sizes = f"it changes all shapes: call once for each, {{k: ... for k in {list(values)!r}}}"
                advice = sizes if field in FIXED_FIELDS else "this field cannot be swept: give it once, or run separately"
                problems.add(f"the axis {name!r} varies {field}", advice)
            elif field not in known:
                problems.add(*unknown_field(owner, field, known))
    lead = features.batch_shape
    if lead and axes:
        problems.add(f"the features have leading axes {lead} and a sweep is given", "use one of the two")
    problems.raise_if_any()
    return axes or {name: Axis(range(size)) for name, size in zip(instance_dims(len(lead)), lead, strict=True)}


def model_axes(
    features: Features, sweep: Mapping[str, Any], seeds: Sequence[int] | None = None
) -> dict[str, Sequence[Any] | None]:
    """The axes of all models with the labels along them: the sweep's, or the leading ones of the features, then ``seed``."""
    own = dict.fromkeys(instance_dims(len(features.batch_shape)))
    return {**({str(name): as_axis(name, values).labels for name, values in sweep.items()} or own), "seed": seeds}


def _points(axes: Mapping[str, Axis]) -> NDArray[np.int64]:
    """The grid points that axes span, shape (points, axes): a position along each axis."""
    return np.array(list(np.ndindex(*(len(axis) for axis in axes.values()))), dtype=np.int64)


def combinations(axes: Mapping[str, Axis], fields: Collection[str]) -> Iterator[tuple[dict[str, Any], NDArray[np.int64]]]:
    """Every different combination of values of these fields, and the grid points that have it.

    >>> axes = {"density": Axis([0.1, 1.0], density=[0.1, 1.0]), "l1": Axis([0, 1, 2], l1=[0, 1, 2])}
    >>> [(changes, points.tolist()) for changes, points in combinations(axes, ["density"])]
    [({'density': 0.1}, [0, 1, 2]), ({'density': 1.0}, [3, 4, 5])]
    """
    swept = [{field: values for field, values in axis.fields.items() if field in fields} for axis in axes.values()]
    varying = [i for i, own in enumerate(swept) if own]
    different, which = np.unique(_points(axes)[:, varying], axis=0, return_inverse=True)
    for number, at in enumerate(different):
        changes = {field: values[k] for k, i in zip(at, varying, strict=True) for field, values in swept[i].items()}
        yield changes, np.flatnonzero(which == number)


def grid_along(axes: Mapping[str, Axis], features: Features) -> FeatureGrid:
    """The grid that axes span around the given features; fields that are not the features' are left out.

    An `InvalidInputError` names everything wrong with the distributions.
    """
    problems, points = Problems(), _points(axes)
    shape, names = tuple(len(axis) for axis in axes.values()), features.field_names()
    arrays = {}
    for field in (field for field in _ARRAYS if field in names):
        own = getattr(features, field)
        arrays[field] = np.broadcast_to(own, (*shape, own.shape[-1])).reshape(len(points), -1)
    for along, axis in zip(points.T, axes.values(), strict=True):
        for field in (field for field in axis.fields if field in arrays):
            with problems.collecting():
                arrays[field] = _stacked(field, axis.fields[field], features)[along]
    cells = []
    for changes, inside in combinations(axes, [name for name in names if name not in _ARRAYS]):
        with problems.collecting():
            cells.append(Cell(features.replaced(**{field: rows[inside] for field, rows in arrays.items()} | changes), inside))
    problems.raise_if_any()
    return FeatureGrid(dict(axes), tuple(cells))


def _stacked(field: str, values: tuple[Any, ...], features: Features) -> NDArray[np.float64]:
    """An axis' values of an array field, shape (positions, the field's length)."""
    length, rows, problems = getattr(features, field).shape[-1], [], Problems()
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


def feature_grid(features: Features, sweep: Mapping[str, Any]) -> FeatureGrid:
    """Every distribution that ``sweep`` spans around the given features; an `InvalidInputError` names everything wrong."""
    return grid_along(axes_of(features, sweep), features)
