"""The compiled engine taken apart: its gradient on given samples, and its samples alone.

For tests, benchmarks and the curious: what training does between two records, made visible.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import checked, numbers, require_range
from tegum.errors import InvalidInputError
from tegum.features import Features, Independent
from tegum.nets import Net, ReluOutput
from tegum.training.arrays import Scratch, panels_for, parameter_slices, scratch_for, shape_of
from tegum.training.blocks import PANEL_WIDTH, Floats
from tegum.training.instances import feature_numbers, grid_of, instances_of, is_drawn_outside, require_attackable
from tegum.training.kernel import advance, draw_samples
from tegum.training.outside import samples_outside
from tegum.training.randomness import stream_state
from tegum.training.recipe import AttackDraw, Recipe


@takes_arrays
def loss_and_gradient(
    net: Net,
    params: Mapping[str, ArrayLike],
    x: ArrayLike,
    importance: ArrayLike = 1.0,
    l1: float = 0.0,
    attack_size: float = 0.0,
    attack_draw: AttackDraw = "example",
) -> tuple[float, dict[str, NDArray[np.float32]]]:
    """The engine's loss on given samples, and the gradient of loss + l1 mean |h|_1 by every parameter, float32.

    >>> loss, gradient = loss_and_gradient(ReluOutput(2, 1), {"W": [[0.5, 0.0]], "b": [0.0, 0.0]}, [[1.0, 1.0]])
    >>> loss, gradient["W"].tolist(), gradient["b"].tolist()                   # h is 0.5, the outputs 0.25 and 0
    (1.5625, [[-1.5, -0.75]], [-1.5, 0.0])

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
    loss, scratch = _one_batch(net, params, x, importance, Recipe(l1=l1, attack_size=attack_size, attack_draw=attack_draw))
    shapes = net.parameter_shapes()
    return loss, {name: scratch.gradient[part].reshape(shapes[name]).copy() for name, part in parameter_slices(net).items()}


@takes_arrays
def attacked_samples(
    net: Net,
    params: Mapping[str, ArrayLike],
    x: ArrayLike,
    importance: ArrayLike = 1.0,
    attack_size: float = 0.0,
    attack_draw: AttackDraw = "example",
) -> NDArray[np.float32]:
    """The inputs (samples, n) that `loss_and_gradient` sees when given the same arguments.

    >>> from tegum.nets import Linear
    >>> params = {"W": [[3.0, 4.0]], "b": [0.0, 0.0]}                          # both rows of W^T W point along (3, 4)
    >>> attacked_samples(Linear(2, 1), params, [[1.0, 0.0]], attack_size=0.5)
    array([[1.3, 0.4]], dtype=float32)

    Raises:
        InvalidInputError: for more samples than the engine holds at a time.
    """
    _, scratch = _one_batch(net, params, x, importance, Recipe(attack_size=attack_size, attack_draw=attack_draw))
    count, most = len(np.asarray(x)), len(scratch.inputs) * PANEL_WIDTH
    if count > most:
        raise InvalidInputError(f"x has {count} samples", f"give at most {most} to a net of this size")
    return _samples_of(scratch.inputs)[:count]


def _one_batch(
    net: Net, params: Mapping[str, ArrayLike], x: ArrayLike, importance: ArrayLike, recipe: Recipe
) -> tuple[float, Scratch]:
    """The engine's loss on one batch, and the memory it worked on."""
    require_attackable(net, [recipe])
    require_range("x", x, -1e30, 1e30)
    samples, n = np.asarray(x, dtype=np.float32), net.n_features
    if samples.ndim != 2 or samples.shape[1] != n:
        raise InvalidInputError(f"x has shape {samples.shape}", f"give samples of shape (samples, {n})")
    if numbers("importance", importance).ndim > 1:
        raise InvalidInputError(f"importance has shape {np.shape(importance)}", f"give ({n},)")
    recipe = recipe.replaced(batch_size=len(samples), data_set_size=len(samples))
    features = Independent(n, density=(samples != 0).mean(axis=0), importance=importance)
    initial = {name: np.asarray(value) for name, value in params.items()}
    (one,) = instances_of(net, *grid_of(net, features, recipe, {}), initial)
    panels = np.resize(samples, (panels_for(len(samples)), PANEL_WIDTH, n))
    one.state.data_set[:] = panels.transpose(0, 2, 1)
    scratch = scratch_for(net)
    _, loss = advance(shape_of(net), scratch, one.features, one.recipe, one.state, 0, 0)
    return loss, scratch


def _samples_of(panels: Floats) -> Floats:
    """Panels (panels, n, 64) as samples (samples, n)."""
    return np.ascontiguousarray(panels.transpose(0, 2, 1)).reshape(-1, panels.shape[1])


@checked
def engine_samples(features: Features, n_samples: int, seed: int) -> NDArray[np.float32]:
    """Samples of one feature distribution drawn by the compiled engine, shape (n_samples, n).

    >>> from tegum.features import KSparse
    >>> (engine_samples(KSparse(9, 4), 1000, seed=0) > 0).sum(axis=1).tolist() == [4] * 1000
    True

    Args:
        features: one distribution.
        n_samples: how many.
        seed: of the stream that they come from.

    Raises:
        InvalidInputError: for a batch of distributions.
    """
    n, lead = features.n_features, features.batch_shape
    if lead:
        raise InvalidInputError(f"the features have leading axes {lead}", "draw from one distribution at a time")
    if is_drawn_outside(features):
        return samples_outside(features, n_samples, stream_state("samples", seed))
    panels = np.zeros((panels_for(n_samples), n, PANEL_WIDTH), dtype=np.float32)
    numbers = feature_numbers(features, n_hidden=1)[0]
    draw_samples(scratch_for(ReluOutput(n, 1)), numbers, stream_state("samples", seed), panels)
    return _samples_of(panels)[:n_samples]
