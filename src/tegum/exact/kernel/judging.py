"""When an inversion has enough terms: its error, judged by how its sums still move, and the next number of terms to look at.

Nothing is lost but the terms after the last one.  With S the farthest that a sum strayed from its last value over the last
octave (the second half of the terms) and S' the same over the octave before,

    what is left  <~  2 max(S sqrt(S / S'), S' / 64)

Sums that fall like 1 / K^a leave S / (2^a - 1) while sqrt(S / S') = 2^(-a / 2), so this is cautious for every a >= 1, and stays
so where a fast part hides a slow one of less than a third of S; S' / 64 is a floor where S is close by chance.  S alone would
ask for 2 to 3 times the terms.

Terms are looked at after 8, 16, 24, 32, 48, 64, 96, ...: in steps of sqrt(2), so that an octave is two steps.
"""

import math
from typing import Any

from tegum.compilation import compiled, copied_into_callers, inlined
from tegum.exact.kernel.product import SUM, at
from tegum.exact.kernel.records import Effort, Listed, Work
from tegum.exact.kernel.vectors import WIDTH, load, total
from tegum.exact.kernel.walk import features_of

_CAUTION = 2.0
_FLOOR = 1 / 64
_REMEMBERED = 4
_THIRD_LOOK = 16


@inlined
def next_look(k: int) -> int:
    """After how many terms to look next; 8 is the first."""
    if k <= _THIRD_LOOK:
        return k + WIDTH
    return k + k // 2 if k & (k - 1) == 0 else k + k // 3


@inlined
def _left(octave: float, before: float) -> float:
    """What may be left after an octave in which a sum strayed that far, and the octave before that; 0 where that is unknown."""
    if octave >= before:
        return _CAUTION * octave
    return _CAUTION * max(octave * math.sqrt(octave / before), _FLOOR * before)


@inlined
def _left_of(partial: Any, count: int) -> float:
    """What may be left after the last of ``count`` partial sums, one after each eight terms."""
    last = partial[count - 1]
    octave = abs(last) if count == 1 else 0.0
    before = 0.0
    half = max(count // 2 - 1, 0)
    for k in range(half, count - 1):
        octave = max(octave, abs(last - partial[k]))
    for k in range(max(count // 4 - 1, 0), half):
        before = max(before, abs(last - partial[k]))
    return _left(octave, before)


@copied_into_callers
@compiled
def note_slopes(work: Work, rows: int, blocks: Listed, look: int) -> float:
    """Remembers the derivatives by all listed couplings at a look (0, 1, ...); returns what may be left of one of them."""
    most = 0.0
    for i in features_of(blocks):
        slope = total(load(work.v, at(rows, SUM, i)))
        here = _REMEMBERED * i
        octave = abs(slope)
        before = 0.0
        if look > 0:
            octave = abs(slope - work.noted[here + max(look - 2, 0) % _REMEMBERED])
        if look >= _REMEMBERED:
            before = abs(slope - work.noted[here + look % _REMEMBERED])
        work.noted[here + look % _REMEMBERED] = slope
        most = max(most, _left(octave, before))
    return most


@copied_into_callers
@compiled
def errors_after(work: Work, k: int, scale: float, slopes: float, effort: Effort) -> tuple[float, float]:
    """The estimated errors after k terms: of the value, and the largest of its derivatives.

    ``scale`` is that of those by b, ``slopes`` what `note_slopes` says of those by couplings.
    """
    if not effort.gradient:
        return _left_of(work.partial, k // WIDTH), 0.0
    return _left_of(work.partial, k // WIDTH), max(scale * _left_of(work.partial_b, k // WIDTH), slopes)
