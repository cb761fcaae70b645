"""Two features in one dimension without bias: the loss in closed form.

    y_1 = r(w_1^2 x_1 + s x_2),   y_2 = r(s x_1 + w_2^2 x_2),   s = w_1 w_2,   r(t) = max(t, 0)

    L = p (1 - p) { (1 - w_1^2)^2 / 3 + I r(s)^2 / 3 + I (1 - w_2^2)^2 / 3 + r(s)^2 / 3 } + p^2 { E(w_1^2, s) + I E(w_2^2, s) }

with E(a, s) the mean squared error of r(a x + s x') against x for x, x' uniform on [0, 1].  The surface has a minimum where
both weights are equal ("confused") in dense worlds, and antipodal ones in sparse worlds.  Example: importances (1, 2),
p = 0.3, w = (0.9, -0.5): 0.144668.

Source: Tom McGrath's comment in `Toy Models of Superposition`; the closed form is derived here.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

_REACH = 1.5
_CELLS = 60
_SAME = 1e-3


def _both_on(a: NDArray[np.float64], s: NDArray[np.float64]) -> NDArray[np.float64]:
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


def two_in_one_loss(w1: ArrayLike, w2: ArrayLike, density: ArrayLike, ratio: ArrayLike = 1.0) -> NDArray[np.float64]:
    """The expected loss of weights (w1, w2) for importances (1, ratio); elementwise over broadcast arguments."""
    v1, v2, p, r = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (w1, w2, density, ratio)))
    s = v1 * v2
    a, b = v1 * v1, v2 * v2
    leak = np.maximum(s, 0) ** 2
    one = ((1 - a) ** 2 + r * leak + r * (1 - b) ** 2 + leak) / 3
    return np.asarray(p * (1 - p) * one + p * p * (_both_on(a, s) + r * _both_on(b, s)))


def two_in_one_minima(density: float, ratio: float = 1.0) -> NDArray[np.float64]:
    """Every local minimum of the loss up to (w1, w2) -> (-w1, -w2), lowest first: rows (w1, w2, loss), w1 >= 0.

    Candidates are the lowest cells of a grid over |w| <= 1.5, each followed to its minimum.
    """
    w1 = np.linspace(0, _REACH, _CELLS + 1)
    w2 = np.linspace(-_REACH, _REACH, 2 * _CELLS + 1)
    surface = np.pad(two_in_one_loss(w1[:, None], w2[None, :], density, ratio), 1, constant_values=np.inf)
    surface[0, 1:-1] = surface[2, -2:0:-1]
    inner = surface[1:-1, 1:-1]
    rows, columns = inner.shape
    lowest = np.all([inner <= surface[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0)
    found: list[tuple[float, float, float]] = []
    for row, column in np.argwhere(lowest):
        start = np.array([float(w1[row]), float(w2[column])])

        def loss(w: NDArray[np.float64]) -> float:
            return float(two_in_one_loss(w[0], w[1], density, ratio))

        end = minimize(
            loss,
            start,
            method="Nelder-Mead",
            tol=1e-12,
        )
        a, b = end.x if end.x[0] >= 0 else -end.x
        if not any(abs(a - c) + abs(b - d) < _SAME for c, d, _ in found):
            found.append((float(a), float(b), float(end.fun)))
    return np.array(sorted(found, key=lambda minimum: minimum[2]))
