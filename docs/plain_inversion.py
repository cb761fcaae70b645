"""The expected loss by Laplace inversion, in NumPy: the plain method, for reading and for the picture of what the split gains.

One output with couplings g, bias b, its own coupling g_j; independent features of density p, magnitudes uniform on [0, 1]:

    s = b + sum_i g_i x_i,      E (x_j - r(s))^2 = E x_j^2 - 2 E x_j r(s) + E r(s)^2,      r(t) = max(t, 0)

    E r(s)^2   = sum_k  Re{ w_k 2 e^{z_k b} phi(z_k) / z_k^3 },        phi(z) = prod_i (1 - p_i + p_i A(z g_i))
    E x_j r(s) = sum_k  Re{ w_k e^{z_k b} phi_j(z_k) / z_k^2 },        A(x) = (e^x - 1) / x

with z_k = (2 + 2 pi i k) / P, weights 2 / P (half of it at k = 0), and p_j A'(z g_j) in place of j's factor in phi_j.  "Nothing
is active" and "only i is active" are taken out of the products and added in closed form; what the period adds is subtracted.
`docs/exact.md` explains why.  The library does the same, and splits rows with couplings of two sizes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

ALPHA = 2.0
Q = np.exp(-ALPHA)


def _r(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(t, 0.0)


def _factor(x: NDArray[np.complex128]) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """A(x) and A'(x); Taylor series near 0."""
    small = np.abs(x) < 0.5
    y = np.where(small, 1.0, x)
    z = np.where(small, x, 0.0)
    A = derivative = np.zeros_like(x)
    term = np.ones_like(x)
    for k in range(16):
        A = A + term / (k + 1)
        derivative = derivative + term / (k + 2)
        term = term * z / (k + 1)
    A = np.where(small, A, np.expm1(y) / y)
    return A, np.where(small, derivative, (np.exp(y) - A) / y)


def _alone(g: NDArray[np.float64], b: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """E r(g u + b)^2 and E u r(g u + b): one feature is active."""
    with np.errstate(divide="ignore", invalid="ignore"):
        kinked = (_r(g + b) ** 3 - _r(b) ** 3) / (3 * g)
        own = (_r(g + b) ** 3 / 3 - b * _r(g + b) ** 2 / 2 - _r(b) ** 3 / 3 + b * _r(b) ** 2 / 2) / g**2
    straight = float(b > 0)
    crosses = b * (g + b) < 0
    return (
        np.where(crosses, kinked, straight * (b * b + b * g + g * g / 3) + (b == 0) * _r(g) ** 2 / 3),
        np.where(crosses, own, straight * (b / 2 + g / 3) + (b == 0) * _r(g) / 3),
    )


def row_errors(g: NDArray[np.float64], b: float, j: int, p: NDArray[np.float64], terms: list[int]) -> NDArray[np.float64]:
    """E (x_j - r(s))^2 with each number of terms; densities p below 1."""
    mean, square = p / 2, p / 3
    total, spread = b + mean @ g, g**2 @ (square - mean**2)
    low, high = b + np.minimum(g, 0).sum(), b + np.maximum(g, 0).sum()
    if high <= 0:
        return np.full(len(terms), square[j])
    second = total**2 + spread
    own = mean[j] * (total - mean[j] * g[j]) + square[j] * g[j]
    if low >= 0:
        return np.full(len(terms), square[j] - 2 * own + second)
    P = 1.2 * max(high, -low)
    z = (ALPHA + 2j * np.pi * np.arange(max(terms))) / P
    A, derivative = _factor(z[:, None] * g)
    none = np.prod(1 - p)
    only = none * p / (1 - p)
    factors = 1 - p + p * A
    others = np.prod(np.delete(factors, j, axis=1), axis=1)
    weight = np.where(np.arange(len(z)) == 0, 1.0, 2.0) / P * np.exp(z * b)
    two = np.cumsum((weight * 2 / z**3 * (others * factors[:, j] - none - A @ only)).real)
    one = np.cumsum((weight / z**2 * derivative[:, j] * (p[j] * others - only[j])).real)
    # what the period adds, for the patterns that stayed: sum_r e^{-2 r} E (s + r P)^2, and E x_j (s + r P)
    s0, s1, s2 = Q / (1 - Q), Q / (1 - Q) ** 2, Q * (1 + Q) / (1 - Q) ** 3
    left = 1 - none - only.sum()
    first = total - none * b - only @ (b + g / 2)
    second = second - none * b**2 - only @ (b * b + b * g + g * g / 3)
    own = own - only[j] * (b / 2 + g[j] / 3)
    two = two - (s0 * second + 2 * P * s1 * first + P * P * s2 * left)
    one = one - (s0 * own + P * s1 * (mean[j] - only[j] / 2))
    squares, owns = _alone(g, b)
    value = square[j] - 2 * (one + only[j] * owns[j]) + two + none * max(b, 0) ** 2 + only @ squares
    return value[np.array(terms) - 1]


def plain_losses(W: NDArray[np.float64], b: NDArray[np.float64], density: ArrayLike, terms: list[int]) -> NDArray[np.float64]:
    """sum_j E (x_j - y_j)^2 of y = r(W^T W x + b) with each number of terms, importances 1."""
    n = W.shape[-1]
    p = np.broadcast_to(np.asarray(density, dtype=np.float64), (n,))
    G = W.T @ W
    return np.sum([row_errors(G[j], float(b[j]), j, p, terms) for j in range(n)], axis=0)
