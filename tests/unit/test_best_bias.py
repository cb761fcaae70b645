"""Best biases, beside a search of all of a line."""

import numpy as np
import pytest

import tegum as tg


@pytest.mark.parametrize("size", [0.5, 40.0, 80.0])
def test_no_bias_on_the_line_is_better_however_large_couplings_are(size: float) -> None:
    rng, features = np.random.default_rng(0), tg.features.Independent(3, 0.1)
    for _ in range(4):
        G = rng.normal(size=(3, 3)) * size
        found = tg.exact.squared_errors(G, tg.exact.best_bias(G, features, tied=False), features, tied=False)
        line = np.linspace(-9 * size, 9 * size, 10_001)[:, None] * np.ones(3)
        least = tg.exact.squared_errors(G, line, features, tol=1e-6, tied=False).min(axis=0)
        assert (found <= least * (1 + 1e-5)).all()


def test_the_best_bias_of_an_output_is_no_matter_of_importance() -> None:
    W, little = 0.4 * np.random.default_rng(0).normal(size=(5, 20)), np.where(np.arange(20) % 2, 1e-8, 1.0)
    found = [tg.exact.best_bias(W, tg.features.Independent(20, 0.3, importance=one)) for one in (little, 1.0)]
    np.testing.assert_array_equal(*found)


def test_a_narrow_well_is_found() -> None:
    """Where the own feature alone is above 0.95 the output fires: 9 % better than not to fire."""
    G, features = np.array([[40.0, -20.0], [-20.0, 40.0]]), tg.features.Independent(2, 0.1)
    np.testing.assert_allclose(tg.exact.best_bias(G, features, tied=False), -38.04, atol=0.02)
