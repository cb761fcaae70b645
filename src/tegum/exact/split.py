"""Rows whose couplings are partly large and partly tiny: the typical row of a trained model.

Trained models are orthogonal sums of small polytopes: a feature meets its own polytope with couplings near 1 and all others
with 1e-3 or less, and its bias lies within that distance of the kink at s = 0.  One grid resolves both scales badly.  So the
blocks are split at the widest gap, and with s_S the sum over the small ones

    E r(s)^2 = q A_2 + sum_i c_i (B_3i - A_3) / (3 g_i) + inversion of what is left
    A_k = E r(b + s_S)^k,    B_ki = E r(b + g_i + s_S)^k

with q the probability that nothing large is on and c_i that only i is.  A_k lives on the small scale and is inverted on a
grid of that scale; B_ki is a polynomial or zero, else pattern i stays in.  At 64 terms the error falls from 4e-6 to 3e-8.
"""

from typing import Any

from tegum.compilation import compiled, inlined
from tegum.exact.inversion import invert
from tegum.exact.lanes import exponent
from tegum.exact.moments import add_gradient, cumulants, own_derivatives, raw, raw_by_own
from tegum.exact.product import BUCKETS
from tegum.exact.row import ALIAS_0, ALIAS_1, ALIAS_2, ROUNDING, nobody, period, whole
from tegum.exact.uniform import closed_power

_GAP = 1.1
_FINE = 8


@inlined
def _threshold(work: Any, g: Any, n: int) -> float:
    """Couplings below it are small, those from it on large; 0 where it is best to have no small ones.

    Couplings are counted by powers of sqrt(2).  On a grid for couplings of scale s, those below s / 16 converge slowly and
    cost an error like s^2 each; of all gaps where the next coupling exceeds the sum of the smaller ones, the one that leaves
    the least error on both grids wins.
    """
    largest = 0.0
    for i in range(n):
        largest = max(largest, abs(g[i]))
    top = exponent(largest * largest)
    bottom = top
    for i in range(n):
        if g[i] != 0:
            bottom = min(bottom, exponent(g[i] * g[i]))
    bottom = max(bottom, top - BUCKETS + 1)
    width = top - bottom + 1
    if width <= _FINE:
        return 0.0
    for bucket in range(width):
        work.bucket_sum[bucket] = 0.0
        work.bucket_least[bucket] = largest
        work.bucket_count[bucket] = 0.0
    for i in range(n):
        if g[i] != 0:
            bucket = max(exponent(g[i] * g[i]) - bottom, 0)
            size = abs(g[i])
            work.bucket_sum[bucket] += size
            work.bucket_least[bucket] = min(work.bucket_least[bucket], size)
            work.bucket_count[bucket] += 1
    slow = 0.0
    for bucket in range(width - _FINE):
        slow += work.bucket_count[bucket]
    threshold = 0.0
    least_error = slow
    slow_small = 0.0
    counted = 0
    tail = work.bucket_sum[0]
    below = work.bucket_count[0]
    last = 0
    for bucket in range(1, width):
        if work.bucket_count[bucket] == 0:
            continue
        while counted <= last - _FINE:
            slow_small += work.bucket_count[counted]
            counted += 1
        if work.bucket_least[bucket] > _GAP * tail:
            error = max(slow - below, 0.0) + slow_small * 2.0 ** (last - width + 1)
            if error < least_error:
                least_error = error
                threshold = work.bucket_least[bucket]
        tail += work.bucket_sum[bucket]
        below += work.bucket_count[bucket]
        last = bucket
    return threshold


@inlined
def _ever_on(world: Any, block: int) -> bool:
    """Whether anything in a block has a probability above 0, however small."""
    found = False
    for component in range(world.block_first[block], world.block_first[block + 1]):
        found = found or world.weight[component] > 0
    return found


@inlined
def partition(world: Any, work: Any, g: Any, n: int) -> Any:
    """Lists the blocks that are ever on in ``work.order``, large ones first.

    A block of several features that would be cut, or that is small, prevents the split.

    Returns:
        how many blocks are large, and how many there are.
    """
    threshold = _threshold(work, g, n)
    blocks = world.blocks
    count = 0
    large = 0
    if threshold > 0:
        for block in range(blocks):
            low = world.component_first[world.block_first[block]]
            high = world.component_first[world.block_first[block + 1]]
            if not _ever_on(world, block):
                continue
            small = 0
            for i in range(low, high):
                small += 1 if abs(g[i]) < threshold else 0
            if small > 0 and high - low > 1:
                threshold = 0.0
                break
            if small == 0:
                work.order[large] = block
                large += 1
            else:
                work.order_small[count] = block
                count += 1
    if threshold > 0:
        for entry in range(count):
            work.order[large + entry] = work.order_small[entry]
        return large, large + count
    count = 0
    for block in range(blocks):
        if _ever_on(world, block):
            work.order[count] = block
            count += 1
    return count, count


@inlined
def _reach(world: Any, g: Any, order: Any, first: int, end: int) -> Any:
    """The smallest and largest value of the sum over the listed blocks."""
    low = 0.0
    high = 0.0
    for entry in range(first, end):
        block = order[entry]
        least = 0.0
        most = 0.0
        for component in range(world.block_first[block], world.block_first[block + 1]):
            down = 0.0
            up = 0.0
            for i in range(world.component_first[component], world.component_first[component + 1]):
                down += min(g[i], 0.0)
                up += max(g[i], 0.0)
            least = min(least, down)
            most = max(most, up)
        low += least
        high += most
    return low, high


@inlined
def reach(world: Any, g: Any, order: Any, first: int, end: int) -> Any:
    """The smallest and largest value of the sum over the listed blocks."""
    return _reach(world, g, order, first, end)


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
    small_low, small_high = _reach(world, g, order, large, count)
    small_block = -1
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
            if b + g[i] + small_low < 0 < b + g[i] + small_high:
                c[i] = 0.0
            if c[i] > 0:
                boost = 1 + 1 / g[i] if i == own else 1.0
                a3 -= c[i] * boost / (3 * g[i])

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
        for entry in range(large, count):
            work.order_small[entry - large] = order[entry]
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
            positive = b + g[i] + small_low >= 0
            if positive:
                B1 = mu - o1
                B2 = raw(2, mu, k2, k3) - raw_by_own(2, mu, k2, o1, o2, o3)
                B3 = raw(3, mu, k2, k3) - raw_by_own(3, mu, k2, o1, o2, o3)
            height = (B3 - A3) / (3 * g[i])
            slope = (B2 - height) / g[i]
            w3 = c[i] / (3 * g[i])
            w2 = 0.0
            if i == own:
                w3 *= 1 + 1 / g[i]
                w2 = -c[i] / g[i]
                slope -= 2 * (B1 - slope) / g[i]
            work.slope[i] += c[i] * slope
            value += w3 * B3 + w2 * B2
            by_b += 3 * w3 * B2 + 2 * w2 * B1
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


@inlined
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
