"""Rows of features that are active in sets: with couplings of any sizes, as accurate as rows of single features.

Features are *large* or *small* one by one, whatever set they are in.  Patterns in which two or more large features are active
are inverted on the row's own grid (``rest`` of `tegum.exact.kernel.product`).  What is left varies on the scale of the small
sum s': with none or only k of the large features active, whose magnitude u is integrated in closed form,

    E r(t + s')^2 at t = b,      [E r(b + g_k + s')^3 - E r(b + s')^3] / (3 g_k)

so these patterns ask for s' around the *vertices* b and b + g_k.  At each the sum is never active (nothing), always active (a
polynomial) or both: *kinked*, and inverted on a grid of the small scale.  All kinked ones go in one inversion, because the
transforms of r(t + s')^2 and r(t + s')^3 are e^{zt} phi'(z) times 2 / z^3 and 6 / z^4:

    6 / z^4 [ z/3 e^{zb} none(z) + one(z) ],     where k's factor in ``one`` is mu_k(z) = [e^{z (b + g_k)} - e^{zb}] / (3 g_k)

The polynomials are the residue of the same expression at z = 0, and so is what the period adds (alias), with another factor
before e^{zt}.  Residues are means over a circle: eight points in its upper half give 16, which is exact to rounding.

Own feature j, T = 1 - d/dg_j: its factor A becomes A - dA/dg.  If it is large, mu_j is T of the above,

    mu_j = e^{z (b + g)} (c - z / (3 g)) - c e^{zb},    c = (1 + 1/g) / (3 g)
"""

from typing import Any

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.exact.kernel.partition import reach
from tegum.exact.kernel.patterns import add_removed, removed_patterns
from tegum.exact.kernel.records import ONE, ZERO, Distribution, Effort, Found, Listed, OwnFeature, Work
from tegum.exact.kernel.row import ROUNDING, Span, period, rounding_in
from tegum.exact.kernel.uniform import rectified
from tegum.exact.kernel.vertices import ALWAYS, KINKED, NOT_ALONE, Fine, coarse_residue, fine_residue, line, state_of
from tegum.exact.kernel.walk import components_of, features_of, members_of

_WEAK = 1 / 4


@inlined
def _sort_features(
    distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, threshold: float
) -> tuple[int, int]:
    """Says which features are large, and how many of a component; returns how many are large and how many small."""
    count = small = 0
    largest = 0.0
    for i in features_of(blocks):
        largest = max(largest, abs(work.g[i]))
    for component in components_of(blocks, distribution.block_first):
        work.large[component] = 0
        for i in members_of(distribution, component):
            size = 1 if abs(work.g[i]) >= threshold and work.g[i] != 0 else 0
            # the own feature of a row that is not split: T makes its factor grow, unless its coupling is like the largest
            if threshold == 0 and i == own.feature and own.block >= 0 and abs(work.g[i]) < _WEAK * largest:
                size = 0
            work.size[i] = size
            work.large[component] += size
            count += size
            small += 1 - size
    return count, small


@inlined
def _vertices(distribution: Distribution, work: Work, blocks: Listed, b: float, low: float, high: float) -> Any:
    """Finds the state of every vertex; returns that of b, the period for the kinked ones, the number of these."""
    bias = state_of(b, low, high)
    reach = max(b + high, -(b + low)) if bias == KINKED else 0.0
    count = 1 if bias == KINKED else 0
    for component in components_of(blocks, distribution.block_first):
        for i in members_of(distribution, component):
            if work.size[i] == 0:
                continue
            work.vertex[i] = NOT_ALONE
            if work.large[component] == 1:
                t = b + work.g[i]
                work.vertex[i] = state_of(t, low, high)
                if work.vertex[i] == KINKED:
                    reach = max(reach, t + high, -(t + low))
                    count += 1
    return bias, period(0.0, reach) if count > 0 else 1.0, count


@inlined
def _rounding_around(distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, P: float) -> tuple[float, float]:
    """The rounding of the vertices of large features, in the value and in its derivatives: mu_k is a difference over 3 g_k.

    It grows with P / g_k, its derivative by g_k with the square of that; T of the own one, such a derivative itself, once more.
    """
    value = slope = 0.0
    for component in components_of(blocks, distribution.block_first):
        for i in members_of(distribution, component):
            if work.size[i] == 0 or work.vertex[i] == NOT_ALONE:
                continue
            ratio = P / abs(work.g[i])
            size = ROUNDING * distribution.weight[component] * ratio * (ratio if i == own.feature else P)
            value += size * P
            slope += size * ratio
    return value, slope


@inner
def sorted_row(
    distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, threshold: float, b: float
) -> tuple[int, int, int, Fine]:
    """How many features are large, small, and around kinked vertices or b; the vertices, and what is taken out there."""
    large, small = _sort_features(distribution, work, blocks, own, threshold)
    low, high = reach(distribution, work, blocks, 1)
    bias, fine_period, kinked = _vertices(distribution, work, blocks, b, low, high)
    for i in features_of(blocks):
        work.alone[i] = 0.0
    return large, small, kinked, Fine(bias, low, high, fine_period, removed_patterns(distribution, work, blocks, own))


@inner
def _unsplit(work: Work, blocks: Listed, own: int, others: float, b: float) -> tuple[float, float]:
    """T E r(s)^2 where no feature is small: of the patterns "nothing active" and "only i active", with its derivative by b."""
    top = max(b, 0.0)
    value = others * top * top
    by_b = 2 * others * top
    for i in features_of(blocks):
        share = work.alone[i]
        if share == 0 or work.vertex[i] == NOT_ALONE:
            continue
        first, _ = rectified(1, b, work.g[i], i == own)
        second, by_g = rectified(2, b, work.g[i], i == own)
        value += share * second
        by_b += 2 * share * first
        work.slope[i] += share * by_g
    return value, by_b


@apart_from_callers
@inner
def sets_row(
    distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, threshold: float, span: Span, effort: Effort
) -> Found:
    """T E r(s)^2 of a row that is neither never nor always active; its gradient by couplings goes to ``work.slope``."""
    b, gradient = span.b, effort.gradient
    large, small, kinked, fine = sorted_row(distribution, work, blocks, own, threshold, b)
    removed = fine.removed
    P = period(span.low, span.high)
    value = by_b = error = error_b = 0.0
    terms = ZERO
    if large > 1:
        value, _, by_b, error, error_b, terms = line(distribution, work, blocks, own, b, fine, P, ZERO, effort)
        more, more_b = coarse_residue(distribution, work, blocks, own, b, P, gradient)
        value += more
        by_b += more_b
    rounding = rounding_in(distribution, blocks) * P * P
    if small == 0:
        more, more_b = _unsplit(work, blocks, own.feature, removed.others, b)
        return Found(value + more, 0.0, by_b + more_b, error + rounding, error_b + rounding / P, terms)
    more, more_b = _rounding_around(distribution, work, blocks, own, P)
    error += more
    error_b += more_b
    more, more_b = fine_residue(distribution, work, blocks, own, b, fine, P, ALWAYS, gradient)
    value += more
    by_b += more_b
    # where the own feature is all that is small, every pattern around a vertex has a closed form
    if kinked > 0 and (small > 1 or removed.block < 0):
        found = line(distribution, work, blocks, own, b, fine, fine.P, ONE, effort)
        value += found.value
        by_b += found.by_b
        error += found.error
        error_b += found.error_b
        terms = max(terms, found.terms)
        more, more_b = fine_residue(distribution, work, blocks, own, b, fine, P, KINKED, gradient)
        value += more
        by_b += more_b
    if kinked > 0:
        more, more_b = add_removed(distribution, work, blocks, own, removed, b, fine.bias == KINKED, KINKED)
        value += more
        by_b += more_b
    return Found(value, 0.0, by_b, error + rounding, error_b + rounding / P, terms)
