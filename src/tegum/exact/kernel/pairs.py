"""Pairs in closed form: the patterns "only i and k are active", which decay slowest once those with one feature are gone.

With c_i = p_i / (1 - p_i) and q the probability that nothing is active, they are taken out of the inversion by a power sum,

    q sum_{i < k} c_i A_i c_k A_k = q [(e^2 - sum_i (c_i A_i)^2) / 2 + c_own A_own e],    e = sum_{i != own} c_i A_i

and added back in closed form, by divided differences of F(t) = r(t)^4 / 12:

    E r(b + g u + h v)^2 = [D_g(b + h) - D_g(b)] / h,    D_g(x) = [F(x + g) - F(x)] / g

D_g is a polynomial in x and g where x and x + g have one sign, and a power of the side above 0 over g where not: it loses no
digit, however small g is.  Only the division by h costs some, so h is the larger coupling of the two, or the own one, on which
T = 1 - d/dg acts.  Of n features there are n^2 / 2 pairs, and no need to look at each:

    large beside large    sum_k a_k r(b + g_i + g_k)^4, a = c / g, has the k behind a place that only moves down as g_i rises:
                          a polynomial in g_i, with five sums that only grow
    small beside large    sum_i c_i D_{g_i}(x) is a polynomial in x but for |x| within the reach of the small ones
    small beside small, the own one beside any    one by one

At equal terms errors fall 4 to 1,000 times, most where few features are active.
"""

from typing import NamedTuple

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.exact.kernel.records import Distribution, Effort, Integrand, Listed, Work
from tegum.exact.kernel.walk import features_of

DENSEST = 0.99
_FEW = 48
_SELDOM, _SELDOM_IF_STRICT = 2.0, 8.0
_STRICT = 1e-10
_SMALLEST = 1 / 128
_MOST_SMALL = 32
_ROUNDING = 1e-15


class Part(NamedTuple):
    """A part of the pairs: its value and its derivative by b."""

    value: float
    by_b: float


class Ranked(NamedTuple):
    """The features in ``work.rank`` but for the own one: large ones by rising couplings, then small ones until ``end``."""

    large: int
    end: int


class Divided(NamedTuple):
    """D_g(x), its derivatives by g, by x, by both and by x twice."""

    value: float
    by_g: float
    by_x: float
    by_xg: float
    by_xx: float


@inner
def find_pairs(distribution: Distribution, work: Work, blocks: Listed, b: float, none: float, effort: Effort) -> float:
    """Says in ``work.odds`` which of the listed features are taken in pairs, c_i or 0; returns q, 0 for no pairs.

    Where many features are active together, pairs decay no slower than what is left, and are not taken.
    """
    count = small = 0
    active = 0.0
    smallest = _smallest(work, blocks, b)
    for i in features_of(blocks):
        p = distribution.weight[i]
        active += p
        work.odds[i] = 0.0
        if p > DENSEST:
            continue
        if abs(work.g[i]) < smallest:
            small += 1
            if small > _MOST_SMALL:
                continue
        work.odds[i] = p / (1 - p) if p < 1 else 0.0  # of one that is always active q is 0, and no odds are infinite
        count += 1
    return none if count > 1 and are_worth_it(count, active, smallest, effort) else 0.0


@inlined
def are_worth_it(count: int, active: float, smallest: float, effort: Effort) -> bool:
    """Whether pairs of so many features, of which so many are active on average, decay slower than what is left.

    Couplings below ``smallest`` are small.  Where little error is tolerated, more terms pay for more pairs.
    """
    strict = effort.least < effort.most and effort.target < _STRICT * (smallest / _SMALLEST) ** 2
    return bool(count <= _FEW or active <= _SELDOM or (strict and active <= _SELDOM_IF_STRICT))


@inlined
def smallest_of(largest: float, b: float) -> float:
    """Couplings below it are small beside the ``largest``."""
    return _SMALLEST * (2 * largest + abs(b))


@inlined
def _smallest(work: Work, blocks: Listed, b: float) -> float:
    """Couplings below it are small."""
    largest = 0.0
    for i in features_of(blocks):
        largest = max(largest, abs(work.g[i]))
    return smallest_of(largest, b)


@apart_from_callers
@inner
def add_pairs(work: Work, blocks: Listed, own: int, b: float, q: float, V: Integrand) -> tuple[float, float, float, float]:
    """T E [r2 r(s)^2 + s2 s^2 + s1 s + s0] of all pairs; derivatives by couplings go to ``work.slope``.

    Returns:
        its value, its derivative by b, and the rounding of both.
    """
    ranked = _ranked(work, blocks, own, _smallest(work, blocks, b))
    plain = _polynomials(work, ranked, b, q, V)
    large = _large(work, ranked, b, q * V.r2)
    small = _small(work, ranked, b, q * V.r2)
    single = _one_by_one(work, ranked, own, b, q, V)
    size = steepest = largest = light = 0.0
    for k in range(ranked.large):
        g = abs(work.g[work.rank[k]])
        a = work.odds[work.rank[k]] / g
        size += a
        steepest = max(steepest, a / g)
        largest = max(largest, g)
    for k in range(ranked.large, ranked.end):
        light += work.odds[work.rank[k]]
    reach = abs(b) + 2 * largest
    rounding = _ROUNDING * q * (reach * size + 8 * light) * reach**2
    return (
        plain.value + large.value + small.value + single.value,
        plain.by_b + large.by_b + small.by_b + single.by_b,
        rounding * reach * size / 24,
        rounding * max(size, reach * steepest) / 12,
    )


@inlined
def _ranked(work: Work, blocks: Listed, own: int, smallest: float) -> Ranked:
    """Writes the features into ``work.rank``, the large ones sorted by Shell's method."""
    rank, g = work.rank, work.g
    large = 0
    for i in features_of(blocks):
        if work.odds[i] > 0 and i != own and abs(g[i]) >= smallest:
            rank[large] = i
            large += 1
    gap = 1
    while 3 * gap + 1 < large:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, large):
            one = rank[k]
            place = k
            while place >= gap and g[rank[place - gap]] > g[one]:
                rank[place] = rank[place - gap]
                place -= gap
            rank[place] = one
        gap //= 3
    end = large
    for i in features_of(blocks):
        if work.odds[i] > 0 and i != own and abs(g[i]) < smallest:
            rank[end] = i
            end += 1
    return Ranked(large, end)


@inlined
def _polynomials(work: Work, ranked: Ranked, b: float, q: float, V: Integrand) -> Part:
    """E [s2 s^2 + s1 s + s0] of the pairs without the own feature.

    E s^2 = b^2 + b (g + h) + (g^2 + h^2) / 3 + g h / 2, E s = b + (g + h) / 2
    """
    odds = moment = 0.0
    for k in range(ranked.end):
        i = work.rank[k]
        odds += work.odds[i]
        moment += work.odds[i] * work.g[i]
    value = mass = offset = 0.0
    for k in range(ranked.end):
        i = work.rank[k]
        c = work.odds[i]
        g = work.g[i]
        others = odds - c
        beside = moment - c * g
        mass += c * others / 2
        offset += c * g * others
        value += c * g * V.s2 * (g * others / 3 + beside / 4)
        work.slope[i] += q * c * (V.s2 * (b * others + 2 * g * others / 3 + beside / 2) + V.s1 * others / 2)
    value += V.s2 * (b * b * mass + b * offset) + V.s1 * (b * mass + offset / 2) + V.s0 * mass
    return Part(q * value, q * (V.s2 * (2 * b * mass + offset) + V.s1 * mass))


@inlined
def _large(work: Work, ranked: Ranked, b: float, weight: float) -> Part:
    """``weight`` times E r(s)^2 of two large features, by sums over partners k of a_k x_k^j, x_k = b + g_k."""
    shares = third = fourth = 0.0
    for k in range(ranked.large):
        g = work.g[work.rank[k]]
        a = work.odds[work.rank[k]] / g
        t = max(b + g, 0.0)
        shares += a
        third += a * t**3 / 3
        fourth += a * t**4 / 12
    top = max(b, 0.0)
    value = by_b = 0.0
    place = ranked.large
    sum0 = sum1 = sum2 = sum3 = sum4 = 0.0
    for k in range(ranked.large):
        i = work.rank[k]
        g = work.g[i]
        a = work.odds[i] / g
        while place > 0 and b + work.g[work.rank[place - 1]] + g > 0:
            place -= 1
            partner = work.g[work.rank[place]]
            x = b + partner
            share = work.odds[work.rank[place]] / partner
            sum0 += share
            sum1 += share * x
            sum2 += share * x * x
            sum3 += share * x * x * x
            sum4 += share * x * x * (x * x)
        cubes = sum3 + g * (3 * sum2 + g * (3 * sum1 + g * sum0))
        powers = sum4 + g * (4 * sum3 + g * (6 * sum2 + g * (4 * sum1 + g * sum0)))
        here = max(b + g, 0.0)
        twice = max(b + 2 * g, 0.0)
        rest = shares - a
        # over all partners k: a_k [F'(b + g + g_k) - F'(b + g)], and a_k times the second differences of F' and of F
        slope = cubes / 3 - a * twice**3 / 3 - rest * here**3 / 3
        bend3 = slope - (third - a * here**3 / 3) + rest * top**3 / 3
        bend4 = powers / 12 - a * twice**4 / 12 - rest * here**4 / 12 - (fourth - a * here**4 / 12) + rest * top**4 / 12
        value += a / 2 * bend4
        by_b += a / 2 * bend3
        work.slope[i] += weight * a * (slope - bend4 / g)
    return Part(weight * value, weight * by_b)


@inlined
def _small(work: Work, ranked: Ranked, b: float, weight: float) -> Part:
    """``weight`` times E r(s)^2 of small features beside large ones."""
    rank, odds = work.rank, work.odds
    # sums of c g^j, and how near to 0 the small ones carry s across the kink
    sum0 = sum1 = sum2 = sum3 = reach = 0.0
    at_bias = at_bias_b = 0.0
    for k in range(ranked.large, ranked.end):
        c = odds[rank[k]]
        g = work.g[rank[k]]
        reach = max(reach, abs(g))
        sum0 += c
        sum1 += c * g
        sum2 += c * g * g
        sum3 += c * g * g * g
        D = _divided(b, g)
        at_bias += c * D.value
        at_bias_b += c * D.by_x
    if ranked.large == ranked.end:
        return Part(0.0, 0.0)
    value = by_b = 0.0
    shares = above0 = above1 = above2 = 0.0
    for k in range(ranked.large):
        i = rank[k]
        h = work.g[i]
        a = odds[i] / h
        x = b + h
        shares += a
        here = here_b = 0.0
        if x >= reach:
            # D_g = (4 x^3 + 6 x^2 g + 4 x g^2 + g^3) / 12
            here = (x * (x * (4 * x * sum0 + 6 * sum1) + 4 * sum2) + sum3) / 12
            here_b = x * (x * sum0 + sum1) + sum2 / 3
            above0 += a
            above1 += a * x
            above2 += a * x * x
        elif x > -reach:
            for other in range(ranked.large, ranked.end):
                c = odds[rank[other]]
                D = _divided(x, work.g[rank[other]])
                here += c * D.value
                here_b += c * D.by_x
                work.slope[rank[other]] += weight * a * c * D.by_g
        H = here - at_bias
        value += a * H
        by_b += a * (here_b - at_bias_b)
        work.slope[i] += weight * a * (here_b - H / h)
    for k in range(ranked.large, ranked.end):
        g = work.g[rank[k]]
        by_g = above2 / 2 + g * (2 * above1 / 3 + g * above0 / 4) - shares * _divided(b, g).by_g
        work.slope[rank[k]] += weight * odds[rank[k]] * by_g
    return Part(weight * value, weight * by_b)


@inlined
def _one_by_one(work: Work, ranked: Ranked, own: int, b: float, q: float, V: Integrand) -> Part:
    """The pairs of the own feature, with the polynomial, and E r2 r(s)^2 of two small features."""
    rank, odds = work.rank, work.odds
    value = by_b = 0.0
    for k in range(ranked.end if odds[own] > 0 else 0):
        more = _counted(work, q, V, b, rank[k], own, own)
        value += more.value
        by_b += more.by_b
    rectified = Integrand(V.r2, 0.0, 0.0, 0.0, 0.0, 0.0)
    for k in range(ranked.large, ranked.end):
        for other in range(ranked.large, k):
            g, h = rank[k], rank[other]
            if abs(work.g[g]) > abs(work.g[h]):
                g, h = h, g
            more = _counted(work, q, rectified, b, g, h, own)
            value += more.value
            by_b += more.by_b
    return Part(value, by_b)


@inlined
def _counted(work: Work, q: float, V: Integrand, b: float, g: int, h: int, own: int) -> Part:
    """The pair of two features, by its probability; with T where h is the own feature."""
    share = q * work.odds[g] * work.odds[h]
    value, by_b, by_g, by_h = _pair(V, b, work.g[g], work.g[h], h == own)
    work.slope[g] += share * by_g
    work.slope[h] += share * by_h
    return Part(share * value, share * by_b)


@inner
def _pair(V: Integrand, b: float, g: float, h: float, own: bool) -> tuple[float, float, float, float]:
    """E V(b + g u + h v), or if h is the ``own`` coupling (1 - d/dh) of it, and its derivatives by b, g and h."""
    r2, s2 = V.r2, V.s2
    low = b + min(g, 0.0) + min(h, 0.0)
    high = b + max(g, 0.0) + max(h, 0.0)
    if low >= 0:
        # the rectified square is the square
        r2, s2 = 0.0, s2 + r2
    elif high <= 0:
        r2 = 0.0
    value = s2 * (b * b + b * (g + h) + (g * g + h * h) / 3 + g * h / 2) + V.s1 * (b + (g + h) / 2) + V.s0
    by_b = s2 * (2 * b + g + h) + V.s1
    by_g = s2 * (b + 2 * g / 3 + h / 2) + V.s1 / 2
    by_h = s2 * (b + 2 * h / 3 + g / 2) + V.s1 / 2
    by_bh, by_hh, by_gh = s2, 2 * s2 / 3, s2 / 2
    if r2 != 0:
        end, start = _divided(b + h, g), _divided(b, g)
        # h H = D(b + h) - D(b), differentiated by h: H + h H_h = D_x(b + h), and once more: 2 H_h + h H_hh = D_xx(b + h)
        H = (end.value - start.value) / h
        H_b = (end.by_x - start.by_x) / h
        H_g = (end.by_g - start.by_g) / h
        H_h = (end.by_x - H) / h
        value += r2 * H
        by_b += r2 * H_b
        by_g += r2 * H_g
        by_h += r2 * H_h
        by_bh += r2 * (end.by_xx - H_b) / h
        by_gh += r2 * (end.by_xg - H_g) / h
        by_hh += r2 * (end.by_xx - 2 * H_h) / h
    if own:
        return value - by_h, by_b - by_bh, by_g - by_gh, by_h - by_hh
    return value, by_b, by_g, by_h


@inlined
def _divided(x: float, g: float) -> Divided:
    """D_g(x) = [F(x + g) - F(x)] / g with F(t) = r(t)^4 / 12, and its derivatives."""
    e = x + g
    if x <= 0 and e <= 0:
        return Divided(0.0, 0.0, 0.0, 0.0, 0.0)
    if x >= 0 and e >= 0:
        return Divided(
            (x * (x * (4 * x + 6 * g) + 4 * g * g) + g * g * g) / 12,
            (x * (6 * x + 8 * g) + 3 * g * g) / 12,
            x * e + g * g / 3,
            x + 2 * g / 3,
            2 * x + g,
        )
    # one of F(x + g) and F(x) is 0: D = e^4 / (12 g), or -x^4 / (12 g)
    if g > 0:
        slope = e * e * e / (3 * g)
        return Divided(e * slope / 4, e * e * e * (4 * g - e) / (12 * g * g), slope, (e * e - slope) / g, e * e / g)
    slope = -(x * x * x) / (3 * g)
    return Divided(x * slope / 4, -x * slope / (4 * g), slope, -slope / g, -x * x / g)
