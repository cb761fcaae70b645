"""The product of `tegum.exact.kernel.product` where every block is a single feature: the common case, in half the time.

    phi = prod_i (1 - p_i + p_i A_i)

There are no lists of components to walk through, and factors are computed twice, going forward and going back: that is cheaper
than fetching them from memory, and leaves so little to remember that a hundred features fit the fastest cache.
"""

from typing import Any

from tegum.compilation import inlined
from tegum.exact.kernel.product import BEFORE, CONSTANTS, SINGLE_ROWS, SUM, add_derivative, at
from tegum.exact.kernel.records import Listed
from tegum.exact.kernel.uniform import ALONE, WEIGHT, Points, factor, own_factor
from tegum.exact.kernel.vectors import complex_of, load_complex, peek, store_complex


@inlined
def forward_singles(v: Any, blocks: Listed, own: int, none: float, points: Points) -> tuple[Any, Any]:
    """The product of the listed features' blocks at eight points, and what is removed from it."""
    product = complex_of(1.0, 0.0)
    gone = complex_of(none, 0.0)
    for entry in range(blocks.first, blocks.end):
        i = peek(blocks.order, entry)
        if i == own:
            A, _ = own_factor(v, SINGLE_ROWS, i, points)
        else:
            A, _ = factor(v, SINGLE_ROWS, i, points)
        store_complex(v, at(SINGLE_ROWS, BEFORE, i), product)
        constants = at(SINGLE_ROWS, SUM, i) + CONSTANTS
        p = peek(v, constants + WEIGHT)
        gone = gone + peek(v, constants + ALONE) * A
        product = product * (p * A + (1.0 - p))
    return product, gone


@inlined
def backward_singles(v: Any, blocks: Listed, own: int, points: Points, weight: Any) -> None:
    """Adds the derivatives of Re{weight (product - removed)} by the listed couplings to acc."""
    later = weight
    for entry in range(blocks.end - 1, blocks.first - 1, -1):
        i = peek(blocks.order, entry)
        constants = at(SINGLE_ROWS, SUM, i) + CONSTANTS
        p = peek(v, constants + WEIGHT)
        by_factor = p * (load_complex(v, at(SINGLE_ROWS, BEFORE, i)) * later) - peek(v, constants + ALONE) * weight
        if i == own:
            A, D = own_factor(v, SINGLE_ROWS, i, points)
        else:
            A, D = factor(v, SINGLE_ROWS, i, points)
        add_derivative(v, SINGLE_ROWS, i, by_factor, D)
        later = later * (p * A + (1.0 - p))
