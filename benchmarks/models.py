"""Weights and biases that the exact engine is timed on."""

import numpy as np
from numpy.typing import NDArray


def random_models(n: int, m: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights with columns of norm 0.9 and small random biases."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(count, m, n))
    return W * (0.9 / np.linalg.norm(W, axis=1, keepdims=True)), rng.normal(size=(count, n)) * 0.05


def orthogonal_sums(n: int, m: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Antipodal pairs, one to a hidden dimension, with noise of 1e-3: the hardest that training ends near."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(count, m, n)) * 1e-3
    for i in range(min(n, 2 * m)):
        W[:, i // 2, i] += (-1) ** i
    return W, rng.normal(size=(count, n)) * 1e-3
