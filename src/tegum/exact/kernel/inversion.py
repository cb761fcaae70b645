"""Laplace inversion for uniform magnitudes: the part of a row's expected loss that has no closed form, with its gradient.

    E[r(b + s)^2] = (1 / 2 pi i) int 2 e^{zb} phi(z) / z^3 dz,   phi(z) = prod_B phi_B(z)

The integral becomes a sum over z_k = (2 + 2 pi i k) / P.  The blocks of a row come as two lists: the *large* ones, whose
patterns "nothing is active" and "only i is active" are taken out of the product because they decay slowest (they are added
back in closed form elsewhere), and the *small* ones, which stay a plain factor:

    sum_k Re{ omega_k  Phi_S(z_k)  [ Phi_L(z_k) - q - sum_i c_i A(z_k g_i) ] }

Nothing is lost but the terms after the last one (`tegum.exact.kernel.judging`).

The plain method, without large and small blocks, is 93 lines of NumPy in `docs/plain_inversion.py`; read that first.
"""

import numpy as np

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.exact.kernel.judging import errors_after, next_look, note_moves, note_slopes
from tegum.exact.kernel.product import CONSTANTS, SINGLE_ROWS, SUM, add_sums, at
from tegum.exact.kernel.records import ZERO, Distribution, Effort, Found, Listed, Powers, Removed, Work
from tegum.exact.kernel.singles import backward_singles, forward_singles
from tegum.exact.kernel.uniform import ALPHA, ODDS, TURN, Points, first_powers, start, step_on
from tegum.exact.kernel.vectors import WIDTH, complex_of, fill, lane, load, ramp, running, store, total
from tegum.exact.kernel.walk import features_of

FIRST_HALF = np.array([0.5] + [1.0] * (WIDTH - 1))


@inlined
def _begin(distribution: Distribution, work: Work, blocks: Listed, removed: Removed, P: float) -> None:
    """Sets the sequences of all listed features to the first points."""
    for i in features_of(blocks):
        start(distribution, work.v, SINGLE_ROWS, i, i, work.g[i], removed.alone[i], P)
        work.v[at(SINGLE_ROWS, SUM, i) + CONSTANTS + ODDS] = work.odds[i] if removed.paired > 0 else 0.0


@inlined
def _is_nothing(work: Work, large: Listed, removed: Removed) -> bool:
    """Whether all patterns of the large blocks are removed: there is one, or there are two, taken as a pair."""
    count = large.end - large.first
    if count == 2:
        first, second = large.order[large.first], large.order[large.first + 1]
        return bool(removed.paired > 0 and work.odds[first] > 0 and work.odds[second] > 0)
    return bool(count < 2)


@apart_from_callers
@inner
def invert(
    distribution: Distribution,
    work: Work,
    large: Listed,
    small: Listed,
    own: int,
    removed: Removed,
    b: float,
    P: float,
    powers: Powers,
    effort: Effort,
) -> Found:
    """The sum for ``powers``, period P, over the large blocks, next to the small ones behind them in one list.

    The patterns ``removed`` are those of large blocks.  Takes
    ``effort.least`` terms, then more until the error estimates of the value and its derivatives meet their targets.
    Derivatives by couplings are added to ``work.slope``.

    It is long because it is one loop over the terms: what it hands from step to step lives in registers.
    """
    if _is_nothing(work, large, removed):
        return Found(0.0, 0.0, 0.0, 0.0, 0.0, ZERO)
    v = work.v
    r2, r3, cubed = powers
    blocks = Listed(large.order, large.feature_first, large.first, small.end)
    _begin(distribution, work, blocks, removed, P)
    power, step_real, step_imaginary = first_powers(b / P)
    power = power + 1.0
    step = complex_of(step_real + 1.0, step_imaginary)
    half = load(FIRST_HALF, 0)
    # the rule's weight 2 / P times the transform of r(s)^2, 2 / z^3, and of r(s)^3, 6 / z^4, with z = zeta / P
    square = 4 * r2 * P * P
    cube = 12 * P * P * P
    value = 0.0
    cubic = 0.0
    by_b = 0.0
    error = np.inf
    error_b = np.inf
    terms = np.int64(WIDTH)
    look = ZERO
    k = ZERO
    while True:
        zeta = complex_of(fill(ALPHA), TURN * (ramp() + float(k)))
        norm = 1.0 / (zeta.real * zeta.real + zeta.imag * zeta.imag)
        inverse = complex_of(ALPHA * norm, -1.0 * zeta.imag * norm)
        points = Points(P, k, inverse)
        if removed.paired > 0:
            product, gone = forward_singles(v, large, own, removed.none, removed.paired, points)
        else:
            product, gone = forward_singles(v, large, own, removed.none, 0.0, points)
        rest = product - gone.sum
        # omega: the weight of this term for the square, e^{zb} / zeta^3, and from it that of the cube, half at k = 0
        term = power * (inverse * inverse * inverse) * half
        half = fill(1.0)
        omega = term * square
        third = term * inverse * cube
        if cubed:
            omega = omega + r3 * third
        found = omega * rest
        if small.first < small.end:
            others, nothing = forward_singles(v, small, own, 0.0, 0.0, points)
            if effort.gradient:
                backward_singles(v, small, own, points, found, 0.0, nothing)
                omega = omega * others
            found = found * others
            rest = rest * others
        if cubed:
            cubic += total((third * rest).real)
        sums = running(found.real) + value
        value = lane(sums, WIDTH - 1)
        store(work.sums, k, sums)
        if effort.gradient:
            if removed.paired > 0:
                backward_singles(v, large, own, points, omega, removed.paired, gone)
            else:
                backward_singles(v, large, own, points, omega, 0.0, gone)
            sums = running((zeta * found).real) + by_b
            by_b = lane(sums, WIDTH - 1)
            store(work.sums_b, k, sums)
        for i in features_of(blocks):
            step_on(v, SINGLE_ROWS, i)
        power = power * step
        k += WIDTH
        if k == terms:
            slopes = 0.0
            if effort.gradient and 2 * k >= effort.least:
                slopes = note_slopes(work, SINGLE_ROWS, blocks, look)
            look += 1
            terms = next_look(k)
            if k >= effort.least:
                error, error_b = errors_after(work, k, 1 / P, slopes, effort)
                if terms > effort.most or (error <= effort.target and error_b <= effort.target_b):
                    break
    note_moves(work, k, error)
    if effort.gradient:
        add_sums(work, SINGLE_ROWS, blocks, 1.0)
    return Found(value, cubic, by_b / P, error, error_b, k)
