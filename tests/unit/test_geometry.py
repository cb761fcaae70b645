"""Measures against shapes whose values are known, and the invariants that hold for any W."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tegum as tg
from tegum.errors import InvalidInputError
from tegum.geometry import (
    aligned,
    cosines,
    dimensionality,
    dimensions_per_feature,
    feature_norms,
    gram,
    interference,
    polar_angles,
)


def polygon(k: int) -> np.ndarray:
    angles = 2 * np.pi * np.arange(k) / k
    return np.stack([np.cos(angles), np.sin(angles)])


def random_matrix(seed: int, m: int, n: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    W = generator.normal(size=(m, n))
    W[:, generator.random(n) < 0.2] = 0
    return W


def test_known_shapes() -> None:
    np.testing.assert_allclose(dimensionality(np.eye(3)), 1)
    np.testing.assert_allclose(dimensionality(np.array([[1.0, -1.0]])), 1 / 2)
    for k in (3, 5, 7):
        np.testing.assert_allclose(dimensionality(polygon(k)), 2 / k)
    assert interference(np.array([[1.0, -1.0, 0.0]])).tolist() == [1, 1, 0]
    np.testing.assert_allclose(interference(np.array([[1.0, 0.5]]), root=True), [0.5, 1.0])
    assert dimensions_per_feature(np.array([[1.0, -1.0]])) == 0.5
    assert dimensions_per_feature(np.zeros((2, 3))) == np.inf
    np.testing.assert_allclose(polar_angles(polygon(5)), 72 * np.arange(5))
    assert feature_norms(np.array([[3.0], [4.0]])).tolist() == [5]
    assert cosines(np.array([[2.0, -1.0, 0.0]])).tolist() == [[1, -1, 0], [-1, 1, 0], [0, 0, 0]]
    with pytest.raises(InvalidInputError, match="3 hidden dimensions"):
        polar_angles(np.eye(3))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.integers(1, 6), n=st.integers(1, 12))
def test_invariants(seed: int, m: int, n: int) -> None:
    W = random_matrix(seed, m, n)
    turn = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(m, m)))[0]
    D = dimensionality(W)
    assert ((D >= 0) & (D <= 1 + 1e-12)).all()
    assert D.sum() <= np.linalg.matrix_rank(W) + 1e-9
    for measure in (feature_norms, gram, cosines, interference, dimensionality, dimensions_per_feature):
        np.testing.assert_allclose(measure(turn @ W), measure(W), atol=1e-9)
    assert ((W == 0).all(axis=0) == (D == 0)).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.integers(1, 5), n=st.integers(1, 8))
def test_alignment_removes_rotation_and_reflection(seed: int, m: int, n: int) -> None:
    W = random_matrix(seed, m, n) + np.eye(m, n)
    turn = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(m, m)))[0]
    turned = aligned(W)
    np.testing.assert_allclose(gram(turned), gram(W), atol=1e-9)
    norms = np.linalg.norm(W, axis=0)
    if n >= m and np.linalg.cond(W[:, :m]) < 5 and norms[:m].min() > 0.2 * norms.max():
        np.testing.assert_allclose(aligned(turn @ W), turned, atol=1e-8)
        assert turned[0, 0] == pytest.approx(norms[0])


def test_leading_axes_are_instances() -> None:
    several = np.stack([random_matrix(seed, 3, 5) for seed in range(4)])
    for measure in (feature_norms, gram, cosines, interference, dimensionality, dimensions_per_feature):
        np.testing.assert_allclose(measure(several), np.stack([measure(W) for W in several]))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.integers(2, 5), n=st.integers(1, 8))
def test_rotations_change_no_output_where_the_hidden_layer_is_linear(seed: int, m: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    W, b, x = rng.normal(size=(m, n)), rng.normal(size=n), rng.uniform(size=(20, n))
    turn = np.linalg.qr(rng.normal(size=(m, m)))[0]

    def change(net: tg.nets.Net) -> float:
        return float(abs(net.forward({"W": turn @ W, "b": b}, x) - net.forward({"W": W, "b": b}, x)).max())

    assert change(tg.nets.ReluOutput(n, m)) < 1e-9
    assert change(tg.nets.Linear(n, m)) < 1e-9


def test_rotations_change_outputs_behind_a_hidden_relu() -> None:
    rng = np.random.default_rng(0)
    W, b, x = rng.normal(size=(3, 6)), np.zeros(6), rng.uniform(size=(20, 6))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    net = tg.nets.ReluHidden(6, 3)
    assert abs(net.forward({"W": turn @ W, "b": b}, x) - net.forward({"W": W, "b": b}, x)).max() > 0.1
