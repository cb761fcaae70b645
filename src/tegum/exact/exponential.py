"""Exponential magnitudes: every singularity lies on the real axis, so a bent contour converges geometrically.

    A(zg) = E e^{zgu} = 1 / (1 - z g a)  for magnitudes of mean a,     E r(b + s)^2 = (1 / 2 pi i) int 2 e^{zb} phi(z) / z^3 dz

A row with b > 0 is turned around, E r(s)^2 = E s^2 - E r(-s)^2, so that b <= 0 and e^{zb} decays to the right.  There lie the
poles 1 / (a g_i) of positive couplings, the nearest at R; to the left lie 0 and the others.  The hyperbola

    z(u) = alpha (1 + i sinh(u - i pi / 4)),    alpha = R / 2,    u = 0, h, 2h, ...  (and their conjugates)

passes between them and opens towards the decay.  Its points are spaced evenly in log |z|, which serves couplings of all
scales alike: no atom is taken out, nothing is split.  Halving h squares the error (the trapezoidal rule in a strip of
half-width pi/4), so the change by the last halving bounds the error before it, and its square the error after it.

Source: Trefethen and Weideman, "The exponentially convergent trapezoidal rule" (2014).
"""

import math
from typing import Any

import numpy as np

from tegum.compilation import compiled, inlined
from tegum.exact.lanes import WIDTH, at_least, fill, load, ramp, store, total
from tegum.exact.product import ALL_ROWS, IMAGINARY, SUM, A, D, at, backward, clear_sums, forward
from tegum.exact.row import ROUNDING, always_on
from tegum.exact.uniform import turn

_REACH = 18.0
_DECAY = math.exp(-_REACH)
_FIRST_STEP = 0.5625
_DECAYED = 40.0
_ROOT_HALF = math.sqrt(0.5)
_SQUARINGS = 6
_CAUTION = 30.0
_CHANCE = 10.0
_STRIP = math.pi**2 / 2
"""The error falls like exp(-pi^2 / (2 h)); a change smaller than that is chance, and its square no estimate."""

_ROUNDINGS = 8.0
_HALF = np.array([0.5] + [1.0] * (WIDTH - 1))
_EXP = np.array([1.0 / math.factorial(k) for k in range(15)])


@inlined
def _exp(x: Any) -> Any:
    """e^x of a vector, |x| <= 64."""
    y = x * (1.0 / 2**_SQUARINGS)
    e = fill(0.0)
    for k in range(14, -1, -1):
        e = e * y + _EXP[k]
    for _ in range(_SQUARINGS):
        e = e * e
    return e


@inlined
def _factor(v: Any, i: int, ga: float, a: float, zr: Any, zi: Any, own: float) -> None:
    """A and dA/dg at eight points; for the row's own feature plus ``own`` times their derivative by g."""
    dr = 1.0 - ga * zr
    di = -ga * zi
    norm = 1.0 / (dr * dr + di * di)
    ar = dr * norm
    ai = -1.0 * di * norm
    br = a * (zr * ar - zi * ai)
    bi = a * (zr * ai + zi * ar)
    dr = br * ar - bi * ai
    di = br * ai + bi * ar
    if own != 0:
        sr = 2.0 * (br * dr - bi * di)
        si = 2.0 * (br * di + bi * dr)
        ar = ar + own * dr
        ai = ai + own * di
        dr = dr + own * sr
        di = di + own * si
    here = at(ALL_ROWS, A, i)
    store(v, here, ar)
    store(v, here + IMAGINARY, ai)
    here = at(ALL_ROWS, D, i)
    store(v, here, dr)
    store(v, here + IMAGINARY, di)


@compiled
def exponential_row(
    world: Any,
    work: Any,
    n: int,
    g: Any,
    order: Any,
    count: int,
    own: int,
    own_block: int,
    own_component: int,
    b: float,
    effort: Any,
) -> Any:
    """T E r(s)^2 of a row that is neither silent nor always on; its gradient by couplings goes to ``work.slope``.

    Returns:
        value, derivative by b, their error estimates, terms.
    """
    v = work.v
    a = world.mean
    side = -1.0 if b > 0 else 1.0
    value = by_b = 0.0
    if b > 0:
        value, by_b = always_on(world, work, g, order, count, own, own_block, own_component, b)
    shift = side * b
    largest = 0.0
    least = np.inf
    for entry in range(count):
        block = order[entry]
        for i in range(world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]):
            work.c[i] = 0.0
            largest = max(largest, side * g[i])
            least = min(least, abs(g[i]))
    least = max(least, largest * _DECAY)
    alpha = 0.5 / (a * largest)
    reach = _REACH + max(math.log(largest / least), 0.0)
    if shift < 0:
        reach = min(reach, max(math.log(_DECAYED * 4 / (-shift * alpha)), 1.0))
    clear_sums(world, work, ALL_ROWS, order, count)
    step = _FIRST_STEP
    offset = 0.0
    spent = 0
    got = 0.0
    got_b = 0.0
    before = np.inf
    before_b = np.inf
    error = np.inf
    error_b = np.inf
    while True:
        k = 0
        while k * step < reach:
            u = step * (ramp() + float(k)) + offset
            up = _exp(u)
            down = 1.0 / up
            ch = 0.5 * (up + down)
            sh = 0.5 * (up - down)
            zr = alpha * (_ROOT_HALF * ch + 1.0)
            zi = (alpha * _ROOT_HALF) * sh
            for entry in range(count):
                block = order[entry]
                for i in range(
                    world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]
                ):
                    _factor(v, i, side * g[i] * a, a, zr, zi, -side if i == own and own_block >= 0 else 0.0)
            pr, pi, _, _ = forward(world, work, ALL_ROWS, order, 0, count, 0.0, work.c)
            # 2 e^{zb} / z^3 times alpha cosh(u - i pi / 4) / pi, half of it at u = 0
            norm = 1.0 / (zr * zr + zi * zi)
            ir = zr * norm
            ii = -1.0 * zi * norm
            jr = ir * ir - ii * ii
            ji = 2.0 * ir * ii
            wr = jr * ir - ji * ii
            wi = jr * ii + ji * ir
            jr = wr * ch + wi * sh
            ji = wi * ch - wr * sh
            if shift < 0:
                cosine, sine = turn((shift / (2 * np.pi)) * zi)
                cosine = cosine + 1.0
                size = _exp(at_least(shift * zr, -64.0))
                wr = size * (jr * cosine - ji * sine)
                wi = size * (jr * sine + ji * cosine)
            else:
                wr = jr
                wi = ji
            if k == 0 and offset == 0.0:
                half = load(_HALF, 0)
                wr = wr * half
                wi = wi * half
            tr = pr * wr - pi * wi
            ti = pr * wi + pi * wr
            got += total(tr)
            if effort.gradient:
                got_b += total(tr * zr - ti * zi)
                backward(world, work, ALL_ROWS, order, 0, count, work.c, wr, wi)
            k += WIDTH
        spent += k
        scale = 2 * alpha * _ROOT_HALF / np.pi * (step if offset == 0.0 else step / 2)
        change = abs(got * scale - before)
        change_b = abs(got_b * scale - before_b)
        before = got * scale
        before_b = got_b * scale
        if offset > 0.0:
            step /= 2
            error = change * min(1.0, _CAUTION * change / max(abs(before), change))
            error_b = change_b * min(1.0, _CAUTION * change_b / max(abs(before_b), change_b)) if effort.gradient else 0.0
            floor = _CHANCE * math.exp(-_STRIP / step)
            error = max(error, floor * (a * largest) ** 2)
            if effort.gradient:
                error_b = max(error_b, floor * a * largest)
            enough = spent >= effort.least and error <= effort.target and error_b <= effort.target_b
            if enough or 2 * spent > effort.most:
                break
        offset = step / 2
    scale = 2 * alpha * _ROOT_HALF / np.pi * step
    if effort.gradient:
        for entry in range(count):
            block = order[entry]
            for i in range(
                world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]
            ):
                work.slope[i] += scale * total(load(v, at(ALL_ROWS, SUM, i)))
    rounding = _ROUNDINGS * ROUNDING * (abs(value) + abs(before) + (a * largest) ** 2)
    return value + side * before, by_b + before_b, error + rounding, error_b + rounding / (a * largest), spent
