"""Rows whose own coupling is weak: the outputs of features that a model drops.

E[x_j r(s)] of a feature that barely moves its own output asks for its patterns with one other feature at every number of terms,
because T = 1 - d/dg_j turns a factor of size 1 / z into one of size 1.  So the own feature o is left a plain factor, and the
patterns "nothing else is active" (probability q) and "only i is active besides" (c_i) are taken out with it:

    sum_k Re{ omega_k  phi_o(z_k)  [ prod_{i != o} phi_i(z_k) - q - sum_i c_i A(z_k g_i) ] }

What is taken out is a smooth function V(b + g_o x, g_i) but for two kinks, with x the magnitude of o,

    q or c_i  times  (1 - p) V(b, g_i) + p int_0^1 (V - x dV/db)(b + g_o x, g_i) dx

and Gauss' rule with four points between the kinks is exact for it.
"""

import numpy as np

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.exact.kernel.records import Distribution, Integrand, Listed, OwnFeature, Removed, Work
from tegum.exact.kernel.uniform import closed_power, rectified_power
from tegum.exact.kernel.walk import features_of

_WEAK = 1 / 4
_NODES, _WEIGHTS = (np.polynomial.legendre.leggauss(4)[k] / 2 for k in range(2))


@inlined
def is_weak(work: Work, blocks: Listed, own: OwnFeature) -> bool:
    """Whether the own feature is a block of its own whose coupling is far below the largest listed one."""
    if own.block < 0 or blocks.feature_first[own.block + 1] - blocks.feature_first[own.block] > 1:
        return False
    largest = 0.0
    for i in features_of(blocks):
        largest = max(largest, abs(work.g[i]))
    return bool(abs(work.g[own.feature]) < _WEAK * largest)


@inlined
def move_to_end(blocks: Listed, block: int) -> None:
    """Exchanges a listed block with the last one."""
    last = blocks.end - 1
    for entry in range(blocks.first, last):
        if blocks.order[entry] == block:
            blocks.order[entry] = blocks.order[last]
            blocks.order[last] = block


@inner
def pattern(V: Integrand, b: float, g: float) -> tuple[float, float, float, float, float]:
    """E V(s) of s = b + g u, and its derivatives by b, by b twice, by g, by b and g."""
    m1, m1g, _ = closed_power(1, b, g)
    m2, m2g, _ = closed_power(2, b, g)
    r1, r1g, _ = rectified_power(1, b, g)
    r2, r2g, _ = rectified_power(2, b, g)
    # the derivative of E r(s) by b is P(s > 0), the share of [b, b + g] above 0
    e = b + g
    if b <= 0 and e <= 0:
        r0 = 0.0
    elif b >= 0 and e >= 0:
        r0 = 1.0
    else:
        r0 = max(b, e) / abs(g)
    value = V.r2 * r2 + V.s2 * m2 + V.s1 * m1 + V.s0
    by_b = 2 * V.r2 * r1 + 2 * V.s2 * m1 + V.s1
    by_bb = 2 * V.r2 * r0 + 2 * V.s2
    by_g = V.r2 * r2g + V.s2 * m2g + V.s1 * m1g
    by_bg = 2 * V.r2 * r1g + 2 * V.s2 * m1g
    if V.r3 != 0:
        m3, m3g, _ = closed_power(3, b, g)
        r3, r3g, _ = rectified_power(3, b, g)
        value += V.r3 * r3 + V.s3 * m3
        by_b += 3 * (V.r3 * r2 + V.s3 * m2)
        by_bb += 6 * (V.r3 * r1 + V.s3 * m1)
        by_g += V.r3 * r3g + V.s3 * m3g
        by_bg += 3 * (V.r3 * r2g + V.s3 * m2g)
    return value, by_b, by_bb, by_g, by_bg


@inner
def expected(V: Integrand, b: float, g: float, own: float, q: float, p: float) -> tuple[float, float, float, float]:
    """E V times q (own feature inactive) plus p T E V over its magnitude: value, derivatives by b, by g and by ``own``."""
    value, by_b, _, by_g, _ = pattern(V, b, g)
    value *= q
    by_b *= q
    by_g *= q
    by_own = 0.0
    # the kinks of V lie where b + own x and b + g + own x are 0
    first = second = 1.0
    if own != 0:
        first = min(max(-b / own, 0.0), 1.0)
        second = min(max(-(b + g) / own, 0.0), 1.0)
        if second < first:
            first, second = second, first
    start = 0.0
    for piece in range(3):
        end = first if piece == 0 else (second if piece == 1 else 1.0)
        if end > start:
            for node in range(4):
                x = start + (end - start) * (0.5 + _NODES[node])
                weight = p * (end - start) * _WEIGHTS[node]
                v, vb, vbb, vg, vbg = pattern(V, b + own * x, g)
                # T V = V - dV/d own = V - x dV/db, and its derivatives
                value += weight * (v - x * vb)
                by_b += weight * (vb - x * vbb)
                by_g += weight * (vg - x * vbg)
                by_own += weight * x * (vb - x * vbb)
        start = end
    return value, by_b, by_g, by_own


@apart_from_callers
@inner
def add_weak_patterns(
    distribution: Distribution,
    work: Work,
    others: Listed,
    own: OwnFeature,
    removed: Removed,
    b: float,
    V: Integrand,
    cube: Integrand,
    cubed: int,
) -> tuple[float, float, float]:
    """The patterns taken out around a weak own feature; their derivatives by couplings go to ``work.slope``.

    Returns:
        E V, E of ``cube`` (0 where not ``cubed``), derivative of E V by b.
    """
    p = distribution.weight[own.component]
    coupling = work.g[own.feature]
    v, vb, _, by_own = expected(V, b, 0.0, coupling, 1 - p, p)
    value = removed.none * v
    by_b = removed.none * vb
    work.slope[own.feature] += removed.none * by_own
    cubic = 0.0
    if cubed:
        v, _, _, _ = expected(cube, b, 0.0, coupling, 1 - p, p)
        cubic = removed.none * v
    for i in features_of(others):
        share = removed.alone[i]
        if share == 0:
            continue
        v, vb, vg, by_own = expected(V, b, work.g[i], coupling, 1 - p, p)
        value += share * v
        by_b += share * vb
        work.slope[i] += share * vg
        work.slope[own.feature] += share * by_own
        if cubed:
            v, _, _, _ = expected(cube, b, work.g[i], coupling, 1 - p, p)
            cubic += share * v
    return value, cubic, by_b
