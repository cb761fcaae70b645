"""The compiled engine taken apart: its gradient on given samples, and its samples alone.

For tests, benchmarks and the curious: what training does between two records, made visible.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.errors import InvalidInputError
from tegum.features import Features, Independent
from tegum.nets import Net, ReluOutput
from tegum.sweep import Cell
from tegum.training.arrays import Scratch, parameter_slices, scratch_for, shape_of
from tegum.training.blocks import LANES
from tegum.training.instances import instances_of, world_table
from tegum.training.kernel import draw_samples, gradient_of
from tegum.training.randomness import stream_state
from tegum.training.recipe import Recipe
from tegum.training.sweep import grid_of


def loss_and_gradient(
    net: Net,
    params: Mapping[str, ArrayLike],
    x: ArrayLike,
    importance: ArrayLike = 1.0,
    l1: float = 0.0,
    attack_size: float = 0.0,
    attack_draw: Literal["example", "batch"] = "example",
) -> tuple[float, dict[str, NDArray[np.float32]]]:
    """The engine's loss on given samples, and the gradient of loss + l1 mean |h|_1 by every parameter, float32.

    Args:
        net: the model family and its sizes.
        params: one instance's parameters by name.
        x: samples (samples, n).
        importance: weights of the squared errors, a number or (n,).
        l1: weight of the penalty on h.
        attack_size: how far each sample is pushed first, see `tegum.training.attack`.
        attack_draw: whether each sample has its own attacked feature, or all have one.

    Raises:
        InvalidInputError: where shapes do not fit or parameters are not finite.
    """
    loss, scratch, _ = _one_batch(net, params, x, importance, Recipe(l1=l1, attack_size=attack_size, attack_draw=attack_draw))
    shapes = net.parameter_shapes()
    return loss, {name: scratch.gradient[part].reshape(shapes[name]).copy() for name, part in parameter_slices(net).items()}


def attacked_samples(
    net: Net,
    params: Mapping[str, ArrayLike],
    x: ArrayLike,
    importance: ArrayLike = 1.0,
    attack_size: float = 0.0,
    attack_draw: Literal["example", "batch"] = "example",
) -> NDArray[np.float32]:
    """The inputs (samples, n) that `loss_and_gradient` sees when given the same arguments.

    Raises:
        InvalidInputError: for more samples than the engine holds at a time.
    """
    _, scratch, count = _one_batch(net, params, x, importance, Recipe(attack_size=attack_size, attack_draw=attack_draw))
    most = len(scratch.inputs) * LANES
    if count > most:
        raise InvalidInputError(f"x has {count} samples", f"give at most {most} to a net of this size")
    return np.ascontiguousarray(scratch.inputs.transpose(0, 2, 1).reshape(-1, net.n_features)[:count])


def _one_batch(
    net: Net, params: Mapping[str, ArrayLike], x: ArrayLike, importance: ArrayLike, recipe: Recipe
) -> tuple[float, Scratch, int]:
    """The engine's loss on one batch, the memory it worked on, and the number of samples."""
    samples = np.asarray(x, dtype=np.float32)
    if samples.ndim != 2 or samples.shape[1] != net.n_features:
        raise InvalidInputError(f"x has shape {samples.shape}", f"give samples of shape (samples, {net.n_features})")
    count = len(samples)
    recipe = recipe.replaced(batch_size=count, data_set_size=count)
    density = (samples != 0).mean(axis=0)
    grid = grid_of(Independent(net.n_features, density=density, importance=importance), recipe, {})
    instances = instances_of(net, grid, {name: np.asarray(value) for name, value in params.items()})
    panels = np.zeros((-(-count // LANES) * LANES, net.n_features), dtype=np.float32)
    panels[:count] = samples
    instances.state.data[0, : panels.size] = panels.reshape(-1, LANES, net.n_features).transpose(0, 2, 1).reshape(-1)
    scratch = scratch_for(net)
    return gradient_of(shape_of(net), instances.world, instances.method, instances.state, scratch, 0), scratch, count


def engine_samples(features: Features, n_samples: int, seed: int) -> NDArray[np.float32]:
    """Samples of one world drawn by the compiled engine, shape (n_samples, n).

    Args:
        features: one world.
        n_samples: how many.
        seed: of the stream that they come from.

    Raises:
        InvalidInputError: for a batch of worlds.
    """
    if features.batch_shape:
        raise InvalidInputError(f"the features have leading axes {features.batch_shape}", "draw from one world at a time")
    net = ReluOutput(features.n_features, 1)
    panels = -(-n_samples // LANES)
    out = np.zeros(panels * LANES * features.n_features, dtype=np.float32)
    world: Any = world_table(Cell(features, np.zeros(1, dtype=np.int64)), net.n_hidden)
    draw_samples(shape_of(net), world, stream_state("samples", seed), scratch_for(net), 0, out)
    rows = out.reshape(panels, features.n_features, LANES).transpose(0, 2, 1)
    return rows.reshape(-1, features.n_features)[:n_samples]
