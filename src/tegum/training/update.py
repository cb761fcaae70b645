"""One optimizer step of one instance: Adam, SGD with momentum or RMSProp, under a learning-rate schedule.

    adam, adamw   m^, v^: bias-corrected averages of g, g^2        w <- w - rate m^ / (sqrt(v^) + epsilon)
    sgd           m <- momentum m + g                              w <- w - rate m
    rmsprop       v <- smoothing v + (1 - smoothing) g^2           w <- w - rate g / (sqrt(v) + epsilon)

Weight decay has two meanings.  By default adamw takes the first and the others the second; a recipe may say otherwise.

    decoupled          first w <- w (1 - rate decay)       torch.optim.AdamW, optax.adamw
    in the gradient    first g <- g + decay w              torch's Adam, SGD and RMSprop: a penalty decay w^2 / 2

    to unit norms      first w_i <- w_i (1 + rate unit_norms (1 / |w_i| - 1)), w_i the vector of feature i in the encoder

Conventions are PyTorch's, so a recipe means the same there; optax adds epsilon of RMSProp inside the root.  Decay is per part
of the parameters and may be negative.

    rate(t) = learning_rate * warm-up * schedule,    warm-up = (t + 1) / warmup_steps until it reaches 1
    linear  1 - (1 - f) q,     cosine  f + (1 - f) (1 + cos(pi q)) / 2,     quarter_cosine  f + (1 - f) cos(pi q / 2),
    q = share of the steps after warm-up done

Example: after 1 of 2 steps without warm-up q = 1/2, and with f = 0 linear and cosine stand at half the rate.

Sources: Kingma and Ba 2015 (Adam); Loshchilov and Hutter 2019 (AdamW); Hinton's lecture 6e, 2012 (RMSProp); Liu, Liu and Gore
2025 for the pull to unit norms, which is what they do where their decay is negative.
"""

from typing import NamedTuple

import numpy as np

from tegum.compilation import apart_from_callers, inlined, inner
from tegum.training.arrays import RecipeNumbers, Shape, State
from tegum.training.blocks import Floats

_TINY = np.float32(1e-30)
"""Averages below this are set to zero: products of denormal numbers cost a hundred times the usual."""


class AdamStep(NamedTuple):
    """The numbers of one step, the same for all parameters of a part.

    g <- g + pull w,   m, v <- averages of g, g^2 by beta1, beta2,   w <- shrink w - rate m / (root sqrt(v) + epsilon)
    """

    rate: np.float32
    shrink: np.float32
    pull: np.float32
    beta1: np.float32
    beta2: np.float32
    root: np.float32
    epsilon: np.float32


@inner
def learning_rate(recipe: RecipeNumbers, t: int) -> float:
    """The learning rate at step t (the first step is 0)."""
    warmup = recipe.warmup_steps
    if t < warmup:
        return recipe.learning_rate * (t + 1) / warmup
    done = (t - warmup) / max(recipe.steps - warmup, 1)
    final = recipe.final_fraction
    if recipe.schedule == 1:  # linear
        return recipe.learning_rate * (1 - (1 - final) * done)
    if recipe.schedule == 2:  # cosine
        return recipe.learning_rate * (final + (1 - final) * (1 + np.cos(np.pi * done)) / 2)
    if recipe.schedule == 3:  # a quarter of a cosine wave
        return recipe.learning_rate * (final + (1 - final) * np.cos(np.pi * done / 2))
    return recipe.learning_rate


# Loops go from 0 over slices: compiled code takes an index that may be negative for one from the end, and does not vectorise.


@inner
def _adam(w: Floats, g: Floats, m: Floats, v: Floats, begin: int, end: int, step: AdamStep) -> None:
    w, g, m, v = w[begin:end], g[begin:end], m[begin:end], v[begin:end]
    one = np.float32(1)
    for q in range(w.shape[0]):
        slope = np.float32(g[q] + step.pull * w[q])
        first = np.float32(step.beta1 * m[q] + (one - step.beta1) * slope)
        second = np.float32(step.beta2 * v[q] + (one - step.beta2) * slope * slope)
        first = first if abs(first) > _TINY else np.float32(0)
        m[q] = first
        v[q] = second
        w[q] = np.float32(step.shrink * w[q] - step.rate * first / (np.float32(np.sqrt(second)) * step.root + step.epsilon))


@apart_from_callers
@inner
def _sgd(
    w: Floats, g: Floats, m: Floats, begin: int, end: int, rate: np.float32, pull: np.float32, momentum: np.float32
) -> None:
    w, g, m = w[begin:end], g[begin:end], m[begin:end]
    for q in range(w.shape[0]):
        velocity = np.float32(momentum * m[q] + g[q] + pull * w[q])
        m[q] = velocity
        w[q] = np.float32(w[q] - rate * velocity)


@apart_from_callers
@inner
def _rmsprop(w: Floats, g: Floats, v: Floats, begin: int, end: int, step: AdamStep) -> None:
    w, g, v = w[begin:end], g[begin:end], v[begin:end]
    for q in range(w.shape[0]):
        slope = np.float32(g[q] + step.pull * w[q])
        second = np.float32(step.beta2 * v[q] + (np.float32(1) - step.beta2) * slope * slope)
        v[q] = second
        w[q] = np.float32(step.shrink * w[q] - step.rate * slope / (np.float32(np.sqrt(second)) + step.epsilon))


@inner
def _shrink(w: Floats, begin: int, end: int, factor: np.float32) -> None:
    part = w[begin:end]
    for q in range(part.shape[0]):
        part[q] = np.float32(factor * part[q])


@apart_from_callers
@inner
def _pull_to_unit_norms(w: Floats, begin: int, m: int, n: int, share: float) -> None:
    """Moves every column of the encoder (m, n), row by row from ``begin`` on, so far towards norm 1; columns of 0 stay."""
    for i in range(begin, begin + n):
        square = 0.0
        for k in range(m):
            square += np.float64(w[i + k * n]) ** 2
        factor = np.float32(1 + share * (1 / np.sqrt(square) - 1)) if square > 0 else np.float32(1)
        for k in range(m):
            w[i + k * n] = np.float32(factor * w[i + k * n])


@inlined
def update(shape: Shape, recipe: RecipeNumbers, state: State, gradient: Floats, t: int) -> None:
    """Moves the parameters by step t of its optimizer."""
    w, m, v = state.parameters, state.first, state.second
    rate = learning_rate(recipe, t)
    # Averages that begin at 0 are too small by the factor 1 - beta^s after s steps.  For w all that matters is
    # rate m^ / (sqrt(v^) + epsilon) = [rate / (1 - beta1^s)] m / ([1 / sqrt(1 - beta2^s)] sqrt(v) + epsilon).
    corrected_rate = rate / (1 - recipe.beta1 ** (t + 1))
    root = 1 / np.sqrt(1 - recipe.beta2 ** (t + 1))
    if recipe.unit_norms > 0:
        _pull_to_unit_norms(w, shape.trained[0][0], shape.m, shape.n, rate * recipe.unit_norms)
    for part, (begin, end) in enumerate(shape.trained):
        if begin == end:
            continue
        decay = np.float64(recipe.decay[part])
        decoupled = recipe.decoupled_decay == 1
        shrink, pull = np.float32(1 - rate * decay if decoupled else 1.0), np.float32(0.0 if decoupled else decay)
        if recipe.optimizer == 2:  # sgd
            if decoupled:
                _shrink(w, begin, end, shrink)
            _sgd(w, gradient, m, begin, end, np.float32(rate), pull, np.float32(recipe.momentum))
            continue
        plain = recipe.optimizer == 3  # rmsprop, which corrects no averages
        step = AdamStep(
            rate=np.float32(rate if plain else corrected_rate),
            shrink=shrink,
            pull=pull,
            beta1=np.float32(recipe.beta1),
            beta2=np.float32(recipe.smoothing if plain else recipe.beta2),
            root=np.float32(root),
            epsilon=np.float32(recipe.epsilon),
        )
        if plain:
            _rmsprop(w, gradient, v, begin, end, step)
        else:
            _adam(w, gradient, m, v, begin, end, step)
