"""The Hessian of one output's expected squared error by its couplings and its bias, by inversion: no differences, no step size.

With x the features and 1 in the place of the bias, s = b + g.x, and own feature j,

    H = 2 E [x x^T 1(s > 0)]  -  2 E [x_j x x^T delta(s)]

is the second derivative of T E r(s)^2, T = 1 - d/dg_j (`tegum.exact.kernel.row`), and its inversion the second derivative of
that of `tegum.exact.kernel.inversion`, term by term (`tegum.exact.kernel.bends`).

Taken out, and added in closed form, is what decays slowest: patterns with none, one, or two features active
(`tegum.exact.kernel.cut_moments`).  Small features (`tegum.exact.kernel.split`) stay factors around each vertex b and b + g_i,
where the sum is always positive (a residue at 0) or never.  The terms fade out (`tegum.exact.kernel.uniform.taper`).

Sets are taken apart in their own way (`tegum.exact.kernel.set_curvature`), exponential magnitudes have their own path
(`tegum.exact.kernel.exponential_curvature`), and a row that is always active has moments.  Rows that have a closed form next to
a kink, or of single features with small ones around one, are not treated: `row_curvature` says so.
"""

from typing import Any

import numpy as np

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.exact.kernel.bends import Products, Row, add_residue, invert_bends
from tegum.exact.kernel.cut_moments import add_one, add_two
from tegum.exact.kernel.exponential_curvature import exponential_curvature
from tegum.exact.kernel.pairs import find_pairs
from tegum.exact.kernel.partition import blocks_of_row, partition, reach
from tegum.exact.kernel.records import NOWHERE, ONE, ZERO, Distribution, Effort, Listed, OwnFeature, Work
from tegum.exact.kernel.row import ALIAS_0, Span, effective_period, period, taken_out
from tegum.exact.kernel.set_curvature import set_curvature
from tegum.exact.kernel.vertices import KINKED, state_of
from tegum.exact.kernel.walk import components_in, features_of, members_of
from tegum.exact.kernel.weak_diagonal import is_weak, move_to_end

_NEVER_SEEN, _RESOLVED = 1e-14, 4.0


@inner
def _add_alias(distribution: Distribution, work: Work, row: Row, H: Any) -> None:
    """Takes off what the period adds: 2 sum_{r >= 1} Q^r E x x^T of the patterns that were inverted."""
    n = H.shape[0] - 1
    order = row.large.order
    weight = -2 * ALIAS_0
    mean, square = distribution.mean, distribution.spread + distribution.mean * distribution.mean
    mass = row.none
    odds = squares = 0.0
    for i in features_of(row.large):
        mass += work.alone[i]
        if row.paired > 0:
            odds += work.odds[i]
            squares += work.odds[i] * work.odds[i]
    H[n, n] += weight * (1 - mass - row.paired * (odds * odds - squares) / 2)
    for last in range(row.large.first, row.small.end):
        i = order[last]
        w = distribution.weight[i]
        if last < row.large.end:
            share = w - work.alone[i]
            if row.paired > 0:
                share -= row.paired * work.odds[i] * (odds - work.odds[i])
        else:
            share = w * (1 - mass)
        H[i, i] += weight * share * square
        H[i, n] += weight * share * mean
        for entry in range(row.large.first, last):
            k = order[entry]
            both = w * distribution.weight[k]
            if entry < row.large.end <= last:
                both = w * (distribution.weight[k] - work.alone[k])
            elif last >= row.large.end:
                both *= 1 - mass
            elif row.paired > 0:
                both -= row.paired * work.odds[i] * work.odds[k]
            H[i, k] += weight * both * mean * mean


@inner
def _add_patterns(distribution: Distribution, work: Work, row: Row, H: Any) -> None:
    """Adds the patterns taken out: with at most two features active, one of them the own one where that is small."""
    n = H.shape[0] - 1
    b, own = row.b, row.own
    order = row.large.order
    beside = 0.0 if own < 0 or row.own_is_large else distribution.weight[own]
    if b > 0:
        H[n, n] += 2 * row.none * (1 - beside)
    if beside > 0:
        add_one(row.none * beside, b, work.g[own], own, own >= 0, H)
    for last in range(row.large.first, row.large.end):
        i = order[last]
        add_one(work.alone[i] * (1 - beside), b, work.g[i], i, i == own, H)
        if beside > 0:
            add_two(work.alone[i] * beside, b, work.g[i], work.g[own], i, own, own, H)
        if row.paired > 0 and work.odds[i] > 0:
            for entry in range(row.large.first, last):
                k = order[entry]
                share = row.paired * work.odds[i] * work.odds[k]
                if share > 0:
                    add_two(share, b, work.g[i], work.g[k], i, k, own, H)


@inner
def _is_beside_a_kink(work: Work, row: Row, margin: float) -> bool:
    """Whether a pattern of some probability has second derivatives that jump next to this row."""
    b, own = row.b, row.own
    found = row.none > _NEVER_SEEN and (abs(b) < margin or (own >= 0 and abs(b + work.g[own]) < margin))
    for i in features_of(row.large):
        at_end = abs(b + work.g[i]) < margin and work.alone[i] > _NEVER_SEEN
        found = found or (at_end and (i == own or not row.own_is_large))
    return bool(found)


@inner
def _sorted_row(distribution: Distribution, work: Work, n: int, own: OwnFeature, b: float, divided: int, effort: Effort) -> Row:
    """The row's blocks, large and small ones where it is ``divided``, and the probabilities of what is taken out."""
    count, end, _ = partition(distribution, work, n, own.feature, b, effort)
    count = count if divided else end
    own_feature = NOWHERE if distribution.weight[own.component] == 0 else own.feature
    blocks = Listed(work.order, distribution.feature_first, ZERO, end)
    if count == end and own_feature >= 0 and is_weak(work, blocks, own):
        move_to_end(blocks, own.block)
        count -= 1
    large = Listed(work.order, distribution.feature_first, ZERO, count)
    small = Listed(work.order, distribution.feature_first, count, end)
    removed = taken_out(distribution, large, work.alone)
    paired = find_pairs(distribution, work, large, b, removed.none, effort) if count == end else 0.0
    own_is_large = False
    for i in features_of(large):
        own_is_large = own_is_large or i == own_feature
    return Row(large, small, own_feature, own_is_large, b, removed.none, paired)


@inlined
def _has_closed_patterns(row: Row) -> bool:
    """Whether nothing is small but, at most, the own feature: then the patterns taken out have closed forms."""
    count = row.small.end - row.small.first
    return bool(count == 0 or (count == 1 and row.own >= 0 and not row.own_is_large))


@inlined
def _has_kinked_vertices(work: Work, row: Row, low: float, high: float) -> bool:
    """Whether the small sum, from low to high, has both signs around a vertex."""
    found = state_of(row.b, low, high) == KINKED
    for i in features_of(row.large):
        found = found or state_of(row.b + work.g[i], low, high) == KINKED
    return bool(found)


@inlined
def _is_resolved(work: Work, blocks: Listed, P: float, terms: int) -> bool:
    """Whether one grid of so many terms, of period P, resolves every listed coupling."""
    least = np.inf
    for i in features_of(blocks):
        least = min(least, abs(work.g[i]))
    return bool(least * terms > _RESOLVED * P)


@inner
def _add_moments(distribution: Distribution, H: Any) -> None:
    """Adds 2 E x x^T, the Hessian of a row that is always active, to H: below the diagonal, and in the column of the bias."""
    n = H.shape[0] - 1
    mean = distribution.mean
    H[n, n] += 2
    for block in range(distribution.blocks):
        for component in components_in(distribution, block):
            w = distribution.weight[component]
            for i in members_of(distribution, component):
                H[i, n] += 2 * w * mean
                H[i, i] += 2 * w * (distribution.spread + mean * mean)
                for k in range(distribution.component_first[component], i):
                    H[i, k] += 2 * w * mean * mean
                for other in range(distribution.block_first[block]):
                    for k in members_of(distribution, other):
                        H[i, k] += 2 * w * distribution.weight[other] * mean * mean


@apart_from_callers
@inner
def _single_curvature(
    distribution: Distribution,
    work: Work,
    n: int,
    own: OwnFeature,
    b: float,
    margin: float,
    effort: Effort,
    memory: Products,
    H: Any,
) -> bool:
    """`row_curvature` of a row of single uniform features that is neither never nor always active."""
    row = _sorted_row(distribution, work, n, own, b, ONE, effort)
    both = Listed(row.large.order, row.large.feature_first, row.large.first, row.small.end)
    if _is_beside_a_kink(work, row, margin):
        return False
    low, high = reach(distribution, work, both, 0)
    least, most = reach(distribution, work, row.small, 0)
    P = effective_period(distribution, work, both, Span(b, b + low, b + high))
    if not _has_closed_patterns(row) and _has_kinked_vertices(work, row, least, most):
        if not _is_resolved(work, both, P, effort.most):
            return False
        row = _sorted_row(distribution, work, n, own, b, ZERO, effort)
    if _has_closed_patterns(row):
        _add_patterns(distribution, work, row, H)
    else:
        add_residue(distribution, work, row, period(b + low, b + high), least, most, memory, H)
    invert_bends(distribution, work, row, P, effort.most, memory, H)
    _add_alias(distribution, work, row, H)
    return True


@apart_from_callers
@inner
def row_curvature(
    distribution: Distribution,
    work: Work,
    n: int,
    own: OwnFeature,
    b: float,
    linear: int,
    margin: float,
    effort: Effort,
    memory: Products,
    H: Any,
) -> bool:
    """Whether it wrote the Hessian of the row whose couplings are in ``work.g`` into H (n + 1, n + 1), the bias last.

    It does not where a kink lies within the ``margin``, in b.  Rows and columns of blocks without coupling, which the
    sum does not know, may be left 0.
    """
    for i in range(n + 1):
        for k in range(n + 1):
            H[i, k] = 0.0
    _, blocks, own, threshold, low, high = blocks_of_row(distribution, work, n, own, b, effort)
    found = True
    if linear or b + low >= 0:
        found = bool(linear) or abs(b + low) >= margin
        _add_moments(distribution, H)
    elif b + high <= 0:
        found = abs(b + high) >= margin
    elif distribution.exponential:
        found = abs(b) >= margin and exponential_curvature(distribution, work, blocks, own, b, effort.most, memory, H)
        if b > 0:
            _add_moments(distribution, H)
    elif not distribution.simple:
        span = Span(b, b + low, b + high)
        found = set_curvature(distribution, work, blocks, own, threshold, span, margin, effort, memory, H)
    else:
        found = _single_curvature(distribution, work, n, own, b, margin, effort, memory, H)
    for i in range(n + 1):
        for k in range(i):
            entry = H[i, k] + H[k, i]
            H[i, k] = entry
            H[k, i] = entry
    return found
