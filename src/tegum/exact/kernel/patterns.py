"""Closed forms beside the inversion around vertices: the patterns that would decay slowest on the grid of the small sum.

Taken out of what `tegum.exact.kernel.vertices` inverts there, and added in closed form, are the patterns in which nothing is
active but

    nothing, or one small feature that is a component of its own                     beside no large feature
    one large feature, with at most one small one in its component                   beside one large feature

and, where the own feature j is small and a component of its own, the same with it: T = 1 - d/dg_j makes its factor grow with
z, so each pattern is taken out with j's whole block, of which q is the probability that nothing is active,

    (q + w_j (A_j - dA_j/dg_j)) [ ... ]
"""

from typing import Any, NamedTuple

from tegum.compilation import inlined, inner
from tegum.exact.kernel.product import A, D, add_derivative, at
from tegum.exact.kernel.records import ALL_ROWS, NOWHERE, Distribution, Integrand, Listed, OwnFeature, Work
from tegum.exact.kernel.uniform import rectified
from tegum.exact.kernel.vectors import complex_of, load_complex
from tegum.exact.kernel.walk import components_in, members_of
from tegum.exact.kernel.weak_diagonal import expected, pattern


class ClosedPatterns(NamedTuple):
    """The patterns taken out; ``work.alone`` of a component's first feature has its probability without the own block's part.

    Attributes:
        block: the own block where the own feature is small and a component of its own, else -1.
        inactive: the probability that nothing of that block is active, else 1.
        weight: that of the own component, else 0.
        others: the probability that nothing of the other blocks is active.
    """

    block: int
    inactive: float
    weight: float
    others: float


@inlined
def _first_of(distribution: Distribution, work: Work, component: int, size: int) -> int:
    """The first small (``size`` 0) or large (1) feature of a component, -1 if it has none."""
    found = NOWHERE
    for i in members_of(distribution, component):
        if found < 0 and work.size[i] == size:
            found = i
    return found


@inner
def removed_patterns(distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature) -> ClosedPatterns:
    """Finds the patterns to take out and their probabilities."""
    alone = work.alone
    apart = NOWHERE
    members = distribution.component_first[own.component + 1] - distribution.component_first[own.component]
    if own.block >= 0 and work.size[own.feature] == 0 and members == 1:
        apart = own.block
    # the product of the other blocks' inactive probabilities, without a division: those before, then those after
    before = 1.0
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        for component in components_in(distribution, block):
            first = distribution.component_first[component]
            members = distribution.component_first[component + 1] - first
            closed = members == 1 or (members == 2 and work.large[component] == 1)
            alone[first] = before * distribution.weight[component] if closed else 0.0
            if block == apart and component == own.component:
                alone[first] = 0.0
        if block != apart:
            before *= distribution.inactive[block]
    after = 1.0
    for entry in range(blocks.end - 1, blocks.first - 1, -1):
        block = blocks.order[entry]
        for component in components_in(distribution, block):
            alone[distribution.component_first[component]] *= after
        if block != apart:
            after *= distribution.inactive[block]
    if apart < 0:
        return ClosedPatterns(apart, 1.0, 0.0, before)
    return ClosedPatterns(apart, distribution.inactive[apart], distribution.weight[own.component], before)


@inlined
def _own_block(work: Work, own: OwnFeature, removed: ClosedPatterns) -> Any:
    """The part of the own block in every pattern with another block."""
    base = complex_of(removed.inactive, 0.0)
    if removed.block >= 0:
        base = base + removed.weight * load_complex(work.v, at(ALL_ROWS, A, own.feature))
    return base


@inner
def gone(distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, removed: ClosedPatterns, square: Any) -> Any:
    """What the patterns taken out contribute at eight points; ``square`` is the weight of those without a large feature."""
    with_block = removed.others * square
    inside = complex_of(0.0, 0.0)
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        for component in components_in(distribution, block):
            first = distribution.component_first[component]
            share = work.alone[first]
            if share == 0:
                continue
            together = share * load_complex(work.v, at(ALL_ROWS, A, first))
            if distribution.component_first[component + 1] - first == 2:
                together = together * load_complex(work.v, at(ALL_ROWS, A, first + 1))
            if work.large[component] == 0:
                together = together * square
            if block == removed.block:
                inside = inside + together
            else:
                with_block = with_block + together
    return with_block * _own_block(work, own, removed) + inside


@inner
def gone_backward(
    distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, removed: ClosedPatterns, square: Any, weight: Any
) -> None:
    """Takes the derivatives of Re{weight gone} by the couplings off acc."""
    v = work.v
    base = _own_block(work, own, removed) * weight * -1.0
    with_block = removed.others * square
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        for component in components_in(distribution, block):
            first = distribution.component_first[component]
            share = work.alone[first]
            if share == 0:
                continue
            by = share * base
            if block == removed.block:
                by = (-share) * weight
            if work.large[component] == 0:
                by = by * square
            together = share * load_complex(v, at(ALL_ROWS, A, first))
            if distribution.component_first[component + 1] - first == 2:
                other = load_complex(v, at(ALL_ROWS, A, first + 1))
                add_derivative(v, ALL_ROWS, first, by * other, load_complex(v, at(ALL_ROWS, D, first)))
                by_other = by * load_complex(v, at(ALL_ROWS, A, first))
                add_derivative(v, ALL_ROWS, first + 1, by_other, load_complex(v, at(ALL_ROWS, D, first + 1)))
                together = together * other
            else:
                add_derivative(v, ALL_ROWS, first, by, load_complex(v, at(ALL_ROWS, D, first)))
            if work.large[component] == 0:
                together = together * square
            if block != removed.block:
                with_block = with_block + together
    if removed.block >= 0:
        by_own = with_block * weight * (-removed.weight)
        add_derivative(v, ALL_ROWS, own.feature, by_own, load_complex(v, at(ALL_ROWS, D, own.feature)))


@inner
def _at_vertex(
    work: Work, own: OwnFeature, t: float, member: int, r2: float, r3: float, q: float, p: float, share: float
) -> tuple[float, float]:
    """T E [r2 r(s)^2 + r3 r(s)^3] times ``share`` of s = t + the small ``member``, if not -1, and the own block.

    The own block is inactive with probability q, and its own feature active with p.
    Derivatives by small couplings are added to ``work.slope``.  Returns the value and its derivative by t.
    """
    V = Integrand(r2, r3, 0.0, 0.0, 0.0, 0.0)
    g = work.g[member] if member >= 0 else 0.0
    if member == own.feature:
        first, _ = rectified(1, t, g, True)
        second, by_second = rectified(2, t, g, True)
        third, by_third = rectified(3, t, g, True)
        value = q * (r2 * second + r3 * third)
        by_t = q * (2 * r2 * first + 3 * r3 * second)
        by_member = q * (r2 * by_second + r3 * by_third)
    elif p > 0:
        value, by_t, by_member, by_own = expected(V, t, g, work.g[own.feature], q, p)
        work.slope[own.feature] += share * by_own
    else:
        value, by_t, _, by_member, _ = pattern(V, t, g)
        value *= q
        by_t *= q
        by_member *= q
    if member >= 0:
        work.slope[member] += share * by_member
    return share * value, share * by_t


@inner
def add_removed(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    own: OwnFeature,
    removed: ClosedPatterns,
    b: float,
    at_bias: bool,
    kinked: int,
) -> tuple[float, float]:
    """The patterns taken out in closed form: value and derivative by b; those by couplings go to ``work.slope``.

    ``at_bias`` says whether the vertex b is among those inverted, ``work.vertex`` equal to ``kinked`` which b + g_k are.
    """
    value = by_b = 0.0
    if at_bias:
        value, by_b = _at_vertex(work, own, b, NOWHERE, 1.0, 0.0, removed.inactive, removed.weight, removed.others)
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        q = 1.0 if block == removed.block else removed.inactive
        p = 0.0 if block == removed.block else removed.weight
        for component in components_in(distribution, block):
            share = work.alone[distribution.component_first[component]]
            if share == 0:
                continue
            member = _first_of(distribution, work, component, 0)
            if work.large[component] == 0:
                if at_bias:
                    more, more_b = _at_vertex(work, own, b, member, 1.0, 0.0, q, p, share)
                    value += more
                    by_b += more_b
                continue
            k = _first_of(distribution, work, component, 1)
            g = work.g[k]
            # [w3 r(t)^3 + w2 r(t)^2] at t = b + g, -w3 r(b)^3 at b, and the derivatives of w3 and w2 by g
            w3 = 1 / (3 * g)
            w3g = -w3 / g
            w2 = w2g = 0.0
            if k == own.feature:
                w3g -= 2 * w3 / (g * g)
                w3 *= 1 + 1 / g
                w2 = -1 / g
                w2g = w2 * w2
            if work.vertex[k] == kinked:
                more, more_b = _at_vertex(work, own, b + g, member, w2, w3, q, p, share)
                value += more
                by_b += more_b
                work.slope[k] += more_b + _weighted(work, own, b + g, member, w2g, w3g, q, p, share)
            if at_bias:
                more, more_b = _at_vertex(work, own, b, member, 0.0, -w3, q, p, share)
                value += more
                by_b += more_b
                work.slope[k] += _weighted(work, own, b, member, 0.0, -w3g, q, p, share)
    return value, by_b


@inner
def _weighted(
    work: Work, own: OwnFeature, t: float, member: int, r2: float, r3: float, q: float, p: float, share: float
) -> float:
    """The value of `_at_vertex` alone."""
    g = work.g[member] if member >= 0 else 0.0
    if member == own.feature:
        second, _ = rectified(2, t, g, True)
        third, _ = rectified(3, t, g, True)
        return share * q * (r2 * second + r3 * third)
    V = Integrand(r2, r3, 0.0, 0.0, 0.0, 0.0)
    if p > 0:
        value, _, _, _ = expected(V, t, g, work.g[own.feature], q, p)
        return share * value
    value, _, _, _, _ = pattern(V, t, g)
    return share * q * value
