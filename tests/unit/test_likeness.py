"""How like an arrangement features lie: against the best turn found by search, and against all permutations."""

from itertools import permutations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from tegum.errors import InvalidInputError
from tegum.geometry import dimensionality, feature_norms, likeness, likeness_by_chance, polygon, spectral_spread

PLANE = np.random.default_rng(0).normal(size=(20, 2, 6))


def by_search(W: np.ndarray, target: np.ndarray) -> float:
    """The best turn in the plane, mirrored or not, by trying many and improving the best."""
    best = 0.0
    for mirror in (1.0, -1.0):
        flipped = target * np.array([[1.0], [mirror]])

        def overlap(angle: float, flipped: np.ndarray = flipped) -> float:
            c, s = np.cos(angle), np.sin(angle)
            return float(np.sum(np.array([[c, -s], [s, c]]) @ W * flipped) / np.linalg.norm(W) / np.linalg.norm(target))

        start = max(np.linspace(0, 2 * np.pi, 60), key=overlap)
        end = minimize_scalar(lambda angle, f=overlap: -f(angle), bounds=(start - 0.2, start + 0.2), method="bounded")
        best = max(best, -end.fun)
    return best


def test_likeness_is_the_best_turn() -> None:
    target = polygon(6)
    found = likeness(PLANE, target)
    assert [by_search(W, target) for W in PLANE] == pytest.approx(found.tolist(), abs=1e-6)
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0][:, :2] @ (3 * target)
    assert likeness(turned, target) == pytest.approx(1)
    assert likeness(polygon(6)[:, [0, 2, 4, 1, 3, 5]], target) < 0.7
    assert likeness(np.zeros((2, 6)), target) == 0
    assert np.isnan(likeness(np.full((2, 6), np.nan), target))
    assert likeness(1e200 * polygon(6), target) == pytest.approx(1)


def test_chance_is_the_share_of_permutations() -> None:
    target = polygon(5)
    each = [likeness(target[:, list(order)], target) for order in permutations(range(5))]
    share = float(np.mean(np.array(each) > 1 - 1e-9))
    assert share == 10 / 120
    assert likeness_by_chance(target, target, permutations=4000) == pytest.approx(share, abs=0.02)
    random = np.random.default_rng(2).normal(size=(40, 3, 5))
    assert 0.35 < likeness_by_chance(random, target, permutations=200).mean() < 0.65
    assert likeness_by_chance(polygon(12), polygon(12)) == 1 / 1000
    assert np.isnan(likeness_by_chance(np.full((2, 5), np.inf), target))
    for wrong in (np.nan, np.inf):
        with pytest.raises(InvalidInputError, match="target has numbers that are not finite"):
            likeness_by_chance(target, wrong * np.ones((2, 5)))
    with pytest.raises(InvalidInputError, match="permutations is 0"):
        likeness_by_chance(target, target, permutations=0)


def test_spread_is_that_of_eigenvalues_by_a_features_own_weights() -> None:
    for W in np.random.default_rng(3).normal(size=(20, 3, 7)):
        values, vectors = np.linalg.eigh(W @ W.T)
        weights = (vectors.T @ (W / np.linalg.norm(W, axis=0))) ** 2
        mean = values @ weights
        spread = np.sqrt(values**2 @ weights - mean**2) / mean
        np.testing.assert_allclose(spectral_spread(W), spread, rtol=1e-7)
        np.testing.assert_allclose(dimensionality(W), feature_norms(W) ** 2 / mean, rtol=1e-12)
    apart = np.array([[1.0, -1, 0, 0], [0, 0, 2, 0]])
    assert spectral_spread(apart).tolist() == [0, 0, 0, 0]
    assert spectral_spread(np.full((2, 3), np.nan)).shape == (3,)
    sheared = np.array([[1.0, 1.0], [0.0, 1.0]])
    for size in (np.float64(1e-90), np.float32(1e-15)):  # squares of squares of which are no numbers any more
        np.testing.assert_allclose(spectral_spread(size * sheared.astype(size.dtype)), [0.5, 0.2], rtol=1e-6)
