"""Which blocks of a row are large and which are small, and how far its sum can reach.

Couplings are split where both grids of `tegum.exact.kernel.split` converge best; blocks of several features are never divided.
"""

from typing import Any

import numpy as np

from tegum.compilation import copied_into_callers, inlined, inner
from tegum.exact.kernel.pairs import DENSEST, are_worth_it, smallest_of
from tegum.exact.kernel.records import BUCKETS, NOWHERE, ZERO, Distribution, Effort, Listed, OwnFeature, Work
from tegum.exact.kernel.vectors import exponent
from tegum.exact.kernel.walk import components_in, members_of

_GAP = 1.1
_FINE = 8
_SELDOM, _FEW = 0.05, 8
_TINY, _SPARSE = 1 / 64, 0.2


@copied_into_callers
@inner
def threshold_of(work: Work, n: int, own: int) -> float:
    """Couplings below it are small, those from it on large; 0 where it is best to have no small ones.

    Couplings are counted by powers of sqrt(2).  On a grid for couplings of scale s, those below s / 16 converge slowly and
    cost an error like s^2 each; like 1 on any grid where the own one is among several: seen from there they are one jump of the
    derivatives of E x_j r(s), in which T leaves no s.  Of all gaps where the next coupling exceeds the sum of the smaller ones,
    the one that leaves the least error on both grids wins.
    """
    g = work.g
    largest = 0.0
    for i in range(n):
        largest = max(largest, abs(g[i]))
    # the binary exponent of g^2 counts |g| in steps of sqrt(2)
    top = exponent(largest * largest)
    bottom = top
    for i in range(n):
        if g[i] != 0:
            bottom = min(bottom, exponent(g[i] * g[i]))
    bottom = max(bottom, top - BUCKETS + 1)
    width = top - bottom + 1
    if width <= _FINE:
        return 0.0
    for bucket in range(width):
        work.bucket_sum[bucket] = 0.0
        work.bucket_least[bucket] = largest
        work.bucket_count[bucket] = 0.0
    for i in range(n):
        if g[i] != 0:
            bucket = max(exponent(g[i] * g[i]) - bottom, 0)
            size = abs(g[i])
            work.bucket_sum[bucket] += size
            work.bucket_least[bucket] = min(work.bucket_least[bucket], size)
            work.bucket_count[bucket] += 1
    # without a split every coupling more than _FINE buckets below the top is slow, at an error of 1 each
    slow = 0.0
    for bucket in range(width - _FINE):
        slow += work.bucket_count[bucket]
    threshold = 0.0
    least_error = slow
    slow_small = 0.0
    counted = 0
    tail = work.bucket_sum[0]
    below = work.bucket_count[0]
    last = 0
    for bucket in range(1, width):
        if work.bucket_count[bucket] == 0:
            continue
        # slow on the grid of the small ones: more than _FINE buckets below the largest of these, which lies in ``last``
        while counted <= last - _FINE:
            slow_small += work.bucket_count[counted]
            counted += 1
        if work.bucket_least[bucket] > _GAP * tail:
            # those still slow on the large grid, and those slow on the small one at the square of its relative scale, if the
            # own one is not far below that with others
            scale = 2.0 ** (last - width + 1)
            if slow_small > 1 and g[own] != 0 and exponent(g[own] * g[own]) - bottom <= last - 2 * _FINE:
                scale = 1.0
            error = max(slow - below, 0.0) + slow_small * scale
            if error < least_error:
                least_error = error
                threshold = work.bucket_least[bucket]
        tail += work.bucket_sum[bucket]
        below += work.bucket_count[bucket]
        last = bucket
    return threshold


@copied_into_callers
@inner
def _is_better_whole(
    distribution: Distribution, work: Work, n: int, own: int, b: float, threshold: float, effort: Effort
) -> bool:
    """Whether two small features are hardly ever active beside the own one, a large one, and all are taken in pairs.

    Then the patterns left by `tegum.exact.kernel.pairs` decay at least as fast without a split.  Where features are sparse,
    couplings down to 1/64 of the largest are no small ones here: random rows that are split there cost a quarter more terms.
    """
    count = all_of_them = 0
    active = everything = densest = largest = 0.0
    for i in range(n):
        if work.g[i] != 0 and distribution.weight[i] > 0:
            all_of_them += 1
            everything += distribution.weight[i]
            densest = max(densest, distribution.weight[i])
            largest = max(largest, abs(work.g[i]))
    if densest > DENSEST or abs(work.g[own]) < threshold:
        return False
    if densest <= _SPARSE:
        threshold = min(threshold, _TINY * largest)
    for i in range(n):
        if work.g[i] != 0 and distribution.weight[i] > 0 and abs(work.g[i]) < threshold:
            count += 1
            active += distribution.weight[i]
    seldom = count <= 1 or (count <= _FEW and active <= _SELDOM)
    return bool(seldom and are_worth_it(all_of_them, everything, smallest_of(largest, b), effort))


@copied_into_callers
@inner
def _ever_active(distribution: Distribution, block: int) -> bool:
    """Whether anything in a block has a probability above 0, however small."""
    found = False
    for component in components_in(distribution, block):
        found = found or distribution.weight[component] > 0
    return found


@inlined
def is_unknown(distribution: Distribution, g: Any, block: int, own: int) -> bool:
    """Whether the sum of a row with couplings g does not know a block: all are 0 there, and the own feature is not in it."""
    first, end = distribution.feature_first[block], distribution.feature_first[block + 1]
    found = own < first or own >= end
    for i in range(first, end):
        found = found and g[i] == 0
    return found


@copied_into_callers
@inner
def partition(distribution: Distribution, work: Work, n: int, own: int, b: float, effort: Effort) -> tuple[int, int, float]:
    """Lists the blocks that are ever active in ``work.order``, large ones first where all blocks are single features.

    Blocks without coupling are left out, but for the own one: the sum does not know them.

    Returns:
        how many blocks are large, how many there are, and the threshold for couplings.
    """
    threshold = threshold_of(work, n, own)
    if threshold == 0 and distribution.simple and work.g[own] == 0:
        # nothing smooths the sum in an own feature without coupling: it is the only small one
        threshold = np.inf
        for i in range(n):
            if work.g[i] != 0:
                threshold = min(threshold, abs(work.g[i]))
    elif threshold > 0 and distribution.simple and _is_better_whole(distribution, work, n, own, b, threshold, effort):
        threshold = 0.0
    count = 0
    large = ZERO
    for block in range(distribution.blocks):
        if not _ever_active(distribution, block) or is_unknown(distribution, work.g, block, own):
            continue
        if distribution.simple and abs(work.g[block]) < threshold:
            work.order_small[count] = block
            count += 1
            continue
        work.order[large] = block
        large += 1
    for entry in range(count):
        work.order[large + entry] = work.order_small[entry]
    return large, large + count, threshold


@inlined
def reach(distribution: Distribution, work: Work, blocks: Listed, small: int) -> tuple[float, float]:
    """The smallest and largest value of the sum over the listed blocks: in each block one component is active, or none.

    With ``small`` 1 the sum is over features that ``work.size`` calls small.
    """
    low = 0.0
    high = 0.0
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        least = 0.0
        most = 0.0
        for component in components_in(distribution, block):
            down = 0.0
            up = 0.0
            for i in members_of(distribution, component):
                if small == 0 or work.size[i] == 0:
                    down += min(work.g[i], 0.0)
                    up += max(work.g[i], 0.0)
            least = min(least, down)
            most = max(most, up)
        low += least
        high += most
    return low, high


@inlined
def blocks_of_row(
    distribution: Distribution, work: Work, n: int, own: OwnFeature, b: float, effort: Effort
) -> tuple[int, Listed, OwnFeature, float, float, float]:
    """The blocks that the row in ``work.g`` knows, as `partition` lists them, and how far its sum reaches.

    Returns:
        how many blocks are large, all of them, the own feature, in no block where it is never active, the threshold for
        couplings, and the smallest and largest sum, infinite ones where magnitudes are exponential.
    """
    count, end, threshold = partition(distribution, work, n, own.feature, b, effort)
    blocks = Listed(work.order, distribution.feature_first, ZERO, end)
    block = NOWHERE if distribution.weight[own.component] == 0 else own.block
    low, high = reach(distribution, work, blocks, 0)
    if distribution.exponential:
        low = -np.inf if low < 0 else 0.0
        high = np.inf if high > 0 else 0.0
    return count, blocks, OwnFeature(own.feature, block, own.component), threshold, low, high
