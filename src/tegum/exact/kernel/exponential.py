"""Exponential magnitudes: every singularity lies on the real axis, so a bent contour converges geometrically.

    A(zg) = E e^{zgu} = 1 / (1 - z g a)  for magnitudes of mean a,     E r(b + s)^2 = (1 / 2 pi i) int 2 e^{zb} phi(z) / z^3 dz

A row with b > 0 is turned around, E r(s)^2 = E s^2 - E r(-s)^2, so that b <= 0 and e^{zb} decays to the right.  There lie the
poles 1 / (a g_i) of positive couplings, the nearest at R; to the left lie 0 and the others.  The hyperbola

    z(u) = alpha (1 + i sinh(u - i pi / 4)),    alpha = R / 2,    u = 0, h, 2h, ...  (and their conjugates)

passes between them and opens towards the decay.  Its points are spaced evenly in log |z|, which serves couplings of all
scales alike: no pattern is taken out, nothing is split.  Halving h squares the error (the trapezoidal rule in a strip of
half-width pi/4), so the change by the last halving bounds the error before it, and its square the error after it.

Source: Trefethen and Weideman, "The exponentially convergent trapezoidal rule" (2014).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from tegum.compilation import compiled, inlined
from tegum.exact.kernel.product import A, D, Products, add_sums, at, backward, clear_sums, forward
from tegum.exact.kernel.records import ALL_ROWS, ZERO, Distribution, Effort, Found, Listed, OwnFeature, Work
from tegum.exact.kernel.row import ROUNDING, always_active
from tegum.exact.kernel.uniform import TURN, turn
from tegum.exact.kernel.vectors import WIDTH, at_least, complex_of, exp_of, load, ramp, store_complex, total
from tegum.exact.kernel.walk import features_of

_REACH = 18.0
_DECAY = math.exp(-_REACH)
_FIRST_STEP = 0.5625
_DECAYED = 40.0
_ROOT_HALF = math.sqrt(0.5)
_CAUTION = 30.0
_CHANCE = 10.0
_STRIP = math.pi**2 / 2
"""The error falls like exp(-pi^2 / (2 h)); a change smaller than that is chance, and its square no estimate."""

_ROUNDINGS = 8.0
_HALF = np.array([0.5] + [1.0] * (WIDTH - 1))


class Contour(NamedTuple):
    """A row with b <= 0 on its hyperbola: the offset b, its scale alpha, how far u runs, ``side`` -1 if turned around."""

    b: float
    alpha: float
    reach: float
    side: float


@inlined
def _write_factor(v: Any, i: int, ga: float, a: float, z: Any, own: float) -> None:
    """Stores A = 1 / (1 - z g a) and dA/dg = a z A^2 at eight points; plus ``own`` times their derivatives by g."""
    below = 1.0 - ga * z
    norm = 1.0 / (below.real * below.real + below.imag * below.imag)
    value = complex_of(below.real * norm, -1.0 * below.imag * norm)
    rate = (z * value) * a
    by_g = rate * value
    if own != 0:
        # A'' = 2 (a z A) A'
        by_gg = 2.0 * (rate * by_g)
        value = value + own * by_g
        by_g = by_g + own * by_gg
    store_complex(v, at(ALL_ROWS, A, i), value)
    store_complex(v, at(ALL_ROWS, D, i), by_g)


@inlined
def _contour(distribution: Distribution, work: Work, blocks: Listed, b: float, side: float) -> tuple[Contour, float]:
    """The hyperbola of a row, and the largest coupling on its side: where its tails, or e^{zb}, have decayed it may end."""
    a = distribution.mean
    shift = side * b
    largest = 0.0
    least = np.inf
    for i in features_of(blocks):
        largest = max(largest, side * work.g[i])
        least = min(least, abs(work.g[i]))
    least = max(least, largest * _DECAY)
    alpha = 0.5 / (a * largest)
    reach = _REACH + max(math.log(largest / least), 0.0)
    if shift < 0:
        reach = min(reach, max(math.log(_DECAYED * 4 / (-shift * alpha)), 1.0))
    return Contour(shift, alpha, reach, side), largest


@inlined
def _omega(contour: Contour, z: Any, ch: Any, sh: Any) -> Any:
    """The weight e^{zb} / z^3 cosh(u - i pi / 4) of eight points; the constants come at the end."""
    norm = 1.0 / (z.real * z.real + z.imag * z.imag)
    inverse = complex_of(z.real * norm, -1.0 * z.imag * norm)
    # sqrt(2) cosh(u - i pi / 4) = cosh u - i sinh u
    weight = (inverse * inverse * inverse) * complex_of(ch, -1.0 * sh)
    if contour.b < 0:
        phase = turn((contour.b / TURN) * z.imag) + 1.0
        weight = weight * phase * exp_of(at_least(contour.b * z.real, -64.0))
    return weight


@compiled
def exponential_row(distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, b: float, effort: Effort) -> Found:
    """T E r(s)^2 of a row that is neither never nor always active; its gradient by couplings goes to ``work.slope``.

    It is long because it is one loop over the halvings and the terms of each.
    """
    a = distribution.mean
    side = -1.0 if b > 0 else 1.0
    value = by_b = 0.0
    if b > 0:
        value, by_b = always_active(distribution, work, blocks, own, b)
    contour, largest = _contour(distribution, work, blocks, b, side)
    for component in range(distribution.block_first[distribution.blocks]):
        work.large[component] = 0
    none = 1.0
    for entry in range(blocks.first, blocks.end):
        none *= distribution.inactive[blocks.order[entry]]
    clear_sums(work, ALL_ROWS, blocks)
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
        # first u = 0, h, 2h, ...; then each time the points halfway between those so far
        k = 0
        while k * step < contour.reach:
            up = exp_of(step * (ramp() + float(k)) + offset)
            down = 1.0 / up
            ch = 0.5 * (up + down)
            sh = 0.5 * (up - down)
            # i sinh(u - i pi / 4) = (cosh u + i sinh u) / sqrt(2)
            z = complex_of(contour.alpha * (_ROOT_HALF * ch + 1.0), (contour.alpha * _ROOT_HALF) * sh)
            for i in features_of(blocks):
                # T = 1 - d/dg_j, and d/dg_j is side times the derivative by the coupling of the row turned around
                T = -side if i == own.feature and own.block >= 0 else 0.0
                _write_factor(work.v, i, side * work.g[i] * a, a, z, T)
            product = forward(distribution, work, blocks, ZERO).none
            omega = _omega(contour, z, ch, sh)
            if k == 0 and offset == 0.0:
                omega = omega * load(_HALF, 0)
            # "nothing is active" has no part in r(s) for b <= 0, but decays slowest
            found = (product - none) * omega
            got += total(found.real)
            if effort.gradient:
                got_b += total((found * z).real)
                backward(distribution, work, blocks, ZERO, Products(omega, omega, omega))
            k += WIDTH
        spent += k
        # 2 / pi times dz/du = alpha cosh(u - i pi / 4) times the spacing, of all points so far
        scale = 2 * contour.alpha * _ROOT_HALF / np.pi * (step if offset == 0.0 else step / 2)
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
    if effort.gradient:
        add_sums(work, ALL_ROWS, blocks, 2 * contour.alpha * _ROOT_HALF / np.pi * step)
    rounding = _ROUNDINGS * ROUNDING * (abs(value) + abs(before) + (a * largest) ** 2)
    return Found(value + side * before, 0.0, by_b + before_b, error + rounding, error_b + rounding / (a * largest), spent)
