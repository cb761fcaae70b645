"""Register-blocked products of a panel of samples: the arithmetic that training spends its time on.

Problem.  A panel holds `LANES` = 64 samples as rows of 64 neighbouring floats, ``panel[row][lane]``.  Training needs two
products of panels, and a compiler given plain loops reaches a fifth of the machine's peak with them, because every
partial sum travels to memory and back:

    multiply     C[r][lane] = start[r] + sum_j A[r, list[j]] B[list[j]][lane]     a small matrix times a panel
    accumulate   S[p, q]   += sum_lane P[p][lane] Q[q][lane] + ...                two panels to a small matrix (a gradient)

Idea.  Keep a block of partial sums in vector registers for the whole sum: 5 rows x 64 lanes (20 registers of 16 floats)
for `multiply`, 4 x 4 vectors for `accumulate`, whose 16 vectors are then folded into 16 numbers by a tree of shuffles.
The blocks are written as LLVM instructions on ``<16 x float>``; LLVM splits these for machines with narrower
registers, where `multiply` takes 16 lanes at a time so that its block still fits.  ``list`` names the rows to sum over,
which lets a caller skip features that are silent in a panel.

The functions made here are Numba intrinsics: they can be called from compiled code only and check nothing.
Source: the register blocking of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
"""

from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WIDTH = 16
LANES = 64
VECTORS = LANES // WIDTH
ROWS = 5
SIDE = 4

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, WIDTH)
_INDEX = ir.IntType(64)
_I32 = ir.IntType(32)


def _registers_hold_a_whole_panel() -> bool:
    """True where 20 accumulators of 16 floats fit the vector registers (32 of 512 bits)."""
    return bool(binding.get_host_cpu_features().get("avx512f", False))


STRIPE = VECTORS if _registers_hold_a_whole_panel() else 1
"""How many vectors of a panel `multiply` keeps in registers at once."""


def _index(value: int) -> ir.Constant:
    return ir.Constant(_INDEX, value)


def _at(builder: ir.IRBuilder, base: Any, *terms: Any) -> Any:
    """The address of element ``sum(terms)``."""
    offset = terms[0]
    for term in terms[1:]:
        offset = builder.add(offset, term)
    return builder.gep(base, [offset])


def _load(builder: ir.IRBuilder, address: Any) -> Any:
    value = builder.load(builder.bitcast(address, _VECTOR.as_pointer()))
    value.align = 4
    return value


def _store(builder: ir.IRBuilder, value: Any, address: Any) -> None:
    builder.store(value, builder.bitcast(address, _VECTOR.as_pointer())).align = 4


def _shuffle(builder: ir.IRBuilder, first: Any, second: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_I32, len(lanes)), lanes))


def _broadcast(builder: ir.IRBuilder, scalar: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    single = builder.insert_element(undefined, scalar, ir.Constant(_I32, 0))
    return _shuffle(builder, single, undefined, [0] * WIDTH)


def _multiply_add(builder: ir.IRBuilder, x: Any, y: Any, z: Any) -> Any:
    """X y + z with one rounding."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{WIDTH}f32")
    return builder.call(function, [x, y, z])


def _pointers(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> list[Any]:
    """The arguments, arrays replaced by the address of their first element."""
    return [
        context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


def _fold(builder: ir.IRBuilder, vectors: list[Any]) -> Any:
    """One vector whose lane p is the sum of the lanes of ``vectors[p]`` (16 of them), by a tree of 15 additions."""
    group = WIDTH
    while len(vectors) > 1:
        half = group // 2
        starts = range(0, WIDTH, group)
        low = [start + lane for start in starts for lane in range(half)]
        high = [lane + half for lane in low]
        low, high = low + [WIDTH + lane for lane in low], high + [WIDTH + lane for lane in high]
        vectors = [
            builder.fadd(_shuffle(builder, a, b, low), _shuffle(builder, a, b, high))
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
        group = half
    return vectors[0]


def make_multiply(rows: int) -> Callable[..., None]:
    """The intrinsic that writes ``rows`` rows of start + A B to C, for the lanes of one stripe."""

    @intrinsic
    def multiply(
        _typing: Any,
        C: Any,
        c: Any,
        start: Any,
        s: Any,
        A: Any,
        a: Any,
        row: Any,
        column: Any,
        B: Any,
        b: Any,
        chosen: Any,
        count: Any,
    ) -> Any:
        """C[c + r LANES + lane] = start[s + r] + sum_j A[a + r row + k column] B[b + k LANES + lane], k = chosen[j]."""
        i64 = types.int64
        signature = types.void(C, i64, start, i64, A, i64, i64, i64, B, i64, chosen, i64)

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            C, c, start, s, A, a, row, column, B, b, chosen, count = _pointers(context, builder, signature, arguments)
            firsts = [_broadcast(builder, builder.load(_at(builder, start, s, _index(r)))) for r in range(rows)]
            sums = [[cgutils.alloca_once_value(builder, first) for _ in range(STRIPE)] for first in firsts]
            starts = [builder.add(a, builder.mul(row, _index(r))) for r in range(rows)]
            with cgutils.for_range(builder, count, intp=_INDEX) as loop:
                k = builder.sext(builder.load(_at(builder, chosen, loop.index)), _INDEX)
                samples = builder.add(b, builder.mul(k, _index(LANES)))
                loaded = [_load(builder, _at(builder, B, samples, _index(v * WIDTH))) for v in range(STRIPE)]
                for r in range(rows):
                    weight = _broadcast(builder, builder.load(_at(builder, A, starts[r], builder.mul(k, column))))
                    for v in range(STRIPE):
                        builder.store(_multiply_add(builder, weight, loaded[v], builder.load(sums[r][v])), sums[r][v])
            for r in range(rows):
                for v in range(STRIPE):
                    _store(builder, builder.load(sums[r][v]), _at(builder, C, c, _index(r * LANES + v * WIDTH)))
            return context.get_dummy_value()

        return signature, generate

    return multiply


def make_accumulate(height: int, width: int) -> Callable[..., None]:
    """The intrinsic that sums ``height`` x ``width`` products of rows over the lanes of several panels."""

    @intrinsic
    def accumulate(
        _typing: Any,
        S: Any,
        s: Any,
        row: Any,
        column: Any,
        P: Any,
        p: Any,
        p_step: Any,
        Q: Any,
        q: Any,
        q_step: Any,
        panels: Any,
        P2: Any,
        Q2: Any,
        panels2: Any,
    ) -> Any:
        """S[s + i row + j column] += sum over panels and lanes of P[p + i] Q[q + j], and the same of P2 Q2."""
        i64 = types.int64
        signature = types.void(S, i64, i64, i64, P, i64, i64, Q, i64, i64, i64, P2, Q2, i64)

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            S, s, row, column, P, p, p_step, Q, q, q_step, panels, P2, Q2, panels2 = _pointers(
                context, builder, signature, arguments
            )
            zero = ir.Constant(_VECTOR, [0.0] * WIDTH)
            sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(width)] for _ in range(height)]
            for left, right, count in ((P, Q, panels), (P2, Q2, panels2)):
                with cgutils.for_range(builder, count, intp=_INDEX) as loop:
                    p_at = builder.add(p, builder.mul(loop.index, p_step))
                    q_at = builder.add(q, builder.mul(loop.index, q_step))
                    for v in range(VECTORS):
                        rows = [_load(builder, _at(builder, left, p_at, _index(i * LANES + v * WIDTH))) for i in range(height)]
                        columns = [
                            _load(builder, _at(builder, right, q_at, _index(j * LANES + v * WIDTH))) for j in range(width)
                        ]
                        for i in range(height):
                            for j in range(width):
                                builder.store(_multiply_add(builder, rows[i], columns[j], builder.load(sums[i][j])), sums[i][j])
            totals = [builder.load(total) for line in sums for total in line]
            folded = _fold(builder, totals + [zero] * (WIDTH - len(totals)))
            for i in range(height):
                for j in range(width):
                    target = _at(builder, S, s, builder.mul(row, _index(i)), builder.mul(column, _index(j)))
                    total = builder.extract_element(folded, ir.Constant(_I32, i * width + j))
                    builder.store(builder.fadd(builder.load(target), total), target)
            return context.get_dummy_value()

        return signature, generate

    return accumulate
