"""The compiled training loop of one instance: draw, forward, backward, update, again.

Problem.  A step of a toy model takes about a microsecond, less than calling one function from Python.

Idea.  `advance` runs a stretch of steps without returning to Python, on the records of `arrays`.  All that lasts from one step
to the next is in `State`, so a stretch may end anywhere and continue on any thread with the same result, bit for bit.

Example.  Steps 0 to 50 are ``advance(..., 0, 50)``, or ``advance(..., 0, 20)`` and ``advance(..., 20, 50)``; the gradient at
step 50 is left by ``advance(..., 50, 50)``.
"""

import numpy as np

from tegum.compilation import compiled
from tegum.training.arrays import FeatureNumbers, RecipeNumbers, Scratch, Shape, State
from tegum.training.blocks import PANEL_WIDTH, Floats, Rows, Words
from tegum.training.draw import draw_panel, gather_panel
from tegum.training.forward import decode_panel, drop_hidden, encode_panel, forward_panel
from tegum.training.outputs import activate_panel, output_panel, silence_inactive, target_panel
from tegum.training.passes import backward_given, batch_gradient
from tegum.training.stored import stored_gradient
from tegum.training.update import update


@compiled
def advance(
    shape: Shape, scratch: Scratch, features: FeatureNumbers, recipe: RecipeNumbers, state: State, start: int, stop: int
) -> tuple[int, float]:
    """Trains an instance from step ``start`` to ``stop``; returns the steps done and the last batch's loss.

    Ends early, with fewer steps done, where the loss is no longer finite; the parameters are then those that gave it.  From a
    step to itself it takes none: the loss is that of the next batch, whose gradient, L1 term included, is in
    ``scratch.gradient``.
    """
    loss = np.nan
    for t in range(start, max(stop, start + 1)):
        loss = batch_gradient(shape, scratch, features, recipe, state)
        if stop == start or not np.isfinite(loss):
            return t, loss
        update(shape, recipe, state, scratch.gradient, t)
    return stop, loss


@compiled
def evaluate(
    shape: Shape, scratch: Scratch, features: FeatureNumbers, parameters: Floats, stream: Words, panels: int, active_only: int
) -> tuple[float, float]:
    """Mean and standard error of the loss, or of its part by active features, over ``panels`` x 64 samples of the stream."""
    total = 0.0
    squares = 0.0
    for _ in range(panels):
        draw_panel(features, stream, scratch, 0)
        scratch.sample_loss[:] = np.float32(0)
        forward_panel(shape, parameters, features.skips_inactive, scratch, 0)
        activate_panel(shape, scratch, 0)
        if shape.target.mapped:
            target_panel(shape.target, scratch.inputs[0], scratch.targets)
        if active_only:
            silence_inactive(scratch.outputs[0], scratch.targets, shape.target.mapped, scratch.inputs[0])
        output_panel(shape, features.importance, np.float32(1), scratch.inputs[0], Rows(scratch.every, shape.n), scratch, 0)
        for sample in range(PANEL_WIDTH):
            loss = np.float64(scratch.sample_loss[sample])
            total += loss
            squares += loss * loss
    samples = panels * PANEL_WIDTH
    mean = total / samples
    return mean, np.sqrt(max(squares / samples - mean * mean, 0.0) / samples)


@compiled
def loss_on_set(shape: Shape, scratch: Scratch, features: FeatureNumbers, recipe: RecipeNumbers, state: State) -> float:
    """Mean of the loss over the instance's data set."""
    if recipe.stored:
        return stored_gradient(shape, scratch, features, recipe, state, np.int64(1))
    total, size = 0.0, recipe.data_set_size
    for panel in range(state.data_set.shape[0]):
        for i in range(shape.n):
            for sample in range(PANEL_WIDTH):
                scratch.inputs[0, i, sample] = state.data_set[panel, i, sample]
        scratch.sample_loss[:] = np.float32(0)
        forward_panel(shape, state.parameters, features.skips_inactive, scratch, 0)
        activate_panel(shape, scratch, 0)
        if shape.target.mapped:
            target_panel(shape.target, scratch.inputs[0], scratch.targets)
        output_panel(shape, features.importance, np.float32(1), scratch.inputs[0], Rows(scratch.every, shape.n), scratch, 0)
        for sample in range(min(PANEL_WIDTH, size - panel * PANEL_WIDTH)):
            total += np.float64(scratch.sample_loss[sample])
    return total / size


@compiled
def draw_samples(scratch: Scratch, features: FeatureNumbers, stream: Words, out: Floats) -> None:
    """Fills ``out`` (panels, n, 64) with fresh samples."""
    for panel in range(out.shape[0]):
        draw_panel(features, stream, scratch, 0)
        for i in range(out.shape[1]):
            for sample in range(PANEL_WIDTH):
                out[panel, i, sample] = scratch.inputs[0, i, sample]


@compiled
def forward_one(
    shape: Shape, scratch: Scratch, features: FeatureNumbers, recipe: RecipeNumbers, state: State, first: int
) -> None:
    """Samples from ``first`` on of the data set in panel 0: inputs, outputs after their activation, and its slopes."""
    whole = np.int64(recipe.batch_size == recipe.data_set_size)
    gather_panel(state.data_set, recipe.data_set_size, whole, first, state.stream, scratch.words, scratch.inputs[0])
    encode_panel(shape, state.parameters, features.skips_inactive, scratch, 0)
    if recipe.dropout > np.float32(0):
        drop_hidden(scratch.hidden[0], scratch.kept, recipe.dropout, state.dropping, scratch.words)
    decode_panel(shape, state.parameters, scratch, 0)
    activate_panel(shape, scratch, 0)
    if shape.target.mapped:
        target_panel(shape.target, scratch.inputs[0], scratch.targets)
    if not shape.activation:
        for i in range(shape.n):
            for sample in range(PANEL_WIDTH):
                active = shape.output_relu == 0 or scratch.outputs[0, i, sample] > np.float32(0)
                scratch.slopes[i, sample] = np.float32(1) if active else np.float32(0)
                scratch.outputs[0, i, sample] = scratch.outputs[0, i, sample] if active else np.float32(0)


@compiled
def backward_one(
    shape: Shape, scratch: Scratch, features: FeatureNumbers, recipe: RecipeNumbers, state: State, count: int
) -> None:
    """Adds to the gradient what panel 0 gives, of which the first ``count`` samples count; its outputs hold dL/dy."""
    backward_given(shape, scratch, features, recipe, state, count)


@compiled
def updated(shape: Shape, recipe: RecipeNumbers, state: State, gradient: Floats, t: int) -> None:
    """Moves the parameters by step t."""
    update(shape, recipe, state, gradient, t)
