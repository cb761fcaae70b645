"""Rows whose own feature is faint: the outputs of features that a model drops.

E[x_j r(s)] of a feature that barely moves its own output asks for its patterns with one other feature at every number of terms,
because T = 1 - d/dg_j turns a factor of size 1 / z into one of size 1.  So the own feature o is left a plain factor, and the
patterns "nothing else is on" (probability q) and "only i is on besides" (c_i) are taken out with it:

    sum_k Re{ omega_k  phi_o(z_k)  [ prod_{i != o} phi_i(z_k) - q - sum_i c_i A(z_k g_i) ] }

What is taken out is a smooth function V(b + g_o x, g_i) but for two kinks, with x the magnitude of o,

    q or c_i  times  (1 - p) V(b, g_i) + p int_0^1 (V - x dV/db)(b + g_o x, g_i) dx

and Gauss' rule with four points between the kinks is exact for it.
"""

from typing import Any

import numpy as np

from tegum.compilation import compiled, inlined
from tegum.exact.uniform import closed_power, rectified_power

_FAINT = 1 / 4
_NODES, _WEIGHTS = (np.polynomial.legendre.leggauss(4)[k] / 2 for k in range(2))


@inlined
def is_faint(world: Any, g: Any, order: Any, count: int, own: int, own_block: int) -> bool:
    """Whether the own feature is a block of its own whose coupling is far below the largest listed one."""
    if (
        own_block < 0
        or world.component_first[world.block_first[own_block + 1]] - world.component_first[world.block_first[own_block]] > 1
    ):
        return False
    largest = 0.0
    for entry in range(count):
        block = order[entry]
        for i in range(world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]):
            largest = max(largest, abs(g[i]))
    return bool(abs(g[own]) < _FAINT * largest)


@inlined
def move_to_end(order: Any, count: int, block: int) -> None:
    """Exchanges a listed block with the last one."""
    for entry in range(count - 1):
        if order[entry] == block:
            order[entry] = order[count - 1]
            order[count - 1] = block


@inlined
def _pattern(a2: float, a3: float, w0: float, w1: float, w2: float, w3: float, b: float, g: float) -> Any:
    """V = E [a2 r(s)^2 + a3 r(s)^3 + w3 s^3 + w2 s^2 + w1 s + w0] of s = b + g u; V_b, V_bb, V_g, V_bg."""
    m1, m1g, _ = closed_power(1, b, g)
    m2, m2g, _ = closed_power(2, b, g)
    r1, r1g, _ = rectified_power(1, b, g)
    r2, r2g, _ = rectified_power(2, b, g)
    e = b + g
    if b <= 0 and e <= 0:
        r0 = 0.0
    elif b >= 0 and e >= 0:
        r0 = 1.0
    else:
        r0 = max(b, e) / abs(g)
    value = a2 * r2 + w2 * m2 + w1 * m1 + w0
    by_b = 2 * a2 * r1 + 2 * w2 * m1 + w1
    by_bb = 2 * a2 * r0 + 2 * w2
    by_g = a2 * r2g + w2 * m2g + w1 * m1g
    by_bg = 2 * a2 * r1g + 2 * w2 * m1g
    if a3 != 0:
        m3, m3g, _ = closed_power(3, b, g)
        r3, r3g, _ = rectified_power(3, b, g)
        value += a3 * r3 + w3 * m3
        by_b += 3 * (a3 * r2 + w3 * m2)
        by_bb += 6 * (a3 * r1 + w3 * m1)
        by_g += a3 * r3g + w3 * m3g
        by_bg += 3 * (a3 * r2g + w3 * m2g)
    return value, by_b, by_bb, by_g, by_bg


@inlined
def _expected(
    a2: float, a3: float, w0: float, w1: float, w2: float, w3: float, b: float, g: float, own: float, p: float
) -> Any:
    """T E V over the own feature, of coupling ``own`` and probability p: value, derivatives by b, by g and by ``own``."""
    value, by_b, _, by_g, _ = _pattern(a2, a3, w0, w1, w2, w3, b, g)
    value *= 1 - p
    by_b *= 1 - p
    by_g *= 1 - p
    by_own = 0.0
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
                V, Vb, Vbb, Vg, Vbg = _pattern(a2, a3, w0, w1, w2, w3, b + own * x, g)
                value += weight * (V - x * Vb)
                by_b += weight * (Vb - x * Vbb)
                by_g += weight * (Vg - x * Vbg)
                by_own += weight * x * (Vb - x * Vbb)
        start = end
    return value, by_b, by_g, by_own


@compiled
def add_faint_patterns(
    world: Any,
    work: Any,
    g: Any,
    order: Any,
    others: int,
    own: int,
    own_component: int,
    b: float,
    q: float,
    c: Any,
    a2: float,
    a3: float,
    w0: float,
    w1: float,
    w2: float,
    w3: float,
    alias: float,
    v0: float,
    v1: float,
    v2: float,
) -> Any:
    """The patterns taken out around a faint own feature; their derivatives by couplings go to ``work.slope``.

    V is a2 r^2 + a3 r^3 + w3 s^3 + w2 s^2 + w1 s + w0, and for the cubic alone r^3 + alias s^3 + v2 s^2 + v1 s + v0.

    Returns:
        value, cubic alone (0 where a3 is 0), derivative by b.
    """
    p = world.weight[own_component]
    V, Vb, _, by_own = _expected(a2, a3, w0, w1, w2, w3, b, 0.0, g[own], p)
    value = q * V
    by_b = q * Vb
    work.slope[own] += q * by_own
    cubic = 0.0
    if a3 != 0:
        V, _, _, _ = _expected(0.0, 1.0, v0, v1, v2, alias, b, 0.0, g[own], p)
        cubic = q * V
    for entry in range(others):
        block = order[entry]
        for i in range(world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]):
            share = c[i]
            if share == 0:
                continue
            V, Vb, Vg, by_own = _expected(a2, a3, w0, w1, w2, w3, b, g[i], g[own], p)
            value += share * V
            by_b += share * Vb
            work.slope[i] += share * Vg
            work.slope[own] += share * by_own
            if a3 != 0:
                V, _, _, _ = _expected(0.0, 1.0, v0, v1, v2, alias, b, g[i], g[own], p)
                cubic += share * V
    return value, cubic, by_b
