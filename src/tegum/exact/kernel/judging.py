"""When an inversion has enough terms: its error, judged by how its sums still move, and the next number of terms to look at.

Nothing is lost but the terms after the last one.  With D the farthest that a sum strayed from its last value over the last
quarter of the terms, rounded up to eights, but of the first eight over the last four,

    what is left  <~  max(2.5 D, 12.5 D^2 / D', D' / 16)      after 8 terms: 2 D, after 16: D

and D' the same over the last half.  Sums that fall like 1 / K^a move by (4/3)^a - 1 times what they leave behind, one to five
times for a from 3 to 6.  Slower ones move less, a third of it for a = 1, but then D / D' is larger, too, 1/3, where it is 1/11
for a = 5.5.  What is left oscillates, and so does the last value: over a quarter of the terms it is seldom close by chance.

Terms are looked at after 8, 16, 24, ..., 64, and then four times in an octave: 80, 96, 112, 128, 160, ...

Rows err with signs of their own, unless they are alike.  What a whole model leaves is judged by the sum of their moves
(`tegum.exact.kernel.shares`), for which a row remembers, of each of the eight lanes, how far it strayed.
"""

from typing import Any

import numpy as np

from tegum.compilation import copied_into_callers, inlined, inner
from tegum.exact.kernel.product import SUM, at
from tegum.exact.kernel.records import LARGEST, WHOLE, Effort, Listed, Work
from tegum.exact.kernel.vectors import WIDTH, exponent, farther, farthest, fill, load, store, total
from tegum.exact.kernel.walk import features_of

_FIRST, _CAUTION, _SLOW, _FLOOR = 2.0, 2.5, 5.0, 1 / 16
_FEW = 16
_LAST_HALF = np.repeat([0.0, 1.0], WIDTH // 2)
_REMEMBERED = 2


@inlined
def next_look(k: int) -> int:
    """After how many terms to look next; 8 is the first."""
    return k + max(WIDTH, (1 << exponent(float(k))) // 4)


@inlined
def _moves_of(sums: Any, k: int) -> Any:
    """How far a sum strayed from its last value over the last quarter of k terms, in each lane of the octets there, cautiously.

    ``sums`` are those of the first term, the first two, ...
    """
    last = sums[k - 1]
    octets = (k // 4 + WIDTH - 1) // WIDTH
    moves = fill(0.0)
    for start in range(k - WIDTH * octets, k, WIDTH):
        moves = farther(moves, load(sums, start) - last)
    if k <= _FEW:
        return _FIRST * moves * load(_LAST_HALF, 0) if k == WIDTH else moves
    before = moves
    for start in range(k - WIDTH * ((k // 2 + WIDTH - 1) // WIDTH), k - WIDTH * octets, WIDTH):
        before = farther(before, load(sums, start) - last)
    half, quarter = farthest(before), farthest(moves)
    if quarter == 0:
        return moves
    return max(_CAUTION * max(_SLOW * quarter / half, 1.0), _FLOOR * half / quarter) * moves


@copied_into_callers
@inner
def note_slopes(work: Work, rows: int, blocks: Listed, look: int) -> float:
    """Remembers the derivatives by all listed couplings at a look (0, 1, ...); returns what may be left of one of them.

    It is judged by the moves since the last two looks: a quarter of the terms, or more.
    """
    most = 0.0
    for i in features_of(blocks):
        slope = total(load(work.v, at(rows, SUM, i)))
        here = _REMEMBERED * i
        moved = abs(slope)
        if look > 0:
            moved = abs(slope - work.noted[here + (look - 1) % _REMEMBERED])
        if look > 1:
            moved = max(moved, abs(slope - work.noted[here + look % _REMEMBERED]))
        work.noted[here + look % _REMEMBERED] = slope
        most = max(most, moved)
    return _CAUTION * most


@copied_into_callers
@inner
def errors_after(work: Work, k: int, scale: float, slopes: float, effort: Effort) -> tuple[float, float]:
    """The estimated errors after k terms: of the value, and the largest of its derivatives.

    ``scale`` is that of those by b, ``slopes`` what `note_slopes` says of those by couplings.
    """
    error = farthest(_moves_of(work.sums, k))
    if not effort.gradient:
        return error, 0.0
    return error, max(scale * farthest(_moves_of(work.sums_b, k)), slopes)


@copied_into_callers
@inner
def note_moves(work: Work, k: int, error: float) -> None:
    """Adds to ``work.moves`` how an inversion moved that ended after k terms, and its error."""
    store(work.moves, 0, load(work.moves, 0) + _moves_of(work.sums, k))
    work.moves[WHOLE] += error
    work.moves[LARGEST] = max(work.moves[LARGEST], error)


@inlined
def note_error(work: Work, error: float) -> None:
    """The same of a sum of which only the error is known."""
    store(work.moves, 0, load(work.moves, 0) + error)
    work.moves[WHOLE] += error
    work.moves[LARGEST] = max(work.moves[LARGEST], error)
