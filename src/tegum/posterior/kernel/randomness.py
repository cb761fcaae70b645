"""Random numbers of a chain in compiled code: xoshiro256++ for words, Box and Muller's transform for normal ones.

A stream is four 64-bit words, a hash of what the chain is (`stream_for`): the same numbers alone, beside others, on any thread.

    give rotl(s0 + s3, 23) + s0;    t = s1 << 17;    s2 ^= s0;  s3 ^= s1;  s1 ^= s2;  s0 ^= s3;    s2 ^= t;    s3 = rotl(s3, 45)

Sources: Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators" (2021); Box and Muller (1958).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled, copied_into_callers, inlined
from tegum.training.randomness import stream_bytes

_LOW, _MIDDLE, _HIGH, _TURN, _REST = np.uint64(17), np.uint64(23), np.uint64(45), np.uint64(41), np.uint64(19)
_MANTISSA = np.uint64(11)
_UNIT, _HALF_UNIT = 2.0**-53, 2.0**-54
_TWO_PI = 2 * math.pi


def stream_for(*name: object) -> NDArray[np.uint64]:
    """The four words of the stream called ``name``."""
    return np.frombuffer(stream_bytes("posterior", *name, size=32), dtype="<u8").astype(np.uint64)


@copied_into_callers
@compiled
def uniform(stream: Any) -> float:
    """A number strictly between 0 and 1; the stream goes on."""
    s0, s1, s2, s3 = stream[0], stream[1], stream[2], stream[3]
    added = s0 + s3
    word = ((added << _MIDDLE) | (added >> _TURN)) + s0
    shifted = s1 << _LOW
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << _HIGH) | (s3 >> _REST)
    stream[0], stream[1], stream[2], stream[3] = s0, s1, s2, s3
    return float(word >> _MANTISSA) * _UNIT + _HALF_UNIT


@compiled
def fill_normal(stream: Any, noise: Any, count: int) -> None:
    """Writes ``count`` independent standard normal numbers; an odd last one costs as much as two."""
    for k in range(0, count, 2):
        radius = math.sqrt(-2.0 * math.log(uniform(stream)))
        angle = _TWO_PI * uniform(stream)
        noise[k] = radius * math.cos(angle)
        if k + 1 < count:
            noise[k + 1] = radius * math.sin(angle)


@inlined
def chosen(stream: Any, edges: Any, count: int) -> int:
    """An index below ``count`` by its probability; ``edges`` are the cumulative ones, the last taken for 1."""
    u = uniform(stream)
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        if u < edges[middle]:
            high = middle
        else:
            low = middle + 1
    return low
