"""The product of `tegum.exact.kernel.product` where every block is a single feature: the common case, in half the time.

    phi = prod_i (1 - p_i + p_i A_i)

There are no lists of components to walk through, and factors are computed twice, going forward and going back: that is cheaper
than fetching them from memory, and leaves so little to remember that a hundred features fit the fastest cache.
"""

from typing import Any, NamedTuple

from tegum.compilation import inlined
from tegum.exact.kernel.product import BEFORE, CONSTANTS, SINGLE_ROWS, SUM, add_derivative, at
from tegum.exact.kernel.records import Listed
from tegum.exact.kernel.uniform import ALONE, ODDS, WEIGHT, Points, factor, own_factor
from tegum.exact.kernel.vectors import complex_of, load_complex, peek, store_complex


class Gone(NamedTuple):
    """What is removed from a product, and the terms c A of its pairs: that of the own feature, and the sum of the others'."""

    sum: Any
    own: Any
    others: Any


@inlined
def forward_singles(v: Any, blocks: Listed, own: int, none: float, paired: Any, points: Points) -> tuple[Any, Gone]:
    """The product of the listed features' blocks at eight points, and what is removed from it.

    ``paired`` is the factor q of pairs, or the number 0: then nothing is computed for them.
    """
    product = complex_of(1.0, 0.0)
    gone = complex_of(none, 0.0)
    own_term = complex_of(0.0, 0.0)
    others = complex_of(0.0, 0.0)
    squares = complex_of(0.0, 0.0)
    for entry in range(blocks.first, blocks.end):
        i = peek(blocks.order, entry)
        constants = at(SINGLE_ROWS, SUM, i) + CONSTANTS
        if i == own:
            A, _ = own_factor(v, SINGLE_ROWS, i, points)
        else:
            A, _ = factor(v, SINGLE_ROWS, i, points)
        if paired:
            term = peek(v, constants + ODDS) * A
            # apart, because T makes it so large for small couplings that the others' sum would drown
            if i == own:
                own_term = term
            else:
                others = others + term
                squares = squares + term * term
        store_complex(v, at(SINGLE_ROWS, BEFORE, i), product)
        p = peek(v, constants + WEIGHT)
        gone = gone + peek(v, constants + ALONE) * A
        product = product * (p * A + (1.0 - p))
    if paired:
        gone = gone + paired * (0.5 * (others * others - squares) + own_term * others)
    return product, Gone(gone, own_term, others)


@inlined
def backward_singles(v: Any, blocks: Listed, own: int, points: Points, weight: Any, paired: Any, gone: Gone) -> None:
    """Adds the derivatives of Re{weight (product - removed)} by the listed couplings to acc."""
    later = weight
    by_pairs = paired * weight
    by_own = by_pairs * gone.others
    by_others = by_own + by_pairs * gone.own
    for entry in range(blocks.end - 1, blocks.first - 1, -1):
        i = peek(blocks.order, entry)
        constants = at(SINGLE_ROWS, SUM, i) + CONSTANTS
        p = peek(v, constants + WEIGHT)
        by_factor = p * (load_complex(v, at(SINGLE_ROWS, BEFORE, i)) * later) - peek(v, constants + ALONE) * weight
        if i == own:
            A, D = own_factor(v, SINGLE_ROWS, i, points)
            if paired:
                by_factor = by_factor - peek(v, constants + ODDS) * by_own
        else:
            A, D = factor(v, SINGLE_ROWS, i, points)
            if paired:
                odds = peek(v, constants + ODDS)
                by_factor = by_factor - odds * (by_others - (odds * A) * by_pairs)
        add_derivative(v, SINGLE_ROWS, i, by_factor, D)
        later = later * (p * A + (1.0 - p))
