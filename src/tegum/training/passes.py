"""Forward and backward through one batch, a tile of panels at a time.

    forward     H = b_hidden + W_in X,  ReLU or not          Y = b + W_out H,  ReLU or another activation or none
    backward    D = 2 I (Y - target) / batch, times the activation's slope: for a ReLU, 0 where the output is off
                E = W_out^T D + l1 sign(H) / batch, 0 where the hidden unit is off
                gradient of the decoder D H^T, of the encoder E X^T (one sum where they are tied), of the biases sums over lanes

Adversarial training forwards twice: the first pass tells `attack` where to push the inputs, the second is the one learnt from.
In very sparse worlds the products skip features that are silent, or send no gradient, in all 64 lanes of a panel.
"""

from typing import Any

import numpy as np

from tegum.compilation import compiled, inlined
from tegum.training.activations import activate_row
from tegum.training.attack import draw_attacked, push_panel
from tegum.training.blocks import LANES
from tegum.training.draw import draw_panel, gather_panel
from tegum.training.products import accumulate_panels, multiply_panel

_ZERO = np.float32(0)
_ONE = np.float32(1)


@compiled
def _rows_with_content(X: Any, p: int, n: int, found: Any) -> int:
    """Lists the rows of a panel that are not zero in all lanes; returns how many there are."""
    count = 0
    for i in range(n):
        content = np.int32(0)
        for lane in range(LANES):
            content = np.int32(content | np.int32(X[p, i, lane] != _ZERO))
        if content:
            found[count] = i
            count += 1
    return count


@inlined
def forward_panel(shape: Any, parameters: Any, sparse: int, scratch: Any, p: int) -> None:
    """Hidden values (after their activation) and outputs (before theirs) of panel p."""
    n, m = shape.n, shape.m
    X, H, Y = scratch.X, scratch.H, scratch.Y
    decoder = 0 if shape.tied else n * m
    b = decoder + n * m
    active, count = scratch.every, n
    if sparse:
        active, count = scratch.active, _rows_with_content(scratch.inputs, p, n, scratch.active)
    x, h = p * n * LANES, p * m * LANES
    multiply_panel(H, h, m, parameters, b + n, parameters, 0, n, 1, X, x, active, count)
    if shape.hidden_relu:
        for k in range(m):
            for lane in range(LANES):
                value = scratch.hidden[p, k, lane]
                scratch.hidden[p, k, lane] = max(_ZERO, value)
    if shape.tied:
        multiply_panel(Y, x, n, parameters, b, parameters, 0, 1, n, H, h, scratch.every, m)
    else:
        multiply_panel(Y, x, n, parameters, b, parameters, decoder, m, 1, H, h, scratch.every, m)


@inlined
def activate_panel(shape: Any, scratch: Any, p: int) -> None:
    """Passes the outputs of panel p through an activation that is not done on the way, and notes its slopes."""
    if shape.activation:
        for i in range(shape.n):
            activate_row(shape.activation, shape.own_activation, scratch.outputs, p, i, scratch.slopes)


@inlined
def _silence(shape: Any, scratch: Any, p: int, first: int) -> None:
    """Empties the lanes of panel p from ``first`` on, past the end of the batch, so that they add to nothing."""
    for lane in range(first, LANES):
        for i in range(shape.n):
            scratch.inputs[p, i, lane] = _ZERO
            scratch.outputs[p, i, lane] = _ZERO
            scratch.targets[i, lane] = _ZERO
        for k in range(shape.m):
            scratch.hidden[p, k, lane] = _ZERO


@inlined
def output_panel(shape: Any, importance: Any, factor: Any, truth: Any, scratch: Any, p: int, bias_gradient: int) -> None:
    """Adds each lane's loss to ``lane_loss`` and turns the outputs of panel p into the loss's gradient by them.

    ``truth`` (n, 64) is what the outputs should be, or its absolute value should.
    """
    floor = _ZERO if shape.output_relu else np.float32(-np.inf)
    mirror = np.float32(-1) if shape.absolute else _ONE
    for i in range(shape.n):
        weight = importance[i]
        twice = np.float32(weight * factor)
        total = _ZERO
        for lane in range(LANES):
            y = scratch.outputs[p, i, lane]
            x = truth[i, lane]
            on = y > floor
            target = max(x, np.float32(mirror * x))
            error = np.float32((y if on else _ZERO) - target)
            scratch.lane_loss[lane] = np.float32(scratch.lane_loss[lane] + weight * error * error)
            slope = np.float32(twice * error) if on else _ZERO
            scratch.outputs[p, i, lane] = slope
            total = np.float32(total + slope)
        if shape.activation:
            total = _ZERO
            for lane in range(LANES):
                by_value = scratch.outputs[p, i, lane]
                slope = np.float32(by_value * scratch.slopes[i, lane]) if by_value != _ZERO else _ZERO
                scratch.outputs[p, i, lane] = slope
                total = np.float32(total + slope)
        scratch.gradient[bias_gradient + i] = np.float32(scratch.gradient[bias_gradient + i] + total)


@inlined
def _backward_panel(shape: Any, parameters: Any, l1: Any, sparse: int, scratch: Any, p: int) -> None:
    """The loss's gradient by the hidden units of panel p, before their activation."""
    n, m = shape.n, shape.m
    D, E = scratch.Y, scratch.E
    decoder = 0 if shape.tied else n * m
    b_hidden = decoder + n * m + n
    firing, count = scratch.every, n
    if sparse:
        firing, count = scratch.firing, _rows_with_content(scratch.outputs, p, n, scratch.firing)
    if shape.tied:
        multiply_panel(E, p * m * LANES, m, scratch.zeros, 0, parameters, 0, n, 1, D, p * n * LANES, firing, count)
    else:
        multiply_panel(E, p * m * LANES, m, scratch.zeros, 0, parameters, decoder, 1, m, D, p * n * LANES, firing, count)
    if l1 > _ZERO:
        for k in range(m):
            for lane in range(LANES):
                h = scratch.hidden[p, k, lane]
                sign = np.float32(np.float32(h > _ZERO) - np.float32(h < _ZERO))
                push = np.float32(l1 * sign)
                scratch.hidden_gradient[p, k, lane] = np.float32(scratch.hidden_gradient[p, k, lane] + push)
    if shape.hidden_relu:
        for k in range(m):
            for lane in range(LANES):
                e = scratch.hidden_gradient[p, k, lane]
                scratch.hidden_gradient[p, k, lane] = e if scratch.hidden[p, k, lane] > _ZERO else _ZERO
    if shape.hidden_bias:
        for k in range(m):
            total = _ZERO
            for lane in range(LANES):
                total = np.float32(total + scratch.hidden_gradient[p, k, lane])
            scratch.gradient[b_hidden + k] = np.float32(scratch.gradient[b_hidden + k] + total)


@inlined
def batch_gradient(shape: Any, world: Any, method: Any, state: Any, scratch: Any, k: int) -> float:
    """Instance k's loss on its next batch (without the L1 term), its gradient left in ``scratch.gradient``."""
    n, m = shape.n, shape.m
    parameters = state.parameters[k]
    gradient = scratch.gradient
    batch, size = method.batch_size[k], method.data_set_size[k]
    factor = np.float32(2.0 / batch)
    l1 = np.float32(method.l1[k] / batch)
    attack, once = method.attack_size[k], method.attack_once[k]
    sparse = world.sparse[k]
    b = n * m if shape.tied else 2 * n * m
    gradient[:] = _ZERO
    scratch.lane_loss[:] = _ZERO
    most = scratch.inputs.shape[0]
    X, D, H, E = scratch.X, scratch.Y, scratch.H, scratch.E
    done = 0
    while done < batch:
        panels = min(most, (batch - done + LANES - 1) // LANES)
        for p in range(panels):
            if size > 0:
                gather_panel(scratch.inputs, p, n, state.data[k], done, size, size == batch, state.stream[k], scratch.words)
            else:
                draw_panel(scratch.inputs, p, n, world, k, state.stream[k], scratch.words, scratch.own_words, scratch.remaining)
            forward_panel(shape, parameters, sparse, scratch, p)
            truth = scratch.inputs[p]
            if attack > _ZERO:
                if once == 0 or done == 0:
                    draw_attacked(n, once, state.stream[k], scratch.words, scratch.attacked)
                push_panel(shape, parameters, attack, scratch, p)
                forward_panel(shape, parameters, 0, scratch, p)
                truth = scratch.targets
            activate_panel(shape, scratch, p)
            if batch - done < LANES:
                _silence(shape, scratch, p, batch - done)
            output_panel(shape, world.importance[k], factor, truth, scratch, p, b)
            _backward_panel(shape, parameters, l1, sparse, scratch, p)
            done += LANES
        if shape.tied:
            accumulate_panels(gradient, 0, 1, n, D, n, H, m, panels, X, E, panels)
        else:
            accumulate_panels(gradient, n * m, m, 1, D, n, H, m, panels, D, H, 0)
            accumulate_panels(gradient, 0, 1, n, X, n, E, m, panels, X, E, 0)
    if shape.bias == 0:
        gradient[b : b + n] = _ZERO
    loss = 0.0
    for lane in range(LANES):
        loss += np.float64(scratch.lane_loss[lane])
    return loss / batch
