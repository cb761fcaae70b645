"""Lemma 1's decoder: exact on the right support, refused elsewhere; thresholds found where they are known."""

import numpy as np
import pytest

from tegum.errors import InvalidInputError
from tegum.theory import bound_units
from tegum.theory.compressed_sensing import denoised, half_recovered, recovered, recovery_rate, recovery_threshold


def sparse(n: int, k: int, samples: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    x = generator.uniform(0.5, 1, (samples, n))
    order = generator.random((samples, n)).argsort(axis=1)
    return np.where(order < k, x, 0)


def by_least_squares(W: np.ndarray, h: np.ndarray, outputs: np.ndarray, k: int) -> np.ndarray:
    """The same decoder, one sample at a time."""
    decoded = np.zeros((len(h), W.shape[1]))
    for row, (seen, scores) in enumerate(zip(h, outputs, strict=True)):
        support = np.argsort(-scores)[:k]
        decoded[row, support] = np.linalg.lstsq(W[:, support], seen, rcond=None)[0]
    return decoded


def test_decoder_equals_its_twin_and_is_exact_on_the_right_support() -> None:
    W = np.random.default_rng(0).standard_normal((6, 12))
    x = sparse(12, 3, 40, 1)
    h = x @ W.T
    outputs = np.random.default_rng(2).random(x.shape)
    np.testing.assert_allclose(denoised(W, h, outputs, 3), by_least_squares(W, h, outputs, 3), atol=1e-9)
    assert recovered(x, denoised(W, h, x, 3)).all()
    assert recovered(x, denoised(W, h, x + 0.2 * outputs, 3)).all()
    assert not recovered(x, denoised(W, h, -x, 3)).any()


def test_columns_that_are_alike_are_decoded_without_an_error() -> None:
    W = np.ones((3, 4))
    x = sparse(4, 2, 10, 3)
    assert not recovered(x, denoised(W, x @ W.T, x, 2)).all()


def test_rates_of_decoders_that_are_known() -> None:
    assert recovery_rate(32, 4, 4, 40, 0, "told") == 1
    assert recovery_rate(32, 32, 4, 40, 0, "linear") == 1
    assert recovery_rate(32, 20, 4, 40, 0, "linear") == 0
    assert recovery_rate(32, 20, 4, 40, 0, "guess") < 0.1
    assert recovery_rate(32, 3, 4, 40, 0) == 0
    assert recovery_rate(64, 40, 2, 100, 0) > 0.9


def test_thresholds() -> None:
    assert recovery_threshold(32, 4, 40, 0, "told") == 4
    assert np.isnan(recovery_threshold(32, 4, 40, 0, "guess"))
    assert recovery_threshold(32, 2, 40, 0, "linear") == pytest.approx(32, rel=0.05)
    near = recovery_threshold(64, 2, 200, 0)
    assert recovery_rate(64, round(near * 1.3), 2, 200, 1) > 0.5 > recovery_rate(64, round(near / 1.3), 2, 200, 1)
    assert half_recovered([2, 4, 8], [0.0, 0.25, 0.75]) == pytest.approx(np.sqrt(32))
    assert half_recovered([2, 4], [0.6, 1.0]) == pytest.approx(2)
    assert np.isnan(half_recovered([2, 4], [0.0, 0.4]))


def test_units_of_the_bound() -> None:
    assert bound_units(64, 4) == pytest.approx(4 * np.log(16))


def test_wrong_sparsity_is_named() -> None:
    with pytest.raises(InvalidInputError, match="k is 5"):
        denoised(np.ones((3, 6)), np.ones((2, 3)), np.ones((2, 6)), 5)
    with pytest.raises(InvalidInputError, match="k is 0"):
        recovery_rate(4, 2, 0, 10, 0)
