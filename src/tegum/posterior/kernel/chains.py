"""The steps of chains in compiled code: Langevin's with and without noise of batches, Hamiltonian trajectories, tempering.

The density that is sampled is exp(-U), of parameters w = origin + A z, as a function of z:

    U = n_beta (L(w) - L(origin)) + localisation / 2 |w - origin|^2 + prior / 2 |w|^2

    Langevin        z <- z - e/2 U'(z) + sqrt(e) N(0, 1)                           e: the step size
    RMSProp         v <- a v + (1 - a) L'^2,  e <- e / (sqrt(v) + c) for each parameter
    Hamiltonian     p ~ N(0, 1), then a few times  p -= h/2 U', z += h p, p -= h/2 U';  accepted with min(1, e^(H - H'))
                    MALA is the same with one such step, e = h^2
    tempering       replicas at several n_beta; neighbours change places with min(1, e^((n_beta - n_beta')(L - L')))

The first two are wrong by what their step size is (see `tegum.posterior.biases`), the others have exp(-U) as their law
exactly. While it warms up, each replica finds the step size at which it accepts as often as asked, by dual averaging.  A chain
depends on its own stream alone.

Sources: Welling and Teh (2011); Li, Chen, Carlson and Carin (2016), without the correction term, as everybody uses it; Roberts
and Tweedie (1996); Neal (2011); Hoffman and Gelman (2014), algorithm 5; Geyer (1991).
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled, copied_into_callers, inlined, inner
from tegum.exact.kernel.records import ZERO
from tegum.posterior.kernel.randomness import fill_normal, uniform
from tegum.posterior.kernel.target import Target, batch_loss_of, loss_of

FINISHED, DIVERGED, STOPPED = 0, 1, 2

_FAR = 1e6
_SHRINK, _OFFSET, _DECAY, _BOLD = 0.05, 10.0, 0.75, 10.0
_JITTER = 0.2


class Law(NamedTuple):
    """What is sampled: n_beta of each replica, how strongly parameters are held to the origin and to 0, the loss there."""

    n_beta: NDArray[np.float64]
    localisation: float
    prior: float
    base: float


class Plan(NamedTuple):
    """How: draws to keep, steps before them and for each; step size, leaps, how often to accept; batch, RMSProp's numbers."""

    draws: int
    warm_up: int
    thinning: int
    step: float
    leaps: int
    accept: float
    batch: int
    decay: float
    stability: float


class Chain(NamedTuple):
    """The memory of one chain of d parameters and as many replicas as ``law.n_beta`` has; it ends where ``stop[0]`` is not 0.

    ``plain`` is 1 where A is 1; ``slope`` and ``pull`` are the derivatives by z of the loss and of the rest of U.
    """

    stop: NDArray[np.int64]
    stream: NDArray[np.uint64]
    plain: int
    origin: NDArray[np.float64]
    scale: NDArray[np.float64]
    z: NDArray[np.float64]
    loss: NDArray[np.float64]
    rest: NDArray[np.float64]
    slope: NDArray[np.float64]
    pull: NDArray[np.float64]
    x: NDArray[np.float64]
    gradient: NDArray[np.float64]
    noise: NDArray[np.float64]
    momentum: NDArray[np.float64]
    square: NDArray[np.float64]
    before: NDArray[np.float64]
    step: NDArray[np.float64]
    adapting: NDArray[np.float64]


class Record(NamedTuple):
    """What chains leave behind, (chains, draws, replicas, ...): ``swapped`` of ``tried`` exchanges with the next replica."""

    x: NDArray[np.float64]
    loss: NDArray[np.float64]
    potential: NDArray[np.float64]
    acceptance: NDArray[np.float64]
    energy: NDArray[np.float64]
    energy_error: NDArray[np.float64]
    swapped: NDArray[np.float64]
    tried: NDArray[np.float64]
    step: NDArray[np.float64]
    status: NDArray[np.int64]
    done: NDArray[np.int64]


def chain_for(size: int, replicas: int, stop: NDArray[np.int64]) -> Chain:
    """Fresh memory of a chain; whoever starts it fills stream, origin, scale and z."""
    one, each = size, (replicas, size)
    return Chain(
        stop=stop,
        stream=np.zeros(4, dtype=np.uint64),
        plain=0,
        origin=np.zeros(one),
        scale=np.zeros((one, one)),
        z=np.zeros(each),
        loss=np.zeros(replicas),
        rest=np.zeros(replicas),
        slope=np.zeros(each),
        pull=np.zeros(each),
        x=np.zeros(one),
        gradient=np.zeros(one),
        noise=np.zeros(one),
        momentum=np.zeros(one),
        square=np.zeros(one),
        before=np.zeros((3, one)),
        step=np.zeros(replicas),
        adapting=np.zeros((replicas, 4)),
    )


@inlined
def _locate(chain: Any, r: int) -> None:
    """Parameters of replica r, origin + A z, into ``x``."""
    d = chain.x.size
    for i in range(d):
        moved = chain.z[r, i]
        if not chain.plain:
            moved = 0.0
            for k in range(d):
                moved += chain.scale[i, k] * chain.z[r, k]
        chain.x[i] = chain.origin[i] + moved


@copied_into_callers
@compiled
def evaluate(target: Target, law: Law, chain: Chain, r: int, batch: int) -> None:
    """Loss and derivatives of replica r where it is now; of a batch of fresh samples where ``batch`` is not 0."""
    _locate(chain, r)
    d = chain.x.size
    if batch > 0:
        chain.loss[r] = batch_loss_of(target, chain.stream, chain.x, chain.gradient, batch)
    else:
        chain.loss[r] = loss_of(target, chain.x, chain.gradient)
    free = target.landscape.free
    rest = 0.0
    for i in range(d):
        away = chain.x[i] - chain.origin[i]
        rest += 0.5 * law.localisation * away * away + 0.5 * law.prior * chain.x[i] * chain.x[i]
        chain.noise[i] = (law.localisation * away + law.prior * chain.x[i]) if free[i] else 0.0
    chain.rest[r] = rest
    if chain.plain:
        for i in range(d):
            chain.slope[r, i] = chain.gradient[i]
            chain.pull[r, i] = chain.noise[i]
        return
    for k in range(d):
        chain.slope[r, k] = 0.0
        chain.pull[r, k] = 0.0
    for i in range(d):
        for k in range(d):
            chain.slope[r, k] += chain.scale[i, k] * chain.gradient[i]
            chain.pull[r, k] += chain.scale[i, k] * chain.noise[i]


@inlined
def _potential(law: Any, chain: Any, r: int) -> float:
    """U of replica r as last evaluated."""
    return law.n_beta[r] * (chain.loss[r] - law.base) + chain.rest[r]


@copied_into_callers
@inner
def _trajectory(target: Target, law: Law, chain: Chain, r: int, step: float, leaps: int) -> tuple[float, float, float]:
    """Moves replica r by one trajectory, or leaves it; returns how probably it was accepted, H' - H, and H where it is then."""
    d = chain.x.size
    free = target.landscape.free
    n_beta = law.n_beta[r]
    fill_normal(chain.stream, chain.momentum, d)
    before = _potential(law, chain, r)
    loss, rest = chain.loss[r], chain.rest[r]
    kinetic = 0.0
    for i in range(d):
        if chain.plain and not free[i]:
            chain.momentum[i] = 0.0
        kinetic += 0.5 * chain.momentum[i] * chain.momentum[i]
        chain.before[0, i], chain.before[1, i], chain.before[2, i] = chain.z[r, i], chain.slope[r, i], chain.pull[r, i]
    error = 0.0
    for _ in range(leaps):
        for i in range(d):
            chain.momentum[i] -= 0.5 * step * (n_beta * chain.slope[r, i] + chain.pull[r, i])
            chain.z[r, i] += step * chain.momentum[i]
        evaluate(target, law, chain, r, ZERO)
        for i in range(d):
            chain.momentum[i] -= 0.5 * step * (n_beta * chain.slope[r, i] + chain.pull[r, i])
        if not abs(_potential(law, chain, r)) < np.inf:
            break
    error = _potential(law, chain, r) - before - kinetic
    for i in range(d):
        error += 0.5 * chain.momentum[i] * chain.momentum[i]
    if not abs(error) < np.inf:
        error = np.inf
    accept = math.exp(-error) if error > 0 else 1.0
    energy = before + kinetic + error
    if uniform(chain.stream) >= accept:
        energy = before + kinetic
        chain.loss[r], chain.rest[r] = loss, rest
        for i in range(d):
            chain.z[r, i], chain.slope[r, i], chain.pull[r, i] = chain.before[0, i], chain.before[1, i], chain.before[2, i]
    return accept, error, energy


@inlined
def _adapt(chain: Any, r: int, accept: float, wanted: float) -> None:
    """One step of dual averaging: the step size of replica r, and in ``adapting`` its running mean."""
    own = chain.adapting
    own[r, 3] += 1
    t = own[r, 3]
    own[r, 1] += (wanted - accept - own[r, 1]) / (t + _OFFSET)
    log_step = own[r, 2] - math.sqrt(t) / _SHRINK * own[r, 1]
    share = t**-_DECAY
    own[r, 0] = share * log_step + (1 - share) * own[r, 0]
    chain.step[r] = math.exp(log_step)


@inlined
def _exchange(law: Any, chain: Any, a: int, b: int) -> bool:
    """Lets two replicas change places, or not; both keep their n_beta and step size."""
    gain = (law.n_beta[a] - law.n_beta[b]) * (chain.loss[a] - chain.loss[b])
    if gain < 0 and uniform(chain.stream) >= math.exp(gain):
        return False
    chain.loss[a], chain.loss[b] = chain.loss[b], chain.loss[a]
    chain.rest[a], chain.rest[b] = chain.rest[b], chain.rest[a]
    for i in range(chain.x.size):
        chain.z[a, i], chain.z[b, i] = chain.z[b, i], chain.z[a, i]
        chain.slope[a, i], chain.slope[b, i] = chain.slope[b, i], chain.slope[a, i]
        chain.pull[a, i], chain.pull[b, i] = chain.pull[b, i], chain.pull[a, i]
    return True


@copied_into_callers
@inner
def _keep(law: Law, chain: Chain, record: Record, c: int, draw: int, r: int) -> None:
    """Writes down where replica r is."""
    _locate(chain, r)
    for i in range(chain.x.size):
        record.x[c, draw, r, i] = chain.x[i]
    record.loss[c, draw, r] = chain.loss[r]
    record.potential[c, draw, r] = _potential(law, chain, r)


@compiled
def hamiltonian(target: Target, law: Law, chain: Chain, plan: Plan, record: Record, c: int) -> None:
    """Chain c by Hamiltonian trajectories, all replicas in turn; its results go to ``record``."""
    replicas = law.n_beta.size
    for r in range(replicas):
        evaluate(target, law, chain, r, ZERO)
        chain.step[r] = plan.step
        chain.adapting[r, 0] = math.log(plan.step)
        chain.adapting[r, 1] = 0.0
        chain.adapting[r, 2] = math.log(_BOLD * plan.step)
        chain.adapting[r, 3] = 0.0
        if not abs(_potential(law, chain, r)) < np.inf:
            record.status[c] = DIVERGED
            return
    for t in range(plan.warm_up + plan.draws * plan.thinning):
        if chain.stop[0]:
            record.status[c] = STOPPED
            return
        since = t - plan.warm_up
        if since == 0:
            for r in range(replicas):
                record.step[c, r] = chain.step[r]
        draw = since // plan.thinning
        kept = since >= 0 and (since + 1) % plan.thinning == 0
        for r in range(replicas):
            step = chain.step[r] * (1.0 + _JITTER * (2.0 * uniform(chain.stream) - 1.0))
            accept, error, energy = _trajectory(target, law, chain, r, step, plan.leaps)
            if since < 0:
                _adapt(chain, r, accept, plan.accept)
                if since == -1:
                    chain.step[r] = math.exp(chain.adapting[r, 0])
            if kept:
                record.acceptance[c, draw, r] = accept
                record.energy[c, draw, r] = energy
                record.energy_error[c, draw, r] = error
        for r in range(t % 2, replicas - 1, 2):
            exchanged = _exchange(law, chain, r, r + 1)
            if since >= 0:
                record.tried[c, r] += 1.0
                record.swapped[c, r] += 1.0 if exchanged else 0.0
        if kept:
            for r in range(replicas):
                _keep(law, chain, record, c, draw, r)
            record.done[c] = draw + 1
    record.status[c] = FINISHED


@compiled
def langevin(target: Target, law: Law, chain: Chain, plan: Plan, record: Record, c: int) -> None:
    """Chain c by Langevin steps, with RMSProp's where ``plan.stability`` is above 0; its results go to ``record``."""
    d = chain.x.size
    free = target.landscape.free
    n_beta = law.n_beta[0]
    record.step[c, 0] = plan.step
    for t in range(plan.warm_up + plan.draws * plan.thinning):
        if chain.stop[0]:
            record.status[c] = STOPPED
            return
        since = t - plan.warm_up
        kept = since >= 0 and since % plan.thinning == 0
        if kept and plan.batch > 0:
            evaluate(target, law, chain, ZERO, ZERO)
            _keep(law, chain, record, c, since // plan.thinning, ZERO)
        evaluate(target, law, chain, ZERO, plan.batch)
        if kept and plan.batch == 0:
            _keep(law, chain, record, c, since // plan.thinning, ZERO)
        if kept:
            record.done[c] = since // plan.thinning + 1
        fill_normal(chain.stream, chain.noise, d)
        far = not abs(chain.loss[0]) < np.inf
        for i in range(d):
            step = plan.step
            if plan.stability > 0:
                slope = chain.slope[0, i]
                chain.square[i] = plan.decay * chain.square[i] + (1 - plan.decay) * slope * slope
                step /= math.sqrt(chain.square[i]) + plan.stability
            if free[i] or not chain.plain:
                force = n_beta * chain.slope[0, i] + chain.pull[0, i]
                chain.z[0, i] += math.sqrt(step) * chain.noise[i] - 0.5 * step * force
            far = far or not abs(chain.z[0, i]) < _FAR
        if far:
            record.status[c] = DIVERGED
            return
    record.status[c] = FINISHED
