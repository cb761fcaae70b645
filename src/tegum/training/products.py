"""Products of any size out of register blocks: a matrix times a panel, and panels times panels.

A matrix is cut into the blocks that `blocks` has instructions for: 5 rows, or tiles of 4 x 4, and smaller ones at the end.  A
matrix of 13 rows times a panel is blocks of 5, 5 and 3 rows; a 6 x 5 gradient is tiles of 4 x 4, 4 x 1, 2 x 4 and 2 x 1.
"""

from tegum.compilation import compiled, copied_into_callers
from tegum.training.blocks import (
    PANEL_WIDTH,
    ROWS,
    SIDE,
    STRIPE,
    VECTOR_WIDTH,
    Floats,
    Layout,
    Pair,
    Place,
    Rows,
    Tile,
    accumulate_tile,
    multiply_rows,
)


@copied_into_callers
@compiled
def multiply_panel(C: Floats, start: Place, A: Floats, layout: Layout, B: Floats, chosen: Rows) -> None:
    """C[r] = start[r] + sum over the chosen k of A[r, k] B[k], for every row r of the panel C."""
    height = C.shape[0]
    for samples in range(0, PANEL_WIDTH, STRIPE * VECTOR_WIDTH):
        for r in range(0, height, ROWS):
            to, begin = Place(C, r * PANEL_WIDTH + samples), Place(start.array, start.at + r)
            below = Layout(layout.begin + r * layout.row, layout.row, layout.column)
            multiply_rows(min(ROWS, height - r), to, begin, A, below, Place(B, samples), chosen)


@compiled
def accumulate_panels(S: Floats, layout: Layout, first: Pair, second: Pair) -> None:
    """S[i, j] += sum over panels and samples of left[i] right[j], of both pairs (whose panels have as many rows)."""
    rows = height, width = first.left.shape[1], first.right.shape[1]
    for i in range(0, height, SIDE):
        for j in range(0, width, SIDE):
            accumulate_tile(S, layout, Tile(i, j, min(SIDE, height - i), min(SIDE, width - j)), rows, first, second)
