"""Outputs of a panel, compared with what they should be: their activation, the loss of each sample, and the loss's derivatives.

    D = 2 I (Y - target) / batch, times the activation's slope: for a ReLU, 0 where the output is 0

Identity and ReLU take part in the comparison, which is done in one go: while 64 outputs of a feature are in vector registers,
their errors are added to the losses of 64 samples, which stay in registers for all features, and D takes their place.  The
other activations, and targets r(A x + v), have passes of their own before it.

Where errors of active features alone count, outputs of inactive ones are made 0, which is right for them: error and D vanish.

Example: an output y = 0.5 of a feature x = 1 with I = 1 has the error -0.5; in a batch of 2 it adds 0.25 to the sample's loss
and becomes D = -0.5.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tegum.compilation import apart_from_callers, compiled, inlined
from tegum.training.activations import activate_row
from tegum.training.arrays import Scratch, Shape, TargetRows
from tegum.training.blocks import PANEL_WIDTH, Floats, Place, Rows, Vectors, opened

_ZERO = np.float32(0)
_TOGETHER = 16
_EVERY_BIT, _WITHOUT_SIGN = np.uint32(0xFFFFFFFF), np.uint32(0x7FFFFFFF)


@inlined
def activate_panel(shape: Shape, scratch: Scratch, p: int) -> None:
    """Passes the outputs of panel p through an activation that is not done on the way, and notes its slopes."""
    if shape.activation:
        for i in range(shape.n):
            activate_row(shape.activation, shape.own_activation, scratch.outputs[p, i], scratch.slopes[i])


@apart_from_callers
@compiled
def target_panel(target: TargetRows, clean: Floats, targets: Floats) -> None:
    """Fills ``targets`` with those, r(A x + v), of the inputs ``clean`` (n, 64)."""
    floor = _ZERO if target.relu else np.float32(-np.inf)
    for i in range(targets.shape[0]):
        for sample in range(PANEL_WIDTH):
            targets[i, sample] = target.shift[i]
        for entry in range(target.first[i], target.first[i + 1]):
            weight, column = target.weight[entry], target.column[entry]
            for sample in range(PANEL_WIDTH):
                targets[i, sample] = np.float32(targets[i, sample] + weight * clean[column, sample])
        for sample in range(PANEL_WIDTH):
            targets[i, sample] = max(floor, targets[i, sample])


@apart_from_callers
@compiled
def silence_inactive(outputs: Floats, targets: Floats, mapped: int, clean: Floats) -> None:
    """Outputs, after their activation or before a ReLU, and targets, made 0 where ``clean`` is: without an error."""
    for i in range(outputs.shape[0]):
        for sample in range(PANEL_WIDTH):
            y = outputs[i, sample]
            outputs[i, sample] = y if clean[i, sample] != _ZERO else _ZERO
        if mapped:
            for sample in range(PANEL_WIDTH):
                targets[i, sample] = targets[i, sample] if clean[i, sample] != _ZERO else _ZERO


@intrinsic
def _compare(
    _typing: Any,
    outputs: Any,
    wanted: Any,
    bits: Any,
    floor: Any,
    importance: Any,
    factor: Any,
    counting: Any,
    sample_loss: Any,
    sums: Any,
    adds: Any,
) -> Any:
    """What `output_panel` does where slopes are 0 and 1: of ``wanted`` some bits are taken, outputs count above the floor.

    The sums of D over samples are added to ``sums``, a `Place`, where ``adds``.
    """
    signature = types.void(outputs, wanted, bits, floor, importance, factor, counting, sample_loss, sums, types.int64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        values = opened(context, builder, signature.args, arguments)
        outputs, wanted, bits, floor, importance, factor, (listed, number), sample_loss, sums, adds = values
        of, words, fast = Vectors(builder, _TOGETHER), ir.VectorType(ir.IntType(32), _TOGETHER), ("contract", "reassoc", "nsz")
        index, parts, zero = ir.IntType(64), range(0, PANEL_WIDTH, _TOGETHER), ir.Constant(of.kind, [0.0] * _TOGETHER)
        least, scale = of.broadcast(floor), of.broadcast(factor)
        mask = builder.bitcast(of.broadcast(builder.bitcast(bits, ir.FloatType())), words)
        losses = [of.variable(of.load(sample_loss, part)) for part in parts]
        with cgutils.for_range(builder, number, intp=index) as loop:
            i = builder.sext(builder.load(builder.gep(listed, [loop.index])), index)
            begin = builder.mul(i, index(PANEL_WIDTH))
            weight = of.broadcast(builder.load(builder.gep(importance, [i])))
            twice, total = builder.fmul(weight, scale), zero
            for part, loss in zip(parts, losses, strict=True):
                y = of.load(outputs, begin, part)
                target = builder.bitcast(builder.and_(builder.bitcast(of.load(wanted, begin, part), words), mask), of.kind)
                on = builder.fcmp_ordered(">", y, least)
                error = builder.fsub(builder.select(on, y, zero), target, flags=fast)
                of.add_product(loss, builder.fmul(weight, error), error)
                d = builder.select(on, builder.fmul(twice, error), zero)
                of.store(d, outputs, begin, part)
                total = builder.fadd(total, d)
            with builder.if_then(builder.icmp_signed("!=", adds, index(0))):
                home = builder.gep(sums, [i])
                builder.store(builder.fadd(builder.load(home), of.total(total)), home)
        for part, loss in zip(parts, losses, strict=True):
            of.store(builder.load(loss), sample_loss, part)
        return context.get_dummy_value()

    return signature, generate


@apart_from_callers
@compiled
def _times_slopes(outputs: Floats, slopes: Floats, counting: Rows, gradient: Floats, b: int) -> None:
    """Multiplies D by the slopes of the activation, and adds its sums over samples to the gradient from ``b`` on."""
    for q in range(counting.number):
        i = counting.listed[q]
        total = _ZERO
        for sample in range(PANEL_WIDTH):
            by_value = outputs[i, sample]
            # Not a plain product: a sample that was dropped has 0 here, and its slope may be infinite.
            d = np.float32(by_value * slopes[i, sample]) if by_value != _ZERO else _ZERO
            outputs[i, sample] = d
            total = np.float32(total + d)
        gradient[b + i] = np.float32(gradient[b + i] + total)


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
    bits = _WITHOUT_SIGN if shape.absolute else _EVERY_BIT
    adds = np.int64(shape.activation == 0)
    _compare(outputs, wanted, bits, floor, importance, factor, counting, sample_loss, Place(gradient, shape.b), adds)
    if shape.activation:
        _times_slopes(outputs, scratch.slopes, counting, gradient, shape.b)
