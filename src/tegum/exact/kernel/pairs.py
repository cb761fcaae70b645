"""Pairs in closed form: the patterns "only i and k are active", which decay slowest once those with one feature are gone.

With c_i = p_i / (1 - p_i) and q the probability that nothing is active, they are taken out of the inversion by a power sum,

    q sum_{i < k} c_i A_i c_k A_k = q [(e^2 - sum_i (c_i A_i)^2) / 2 + c_own A_own e],    e = sum_{i != own} c_i A_i

and added back in closed form, eight partners at a time, by second differences of F(t) = r(t)^4 / 12:

    E r(b + g u + h v)^2 = [F(b + g + h) - F(b + g) - F(b + h) + F(b)] / (g h)

At equal terms errors fall 4 to 1,000 times, most where few features are active.  Where g or h is small against the largest
coupling, g h in the denominator costs digits; such pairs, and those of the own feature (T = 1 - d/dg), are done one by one,

    H = [R_3(b + g) - R_3(b)] / (3 g),    R_k(t) = E r(t + h v)^k,    |g| >= |h|

or as a polynomial where s keeps its sign: then every number that is subtracted is of the size of the result.
"""

from tegum.compilation import compiled, inlined
from tegum.exact.kernel.records import Distribution, Effort, Integrand, Listed, Work
from tegum.exact.kernel.uniform import rectified_power
from tegum.exact.kernel.vectors import WIDTH, at_least, fill, load, total
from tegum.exact.kernel.walk import features_of

_SMALLEST = 1 / 128
DENSEST = 0.99
FEW, _MOST = 48, 128
_STRICT = 1e-10
MOST_SMALL = 8
_ROUNDING = 1e-15


@compiled
def find_pairs(distribution: Distribution, work: Work, blocks: Listed, b: float, none: float, effort: Effort) -> float:
    """Says in ``work.odds`` which of the listed features are taken in pairs, c_i or 0; returns q, 0 for no pairs.

    The cost of n features grows like n^2, so many are only worth it where the inversion would ask for many terms.
    """
    count = small = 0
    smallest = _smallest(work, blocks, b)
    strict = effort.least < effort.most and effort.target < _STRICT * (smallest / _SMALLEST) ** 2
    for i in features_of(blocks):
        p = distribution.weight[i]
        work.odds[i] = 0.0
        if p > DENSEST:
            continue
        if abs(work.g[i]) < smallest:
            small += 1
            if small > MOST_SMALL:
                continue
        work.odds[i] = p / (1 - p)
        count += 1
    return none if 1 < count <= (_MOST if strict else FEW) else 0.0


@inlined
def _smallest(work: Work, blocks: Listed, b: float) -> float:
    """Couplings below it are small."""
    largest = 0.0
    for i in features_of(blocks):
        largest = max(largest, abs(work.g[i]))
    return _SMALLEST * (2 * largest + abs(b))


@compiled
def add_pairs(work: Work, blocks: Listed, own: int, b: float, q: float, V: Integrand) -> tuple[float, float, float, float]:
    """T E [r2 r(s)^2 + s2 s^2 + s1 s + s0] of all pairs; derivatives by couplings go to ``work.slope``.

    Returns:
        its value, its derivative by b, and the rounding of both.
    """
    smallest = _smallest(work, blocks, b)
    value, by_b = _one_by_one(work, blocks, own, b, q, V, smallest)
    # the others side by side, and sums over them of c, c g, a and a F(b + g), a F'(b + g), with a = c / g
    count = 0
    odds = moment = shares = fourth = third = size = steepest = largest = 0.0
    for i in features_of(blocks):
        c = work.odds[i]
        g = work.g[i]
        if c == 0 or i == own or abs(g) < smallest:
            continue
        a = c / g
        size += abs(a)
        steepest = max(steepest, abs(a / g))
        largest = max(largest, abs(g))
        t = max(b + g, 0.0)
        work.partner[count] = g
        work.share[count] = a
        count += 1
        odds += c
        moment += c * g
        shares += a
        third += a * t**3 / 3
        fourth += a * t**4 / 12
    for k in range(count, count + WIDTH):
        work.partner[k] = 0.0
        work.share[k] = 0.0
    top = max(b, 0.0)
    mass = offset = 0.0
    for i in features_of(blocks):
        c = work.odds[i]
        g = work.g[i]
        if c == 0 or i == own or abs(g) < smallest:
            continue
        a = c / g
        sum3 = fill(0.0)
        sum4 = fill(0.0)
        for k in range(0, count, WIDTH):
            t = at_least(load(work.partner, k) + (b + g), 0.0)
            cube = load(work.share, k) * (t * t * t)
            sum3 = sum3 + cube
            sum4 = sum4 + cube * t
        here = max(b + g, 0.0)
        twice = max(b + 2 * g, 0.0)
        rest = shares - a
        # over all partners k: a_k [F'(b + g + g_k) - F'(b + g)], and a_k times the second differences of F' and of F
        slope = total(sum3) / 3 - a * twice**3 / 3 - rest * here**3 / 3
        bend3 = slope - (third - a * here**3 / 3) + rest * top**3 / 3
        bend4 = total(sum4) / 12 - a * twice**4 / 12 - rest * here**4 / 12 - (fourth - a * here**4 / 12) + rest * top**4 / 12
        value += a / 2 * V.r2 * bend4
        by_b += a / 2 * V.r2 * bend3
        # the polynomial: E s^2 = b^2 + b (g + h) + (g^2 + h^2) / 3 + g h / 2, E s = b + (g + h) / 2
        others = odds - c
        beside = moment - c * g
        mass += c * others / 2
        offset += c * g * others
        value += c * g * V.s2 * (g * others / 3 + beside / 4)
        by_polynomial = V.s2 * (b * others + 2 * g * others / 3 + beside / 2) + V.s1 * others / 2
        work.slope[i] += q * (V.r2 * a * (slope - bend4 / g) + c * by_polynomial)
    value += V.s2 * (b * b * mass + b * offset) + V.s1 * (b * mass + offset / 2) + V.s0 * mass
    by_b += V.s2 * (2 * b * mass + offset) + V.s1 * mass
    reach = abs(b) + 2 * largest
    rounding = _ROUNDING * q * size * reach**3
    return q * value, q * by_b, rounding * reach * size / 24, rounding * max(size, reach * steepest) / 12


@inlined
def _one_by_one(work: Work, blocks: Listed, own: int, b: float, q: float, V: Integrand, smallest: float) -> tuple[float, float]:
    """The pairs of the own feature and of small ones, without the factor q; derivatives by couplings go to ``work.slope``."""
    value = by_b = 0.0
    for i in features_of(blocks):
        if work.odds[i] == 0 or (i != own and abs(work.g[i]) >= smallest):
            continue
        for k in features_of(blocks):
            share = work.odds[i] * work.odds[k]
            # each pair once: with the own feature as i, two small ones in the order of their numbers
            if share == 0 or k in (own, i) or (i != own and abs(work.g[k]) < smallest and k < i):
                continue
            g, h = i, k
            if i != own and abs(work.g[i]) < abs(work.g[k]):
                g, h = k, i
            v, vb, vg, vh = _pair(V, b, work.g[g], work.g[h], i == own)
            value += share * v
            by_b += share * vb
            work.slope[g] += q * share * vg
            work.slope[h] += q * share * vh
    return value, by_b


@compiled
def _pair(V: Integrand, b: float, g: float, h: float, own: bool) -> tuple[float, float, float, float]:
    """E V(b + g u + h v), or if g is the ``own`` coupling (1 - d/dg) of it, and its derivatives by b, g and h."""
    r2, s2 = V.r2, V.s2
    low = b + min(g, 0.0) + min(h, 0.0)
    high = b + max(g, 0.0) + max(h, 0.0)
    if low >= 0:
        # the rectified square is the square
        r2, s2 = 0.0, s2 + r2
    elif high <= 0:
        r2 = 0.0
    by_b = s2 * (2 * b + g + h) + V.s1
    by_g = s2 * (b + 2 * g / 3 + h / 2) + V.s1 / 2
    by_h = s2 * (b + 2 * h / 3 + g / 2) + V.s1 / 2
    value = s2 * (b * b + b * (g + h) + (g * g + h * h) / 3 + g * h / 2) + V.s1 * (b + (g + h) / 2) + V.s0
    by_gb, by_gg, by_gh = s2, 2 * s2 / 3, s2 / 2
    if r2 != 0:
        third, third_h, _ = rectified_power(3, b + g, h)
        second, second_h, _ = rectified_power(2, b + g, h)
        first, _, _ = rectified_power(1, b + g, h)
        third_0, third_0h, _ = rectified_power(3, b, h)
        second_0, _, _ = rectified_power(2, b, h)
        # R_k' = k R_{k - 1}, so H = (R_3 - R_3(b)) / (3 g) has dH/dg = (R_2 - H) / g and d2H/dg2 = 2 (R_1 - dH/dg) / g
        H = (third - third_0) / (3 * g)
        H_b = (second - second_0) / g
        H_g = (second - H) / g
        H_h = (third_h - third_0h) / (3 * g)
        value += r2 * H
        by_b += r2 * H_b
        by_g += r2 * H_g
        by_h += r2 * H_h
        by_gb += r2 * (2 * first - H_b) / g
        by_gg += r2 * 2 * (first - H_g) / g
        by_gh += r2 * (second_h - H_h) / g
    if own:
        return value - by_g, by_b - by_gb, by_g - by_gg, by_h - by_gh
    return value, by_b, by_g, by_h
