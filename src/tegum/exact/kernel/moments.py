"""Mean, variance and third cumulant of s = b + sum_i g_i x_i over some blocks, and the gradients of its moments.

Given that component c is active, its features have independent magnitudes of mean a and variance d, so its sum has mean
t_c = a sum g_i and variance d sum g_i^2.  For one block

    mean  mu_B = sum_c w_c t_c,      variance = sum_c w_c (d sum g_i^2 + t_c^2) - mu_B^2

and blocks add.  A row's loss needs T = 1 - d/dg_j of E s, E s^2 and, for split rows, E s^3 (see `tegum.exact.kernel.row`); the
third order is only ever needed for blocks that are single uniform features.
"""

from typing import Any, NamedTuple

from tegum.compilation import inlined, inner
from tegum.exact.kernel.records import Distribution, Listed, OwnFeature
from tegum.exact.kernel.walk import components_in, members_of


class Cumulants(NamedTuple):
    """Mean, variance and third cumulant of a sum, or their derivatives by one coupling."""

    k1: float
    k2: float
    k3: float


class Weights(NamedTuple):
    """Weights of the first three moments of b + s, added up over several offsets b, each of mean mu = b + E s.

    ``w1`` is the sum of the weights of the first moment, ``w2mu`` that of weight times mu of the second, and so on.
    """

    w1: float
    w2: float
    w2mu: float
    w3: float
    w3mu: float
    w3mu2: float


@inlined
def weights_at(mu: float, w1: float, w2: float, w3: float) -> Weights:
    """The weights of one offset."""
    return Weights(w1, w2, w2 * mu, w3, w3 * mu, w3 * mu * mu)


@inlined
def added(a: Weights, b: Weights) -> Weights:
    """The weights of both."""
    return Weights(a.w1 + b.w1, a.w2 + b.w2, a.w2mu + b.w2mu, a.w3 + b.w3, a.w3mu + b.w3mu, a.w3mu2 + b.w3mu2)


@inlined
def own_moment(k: int, mu: float, c: Cumulants, own: Cumulants) -> float:
    """T M_k: the k-th moment, k from 1 to 3, minus its derivative by the own coupling.

    The moments of a variable with mean mu, variance k2 and third cumulant k3 are mu, mu^2 + k2, mu^3 + 3 mu k2 + k3; ``own``
    holds the derivatives of the cumulants.
    """
    if k == 1:
        return mu - own.k1
    if k == 2:
        return mu * mu + c.k2 - (2 * mu * own.k1 + own.k2)
    return mu**3 + 3 * mu * c.k2 + c.k3 - (3 * mu * mu * own.k1 + 3 * c.k2 * own.k1 + 3 * mu * own.k2 + own.k3)


@inlined
def _third(w: float) -> float:
    """The third cumulant of a uniform feature of density w: E x^3 - 3 E x E x^2 + 2 (E x)^3, E x^k = w / (k + 1)."""
    return w / 4 - w * w / 2 + w**3 / 4


@inlined
def _component_sum(distribution: Distribution, g: Any, component: int) -> tuple[float, float]:
    """Mean and variance of a component's sum, given that it is active."""
    total = 0.0
    squares = 0.0
    for i in members_of(distribution, component):
        total += g[i]
        squares += g[i] * g[i]
    return distribution.mean * total, distribution.spread * squares


@inlined
def _block_mean(distribution: Distribution, g: Any, block: int) -> float:
    """mu_B of a block's sum."""
    mean = 0.0
    for component in components_in(distribution, block):
        t, _ = _component_sum(distribution, g, component)
        mean += distribution.weight[component] * t
    return mean


@inner
def cumulants(distribution: Distribution, g: Any, blocks: Listed, third: int) -> Cumulants:
    """The cumulants of the listed sum without b; the third only where asked for, else 0."""
    k1 = 0.0
    k2 = 0.0
    k3 = 0.0
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        mean = 0.0
        square = 0.0
        for component in components_in(distribution, block):
            t, spread = _component_sum(distribution, g, component)
            mean += distribution.weight[component] * t
            square += distribution.weight[component] * (spread + t * t)
        k1 += mean
        k2 += square - mean * mean
        if third:
            component = distribution.block_first[block]
            k3 += _third(distribution.weight[component]) * g[distribution.component_first[component]] ** 3
    return Cumulants(k1, k2, k3)


@inner
def own_derivatives(distribution: Distribution, g: Any, own: OwnFeature, third: int) -> Cumulants:
    """The derivatives of the cumulants by the own coupling; zeros where the own block is not among those at hand."""
    if own.block < 0:
        return Cumulants(0.0, 0.0, 0.0)
    w = distribution.weight[own.component]
    t, _ = _component_sum(distribution, g, own.component)
    # d/dg_j of sum_c w_c (d sum g_i^2 + t_c^2) - mu_B^2, where only the own component depends on g_j and dt/dg_j = a
    mean = _block_mean(distribution, g, own.block)
    second = 2 * w * (distribution.mean * t + distribution.spread * g[own.feature] - distribution.mean * mean)
    return Cumulants(distribution.mean * w, second, 3 * _third(w) * g[own.feature] ** 2 if third else 0.0)


@inner
def add_gradient(
    distribution: Distribution, g: Any, slope: Any, blocks: Listed, own: OwnFeature, weights: Weights, k2: float
) -> None:
    """Adds to ``slope`` the gradient by the listed couplings of sum_b T [w1 M1 + w2 M2 + w3 M3] over several offsets b.

    M_k is the k-th moment of b + the listed sum, whose variance is ``k2``; T = 1 - d/dg_own where the own block is listed,
    else 1.  With d1, d2, d3 the derivatives of the cumulants by g_i and o1, o2, o3 those by g_own,

        d M2 / dg_i = 2 mu d1 + d2,      d M3 / dg_i = 3 (mu^2 + k2) d1 + 3 mu d2 + d3

    and the own coupling's share is the derivative of these by g_own: products d o, and second derivatives within its block.
    """
    w1, w2, w2mu, w3, w3mu, w3mu2 = weights
    third = 1 if w3 != 0 or w3mu != 0 or w3mu2 != 0 else 0
    o1, o2, _ = own_derivatives(distribution, g, own, third)
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        mean = _block_mean(distribution, g, block)
        for component in components_in(distribution, block):
            w = distribution.weight[component]
            t, _ = _component_sum(distribution, g, component)
            d1 = distribution.mean * w
            for i in members_of(distribution, component):
                coupling = g[i]
                d2 = 2 * w * (distribution.mean * t + distribution.spread * coupling - distribution.mean * mean)
                gradient = (w1 + 2 * w2mu) * d1 + w2 * d2
                if third:
                    gradient += 3 * (w3mu2 + k2 * w3) * d1 + 3 * w3mu * d2 + w3 * 3 * _third(w) * coupling**2
                if own.block >= 0:
                    gradient -= 2 * w2 * d1 * o1
                    if third:
                        gradient -= 6 * w3mu * d1 * o1 + 3 * w3 * (o1 * d2 + d1 * o2)
                    if block == own.block:
                        # d2 / dg_i dg_own of the block's variance: -2 d1 o1, within the own component 2 w a^2 more, on the
                        # diagonal 2 w d more
                        both = -2 * d1 * o1
                        if component == own.component:
                            both += 2 * w * distribution.mean * distribution.mean
                        if i == own.feature:
                            both += 2 * w * distribution.spread
                        gradient -= w2 * both
                        if third:
                            gradient -= 3 * w3mu * both + w3 * 6 * _third(w) * coupling
                slope[i] += gradient
