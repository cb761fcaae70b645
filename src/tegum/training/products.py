"""Products of any size out of register blocks: a matrix times a panel, and panels times panels.

`multiply_panel` cuts its rows into blocks of 5 and a rest, `accumulate_panels` its small matrix into 4 x 4 tiles and rests.
Which block fits the rest is the only decision here; `blocks` explains what a block is.
"""

from typing import Any

from tegum.compilation import compiled
from tegum.training.blocks import LANES, ROWS, SIDE, STRIPE, VECTORS, WIDTH, make_accumulate, make_multiply

_multiply_1, _multiply_2, _multiply_3, _multiply_4, _multiply_5 = (make_multiply(rows) for rows in range(1, ROWS + 1))
_a11, _a12, _a13, _a14 = (make_accumulate(1, width) for width in range(1, SIDE + 1))
_a21, _a22, _a23, _a24 = (make_accumulate(2, width) for width in range(1, SIDE + 1))
_a31, _a32, _a33, _a34 = (make_accumulate(3, width) for width in range(1, SIDE + 1))
_a41, _a42, _a43, _a44 = (make_accumulate(4, width) for width in range(1, SIDE + 1))


@compiled
def multiply_panel(
    C: Any,
    c: int,
    rows: int,
    start: Any,
    s: int,
    A: Any,
    a: int,
    row: int,
    column: int,
    B: Any,
    b: int,
    chosen: Any,
    count: int,
) -> None:
    """C[r] = start[s + r] + sum over the ``count`` chosen k of A[a + r row + k column] B[k], for every row r of a panel."""
    for stripe in range(0, VECTORS, STRIPE):
        o = stripe * WIDTH
        r = 0
        while r + ROWS <= rows:
            _multiply_5(C, c + r * LANES + o, start, s + r, A, a + r * row, row, column, B, b + o, chosen, count)
            r += ROWS
        rest = rows - r
        if rest == 1:
            _multiply_1(C, c + r * LANES + o, start, s + r, A, a + r * row, row, column, B, b + o, chosen, count)
        elif rest == 2:
            _multiply_2(C, c + r * LANES + o, start, s + r, A, a + r * row, row, column, B, b + o, chosen, count)
        elif rest == 3:
            _multiply_3(C, c + r * LANES + o, start, s + r, A, a + r * row, row, column, B, b + o, chosen, count)
        elif rest == 4:
            _multiply_4(C, c + r * LANES + o, start, s + r, A, a + r * row, row, column, B, b + o, chosen, count)


@compiled
def accumulate_panels(
    S: Any, s: int, row: int, column: int, P: Any, p_rows: int, Q: Any, q_rows: int, panels: int, P2: Any, Q2: Any, panels2: int
) -> None:
    """S[s + i row + j column] += sum over ``panels`` panels and all lanes of P[i] Q[j], and over ``panels2`` of P2[i] Q2[j]."""
    dp = p_rows * LANES
    dq = q_rows * LANES
    for i in range(0, p_rows, SIDE):
        for j in range(0, q_rows, SIDE):
            t = s + i * row + j * column
            p = i * LANES
            q = j * LANES
            tile = 10 * min(SIDE, p_rows - i) + min(SIDE, q_rows - j)
            if tile == 44:
                _a44(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 43:
                _a43(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 42:
                _a42(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 41:
                _a41(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 34:
                _a34(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 33:
                _a33(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 32:
                _a32(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 31:
                _a31(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 24:
                _a24(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 23:
                _a23(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 22:
                _a22(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 21:
                _a21(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 14:
                _a14(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 13:
                _a13(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            elif tile == 12:
                _a12(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
            else:
                _a11(S, t, row, column, P, p, dp, Q, q, dq, panels, P2, Q2, panels2)
