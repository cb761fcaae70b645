"""Two features in one dimension, in closed form: against rational arithmetic, and the limit of a pair against a search."""

from fractions import Fraction

import numpy as np
import pytest

import tegum as tg
from tegum.theory.stored_pair import cost_of_a_trace, descended_pair, pair_limit, stored_pair
from tests.oracle.rational import row

RNG = np.random.default_rng(0)
POINTS = [
    (1.0, -1.0, 0.0, 0.0),
    (0.9, -0.5, 0.2, 0.4),
    (1.1, 0.3, -0.25, 0.125),
    (0.75, 0.5, -0.75, -0.1),
    (1.0, 0.0, 0.0, 0.25),
    (2e-8, -1e-8, 0.1, 0.2),
    (0.0, 0.0, -0.5, 0.5),
    (0.5, -2.0, 0.3, -1.5),
]


@pytest.mark.parametrize("point", POINTS, ids=str)
@pytest.mark.parametrize(("density", "ratio", "weight"), [(0.25, 1.0, 0.0), (0.7, 0.3, 0.02), (1.0, 2.0, 0.5)])
def test_the_objective_and_its_gradient_are_those_of_rational_arithmetic(
    point: tuple[float, ...], density: float, ratio: float, weight: float
) -> None:
    w1, w2, b1, b2 = map(Fraction, point)
    features = tg.features.Independent(2, density=density)
    G = [[w1 * w1, w1 * w2], [w1 * w2, w2 * w2]]
    rows = [row(features, k, G[k], b) for k, b in enumerate((b1, b2))]
    r, penalty, s = Fraction(ratio), Fraction(weight), w1 * w2
    value = rows[0].squared_error + r * rows[1].squared_error + 2 * penalty * s * s
    across = rows[0].by_coupling[1] + r * rows[1].by_coupling[0] + 4 * penalty * s
    gradient = [
        2 * w1 * rows[0].by_coupling[0] + w2 * across,
        2 * w2 * r * rows[1].by_coupling[1] + w1 * across,
        rows[0].by_bias,
        r * rows[1].by_bias,
    ]
    found, slope, _ = stored_pair(point, density, ratio, weight)
    assert float(found) == pytest.approx(float(value), rel=1e-14, abs=1e-16)
    if all(each.smooth for each in rows):
        np.testing.assert_allclose(slope, [float(one) for one in gradient], rtol=1e-13, atol=1e-15)


def test_the_hessian_is_the_derivative_of_the_gradient() -> None:
    x = RNG.normal(size=(50, 4)) * [1, 1, 0.4, 0.4]
    p, r, weight = RNG.uniform(0.01, 1, 50), RNG.uniform(0.1, 2, 50), RNG.uniform(0, 0.1, 50)
    h = 1e-6 * np.eye(4)
    measured = np.stack([(stored_pair(x + e, p, r, weight)[1] - stored_pair(x - e, p, r, weight)[1]) / 2e-6 for e in h], axis=1)
    np.testing.assert_allclose(stored_pair(x, p, r, weight)[2], measured, atol=2e-8)


@pytest.mark.parametrize("density", [0.125, 0.5, 0.875])
def test_a_trace_of_another_feature_costs_what_is_said(density: float) -> None:
    """To third order in e, at the best bias and weight; and the bound of the docstring is one of the choices."""
    e, p = 1e-4, density
    slope = 2 - 3.5 * p + 2 * p * p
    (beta,) = [root for root in np.roots([p * (1 - p), slope, -p * p / 4]) if root > 0]
    gamma = 0.75 * p - 1.5 * beta
    for (by_bias, by_weight), cost in (
        ((beta, gamma), float(cost_of_a_trace(p))),
        ((p / 2, 0), p / 3 - p * p / 4 - p * (1 - p) * (2 - p) ** 3 / 24),
    ):
        x = [np.sqrt(1 + by_weight * e), -e, by_bias * e, p / 2 + p * e / 2]
        above = stored_pair(x, p, 0.6)[0] - 0.6 * (p / 3 - p * p / 4)
        assert above / e**2 == pytest.approx(cost - 0.6 * (p / 3 - p * p / 4), abs=1e-3)
    assert cost_of_a_trace(p) <= cost


def test_up_to_the_limit_a_pair_is_lower_and_beyond_it_nothing_is() -> None:
    p, r = np.array([0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.3]), np.array([0.3, 1.0, 0.7, 0.9, 1.0, 1.0, 1.6])
    limit, alone = pair_limit(p, r), np.minimum(r, 1) * (p / 3 - p * p / 4)
    at = stored_pair(limit["x"], p, r, limit["weight"])[0]
    np.testing.assert_allclose(at, alone, rtol=1e-12)
    starts = np.concatenate([RNG.normal(size=(60, 2)), RNG.uniform(0, 0.4, (60, 2))], axis=1)
    for factor, lower in ((0.98, True), (1.02, False)):
        lowest = descended_pair(starts[:, None], p, r, factor * limit["weight"])[1].min(axis=0)
        assert ((lowest < alone * (1 - 1e-9)) == lower).all()


def test_the_limit_tends_to_what_dropping_costs_and_both_features_may_change_places() -> None:
    p = np.array([1e-2, 1e-3])
    for r in (0.4, 1.0):
        share = pair_limit(p, r)["weight"] / (r * (p / 3 - p * p / 4))
        assert (np.diff(1 - share) < 0).all()
        assert share[-1] == pytest.approx(1, abs=0.03)
    np.testing.assert_allclose(pair_limit(0.2, 1.25)["weight"], 1.25 * pair_limit(0.2, 0.8)["weight"], rtol=1e-12)


def test_where_the_pair_fades_the_limit_is_a_formula() -> None:
    limit = pair_limit(0.7, [0.8, 0.95])
    assert limit["fades"].all()
    v = 0.7 / 3 - 0.49 / 4
    np.testing.assert_allclose(limit["weight"], (np.array([0.8, 0.95]) * v - cost_of_a_trace(0.7)) / 2, rtol=1e-13)


def test_where_no_pair_is_ever_stored_nothing_fades() -> None:
    limit = pair_limit([0.7, 0.95, 0.7], [0.9, 0.9, 0.5])
    assert (limit["weight"] > 0).tolist() == limit["fades"].tolist() == [True, False, False]
    np.testing.assert_array_equal(limit["x"][1:, :2], [[1, 0], [1, 0]])


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(tg.InvalidInputError, match=r"x has shape \(3,\): give"):
        stored_pair([1, 2, 3], 0.1)
    with pytest.raises(tg.InvalidInputError, match="density is"):
        pair_limit(0.0)
