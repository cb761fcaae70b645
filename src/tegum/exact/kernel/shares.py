"""How much error each output of a model may have, and how much all of them have together.

Truncation errors e_j of rows, weighted by importance, have signs of their own in most models, and the same sign where rows are
alike.  Both are seen in how the sums of the rows still moved when they ended, M_j in each of eight lanes:

    error  ~  sum_K max |sum_{j with K terms} M_j|,     at most sum_j e_j,     at least sqrt(sum_j e_j^2) / 2

In a first pass rows come one by one and the loss is not yet known.  It is expected to be that of the rows so far and half as
much for each to come, T is 0.9 tol times it, and a row may take

    apart    the root of twice its part, at most 0.7, of T^2 / 1.8^2 less the squares so far: the worst of eight sums with signs
             of their own is about 1.8 times the root of their squares
    alike    1.2 times its part of T less the sum M of the moves so far

but 0.3 T / n at least, or apart^(1 - c) alike^c between them where moves correlate: k rows with a sum of squares Q have
M^2 = Q (1.8^2 + c (k - 1)).  Where in the end all rows together are above tol times the loss, some
are taken again, to a third of an error that all of them may have, the first ones first, until the others may stay.  That costs
more than it saves where it is frequent: a fifth of the models need it.

All terms of all passes are 1.49 times the fewest that hold the loss; with shares for rows apart alone, and all rows above an
error taken again, they are more, where outputs are alike twice as many.  Equal shares and errors that add up ask for more yet.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled, inlined
from tegum.exact.kernel.vectors import WIDTH, farthest, load, pointer

_UNSEEN = 0.5
_GENEROUS, _MOST_OF_IT, _LEAST = 2.0, 0.7, 0.3
_WORST_LANE, _GENEROUS_TO_ALIKE = 1.8, 1.2
_BY_CHANCE, _ALIKE = 0.5, 0.7
_FINER, _FINE = 0.9, 1 / 3
_SHORT_OF_GOAL = 0.9


class Rows(NamedTuple):
    """What was found of every row, weighted by its importance.

    Attributes:
        slope: (n * n,) the derivatives by its couplings, without the weight.
        moves: ((n + 1) * 8,) how its sums still moved, see `tegum.exact.kernel.judging`; last, those of a pass added up.
        error: (n,) what it may be off for want of terms.
        rounding: (n,) the same by rounding.
        error_b: (n,) the largest error of its derivatives.
        terms: (n,) those of its costliest inversion.
        spent: (n,) these of every pass added up.
        parts: (n,) its error as a multiple of that of the worst of its inversions.
    """

    slope: NDArray[np.float64]
    moves: NDArray[np.float64]
    error: NDArray[np.float64]
    rounding: NDArray[np.float64]
    error_b: NDArray[np.float64]
    terms: NDArray[np.int64]
    spent: NDArray[np.int64]
    parts: NDArray[np.float64]


class Spent(NamedTuple):
    """A pass on its way: rows done and left, their loss, and the squares of their errors."""

    done: int
    left: int
    loss: float
    squares: float


def rows_for(n: int) -> Rows:
    """Fresh memory for n rows."""
    return Rows(
        slope=np.zeros(n * n),
        moves=np.zeros((n + 1) * WIDTH),
        error=np.zeros(n),
        rounding=np.zeros(n),
        error_b=np.zeros(n),
        terms=np.zeros(n, dtype=np.int64),
        spent=np.zeros(n, dtype=np.int64),
        parts=np.zeros(n),
    )


class Again(NamedTuple):
    """Rows to be taken again: those with an error above ``above``, all if it is below 0, each to have ``target``.

    Only until the sum of the errors to the ``power``, ``whole`` before, is at most ``allowed``.
    """

    above: float
    target: float
    power: float
    whole: float
    allowed: float


@inlined
def lean_rows(rows: Rows) -> Rows:
    """With pointers in place of arrays."""
    return Rows(
        pointer(rows.slope),
        pointer(rows.moves),
        pointer(rows.error),
        pointer(rows.rounding),
        pointer(rows.error_b),
        pointer(rows.terms),
        pointer(rows.spent),
        pointer(rows.parts),
    )


@inlined
def share_of(rows: Rows, spent: Spent, n: int, target: float, tol: float) -> float:
    """The error that the next row may have; all together are to have ``target``, or tol times the loss."""
    expected = spent.loss
    if spent.done > 0:
        expected += _UNSEEN * spent.left * spent.loss / spent.done
    tolerated = _SHORT_OF_GOAL * max(target, tol * expected)
    least = _LEAST * tolerated / (spent.done + spent.left)
    free = max((tolerated / _WORST_LANE) ** 2 - spent.squares, 0.0)
    apart = max(math.sqrt(min(_GENEROUS / spent.left, _MOST_OF_IT) * free), least)
    if spent.squares == 0:
        return apart
    # the squares of sums are those of each row, and of each pair of rows as far as it correlates
    together = farthest(load(rows.moves, n * WIDTH))
    correlation = min((together * together / spent.squares - _WORST_LANE**2) / max(spent.done - 1.0, 1.0), 1.0)
    if correlation <= 0:
        return apart
    alike = max(_GENEROUS_TO_ALIKE * (tolerated - together) / spent.left, least)
    return min(apart, apart ** (1 - correlation) * alike**correlation)


@inlined
def _moved_with(rows: Rows, n: int, first: int) -> float:
    """How far the rows with as many terms as the first of them moved together; 0 for a row that is not the first of these."""
    for j in range(first):
        if rows.terms[j] == rows.terms[first]:
            return 0.0
    most = 0.0
    for lane in range(WIDTH):
        moved = 0.0
        for j in range(first, n):
            if rows.terms[j] == rows.terms[first]:
                moved += rows.moves[j * WIDTH + lane]
        most = max(most, abs(moved))
    return most


@compiled
def error_of_all(rows: Rows, n: int) -> tuple[float, float]:
    """The truncation error of all rows together, and the root of the sum of their squares."""
    total = squares = together = 0.0
    for j in range(n):
        total += rows.error[j]
        squares += rows.error[j] * rows.error[j]
    for j in range(n):
        together += _moved_with(rows, n, j)
    apart = math.sqrt(squares)
    return max(min(together, total), _BY_CHANCE * apart), apart


@inlined
def all_of_them() -> Again:
    """All rows, as in a first pass."""
    return Again(-1.0, 0.0, 1.0, 0.0, 0.0)


@compiled
def to_take_again(rows: Rows, n: int, goal: float) -> Again:
    """The rows that are to be taken again so that all together have the error ``goal``."""
    together, apart = error_of_all(rows, n)
    above = total = 0.0
    for j in range(n):
        above = max(above, rows.error[j])
        total += rows.error[j]
    # errors of rows that are alike add up, of others their squares do
    power = 1.0 if together > _ALIKE * total else 2.0
    whole = total if power == 1 else apart * apart
    allowed = whole * (_SHORT_OF_GOAL * goal / together) ** power if together > 0 else np.inf
    left = np.inf
    while left > allowed:
        above *= _FINER
        left = 0.0
        for j in range(n):
            left += (_FINE * above if rows.error[j] > above else rows.error[j]) ** power
    return Again(above, _FINE * above, power, whole, allowed)
