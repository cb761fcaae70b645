"""The expansion by active features against sampling, closed forms and brute force over sets."""

from itertools import product

import numpy as np
import pytest

import tegum as tg
from tegum.theory.expansion import MOST_EXPANDED, best_polygon, losses_by_count, polygon_loss, shares_by_count

W = np.array([[1.0, -0.6, 0.3], [0.2, 0.9, -0.7]])
B = np.array([0.1, -0.05, 0.0])


def test_two_digons_lose_only_where_both_of_a_pair_are_active() -> None:
    digons = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]])
    np.testing.assert_allclose(losses_by_count(digons, np.zeros(4), tg.features.Independent(4))[:3], [0, 0, 2 / 3], atol=1e-9)


def test_each_part_is_what_sampling_its_sets_gives() -> None:
    importance = np.array([1.0, 0.5, 2.0])
    L = losses_by_count(W, B, tg.features.Independent(3, importance=importance))
    x = np.random.default_rng(0).random((400_000, 3))
    sampled = np.zeros(4)
    for active in product([0, 1], repeat=3):
        y = np.maximum((x * active) @ W.T @ W + B, 0)
        sampled[sum(active)] += ((x * active - y) ** 2 * importance).sum(axis=1).mean()
    np.testing.assert_allclose(L, sampled, atol=5e-3)


def test_the_parts_sum_to_the_expected_loss() -> None:
    L = losses_by_count(W, B, tg.features.Independent(3))
    p = np.array([0.01, 0.2, 0.7])
    exact = [float(tg.exact.loss(W, B, tg.features.Independent(3, density=x))) for x in p]
    np.testing.assert_allclose(shares_by_count(L, p).sum(axis=-1), exact, rtol=1e-8)


def test_parts_and_densities_are_broadcast() -> None:
    models = np.stack([losses_by_count(scale * W, B, tg.features.Independent(3)) for scale in (0.5, 1.0)])
    p = np.array([0.01, 0.2, 0.7])
    every = shares_by_count(models[:, None], p)
    assert every.shape == (2, 3, 4)
    np.testing.assert_array_equal(every[1, 2], shares_by_count(models[1], 0.7))
    np.testing.assert_array_equal(shares_by_count(models, p[:2])[1], every[1, 1])


def test_too_many_features() -> None:
    n = MOST_EXPANDED + 1
    with pytest.raises(tg.InvalidInputError, match="at most 14"):
        losses_by_count(np.ones((1, n)), np.zeros(n), tg.features.Independent(n))


def test_the_best_polygons() -> None:
    assert best_polygon(4)[0] == pytest.approx(0, abs=1e-12)
    loss, norm, bias = best_polygon(5)
    assert (loss, norm, bias) == (
        pytest.approx(0.015826, abs=1e-6),
        pytest.approx(1.1705, abs=1e-3),
        pytest.approx(-0.2823, abs=1e-3),
    )
    for other in ((norm * 1.01, bias), (norm * 0.99, bias), (norm, bias + 0.01), (norm, bias - 0.01)):
        assert polygon_loss(5, *other) > loss
