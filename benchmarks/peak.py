"""What this machine can do at most: fused multiply-adds a second, on registers alone, all cores."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tegum.processor import registers

WIDTH, CHAINS = registers().width, registers().number * 3 // 4
"""Floats in a register, and as many registers as leave some for the two that all chains share."""


@intrinsic
def _chains(_typing: Any, rounds: Any) -> Any:
    """`CHAINS` independent chains of ``rounds`` fused multiply-adds on vectors of `WIDTH` floats."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(ir.FloatType(), WIDTH)
        kind = ir.FunctionType(vector, [vector] * 3)
        fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{WIDTH}f32")
        factor, offset = ir.Constant(vector, [0.999] * WIDTH), ir.Constant(vector, [0.001] * WIDTH)
        sums = [cgutils.alloca_once_value(builder, ir.Constant(vector, [float(i)] * WIDTH)) for i in range(CHAINS)]
        with cgutils.for_range(builder, arguments[0], intp=ir.IntType(64)):
            for total in sums:
                builder.store(builder.call(fma, [builder.load(total), factor, offset]), total)
        result = builder.load(sums[0])
        for total in sums[1:]:
            result = builder.fadd(result, builder.load(total))
        return builder.extract_element(result, ir.Constant(ir.IntType(32), 0))

    return types.float32(types.int64), generate


@numba.njit(nogil=True)
def _run(rounds: int) -> float:
    return _chains(rounds)


def _rate(rounds: int) -> float:
    """GFLOP/s of this thread, by the time that it works: other programs may take turns with it."""
    began = time.thread_time()
    _run(rounds)
    return 2 * WIDTH * CHAINS * rounds / (time.thread_time() - began) / 1e9


def peak_gigaflops(threads: int) -> float:
    """Single-precision GFLOP/s of fused multiply-adds on ``threads`` cores, the best of five runs."""
    rounds = 3_000_000
    _run(1)
    with ThreadPoolExecutor(threads) as executor:
        return max(sum(executor.map(_rate, [rounds] * threads)) for _ in range(5))
