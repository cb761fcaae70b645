"""The expected squared error of one output and its gradient by the couplings and the bias of its row.

    s = b + sum_i g_i x_i,   y = r(s),   r(t) = max(t, 0)
    E (x_j - y)^2 = E x_j^2 + T E r(s)^2,   T = 1 - d/dg_j          because x_j r(s) is half the derivative of r(s)^2 by g_j

Three cases: the row never fires (0), always fires (moments), or both happen.  Then, with the blocks split into *large* and
*small* ones where the couplings leave a gap (`tegum.exact.split`), or all of them large,

    E r(s)^2 = closed forms of "nothing on" and "only i on" + inversion of what is left - alias

The discrete sum of the inversion is that of a periodised integrand; what the periodisation adds is a polynomial in s, whose
expectation is subtracted exactly ("alias").  The period is rounded up to a ladder, so that it stands still as parameters move.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from tegum.compilation import compiled, inlined
from tegum.exact.faint import add_faint_patterns, is_faint, move_to_end
from tegum.exact.inversion import invert
from tegum.exact.moments import add_gradient, cumulants, own_derivatives, raw, raw_by_own
from tegum.exact.uniform import ALPHA, closed_power, rectified_power

_MARGIN = 1.1
_Q = float(np.exp(-ALPHA))
ROUNDING = 1e-15
ALIAS_0 = _Q / (1 - _Q)
ALIAS_1 = _Q / (1 - _Q) ** 2
ALIAS_2 = _Q * (1 + _Q) / (1 - _Q) ** 3
ALIAS_3 = _Q * (1 + 4 * _Q + _Q * _Q) / (1 - _Q) ** 4
"""sum_{r >= 1} r^k e^{-alpha P r} for k = 0 to 3."""


class Effort(NamedTuple):
    """How many terms to spend: from ``least`` doubling to ``most`` until the targets for value and gradient are met."""

    least: int
    most: int
    target: float
    target_b: float
    gradient: int


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


@inlined
def nobody(world: Any, order: Any, first: int, end: int, c: Any) -> float:
    """The probability that no listed block is on; c[i] becomes the probability that only i is, 0 for larger components."""
    product = 1.0
    for entry in range(first, end):
        block = order[entry]
        for component in range(world.block_first[block], world.block_first[block + 1]):
            low = world.component_first[component]
            alone = world.component_first[component + 1] - low == 1
            for i in range(low, world.component_first[component + 1]):
                c[i] = product * world.weight[component] if alone else 0.0
        product *= world.silent[block]
    back = 1.0
    for entry in range(end - 1, first - 1, -1):
        block = order[entry]
        for component in range(world.block_first[block], world.block_first[block + 1]):
            for i in range(world.component_first[component], world.component_first[component + 1]):
                c[i] *= back
        back *= world.silent[block]
    return product


@compiled
def whole(
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
    low: float,
    high: float,
    a2: float,
    a3: float,
    c: Any,
    effort: Any,
) -> Any:
    """T of a2 E r^2 + a3 E r^3 of b + the listed sum, whose support [low, high] has 0 inside; no split.

    ``own_block`` is -1 where the own feature is not listed (then T = 1).  Derivatives by couplings go to ``work.slope``.

    Returns:
        value, E r^3 alone, derivative by b, the two error estimates, terms.
    """
    third = 1 if a3 != 0 else 0
    faint = is_faint(world, g, order, count, own, own_block)
    plain = count
    if faint:
        move_to_end(order, count, own_block)
        plain = count - 1
        c[own] = 0.0
    q = nobody(world, order, 0, plain, c)
    P = period(low, high)
    value, cubic, by_b, error, error_b, terms = invert(
        world,
        work,
        g,
        order,
        plain,
        count,
        own,
        q,
        c,
        b,
        P,
        a2,
        a3,
        effort.least,
        effort.most,
        effort.target,
        effort.target_b,
        effort.gradient,
    )
    w3 = a3 * ALIAS_0
    w2 = a2 * ALIAS_0 + 3 * a3 * P * ALIAS_1
    w1 = 2 * a2 * P * ALIAS_1 + 3 * a3 * P * P * ALIAS_2
    w0 = a2 * P * P * ALIAS_2 + a3 * P**3 * ALIAS_3
    v2 = 3 * P * ALIAS_1
    v1 = 3 * P * P * ALIAS_2
    v0 = P**3 * ALIAS_3
    k1, k2, k3 = cumulants(world, g, order, 0, count, third)
    mu = b + k1
    o1 = o2 = o3 = 0.0
    if own_block >= 0:
        o1, o2, o3 = own_derivatives(world, g, own, own_block, own_component, third)
    full1 = mu - o1
    full2 = raw(2, mu, k2, k3) - raw_by_own(2, mu, k2, o1, o2, o3)
    value -= w2 * full2 + w1 * full1 + w0
    by_b -= 2 * w2 * full1 + w1
    if third:
        full3 = raw(3, mu, k2, k3) - raw_by_own(3, mu, k2, o1, o2, o3)
        value -= w3 * full3
        cubic -= ALIAS_0 * full3 + v2 * full2 + v1 * full1 + v0
        by_b -= 3 * w3 * full2
    if effort.gradient:
        add_gradient(
            world,
            g,
            order,
            0,
            count,
            own,
            own_block,
            own_component,
            -w1,
            -w2,
            -w2 * mu,
            -w3,
            -w3 * mu,
            -w3 * mu * mu,
            k2,
            work.slope,
        )
    size = a2 * P * P + abs(a3) * P**3
    error += ROUNDING * size
    error_b += ROUNDING * size / P
    if faint:
        more, more_cubic, more_b = add_faint_patterns(
            world, work, g, order, plain, own, own_component, b, q, c, a2, a3, w0, w1, w2, w3, ALIAS_0, v0, v1, v2
        )
        return value + more, cubic + more_cubic, by_b + more_b, error, error_b, terms
    top = max(b, 0.0)
    value += q * (a2 * top**2 + a3 * top**3 + w3 * b**3 + w2 * b * b + w1 * b + w0)
    cubic += q * (top**3 + ALIAS_0 * b**3 + v2 * b * b + v1 * b + v0)
    by_b += q * (2 * a2 * top + 3 * a3 * top**2 + 3 * w3 * b * b + 2 * w2 * b + w1)
    for entry in range(count):
        block = order[entry]
        for i in range(world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]):
            share = c[i]
            if share == 0:
                continue
            m1, m1g, m1gg = closed_power(1, b, g[i])
            m2, m2g, m2gg = closed_power(2, b, g[i])
            r1, r1g, _ = rectified_power(1, b, g[i])
            r2, r2g, r2gg = rectified_power(2, b, g[i])
            if i == own:
                r1, r2, m1, m2 = r1 - r1g, r2 - r2g, m1 - m1g, m2 - m2g
                r2g, m1g, m2g = r2g - r2gg, m1g - m1gg, m2g - m2gg
            value += share * (a2 * r2 + w2 * m2 + w1 * m1 + w0)
            by_b += share * (2 * a2 * r1 + 2 * w2 * m1 + w1)
            slope = a2 * r2g + w2 * m2g + w1 * m1g
            if third:
                m3, m3g, m3gg = closed_power(3, b, g[i])
                r3, r3g, r3gg = rectified_power(3, b, g[i])
                if i == own:
                    r3, r3g, m3, m3g = r3 - r3g, r3g - r3gg, m3 - m3g, m3g - m3gg
                value += share * (a3 * r3 + w3 * m3)
                cubic += share * (r3 + ALIAS_0 * m3 + v2 * m2 + v1 * m1 + v0)
                by_b += share * (3 * a3 * r2 + 3 * w3 * m2)
                slope += a3 * r3g + w3 * m3g
            work.slope[i] += share * slope
    return value, cubic, by_b, error, error_b, terms


@compiled
def always_on(
    world: Any, work: Any, g: Any, order: Any, count: int, own: int, own_block: int, own_component: int, b: float
) -> Any:
    """T E s^2 of a row that never leaves the linear part, and its derivative by b."""
    k1, k2, _ = cumulants(world, g, order, 0, count, 0)
    mu = b + k1
    o1 = o2 = 0.0
    if own_block >= 0:
        o1, o2, _ = own_derivatives(world, g, own, own_block, own_component, 0)
    add_gradient(world, g, order, 0, count, own, own_block, own_component, 0.0, 1.0, mu, 0.0, 0.0, 0.0, k2, work.slope)
    return raw(2, mu, k2, 0.0) - raw_by_own(2, mu, k2, o1, o2, 0.0), 2 * (mu - o1)
