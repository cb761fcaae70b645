"""The product over blocks that is a row's moment generating function, and its gradient, eight terms at a time.

    phi(z) = prod_B phi_B,   phi_B = q_B + sum_c w_c prod_{i in c} A_i          (q_B: nothing of block B is on)

`forward` multiplies blocks and remembers the product before each; `backward` carries the product of the later blocks and adds

    acc_i += Re{ v  d(phi - removed) / dA_i  dA_i/dg_i }

so that a factor that is zero harms nothing and the cost stays linear.  "Removed" are patterns taken out of the product because
they have closed forms: nothing on (probability q) and only i on (probability c_i; 0 where it stays in).

All tables lie in one array ``v``, feature by feature in rows of eight real and eight imaginary parts: the feature's sequence
(see `tegum.exact.uniform`), the product before a block, the sums acc with the feature's constants beside them, and, only where
blocks are larger than a feature, A, dA/dg, the block itself and the product before a member of its component.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import inlined
from tegum.errors import InvalidInputError
from tegum.exact.lanes import fill, load, store

ROW = 16
IMAGINARY = 8
BUCKETS = 128
MOST_TERMS = 32768
STATE, BEFORE, SUM, A, D, BLOCK, INSIDE = range(7)
STEP = IMAGINARY
SINGLE_ROWS = 3
ALL_ROWS = 7


class World(NamedTuple):
    """Which features are on together, for compiled code: components of blocks, features of components, probabilities."""

    blocks: int
    block_first: NDArray[np.int64]
    component_first: NDArray[np.int64]
    weight: NDArray[np.float64]
    silent: NDArray[np.float64]
    mean: float
    spread: float
    exponential: int
    simple: int


class Work(NamedTuple):
    """Scratch memory of one thread."""

    v: NDArray[np.float64]
    g: NDArray[np.float64]
    slope: NDArray[np.float64]
    c: NDArray[np.float64]
    c_small: NDArray[np.float64]
    order: NDArray[np.int64]
    order_small: NDArray[np.int64]
    bucket_sum: NDArray[np.float64]
    bucket_least: NDArray[np.float64]
    bucket_count: NDArray[np.float64]
    partial: NDArray[np.float64]
    partial_b: NDArray[np.float64]


def work_for(n: int) -> Work:
    """Fresh scratch memory for n features."""
    return Work(
        v=np.zeros(ALL_ROWS * n * ROW),
        g=np.zeros(n),
        slope=np.zeros(n),
        c=np.zeros(n),
        c_small=np.zeros(n),
        order=np.zeros(n, dtype=np.int64),
        order_small=np.zeros(n, dtype=np.int64),
        bucket_sum=np.zeros(BUCKETS),
        bucket_least=np.zeros(BUCKETS),
        bucket_count=np.zeros(BUCKETS),
        partial=np.zeros(MOST_TERMS // IMAGINARY),
        partial_b=np.zeros(MOST_TERMS // IMAGINARY),
    )


def require_terms(terms: int) -> None:
    """Refuses a number of terms that the inversion cannot reach by doubling.

    Raises:
        InvalidInputError: unless it is a power of two from 8 to 32768.
    """
    if not (isinstance(terms, int | np.integer) and 8 <= terms <= MOST_TERMS and terms & (terms - 1) == 0):
        raise InvalidInputError(f"terms is {terms}", f"choose a power of two from 8 to {MOST_TERMS}")


@inlined
def at(rows: int, which: int, i: int) -> int:
    """Where one of feature i's rows begins; ``rows`` is how many each feature has."""
    return (i * rows + which) * ROW


@inlined
def clear_sums(world: Any, work: Any, rows: int, order: Any, count: int) -> None:
    """Sets acc to zero for the features of the listed blocks."""
    for entry in range(count):
        block = order[entry]
        for i in range(world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]):
            store(work.v, at(rows, SUM, i), fill(0.0))


@inlined
def forward(world: Any, work: Any, rows: int, order: Any, first: int, end: int, q: float, c: Any) -> Any:
    """The product of the listed blocks, and what is removed from it: four vectors."""
    v = work.v
    pr = fill(1.0)
    pi = fill(0.0)
    gone_r = fill(q)
    gone_i = fill(0.0)
    for entry in range(first, end):
        block = order[entry]
        here = at(rows, BEFORE, block)
        store(v, here, pr)
        store(v, here + IMAGINARY, pi)
        fr = fill(world.silent[block])
        fi = fill(0.0)
        for component in range(world.block_first[block], world.block_first[block + 1]):
            low = world.component_first[component]
            high = world.component_first[component + 1]
            here = at(rows, A, low)
            ar = load(v, here)
            ai = load(v, here + IMAGINARY)
            if high - low == 1:
                share = c[low]
                if share != 0:
                    gone_r += share * ar
                    gone_i += share * ai
            for i in range(low + 1, high):
                here = at(rows, INSIDE, i)
                store(v, here, ar)
                store(v, here + IMAGINARY, ai)
                here = at(rows, A, i)
                br = load(v, here)
                bi = load(v, here + IMAGINARY)
                t = ar * br - ai * bi
                ai = ar * bi + ai * br
                ar = t
            fr += world.weight[component] * ar
            fi += world.weight[component] * ai
        here = at(rows, BLOCK, block)
        store(v, here, fr)
        store(v, here + IMAGINARY, fi)
        t = pr * fr - pi * fi
        pi = pr * fi + pi * fr
        pr = t
    return pr, pi, gone_r, gone_i


@inlined
def backward(world: Any, work: Any, rows: int, order: Any, first: int, end: int, c: Any, vr: Any, vi: Any) -> None:
    """Adds the derivatives of Re{v (product - removed)} by the couplings of the listed blocks to acc."""
    v = work.v
    sr = fill(1.0)
    si = fill(0.0)
    for entry in range(end - 1, first - 1, -1):
        block = order[entry]
        here = at(rows, BEFORE, block)
        fr = load(v, here)
        fi = load(v, here + IMAGINARY)
        xr = fr * sr - fi * si
        xi = fr * si + fi * sr
        yr = xr * vr - xi * vi
        yi = xr * vi + xi * vr
        for component in range(world.block_first[block], world.block_first[block + 1]):
            low = world.component_first[component]
            high = world.component_first[component + 1]
            weight = world.weight[component]
            if high - low == 1:
                share = c[low]
                here = at(rows, D, low)
                place = at(rows, SUM, low)
                dr = load(v, here)
                di = load(v, here + IMAGINARY)
                store(v, place, load(v, place) + (weight * yr - share * vr) * dr - (weight * yi - share * vi) * di)
            else:
                tr = weight * yr
                ti = weight * yi
                for i in range(high - 1, low - 1, -1):
                    ur = tr
                    ui = ti
                    if i > low:
                        here = at(rows, INSIDE, i)
                        br = load(v, here)
                        bi = load(v, here + IMAGINARY)
                        ur = tr * br - ti * bi
                        ui = tr * bi + ti * br
                    here = at(rows, D, i)
                    place = at(rows, SUM, i)
                    store(v, place, load(v, place) + ur * load(v, here) - ui * load(v, here + IMAGINARY))
                    here = at(rows, A, i)
                    br = load(v, here)
                    bi = load(v, here + IMAGINARY)
                    ur = tr * br - ti * bi
                    ti = tr * bi + ti * br
                    tr = ur
        here = at(rows, BLOCK, block)
        br = load(v, here)
        bi = load(v, here + IMAGINARY)
        t = sr * br - si * bi
        si = sr * bi + si * br
        sr = t
