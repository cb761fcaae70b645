"""Exponent and multiplicity of a volume V(eps) ~ eps^lambda (log 1/eps)^(multiplicity - 1), from levels at which points died.

With t = log(1/eps), points that die in nested sampling of N each are events of a Poisson process in t, of the rate N s(t),

    s = - d log V / dt,     V ~ e^(-lambda u) (u + a)^(multiplicity - 1) (1 + q e^(-delta u)),     u = t - t0

because the volume shrinks from death to death by the largest of N uniform numbers: log V by an exponential number of mean 1/N.
So the likelihood is known.  It is Gaussian in lambda, and summed over grids of what only disturbs: a, the scale of the
logarithm, from where s would vanish to where the ball begins and a few 1 / lambda more; q and delta, of the next power, or of
the ball that cuts the set off.

What a sampler adds to Poisson's noise, because new points remember what they are copies of, is in how far groups of points that
know nothing of each other differ: how much more the scores of the likelihood vary than they should.  The likelihood is tempered
by that factor (never below 1).

Near the ball's own size V is no such power yet: the fit begins at the first of some places from which on a law fits.

>>> t = np.arange(0.0, 60.25, 0.25)
>>> log_V = -t / 2 + np.log(1 + t / 2)                              # of w_1^2 w_2^2 in a square: (1/2, 2)
>>> deaths = np.random.default_rng(0).poisson(-64 * np.diff(log_V), (16, 240))
>>> law = fitted(deaths, 64, t)
>>> law.multiplicity, law.coefficient_if.round(2)
(2, array([0.47, 0.5 , 0.51]))

Sources: Skilling, "Nested sampling for general Bayesian computation" (2006); Watanabe (2009), for the volume.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import chi2

Floats = NDArray[np.float64]

MOST_MULTIPLE = 3
_AFTER, _LATER, _LAST_SHARE, _COARSE = 3.5, 1.4, 2 / 3, 16
"""Of t, after which the fit begins; so many times as late where no law fits, up to a share of the range; bins of a test."""
_OFFSETS, _BEYOND, _STEPS = 24, 5.0, 20
_POWERS, _PARTS = (0.25, 0.5, 1.0), (-0.9, -0.7, -0.5, -0.4, -0.3, -0.2, -0.1, 0.1, 0.2, 0.4, 0.8)
_FITS, _REJECTED = 0.05, 3.0
"""The least probability of a misfit that passes; how far below the largest a log probability may be: a factor 20."""


class Fit(NamedTuple):
    """What deaths say of a volume.

    Attributes:
        multiplicity: the lowest that is not twenty times less probable than another; 0 where there is no law.
        coefficient: lambda at this multiplicity.
        coefficient_error: its standard error, of which the multiplicities that are not excluded are a part.
        probability: of each multiplicity.
        coefficient_if: lambda at each.
        error_if: its standard error at each.
        start: t from which on the law fits.
        dispersion: how much more groups vary than points that are independent would.
    """

    multiplicity: int
    coefficient: float
    coefficient_error: float
    probability: Floats
    coefficient_if: Floats
    error_if: Floats
    start: float
    dispersion: float


_NONE = np.full(MOST_MULTIPLE, np.nan)
NOTHING = Fit(0, np.nan, np.nan, _NONE, _NONE, _NONE, np.nan, np.nan)
"""Where there is no law."""


def fitted(deaths: NDArray[np.int64], points: int, edges: Floats) -> Fit:
    """The law of deaths (groups, bins) in groups of so many points, in bins of t with edges (bins + 1,)."""
    t = edges - edges[0]
    after, found = min(_AFTER, t[-1] / 4), None
    while after < _LAST_SHARE * t[-1]:
        first = int(np.searchsorted(t, after))
        found, fits = _from(deaths[:, first:], points, edges[first:], float(edges[0]))
        if fits:
            break
        after *= _LATER
    assert found is not None
    return found


def _from(deaths: NDArray[np.int64], points: int, edges: Floats, top: float) -> tuple[Fit, bool]:
    """The law from the first of these bins on, and whether it fits; the ball begins at ``top``."""
    groups, total = len(deaths), deaths.sum(axis=0).astype(np.float64)
    u = edges - edges[0]
    rate = float(total.sum() / (groups * points * u[-1]))
    decays = [np.zeros(len(u) - 1), *(np.diff(np.log1p(q * np.exp(-delta * u))) for delta in _POWERS for q in _PARTS)]
    each, shapes = [], []
    for power in range(MOST_MULTIPLE):
        offsets = np.linspace(power / rate / 2, edges[0] - top + _BEYOND * power / rate, _OFFSETS) if power else np.ones(1)
        logarithms = power * np.log1p(np.diff(u) / (u[:-1] + offsets[:, None]))
        shapes.append((logarithms[:, None] + np.array(decays)).reshape(-1, len(u) - 1))
        each.append(_likelihoods(total / (groups * points), np.diff(u), shapes[-1]))
    best = max(range(MOST_MULTIPLE), key=lambda k: float(each[k][1].max()))
    place = int(each[best][1].argmax())
    expected = points * (each[best][0][place] * np.diff(u) - shapes[best][place])
    dispersion = _dispersion(deaths, expected, u, edges[0] - top + 1 / rate, points)
    scale = groups * points / dispersion
    logs, limits, errors = (np.empty(MOST_MULTIPLE) for _ in range(3))
    for k, (values, likelihood, information) in enumerate(each):
        logs[k] = logsumexp(scale * likelihood) - np.log(len(values))
        weight = np.exp(scale * (likelihood - likelihood.max()))
        weight /= weight.sum()
        limits[k] = weight @ values
        errors[k] = np.sqrt(weight @ (1 / (scale * information) + (values - limits[k]) ** 2))
    probability = np.exp(logs - logsumexp(logs))
    lowest = int(np.argmax(logs > logs.max() - _REJECTED))
    error = float(np.sqrt(probability @ (errors**2 + (limits - limits[lowest]) ** 2)))
    fit = Fit(lowest + 1, float(limits[lowest]), error, probability, limits, errors, float(edges[0]), dispersion)
    return fit, _misfit(total, groups * expected, dispersion) > _FITS


def _likelihoods(share: Floats, width: Floats, shapes: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each shape (shapes, bins) the lambda that is likeliest, the logarithm of its likelihood and Fisher's information.

    Per point: sum_k n_k log x_k - x_k with x_k = lambda du_k - shape_k, by which -log V grows in a bin.  It is concave in
    lambda: Newton's steps, halved where x_k <= 0.
    """
    whole = float(width.sum())
    floor = (shapes / width).max(axis=1)
    limit = np.maximum((float(share.sum()) + shapes.sum(axis=1)) / whole, floor + 0.01 * abs(floor) + 1e-9)
    for _ in range(_STEPS):
        x = limit[:, None] * width - shapes
        pull = share * width / x
        moved = limit + (pull.sum(axis=1) - whole) / (pull * width / x).sum(axis=1)
        limit = np.where(moved > floor, moved, (limit + floor) / 2)
    x = limit[:, None] * width - shapes
    return limit, (share * np.log(x) - x).sum(axis=1), (share * (width / x) ** 2).sum(axis=1)


def _dispersion(deaths: NDArray[np.int64], expected: Floats, u: Floats, offset: float, points: int) -> float:
    """How much more the scores of groups vary than Poisson's would: of lambda, and of a part 1 / (u + offset) of s."""
    width = np.diff(u)
    change = points * np.stack([width, np.log1p(width / (u[:-1] + offset))]) / expected
    scores = (deaths - expected) @ change.T
    scores = scores - scores.mean(axis=0)
    measured = scores.T @ scores / (len(deaths) - 1)
    return max(1.0, float(np.trace(np.linalg.solve(change * expected @ change.T, measured))) / 2)


def _misfit(total: Floats, expected: Floats, dispersion: float) -> float:
    """The probability of a misfit as large as this one, in a few wide bins."""
    bounds = np.linspace(0, len(total), min(_COARSE, len(total)) + 1).astype(int)[:-1]
    seen, meant = np.add.reduceat(total, bounds), np.add.reduceat(expected, bounds)
    return float(chi2.sf(((seen - meant) ** 2 / meant).sum() / dispersion, max(len(bounds) - 2, 1)))
