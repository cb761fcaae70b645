"""How far directions are from a known configuration, however both are turned, mirrored and numbered.

    error = min over Q, P of  sqrt(mean_i ||u_i - Q t_{P(i)}||^2)        Q^T Q = 1, P a permutation

u_i are the data's unit vectors in m dimensions, t_i the template's in r <= m.  For a fixed P the best Q is orthogonal
Procrustes; P is found from the order around the circle in two dimensions, and beyond by laying r of the template's points on
every r data points with nearly the same cosines.

>>> from tegum.geometry.catalogue import catalogue
>>> antiprism = catalogue(8)["square antiprism"]
>>> round(root_mean_square(matched(antiprism[[2, 0, 1], ::-1], antiprism)), 6)                # turned and numbered backwards
0.0

A template whose singular values differ from the data's by more than the tolerated error cannot fit (Mirsky's theorem), so most
are dismissed before any search.
"""

from itertools import permutations

import numpy as np
import scipy
from numpy.typing import NDArray

_LOOSE = 0.45
"""Cosines that differ by more are not laid on each other; noise of 5 % for each weight stays below."""
_KEPT = 3
_CLEAR = 0.1
"""A turn with a smaller error is the right one, up to the symmetries of the shape."""
_ROUNDS = 4


def procrustes_turn(U: NDArray[np.floating], template: NDArray[np.floating]) -> NDArray[np.floating]:
    """The Q that minimises ||U - Q template||, with the points in the order given, shape (..., m, r)."""
    left, _, right = np.linalg.svd(U @ np.swapaxes(template, -1, -2), full_matrices=False)
    return np.asarray(left @ right)


def procrustes_distances(U: NDArray[np.floating], template: NDArray[np.floating]) -> NDArray[np.float64]:
    """||u_i - Q t_i|| for the best Q, with the points in the order given, shape (k,)."""
    return np.asarray(np.linalg.norm(U - procrustes_turn(U, template) @ template, axis=0))


def root_mean_square(distances: NDArray[np.floating]) -> float:
    """sqrt(mean d^2)."""
    return float(np.sqrt(np.mean(distances**2)))


def least_error(sizes: NDArray[np.floating], template_sizes: NDArray[np.floating]) -> float:
    """A bound from below of the error of k unit vectors, from the singular values of both, largest first."""
    k = float((sizes**2).sum())
    common = min(len(sizes), len(template_sizes))
    apart = ((sizes[:common] - template_sizes[:common]) ** 2).sum()
    apart += (sizes[common:] ** 2).sum() + (template_sizes[common:] ** 2).sum()
    return float(np.sqrt(apart / k))


def around_the_circle(U: NDArray[np.floating]) -> NDArray[np.intp]:
    """The order of directions by their angle in the plane that holds most of them."""
    plane = np.linalg.svd(U, full_matrices=False)[0][:, :2].T @ U
    return np.asarray(np.argsort(np.arctan2(plane[1], plane[0])))


def matched(U: NDArray[np.floating], template: NDArray[np.floating]) -> NDArray[np.float64]:
    """||u_i - Q t_{P(i)}|| for the best Q and P found, shape (k,); infinite where no cosines agree.

    Unit vectors U (m, k) and template (r, k) with r <= m and r <= 4; the search costs about k^r / (r - 1)! steps.
    """
    rank, k = template.shape
    frame = np.linalg.svd(U, full_matrices=False)[0][:, :rank]
    inside = frame.T @ U
    reference = _well_spread(template)
    places = _places(inside.T @ inside, (template.T @ template)[np.ix_(reference, reference)])
    if len(places) == 0:
        return np.full(k, np.inf)
    # The turn that brings the reference points nearest to each choice of data points.
    turn = procrustes_turn(np.swapaxes(inside.T[places], 1, 2), template[:, reference])
    cosines = np.swapaxes(turn @ template, 1, 2) @ inside
    promising = np.argsort(-cosines.max(axis=2).sum(axis=1), kind="stable")[:_KEPT]
    best = np.full(k, np.inf)
    for i in promising:
        found = _refined(U, template, cosines[i])
        if root_mean_square(found) < root_mean_square(best):
            best = found
        if root_mean_square(best) < _CLEAR:
            break
    return best


def _refined(U: NDArray[np.floating], template: NDArray[np.floating], cosines: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points assigned and turned in alternation, from the cosines (template point, data point) of a first turn."""
    best = np.full(U.shape[1], np.inf)
    for _ in range(_ROUNDS):
        ordered = template[:, scipy.optimize.linear_sum_assignment(-cosines.T)[1]]
        distances = procrustes_distances(U, ordered)
        if root_mean_square(distances) >= root_mean_square(best) - 1e-12:
            break
        best = distances
        cosines = (procrustes_turn(U, ordered) @ template).T @ U
    return best


def _well_spread(template: NDArray[np.floating]) -> list[int]:
    """As many points as dimensions, each as far as can be from the span of those before."""
    chosen: list[int] = []
    rest = template.copy()
    for _ in range(template.shape[0]):
        chosen.append(int(np.argmax((rest**2).sum(axis=0).round(9))))
        axis = rest[:, chosen[-1]] / np.linalg.norm(rest[:, chosen[-1]])
        rest -= np.outer(axis, axis @ rest)
    return chosen


def _places(data: NDArray[np.floating], wanted: NDArray[np.floating]) -> NDArray[np.intp]:
    """All choices of data points whose cosines are near those wanted, shape (choices, r)."""
    k, rank = len(data), len(wanted)
    choices = np.array(list(permutations(range(k), 2)))
    choices = choices[np.abs(data[choices[:, 0], choices[:, 1]] - wanted[0, 1]) < _LOOSE]
    for size in range(2, rank):
        more = np.repeat(choices, k, axis=0)
        new = np.tile(np.arange(k), len(choices))
        near = np.abs(data[more, new[:, None]] - wanted[:size, size]) < _LOOSE
        good = near.all(axis=1) & (more != new[:, None]).all(axis=1)
        choices = np.column_stack([more, new])[good]
    return np.asarray(choices)
