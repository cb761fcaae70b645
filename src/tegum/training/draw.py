"""Drawing one panel of 64 samples: sixteen generators fill a row at a time.

    one word per feature:  r = its low 31 bits,  on where 0 <= r - low <= span,  magnitude (r - low + 1/2) / (span + 1)

Given that it is on, r is uniform on the feature's interval, so the same word decides both whether and how strongly a
feature is on; the 32nd bit is its sign.  Members of a correlated set share the set's word for *whether* and draw words
of their own for *how strongly*.  Densities are exact to 2^-31.  k-sparse features are chosen one after the other,
feature i with probability (still to choose) / (still to see), again with one word each (Knuth's selection sampling).
"""

from typing import Any

import numpy as np

from tegum.compilation import compiled, inlined
from tegum.training.blocks import LANES, VECTORS
from tegum.training.randomness import fill_random

_LOW_BITS = np.uint32(0x7FFFFFFF)
_SIGN_BIT = np.uint32(0x80000000)
_ZERO = np.float32(0)
_HALF = np.float32(0.5)
_UNIT = np.float32(2.0**-31)


@compiled
def _row_alone(X: Any, p: int, i: int, low: Any, span: Any, scale: Any, words: Any) -> None:
    for lane in range(LANES):
        above = np.int32(np.int32(words[lane] & _LOW_BITS) - low)
        on = np.uint32(above) <= span
        magnitude = np.float32((np.float32(above) + _HALF) * scale)
        X[p, i, lane] = magnitude if on else _ZERO


@compiled
def _row_of_set(X: Any, p: int, i: int, low: Any, span: Any, scale: Any, words: Any, own: Any) -> None:
    for lane in range(LANES):
        on = np.uint32(np.int32(np.int32(words[lane] & _LOW_BITS) - low)) <= span
        magnitude = np.float32((np.float32(np.int32(own[lane] & _LOW_BITS)) + _HALF) * scale)
        X[p, i, lane] = magnitude if on else _ZERO


@compiled
def _row_k_sparse(X: Any, p: int, i: int, unseen: Any, remaining: Any, words: Any) -> None:
    share = np.float32(np.float32(1) / np.float32(unseen))
    for lane in range(LANES):
        u = np.float32((np.float32(np.int32(words[lane] & _LOW_BITS)) + _HALF) * _UNIT)
        chance = np.float32(np.float32(remaining[lane]) * share)
        on = (u <= chance) & (remaining[lane] > 0)
        X[p, i, lane] = np.float32(u / chance) if on else _ZERO
        remaining[lane] = np.int32(remaining[lane] - np.int32(on))


@compiled
def _apply_law(X: Any, p: int, i: int, law: int, value: Any) -> None:
    """Turns uniform magnitudes in (0, 1] into exponential (law 1) or constant (law 2) ones; silence stays silence."""
    if law == 1:
        for lane in range(LANES):
            u = X[p, i, lane]
            if u > _ZERO:
                X[p, i, lane] = np.float32(-value * np.log(u))
    else:
        for lane in range(LANES):
            X[p, i, lane] = value if X[p, i, lane] > _ZERO else _ZERO


@compiled
def _apply_signs(X: Any, p: int, i: int, words: Any) -> None:
    for lane in range(LANES):
        x = X[p, i, lane]
        X[p, i, lane] = np.float32(-x) if words[lane] & _SIGN_BIT else x


@inlined
def draw_panel(X: Any, p: int, n: int, world: Any, k: int, stream: Any, words: Any, own: Any, remaining: Any) -> None:
    """Fills X[p, :n, :] with samples of instance k's world and advances its stream."""
    n_active = world.n_active[k]
    if n_active > 0:
        for lane in range(LANES):
            remaining[lane] = np.int32(n_active)
    for i in range(n):
        if world.begins_block[k, i]:
            fill_random(stream, 0, words, 0, VECTORS)
        signs = words
        if n_active > 0:
            _row_k_sparse(X, p, i, n - i, remaining, words)
        elif world.alone[k, i]:
            _row_alone(X, p, i, world.low[k, i], world.span[k, i], world.scale[k, i], words)
        else:
            fill_random(stream, 0, own, 0, VECTORS)
            signs = own
            _row_of_set(X, p, i, world.low[k, i], world.span[k, i], world.scale[k, i], words, own)
        if world.law[k] > 0:
            _apply_law(X, p, i, world.law[k], world.law_value[k])
        if world.signed[k]:
            _apply_signs(X, p, i, signs)


@inlined
def gather_panel(X: Any, p: int, n: int, data: Any, first: int, size: int, whole: int, stream: Any, words: Any) -> None:
    """Fills X[p, :n, :] from a fixed data set: its rows from ``first`` on where ``whole``, else rows drawn at random.

    ``data`` is laid out as panels.  Lanes past the end of the set repeat its last row; the caller weighs them 0.
    """
    if whole == 0:
        fill_random(stream, 0, words, 0, VECTORS)
    for lane in range(LANES):
        row = min(first + lane, size - 1) if whole else (np.int64(words[lane]) * size) >> 32
        start = (row // LANES) * n * LANES + row % LANES
        for i in range(n):
            X[p, i, lane] = data[start + i * LANES]
