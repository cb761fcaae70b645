"""Random streams: sixteen generators side by side, seeded by a name.

Every stream of an instance (its first weights, its data, its test set) is a function of what the instance *is*: the
name is hashed, and the hash is the state.  No stream depends on how many instances run beside it or in which order.

    state = stream_state("data", root_seed, seed, problem)        # 64 words: 4 per generator, 16 generators

The generator is xoshiro128++ (Blackman and Vigna 2021): 32 bits, period 2^128 - 1, sixteen of them in vector
registers, about a nanosecond for sixteen numbers.  Sixteen hashed states among 2^128 never overlap in practice.
"""

import hashlib
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from tegum.training.blocks import WIDTH

WORDS = 4
STATE_SIZE = WORDS * WIDTH

_WORD = ir.IntType(32)
_VECTOR = ir.VectorType(_WORD, WIDTH)
_INDEX = ir.IntType(64)


def stream_bytes(*name: object, size: int) -> bytes:
    """``size`` bytes that depend on every part of the name and on nothing else."""
    text = "\x1f".join(repr(part) if not isinstance(part, bytes) else part.hex() for part in name)
    return hashlib.shake_256(text.encode()).digest(size)


def stream_state(*name: object) -> NDArray[np.uint32]:
    """The 64 state words of the sixteen generators of the stream called ``name``."""
    return np.frombuffer(stream_bytes(*name, size=4 * STATE_SIZE), dtype="<u4").astype(np.uint32)


def _constant(value: int) -> ir.Constant:
    return ir.Constant(_VECTOR, [value] * WIDTH)


@intrinsic
def fill_random(_typing: Any, state: Any, s: Any, out: Any, o: Any, vectors: Any) -> Any:
    """Writes ``vectors`` x 16 random words to ``out[o:]`` and advances the state at ``state[s:s + 64]``."""
    signature = types.void(state, types.int64, out, types.int64, types.int64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        state, s, out, o, vectors = arguments
        state = context.make_array(signature.args[0])(context, builder, state).data
        out = context.make_array(signature.args[2])(context, builder, out).data

        def address(base: Any, *terms: Any) -> Any:
            offset = terms[0]
            for term in terms[1:]:
                offset = builder.add(offset, term)
            return builder.bitcast(builder.gep(base, [offset]), _VECTOR.as_pointer())

        def rotated(x: Any, bits: int) -> Any:
            return builder.or_(builder.shl(x, _constant(bits)), builder.lshr(x, _constant(32 - bits)))

        homes = [address(state, s, ir.Constant(_INDEX, word * WIDTH)) for word in range(WORDS)]
        words = []
        for home in homes:
            value = builder.load(home)
            value.align = 4
            words.append(cgutils.alloca_once_value(builder, value))
        with cgutils.for_range(builder, vectors, intp=_INDEX) as loop:
            s0, s1, s2, s3 = (builder.load(word) for word in words)
            result = builder.add(rotated(builder.add(s0, s3), 7), s0)
            target = address(out, o, builder.mul(loop.index, ir.Constant(_INDEX, WIDTH)))
            builder.store(result, target).align = 4
            shifted = builder.shl(s1, _constant(9))
            s2, s3 = builder.xor(s2, s0), builder.xor(s3, s1)
            s1, s0 = builder.xor(s1, s2), builder.xor(s0, s3)
            s2, s3 = builder.xor(s2, shifted), rotated(s3, 11)
            for word, value in zip(words, (s0, s1, s2, s3), strict=True):
                builder.store(value, word)
        for home, word in zip(homes, words, strict=True):
            builder.store(builder.load(word), home).align = 4
        return context.get_dummy_value()

    return signature, generate
