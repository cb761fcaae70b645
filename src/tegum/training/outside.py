"""Distributions that compiled code cannot draw: NumPy draws them, and the kernel trains on what it is given.

Problem.  Finite laws, mixtures, magnitudes and distributions of a user's own are Python, which the kernel cannot call.

Idea.  Samples of some steps are drawn at once, by `Features.draw`, and the kernel does one step at a time on a data set that is
just this step's batch.  Which samples a step sees is a function of the instance and the step alone: those of steps S c to
S c + S - 1 come from a generator called (stream of the instance, c).  It costs what NumPy needs for drawing, and about 0.01 ms
a step.

Example.  With batches of 1024, S is 16: steps 0 to 15 see what one call of ``draw(16384, ...)`` returns, 1024 samples each.
"""

import numpy as np
from numpy.typing import NDArray

from tegum.features import Features
from tegum.nets import Net
from tegum.training.arrays import Scratch, Shape, parameter_slices
from tegum.training.blocks import PANEL_WIDTH, Floats, Words
from tegum.training.instances import Instance
from tegum.training.kernel import advance
from tegum.training.own_loss import OwnLoss, step_of

_SAMPLES_AT_ONCE = 2**14


def generator_of(stream: Words, number: int) -> np.random.Generator:
    """A generator that is called by a stream and a number."""
    return np.random.default_rng([*stream.tolist(), number])


def fill(panels: Floats, samples: NDArray[np.float64]) -> None:
    """Writes samples (count, n) into panels (count / 64 rounded up, n, 64)."""
    count, n = samples.shape
    padded = np.zeros((len(panels) * PANEL_WIDTH, n), dtype=np.float32)
    padded[:count] = samples
    panels[:] = padded.reshape(-1, PANEL_WIDTH, n).swapaxes(1, 2)


def draw_set(instance: Instance) -> None:
    """Draws the fixed data set of an instance."""
    assert instance.drawn is not None
    fill(instance.state.data_set, instance.drawn.draw(instance.recipe.data_set_size, generator_of(instance.data_set_stream, 0)))


def steps_at_once(instance: Instance) -> int:
    """How many steps have their samples drawn together."""
    return max(1, _SAMPLES_AT_ONCE // instance.recipe.batch_size)


def advance_outside(
    shape: Shape, scratch: Scratch, instance: Instance, start: int, stop: int, own: OwnLoss | None
) -> tuple[int, float]:
    """What `advance` does, on fresh samples of ``instance.drawn``, or by a loss of the user's own."""
    assert instance.drawn is not None
    batch, together, loss = instance.recipe.batch_size, steps_at_once(instance), float("nan")
    recipe = instance.recipe._replace(data_set_size=batch)
    samples, drawn = np.empty((0, shape.n)), -1
    for step in range(start, stop):
        if step // together != drawn:
            drawn = step // together
            samples = instance.drawn.draw(batch * together, generator_of(instance.data_stream, drawn))
        place = step % together * batch
        fill(instance.state.data_set, samples[place : place + batch])
        if own is not None:
            loss = step_of(own, shape, scratch, instance.features, recipe, instance.state, step)
            done = step + int(np.isfinite(loss))
        else:
            done, loss = advance(shape, scratch, instance.features, recipe, instance.state, step, step + 1)
        if done == step:
            return step, loss
    return stop, loss


def measured_outside(
    net: Net, instance: Instance, count: int, own: OwnLoss | None, active_only: bool = False
) -> tuple[float, float]:
    """Mean and standard error of the loss, or of its part by active features, over ``count`` fresh samples, in NumPy."""
    assert instance.drawn is not None
    shapes, parameters = net.parameter_shapes(), instance.state.parameters
    params = {name: parameters[part].reshape(shapes[name]) for name, part in parameter_slices(net).items()}
    losses = []
    for number, first in enumerate(range(0, count, _SAMPLES_AT_ONCE)):
        size = min(_SAMPLES_AT_ONCE, count - first)
        x = instance.drawn.draw(size, generator_of(instance.evaluation_stream, number))
        with np.errstate(all="ignore"):
            y, target = net.forward(params, x), net.target(x)
            if own is not None:
                losses.append(np.asarray(own.value(y, target), dtype=np.float64))
            else:
                counted = x != 0 if active_only else True
                losses.append(np.where(counted, target - y, 0.0) ** 2 @ instance.features.importance.astype(np.float64))
    each = np.concatenate(losses)
    with np.errstate(all="ignore"):
        return float(each.mean()), float(each.std() / np.sqrt(count))


def samples_outside(features: Features, count: int, stream: Words) -> Floats:
    """Samples (count, n) in single precision, as training sees them."""
    return features.draw(count, generator_of(stream, 0)).astype(np.float32)
