"""Outputs of a panel and their errors in one go: what the loss wants of outputs, without the outputs.

Problem.  A product leaves its outputs in memory, where the comparison with what they should be reads and replaces them.  For so
few operations that takes long: as long as a third of the product where n is 100, and longer than it where n is 5.

Idea.  A block of outputs is compared while it is in vector registers.  Memory sees D alone:

    Y = b + W_out H        D = 2 I (Y - target) / batch, where a ReLU is on        the sums of D over samples, for b

This is for outputs whose activation is the identity or a ReLU, and for whole panels, of which all rows count.  It gives what
`forward.decode_panel` and `outputs.output_panel` give one after the other, bit for bit.

Example.  An output y = 0.5 of a feature x = 1 with I = 1 in a batch of 2: memory gets D = -0.5, and the sample's loss 0.25.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tegum.compilation import copied_into_callers, inner
from tegum.processor import Registers
from tegum.training.arrays import Scratch, Shape
from tegum.training.blocks import (
    PANEL_WIDTH,
    REGISTERS,
    ROWS,
    Floats,
    Layout,
    Place,
    add_rows,
    cases,
    opened,
    row_length,
    stripe_of,
    stripes_along,
)
from tegum.training.outputs import TOGETHER, Comparison, bits_and_floor
from tegum.training.vectors import Vectors, address, number_at

_INDEX = ir.IntType(64)


class Decoder(NamedTuple):
    """What outputs are made of: b, and the weights that so many hidden units are multiplied by."""

    b: Place
    weights: Floats
    layout: Layout
    number: int


class Wanted(NamedTuple):
    """What outputs are compared with, and how: see `outputs.output_panel`; where losses and the sums of D are added."""

    panel: Floats
    bits: np.uint32
    floor: np.float32
    importance: Floats
    factor: np.float32
    sample_loss: Floats
    sums: Place


def row_errors(registers: Registers) -> Callable[..., Any]:
    """`compare_rows` for a processor with these registers."""

    @intrinsic
    def compare(_typing: Any, first: Any, height: Any, D: Any, decoder: Any, hidden: Any, wanted: Any) -> Any:
        signature = types.void(types.int64, types.int64, D, decoder, hidden, wanted)

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            of, length = Vectors(builder, registers.width), row_length(context, builder, signature.args[4], arguments[4])
            first, height, D, decoder, hidden, wanted = opened(context, builder, signature.args, arguments)
            b, weights, (begin, row, column), number = decoder
            panel, bits, floor, importance, factor, sample_loss, sums = wanted
            compared = Comparison(of, bits, floor, factor)
            b, importance, sums = (address(builder, one, first) for one in (b, importance, sums))
            D, panel = (address(builder, one, builder.mul(first, _INDEX(PANEL_WIDTH))) for one in (D, panel))
            weights = address(builder, weights, begin, builder.mul(row, first))
            totals = _Totals(builder)
            for rows in cases(builder, height, range(1, ROWS + 1)):
                stripe = stripe_of(registers, rows)
                biases = [number_at(builder, b, r) for r in range(rows)]
                of_row = [address(builder, weights, builder.mul(row, _INDEX(r))) for r in range(rows)]
                totals.clear(rows)
                with stripes_along(builder, stripe * of.width, length) as place:
                    outputs = [[of.variable(of.broadcast(bias)) for _ in range(stripe)] for bias in biases]
                    add_rows(of, outputs, of_row, column, address(builder, hidden, place), number, lambda index: index)
                    losses = [of.variable(of.load(sample_loss, place, v * of.width)) for v in range(stripe)]
                    for r in range(rows):
                        factors = compared.factors(number_at(builder, importance, r))
                        for v in range(stripe):
                            at = (place, r * PANEL_WIDTH + v * of.width)
                            d = compared.derivative(builder.load(outputs[r][v]), of.load(panel, *at), factors, losses[v])
                            of.store(d, D, *at)
                            totals.add(of, d, r, builder.add(place, _INDEX(v * of.width)))
                    for v in range(stripe):
                        of.store(builder.load(losses[v]), sample_loss, place, v * of.width)
                totals.put(rows, sums)
            return context.get_dummy_value()

        return signature, generate

    return compare


class _Totals:
    """Sums of D of some rows, of the first and of the second half of a panel: 16 numbers each, for every 16th sample."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder, self.of = builder, Vectors(builder, TOGETHER)
        self.zero = ir.Constant(self.of.kind, [0.0] * TOGETHER)
        home = cgutils.alloca_once(builder, self.of.kind, size=2 * ROWS)
        self.home = builder.bitcast(home, ir.FloatType().as_pointer())

    def clear(self, rows: int) -> None:
        """Begins the sums of so many rows."""
        for half in range(2 * rows):
            self.of.store(self.zero, self.home, half * TOGETHER)

    def add(self, of: Vectors, d: Any, r: int, sample: Any) -> None:
        """Adds a vector of D, of row r from a sample on."""
        build = self.builder
        half = build.mul(build.udiv(sample, _INDEX(PANEL_WIDTH // 2)), _INDEX(TOGETHER))
        at = (2 * TOGETHER * r, half, build.urem(sample, _INDEX(TOGETHER)))
        of.store(build.fadd(of.load(self.home, *at), d), self.home, *at)

    def put(self, rows: int, sums: Any) -> None:
        """Adds the sums over all samples to ``sums``, a number for each row."""
        for r in range(rows):
            halves = [self.of.load(self.home, (2 * r + half) * TOGETHER) for half in range(2)]
            self.of.add_total(self.builder.fadd(*halves), address(self.builder, sums, r))


compare_rows = row_errors(REGISTERS)
"""D of the outputs ``b + weights hidden``, for ``height`` <= `ROWS` rows from ``first`` on; losses and sums are added.

Called with (first, height, D, decoder, hidden, wanted): D and hidden are panels, the others a `Decoder` and what is `Wanted`.
"""


@copied_into_callers
@inner
def decode_and_compare(
    shape: Shape, parameters: Floats, importance: Floats, factor: np.float32, panel: Floats, scratch: Scratch, p: int
) -> None:
    """Puts the loss's gradient by outputs, D, where those of panel p would be; each sample's loss is added to ``sample_loss``.

    ``panel`` (n, 64) is what the outputs should be, or its absolute value; ``factor`` is 2 / batch.
    """
    D, hidden, n, rows = scratch.outputs[p], scratch.hidden[p], shape.n, shape.output_rows
    bits, floor = bits_and_floor(shape)
    decoder = Decoder(Place(parameters, shape.b), parameters, shape.decoder, shape.m)
    wanted = Wanted(panel, bits, floor, importance, factor, scratch.sample_loss, Place(scratch.gradient, shape.b))
    for first in range(0, n, rows):
        compare_rows(first, min(rows, n - first), D, decoder, hidden, wanted)
