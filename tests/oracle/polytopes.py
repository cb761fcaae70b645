"""Weights as trained models have them: orthogonal sums of small polytopes, with noise."""

import numpy as np
from numpy.typing import NDArray


def _simplex(k: int) -> NDArray[np.float64]:
    """Columns: k + 1 unit vectors in k dimensions, equally far apart, shape (k, k + 1)."""
    centred = np.eye(k + 1) - 1 / (k + 1)
    vectors = np.linalg.svd(centred)[0][:, :k].T @ centred
    return np.asarray(vectors / np.linalg.norm(vectors, axis=0))


def _polygon(k: int) -> NDArray[np.float64]:
    angles = 2 * np.pi * np.arange(k) / k
    return np.stack([np.cos(angles), np.sin(angles)])


SHAPES = {
    "dedicated": np.ones((1, 1)),
    "dropped": np.zeros((1, 1)),
    "digon": np.array([[1.0, -1.0]]),
    "triangle": _simplex(2),
    "square": _polygon(4),
    "pentagon": _polygon(5),
    "tetrahedron": _simplex(3),
}


def summed(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The parts in subspaces of their own: a block-diagonal W."""
    W = np.zeros((sum(p.shape[0] for p in parts), sum(p.shape[1] for p in parts)))
    row = column = 0
    for part in parts:
        W[row : row + part.shape[0], column : column + part.shape[1]] = part
        row, column = row + part.shape[0], column + part.shape[1]
    return W


def orthogonal_sum(
    rng: np.random.Generator, noise: float, most_features: int = 12
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """W (m, n) of random shapes in subspaces of their own, each scaled a little, and b near 0; everything with noise."""
    parts: list[NDArray[np.float64]] = []
    names = list(SHAPES)
    while True:
        part = SHAPES[names[rng.integers(len(names))]] * rng.uniform(0.8, 1.2)
        if parts and sum(p.shape[1] for p in parts) + part.shape[1] > most_features:
            break
        parts.append(part)
        if len(parts) > 1 and rng.random() < 0.3:
            break
    W = summed(parts)
    m, n = W.shape
    rotation = np.linalg.qr(rng.normal(size=(m, m)))[0]
    return rotation @ (W + noise * rng.normal(size=(m, n))), noise * rng.normal(size=n)
