"""Second derivatives by the weights of a tied net, from those of every output by its own couplings and bias.

    d^2 L / dW_ka dW_lc  =  sum_j W_kj W_lj R_j[a, c]  +  W_kc (W R_c)[l, a]  +  W_la (W R_a)[k, c]
                            + (a = c) (W R_a W^T)[k, l]  +  (k = l) (S_ac + S_ca)

with R_j = I_j d^2 E_j / d(g, b)^2 (n + 1, n + 1) of row j, g_i = G_ji, G = W^T W, and S = dL/dG, as in
`tegum.exact.kernel.hessian`.  Of a sum over states R_j = 2 I_j E y y^T [s_j > 0], y = (x, 1), exactly, where no state has
s_j = 0.  Of any law whose gradients are known it is made of their differences, of all rows at once: of 2 (n + 1) gradients, in
place of 2 (m + 1) n.

>>> H, W = np.zeros((4, 4)), np.array([[0.5, 2.0]])
>>> add_row(H, W, 0, np.diag([1.0, 0, 0]))                                 # E_0 = G_00^2 / 2 = W_0^4 / 2: 6 W_0^2 without S
>>> float(H[0, 0])
1.0
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CurvedBy = Literal["sum", "inversion", "differences"]
"""How a Hessian is found: as a sum over states, by inversion of its rows, or by differences of gradients."""


def add_row(H: Floats, W: Floats, j: int, R: Floats) -> None:
    """Adds row j's part, without S, to the Hessian (d, d) by W (m, n), row by row, and b (n,); d = m n + n."""
    m, n = W.shape
    by_weights, bias = H[: m * n, : m * n].reshape(m, n, m, n), m * n + j
    product = W @ R[:n]
    by_weights += W[:, j, None, None, None] * W[:, j, None] * R[:n, None, :n]
    by_weights[:, :, :, j] += W[:, j, None, None] * product[:, :n].T
    by_weights[:, j] += W[:, j, None] * product[:, None, :n]
    by_weights[:, j, :, j] += product[:, :n] @ W.T
    column = np.outer(W[:, j], R[:n, n])
    column[:, j] += product[:, n]
    H[: m * n, bias] += column.ravel()
    H[bias, : m * n] += column.ravel()
    H[bias, bias] += R[n, n]


def add_slopes(H: Floats, m: int, S: Floats) -> None:
    """Adds the part of S = dL/dG (n, n)."""
    n = len(S)
    for k in range(m):
        H[k * n : (k + 1) * n, k * n : (k + 1) * n] += S + S.T


def first_reached(distance: Floats, square: Floats | float, slope: Floats | float) -> Floats:
    """The r >= 0 at which ``square`` r^2 + ``slope`` r is the distance; not both may be 0."""
    root = slope + np.sqrt(slope**2 + 4 * square * distance)
    return np.divide(2 * distance, root, out=np.zeros_like(root), where=root > 0)


def differences(
    slopes: Callable[[Floats, Floats], tuple[Floats, Floats]], W: Floats, b: Floats, step: float, biased: bool
) -> tuple[Floats, float]:
    """The Hessian from the derivatives of the loss by G (n, n) and b (n,), and by how much an entry of R differs by side.

    Without derivatives by b where it is not ``biased``.
    """
    (m, n), G, jump = W.shape, W.T @ W, 0.0
    H, rows = np.zeros((m * n + n, m * n + n)), np.zeros((n, n + 1, n + 1))

    def at(t: int, moved: float) -> Floats:
        """All rows where coupling t, or the bias, is moved (n, n + 1)."""
        by_map, by_bias = slopes(G + moved * (np.arange(n) == t), b + moved * (t == n))
        return np.column_stack([by_map, by_bias])

    here = at(n, 0.0)
    for t in range(n + biased):
        above, below = at(t, step), at(t, -step)
        rows[:, t] = (above - below) / (2 * step)
        jump = max(jump, float(np.abs(above - 2 * here + below).max()) / step)
    for j, R in enumerate(rows):
        add_row(H, W, j, (R + R.T) / 2)
    add_slopes(H, m, here[:, :n])
    return H, jump
