"""The Hessian of an output whose features are active in sets: as `tegum.exact.kernel.curvature`, taken apart as the row is.

What `tegum.exact.kernel.sets` inverts, and the residues, are differentiated term by term (`tegum.exact.kernel.set_bends`).
Patterns with one or two features active are taken out as a whole, whatever state their vertices are in, and added in closed
form (`tegum.exact.kernel.cut_moments`):

    no feature, or a component of one or two active
    no feature, or a component of one, and the own feature, where that is small and a component of its own

Next to a kink, where one of these has second derivatives that jump, it says that it has no Hessian.
"""

from typing import Any

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.exact.kernel.bends import Products
from tegum.exact.kernel.cut_moments import add_one, add_two
from tegum.exact.kernel.patterns import ClosedPatterns
from tegum.exact.kernel.records import NOWHERE, ONE, ZERO, Distribution, Effort, Listed, OwnFeature, Work
from tegum.exact.kernel.row import Span, period
from tegum.exact.kernel.set_bends import add_set_residue, invert_sets
from tegum.exact.kernel.sets import sorted_row
from tegum.exact.kernel.vertices import ALWAYS, KINKED, NOT_ALONE
from tegum.exact.kernel.walk import components_in, components_of, members_of

_NEVER_SEEN = 1e-14


@inlined
def _is_beside_a_kink(distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, b: float, margin: float) -> bool:
    """Whether a pattern of some probability has second derivatives that jump next to this row."""
    quiet = 1.0
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        none = distribution.inactive[block]
        for component in components_in(distribution, block):
            if work.large[component] == 0:
                none += distribution.weight[component]
        quiet *= none
    found = quiet > _NEVER_SEEN and abs(b) < margin
    for component in components_of(blocks, distribution.block_first):
        if distribution.weight[component] < _NEVER_SEEN or own.block < 0:
            continue
        for i in members_of(distribution, component):
            lonely = work.size[i] == 1 and work.large[component] == 1
            turned = i == own.feature or (lonely and work.size[own.feature] == 0)
            found = found or (turned and abs(b + work.g[i]) < margin)
    return bool(found)


@inlined
def _find_pairs(distribution: Distribution, work: Work, blocks: Listed, removed: ClosedPatterns) -> None:
    """Takes out all components of two features; beside a small own feature, with which they would be three, none."""
    for entry in range(blocks.first, blocks.end):
        for component in components_in(distribution, blocks.order[entry]):
            first = distribution.component_first[component]
            if distribution.component_first[component + 1] - first != 2:
                continue
            share = distribution.weight[component] if removed.block < 0 else 0.0
            for other in range(blocks.first, blocks.end):
                if other != entry:
                    share *= distribution.inactive[blocks.order[other]]
            work.alone[first] = share


@inner
def _add_patterns(
    distribution: Distribution, work: Work, blocks: Listed, own: int, removed: ClosedPatterns, around: bool, b: float, H: Any
) -> None:
    """Adds the patterns that are taken out, those of one large feature at most only if ``around`` the vertices."""
    n = H.shape[0] - 1
    if around and b > 0:
        H[n, n] += 2 * removed.others * removed.inactive
    if around and removed.block >= 0:
        add_one(removed.others * removed.weight, b, work.g[own], own, own >= 0, H)
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        for component in components_in(distribution, block):
            i = distribution.component_first[component]
            share = work.alone[i]
            if share == 0 or not (around or work.large[component] > 1):
                continue
            if distribution.component_first[component + 1] - i == 2:
                add_two(share, b, work.g[i], work.g[i + 1], i, i + 1, own, H)
                continue
            if block != removed.block and removed.block >= 0:
                add_two(share * removed.weight, b, work.g[i], work.g[own], i, own, own, H)
                share *= removed.inactive
            add_one(share, b, work.g[i], i, i == own, H)


@apart_from_callers
@inner
def set_curvature(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    own: OwnFeature,
    threshold: float,
    span: Span,
    margin: float,
    effort: Effort,
    memory: Products,
    H: Any,
) -> bool:
    """Whether it added the Hessian of a row that is neither never nor always active to H (n + 1, n + 1), the bias last.

    It does not where a kink lies within the ``margin``, in b.  An entry may go to either side of the diagonal.
    """
    b = span.b
    large, small, kinked, fine = sorted_row(distribution, work, blocks, own, threshold, b)
    if _is_beside_a_kink(distribution, work, blocks, own, b, margin):
        return False
    removed = fine.removed
    P = period(span.low, span.high)
    _find_pairs(distribution, work, blocks, removed)
    if large > 1:
        invert_sets(distribution, work, blocks, own, b, fine, P, ZERO, effort.most, memory, H)
        add_set_residue(distribution, work, blocks, own, b, fine, P, NOT_ALONE, ONE, memory, H)
    closed = small == 0 or (small == 1 and removed.block >= 0)
    if not closed:
        add_set_residue(distribution, work, blocks, own, b, fine, P, ALWAYS, ONE if kinked > 0 else ZERO, memory, H)
        if kinked > 0:
            invert_sets(distribution, work, blocks, own, b, fine, fine.P, ONE, effort.most, memory, H)
            add_set_residue(distribution, work, blocks, own, b, fine, P, KINKED, ONE, memory, H)
    own_feature = own.feature if own.block >= 0 else NOWHERE
    _add_patterns(distribution, work, blocks, own_feature, removed, closed or kinked > 0, b, H)
    return True
