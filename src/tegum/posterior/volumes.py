"""The volume of parameters that are nearly as good as a point: the local learning coefficient by its definition.

    V(eps) = Vol{w: L(w) - L* < eps, |w - w*| < radius}  ~  C eps^lambda (log 1/eps)^(multiplicity - 1)

In points uniform in the level set, P(L - L* < eps') = V(eps') / V(eps), so where V is a power of eps, log(eps / (L - L*)) is
exponential of mean 1 / lambda, and

    slope(eps) = 1 / mean log(eps / (L - L*))  =  lambda - (multiplicity - 1) / log(c / eps)

(Hill's estimator) is measured at one level after another, without gradients, Hessians or temperatures: whatever the point is.
The limit is what `tegum.posterior.llc` estimates, too: E n_beta (L - L*) is the same slope of V's Laplace transform.

>>> import tegum as tg
>>> net = tg.nets.Linear(2, 1, bias=False)                       # on x = (1, 0) its second output is w_1 w_2: L = w_1^2 w_2^2
>>> features = tg.features.FiniteLaw([[1.0, 0.0]], importance=[0, 1])
>>> found = volume_scaling(net, features, [[0.0, 0.0]], radius=1.0, groups=8)
>>> found.coefficient_if.sel(multiplicity_tried=2).round(1).item()                 # lambda = 1/2 with multiplicity 2
0.5

Sources: Watanabe, "Algebraic Geometry and Statistical Learning Theory" (2009), for the volume; Hill (1975).
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.caching import cached
from tegum.checking import checked, require_seeds
from tegum.datasets import dataset
from tegum.errors import Problems
from tegum.features import Features
from tegum.nets import Net
from tegum.posterior.kernel.randomness import stream_for
from tegum.posterior.kernel.target import Target
from tegum.posterior.kernel.volumes import Group, contract, fill_ball, group_for, move
from tegum.posterior.targets import evaluation_seconds, point_of, target_for
from tegum.provenance import provenance
from tegum.recorded import said_of
from tegum.threads import in_pieces

Floats = NDArray[np.float64]

LEVELS = tuple(10.0**-k for k in range(3, 12))
_CLOSER, _MOST_MULTIPLE, _CLEARLY, _SCALES = 0.8, 3, 9.0, np.exp(np.arange(-6, 9))
_MOST_MOVES = 10**9
_LOSSES, _MOVE_SECONDS = 4, 4e-7
_MEANINGS = {
    "slope": "d log V / d log eps: the learning coefficient at this level",
    "slope_error": "its standard error, from groups of points that know nothing of each other",
    "coefficient": "local learning coefficient lambda",
    "coefficient_error": "its standard error, at the multiplicity given",
    "multiplicity": "multiplicity of lambda: the lowest that fits",
    "coefficient_if": "lambda if the multiplicity is this",
    "misfit": "sum of squared misfits of each multiplicity, in standard errors",
    "losses_per_move": "losses that a move took",
}


def _seconds(
    net: Net, features: Features, *, groups: int, points: int, sweeps: int, levels: Sequence[float], **_: Any
) -> float:
    """About how long `volume_scaling` takes on one core."""
    return float(groups * points * sweeps * len(levels) * _LOSSES * (_MOVE_SECONDS + evaluation_seconds(net, features)))


@checked
@cached(cost=_seconds)
def volume_scaling(
    net: Net,
    features: Features,
    W: ArrayLike,
    b: ArrayLike | None = None,
    *,
    radius: float = 0.1,
    levels: Sequence[float] = LEVELS,
    groups: int = 16,
    points: int = 64,
    sweeps: int = 150,
    root_seed: int = 0,
    terms: int = 64,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """How fast the volume of nearly as good parameters shrinks around a minimum, level by level, and its limit.

    Args:
        net: a `ReluOutput` or `Linear` net.
        features: as of `tegum.posterior.sample`.
        W: the point, (m, n).
        b: its bias, (n,).
        radius: of the ball around it in the space of the parameters.
        levels: of the loss above that of the point, falling.
        groups: of points that know nothing of each other; errors are from their spread.
        points: of each group, an even number.
        sweeps: moves of every point at each level.
        root_seed: names the family of random streams.
        terms: of the loss where it is inverted.
        threads: how many groups at a time; by default one per core.  It never changes a result.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        A dataset over ``level`` with ``slope`` and ``slope_error``; ``coefficient``, ``coefficient_error`` and ``multiplicity``
        of the simplest law that fits; ``coefficient_if`` and ``misfit`` (multiplicity_tried).  To tell multiplicities apart
        takes many points: a slope differs by 1 / log(c / eps), which hardly moves.  The error is for the multiplicity given:
        where others have as low a misfit, ``coefficient_if`` says how far apart they are.  Where a point of a group has a lower
        loss than the point given, which is then no minimum, everything is NaN and the attribute ``lower`` says by how much.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
        KeyboardInterrupt: after Ctrl-C.
    """
    began = time.perf_counter()
    eps = np.asarray(levels, dtype=np.float64)
    with Problems() as problems:
        problems.check_number("radius", radius, 1e-9, 1e9)
        if eps.size < 2 or not (eps > 0).all() or (np.diff(eps) >= 0).any():
            problems.add(f"levels is {eps.tolist()}", "give at least two positive numbers, falling")
        for name, value, least in (("groups", groups, 2), ("points", points, 4), ("sweeps", sweeps, 1)):
            problems.check_least(name, value, least)
        if sweeps * points * groups > _MOST_MOVES:
            problems.add(f"there would be {sweeps * points * groups:,} moves a level", f"choose at most {_MOST_MOVES:,}")
        if points % 2:
            problems.add(f"points is {points}", "give an even number")
        with problems.collecting():
            require_seeds(root_seed)
    objective, x = point_of(net, features, W, b, terms)
    base = objective.loss(x)
    logs, lowest, moves = np.full((groups, len(eps)), np.nan), np.zeros(groups), np.zeros((groups, len(eps)))

    def memory(stop: NDArray[np.int64]) -> tuple[Target, Group]:
        return target_for(net, features, terms), group_for(points, x.size, stop, x, base, radius)

    def work(memory: tuple[Target, Group], first: int, end: int) -> None:
        target, group = memory
        for g in range(first, end):
            group.stream[:] = stream_for("volume", root_seed, g)
            fill_ball(target, group)
            for k, level in enumerate(eps):
                contract(target, group, level, _CLOSER)
                moves[g, k] = move(target, group, level, sweeps)
                lowest[g] = min(lowest[g], group.excess.min())
                logs[g, k] = np.log(level / np.maximum(group.excess, 1e-300)).mean()

    in_pieces(groups, 1, memory, work, threads=threads, progress=progress, title="measuring volumes", unit="group")
    if lowest.min() < -1e-3 * eps[-1]:
        logs[:] = np.nan
    slope = 1 / logs.mean(axis=0)
    error = slope**2 * logs.std(axis=0, ddof=1) / np.sqrt(groups)
    multiplicity, limits, misfits = fitted(eps, slope, error)
    weights = 1 / error[len(eps) // 3 :] ** 2
    variables = {
        "slope": (("level",), slope),
        "slope_error": (("level",), error),
        "losses_per_move": (("level",), moves.mean(axis=0)),
        "coefficient": ((), limits[multiplicity - 1]),
        "coefficient_error": ((), float(1 / np.sqrt(weights.sum()))),
        "multiplicity": ((), multiplicity),
        "coefficient_if": (("multiplicity_tried",), limits),
        "misfit": (("multiplicity_tried",), misfits),
    }
    return dataset(
        variables, {"level": eps, "multiplicity_tried": np.arange(1, _MOST_MULTIPLE + 1)}, meanings=_MEANINGS
    ).assign_attrs(
        net=repr(net),
        **said_of(features),
        radius=radius,
        groups=groups,
        points=points,
        sweeps=sweeps,
        root_seed=root_seed,
        lower=float(min(lowest.min(), 0.0)),
        wall_seconds=round(time.perf_counter() - began, 3),
        **provenance(),
    )


def fitted(eps: Floats, slope: Floats, error: Floats) -> tuple[int, Floats, Floats]:
    """The multiplicity, and for each that is tried lambda and the sum of squared misfits, from the lower levels' slopes.

    slope = lambda - (multiplicity - 1) / log(c / eps), c on a grid where it matters.  Of the upper third of the levels the ball
    still shows.  A higher multiplicity has to fit better by nine units, three standard errors, than the one before.
    """
    lower = slice(len(eps) // 3, None)
    e, s, w = eps[lower], slope[lower], 1 / np.maximum(error[lower], 1e-12) ** 2
    limits, misfits = np.full(_MOST_MULTIPLE, np.nan), np.full(_MOST_MULTIPLE, np.inf)
    if not np.isfinite(slope).all():
        return 0, limits, np.full(_MOST_MULTIPLE, np.nan)
    for multiple in range(1, _MOST_MULTIPLE + 1):
        for c in _SCALES[e[0] * np.e < _SCALES] if multiple > 1 else _SCALES[:1]:
            shifted = s + ((multiple - 1) / np.log(c / e) if multiple > 1 else 0.0)
            limit = float((w * shifted).sum() / w.sum())
            misfit = float((w * (shifted - limit) ** 2).sum())
            if misfit < misfits[multiple - 1]:
                limits[multiple - 1], misfits[multiple - 1] = limit, misfit
    best = 0
    for k in range(1, _MOST_MULTIPLE):
        best = k if misfits[k] < misfits[best] - _CLEARLY else best
    return best + 1, limits, misfits
