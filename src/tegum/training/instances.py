"""From a sweep to what the kernel reads: a grid of feature distributions and recipes, and records for every instance.

    sweep={"density": [1, 0.2, 0.1], "learning_rate": [1e-3, 1e-4]}          axes as in `tegum.sweep`, the recipe's fields too

An instance is a grid point with a seed.  Its random streams are named by what it is,

    (purpose, root seed, seed, net, features)        purposes: weights, data, data set, dropout;  evaluation has no seed

so it is the same alone as in any sweep.  The recipe's other fields are not part of the name: two learning rates start
from the same weights and see the same data, which makes them comparable.  Attacks draw the features that they aim at from the
data stream: a model under attack sees other data than one without.  All seeds of a grid point share one test set.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from tegum.checking import is_sparse, shown
from tegum.errors import InvalidInputError, Problems
from tegum.features import Constant, Exponential, Features, FiniteLaw, KSparse, Uniform, UnitLength
from tegum.nets import Linear, Net, ReluOutput
from tegum.nets.code import code_of
from tegum.nets.initialisation import parameters_of_each
from tegum.sweep import FeatureGrid, axes_of, combinations, grid_along
from tegum.training.arrays import (
    LAWS,
    NO_ROWS,
    PART_OF,
    PARTS,
    FeatureNumbers,
    RecipeNumbers,
    SparseRows,
    State,
    panels_for,
    parameter_count,
    parameter_slices,
    separate_rows,
)
from tegum.training.blocks import PANEL_WIDTH, Words
from tegum.training.randomness import STATE_SIZE, stream_bytes, stream_state
from tegum.training.recipe import Optimizer, Recipe, Schedule
from tegum.training.stored import panels_of_set, rows_of_set, trains_stored

_DRAW_RANGE = 2**31
_LARGEST = 1e30
_SPARSE_SHARE = 0.7
_SPARSE_HIDDEN = 16
"""Skipping inactive features pays where most of them are inactive in a panel and each skip saves many products: measured."""

_PLACE = re.compile(r" at 0x[0-9a-fA-F]+")

_NOT_AXES = ("seeds", "record", "record_steps", "evaluation_samples")


def grid_of(net: Net, features: Features, recipe: Recipe, sweep: Mapping[str, Any]) -> tuple[FeatureGrid, list[Recipe]]:
    """The grid that ``sweep`` spans around the given features and recipe, and the recipe of each grid point.

    >>> from tegum.features import Independent
    >>> from tegum.nets import ReluOutput
    >>> grid, recipes = grid_of(ReluOutput(3, 2), Independent(3), Recipe(), {"density": [1, 0.1], "steps": [10, 20]})
    >>> grid.shape, [recipe.steps for recipe in recipes]
    ((2, 2), [10, 20, 10, 20])

    An `InvalidInputError` names everything wrong with the axes and with the recipes and distributions that they make, also
    where a recipe names parameters that the net does not have.
    """
    recipes: dict[int, Recipe] = {}
    parameters = list(net.parameter_shapes())
    with Problems() as problems:
        with problems.collecting():
            recipe.check_names(parameters)
        axes = axes_of(features, sweep, list(Recipe.model_fields), _NOT_AXES)
        for changes, points in combinations(axes, Recipe.model_fields):
            with problems.collecting():
                changed = recipe.replaced(**changes)
                changed.check_names(parameters)
                recipes |= dict.fromkeys(points.tolist(), changed)
        grid = grid_along(axes, features)
    return grid, [recipes[point] for point in sorted(recipes)]


def require_attackable(net: Net, recipes: Sequence[Recipe]) -> None:
    """Raises an `InvalidInputError` where a recipe attacks a net whose outputs are not W^T W x + b or its ReLU."""
    size = max(recipe.attack_size for recipe in recipes)
    if size > 0 and not isinstance(net, Linear | ReluOutput):
        raise InvalidInputError(
            f"attack_size is {size:g} and the net is {type(net).__name__}",
            "choose 0, or Linear or ReluOutput, whose outputs depend on x through W^T W",
        )


class Instance(NamedTuple):
    """Everything that the kernel needs to train one model and to measure it.

    Where the kernel cannot draw a distribution, ``drawn`` is that distribution, and `tegum.training.outside` draws from it.
    Where ``has_set``, its data set was given, and is in ``state`` from the beginning.
    Where no set is drawn, ``data_set_stream`` is 0.
    """

    features: FeatureNumbers
    recipe: RecipeNumbers
    state: State
    data_stream: Words
    data_set_stream: Words
    evaluation_stream: Words
    drawn: Features | None
    has_set: bool


def rows_of(features: Features, array: NDArray[Any], dtype: Any = np.float64) -> NDArray[Any]:
    """An array of a batch of distributions, such as their importance, with one row for each."""
    length = array.shape[-1]
    return np.ascontiguousarray(np.broadcast_to(array, (*features.batch_shape, length)).reshape(-1, length), dtype=dtype)


def is_drawn_outside(features: Features) -> bool:
    """Whether the kernel cannot draw a distribution itself: it needs blocks, or k of n, and magnitudes that it knows."""
    if isinstance(features, UnitLength):
        return is_drawn_outside(features.of)
    law = getattr(features, "magnitude", None)
    known = isinstance(law, Uniform | Exponential | Constant)
    return not known or not (features.has_blocks() or isinstance(features, KSparse))


def feature_numbers(features: Features, n_hidden: int) -> list[FeatureNumbers]:
    """What the kernel reads of each distribution of a batch."""
    n, batch, outside = features.n_features, features, is_drawn_outside(features)
    while isinstance(features, UnitLength) and not outside:
        features = features.of
    if isinstance(features, KSparse) or outside:
        begins, alone = np.ones(n, dtype=bool), np.ones(n, dtype=bool)
        low = end = np.zeros(n, dtype=np.int64)
    else:
        blocks = features.blocks()
        component = blocks.component_of_feature
        block = blocks.block_of_component[component]
        begins = np.diff(block, prepend=-1) != 0
        alone = np.bincount(component)[component] == 1
        # A block's components have intervals beside each other in [0, 2^31); density 0 gives an empty one.
        lower = blocks.lower_edges()[..., component]
        low = np.minimum(np.rint(lower * _DRAW_RANGE).astype(np.int64), _DRAW_RANGE - 1)
        end = np.rint((lower + blocks.probability[..., component]) * _DRAW_RANGE).astype(np.int64)
        end = np.minimum(end, _DRAW_RANGE)
    width = end - low
    whole = np.where(alone, np.maximum(width, 1), _DRAW_RANGE)
    skipped = skipped_shares(batch, n_hidden)
    law, kind, value, lowest = (Uniform() if outside else features.magnitude), 0, 1.0, 0.0
    if isinstance(law, Exponential):
        kind, value = LAWS.index("Exponential"), law.mean
    elif isinstance(law, Constant):
        kind, value = LAWS.index("Constant"), law.value
    elif isinstance(law, Uniform) and not law.is_unit:
        kind, value, lowest = LAWS.index("Uniform elsewhere"), law.high - law.low, law.low
    columns = {
        "importance": rows_of(batch, batch.importance, np.float32),
        "low": rows_of(batch, low, np.int32),
        "span": rows_of(batch, np.maximum(width - 1, 0), np.uint32),
        "scale": rows_of(batch, np.where(width > 0, 1 / whole, 0.0), np.float32),
        "begins_block": rows_of(batch, begins, np.uint8),
        "alone": rows_of(batch, alone, np.uint8),
    }
    return [
        FeatureNumbers(
            **{name: column[row] for name, column in columns.items()},
            all_alone=int(alone.all() and begins.all() and not low.any() and not isinstance(features, KSparse)),
            n_active=int(features.n_active) if isinstance(features, KSparse) else 0,
            law=kind,
            law_value=np.float32(value),
            law_low=np.float32(lowest),
            signed=int(features.signed and not outside),
            skips_inactive=int(skipped[row] > 0),
            unit_length=int(features is not batch),
        )
        for row in range(len(skipped))
    ]


def skipped_shares(features: Features, n_hidden: int) -> NDArray[np.float64]:
    """Of each distribution of a batch, which share of features is inactive in a whole panel and skipped; 0 where none are."""
    inactive = rows_of(features, (1 - features.feature_density) ** PANEL_WIDTH).mean(axis=1)
    return np.where((inactive > _SPARSE_SHARE) & (n_hidden >= _SPARSE_HIDDEN), inactive, 0.0)


def _recipe_numbers(net: Net, recipe: Recipe) -> RecipeNumbers:
    """What the kernel reads of a recipe."""
    decay = np.zeros(len(PARTS), dtype=np.float32)
    for name in net.parameter_shapes():
        decay[PART_OF[name]] = recipe.decay_of(name)
    translated: dict[str, Any] = {
        "optimizer": get_args(Optimizer).index(recipe.optimizer),
        "decoupled_decay": int(recipe.decouples_decay),
        "schedule": get_args(Schedule).index(recipe.schedule),
        "l1": np.float32(recipe.l1),
        "dropout": np.float32(recipe.dropout),
        "active_only": int(recipe.loss_on == "active"),
        "attack_size": np.float32(recipe.attack_size),
        "attack_once": int(recipe.attack_draw == "batch"),
        "data_set_size": recipe.data_set_size or 0,
        "stored": 0,
        "decay": decay,
    }
    plain = {name: getattr(recipe, name) for name in RecipeNumbers._fields if name not in translated}
    return RecipeNumbers(**plain, **translated)


def _names(net: Net, features: Features) -> list[bytes]:
    """A digest of each distribution of a batch together with the net: equal only for equal problems."""
    fields = [name for name in features.field_names() if name not in ("density", "importance")]
    plain = {name: _identity(getattr(features, name)) for name in fields}
    own = sorted((name, _worded(value)) for name, value in vars(net).items())
    common = (type(net).__name__, own, type(features).__name__, sorted(plain.items(), key=str))
    rows = zip(rows_of(features, features.density), rows_of(features, features.importance), strict=True)
    return [stream_bytes(common, density.tobytes(), importance.tobytes(), size=32) for density, importance in rows]


def _identity(value: Any) -> Any:
    """What a field is, in words that are the same in every process.

    Raises:
        InvalidInputError: for what has none.
    """
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.shape, np.ascontiguousarray(value).tobytes()
    if is_sparse(value):
        return value.shape, [_identity(one) for one in (value.indptr, value.indices, value.data)]
    if isinstance(value, Features):
        return type(value).__name__, [(name, _identity(getattr(value, name))) for name in value.field_names()]
    if isinstance(value, tuple | list | np.ndarray):
        return [_identity(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((_identity(one) for one in value), key=repr)
    if "__repr__" not in {name for kind in type(value).__mro__[:-1] for name in vars(kind)} and hasattr(value, "__dict__"):
        return type(value).__qualname__, sorted((name, _identity(one)) for name, one in vars(value).items())
    return _worded(value)


def _worded(value: Any) -> Any:
    """The value; what Python writes with its place in memory, such as a function, as a hash of what it does."""
    if not _PLACE.search(repr(value)):
        return value
    try:
        return code_of(value)
    except TypeError as error:
        what = f"random numbers are named by what is drawn, and nobody can tell what {shown(value)} is ({error})"
        raise InvalidInputError(what, "keep functions, numbers and words in fields, or give its class a __repr__") from None


def _draw_weights(net: Net, recipe: Recipe, name: bytes, vectors: NDArray[np.float32]) -> None:
    """Writes the initial weights that the recipe draws for each of its seeds into rows of parameter vectors."""
    names = (stream_bytes("weights", recipe.root_seed, seed, name, size=16) for seed in recipe.seed_list)
    generators = (np.random.Generator(np.random.PCG64(int.from_bytes(stream, "little"))) for stream in names)
    slices = parameter_slices(net)
    drawn = parameters_of_each(net, generators, recipe.initialisation, recipe.initialisation_scale)
    for vector, params in zip(vectors, drawn, strict=True):
        for parameter, part in slices.items():
            vector[part] = params[parameter].reshape(-1)


def _given_weights(net: Net, initial: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A user's initial weights as rows of parameter vectors, 0 where not given; an `InvalidInputError` where they are wrong."""
    shapes = net.parameter_shapes()
    net.check_parameters({**{name: np.zeros(own) for name, own in shapes.items()}, **initial})
    vectors = np.zeros((int(np.prod(shape)), parameter_count(net)), dtype=np.float32)
    for name, part in parameter_slices(net).items():
        if name not in initial:
            continue
        own = shapes[name]
        value = np.asarray(initial[name], dtype=np.float64)
        try:
            full = np.broadcast_to(value, (*shape, *own))
        except ValueError:
            raise InvalidInputError(
                f"initial {name} has leading axes {value.shape[: -len(own)]}",
                f"the sweep and its seeds have shape {shape}; give axes that broadcast to it",
            ) from None
        wrong = np.argwhere(~(np.abs(full) < _LARGEST))
        if len(wrong):
            place = tuple(int(i) for i in wrong[0])
            raise InvalidInputError(
                f"initial {name} of instance {place[: len(shape)]} is {full[place]} at {place[len(shape) :]}",
                f"give finite numbers below {_LARGEST:g}",
            )
        vectors[:, part] = full.reshape(len(vectors), -1)
    return vectors


def instances_of(
    net: Net,
    grid: FeatureGrid,
    recipes: Sequence[Recipe],
    initial: Mapping[str, NDArray[Any]] | None = None,
    all_outside: bool = False,
    data: Sequence[FiniteLaw] = (),
) -> list[Instance]:
    """The instances of every grid point and seed, the seeds of a point side by side; ``recipes`` has one for each point.

    Where ``all_outside`` NumPy draws all samples.  ``data`` has the data set of each seed, where they are given.
    """
    seeds, n = recipes[0].seed_list, net.n_features
    by_point: dict[int, tuple[FeatureNumbers, bytes, Features | None]] = {}
    for cell in grid.cells:
        drawn: list[Features | None] = [None] * len(cell.positions)
        if all_outside or is_drawn_outside(cell.features):
            singles = cell.features.singles()
            drawn = [singles[k % len(singles)] for k in range(len(drawn))]
        found = zip(feature_numbers(cell.features, net.n_hidden), _names(net, cell.features), drawn, strict=True)
        by_point.update(zip(cell.positions.tolist(), found, strict=True))
    count, length = len(recipes) * len(seeds), parameter_count(net)
    parameters, first, second = (separate_rows(count, length) for _ in range(3))
    streams, dropping = (separate_rows(count, STATE_SIZE).view(np.uint32) for _ in range(2))
    outside = any(drawn is not None for _, _, drawn in by_point.values())
    kept = [recipe.data_set_size or (recipe.batch_size if outside else 0) for recipe in recipes]
    as_rows = [bool(data) and trains_stored(net, recipe) for recipe in recipes]  # each by itself: alone is in batch
    if data:
        kept = [0 if sparse else max(one.states.shape[0] for one in data) for sparse in as_rows]
    sets = {id(one): rows_of_set(one) for one in data} if any(as_rows) else {}
    data_sets = separate_rows(count, max(panels_for(size) for size in kept) * n * PANEL_WIDTH)
    if initial is not None:
        parameters[:, :length] = _given_weights(net, initial, (*grid.shape, len(seeds)))
    instances: list[Instance] = []
    none = np.zeros(STATE_SIZE, dtype=np.uint32)
    for point, recipe in enumerate(recipes):
        (features, name, source), numbers, root = by_point[point], _recipe_numbers(net, recipe), recipe.root_seed
        size = panels_for(kept[point]) * n * PANEL_WIDTH
        if initial is None:
            _draw_weights(net, recipe, name, parameters[len(instances) : len(instances) + len(seeds)])
        evaluation = stream_state("evaluation", root, name)
        for k, seed in enumerate(seeds, len(instances)):
            streams[k] = stream_state("data", root, seed, name)
            if recipe.dropout:
                dropping[k] = stream_state("dropout", root, seed, name)
            data_set, rows = data_sets[k, :size].reshape(-1, n, PANEL_WIDTH), SparseRows(*NO_ROWS)
            if data:
                given = data[seeds.index(seed)]
                numbers = numbers._replace(data_set_size=given.states.shape[0], stored=int(as_rows[point]))
                if as_rows[point]:
                    rows = sets[id(given)]
                else:
                    panels_of_set(given, data_set)
            state = State(parameters[k], first[k], second[k], streams[k], dropping[k], data_set, rows)
            drawn_once = stream_state("data set", root, seed, name) if kept[point] else none
            own = streams[k].copy(), drawn_once, evaluation
            instances.append(Instance(features, numbers, state, *own, source, bool(data)))
    return instances
