"""Moments of errors in rational numbers, for uniform magnitudes: E (x_j - r(b + g.x))^k without any rounding.

As `tests.oracle.rational`: given which features are active, m of them with couplings that are not 0,

    E s_+^N = N! / ((N + m)! prod g) sum_v (-1)^(m - |v|) r(b + g.v)^(N + m),        v in {0, 1}^m

and a power of the own feature comes down by derivatives, E u^l s_+^q = q! / (q + l)! d^l/dg^l E s_+^(q + l).
"""

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

from tegum.features import Features
from tests.oracle.rational import _patterns_of_blocks


def moment(features: Features, j: int, g: Sequence[float], b: float, k: int) -> Fraction:
    """E (x_j - r(b + g.x))^k."""
    row, total = [Fraction(float(one)) for one in g], Fraction(0)
    for probability, active in _patterns_of_blocks(features):
        others = [one for i, one in enumerate(row) if active[i] and one and i != j]
        own = row[j] if active[j] else None
        for q in range(k + 1):
            total += probability * (-1) ** q * math.comb(k, q) * _mean(Fraction(float(b)), others, own, k - q, q)
    return total


def _mean(b: Fraction, others: list[Fraction], own: Fraction | None, power: int, q: int) -> Fraction:
    """E x^power s_+^q, and E x^power for q = 0, of an own feature that is active with a coupling, or inactive (None)."""
    if own is None:
        return Fraction(0) if power else _above(b, others, q)
    if q == 0 or own == 0:
        return Fraction(1, power + 1) * (_above(b, others, q) if q else 1)
    N, m = q + power, len(others) + 1
    total = Fraction(0)
    for v in itertools.product((0, 1), repeat=m):
        s = b + sum(one for on, one in zip(v, [*others, own], strict=True) if on)
        if s <= 0:
            continue
        for d in range(power + 1 if v[-1] else 1):
            # d derivatives of r(s)^(N + m), the others of 1 / own
            inverse = Fraction((-1) ** (power - d) * math.factorial(power - d)) / own ** (power - d + 1)
            total += (-1) ** (m - sum(v)) * math.comb(power, d) * inverse * math.perm(N + m, d) * s ** (N + m - d)
    scale = Fraction(math.factorial(N), math.factorial(N + m)) / math.prod(others, start=Fraction(1))
    return Fraction(math.factorial(q), math.factorial(N)) * scale * total


def _above(b: Fraction, g: list[Fraction], N: int) -> Fraction:
    """E s_+^N of all features with a coupling; 1 for N = 0, where the power of r(s) is none."""
    if N == 0:
        return Fraction(1)
    m, total = len(g), Fraction(0)
    for v in itertools.product((0, 1), repeat=m):
        s = b + sum(one for on, one in zip(v, g, strict=True) if on)
        total += (-1) ** (m - sum(v)) * max(s, Fraction(0)) ** (N + m)
    return Fraction(math.factorial(N), math.factorial(N + m)) / math.prod(g, start=Fraction(1)) * total
