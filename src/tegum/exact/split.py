"""Rows whose couplings are partly large and partly tiny: the typical row of a trained model.

Trained models are orthogonal sums of small polytopes: a feature meets its own polytope with couplings near 1 and all others
with 1e-3 or less, and its bias lies within that distance of the kink at s = 0.  One grid resolves both scales badly.  So the
blocks are split (`tegum.exact.partition` says where), and with s_S the sum over the small ones

    E r(s)^2 = q A_2 + sum_i c_i (B_3i - A_3) / (3 g_i) + inversion of what is left
    A_k = E r(b + s_S)^k,    B_ki = E r(b + g_i + s_S)^k

with q the probability that nothing large is on and c_i that only i is.  A_k lives on the small scale and is inverted on a
grid of that scale; B_ki is a polynomial, or zero, or where b + g_i lies at the kink too, inverted like A_k.  At 64 terms the
error falls from 4e-6 to 3e-8.
"""

from typing import Any

import numpy as np

from tegum.compilation import compiled
from tegum.exact.inversion import invert
from tegum.exact.moments import add_gradient, cumulants, own_derivatives, raw, raw_by_own
from tegum.exact.partition import reach
from tegum.exact.row import ALIAS_0, ALIAS_1, ALIAS_2, ROUNDING, nobody, period, whole
from tegum.exact.uniform import closed_power


@compiled
def split_row(
    world: Any,
    work: Any,
    n: int,
    g: Any,
    order: Any,
    large: int,
    count: int,
    own: int,
    own_block: int,
    own_component: int,
    b: float,
    low: float,
    high: float,
    effort: Any,
) -> Any:
    """T E r(s)^2 of a row with large and small blocks; the small ones are single features.

    Returns:
        value, derivative by b, their error estimates, terms.
    """
    c = work.c
    q = nobody(world, order, 0, large, c)
    small_low, small_high = reach(world, g, order, large, count)
    small_block = np.int64(-1)
    for entry in range(large, count):
        block = order[entry]
        c[world.component_first[world.block_first[block]]] = 0.0
        if block == own_block:
            small_block = block
    k1, k2, k3 = cumulants(world, g, order, large, count, 1)
    o1 = o2 = o3 = 0.0
    if small_block >= 0:
        o1, o2, o3 = own_derivatives(world, g, own, own_block, own_component, 1)
    a3 = 0.0
    for entry in range(large):
        block = order[entry]
        for i in range(world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]):
            if i == own and g[i] < 0 and b + g[i] + small_low < 0 < b + g[i] + small_high:
                c[i] = 0.0
            if c[i] > 0:
                boost = 1 + 1 / g[i] if i == own else 1.0
                a3 -= c[i] * boost / (3 * g[i])

    for entry in range(large, count):
        work.order_small[entry - large] = order[entry]

    # nothing large is on: the small features around the vertex b
    A3 = 0.0
    value = by_b = error = error_b = 0.0
    terms = 0
    m2 = m2mu = m3 = m3mu = m3mu2 = 0.0
    if b + small_low >= 0:
        mu = b + k1
        second = raw(2, mu, k2, k3) - raw_by_own(2, mu, k2, o1, o2, o3)
        A3 = raw(3, mu, k2, k3) - raw_by_own(3, mu, k2, o1, o2, o3)
        value = q * second + a3 * A3
        by_b = q * 2 * (mu - o1) + a3 * 3 * second
        m2 = q
        m2mu = q * mu
        m3 = a3
        m3mu = a3 * mu
        m3mu2 = a3 * mu * mu
    elif b + small_high > 0:
        value, A3, by_b, error, error_b, terms = whole(
            world,
            work,
            n,
            g,
            work.order_small,
            count - large,
            own,
            small_block,
            own_component,
            b,
            b + small_low,
            b + small_high,
            q,
            a3,
            work.c_small,
            effort,
        )

    # one large feature is on
    for entry in range(large):
        block = order[entry]
        for i in range(world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]):
            if c[i] == 0:
                continue
            B1 = B2 = B3 = 0.0
            mu = b + g[i] + k1
            w3 = c[i] / (3 * g[i])
            w2 = 0.0
            if i == own:
                w3 *= 1 + 1 / g[i]
                w2 = -c[i] / g[i]
            at_kink = b + g[i] + small_low < 0 < b + g[i] + small_high
            positive = b + g[i] + small_low >= 0
            if at_kink:
                more, B3, more_b, more_error, more_error_b, more_terms = whole(
                    world,
                    work,
                    n,
                    g,
                    work.order_small,
                    count - large,
                    own,
                    small_block,
                    own_component,
                    b + g[i],
                    b + g[i] + small_low,
                    b + g[i] + small_high,
                    w2,
                    w3,
                    work.c_small,
                    effort,
                )
                value += more
                by_b += more_b
                error += more_error
                error_b += more_error_b
                terms = max(terms, more_terms)
                B2 = (more - w3 * B3) / w2 if i == own else more_b / (3 * w3)
                B1 = (more_b - 3 * w3 * B2) / (2 * w2) if i == own else 0.0
            elif positive:
                B1 = mu - o1
                B2 = raw(2, mu, k2, k3) - raw_by_own(2, mu, k2, o1, o2, o3)
                B3 = raw(3, mu, k2, k3) - raw_by_own(3, mu, k2, o1, o2, o3)
                value += w3 * B3 + w2 * B2
                by_b += 3 * w3 * B2 + 2 * w2 * B1
            height = (B3 - A3) / (3 * g[i])
            slope = (B2 - height) / g[i]
            if i == own:
                slope -= 2 * (B1 - slope) / g[i]
            work.slope[i] += c[i] * slope
            if positive:
                m2 += w2
                m2mu += w2 * mu
                m3 += w3
                m3mu += w3 * mu
                m3mu2 += w3 * mu * mu
    if effort.gradient:
        add_gradient(
            world,
            g,
            order,
            large,
            count,
            own,
            small_block,
            own_component,
            0.0,
            m2,
            m2mu,
            m3,
            m3mu,
            m3mu2,
            k2,
            work.slope,
        )

    # what is left: at least two large features are on, or one whose B is neither polynomial nor zero
    P = period(low, high)
    rest, _, rest_b, rest_error, rest_error_b, rest_terms = invert(
        world,
        work,
        g,
        order,
        large,
        count,
        own,
        q,
        c,
        b,
        P,
        1.0,
        0.0,
        effort.least,
        effort.most,
        effort.target,
        effort.target_b,
        effort.gradient,
    )
    alias, alias_b = _alias(
        world,
        work,
        g,
        order,
        large,
        count,
        own,
        own_block,
        own_component,
        small_block,
        b,
        q,
        c,
        ALIAS_0,
        2 * P * ALIAS_1,
        P * P * ALIAS_2,
    )
    return (
        value + rest - alias,
        by_b + rest_b - alias_b,
        error + rest_error + ROUNDING * P * P,
        error_b + rest_error_b + ROUNDING * P,
        max(terms, rest_terms),
    )


@compiled
def _alias(
    world: Any,
    work: Any,
    g: Any,
    order: Any,
    large: int,
    count: int,
    own: int,
    own_block: int,
    own_component: int,
    small_block: int,
    b: float,
    q: float,
    c: Any,
    w2: float,
    w1: float,
    w0: float,
) -> Any:
    """T [w2 M2 + w1 M1 + w0 M0] of the patterns that stay in the inversion; its gradient is taken off ``work.slope``."""
    k1, k2, _ = cumulants(world, g, order, 0, count, 0)
    mu = b + k1
    value = w2 * (mu * mu + k2) + w1 * mu + w0
    by_b = 2 * w2 * mu + w1
    o1 = o2 = 0.0
    if own_block >= 0:
        o1, o2, _ = own_derivatives(world, g, own, own_block, own_component, 0)
        value -= w2 * (2 * mu * o1 + o2) + w1 * o1
        by_b -= 2 * w2 * o1
    add_gradient(world, g, order, 0, count, own, own_block, own_component, -w1, -w2, -w2 * mu, 0.0, 0.0, 0.0, k2, work.slope)
    s1, s2, _ = cumulants(world, g, order, large, count, 0)
    sigma = b + s1
    if small_block < 0:
        o1 = o2 = 0.0
    mass = q
    offset = 0.0
    value -= q * (w2 * (sigma * sigma + s2 - 2 * sigma * o1 - o2) + w1 * (sigma - o1) + w0)
    by_b -= q * (2 * w2 * (sigma - o1) + w1)
    for entry in range(large):
        block = order[entry]
        for i in range(world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]):
            if c[i] == 0:
                continue
            m1, m1g, m1gg = closed_power(1, sigma, g[i])
            m2, m2g, m2gg = closed_power(2, sigma, g[i])
            m2b = 2 * m1
            if i == own:
                m2b -= 2 * m1g
                m1, m2, m1g, m2g = m1 - m1g, m2 - m2g, m1g - m1gg, m2g - m2gg
            m2 -= (2 * sigma + g[i]) * o1 + o2
            m1 -= o1
            m2g -= o1
            m2b -= 2 * o1
            value -= c[i] * (w2 * (m2 + s2) + w1 * m1 + w0)
            by_b -= c[i] * (w2 * m2b + w1)
            work.slope[i] += c[i] * (w2 * m2g + w1 * m1g)
            mass += c[i]
            offset += c[i] * (g[i] - (1.0 if i == own else 0.0)) / 2
    add_gradient(
        world,
        g,
        order,
        large,
        count,
        own,
        small_block,
        own_component,
        w1 * mass,
        w2 * mass,
        w2 * (mass * sigma + offset),
        0.0,
        0.0,
        0.0,
        s2,
        work.slope,
    )
    return value, by_b
