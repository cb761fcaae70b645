"""Adversarial training: every input is pushed along a row of W^T W before the model sees it.

    y = f(G x + b), G = W^T W        x' = x +- size G_i / ||G_i||        the loss compares y(x') with the true x

Of all steps of a length, this one moves output i most.  Feature i is drawn at random for each example, or once for a batch;
the sign is the one that makes (x_i - y_i)^2 larger (plus where both do alike).  Gradients take the step as a constant: the
model learns from the inputs it is given, not from how its weights chose them.

Example: W = [[1, -1]], size 0.1, i the first feature: G_0 = (1, -1), the step is +-(0.07, -0.07).

Source: section 7 of `Toy Models of Superposition`: "the analytic optimal attack against one random feature".  How often the
feature is drawn, and the sign, are not given there.
"""

from typing import Any

import numpy as np

from tegum.compilation import inlined
from tegum.training.blocks import LANES, VECTORS
from tegum.training.products import multiply_panel
from tegum.training.randomness import fill_random

_ZERO = np.float32(0)


@inlined
def draw_attacked(n: int, once: int, stream: Any, words: Any, attacked: Any) -> None:
    """Draws the feature that each lane's step is aimed at, the same for all lanes where ``once``."""
    fill_random(stream, 0, words, 0, VECTORS)
    for lane in range(LANES):
        attacked[lane] = np.int32((np.int64(words[0 if once else lane]) * n) >> 32)


@inlined
def push_panel(shape: Any, parameters: Any, size: Any, scratch: Any, p: int) -> None:
    """Moves the inputs of panel p, whose outputs (before activation) are there; the true inputs go to ``scratch.targets``.

    Hidden values and outputs of the panel are overwritten.
    """
    n, m = shape.n, shape.m
    inputs, outputs, hidden = scratch.inputs, scratch.outputs, scratch.hidden
    before, length = scratch.before, scratch.length
    floor = _ZERO if shape.output_relu else np.float32(-np.inf)
    for lane in range(LANES):
        i = scratch.attacked[lane]
        before[lane] = outputs[p, i, lane]
        length[lane] = _ZERO
        for k in range(m):
            hidden[p, k, lane] = parameters[k * n + i]
    multiply_panel(
        scratch.Y, p * n * LANES, n, scratch.zeros, 0, parameters, 0, 1, n, scratch.H, p * m * LANES, scratch.every, m
    )
    for j in range(n):
        for lane in range(LANES):
            g = outputs[p, j, lane]
            length[lane] = np.float32(length[lane] + g * g)
    for lane in range(LANES):
        norm = np.float32(np.sqrt(length[lane]))
        x = inputs[p, scratch.attacked[lane], lane]
        reach = np.float32(size * norm)
        up = max(np.float32(before[lane] + reach), floor)
        down = max(np.float32(before[lane] - reach), floor)
        sign = np.float32(1) if abs(np.float32(x - up)) >= abs(np.float32(x - down)) else np.float32(-1)
        length[lane] = np.float32(sign * size / norm) if norm > _ZERO else _ZERO
    for j in range(n):
        for lane in range(LANES):
            x = inputs[p, j, lane]
            scratch.targets[j, lane] = x
            inputs[p, j, lane] = np.float32(x + length[lane] * outputs[p, j, lane])
