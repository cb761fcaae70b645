"""Both samplers, NumPy's and the engine's, have the moments and densities that each distribution says."""

import numpy as np
import pytest

from tegum.features import Features, KSparse
from tegum.training import engine_samples
from tests.oracle.distributions import distributions
from tests.oracle.families import label

COUNT = 200_000
SIGMAS = 5.0


@pytest.fixture(scope="module", params=distributions(), ids=label)
def features(request: pytest.FixtureRequest) -> Features:
    return request.param


@pytest.fixture(scope="module", params=["numpy", "engine"])
def x(request: pytest.FixtureRequest, features: Features) -> np.ndarray:
    if request.param == "numpy":
        return features.sample(COUNT, seed=11)
    return engine_samples(features, COUNT, seed=11).astype(np.float64)


def within_error(measured: np.ndarray, expected: np.ndarray, values: np.ndarray) -> None:
    """The mean of ``values`` over samples is within 5 standard errors (of the expected law where it is constant)."""
    error = values.std(axis=0) / np.sqrt(COUNT)
    np.testing.assert_array_less(np.abs(measured - expected), SIGMAS * error + 2e-5)


def test_density(features: Features, x: np.ndarray) -> None:
    active = (x != 0).astype(float)
    within_error(active.mean(axis=0), features.feature_density, active)


def test_mean(features: Features, x: np.ndarray) -> None:
    within_error(x.mean(axis=0), features.mean(), x)


def test_second_moments(features: Features, x: np.ndarray) -> None:
    products = x[:, :, None] * x[:, None, :]
    within_error(products.mean(axis=0), features.second_moment(), products)


def test_which_features_are_active_together(features: Features, x: np.ndarray) -> None:
    active = x != 0
    together = (active[:, :, None] & active[:, None, :]).astype(float)
    within_error(together.mean(axis=0), features.joint_density(), together)


def test_magnitudes_follow_their_law(features: Features, x: np.ndarray) -> None:
    size = np.sort(np.abs(x[x != 0]))
    grid = np.linspace(0.05, 0.95, 19)
    expected = features.magnitude.quantile(grid)
    below = np.searchsorted(size, expected, side="right") / size.size
    if type(features.magnitude).__name__ == "Constant":
        assert np.allclose(size, expected[0])
    else:
        np.testing.assert_allclose(below, grid, atol=SIGMAS * 0.5 / np.sqrt(size.size / features.n_features))


def test_signs_are_fair(features: Features, x: np.ndarray) -> None:
    positive = (x > 0).sum() / max((x != 0).sum(), 1)
    assert positive == pytest.approx(0.5, abs=0.01) if features.signed else positive == 1.0


def test_covariance_is_what_the_moments_say(features: Features, x: np.ndarray) -> None:
    np.testing.assert_allclose(np.cov(x.T), features.covariance(), atol=0.06 * max(features.second_moment().max(), 0.1))


def test_k_sparse_has_exactly_k() -> None:
    for draw in (KSparse(9, 4).sample(1000, 0), engine_samples(KSparse(9, 4), 1000, 0)):
        assert ((draw != 0).sum(axis=1) == 4).all()


def test_anticorrelated_members_never_meet() -> None:
    features = distributions()[6]
    for draw in (features.sample(20_000, 0), engine_samples(features, 20_000, 0)):
        assert ((draw.reshape(-1, 2, 3) != 0).sum(axis=2) <= 1).all()


def test_the_same_seed_gives_the_same_samples(features: Features) -> None:
    np.testing.assert_array_equal(features.sample(100, 5), features.sample(100, 5))
    np.testing.assert_array_equal(engine_samples(features, 100, 5), engine_samples(features, 100, 5))
    assert not np.array_equal(features.sample(100, 5), features.sample(100, 6)) or features.n_features == 1


def test_lanes_of_the_engine_are_independent() -> None:
    from tegum.features import Independent

    lanes = engine_samples(Independent(3), 64 * 20_000, seed=1)[:, 0].reshape(-1, 64)
    correlation = np.corrcoef(lanes.T) - np.eye(64)
    assert np.abs(correlation).max() < 6 / np.sqrt(len(lanes))
