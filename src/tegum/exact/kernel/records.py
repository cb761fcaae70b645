"""What the compiled functions of the exact engine hand to each other, and the walk over the features of some blocks.

A row is one output: s = b + sum_i g_i x_i.  Features are grouped in *components* (active together) and these in *blocks*
(at most one component of a block is active; blocks are independent), as `tegum.features.Blocks` has them.  Tables are NumPy
arrays outside and bare pointers inside, where passing an array costs more than a row of two features.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import inlined
from tegum.errors import InvalidInputError
from tegum.exact.kernel.vectors import PAIR, WIDTH, pointer

MOST_TERMS = 32768
BUCKETS = 128
ZERO: Any = np.int64(0)
ONE: Any = np.int64(1)
NOWHERE: Any = np.int64(-1)
"""Integers that numba does not take for literals: for those it would compile whatever they are passed to once more."""

WHOLE, LARGEST = WIDTH, WIDTH + 1
"""Where in ``Work.moves`` the errors are."""

ALL_ROWS = 11
"""How many complex vectors a feature has in ``Work.v``; see `tegum.exact.kernel.product`."""


class Distribution(NamedTuple):
    """Which features are active together: components of blocks, features of components, probabilities, magnitudes.

    Attributes:
        blocks: how many blocks there are.
        block_first: (blocks + 1,) the first component of each block.
        component_first: (components + 1,) the first feature of each component.
        feature_first: (blocks + 1,) the first feature of each block.
        weight: (components,) the probability that a component is active.
        inactive: (blocks,) the probability that nothing of a block is active.
        mean: E u of the magnitudes u.
        spread: Var u.
        exponential: 1 for exponential magnitudes, 0 for those uniform on [0, 1].
        simple: 1 where every block is a single feature.
    """

    blocks: int
    block_first: NDArray[np.int64]
    component_first: NDArray[np.int64]
    feature_first: NDArray[np.int64]
    weight: NDArray[np.float64]
    inactive: NDArray[np.float64]
    mean: float
    spread: float
    exponential: int
    simple: int


class Work(NamedTuple):
    """Scratch memory of one thread.

    Attributes:
        v: the tables of the inversion, see `tegum.exact.kernel.product`.
        g: (n,) the couplings of the row.
        slope: (n,) the derivatives of its value by them.
        alone: (n,) the probabilities that only feature i is active, where that pattern has been removed, else 0.
        alone_small: the same for the small blocks of a split row.
        order: (n,) the blocks listed, large ones first.
        order_small: the small ones of a split row.
        size: (n,) 1 for large features, 0 for small ones, where some are active together.
        large: (n,) how many large features each component has.
        vertex: (n,) what the sum is like where only a large feature is active, see `tegum.exact.kernel.sets`.
        bucket_sum: sums, smallest sizes and numbers of couplings of similar size.
        bucket_least: see there.
        bucket_count: see there.
        noted: (2 n,) the derivatives by couplings at the last two looks of `tegum.exact.kernel.judging`.
        sums: those of the first term of the inversion, of the first two, ...
        sums_b: the same of its derivative by b.
        moves: (10,) how far the row's inversions still moved, added up in eight lanes, their errors and the largest of these.
        odds: (n,) p / (1 - p) of features taken in pairs, else 0, see `tegum.exact.kernel.pairs`.
        rank: (n,) these but for the own one, large couplings first and in their order.
    """

    v: NDArray[np.float64]
    g: NDArray[np.float64]
    slope: NDArray[np.float64]
    alone: NDArray[np.float64]
    alone_small: NDArray[np.float64]
    order: NDArray[np.int64]
    order_small: NDArray[np.int64]
    size: NDArray[np.int64]
    large: NDArray[np.int64]
    vertex: NDArray[np.int64]
    bucket_sum: NDArray[np.float64]
    bucket_least: NDArray[np.float64]
    bucket_count: NDArray[np.float64]
    noted: NDArray[np.float64]
    sums: NDArray[np.float64]
    sums_b: NDArray[np.float64]
    moves: NDArray[np.float64]
    odds: NDArray[np.float64]
    rank: NDArray[np.int64]


class Listed(NamedTuple):
    """Blocks order[first], ..., order[end - 1], and the first feature of every block."""

    order: NDArray[np.int64]
    feature_first: NDArray[np.int64]
    first: int
    end: int


class OwnFeature(NamedTuple):
    """The feature that the row is to reproduce, its block (-1 where that is not among the blocks at hand), its component."""

    feature: int
    block: int
    component: int


class Removed(NamedTuple):
    """The patterns taken out of a product because they have closed forms.

    ``none`` is the probability that nothing is active, ``alone`` (n,) that only feature i is; 0 where the pattern stays in.
    ``paired`` is ``none`` where pairs of features with ``Work.odds`` are taken out too, else 0.
    """

    none: float
    alone: NDArray[np.float64]
    paired: float


class Integrand(NamedTuple):
    """The function r2 r(s)^2 + r3 r(s)^3 + s3 s^3 + s2 s^2 + s1 s + s0, r(s) = max(s, 0)."""

    r2: float
    r3: float
    s3: float
    s2: float
    s1: float
    s0: float


class Powers(NamedTuple):
    """What is asked of a sum s: E [r2 r(s)^2 + r3 r(s)^3], and where ``cubed`` is 1 also E r(s)^3 alone (r3 is 0 elsewhere)."""

    r2: float
    r3: float
    cubed: int


class Effort(NamedTuple):
    """How many terms to spend: from ``least`` to ``most`` until the targets for value and gradient are met.

    ``target`` is the tolerated error of the value, ``target_b`` that of its derivative by b; ``gradient`` asks for derivatives.
    Where ``tapered`` is 1 the terms fade out towards the last, ``most``, as `tegum.exact.kernel.uniform.taper` has it.
    """

    least: int
    most: int
    target: float
    target_b: float
    gradient: int
    tapered: int


class Found(NamedTuple):
    """An expectation: of the integrand, of r(s)^3 alone (0 where r3 is), its derivative by b, their errors, the terms spent."""

    value: float
    cubic: float
    by_b: float
    error: float
    error_b: float
    terms: int


def work_for(n: int) -> Work:
    """Fresh scratch memory for n features."""
    return Work(
        v=_aligned(ALL_ROWS * n * PAIR),
        g=np.zeros(n),
        slope=np.zeros(n),
        alone=np.zeros(n),
        alone_small=np.zeros(n),
        order=np.zeros(n, dtype=np.int64),
        order_small=np.zeros(n, dtype=np.int64),
        size=np.zeros(n, dtype=np.int64),
        large=np.zeros(n, dtype=np.int64),
        vertex=np.zeros(n, dtype=np.int64),
        bucket_sum=np.zeros(BUCKETS),
        bucket_least=np.zeros(BUCKETS),
        bucket_count=np.zeros(BUCKETS),
        noted=np.zeros(2 * n),
        sums=_aligned(MOST_TERMS),
        sums_b=_aligned(MOST_TERMS),
        moves=_aligned(WIDTH + 2),
        odds=np.zeros(n),
        rank=np.zeros(n, dtype=np.int64),
    )


@inlined
def lean(distribution: Distribution, work: Work) -> tuple[Distribution, Work]:
    """Both with pointers in place of arrays: passing an array on costs more than a row of two features."""
    return Distribution(
        distribution.blocks,
        pointer(distribution.block_first),
        pointer(distribution.component_first),
        pointer(distribution.feature_first),
        pointer(distribution.weight),
        pointer(distribution.inactive),
        distribution.mean,
        distribution.spread,
        distribution.exponential,
        distribution.simple,
    ), Work(
        pointer(work.v),
        pointer(work.g),
        pointer(work.slope),
        pointer(work.alone),
        pointer(work.alone_small),
        pointer(work.order),
        pointer(work.order_small),
        pointer(work.size),
        pointer(work.large),
        pointer(work.vertex),
        pointer(work.bucket_sum),
        pointer(work.bucket_least),
        pointer(work.bucket_count),
        pointer(work.noted),
        pointer(work.sums),
        pointer(work.sums_b),
        pointer(work.moves),
        pointer(work.odds),
        pointer(work.rank),
    )


def _aligned(size: int) -> NDArray[np.float64]:
    """Zeros that begin at a cache line: a vector that lies across two of them takes twice as long to fetch."""
    memory = np.zeros(size + WIDTH - 1)
    first = -memory.ctypes.data % (8 * WIDTH) // 8
    return memory[first : first + size]


def require_terms(terms: int) -> None:
    """Refuses a number of terms at which an error is not judged.

    Raises:
        InvalidInputError: unless it is a power of two from 8 to 32768.
    """
    if not (isinstance(terms, int | np.integer) and 8 <= terms <= MOST_TERMS and terms & (terms - 1) == 0):
        raise InvalidInputError(f"terms is {terms}", f"choose a power of two from 8 to {MOST_TERMS}")
