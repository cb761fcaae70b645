"""Purity: 1 for built polytopes, 0 for random directions, and features of their own do not count."""

import numpy as np
import pytest

from tegum.geometry import polygon, simplex
from tegum.geometry.identification import level_distance, purity
from tests.oracle.polytopes import summed

PENTAGON_AND_THREE = summed([polygon(5), np.eye(3)])


def turned(W: np.ndarray, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    rotation = np.linalg.qr(generator.standard_normal((len(W), len(W))))[0]
    return (rotation @ W)[:, generator.permutation(W.shape[1])]


@pytest.mark.parametrize("seed", range(3))
def test_built_polytopes_are_pure(seed: int) -> None:
    W = turned(summed([polygon(5), simplex(4), simplex(2)]), seed)
    assert purity(W) == 1
    assert level_distance(W) == pytest.approx(0, abs=1e-12)
    assert level_distance(W + 0.03 * np.random.default_rng(seed).standard_normal(W.shape)) > 1e-3


def test_random_directions_are_not() -> None:
    W = np.random.default_rng(1).standard_normal((4, 6, 20))
    assert (purity(W) == 0).all()
    assert np.isnan(level_distance(W)).all()


def test_part_pure() -> None:
    generator = np.random.default_rng(5)
    others = generator.standard_normal((5, 15))
    W = summed([polygon(5), others / np.linalg.norm(others, axis=0)])
    assert purity(W) == pytest.approx(5 / 20)


def test_features_with_a_dimension_of_their_own_do_not_count() -> None:
    assert purity(turned(PENTAGON_AND_THREE, 0)) == 1
    assert np.isnan(purity(np.eye(4)))
    assert np.isnan(purity(np.zeros((2, 3))))


def test_leading_axes_are_models() -> None:
    W = np.stack([PENTAGON_AND_THREE, turned(PENTAGON_AND_THREE, 1)])[None]
    assert purity(W).shape == level_distance(W).shape == (1, 2)
