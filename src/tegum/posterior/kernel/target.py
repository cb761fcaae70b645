"""The loss whose posterior is sampled, and its gradient, as compiled chains ask for it: exact, or of a batch of samples.

    L(W, b) = sum_j I_j E (x_j - y_j)^2,     y = r(G x + b),     G = W^T W

Three ways to the same number, by what is known of x: the exact engine (blocks of uniform or exponential magnitudes); closed
forms where at most one feature is active at a time, uniform on [0, 1], so that L is a sum over pairs of features,

    E_j = p_j / 3 + q r(b_j)^2 + sum_i p_i (1 - [i = j] d/dg_ji) E r(b_j + g_ji u)^2,      u ~ U[0, 1], q = 1 - sum_i p_i

and a finite sum over the states of a `FiniteLaw`.  The second takes n^2 short formulas without a loop over terms: for six
features in two dimensions 0.5 microseconds in place of 9.

A batch is drawn from the same law in the same compiled code: its gradient has the noise that training has.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled, copied_into_callers, inlined, inner
from tegum.exact.kernel.landscape import Landscape, loss_at
from tegum.exact.kernel.uniform import rectified
from tegum.exact.kernel.walk import components_in, members_of
from tegum.posterior.kernel.randomness import chosen, uniform

ENGINE, ONE_ACTIVE, STATES = 0, 1, 2
"""How a loss is computed."""


class Target(NamedTuple):
    """A loss in memory of its own, for one thread.

    Attributes:
        kind: how the loss is computed.
        landscape: the exact engine's loss; its memory for W, b and their derivatives serves every kind.
        probability: (n,) how probable each feature is to be the active one.
        idle: the probability that none is.
        states: (T, n), of a finite law.
        weight: (T,) their probabilities.
        edges: (T,) these added up.
        x: (n,) a sample.
        wrong: (n,) what its outputs pull at.
        hidden: (m,) its hidden units.
    """

    kind: int
    landscape: Landscape
    probability: NDArray[np.float64]
    idle: float
    states: NDArray[np.float64]
    weight: NDArray[np.float64]
    edges: NDArray[np.float64]
    x: NDArray[np.float64]
    wrong: NDArray[np.float64]
    hidden: NDArray[np.float64]


@inlined
def _enter(target: Any, at: Any) -> None:
    """Flat parameters into the memory for W and b; derivatives begin at 0."""
    point = target.landscape.point
    m, n = point.W.shape
    for k in range(m):
        for i in range(n):
            point.W[k, i] = at[k * n + i]
            point.dW[k, i] = 0.0
    for i in range(n):
        point.b[i] = at[m * n + i]
        point.db[i] = 0.0


@inlined
def _leave(target: Any, gradient: Any) -> None:
    """The derivatives as one flat gradient; by parameters that are held they are 0."""
    point, free = target.landscape.point, target.landscape.free
    m, n = point.W.shape
    for k in range(m):
        for i in range(n):
            gradient[k * n + i] = point.dW[k, i] if free[k * n + i] else 0.0
    for i in range(n):
        gradient[m * n + i] = point.db[i] if free[m * n + i] else 0.0


@copied_into_callers
@inner
def _one_active(target: Target) -> float:
    """The loss where at most one feature is active, its derivatives into the point's memory."""
    point = target.landscape.point
    m, n = point.W.shape
    loss = 0.0
    for j in range(n):
        weight, b = point.importance[j], point.b[j]
        top = max(b, 0.0)
        own = target.probability[j] / 3 + target.idle * top * top
        by_b = 2 * target.idle * top
        for i in range(n):
            g = 0.0
            for k in range(m):
                g += point.W[k, j] * point.W[k, i]
            first, _ = rectified(1, b, g, i == j)
            second, by_g = rectified(2, b, g, i == j)
            own += target.probability[i] * second
            by_b += 2 * target.probability[i] * first
            by_g *= weight * target.probability[i]
            # g_ji = sum_k W_kj W_ki depends on column i through W_kj and on column j through W_ki
            for k in range(m):
                point.dW[k, i] += by_g * point.W[k, j]
                point.dW[k, j] += by_g * point.W[k, i]
        point.db[j] = weight * by_b
        loss += weight * own
    return loss


@inlined
def _add_sample(target: Any, weight: float) -> float:
    """``weight`` times the loss of the sample in ``target.x``; its derivatives are added to the point's memory."""
    point, x, h = target.landscape.point, target.x, target.hidden
    m, n = point.W.shape
    loss = 0.0
    for k in range(m):
        h[k] = 0.0
        for i in range(n):
            h[k] += point.W[k, i] * x[i]
    for j in range(n):
        s = point.b[j]
        for k in range(m):
            s += point.W[k, j] * h[k]
        active = target.landscape.linear != 0 or s > 0
        error = (s if active else 0.0) - x[j]
        loss += weight * point.importance[j] * error * error
        target.wrong[j] = 2 * weight * point.importance[j] * error if active else 0.0
        point.db[j] += target.wrong[j]
    for k in range(m):
        back = 0.0
        for j in range(n):
            back += point.W[k, j] * target.wrong[j]
        for i in range(n):
            point.dW[k, i] += h[k] * target.wrong[i] + back * x[i]
    return loss


@inlined
def _draw(target: Any, stream: Any) -> None:
    """A sample of the law into ``target.x``."""
    x = target.x
    if target.kind == STATES:
        t = chosen(stream, target.edges, target.edges.size)
        for i in range(x.size):
            x[i] = target.states[t, i]
        return
    for i in range(x.size):
        x[i] = 0.0
    distribution = target.landscape.distribution
    for block in range(distribution.blocks):
        u = uniform(stream)
        for component in components_in(distribution, block):
            inside = 0.0 <= u < distribution.weight[component]
            u -= distribution.weight[component]
            if inside:
                for i in members_of(distribution, component):
                    v = uniform(stream)
                    x[i] = -distribution.mean * np.log(v) if distribution.exponential else v


@copied_into_callers
@compiled
def loss_of(target: Target, at: Any, gradient: Any) -> float:
    """The exact loss at flat parameters; its gradient is written."""
    if target.kind == ENGINE:
        return float(loss_at(target.landscape, at, gradient))
    _enter(target, at)
    loss = 0.0
    if target.kind == ONE_ACTIVE:
        loss = _one_active(target)
    else:
        for t in range(target.weight.size):
            for i in range(target.x.size):
                target.x[i] = target.states[t, i]
            loss += _add_sample(target, target.weight[t])
    _leave(target, gradient)
    return loss


@copied_into_callers
@compiled
def batch_loss_of(target: Target, stream: Any, at: Any, gradient: Any, samples: int) -> float:
    """The mean loss of fresh ``samples`` of the law at flat parameters; its gradient is written."""
    _enter(target, at)
    loss = 0.0
    for _ in range(samples):
        _draw(target, stream)
        loss += _add_sample(target, 1.0 / samples)
    _leave(target, gradient)
    return loss
