"""Register-blocked products of a panel of samples: the arithmetic that training spends its time on.

Problem.  A panel holds `PANEL_WIDTH` = 64 samples as rows of 64 neighbouring floats, ``panel[row][sample]``.  Training needs
two products of panels, and a compiler given plain loops reaches a fifth of the machine's peak with them, because every
partial sum travels to memory and back:

    multiply     C[r][sample] = start[r] + sum_k A[r, k] B[k][sample]           a small matrix times a panel
    accumulate   S[i, j]     += sum_sample P[i][sample] Q[j][sample] + ...      two panels to a small matrix (a gradient)

Idea.  Keep a block of partial sums in vector registers for the whole sum: 5 rows x 64 samples (20 registers of 16 floats)
for `multiply_rows`, 4 x 4 vectors for `accumulate_tile`, whose 16 vectors are then folded into 16 numbers by a tree of
shuffles.  The blocks are written as LLVM instructions on ``<16 x float>``; LLVM splits these for machines with narrower
registers, where `multiply_rows` takes 16 samples at a time so that its block still fits.  The k to sum over are a list, which
lets a caller skip features that are inactive in a panel.

Example.  The smallest block, one row at 16 samples, is one vector ``c`` for the whole sum:

    c = start[0] in all 16 lanes;    for each k:  c = fma(A[0, k] in all 16 lanes, B[k][0:16], c);    C[0][0:16] = c

What is left of a matrix after whole blocks needs blocks of every smaller size; each is instructions of its own, written by one
loop of Python (`_cases`) and chosen by one jump.

The functions made here are Numba intrinsics: they can be called from compiled code only and check nothing.  A lane is a place
in a vector, one of 16.
Source: the register blocking of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

PANEL_WIDTH = 64
"""How many samples a panel holds."""

VECTOR_WIDTH = 16
"""How many floats the instructions written here work on at a time."""

VECTORS = PANEL_WIDTH // VECTOR_WIDTH
ROWS = 5
SIDE = 4

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]
Words = NDArray[np.uint32]

_VECTOR = ir.VectorType(ir.FloatType(), VECTOR_WIDTH)
_INDEX = ir.IntType(64)
_I32 = ir.IntType(32)


STRIPE = VECTORS if binding.get_host_cpu_features().get("avx512f", False) else 1
"""How many vectors of a panel's row `multiply_rows` keeps in registers at once: 20 sums of 16 floats fit 32 of 512 bits."""


class Layout(NamedTuple):
    """Where a matrix lies in a vector of numbers: entry (r, k) at ``begin + r row + k column``."""

    begin: int
    row: int
    column: int


class Place(NamedTuple):
    """An element of an array, and with it what follows in memory."""

    array: Floats
    at: int


class Rows(NamedTuple):
    """Some rows of a panel: the first ``number`` of a list."""

    listed: Indices
    number: int


class Pair(NamedTuple):
    """Two stacks of panels (panels, rows, 64) of the same samples; only the first ``panels`` of each are looked at."""

    left: Floats
    right: Floats
    panels: int


class Tile(NamedTuple):
    """A block of a matrix: where it begins and how large it is, at most 4 x 4."""

    i: int
    j: int
    height: int
    width: int


def _at(builder: ir.IRBuilder, base: Any, *terms: Any) -> Any:
    """The address of element ``sum(terms)``."""
    for term in terms:
        base = builder.gep(base, [ir.Constant(_INDEX, term) if isinstance(term, int) else term])
    return base


def _number(builder: ir.IRBuilder, base: Any, *terms: Any) -> Any:
    return builder.load(_at(builder, base, *terms))


def _vector(builder: ir.IRBuilder, base: Any, *terms: Any) -> Any:
    value = builder.load(builder.bitcast(_at(builder, base, *terms), _VECTOR.as_pointer()))
    value.align = 4
    return value


def _shuffle(builder: ir.IRBuilder, first: Any, second: Any, lanes: list[int]) -> Any:
    """The vector of the given lanes of two vectors, those of the second counted on from 16."""
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_I32, len(lanes)), lanes))


def _broadcast(builder: ir.IRBuilder, number: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    single = builder.insert_element(undefined, number, ir.Constant(_I32, 0))
    return _shuffle(builder, single, undefined, [0] * VECTOR_WIDTH)


def _add_product(builder: ir.IRBuilder, variable: Any, x: Any, y: Any) -> None:
    """Adds x y to a variable, with one rounding."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{VECTOR_WIDTH}f32")
    builder.store(builder.call(fma, [x, y, builder.load(variable)]), variable)


def opened(context: Any, builder: ir.IRBuilder, kinds: Iterable[Any], values: Iterable[Any]) -> list[Any]:
    """The values as instructions use them: arrays and places as addresses, other records as lists of their opened fields."""

    def one(kind: Any, value: Any) -> Any:
        if isinstance(kind, types.Array):
            return context.make_array(kind)(context, builder, value).data
        if isinstance(kind, types.BaseTuple):
            fields = [one(part, builder.extract_value(value, i)) for i, part in enumerate(kind)]
            return _at(builder, *fields) if getattr(kind, "instance_class", None) is Place else fields
        return value

    return [one(kind, value) for kind, value in zip(kinds, values, strict=True)]


def _cases(builder: ir.IRBuilder, value: Any, numbers: Iterable[int]) -> Iterator[int]:
    """Each number in turn; what is built until the next one runs where ``value`` is that number."""
    end = builder.append_basic_block("end")
    switch = builder.switch(value, end)
    for number in numbers:
        block = builder.append_basic_block(f"case.{number}")
        switch.add_case(ir.Constant(_INDEX, number), block)
        builder.position_at_end(block)
        yield number
        builder.branch(end)
    builder.position_at_end(end)


def _fold(builder: ir.IRBuilder, vectors: list[Any]) -> Any:
    """One vector whose lane p is the sum of the lanes of ``vectors[p]`` (16 of them), by a tree of 15 additions.

    Each of the four rounds adds the two halves of every group of lanes and packs what is left of two vectors into one:

        a = a0 .. a15, b = b0 .. b15    ->    a0+a8 .. a7+a15, b0+b8 .. b7+b15    ->    groups of 4    ->    2    ->    1
    """
    group = VECTOR_WIDTH
    while len(vectors) > 1:
        half = group // 2
        low = [start + lane for start in range(0, VECTOR_WIDTH, group) for lane in range(half)]
        low += [VECTOR_WIDTH + lane for lane in low]
        high = [lane + half for lane in low]
        vectors = [
            builder.fadd(_shuffle(builder, a, b, low), _shuffle(builder, a, b, high))
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
        group = half
    return vectors[0]


@intrinsic
def multiply_rows(_typing: Any, height: Any, C: Any, start: Any, A: Any, layout: Any, B: Any, chosen: Any) -> Any:
    """C[r][sample] = start[r] + sum over the chosen k of A[r, k] B[k][sample], for ``height`` <= 5 rows, one stripe of samples.

    Places are C, start and B (in panels: of the stripe's first sample); ``layout`` is A's, ``chosen`` are `Rows` of B.
    """
    signature = types.void(types.int64, C, start, A, layout, B, chosen)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        values = opened(context, builder, signature.args, arguments)
        height, C, start, A, (begin, row, column), B, (listed, number) = values
        for rows in _cases(builder, height, range(1, ROWS + 1)):
            # Variables on the stack, which LLVM keeps in registers: sums[r][v] is row r at the stripe's vector v.
            firsts = [_broadcast(builder, _number(builder, start, r)) for r in range(rows)]
            sums = [[cgutils.alloca_once_value(builder, first) for _ in range(STRIPE)] for first in firsts]
            weights = [_at(builder, A, begin, builder.mul(row, ir.Constant(_INDEX, r))) for r in range(rows)]
            with cgutils.for_range(builder, number, intp=_INDEX) as loop:
                k = builder.sext(_number(builder, listed, loop.index), _INDEX)
                samples = builder.mul(k, ir.Constant(_INDEX, PANEL_WIDTH))
                vectors = [_vector(builder, B, samples, v * VECTOR_WIDTH) for v in range(STRIPE)]
                for r in range(rows):
                    weight = _broadcast(builder, _number(builder, weights[r], builder.mul(k, column)))
                    for v in range(STRIPE):
                        _add_product(builder, sums[r][v], weight, vectors[v])
            for r in range(rows):
                for v in range(STRIPE):
                    target = _at(builder, C, r * PANEL_WIDTH + v * VECTOR_WIDTH)
                    builder.store(builder.load(sums[r][v]), builder.bitcast(target, _VECTOR.as_pointer())).align = 4
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def accumulate_tile(_typing: Any, S: Any, layout: Any, tile: Any, rows: Any, first: Any, second: Any) -> Any:
    """S[i, j] += sum over panels and samples of left[i] right[j], of the first `Pair` and of the second, in one `Tile`.

    ``rows`` is how many rows the panels of both pairs have, (left, right).
    """
    signature = types.void(S, layout, tile, rows, first, second)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        values = opened(context, builder, signature.args, arguments)
        S, (begin, row, column), (i0, j0, tile_height, tile_width), (left_rows, right_rows), *pairs = values
        zero = ir.Constant(_VECTOR, [0.0] * VECTOR_WIDTH)
        corner = _at(builder, S, begin, builder.mul(i0, row), builder.mul(j0, column))
        width_of_panel, base = ir.Constant(_INDEX, PANEL_WIDTH), SIDE + 1
        size = builder.add(builder.mul(tile_height, ir.Constant(_INDEX, base)), tile_width)
        for case in _cases(builder, size, [i * base + j for i in range(1, base) for j in range(1, base)]):
            height, width = divmod(case, base)
            # Variables on the stack, which LLVM keeps in registers: sums[i][j] has a partial sum in each of its lanes.
            sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(width)] for _ in range(height)]
            for left, right, panels in pairs:
                with cgutils.for_range(builder, panels, intp=_INDEX) as loop:
                    p = builder.mul(builder.add(builder.mul(loop.index, left_rows), i0), width_of_panel)
                    q = builder.mul(builder.add(builder.mul(loop.index, right_rows), j0), width_of_panel)
                    for v in range(0, PANEL_WIDTH, VECTOR_WIDTH):
                        lefts = [_vector(builder, left, p, i * PANEL_WIDTH + v) for i in range(height)]
                        rights = [_vector(builder, right, q, j * PANEL_WIDTH + v) for j in range(width)]
                        for i in range(height):
                            for j in range(width):
                                _add_product(builder, sums[i][j], lefts[i], rights[j])
            totals = [builder.load(total) for line in sums for total in line]
            folded = _fold(builder, totals + [zero] * (VECTOR_WIDTH - len(totals)))
            for i in range(height):
                for j in range(width):
                    down, along = (builder.mul(step, ir.Constant(_INDEX, k)) for step, k in ((row, i), (column, j)))
                    target = _at(builder, corner, down, along)
                    total = builder.extract_element(folded, ir.Constant(_I32, i * width + j))
                    builder.store(builder.fadd(builder.load(target), total), target)
        return context.get_dummy_value()

    return signature, generate
