"""The volume of parameters that are nearly as good as a point: the local learning coefficient by its definition.

    V(eps) = Vol{w: L(w) - L* < eps, |w - w*| < radius}  ~  C eps^lambda (log 1/eps)^(multiplicity - 1)

Points uniform in the ball are let die from the worst on (nested sampling, `tegum.posterior.kernel.volumes`): N of them make V
shrink by e in N deaths, whatever the point is, without gradients, Hessians or temperatures, down to where the loss is rounded.
A hundred decades cost a hundred times what one does.  How fast they die by log(1/eps) is the exponent, and how it settles, like
1 / log(1/eps), the multiplicity (`tegum.posterior.exponents`).  Along an orbit of rotations W -> R W nothing changes, so points
stay across it, in a slice through w*: that leaves lambda and multiplicity as they are.

The limit is what `tegum.posterior.llc` estimates, too: E n_beta (L - L*) is the same slope of V's Laplace transform.

>>> import tegum as tg
>>> net = tg.nets.Linear(2, 1, bias=False)                       # on x = (1, 0) its second output is w_1 w_2: L = w_1^2 w_2^2
>>> features = tg.features.FiniteLaw([[1.0, 0.0]], importance=[0, 1])
>>> found = volume_scaling(net, features, [[0.0, 0.0]], radius=1.0, lowest=1e-30)
>>> found.multiplicity.item(), abs(found.coefficient.item() - 1 / 2) < 4 * found.coefficient_error.item()
(2, True)

Sources: Watanabe, "Algebraic Geometry and Statistical Learning Theory" (2009), for the volume; Skilling (2006).
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
from tegum.errors import InvalidInputError, Problems
from tegum.exact.hessian import still_directions
from tegum.exact.parameters import free_of
from tegum.features import Features
from tegum.nets import Net
from tegum.posterior.bowl import SHARP_TERMS, TERMS
from tegum.posterior.coefficient import terms_of_minimum
from tegum.posterior.exponents import NOTHING, fitted
from tegum.posterior.kernel.randomness import stream_for
from tegum.posterior.kernel.target import Target
from tegum.posterior.kernel.volumes import Group, fill_ball, group_for, sink
from tegum.posterior.targets import evaluation_seconds, point_of, target_for
from tegum.provenance import provenance
from tegum.recorded import said_of
from tegum.threads import in_pieces

Floats = NDArray[np.float64]

_WIDTH, _FIRST, _BINS = 0.25, -40.0, 3000
"""Of the bins of log(1/eps): down to the smallest numbers that there are."""
_SHOWN, _LEAST_BINS = 24, 24
_POINTS, _EACH, _MOVES = 128, 4, 20
_ABOVE_NOISE, _LOWEST, _HIGHEST = 1000.0, 1e-250, 1e-3
_MOST_MOVES = 10**7
_LOSSES, _MOVE_SECONDS = 6, 4e-7
_MEANINGS = {
    "slope": "d log V / d log eps: the learning coefficient at this level",
    "slope_error": "its standard error, from groups of points that know nothing of each other",
    "log_volume": "logarithm of the volume below this level, relative to that of the ball",
    "coefficient": "local learning coefficient lambda",
    "coefficient_error": "its standard error, of which other multiplicities that are not excluded are a part",
    "multiplicity": "multiplicity of lambda: the lowest that is not twenty times less probable than another",
    "probability": "of each multiplicity",
    "coefficient_if": "lambda if the multiplicity is this",
    "error_if": "its standard error",
}


def _seconds(net: Net, features: Features, *, groups: Sequence[int], points: int, moves: int, lowest: float, **_: Any) -> float:
    """About how long the deaths of all groups take on one core."""
    nats = (net.n_hidden + 1) * net.n_features / 2 * max(np.log(_HIGHEST / lowest), 1.0)
    return float(len(groups) * points * moves * nats * _LOSSES * (_MOVE_SECONDS + evaluation_seconds(net, features)))


@checked
def volume_scaling(
    net: Net,
    features: Features,
    W: ArrayLike,
    b: ArrayLike | None = None,
    *,
    radius: float = 0.1,
    lowest: float | None = None,
    groups: int = 8,
    points: int | None = None,
    moves: int | None = None,
    root_seed: int = 0,
    terms: int | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:  # long: most of it says what each of its arguments means
    """How fast the volume of nearly as good parameters shrinks around a minimum, level by level: lambda and its multiplicity.

    Args:
        net: a `ReluOutput` or `Linear` net.
        features: as of `tegum.posterior.sample`.
        W: the point, (m, n).
        b: its bias, (n,).
        radius: of the ball around it in the space of the parameters, across rotations.  All of the ball counts: where another
            point in it is as good and has a smaller coefficient, that is what is found.
        lowest: level of the loss above that of the point at which points stop; by default, and at least, a thousand times what
            rounding changes in the loss next to the point, and the last digit of the loss.
        groups: of points that know nothing of each other; errors are from their spread.
        points: of each group, more than twice as many as there are parameters; by default four times, and at least 128.
        moves: of every new point; by default twice as many as there are parameters, and at least 20.
        root_seed: names the family of random streams.
        terms: of the loss where it is inverted; by default 64, or as many more, to 1024, as it takes for the loss next to a
            regular, flat or kinked minimum to be right at all levels.
        threads: how many groups at a time; by default one per core.  It never changes a result.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        A dataset over ``level`` with ``slope``, ``slope_error`` and ``log_volume``; ``coefficient``, ``coefficient_error`` and
        ``multiplicity`` of the simplest law that fits; over ``multiplicity_tried`` ``probability``, ``coefficient_if`` and
        ``error_if``.  A multiplicity shows in how 1 / log(1 / eps) fades: where rounding leaves ten decades and lambda is some
        units, it hardly does, and probabilities rest on that a logarithm begins about where the ball does.

        Everything is NaN, and the multiplicity 0, where a point of a group has a loss lower by more than ``lowest`` than the
        point given, which is then no minimum: the attribute ``lower`` says by how much.  So it is where all points of a group
        are as good as each other above ``lowest``, because they are left in another minimum or on a plateau, or are copies that
        hardly moved: the attribute ``higher`` says where; take a smaller radius, or more moves.  Where no law fits (the
        attribute ``fits``, the probability of deaths as far from it as these, is below 0.001) there are slopes, but neither a
        coefficient nor a multiplicity.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
        KeyboardInterrupt: after Ctrl-C.
    """
    began = time.perf_counter()
    few = TERMS if terms is None else terms
    _, x = point_of(net, features, W, b, few)
    still = still_directions(net, x, free_of(net))
    moving = x.size - len(still)
    points = max(_POINTS, _EACH * moving) if points is None else points
    moves = max(_MOVES, 2 * moving) if moves is None else moves
    with Problems() as problems:
        problems.check_number("radius", radius, 1e-9, 1e9)
        if lowest is not None:
            problems.check_number("lowest", lowest, _LOWEST, 1.0)
        for name, value, least in (("groups", groups, 4), ("points", points, 2 * moving + 2), ("moves", moves, 1)):
            problems.check_least(name, value, least)
        if moves * points * groups > _MOST_MOVES:
            what = f"there would be {moves * points * groups:,} moves for each factor e of the volume"
            problems.add(what, f"choose at most {_MOST_MOVES:,}")
        with problems.collecting():
            require_seeds(root_seed)
    memory = group_for(points, np.zeros(1, dtype=np.int64), x, still, radius)
    memory.stream[:] = stream_for("volume", root_seed, "noise")
    noise = fill_ball(target_for(net, features, few), memory)
    if not noise < np.inf:
        what = f"radius is {radius:g}, and a parameter of {np.abs(x).max():.3g} is rounded by about as much"
        raise InvalidInputError(what, "give a larger radius, or a model of smaller parameters")
    rounded = max(_ABOVE_NOISE * max(noise, float(np.spacing(abs(memory.base[0])))), _LOWEST)
    lowest = max(lowest or 0.0, rounded)
    needed = terms_of_minimum(net, features, x, radius, lowest) if terms is None else None
    how: dict[str, Any] = {"net": net, "features": features, "x": x, "still": still, "radius": radius, "lowest": lowest}
    how |= {"groups": tuple(range(groups)), "points": points, "moves": moves, "root_seed": root_seed, "threads": threads}
    terms = needed or few
    while True:  # with few terms a minimum may not be one beside a narrow kink, which only points find
        died = counted_deaths(terms=terms, progress=progress, **how)
        lower, higher = min(float(died["lower"].min()), 0.0), float(died["higher"].max())
        if needed is None or lower >= -lowest or terms >= SHARP_TERMS:
            break
        terms *= 2
    deaths = died["deaths"].transpose("group", "bin").values
    valid = not (lower < -lowest or higher > 0)
    last = int((-np.log(lowest) - _FIRST) / _WIDTH)
    advice = "give a larger radius" + ", or a lower level" * (lowest > rounded)
    first = _first_bin(deaths, last, lowest, noise, advice) if valid else 0
    settings = {
        "net": repr(net), **said_of(features), "radius": radius, "lowest": lowest, "groups": groups, "points": points,
        "moves": moves, "root_seed": root_seed, "terms": terms, "lower": lower, "higher": higher,
        "losses": int(died["losses"].sum()), "wall_seconds": round(time.perf_counter() - began, 3), **provenance(),
    }  # fmt: skip
    return _dataset(deaths, points, first, last, valid).assign_attrs(settings)


def _first_bin(deaths: NDArray[np.int64], last: int, lowest: float, noise: float, advice: str) -> int:
    """The bin after the first in which points of every group died; ``last`` is that of the ``lowest`` level."""
    if not deaths.any() and noise == 0:
        farther = "give a larger radius if it changes farther away; where it is the same everywhere lambda is 0"
        raise InvalidInputError("the loss is constant in the ball", farther)
    if not deaths.any():
        raise InvalidInputError(f"no loss in the ball is {lowest:.2g} above that of the point", advice)
    filled = np.flatnonzero(deaths.all(axis=0))
    if not filled.size:
        raise InvalidInputError(
            f"{deaths.sum():,} deaths are so few that at no level one is in every group", "give more points"
        )
    first = int(filled[0]) + 1
    if last - first < _LEAST_BINS:
        highest = float(np.exp(-_FIRST - _WIDTH * first))
        what = f"losses in the ball are some {highest:.2g} above that of the point, and the lowest level is {lowest:.2g}"
        raise InvalidInputError(what, advice)
    return first


@cached(splittable=True, along={"group": ("groups",)}, cost=_seconds)
def counted_deaths(
    net: Net,
    features: Features,
    *,
    x: Floats,
    still: Floats,
    radius: float,
    lowest: float,
    groups: Sequence[int],
    points: int,
    moves: int,
    root_seed: int,
    terms: int,
    threads: int | None,
    progress: bool | None,
) -> xr.Dataset:
    """How many points of each group died in each bin of log(1/eps), how many losses that took, and where the group ended.

    ``lower`` is the lowest loss above that of the point; ``higher`` the same of a group that ended elsewhere, 0 of others.
    """
    began = time.perf_counter()
    deaths = np.zeros((len(groups), _BINS), dtype=np.int64)
    lower, higher, losses = np.zeros((3, len(groups)))

    def memory(stop: NDArray[np.int64]) -> tuple[Target, Group]:
        return target_for(net, features, terms), group_for(points, stop, x, still, radius)

    def work(memory: tuple[Target, Group], begin: int, end: int) -> None:
        target, group = memory
        for g in range(begin, end):
            group.stream[:] = stream_for("volume", root_seed, groups[g])
            fill_ball(target, group)
            losses[g] = sink(target, group, lowest, moves, deaths[g], _FIRST, _WIDTH)
            lower[g] = group.excess.min()
            higher[g] = lower[g] if group.excess.max() > lowest else 0.0

    in_pieces(len(groups), 1, memory, work, threads=threads, progress=progress, title="measuring volumes", unit="group")
    each = {"lower": lower, "higher": higher, "losses": losses}
    variables = {"deaths": (("group", "bin"), deaths)} | {name: (("group",), one) for name, one in each.items()}
    attributes = {"wall_seconds": round(time.perf_counter() - began, 3), **provenance()}
    return xr.Dataset(variables, {"group": np.array(groups)}, attributes)


def _dataset(deaths: NDArray[np.int64], points: int, first: int, last: int, valid: bool) -> xr.Dataset:
    """The law of the deaths in bins from ``first`` to ``last``, and slopes in wider ones; all NaN where it is not ``valid``."""
    edges = np.asarray(_FIRST + _WIDTH * np.arange(first, last + 1), dtype=np.float64)
    each = max(-(-(last - first) // _SHOWN), 1)
    starts = np.arange(first, last - each + 1, each)
    rates = np.stack([deaths[:, k : k + each].sum(axis=1) for k in starts], axis=1) / (points * each * _WIDTH)
    dead = deaths.mean(axis=0).cumsum()[starts + each - 1]
    if not valid:
        rates, dead = rates * np.nan, dead * np.nan
    law = fitted(deaths[:, first:last], points, edges) if valid else NOTHING
    variables = {
        "slope": (("level",), rates.mean(axis=0)),
        "slope_error": (("level",), rates.std(axis=0, ddof=1) / np.sqrt(len(deaths))),
        "log_volume": (("level",), -dead / points),
        **{name: ((), getattr(law, name)) for name in ("coefficient", "coefficient_error", "multiplicity")},
        **{name: (("multiplicity_tried",), getattr(law, name)) for name in ("probability", "coefficient_if", "error_if")},
    }
    levels = np.exp(-(_FIRST + _WIDTH * (starts + each)))
    coords = {"level": levels, "multiplicity_tried": np.arange(1, len(law.probability) + 1)}
    found = dataset(variables, coords, meanings=_MEANINGS)
    return found.assign_attrs(dispersion=law.dispersion, fitted_from=float(np.exp(-law.start)), fits=law.fits)
