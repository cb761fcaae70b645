"""Drawing one panel of 64 samples: sixteen generators fill a row at a time.

Problem.  Most features are inactive in most samples, and a sample must cost no more than the few operations that use it.

Idea.  One word decides everything about a feature in a sample:

    r = the word's low 31 bits        active where 0 <= r - low <= span        magnitude (r - low + 1/2) / (span + 1)

Given that the feature is active, r is uniform on its interval, so the same word says whether and how strongly; the 32nd bit is
the sign.  Densities are exact to 2^-31.  Mutually exclusive features share a word and have intervals beside each other.
Members of a correlated set share the set's word for *whether* and draw words of their own for *how strongly*.

Example.  Density 1/4 is low = 0, span = 2^29 - 1: the word 2^28 is active with magnitude 1/2, the word 2^30 is inactive.

k-sparse features are chosen one after the other, feature i with probability (still to choose) / (still to see), again with one
word each: selection sampling.
Source: Knuth, "The Art of Computer Programming", volume 2, section 3.4.2, algorithm S.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tegum.compilation import apart_from_callers, copied_into_callers, inlined, inner
from tegum.training.arrays import FeatureNumbers, Scratch
from tegum.training.blocks import PANEL_WIDTH, Floats, Indices, Words, cases, opened
from tegum.training.randomness import GENERATORS, VECTOR, Generators, fill_random, spread
from tegum.training.vectors import Vectors, number_at

_LOW_BITS = np.uint32(0x7FFFFFFF)
_SIGN_BIT = np.uint32(0x80000000)
_ZERO = np.float32(0)
_HALF = np.float32(0.5)
_UNIT = np.float32(2.0**-31)
_SMALL, _LARGE = np.float32(1e-24), np.float32(1e30)
"""Between these, sums of squares in single precision have lost nothing that counts."""

# In the rows below every operation is cast to 32 bits: Numba promotes integers to 64, which halves the speed.  A word's low
# bits less `low` may be negative: seen as unsigned that is more than any span, so that one comparison tests both ends.


@copied_into_callers
@inner
def _row_alone(row: Floats, low: np.int32, span: np.uint32, scale: np.float32, words: Words) -> None:
    for sample in range(PANEL_WIDTH):
        above = np.int32(np.int32(words[sample] & _LOW_BITS) - low)
        active = np.uint32(above) <= span
        magnitude = np.float32((np.float32(above) + _HALF) * scale)
        row[sample] = magnitude if active else _ZERO


@intrinsic
def _draw_alone(_typing: Any, rows: Any, number: Any, span: Any, scale: Any, signed: Any, stream: Any) -> Any:
    """What `fill_random`, `_row_alone` and `_apply_signs` do, for so many rows of a panel: the words stay in registers.

    All intervals begin at 0.
    """
    signature = types.void(rows, types.int64, span, scale, types.int64, stream)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        rows, number, span, scale, signed, stream = opened(context, builder, signature.args, arguments)
        vectors, index = Vectors(builder, GENERATORS), ir.IntType(64)
        lanes = vectors.kind
        half, zero = (ir.Constant(lanes, [number] * GENERATORS) for number in (0.5, 0.0))
        for has_sign in cases(builder, signed, (0, 1)):
            generators = Generators(builder, stream)
            with cgutils.for_range(builder, number, intp=index) as loop:
                width = vectors.broadcast(number_at(builder, span, loop.index))
                factor = vectors.broadcast(number_at(builder, scale, loop.index))
                for v in range(PANEL_WIDTH // GENERATORS):
                    word = generators.words()
                    low_bits = builder.and_(word, spread(int(_LOW_BITS)))
                    magnitude = builder.fmul(builder.fadd(builder.sitofp(low_bits, lanes), half), factor)
                    drawn = builder.select(builder.icmp_signed("<=", low_bits, width), magnitude, zero)
                    if has_sign:
                        sign = builder.and_(word, spread(int(_SIGN_BIT)))
                        drawn = builder.bitcast(builder.xor(builder.bitcast(drawn, VECTOR), sign), lanes)
                    vectors.store(drawn, rows, builder.mul(loop.index, index(PANEL_WIDTH)), v * GENERATORS)
            generators.put_back()
        return context.get_dummy_value()

    return signature, generate


@inner
def _row_of_set(row: Floats, low: np.int32, span: np.uint32, scale: np.float32, words: Words, own_words: Words) -> None:
    for sample in range(PANEL_WIDTH):
        active = np.uint32(np.int32(np.int32(words[sample] & _LOW_BITS) - low)) <= span
        magnitude = np.float32((np.float32(np.int32(own_words[sample] & _LOW_BITS)) + _HALF) * scale)
        row[sample] = magnitude if active else _ZERO


@inner
def _row_k_sparse(row: Floats, unseen: int, remaining: Indices, words: Words) -> None:
    share = np.float32(np.float32(1) / np.float32(unseen))
    for sample in range(PANEL_WIDTH):
        u = np.float32((np.float32(np.int32(words[sample] & _LOW_BITS)) + _HALF) * _UNIT)
        chance = np.float32(np.float32(remaining[sample]) * share)
        active = (u <= chance) & (remaining[sample] > 0)
        row[sample] = np.float32(u / chance) if active else _ZERO  # uniform, given that it is chosen
        remaining[sample] = np.int32(remaining[sample] - np.int32(active))


@apart_from_callers
@inner
def _apply_law(row: Floats, law: int, value: np.float32, low: np.float32) -> None:
    """Turns uniform magnitudes in (0, 1] into exponential (1), constant (2) or other uniform (3) ones; 0, inactive, stays 0."""
    if law == 1:
        for sample in range(PANEL_WIDTH):
            u = row[sample]
            if u > _ZERO:
                row[sample] = np.float32(-value * np.log(u))
    elif law == 3:
        for sample in range(PANEL_WIDTH):
            u = row[sample]
            row[sample] = np.float32(low + value * u) if u > _ZERO else _ZERO
    else:
        for sample in range(PANEL_WIDTH):
            row[sample] = value if row[sample] > _ZERO else _ZERO


@inner
def _apply_signs(row: Floats, words: Words) -> None:
    for sample in range(PANEL_WIDTH):
        x = row[sample]
        row[sample] = np.float32(-x) if words[sample] & _SIGN_BIT else x


@inlined
def draw_panel(features: FeatureNumbers, stream: Words, scratch: Scratch, p: int) -> None:
    """Fills panel p of the inputs with samples of the features and advances the stream."""
    _draw_panel(features, stream, scratch, p)
    if features.unit_length:
        _scale_panel(scratch.inputs[p], scratch.push)


@apart_from_callers
@inner
def _scale_panel(inputs: Floats, factor: Floats) -> None:
    """Divides every sample by its norm; ``factor`` (64,) is memory."""
    for sample in range(PANEL_WIDTH):
        factor[sample] = _ZERO
    for i in range(inputs.shape[0]):
        for sample in range(PANEL_WIDTH):
            x = inputs[i, sample]
            factor[sample] = np.float32(factor[sample] + x * x)
    for sample in range(PANEL_WIDTH):
        square = factor[sample]
        if _SMALL < square < _LARGE:
            factor[sample] = np.float32(np.float32(1) / np.float32(np.sqrt(square)))
        else:
            factor[sample] = np.float32(1)
            _scale_one(inputs, sample)
    for i in range(inputs.shape[0]):
        for sample in range(PANEL_WIDTH):
            inputs[i, sample] = np.float32(inputs[i, sample] * factor[sample])


@inner
def _scale_one(inputs: Floats, sample: int) -> None:
    """Divides a sample by its norm where single precision is too narrow for squares; one of nothing stays."""
    square = 0.0
    for i in range(inputs.shape[0]):
        square += np.float64(inputs[i, sample]) ** 2
    scale = 1 / np.sqrt(square) if square > 0 else 0.0
    for i in range(inputs.shape[0]):
        inputs[i, sample] = np.float32(scale * inputs[i, sample])


@inlined
def _draw_panel(features: FeatureNumbers, stream: Words, scratch: Scratch, p: int) -> None:
    inputs = scratch.inputs[p]
    if features.all_alone and (features.law == 0 or not features.signed):
        _draw_alone(inputs, inputs.shape[0], features.span, features.scale, features.signed, stream)
        for i in range(inputs.shape[0] if features.law > 0 else 0):
            _apply_law(inputs[i], features.law, features.law_value, features.law_low)
    else:
        _draw_rows(inputs, features, stream, scratch.words, scratch.own_words, scratch.remaining)


@apart_from_callers
@inner
def _draw_rows(
    inputs: Floats, features: FeatureNumbers, stream: Words, words: Words, own_words: Words, remaining: Indices
) -> None:
    n, n_active = inputs.shape[0], features.n_active
    if n_active > 0:
        for sample in range(PANEL_WIDTH):
            remaining[sample] = np.int32(n_active)
    for i in range(n):
        row = inputs[i]
        if features.begins_block[i]:
            fill_random(stream, words)
        signs = words
        if n_active > 0:
            _row_k_sparse(row, n - i, remaining, words)
        elif features.alone[i]:
            _row_alone(row, features.low[i], features.span[i], features.scale[i], words)
        else:
            fill_random(stream, own_words)
            signs = own_words
            _row_of_set(row, features.low[i], features.span[i], features.scale[i], words, own_words)
        if features.law > 0:
            _apply_law(row, features.law, features.law_value, features.law_low)
        if features.signed:
            _apply_signs(row, signs)


@apart_from_callers
@inner
def gather_panel(data_set: Floats, size: int, whole: int, first: int, stream: Words, words: Words, inputs: Floats) -> None:
    """Fills a panel of inputs from a data set of so many samples.

    A batch that is the ``whole`` set is its samples from ``first`` on, a panel as it is stored; what stands past the end the
    caller must drop.  Another batch is drawn at random: a word times the set's size, divided by 2^32.
    """
    if whole:
        for i in range(inputs.shape[0]):
            for sample in range(PANEL_WIDTH):
                inputs[i, sample] = data_set[first // PANEL_WIDTH, i, sample]
        return
    fill_random(stream, words)
    for sample in range(PANEL_WIDTH):
        drawn = (np.int64(words[sample]) * size) >> 32
        for i in range(inputs.shape[0]):
            inputs[i, sample] = data_set[drawn // PANEL_WIDTH, i, drawn % PANEL_WIDTH]
