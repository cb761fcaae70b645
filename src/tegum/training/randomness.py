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

VECTOR = ir.VectorType(ir.IntType(32), GENERATORS)
_INDEX = ir.IntType(64)


def stream_bytes(*name: object, size: int) -> bytes:
    """``size`` bytes that depend on every part of the name and on nothing else."""
    text = "\x1f".join(repr(part) if not isinstance(part, bytes) else part.hex() for part in name)
    return hashlib.shake_256(text.encode()).digest(size)


def stream_state(*name: object) -> NDArray[np.uint32]:
    """The 64 state words of the sixteen generators of the stream called ``name``: s0 of all of them, then s1, s2, s3."""
    return np.frombuffer(stream_bytes(*name, size=4 * STATE_SIZE), dtype="<u4").astype(np.uint32)


class Generators:
    """Sixteen generators in vector registers, in code that is being made."""

    def __init__(self, builder: ir.IRBuilder, stream: Any) -> None:
        self.builder = builder
        self._homes = [vector_at(builder, stream, ir.Constant(_INDEX, i)) for i in range(4)]
        self._states = [cgutils.alloca_once_value(builder, _loaded(builder, home)) for home in self._homes]

    def words(self) -> Any:
        """The next word of each."""
        build = self.builder
        s0, s1, s2, s3 = (build.load(state) for state in self._states)
        result = build.add(self._rotated(build.add(s0, s3), 7), s0)
        shifted = build.shl(s1, spread(9))
        s2, s3 = build.xor(s2, s0), build.xor(s3, s1)
        s1, s0 = build.xor(s1, s2), build.xor(s0, s3)
        s2, s3 = build.xor(s2, shifted), self._rotated(s3, 11)
        for state, value in zip(self._states, (s0, s1, s2, s3), strict=True):
            build.store(value, state)
        return result

    def put_back(self) -> None:
        """Advances the stream by what was drawn."""
        for home, state in zip(self._homes, self._states, strict=True):
            self.builder.store(self.builder.load(state), home).align = 4

    def _rotated(self, x: Any, bits: int) -> Any:
        return self.builder.or_(self.builder.shl(x, spread(bits)), self.builder.lshr(x, spread(32 - bits)))


def spread(number: int) -> ir.Constant:
    """The vector that has a whole number in all lanes."""
    return ir.Constant(VECTOR, [number] * GENERATORS)


def vector_at(builder: ir.IRBuilder, base: Any, number: Any) -> Any:
    """The address of a vector of words among vectors that follow each other."""
    address = builder.gep(base, [builder.mul(number, ir.Constant(_INDEX, GENERATORS))])
    return builder.bitcast(address, VECTOR.as_pointer())


def _loaded(builder: ir.IRBuilder, address: Any) -> Any:
    value = builder.load(address)
    value.align = 4
    return value


@intrinsic
def fill_random(_typing: Any, stream: Any, words: Any) -> Any:
    """Fills ``words`` with 64 random words, one for each sample of a panel, and advances the stream."""
    signature = types.void(stream, words)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        stream, words = opened(context, builder, signature.args, arguments)
        generators = Generators(builder, stream)
        with cgutils.for_range(builder, ir.Constant(_INDEX, PANEL_WIDTH // GENERATORS), intp=_INDEX) as loop:
            builder.store(generators.words(), vector_at(builder, words, loop.index)).align = 4
        generators.put_back()
        return context.get_dummy_value()

    return signature, generate
