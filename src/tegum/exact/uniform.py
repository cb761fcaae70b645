"""Magnitudes uniform on [0, 1]: the factor A(x) = E e^{xu} = (e^x - 1) / x of one feature along the inversion's points.

Point k is z_k = zeta_k / P with zeta_k = 2 + 2 pi i k, so e^{z_k g} is a geometric sequence in k: eight neighbours are computed
from sine and cosine once, then stepped by a multiplication.  The sequence holds e^x - 1, which keeps its relative
accuracy for small x, and A' follows from A without cancellation until x is tiny; there Taylor series take over:

    dA/dg = (e^x - A) / g,    d2A/dg2 = (z e^x - 2 dA/dg) / g,    x = z g

The row's own feature enters as (1 - d/dg_j) of its factor (see `tegum.exact.row`).
"""

from math import factorial
from typing import Any

import numpy as np

from tegum.compilation import compiled, inlined
from tegum.exact.lanes import WIDTH, fill, lane, load, nearest, peek, ramp, store
from tegum.exact.product import IMAGINARY, STATE, STEP, SUM, A, D, at

ALPHA = 2.0
STEP_REAL, STEP_IMAGINARY, COUPLING, INVERSE, TURNS, WEIGHT, SHARE = range(7)
_TURN = 2 * np.pi
_SERIES_BELOW = 0.02
_OWN_SERIES_BELOW = 1.5
_TERMS = 7
_OWN_TERMS = 24
_SIN = np.array([(-1.0) ** k / factorial(2 * k + 1) for k in range(10)])
_COS = np.array([(-1.0) ** k / factorial(2 * k) for k in range(11)])
_EXP = np.array([1.0 / factorial(k) for k in range(19)])
_INVERSE_FACTORIAL = np.array([1.0 / factorial(k) for k in range(_OWN_TERMS + 4)])


@inlined
def expm1_double(y: float) -> float:
    """e^{2y} - 1 for |y| <= 2."""
    half = y / 2
    m = 0.0
    for k in range(18, 0, -1):
        m = m * half + _EXP[k]
    m *= half
    m *= m + 2
    return m * (m + 2)


@inlined
def turn(theta: Any) -> Any:
    """cos(2 pi theta) - 1 and sin(2 pi theta) of a vector."""
    y = np.pi * (theta - nearest(theta))
    square = y * y
    s = fill(_SIN[9])
    c = fill(_COS[10])
    for k in range(8, -1, -1):
        s = s * square + _SIN[k]
    for k in range(9, -1, -1):
        c = c * square + _COS[k]
    s = s * y
    return -2.0 * s * s, 2.0 * s * c


@inlined
def first_powers(gamma: float) -> Any:
    """e^{zeta_k gamma} - 1 for the first eight k, and the step e^{2 pi i 8 gamma} - 1 to the next eight."""
    minus_one, sine = turn(ramp() * gamma)
    m = expm1_double(gamma)
    cr = lane(minus_one, 4)
    ci = lane(sine, 4)
    return m + (m + 1) * minus_one, (m + 1) * sine, 2 * cr + cr * cr - ci * ci, 2 * ci + 2 * cr * ci


@inlined
def start(world: Any, v: Any, rows: int, i: int, component: int, g: float, share: float, P: float) -> None:
    """Sets feature i's sequence to the first eight points and writes down what later points need of it."""
    er, ei, rr, ri = first_powers(g / P)
    here = at(rows, STATE, i)
    store(v, here, er)
    store(v, here + IMAGINARY, ei)
    here = at(rows, SUM, i) + STEP
    store(v, here - STEP, fill(0.0))
    v[here + STEP_REAL] = rr
    v[here + STEP_IMAGINARY] = ri
    v[here + COUPLING] = g
    v[here + INVERSE] = 1 / g
    v[here + TURNS] = _TURN * abs(g) / P
    v[here + WEIGHT] = world.weight[component]
    v[here + SHARE] = share


@compiled
def _tiny(v: Any, rows: int, i: int, P: float, k: int) -> Any:
    """A and dA/dg at eight points by Taylor series."""
    g = peek(v, at(rows, SUM, i) + STEP + COUPLING)
    zr = fill(ALPHA / P)
    zi = (_TURN / P) * (ramp() + float(k))
    x = g * zr
    y = g * zi
    ar = fill(_INVERSE_FACTORIAL[_TERMS + 1])
    ai = fill(0.0)
    dr = fill((_TERMS + 1) * _INVERSE_FACTORIAL[_TERMS + 2])
    di = fill(0.0)
    for m in range(_TERMS - 1, -1, -1):
        t = dr * x - di * y
        di = dr * y + di * x
        dr = t + (m + 1) * _INVERSE_FACTORIAL[m + 2]
        t = ar * x - ai * y
        ai = ar * y + ai * x
        ar = t + _INVERSE_FACTORIAL[m + 1]
    return ar, ai, dr * zr - di * zi, dr * zi + di * zr


@inlined
def factor(v: Any, rows: int, i: int, P: float, k: int, ir: Any, ii: Any) -> Any:
    """A and dA/dg at the points k to k + 7; (ir, ii) = 1 / zeta."""
    here = at(rows, STATE, i)
    fixed = at(rows, SUM, i) + STEP
    if peek(v, fixed + TURNS) * (k + WIDTH) < _SERIES_BELOW:
        ar, ai, dr, di = _tiny(v, rows, i, P, k)
    else:
        er = load(v, here)
        ei = load(v, here + IMAGINARY)
        inverse = peek(v, fixed + INVERSE)
        scale = P * inverse
        ar = (er * ir - ei * ii) * scale
        ai = (er * ii + ei * ir) * scale
        dr = (er + 1.0 - ar) * inverse
        di = (ei - ai) * inverse
    return ar, ai, dr, di


@inlined
def step_on(v: Any, rows: int, i: int) -> None:
    """Moves the feature's sequence on by eight points."""
    here = at(rows, STATE, i)
    fixed = at(rows, SUM, i) + STEP
    er = load(v, here)
    ei = load(v, here + IMAGINARY)
    rr = peek(v, fixed + STEP_REAL)
    ri = peek(v, fixed + STEP_IMAGINARY)
    store(v, here, er + rr + (er * rr - ei * ri))
    store(v, here + IMAGINARY, ei + ri + (er * ri + ei * rr))


@compiled
def own_factor(v: Any, rows: int, i: int, P: float, k: int, ir: Any, ii: Any) -> Any:
    """(1 - d/dg) of A and dA at eight points, for the row's own feature."""
    fixed = at(rows, SUM, i) + STEP
    g = peek(v, fixed + COUPLING)
    zr = fill(ALPHA / P)
    zi = (_TURN / P) * (ramp() + float(k))
    if peek(v, fixed + TURNS) * (k + WIDTH) < _OWN_SERIES_BELOW:
        x = g * zr
        y = g * zi
        ar = fill(0.0)
        ai = fill(0.0)
        dr = fill(0.0)
        di = fill(0.0)
        sr = fill(0.0)
        si = fill(0.0)
        for m in range(_OWN_TERMS, -1, -1):
            t = sr * x - si * y
            si = sr * y + si * x
            sr = t + (m + 1) * (m + 2) * _INVERSE_FACTORIAL[m + 3]
            t = dr * x - di * y
            di = dr * y + di * x
            dr = t + (m + 1) * _INVERSE_FACTORIAL[m + 2]
            t = ar * x - ai * y
            ai = ar * y + ai * x
            ar = t + _INVERSE_FACTORIAL[m + 1]
        qr = zr * zr - zi * zi
        qi = 2.0 * zr * zi
        t = sr * qr - si * qi
        si = sr * qi + si * qr
        sr = t
        t = dr * zr - di * zi
        di = dr * zi + di * zr
        dr = t
    else:
        here = at(rows, STATE, i)
        er = load(v, here) + 1.0
        ei = load(v, here + IMAGINARY)
        inverse = peek(v, fixed + INVERSE)
        ar, ai, dr, di = factor(v, rows, i, P, k, ir, ii)
        sr = (zr * er - zi * ei - 2.0 * dr) * inverse
        si = (zr * ei + zi * er - 2.0 * di) * inverse
    return ar - dr, ai - di, dr - sr, di - si


@inlined
def write_factor(v: Any, rows: int, i: int, ar: Any, ai: Any, dr: Any, di: Any) -> None:
    """Stores A and dA/dg of a feature."""
    here = at(rows, A, i)
    store(v, here, ar)
    store(v, here + IMAGINARY, ai)
    here = at(rows, D, i)
    store(v, here, dr)
    store(v, here + IMAGINARY, di)


@compiled
def closed_power(k: int, b: float, g: float) -> Any:
    """E (b + g u)^k for u uniform on [0, 1], and its first two derivatives by g; k from 1 to 3."""
    if k == 1:
        return b + g / 2, 0.5, 0.0
    if k == 2:
        return b * b + b * g + g * g / 3, b + 2 * g / 3, 2.0 / 3
    return b**3 + 1.5 * b * b * g + b * g * g + g**3 / 4, 1.5 * b * b + 2 * b * g + 0.75 * g * g, 2 * b + 1.5 * g


@compiled
def rectified_power(k: int, b: float, g: float) -> Any:
    """E r(b + g u)^k for u uniform on [0, 1], r(t) = max(t, 0), and its first two derivatives by g; k from 1 to 3."""
    e = b + g
    if b <= 0 and e <= 0:
        return 0.0, 0.0, 0.0
    if b >= 0 and e >= 0:
        return closed_power(k, b, g)
    if g > 0:
        value = e ** (k + 1) / ((k + 1) * g)
        slope = (e**k - value) / g
        return value, slope, (k * e ** (k - 1) - 2 * slope) / g
    value = -(b ** (k + 1)) / ((k + 1) * g)
    return value, -value / g, 2 * value / (g * g)
