"""The shapes that features are known to form, and which of them a set of directions is.

    dedicated, digon, triangle, tetrahedron, k-simplex        k + 1 directions with equal cosines
    pentagon, hexagon, ..., k-gon                             k directions evenly around a circle
    parallel pair, line of k (p against q)                    two features in one direction, k features on a line
    icosahedron, 24-cell                                      the corners of the two, which are no sums of digons in 3 or 4
    square antiprism, tricapped triangular prism, bicapped square antiprism, rectified 5-cell, Thomson k in r
                                                              the Thomson solutions up to twelve points that are no sums

Squares, octahedra, cross-polytopes and bipyramids are orthogonal sums of these (tegum products), named from their factors.

>>> import numpy as np, tegum as tg
>>> list(catalogue(5)), composite_name(["pentagon", "digon"])
(['4-simplex', 'pentagon'], 'pentagonal bipyramid')
>>> nearest_shape(tg.geometry.polygon(5)[:, ::-1]).name
'pentagon'
>>> nearest_shape(np.array([[1.0, -1.0, 1.0]])).name
'line of 3 (2 against 1)'
>>> tg.geometry.identify(tg.geometry.ignoring(np.array([[1.0, 0, 1, 0], [0, 1, 0, 1]]))).polytope
'square'

A shape fits where the directions are within `TOLERANCE` of it, root mean square, and none is further than `WORST` (chords of
the unit sphere).  Two features have fewer shapes to be confused with, and may be further from theirs.  Large simplices and
polygons must fit more closely, for they differ less from what they are not: an orthonormal frame of k features is about
1 / sqrt(k) from the simplex.

Source: sections 3 to 5 of `Toy Models of Superposition`; its aside on polytopes and low-rank matrices for `ignoring`.
"""

from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from math import sqrt
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import checked, require_memory, require_range
from tegum.errors import InvalidInputError, Problems
from tegum.geometry.matching import around_the_circle, least_error, matched, procrustes_distances, root_mean_square
from tegum.geometry.measures import DEDICATED, negligible
from tegum.geometry.thomson import stored_solutions

TOLERANCE, OF_A_PAIR = 0.2, 0.25
WORST = 0.45
_LARGEST = 32
"""No simplex or polygon with more features is looked for; lines are."""

DIGON = "digon"
IRREGULAR, CROWDED = "irregular", "crowded"
_SIMPLICES = {1: DEDICATED, 2: DIGON, 3: "triangle", 4: "tetrahedron"}
_POLYGONS = {3: "triangle", 5: "pentagon", 6: "hexagon", 7: "heptagon", 8: "octagon"}
_SOLUTIONS = {
    (8, 3): "square antiprism",
    (9, 3): "tricapped triangular prism",
    (10, 3): "bicapped square antiprism",
    (10, 4): "rectified 5-cell",
}
_COMPOSITES = {
    (DIGON, DIGON): "square",
    (DIGON, DIGON, DIGON): "octahedron",
    (DIGON, "triangle"): "triangular bipyramid",
    (DIGON, "pentagon"): "pentagonal bipyramid",
}


@final
@dataclass(frozen=True)
class Fit:
    """A shape, the dimensions it spans, the root mean square distance of directions from it (chords), and whether they fit."""

    name: str
    dimensions: int
    error: float
    fits: bool


@checked
def simplex(k: int) -> NDArray[np.float64]:
    """Columns: k unit vectors in k - 1 dimensions with equal cosines -1/(k-1), shape (k - 1, k); for k = 1 the vector 1."""
    _require_size(k, k * k)
    if k == 1:
        return np.ones((1, 1))
    # Rows of the Helmert matrix: an orthonormal basis of what is orthogonal to (1, ..., 1).
    rows = np.tri(k - 1, k) - np.diag(np.arange(1.0, k), 1)[: k - 1]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.linalg.norm(rows, axis=0))


@checked
def polygon(k: int) -> NDArray[np.float64]:
    """Columns: k unit vectors evenly around a circle, shape (2, k)."""
    _require_size(k, 2 * k)
    angles = 2 * np.pi * np.arange(k) / k
    return np.stack([np.cos(angles), np.sin(angles)])


def _require_size(k: int, numbers: int) -> None:
    with Problems() as problems:
        problems.check_count("k", k)
    require_memory(f"a polytope of {k} vertices", 8 * numbers)


@takes_arrays
def ignoring(vectors: Float[np.ndarray, "k n"]) -> Float[np.ndarray, "m n"]:
    """The polytope that ignores given vectors: W (n - rank, n) with W v = 0 before its columns are scaled to norm 1.

    The columns are the basis vectors, projected on what is orthogonal to all v; those in the span of the v are 0.

    Raises:
        InvalidInputError: where the vectors leave no dimension.
    """
    require_range("vectors", vectors, -1e30, 1e30)
    small = negligible(vectors)
    _, sizes, rows = np.linalg.svd(vectors.astype(np.float64))
    rank = int((sizes > small * sizes.max(initial=0.0)).sum())
    W = rows[rank:]
    if len(W) == 0:
        raise InvalidInputError(f"{len(vectors)} vectors span all {rows.shape[0]} dimensions", "ignore fewer")
    norms = np.linalg.norm(W, axis=0)
    return np.asarray(np.divide(W, norms, out=np.zeros_like(W), where=norms > small))


def icosahedron() -> NDArray[np.float64]:
    """Columns: the twelve corners, unit vectors, shape (3, 12): (0, +-1, +-golden ratio) and its cyclic permutations."""
    golden = (1 + sqrt(5)) / 2
    corners = [(0.0, short, long * golden) for short, long in product((1, -1), repeat=2)]
    return np.array([np.roll(corner, turn) for corner in corners for turn in range(3)]).T / sqrt(1 + golden**2)


def cell_24() -> NDArray[np.float64]:
    """Columns: the corners of the 24-cell, unit vectors, shape (4, 24): all +-e_i +- e_j."""
    axes = np.eye(4)
    pairs = product(combinations(range(4), 2), product((1, -1), repeat=2))
    return np.array([first * axes[i] + second * axes[j] for (i, j), (first, second) in pairs]).T / sqrt(2)


_SOLIDS = {12: ("icosahedron", icosahedron), 24: ("24-cell", cell_24)}


@cache
def catalogue(k: int) -> dict[str, NDArray[np.float64]]:
    """Name to directions (r, k) of every irreducible shape of k features; k-gons from 5, of lines of features the pair."""
    shapes = {_SIMPLICES.get(k, f"{k - 1}-simplex"): simplex(k)}
    if k == 2:
        shapes["parallel pair"] = np.ones((1, 2))
    if k >= 5:
        shapes[_POLYGONS.get(k, f"{k}-gon")] = polygon(k)
    if k in _SOLIDS:
        name, corners = _SOLIDS[k]
        shapes[name] = corners()
    solutions = {r: points for (count, r), points in stored_solutions().items() if count == k}
    return shapes | {_SOLUTIONS.get((k, r), f"Thomson {k} in {r}"): points for r, points in solutions.items()}


@cache
def _template_sizes(name: str, k: int) -> NDArray[np.float64]:
    """The singular values of a shape."""
    return np.asarray(np.linalg.svd(catalogue(k)[name], compute_uv=False))


def _allowed_error(k: int, dimensions: int) -> float:
    """How far k directions may be from a shape in so many dimensions and still bear its name."""
    if k == 2:
        return OF_A_PAIR
    if dimensions == k - 1:
        return min(TOLERANCE, 0.5 / sqrt(k))
    return min(TOLERANCE, 2 / k) if dimensions == 2 else TOLERANCE


def nearest_shape(U: NDArray[np.floating]) -> Fit | None:
    """The shape nearest to unit vectors (m, k) among those that may fit; None where none may."""
    k = U.shape[1]
    if k == 1:
        return Fit(DEDICATED, 1, 0.0, True)
    _, sizes, rows = np.linalg.svd(U, full_matrices=False)
    inside = sizes[:, None] * rows
    best = _line(inside) if k > 2 else None
    if k > _LARGEST:
        return best
    for name, template in catalogue(k).items():
        rank = len(template)
        allowed = _allowed_error(k, rank)
        if rank > len(sizes) or least_error(sizes, _template_sizes(name, k)) > allowed:
            continue
        distances = _distances(inside, template)
        error = root_mean_square(distances)
        if error < (best.error if best else np.inf):  # infinite where nothing of it agrees
            best = Fit(name, rank, error, bool(error <= allowed and distances.max() <= WORST))
        if error < allowed / 2:  # No two shapes are so near to each other.
            break
    return best


def _line(U: NDArray[np.floating]) -> Fit | None:
    """All of k unit vectors (r, k) on one line, the first axis, each one way or the other; None where they are not."""
    ways = np.where(U[0] > 0, 1.0, -1.0)[None]
    distances = procrustes_distances(U, ways)
    error = root_mean_square(distances)
    if error > TOLERANCE:
        return None
    k, less = U.shape[1], int(min((ways > 0).sum(), (ways < 0).sum()))
    how = f"{k - less} against {less}" if less else "parallel"
    return Fit(f"line of {k} ({how})", 1, error, bool(distances.max() <= WORST))


def composite_name(factors: list[str]) -> str | None:
    """The polytope that an orthogonal sum of these shapes is, where it has a name of its own."""
    if len(factors) > 3 and set(factors) == {DIGON}:
        return f"{len(factors)}-dimensional cross-polytope"
    return _COMPOSITES.get(tuple(sorted(factors)))


def plural(name: str, count: int) -> str:
    """``pentagon`` or ``2 pentagons``."""
    if count == 1:
        return name
    head, bracket, tail = name.partition(" (")
    if head in (DEDICATED, CROWDED, IRREGULAR) or head.startswith("Thomson"):
        many = head
    elif head.startswith("line of"):
        many = head.replace("line", "lines", 1)
    elif head.endswith("hedron"):
        many = head[:-2] + "a"
    else:
        many = "simplices".join(head.rsplit("simplex", 1)) if head.endswith("simplex") else head + "s"
    return f"{count} {many}{bracket}{tail}"


def _distances(U: NDArray[np.floating], template: NDArray[np.floating]) -> NDArray[np.float64]:
    """The distance of each direction from the template as it fits best."""
    rank, k = template.shape
    if rank in (1, k - 1):
        return procrustes_distances(U, template)
    if rank == 2:
        return procrustes_distances(U[:, around_the_circle(U)], template)
    return matched(U, template)
