"""Forward and backward through one batch, a few panels at a time.

    forward     H = b_hidden + W_in X,  ReLU or not          Y = b + W_out H,  ReLU or another activation or none
    dropout     in training, each entry of H is 0 with probability p, else divided by 1 - p; E is multiplied alike
    backward    D = 2 I (Y - target) / batch, times the activation's slope: for a ReLU, 0 where the output is 0
                E = W_out^T D + l1 sign(H) / batch, 0 where a hidden ReLU is 0
                gradient of W_out: D H^T, of W_in: E X^T (their sum where they are tied); of the biases: sums over samples

What is done with outputs is in `outputs`, and in `decoding` where it is done on the way; the products D H^T and E X^T wait
until a few panels are done.
Adversarial training forwards twice: the first pass tells `attack` where to push the inputs, the second is the one learnt from.
Where features are very sparse the products skip those that are inactive, or send no gradient, in all 64 samples of a panel.

Example: for ``Linear(1, 1)`` with W = w, I = 1 and no bias, one sample x gives h = w x, y = w^2 x, D = 2 (w^2 - 1) x, E = w D,
and the gradient D h + E x = 4 w (w^2 - 1) x^2.
"""

import numpy as np

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.training.arrays import Bytes, FeatureNumbers, RecipeNumbers, Scratch, Shape, State
from tegum.training.attack import attacked_panel
from tegum.training.blocks import PANEL_WIDTH, Floats, Indices, Layout, Pair, Place, Rows
from tegum.training.decoding import decode_and_compare
from tegum.training.draw import draw_panel, gather_panel
from tegum.training.forward import decode_panel, drop_hidden, encode_panel
from tegum.training.outputs import activate_panel, output_panel, silence_inactive, target_panel
from tegum.training.products import accumulate_panels, accumulate_rows, multiply_chosen, multiply_panel
from tegum.training.stored import stored_gradient

_ZERO = np.float32(0)


@apart_from_callers
@inner
def _rows_that_count(outputs: Floats, clean: Floats, floor: np.float32, listed: Indices, marked: Bytes) -> int:
    """Lists and marks the rows of a panel where an output is above the floor or a feature active; outputs of others become 0.

    Where all outputs are below a ReLU and nothing is active, all outputs are right: neither loss nor gradient comes from them.
    """
    count = 0
    for i in range(outputs.shape[0]):
        content = np.int32(0)
        for sample in range(PANEL_WIDTH):
            counts = np.int32(outputs[i, sample] > floor) | np.int32(clean[i, sample] != _ZERO)
            content = np.int32(content | counts)
        if content:
            listed[count] = i
            marked[i] = 1
            count += 1
        else:
            for sample in range(PANEL_WIDTH):
                outputs[i, sample] = _ZERO
    return count


@inner
def _marked_rows(marked: Bytes, found: Indices) -> int:
    """Lists the rows that are marked, and takes the marks away; returns how many there are."""
    count = 0
    for i in range(marked.shape[0]):
        if marked[i]:
            found[count] = i
            count += 1
            marked[i] = 0
    return count


@inner
def _transposed(layout: Layout) -> Layout:
    return Layout(layout.begin, layout.column, layout.row)


@apart_from_callers
@inner
def _drop_samples(inputs: Floats, outputs: Floats, hidden: Floats, clean: Floats, targets: Floats, first: int) -> None:
    """Empties a panel from sample ``first`` on, past the end of the batch, so that the rest adds to nothing."""
    for sample in range(first, PANEL_WIDTH):
        for i in range(inputs.shape[0]):
            inputs[i, sample] = _ZERO
            outputs[i, sample] = _ZERO
            clean[i, sample] = _ZERO
            targets[i, sample] = _ZERO
        for k in range(hidden.shape[0]):
            hidden[k, sample] = _ZERO


@inlined
def _backward_panel(
    shape: Shape, parameters: Floats, l1: np.float32, dropout: np.float32, counting: Rows, scratch: Scratch, p: int
) -> None:
    """The loss's gradient by the hidden values of panel p, before their activation, E; the hidden bias has its sum."""
    outputs, gradient = scratch.outputs[p], scratch.gradient
    hidden, hidden_gradient = scratch.hidden[p], scratch.hidden_gradient[p]
    begin, rows = Place(scratch.zeros, 0), shape.hidden_rows
    if counting.number < shape.n:
        multiply_chosen(hidden_gradient, begin, parameters, _transposed(shape.decoder), outputs, counting, rows)
    else:
        multiply_panel(hidden_gradient, begin, parameters, _transposed(shape.decoder), outputs, rows)
    if l1 > _ZERO:
        for k in range(shape.m):
            for sample in range(PANEL_WIDTH):
                h = hidden[k, sample]
                sign = np.float32(np.float32(h > _ZERO) - np.float32(h < _ZERO))  # the derivative of |h|, 0 at 0
                push = np.float32(l1 * sign)
                hidden_gradient[k, sample] = np.float32(hidden_gradient[k, sample] + push)
    if dropout > _ZERO:
        for k in range(shape.m):
            for sample in range(PANEL_WIDTH):
                hidden_gradient[k, sample] = np.float32(hidden_gradient[k, sample] * scratch.kept[k, sample])
    if shape.hidden_relu:
        for k in range(shape.m):
            for sample in range(PANEL_WIDTH):
                e = hidden_gradient[k, sample]
                hidden_gradient[k, sample] = e if hidden[k, sample] > _ZERO else _ZERO
    if shape.hidden_bias:
        for k in range(shape.m):
            total = _ZERO
            for sample in range(PANEL_WIDTH):
                total = np.float32(total + hidden_gradient[k, sample])
            gradient[shape.b_hidden + k] = np.float32(gradient[shape.b_hidden + k] + total)


@inlined
def _accumulate(shape: Shape, by_decoder: Pair, by_encoder: Pair, counting: Rows, scratch: Scratch) -> None:
    """Adds D H^T to the gradient of the decoder and X E^T to that of the transposed encoder: one matrix where they are tied."""
    gradient, gathered, block = scratch.gradient, scratch.gathered, scratch.tile_rows
    nothing = Pair(scratch.inputs, scratch.hidden_gradient, 0, 0)
    if 2 * counting.number < shape.n:  # to put rows side by side and their gradient back costs as much as to skip half
        if shape.tied:
            accumulate_rows(gradient, shape.decoder, by_decoder, by_encoder, counting, gathered, block)
        else:
            accumulate_rows(gradient, shape.decoder, by_decoder, nothing, counting, gathered, block)
            accumulate_rows(gradient, _transposed(shape.encoder), by_encoder, nothing, counting, gathered, block)
    elif shape.tied:
        accumulate_panels(gradient, shape.decoder, by_decoder, by_encoder)
    else:
        accumulate_panels(gradient, shape.decoder, by_decoder, nothing)
        accumulate_panels(gradient, _transposed(shape.encoder), by_encoder, nothing)


@inlined
def batch_gradient(shape: Shape, scratch: Scratch, features: FeatureNumbers, recipe: RecipeNumbers, state: State) -> float:
    """The loss on the next batch (without the L1 term), its gradient left in ``scratch.gradient``."""
    if recipe.stored:
        return np.float64(stored_gradient(shape, scratch, features, recipe, state, np.int64(0)))
    parameters, gradient, batch = state.parameters, scratch.gradient, recipe.batch_size
    factor = np.float32(2.0 / batch)
    l1 = np.float32(recipe.l1 / batch)
    gradient[:] = _ZERO
    scratch.sample_loss[:] = _ZERO
    skips_inactive = features.skips_inactive if recipe.attack_size == _ZERO else 0  # inputs that are pushed are never 0
    skips_silent = skips_inactive == 1 and shape.target.mapped == 0  # else inactive features may have targets
    floor = _ZERO if shape.output_relu else np.float32(-np.inf)
    counting = Rows(scratch.every, shape.n)
    plain = shape.activation == 0 and recipe.active_only == 0 and skips_silent == 0
    done = np.int64(0)
    while done < batch:
        panels = min(scratch.inputs.shape[0], (batch - done + PANEL_WIDTH - 1) // PANEL_WIDTH)
        for p in range(panels):
            if recipe.data_set_size > 0:
                whole = np.int64(recipe.batch_size == recipe.data_set_size)
                gather_panel(state.data_set, recipe.data_set_size, whole, done, state.stream, scratch.words, scratch.inputs[p])
            else:
                draw_panel(features, state.stream, scratch, p)
            clean = scratch.inputs[p]
            if recipe.attack_size > _ZERO:
                draws = np.int64(recipe.attack_once == 0 or done == 0)
                attacked_panel(shape, scratch, features, recipe, parameters, state.stream, draws, p)
                clean = scratch.clean
            encode_panel(shape, parameters, skips_inactive, scratch, p)
            if recipe.dropout > _ZERO:
                drop_hidden(scratch.hidden[p], scratch.kept, recipe.dropout, state.dropping, scratch.words)
            if shape.target.mapped:
                target_panel(shape.target, clean, scratch.targets)
            if plain and batch - done >= PANEL_WIDTH:
                wanted = scratch.targets if shape.target.mapped else clean
                decode_and_compare(shape, parameters, features.importance, factor, wanted, scratch, p)
                _backward_panel(shape, parameters, l1, recipe.dropout, counting, scratch, p)
                done += PANEL_WIDTH
                continue
            decode_panel(shape, parameters, scratch, p)
            activate_panel(shape, scratch, p)
            if recipe.active_only:
                silence_inactive(scratch.outputs[p], scratch.targets, shape.target.mapped, clean)
            if batch - done < PANEL_WIDTH:
                inputs, outputs, hidden = scratch.inputs[p], scratch.outputs[p], scratch.hidden[p]
                _drop_samples(inputs, outputs, hidden, scratch.clean, scratch.targets, batch - done)
            if skips_silent:
                number = _rows_that_count(scratch.outputs[p], clean, floor, scratch.counting, scratch.marked)
                counting = Rows(scratch.counting, number)
            output_panel(shape, features.importance, factor, clean, counting, scratch, p)
            _backward_panel(shape, parameters, l1, recipe.dropout, counting, scratch, p)
            done += PANEL_WIDTH
        if skips_silent:
            counting = Rows(scratch.found, _marked_rows(scratch.marked, scratch.found))
        by_decoder = Pair(scratch.outputs, scratch.hidden, 0, panels)
        by_encoder = Pair(scratch.inputs, scratch.hidden_gradient, 0, panels)
        _accumulate(shape, by_decoder, by_encoder, counting, scratch)
    # A place in a panel adds up its own samples in float32; the 64 sums are added in float64.
    loss = 0.0
    for sample in range(PANEL_WIDTH):
        loss += np.float64(scratch.sample_loss[sample])
    return loss / batch


@inlined
def backward_given(
    shape: Shape, scratch: Scratch, features: FeatureNumbers, recipe: RecipeNumbers, state: State, count: int
) -> None:
    """Adds the gradient of panel 0, whose outputs hold the derivatives of a loss by them; ``count`` samples count."""
    if count < PANEL_WIDTH:
        inputs, outputs, hidden = scratch.inputs[0], scratch.outputs[0], scratch.hidden[0]
        _drop_samples(inputs, outputs, hidden, scratch.clean, scratch.targets, count)
    for i in range(shape.n):
        total = _ZERO
        for sample in range(PANEL_WIDTH):
            total = np.float32(total + scratch.outputs[0, i, sample])
        scratch.gradient[shape.b + i] = np.float32(scratch.gradient[shape.b + i] + total)
    l1 = np.float32(recipe.l1 / recipe.batch_size)
    every = Rows(scratch.every, shape.n)
    _backward_panel(shape, state.parameters, l1, recipe.dropout, every, scratch, 0)
    by_decoder = Pair(scratch.outputs, scratch.hidden, 0, 1)
    by_encoder = Pair(scratch.inputs, scratch.hidden_gradient, 0, 1)
    _accumulate(shape, by_decoder, by_encoder, every, scratch)
