"""The motif detector finds the hand-built motif in any order, sign and scale, and nothing in other nets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tegum as tg
from tegum.geometry import hand_built_motif, motifs
from tegum.geometry.motif import responses


def test_the_motif_of_the_paper_is_found() -> None:
    (found,) = motifs(*hand_built_motif(4))
    assert (found.neuron, found.inhibitor, found.culprit, found.victim) == (0, 1, 0, 1)
    assert (found.ratio, found.product) == pytest.approx((4, 1))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), ratio=st.floats(2.5, 12))
def test_it_is_found_in_any_order_sign_and_scale_and_under_noise(seed: int, ratio: float) -> None:
    generator = np.random.default_rng(seed)
    W1, W2 = hand_built_motif(ratio)
    scale, flip = generator.uniform(0.2, 5, 5), generator.choice([-1, 1], 3)
    neurons, features = generator.permutation(5), generator.permutation(3)
    V1 = (scale[:, None] * W1 * flip)[neurons][:, features]
    V2 = (W2 / scale)[features][:, neurons]
    noise = generator.uniform(0.97, 1.03, (2, 5, 3))
    found = motifs(V1 * noise[0], V2 * noise[1].T)
    assert (neurons.tolist().index(0), features.tolist().index(0)) in {(each.neuron, each.culprit) for each in found}


def test_symmetric_and_uninhibited_versions_are_refused() -> None:
    assert motifs(*hand_built_motif(1)) == []
    assert motifs(*hand_built_motif(1.9)) == []
    assert motifs(*hand_built_motif(4, inhibited=False)) == []


def test_ordinary_nets_and_zero_are_refused() -> None:
    W1 = np.vstack([np.eye(3), -np.eye(3)])
    assert motifs(W1, np.hstack([np.eye(3), np.eye(3)])) == []
    assert motifs(np.zeros((4, 3)), np.zeros((3, 4))) == []


def test_random_nets_are_refused() -> None:
    generator = np.random.default_rng(0)
    nets = [(generator.normal(size=(10, 6)), generator.normal(size=(6, 10))) for _ in range(500)]
    assert np.mean([bool(motifs(*net)) for net in nets]) < 0.03
    assert not any(motifs(0.35 * W1, 0.35 * W2) for W1, W2 in nets)


def test_responses_are_those_of_the_net() -> None:
    generator = np.random.default_rng(0)
    W1, W2 = generator.normal(size=(4, 3)), generator.normal(size=(3, 4))
    for sign in (1, -1):
        y = tg.nets.AbsoluteValue(3, 4).forward({"W1": W1, "W2": W2, "b": np.zeros(3)}, sign * np.eye(3))
        np.testing.assert_allclose(np.maximum(responses(W1, W2, sign).T, 0), y)


def test_the_hand_built_net_computes_absolute_values_of_single_features_nearly() -> None:
    W1, W2 = hand_built_motif(4)
    np.testing.assert_allclose(np.maximum(responses(W1, W2, 1), 0), np.eye(3))
    np.testing.assert_allclose(np.maximum(responses(W1, W2, -1), 0), np.eye(3) + 0.25 * np.outer([1, 0, 0], [0, 1, 0]))
    with pytest.raises(tg.InvalidInputError):
        hand_built_motif(0)
