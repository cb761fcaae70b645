"""Forward and backward through one batch, a few panels at a time.

    forward     H = b_hidden + W_in X,  ReLU or not          Y = b + W_out H,  ReLU or another activation or none
    dropout     in training, each entry of H is 0 with probability p, else divided by 1 - p; E is multiplied alike
    backward    D = 2 I (Y - target) / batch, times the activation's slope: for a ReLU, 0 where the output is 0
                E = W_out^T D + l1 sign(H) / batch, 0 where a hidden ReLU is 0
                gradient of W_out: D H^T, of W_in: E X^T (their sum where they are tied); of the biases: sums over samples

Where errors of active features alone count, outputs of inactive ones are made 0, which is right for them: error and D vanish.
A panel's loss and D take the place of its outputs; the products D H^T and E X^T wait until a few panels are done.
Adversarial training forwards twice: the first pass tells `attack` where to push the inputs, the second is the one learnt from.
Where features are very sparse the products skip those that are inactive, or send no gradient, in all 64 samples of a panel.

Example: for ``Linear(1, 1)`` with W = w, I = 1 and no bias, one sample x gives h = w x, y = w^2 x, D = 2 (w^2 - 1) x, E = w D,
and the gradient D h + E x = 4 w (w^2 - 1) x^2.
"""

import numpy as np

from tegum.compilation import compiled, inlined
from tegum.training.activations import activate_row
from tegum.training.arrays import Bytes, FeatureNumbers, RecipeNumbers, Scratch, Shape, State
from tegum.training.attack import attack_panel, draw_attacked
from tegum.training.blocks import PANEL_WIDTH, Floats, Indices, Layout, Pair, Place, Rows, Words
from tegum.training.draw import draw_panel, gather_panel
from tegum.training.products import accumulate_panels, accumulate_rows, multiply_panel
from tegum.training.randomness import fill_random
from tegum.training.stored import stored_gradient

_ZERO = np.float32(0)
_ONE = np.float32(1)
_UNIT = np.float32(2.0**-24)


@compiled
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


@compiled
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


@compiled
def _marked_rows(marked: Bytes, found: Indices) -> int:
    """Lists the rows that are marked, and takes the marks away; returns how many there are."""
    count = 0
    for i in range(marked.shape[0]):
        if marked[i]:
            found[count] = i
            count += 1
            marked[i] = 0
    return count


@inlined
def _transposed(layout: Layout) -> Layout:
    return Layout(layout.begin, layout.column, layout.row)


@inlined
def forward_panel(shape: Shape, parameters: Floats, skips_inactive: int, scratch: Scratch, p: int) -> None:
    """Hidden values (after their activation) and outputs (before theirs) of panel p."""
    encode_panel(shape, parameters, skips_inactive, scratch, p)
    decode_panel(shape, parameters, scratch, p)


@inlined
def encode_panel(shape: Shape, parameters: Floats, skips_inactive: int, scratch: Scratch, p: int) -> None:
    """Hidden values, after their activation, of panel p."""
    inputs, hidden = scratch.inputs[p], scratch.hidden[p]
    active = Rows(scratch.every, shape.n)
    if skips_inactive:
        active = Rows(scratch.found, _rows_with_content(inputs, scratch.found))
    multiply_panel(hidden, Place(parameters, shape.b_hidden), parameters, shape.encoder, inputs, active)
    if shape.hidden_relu:
        for k in range(shape.m):
            for sample in range(PANEL_WIDTH):
                hidden[k, sample] = max(_ZERO, hidden[k, sample])


@inlined
def drop_hidden(shape: Shape, dropout: np.float32, stream: Words, scratch: Scratch, p: int) -> None:
    """Multiplies the hidden values of panel p by 0 with probability ``dropout``, by 1 / (1 - dropout) otherwise."""
    hidden, kept, words = scratch.hidden[p], scratch.kept, scratch.words
    factor = np.float32(_ONE / (_ONE - dropout))
    for k in range(shape.m):
        fill_random(stream, words)
        for sample in range(PANEL_WIDTH):
            u = np.float32(np.float32(np.int32(words[sample] >> np.uint32(8))) * _UNIT)
            kept[k, sample] = factor if u >= dropout else _ZERO
            hidden[k, sample] = np.float32(hidden[k, sample] * kept[k, sample])


@inlined
def decode_panel(shape: Shape, parameters: Floats, scratch: Scratch, p: int) -> None:
    """Outputs, before their activation, of panel p."""
    hidden, outputs = scratch.hidden[p], scratch.outputs[p]
    multiply_panel(outputs, Place(parameters, shape.b), parameters, shape.decoder, hidden, Rows(scratch.every, shape.m))


@inlined
def silence_inactive(shape: Shape, clean: Floats, scratch: Scratch, p: int) -> None:
    """Outputs of panel p, after their activation or before a ReLU, and targets, made 0 where ``clean`` is: without an error."""
    outputs, targets = scratch.outputs[p], scratch.targets
    for i in range(shape.n):
        for sample in range(PANEL_WIDTH):
            y = outputs[i, sample]
            outputs[i, sample] = y if clean[i, sample] != _ZERO else _ZERO
        if shape.target.mapped:
            for sample in range(PANEL_WIDTH):
                targets[i, sample] = targets[i, sample] if clean[i, sample] != _ZERO else _ZERO


@inlined
def activate_panel(shape: Shape, scratch: Scratch, p: int) -> None:
    """Passes the outputs of panel p through an activation that is not done on the way, and notes its slopes."""
    if shape.activation:
        for i in range(shape.n):
            activate_row(shape.activation, shape.own_activation, scratch.outputs[p, i], scratch.slopes[i])


@inlined
def target_panel(shape: Shape, clean: Floats, scratch: Scratch) -> None:
    """The targets r(A x + v) of the inputs ``clean`` (n, 64), where the net has some."""
    if shape.target.mapped:
        rows, floor = shape.target, _ZERO if shape.target.relu else np.float32(-np.inf)
        for i in range(shape.n):
            for sample in range(PANEL_WIDTH):
                scratch.targets[i, sample] = rows.shift[i]
            for entry in range(rows.first[i], rows.first[i + 1]):
                weight, column = rows.weight[entry], rows.column[entry]
                for sample in range(PANEL_WIDTH):
                    scratch.targets[i, sample] = np.float32(scratch.targets[i, sample] + weight * clean[column, sample])
            for sample in range(PANEL_WIDTH):
                scratch.targets[i, sample] = max(floor, scratch.targets[i, sample])


@inlined
def _drop_samples(shape: Shape, scratch: Scratch, p: int, first: int) -> None:
    """Empties panel p from sample ``first`` on, past the end of the batch, so that the rest adds to nothing."""
    for sample in range(first, PANEL_WIDTH):
        for i in range(shape.n):
            scratch.inputs[p, i, sample] = _ZERO
            scratch.outputs[p, i, sample] = _ZERO
            scratch.clean[i, sample] = _ZERO
            scratch.targets[i, sample] = _ZERO
        for k in range(shape.m):
            scratch.hidden[p, k, sample] = _ZERO


@inlined
def output_panel(
    shape: Shape, importance: Floats, factor: np.float32, clean: Floats, counting: Rows, scratch: Scratch, p: int
) -> None:
    """Adds each sample's loss to ``sample_loss``, and turns the outputs of panel p into the loss's gradient by them, D.

    ``clean`` (n, 64) is what the outputs should be, or its absolute value, or the targets made of it; ``factor`` is 2 / batch.
    Rows that are not among those ``counting`` are left alone.
    """
    outputs, sample_loss, gradient = scratch.outputs[p], scratch.sample_loss, scratch.gradient
    wanted = scratch.targets if shape.target.mapped else clean
    # A ReLU is here: outputs above the floor pass, the others are 0 and have slope 0.  Without one, all are above -inf.
    floor = _ZERO if shape.output_relu else np.float32(-np.inf)
    mirror = np.float32(-1) if shape.absolute else _ONE  # max(x, mirror x) is |x| or x
    for q in range(counting.number):
        i = counting.listed[q]
        weight = importance[i]
        twice = np.float32(weight * factor)
        total = _ZERO
        for sample in range(PANEL_WIDTH):
            y = outputs[i, sample]
            x = wanted[i, sample]
            on = y > floor
            target = max(x, np.float32(mirror * x))
            error = np.float32((y if on else _ZERO) - target)
            sample_loss[sample] = np.float32(sample_loss[sample] + weight * error * error)
            d = np.float32(twice * error) if on else _ZERO
            outputs[i, sample] = d
            total = np.float32(total + d)
        if shape.activation:
            total = _ZERO
            for sample in range(PANEL_WIDTH):
                by_value = outputs[i, sample]
                # Not a plain product: a sample that was dropped has 0 here, and its slope may be infinite.
                d = np.float32(by_value * scratch.slopes[i, sample]) if by_value != _ZERO else _ZERO
                outputs[i, sample] = d
                total = np.float32(total + d)
        gradient[shape.b + i] = np.float32(gradient[shape.b + i] + total)


@inlined
def _backward_panel(
    shape: Shape, parameters: Floats, l1: np.float32, dropout: np.float32, counting: Rows, scratch: Scratch, p: int
) -> None:
    """The loss's gradient by the hidden values of panel p, before their activation, E; the hidden bias has its sum."""
    outputs, gradient = scratch.outputs[p], scratch.gradient
    hidden, hidden_gradient = scratch.hidden[p], scratch.hidden_gradient[p]
    multiply_panel(hidden_gradient, Place(scratch.zeros, 0), parameters, _transposed(shape.decoder), outputs, counting)
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
    nothing = Pair(scratch.inputs, scratch.hidden_gradient, 0)
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
    done = np.int64(0)
    while done < batch:
        panels = min(scratch.inputs.shape[0], (batch - done + PANEL_WIDTH - 1) // PANEL_WIDTH)
        for p in range(panels):
            if recipe.data_set_size > 0:
                gather_panel(recipe, state, done, scratch, p)
            else:
                draw_panel(features, state.stream, scratch, p)
            clean = scratch.inputs[p]
            if recipe.attack_size > _ZERO:
                forward_panel(shape, parameters, features.skips_inactive, scratch, p)
                if recipe.attack_once == 0 or done == 0:
                    draw_attacked(recipe.attack_once, state.stream, scratch)
                attack_panel(shape, parameters, recipe.attack_size, scratch, p)
                clean = scratch.clean
            encode_panel(shape, parameters, skips_inactive, scratch, p)
            if recipe.dropout > _ZERO:
                drop_hidden(shape, recipe.dropout, state.dropping, scratch, p)
            decode_panel(shape, parameters, scratch, p)
            activate_panel(shape, scratch, p)
            target_panel(shape, clean, scratch)
            if recipe.active_only:
                silence_inactive(shape, clean, scratch, p)
            if batch - done < PANEL_WIDTH:
                _drop_samples(shape, scratch, p, batch - done)
            if skips_silent:
                number = _rows_that_count(scratch.outputs[p], clean, floor, scratch.counting, scratch.marked)
                counting = Rows(scratch.counting, number)
            output_panel(shape, features.importance, factor, clean, counting, scratch, p)
            _backward_panel(shape, parameters, l1, recipe.dropout, counting, scratch, p)
            done += PANEL_WIDTH
        if skips_silent:
            counting = Rows(scratch.found, _marked_rows(scratch.marked, scratch.found))
        by_decoder = Pair(scratch.outputs, scratch.hidden, panels)
        by_encoder = Pair(scratch.inputs, scratch.hidden_gradient, panels)
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
        _drop_samples(shape, scratch, 0, count)
    for i in range(shape.n):
        total = _ZERO
        for sample in range(PANEL_WIDTH):
            total = np.float32(total + scratch.outputs[0, i, sample])
        scratch.gradient[shape.b + i] = np.float32(scratch.gradient[shape.b + i] + total)
    l1 = np.float32(recipe.l1 / recipe.batch_size)
    every = Rows(scratch.every, shape.n)
    _backward_panel(shape, state.parameters, l1, recipe.dropout, every, scratch, 0)
    by_decoder = Pair(scratch.outputs, scratch.hidden, 1)
    by_encoder = Pair(scratch.inputs, scratch.hidden_gradient, 1)
    _accumulate(shape, by_decoder, by_encoder, every, scratch)
