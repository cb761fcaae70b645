"""How much error each output of a model may have, and how much all of them have together.

Truncation errors e_j of rows, weighted by importance, have signs of their own in most models, and the same sign where rows are
alike.  Both are seen in how the sums of the rows still moved when they ended, M_j in each of eight lanes:

    error  ~  sum_K max |sum_{j with K terms} M_j|,     at most sum_j e_j,     at least sqrt(sum_j e_j^2) / 2

In a first pass rows come one by one and the loss is not yet known.  A row may then take twice its part of what the rows before
it have left of T^2, T being tol times the loss so far with half of the usual loss for each row to come: most rows stay far
below their shares.  Where in the end all rows together are above tol times the loss, those with the largest errors are taken
again, which costs more than it saves where it is frequent: a quarter of the models need it.

Equal shares for all rows, and errors that add up, ask for 1.2 times the terms at n = 5 and 1.45 times at n = 20.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled, inlined
from tegum.exact.kernel.vectors import WIDTH, pointer

_UNSEEN = 0.5
_GENEROUS, _MOST_OF_IT = 2.0, 0.7
_BY_CHANCE = 0.5
_FINER = 0.9
_SHORT_OF_GOAL = 0.9


class Rows(NamedTuple):
    """What was found of every row, weighted by its importance.

    Attributes:
        slope: (n * n,) the derivatives by its couplings, without the weight.
        moves: (n * 8,) how its sums still moved, see `tegum.exact.kernel.judging`.
        error: (n,) what it may be off for want of terms.
        rounding: (n,) the same by rounding.
        error_b: (n,) the largest error of its derivatives.
        terms: (n,) those of its costliest inversion.
        parts: (n,) its error as a multiple of that of the worst of its inversions.
    """

    slope: NDArray[np.float64]
    moves: NDArray[np.float64]
    error: NDArray[np.float64]
    rounding: NDArray[np.float64]
    error_b: NDArray[np.float64]
    terms: NDArray[np.int64]
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
        moves=np.zeros(n * WIDTH),
        error=np.zeros(n),
        rounding=np.zeros(n),
        error_b=np.zeros(n),
        terms=np.zeros(n, dtype=np.int64),
        parts=np.zeros(n),
    )


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
        pointer(rows.parts),
    )


@inlined
def share_of(spent: Spent, target: float, tol: float) -> float:
    """The error that the next row may have; all together are to have ``target``, or tol times the loss."""
    expected = spent.loss
    if spent.done > 0:
        expected += _UNSEEN * spent.left * spent.loss / spent.done
    tolerated = _SHORT_OF_GOAL * max(target, tol * expected)
    free = max(tolerated * tolerated - spent.squares, 0.0)
    least = target * target / (spent.done + spent.left)
    return math.sqrt(max(min(_GENEROUS * free / spent.left, _MOST_OF_IT * free), least))


@inlined
def _moved_with(rows: Rows, n: int, first: int) -> float:
    """How far the rows with as many terms as the first of them moved together; 0 for a row that is not the first of these."""
    for j in range(first):
        if rows.terms[j] == rows.terms[first]:
            return 0.0
    farthest = 0.0
    for lane in range(WIDTH):
        moved = 0.0
        for j in range(first, n):
            if rows.terms[j] == rows.terms[first]:
                moved += rows.moves[j * WIDTH + lane]
        farthest = max(farthest, abs(moved))
    return farthest


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


@compiled
def largest_kept(rows: Rows, n: int, goal: float) -> float:
    """The error above which a row is to be taken again, with that for a target, so that all together have ``goal``."""
    together, apart = error_of_all(rows, n)
    kept = 0.0
    for j in range(n):
        kept = max(kept, rows.error[j])
    allowed = (_SHORT_OF_GOAL * goal * apart / together) ** 2 if together > 0 else np.inf
    squares = np.inf
    while squares > allowed:
        kept *= _FINER
        squares = 0.0
        for j in range(n):
            squares += min(rows.error[j], kept) ** 2
    return kept
