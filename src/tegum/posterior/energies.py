"""Free energies of basins: which of two minima a posterior of n samples prefers, and at which n it changes its mind.

    Z_n = int N(w; 0, s^2) exp(-n L(w)) dw  over a basin and its images,        F_n = -log Z_n

At a regular minimum Z is Laplace's integral across the orbit of rotations W -> R W, and the orbit's volume along it:

    F_n = n L(w_n) + |w_n|^2 / (2 s^2) + d/2 log(2 pi s^2) - r/2 log(2 pi) + 1/2 log det' H_n - log vol(orbit) - log images

    w_n: where n L + |w|^2 / (2 s^2) is least;  H_n = n L'' + 1 / s^2 there, on the r directions across the orbit
    vol(orbit) = vol SO(m) prod_{a<b} (s_a^2 + s_b^2)^(1/2),  s_a singular values of W,  vol SO(m) = prod_{k<m} vol(S^k)

because the orbit runs |dW| = (s_a^2 + s_b^2)^(1/2) for each unit of the angle in the plane of a and b.  To leading order this
is n L + lambda log n, lambda = r / 2; where two lambda are equal, what decides are determinants, orbits and how many images a
minimum has: other orders of equal features, and mirror images.  The error is of order 1 / n, from where on the nearest kinks
are farther than the posterior is wide; before, it may be of some units.

>>> import tegum as tg
>>> features = tg.features.AnticorrelatedSets(1, 2, density=1 / 2)
>>> energy = free_energy(tg.nets.ReluOutput(2, 1), features, [[1, -1]], [0, 0], [1e4, 1e6], images=2)
>>> energy.values.round(2), round(float(energy[1] - energy[0]) / 4.6052, 3)              # lambda log 100 apart: lambda = 2
(array([17.63, 26.84]), 2.0)

Source: Watanabe, "A widely applicable Bayesian information criterion" (2013), and (2010) for WAIC.
"""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp

from tegum.checking import checked, real_numbers, require_held
from tegum.errors import InvalidInputError, Problems
from tegum.exact import Objective, hessian_at, rotation_modes
from tegum.exact.hessian import complement
from tegum.exact.parameters import free_of
from tegum.features import Features, FiniteLaw
from tegum.nets import Net
from tegum.posterior.bowl import SHARP_TERMS, Loss
from tegum.posterior.coefficient import coefficient_at
from tegum.posterior.noise import sample_losses
from tegum.posterior.targets import point_of, target_kind

Floats = NDArray[np.float64]

_NEWTON_STEPS, _STILL = 30, 1e-10
_FEWEST, _MOST, _GRID = 1.0, 1e12, 25
_DRAWS, _DRAWS_AT_ONCE = 256, 64


class Waic(NamedTuple):
    """The widely applicable information criterion of one sample, its standard error, and the functional variance in it."""

    value: float
    standard_error: float
    variance: float


@checked
def free_energy(
    net: Net,
    features: Features,
    W: ArrayLike,
    b: ArrayLike | None,
    n_samples: ArrayLike,
    *,
    prior_deviation: float = 1.0,
    images: int = 1,
) -> xr.DataArray:
    """F_n of the basin of a regular minimum and all its images, over ``n_samples``; see `tegum.posterior.energies`.

    Args:
        net: a `ReluOutput` or `Linear` net.
        features: as of `tegum.posterior.sample`.
        W: the minimum, (m, n).
        b: its bias, (n,).
        n_samples: a number, or several.
        prior_deviation: of the Gaussian prior on all parameters.
        images: how many minima there are like this one, those that a rotation of W makes of each other counted once.

    Returns:
        F over ``n_samples``; NaN where n is so small that n L and the prior together are least in no point next to the minimum.
        The coordinate ``correction`` is what is to be added to F, as 256 draws of the formula's own Gaussian say.  Where it is
        not small, because n is, or kinks are nearer than the posterior is wide, it is itself only a part of what is missing.

    Raises:
        InvalidInputError: for what is no regular minimum: its free energy has no such formula.
    """
    counts = np.atleast_1d(real_numbers("n_samples", n_samples))
    if counts.ndim > 1:
        raise InvalidInputError(f"n_samples has shape {counts.shape}", "give a number, or several in a row")
    with Problems() as problems:
        problems.check_number("prior_deviation", prior_deviation, 1e-6, 1e15)
        problems.check_least("images", images, 1)
        for one in counts:
            problems.check_number("n_samples", float(one), _FEWEST, _MOST)
    objective, x = point_of(net, features, W, b, SHARP_TERMS)
    exact = coefficient_at(objective, x)
    if exact.kind != "regular":
        advice = "sample it, or give a minimum that is bent in all directions but the rotations"
        raise InvalidInputError(f"the point is {exact.kind}, and Laplace's formula is for regular minima", advice)
    prior, loss = prior_deviation**-2, Loss(net, features, SHARP_TERMS)
    places = [_place(objective, x, float(n), prior) for n in counts]
    values = [_energy(objective, one, float(n), prior) - math.log(images) for one, n in zip(places, counts, strict=True)]
    missing = [_correction(loss, one, float(n), prior) for one, n in zip(places, counts, strict=True)]
    coords = {"n_samples": counts, "correction": ("n_samples", missing)}
    found = xr.DataArray(values, coords, dims="n_samples", name="free_energy")
    found.attrs |= {"long_name": "free energy, -log of the evidence", "units": "1", "coefficient": exact.value}
    return found


class _Place(NamedTuple):
    """Where n L and the prior together are least, w_n, the directions across its orbit in rows, and H_n along these."""

    x: Floats
    across: Floats
    H: Floats


def _place(objective: Objective, x: Floats, n: float, prior: float) -> _Place | None:
    """That place next to a minimum; None where Newton's steps do not end in one of the same rank."""
    free = free_of(objective.net)
    turning = len(rotation_modes(objective.parameters(x)[0]))
    for _ in range(_NEWTON_STEPS):
        across = complement(np.concatenate([rotation_modes(objective.parameters(x)[0]), np.eye(x.size)[~free]]))
        H = across @ (n * hessian_at(objective, x)[0] + prior * np.eye(x.size)) @ across.T
        step = across.T @ np.linalg.solve(H, across @ (n * objective.gradient(x) + prior * x))
        x = x - step
        if np.linalg.norm(step) < _STILL:
            break
    else:
        return None
    if len(rotation_modes(objective.parameters(x)[0])) != turning or np.linalg.eigvalsh(H)[0] <= 0:
        return None  # a saddle, or the prior's own maximum, where no feature is represented
    return _Place(x, across, H)


def _energy(objective: Objective, place: _Place | None, n: float, prior: float) -> float:
    """F_n of one orbit; NaN where there is no such place."""
    if place is None:
        return float("nan")
    x, _, H = place
    d, rank = int(free_of(objective.net).sum()), len(H)
    singular = np.asarray(np.linalg.svd(objective.parameters(x)[0], compute_uv=False), dtype=np.float64)
    value = n * objective.loss(x) + prior * float(x @ x) / 2 + d / 2 * math.log(2 * math.pi / prior)
    value -= rank / 2 * math.log(2 * math.pi) - 0.5 * float(np.linalg.slogdet(H)[1])
    return value - _log_orbit(singular, objective.net.n_hidden)


def _correction(loss: Loss, place: _Place | None, n: float, prior: float) -> float:
    """What F lacks across the orbit: -log E exp(parabola - U) over draws of its Gaussian, U = n L + |w|^2 / (2 s^2)."""
    if place is None:
        return float("nan")
    stiff, directions = np.linalg.eigh(place.H)
    z = np.random.default_rng(0).normal(size=(_DRAWS, len(stiff)))
    w = place.x + z / np.sqrt(stiff) @ directions.T @ place.across
    potential = np.array([n * loss(one)[0] + prior * float(one @ one) / 2 for one in (place.x, *w)])
    return float(math.log(_DRAWS) - logsumexp((z**2).sum(axis=1) / 2 - (potential[1:] - potential[0])))


def _log_orbit(singular: Floats, m: int) -> float:
    """Log vol of {R W}: vol SO(m) / vol SO(m - r), W of rank r, times the lengths of its directions."""
    full = np.zeros(m)
    full[: len(singular)] = singular
    a, b = np.triu_indices(m, 1)
    lengths = np.hypot(full[a], full[b])
    moved = lengths > 1e-7 * (1 + full.max(initial=0.0))
    rank = int((full > 1e-7 * (1 + full.max(initial=0.0))).sum())
    spheres = range(max(m - rank, 1), m)
    return float(
        np.log(lengths[moved]).sum()
        + sum(math.log(2) + (k + 1) / 2 * math.log(math.pi) - gammaln((k + 1) / 2) for k in spheres)
    )


@checked
def sample_size_of_change(
    net: Net,
    features: Features,
    few: tuple[ArrayLike, ArrayLike],
    many: tuple[ArrayLike, ArrayLike],
    *,
    images: tuple[int, int] = (1, 1),
    prior_deviation: float = 1.0,
    between: tuple[float, float] = (50.0, 1e8),
) -> float:
    """How many samples it takes until a posterior prefers the second minimum to the first; NaN where it does not change.

    Args:
        net: of both.
        features: of both.
        few: W and b of the minimum that is preferred with few samples.
        many: W and b of the other.
        images: how many minima there are like each, up to rotations.
        prior_deviation: of the Gaussian prior.
        between: where it is looked for.  With few samples the formula means nothing: a posterior is a Gaussian around a minimum
            where lambda / n, by which its loss is higher in the mean, is far below what separates minima, and where kinks are
            farther away: the ``correction`` of `free_energy` says at the change whether it is.

    Raises:
        InvalidInputError: as of `free_energy`.
    """
    low, high = between
    if not _FEWEST <= low < high <= _MOST:
        raise InvalidInputError(f"between is {between}", f"give two rising numbers from {_FEWEST:g} to {_MOST:g}")
    first, second = (point_of(net, features, *one, SHARP_TERMS) for one in (few, many))
    for one, count in ((few, images[0]), (many, images[1])):
        free_energy(net, features, *one, 1e6, images=count, prior_deviation=prior_deviation)  # which refuses what it must
    prior = prior_deviation**-2

    def gap(log_n: float) -> float:
        n = math.exp(log_n)
        energies = [
            _energy(objective, _place(objective, x, n, prior), n, prior) - math.log(count)
            for (objective, x), count in zip((first, second), images, strict=True)
        ]
        return energies[0] - energies[1]

    grid = np.linspace(math.log(low), math.log(high), _GRID)
    gaps = np.array([gap(one) for one in grid])
    changes = np.flatnonzero((gaps[:-1] < 0) & (gaps[1:] >= 0))  # NaN, where a basin has no w_n, is neither
    if not changes.size:
        return float("nan")
    return math.exp(brentq(gap, grid[changes[-1]], grid[changes[-1] + 1], xtol=1e-9))


@checked
def waic(net: Net, features: FiniteLaw, data: xr.Dataset) -> Waic:
    """The widely applicable information criterion of a posterior on a data set, with exp(-loss of a sample) for its likelihood.

        WAIC = - mean_t log E_w exp(-l(w; x_t)) + mean_t Var_w l(w; x_t)

    It estimates what the posterior's predictions cost on a fresh sample; differences between basins are what it is for.

    Args:
        net: of the models.
        features: the data set.
        data: draws of `tegum.posterior.sample` with n_beta the number of samples, at least two.

    Raises:
        InvalidInputError: where the dataset has too few draws, or those of another net: of other sizes, or as its attribute
            ``net`` says; and for nets that are not sampled.
    """
    target_kind(net, features)
    require_held("data", data, W=("chain", "draw", "hidden", "feature"), b=("chain", "draw", "feature"))
    held = data.sizes["hidden"], data.sizes["feature"]
    if held != (net.n_hidden, net.n_features):
        raise InvalidInputError(f"W of data has {held[0]} hidden units and {held[1]} features", f"give draws of {net!r}")
    if data.attrs.get("net", repr(net)) != repr(net):
        raise InvalidInputError(f"data are draws of {data.attrs['net']}", f"give draws of {net!r}")
    W = data["W"].transpose("chain", "draw", "hidden", "feature").values.reshape(-1, net.n_hidden, net.n_features)
    b = data["b"].transpose("chain", "draw", "feature").values.reshape(-1, net.n_features)
    kept = np.isfinite(b).all(axis=1)
    if not kept.any():
        raise InvalidInputError("all draws are NaN", "give chains that have not diverged")
    if kept.sum() == 1:
        raise InvalidInputError("data has one draw", "give at least two: a variance is of several")
    W, b = W[kept], b[kept]
    parts = [
        sample_losses(net, features.importance, W[k : k + _DRAWS_AT_ONCE], b[k : k + _DRAWS_AT_ONCE], features.table)
        for k in range(0, len(b), _DRAWS_AT_ONCE)
    ]
    losses = np.concatenate(parts)
    fit = -(logsumexp(-losses, axis=0) - math.log(len(losses)))
    spread = losses.var(axis=0, ddof=1)
    p, each = features.probabilities, fit + spread
    mean = float(p @ each)
    return Waic(mean, float(np.sqrt((p @ (each - mean) ** 2) * (p**2).sum())), float(p @ spread))
