"""The product over blocks that is a row's moment generating function, and its gradient, eight terms at a time.

    phi(z) = prod_B phi_B,   phi_B = q_B + sum_c w_c prod_{i in c} A_i       (q_B: nothing of block B is active)

`forward` multiplies blocks and remembers the product before each; `backward` carries the product of the later blocks and adds

    acc_i += Re{ v  d(phi - removed) / dA_i  dA_i/dg_i }

so that a factor that is zero harms nothing and the cost stays linear.  "Removed" are patterns taken out of the product because
they have closed forms: nothing active (probability q) and only i active (probability c_i; 0 where it stays in).

All tables lie in one array ``v``, feature by feature in rows of eight real and eight imaginary parts: the feature's sequence
(see `tegum.exact.kernel.uniform`), the product before a block, the sums acc with the feature's constants beside them, and, only
where blocks are larger than a feature, A, dA/dg, the block itself and the product before a member of its component.
"""

from typing import Any

from tegum.compilation import inlined
from tegum.exact.kernel.records import Distribution, Listed, Removed, Work
from tegum.exact.kernel.vectors import PAIR, WIDTH, complex_of, fill, load, load_complex, store, store_complex, total
from tegum.exact.kernel.walk import features_of

STATE, BEFORE, SUM, A, D, BLOCK, INSIDE = range(7)
CONSTANTS = WIDTH
"""Where in a feature's row SUM its constants begin, behind the eight sums."""

SINGLE_ROWS = 3
"""How many rows a feature has where every block is one feature: STATE, BEFORE and SUM."""


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
def forward(distribution: Distribution, work: Work, rows: int, blocks: Listed, removed: Removed) -> tuple[Any, Any]:
    """The product of the listed blocks, and what is removed from it."""
    v = work.v
    product = complex_of(1.0, 0.0)
    gone = complex_of(removed.none, 0.0)
    for entry in range(blocks.first, blocks.end):
        block = blocks.order[entry]
        store_complex(v, at(rows, BEFORE, block), product)
        factor = complex_of(distribution.inactive[block], 0.0)
        for component in range(distribution.block_first[block], distribution.block_first[block + 1]):
            low = distribution.component_first[component]
            high = distribution.component_first[component + 1]
            together = load_complex(v, at(rows, A, low))
            if high - low == 1 and removed.alone[low] != 0:
                gone = gone + removed.alone[low] * together
            for i in range(low + 1, high):
                store_complex(v, at(rows, INSIDE, i), together)
                together = together * load_complex(v, at(rows, A, i))
            factor = factor + distribution.weight[component] * together
        store_complex(v, at(rows, BLOCK, block), factor)
        product = product * factor
    return product, gone


@inlined
def backward(distribution: Distribution, work: Work, rows: int, blocks: Listed, removed: Removed, weight: Any) -> None:
    """Adds the derivatives of Re{weight (product - removed)} by the couplings of the listed blocks to acc."""
    v = work.v
    later = complex_of(1.0, 0.0)
    for entry in range(blocks.end - 1, blocks.first - 1, -1):
        block = blocks.order[entry]
        # the derivative of Re{weight product} by this block: everything before it times everything after it
        others = load_complex(v, at(rows, BEFORE, block)) * later * weight
        for component in range(distribution.block_first[block], distribution.block_first[block + 1]):
            low = distribution.component_first[component]
            high = distribution.component_first[component + 1]
            w = distribution.weight[component]
            if high - low == 1:
                add_derivative(v, rows, low, w * others - removed.alone[low] * weight, load_complex(v, at(rows, D, low)))
                continue
            # the same inside a component: its members before i times those after it
            after = w * others
            for i in range(high - 1, low - 1, -1):
                by_factor = after * load_complex(v, at(rows, INSIDE, i)) if i > low else after
                add_derivative(v, rows, i, by_factor, load_complex(v, at(rows, D, i)))
                after = after * load_complex(v, at(rows, A, i))
        later = later * load_complex(v, at(rows, BLOCK, block))


@inlined
def add_derivative(v: Any, rows: int, i: int, by_factor: Any, factor_by_coupling: Any) -> None:
    """acc_i += Re{d/dA_i dA_i/dg_i}."""
    place = at(rows, SUM, i)
    store(v, place, load(v, place) + (by_factor * factor_by_coupling).real)
