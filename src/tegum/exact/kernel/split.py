"""Rows whose couplings are partly large and partly tiny: the typical row of a trained model.

Trained models are orthogonal sums of small polytopes: a feature meets its own polytope with couplings near 1 and all others
with 1e-3 or less, and its bias lies within that distance of the kink at s = 0.  One grid resolves both scales badly.  So the
blocks are split (`tegum.exact.kernel.partition` says where), and with s_S the sum over the small ones

    E r(s)^2 = q A_2 + sum_i c_i (B_3i - A_3) / (3 g_i) + inversion of what is left
    A_k = E r(b + s_S)^k,    B_ki = E r(b + g_i + s_S)^k

with q the probability that nothing large is active and c_i that only i is: its magnitude u is integrated in closed form,
int_0^1 r(t + g u)^2 du = [r(t + g)^3 - r(t)^3] / (3 g).  A_k lives on the small scale and is inverted on a grid of that scale;
B_ki is a polynomial, or zero, or where b + g_i lies at the kink too, inverted like A_k.  At 64 terms the error falls from 4e-6
to 3e-8.

All of it under T = 1 - d/dg_j.  If j is small, T acts on the A and B (``own_small`` below); if it is large, on its own pattern:

    T [B_3 / (3 g)] = (1 + 1/g) B_3 / (3 g) - B_2 / g             since dB_3/dg = 3 B_2
"""

from typing import NamedTuple

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.exact.kernel.inversion import invert
from tegum.exact.kernel.moments import (
    Cumulants,
    Weights,
    add_gradient,
    added,
    cumulants,
    own_derivatives,
    own_moment,
    weights_at,
)
from tegum.exact.kernel.partition import reach
from tegum.exact.kernel.records import (
    NOWHERE,
    ONE,
    ZERO,
    Distribution,
    Effort,
    Found,
    Listed,
    OwnFeature,
    Powers,
    Removed,
    Work,
)
from tegum.exact.kernel.row import ALIAS_0, ALIAS_1, ALIAS_2, Span, effective_period, rounding_in, taken_out, whole
from tegum.exact.kernel.uniform import closed
from tegum.exact.kernel.walk import features_of


class Small(NamedTuple):
    """The small blocks of a row: where they are listed, the smallest and largest sum, its cumulants and their derivatives."""

    blocks: Listed
    own: OwnFeature
    low: float
    high: float
    c: Cumulants
    o: Cumulants


class Vertex(NamedTuple):
    """Expectations around an offset t: of w2 r^2 + w3 r^3, and E r(t + s_S)^k for k = 1, 2, 3 (the first where w2 is not 0).

    ``weights`` are those of the moments of t + s_S in the gradient by the small couplings, where that is still to be added.
    """

    found: Found
    first: float
    second: float
    third: float
    weights: Weights


@inlined
def _around(distribution: Distribution, work: Work, small: Small, t: float, w2: float, w3: float, effort: Effort) -> Vertex:
    """T of w2 E r(t + s_S)^2 + w3 E r(t + s_S)^3: zero, a polynomial, or inverted on the grid of the small sum s_S."""
    nothing = Weights(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    mu = t + small.c.k1
    if t + small.low >= 0:
        first = own_moment(1, mu, small.c, small.o)
        second = own_moment(2, mu, small.c, small.o)
        third = own_moment(3, mu, small.c, small.o)
        found = Found(w2 * second + w3 * third, third, 2 * w2 * first + 3 * w3 * second, 0.0, 0.0, 0)
        return Vertex(found, first, second, third, weights_at(mu, 0.0, w2, w3))
    if t + small.high <= 0:
        return Vertex(Found(0.0, 0.0, 0.0, 0.0, 0.0, 0), 0.0, 0.0, 0.0, nothing)
    span = Span(t, t + small.low, t + small.high)
    found = whole(distribution, work, small.blocks, small.own, work.alone_small, span, Powers(w2, w3, ONE), effort)
    # value = w2 B_2 + w3 B_3 and its derivative by t, 2 w2 B_1 + 3 w3 B_2, solved for B_2 and B_1
    if w2 == 0:
        return Vertex(found, 0.0, found.by_b / (3 * w3), found.cubic, nothing)
    second = (found.value - w3 * found.cubic) / w2
    return Vertex(found, (found.by_b - 3 * w3 * second) / (2 * w2), second, found.cubic, nothing)


@inlined
def _small_part(distribution: Distribution, work: Work, rest: Listed, own: OwnFeature) -> Small:
    """The small blocks, listed once more on their own, because inverting them reorders the list; none of them is taken out."""
    block = NOWHERE
    for entry in range(rest.first, rest.end):
        work.order_small[entry - rest.first] = rest.order[entry]
        work.alone[rest.feature_first[rest.order[entry]]] = 0.0
        if rest.order[entry] == own.block:
            block = own.block
    own = OwnFeature(own.feature, block, own.component)
    low, high = reach(distribution, work, rest, 0)
    c = cumulants(distribution, work.g, rest, ONE)
    o = own_derivatives(distribution, work.g, own, ONE)
    return Small(Listed(work.order_small, rest.feature_first, ZERO, rest.end - rest.first), own, low, high, c, o)


@apart_from_callers
@inner
def split_row(
    distribution: Distribution, work: Work, large: Listed, rest: Listed, own: OwnFeature, span: Span, effort: Effort
) -> Found:
    """T E r(s)^2 of a row with large blocks and, behind them in one list, small ones, which are single features."""
    g, alone = work.g, work.alone
    b = span.b
    removed = taken_out(distribution, large, alone)
    small = _small_part(distribution, work, rest, own)
    # the weight of A_3: every pattern "only i is active" has -A_3 / (3 g_i), the own one under T
    w3 = 0.0
    for i in features_of(large):
        if alone[i] > 0:
            boost = 1 + 1 / g[i] if i == own.feature else 1.0
            w3 -= alone[i] * boost / (3 * g[i])
    # nothing large is active: the small features around the vertex b
    vertex = _around(distribution, work, small, b, removed.none, w3, effort)
    A3 = vertex.third
    weights = vertex.weights
    value, _, by_b, error, error_b, terms = vertex.found
    # one large feature is active
    for i in features_of(large):
        if alone[i] == 0:
            continue
        w3 = alone[i] / (3 * g[i])
        w2 = 0.0
        if i == own.feature:
            w3 *= 1 + 1 / g[i]
            w2 = -alone[i] / g[i]
        vertex = _around(distribution, work, small, b + g[i], w2, w3, effort)
        weights = added(weights, vertex.weights)
        value += vertex.found.value
        by_b += vertex.found.by_b
        error += vertex.found.error
        error_b += vertex.found.error_b
        terms = max(terms, vertex.found.terms)
        # h = (B_3 - A_3) / (3 g) has the derivatives h' = (B_2 - h) / g and h'' = 2 (B_1 - h') / g
        height = (vertex.third - A3) / (3 * g[i])
        slope = (vertex.second - height) / g[i]
        if i == own.feature:
            slope -= 2 * (vertex.first - slope) / g[i]
        work.slope[i] += alone[i] * slope
    if effort.gradient:
        add_gradient(distribution, work.g, work.slope, rest, small.own, weights, small.c.k2)
    # what is left: at least two large features are active, or one whose B is neither polynomial nor zero
    both = Listed(large.order, large.feature_first, large.first, rest.end)
    P = effective_period(distribution, work, both, span)
    found = invert(distribution, work, large, rest, own.feature, removed, b, P, Powers(1.0, 0.0, ZERO), effort)
    alias, alias_b = _alias(distribution, work, large, rest, own, small, removed, b, P)
    rounding = rounding_in(distribution, both) * P * P
    return Found(
        value + found.value - alias,
        0.0,
        by_b + found.by_b - alias_b,
        error + found.error + rounding,
        error_b + found.error_b + rounding / P,
        max(terms, found.terms),
    )


@inner
def _alias(
    distribution: Distribution,
    work: Work,
    large: Listed,
    rest: Listed,
    own: OwnFeature,
    small: Small,
    removed: Removed,
    b: float,
    P: float,
) -> tuple[float, float]:
    """The alias of the patterns that stay in the inversion, and its derivative by b; its gradient leaves ``work.slope``.

    It is T E [w2 s^2 + w1 s + w0] over all patterns, minus the same over those taken out, in which the small sum still varies:
    there s = sigma + s', or sigma + g_i u + s', with sigma = b + E s_S and Var s' = s2.
    """
    w2 = ALIAS_0
    w1 = 2 * P * ALIAS_1
    w0 = P * P * ALIAS_2
    blocks = Listed(large.order, large.feature_first, large.first, rest.end)
    c = cumulants(distribution, work.g, blocks, ZERO)
    o = own_derivatives(distribution, work.g, own, ZERO)
    mu = b + c.k1
    first = own_moment(1, mu, c, o)
    value = w2 * own_moment(2, mu, c, o) + w1 * first + w0
    by_b = 2 * w2 * first + w1
    add_gradient(distribution, work.g, work.slope, blocks, own, weights_at(mu, -w1, -w2, 0.0), c.k2)
    sigma = b + small.c.k1
    s2 = small.c.k2
    o1, o2, _ = small.o
    q = removed.none
    value -= q * (w2 * own_moment(2, sigma, small.c, small.o) + w1 * (sigma - o1) + w0)
    by_b -= q * (2 * w2 * (sigma - o1) + w1)
    # by the small couplings: patterns of offsets sigma and, on average, sigma + g_i / 2, where T takes 1/2 off the own one
    mass = q
    offset = 0.0
    for i in features_of(large):
        share = removed.alone[i]
        if share == 0:
            continue
        g = work.g[i]
        m1, m1g = closed(1, sigma, g, i == own.feature)
        m2, m2g = closed(2, sigma, g, i == own.feature)
        # T of a small own feature: minus the derivative of mean and variance of the small sum
        m2b = 2 * m1 - 2 * o1
        m2 -= (2 * sigma + g) * o1 + o2
        m1 -= o1
        m2g -= o1
        value -= share * (w2 * (m2 + s2) + w1 * m1 + w0)
        by_b -= share * (w2 * m2b + w1)
        work.slope[i] += share * (w2 * m2g + w1 * m1g)
        mass += share
        offset += share * (g - (1.0 if i == own.feature else 0.0)) / 2
    weights = Weights(w1 * mass, w2 * mass, w2 * (mass * sigma + offset), 0.0, 0.0, 0.0)
    add_gradient(distribution, work.g, work.slope, rest, small.own, weights, s2)
    return value, by_b
