"""Random streams: sixteen generators side by side, seeded by a name.

Problem.  An instance must see the same random numbers alone, in a sweep and on any thread, and drawing them must not cost more
than using them.

Idea.  Every stream of an instance (its initial weights, its data, its test set) is a function of what the instance *is*: the
name is hashed, and the hash is the state.  No stream depends on how many instances run beside it or in which order.

    state = stream_state("data", root_seed, seed, problem)        # 64 words: 4 per generator, 16 generators

The generator is xoshiro128++: 32 bits, period 2^128 - 1, sixteen of them in vector registers, about a nanosecond for
sixteen numbers.  Sixteen hashed states among 2^128 never overlap in practice.  Its step on the state s0 .. s3 is

    give rotl(s0 + s3, 7) + s0;    t = s1 << 9;    s2 ^= s0;  s3 ^= s1;  s1 ^= s2;  s0 ^= s3;    s2 ^= t;    s3 = rotl(s3, 11)

Source: Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators" (2021).
"""

import hashlib
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from tegum.training.blocks import PANEL_WIDTH, opened

GENERATORS = 16
STATE_SIZE = 4 * GENERATORS

_VECTOR = ir.VectorType(ir.IntType(32), GENERATORS)
_INDEX = ir.IntType(64)


def stream_bytes(*name: object, size: int) -> bytes:
    """``size`` bytes that depend on every part of the name and on nothing else."""
    text = "\x1f".join(repr(part) if not isinstance(part, bytes) else part.hex() for part in name)
    return hashlib.shake_256(text.encode()).digest(size)


def stream_state(*name: object) -> NDArray[np.uint32]:
    """The 64 state words of the sixteen generators of the stream called ``name``: s0 of all of them, then s1, s2, s3."""
    return np.frombuffer(stream_bytes(*name, size=4 * STATE_SIZE), dtype="<u4").astype(np.uint32)


@intrinsic
def fill_random(_typing: Any, stream: Any, words: Any) -> Any:
    """Fills ``words`` with 64 random words, one for each sample of a panel, and advances the stream."""
    signature = types.void(stream, words)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        stream, words = opened(context, builder, signature.args, arguments)

        def vector_at(base: Any, number: Any) -> Any:
            address = builder.gep(base, [builder.mul(number, ir.Constant(_INDEX, GENERATORS))])
            return builder.bitcast(address, _VECTOR.as_pointer())

        def constant(bits: int) -> ir.Constant:
            return ir.Constant(_VECTOR, [bits] * GENERATORS)

        def rotated(x: Any, bits: int) -> Any:
            return builder.or_(builder.shl(x, constant(bits)), builder.lshr(x, constant(32 - bits)))

        homes = [vector_at(stream, ir.Constant(_INDEX, i)) for i in range(4)]
        states = []
        for home in homes:
            value = builder.load(home)
            value.align = 4
            states.append(cgutils.alloca_once_value(builder, value))
        with cgutils.for_range(builder, ir.Constant(_INDEX, PANEL_WIDTH // GENERATORS), intp=_INDEX) as loop:
            s0, s1, s2, s3 = (builder.load(state) for state in states)
            result = builder.add(rotated(builder.add(s0, s3), 7), s0)
            builder.store(result, vector_at(words, loop.index)).align = 4
            shifted = builder.shl(s1, constant(9))
            s2, s3 = builder.xor(s2, s0), builder.xor(s3, s1)
            s1, s0 = builder.xor(s1, s2), builder.xor(s0, s3)
            s2, s3 = builder.xor(s2, shifted), rotated(s3, 11)
            for state, value in zip(states, (s0, s1, s2, s3), strict=True):
                builder.store(value, state)
        for home, state in zip(homes, states, strict=True):
            builder.store(builder.load(state), home).align = 4
        return context.get_dummy_value()

    return signature, generate
