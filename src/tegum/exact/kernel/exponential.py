"""Exponential magnitudes: every singularity lies on the real axis, so a bent contour converges geometrically.

    A(zg) = E e^{zgu} = 1 / (1 - z g a)  for magnitudes of mean a,     E r(b + s)^2 = (1 / 2 pi i) int 2 e^{zb} phi(z) / z^3 dz

A row with b > 0 is turned around, E r(s)^2 = E s^2 - E r(-s)^2, so that b <= 0 and e^{zb} decays to the right.  There lie the
poles 1 / (a g_i) of positive couplings, the nearest at R; to the left lie 0 and the others.  The hyperbola

    z(u) = alpha (1 + sin(psi) cosh u + i cos(psi) sinh u),    u = 0, h, 2h, ...  (and their conjugates)

passes between them and opens towards the decay, with psi = pi / 4 and alpha = R / 2, or less where the integrand is then
smaller on the real axis. Where many couplings are nearly equal the pole at R is of high order, and beside it terms of
different signs may cancel: if they do, the contour is taken steeper, psi = 0.1. Its points are spaced evenly in log |z|,
which serves couplings of all scales alike: no pattern is taken out, nothing is split. Halving h squares the error (the
trapezoidal rule in a strip of half-width pi/4), so the change by the last halving bounds the error before it, and its square
the error after it. The strip of the steeper contour is narrower: there the change is the estimate.

Source: Trefethen and Weideman, "The exponentially convergent trapezoidal rule" (2014).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.exact.kernel.judging import note_error
from tegum.exact.kernel.product import SUM, A, D, Products, add_sums, at, backward, clear_sums, forward
from tegum.exact.kernel.records import ALL_ROWS, ZERO, Distribution, Effort, Found, Listed, OwnFeature, Work
from tegum.exact.kernel.row import ROUNDING, always_active
from tegum.exact.kernel.uniform import TURN, turn
from tegum.exact.kernel.vectors import WIDTH, at_least, complex_of, exp_of, load, ramp, store_complex, total
from tegum.exact.kernel.walk import components_in, features_of, members_of

_REACH = 18.0
_DECAY = math.exp(-_REACH)
_FIRST_STEP = 0.5625
_DECAYED = 40.0
_CAUTION = 30.0
STEEP = 0.1
CANCELLED = 1e3
_SMALLER = math.sqrt(0.5)
_SHORT_OF_POLES = 1.95
_WORTHWHILE = 0.7
_STEEPEST = 200.0
_USUAL = 16.0
_CHANCE = 10.0
_STRIP = math.pi**2 / 2
"""The error falls like exp(-pi^2 / (2 h)); a change smaller than that is chance, and its square no estimate."""

_ROUNDINGS = 20.0
HALF = np.array([0.5] + [1.0] * (WIDTH - 1))


class Contour(NamedTuple):
    """A row with b <= 0 on its hyperbola.

    Attributes:
        b: the offset.
        alpha: its scale.
        reach: how far u runs.
        side: -1 if the row was turned around, else 1.
        sin_psi: where it crosses, and with ``cos_psi`` how steeply.
        cos_psi: see there.
        steepness: how much larger the integrand is at the edges of the strip in which the contour may be moved.
    """

    b: float
    alpha: float
    reach: float
    side: float
    sin_psi: float
    cos_psi: float
    steepness: float


@inlined
def exponential_factor(ga: float, a: float, z: Any, own: float) -> tuple[Any, Any, Any]:
    """A = 1 / (1 - z g a) and two derivatives by g at eight points; plus ``own`` times their derivatives by g.

    Each is a power of r = a z A times the one before it, A' = r A, A'' = 2 r A', and the third 3 r A''.  What a caller does
    not use is not computed.
    """
    below = 1.0 - ga * z
    norm = 1.0 / (below.real * below.real + below.imag * below.imag)
    value = complex_of(below.real * norm, -1.0 * below.imag * norm)
    rate = (z * value) * a
    first = rate * value
    second = 2.0 * (rate * first)
    if own != 0:
        value = value + own * first
        first = first + own * second
        second = second + (3.0 * own) * (rate * second)
    return value, first, second


@inlined
def _height(distribution: Distribution, work: Work, blocks: Listed, b: float, side: float, x: float) -> float:
    """The logarithm of |e^{xb} phi(x) / x^3| on the real axis, left of all poles."""
    a = distribution.mean
    found = x * b - 3 * math.log(x)
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        phi = distribution.inactive[block]
        for component in components_in(distribution, block):
            together = distribution.weight[component]
            for i in members_of(distribution, component):
                together /= 1 - x * side * work.g[i] * a
            phi += together
        found += math.log(phi)
    return found


@inner
def contour_of(
    distribution: Distribution, work: Work, blocks: Listed, b: float, side: float, psi: float
) -> tuple[Contour, float]:
    """The hyperbola of a row, and the largest coupling on its side: where its tails, or e^{zb}, have decayed it may end.

    It passes as near to the poles as they allow, unless the integrand is much smaller farther from them.
    """
    a = distribution.mean
    shift = side * b
    largest = 0.0
    least = np.inf
    for i in features_of(blocks):
        largest = max(largest, side * work.g[i])
        least = min(least, abs(work.g[i]))
    least = max(least, largest * _DECAY)
    alpha = 0.5 / (a * largest)
    height = _height(distribution, work, blocks, shift, side, alpha * (1 + math.sin(psi)))
    while True:
        lower = _height(distribution, work, blocks, shift, side, alpha * _SMALLER * (1 + math.sin(psi)))
        if not lower < height - _WORTHWHILE:
            break
        height = lower
        alpha *= _SMALLER
    # the strip in which the contour may be moved: psi by pi / 4 to either side, just short of the poles
    edges = max(
        _height(distribution, work, blocks, shift, side, alpha * min(1 + math.sin(psi + np.pi / 4), _SHORT_OF_POLES)),
        _height(distribution, work, blocks, shift, side, alpha * (1 + math.sin(psi - np.pi / 4))),
    )
    reach = _REACH + max(math.log(largest / least), 0.0) + math.log(0.5 / (a * largest * alpha))
    if shift < 0:
        # there Re(zb) = alpha sin(psi) b e^u / 2 is -40
        reach = min(reach, max(math.log(_DECAYED * 2 / (-shift * alpha * math.sin(psi))), 1.0))
    steepness = max(math.exp(min(edges - height, _STEEPEST)) / _USUAL, 1.0)
    return Contour(shift, alpha, reach, side, math.sin(psi), math.cos(psi), steepness), largest


@inlined
def omega_of(contour: Contour, z: Any, ch: Any, sh: Any) -> Any:
    """The weight e^{zb} / z^3 dz/du / (i alpha) of eight points; the constants come at the end."""
    norm = 1.0 / (z.real * z.real + z.imag * z.imag)
    inverse = complex_of(z.real * norm, -1.0 * z.imag * norm)
    # dz/du / (i alpha) = cos(psi) cosh u - i sin(psi) sinh u
    weight = (inverse * inverse * inverse) * complex_of(contour.cos_psi * ch, (-contour.sin_psi) * sh)
    if contour.b < 0:
        phase = turn((contour.b / TURN) * z.imag) + 1.0
        weight = weight * phase * exp_of(at_least(contour.b * z.real, -64.0))
    return weight


@inlined
def _left(change: float, now: float, caution: float, squares: bool) -> float:
    """What may be left of a sum that a halving changed: so much again, or its square, where errors square."""
    if not squares or change == 0:
        return change
    return change * min(1.0, caution * change / max(abs(now), change))


@inner
def _left_of_slopes(work: Work, blocks: Listed, scale: float, caution: float, squares: bool) -> float:
    """The same of the derivatives by couplings, judged by the largest; they are remembered for the next halving."""
    change = largest = 0.0
    for i in features_of(blocks):
        slope = scale * total(load(work.v, at(ALL_ROWS, SUM, i)))
        change = max(change, abs(slope - work.noted[i]))
        largest = max(largest, abs(slope))
        work.noted[i] = slope
    return _left(change, largest, caution, squares)


@apart_from_callers
@inner
def exponential_row(distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, b: float, effort: Effort) -> Found:
    """T E r(s)^2 of a row that is neither never nor always active; its gradient by couplings goes to ``work.slope``.

    It is long because it is one loop over the halvings and the terms of each.
    """
    a = distribution.mean
    side = -1.0 if b > 0 else 1.0
    value = by_b = 0.0
    if b > 0:
        value, by_b = always_active(distribution, work, blocks, own, b)
    contour, largest = contour_of(distribution, work, blocks, b, side, np.pi / 4)
    squared = True
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
    norm = 0.0
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
            z = complex_of(contour.alpha * (contour.sin_psi * ch + 1.0), (contour.alpha * contour.cos_psi) * sh)
            for i in features_of(blocks):
                # T = 1 - d/dg_j, and d/dg_j is side times the derivative by the coupling of the row turned around
                T = -side if i == own.feature and own.block >= 0 else 0.0
                factor, by_g, _ = exponential_factor(side * work.g[i] * a, a, z, T)
                store_complex(work.v, at(ALL_ROWS, A, i), factor)
                store_complex(work.v, at(ALL_ROWS, D, i), by_g)
            product = forward(distribution, work, blocks, ZERO).none
            omega = omega_of(contour, z, ch, sh)
            if k == 0 and offset == 0.0:
                omega = omega * load(HALF, 0)
            # "nothing is active" has no part in r(s) for b <= 0, but decays slowest
            found = (product - none) * omega
            got += total(found.real)
            sized = found * contour.alpha**3
            norm += total(sized.real * sized.real + sized.imag * sized.imag)
            if effort.gradient:
                got_b += total((found * z).real)
                backward(distribution, work, blocks, ZERO, Products(omega, omega, omega))
            k += WIDTH
        spent += k
        if squared and math.sqrt(norm) > CANCELLED * abs(got) * contour.alpha**3:
            # start again on the steeper contour, whose strip is narrow where e^{zb} oscillates: errors may not square there
            squared = False
            contour, largest = contour_of(distribution, work, blocks, b, side, STEEP)
            clear_sums(work, ALL_ROWS, blocks)
            got = got_b = norm = 0.0
            before = before_b = np.inf
            step = _FIRST_STEP
            offset = 0.0
            continue
        # 2 / pi times alpha times the spacing, of all points so far
        scale = 2 * contour.alpha / np.pi * (step if offset == 0.0 else step / 2)
        change = abs(got * scale - before)
        change_b = abs(got_b * scale - before_b)
        before = got * scale
        before_b = got_b * scale
        # errors square from one halving to the next, but for the first, which may not have come to it
        squares = squared and step < _FIRST_STEP
        caution = _CAUTION * contour.steepness
        error_b = 0.0
        if effort.gradient:
            error_b = _left(change_b, before_b, caution, squares)
            error_b = max(error_b, _left_of_slopes(work, blocks, scale, caution, squares))
        if offset > 0.0:
            step /= 2
            error = _left(change, before, caution, squares)
            floor = contour.steepness * _CHANCE * math.exp(-_STRIP / step)
            error = max(error, floor * (a * largest) ** 2)
            if effort.gradient:
                error_b = max(error_b, floor * a * largest)
            enough = spent >= effort.least and error <= effort.target and error_b <= effort.target_b
            if enough or 2 * spent > effort.most:
                break
        offset = step / 2
    note_error(work, error)
    if effort.gradient:
        add_sums(work, ALL_ROWS, blocks, 2 * contour.alpha / np.pi * step)
    # each term is a product over blocks
    terms = math.sqrt(norm) / contour.alpha**2 * 2 / np.pi * step * (1 + (blocks.end - blocks.first) / 4)
    rounding = _ROUNDINGS * ROUNDING * (abs(value) + abs(before) + (a * largest) ** 2 + terms)
    return Found(value + side * before, 0.0, by_b + before_b, error + rounding, error_b + rounding / (a * largest), spent)
