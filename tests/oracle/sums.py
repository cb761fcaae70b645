"""Orthogonal sums of the whole catalogue, turned, renumbered and with noise."""

from itertools import combinations_with_replacement

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


def icosahedron() -> NDArray[np.float64]:
    """The twelve cyclic permutations of (0, +-1, +-phi), unit columns (3, 12)."""
    golden = (1 + np.sqrt(5)) / 2
    corners = np.array([(0, one, two * golden) for one in (1, -1) for two in (1, -1)])
    return np.concatenate([np.roll(corners, turn, axis=1) for turn in range(3)]).T / np.hypot(1, golden)


def cell_24() -> NDArray[np.float64]:
    """The roots of D4: all (..., +-1, ..., +-1, ...), unit columns (4, 24)."""
    axes = np.eye(4)
    pairs = [one * axes[i] + two * axes[j] for i in range(4) for j in range(i) for one in (1, -1) for two in (1, -1)]
    return np.array(pairs).T / np.sqrt(2)


_COMMON = ("dedicated", "digon", "triangle", "tetrahedron", "4-simplex", "pentagon", "hexagon", "square antiprism")
BATTERY: dict[str, tuple[list[NDArray[np.float64]], list[str]]] = {
    **{name: ([points], [name]) for name, points in EVERY.items()},
    "icosahedron": ([icosahedron()], ["icosahedron"]),
    "24-cell": ([cell_24()], ["24-cell"]),
    "line of 3 (2 against 1)": ([np.array([[1.0, 1, -1]])], ["line of 3 (2 against 1)"]),
    "line of 3 (parallel)": ([np.ones((1, 3))], ["line of 3 (parallel)"]),
    **{
        f"{one} + {other}": ([EVERY[one], EVERY[other]], sorted([one, other]))
        for one, other in combinations_with_replacement(_COMMON, 2)
    },
}
"""66 shapes and the names of their factors: the catalogue, and all sums of two of its common shapes."""
