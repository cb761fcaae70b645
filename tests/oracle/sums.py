"""Orthogonal sums of the whole catalogue, turned, renumbered and with noise."""

import numpy as np
from numpy.typing import NDArray

from tegum.geometry.catalogue import catalogue
from tests.oracle.polytopes import summed

EVERY = {
    name: points
    for k in range(1, 13)
    for name, points in catalogue(k).items()
    if len(points) < 9  # the 9-simplex and larger are almost orthonormal frames
}
OF_THE_PAPER = {name: EVERY[name] for name in ("dedicated", "digon", "triangle", "tetrahedron", "pentagon", "square antiprism")}


def scrambled(parts: list[NDArray[np.float64]], rng: np.random.Generator, spare: int = 0) -> NDArray[np.float64]:
    """The parts side by side in m + spare dimensions, turned by a random orthogonal matrix, features in random order."""
    W = np.pad(summed(parts), ((0, spare), (0, 0)))
    turn = np.linalg.qr(rng.normal(size=(len(W), len(W))))[0]
    return np.asarray(turn @ W[:, rng.permutation(W.shape[1])])


def random_sum(
    shapes: dict[str, NDArray[np.float64]], rng: np.random.Generator, most_features: int
) -> tuple[NDArray[np.float64], list[str]]:
    """W of random shapes of random sizes, and their names, sorted."""
    names = list(shapes)
    chosen: list[str] = []
    while True:
        name = names[rng.integers(len(names))]
        if chosen and sum(shapes[one].shape[1] for one in [*chosen, name]) > most_features:
            break
        chosen.append(name)
        if rng.random() < 0.3:
            break
    parts = [shapes[one] * rng.uniform(0.8, 1.2) for one in chosen]
    return scrambled(parts, rng, int(rng.integers(3))), sorted(chosen)


def with_noise(W: NDArray[np.float64], share: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Every feature moved in a random direction, by this share of its norm (root mean square)."""
    noise = rng.normal(size=W.shape) * np.linalg.norm(W, axis=0) / np.sqrt(len(W))
    return np.asarray(W + share * noise)
