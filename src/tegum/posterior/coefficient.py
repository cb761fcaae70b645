"""The local learning coefficient of a model: exact where it is known, and as samplers estimate it, with what biases them.

    lambda: Vol{w near w*: L(w) - L* < eps} ~ eps^lambda,          an estimate: n_beta (E L - L*) under the local posterior

*Exact.*  Write L - L* next to w* in directions that the Hessian H bends and others.  If L is constant along the others (the
orbit of a rotation, a bias of an output that never fires), the volume is that of an ellipsoid times a constant:

    lambda = rank H / 2                                                                regular, or flat

If H jumps at w* (a ReLU at its kink) and L - L* rises like |v|^2 c(v / |v|) with c > 0 in every direction v but the rotations,
the set is s = sqrt(eps) times one shape:  lambda = (d - rotations) / 2                kinked

If the gradient jumps (of data with negative values) and w* lies on K such creases, L - L* rises like |u| in K coordinates:

    lambda = K + (rank along the creases) / 2                                          creased, see `tegum.posterior.creases`

Else (H vanishes where L does not) it lies between rank H / 2 and that plus a third for each such direction, because a minimum
that is flat to second order rises like |v|^3 or slower, or a half where the error of H leaves open whether it bends: ``lower``
and ``upper`` are given, and `tegum.posterior.volume_scaling` measures it.

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

What is known to be wrong with estimates is in `tegum.posterior.biases`.

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
from tegum.exact.hessian import complement, differentiated, smallest_curvature, still_directions
from tegum.exact.kernel.records import require_terms
from tegum.exact.parameters import free_of
from tegum.features import Features
from tegum.nets import Net
from tegum.posterior.biases import known_biases
from tegum.posterior.bowl import N_BETA, NEAR, SHARP_TERMS, TERMS, bowl_at, enough_terms, local_n_beta, missing
from tegum.posterior.creases import OnCreases, creases_near, on_creases
from tegum.posterior.diagnostics import effective_size, r_hat
from tegum.posterior.kernel.target import ENGINE
from tegum.posterior.sample import sample
from tegum.posterior.samplers import HMC, Sampler
from tegum.posterior.targets import point_of, target_kind

Kind = Literal["regular", "flat", "kinked", "creased", "degenerate", "saddle"]
Floats = NDArray[np.float64]

LOCALISATION = 100.0
"""The default of `llc`: loose enough to see what is flat."""

_LEAST_N_BETA, _LARGEST, _DISAGREE = 1e-6, 1e15, 1.1
_CRITICAL, _KINK, _BESIDE_KINKS, _BENT = 1e-5, 1e-4, 1e-6, 1e-9
"""Shares of the largest curvature: a gradient, an error that is a jump, what differences of gradients know, and zero."""
_AWAY, _PROBES, _ALONG, _LEVELS = 1e-2, 6, 400, 6
_MINIMISE = "give a minimum, such as tegum.exact.minimise finds from there (initial=..., seeds=1)"


@final
@dataclass(frozen=True)
class ExactCoefficient:
    """A local learning coefficient from derivatives.

    Attributes:
        value: lambda; NaN where it is only bounded, and at a saddle, which has none.
        lower: it is at least this.
        upper: and at most this.
        kind: regular, flat, kinked, creased, degenerate or saddle, see `tegum.posterior.coefficient`.
        rank: directions that are bent.
        still: directions that are neither bent nor of a rotation, nor across creases.
        creases: directions in which the gradient jumps.
    """

    value: float
    lower: float
    upper: float
    kind: Kind
    rank: int
    still: int
    creases: int = 0


@final
@dataclass(frozen=True)
class Estimate:
    """A local learning coefficient as a sampler estimates it.

    Attributes:
        value: n_beta (mean loss - L*), of the chains that finished; where ``exact`` is None it is of no coefficient.
        interval: of the given confidence, by Student's t over chains.  NaN where a chain diverged, where chains have not moved
            or disagree in their losses (an R-hat above 1.1), and beside creases, whose width of 1 / n_beta holds chains back
            from all that is wider; with the default n_beta also where none was found at which the ``misfit`` is below 0.01.
        standard_error: of the value, from the spread of the chains' means.
        exact: what derivatives say of the point, such as the true value; None where it is not critical.
        biases: what is known to be wrong with the value at a regular or flat minimum, by cause, signed; empty elsewhere.
        misfit: how far n_beta (L - L*) is, where the posterior is, from the shape that the coefficient is of, root mean square
            and as a share of the coefficient: from a parabola at regular and flat minima, at kinked ones from what ten times
            as large an n_beta sees.  It bounds no bias, but where it is above 0.01 there may be one.  NaN elsewhere.
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
    misfit: float
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
    objective, x = point_of(net, features, W, b, SHARP_TERMS)
    return coefficient_at(objective, x)


def coefficient_at(objective: Objective, x: Floats, curved: tuple[Floats, float] | None = None) -> ExactCoefficient:
    """The same of an objective at flat parameters, whose Hessian with its error may be known."""
    creased = on_creases(objective, x)
    if creased is not None:
        return _creased(creased)
    _, gradient = objective(x)
    H, error = curved or hessian_at(objective, x)
    free = free_of(objective.net)
    modes = still_directions(objective.net, x, free)
    rest = complement(modes)
    bends, directions = np.linalg.eigh(rest @ H @ rest.T)
    size = float(np.abs(bends).max(initial=0.0))
    if not np.linalg.norm(gradient) <= _CRITICAL * max(size, _CRITICAL):
        what = f"the gradient at W and b has the norm {np.linalg.norm(gradient):.3g}"
        raise InvalidInputError(what, _MINIMISE)
    d = len(rest)
    if error > _KINK * size and differentiated(objective, x)[1] > _KINK * size:
        least = smallest_curvature(objective, x, modes, (H, error)).value
        if least > _BESIDE_KINKS * size:
            return ExactCoefficient(d / 2, d / 2, d / 2, "kinked", d, 0)
        kind: Kind = "saddle" if least < -_BESIDE_KINKS * size else "degenerate"
        return ExactCoefficient(float("nan"), 0.0, d / 2, kind, 0, d)
    if d and bends[0] < -_BESIDE_KINKS * size - error:
        return ExactCoefficient(float("nan"), 0.0, d / 2, "saddle", int((bends > 0).sum()), 0)
    bent = bends > max(_BENT * size, 10 * error)
    rank, still = int(bent.sum()), int((~bent).sum())
    if not still:
        return ExactCoefficient(rank / 2, rank / 2, rank / 2, "regular", rank, 0)
    rises = _rises(objective, x, rest.T @ directions[:, ~bent], rest.T @ directions[:, bent])
    if rises < -_BENT * size * _AWAY**2:
        return ExactCoefficient(float("nan"), 0.0, d / 2, "saddle", rank, still)
    if rises <= _BENT * size * _AWAY**2:
        return ExactCoefficient(rank / 2, rank / 2, rank / 2, "flat", rank, still)
    hidden = int((bends[~bent] + error > _BENT * size).sum())  # that may be bent, as far as the Hessian is known
    return ExactCoefficient(float("nan"), rank / 2, (rank + hidden) / 2 + (still - hidden) / 3, "degenerate", rank, still)


def _creased(found: OnCreases) -> ExactCoefficient:
    """The coefficient of a point on creases."""
    size = max(found.size, _CRITICAL)
    if not found.rest <= _CRITICAL * size:
        on = "1 crease of the loss, which leaves" if found.across == 1 else f"{found.across} creases of the loss, which leave"
        what = f"W and b are on {on} a gradient of the norm {found.rest:.3g}"
        raise InvalidInputError(what, "beside creases descents stop early: move W and b a little and minimise from there")
    K, d, rank = found.across, len(found.low), found.rank
    if d and found.high[0] < -_BESIDE_KINKS * size:
        return ExactCoefficient(float("nan"), 0.0, K + d / 2, "saddle", rank, 0, K)
    if found.strict and (rank == d or found.flat):
        value = K + rank / 2
        return ExactCoefficient(value, value, value, "creased", rank, d - rank, K)
    return ExactCoefficient(float("nan"), K + rank / 2 if found.strict else 0.0, K + d / 2, "creased", rank, d - rank, K)


def _rises(objective: Objective, x: Floats, still: Floats, bent: Floats) -> float:
    """By how much the loss changes along directions that do not bend, at most, when those that do may follow.

    Columns of ``still`` and ``bent`` are directions.  At x + t v, v still, the loss is minimised over the bent ones, and so it
    is at x, which may be rounded: on a flat set that leads back to L*.  The lowest change counts where the loss falls.
    """
    generator = np.random.default_rng(0)
    sides = [*still.T, *-still.T, *(still @ v / np.linalg.norm(v) for v in generator.normal(size=(_PROBES, still.shape[1])))]

    def lowest(start: Floats) -> float:
        if not bent.shape[1]:
            return objective.loss(start)

        def along(y: Floats) -> tuple[float, Floats]:
            value, gradient = objective(start + bent @ y)
            return value, bent.T @ gradient

        return descend(along, np.zeros(bent.shape[1]), 1e-10, _ALONG).loss

    loss = lowest(x)
    changes = [lowest(x + _AWAY * v) - loss for v in sides]
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
) -> Estimate:  # long: most of it says what each of its arguments means
    """The local learning coefficient at a point as a sampler estimates it, with interval and the biases that are known.

    Args:
        net: a `ReluOutput` or `Linear` net.
        features: as of `tegum.posterior.sample`.
        W: the point, (m, n).
        b: its bias, (n,).
        n_beta: of the local posterior; others use n / log n of n samples.  By default 10^7, or ten times that as often as it
            takes, to 10^12, for the loss to be a parabola where the posterior of a regular or flat minimum is, and to be
            at a kinked one what ten times as large an n_beta sees.
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
        if terms is not None:
            with problems.collecting():
                require_terms(terms)
    sharp, x = point_of(net, features, W, b, SHARP_TERMS)
    curved = hessian_at(sharp, x)
    exact = _exact_or_none(sharp, x, curved)
    known, kinked = exact is not None and exact.kind in ("regular", "flat"), exact is not None and exact.kind == "kinked"
    bowl = bowl_at(net, features, x, curved[0], exact.rank) if exact and (known or kinked) else None
    given = n_beta is not None
    if n_beta is None:
        n_beta = local_n_beta(bowl, localisation, kinked) if bowl else N_BETA
    if terms is None:
        terms = enough_terms(bowl, n_beta, localisation) if bowl else TERMS
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
    misfit = missing(bowl, n_beta, localisation, kinked) if bowl else float("nan")
    seen = done.all() and scale <= _DISAGREE and creases_near(sharp, x) is None and (given or not misfit > NEAR)
    reach = error * float(student.ppf((1 + confidence) / 2, chains - 1)) if seen else float("nan")
    size = effective_size(excess, ranked=False) if done.any() else float("nan")
    biases = known_biases(bowl, objective, n_beta, localisation, sampler) if bowl and known else {}
    interval = value - reach, value + reach
    return Estimate(value, interval, error, exact, biases, misfit, scale, size, int((~done).sum()), data)


def _exact_or_none(objective: Objective, x: Floats, curved: tuple[Floats, float]) -> ExactCoefficient | None:
    """The exact coefficient of a critical point."""
    try:
        return coefficient_at(objective, x, curved)
    except InvalidInputError:
        return None


def terms_of_minimum(net: Net, features: Features, x: Floats, radius: float, lowest: float) -> int | None:
    """With how many terms the loss is right next to a regular, flat or kinked minimum, from a ball's level to the lowest.

    None at other points, and where the loss has no terms.
    """
    if target_kind(net, features) != ENGINE:
        return None
    sharp = Objective(net, features, SHARP_TERMS)
    curved = hessian_at(sharp, x)
    exact = _exact_or_none(sharp, x, curved)
    if exact is None or exact.kind not in ("regular", "flat", "kinked"):
        return None
    bowl = bowl_at(net, features, x, curved[0], exact.rank)
    highest = max(radius**2 * float(bowl.curvature.max(initial=0.0)), lowest)
    return max(enough_terms(bowl, 1 / level, radius**-2) for level in np.geomspace(lowest, highest, _LEVELS))
