"""Products of any size out of register blocks: a matrix times a panel, and panels times panels.

A matrix is cut into the blocks that `blocks` has instructions for, at most 6 rows, or tiles of at most 4 x 4, and smaller
ones at the end.  Blocks of rows are as equal as can be, because small ones cost nearly as much: a matrix of 13 rows times a
panel is blocks of 5, 5 and 3 rows, not 6, 6 and 1; a 6 x 5 gradient is tiles of 3 x 3 and 3 x 2, two of each.

Tiles of a gradient go over a few panels at a time.  Each row of tiles reads all rows of the right panels again, 30 of them and
30 more where weights are tied: from the second cache that takes half as long again as the arithmetic, and as many panels as the
first cache holds do not have to come from there.  But a tile's sums are folded into numbers each time, which takes as long as
half a panel: so a tile goes over two panels of two pairs or four of one at least, and where these have too many rows for the
first cache, the columns take turns.
"""

import numpy as np

from tegum.compilation import apart_from_callers, compiled, copied_into_callers, inner
from tegum.training.blocks import (
    PANEL_WIDTH,
    REGISTERS,
    ROWS,
    Floats,
    Layout,
    Pair,
    Place,
    Rows,
    Tile,
    accumulate_tile,
    multiply_listed,
    multiply_rows,
    tile_of,
)

HEIGHT, WIDTH = tile_of(REGISTERS)

_RIGHT_BUDGET = 128
"""How many rows of 64 floats stay in the first cache (32 KB of the usual 32 to 64) while all tiles of a gradient read them."""

_FOLDED = 4
"""How many panels, those of both pairs counted, a tile goes over at least, where there are as many."""


@inner
def _equal(count: int, most: int) -> int:
    """The size of pieces of at most ``most`` that a count is cut into, as equal as can be: the last one may be smaller."""
    pieces = (count + most - 1) // most
    return (count + pieces - 1) // pieces


def rows_at_once(height: int) -> int:
    """How many rows of a panel with so many `multiply_panel` is to work on at a time."""
    rows: int = _equal.py_func(height, ROWS)
    return rows


@copied_into_callers
@inner
def multiply_panel(C: Floats, start: Place, A: Floats, layout: Layout, B: Floats, rows: int) -> None:
    """C[r] = start[r] + sum over all k of A[r, k] B[k], for every row r of the panel C, so many ``rows`` at a time."""
    height = C.shape[0]
    for r in range(0, height, rows):
        below = Layout(layout.begin + r * layout.row, layout.row, layout.column)
        to, begin = Place(C, r * PANEL_WIDTH), Place(start.array, start.at + r)
        multiply_rows(min(rows, height - r), to, begin, A, below, B, B.shape[0])


@apart_from_callers
@inner
def multiply_chosen(C: Floats, start: Place, A: Floats, layout: Layout, B: Floats, chosen: Rows, rows: int) -> None:
    """What `multiply_panel` does, for the chosen k alone."""
    height = C.shape[0]
    for r in range(0, height, rows):
        below = Layout(layout.begin + r * layout.row, layout.row, layout.column)
        to, begin = Place(C, r * PANEL_WIDTH), Place(start.array, start.at + r)
        multiply_listed(min(rows, height - r), to, begin, A, below, B, chosen)


@apart_from_callers
@compiled
def accumulate_panels(S: Floats, layout: Layout, first: Pair, second: Pair) -> None:
    """S[i, j] += sum over panels and samples of left[i] right[j], of both pairs.

    The panels of one pair have as many rows as those of the other; both begin at panel 0, and the second ends there or as the
    first.
    """
    rows = height, width = first.left.shape[1], first.right.shape[1]
    tall, wide = _equal(height, HEIGHT), _equal(width, WIDTH)
    pairs = 2 if second.end else 1
    together = _equal(first.end, max(_RIGHT_BUDGET // (pairs * width), _FOLDED // pairs))
    across = max(1, _RIGHT_BUDGET // (pairs * together * wide)) * wide
    for p in range(0, first.end, together):
        one = Pair(first.left, first.right, p, min(p + together, first.end))
        other = Pair(second.left, second.right, p, min(p + together, second.end))
        for begin in range(0, width, across):
            end = min(begin + across, width)
            for i in range(0, height, tall):
                for j in range(begin, end, wide):
                    accumulate_tile(S, layout, Tile(i, j, min(tall, height - i), min(wide, end - j)), rows, one, other)


@apart_from_callers
@compiled
def accumulate_rows(
    S: Floats, layout: Layout, first: Pair, second: Pair, chosen: Rows, gathered: Floats, block: Floats
) -> None:
    """What `accumulate_panels` does, for the chosen rows i alone: a tile's rows are first put side by side in ``gathered``."""
    inside = Layout(0, 1, HEIGHT)
    for at in range(0, chosen.number, HEIGHT):
        height = min(HEIGHT, chosen.number - at)
        for r in range(height):
            i = chosen.listed[at + r]
            for p in range(first.end):
                for sample in range(PANEL_WIDTH):
                    gathered[0, p, r, sample] = first.left[p, i, sample]
            for p in range(second.end):
                for sample in range(PANEL_WIDTH):
                    gathered[1, p, r, sample] = second.left[p, i, sample]
        block[:] = np.float32(0)
        one, other = Pair(gathered[0], first.right, 0, first.end), Pair(gathered[1], second.right, 0, second.end)
        accumulate_panels(block, inside, one, other)  # at the end with some rows of before, which are not added below
        for r in range(height):
            begin = layout.begin + chosen.listed[at + r] * layout.row
            for j in range(first.right.shape[1]):
                S[begin + j * layout.column] += block[r + j * HEIGHT]
