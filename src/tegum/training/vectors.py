"""Instructions on vectors of floats, as intrinsics of the engine are made of.

Problem.  LLVM's instructions on vectors name registers, types and shuffles; what the engine means by them is a few operations.

Idea.  `Vectors` has these, for one width.  A sum that a loop adds to is a variable, which LLVM keeps in a register.  Sums of a
gradient are vectors of partial sums, which a tree of shuffles folds into numbers, a vector of them from as many vectors.

Example.  ``a`` and ``b`` of 2 lanes each fold into the vector (a0 + a1, b0 + b1): shuffled, a0 b0 and a1 b1, and added.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils

_INDEX, _I32 = ir.IntType(64), ir.IntType(32)
_LANES = 4  # of the narrowest registers


def address(builder: ir.IRBuilder, base: Any, *terms: Any) -> Any:
    """The address of element ``sum(terms)``."""
    for term in terms:
        base = builder.gep(base, [ir.Constant(_INDEX, term) if isinstance(term, int) else term])
    return base


def number_at(builder: ir.IRBuilder, base: Any, *terms: Any) -> Any:
    """Element ``sum(terms)``."""
    return builder.load(address(builder, base, *terms))


class Vectors:
    """Instructions on vectors of so many floats."""

    def __init__(self, builder: ir.IRBuilder, width: int) -> None:
        self.builder, self.width = builder, width
        self.kind = ir.VectorType(ir.FloatType(), width)

    def load(self, base: Any, *terms: Any) -> Any:
        """The vector that begins at element ``sum(terms)``."""
        value = self.builder.load(self.builder.bitcast(address(self.builder, base, *terms), self.kind.as_pointer()))
        value.align = 4
        return value

    def store(self, value: Any, base: Any, *terms: Any) -> None:
        """Writes a vector to where element ``sum(terms)`` is."""
        self.builder.store(value, self.builder.bitcast(address(self.builder, base, *terms), self.kind.as_pointer())).align = 4

    def broadcast(self, number: Any) -> Any:
        """The vector that has a number, a float or a 32-bit integer, in all lanes."""
        undefined = ir.Constant(ir.VectorType(number.type, self.width), ir.Undefined)
        single = self.builder.insert_element(undefined, number, ir.Constant(_I32, 0))
        return self._shuffle(single, undefined, [0] * self.width)

    def variable(self, value: Any) -> Any:
        """A variable on the stack, which LLVM keeps in a register."""
        return cgutils.alloca_once_value(self.builder, value)

    def add_product(self, variable: Any, x: Any, y: Any) -> None:
        """Adds x y to a variable, with one rounding where the processor can."""
        kind = ir.FunctionType(self.kind, [self.kind] * 3)
        multiply_add = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.fmuladd.v{self.width}f32")
        self.builder.store(self.builder.call(multiply_add, [x, y, self.builder.load(variable)]), variable)

    def added(self, variables: list[Any]) -> Any:
        """The sum of some variables, 1, 2, 4, ... of them."""
        values = [self.builder.load(variable) for variable in variables]
        while len(values) > 1:
            values = [self.builder.fadd(a, b) for a, b in zip(values[::2], values[1::2], strict=True)]
        return values[0]

    def add_tile(self, tile: list[list[Any]], corner: Any, row: Any, column: Any) -> None:
        """Adds the sum of the lanes of ``tile[i][j]`` to the number i times ``row`` and j times ``column`` from the corner on.

        Four numbers that are one piece of memory are added at once: columns, or rows where the tile is one vector.
        """
        height, width = len(tile), len(tile[0])
        folded = self._folded([tile[i][j] for j in range(width) for i in range(height)])
        if height != _LANES:
            self._add_numbers(folded, height, width, corner, row, column)
            return
        with self._where_one(row) as (columns_in_one, other):
            with columns_in_one:
                self._add_lanes(folded, width, corner, column)
            with other:
                if width != _LANES or len(folded) > 1:
                    self._add_numbers(folded, height, width, corner, row, column)
                    return
                with self._where_one(column) as (rows_in_one, scattered):
                    with rows_in_one:
                        turned = [i + j * height for i in range(height) for j in range(width)]
                        self._add_lanes([self._shuffle(folded[0], folded[0], turned)], height, corner, row)
                    with scattered:
                        self._add_numbers(folded, height, width, corner, row, column)

    def _where_one(self, number: Any) -> Any:
        return self.builder.if_else(self.builder.icmp_signed("==", number, ir.Constant(_INDEX, 1)))

    def _folded(self, vectors: list[Any]) -> list[Any]:
        """Vectors whose lanes, one after the other, are the sums of the lanes of each of the given ones."""
        zeros = [ir.Constant(self.kind, [0.0] * self.width)] * (-len(vectors) % self.width)
        padded = vectors + zeros
        return [self._fold(padded[k : k + self.width]) for k in range(0, len(padded), self.width)]

    def _add_numbers(self, folded: list[Any], height: int, width: int, corner: Any, row: Any, column: Any) -> None:
        """Adds the lanes, ``height`` for each column, to numbers that lie anywhere."""
        build = self.builder
        for k in range(height * width):
            (which, lane), (j, i) = divmod(k, self.width), divmod(k, height)
            apart = [build.mul(step, ir.Constant(_INDEX, steps)) for step, steps in ((row, i), (column, j))]
            target, number = address(build, corner, *apart), build.extract_element(folded[which], ir.Constant(_I32, lane))
            build.store(build.fadd(build.load(target), number), target)

    def _add_lanes(self, folded: list[Any], groups: int, corner: Any, step: Any) -> None:
        """Adds groups of `_LANES` lanes to as many numbers from the corner on, a step further for each group."""
        few = Vectors(self.builder, _LANES)
        for group in range(groups):
            which, lane = divmod(group * _LANES, self.width)
            lanes = self._shuffle(folded[which], folded[which], list(range(lane, lane + _LANES)))
            target = address(self.builder, corner, self.builder.mul(step, ir.Constant(_INDEX, group)))
            few.store(self.builder.fadd(few.load(target), lanes), target)

    def add_total(self, vector: Any, target: Any) -> None:
        """Adds the sum of the lanes of one vector, in an order that the processor likes, to a number in memory."""
        self.builder.store(self.builder.fadd(self.builder.load(target), self._total(vector)), target)

    def _total(self, vector: Any) -> Any:
        kind = ir.FunctionType(ir.FloatType(), [ir.FloatType(), self.kind])
        reduce = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.vector.reduce.fadd.v{self.width}f32")
        return self.builder.call(reduce, [ir.Constant(ir.FloatType(), 0.0), vector], fastmath=("reassoc",))

    def _fold(self, vectors: list[Any]) -> Any:
        """One vector whose lane p is the sum of the lanes of ``vectors[p]``, as many as it has lanes, by a tree of additions.

        Each round adds the two halves of every group of lanes and packs what is left of two vectors into one:

            a = a0 .. a15, b = b0 .. b15    ->    a0+a8 .. a7+a15, b0+b8 .. b7+b15    ->    groups of 4    ->    2    ->    1
        """
        group = self.width
        while len(vectors) > 1:
            half = group // 2
            low = [start + lane for start in range(0, self.width, group) for lane in range(half)]
            low += [self.width + lane for lane in low]
            high = [lane + half for lane in low]
            vectors = [
                self.builder.fadd(self._shuffle(a, b, low), self._shuffle(a, b, high))
                for a, b in zip(vectors[::2], vectors[1::2], strict=True)
            ]
            group = half
        return vectors[0]

    def _shuffle(self, first: Any, second: Any, lanes: list[int]) -> Any:
        """The vector of the given lanes of two vectors, those of the second counted on from the width."""
        return self.builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_I32, len(lanes)), lanes))
