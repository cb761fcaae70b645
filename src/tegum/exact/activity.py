"""How active linear hidden units are: E |h_k|, h = W x, whose sum an L1 penalty on activity is, and its derivatives.

    E |s| = E r(s) + E r(-s),    d/dw_i = E [x_i (s > 0)] - E [x_i (s < 0)],        s = sum_i w_i x_i

Both come from the outputs E (x_j - r(s))^2 of two features that are not there, o, never active, and d, active half the time; s
depends on neither.  For o the output is E r(s)^2, and of the derivatives by bias and couplings

    d/db of o  =  2 E r(s)          d/dw_i of o  -  d/dw_i of d  =  2 E x_d E [x_i (s > 0)]

E |s| has a kink at every weight of 0: where only that feature is active, it is |w_i| E x_i.

>>> import numpy as np, tegum as tg
>>> features = tg.features.Independent(2, density=0.1)
>>> mean, slope = hidden_activity([[1.0, -1.0]], features)             # a pair cancels where both are active: p - 2 p^2 / 3
>>> mean.round(6), slope.round(6)
(array([0.093333]), array([[ 0.046667, -0.046667]]))
>>> below, above = one_sided(np.array([[1.0, 0.0]]), features)          # the other feature is active in one case of ten
>>> below.round(6), above.round(6)
(array([[ 0.05, -0.04]]), array([[0.05, 0.05]]))

Source: derived here; `tegum.theory.activity` has the closed forms of one feature and of a pair.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, real_numbers, require_range
from tegum.errors import InvalidInputError
from tegum.exact.distributions import Distributions
from tegum.exact.kernel.model import LARGEST_WEIGHT
from tegum.exact.laws import Laws
from tegum.exact.laws.neuron import magnitude_beside
from tegum.exact.losses import gradients_of_maps, known_by
from tegum.features import Features, FiniteLaw, Independent, Joined

Array = NDArray[np.float64]

_TERMS, _TOL = 512, 1e-9
_BESIDE = 1e-9
"""How far beside 0, in units of the row's largest weight, a kink has ended."""


@checked
def hidden_activity(W: ArrayLike, features: Features) -> tuple[Array, Array]:
    """E |h_k| of linear hidden units h = W x, shape (..., m), and its derivatives by W, (..., m, n); at a kink their mean.

    Args:
        W: weights (..., m, n).
        features: a single distribution, such that the exact engine knows it beside independent features (docs/exact.md).

    Raises:
        InvalidInputError: for weights of another shape, leading axes of the features, or features that are not covered.
    """
    W = real_numbers("W", W)
    n = features.n_features
    if W.ndim < 2 or W.shape[-1] != n:
        raise InvalidInputError(f"W has shape {W.shape}", f"give (..., m, {n})")
    require_range("W", W, -LARGEST_WEIGHT, LARGEST_WEIGHT)
    if features.batch_shape:
        raise InvalidInputError(f"the features have leading axes {features.batch_shape}", "give a single distribution")
    if isinstance(features, FiniteLaw):
        rows = features.rows  # sparse states stay sparse
        h = W.reshape(-1, n) @ rows.T
        by = (np.sign(h) * features.probabilities) @ rows
        return (np.abs(h) @ features.probabilities).reshape(W.shape[:-1]), by.reshape(W.shape)
    mean, slope = _smooth(W.reshape(-1, n), features)
    below, above = _beside_zeros(W.reshape(-1, n), slope, features)
    return mean.reshape(W.shape[:-1]), ((below + above) / 2).reshape(W.shape)


def one_sided(W: Array, features: Features) -> tuple[Array, Array]:
    """The derivatives of E |h_k| by every weight of W (m, n) as it falls, and as it rises, the others standing still.

    They are the same but at weights of 0, where magnitudes have a density.
    """
    return _beside_zeros(W, _smooth(W, features)[1], features)


def _smooth(rows: Array, features: Features) -> tuple[Array, Array]:
    """E |s| of every row (rows, n), and its derivatives but for those by weights of 0.

    Rows are scaled to a largest weight of 1: E |s| grows with them, and its derivatives do not.
    """
    largest = np.abs(rows).max(axis=1, initial=0)
    size = np.where(largest > 0, largest, 1)
    unit = rows / size[:, None]
    means, slopes = _rectified(np.concatenate([unit, -unit]), features)
    return size * (means[: len(rows)] + means[len(rows) :]), slopes[: len(rows)] - slopes[len(rows) :]


def _beside_zeros(rows: Array, slope: Array, features: Features) -> tuple[Array, Array]:
    """The derivatives of every row to the left and to the right, where those by weights that are not 0 are known."""
    below, above = slope.copy(), slope.copy()
    k, i = np.nonzero(rows == 0)
    if k.size:
        each, size = np.arange(k.size), np.abs(rows).max(axis=1)
        step = _BESIDE * np.where(size > 0, size, 1)[k]
        beside = np.stack([rows[k], rows[k]])
        beside[0, each, i], beside[1, each, i] = -step, step
        slopes = _smooth(beside.reshape(-1, rows.shape[1]), features)[1].reshape(beside.shape)
        below[k, i], above[k, i] = slopes[:, each, i]
    return below, above


def _rectified(rows: Array, features: Features) -> tuple[Array, Array]:
    """E r(s) of every row (rows, n), and E [x_i (s > 0)], (rows, n)."""
    n = features.n_features
    known, mean = _with_two_more(features)
    maps, b = np.zeros((len(rows), n + 2, n + 2)), np.full((len(rows), n + 2), -1.0)
    maps[:, n:, :n], b[:, n:] = rows[:, None], 0.0
    # the compiled engine's error is far below what is asked here, and a fixed number of terms makes one smooth function
    found = gradients_of_maps(known, maps, b, _TOL, _TERMS)
    return found.db[:, n] / 2, (found.dW[:, n, :n] - found.dW[:, n + 1, :n]) / mean


@lru_cache(maxsize=32)
def _with_two_more(features: Features) -> tuple[Distributions | Laws, float]:
    """What computes losses of the features with o and d behind them, and E x of d where it is active."""
    magnitude = magnitude_beside(features)
    both = Joined([features.replaced(importance=1.0), Independent(2, density=[0.0, 0.5], magnitude=magnitude)])
    return known_by(both), float(magnitude.moment(1))
