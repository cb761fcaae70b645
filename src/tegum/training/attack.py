"""Adversarial training: every input is pushed along a row of W^T W before the model sees it.

    y = f(G x + b), G = W^T W        x' = x +- size G_i / ||G_i||        the loss compares y(x') with the clean x

Of all steps of a length, this one moves output i most.  Feature i is drawn at random for each example, or once for a batch;
the sign is the one that makes (x_i - y_i)^2 larger (plus where both do alike).  Gradients take the step as a constant: the
model learns from the inputs it is given, not from how its weights chose them.

Example: W = [[1, -1]], size 0.1, i the first feature: G_0 = (1, -1), the step is +-(0.07, -0.07).

Source: section 7 of `Toy Models of Superposition`: "the analytic optimal attack against one random feature".  How often the
feature is drawn, and the sign, are not given there.
"""

import numpy as np

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.training.arrays import FeatureNumbers, RecipeNumbers, Scratch, Shape
from tegum.training.blocks import PANEL_WIDTH, Floats, Place, Words
from tegum.training.forward import forward_panel
from tegum.training.products import multiply_panel
from tegum.training.randomness import fill_random

_ZERO = np.float32(0)


@inlined
def _draw_attacked(once: int, stream: Words, scratch: Scratch) -> None:
    """Draws the feature that each sample's step is aimed at, the same for all of them where ``once``."""
    n = scratch.inputs.shape[1]
    fill_random(stream, scratch.words)
    for sample in range(PANEL_WIDTH):
        # A word is uniform below 2^32, so that word times n / 2^32 is uniform below n.
        scratch.attacked[sample] = np.int32((np.int64(scratch.words[0 if once else sample]) * n) >> 32)


@inlined
def _push_inputs(shape: Shape, parameters: Floats, size: np.float32, scratch: Scratch, p: int) -> None:
    """Moves the inputs of panel p, whose outputs (before activation) are there."""
    inputs, hidden, outputs = scratch.inputs[p], scratch.hidden[p], scratch.outputs[p]
    attacked, attacked_output, push = scratch.attacked, scratch.attacked_output, scratch.push
    # The rows G_i of all samples at once: the decoder times column i of the encoder, put where hidden values would be.
    for sample in range(PANEL_WIDTH):
        i = attacked[sample]
        attacked_output[sample] = outputs[i, sample]
        push[sample] = _ZERO
        for k in range(shape.m):
            hidden[k, sample] = parameters[k * shape.n + i]
    multiply_panel(outputs, Place(scratch.zeros, 0), parameters, shape.decoder, hidden, shape.output_rows)
    for j in range(shape.n):
        for sample in range(PANEL_WIDTH):
            g = outputs[j, sample]
            push[sample] = np.float32(push[sample] + g * g)
    # The step +-size G_i / ||G_i|| moves output i by +-size ||G_i||, since entry i of G_i's product with G is ||G_i||^2.
    floor = _ZERO if shape.output_relu else np.float32(-np.inf)
    for sample in range(PANEL_WIDTH):
        norm = np.float32(np.sqrt(push[sample]))
        x = inputs[attacked[sample], sample]
        reach = np.float32(size * norm)
        up = max(np.float32(attacked_output[sample] + reach), floor)
        down = max(np.float32(attacked_output[sample] - reach), floor)
        sign = np.float32(1) if abs(np.float32(x - up)) >= abs(np.float32(x - down)) else np.float32(-1)
        push[sample] = np.float32(sign * size / norm) if norm > _ZERO else _ZERO
    for j in range(shape.n):
        for sample in range(PANEL_WIDTH):
            x = inputs[j, sample]
            scratch.clean[j, sample] = x
            inputs[j, sample] = np.float32(x + push[sample] * outputs[j, sample])


@apart_from_callers
@inner
def attacked_panel(
    shape: Shape,
    scratch: Scratch,
    features: FeatureNumbers,
    recipe: RecipeNumbers,
    parameters: Floats,
    stream: Words,
    draws: int,
    p: int,
) -> None:
    """Moves the inputs of panel p; the inputs before go to ``scratch.clean``.  Where ``draws``, it is drawn which are attacked.

    Hidden values and outputs of the panel are overwritten.
    """
    forward_panel(shape, parameters, features.skips_inactive, scratch, p)
    if draws:
        _draw_attacked(recipe.attack_once, stream, scratch)
    _push_inputs(shape, parameters, recipe.attack_size, scratch, p)
