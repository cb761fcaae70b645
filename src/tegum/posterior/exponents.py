"""Exponent and multiplicity of a volume V(eps) ~ eps^lambda (log 1/eps)^(multiplicity - 1), from levels at which points died.

With t = log(1/eps) and u = t - t0, from where the law begins,

    V ~ e^(-lambda u) (u + a)^k (1 + q e^(-delta u)),      k = multiplicity - 1

From death to death of N points V shrinks by the largest of N uniform numbers, so -log V grows by an exponential number of mean
1 / N: deaths are a Poisson process of rate N in -log V.  In a bin from u to u + du of t G groups of N points have

    N G x,   x = lambda du - d[k log(u + a) + log(1 + q e^(-delta u))],     d[f] = f(u + du) - f(u)

of them in the mean, and n deaths in each bin the likelihood

    log P = N G / D sum over bins of (n / (N G) log x - x) + what is the same for all laws

*Only lambda and k matter.*  P is averaged over a grid of the rest, each place as probable as another: a, the scale of the
logarithm, from k / (2 s) to 5 k / s beyond where the ball begins, s the mean slope (below k / lambda it would be negative);
q and delta, of the next power, or of the ball that cuts the set off.  In lambda it is taken for a Gaussian at its largest, of
variance D / (N G sum n / (N G) (du / x)^2); how wide that is differs by next to nothing between laws, and is left out.
Multiplicities are as probable as the averages that they have: 1, 2 and 3, and more while the last is the likeliest.

Powers that are nearer than 1 / 4 to each other look like a logarithm for long: of w_1^4 w_2^6, 1/6 and 1/4, over 60 units of t
the multiplicity is said to be 2, and lambda 0.18.  Of five weights or more that multiply (u + a)^k is too coarse: of five, 1/2
and 5, over 90 units it is said to be 6, and lambda 0.516.

*D*: what a sampler adds to Poisson's noise, because new points remember what they are copies of.  It is how much more the
scores of log P, by lambda and by a part 1 / (u + a) of the slope, vary between groups that know nothing of each other than
they should: trace(I^-1 C) / 2 of their covariance C and Poisson's I, never below 1.

Near the ball's own size V is no such power yet: the law begins at the first of some places from which on one fits.

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

TRIED, _MOST = 3, 8
"""How many multiplicities are tried; and at most, one after the other while the highest is the likeliest."""
_AFTER, _LATER, _LAST_SHARE, _COARSE = 3.5, 1.4, 2 / 3, 16
"""Of t, after which the fit begins; so many times as late where no law fits, up to a share of the range; bins of a test."""
_OFFSETS, _BEYOND, _STEPS = 24, 5.0, 20
_POWERS, _PARTS = (0.25, 0.5, 1.0), (-0.9, -0.7, -0.5, -0.4, -0.3, -0.2, -0.1, 0.1, 0.2, 0.4, 0.8)
_FITS, _NO_LAW, _REJECTED = 0.05, 1e-3, 3.0
"""The least probability of a misfit that passes at once, and at all; how far below the largest a log probability may be: a
factor 20."""


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
        fits: the probability of deaths that are as far from the law as these.
    """

    multiplicity: int
    coefficient: float
    coefficient_error: float
    probability: Floats
    coefficient_if: Floats
    error_if: Floats
    start: float
    dispersion: float
    fits: float


_NONE = np.full(TRIED, np.nan)
NOTHING = Fit(0, np.nan, np.nan, _NONE, _NONE, _NONE, np.nan, np.nan, np.nan)
"""Where there is no law."""


def fitted(deaths: NDArray[np.int64], points: int, edges: Floats) -> Fit:
    """The law of deaths (groups, bins) in groups of so many points, in bins of t with edges (bins + 1,)."""
    t = edges - edges[0]
    after, found = min(_AFTER, t[-1] / 4), None
    while after < _LAST_SHARE * t[-1]:
        first = int(np.searchsorted(t, after))
        if not deaths[:, first:].any():
            break
        found = _from(deaths[:, first:], points, edges[first:], float(edges[0]))
        if found.fits > _FITS:
            break
        after *= _LATER
    if found is None:
        return NOTHING
    return found if found.fits > _NO_LAW else NOTHING._replace(fits=found.fits)


def _from(deaths: NDArray[np.int64], points: int, edges: Floats, top: float) -> Fit:
    """The law from the first of these bins on; the ball begins at ``top``."""
    groups, best, total = len(deaths), 0, deaths.sum(axis=0).astype(np.float64)
    u = edges - edges[0]
    rate = float(total.sum() / (groups * points * u[-1]))
    decays = [np.zeros(len(u) - 1), *(np.diff(np.log1p(q * np.exp(-delta * u))) for delta in _POWERS for q in _PARTS)]
    each: list[tuple[Floats, Floats, Floats]] = []
    shapes: list[Floats] = []
    while len(each) < TRIED or (best == len(each) - 1 and len(each) < _MOST):
        power = len(each)
        offsets = np.linspace(power / rate / 2, edges[0] - top + _BEYOND * power / rate, _OFFSETS) if power else np.ones(1)
        logarithms = power * np.log1p(np.diff(u) / (u[:-1] + offsets[:, None]))
        shapes.append((logarithms[:, None] + np.array(decays)).reshape(-1, len(u) - 1))
        each.append(_likelihoods(total / (groups * points), np.diff(u), shapes[-1]))
        best = max(range(len(each)), key=lambda k: float(each[k][1].max()))
    place = int(each[best][1].argmax())
    expected = points * (each[best][0][place] * np.diff(u) - shapes[best][place])
    dispersion = _dispersion(deaths, expected, u, edges[0] - top + 1 / rate, points)
    scale = groups * points / dispersion
    logs, limits, errors = np.empty((3, len(each)))
    for k, (values, likelihood, information) in enumerate(each):
        logs[k] = logsumexp(scale * likelihood) - np.log(len(values))
        weight = np.exp(scale * (likelihood - likelihood.max()))
        weight /= weight.sum()
        limits[k] = weight @ values
        errors[k] = np.sqrt(weight @ (1 / (scale * information) + (values - limits[k]) ** 2))
    probability = np.exp(logs - logsumexp(logs))
    lowest = int(np.argmax(logs > logs.max() - _REJECTED))
    error = float(np.sqrt(probability @ (errors**2 + (limits - limits[lowest]) ** 2)))
    fits = _misfit(total, groups * expected, dispersion)
    return Fit(lowest + 1, float(limits[lowest]), error, probability, limits, errors, float(edges[0]), dispersion, fits)


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
