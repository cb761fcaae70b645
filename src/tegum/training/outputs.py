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

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.training.activations import activate_row
from tegum.training.arrays import Scratch, Shape, TargetRows
from tegum.training.blocks import PANEL_WIDTH, Floats, Place, Rows, opened
from tegum.training.vectors import Vectors, address, number_at

_ZERO = np.float32(0)
TOGETHER = 16
"""How many outputs of a feature are compared in one go."""
_EVERY_BIT, _WITHOUT_SIGN = np.uint32(0xFFFFFFFF), np.uint32(0x7FFFFFFF)


@inlined
def activate_panel(shape: Shape, scratch: Scratch, p: int) -> None:
    """Passes the outputs of panel p through an activation that is not done on the way, and notes its slopes."""
    if shape.activation:
        for i in range(shape.n):
            activate_row(shape.activation, shape.own_activation, scratch.outputs[p, i], scratch.slopes[i])


@apart_from_callers
@inner
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
@inner
def silence_inactive(outputs: Floats, targets: Floats, mapped: int, clean: Floats) -> None:
    """Outputs, after their activation or before a ReLU, and targets, made 0 where ``clean`` is: without an error."""
    for i in range(outputs.shape[0]):
        for sample in range(PANEL_WIDTH):
            y = outputs[i, sample]
            outputs[i, sample] = y if clean[i, sample] != _ZERO else _ZERO
        if mapped:
            for sample in range(PANEL_WIDTH):
                targets[i, sample] = targets[i, sample] if clean[i, sample] != _ZERO else _ZERO


class Comparison:
    """Instructions that compare vectors of outputs, those above a floor, with some bits of what they should be."""

    def __init__(self, of: Vectors, bits: Any, floor: Any, factor: Any) -> None:
        self.of, self.builder, self.words = of, of.builder, ir.VectorType(ir.IntType(32), of.width)
        self.zero = ir.Constant(of.kind, [0.0] * of.width)
        self.least, self.factor = of.broadcast(floor), of.broadcast(factor)
        self.mask = self._as_words(of.broadcast(self.builder.bitcast(bits, ir.FloatType())))

    def factors(self, importance: Any) -> tuple[Any, Any]:
        """What errors of a feature of such importance are multiplied by for the loss, and for its derivative."""
        weight = self.of.broadcast(importance)
        return weight, self.builder.fmul(weight, self.factor)

    def derivative(self, y: Any, wanted: Any, factors: tuple[Any, Any], loss: Any) -> Any:
        """The loss's derivative by the outputs y; the losses themselves are added to a variable."""
        build = self.builder
        target = build.bitcast(build.and_(self._as_words(wanted), self.mask), self.of.kind)
        on = build.fcmp_ordered(">", y, self.least)
        error = build.fsub(build.select(on, y, self.zero), target, flags=("contract", "reassoc", "nsz"))
        self.of.add_product(loss, build.fmul(factors[0], error), error)
        return build.select(on, build.fmul(factors[1], error), self.zero)

    def _as_words(self, vector: Any) -> Any:
        return self.builder.bitcast(vector, self.words)


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
        of, index, parts = Vectors(builder, TOGETHER), ir.IntType(64), range(0, PANEL_WIDTH, TOGETHER)
        compared = Comparison(of, bits, floor, factor)
        losses = [of.variable(of.load(sample_loss, part)) for part in parts]
        with cgutils.for_range(builder, number, intp=index) as loop:
            i = builder.sext(number_at(builder, listed, loop.index), index)
            begin = builder.mul(i, index(PANEL_WIDTH))
            weights, total = compared.factors(number_at(builder, importance, i)), compared.zero
            for part, loss in zip(parts, losses, strict=True):
                d = compared.derivative(of.load(outputs, begin, part), of.load(wanted, begin, part), weights, loss)
                of.store(d, outputs, begin, part)
                total = builder.fadd(total, d)
            with builder.if_then(builder.icmp_signed("!=", adds, index(0))):
                of.add_total(total, address(builder, sums, i))
        for part, loss in zip(parts, losses, strict=True):
            of.store(builder.load(loss), sample_loss, part)
        return context.get_dummy_value()

    return signature, generate


@apart_from_callers
@inner
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
def bits_and_floor(shape: Shape) -> tuple[np.uint32, np.float32]:
    """Which bits of x outputs should be, all or those of |x|, and their floor: those above pass, others are 0 with slope 0.

    A ReLU has the floor 0; without one, all are above -inf.
    """
    floor = _ZERO if shape.output_relu else np.float32(-np.inf)
    bits = _WITHOUT_SIGN if shape.absolute else _EVERY_BIT
    return bits, floor


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
    bits, floor = bits_and_floor(shape)
    adds = np.int64(shape.activation == 0)
    _compare(outputs, wanted, bits, floor, importance, factor, counting, sample_loss, Place(gradient, shape.b), adds)
    if shape.activation:
        _times_slopes(outputs, scratch.slopes, counting, gradient, shape.b)
