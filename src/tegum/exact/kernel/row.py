"""The expected squared error of one output and its gradient by the couplings and the bias of its row.

    s = b + sum_i g_i x_i,   y = r(s),   r(t) = max(t, 0)
    E (x_j - y)^2 = E x_j^2 + T E r(s)^2,   T = 1 - d/dg_j          because x_j r(s) is half the derivative of r(s)^2 by g_j

Three cases: the row is never active (0), always active (moments), or both happen.  Then, with the blocks split into *large* and
*small* ones where the couplings leave a gap (`tegum.exact.kernel.split`), or all of them large,

    E r(s)^2 = closed forms of "nothing active" and "only i active" + inversion of what is left - alias

The discrete sum of the inversion is that of a periodised integrand: sum_{r >= 0} Q^r (s + r P)^2 with Q = e^-2.  What r >= 1
adds is a polynomial in s, whose expectation is subtracted exactly ("alias").  The period is rounded up to a ladder, so that it
stands still as parameters move.
"""

import math
from typing import NamedTuple

import numpy as np

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.exact.kernel.inversion import invert
from tegum.exact.kernel.moments import add_gradient, cumulants, own_derivatives, own_moment, weights_at
from tegum.exact.kernel.pairs import add_pairs, find_pairs
from tegum.exact.kernel.records import (
    ZERO,
    Distribution,
    Effort,
    Found,
    Integrand,
    Listed,
    OwnFeature,
    Powers,
    Removed,
    Work,
)
from tegum.exact.kernel.uniform import ALPHA, closed, rectified
from tegum.exact.kernel.vectors import WIDTH, exp_of, lane, load
from tegum.exact.kernel.walk import components_of, features_of, members_of
from tegum.exact.kernel.weak_diagonal import add_weak_patterns, is_weak, move_to_end

_MARGIN = 1.1
_FEW = 9
_SIGMAS = 7.0
_WORTHWHILE = 1.2
_LADDER = 2.0 ** (np.arange(WIDTH) / 4)
_RATES = np.linspace(48.0, 60.0, WIDTH)
_TINY = 1e-6
_NEVER_SEEN = 1e-16
_Q = float(np.exp(-ALPHA))
ROUNDING = 1e-15
ALIAS_0 = _Q / (1 - _Q)
ALIAS_1 = _Q / (1 - _Q) ** 2
ALIAS_2 = _Q * (1 + _Q) / (1 - _Q) ** 3
ALIAS_3 = _Q * (1 + 4 * _Q + _Q * _Q) / (1 - _Q) ** 4
"""sum_{r >= 1} r^k Q^r for k = 0 to 3."""


class Span(NamedTuple):
    """The offset b of a sum, and the smallest and largest value of b + sum."""

    b: float
    low: float
    high: float


@inlined
def period(low: float, high: float) -> float:
    """The period for a support [low, high] around 0: 1.1 times its reach, rounded up on a ladder of 2^(1/4)."""
    mantissa, power = math.frexp(_MARGIN * max(high, -low))
    rung = 1.0
    if mantissa <= 0.5946035575013605:
        rung = 0.5946035575013605
    elif mantissa <= 0.7071067811865476:
        rung = 0.7071067811865476
    elif mantissa <= 0.8408964152537145:
        rung = 0.8408964152537145
    return float(math.ldexp(rung, power))


@inner
def effective_period(distribution: Distribution, work: Work, blocks: Listed, span: Span) -> float:
    """The period for b + the listed sum of single features, as short as improbable sums allow.

    A sum s beyond P adds less than P^2 e^{theta (|s| - P)} / 4 to the inversion, for theta P >= 6, and as much to P times its
    derivatives.  So by Chernoff's bound P is long enough where e^{-theta P} E e^{theta |s|} is below rounding for some theta.
    Eight neighbouring periods are tried at once, from as many standard deviations as Gaussian tails ask for.
    """
    full = period(span.low, span.high)
    if blocks.end - blocks.first < _FEW:
        return full
    mean = span.b
    variance = 0.0
    least = abs(span.b)
    for i in features_of(blocks):
        w = distribution.weight[i]
        g = work.g[i]
        mean += distribution.mean * w * g
        variance += w * g * g * (1 / 3 - w / 4)
        least = max(least, abs(g))
    first = period(0.0, max(least, abs(mean) + _SIGMAS * math.sqrt(variance)))
    if full < _WORTHWHILE * first:
        return full
    rates = load(_RATES, 0)
    thetas = rates / (load(_LADDER, 0) * first)
    upper = exp_of(span.b * thetas - rates)
    lower = exp_of(-span.b * thetas - rates)
    for i in features_of(blocks):
        x = work.g[i] * thetas
        w = distribution.weight[i]
        if abs(work.g[i]) < _TINY * first:
            upper = upper * (1.0 + (0.5 * w) * x)
            lower = lower * (1.0 - (0.5 * w) * x)
        else:
            # E e^{xu} = (e^x - 1) / x
            power = exp_of(x)
            upper = upper * ((1.0 - w) + w * ((power - 1.0) / x))
            lower = lower * ((1.0 - w) + w * ((1.0 - 1.0 / power) / x))
    for k in range(WIDTH):
        if lane(upper, k) + lane(lower, k) < _NEVER_SEEN:
            return min(first * _LADDER[k], full)
    return full


@inlined
def rounding_in(distribution: Distribution, blocks: Listed) -> float:
    """The relative rounding of a product over the listed blocks: factors of equal features are wrong by the same amount."""
    active = 0.0
    for component in components_of(blocks, distribution.block_first):
        active += distribution.weight[component] * len(members_of(distribution, component))
    return ROUNDING * (1 + active)


@inlined
def taken_out(distribution: Distribution, blocks: Listed, alone: np.ndarray) -> Removed:
    """The probability that none of the listed single features is active; alone[i] becomes that of only i active."""
    # the product of the others' inactive probabilities, without a division: those before, then those after
    before = 1.0
    for entry in range(blocks.first, blocks.end):
        i = blocks.order[entry]
        alone[i] = before * distribution.weight[i]
        before *= distribution.inactive[i]
    after = 1.0
    for entry in range(blocks.end - 1, blocks.first - 1, -1):
        i = blocks.order[entry]
        alone[i] *= after
        after *= distribution.inactive[i]
    return Removed(before, alone, 0.0)


@inlined
def _add_patterns(
    work: Work, blocks: Listed, own: int, removed: Removed, b: float, V: Integrand, cube: Integrand, cubed: int
) -> tuple[float, float, float]:
    """T E V of the patterns taken out, E of ``cube``, the derivative by b; derivatives by couplings go to ``work.slope``."""
    top = max(b, 0.0)
    q = removed.none
    value = q * (V.r2 * top**2 + V.r3 * top**3 + V.s3 * b**3 + V.s2 * b * b + V.s1 * b + V.s0)
    cubic = q * (top**3 + cube.s3 * b**3 + cube.s2 * b * b + cube.s1 * b + cube.s0) if cubed else 0.0
    by_b = q * (2 * V.r2 * top + 3 * V.r3 * top**2 + 3 * V.s3 * b * b + 2 * V.s2 * b + V.s1)
    for i in features_of(blocks):
        share = removed.alone[i]
        if share == 0:
            continue
        g = work.g[i]
        m1, m1g = closed(1, b, g, i == own)
        m2, m2g = closed(2, b, g, i == own)
        r1, _ = rectified(1, b, g, i == own)
        r2, r2g = rectified(2, b, g, i == own)
        value += share * (V.r2 * r2 + V.s2 * m2 + V.s1 * m1 + V.s0)
        by_b += share * (2 * V.r2 * r1 + 2 * V.s2 * m1 + V.s1)
        slope = V.r2 * r2g + V.s2 * m2g + V.s1 * m1g
        if cubed:
            m3, m3g = closed(3, b, g, i == own)
            r3, r3g = rectified(3, b, g, i == own)
            value += share * (V.r3 * r3 + V.s3 * m3)
            cubic += share * (r3 + cube.s3 * m3 + cube.s2 * m2 + cube.s1 * m1 + cube.s0)
            by_b += share * (3 * V.r3 * r2 + 3 * V.s3 * m2)
            slope += V.r3 * r3g + V.s3 * m3g
        work.slope[i] += share * slope
    return value, cubic, by_b


@apart_from_callers
@inner
def whole(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    own: OwnFeature,
    alone: np.ndarray,
    span: Span,
    powers: Powers,
    effort: Effort,
) -> Found:
    """T E of ``powers`` of b + the listed sum, whose span has 0 inside; no split.

    T is 1 where the own block is not among those at hand (``own.block`` -1).  ``alone`` (n,) is scratch memory.  Derivatives by
    couplings go to ``work.slope``.
    """
    b = span.b
    r2, r3, cubed = powers
    weak = is_weak(work, blocks, own)
    plain = blocks
    if weak:
        move_to_end(blocks, own.block)
        plain = Listed(blocks.order, blocks.feature_first, blocks.first, blocks.end - 1)
        alone[own.feature] = 0.0
    removed = taken_out(distribution, plain, alone)
    if not weak and not cubed:
        removed = Removed(removed.none, alone, find_pairs(distribution, work, plain, b, removed.none, effort))
    P = effective_period(distribution, work, blocks, span)
    rest = Listed(blocks.order, blocks.feature_first, plain.end, blocks.end)
    found = invert(distribution, work, plain, rest, own.feature, removed, b, P, powers, effort)
    # the alias: sum_{r >= 1} Q^r [r2 (s + r P)^2 + r3 (s + r P)^3] by powers of s
    cube = Integrand(0.0, 1.0, ALIAS_0, 3 * P * ALIAS_1, 3 * P * P * ALIAS_2, P**3 * ALIAS_3)
    V = Integrand(
        r2,
        r3,
        r3 * cube.s3,
        r2 * ALIAS_0 + r3 * cube.s2,
        2 * r2 * P * ALIAS_1 + r3 * cube.s1,
        r2 * P * P * ALIAS_2 + r3 * cube.s0,
    )
    c = cumulants(distribution, work.g, blocks, cubed)
    o = own_derivatives(distribution, work.g, own, cubed)
    mu = b + c.k1
    m1 = own_moment(1, mu, c, o)
    m2 = own_moment(2, mu, c, o)
    value = found.value - (V.s2 * m2 + V.s1 * m1 + V.s0)
    cubic = found.cubic
    by_b = found.by_b - (2 * V.s2 * m1 + V.s1)
    if cubed:
        m3 = own_moment(3, mu, c, o)
        value -= V.s3 * m3
        cubic -= cube.s3 * m3 + cube.s2 * m2 + cube.s1 * m1 + cube.s0
        by_b -= 3 * V.s3 * m2
    if effort.gradient:
        add_gradient(distribution, work.g, work.slope, blocks, own, weights_at(mu, -V.s1, -V.s2, -V.s3), c.k2)
    # what was taken out, and its own alias, which the whole polynomial above took off too much
    if weak:
        more, more_cubic, more_b = add_weak_patterns(distribution, work, plain, own, removed, b, V, cube, cubed)
    else:
        more, more_cubic, more_b = _add_patterns(work, blocks, own.feature, removed, b, V, cube, cubed)
    size = r2 * P * P + abs(r3) * P**3
    value += more
    by_b += more_b
    rounding = rounding_in(distribution, blocks) * size
    error = found.error + rounding
    error_b = found.error_b + rounding / P
    if removed.paired > 0:
        more, more_b, more_rounding, more_rounding_b = add_pairs(work, plain, own.feature, b, removed.paired, V)
        value += more
        by_b += more_b
        error += more_rounding
        error_b += more_rounding_b
    return Found(value, cubic + more_cubic, by_b, error, error_b, found.terms)


@inner
def always_active(distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, b: float) -> tuple[float, float]:
    """T E s^2 of a row that never leaves the linear part, and its derivative by b."""
    c = cumulants(distribution, work.g, blocks, ZERO)
    o = own_derivatives(distribution, work.g, own, ZERO)
    mu = b + c.k1
    add_gradient(distribution, work.g, work.slope, blocks, own, weights_at(mu, 0.0, 1.0, 0.0), c.k2)
    return own_moment(2, mu, c, o), 2 * own_moment(1, mu, c, o)
