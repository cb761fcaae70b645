"""Alignment: what one position means, and the closest position against a search over every turn and permutation."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tegum.errors import InvalidInputError
from tegum.geometry import aligned, aligned_to, gram

PAIRS = [[0, 1], [2, 3], [4, 5]]


def orthogonal(seed: int, m: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(m, m)))[0]


def directions(*degrees: float) -> np.ndarray:
    return np.stack([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])


def test_the_first_feature_lies_along_the_first_axis_and_the_next_on_the_positive_side() -> None:
    W = directions(130, 60, -20) * [2.0, 1.0, 1.0]
    norms = [2.0, 1.0, 1.0]
    np.testing.assert_allclose(aligned(W), directions(0, 70, 150) * norms, atol=1e-9)
    np.testing.assert_allclose(aligned(W, order=[1]), directions(70, 0, -80) * norms, atol=1e-9)
    np.testing.assert_allclose(aligned(W, axes=[1]), directions(90, 20, -60) * norms, atol=1e-9)
    assert aligned(W, order=[2], axes=[1])[1, 2] == pytest.approx(1)


def test_faint_and_parallel_features_define_no_axis() -> None:
    W = directions(40, 100, 222, 300) * [0.01, 1.0, 1.0, 1.0]
    W[:, 2] = -W[:, 1]
    turned = aligned(W, axes=[1])
    np.testing.assert_allclose(turned[:, 1:3], [[0, 0], [1, -1]], atol=1e-9)
    assert turned[0, 3] > 0.3


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.integers(1, 4), n=st.integers(1, 6))
def test_a_batch_is_turned_model_by_model(seed: int, m: int, n: int) -> None:
    generator = np.random.default_rng(seed)
    W = generator.normal(size=(2, 3, m, n))
    order, axes = generator.permutation(n)[:2].tolist(), generator.permutation(m)[:1].tolist()
    turned = aligned(W, order, axes)
    np.testing.assert_allclose(gram(turned), gram(W), atol=1e-9)
    np.testing.assert_array_equal(turned[1, 2], aligned(W[1, 2], order, axes))
    first = order[0]
    if np.linalg.norm(W[0, 0, :, first]) > 0.2 * np.linalg.norm(W[0, 0], axis=0).max():
        assert turned[0, 0, axes[0], first] == pytest.approx(np.linalg.norm(W[0, 0, :, first]))


def test_single_precision_stays_and_diverged_models_stay_diverged() -> None:
    W = np.stack([directions(10, 80), np.full((2, 2), np.nan)]).astype(np.float32)
    turned = aligned(W)
    assert turned.dtype == np.float32
    assert np.isnan(turned[1]).all()
    np.testing.assert_allclose(aligned_to(W, turned[0])[0][0], turned[0], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.integers(1, 4), n=st.integers(4, 7))
def test_turned_mirrored_and_renumbered_models_come_back(seed: int, m: int, n: int) -> None:
    generator = np.random.default_rng(seed)
    W = generator.normal(size=(m, n))
    swapped = np.arange(n)
    swapped[[0, 2, 3]] = generator.permutation([0, 2, 3])
    other = orthogonal(seed, m) @ W[:, swapped]
    back, features = aligned_to(other, W, groups=[[0, 2, 3]])
    np.testing.assert_allclose(back, W, atol=1e-9)
    if m > 1:
        np.testing.assert_array_equal(swapped[features], np.arange(n))


def test_groups_change_places_as_a_whole_only_where_they_may() -> None:
    generator = np.random.default_rng(3)
    W = generator.normal(size=(2, 6))
    other = orthogonal(5, 2) @ W[:, [3, 2, 4, 5, 0, 1]]
    np.testing.assert_allclose(aligned_to(other, W, PAIRS, whole=True)[0], W, atol=1e-9)
    assert np.linalg.norm(aligned_to(other, W, PAIRS)[0] - W) > 0.1


def test_the_closest_position_against_every_angle_and_permutation() -> None:
    generator = np.random.default_rng(1)
    W, reference = generator.normal(size=(2, 2, 4))
    found, features = aligned_to(W, reference, groups=[[1, 2, 3]])
    slow = np.inf
    for order in permutations([1, 2, 3]):
        for angle in np.linspace(0, 2 * np.pi, 721):
            for side in (1, -1):
                Q = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([1, side])
                slow = min(slow, np.linalg.norm(Q @ W[:, [0, *order]] - reference))
    closest = np.linalg.norm(found - reference)
    assert closest <= slow
    assert closest == pytest.approx(slow, rel=1e-3)
    np.testing.assert_allclose(gram(found), gram(W[:, features]), atol=1e-12)


def test_a_batch_has_one_reference_or_one_each() -> None:
    W = np.random.default_rng(2).normal(size=(3, 2, 4))
    groups = [[0, 1], [2, 3]]
    one, features = aligned_to(W, W[0], groups)
    each, _ = aligned_to(W, W, groups)
    np.testing.assert_allclose(each, W, atol=1e-12)
    assert features.shape == (3, 4)
    for model, turned in zip(W, one, strict=True):
        np.testing.assert_array_equal(aligned_to(model, W[0], groups)[0], turned)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: aligned(np.eye(2), order=[0, 0]), r"order names \[0, 0\]: name each of 0 to 1 at most once"),
        (lambda: aligned(np.eye(2), axes=[2]), r"axes names \[2\]"),
        (lambda: aligned_to(np.eye(2), np.eye(3)), r"models have shape \(2, 2\) and the reference \(3, 3\)"),
        (lambda: aligned_to(np.eye(3), np.eye(3), groups=[[0, 1], [1, 2]]), r"groups names \[0, 1, 1, 2\]"),
        (lambda: aligned_to(np.eye(9), np.eye(9), groups=[range(9)]), "the groups allow 362,880 permutations"),
    ],
)
def test_mistakes(call: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        call()  # type: ignore[operator]
