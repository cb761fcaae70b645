"""Register-blocked products of a panel of samples: the arithmetic that training spends its time on.

Problem.  A panel holds `PANEL_WIDTH` = 64 samples as rows of 64 neighbouring floats, ``panel[row][sample]``.  Training needs
two products of panels, and a compiler given plain loops reaches a fifth of the machine's peak with them, because every
partial sum travels to memory and back:

    multiply     C[r][sample] = start[r] + sum_k A[r, k] B[k][sample]           a small matrix times a panel
    accumulate   S[i, j]     += sum_sample P[i][sample] Q[j][sample] + ...      two panels to a small matrix (a gradient)

Idea.  Keep a block of partial sums in vector registers for the whole sum.  A processor has 16 or 32 registers of 4, 8 or 16
floats, and a block must leave room for what is multiplied; one that does not fit is written to memory and read again for each
product, three times slower.

    registers                    multiply, rows x vectors        accumulate, vectors
    AVX-512    32 of 16 floats   6 x 4 = 64 samples              4 x 4
    AVX2       16 of  8          6 x 2 = 16                      4 x 3
    NEON       32 of  4          6 x 4 = 16                      4 x 4

The blocks are written as LLVM instructions on vectors of just that width.  The vectors of `accumulate` are folded into numbers
by a tree of shuffles.  The k to sum over may be a list, which lets a caller skip features that are inactive in a panel.

Example.  The smallest block, one row at 16 samples, is one vector ``c`` for the whole sum:

    c = start[0] in all 16 lanes;    for each k:  c = fma(A[0, k] in all 16 lanes, B[k][0:16], c);    C[0][0:16] = c

What is left of a matrix after whole blocks needs blocks of every smaller size; each is instructions of its own, written by one
loop of Python (`cases`) and chosen by one jump.

The functions made here are Numba intrinsics: they can be called from compiled code only and check nothing.  A lane is a place
in a vector.
Source: the register blocking of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from tegum.processor import Registers, registers
from tegum.training.vectors import Vectors, address, number_at

PANEL_WIDTH = 64
"""How many samples a panel holds."""

ROWS = 6
"""How many rows `multiply_rows` works on at a time."""

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]
Words = NDArray[np.uint32]

_INDEX = ir.IntType(64)
_UNROLLED = 4


REGISTERS = registers()
"""The registers that the engine is compiled for."""


def stripe_of(registers: Registers, rows: int) -> int:
    """How many vectors of a panel's row a block of so many rows has: they fit with what they are multiplied by.

    What a single row is multiplied by is needed once, and read when it is.
    """
    held = rows + (rows > 1)
    return max(v for v in (1, 2, 4, 8, 16) if held * v < registers.number and v * registers.width <= PANEL_WIDTH)


def tile_of(registers: Registers) -> tuple[int, int]:
    """How many rows of each panel `accumulate_tile` takes."""
    return 4, 4 if registers.number == 32 else 3


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
    """Two stacks of panels (panels, rows, 64) of the same samples; those from ``begin`` to before ``end`` are looked at."""

    left: Floats
    right: Floats
    begin: int
    end: int


class Tile(NamedTuple):
    """A block of a matrix: where it begins and how large it is, at most as `tile_of` says."""

    i: int
    j: int
    height: int
    width: int


def opened(context: Any, builder: ir.IRBuilder, kinds: Iterable[Any], values: Iterable[Any]) -> list[Any]:
    """The values as instructions use them: arrays and places as addresses, other records as lists of their opened fields."""

    def one(kind: Any, value: Any) -> Any:
        if isinstance(kind, types.Array):
            return context.make_array(kind)(context, builder, value).data
        if isinstance(kind, types.BaseTuple):
            fields = [one(part, builder.extract_value(value, i)) for i, part in enumerate(kind)]
            return address(builder, *fields) if getattr(kind, "instance_class", None) is Place else fields
        return value

    return [one(kind, value) for kind, value in zip(kinds, values, strict=True)]


def cases(builder: ir.IRBuilder, value: Any, numbers: Iterable[int]) -> Iterator[int]:
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


def row_length(context: Any, builder: ir.IRBuilder, kind: Any, panel: Any) -> Any:
    """How long a panel's rows are, `PANEL_WIDTH`, as LLVM cannot know it."""
    return builder.extract_value(context.make_array(kind)(context, builder, panel).shape, 1)


@contextmanager
def stripes_along(builder: ir.IRBuilder, width: int, length: Any) -> Iterator[Any]:
    """The place of each stripe of such a width in a row; the code inside is there once: LLVM would copy it for each stripe."""
    if width == PANEL_WIDTH:
        yield ir.Constant(_INDEX, 0)
        return
    with cgutils.for_range(builder, builder.udiv(length, ir.Constant(_INDEX, width)), intp=_INDEX) as along:
        yield builder.mul(along.index, ir.Constant(_INDEX, width))


def add_rows(
    of: Vectors, sums: list[list[Any]], weights: list[Any], column: Any, panel: Any, number: Any, row_of: Callable[[Any], Any]
) -> None:
    """Adds to the variables ``sums[r]`` so many rows of a panel, each times a number of ``weights[r]``.

    ``row_of`` says which row comes at each turn; its number of the weights lies so many times ``column`` behind the first one.
    """
    builder = of.builder
    with cgutils.for_range(builder, number, intp=_INDEX) as loop:
        k = row_of(loop.index)
        row = address(builder, panel, builder.mul(k, ir.Constant(_INDEX, PANEL_WIDTH)))
        vectors = [of.load(row, v * of.width) for v in range(len(sums[0]))]
        for of_row, numbers in zip(sums, weights, strict=True):
            weight = of.broadcast(number_at(builder, numbers, builder.mul(k, column)))
            for total, vector in zip(of_row, vectors, strict=True):
                of.add_product(total, weight, vector)


def row_products(registers: Registers, listed: bool) -> Callable[..., Any]:
    """`multiply_listed` or `multiply_rows` for a processor with these registers."""

    @intrinsic
    def multiply(_typing: Any, height: Any, C: Any, start: Any, A: Any, layout: Any, B: Any, chosen: Any) -> Any:
        signature = types.void(types.int64, C, start, A, layout, B, chosen)

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            of, length = Vectors(builder, registers.width), row_length(context, builder, signature.args[5], arguments[5])
            height, C, start, A, (begin, row, column), B, chosen = opened(context, builder, signature.args, arguments)
            rows_of_B, number = chosen if listed else (None, chosen)

            def row_at(index: Any) -> Any:
                return builder.sext(number_at(builder, rows_of_B, index), _INDEX) if listed else index

            for rows in cases(builder, height, range(1, ROWS + 1)):
                stripe = stripe_of(registers, rows)
                firsts = [number_at(builder, start, r) for r in range(rows)]
                weights = [address(builder, A, begin, builder.mul(row, ir.Constant(_INDEX, r))) for r in range(rows)]
                with stripes_along(builder, stripe * registers.width, length) as place:
                    sums = [[of.variable(of.broadcast(first)) for _ in range(stripe)] for first in firsts]
                    add_rows(of, sums, weights, column, address(builder, B, place), number, row_at)
                    for r in range(rows):
                        for v in range(stripe):
                            of.store(builder.load(sums[r][v]), C, place, r * PANEL_WIDTH + v * registers.width)
            return context.get_dummy_value()

        return signature, generate

    return multiply


def tile_products(registers: Registers) -> Callable[..., Any]:
    """`accumulate_tile` for a processor with these registers."""

    @intrinsic
    def accumulate(_typing: Any, S: Any, layout: Any, tile: Any, rows: Any, first: Any, second: Any) -> Any:
        signature = types.void(S, layout, tile, rows, first, second)

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            values = opened(context, builder, signature.args, arguments)
            S, (begin, row, column), (i0, j0, tile_height, tile_width), (left_rows, right_rows), first, second = values
            of, (most, broadest) = Vectors(builder, registers.width), tile_of(registers)
            zero = ir.Constant(of.kind, [0.0] * of.width)
            corner = address(builder, S, begin, builder.mul(i0, row), builder.mul(j0, column))
            width_of_panel, base = ir.Constant(_INDEX, PANEL_WIDTH), broadest + 1
            size = builder.add(builder.mul(tile_height, ir.Constant(_INDEX, base)), tile_width)
            for case in cases(builder, size, [i * base + j for i in range(1, most + 1) for j in range(1, base)]):
                height, width = divmod(case, base)
                # Each sum has a partial sum in each of its lanes; of few sums there are copies, which take turns.
                copies = max(
                    number for number in (1, 2, _UNROLLED) if number == 1 or number * height * width <= most * broadest
                )
                sums = [[[of.variable(zero) for _ in range(width)] for _ in range(height)] for _ in range(copies)]
                with cgutils.for_range(builder, ir.Constant(_INDEX, 2), intp=_INDEX) as which:
                    later = builder.icmp_signed("!=", which.index, ir.Constant(_INDEX, 0))
                    left, right, start, end = (builder.select(later, *fields) for fields in zip(second, first, strict=True))
                    with cgutils.for_range(builder, end, start=start, intp=_INDEX) as loop:
                        p = builder.mul(builder.add(builder.mul(loop.index, left_rows), i0), width_of_panel)
                        q = builder.mul(builder.add(builder.mul(loop.index, right_rows), j0), width_of_panel)
                        together = min(_UNROLLED * of.width, PANEL_WIDTH)
                        with cgutils.for_range(builder, ir.Constant(_INDEX, PANEL_WIDTH // together), intp=_INDEX) as along:
                            place = builder.mul(along.index, ir.Constant(_INDEX, together))
                            for v in range(together // of.width):
                                lefts = [of.load(left, p, place, i * PANEL_WIDTH + v * of.width) for i in range(height)]
                                rights = [of.load(right, q, place, j * PANEL_WIDTH + v * of.width) for j in range(width)]
                                for i in range(height):
                                    for j in range(width):
                                        of.add_product(sums[v % copies][i][j], lefts[i], rights[j])
                summed = [[of.added([copy[i][j] for copy in sums]) for j in range(width)] for i in range(height)]
                of.add_tile(summed, corner, row, column)
            return context.get_dummy_value()

        return signature, generate

    return accumulate


multiply_rows = row_products(REGISTERS, listed=False)
"""C[r][sample] = start[r] + sum over the first k of A[r, k] B[k][sample], for ``height`` <= `ROWS` rows of panels.

Called with (height, C, start, A, layout, B, number).  Places are C and start; ``layout`` is A's, and of k there are ``number``.
"""

multiply_listed = row_products(REGISTERS, listed=True)
"""The same for the k of a list: called with (height, C, start, A, layout, B, chosen), where ``chosen`` are `Rows` of B."""

accumulate_tile = tile_products(REGISTERS)
"""S[i, j] += sum over panels and samples of left[i] right[j], of the first `Pair` and of the second, in one `Tile`.

Called with (S, layout, tile, rows, first, second); ``rows`` is how many rows the panels of both pairs have, (left, right).
"""
