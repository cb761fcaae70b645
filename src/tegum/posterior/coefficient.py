"""The local learning coefficient of a model: exact where it is known, and as samplers estimate it, with what biases them.

    lambda: Vol{w near w*: L(w) - L* < eps} ~ eps^lambda,          an estimate: n_beta (E L - L*) under the local posterior

*Exact.*  Write L - L* next to w* in directions that the Hessian H bends and others.  If L is constant along the others (the
orbit of a rotation, a bias of an output that never fires), the volume is that of an ellipsoid times a constant:

    lambda = rank H / 2                                                                regular, or flat

If H jumps at w* (a ReLU at its kink) and L - L* rises like |v|^2 c(v / |v|) with c > 0 in every direction v but the rotations,
the set is s = sqrt(eps) times one shape:  lambda = (d - rotations) / 2                kinked

Else (H vanishes where L does not) it lies between rank H / 2 and that plus a third for each such direction, because a minimum
that is flat to second order rises like |v|^3 or slower: ``lower`` and ``upper`` are given, and `tegum.posterior.volume_scaling`
measures it.

Directions are followed for 0.01: a point from which the loss falls within that is called a saddle.

>>> import tegum as tg
>>> found = tg.exact.minimise(tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.1), seeds=4).isel(seed=0)
>>> net, features = tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.1)
>>> exact = exact_coefficient(net, features, found.W, found.b)
>>> exact.value, exact.kind
(2.0, 'regular')
>>> estimate = llc(net, features, found.W, found.b)
>>> abs(estimate.value - 2) < 5 * estimate.standard_error
True

*Estimates are biased*, by what `known_biases` computes at a regular minimum.  There the chain is linear, with gradient noise of
covariance C / B in batches of B, and step sizes P (a matrix; e times 1 for SGLD, diagonal for RMSProp):

    w' = w - P/2 (M w + n_beta noise) + P^(1/2) N(0, 1),     M = n_beta H + gamma

so that u = P^(-1/2) w has the stationary covariance S with, in the eigenvectors of K = P^(1/2) M P^(1/2), eigenvalues k,

    S_ab [1 - (1 - k_a / 2)(1 - k_b / 2)] = 1_ab + n_beta^2 / (4 B) (P^(1/2) C P^(1/2))_ab
    estimate = n_beta / 2 tr(H P^(1/2) S P^(1/2))            infinite where some k >= 4: it diverges

localisation: the same with P -> 0 and no noise, minus rank / 2; step size: with P and no noise, minus that; batches: the rest.

Sources: Lau, Murfet and Wei, "Quantifying degeneracy in singular models via the learning coefficient" (2023), for the
estimator; Watanabe (2009), for lambda.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, final

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from tegum.checking import checked
from tegum.datasets import Status
from tegum.errors import InvalidInputError, Problems
from tegum.exact import Objective, hessian_at
from tegum.exact.descent import descend
from tegum.exact.hessian import complement, smallest_curvature, still_directions
from tegum.exact.parameters import free_of
from tegum.features import Features
from tegum.nets import Net
from tegum.posterior.diagnostics import effective_size, r_hat
from tegum.posterior.noise import gradient_covariance
from tegum.posterior.sample import metric_at, sample
from tegum.posterior.samplers import HMC, Langevin, RMSProp, Sampler
from tegum.posterior.targets import point_of

Kind = Literal["regular", "flat", "kinked", "degenerate", "saddle"]
Floats = NDArray[np.float64]

N_BETA, LOCALISATION = 1e7, 100.0
"""The defaults of `llc`: so local that most minima are their Hessians, and loose enough to see what is flat."""

_LEAST_N_BETA, _MOST_LOCAL, _LARGEST = 1e-6, 1e12, 1e15
_NEAR, _TRIED, _DISAGREE = 0.01, 64, 1.1
_TERMS, _SHARP_TERMS = 64, 1024
_CRITICAL, _NEGATIVE, _BENT, _KINK = 1e-5, 1e-6, 1e-6, 1e-4
_AWAY, _PROBES, _ALONG, _AS_FLAT = 1e-2, 6, 400, 1e-6
_ROUNDS, _SETTLED, _LOOSEST = 50, 1e-6, 1e-9


@final
@dataclass(frozen=True)
class ExactCoefficient:
    """A local learning coefficient from derivatives.

    Attributes:
        value: lambda; NaN where it is only bounded, and at a saddle, which has none.
        lower: it is at least this.
        upper: and at most this.
        kind: regular, flat, kinked, degenerate or saddle, see `tegum.posterior.coefficient`.
        rank: directions that are bent.
        still: directions that are neither bent nor of a rotation.
    """

    value: float
    lower: float
    upper: float
    kind: Kind
    rank: int
    still: int


@final
@dataclass(frozen=True)
class Estimate:
    """A local learning coefficient as a sampler estimates it.

    Attributes:
        value: n_beta (mean loss - L*), of the chains that finished; where ``exact`` is None it is of no coefficient.
        interval: of the given confidence, by Student's t over chains; NaN where a chain diverged, and where chains have not
            moved or disagree (an R-hat above 1.1).
        standard_error: of the value, from the spread of the chains' means.
        exact: what derivatives say of the point, such as the true value; None where it is not critical.
        biases: what is known to be wrong with the value at a regular minimum, by cause, signed; empty elsewhere.
        r_hat: of the loss.
        effective_size: of the mean loss.
        diverged: how many chains did.
        data: the chains, as `tegum.posterior.sample` returns them.
    """

    value: float
    interval: tuple[float, float]
    standard_error: float
    exact: ExactCoefficient | None
    biases: Mapping[str, float]
    r_hat: float
    effective_size: float
    diverged: int
    data: xr.Dataset = field(repr=False)


@checked
def exact_coefficient(net: Net, features: Features, W: ArrayLike, b: ArrayLike | None = None) -> ExactCoefficient:
    """The local learning coefficient at a minimum from the exact Hessian, or its bounds where that does not decide.

    Args:
        net: a `ReluOutput` or `Linear` net.
        features: as of `tegum.posterior.sample`.
        W: the minimum, (m, n).
        b: its bias, (n,).

    Raises:
        InvalidInputError: for arguments that are wrong, and for a point that is not critical.
    """
    objective, x = point_of(net, features, W, b, _SHARP_TERMS)
    return coefficient_at(objective, x)


def coefficient_at(objective: Objective, x: Floats, curved: tuple[Floats, float] | None = None) -> ExactCoefficient:
    """The same of an objective at flat parameters, whose Hessian with its error may be known."""
    _, gradient = objective(x)
    H, error = curved or hessian_at(objective, x)
    free = free_of(objective.net)
    modes = still_directions(objective.net, x, free)
    rest = complement(modes)
    bends, directions = np.linalg.eigh(rest @ H @ rest.T)
    size = float(np.abs(bends).max(initial=0.0))
    if not np.linalg.norm(gradient) <= _CRITICAL * max(size, _CRITICAL):
        what = f"the gradient at W and b has the norm {np.linalg.norm(gradient):.3g}"
        raise InvalidInputError(what, "give a minimum, such as tegum.exact.minimise finds from there (initial=..., seeds=1)")
    d = len(rest)
    if error > _KINK * size:
        least = smallest_curvature(objective, x, modes, (H, error)).value
        if least > _BENT * size:
            return ExactCoefficient(d / 2, d / 2, d / 2, "kinked", d, 0)
        kind: Kind = "saddle" if least < -_NEGATIVE * size else "degenerate"
        return ExactCoefficient(float("nan"), 0.0, d / 2, kind, 0, d)
    if d and bends[0] < -_NEGATIVE * size - error:
        return ExactCoefficient(float("nan"), 0.0, d / 2, "saddle", int((bends > 0).sum()), 0)
    bent = bends > max(_BENT * size, 10 * error)
    rank, still = int(bent.sum()), int((~bent).sum())
    if not still:
        return ExactCoefficient(rank / 2, rank / 2, rank / 2, "regular", rank, 0)
    rises = _rises(objective, x, rest.T @ directions[:, ~bent], rest.T @ directions[:, bent])
    if rises < -_AS_FLAT * size * _AWAY**2:
        return ExactCoefficient(float("nan"), 0.0, d / 2, "saddle", rank, still)
    if rises <= _AS_FLAT * size * _AWAY**2:
        return ExactCoefficient(rank / 2, rank / 2, rank / 2, "flat", rank, still)
    return ExactCoefficient(float("nan"), rank / 2, rank / 2 + still / 3, "degenerate", rank, still)


def _rises(objective: Objective, x: Floats, still: Floats, bent: Floats) -> float:
    """By how much the loss changes along directions that do not bend, at most, when those that do may follow.

    Columns of ``still`` and ``bent`` are directions.  At x + t v, v still, the loss is minimised over the bent ones: on a flat
    set that leads back to L*.  The lowest change counts where the loss falls.
    """
    loss = objective.loss(x)
    generator = np.random.default_rng(0)
    sides = [*still.T, *-still.T, *(still @ v / np.linalg.norm(v) for v in generator.normal(size=(_PROBES, still.shape[1])))]
    changes = []
    for v in sides:
        start = x + _AWAY * v

        def along(y: Floats, start: Floats = start) -> tuple[float, Floats]:
            value, gradient = objective(start + bent @ y)
            return value, bent.T @ gradient

        lowest = descend(along, np.zeros(bent.shape[1]), 1e-10, _ALONG).loss if bent.shape[1] else objective.loss(start)
        changes.append(lowest - loss)
    return min(changes) if min(changes) < -max(changes) else max(changes)


@checked
def llc(
    net: Net,
    features: Features,
    W: ArrayLike,
    b: ArrayLike | None = None,
    *,
    n_beta: float | None = None,
    localisation: float = LOCALISATION,
    sampler: Sampler = HMC(),
    chains: int = 16,
    draws: int = 1000,
    warm_up: int = 300,
    thinning: int = 1,
    confidence: float = 0.95,
    root_seed: int = 0,
    terms: int | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Estimate:
    """The local learning coefficient at a point as a sampler estimates it, with interval and the biases that are known.

    Args:
        net: a `ReluOutput` or `Linear` net.
        features: as of `tegum.posterior.sample`.
        W: the point, (m, n).
        b: its bias, (n,).
        n_beta: of the local posterior; others use n / log n of n samples.  By default 10^7, or ten times that as often as it
            takes, to 10^12, for the loss to be a parabola where the posterior of a regular or flat minimum is.
        localisation: how strongly it is held to the point.
        sampler: how chains move, see `tegum.posterior.samplers`.
        chains: how many, at least 2.
        draws: of each.
        warm_up: steps before.
        thinning: steps for each draw.
        confidence: of the interval.
        root_seed: names the family of chains.
        terms: of the loss where it is inverted; by default 64, or as many more, to 1024, as it takes to be least at a minimum.
        threads: how many chains at a time.
        progress: as of `tegum.posterior.sample`.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
        Interrupted: after Ctrl-C.
    """
    with Problems() as problems:
        problems.check_least("chains", chains, 2)
        problems.check_number("confidence", confidence, 0.01, 0.9999)
        if n_beta is not None:
            problems.check_number("n_beta", n_beta, _LEAST_N_BETA, _LARGEST)
    sharp, x = point_of(net, features, W, b, _SHARP_TERMS)
    curved = hessian_at(sharp, x)
    exact = _exact_or_none(sharp, x, curved)
    known = exact is not None and exact.kind in ("regular", "flat")
    n_beta = n_beta or (_local_n_beta(sharp, x, curved[0], localisation) if known else N_BETA)
    terms = terms or (_enough_terms(sharp, x, curved[0], n_beta) if known or (exact and exact.kind == "kinked") else _TERMS)
    objective = Objective(net, features, terms)
    how: dict[str, Any] = {"chains": chains, "draws": draws, "warm_up": warm_up, "thinning": thinning, "root_seed": root_seed}
    how |= {"terms": terms, "threads": threads, "progress": progress, "sampler": sampler, "localisation": localisation}
    data = sample(net, features, *objective.parameters(x), n_beta=n_beta, **how)
    done = (data["status"] == Status.FINISHED).values
    excess = n_beta * (data["loss"].values[done] - objective.loss(x))
    means = excess.mean(axis=1)
    value = float(means.mean()) if done.any() else float("nan")
    error = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else float("nan")
    scale = r_hat(excess) if done.any() else float("nan")
    reach = error * float(student.ppf((1 + confidence) / 2, chains - 1)) if done.all() and scale <= _DISAGREE else float("nan")
    size = effective_size(excess, ranked=False) if done.any() else float("nan")
    biases = known_biases(net, features, sharp, x, curved[0], exact, n_beta, localisation, sampler) if known and exact else {}
    return Estimate(value, (value - reach, value + reach), error, exact, biases, scale, size, int((~done).sum()), data)


def _exact_or_none(objective: Objective, x: Floats, curved: tuple[Floats, float]) -> ExactCoefficient | None:
    """The exact coefficient of a critical point."""
    try:
        return coefficient_at(objective, x, curved)
    except InvalidInputError:
        return None


def _bent(H: Floats) -> tuple[Floats, Floats]:
    """Curvatures (rank,) and directions (d, rank) in which the loss is bent."""
    curvature, directions = np.linalg.eigh(H)
    kept = curvature > _BENT * curvature[-1]
    return curvature[kept], directions[:, kept]


def _local_n_beta(objective: Objective, x: Floats, H: Floats, localisation: float) -> float:
    """The n_beta from which on the loss is its Hessian's parabola in draws of the Gaussian that the posterior then is.

    To a hundredth of the coefficient, root mean square.
    """
    curvature, directions = _bent(H)
    normal = np.random.default_rng(0).normal(size=(_TRIED, len(curvature)))
    n_beta = N_BETA
    while n_beta < _MOST_LOCAL:
        moved = normal / np.sqrt(n_beta * curvature + localisation)
        rises = np.array([objective.loss(x + directions @ one) for one in moved]) - objective.loss(x)
        if n_beta * np.sqrt(np.mean((rises - moved**2 @ curvature / 2) ** 2)) <= _NEAR * len(curvature) / 2:
            break
        n_beta *= 10
    return n_beta


def _enough_terms(sharp: Objective, x: Floats, H: Floats, n_beta: float) -> int:
    """With how many terms the loss is lower elsewhere by no more than a hundredth of the coefficient / n_beta."""
    curvature, directions = _bent(H)
    terms = _TERMS
    while terms < _SHARP_TERMS:
        slope = directions.T @ Objective(sharp.net, sharp.features, terms).gradient(x)
        if n_beta * float((slope**2 / curvature).sum()) <= _NEAR * len(curvature):
            break
        terms *= 2
    return terms


def known_biases(
    net: Net,
    features: Features,
    objective: Objective,
    x: Floats,
    H: Floats,
    exact: ExactCoefficient,
    n_beta: float,
    localisation: float,
    sampler: Sampler,
) -> dict[str, float]:
    """What is wrong with an estimate at a regular or flat minimum, by cause."""
    gamma = max(localisation, _LOOSEST * n_beta * float(np.abs(H).max()))
    held = 0.5 * n_beta * float(np.trace(np.linalg.solve(n_beta * H + gamma * np.eye(x.size), H)))
    found = {"localisation": held - exact.rank / 2}
    if isinstance(sampler, Langevin | RMSProp):
        A = metric_at(objective, x, n_beta, localisation, sampler.metric)
        C = np.zeros_like(H)
        if sampler.batch_size:
            C = gradient_covariance(net, features, *objective.parameters(x)) / sampler.batch_size
        moving = predicted(H, C, n_beta, gamma, sampler, A)
        smooth = predicted(H, C, n_beta, gamma, sampler, A, noisy=False)
        found |= {"step size": smooth - held, "batches": moving - smooth if np.isfinite(smooth) else 0.0}
    return found


def predicted(
    H: Floats, C: Floats, n_beta: float, gamma: float, sampler: Langevin | RMSProp, A: Floats, noisy: bool = True
) -> float:
    """What a biased sampler estimates in a quadratic bowl of Hessian H, batches adding noise of covariance C to the gradient.

    ``A`` are the coordinates of the sampler's metric.  Infinite where it diverges.  RMSProp's step sizes depend on the
    gradients that it sees, and these on the step sizes: they are iterated.
    """
    d = len(H)
    H, C, M = A.T @ H @ A, A.T @ C @ A, A.T @ (n_beta * H + gamma * np.eye(d)) @ A
    squares = np.diag(C)
    value = float("nan")
    for _ in range(_ROUNDS if isinstance(sampler, RMSProp) else 1):
        step = np.full(d, sampler.step_size)
        if isinstance(sampler, RMSProp):
            step = step / (np.sqrt(squares) + sampler.stability)
        root = np.sqrt(step)
        k, Q = np.linalg.eigh(root[:, None] * M * root)
        if k[-1] >= 4:
            return float("inf")
        noise = n_beta**2 / 4 * root[:, None] * C * root if noisy else np.zeros_like(C)
        shrunk = 1 - k / 2
        S = Q @ ((np.eye(d) + Q.T @ noise @ Q) / (1 - np.outer(shrunk, shrunk))) @ Q.T
        spread = root[:, None] * S * root
        before, value = value, 0.5 * n_beta * float(np.trace(H @ spread))
        squares = np.diag(C) + np.maximum(np.diag(H @ spread @ H), 0)
        if abs(before - value) < _SETTLED * abs(value):
            break
    return value
