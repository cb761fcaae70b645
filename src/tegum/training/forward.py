"""A panel of samples through the net: hidden values after their activation, outputs before theirs.

    H = b_hidden + W_in X,  ReLU or not          Y = b + W_out H
    dropout     in training, each entry of H is 0 with probability p, else divided by 1 - p

Where features are very sparse the first product skips those that are inactive in all 64 samples of the panel.

Example: for ``Linear(1, 1)`` with W = w and no bias, one sample x gives h = w x and y = w^2 x.
"""

import numpy as np

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.training.arrays import Scratch, Shape
from tegum.training.blocks import PANEL_WIDTH, Floats, Indices, Place, Rows, Words
from tegum.training.products import multiply_chosen, multiply_panel
from tegum.training.randomness import fill_random

_ZERO = np.float32(0)
_ONE = np.float32(1)
_UNIT = np.float32(2.0**-24)


@inner
def _rows_with_content(panel: Floats, found: Indices) -> int:
    """Lists the rows of a panel that are not zero in all samples; returns how many there are."""
    count = 0
    for i in range(panel.shape[0]):
        content = np.int32(0)  # an "or" of all samples is a few vector operations, faster than to stop at the first
        for sample in range(PANEL_WIDTH):
            content = np.int32(content | np.int32(panel[i, sample] != _ZERO))
        if content:
            found[count] = i
            count += 1
    return count


@inlined
def forward_panel(shape: Shape, parameters: Floats, skips_inactive: int, scratch: Scratch, p: int) -> None:
    """Hidden values (after their activation) and outputs (before theirs) of panel p."""
    encode_panel(shape, parameters, skips_inactive, scratch, p)
    decode_panel(shape, parameters, scratch, p)


@inlined
def encode_panel(shape: Shape, parameters: Floats, skips_inactive: int, scratch: Scratch, p: int) -> None:
    """Hidden values, after their activation, of panel p."""
    inputs, hidden = scratch.inputs[p], scratch.hidden[p]
    begin, rows = Place(parameters, shape.b_hidden), shape.hidden_rows
    if skips_inactive:
        active = Rows(scratch.found, _rows_with_content(inputs, scratch.found))
        multiply_chosen(hidden, begin, parameters, shape.encoder, inputs, active, rows)
    else:
        multiply_panel(hidden, begin, parameters, shape.encoder, inputs, rows)
    if shape.hidden_relu:
        for k in range(shape.m):
            for sample in range(PANEL_WIDTH):
                hidden[k, sample] = max(_ZERO, hidden[k, sample])


@apart_from_callers
@inner
def drop_hidden(hidden: Floats, kept: Floats, dropout: np.float32, stream: Words, words: Words) -> None:
    """Multiplies hidden values by 0 with probability ``dropout``, by 1 / (1 - dropout) otherwise; ``kept`` are the factors."""
    factor = np.float32(_ONE / (_ONE - dropout))
    for k in range(hidden.shape[0]):
        fill_random(stream, words)
        for sample in range(PANEL_WIDTH):
            u = np.float32(np.float32(np.int32(words[sample] >> np.uint32(8))) * _UNIT)
            kept[k, sample] = factor if u >= dropout else _ZERO
            hidden[k, sample] = np.float32(hidden[k, sample] * kept[k, sample])


@inlined
def decode_panel(shape: Shape, parameters: Floats, scratch: Scratch, p: int) -> None:
    """Outputs, before their activation, of panel p."""
    hidden, outputs = scratch.hidden[p], scratch.outputs[p]
    multiply_panel(outputs, Place(parameters, shape.b), parameters, shape.decoder, hidden, shape.output_rows)
