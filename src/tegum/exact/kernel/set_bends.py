"""Second derivatives of a product over blocks of several features, summed over the terms of an inversion.

As the gradient of `tegum.exact.kernel.product`, once more: with (rest, none, one) the product up to a block, and the derivative
of that by one feature's factor carried on from its block to the others behind it,

    d^2 / dA_i dA_k  =  [by what comes after k's block] [k's block] [blocks between] [i's block] [product before i's block]

so that nothing is divided, and a factor that is zero harms nothing.  All pairs of features cost O(n^2) a term.  Inside of a
component the same is done with the factors of its members.  Factors and their derivatives are those of
`tegum.exact.kernel.bends`; what is inverted, and what is taken out, is explained in `tegum.exact.kernel.sets`.
"""

from typing import Any

from tegum.compilation import apart_from_callers, inner
from tegum.exact.kernel.bends import BLOCK, FIRST, SECOND, around_vertex, on_circle, on_line
from tegum.exact.kernel.bends import Products as Memory
from tegum.exact.kernel.inversion import FIRST_HALF
from tegum.exact.kernel.patterns import ClosedPatterns
from tegum.exact.kernel.product import SINGLE_ROWS, STATE, Products, at
from tegum.exact.kernel.records import ONE, ZERO, Distribution, Listed, OwnFeature, Work
from tegum.exact.kernel.uniform import ALPHA, TURN, Points, first_powers, start, step_on, taper
from tegum.exact.kernel.vectors import PAIR, WIDTH, complex_of, fill, load, load_complex, ramp, store_complex, total
from tegum.exact.kernel.vertices import ALWAYS, KINKED, MANY, NOT_ALONE, Fine, alias, circle, exp_near
from tegum.exact.kernel.walk import components_in, features_of

_REST, _NONE, _ONE, _SUMS = (k * PAIR for k in range(4))
_BY_REST, _BY_NONE, _BY_ONE, _SLOPE, _AFTER = (k * PAIR for k in range(6, 11))
"""Rows of a block, at its first feature: the product before it, its sums psi, chi and eta, the derivatives by the product
behind it.  Rows of a feature: its component's derivative, and the component's weight times the factors of later members."""


@inner
def _multiplied(left: Any, block: int, before: Products) -> Products:
    """The product ``before`` a block times the block, whose rows begin at ``block``."""
    psi = load_complex(left, block + _SUMS)
    chi = load_complex(left, block + _SUMS + PAIR)
    eta = load_complex(left, block + _SUMS + 2 * PAIR)
    rest, none, one = before
    more = chi + eta
    return Products(rest * (psi + more) + none * eta + one * more, none * psi, one * psi + none * chi)


@inner
def _write_by_sums(left: Any, block: int, before: Products, found: Any) -> None:
    """Writes the derivatives by a block's three sums, with the product ``before`` it and the derivatives by that behind."""
    by_rest = load_complex(left, block + _BY_REST)
    by_one = load_complex(left, block + _BY_ONE)
    two = before.rest + before.one
    store_complex(found, 0, by_rest * before.rest + load_complex(left, block + _BY_NONE) * before.none + by_one * before.one)
    store_complex(found, PAIR, by_rest * two + by_one * before.none)
    store_complex(found, 2 * PAIR, by_rest * (two + before.none))


@inner
def _forward(distribution: Distribution, work: Work, blocks: Listed, most: int, factors: Any, left: Any) -> Products:
    """The products of the listed blocks without components of more than ``most`` large features; remembers what it met."""
    zero = complex_of(0.0, 0.0)
    product = Products(zero, complex_of(1.0, 0.0), zero)
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        here = distribution.feature_first[block] * BLOCK
        store_complex(left, here + _REST, product.rest)
        store_complex(left, here + _NONE, product.none)
        store_complex(left, here + _ONE, product.one)
        store_complex(left, here + _SUMS, complex_of(distribution.inactive[block], 0.0))
        store_complex(left, here + _SUMS + PAIR, zero)
        store_complex(left, here + _SUMS + 2 * PAIR, zero)
        for component in range(distribution.block_first[block], distribution.block_first[block + 1]):
            if work.large[component] > most:
                continue
            together = complex_of(distribution.weight[component], 0.0)
            for i in range(distribution.component_first[component + 1] - 1, distribution.component_first[component] - 1, -1):
                store_complex(left, i * BLOCK + _AFTER, together)
                together = together * load_complex(factors, 3 * i * PAIR)
            place = here + _SUMS + min(work.large[component], 2) * PAIR
            store_complex(left, place, load_complex(left, place) + together)
        product = _multiplied(left, here, product)
    return product


@inner
def _carry(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    entry: int,
    most: int,
    i: int,
    moved: Products,
    memory: Memory,
    H: Any,
) -> None:
    """Adds the second derivatives by i and every feature from a block on; ``moved`` is the product's derivative by i there."""
    left, by_sums = memory.left, memory.right
    for later in range(entry, blocks.end):
        block = blocks.order[later]
        here = distribution.feature_first[block] * BLOCK
        _write_by_sums(left, here, moved, by_sums)
        for component in range(distribution.block_first[block], distribution.block_first[block + 1]):
            if work.large[component] > most:
                continue
            by = load_complex(by_sums, min(work.large[component], 2) * PAIR)
            for k in range(distribution.component_first[component], distribution.component_first[component + 1]):
                H[i, k] += total((by * load_complex(left, k * BLOCK + _SLOPE)).real)
        moved = _multiplied(left, here, moved)


@apart_from_callers
@inner
def add_bends(
    distribution: Distribution, work: Work, blocks: Listed, most: int, by: Products, z: Any, memory: Memory, H: Any
) -> Any:
    """Adds the Hessian of Re{by.rest rest + by.none none + by.one one} at eight points to H; returns that number.

    The factors and their derivatives are in ``memory``; ``most`` is as in `tegum.exact.kernel.product.forward`.  An entry may
    go to either side of the diagonal.  It is long because a feature meets itself, its component and the blocks behind it.
    """
    n = H.shape[0] - 1
    factors, left, by_sums = memory.factors, memory.left, memory.beside
    product = _forward(distribution, work, blocks, most, factors, left)
    found = by.rest * product.rest + by.none * product.none + by.one * product.one
    H[n, n] += total((z * z * found).real)
    by_rest, by_none, by_one = by
    for entry in range(blocks.end - 1, blocks.first - 1, -1):
        block = blocks.order[entry]
        here = distribution.feature_first[block] * BLOCK
        store_complex(left, here + _BY_REST, by_rest)
        store_complex(left, here + _BY_NONE, by_none)
        store_complex(left, here + _BY_ONE, by_one)
        rest = load_complex(left, here + _REST)
        none = load_complex(left, here + _NONE)
        one = load_complex(left, here + _ONE)
        _write_by_sums(left, here, Products(rest, none, one), by_sums)
        for component in range(distribution.block_first[block], distribution.block_first[block + 1]):
            count = work.large[component]
            if count > most:
                continue
            end = distribution.component_first[component + 1]
            before = load_complex(by_sums, min(count, 2) * PAIR)
            inside = complex_of(1.0, 0.0)
            # of the product behind the block, by the component: whether it has no large feature, one, more
            no = 1.0 if count == 0 else 0.0
            single = 1.0 if count == 1 else 0.0
            more = 1.0 if count > 1 else 0.0
            moved_rest = rest + (1 - no) * one + more * none
            moved_one = no * one + single * none
            for i in range(distribution.component_first[component], end):
                first = load_complex(factors, (3 * i + FIRST) * PAIR)
                after = load_complex(left, i * BLOCK + _AFTER)
                slope = inside * after * first
                store_complex(left, i * BLOCK + _SLOPE, slope)
                H[i, i] += total((before * inside * after * load_complex(factors, (3 * i + SECOND) * PAIR)).real)
                slope_here = before * slope
                H[i, n] += total((z * slope_here).real)
                between = before * inside * first
                for k in range(i + 1, end):
                    derivative = load_complex(left, k * BLOCK + _AFTER) * load_complex(factors, (3 * k + FIRST) * PAIR)
                    H[i, k] += total((between * derivative).real)
                    between = between * load_complex(factors, 3 * k * PAIR)
                inside = inside * load_complex(factors, 3 * i * PAIR)
                moved = Products(moved_rest * slope, no * none * slope, moved_one * slope)
                _carry(distribution, work, blocks, entry + 1, most, i, moved, memory, H)
        psi = load_complex(left, here + _SUMS)
        chi = load_complex(left, here + _SUMS + PAIR)
        eta = load_complex(left, here + _SUMS + 2 * PAIR)
        more_than_none = chi + eta
        by_none = by_none * psi + by_one * chi + by_rest * eta
        by_one = by_one * psi + by_rest * more_than_none
        by_rest = by_rest * (psi + more_than_none)
    return found


@inner
def _add_gone(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    own: int,
    removed: ClosedPatterns,
    coarse: int,
    square: Any,
    weight: Any,
    z: Any,
    memory: Memory,
    H: Any,
) -> None:
    """Takes off H what is taken out at eight points: patterns around the vertices; ``coarse``, of two large features."""
    n = H.shape[0] - 1
    factors = memory.factors
    base = complex_of(removed.inactive, 0.0)
    if removed.block >= 0:
        base = base + removed.weight * load_complex(factors, 3 * own * PAIR)
    weight = -1.0 * weight
    with_own = removed.others * square * weight
    around = with_own * base
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        for component in components_in(distribution, block):
            i = distribution.component_first[component]
            if work.alone[i] == 0 or (work.large[component] > 1) != (coarse == 1):
                continue
            by = work.alone[i] * weight
            if work.large[component] == 0:
                by = by * square
            k = i
            beside = load_complex(factors, 3 * i * PAIR)
            first = load_complex(factors, (3 * i + FIRST) * PAIR)
            other = complex_of(1.0, 0.0)
            if distribution.component_first[component + 1] - i == 2:
                k = i + 1
                other = load_complex(factors, 3 * k * PAIR)
            if block != removed.block:
                with_own = with_own + by * beside * other
                if removed.block >= 0:
                    by_own = load_complex(factors, (3 * own + FIRST) * PAIR)
                    H[i, own] += removed.weight * total((by * first * by_own).real)
                by = by * base
            around = around + by * beside * other
            H[i, i] += total((by * other * load_complex(factors, (3 * i + SECOND) * PAIR)).real)
            H[i, n] += total((z * by * other * first).real)
            if k > i:
                by_other = by * load_complex(factors, (3 * k + FIRST) * PAIR)
                H[k, k] += total((by * beside * load_complex(factors, (3 * k + SECOND) * PAIR)).real)
                H[k, n] += total((z * beside * by_other).real)
                H[i, k] += total((first * by_other).real)
    H[n, n] += total((z * z * around).real)
    if removed.block >= 0:
        H[own, own] += removed.weight * total((with_own * load_complex(factors, (3 * own + SECOND) * PAIR)).real)
        H[own, n] += removed.weight * total((z * with_own * load_complex(factors, (3 * own + FIRST) * PAIR)).real)


@inner
def _add_octet(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    own: int,
    removed: ClosedPatterns,
    coarse: int,
    at_bias: Any,
    weight: Any,
    z: Any,
    remove: int,
    memory: Memory,
    H: Any,
) -> None:
    """Eight points' part of ``rest`` times e^{zb}, or if not ``coarse`` of what is left around the vertices."""
    zero = complex_of(0.0, 0.0)
    square = at_bias * z * (1.0 / 3.0)
    by = Products(zero, weight * square, weight)
    if coarse:
        square = zero
        weight = weight * at_bias
        by = Products(weight, zero, zero)
    add_bends(distribution, work, blocks, MANY if coarse else ONE, by, z, memory, H)
    if remove:
        _add_gone(distribution, work, blocks, own, removed, coarse, square, weight, z, memory, H)


@inner
def invert_sets(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    own: OwnFeature,
    b: float,
    fine: Fine,
    P: float,
    is_fine: int,
    terms: int,
    memory: Memory,
    H: Any,
) -> None:
    """Adds the Hessian of `tegum.exact.kernel.vertices.line`, in so many terms that fade out, to H."""
    v = work.v
    for i in features_of(blocks):
        shift = b if is_fine == 1 and work.size[i] == 1 else 0.0
        start(distribution, v, SINGLE_ROWS, i, ZERO, shift + work.g[i], 0.0, P)
    power = complex_of(0.0, 0.0)
    step = complex_of(0.0, 0.0)
    if is_fine == 0 or fine.bias == KINKED:
        power, step_real, step_imaginary = first_powers(b / P)
        power = power + 1.0
        step = complex_of(step_real + 1.0, step_imaginary)
    half = load(FIRST_HALF, 0)
    zero = complex_of(0.0, 0.0)
    for k in range(0, terms, WIDTH):
        zeta = complex_of(fill(ALPHA), TURN * (ramp() + float(k)))
        norm = 1.0 / (zeta.real * zeta.real + zeta.imag * zeta.imag)
        inverse = complex_of(ALPHA * norm, -1.0 * zeta.imag * norm)
        points = Points(P, k, inverse)
        z = zeta * (1.0 / P)
        for i in features_of(blocks):
            if is_fine == 1 and work.size[i] == 1:
                here = load_complex(v, at(SINGLE_ROWS, STATE, i)) + 1.0 if work.vertex[i] == KINKED else zero
                if work.vertex[i] != NOT_ALONE:
                    around_vertex(z, work.g[i], here, power, i, i == own.feature, memory.factors)
            else:
                on_line(v, i, work.g[i], points, i == own.feature, memory.factors)
            step_on(v, SINGLE_ROWS, i)
        weight = (inverse * inverse * inverse) * half * taper(k, terms)
        half = fill(1.0)
        weight = weight * inverse * (12 * P * P * P) if is_fine else weight * (4 * P * P)
        _add_octet(distribution, work, blocks, own.feature, fine.removed, 1 - is_fine, power, weight, z, ONE, memory, H)
        power = power * step


@inner
def add_set_residue(
    distribution: Distribution,
    work: Work,
    blocks: Listed,
    own: OwnFeature,
    b: float,
    fine: Fine,
    P: float,
    state: int,
    remove: int,
    memory: Memory,
    H: Any,
) -> None:
    """Adds the Hessian of the vertices in one ``state`` as `tegum.exact.kernel.vertices.fine_residue` has them to H.

    For NOT_ALONE it is that of `tegum.exact.kernel.vertices.coarse_residue`, of patterns with two or more large features.
    """
    z = circle(1 / P)
    zero = complex_of(0.0, 0.0)
    coarse = state == NOT_ALONE
    before = complex_of(1.0, 0.0)
    if state != ALWAYS:
        before = -1.0 * alias(z, P if coarse else fine.P)
    at_bias = before * exp_near(z, b) if coarse or fine.bias == state else zero
    for i in features_of(blocks):
        around = not coarse and work.size[i] == 1
        here = before * exp_near(z, b + work.g[i]) if around and work.vertex[i] == state else zero
        if not around:
            on_circle(z, work.g[i], i, i == own.feature, memory.factors)
        elif work.vertex[i] != NOT_ALONE:
            around_vertex(z, work.g[i], here, at_bias, i, i == own.feature, memory.factors)
    inverse = complex_of(z.real, -1.0 * z.imag) * (P * P)
    weight = inverse * inverse * (2.0 / WIDTH) if coarse else inverse * inverse * inverse * (6.0 / WIDTH)
    which = ONE if coarse else ZERO
    _add_octet(distribution, work, blocks, own.feature, fine.removed, which, at_bias, weight, z, remove, memory, H)
