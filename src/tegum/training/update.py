"""One optimizer step of one instance: AdamW, Adam or SGD with momentum, under a learning-rate schedule.

    adamw   w <- w (1 - rate decay) - rate m^ / (sqrt(v^) + epsilon)        m^, v^: bias-corrected averages of g, g^2
    adam    the same with g <- g + decay w and no shrinking
    sgd     g <- g + decay w,   m <- momentum m + g,   w <- w - rate m

Conventions are PyTorch's, so a recipe means the same there.  Decay is per parameter group and may be negative.

    rate(t) = learning_rate * warm-up * schedule,    warm-up = (t + 1) / warmup_steps until it reaches 1
    linear  1 - (1 - f) q,     cosine  f + (1 - f) (1 + cos(pi q)) / 2,     q = share of the steps after warm-up done

Sources: Kingma and Ba 2015 (Adam); Loshchilov and Hutter 2019 (AdamW).
"""

from typing import Any

import numpy as np

from tegum.compilation import compiled, inlined

_TINY = np.float32(1e-30)
"""Averages below this are set to zero: products of denormal numbers cost a hundred times the usual."""


@inlined
def learning_rate(method: Any, k: int, t: int) -> float:
    """Instance k's learning rate at step t (the first step is 0)."""
    warmup = method.warmup_steps[k]
    if t < warmup:
        return method.learning_rate[k] * (t + 1) / warmup
    done = (t - warmup) / max(method.steps[k] - warmup, 1)
    final = method.final_fraction[k]
    if method.schedule[k] == 1:
        return method.learning_rate[k] * (1 - (1 - final) * done)
    if method.schedule[k] == 2:
        return method.learning_rate[k] * (final + (1 - final) * (1 + np.cos(np.pi * done)) / 2)
    return method.learning_rate[k]


@compiled
def _adam(
    w: Any,
    g: Any,
    m: Any,
    v: Any,
    start: int,
    end: int,
    rate: Any,
    shrink: Any,
    pull: Any,
    beta1: Any,
    beta2: Any,
    root: Any,
    epsilon: Any,
) -> None:
    one = np.float32(1)
    for q in range(start, end):
        slope = np.float32(g[q] + pull * w[q])
        first = np.float32(beta1 * m[q] + (one - beta1) * slope)
        second = np.float32(beta2 * v[q] + (one - beta2) * slope * slope)
        first = first if abs(first) > _TINY else np.float32(0)
        m[q] = first
        v[q] = second
        w[q] = np.float32(shrink * w[q] - rate * first / (np.float32(np.sqrt(second)) * root + epsilon))


@compiled
def _sgd(w: Any, g: Any, m: Any, start: int, end: int, rate: Any, pull: Any, momentum: Any) -> None:
    for q in range(start, end):
        velocity = np.float32(momentum * m[q] + g[q] + pull * w[q])
        m[q] = velocity
        w[q] = np.float32(w[q] - rate * velocity)


@inlined
def update(shape: Any, method: Any, state: Any, gradient: Any, k: int, t: int) -> None:
    """Moves instance k's parameters by step t of its optimizer."""
    w, m, v = state.parameters[k], state.first[k], state.second[k]
    rate = learning_rate(method, k, t)
    beta1, beta2 = method.beta1[k], method.beta2[k]
    correction = rate / (1 - beta1 ** (t + 1))
    root = 1 / np.sqrt(1 - beta2 ** (t + 1))
    product = shape.n * shape.m
    decoder = product if shape.tied == 0 else 0
    start = 0
    for group, size in enumerate((product, decoder, shape.bias * shape.n, shape.hidden_bias * shape.m)):
        decay = np.float64(method.decay[k, group])
        decoupled = method.optimizer[k] == 0
        if method.optimizer[k] == 2:
            _sgd(w, gradient, m, start, start + size, np.float32(rate), np.float32(decay), np.float32(method.momentum[k]))
        else:
            shrink = np.float32(1 - rate * decay if decoupled else 1.0)
            pull = np.float32(0.0 if decoupled else decay)
            _adam(
                w,
                gradient,
                m,
                v,
                start,
                start + size,
                np.float32(correction),
                shrink,
                pull,
                np.float32(beta1),
                np.float32(beta2),
                np.float32(root),
                np.float32(method.epsilon[k]),
            )
        start += size if group != 2 else shape.n
