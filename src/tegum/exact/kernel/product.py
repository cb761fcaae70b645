"""The product over blocks that is a row's moment generating function, sorted by how many large features are active.

    phi(z) = prod_B phi_B,   phi_B = psi_B + chi_B + eta_B       (no, one, or more large features of block B active)
    psi_B = q_B + sum_c w_c prod_{i in c} A_i,   and chi_B, eta_B without q_B (probability that nothing of B is active)

    none = prod_B psi_B,   one = the same with one psi_B replaced by its chi_B, summed over B,   rest = phi - none - one

Patterns with few active features decay slowest in z and have closed forms, so what is inverted is ``rest``, or ``none`` and
``one`` on a finer grid of their own (see `tegum.exact.kernel.sets`).  Block by block, without a subtraction,

    rest' = rest phi_B + none eta_B + one (chi_B + eta_B),    one' = one psi_B + none chi_B,    none' = none psi_B

`forward` does this for eight terms and remembers the three before each block; `backward` carries the derivatives by them from
the last block to the first, and adds acc_i += Re{d/dA_i dA_i/dg_i}.  A factor that is zero harms nothing; the cost is linear.

All tables lie in one array ``v``, feature by feature in rows of eight real and eight imaginary parts; what belongs to a block
lies with its first feature.
"""

from typing import Any, NamedTuple

from tegum.compilation import inlined, inner
from tegum.exact.kernel.records import ALL_ROWS, Distribution, Listed, Work
from tegum.exact.kernel.vectors import PAIR, WIDTH, complex_of, fill, load, load_complex, store, store_complex, total
from tegum.exact.kernel.walk import components_in, features_of

STATE, BEFORE, SUM, A, D, INSIDE, REST, SINGLE, PSI, CHI, ETA = range(11)
"""A feature's sequence (see `tegum.exact.kernel.uniform`), none before its block, acc and constants, A, dA/dg, the product of
its component before it, then rest and one before its block, and the block's three sums."""

CONSTANTS = WIDTH
"""Where in a feature's row SUM its constants begin, behind the eight sums."""

SINGLE_ROWS = 3
"""How many rows a feature has where every block is one feature: STATE, BEFORE and SUM."""


class Products(NamedTuple):
    """Eight values of each product, or derivatives by them."""

    rest: Any
    none: Any
    one: Any


@inlined
def at(rows: int, which: int, i: int) -> int:
    """Where one of feature i's rows begins; ``rows`` is how many each feature has."""
    return (i * rows + which) * PAIR


@inlined
def clear_sums(work: Work, rows: int, blocks: Listed) -> None:
    """Sets acc to zero for the features of the listed blocks."""
    for i in features_of(blocks):
        store(work.v, at(rows, SUM, i), fill(0.0))


@inlined
def add_sums(work: Work, rows: int, blocks: Listed, scale: float) -> None:
    """Adds scale times acc to the slopes of the features of the listed blocks."""
    for i in features_of(blocks):
        work.slope[i] += scale * total(load(work.v, at(rows, SUM, i)))


@inlined
def _member(v: Any, which: int, i: int) -> Any:
    return load_complex(v, at(ALL_ROWS, which, i))


@inner
def forward(distribution: Distribution, work: Work, blocks: Listed, most: int) -> Products:
    """The products of the listed blocks without components of more than ``most`` large features; for 0 ``none`` alone."""
    v = work.v
    rest = complex_of(0.0, 0.0)
    none = complex_of(1.0, 0.0)
    one = complex_of(0.0, 0.0)
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        first = distribution.feature_first[block]
        store_complex(v, at(ALL_ROWS, BEFORE, first), none)
        psi = complex_of(distribution.inactive[block], 0.0)
        chi = complex_of(0.0, 0.0)
        eta = complex_of(0.0, 0.0)
        for component in components_in(distribution, block):
            count = work.large[component]
            if count > most:
                continue
            low = distribution.component_first[component]
            together = _member(v, A, low)
            for i in range(low + 1, distribution.component_first[component + 1]):
                store_complex(v, at(ALL_ROWS, INSIDE, i), together)
                together = together * _member(v, A, i)
            together = together * distribution.weight[component]
            if count == 0:
                psi = psi + together
            elif count == 1:
                chi = chi + together
            else:
                eta = eta + together
        store_complex(v, at(ALL_ROWS, PSI, first), psi)
        if most > 0:
            store_complex(v, at(ALL_ROWS, REST, first), rest)
            store_complex(v, at(ALL_ROWS, SINGLE, first), one)
            store_complex(v, at(ALL_ROWS, CHI, first), chi)
            store_complex(v, at(ALL_ROWS, ETA, first), eta)
            more = chi + eta
            rest = rest * (psi + more) + none * eta + one * more
            one = one * psi + none * chi
        none = none * psi
    return Products(rest, none, one)


@inner
def backward(distribution: Distribution, work: Work, blocks: Listed, most: int, by: Products) -> None:
    """Adds the derivatives of Re{by.rest rest + by.none none + by.one one} by the listed couplings to acc."""
    v = work.v
    by_rest, by_none, by_one = by
    for entry in range(blocks.end - 1, blocks.first - 1, -1):
        block = blocks.order[entry]
        first = distribution.feature_first[block]
        none = _member(v, BEFORE, first)
        psi = _member(v, PSI, first)
        by_psi = by_none * none
        by_none = by_none * psi
        by_chi = by_eta = by_psi
        if most > 0:
            # the three steps of `forward` differentiated, by the block's sums and by what came in
            rest = _member(v, REST, first)
            one = _member(v, SINGLE, first)
            chi = _member(v, CHI, first)
            eta = _member(v, ETA, first)
            more = chi + eta
            by_psi = by_psi + by_rest * rest + by_one * one
            by_chi = by_rest * (rest + one) + by_one * none
            by_eta = by_rest * (rest + one + none)
            by_none = by_none + by_one * chi + by_rest * eta
            by_one = by_one * psi + by_rest * more
            by_rest = by_rest * (psi + more)
        for component in components_in(distribution, block):
            count = work.large[component]
            if count > most:
                continue
            if count == 0:
                after = by_psi * distribution.weight[component]
            elif count == 1:
                after = by_chi * distribution.weight[component]
            else:
                after = by_eta * distribution.weight[component]
            # inside a component the same: its members before i times those after it
            low = distribution.component_first[component]
            for i in range(distribution.component_first[component + 1] - 1, low, -1):
                add_derivative(v, ALL_ROWS, i, after * _member(v, INSIDE, i), _member(v, D, i))
                after = after * _member(v, A, i)
            add_derivative(v, ALL_ROWS, low, after, _member(v, D, low))


@inlined
def add_derivative(v: Any, rows: int, i: int, by_factor: Any, factor_by_coupling: Any) -> None:
    """acc_i += Re{d/dA_i dA_i/dg_i}."""
    place = at(rows, SUM, i)
    store(v, place, load(v, place) + (by_factor * factor_by_coupling).real)
