"""Scores of polysemanticity on neurons whose values are known, and the scale that a ReLU neuron does not have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

import tegum as tg
from tegum.geometry import (
    left_out,
    main_features,
    monosemantic,
    neuron_order,
    participation_ratio,
    rescaled_neurons,
    second_to_first,
    weights_above,
)
from tegum.geometry.neurons import inactive_neurons, primary_share, random_rotations
from tegum.nets import AbsoluteValue


def test_known_neurons() -> None:
    W = np.array([[2.0, -1, 0], [0, 0, 3], [1, 1, 1], [0, 0, 0]])
    np.testing.assert_allclose(participation_ratio(W), [25 / 17, 1, 3, 0])
    assert weights_above(W).tolist() == [2, 1, 3, 0]
    np.testing.assert_allclose(second_to_first(W), [0.5, 0, 1, 0])
    np.testing.assert_allclose(left_out(W), [1 / 5, 0, 2 / 3, 0])
    assert monosemantic(W).tolist() == [False, True, False, False]
    assert monosemantic(W, 0.5).tolist() == [True, True, False, False]
    assert inactive_neurons(W).tolist() == [False, False, False, True]
    assert main_features(W)[:2].tolist() == [0, 2]
    assert second_to_first(np.ones((2, 1))).tolist() == [0, 0]


def test_order_is_by_main_feature_then_sign_with_inactive_neurons_last() -> None:
    W = np.array([[0, 0.001, 0], [0, 0, 3], [-2.0, 0.5, 0], [1, 0, 0], [1.5, 0, 0]])
    assert neuron_order(W).tolist() == [4, 3, 2, 1, 0]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 8), m=st.integers(1, 6))
def test_scores_are_those_of_the_neuron_not_of_its_scale(seed: int, n: int, m: int) -> None:
    generator = np.random.default_rng(seed)
    W, scale = generator.normal(size=(3, m, n)), generator.uniform(0.01, 100, (3, m, 1))
    for score in (participation_ratio, weights_above, second_to_first, left_out, monosemantic, main_features):
        np.testing.assert_allclose(score(scale * W), score(W), rtol=1e-9)
        np.testing.assert_allclose(score(W), np.stack([score(each) for each in W]))
    ratio = participation_ratio(W)
    assert (ratio >= 1 - 1e-9).all()
    assert (ratio <= n + 1e-9).all()
    assert (1 / ratio >= (1 - left_out(W)) ** 2 - 1e-9).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rescaling_changes_the_weights_and_not_the_function(seed: int) -> None:
    generator = np.random.default_rng(seed)
    net = AbsoluteValue(4, 3)
    W1, W2, b = generator.normal(size=(2, 3, 4)), generator.normal(size=(2, 4, 3)), generator.normal(size=(2, 4))
    W1[0, 1] = 0
    V1, V2 = rescaled_neurons(W1, W2)
    x = generator.uniform(-1, 1, (2, 50, 4))
    np.testing.assert_allclose(net.forward({"W1": V1, "W2": V2, "b": b}, x), net.forward({"W1": W1, "W2": W2, "b": b}, x))
    assert abs(V1).max(axis=-1)[1] == pytest.approx(1)
    assert abs(V1[0, 1]).max() == 0


def test_random_rotations_keep_what_the_model_computes() -> None:
    W = np.random.default_rng(0).normal(size=(2, 3, 5))
    turned = random_rotations(W, 4, seed=1)
    assert turned.shape == (4, 2, 3, 5)
    gram = np.swapaxes(turned, -1, -2) @ turned
    np.testing.assert_allclose(gram, np.broadcast_to(np.swapaxes(W, -1, -2) @ W, gram.shape), atol=1e-12)
    assert not np.allclose(turned[0], turned[1])
    np.testing.assert_array_equal(turned, random_rotations(W, 4, seed=1))
    turns = ortho_group.rvs(3, size=4, random_state=np.random.default_rng(1))
    np.testing.assert_allclose(turned, turns[:, None] @ W, atol=1e-12)


def test_shares_of_primary_features_counted_by_hand() -> None:
    h = np.array([[4.0, 0], [3, 0], [2, 0], [1, 0], [0, 0]])
    active = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1]], dtype=bool)
    share = primary_share(h, active, np.array([0, 1]), 0.5, 1)
    assert share[0] == 1
    assert np.isnan(share[1])
    assert primary_share(h, active, np.array([0, 1]), 0, 0.5)[0] == 0
    assert primary_share(h, active, np.array([0, 1]), 0, 1)[0] == 0.5


def test_top_activations_look_monosemantic_where_secondary_weights_are_small() -> None:
    x = tg.features.Independent(6, density=0.05).sample(50_000, seed=0)
    W = np.array([[1.0, 0.2, 0.2, 0.2, 0.2, 0.2], [1.0] * 6])
    top, middle = (primary_share(x @ W.T, x > 0, np.array([0, 0]), *between) for between in ((0.99, 1), (0.4, 0.6)))
    assert top[0] > 0.95
    assert middle[0] < 0.5
    assert top[1] < 0.9


def test_quantiles_are_checked() -> None:
    with pytest.raises(tg.InvalidInputError):
        primary_share(np.ones((2, 1)), np.ones((2, 1), dtype=bool), np.array([0]), 0.6, 0.4)


def test_a_neuron_that_diverged_has_no_second_weight() -> None:
    W = np.array([[np.inf, 1.0], [np.nan, 1.0], [4.0, 1.0]])
    np.testing.assert_array_equal(second_to_first(W), [np.nan, np.nan, 0.25])
