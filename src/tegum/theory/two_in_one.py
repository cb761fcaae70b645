"""Two features in one dimension without bias: the loss in closed form.

    y_1 = r(w_1^2 x_1 + s x_2),   y_2 = r(s x_1 + w_2^2 x_2),   s = w_1 w_2,   r(t) = max(t, 0)

    L = p (1 - p) { (1 - w_1^2)^2 / 3 + I r(s)^2 / 3 + I (1 - w_2^2)^2 / 3 + r(s)^2 / 3 } + p^2 { E(w_1^2, s) + I E(w_2^2, s) }

with E(a, s) the mean squared error of r(a x + s x') against x for x, x' uniform on [0, 1].  The surface has a minimum where
both weights are equal ("confused") where features are dense, and antipodal ones where they are sparse.

>>> import tegum as tg
>>> tg.theory.two_in_one_loss(0.9, -0.5, density=0.3, ratio=2).round(6)
np.float64(0.144668)
>>> tg.theory.two_in_one_minima(density=0.3).round(3)                                      # rows (w1, w2, loss)
array([[ 1.024, -1.024,  0.03 ],
       [ 0.707,  0.707,  0.077]])

Source: Tom McGrath's comment in `Toy Models of Superposition`; the closed form is derived here.
"""

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import checked, require_range

MOST_MINIMA = 6

_REACH, _CELLS, _ROUNDS = 1.5, 60, 80
_LATTICE = np.stack(np.meshgrid(np.arange(-2.0, 3), np.arange(-2.0, 3), indexing="ij"), axis=-1).reshape(-1, 2)
_MIDDLE = 12
_NEAR, _ROUNDING, _SAME = 1e-4, 1e-13, 1e-3
_AT_ONCE = 64
_FLOW_STEP, _FLOW_STEPS = 0.1, 600


def _both_active(a: NDArray[np.float64], s: NDArray[np.float64]) -> NDArray[np.float64]:
    """E(a, s) = E (x - r(a x + s x'))^2, elementwise, for a >= 0; written so that nothing cancels for small s."""
    helping = (1 - a) ** 2 / 3 + s * s / 3 - (1 - a) * s / 2
    c = np.where(s < 0, -s, 1.0)
    strong = a >= c
    weak = np.where(strong, 1.0, c)
    rest = np.where(strong, 1 - c / np.where(strong, a, 1.0), 0.0)
    sum_of_powers = (1 + rest) * (1 + rest * rest)
    overlap = np.where(strong, a * (sum_of_powers / 4 - rest**3 / 3), a * a / (4 * weak))
    square = np.where(strong, a * a * sum_of_powers / 12, a**3 / (12 * weak))
    return np.where(s >= 0, helping, 1 / 3 - overlap + square)


@takes_arrays
def two_in_one_loss(w1: ArrayLike, w2: ArrayLike, density: ArrayLike, ratio: ArrayLike = 1.0) -> NDArray[np.float64]:
    """The expected loss of weights (w1, w2) and importances (1, ratio) without bias; elementwise over broadcast arguments."""
    v1, v2, p, r = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (w1, w2, density, ratio)))
    limits = (("w1", v1, -1e15, 1e15), ("w2", v2, -1e15, 1e15), ("density", p, 0, 1), ("ratio", r, 0, 1e30))
    for name, values, low, high in limits:
        require_range(name, values, low, high)
    s = v1 * v2
    a, b = v1 * v1, v2 * v2
    leak = np.maximum(s, 0) ** 2
    one = ((1 - a) ** 2 + r * leak + r * (1 - b) ** 2 + leak) / 3
    return np.asarray(p * (1 - p) * one + p * p * (_both_active(a, s) + r * _both_active(b, s)))


def every_two_in_one_minimum(density: ArrayLike, ratio: ArrayLike = 1.0) -> NDArray[np.float64]:
    """The local minima up to (w1, w2) -> (-w1, -w2), rows (w1, w2, loss) with w1 >= 0, lowest first, shape (..., 6, 3).

    Importances are (1, ratio), which broadcasts with the density; rows are NaN where a surface has fewer minima.
    Candidates are the lowest points of a grid over |w| <= 1.5 that is finer near 0; around each a lattice of 25 points, closer
    together than the grid, follows its lowest and is halved where that is in the middle.  What has something lower within 1e-4
    at the end is no minimum.  Minima nearer to an axis than the grid's first line, 0.0032, may be missed; none is the lowest.
    """
    p, r = np.broadcast_arrays(np.asarray(density, dtype=np.float64), np.asarray(ratio, dtype=np.float64))
    require_range("density", p, 1e-12, 1)
    require_range("ratio", r, 0, 1e30)
    found = np.full((p.size, MOST_MINIMA, 3), np.nan)
    for first in range(0, p.size, _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        surface, ends = _followed(p.ravel()[part], r.ravel()[part])
        for k in range(len(found[part])):
            rows = _different(ends[surface == k])
            found[first + k, : len(rows)] = rows
    return found.reshape(*p.shape, MOST_MINIMA, 3)


def _followed(p: NDArray[np.float64], r: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The candidates on surfaces (k,), each followed to its minimum: which surface, and rows (w1, w2, loss)."""
    surface, x, width = _lowest_points(p, r)
    p, r = p[surface, None], r[surface, None]
    for _ in range(_ROUNDS):
        around, values = _nearby(x, width[:, None, None] * _LATTICE, p, r)
        best = np.where(values.min(axis=1) < values[:, _MIDDLE], values.argmin(axis=1), _MIDDLE)
        x = around[np.arange(len(x)), best]
        width = np.where(best == _MIDDLE, width / 2, width)
    values = _nearby(x, _NEAR * _LATTICE, p, r)[1]
    minimum = values.min(axis=1, initial=np.inf) >= values[:, _MIDDLE] - _ROUNDING
    ends = np.column_stack([np.where(x[:, :1] >= 0, x, -x), values[:, _MIDDLE]])
    return surface[minimum], ends[minimum]


def _nearby(
    x: NDArray[np.float64], steps: NDArray[np.float64], p: ArrayLike, r: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points that lie these steps from each of (k, 2), and the losses there."""
    around = x[:, None] + steps
    return around, two_in_one_loss(around[..., 0], around[..., 1], p, r)


def _lowest_points(
    p: NDArray[np.float64], r: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Points of the grid that are no higher than their eight neighbours: on which surface, weights, and steps of a lattice."""
    w1 = _REACH * np.linspace(0, 1, _CELLS + 1) ** 1.5
    w2 = np.concatenate([-w1[:0:-1], w1])
    losses = two_in_one_loss(w1[:, None], w2, p[:, None, None], r[:, None, None])
    rim = np.pad(losses, ((0, 0), (1, 1), (1, 1)), constant_values=np.inf)
    rim[:, 0, 1:-1] = rim[:, 2, -2:0:-1]  # Beyond w1 = 0 lies (-w1, w2), which is (w1, -w2).
    surface, row, column = np.nonzero(losses <= scipy.ndimage.minimum_filter(rim, (1, 3, 3))[:, 1:-1, 1:-1])
    x = np.column_stack([w1[row], w2[column]])
    # no lattice may reach over the barrier at an axis, which can be as near as the next line of the grid
    width = np.minimum(np.gradient(w1)[row], np.gradient(w2)[column]) / 4
    return surface, x, width


def _different(ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows that differ in their weights, lowest loss first."""
    found: list[NDArray[np.float64]] = []
    for row in ends[np.argsort(ends[:, 2], kind="stable")]:
        if all(abs(row[:2] - other[:2]).sum() > _SAME and abs(row[:2] + other[:2]).sum() > _SAME for other in found):
            found.append(row)
    return np.array(found[:MOST_MINIMA]).reshape(-1, 3)


@checked
def two_in_one_minima(density: float, ratio: float = 1.0) -> NDArray[np.float64]:
    """The minima of one surface, as `every_two_in_one_minimum` gives them, as many rows as there are."""
    found = every_two_in_one_minimum(density, ratio)
    return np.asarray(found[np.isfinite(found[:, 2])])


def basin_shares(density: float, ratio: float = 1.0, side: int = 24) -> NDArray[np.float64]:
    """How much of the square |w| <= 1.5 flows down into each minimum, in the order of `two_in_one_minima`.

    Steepest descent by small steps from the midpoints of a lattice of side x side cells; each start belongs to the minimum that
    it is nearest to in the end, that of a minimum that is missed to another.
    """
    minima = two_in_one_minima(density, ratio)[:, :2]
    middles = _REACH * (2 * np.arange(side) + 1 - side) / side
    w = np.stack(np.meshgrid(middles, middles, indexing="ij"), axis=-1).reshape(-1, 2)
    step, h = _FLOW_STEP / (density * (1 + ratio)), 1e-5
    nudges = h * np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    for _ in range(_FLOW_STEPS):
        values = _nearby(w, nudges, density, ratio)[1]
        w = w - step * np.stack([values[:, 0] - values[:, 1], values[:, 2] - values[:, 3]], axis=-1) / (2 * h)
    gaps = [np.minimum(np.abs(w - end).sum(axis=-1), np.abs(w + end).sum(axis=-1)) for end in minima]
    return np.bincount(np.argmin(gaps, axis=0), minlength=len(minima)) / len(w)
