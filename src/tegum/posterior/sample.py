"""Many chains at once whose law is the posterior of a model's weights, on the exact loss.

    p(W, b) ~ exp(-n_beta L(W, b)),        n_beta: how many samples the posterior is of, times an inverse temperature

>>> import tegum as tg
>>> net, features = tg.nets.ReluOutput(2, 1), tg.features.AnticorrelatedSets(1, 2, density=1 / 2)
>>> data = sample(net, features, [[1.0, -1.0]], [0.0, 0.0], n_beta=1e6, chains=4, draws=1000)
>>> abs(1e6 * float(data.loss.mean()) - 2) < 0.2                   # 4 parameters, all of them bent: 4 / 2
True

The result has the dimensions ``chain`` and ``draw``, and every variable has both: what is known of a whole chain, such as its
status, is a coordinate.  So ArviZ reads it as it is, ``arviz.summary(data)``.  With several n_beta every chain is a *tempered*
one: replicas at all of them, which change places, and the dimension ``n_beta`` follows.
"""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.caching import cached
from tegum.checking import checked, require_memory, require_seeds
from tegum.datasets import Status, dataset
from tegum.errors import InvalidInputError, Problems
from tegum.exact import Objective
from tegum.exact.parameters import free_of
from tegum.features import Features
from tegum.interruption import Interrupted
from tegum.nets import Net
from tegum.posterior.diagnostics import effective_size, r_hat
from tegum.posterior.kernel.chains import (
    DIVERGED,
    FINISHED,
    STOPPED,
    Chain,
    Law,
    Plan,
    Record,
    chain_for,
    hamiltonian,
    langevin,
)
from tegum.posterior.kernel.randomness import stream_for
from tegum.posterior.kernel.target import Target
from tegum.posterior.samplers import HMC, MALA, Langevin, RMSProp, Sampler
from tegum.posterior.targets import SAMPLE_SECONDS, evaluation_seconds, points_of, target_for
from tegum.provenance import provenance
from tegum.recorded import said_of
from tegum.threads import in_pieces

_STATUS = {FINISHED: Status.FINISHED, DIVERGED: Status.DIVERGED, STOPPED: Status.INTERRUPTED}
_LARGEST, _MOST_STEPS = 1e15, 10**9
_FIRST_STEP, _DIVERGING = 0.5, 1000.0
_STEP_SECONDS = 1.5e-6
_ABOUT_CHAINS = ("step_size", "swap_rate", "status", "draws_done", "loss_r_hat", "loss_effective_size")
_MEANINGS = {
    "W": "weights; a column is a feature's direction",
    "b": "output bias",
    "loss": "exact expected loss",
    "lp": "logarithm of the unnormalised posterior density",
    "acceptance_rate": "probability with which the trajectory of this draw was accepted",
    "energy": "Hamiltonian at the end of the trajectory of this draw, -lp and the kinetic energy",
    "energy_error": "change of the Hamiltonian in the trajectory of this draw",
    "diverging": "whether the trajectory left every hope of being accepted",
    "step_size": "step size after warm-up",
    "swap_rate": "share of exchanges with the next n_beta that were accepted, of those that were tried",
    "status": "what became of the chain, see tegum.Status",
    "draws_done": "draws before the chain ended",
    "loss_r_hat": "rank-normalised split R-hat of the loss",
    "loss_effective_size": "effective number of independent draws of the loss, all chains together",
}


def _seconds(
    net: Net,
    features: Features,
    *,
    numbers: Sequence[int],
    ladder: NDArray[np.float64],
    sampler: Sampler,
    draws: int,
    warm_up: int,
    thinning: int,
    **_: Any,
) -> float:
    """About how long chains take on one core."""
    leaps = sampler.leaps if isinstance(sampler, HMC) else 1
    own = evaluation_seconds(net, features)
    if isinstance(sampler, Langevin | RMSProp):
        own += sampler.batch_size * net.n_features * net.n_hidden * SAMPLE_SECONDS
    return float(len(numbers) * len(ladder) * leaps * (warm_up + draws * thinning) * (_STEP_SECONDS + own))


@checked
def sample(
    net: Net,
    features: Features,
    W: ArrayLike,
    b: ArrayLike | None = None,
    *,
    n_beta: float | Sequence[float],
    sampler: Sampler = HMC(),
    localisation: float = 0.0,
    prior_deviation: float | None = None,
    chains: int = 4,
    draws: int = 1000,
    warm_up: int = 300,
    thinning: int = 1,
    root_seed: int = 0,
    terms: int = 64,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:  # long: most of it says what each of its arguments means
    """Chains of models whose law is exp(-n_beta L - localisation / 2 |w - w*|^2 - |w|^2 / (2 prior_deviation^2)), w* the start.

    Args:
        net: a `ReluOutput` or `Linear` net.
        features: one distribution: blocks of magnitudes uniform on [0, 1] or exponential, without signs; or a `FiniteLaw`,
            such as a data set.
        W: where chains start, (m, n), or (chains, m, n) for a start of its own each.
        b: the same of the bias, (n,) or (chains, n).
        n_beta: how many samples the posterior is of, times the inverse temperature; or several, rising, for tempered chains.
        sampler: how chains move, see `tegum.posterior.samplers`.
        localisation: how strongly they are held to the start (gamma); 0 lets them go.
        prior_deviation: of the Gaussian prior around 0 on all parameters; None for a flat one.
        chains: how many.
        draws: how many are kept of each.
        warm_up: steps before; exact samplers find their step size in them.
        thinning: steps for each draw that is kept.
        root_seed: names the family of chains: a chain is a function of (root_seed, its number) and of what it samples.
        terms: of the loss where it is inverted, a power of two.
        threads: how many chains at a time; by default one per core.  It never changes a result.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        A dataset with ``W`` (chain, draw, hidden, feature), ``b`` (chain, draw, feature), ``loss`` and ``lp`` (chain, draw);
        of exact samplers ``acceptance_rate``, ``energy``, ``energy_error`` and ``diverging`` (chain, draw).  Coordinates are
        ``step_size``, ``status`` and ``draws_done`` (chain); ``loss_r_hat`` and ``loss_effective_size``, which
        `tegum.posterior.diagnostics` has of all variables.  Tempered chains have ``n_beta`` after ``draw``, and ``swap_rate``
        (chain, n_beta).  A chain that diverges is data: its status says so, and draws it did not come to are NaN.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
        Interrupted: after Ctrl-C, with the dataset so far in ``data``.
    """
    began = time.perf_counter()
    ladder = np.atleast_1d(np.asarray(n_beta, dtype=np.float64))
    _check(ladder, sampler, localisation, prior_deviation, chains, draws, warm_up, thinning, root_seed)
    objective, x = points_of(net, features, W, b, terms)
    if x.shape[:-1] not in ((), (chains,)):
        raise InvalidInputError(f"W and b have leading axes {x.shape[:-1]}", f"give one start, or {chains}, one for each chain")
    require_memory(f"{chains} chains of {draws} draws", 8 * chains * draws * len(ladder) * (objective.size + 5))

    def found(data: xr.Dataset) -> xr.Dataset:
        losses = [data["loss"].sel(n_beta=one).values for one in ladder]
        data["loss_r_hat"] = "n_beta", [r_hat(one) for one in losses]
        data["loss_effective_size"] = "n_beta", [effective_size(one) for one in losses]
        data = data if np.ndim(n_beta) else data.isel(n_beta=0, drop=True).drop_vars("swap_rate")
        for name in ("loss_r_hat", "loss_effective_size"):
            data[name].attrs |= {"long_name": _MEANINGS[name], "units": "1"}
        seconds = round(time.perf_counter() - began, 3)
        return data.set_coords([name for name in _ABOUT_CHAINS if name in data]).assign_attrs(wall_seconds=seconds)

    try:
        data = drawn_chains(
            net, features, numbers=tuple(range(chains)), starts=np.array(np.broadcast_to(x, (chains, objective.size))),
            ladder=ladder, sampler=sampler, localisation=localisation, prior_deviation=prior_deviation, draws=draws,
            warm_up=warm_up, thinning=thinning, root_seed=root_seed, terms=terms, threads=threads, progress=progress,
        )  # fmt: skip
    except Interrupted as stopped:
        raise Interrupted(found(stopped.data)) from None
    return found(data)


@cached(splittable=True, along={"chain": ("numbers", "starts")}, cost=_seconds)
def drawn_chains(
    net: Net,
    features: Features,
    *,
    numbers: Sequence[int],
    starts: NDArray[np.float64],
    ladder: NDArray[np.float64],
    sampler: Sampler,
    localisation: float,
    prior_deviation: float | None,
    draws: int,
    warm_up: int,
    thinning: int,
    root_seed: int,
    terms: int,
    threads: int | None,
    progress: bool | None,
) -> xr.Dataset:
    """Chains by their numbers, each from a start of its own (chains, d), without what is known of all together."""
    began = time.perf_counter()
    objective = Objective(net, features, terms)
    prior = 0.0 if prior_deviation is None else prior_deviation**-2
    known: dict[bytes, tuple[float, NDArray[np.float64]]] = {}
    for start in starts:
        if start.tobytes() not in known:
            metric = metric_at(objective, start, float(ladder[-1]), localisation + prior, sampler.metric)
            known[start.tobytes()] = objective.loss(start), metric
    record = _record(len(numbers), draws, len(ladder), objective.size)
    plan = _plan(sampler, draws, warm_up, thinning)
    is_langevin = isinstance(sampler, Langevin | RMSProp)

    def memory(stop: NDArray[np.int64]) -> tuple[Target, Chain]:
        return target_for(net, features, terms), chain_for(objective.size, len(ladder), stop)

    def work(memory: tuple[Target, Chain], first: int, end: int) -> None:
        target, chain = memory
        for c in range(first, end):
            base, scale = known[starts[c].tobytes()]
            law = Law(ladder, localisation, prior, base)
            chain.stream[:] = stream_for(root_seed, numbers[c])
            chain.origin[:], chain.scale[...], chain.z[...], chain.square[:] = starts[c], scale, 0.0, 0.0
            (langevin if is_langevin else hamiltonian)(
                target, law, chain._replace(plain=int(sampler.metric == "identity")), plan, record, c
            )

    interrupted = False
    shown = len(numbers) * draws, lambda: int(record.done.sum())
    try:
        in_pieces(len(numbers), 1, memory, work, threads=threads, progress=progress, title="sampling", unit="draw", shown=shown)
    except KeyboardInterrupt:
        interrupted = True
    settings = {
        "net": repr(net),
        **said_of(features),
        "sampler": repr(sampler),
        "n_beta": ", ".join(repr(float(one)) for one in ladder),
        "localisation": localisation,
        "prior_deviation": "none" if prior_deviation is None else prior_deviation,
        "warm_up": warm_up,
        "thinning": thinning,
        "root_seed": root_seed,
        "terms": terms,
        "interrupted": int(interrupted),
        "wall_seconds": round(time.perf_counter() - began, 3),
        **provenance(),
    }
    bases = np.array([known[start.tobytes()][0] for start in starts])[:, None, None] * ladder
    record.potential[...] += bases  # chains count from the loss at their starts, the density does not
    record.energy[...] += bases
    return _dataset(objective, numbers, ladder, plan, record, exact=not is_langevin).assign_attrs(settings)


def _check(
    ladder: NDArray[np.float64],
    sampler: Sampler,
    localisation: float,
    prior_deviation: float | None,
    chains: int,
    draws: int,
    warm_up: int,
    thinning: int,
    root_seed: int,
) -> None:
    """Refuses numbers that mean nothing."""
    with Problems() as problems:
        for one in ladder:
            problems.check_number("n_beta", float(one), 0, _LARGEST)
        if not ladder.size or (np.diff(ladder) <= 0).any():
            problems.add(f"n_beta is {ladder.tolist()}", "give one number, or several in rising order")
        if len(ladder) > 1 and isinstance(sampler, Langevin | RMSProp):
            problems.add(
                f"{len(ladder)} values of n_beta are given to {sampler!r}", "temper HMC() or MALA(), or give one n_beta"
            )
        problems.check_number("localisation", localisation, 0, _LARGEST)
        if prior_deviation is not None:
            problems.check_number("prior_deviation", prior_deviation, 1e-6, _LARGEST)
        for name, value, least in (
            ("chains", chains, 1),
            ("draws", draws, 4),
            ("warm_up", warm_up, 0),
            ("thinning", thinning, 1),
        ):
            problems.check_least(name, value, least)
        if warm_up + draws * thinning > _MOST_STEPS:
            problems.add(f"a chain would have {warm_up + draws * thinning:,} steps", f"choose at most {_MOST_STEPS:,}")
        with problems.collecting():
            require_seeds(root_seed)


def _plan(sampler: Sampler, draws: int, warm_up: int, thinning: int) -> Plan:
    """A sampler in numbers for compiled code."""
    plan = Plan(draws, warm_up, thinning, _FIRST_STEP, 1, 0.8, 0, 0.0, 0.0)
    if isinstance(sampler, HMC):
        return plan._replace(leaps=sampler.leaps, accept=sampler.accept)
    if isinstance(sampler, MALA):
        return plan._replace(accept=sampler.accept)
    assert isinstance(sampler, Langevin | RMSProp)
    plan = plan._replace(step=sampler.step_size, batch=sampler.batch_size)
    return plan._replace(decay=sampler.decay, stability=sampler.stability) if isinstance(sampler, RMSProp) else plan


def metric_at(objective: Objective, x: NDArray[np.float64], n_beta: float, pull: float, metric: str) -> NDArray[np.float64]:
    """A of w = x + A z: 1, or so that n_beta L + pull / 2 |w - x|^2 is |z|^2 / 2 to second order at a minimum x.

    Directions that the loss does not bend have no width of their own.  They get that of a curvature h / sqrt(n_beta), h the
    mean of those that are bent: the width n_beta^(-1/4) is that of a loss of fourth order, and about how far one can go
    straight along a rotation before the bend of its orbit is felt.
    """
    if metric == "identity":
        return np.eye(x.size)
    free = free_of(objective.net)
    H = objective.hessian(x)[np.ix_(free, free)]
    curvature, directions = np.linalg.eigh(H)
    size = np.abs(curvature)
    mean = float(size.mean()) or 1.0
    size = np.maximum(size, mean / math.sqrt(max(n_beta * mean, 1.0)))
    A = np.zeros((x.size, x.size))
    A[np.ix_(free, free)] = directions / np.sqrt(n_beta * size + pull if n_beta * mean + pull > 0 else 1.0)
    return A


def _record(chains: int, draws: int, replicas: int, d: int) -> Record:
    """Room for the results of all chains."""
    each = (chains, draws, replicas)
    x, loss, potential, acceptance, energy, error = (np.full(shape, np.nan) for shape in ((*each, d), *[each] * 5))
    swapped, tried, step = np.zeros((chains, replicas)), np.zeros((chains, replicas)), np.full((chains, replicas), np.nan)
    status, done = np.full(chains, STOPPED), np.zeros(chains, dtype=np.int64)
    return Record(x, loss, potential, acceptance, energy, error, swapped, tried, step, status, done)


def _dataset(
    objective: Objective, numbers: Sequence[int], ladder: NDArray[np.float64], plan: Plan, record: Record, exact: bool
) -> xr.Dataset:
    """The results of chains by name."""
    each = ("chain", "draw", "n_beta")
    W, b = objective.parameters(record.x)
    rate = record.swapped / np.where(record.tried > 0, record.tried, np.nan)
    variables: dict[str, tuple[tuple[str, ...], Any]] = {
        "W": ((*each, "hidden", "feature"), W),
        "b": ((*each, "feature"), b),
        "loss": (each, record.loss),
        "lp": (each, -record.potential),
        "step_size": (("chain", "n_beta"), record.step),
        "swap_rate": (("chain", "n_beta"), rate),
        "status": (("chain",), np.array([_STATUS[int(code)] for code in record.status], dtype="<U13")),
        "draws_done": (("chain",), record.done),
    }
    if exact:
        variables |= {
            "acceptance_rate": (each, record.acceptance),
            "energy": (each, record.energy),
            "energy_error": (each, record.energy_error),
            "diverging": (each, record.energy_error > _DIVERGING),
        }
    coords: Mapping[str, Any] = {"chain": np.array(numbers), "draw": np.arange(plan.draws), "n_beta": ladder}
    return dataset(variables, coords, meanings=_MEANINGS)
