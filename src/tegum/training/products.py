"""Products of any size out of register blocks: a matrix times a panel, and panels times panels.

A matrix is cut into the blocks that `blocks` has instructions for, at most 6 rows, or tiles of at most 4 x 4, and smaller
ones at the end.  Blocks of rows are as equal as can be, because small ones cost nearly as much: a matrix of 13 rows times a
panel is blocks of 5, 5 and 3 rows, not 6, 6 and 1; a 6 x 5 gradient is tiles of 4 x 4, 4 x 1, 2 x 4 and 2 x 1.
"""

import numpy as np

from tegum.compilation import compiled, copied_into_callers
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
    multiply_rows,
)

HEIGHT, WIDTH = REGISTERS.tile


@copied_into_callers
@compiled
def multiply_panel(C: Floats, start: Place, A: Floats, layout: Layout, B: Floats, chosen: Rows) -> None:
    """C[r] = start[r] + sum over the chosen k of A[r, k] B[k], for every row r of the panel C."""
    height = C.shape[0]
    blocks = (height + ROWS - 1) // ROWS
    rows = (height + blocks - 1) // blocks
    for r in range(0, height, rows):
        below = Layout(layout.begin + r * layout.row, layout.row, layout.column)
        to, begin = Place(C, r * PANEL_WIDTH), Place(start.array, start.at + r)
        multiply_rows(min(rows, height - r), to, begin, A, below, B, chosen)


@compiled
def accumulate_panels(S: Floats, layout: Layout, first: Pair, second: Pair) -> None:
    """S[i, j] += sum over panels and samples of left[i] right[j], of both pairs (whose panels have as many rows)."""
    rows = height, width = first.left.shape[1], first.right.shape[1]
    for i in range(0, height, HEIGHT):
        for j in range(0, width, WIDTH):
            accumulate_tile(S, layout, Tile(i, j, min(HEIGHT, height - i), min(WIDTH, width - j)), rows, first, second)


@compiled
def accumulate_rows(
    S: Floats, layout: Layout, first: Pair, second: Pair, chosen: Rows, gathered: Floats, block: Floats
) -> None:
    """What `accumulate_panels` does, for the chosen rows i alone: a tile's rows are first put side by side in ``gathered``."""
    width = first.right.shape[1]
    rows, inside = (HEIGHT, width), Layout(0, width, 1)
    for at in range(0, chosen.number, HEIGHT):
        height = min(HEIGHT, chosen.number - at)
        for r in range(height):
            i = chosen.listed[at + r]
            for p in range(first.panels):
                for sample in range(PANEL_WIDTH):
                    gathered[0, p, r, sample] = first.left[p, i, sample]
            for p in range(second.panels):
                for sample in range(PANEL_WIDTH):
                    gathered[1, p, r, sample] = second.left[p, i, sample]
        block[:] = np.float32(0)
        one, other = Pair(gathered[0], first.right, first.panels), Pair(gathered[1], second.right, second.panels)
        for j in range(0, width, WIDTH):
            accumulate_tile(block, inside, Tile(0, j, height, min(WIDTH, width - j)), rows, one, other)
        for r in range(height):
            begin = layout.begin + chosen.listed[at + r] * layout.row
            for j in range(width):
                S[begin + j * layout.column] += block[r * width + j]
