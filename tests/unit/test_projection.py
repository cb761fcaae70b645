"""Ignored vectors make polytopes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tegum.errors import InvalidInputError
from tegum.geometry import identify, ignoring


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 7), k=st.integers(1, 6))
def test_the_projection_is_the_textbook_s(seed: int, n: int, k: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(min(k, n - 1), n))
    P = np.eye(n) - np.linalg.pinv(vectors) @ vectors
    sizes = np.sqrt(np.diag(P))
    W = ignoring(vectors)
    assert W.shape == (n - len(vectors), n)
    np.testing.assert_allclose(W.T @ W, P / sizes / sizes[:, None], atol=1e-9)


def test_features_that_are_ignored_themselves_are_zero() -> None:
    W = ignoring(np.array([[0.0, 0, 1], [0, 0, 2]]))
    np.testing.assert_allclose(abs(W[:, 2]), 0)
    assert identify(W).label == "2 dedicated"
    assert identify(ignoring(np.zeros((1, 2)))).label == "2 dedicated"
    with pytest.raises(InvalidInputError, match="ignore fewer"):
        ignoring(np.eye(3))


def test_vectors_of_single_precision_span_what_they_did() -> None:
    two = np.random.default_rng(0).normal(size=(2, 5)) * [1, 1, 1, 1, 0]
    three = (np.array([[1.0, 0], [0, 1], [0.3, 0.7]]) @ two).astype(np.float32)
    assert ignoring(three).shape == (3, 5)
    np.testing.assert_allclose(ignoring(three).T @ ignoring(three), ignoring(two).T @ ignoring(two), atol=1e-5)
    spanned = ignoring(np.array([[0.1, 0.7, 0.0], [0.3, 0.2, 0.0]], np.float32))
    np.testing.assert_allclose(abs(spanned), [[0, 0, 1]])
