"""Frames and feature graphs: closed forms, and the invariants that hold for any W."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tegum.errors import InvalidInputError
from tegum.geometry import coherence, dimensionality, feature_graph, frame_spectrum, leverage, tightness, welch_bound
from tegum.geometry.graph import factor_dimensions, largest_across, learned
from tegum.geometry.measures import frame_operator, polar_angles
from tests.oracle.polytopes import SHAPES, orthogonal_sum, summed
from tests.unit.test_geometry import polygon, random_matrix

NUMBERS = {"seed": st.integers(0, 10_000), "m": st.integers(1, 6), "n": st.integers(1, 12)}


def test_a_pentagon_is_a_tight_frame() -> None:
    W = polygon(5)
    np.testing.assert_allclose(frame_spectrum(W), 5 / 2)
    np.testing.assert_allclose(leverage(W), 2 / 5)
    assert tightness(W) == pytest.approx(1)
    assert coherence(W) == pytest.approx(np.cos(np.pi / 5))
    assert welch_bound(5, 2) == pytest.approx(np.sqrt(3 / 8))


def test_what_is_not_tight() -> None:
    W = np.array([[1.0, 1.0], [0.0, 0.0]])
    assert tightness(W) == pytest.approx(1 / 2)
    np.testing.assert_allclose(leverage(W), 1 / 2)
    assert coherence(W) == 1
    assert tightness(np.zeros((2, 3))) == 0
    assert leverage(np.zeros((2, 3))).tolist() == [0, 0, 0]
    assert coherence(np.ones((1, 1))) == 0
    assert welch_bound(3, 4) == 0
    with pytest.raises(InvalidInputError, match="give at least one of each"):
        welch_bound(3, 0)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_leverage_sums_to_the_rank_in_single_precision_too(rank: int) -> None:
    left, right = np.random.default_rng(rank).normal(size=(2, 50, 10, rank))
    W = (left[:, :6] @ right.swapaxes(1, 2)).astype(np.float32)
    for same in (W, W.astype(np.float64)):  # as tensors and casts are
        np.testing.assert_allclose(leverage(same).sum(axis=-1), rank, rtol=1e-5)
    flat = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0][:, :2] @ polygon(5)
    np.testing.assert_allclose(leverage(flat.astype(np.float32)), 2 / 5, atol=1e-6)
    np.testing.assert_allclose(leverage(np.array([[1.0, 1.0], [0.0, 1e-8]]) / 3), 1)


@pytest.mark.parametrize("size", [1e-22, 1e-12, 1e6])
def test_no_size_matters_in_single_precision(size: float) -> None:
    W = (size * polygon(5)).astype(np.float32)
    np.testing.assert_allclose(tightness(W), 1, rtol=1e-5)
    np.testing.assert_allclose(dimensionality(W), 2 / 5, rtol=1e-5)
    np.testing.assert_allclose(coherence(W), np.cos(np.pi / 5), rtol=1e-5)


@settings(max_examples=80, deadline=None)
@given(**NUMBERS)
def test_invariants_of_any_frame(seed: int, m: int, n: int) -> None:
    W = random_matrix(seed, m, n)
    turn = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(m, m)))[0]
    rank = np.linalg.matrix_rank(W)
    D, h = dimensionality(W), leverage(W)
    assert (h + 1e-9 >= D).all()
    assert (h <= 1 + 1e-12).all()
    assert h.sum() == pytest.approx(rank)
    assert D.sum() <= rank + 1e-9
    np.testing.assert_allclose(h, np.diag(W.T @ np.linalg.pinv(frame_operator(W), rcond=1e-9) @ W), atol=1e-7)
    assert frame_spectrum(W).sum() == pytest.approx((W**2).sum())
    assert tightness(W) <= 1 + 1e-12
    seen = W[:, np.linalg.norm(W, axis=0) > 0]
    assert coherence(W) >= welch_bound(max(seen.shape[1], 1), m) - 1e-12
    for measure in (frame_spectrum, tightness, leverage, coherence):
        np.testing.assert_allclose(measure(turn @ W), measure(W), atol=1e-9)
        np.testing.assert_allclose(measure(np.stack([W, turn @ W]))[0], measure(W), atol=1e-12)


@settings(max_examples=80, deadline=None)
@given(**NUMBERS)
def test_dimensionality_reaches_the_rank_only_where_features_are_eigenvectors(seed: int, m: int, n: int) -> None:
    W = random_matrix(seed, m, n)
    if seed % 2:
        W, _ = orthogonal_sum(np.random.default_rng(seed), noise=0)
    F = frame_operator(W)
    along = np.einsum("mn,mn->n", W, F @ W) / np.maximum((W**2).sum(axis=0), 1e-300)
    eigenvectors = np.allclose(F @ W, along * W, atol=1e-7)
    assert eigenvectors == (abs(dimensionality(W).sum() - np.linalg.matrix_rank(W)) < 1e-9)


@settings(max_examples=60, deadline=None)
@given(**NUMBERS, threshold=st.floats(0, 1))
def test_components_are_those_of_networkx(seed: int, m: int, n: int, threshold: float) -> None:
    W = random_matrix(seed, m, n)
    found = feature_graph(W, threshold)
    graph = nx.Graph()
    graph.add_nodes_from(np.flatnonzero(learned(W)).tolist())
    for i, j in found.edges.tolist():
        graph.add_edge(i, j)
    expected = sorted(sorted(component) for component in nx.connected_components(graph))
    assert [component.tolist() for component in found.components] == expected
    assert all(i < j and abs(W[:, i] @ W[:, j]) > threshold for i, j in found.edges)


def test_orthogonal_sums_fall_apart() -> None:
    W = summed([SHAPES["pentagon"], SHAPES["digon"], SHAPES["dropped"], SHAPES["square"]])
    found = feature_graph(W)
    assert [component.tolist() for component in found.components] == [[0, 1, 2, 3, 4], [5, 6], [8, 10], [9, 11]]
    assert found.component[7] == -1
    assert len(found.edges) == 10 + 1 + 2
    for component in found.components:
        assert dimensionality(W)[component].sum() == pytest.approx(np.linalg.matrix_rank(W[:, component]))


def test_what_has_no_graph() -> None:
    assert feature_graph(np.zeros((2, 3))).components == []
    with pytest.raises(InvalidInputError, match="that of one model"):
        feature_graph(np.zeros((2, 2, 3)))
    with pytest.raises(InvalidInputError, match="choose 0 or more"):
        feature_graph(np.eye(2), -1)
    with pytest.raises(InvalidInputError, match="a model that diverged"):
        feature_graph(np.array([[1.0, np.nan]]))


@settings(max_examples=60, deadline=None)
@given(**NUMBERS)
def test_the_largest_overlap_across_components(seed: int, m: int, n: int) -> None:
    W = random_matrix(seed, m, n)
    component = np.random.default_rng(seed).integers(-1, 3, n)
    pairs = [
        (i, j) for i in range(n) for j in range(n) if component[i] != component[j] and min(component[i], component[j]) >= 0
    ]
    assert largest_across(W, component) == pytest.approx(max((abs(W[:, i] @ W[:, j]) for i, j in pairs), default=0.0))


def test_dimensions_of_factors() -> None:
    W = summed([SHAPES["pentagon"], SHAPES["digon"]])
    noise = 0.03 * np.random.default_rng(0).normal(size=W.shape)
    assert factor_dimensions((W + noise)[:, :5]) == 2
    assert factor_dimensions((W + noise)[:, 5:]) == 1
    assert largest_across(W, feature_graph(W).component) < 1e-12


def test_polar_angles_are_below_360() -> None:
    for precision in (np.float32, np.float64):
        angles = polar_angles(np.array([[1.0, 0.0, 1.0], [-1e-17, -1.0, 1.0]], precision))
        np.testing.assert_allclose(angles, [0, 270, 45])
        assert angles.dtype == precision
