"""Pairs in closed form, all of them at once, against each pair in fractions."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tegum.compilation import compiled
from tegum.exact.distributions import distributions_of
from tegum.exact.kernel.model import enter_distribution, point_for
from tegum.exact.kernel.pairs import add_pairs, find_pairs
from tegum.exact.kernel.records import ZERO, Distribution, Effort, Integrand, Listed, Work, work_for
from tegum.features import Independent

POLYNOMIAL = (0.25, -0.5, 0.125)


@compiled
def in_pairs(
    distribution: Distribution, work: Work, n: int, own: int, b: float, polynomial: tuple[float, float, float]
) -> tuple[float, float, float, float, float]:
    """q, and what `add_pairs` returns for r(s)^2 and a polynomial."""
    blocks = Listed(work.order, distribution.feature_first, ZERO, n)
    q = find_pairs(distribution, work, blocks, b, 0.5, Effort(32, 32, 0.0, 0.0, 1, 0))
    s2, s1, s0 = polynomial
    value, by_b, rounding, rounding_b = add_pairs(work, blocks, own, b, q, Integrand(1.0, 0.0, 0.0, s2, s1, s0))
    return q, value, by_b, rounding, rounding_b


def powers(b: Fraction, g: Fraction, h: Fraction) -> dict[str, Fraction]:
    """E V(b + g u + h v) of r(s)^2 and the polynomial and its derivatives, by F(t) = r(t)^4 / 12, F', F''."""
    F = [lambda t, k=k: max(t, Fraction(0)) ** (4 - k) * Fraction([1, 4, 12][k], 12) for k in range(3)]
    corners = [(1, b + g + h, g, h), (-1, b + g, g, 0), (-1, b + h, 0, h), (1, b, 0, 0)]
    whole, by_b = (sum(sign * F[k](t) for sign, t, *_ in corners) / (g * h) for k in range(2))
    by_g, by_gb = ((F[k + 1](b + g + h) - F[k + 1](b + g)) / (g * h) - one / g for k, one in ((0, whole), (1, by_b)))
    by_h, by_hb = ((F[k + 1](b + g + h) - F[k + 1](b + h)) / (g * h) - one / h for k, one in ((0, whole), (1, by_b)))
    by_gh = F[2](b + g + h) / (g * h) - (F[1](b + g + h) - F[1](b + g)) / (g * h * h) - by_h / g
    # h^2 times the whole is h times a difference, so (h whole)'' = 2 by_h + h by_hh
    by_hh = ((F[2](b + g + h) - F[2](b + h)) / g - 2 * by_h) / h
    s2, s1, s0 = map(Fraction, POLYNOMIAL)
    return {
        "value": whole + s2 * (b * b + b * (g + h) + (g * g + h * h) / 3 + g * h / 2) + s1 * (b + (g + h) / 2) + s0,
        "b": by_b + s2 * (2 * b + g + h) + s1,
        "g": by_g + s2 * (b + 2 * g / 3 + h / 2) + s1 / 2,
        "h": by_h + s2 * (b + 2 * h / 3 + g / 2) + s1 / 2,
        "gb": by_gb + s2,
        "hb": by_hb + s2,
        "gh": by_gh + s2 / 2,
        "hh": by_hh + s2 * Fraction(2, 3),
    }


def twin(g: list[Fraction], b: Fraction, odds: list[Fraction], own: int) -> tuple[Fraction, Fraction, list[Fraction]]:
    """The sums over all pairs, with T = 1 - d/dh on those of the own feature."""
    value = by_b = Fraction(0)
    slope = [Fraction(0)] * len(g)
    for i in range(len(g)):
        for k in range(i):
            other, one = (i, k) if k == own else (k, i)
            share, at = odds[i] * odds[k], powers(b, g[other], g[one])
            T = int(one == own)
            value += share * (at["value"] - T * at["h"])
            by_b += share * (at["b"] - T * at["hb"])
            slope[other] += share * (at["g"] - T * at["gh"])
            slope[one] += share * (at["h"] - T * at["hh"])
    return value, by_b, slope


def row(kind: str, n: int) -> tuple[np.ndarray[Any, Any], float]:
    """Couplings and a bias: of one size; with small ones; with partners that lie within the small ones' reach of the kink."""
    rng = np.random.default_rng(3)
    g, b = rng.normal(size=n), float(rng.normal()) / 3
    if kind != "one size":
        g[n // 2 :] *= 10.0 ** -rng.uniform(2.2, 7, size=n - n // 2)
    if kind == "at the kink":
        g[: n // 4] = -b + rng.choice([-1, 1], n // 4) * 10.0 ** -rng.uniform(2.5, 9, size=n // 4)
    if kind == "equal":
        g[:] = 0.5
    return g, b


@pytest.mark.parametrize("n", [2, 3, 12, 40])
@pytest.mark.parametrize("kind", ["one size", "two sizes", "at the kink", "equal"])
def test_all_pairs(kind: str, n: int) -> None:
    """To the stated rounding, derivatives too; the own feature is a large one."""
    g, b = row(kind, n)
    density, own = np.random.default_rng(0).uniform(0.001, 0.05, size=n), 0
    tables, work = distributions_of(Independent(n, density)), work_for(n)
    distribution, point = tables.blank(), point_for(1, n)
    enter_distribution(distribution, point, tables.weight, tables.importance, 0)
    work.g[:], work.order[:] = g, np.arange(n)
    q, value, by_b, rounding, rounding_b = in_pairs(distribution, work, n, own, b, POLYNOMIAL)
    odds = [Fraction(float(p)) / (1 - Fraction(float(p))) for p in density]
    exact, exact_b, slope = twin([Fraction(float(one)) for one in g], Fraction(b), odds, own)
    assert q == 0.5
    assert abs(value - float(q * exact)) <= rounding + 1e-14 * abs(value)
    assert abs(by_b - float(q * exact_b)) <= rounding_b + 1e-14 * abs(by_b)
    np.testing.assert_allclose(work.slope, [float(q * one) for one in slope], rtol=1e-12, atol=rounding_b + 1e-15)
    assert rounding < 1e-12
