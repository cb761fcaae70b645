"""The expected loss and its gradient in rational numbers: no rounding at all, for uniform magnitudes.

Floating-point numbers are rational, and so is the expected loss of couplings, biases and densities that are.  Given which
features are active, m of them with couplings g that are not 0, the expectation is a sum over the corners of a cube,

    F = E r(b + sum_i g_i u_i)^2 = 2 / (N! prod g) sum_v (-1)^(m - |v|) r(b + g.v)^N,    v in {0, 1}^m,  N = m + 2

and every other one is a derivative of it, because d/db and d/dg_i bring down a power of r(s) and a factor x_i:

    E r(s) = F_b / 2   P(s > 0) = F_bb / 2   E x_i r(s) = F_i / 2   E x_i 1[s > 0] = F_bi / 2   E x_i x_j 1[s > 0] = F_ij / 2

A feature whose coupling is 0 does not move s and is a factor 1/2, its square 1/3.  The row's squared error and its gradient:

    E (x_j - r(s))^2 = E x_j^2 + F - F_j,    by g_i: F_i - F_ij,    by b: F_b - F_bj

>>> from fractions import Fraction
>>> from tegum.features import Independent
>>> row(Independent(1, density=1.0), 0, [1.0], 0.0).squared_error         # y = x
Fraction(0, 1)
>>> row(Independent(2, density=0.5), 0, [1.0, -1.0], 0.0).squared_error   # both active: E min(x_0, x_1)^2 = 1/6, else 0
Fraction(1, 24)

Independent features with the same coupling and the same density are one *group*: only how many of them are active counts, so
that rows of sixty features with two or three different couplings are as exact as those of seven that all differ.  So are those
of k of n features.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.features import Features, Independent, KSparse, Uniform

Number = float | Fraction


class Row(NamedTuple):
    """E (x_j - r(s))^2 of one output and its derivatives by the couplings and the bias of its row.

    Where not ``smooth`` the derivatives jump (s = 0 has a probability, and x_j does not move s): those given are limits for
    a bias from below.
    """

    squared_error: Fraction
    by_coupling: list[Fraction]
    by_bias: Fraction
    smooth: bool


class Loss(NamedTuple):
    """sum_j I_j E (x_j - y_j)^2, its derivatives by W (or by the map) and by b, and whether all rows are smooth."""

    loss: Fraction
    dW: list[list[Fraction]]
    db: list[Fraction]
    smooth: bool


class _Groups(NamedTuple):
    """Features of a row that are alike: the group of each, every group's coupling and size, and the own feature's group."""

    of_feature: list[int]
    coupling: list[Fraction]
    size: list[int]
    own: int


class _Derivatives(NamedTuple):
    """F, F_b, F_k, and with o the own feature F_bo, F_ko; by a group's coupling, moved for all of its members at once."""

    value: Fraction
    by_b: Fraction
    by_g: list[Fraction]
    by_b_own: Fraction
    by_g_own: list[Fraction]


_HALF, _ZERO = Fraction(1, 2), Fraction(0)


def _powers_of_two(b: Fraction, g: Iterable[Fraction]) -> int:
    """The common denominator of numbers whose denominators are powers of two."""
    return max(number.denominator for number in (b, *g))


def _corner_sums(b: Fraction, g: Sequence[Fraction], m: Sequence[int], own: int) -> tuple[list[Fraction], ...]:
    """Signed sums over the corners v of r(t)^(N - k) for k = 0, 1, 2, then of v_i r^(N-1), v_i r^(N-2), v_i v_own r^(N-2).

    ``m`` features share each coupling of ``g``; v counts those of them that are 1.  All sums are of whole numbers, because the
    numbers are first brought to one denominator.  ``own`` is -1 where the own feature is not among them.
    """
    scale = _powers_of_two(b, g)
    whole_b, whole = int(b * scale), [int(c * scale) for c in g]
    N = sum(m) + 2
    plain, once, twice, both = [0, 0, 0], [0] * len(g), [0] * len(g), [0] * len(g)
    for v in itertools.product(*(range(count + 1) for count in m)):
        t = whole_b + sum(count * c for count, c in zip(v, whole, strict=True))
        if t <= 0:
            continue
        sign = (-1) ** (sum(m) - sum(v)) * math.prod(math.comb(n, k) for n, k in zip(m, v, strict=True))
        low = sign * t ** (N - 2)
        middle = low * t
        plain[0] += middle * t
        plain[1] += middle
        plain[2] += low
        for i, count in enumerate(v):
            if count:
                once[i] += count * middle
                twice[i] += count * low
                if own >= 0:
                    both[i] += count * v[own] * low
    units = [scale ** (N - k) for k in range(3)]
    return (
        [Fraction(total, unit) for total, unit in zip(plain, units, strict=True)],
        [Fraction(total, units[1]) for total in once],
        [Fraction(total, units[2]) for total in twice],
        [Fraction(total, units[2]) for total in both],
    )


def _derivatives(b: Fraction, groups: _Groups, active: Sequence[int]) -> _Derivatives:
    """What the row needs of one pattern: ``active`` says how many features of each group are on."""
    moving = [k for k, count in enumerate(active) if count and groups.coupling[k]]
    g, m = [groups.coupling[k] for k in moving], [active[k] for k in moving]
    o = moving.index(groups.own) if groups.own in moving else -1
    (s0, s1, s2), once, twice, both = _corner_sums(b, g, m, o)
    N = sum(m) + 2
    c = Fraction(2, math.factorial(N)) / math.prod(one**count for one, count in zip(g, m, strict=True))
    first, probability = c * N * s1 / 2, c * N * (N - 1) * s2 / 2  # E r(s), P(s > 0)
    # counts of the idle features of each group; a moving group's are 0
    idle = [0 if groups.coupling[k] else count for k, count in enumerate(active)]
    by_g = [count * first for count in idle]
    by_bg = [_ZERO] * len(active)
    for i, k in enumerate(moving):
        by_g[k] = c * (N * once[i] - m[i] / g[i] * s0)
        by_bg[k] = c * N * ((N - 1) * twice[i] - m[i] / g[i] * s1)
    by_g_own = [_ZERO] * len(active)
    if not active[groups.own]:
        return _Derivatives(c * s0, 2 * first, by_g, _ZERO, by_g_own)
    by_b_own = probability if o < 0 else by_bg[groups.own]
    by_g_own = [_HALF * count * by_b_own for count in idle]
    for i, k in enumerate(moving):
        if o < 0:
            by_g_own[k] = _HALF * by_bg[k]
            continue
        # the product rule: the last term is d^2 (1 / prod g), which for the own coupling itself is 2 / g^2
        crossed = m[i] / g[i] * once[o] + once[i] / g[o]
        more = 1 if k == groups.own else 0
        by_g_own[k] = c * (N * (N - 1) * both[i] - N * crossed + (m[i] + more) / (g[i] * g[o]) * s0)
    if o < 0:
        by_g_own[groups.own] = Fraction(2, 3) * probability
    return _Derivatives(c * s0, 2 * first, by_g, by_b_own, by_g_own)


def _independent_patterns(density: Sequence[Fraction], groups: _Groups) -> Iterator[tuple[Fraction, list[int]]]:
    """Every choice of how many of each group are active, with its probability; densities by group."""
    for active in itertools.product(*(range(size + 1) for size in groups.size)):
        probability = Fraction(1)
        for size, p, count in zip(groups.size, density, active, strict=True):
            probability *= math.comb(size, count) * p**count * (1 - p) ** (size - count)
        if probability:
            yield probability, list(active)


def _choices(features: KSparse, groups: _Groups) -> Iterator[tuple[Fraction, list[int]]]:
    """Every choice of how many of each group are among the k active features, with its probability."""
    n, k = features.n_features, features.n_active
    for active in itertools.product(*(range(min(size, k) + 1) for size in groups.size)):
        if sum(active) == k:
            ways = math.prod(math.comb(size, count) for size, count in zip(groups.size, active, strict=True))
            yield Fraction(ways, math.comb(n, k)), list(active)


def _patterns_of_blocks(features: Features) -> Iterator[tuple[Fraction, list[int]]]:
    """Every choice of at most one component of each block, with its probability: which features are active."""
    blocks = features.blocks()
    choices: list[list[tuple[Fraction, list[int]]]] = [[] for _ in range(int(blocks.block_of_component[-1]) + 1)]
    for component, block in enumerate(blocks.block_of_component):
        members = [int(i) for i in np.flatnonzero(blocks.component_of_feature == component)]
        choices[int(block)].append((Fraction(float(blocks.probability[component])), members))
    for choice in choices:
        choice.append((1 - sum((p for p, _ in choice), _ZERO), []))
    for pattern in itertools.product(*choices):
        probability = math.prod((p for p, _ in pattern), start=Fraction(1))
        if probability:
            active = [0] * features.n_features
            for i in itertools.chain.from_iterable(members for _, members in pattern):
                active[i] = 1
            yield probability, active


def _grouped(features: Features, j: int, g: Sequence[Fraction]) -> tuple[_Groups, Iterator[tuple[Fraction, list[int]]]]:
    """The groups of a row and the patterns of how many of each are active; in sets every feature is a group."""
    if not isinstance(features, Independent | KSparse):
        n = len(g)
        return _Groups(list(range(n)), list(g), [1] * n, j), _patterns_of_blocks(features)
    density = [Fraction(float(p)) for p in features.feature_density]
    alike: defaultdict[tuple[bool, Fraction, Fraction], list[int]] = defaultdict(list)
    for i, (c, p) in enumerate(zip(g, density, strict=True)):
        alike[i == j, c, p].append(i)
    of_feature = [0] * len(g)
    for k, members in enumerate(alike.values()):
        for i in members:
            of_feature[i] = k
    groups = _Groups(of_feature, [c for _, c, _ in alike], [len(members) for members in alike.values()], of_feature[j])
    if isinstance(features, KSparse):
        return groups, _choices(features, groups)
    return groups, _independent_patterns([p for _, _, p in alike], groups)


def row(features: Features, j: int, g: Sequence[Number], b: Number) -> Row:
    """Output j of one distribution of uniform magnitudes, whose row has the couplings ``g`` and the bias ``b``."""
    assert isinstance(features.magnitude, Uniform)
    assert not features.signed
    assert features.batch_shape == ()
    couplings, bias = [Fraction(c) for c in g], Fraction(b)
    groups, patterns = _grouped(features, j, couplings)
    value, by_b, by_g, smooth = _ZERO, _ZERO, [_ZERO] * len(groups.size), True
    for probability, active in patterns:
        F = _derivatives(bias, groups, active)
        own = F.by_g[groups.own] if active[groups.own] else _ZERO
        value += probability * (F.value - own + (Fraction(1, 3) if active[groups.own] else 0))
        by_b += probability * (F.by_b - F.by_b_own)
        for k in range(len(by_g)):
            by_g[k] += probability * (F.by_g[k] - F.by_g_own[k])
        still = all(not count or not c for count, c in zip(active, groups.coupling, strict=True))
        smooth = smooth and not (bias == 0 and still and active[groups.own])
    return Row(value, [by_g[k] / groups.size[k] for k in groups.of_feature], by_b, smooth)


def row_hessian(features: Features, j: int, g: Sequence[float], b: float) -> NDArray[np.float64]:
    """Second derivatives of `row` by its couplings and its bias, the last, (n + 1, n + 1).

    They are central differences of the exact first ones, whose step of 2^-40 costs 1e-24 and no digits.
    """
    step, at = Fraction(1, 2**40), [Fraction(c) for c in (*g, b)]
    found = []
    for i in range(len(at)):
        sides = []
        for sign in (1, -1):
            moved = [c + sign * step * (k == i) for k, c in enumerate(at)]
            side = row(features, j, moved[:-1], moved[-1])
            sides.append([*side.by_coupling, side.by_bias])
        found.append([(up - down) / (2 * step) for up, down in zip(*sides, strict=True)])
    return floats(found)


def loss(W: NDArray[np.float64], b: NDArray[np.float64], features: Features, tied: bool = True) -> Loss:
    """The loss of y = r(G x + b) and its gradient, with G = W^T W, or G = W where not ``tied``."""
    weights = [[Fraction(float(c)) for c in line] for line in W]
    n = len(b)
    columns = list(zip(*weights, strict=True))
    dot = [[sum((x * y for x, y in zip(one, other, strict=True)), _ZERO) for other in columns] for one in columns]
    G = dot if tied else weights
    importance = [Fraction(float(one)) for one in features.importance]
    rows = [row(features, j, G[j], float(b[j])) for j in range(n)]
    by_map = [[importance[j] * slope for slope in rows[j].by_coupling] for j in range(n)]
    dW = by_map
    if tied:
        both = [[by_map[i][j] + by_map[j][i] for j in range(n)] for i in range(n)]
        dW = [[sum((line[k] * both[k][i] for k in range(n)), _ZERO) for i in range(n)] for line in weights]
    return Loss(
        sum((weight * one.squared_error for weight, one in zip(importance, rows, strict=True)), _ZERO),
        dW,
        [weight * one.by_bias for weight, one in zip(importance, rows, strict=True)],
        all(one.smooth for one in rows),
    )


def floats(numbers: Sequence[Fraction] | Sequence[Sequence[Fraction]]) -> NDArray[np.float64]:
    """Rational numbers, rounded to the nearest floating-point ones."""
    return np.array(numbers, dtype=object).astype(np.float64)
