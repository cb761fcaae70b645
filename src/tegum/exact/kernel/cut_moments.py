"""Second moments of one or two uniform magnitudes cut by a sign: the Hessian of patterns with one or two features active.

With s = b + g u, or b + g u + h v, and x = (u, 1), or (u, v, 1),

    2 E [x x^T 1(s > 0)],    and under T of the own feature, of magnitude w,    - 2 E [w x x^T delta(s)]

F_a(t) = int u^a 1(t + g u > 0) du is cut at u_0 = -t / g, and int u^a delta(t + g u) du = u_0^a / |g| there.  Both are
polynomials in t between t = 0 and t = -g, of at most three powers with what they are multiplied by, so that Gauss' rule with
two points is exact between the kinks of b + h v.  Nothing is divided by h, the smaller coupling of the two.
"""

import math
from typing import Any

from tegum.compilation import inlined, inner

_NODE = 0.5 - 0.5 / math.sqrt(3.0)


@inlined
def _cut(t: float, g: float) -> tuple[float, float, float, float, float]:
    """F_0, F_1 and F_2 at t, and u_0 and 1 / |g| where s crosses 0, else 0."""
    e = t + g
    if t <= 0 and e <= 0:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    if t >= 0 and e >= 0:
        return 1.0, 0.5, 1 / 3, 0.0, 0.0
    u = -t / g
    if g > 0:
        return 1 - u, (1 - u * u) / 2, (1 - u * u * u) / 3, u, 1 / g
    return u, u * u / 2, u * u * u / 3, u, -1 / g


@inner
def add_one(share: float, b: float, g: float, i: int, own: bool, H: Any) -> None:
    """Adds ``share`` times the Hessian of E r(b + g u)^2, of the own feature with T, to H, whose last row is the bias'."""
    n = H.shape[0] - 1
    M0, M1, M2, u, density = _cut(b, g)
    if own:
        density *= u
        M0 -= density
        M1 -= density * u
        M2 -= density * u * u
    H[n, n] += 2 * share * M0
    H[i, n] += 2 * share * M1
    H[i, i] += 2 * share * M2


@inner
def add_two(share: float, b: float, g: float, h: float, i: int, k: int, own: int, H: Any) -> None:
    """The same of E r(b + g u + h v)^2, u of feature i and v of feature k, one of which may be the own one."""
    n = H.shape[0] - 1
    if abs(g) < abs(h):
        g, h = h, g
        i, k = k, i
    first = second = 1.0
    if h != 0:
        first = min(max(-b / h, 0.0), 1.0)
        second = min(max(-(b + g) / h, 0.0), 1.0)
        if second < first:
            first, second = second, first
    M00 = M10 = M01 = M20 = M11 = M02 = 0.0
    begin = 0.0
    for piece in range(3):
        end = first if piece == 0 else (second if piece == 1 else 1.0)
        if end > begin:
            weight = (end - begin) / 2
            for node in range(2):
                v = begin + (end - begin) * (_NODE if node == 0 else 1 - _NODE)
                F0, F1, F2, u, density = _cut(b + h * v, g)
                if own in (i, k):
                    density *= u if own == i else v
                    F0 -= density
                    F1 -= density * u
                    F2 -= density * u * u
                M00 += weight * F0
                M10 += weight * F1
                M20 += weight * F2
                M01 += weight * v * F0
                M11 += weight * v * F1
                M02 += weight * v * v * F0
        begin = end
    H[n, n] += 2 * share * M00
    H[i, n] += 2 * share * M10
    H[k, n] += 2 * share * M01
    H[i, i] += 2 * share * M20
    H[i, k] += 2 * share * M11
    H[k, k] += 2 * share * M02
