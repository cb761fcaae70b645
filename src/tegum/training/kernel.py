"""The compiled training loop of one instance: draw, forward, backward, update, again.

`advance` runs a stretch of steps of one instance without returning to Python; the instance's whole state is in its row of
`State`, so a stretch may end anywhere and continue on any thread with the same result, bit for bit.
"""

from typing import Any

import numpy as np

from tegum.compilation import compiled
from tegum.training.blocks import LANES
from tegum.training.draw import draw_panel
from tegum.training.passes import activate_panel, batch_gradient, forward_panel, output_panel
from tegum.training.update import update


@compiled
def advance(shape: Any, world: Any, method: Any, state: Any, scratch: Any, k: int, start: int, stop: int) -> tuple[int, float]:
    """Trains instance k from step ``start`` to ``stop``; returns the steps done and the last batch's loss.

    Ends early, with fewer steps done, where the loss is no longer finite; the parameters are then those that gave it.
    """
    loss = np.nan
    for t in range(start, stop):
        loss = batch_gradient(shape, world, method, state, scratch, k)
        if not np.isfinite(loss):
            return t, loss
        update(shape, method, state, scratch.gradient, k, t)
    return stop, loss


@compiled
def gradient_of(shape: Any, world: Any, method: Any, state: Any, scratch: Any, k: int) -> float:
    """Instance k's loss on its next batch; the gradient, L1 term included, is left in ``scratch.gradient``."""
    return batch_gradient(shape, world, method, state, scratch, k)


@compiled
def evaluate(shape: Any, world: Any, parameters: Any, stream: Any, scratch: Any, k: int, panels: int) -> tuple[float, float]:
    """Mean and standard error of the loss over ``panels`` x 64 fresh samples of the given stream."""
    total = 0.0
    squares = 0.0
    bias = scratch.gradient.size - shape.n - shape.m
    for _ in range(panels):
        draw_panel(scratch.inputs, 0, shape.n, world, k, stream, scratch.words, scratch.own_words, scratch.remaining)
        scratch.lane_loss[:] = np.float32(0)
        forward_panel(shape, parameters, world.sparse[k], scratch, 0)
        activate_panel(shape, scratch, 0)
        output_panel(shape, world.importance[k], np.float32(1), scratch.inputs[0], scratch, 0, bias)
        for lane in range(LANES):
            loss = np.float64(scratch.lane_loss[lane])
            total += loss
            squares += loss * loss
    samples = panels * LANES
    mean = total / samples
    return mean, np.sqrt(max(squares / samples - mean * mean, 0.0) / samples)


@compiled
def draw_samples(shape: Any, world: Any, stream: Any, scratch: Any, k: int, out: Any) -> None:
    """Fills ``out`` (panels x n x 64, flat) with fresh samples of instance k's world."""
    size = shape.n * LANES
    for panel in range(out.size // size):
        draw_panel(scratch.inputs, 0, shape.n, world, k, stream, scratch.words, scratch.own_words, scratch.remaining)
        for i in range(shape.n):
            for lane in range(LANES):
                out[panel * size + i * LANES + lane] = scratch.inputs[0, i, lane]
