"""Second derivatives of the exact loss, compiled: row by row, because each row depends on its own couplings and bias alone.

    H_j = d^2 E_j / d(g, b)^2  (n + 1, n + 1),    S_ji = I_j dE_j / dG_ji,    G = W^T W,    a, c features, k, l hidden units

    d^2 L / dW_ka dW_lc  =  sum_j W_kj W_lj H_j[a, c]  +  W_kc (W H_c)[l, a]  +  W_la (W H_a)[k, c]
                            + (a = c) (W H_a W^T)[k, l]  +  (k = l) (S_ac + S_ca)

H_j is an inversion (`tegum.exact.kernel.curvature`) or, next to kinks, a central difference of the row's exact gradient in
n + 1 directions, with a step h: what is left is h^2 and rounding over h.  Terms of sets fade out there
(`tegum.exact.kernel.uniform.taper`), so that differences, too, converge as fast as the loss.  Features without
coupling do not move the sum: theirs is E x_i times the column of the bias.  `tegum.exact.hessian` has the error estimates.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import apart_from_callers, compiled, inlined, inner
from tegum.exact.kernel.bends import Products, products_for
from tegum.exact.kernel.curvature import row_curvature
from tegum.exact.kernel.landscape import Landscape, Starts, enter
from tegum.exact.kernel.model import NEGLIGIBLE, add_unknown, couplings_of, row_error
from tegum.exact.kernel.partition import is_unknown
from tegum.exact.kernel.records import ONE, Distribution, Effort, OwnFeature, Work, lean
from tegum.exact.kernel.walk import components_in, members_of

STEP = 1e-4
"""The step h by default: of a coupling or a bias, or along a direction of length 1."""
_MARGIN = 3.0
"""So many steps from a kink a row needs no differences."""


class Differences(NamedTuple):
    """Scratch memory for n features and d parameters.

    A Hessian ends unfinished where ``stop[0]``, which others may set, is not 0.  ``x`` (d,) is a point; ``g`` (n,), ``here``,
    ``above`` and ``below`` (n + 1,) a row and its gradients by couplings and bias; ``row`` (n + 1, n + 1) its Hessian,
    ``product`` (m, n + 1) that times W.
    """

    stop: NDArray[np.int64]
    x: NDArray[np.float64]
    g: NDArray[np.float64]
    here: NDArray[np.float64]
    above: NDArray[np.float64]
    below: NDArray[np.float64]
    row: NDArray[np.float64]
    product: NDArray[np.float64]
    products: Products


def differences_for(n_hidden: int, n_features: int, stop: NDArray[np.int64] | None = None) -> Differences:
    """Fresh memory for a net of one matrix W (n_hidden, n_features)."""
    size, n = n_hidden * n_features + n_features, n_features
    never = np.zeros(1, dtype=np.int64)
    return Differences(
        stop=never if stop is None else stop,
        x=np.zeros(size),
        g=np.zeros(n),
        here=np.zeros(n + 1),
        above=np.zeros(n + 1),
        below=np.zeros(n + 1),
        row=np.zeros((n + 1, n + 1)),
        product=np.zeros((n_hidden, n + 1)),
        products=products_for(n),
    )


@inner
def _row_slopes(
    distribution: Distribution,
    work: Work,
    own: OwnFeature,
    linear: int,
    effort: Effort,
    memory: Differences,
    b: float,
    moved: int,
    step: float,
    found: Any,
) -> None:
    """The gradient of a row by couplings and bias, where one of them, the bias last, is moved by ``step``."""
    n = memory.g.size
    for i in range(n):
        work.g[i] = memory.g[i]
    if moved < n:
        work.g[moved] += step
    else:
        b += step
    row = row_error(distribution, work, n, own, b, linear, effort)
    add_unknown(distribution, work, own.feature, row.by_b)
    for i in range(n):
        found[i] = work.slope[i]
    found[n] = row.by_b


@inlined
def _is_unknown(distribution: Distribution, memory: Differences, own: int, i: int) -> bool:
    """Whether the sum of a row does not know feature i, whose block is without coupling; it knows the bias, n."""
    for block in range(distribution.blocks):
        if distribution.feature_first[block] <= i < distribution.feature_first[block + 1]:
            return bool(is_unknown(distribution, memory.g, block, own))
    return False


@inlined
def _add_unknown(distribution: Distribution, memory: Differences, own: int, H: Any) -> None:
    """Writes the rows and columns of blocks that the sum does not know: what those features are is apart from it."""
    n = memory.g.size
    for block in range(distribution.blocks):
        if not is_unknown(distribution, memory.g, block, own):
            continue
        for component in components_in(distribution, block):
            w = distribution.weight[component]
            for t in members_of(distribution, component):
                for i in range(n + 1):
                    H[i, t] = H[t, i] = w * distribution.mean * H[n, i]
        for component in components_in(distribution, block):
            w = distribution.weight[component]
            for t in members_of(distribution, component):
                for i in range(distribution.feature_first[block], distribution.feature_first[block + 1]):
                    H[t, i] = 0.0
                for i in members_of(distribution, component):
                    H[t, i] = w * distribution.mean * distribution.mean * H[n, n]
                H[t, t] += w * distribution.spread * H[n, n]


@inlined
def _is_inverted(
    distribution: Distribution,
    work: Work,
    own: OwnFeature,
    b: float,
    linear: int,
    step: float,
    effort: Effort,
    memory: Differences,
) -> bool:
    """Whether the Hessian of the row was found without differences."""
    n = memory.g.size
    for i in range(n):
        work.g[i] = memory.g[i] if abs(memory.g[i]) >= NEGLIGIBLE else 0.0
    margin = _MARGIN * step
    return bool(row_curvature(distribution, work, n, own, b, linear, margin, effort, memory.products, memory.row))


@inlined
def _differences(
    distribution: Distribution,
    work: Work,
    own: OwnFeature,
    b: float,
    linear: int,
    step: float,
    effort: Effort,
    memory: Differences,
) -> float:
    """The same by differences of the row's gradient, but for features that it does not know; returns how it jumps."""
    n = memory.g.size
    H = memory.row
    jump = 0.0
    for t in range(n + 1):
        if _is_unknown(distribution, memory, own.feature, t):
            continue
        _row_slopes(distribution, work, own, linear, effort, memory, b, t, step, memory.above)
        _row_slopes(distribution, work, own, linear, effort, memory, b, t, -step, memory.below)
        for i in range(n + 1):
            H[t, i] = (memory.above[i] - memory.below[i]) / (2 * step)
            jump = max(jump, abs(memory.above[i] - 2 * memory.here[i] + memory.below[i]) / step)
        for i in range(t):
            if not _is_unknown(distribution, memory, own.feature, i):
                H[i, t] = H[t, i] = 0.5 * (H[t, i] + H[i, t])
    return jump


@apart_from_callers
@inner
def row_hessian(
    distribution: Distribution,
    work: Work,
    own: OwnFeature,
    b: float,
    linear: int,
    step: float,
    effort: Effort,
    memory: Differences,
) -> float:
    """Writes the Hessian of the row ``memory.g``, b into ``memory.row``, and its gradient into ``memory.here``.

    Steps, and how near a kink may be, are in units of the row's largest number, up to 1: E x_j r(s) is homogeneous, and its
    second derivatives are as large as the row is small.

    Returns by how much an entry differs from one side to the other: at a kink that stays as h vanishes.
    """
    n = memory.g.size
    H = memory.row
    jump, largest = 0.0, abs(b)
    for i in range(n):
        largest = max(largest, abs(memory.g[i]))
    if NEGLIGIBLE < largest < 1:
        step *= largest
    # what is called first is compiled first: the curvature needs nothing that another process may be compiling
    inverted = _is_inverted(distribution, work, own, b, linear, step, effort, memory)
    _row_slopes(distribution, work, own, linear, effort, memory, b, n, 0.0, memory.here)
    if not inverted:
        jump = _differences(distribution, work, own, b, linear, step, effort, memory)
    _add_unknown(distribution, memory, own.feature, H)
    return jump


@inlined
def _add_row(W: Any, j: int, slope: Any, row: Any, product: Any, H: Any) -> None:
    """Adds row j's part of the Hessian by W and b to the blocks of H that do not lie below its diagonal."""
    m, n = W.shape
    bias = m * n + j
    for k in range(m):
        for c in range(n + 1):
            product[k, c] = 0.0
        for i in range(n):
            for c in range(n + 1):
                product[k, c] += W[k, i] * row[i, c]
    for k in range(m):
        for other in range(k, m):
            corner = 0.0
            for i in range(n):
                corner += product[k, i] * W[other, i]
            H[k * n + j, other * n + j] += corner
            weight = W[k, j] * W[other, j]
            for a in range(n):
                H[k * n + a, other * n + j] += W[k, j] * product[other, a]
                H[k * n + j, other * n + a] += W[other, j] * product[k, a]
                if weight != 0:
                    for c in range(n):
                        H[k * n + a, other * n + c] += weight * row[a, c]
        for i in range(n):
            H[k * n + i, k * n + j] += slope[i]
            H[k * n + j, k * n + i] += slope[i]
            H[k * n + i, bias] += W[k, j] * row[i, n]
        H[k * n + j, bias] += product[k, n]
    H[bias, bias] += row[n, n]


@inlined
def _enter_point(landscape: Landscape, memory: Differences) -> None:
    """The parameters ``memory.x`` as W and b."""
    point = landscape.point
    m, n = point.W.shape
    for k in range(m):
        for i in range(n):
            point.W[k, i] = memory.x[k * n + i]
    for i in range(n):
        point.b[i] = memory.x[m * n + i]


@inlined
def _weighted_row(
    landscape: Landscape, lean_distribution: Distribution, work: Work, own: OwnFeature, step: float, memory: Differences
) -> float:
    """Writes what row ``own`` adds to the objective, differentiated, into ``memory.row`` and ``memory.here``; how it jumps."""
    point, j = landscape.point, own.feature
    effort = Effort(landscape.terms, landscape.terms, np.inf, np.inf, ONE, ONE)
    couplings_of(point.W, 1, j, memory.g)
    weight = point.importance[j]
    n = point.b.size
    jump = weight * row_hessian(lean_distribution, work, own, point.b[j], landscape.linear, step, effort, memory)
    for i in range(n + 1):
        memory.here[i] *= weight
        for c in range(n + 1):
            memory.row[i, c] *= weight
    # interference is a function of the couplings, too: the sum over i of g_i^2
    for i in range(n):
        if i != j:
            memory.here[i] += 2 * landscape.interference * memory.g[i]
            memory.row[i, i] += 2 * landscape.interference
    return jump


@apart_from_callers
@compiled
def hessian_at_point(landscape: Landscape, memory: Differences, step: float, H: Any) -> float:
    """Writes the Hessian at ``memory.x`` into H (d, d); rows and columns of parameters that are held are 0.

    Returns by how much an entry of a row's differs from one side to the other, at a distance of ``step``: at a kink that stays
    as the step vanishes.  It is 0 where there was no need of differences.
    """
    m, n = landscape.point.W.shape
    d = memory.x.size
    _enter_point(landscape, memory)
    for r in range(d):
        for c in range(d):
            H[r, c] = 0.0
    distribution, work = lean(landscape.distribution, landscape.work)
    jump = 0.0
    for block in range(distribution.blocks):
        for component in components_in(distribution, block):
            for j in members_of(distribution, component):
                if memory.stop[0]:
                    return 0.0
                own = OwnFeature(j, block, component)
                jump = max(jump, _weighted_row(landscape, distribution, work, own, step, memory))
                _add_row(landscape.point.W, j, memory.here, memory.row, memory.product, H)
    for r in range(m * n):
        H[r, r] += 2 * landscape.l2
    for r in range(d):
        for c in range(r, d):
            if not (landscape.free[r] and landscape.free[c]):
                H[r, c] = 0.0
            H[c, r] = H[r, c]
    return jump


@compiled
def hessians_of_rows(landscape: Landscape, memory: Differences, step: float, rows: Any, slopes: Any) -> float:
    """Writes the Hessians (n, n + 1, n + 1) and gradients (n, n + 1) of the rows of a map, ``point.W`` (n, n), by themselves.

    Returns the largest jump as `row_hessian` does.  Rows without importance are left out; else it is in no number.
    """
    point, n = landscape.point, landscape.point.b.size
    distribution, work = lean(landscape.distribution, landscape.work)
    effort = Effort(landscape.terms, landscape.terms, np.inf, np.inf, ONE, ONE)
    jump = 0.0
    for block in range(distribution.blocks):
        for component in components_in(distribution, block):
            for j in members_of(distribution, component):
                if memory.stop[0]:
                    return 0.0
                if point.importance[j] == 0:
                    continue
                couplings_of(point.W, 0, j, memory.g)
                own = OwnFeature(j, block, component)
                jump = max(jump, row_hessian(distribution, work, own, point.b[j], landscape.linear, step, effort, memory))
                for i in range(n + 1):
                    slopes[j, i] = memory.here[i]
                    for c in range(n + 1):
                        rows[j, i, c] = memory.row[i, c]
    return jump


@compiled
def hessians(landscape: Landscape, memory: Differences, starts: Starts, first: int, end: int, found: Any, jumps: Any) -> None:
    """Writes the Hessians at the points ``first`` to ``end - 1`` of a batch, and how they jump, from place 0 on."""
    for k in range(first, end):
        enter(landscape, starts, k, memory.x)
        jumps[k - first] = hessian_at_point(landscape, memory, STEP, found[k - first])
