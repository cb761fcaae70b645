"""Closed forms against printed values, quadrature and sampling."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad, quad

from tegum.errors import InvalidInputError
from tegum.features import CorrelatedSets, Features, Independent, Joined, Uniform
from tegum.geometry import ignoring
from tegum.nets import Linear
from tegum.theory import dropped_loss, linear_loss, pair_boundary, paired_loss, simplex_loss, sparse_loss, two_in_one_loss
from tegum.theory.candidates import best_simplex, phase_losses, shared_loss
from tegum.theory.expansion import active_error, inactive_error, loss_nothing_active, losses_one_active
from tegum.theory.linear import feature_benefit, linear_interference
from tests.oracle.distributions import distributions
from tests.oracle.families import label

numbers = st.floats(1e-8, 2) | st.floats(-2, -1e-8) | st.sampled_from([0.0, 1.0, -1.0])


def kinks(slope: float, bias: float) -> list[float]:
    root = -bias / slope if slope else -1.0
    return [root] if 0 < root < 1 else []


@settings(max_examples=200, deadline=None)
@given(slope=numbers, bias=numbers)
def test_the_two_integrals(slope: float, bias: float) -> None:
    points = kinks(slope, bias) or None
    inactive = quad(lambda x: max(slope * x + bias, 0) ** 2, 0, 1, points=points, epsabs=1e-13)[0]
    active = quad(lambda x: (x - max(slope * x + bias, 0)) ** 2, 0, 1, points=points, epsabs=1e-13)[0]
    assert inactive_error(slope, bias) == pytest.approx(inactive, abs=1e-11)
    assert active_error(slope, bias) == pytest.approx(active, abs=1e-11)


def test_printed_values() -> None:
    assert active_error(1, 0) == 0
    assert active_error(1.2, -0.2) == pytest.approx(0.0092593, abs=1e-7)
    assert inactive_error(0.3, -0.1) == pytest.approx(0.0088889, abs=1e-7)
    assert inactive_error(-0.4, 0.2) == pytest.approx(0.0066667, abs=1e-7)
    assert two_in_one_loss(0.9, -0.5, 0.3, 2.0) == pytest.approx(0.144668, abs=1e-6)
    assert pair_boundary([1, 0.1, 10]) == pytest.approx([4 / 7, 0.16, 0.16])


def test_candidates_meet_at_the_boundary() -> None:
    r = np.array([0.1, 0.3, 1.0])
    p = pair_boundary(r)
    np.testing.assert_allclose(paired_loss(p, 1, r), dropped_loss(p, r))
    assert two_in_one_loss(1, -1, 0.3, 0.5) == pytest.approx(paired_loss(0.3, 1, 0.5))


@settings(max_examples=25, deadline=None)
@given(w1=numbers, w2=numbers, p=st.floats(0, 1), r=st.floats(0.1, 10))
def test_the_surface_of_two_in_one(w1: float, w2: float, p: float, r: float) -> None:
    def error(a: float, s: float) -> float:
        def row(x: float) -> float:
            return quad(lambda z: (x - max(a * x + s * z, 0)) ** 2, 0, 1, points=kinks(s, a * x) or None)[0]

        corner = [-s / a] if a and 0 < -s / a < 1 else None
        return quad(row, 0, 1, points=corner, epsabs=1e-10)[0]

    s = w1 * w2
    one = ((1 - w1**2) ** 2 + (r + 1) * max(s, 0) ** 2 + r * (1 - w2**2) ** 2) / 3
    expected = p * (1 - p) * one + p * p * (error(w1**2, s) + r * error(w2**2, s))
    assert two_in_one_loss(w1, w2, p, r) == pytest.approx(expected, abs=1e-7, rel=1e-7)


@pytest.mark.parametrize("features", distributions(), ids=label)
def test_the_linear_loss_for_every_distribution(features: Features) -> None:
    generator = np.random.default_rng(1)
    W, b = generator.normal(size=(2, features.n_features)) / 2, generator.normal(size=features.n_features) / 3
    x = features.sample(100_000, seed=2)
    losses = (x - Linear(features.n_features, 2).forward({"W": W, "b": b}, x)) ** 2 @ features.importance
    error = losses.std() / np.sqrt(len(x))
    assert linear_loss(W, b, features) == pytest.approx(losses.mean(), abs=5 * error)


def test_benefit_and_interference_are_the_loss_at_unit_variance() -> None:
    generator = np.random.default_rng(3)
    W = generator.normal(size=(3, 6))
    ones = np.ones(6)
    gap = np.linalg.norm(np.eye(6) - W.T @ W) ** 2
    assert feature_benefit(W, ones) + linear_interference(W, ones) == pytest.approx(gap)
    importance = generator.uniform(0.1, 2, 6)
    rows = ((np.eye(6) - W.T @ W) ** 2).sum(axis=1)
    assert feature_benefit(W, importance) + linear_interference(W, importance) == pytest.approx(importance @ rows)


def test_at_most_one_active() -> None:
    generator = np.random.default_rng(4)
    W, b = generator.normal(size=(2, 4)), generator.normal(size=4) / 4
    G, importance = W.T @ W, np.array([1.0, 0.5, 2.0, 1.0])
    x = np.zeros((4, 100_001, 4))
    for i in range(4):
        x[i, :, i] = np.linspace(0, 1, 100_001)
    y = np.maximum(np.einsum("ji,asi->asj", G, x) + b, 0)
    np.testing.assert_allclose(losses_one_active(G, b, importance), ((x - y) ** 2 @ importance).mean(axis=1), rtol=1e-4)
    assert loss_nothing_active(b, importance) == pytest.approx(importance @ np.maximum(b, 0) ** 2)
    p = np.array([0.1, 0.2, 0.05, 0.3])
    alone = [p[i] * np.prod(np.delete(1 - p, i)) for i in range(4)]
    expected = np.prod(1 - p) * loss_nothing_active(b, importance) + alone @ losses_one_active(G, b, importance)
    assert sparse_loss(G, b, Independent(4, p, importance)) == pytest.approx(expected)
    for others in (1, 3):
        with pytest.raises(InvalidInputError, match=f"G has 4 features and the distribution {others}: choose the same number"):
            sparse_loss(G, b, Independent(others, 0.1))
    with pytest.raises(InvalidInputError, match="needs independent features"):
        sparse_loss(G, b, CorrelatedSets(2, 2, 0.1))
    longer = Independent(2, 0.1, magnitude=Uniform(0.0, 2.0))
    for features in (Joined([longer, longer]), Joined([Independent(2, 0.1), longer])):
        with pytest.raises(InvalidInputError, match=r"uniform on \[0, 1\]"):
            sparse_loss(G, b, features)


def test_dense_pairs_by_brute_force() -> None:
    a, s = 0.81, -0.45
    brute = dblquad(lambda z, x: (x - max(a * x + s * z, 0)) ** 2, 0, 1, 0, 1)[0]
    one_sided = two_in_one_loss(0.9, -0.5, 1.0, 0.0)
    assert one_sided == pytest.approx(brute, abs=1e-6)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_ignoring_the_diagonal_gives_a_simplex(size: int) -> None:
    W = ignoring(np.ones((1, size)))
    np.testing.assert_allclose(W.T @ W, np.eye(size) * size / (size - 1) - 1 / (size - 1), atol=1e-12)


def test_what_a_simplex_costs() -> None:
    p = np.array([0.05, 0.3, 1.0])
    np.testing.assert_allclose(simplex_loss(1, p), dropped_loss(p))
    np.testing.assert_allclose(simplex_loss(2, p), p**2 / 6)
    np.testing.assert_allclose(simplex_loss(3, p), p**2 / 8 + p**3 / 24)
    x = np.random.default_rng(0).random((200_000, 4)) * (np.random.default_rng(1).random((200_000, 4)) < 0.3)
    W = 1.1 * ignoring(np.ones((1, 4)))
    errors = ((x - np.maximum(x @ W.T @ W - 0.02, 0)) ** 2).sum(axis=1) / 4
    sampled = errors.mean()
    assert simplex_loss(4, 0.3, 1.1, -0.02) == pytest.approx(sampled, abs=5 * errors.std() / 200_000**0.5)


def test_the_best_simplex_is_no_worse_and_stationary() -> None:
    p = np.array([0.1, 0.5, 0.9])
    loss, norm, bias = best_simplex(3, p)
    assert (loss <= simplex_loss(3, p)).all()
    for k in range(3):
        for moved in (
            (norm[k] * 1.01, bias[k]),
            (norm[k] * 0.99, bias[k]),
            (norm[k], bias[k] + 0.01),
            (norm[k], bias[k] - 0.01),
        ):
            assert loss[k] < simplex_loss(3, p[k], *moved)


def test_the_least_important_share() -> None:
    np.testing.assert_allclose(shared_loss(0.3, [1, 1, 0.6]), [0.0465, 0.024, 0.032175])
    p = 0.2
    for importance in ([1, 1, 0.1], [2, 0.5, 1]):
        every = [dropped_loss(p, i) for i in importance] + [
            paired_loss(p, a, b) for a, b in itertools.combinations(importance, 2)
        ]
        assert shared_loss(p, importance)[:2].min() == pytest.approx(min(every))


def test_sizes_that_make_no_sense() -> None:
    with pytest.raises(InvalidInputError, match="size is 0"):
        simplex_loss(0, 0.5)


def test_the_phases_of_the_extra_feature_cover_every_simplex() -> None:
    p, r = np.array([[0.1], [0.6]]), np.array([0.5, 2.0])
    losses = phase_losses(4, p, r)
    assert len(losses) == 7
    assert all(value.shape == (2, 2) for value in losses.values())
    for k, ratio in enumerate(r):
        expected = shared_loss(p[:, 0], np.broadcast_to([1, 1, 1, ratio], (2, 4)))
        np.testing.assert_allclose(np.min([value[:, k] for value in losses.values()], axis=0), expected.min(axis=-1))
    with pytest.raises(InvalidInputError, match="n_features is 1"):
        phase_losses(1, p, r)
