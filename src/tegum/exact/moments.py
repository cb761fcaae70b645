"""Mean, variance and third cumulant of s = b + sum_i g_i x_i over a list of blocks, and their gradients.

Given that component c is on, its features have independent magnitudes of mean a and variance d, so its sum has mean
t_c = a sum g_i and variance d sum g_i^2.  For one block

    mean  mu_B = sum_c w_c t_c,      variance = sum_c w_c (d sum g_i^2 + t_c^2) - mu_B^2

and blocks add.  A row's loss needs T = 1 - d/dg_j of E s, E s^2 and, for split rows, E s^3 (see `tegum.exact.row`); the third
order is only ever needed for lists of single uniform features.
"""

from typing import Any

from tegum.compilation import compiled, inlined


@inlined
def raw(k: int, mu: float, k2: float, k3: float) -> float:
    """The k-th moment, k from 1 to 3, of a variable with mean mu, variance k2 and third cumulant k3."""
    if k == 1:
        return mu
    if k == 2:
        return mu * mu + k2
    return mu**3 + 3 * mu * k2 + k3


@inlined
def raw_by_own(k: int, mu: float, k2: float, d1: float, d2: float, d3: float) -> float:
    """The derivative of the k-th moment by a coupling, from the derivatives d1, d2, d3 of the cumulants."""
    if k == 1:
        return d1
    if k == 2:
        return 2 * mu * d1 + d2
    return 3 * mu * mu * d1 + 3 * k2 * d1 + 3 * mu * d2 + d3


@inlined
def _third(w: float) -> float:
    """The third cumulant of a uniform feature of density w."""
    return w / 4 - w * w / 2 + w**3 / 4


@inlined
def component_sum(world: Any, g: Any, component: int) -> Any:
    """Mean and variance of a component's sum, given that it is on."""
    total = 0.0
    squares = 0.0
    for i in range(world.component_first[component], world.component_first[component + 1]):
        total += g[i]
        squares += g[i] * g[i]
    return world.mean * total, world.spread * squares


@compiled
def cumulants(world: Any, g: Any, order: Any, first: int, end: int, third: int) -> Any:
    """Mean, variance and, where asked for, third cumulant of the listed sum without b."""
    k1 = 0.0
    k2 = 0.0
    k3 = 0.0
    for entry in range(first, end):
        block = order[entry]
        mean = 0.0
        square = 0.0
        for component in range(world.block_first[block], world.block_first[block + 1]):
            t, spread = component_sum(world, g, component)
            mean += world.weight[component] * t
            square += world.weight[component] * (spread + t * t)
        k1 += mean
        k2 += square - mean * mean
        if third:
            component = world.block_first[block]
            k3 += _third(world.weight[component]) * g[world.component_first[component]] ** 3
    return k1, k2, k3


@compiled
def own_derivatives(world: Any, g: Any, own: int, block: int, component: int, third: int) -> Any:
    """The derivatives of the three cumulants by the own coupling, and the mean of its block's sum."""
    w = world.weight[component]
    mean = 0.0
    for other in range(world.block_first[block], world.block_first[block + 1]):
        t, _ = component_sum(world, g, other)
        mean += world.weight[other] * t
    t, _ = component_sum(world, g, component)
    d2 = 2 * w * (world.mean * t + world.spread * g[own] - world.mean * mean)
    return world.mean * w, d2, 3 * _third(w) * g[own] ** 2 if third else 0.0


@compiled
def add_gradient(
    world: Any,
    g: Any,
    order: Any,
    first: int,
    end: int,
    own: int,
    own_block: int,
    own_component: int,
    m1: float,
    m2: float,
    m2mu: float,
    m3: float,
    m3mu: float,
    m3mu2: float,
    k2: float,
    slope: Any,
) -> None:
    """Adds to ``slope`` the gradient by the listed couplings of sum_b T [w1 M1 + w2 M2 + w3 M3] over several offsets b.

    M_k is the k-th moment of b + the listed sum; T = 1 - d/dg_own where ``own`` is listed (``own_block`` >= 0), else 1.  The
    offsets enter through sums: m1 = sum w1, m2 = sum w2, m2mu = sum w2 mu, m3 = sum w3, m3mu = sum w3 mu, m3mu2 = sum w3 mu^2.
    """
    third = 1 if m3 != 0 or m3mu != 0 or m3mu2 != 0 else 0
    o1 = 0.0
    o2 = 0.0
    if own_block >= 0:
        o1, o2, _ = own_derivatives(world, g, own, own_block, own_component, third)
    for entry in range(first, end):
        block = order[entry]
        mean = 0.0
        for component in range(world.block_first[block], world.block_first[block + 1]):
            t, _ = component_sum(world, g, component)
            mean += world.weight[component] * t
        for component in range(world.block_first[block], world.block_first[block + 1]):
            w = world.weight[component]
            t, _ = component_sum(world, g, component)
            d1 = world.mean * w
            for i in range(world.component_first[component], world.component_first[component + 1]):
                d2 = 2 * w * (world.mean * t + world.spread * g[i] - world.mean * mean)
                gradient = (m1 + 2 * m2mu) * d1 + m2 * d2
                if third:
                    gradient += 3 * (m3mu2 + k2 * m3) * d1 + 3 * m3mu * d2 + m3 * 3 * _third(w) * g[i] ** 2
                if own_block >= 0:
                    gradient -= 2 * m2 * d1 * o1
                    if third:
                        gradient -= 6 * m3mu * d1 * o1 + 3 * m3 * (o1 * d2 + d1 * o2)
                    if block == own_block:
                        both = -2 * d1 * o1
                        if component == own_component:
                            both += 2 * w * world.mean * world.mean
                        if i == own:
                            both += 2 * w * world.spread
                        gradient -= m2 * both
                        if third:
                            gradient -= 3 * m3mu * both + m3 * 6 * _third(w) * g[i]
                slope[i] += gradient
