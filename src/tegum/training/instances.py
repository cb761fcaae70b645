"""From a grid of recipes and worlds to the kernel's tables, one row per instance.

An instance is a grid point with a seed.  Its random streams are named by what it is,

    (purpose, root seed, seed, net, world)        purposes: weights, data, data set;  evaluation has no seed

so it is the same alone as in any sweep.  The recipe's other fields are not part of the name: two learning rates start
from the same weights and see the same data, which makes them comparable.  All seeds of a world share one test set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.features import Constant, Exponential, Features, KSparse
from tegum.nets import Net, initial_parameters
from tegum.sweep import Cell
from tegum.training.arrays import (
    LAWS,
    OPTIMIZERS,
    SCHEDULES,
    Method,
    State,
    World,
    group_sizes,
    parameter_slices,
    separate_rows,
)
from tegum.training.blocks import LANES
from tegum.training.randomness import STATE_SIZE, stream_bytes, stream_state
from tegum.training.recipe import Recipe
from tegum.training.sweep import Grid

_DRAW_RANGE = 2**31
_SPARSE_SHARE = 0.7
_SPARSE_HIDDEN = 16
"""Skipping silent features pays where most of them are silent in a panel and each skip saves many products: measured."""


@final
@dataclass(frozen=True, eq=False)
class Instances:
    """Everything that the kernel needs to train a sweep, and the streams that measure it."""

    world: World
    method: Method
    state: State
    evaluation: NDArray[np.uint32]
    data_set: NDArray[np.uint32]
    density: NDArray[np.float64]
    importance: NDArray[np.float64]

    @property
    def count(self) -> int:
        """How many instances there are."""
        return len(self.state.parameters)


def world_table(cell: Cell, n_hidden: int) -> World:
    """The sampler's table of a batch of worlds, one row for each."""
    features, n = cell.features, cell.features.n_features
    count = int(np.prod(features.batch_shape, dtype=int))

    def rows(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
        full = np.broadcast_to(array, (*features.batch_shape, n)).reshape(count, n)
        return np.ascontiguousarray(full, dtype=dtype)

    if isinstance(features, KSparse):
        begins, alone = np.ones(n, dtype=bool), np.ones(n, dtype=bool)
        low = end = np.zeros(n, dtype=np.int64)
    else:
        blocks = features.blocks()
        component = blocks.component_of_feature
        block = blocks.block_of_component[component]
        begins = np.diff(block, prepend=-1) != 0
        alone = np.bincount(component)[component] == 1
        lower = blocks.lower_edges()[..., component]
        low = np.minimum(np.rint(lower * _DRAW_RANGE).astype(np.int64), _DRAW_RANGE - 1)
        end = np.rint((lower + blocks.probability[..., component]) * _DRAW_RANGE).astype(np.int64)
        end = np.minimum(end, _DRAW_RANGE)
    width = end - low
    whole = np.where(alone, np.maximum(width, 1), _DRAW_RANGE)
    silent = (1 - features.feature_density) ** LANES
    law = features.magnitude
    value = law.mean if isinstance(law, Exponential) else law.value if isinstance(law, Constant) else 1.0

    def same(number: Any, dtype: Any) -> NDArray[Any]:
        return np.full(count, number, dtype=dtype)

    return World(
        importance=rows(features.importance, np.float32),
        low=rows(low, np.int32),
        span=rows(np.maximum(width - 1, 0), np.uint32),
        scale=rows(np.where(width > 0, 1 / whole, 0.0), np.float32),
        begins_block=rows(begins, np.uint8),
        alone=rows(alone, np.uint8),
        n_active=same(features.n_active if isinstance(features, KSparse) else 0, np.int64),
        law=same(LAWS.index(type(law).__name__), np.int32),
        law_value=same(value, np.float32),
        signed=same(features.signed, np.uint8),
        sparse=((rows(silent, np.float64).mean(axis=1) > _SPARSE_SHARE) & (n_hidden >= _SPARSE_HIDDEN)).astype(np.uint8),
    )


def _method_table(net: Net, recipes: tuple[Recipe, ...]) -> Method:
    """The recipes' numbers, one row for each recipe."""
    groups = {"W": 0, "W1": 0, "W2": 1, "b": 2, "b_hidden": 3}
    decay = np.zeros((len(recipes), 4), dtype=np.float32)
    for row, recipe in enumerate(recipes):
        for name in net.parameter_shapes():
            decay[row, groups[name]] = recipe.decay_of(name)

    def column(name: str, dtype: Any) -> NDArray[Any]:
        return np.array([getattr(recipe, name) for recipe in recipes], dtype=dtype)

    return Method(
        optimizer=np.array([OPTIMIZERS.index(recipe.optimizer) for recipe in recipes], dtype=np.int32),
        schedule=np.array([SCHEDULES.index(recipe.schedule) for recipe in recipes], dtype=np.int32),
        learning_rate=column("learning_rate", np.float64),
        final_fraction=column("final_fraction", np.float64),
        warmup_steps=column("warmup_steps", np.int64),
        steps=column("steps", np.int64),
        beta1=column("beta1", np.float64),
        beta2=column("beta2", np.float64),
        epsilon=column("epsilon", np.float64),
        momentum=column("momentum", np.float64),
        l1=column("l1", np.float32),
        attack_size=column("attack_size", np.float32),
        attack_once=np.array([recipe.attack_draw == "batch" for recipe in recipes], dtype=np.uint8),
        batch_size=column("batch_size", np.int64),
        data_set_size=np.array([recipe.data_set_size or 0 for recipe in recipes], dtype=np.int64),
        decay=decay,
    )


def _world_names(net: Net, cell: Cell) -> list[bytes]:
    """A digest of each world of a cell together with the net: equal only for equal problems."""
    features = cell.features
    shape = features.batch_shape
    count = int(np.prod(shape, dtype=int))
    plain = {name: getattr(features, name) for name in features.field_names() if name not in ("density", "importance")}
    common = (type(net).__name__, sorted(vars(net).items()), type(features).__name__, sorted(plain.items(), key=str))

    def rows(array: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ascontiguousarray(np.broadcast_to(array, (*shape, array.shape[-1])).reshape(count, -1))

    density, importance = rows(features.density), rows(features.importance)
    return [stream_bytes(common, density[i].tobytes(), importance[i].tobytes(), size=32) for i in range(count)]


def _first_weights(net: Net, recipe: Recipe, seed: int, world: bytes) -> NDArray[np.float32]:
    stream = int.from_bytes(stream_bytes("weights", recipe.root_seed, seed, world, size=16), "little")
    generator = np.random.Generator(np.random.PCG64(stream))
    params = initial_parameters(net, generator, recipe.initialisation, recipe.initialisation_scale)
    vector = np.zeros(sum(group_sizes(net)), dtype=np.float32)
    for name, part in parameter_slices(net).items():
        vector[part] = params[name].reshape(-1)
    return vector


def _given_weights(net: Net, initial: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The user's first parameters as rows of parameter vectors; what is not given starts at 0.

    Raises:
        InvalidInputError: for arrays that do not fit, or numbers that are not finite, naming the instance.
    """
    net.check_parameters({**{name: np.zeros(s) for name, s in net.parameter_shapes().items()}, **initial})
    vectors = np.zeros((int(np.prod(shape)), sum(group_sizes(net))), dtype=np.float32)
    for name, part in parameter_slices(net).items():
        if name not in initial:
            continue
        own = net.parameter_shapes()[name]
        value = np.asarray(initial[name], dtype=np.float64)
        try:
            full = np.broadcast_to(value, (*shape, *own))
        except ValueError:
            raise InvalidInputError(
                f"initial {name} has leading axes {value.shape[: -len(own)]}",
                f"the sweep and its seeds have shape {shape}; give axes that broadcast to it",
            ) from None
        wrong = np.argwhere(~np.isfinite(full))
        if len(wrong):
            place = tuple(int(i) for i in wrong[0])
            raise InvalidInputError(
                f"initial {name} of instance {place[: len(shape)]} is {full[place]} at {place[len(shape) :]}",
                "give finite numbers",
            )
        vectors[:, part] = full.reshape(len(vectors), -1)
    return vectors


def _gathered(table: Any, rows: NDArray[np.int64]) -> Any:
    return type(table)(*(np.ascontiguousarray(column[rows]) for column in table))


def instances_of(net: Net, grid: Grid, initial: Mapping[str, NDArray[Any]] | None = None) -> Instances:
    """The kernel's tables for every grid point and seed, the seeds of a point side by side."""
    seeds = grid.recipes[0].seed_list
    points = len(grid.recipe_of_point)
    n = net.n_features
    row_of_point = np.zeros(points, dtype=np.int64)
    names: list[bytes] = []
    for cell in grid.cells:
        row_of_point[cell.positions] = np.arange(len(cell.positions)) + len(names)
        names += _world_names(net, cell)
    tables = [world_table(cell, net.n_hidden) for cell in grid.cells]
    worlds = World(*(np.concatenate(columns) for columns in zip(*tables, strict=True)))
    point = np.repeat(np.arange(points), len(seeds))
    method_row = grid.recipe_of_point[point]
    count = len(point)

    evaluation = np.zeros((points, STATE_SIZE), dtype=np.uint32)
    length = sum(group_sizes(net))
    streams = separate_rows(count, STATE_SIZE).view(np.uint32)
    parameters = separate_rows(count, length)
    for k in range(count):
        recipe, seed, world = grid.recipes[method_row[k]], seeds[k % len(seeds)], names[row_of_point[point[k]]]
        streams[k] = stream_state("data", recipe.root_seed, seed, world)
        if initial is None:
            parameters[k, :length] = _first_weights(net, recipe, seed, world)
        if k % len(seeds) == 0:
            evaluation[point[k]] = stream_state("evaluation", recipe.root_seed, world)
    if initial is not None:
        parameters[:, :length] = _given_weights(net, initial, (*grid.shape, len(seeds)))

    sets = [
        stream_state("data set", grid.recipes[method_row[k]].root_seed, seeds[k % len(seeds)], names[row_of_point[point[k]]])
        for k in range(count)
        if grid.recipes[method_row[k]].data_set_size
    ]
    data_set = np.zeros((count, STATE_SIZE), dtype=np.uint32)
    data_set[[k for k in range(count) if grid.recipes[method_row[k]].data_set_size]] = np.reshape(sets, (-1, STATE_SIZE))
    largest = max((recipe.data_set_size or 0) for recipe in grid.recipes)
    panels = -(-largest // LANES)
    state = State(
        parameters=parameters,
        first=separate_rows(count, length),
        second=separate_rows(count, length),
        stream=streams,
        data=separate_rows(count if panels else 1, panels * n * LANES),
    )
    density = np.concatenate([_full(cell.features, cell.features.feature_density) for cell in grid.cells])[row_of_point]
    importance = np.concatenate([_full(cell.features, cell.features.importance) for cell in grid.cells])[row_of_point]
    return Instances(
        world=_gathered(worlds, row_of_point[point]),
        method=_gathered(_method_table(net, grid.recipes), method_row),
        state=state,
        evaluation=evaluation[point],
        data_set=data_set,
        density=density,
        importance=importance,
    )


def _full(features: Features, array: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.broadcast_to(array, (*features.batch_shape, features.n_features)).reshape(-1, features.n_features)
