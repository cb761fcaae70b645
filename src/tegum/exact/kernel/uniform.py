"""Magnitudes uniform on [0, 1]: the factor A(x) = E e^{xu} = (e^x - 1) / x of one feature along the inversion's points.

Point k is z_k = zeta_k / P with zeta_k = 2 + 2 pi i k, so e^{z_k g} is a geometric sequence in k: eight neighbours are computed
from sine and cosine once, then stepped by a multiplication.  The sequence holds e^x - 1, which keeps its relative
accuracy for small x, and A' follows from A without cancellation until x is tiny; there Taylor series take over:

    dA/dg = (e^x - A) / g,    d2A/dg2 = (z e^x - 2 dA/dg) / g,    x = z g

The row's own feature enters as (1 - d/dg_j) of its factor (see `tegum.exact.kernel.row`).
"""

from math import factorial
from typing import Any, NamedTuple

import numpy as np

from tegum.compilation import copied_into_callers, inlined, inner
from tegum.exact.kernel.product import CONSTANTS, STATE, SUM, at
from tegum.exact.kernel.records import Distribution
from tegum.exact.kernel.vectors import (
    WIDTH,
    at_least,
    complex_of,
    fill,
    lane,
    load_complex,
    nearest,
    peek,
    ramp,
    store,
    store_complex,
)

ALPHA = 2.0
TURN = 2 * np.pi
STEP_REAL, STEP_IMAGINARY, COUPLING, INVERSE, TURNS, WEIGHT, ALONE, ODDS = range(8)
"""A feature's constants: the step of its sequence, g, 1 / g, 2 pi |g| / P, its probability, that it alone is active, and
its odds where it is taken in pairs."""

_SERIES_BELOW = 0.02
_OWN_SERIES_BELOW = 1.5
_TERMS = 7
_OWN_TERMS = 24
_SIN = np.array([(-1.0) ** k / factorial(2 * k + 1) for k in range(10)])
_COS = np.array([(-1.0) ** k / factorial(2 * k) for k in range(11)])
_EXP = np.array([1.0 / factorial(k) for k in range(19)])
_INVERSE_FACTORIAL = np.array([1.0 / factorial(k) for k in range(_OWN_TERMS + 4)])


class Points(NamedTuple):
    """Eight neighbouring points of the inversion: the period P, the number k of the first, and 1 / zeta of all eight."""

    P: float
    k: int
    inverse: Any


@inlined
def expm1_double(y: float) -> float:
    """e^{2y} - 1 for |y| <= 2."""
    half = y / 2
    m = 0.0
    for k in range(18, 0, -1):
        m = m * half + _EXP[k]
    # m = e^{y/2} - 1; twice (1 + m)^2 - 1 = m (m + 2) doubles the exponent without losing what is small
    m *= half
    m *= m + 2
    return m * (m + 2)


@inlined
def turn(theta: Any) -> Any:
    """e^{2 pi i theta} - 1 of a vector theta."""
    # half the angle, reduced to [-pi/2, pi/2]: cos - 1 = -2 sin^2(half), sin = 2 sin(half) cos(half) lose nothing near 0
    y = np.pi * (theta - nearest(theta))
    square = y * y
    s = fill(_SIN[9])
    c = fill(_COS[10])
    for k in range(8, -1, -1):
        s = s * square + _SIN[k]
    for k in range(9, -1, -1):
        c = c * square + _COS[k]
    s = s * y
    return complex_of(-2.0 * s * s, 2.0 * s * c)


@copied_into_callers
@inner
def first_powers(gamma: float) -> tuple[Any, float, float]:
    """e^{zeta_k gamma} - 1 for the first eight k, and both parts of e^{2 pi i 8 gamma} - 1, the step to the next eight."""
    turned = turn(ramp() * gamma)
    m = expm1_double(gamma)
    # (1 + m)(1 + turned) - 1; the step is the fourth neighbour's turn t doubled, (1 + t)^2 - 1 = 2t + t^2
    real = lane(turned.real, 4)
    imag = lane(turned.imag, 4)
    return turned * (m + 1) + m, 2 * real + real * real - imag * imag, 2 * imag + 2 * real * imag


@inlined
def taper(k: int, most: int) -> Any:
    """What the terms from k on count where the sum fades out from a quarter of ``most`` terms to all of them.

    Cut short, second derivatives converge like 1 / K^3, because what is left at a singularity at distance d oscillates like
    e^{2 pi i K d / P}; a smooth end leaves nothing of what oscillates, and they converge as fast as the loss.
    """
    t = at_least((ramp() + (k + 0.5)) * (4 / (3.0 * most)) - 1 / 3, 0.0)
    return 1.0 - t * t * t * (10.0 - 15.0 * t + 6.0 * (t * t))


@copied_into_callers
@inner
def start(distribution: Distribution, v: Any, rows: int, i: int, component: int, g: float, alone: float, P: float) -> None:
    """Sets feature i's sequence to the first eight points and writes down what later points need of it."""
    powers, step_real, step_imaginary = first_powers(g / P)
    store_complex(v, at(rows, STATE, i), powers)
    sums = at(rows, SUM, i)
    store(v, sums, fill(0.0))
    constants = sums + CONSTANTS
    v[constants + STEP_REAL] = step_real
    v[constants + STEP_IMAGINARY] = step_imaginary
    v[constants + COUPLING] = g
    v[constants + INVERSE] = 1 / g
    v[constants + TURNS] = TURN * abs(g) / P
    v[constants + WEIGHT] = distribution.weight[component]
    v[constants + ALONE] = alone


@inlined
def z_at(points: Points) -> Any:
    """Z at the eight points."""
    return complex_of(fill(ALPHA / points.P), (TURN / points.P) * (ramp() + float(points.k)))


@inner
def _tiny(v: Any, rows: int, i: int, points: Points) -> tuple[Any, Any]:
    """A and dA/dg at eight points by Taylor series: A = sum x^m / (m + 1)!,  A' = sum (m + 1) x^m / (m + 2)!."""
    z = z_at(points)
    x = z * peek(v, at(rows, SUM, i) + CONSTANTS + COUPLING)
    A = complex_of(_INVERSE_FACTORIAL[_TERMS + 1], 0.0)
    slope = complex_of((_TERMS + 1) * _INVERSE_FACTORIAL[_TERMS + 2], 0.0)
    for m in range(_TERMS - 1, -1, -1):
        slope = slope * x + (m + 1) * _INVERSE_FACTORIAL[m + 2]
        A = A * x + _INVERSE_FACTORIAL[m + 1]
    return A, slope * z


@inlined
def factor(v: Any, rows: int, i: int, points: Points) -> tuple[Any, Any]:
    """A and dA/dg at eight points."""
    constants = at(rows, SUM, i) + CONSTANTS
    if peek(v, constants + TURNS) * (points.k + WIDTH) < _SERIES_BELOW:
        A, D = _tiny(v, rows, i, points)
    else:
        minus_one = load_complex(v, at(rows, STATE, i))
        inverse = peek(v, constants + INVERSE)
        A = (minus_one * points.inverse) * (points.P * inverse)
        D = (minus_one + 1.0 - A) * inverse
    return A, D


@inlined
def step_on(v: Any, rows: int, i: int) -> None:
    """Moves the feature's sequence on by eight points: (1 + e)(1 + s) - 1 = e + s + e s."""
    here = at(rows, STATE, i)
    constants = at(rows, SUM, i) + CONSTANTS
    powers = load_complex(v, here)
    step = complex_of(peek(v, constants + STEP_REAL), peek(v, constants + STEP_IMAGINARY))
    store_complex(v, here, powers + step + powers * step)


@inner
def series(z: Any, g: float) -> tuple[Any, Any, Any]:
    """A(z g) and its first two derivatives by g, for |z g| up to 1.6, by Taylor series: A = sum x^m / (m + 1)!."""
    x = z * g
    A = complex_of(0.0, 0.0)
    slope = complex_of(0.0, 0.0)
    bend = complex_of(0.0, 0.0)
    for m in range(_OWN_TERMS, -1, -1):
        bend = bend * x + (m + 1) * (m + 2) * _INVERSE_FACTORIAL[m + 3]
        slope = slope * x + (m + 1) * _INVERSE_FACTORIAL[m + 2]
        A = A * x + _INVERSE_FACTORIAL[m + 1]
    return A, slope * z, bend * (z * z)


@inner
def third_series(z: Any, g: float) -> Any:
    """The third derivative of A(z g) by g in the same way: sum (m + 1) (m + 2) (m + 3) x^m / (m + 4)! times z^3."""
    x = z * g
    third = complex_of(0.0, 0.0)
    for m in range(_OWN_TERMS - 1, -1, -1):
        third = third * x + (m + 1) * (m + 2) * (m + 3) * _INVERSE_FACTORIAL[m + 4]
    return third * (z * z * z)


@inlined
def series_factor(z: Any, g: float, own: bool) -> tuple[Any, Any]:
    """A(z g) and dA/dg, for the row's own feature (1 - d/dg) of both, for |z g| up to 1.6."""
    A, by_g, by_gg = series(z, g)
    if own:
        A = A - by_g
        by_g = by_g - by_gg
    return A, by_g


@inner
def own_factor(v: Any, rows: int, i: int, points: Points) -> tuple[Any, Any]:
    """(1 - d/dg) of A and dA/dg at eight points, for the row's own feature."""
    z = z_at(points)
    constants = at(rows, SUM, i) + CONSTANTS
    if peek(v, constants + TURNS) * (points.k + WIDTH) < _OWN_SERIES_BELOW:
        A, by_g, by_gg = series(z, peek(v, constants + COUPLING))
    else:
        A, by_g = factor(v, rows, i, points)
        power = load_complex(v, at(rows, STATE, i)) + 1.0
        by_gg = (z * power - 2.0 * by_g) * peek(v, constants + INVERSE)
    return A - by_g, by_g - by_gg


@copied_into_callers
@inner
def closed_power(k: int, b: float, g: float) -> tuple[float, float, float]:
    """E (b + g u)^k for u uniform on [0, 1], and its first two derivatives by g; k from 1 to 3."""
    if k == 1:
        return b + g / 2, 0.5, 0.0
    if k == 2:
        return b * b + b * g + g * g / 3, b + 2 * g / 3, 2.0 / 3
    return b**3 + 1.5 * b * b * g + b * g * g + g**3 / 4, 1.5 * b * b + 2 * b * g + 0.75 * g * g, 2 * b + 1.5 * g


@copied_into_callers
@inner
def rectified_power(k: int, b: float, g: float) -> tuple[float, float, float]:
    """E r(b + g u)^k for u uniform on [0, 1], r(t) = max(t, 0), and its first two derivatives by g; k from 1 to 3."""
    e = b + g
    if b <= 0 and e <= 0:
        return 0.0, 0.0, 0.0
    if b >= 0 and e >= 0:
        return closed_power(k, b, g)
    # s crosses 0: of int_b^e r(s)^k ds / g only the side above 0 counts, e^{k+1} / ((k+1) g) where s ends there
    if g > 0:
        value = e ** (k + 1) / ((k + 1) * g)
        slope = (e**k - value) / g
        return value, slope, (k * e ** (k - 1) - 2 * slope) / g
    value = -(b ** (k + 1)) / ((k + 1) * g)
    return value, -value / g, 2 * value / (g * g)


@inlined
def closed(k: int, b: float, g: float, own: bool) -> tuple[float, float]:
    """E s^k of s = b + g u and its derivative by g; of the own feature T = 1 - d/dg of both."""
    value, by_g, by_gg = closed_power(k, b, g)
    return (value - by_g, by_g - by_gg) if own else (value, by_g)


@inlined
def rectified(k: int, b: float, g: float, own: bool) -> tuple[float, float]:
    """E r(s)^k of s = b + g u and its derivative by g; of the own feature T = 1 - d/dg of both."""
    value, by_g, by_gg = rectified_power(k, b, g)
    return (value - by_g, by_g - by_gg) if own else (value, by_g)
