"""How often the error of a feature is large: the probability that an output is too low, or too high, by more than t.

    below_i(t) = P(x_i - y_i > t),        above_i(t) = P(y_i - x_i > t),        y_i = r(b_i + g x_i + S),    t > 0

S is the sum over the other features.  Where x_i = u is active, both ask whether S is on one side of a line in u, and the mean
over u in [0, 1] of that is a difference of expectations that the engine knows:

    below = p [ R(1 - g - t - b, -S) - R(-g t - b, -S) ] / (1 - g)                         R(c, S) = E r(c + S)
    above = p [ R(b - t, S) - R(b - t - 1 + g, S) ] / (1 - g) + (1 - p) Q(b - t, S)        Q(c, S) = P(c + S > 0)

R and Q are derivatives by its bias of the loss of an output whose own feature is never active, or always and without coupling:

    d/dc E (x - r(c + S))^2 = 2 R - 2 E x Q

so that they come from the same inversion.  For g = 1 the difference becomes p (1 - t) Q(-t - b, -S), or p Q(b - t, S).

>>> import numpy as np, tegum as tg
>>> features = tg.features.Independent(2, density=0.1)
>>> found = tails([[1.0, -1.0]], [0.0, 0.0], features, [0.25, 0.5])     # a pair: wrong only where both are active
>>> found.below.values.round(6)                           # min(x_0, x_1) > t: p^2 (1 - t)^2
array([[0.005625, 0.0025  ],
       [0.005625, 0.0025  ]])
>>> found.above.values.round(6) + 0.0                                   # the other never makes it larger
array([[0., 0.],
       [0., 0.]])
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, real_numbers, require_range
from tegum.datasets import dataset
from tegum.errors import Problems
from tegum.exact.evaluate import evaluate
from tegum.exact.kernel.model import LARGEST_WEIGHT
from tegum.features import Features, Independent, Uniform

_ONE = 1e-6
_TOL, _TIE = 1e-11, 1e-13


@checked
def tails(W: ArrayLike, b: ArrayLike, features: Features, thresholds: ArrayLike, *, tied: bool = True) -> xr.Dataset:
    """The probabilities ``below`` and ``above`` (feature, threshold) that an output is off by more than a threshold.

    Args:
        W: weights (m, n), or the map (n, n) with ``tied=False``, of a ReLU-output net.
        b: biases (n,).
        features: one distribution of independent features of uniform magnitudes.
        thresholds: numbers from above 0 to below 1.
        tied: whether the map is W^T W, as by default.

    Returns:
        The dataset; ``error`` (feature, threshold) estimates the error of both.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
    """
    W, b = real_numbers("W", W), real_numbers("b", b)
    t = np.atleast_1d(real_numbers("thresholds", thresholds))
    n = features.n_features
    problems = Problems()
    for name, array in (("W", W), ("b", b)):
        with problems.collecting():
            require_range(name, array, -LARGEST_WEIGHT, LARGEST_WEIGHT)
    if not isinstance(features, Independent) or not isinstance(features.magnitude, Uniform) or features.batch_shape:
        problems.add(
            f"the features are {features!r}", "give one distribution of Independent features with Uniform() magnitudes"
        )
    if features.signed:
        problems.add("the features are signed", "give features above 0")
    if W.ndim != 2 or W.shape[-1] != n or (not tied and W.shape[0] != n) or b.shape != (n,):
        problems.add(f"W has shape {W.shape} and b {b.shape}", f"give one model's, {('m', n) if tied else (n, n)} and ({n},)")
    if t.ndim != 1 or not ((t > 0) & (t < 1)).all():
        problems.add(f"thresholds is {t}", "give numbers between 0 and 1, neither of them")
    problems.raise_if_any()
    G = W.T @ W if tied else W
    density, own = features.density, np.diag(G)[:, None]
    others, bias, p = G - np.diag(np.diag(G)), b[:, None], density[:, None]
    # centres c of R, and of Q, for the sums -S and S; all of them of shape (n, thresholds)
    lower, upper = np.broadcast_arrays(-own * t - bias, 1 - own - t - bias)
    top, bottom = np.broadcast_arrays(bias - t + 0 * own, bias - t - (1 - own))
    R_low, Q_low, error_low = _sums(-others, np.stack([lower, upper, -t - bias + 0 * own]), features)
    R_high, Q_high, error_high = _sums(others, np.stack([top, bottom]), features)
    gap = 1 - own
    ordinary = np.abs(gap) > _ONE
    share = np.where(ordinary, gap, 1)
    below = p * np.where(ordinary, (R_low[1] - R_low[0]) / share, (1 - t) * Q_low[2])
    active = np.where(ordinary, (R_high[0] - R_high[1]) / share, Q_high[0])
    above = p * active + (1 - p) * Q_high[0]
    wide = np.where(ordinary, 2 / np.abs(share), 2) + 0 * t
    variables = {
        "below": (("feature", "threshold"), np.clip(below, 0, 1)),
        "above": (("feature", "threshold"), np.clip(above, 0, 1)),
        "error": (("feature", "threshold"), wide * (error_low + error_high)),
    }
    meanings = {
        "below": "probability that the output is too low by more than the threshold",
        "above": "probability that the output is too high by more than the threshold",
        "error": "estimated error of both",
    }
    return dataset(variables, {"threshold": t}, {"features": repr(features)}, meanings)


def _sums(
    couplings: NDArray[np.float64], centres: NDArray[np.float64], features: Features
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """R and Q of centres (kinds, n, thresholds) plus the sums of each row of couplings (n, n), and the largest error of any."""
    n = len(couplings)
    maps, biases = np.zeros((*centres.shape, n + 1, n + 1)), np.zeros((*centres.shape, n + 1))
    maps[..., n, :n] = couplings[:, None]
    biases[..., n] = np.where(centres == 0, -_TIE, centres)  # where nothing is active the sum is 0, which is not above 0
    slopes, error = [], 0.0
    for density in (0.0, 1.0):
        densities = np.append(features.density, density)[None]
        beside = Independent(n + 1, density=densities, importance=np.append(np.zeros(n), 1.0))
        found = evaluate(maps, biases, beside, _TOL, gradient=True, tied=False)
        slopes.append(found["db"].values[..., n])
        error = max(error, float(found["gradient_error"].max()))
    return slopes[0] / 2, slopes[0] - slopes[1], error
