"""Second derivatives of a product over features, summed over the terms of an inversion: products of matrices.

    d^2 prod_i F_i / dg_k dg_l  =  prod_i F_i  r_k r_l,    r_k = F_k' / F_k

so that all entries together are a product of two matrices over the terms, and what is not costs O(n) a term.  F_k is never 0 on
the line but for the own one, on which T acts: the own row is written down without that division.  What is taken out of the
product, and what is inverted around 0, is explained in `tegum.exact.kernel.curvature`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import inlined, inner
from tegum.exact.kernel.inversion import FIRST_HALF
from tegum.exact.kernel.product import SINGLE_ROWS, STATE, at
from tegum.exact.kernel.records import ONE, ZERO, Distribution, Listed, Work
from tegum.exact.kernel.uniform import (
    ALPHA,
    TURN,
    Points,
    factor,
    first_powers,
    series,
    start,
    step_on,
    taper,
    third_series,
    z_at,
)
from tegum.exact.kernel.vectors import PAIR, WIDTH, complex_of, fill, load, load_complex, ramp, store_complex, total
from tegum.exact.kernel.vertices import ALWAYS, circle, exp_near, state_of
from tegum.exact.kernel.walk import features_of

_OCTETS = np.int64(16)
BLOCK = 16 * PAIR
"""How many numbers of a feature wait for the product of matrices: those of 128 terms."""

_SERIES_BELOW = 1.5
_ZERO = 1e-300
"""Added to a squared length, so that the inverse of 0 is 0: of a feature that is always active, and around 0 has no vertex."""
VALUE, FIRST, SECOND = range(3)
"""A feature's factor at eight points, and its derivatives by the coupling; of the own one T of these."""


class Products(NamedTuple):
    """Scratch memory: the factors (n, 3), and of every feature the rows of the matrices that are multiplied."""

    factors: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    beside: NDArray[np.float64]
    pair_left: NDArray[np.float64]
    pair_right: NDArray[np.float64]


class Row(NamedTuple):
    """A row: large blocks, behind them in one list small ones; own feature or -1; probabilities of no large ones, of pairs."""

    large: Listed
    small: Listed
    own: int
    own_is_large: bool
    b: float
    none: float
    paired: float


class Parts(NamedTuple):
    """What is inverted at z, of factors a_i, with F_i = 1 - p_i + p_i a_i, c_i that only i is active, and odds o_i.

    alpha prod_i F_i  +  prod_{small i} F_i (base + scale sum_{large i} c_i a_i)  +  pairs sum_{i < k} o_i a_i o_k a_k
    """

    z: Any
    alpha: Any
    base: Any
    scale: Any
    pairs: Any


def products_for(n: int) -> Products:
    """Fresh memory for n features."""
    left, right, beside, pair_left, pair_right = (np.zeros(n * BLOCK) for _ in range(5))
    return Products(np.zeros(3 * n * PAIR), left, right, beside, pair_left, pair_right)


@inlined
def near(which: int, i: int) -> int:
    """Where a feature's factor, or one of its derivatives, lies in memory."""
    return (3 * i + which) * PAIR


@inner
def write_factor(found: Any, i: int, A: Any, first: Any, second: Any, third: Any, own: bool) -> None:
    """Writes a factor and its two derivatives, of the own feature T = 1 - d/dg of them."""
    if own:
        A = A - first
        first = first - second
        second = second - third
    store_complex(found, near(VALUE, i), A)
    store_complex(found, near(FIRST, i), first)
    store_complex(found, near(SECOND, i), second)


@inner
def on_line(v: Any, i: int, g: float, points: Points, own: bool, found: Any) -> None:
    """Writes feature i's factor and its derivatives at eight points of the line."""
    z = z_at(points)
    third = complex_of(0.0, 0.0)
    if TURN * abs(g) / points.P * (points.k + WIDTH) < _SERIES_BELOW:
        A, first, second = series(z, g)
        if own:
            third = third_series(z, g)
    else:
        inverse = 1 / g
        power = load_complex(v, at(SINGLE_ROWS, STATE, i)) + 1.0
        A, first = factor(v, SINGLE_ROWS, i, points)
        second = (z * power - 2.0 * first) * inverse
        third = (z * z * power - 3.0 * second) * inverse
    write_factor(found, i, A, first, second, third, own)


@inner
def on_circle(z: Any, g: float, i: int, own: bool, found: Any) -> None:
    """The same for |z g| up to 1.6."""
    A, first, second = series(z, g)
    write_factor(found, i, A, first, second, third_series(z, g), own)


@inner
def around_vertex(z: Any, g: float, at_feature: Any, at_bias: Any, i: int, own: bool, found: Any) -> None:
    """The same of mu = (e^{z (b + g)} - e^{zb}) / (3 g), of a large feature (`tegum.exact.kernel.sets`).

    ``at_feature`` and ``at_bias`` stand for e^{z (b + g)} and e^{zb}, or are 0.
    """
    # 3 g mu = e^{z (b + g)} - e^{zb}, differentiated again and again: g mu' + mu, g mu'' + 2 mu', ...
    inverse = 1 / g
    power = at_feature * (1.0 / 3.0)
    A = (power - at_bias * (1.0 / 3.0)) * inverse
    first = (z * power - A) * inverse
    second = (z * z * power - 2.0 * first) * inverse
    write_factor(found, i, A, first, second, (z * z * z * power - 3.0 * second) * inverse, own)


@inlined
def _factor_of(distribution: Distribution, factors: Any, i: int) -> Any:
    w = distribution.weight[i]
    return load_complex(factors, near(VALUE, i)) * w + (1.0 - w)


@inlined
def _inverse_of(z: Any) -> Any:
    size = 1.0 / (z.real * z.real + z.imag * z.imag + fill(_ZERO))
    return complex_of(z.real * size, -1.0 * z.imag * size)


@inlined
def _real_of(z: Any) -> float:
    return total(z.real)


@inlined
def _put(place: int, left: Any, first: Any, right: Any, second: Any) -> None:
    """Numbers of a matrix and of another, so that sums of their products are those of Re{first second}."""
    store_complex(left, place, first)
    store_complex(right, place, complex_of(second.real, -1.0 * second.imag))


@inner
def _collect(distribution: Distribution, work: Work, row: Row, parts: Parts, memory: Products, octet: int, H: Any) -> None:
    """Adds eight terms to H where that costs O(n), and writes down the matrices whose product is the rest.

    An entry may go to either side of the diagonal.  It is long because every kind of entry has a formula of its own.
    """
    factors, n = memory.factors, H.shape[0] - 1
    z, alpha, base, scale, pairs = parts
    own = row.own
    one = complex_of(1.0, 0.0)
    nothing = complex_of(0.0, 0.0)
    smalls = one
    sum_of_odds = nothing
    squares = nothing
    for i in features_of(row.large):
        a = load_complex(factors, near(VALUE, i))
        base = base + scale * (work.alone[i] * a)
        if i != own:
            alpha = alpha * _factor_of(distribution, factors, i)
        if row.paired > 0:
            term = work.odds[i] * a
            sum_of_odds = sum_of_odds + term
            squares = squares + term * term
    for i in features_of(row.small):
        if i != own:
            smalls = smalls * _factor_of(distribution, factors, i)
    alpha = alpha * smalls
    # the own row: alpha and smalls are still products without the own factor, whose derivative takes its place
    by_own = own_beside = own_smalls = own_odds = nothing
    if own >= 0:
        w = distribution.weight[own]
        first = load_complex(factors, near(FIRST, own))
        second = load_complex(factors, near(SECOND, own))
        by_own = alpha * (w * first)
        twice = alpha * (w * second)
        if row.own_is_large:
            own_beside = smalls * scale * (work.alone[own] * first)
            twice = twice + smalls * scale * (work.alone[own] * second)
            if row.paired > 0:
                own_odds = pairs * (work.odds[own] * first)
                others = sum_of_odds - work.odds[own] * load_complex(factors, near(VALUE, own))
                twice = twice + pairs * (work.odds[own] * second) * others
                H[own, n] += _real_of(z * own_odds * others)
        else:
            own_smalls = smalls * scale * (w * first)
            own_beside = smalls * base * (w * first)
            twice = twice + smalls * base * (w * second)
        H[own, own] += _real_of(twice)
        H[own, n] += _real_of(z * (by_own + own_beside))
        alpha = alpha * _factor_of(distribution, factors, own)
        if not row.own_is_large:
            smalls = smalls * _factor_of(distribution, factors, own)
    everything = alpha + smalls * base
    around = everything
    if row.paired > 0:
        around = around + pairs * (0.5 * (sum_of_odds * sum_of_odds - squares))
    H[n, n] += _real_of(z * z * around)
    for i in features_of(row.small):
        if i != own:
            inverse = distribution.weight[i] * _inverse_of(_factor_of(distribution, factors, i))
            ratio = load_complex(factors, near(FIRST, i)) * inverse
            slope = everything * ratio
            H[i, i] += _real_of(everything * (load_complex(factors, near(SECOND, i)) * inverse))
            H[i, n] += _real_of(z * slope)
            if own >= 0:
                H[own, i] += _real_of((by_own + own_beside) * ratio)
            _put(i * BLOCK + octet * PAIR, memory.left, ratio, memory.right, slope)
    beside = smalls * scale
    for i in features_of(row.large):
        if i == own:
            continue
        first = load_complex(factors, near(FIRST, i))
        second = load_complex(factors, near(SECOND, i))
        inverse = distribution.weight[i] * _inverse_of(_factor_of(distribution, factors, i))
        ratio = first * inverse
        slope = alpha * ratio
        bend = alpha * (second * inverse) + beside * (work.alone[i] * second)
        place = i * BLOCK + octet * PAIR
        _put(place, memory.left, ratio, memory.right, slope)
        slope = slope + beside * (work.alone[i] * first)
        if row.small.first < row.small.end:
            store_complex(memory.beside, place, complex_of(slope.real, -1.0 * slope.imag))
        if own >= 0:
            H[own, i] += _real_of(by_own * ratio + own_smalls * (work.alone[i] * first))
        if row.paired > 0:
            term = work.odds[i] * first
            others = pairs * (sum_of_odds - work.odds[i] * load_complex(factors, near(VALUE, i)))
            bend = bend + others * (work.odds[i] * second)
            slope = slope + others * term
            _put(place, memory.pair_left, term, memory.pair_right, pairs * term)
            if own >= 0:
                H[own, i] += _real_of(own_odds * term)
        H[i, i] += _real_of(bend)
        H[i, n] += _real_of(z * slope)


@inlined
def _dot(left: Any, i: int, right: Any, k: int, octets: int) -> float:
    """The sum of products of two rows."""
    found = fill(0.0)
    more = fill(0.0)
    here = i * BLOCK
    there = k * BLOCK
    for _ in range(octets):
        found = found + load(left, here) * load(right, there)
        more = more + load(left, here + WIDTH) * load(right, there + WIDTH)
        here += PAIR
        there += PAIR
    return total(found + more)


@inner
def _multiply(row: Row, memory: Products, octets: int, H: Any) -> None:
    """Adds to H the products of the matrices that `_collect` wrote down."""
    order = row.large.order
    for last in range(row.large.first, row.small.end):
        i = order[last]
        if i == row.own:
            continue
        for entry in range(row.large.first, last):
            k = order[entry]
            if k == row.own:
                continue
            if entry < row.large.end <= last:
                H[i, k] += _dot(memory.left, i, memory.beside, k, octets)
            else:
                H[i, k] += _dot(memory.left, i, memory.right, k, octets)
                if row.paired > 0:
                    H[i, k] += _dot(memory.pair_left, i, memory.pair_right, k, octets)


@inner
def invert_bends(distribution: Distribution, work: Work, row: Row, P: float, terms: int, memory: Products, H: Any) -> None:
    """Adds the Hessian of what the closed forms leave, in so many terms that fade out, to H."""
    both = Listed(row.large.order, row.large.feature_first, row.large.first, row.small.end)
    for i in features_of(both):
        start(distribution, work.v, SINGLE_ROWS, i, i, work.g[i], 0.0, P)
    power, step_real, step_imaginary = first_powers(row.b / P)
    power = power + 1.0
    step = complex_of(step_real + 1.0, step_imaginary)
    half = load(FIRST_HALF, 0)
    zero = complex_of(0.0, 0.0)
    octet = ZERO
    for k in range(0, terms, WIDTH):
        zeta = complex_of(fill(ALPHA), TURN * (ramp() + float(k)))
        inverse = _inverse_of(zeta)
        points = Points(P, k, inverse)
        for i in features_of(both):
            on_line(work.v, i, work.g[i], points, i == row.own, memory.factors)
            step_on(work.v, SINGLE_ROWS, i)
        weight = power * (inverse * inverse * inverse) * half * taper(k, terms) * (4 * P * P)
        half = fill(1.0)
        power = power * step
        pairs = weight * (-row.paired) if row.paired > 0 else zero
        parts = Parts(zeta * (1 / P), weight, weight * (-row.none), -1.0 * weight, pairs)
        _collect(distribution, work, row, parts, memory, octet, H)
        octet += 1
        if octet == _OCTETS or k + WIDTH >= terms:
            _multiply(row, memory, octet, H)
            octet = ZERO


@inner
def add_residue(
    distribution: Distribution, work: Work, row: Row, R: float, low: float, high: float, memory: Products, H: Any
) -> None:
    """Adds the vertices around which the small sum, from low to high, is always positive; the whole sum is at most R."""
    z = circle(1 / R)
    zero = complex_of(0.0, 0.0)
    at_bias = exp_near(z, row.b) if state_of(row.b, low, high) == ALWAYS else zero
    for i in features_of(row.large):
        g = work.g[i]
        at_feature = exp_near(z, row.b + g) if state_of(row.b + g, low, high) == ALWAYS else zero
        around_vertex(z, g, at_feature, at_bias, i, i == row.own, memory.factors)
    for i in features_of(row.small):
        on_circle(z, work.g[i], i, i == row.own, memory.factors)
    inverse = complex_of(z.real, -1.0 * z.imag) * (R * R)
    weight = inverse * inverse * inverse * (6.0 / WIDTH)
    parts = Parts(z, zero, weight * z * at_bias * (row.none / 3), weight, zero)
    _collect(distribution, work, row, parts, memory, ZERO, H)
    _multiply(row, memory, ONE, H)
