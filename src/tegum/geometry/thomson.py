"""Points on a sphere that repel where they are close: the Thomson problem of superposition.

    E(U) = sum_{i != j} ReLU(u_i . u_j)^2            u_i on the unit sphere in d dimensions, ordered pairs

Equal features of norm 1 with b = 0 all gain the same, and this energy is what they cost one another.  It is 0 for up to 2d
points.

>>> import tegum as tg
>>> U = thomson_points(7, 3, starts=3)
>>> float(tg.geometry.relu_energy(U).round(5)), tg.geometry.identify(U).polytope
(0.95492, 'pentagonal bipyramid')

Where the optimum is an orthogonal sum, its parts are known already.  The others up to twelve points are stored in
``thomson.json``; ``python -m tegum.geometry.thomson`` computes them anew in half a minute.

Source: section 4 of `Toy Models of Superposition`.
"""

import json
import sys
from functools import cache
from importlib.resources import files

import numpy as np
import scipy
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays

STARTS = 200
MOST_POINTS = 12
_OVERLAP = 1e-4


@takes_arrays
def relu_energy(U: Float[np.ndarray, "*batch d n"]) -> Float[np.ndarray, "*batch"]:
    """E of unit vectors in the columns of U, shape (...)."""
    with np.errstate(over="ignore", invalid="ignore"):  # of what is no unit vectors
        pushing = np.maximum(np.swapaxes(U, -1, -2) @ U, 0)
        np.einsum("...ii->...i", pushing)[...] = 0
        return np.asarray((pushing**2).sum(axis=(-2, -1)))


def thomson_points(n_points: int, dimensions: int, starts: int = STARTS, seed: int = 0) -> NDArray[np.float64]:
    """The configuration of lowest ReLU energy that random starts lead to, unit columns, shape (dimensions, n_points)."""
    generator = np.random.default_rng(seed)
    shape = (dimensions, n_points)
    found = [_descended(generator.normal(size=shape)) for _ in range(starts)]
    return min(found, key=lambda points: float(relu_energy(points)))


@cache
def stored_solutions() -> dict[tuple[int, int], NDArray[np.float64]]:
    """(points, dimensions) to the optimum, for every optimum up to twelve points that is no orthogonal sum."""
    text = files("tegum.geometry").joinpath("thomson.json").read_text()
    return {tuple(map(int, key.split(" in "))): np.array(points) for key, points in json.loads(text).items()}  # type: ignore[misc]


def computed_solutions(starts: int = STARTS) -> dict[str, list[list[float]]]:
    """What ``thomson.json`` holds."""
    found = {}
    for dimensions in range(3, MOST_POINTS // 2):
        for n_points in range(2 * dimensions + 1, MOST_POINTS + 1):
            U = thomson_points(n_points, dimensions, starts)
            if scipy.sparse.csgraph.connected_components(np.abs(U.T @ U) > _OVERLAP, directed=False)[0] == 1:
                found[f"{n_points} in {dimensions}"] = np.round(U, 10).tolist()
    return found


def _descended(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The minimum that these points lead to, on the unit sphere."""

    def energy(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """E of points that need not have norm 1, and its slope."""
        norms = np.linalg.norm(flat.reshape(points.shape), axis=0)
        U = flat.reshape(points.shape) / norms
        pushing = np.maximum(U.T @ U, 0)
        np.fill_diagonal(pushing, 0)
        slope = 4 * U @ pushing
        slope = (slope - U * (U * slope).sum(axis=0)) / norms
        return float((pushing**2).sum()), slope.ravel()

    result = scipy.optimize.minimize(energy, points.ravel(), jac=True, method="BFGS", options={"maxiter": 5000, "gtol": 1e-9})
    end = np.asarray(result.x, np.float64).reshape(points.shape)
    return np.asarray(end / np.linalg.norm(end, axis=0))


if __name__ == "__main__":
    json.dump(computed_solutions(), sys.stdout, indent=1)
