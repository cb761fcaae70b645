"""The inversions of a row of sets of features, and their residues, which `tegum.exact.kernel.sets` explains and calls."""

from typing import Any, NamedTuple

import numpy as np

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.exact.kernel.inversion import FIRST_HALF
from tegum.exact.kernel.judging import errors_after, next_look, note_moves, note_slopes
from tegum.exact.kernel.patterns import ClosedPatterns, gone, gone_backward
from tegum.exact.kernel.product import STATE, SUM, A, D, Products, add_sums, at, backward, forward
from tegum.exact.kernel.records import ALL_ROWS, ONE, ZERO, Distribution, Effort, Found, Listed, OwnFeature, Work
from tegum.exact.kernel.row import ALIAS_0, ALIAS_1, ALIAS_2, ALIAS_3
from tegum.exact.kernel.uniform import (
    ALPHA,
    TURN,
    Points,
    factor,
    first_powers,
    own_factor,
    series,
    series_factor,
    start,
    step_on,
    taper,
)
from tegum.exact.kernel.vectors import (
    WIDTH,
    complex_of,
    fill,
    lane,
    load,
    load_complex,
    ramp,
    running,
    store,
    store_complex,
    total,
)
from tegum.exact.kernel.walk import features_of

NEVER, KINKED, ALWAYS, NOT_ALONE = (np.int64(k) for k in range(4))
"""What the sum is around a vertex: below 0, on both sides of it, above; or the feature is never the only large one."""

_ANGLES = np.pi * (np.arange(WIDTH) + 0.5) / WIDTH
_COSINE, _SINE = np.cos(_ANGLES), np.sin(_ANGLES)
MANY = np.int64(1 << 40)


class Fine(NamedTuple):
    """What is left around the vertices: the state at b, smallest and largest small sum, the period, what is removed from it."""

    bias: int
    low: float
    high: float
    P: float
    removed: ClosedPatterns


@inlined
def state_of(t: float, low: float, high: float) -> Any:
    """NEVER, KINKED or ALWAYS for t + [low, high]."""
    if t + low >= 0:
        return ALWAYS
    return NEVER if t + high <= 0 else KINKED


@inner
def _mu(g: float, own: bool, z: Any, at_feature: Any, at_bias: Any) -> tuple[Any, Any]:
    """The factor mu and its derivative by g; ``at_feature`` and ``at_bias`` stand for e^{z (b + g)} and e^{zb}."""
    third = 1 / (3 * g)
    if not own:
        value = (at_feature - at_bias) * third
        return value, at_feature * z * third - value * (1 / g)
    c = (1 + 1 / g) * third
    # dc/dg, by c = 1 / (3 g) + 1 / (3 g^2)
    by_c = -third / g - 2 * third / (g * g)
    slope = c - z * third
    value = at_feature * slope - at_bias * c
    return value, at_feature * (z * slope + (z * (third / g) + by_c)) - at_bias * by_c


@inlined
def _line_factors(work: Work, blocks: Listed, own: int, fine: bool, points: Points, z: Any, at_bias: Any) -> None:
    """Writes every feature's factor and its derivative at eight points of an inversion."""
    v = work.v
    for i in features_of(blocks):
        if fine and work.size[i] == 1:
            if work.vertex[i] == NOT_ALONE:
                continue
            here = complex_of(0.0, 0.0)
            if work.vertex[i] == KINKED:
                here = load_complex(v, at(ALL_ROWS, STATE, i)) + 1.0
            value, by_g = _mu(work.g[i], i == own, z, here, at_bias)
        elif i == own:
            value, by_g = own_factor(v, ALL_ROWS, i, points)
        else:
            value, by_g = factor(v, ALL_ROWS, i, points)
        store_complex(v, at(ALL_ROWS, A, i), value)
        store_complex(v, at(ALL_ROWS, D, i), by_g)


@inner
def _fine_octet(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    own: OwnFeature,
    fine: Fine,
    z: Any,
    at_bias: Any,
    weight: Any,
    remove: int,
    gradient: int,
) -> tuple[Any, Any]:
    """Eight points of what is left around the vertices, and of its derivative by b; by couplings it goes to acc."""
    products = forward(distribution, work, blocks, ONE)
    square = at_bias * z * (1.0 / 3.0)
    found = square * products.none + products.one
    if remove:
        found = found - gone(distribution, work, blocks, own, fine.removed, square)
    found = weight * found
    if gradient:
        zero = complex_of(0.0, 0.0)
        backward(distribution, work, blocks, ONE, Products(zero, weight * square, weight))
        if remove:
            gone_backward(distribution, work, blocks, own, fine.removed, square, weight)
    return found.real, (z * found).real


@apart_from_callers
@inner
def line(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    own: OwnFeature,
    b: float,
    fine: Fine,
    P: float,
    is_fine: int,
    effort: Effort,
) -> Found:
    """The inversion with period P: of ``rest``, or if ``is_fine`` of what is left around the kinked vertices.

    Takes ``effort.least`` terms and then more until the targets are met.  It is one loop over the terms.
    """
    v = work.v
    for i in features_of(blocks):
        if is_fine and work.size[i] == 1:
            if work.vertex[i] == KINKED:
                start(distribution, v, ALL_ROWS, i, ZERO, b + work.g[i], 0.0, P)
            store(v, at(ALL_ROWS, SUM, i), fill(0.0))
        else:
            start(distribution, v, ALL_ROWS, i, ZERO, work.g[i], 0.0, P)
    kinked_bias = is_fine == 0 or fine.bias == KINKED
    power = complex_of(0.0, 0.0)
    step = complex_of(0.0, 0.0)
    if kinked_bias:
        power, step_real, step_imaginary = first_powers(b / P)
        power = power + 1.0
        step = complex_of(step_real + 1.0, step_imaginary)
    half = load(FIRST_HALF, 0)
    value = by_b = 0.0
    error = error_b = np.inf
    terms = np.int64(WIDTH)
    look = ZERO
    k = ZERO
    while True:
        zeta = complex_of(fill(ALPHA), TURN * (ramp() + float(k)))
        norm = 1.0 / (zeta.real * zeta.real + zeta.imag * zeta.imag)
        inverse = complex_of(ALPHA * norm, -1.0 * zeta.imag * norm)
        z = zeta * (1.0 / P)
        _line_factors(work, blocks, own.feature, is_fine == 1, Points(P, k, inverse), z, power)
        # the rule's weight 2 / P, half of it at k = 0, times the transform of r(s)^2, 2 / z^3, or of r(s)^3, 6 / z^4
        weight = (inverse * inverse * inverse) * half
        half = fill(1.0)
        if effort.tapered:
            weight = weight * taper(k, effort.most)
        if is_fine:
            weight = weight * inverse * (12 * P * P * P)
            more, more_b = _fine_octet(distribution, work, blocks, own, fine, z, power, weight, ONE, effort.gradient)
        else:
            weight = weight * power * (4 * P * P)
            found = weight * forward(distribution, work, blocks, MANY).rest
            more = found.real
            more_b = (z * found).real
            if effort.gradient:
                zero = complex_of(0.0, 0.0)
                backward(distribution, work, blocks, MANY, Products(weight, zero, zero))
        sums = running(more) + value
        value = lane(sums, WIDTH - 1)
        store(work.sums, k, sums)
        sums = running(more_b) + by_b
        by_b = lane(sums, WIDTH - 1)
        store(work.sums_b, k, sums)
        for i in features_of(blocks):
            if is_fine == 0 or work.size[i] == 0 or work.vertex[i] == KINKED:
                step_on(v, ALL_ROWS, i)
        power = power * step
        k += WIDTH
        if k == terms:
            slopes = 0.0
            if effort.gradient and 2 * k >= effort.least:
                slopes = note_slopes(work, ALL_ROWS, blocks, look)
            look += 1
            terms = next_look(k)
            if k >= effort.least:
                error, error_b = errors_after(work, k, 1.0, slopes, effort)
                if terms > effort.most or (error <= effort.target and error_b <= effort.target_b):
                    break
    note_moves(work, k, error)
    if effort.gradient:
        add_sums(work, ALL_ROWS, blocks, 1.0)
    return Found(value, 0.0, by_b, error, error_b, k)


@inlined
def circle(radius: float) -> Any:
    """Eight points of the upper half of a circle around 0; with their mirror images they give a mean over all of it."""
    return complex_of(radius * load(_COSINE, 0), radius * load(_SINE, 0))


@inlined
def alias(z: Any, P: float) -> Any:
    """sum_{r >= 1} Q^r e^{zrP} up to the third power of z."""
    x = z * P
    return ((x * (ALIAS_3 / 6) + ALIAS_2 / 2) * x + ALIAS_1) * x + ALIAS_0


@inner
def exp_near(z: Any, t: float) -> Any:
    """e^{zt} = 1 + zt A(zt) for |zt| up to 1.6."""
    value, _, _ = series(z, t)
    return z * t * value + 1.0


@inner
def coarse_residue(
    distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, b: float, P: float, gradient: int
) -> tuple[float, float]:
    """What the period adds to the inversion of ``rest``, with its derivative by b, as a number to be added."""
    z = circle(1 / P)
    for i in features_of(blocks):
        value, by_g = series_factor(z, work.g[i], i == own.feature)
        store_complex(work.v, at(ALL_ROWS, A, i), value)
        store_complex(work.v, at(ALL_ROWS, D, i), by_g)
        store(work.v, at(ALL_ROWS, SUM, i), fill(0.0))
    # minus 2 / z^3 alias e^{zb}; the mean over the circle of z times that is the residue; 1 / z = conj(z) P^2
    inverse = complex_of(z.real, -1.0 * z.imag) * (P * P)
    weight = inverse * inverse * alias(z, P) * exp_near(z, b) * (-2.0 / WIDTH)
    found = weight * forward(distribution, work, blocks, MANY).rest
    if gradient:
        zero = complex_of(0.0, 0.0)
        backward(distribution, work, blocks, MANY, Products(weight, zero, zero))
        add_sums(work, ALL_ROWS, blocks, 1.0)
    return total(found.real), total((z * found).real)


@inner
def fine_residue(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    own: OwnFeature,
    b: float,
    fine: Fine,
    P: float,
    state: int,
    gradient: int,
) -> tuple[float, float]:
    """The vertices in one state: the polynomials of those always active, or what the period adds to kinked ones.

    ``P`` is the row's period, whose inverse is the radius.
    """
    z = circle(1 / P)
    before = complex_of(1.0, 0.0) if state == ALWAYS else -1.0 * alias(z, fine.P)
    zero = complex_of(0.0, 0.0)
    at_bias = before * exp_near(z, b) if fine.bias == state else zero
    for i in features_of(blocks):
        store(work.v, at(ALL_ROWS, SUM, i), fill(0.0))
        if work.size[i] == 1:
            if work.vertex[i] == NOT_ALONE:
                continue
            here = before * exp_near(z, b + work.g[i]) if work.vertex[i] == state else zero
            value, by_g = _mu(work.g[i], i == own.feature, z, here, at_bias)
        else:
            value, by_g = series_factor(z, work.g[i], i == own.feature)
        store_complex(work.v, at(ALL_ROWS, A, i), value)
        store_complex(work.v, at(ALL_ROWS, D, i), by_g)
    inverse = complex_of(z.real, -1.0 * z.imag) * (P * P)
    weight = inverse * inverse * inverse * (6.0 / WIDTH)
    found, found_b = _fine_octet(
        distribution, work, blocks, own, fine, z, at_bias, weight, ONE if state == KINKED else ZERO, gradient
    )
    if gradient:
        add_sums(work, ALL_ROWS, blocks, 1.0)
    return total(found), total(found_b)
