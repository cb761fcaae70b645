"""Stages of learning two correlated sets of features: from nearly nothing through bundles to opposite pairs.

    A  near zero    every norm is below 0.3 of the median norm at the end
    B  bundles      all cosines within each set are above 0.9: a set is one direction, as in principal components;
                    *on one axis* where the two mean directions have a cosine below -0.9
    C  open         all |cosines| within each set are below 0.3, norms above half of those at the end, but not D
    D  pairs        all |cosines| within each set are below 0.1, and every feature has a partner of its own in the other set at
                    a cosine below -0.95  (three and three features in three dimensions: an octahedron)

Everything else is on the way and has no letter.  A stage that is *visited* lasts at least 0.05 decades of time, or until the
end: gradient descent is logarithmic in time, and a random walk stays nowhere.  `plateaus` finds where the loss rests: stretches
of at least 0.2 decades in which it changes by less than t^0.1, told apart where it falls by more than a fifth in between.

>>> import numpy as np, tegum as tg
>>> bundles, pairs = np.array([[1, 1, -1, -1], [0, 0, 0, 0]]), np.array([[1, 0, -1, 0], [0, 1, 0, -1]])
>>> path = np.stack([0.01 * bundles, bundles, bundles, pairs])                             # two sets of two features
>>> [(visit.stage, visit.one_axis) for visit in tg.geometry.visits(path, np.array([1, 10, 20, 30]), set_size=2)]
[('B', True), ('D', False)]

Source: the stages A to D of section 6 of `Toy Models of Superposition`, which are pointed at there.  All thresholds are ours.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.errors import InvalidInputError
from tegum.geometry.events import require_rising, runs
from tegum.geometry.measures import cosines, feature_norms

SMALL, BUNDLED, AXIS, OPEN, APART, OPPOSITE = 0.3, 0.9, -0.9, 0.3, 0.1, -0.95
_LASTS = 0.05
_WINDOW, _FLAT, _FALL = 0.2, 0.1, 0.2


@final
@dataclass(frozen=True)
class Visit:
    """A stage that lasts: its letter, its rows from ``first`` to ``last``, and whether bundles lie on one axis in some row."""

    stage: str
    first: int
    last: int
    one_axis: bool


@final
@dataclass(frozen=True)
class Plateau:
    """A stretch in which the loss rests: rows ``first`` to ``last``, and the mean loss."""

    first: int
    last: int
    loss: float


@takes_arrays
def stages(W: Float[np.ndarray, "time m n"], set_size: int) -> NDArray[Any]:
    """The letter of every row's stage, empty where it has none, shape (time,); as `visits` takes and refuses them."""
    _require(W, set_size)
    norms, C = feature_norms(W), cosines(W)
    end = np.median(norms[-1])
    within = np.stack([C[:, :set_size, :set_size], C[:, set_size:, set_size:]], axis=1)
    pairs = within[..., ~np.eye(set_size, dtype=bool)]
    across = C[:, :set_size, set_size:]
    opposite = across < OPPOSITE
    small = (norms < SMALL * end).all(axis=1)
    grown = (norms > end / 2).all(axis=1)
    bundled = (pairs > BUNDLED).all(axis=(1, 2)) & ~small
    apart = abs(pairs)
    paired = (opposite.sum(axis=1) == 1).all(axis=1) & (opposite.sum(axis=2) == 1).all(axis=1)
    done = (apart < APART).all(axis=(1, 2)) & paired & grown
    unfolded = (apart < OPEN).all(axis=(1, 2)) & grown & ~done
    return np.select([small, bundled, unfolded, done], ["A", "B", "C", "D"], "")


@takes_arrays
def between_sets(W: Float[np.ndarray, "time m n"], set_size: int) -> NDArray[np.float64]:
    """The cosine between the mean directions of the two sets, shape (time,); 0 where one of them vanishes."""
    _require(W, set_size)
    means = np.stack([W[..., :set_size].mean(axis=-1), W[..., set_size:].mean(axis=-1)], axis=-1)
    return np.asarray(cosines(means)[..., 0, 1])


@takes_arrays
def visits(W: Float[np.ndarray, "time m n"], times: NDArray[np.floating], set_size: int) -> tuple[Visit, ...]:
    """The stages that a path visits, in order: W (time, m, 2 set_size) of two sets of features, members of a set side by side.

    Raises:
        InvalidInputError: where sizes do not fit, or times do not rise above 0.
    """
    letters, log_time = stages(W, set_size), _log_times(times, len(W))
    axis = between_sets(W, set_size) < AXIS
    stretches = sorted((first, last, stage) for stage in "ABCD" for first, last in runs(letters == stage))
    return tuple(
        Visit(stage, first, last, stage == "B" and bool(axis[first : last + 1].any()))
        for first, last, stage in stretches
        if log_time[last] - log_time[first] >= _LASTS or last == len(letters) - 1
    )


@takes_arrays
def plateaus(loss: NDArray[np.floating], times: NDArray[np.floating]) -> tuple[Plateau, ...]:
    """Where a loss rests, in order; neighbouring stretches without a fall of more than a fifth between them are one.

    Raises:
        InvalidInputError: where times do not rise above 0 or do not belong to the loss, both of shape (time,).
    """
    log_time = _log_times(times, len(loss))
    ahead = np.searchsorted(log_time, log_time + _WINDOW)
    rows = np.flatnonzero(ahead < len(loss))
    change = np.log10(loss[ahead[rows]]) - np.log10(loss[rows])
    flat = np.zeros(len(loss), dtype=bool)
    flat[rows] = abs(change) < _FLAT * (log_time[ahead[rows]] - log_time[rows])
    found: list[list[int]] = []
    for first, end in runs(flat):
        last = int(ahead[end])
        if found and loss[first] > (1 - _FALL) * loss[found[-1][1]]:
            found[-1][1] = max(last, found[-1][1])
        else:
            found.append([first, last])
    return tuple(Plateau(first, last, float(np.mean(loss[first : last + 1]))) for first, last in found)


def axis_frame(W: Float[np.ndarray, "3 n"], set_size: int) -> Float[np.ndarray, "3 3"]:
    """The rotation that turns the axis from the second set's mean to the first's upwards, and feature 0 into the x-z plane."""
    up = W[:, :set_size].mean(axis=1) - W[:, set_size:].mean(axis=1)
    basis, _ = np.linalg.qr(np.stack([up, W[:, 0], W[:, 1], *np.eye(3)], axis=1))
    up = basis[:, 0] * np.sign(basis[:, 0] @ up)
    right = basis[:, 1] * np.sign(basis[:, 1] @ W[:, 0])
    return np.stack([right, np.cross(up, right), up])


def _log_times(times: NDArray[Any], count: int) -> NDArray[np.float64]:
    if np.shape(times) != (count,):
        what = f"times have shape {np.shape(times)} and the path has {count} rows"
        raise InvalidInputError(what, "give one time for each row")
    require_rising(times)
    return np.asarray(np.log10(times), dtype=np.float64)


def _require(W: NDArray[np.floating], set_size: int) -> None:
    if set_size < 2:
        raise InvalidInputError(f"set_size is {set_size}", "choose at least 2")
    if W.ndim != 3 or W.shape[-1] != 2 * set_size or not len(W):
        raise InvalidInputError(f"W has shape {W.shape}", f"give (time, m, {2 * set_size})")
