"""Where the loss is strictly convex: a lower bound of its curvature over a box, kinks included.

For almost every (w, b) the Hessian of a row's loss is, with e = (1, x_i for i in A) and J the derivative of (b_j, w_j w_i),

    2 J^T E[ e e^T 1(s > 0) ] J  -  2 J^T E[ x_j e e^T delta(s) ] J  +  2 sum_i E[ (r - x_j) x_i 1(s > 0) ] H(w_j w_i)

The first term rises with b_j and w_j w_i in the sense of Loewner, because the set on which it is an expectation grows: over a
box it is at least what it is at the lowest corner.  What is on the line s = 0 is an integral along a segment, a cubic in its
parameter, for which two Gauss points are exact.  If every matrix of an interval matrix has its smallest eigenvalue above c,

    L(y) >= L(x) + <grad L(x), y - x> + c |y - x|^2 / 2        for x, y in the box,

across kinks too, where the gradient is continuous and the Hessian jumps.  The eigenvalue is bounded by exact elimination: a
matrix of fractions is positive definite if and only if all its pivots are positive.  From the middle of an interval matrix no
other is further than the spectral norm of its radii R, for which max_k (R v)_k / v_k is a bound, whatever the positive v.

Source: Rohn, "Positive definiteness and stability of interval matrices" (1994); Collatz (1942)
and Wielandt (1950) for the norm; Clarke, "Optimization and Nonsmooth Analysis" (1983), 2.6, for the Hessians at kinks.
"""

from fractions import Fraction

import numpy as np

from tegum.exact.bounds.active import ONE, Active
from tegum.exact.bounds.boxes import World, corners, couplings, pull_on
from tegum.exact.bounds.intervals import Array, Interval, stacked, up

_TRIALS, _LOWER, _FLOOR = 12, 2.0**-40, 1e-3


def curvature_below(world: World, x: Interval) -> float:
    """A number that no eigenvalue of no Hessian in the box (1, 2 n) is below; -inf where none is found."""
    with np.errstate(invalid="ignore"):  # where nothing is known, of a kink that an input is on
        H = lowest_hessian(world, x)
    if not (np.isfinite(H.low).all() and np.isfinite(H.high).all()):
        return -np.inf
    low, high = np.maximum(H.low, H.low.T), np.minimum(H.high, H.high.T)  # Hessians are symmetric, roundings are not
    H, middle = Interval(low, high), (low + high) / 2
    radius = np.maximum(Interval(H.low, middle).radius(), Interval(middle, H.high).radius()) * 2
    _, vectors = np.linalg.eigh(radius)
    likely = np.abs(vectors[:, -1]) + _FLOOR
    spread = max(
        sum(Fraction(r) * Fraction(v) for r, v in zip(row, likely.tolist(), strict=True)) / Fraction(own)
        for row, own in zip(radius.tolist(), likely.tolist(), strict=True)
    )
    estimate = float(np.linalg.eigvalsh(middle)[0])
    for k in range(_TRIALS):
        trial = estimate - 1e-12 * 8.0**k * max(abs(estimate), 1e-3)
        if _positive(middle, Fraction(trial)):
            found = Fraction(trial) - spread
            return float(np.nextafter(float(found), -np.inf))
    return -np.inf


def _positive(matrix: Array, shift: Fraction) -> bool:
    """Whether a symmetric matrix minus a multiple of the identity is positive definite, without rounding."""
    rows = [[Fraction(float(one)) for one in row] for row in matrix]
    for k in range(len(rows)):
        rows[k][k] -= shift
    for k, pivot in enumerate(rows):
        if pivot[k] <= 0:
            return False
        for row in rows[k + 1 :]:
            factor = row[k] / pivot[k]
            for i in range(k, len(rows)):
                row[i] -= factor * pivot[i]
    return True


def lowest_hessian(world: World, x: Interval) -> Interval:
    """A symmetric interval matrix (2 n, 2 n): every Hessian in the box (1, 2 n) is at least one of its matrices."""
    n = world.n
    w, zero = [x[0, k] for k in range(n)], Interval.of(0.0)
    g = couplings(x[:, :n])
    H = [[zero] * (2 * n) for _ in range(2 * n)]
    for j in range(n):
        for members, q in world.patterns:
            weight = 2 * (q * world.importance[j])
            inner = _inner(g[j], x[:, n + j], members, j)
            outer = [_derivative(w, j, i, n) for i in (ONE, *members)]
            for a, row in enumerate(outer):
                for c, column in enumerate(outer):
                    for k, down_k in row.items():
                        for h, down_h in column.items():
                            H[k][h] = H[k][h] + weight * inner[a][c] * (down_k * down_h)
            low, high = corners(g[j], x[:, n + j], members)
            own = members.index(j) if j in members else None
            for at, i in enumerate(members):
                pull = pull_on(low, high, at, own)
                pull = weight * pull[0]  # the second derivative of w_j^2 is 2, that of w_j w_i is 1 across
                if i == j:
                    H[j][j] = H[j][j] + 2 * pull
                else:
                    H[i][j], H[j][i] = H[i][j] + pull, H[j][i] + pull
    return stacked([stacked(row) for row in H], axis=0)


def _derivative(w: list[Interval], j: int, i: int, n: int) -> dict[int, Interval]:
    """The derivative of b_j (for ``ONE``) or of w_j w_i by (w, b), by place."""
    if i == ONE:
        return {n + j: Interval.of(1.0)}
    return {j: 2 * w[j]} if i == j else {j: w[i], i: w[j]}


def _inner(g: list[Interval], b: Interval, members: tuple[int, ...], j: int) -> list[list[Interval]]:
    """E[e e^T 1(s > 0)] at the lowest corner, minus E[x_j e e^T delta(s)] over the box."""
    low = Active(b.low - _LOWER, [g[i].low for i in members])  # a lower corner is a bound as well, and not on a kink
    names = (ONE, *range(len(members)))
    inner = [[low.moment(f, h)[0] for h in names] for f in names]
    if j not in members:
        return inner
    other = [i for i in members if i != j]
    line = _single(g[j][0], b[0]) if not other else _double(g[j][0], g[other[0]][0], b[0])
    # the line's own order is (1, x_j, x_i), that of the pattern (1, members)
    order = [0, 1] if not other else [0, 1, 2] if members[0] == j else [0, 2, 1]
    return [[inner[a][c] - line[order[a]][order[c]] for c in range(len(names))] for a in range(len(names))]


def _outer(point: list[Interval], weight: Interval) -> list[list[Interval]]:
    """Weight x_j e e^T at a point of the line, e = (1, x_j, ...)."""
    e = [Interval.of(1.0), *point]
    return [[weight * point[0] * f * h for h in e] for f in e]


def _single(a: Interval, b: Interval) -> list[list[Interval]]:
    """E[x e e^T delta(a x + b)]: x^k / a where x = -b / a lies in [0, 1]."""
    if b.low > 0 or a.high + b.high < 0:
        return [[Interval.of(0.0)] * 2] * 2
    if a.low <= 0:
        return [[Interval(np.array(-np.inf), np.array(np.inf))] * 2] * 2
    x = (-b).over(a)
    found = _outer([x.clipped(0, 1)], Interval.of(1.0).over(a))
    return [[_perhaps(one) for one in row] for row in found] if x.high > 1 else found


def _double(a: Interval, c: Interval, b: Interval) -> list[list[Interval]]:
    """E[x e e^T delta(a x + c y + b)], e = (1, x, y)."""
    least = b + np.minimum(c.low, 0)
    if least.low > 0 or up(up(a.high + max(float(c.high), 0)) + b.high) < 0:
        return [[Interval.of(0.0)] * 3] * 3
    if a.low <= 0:
        return [[Interval(np.array(-np.inf), np.array(np.inf))] * 3] * 3
    if c.high < 0:  # y = (b + a x) / |c| from x = first to x = last
        slope = -c
        first, last = (-b).over(a).clipped(0, 1), (slope - b).over(a).clipped(0, 1)
        length = (last - first).clipped(0)
        total: list[list[Interval]] = [[Interval.of(0.0)] * 3] * 3
        root = Interval.of(np.nextafter(1 / np.sqrt(12), [0, 1]))
        gauss = Interval(root.low[0], root.high[1])
        for t in (0.5 - gauss, 0.5 + gauss):
            x = first + length * t
            y = (b + a * x).over(slope).clipped(0, 1)
            each = _outer([x.clipped(0, 1), y], (length * 0.5).over(slope))
            total = [[total[k][h] + each[k][h] for h in range(3)] for k in range(3)]
        return total
    furthest = (-(b + Interval(np.minimum(c.low, 0), np.maximum(c.high, 0)))).over(a).clipped(0, 1)
    found = _outer([Interval(np.zeros(()), furthest.high), Interval(np.zeros(()), np.ones(()))], Interval.of(1.0).over(a))
    return [[_perhaps(one) for one in row] for row in found]


def _perhaps(one: Interval) -> Interval:
    """Down to 0: of what may lie outside."""
    return Interval(np.minimum(one.low, 0), one.high)
