"""How often the error of a feature is large: the probability that an output is too low, or too high, by more than t.

    below_i(t) = P(x_i - y_i > t),        above_i(t) = P(y_i - x_i > t),        y_i = r(b_i + g x_i + S),    t > 0

S is the sum over the other features.  Where x_i = u is active, both ask whether S is on one side of a line in u, and the mean
over u in [0, 1] of that is a difference of expectations that the engine knows:

    below = p [ R(1 - g - t - b, -S) - R(-g t - b, -S) ] / (1 - g)                         R(c, S) = E r(c + S)
    above = p [ R(b - t, S) - R(b - t - 1 + g, S) ] / (1 - g) + (1 - p) Q(b - t, S)        Q(c, S) = P(c + S > 0)

R and Q are derivatives by its bias of the loss of an output whose own feature is never active, or always and without coupling:

    d/dc E (x - r(c + S))^2 = 2 R - 2 E x Q

so that they come from the same inversion.  For g near 1 the difference says little.  It is the mean of Q over what lies between
the two centres, and Q rises with them: it lies between (1 - t) Q at one end and at the other, or Q at one and at the other.

Of every other distribution both are probabilities that a sum is above 0, x_i cut to where it may be
(`tegum.exact.laws.half_line`),

    below = P(x_i > t, x_i - s > t)        above = P(x_i < -t) + P(x_i > -t, s - x_i > t)

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
from tegum.errors import InvalidInputError, Problems
from tegum.exact.kernel.model import LARGEST_WEIGHT
from tegum.exact.laws.answer import ON_SAMPLES
from tegum.exact.laws.functionals import Inverted, known_laws
from tegum.exact.laws.half_line import Ask, HalfLine, Part, mean_of
from tegum.exact.laws.states import StatesLaw
from tegum.exact.losses import losses
from tegum.features import Exponential, Features, Independent, Magnitude, Uniform

_ONE = 1e-6
_TOL, _TIE, _TERMS = 1e-11, 1e-13, 2**13
_THINNEST = 2e-6

Found = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@checked
def tails(W: ArrayLike, b: ArrayLike, features: Features, thresholds: ArrayLike, *, tied: bool = True) -> xr.Dataset:
    """The probabilities ``below`` and ``above`` (feature, threshold) that an output is off by more than a threshold.

    Args:
        W: weights (m, n), or the map (n, n) with ``tied=False``, of a ReLU-output net.
        b: biases (n,).
        features: a single distribution: independent or in sets, k of n, of uniform or exponential magnitudes, a law of
            finitely many states, or a mixture of these.
        thresholds: numbers above 0.
        tied: whether the map is W^T W, as by default.

    Returns:
        The dataset; ``error`` (feature, threshold) estimates the error of both.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
    """
    G, bias, laws, problems = one_model(W, b, features, tied)
    t = np.atleast_1d(real_numbers("thresholds", thresholds))
    if t.ndim != 1 or not t.size or not ((t > 0) & (t < np.inf)).all():
        problems.add(f"thresholds is {t}", "give a list of numbers above 0")
    with problems.collecting():
        for _, law in laws:
            if not isinstance(law, StatesLaw):
                within(law[0], -1.0, 1.0)
    problems.raise_if_any()
    plain = isinstance(features, Independent) and features.magnitude == Uniform() and not features.signed and (t < 1).all()
    if plain and isinstance(features, Independent):
        below, above, error = _of_independent(G, bias, t, features)
    else:
        below, above, error = np.zeros((3, len(bias), len(t)))
        for weight, law in laws:
            found = _of_states(law, G, bias, t) if isinstance(law, StatesLaw) else _of_inverted(law, G, bias, t)
            below, above, error = (old + weight * new for old, new in zip((below, above, error), found, strict=True))
    over = ("feature", "threshold")
    variables = {"below": (over, np.clip(below, 0, 1)), "above": (over, np.clip(above, 0, 1)), "error": (over, error)}
    meanings = {
        "below": "probability that the output is too low by more than the threshold",
        "above": "probability that the output is too high by more than the threshold",
        "error": "estimated error of both",
    }
    return dataset(variables, {"threshold": t}, {"features": repr(features)}, meanings)


def one_model(
    W: ArrayLike, b: ArrayLike, features: Features, tied: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[float, StatesLaw | Inverted]], Problems]:
    """The map (n, n) and the biases of a single model, the laws of a single distribution, and what is wrong with them."""
    W, b, n, problems = real_numbers("W", W), real_numbers("b", b), features.n_features, Problems()
    for name, array in (("W", W), ("b", b)):
        with problems.collecting():
            require_range(name, array, -LARGEST_WEIGHT, LARGEST_WEIGHT)
    if features.batch_shape:
        problems.add(f"the features are {features!r}", "give a single distribution")
    if W.ndim != 2 or W.shape[-1] != n or (not tied and W.shape[0] != n) or b.shape != (n,):
        problems.add(f"W has shape {W.shape} and b {b.shape}", f"give one model's, {('m', n) if tied else (n, n)} and ({n},)")
    problems.raise_if_any()
    laws = list[tuple[float, StatesLaw | Inverted]]()
    with problems.collecting():
        laws = list(known_laws(features))
    return W.T @ W if tied else W, b, laws, problems


def within(law: Magnitude, low: float, high: float, weight: float = 1.0, sign: float = 1.0) -> tuple[Part, ...]:
    """An active feature of magnitude u between two numbers, as parts of its law.

    Raises:
        InvalidInputError: where the law cannot be cut.
    """
    if isinstance(law, Exponential):
        ends = [(1.0, max(low, 0.0)), *([(-1.0, max(high, 0.0))] if high < np.inf else [])]
        cut = [Part(side * weight * float(np.exp(-end / law.mean)), law, sign, end) for side, end in ends]
        return tuple(cut) if low < high and high > 0 else ()
    if not isinstance(law, Uniform):
        raise InvalidInputError(
            f"the magnitudes are {type(law).__name__}", f"tails are known of Uniform and Exponential ones; {ON_SAMPLES}"
        )
    left, right = max(low, law.low), min(high, law.high)
    share = max(right - left, 0) / (law.high - law.low)
    left = min(left, right - _THINNEST * max(abs(left), abs(right), _THINNEST))  # a share of 1e-6 may lie 1e-6 beside
    if share == 0:
        return ()
    return (Part(weight * share, *((Uniform(left, right), sign) if right > 0 else (Uniform(-right, -left), -sign))),)


def _of_states(law: StatesLaw, G: NDArray[np.float64], b: NDArray[np.float64], t: NDArray[np.float64]) -> Found:
    """A sum over the states."""
    below, above = np.zeros((2, len(b), len(t)))
    for x, p in law.pieces(len(b) * len(t)):
        off = (x - np.maximum(x @ G.T + b, 0))[..., None]
        below += np.tensordot(p, off > t, 1)
        above += np.tensordot(p, -off > t, 1)
    return below, above, np.full(below.shape, 1e-15 * law.states.shape[0])


def _of_inverted(law: Inverted, G: NDArray[np.float64], b: NDArray[np.float64], t: NDArray[np.float64]) -> Found:
    """By inversion, one output after the other."""
    magnitude, signed, product = law
    signs = ((0.5, 1.0), (0.5, -1.0)) if signed else ((1.0, 1.0),)
    one, none = np.ones(1), np.zeros(1)

    def cut(low: float, high: float) -> tuple[Part, ...]:
        """Where x_i is active, between two numbers."""
        return tuple(
            part
            for weight, sign in signs
            for part in within(magnitude, *((low, high) if sign > 0 else (-high, -low)), weight, sign)
        )

    found = np.zeros((3, len(b), len(t)))
    for i, row in enumerate(G):
        off = row - np.eye(len(b))[i]
        low, high = (HalfLine(magnitude, signed, product, g, i) for g in (-off, off))
        below, error_below = low.means([Ask(-b[i] - one_t, cut(one_t, np.inf), 0.0, 0) for one_t in t], _TOL, _TERMS)
        above, error_above = high.means([Ask(b[i] - one_t, cut(-one_t, np.inf), 1.0, 0) for one_t in t], _TOL, _TERMS)
        negative = [sum(float(mean_of(part, one, none, 0)[0]) for part in cut(-np.inf, -one_t)) for one_t in t]
        found[:, i] = below, above + low.active * np.array(negative), error_below + error_above
    return found[0], found[1], found[2]


def _of_independent(G: NDArray[np.float64], b: NDArray[np.float64], t: NDArray[np.float64], features: Independent) -> Found:
    """By differences of expected errors, in compiled code."""
    density, own = features.density, np.diag(G)[:, None]
    others, bias, p = G - np.diag(np.diag(G)), b[:, None], density[:, None]
    # centres c of R, and of Q, for the sums -S and S; all of them of shape (n, thresholds)
    lower, upper = np.broadcast_arrays(-own * t - bias, 1 - own - t - bias)
    top, bottom = np.broadcast_arrays(bias - t + 0 * own, bias - t - (1 - own))
    R_low, Q_low, error_low = _sums(-others, np.stack([lower, upper]), features)
    R_high, Q_high, error_high = _sums(others, np.stack([top, bottom]), features)
    gap = 1 - own
    ordinary = np.abs(gap) > _ONE
    share = np.where(ordinary, gap, 1)
    below = p * np.where(ordinary, (R_low[1] - R_low[0]) / share, (1 - t) * Q_low.mean(axis=0))
    active = np.where(ordinary, (R_high[0] - R_high[1]) / share, Q_high.mean(axis=0))
    above = p * active + (1 - p) * Q_high[0]
    wide = np.where(ordinary, 2 / np.abs(share), 2) + 0 * t
    between = p * np.where(ordinary, 0, np.maximum((1 - t) * np.ptp(Q_low, axis=0), np.ptp(Q_high, axis=0)) / 2)
    return below, above, wide * (error_low + error_high) + between


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
        beside = Independent(n + 1, density=np.append(features.density, density), importance=np.append(np.zeros(n), 1.0))
        found = losses(maps, biases, beside, _TOL, gradient=True, tied=False)
        slopes.append(found.db[..., n])
        error = max(error, float(found.gradient_error.max()))
    return slopes[0] / 2, slopes[0] - slopes[1], error
