"""Projected gradient ascent on the input: a general attack, to check that the analytic one is not weaker.

    delta <- P(delta + step * g / ||g||),     g = dL(x + delta)/d delta,     P puts back onto the ball of the limit

An output whose pre-activation is below zero passes no gradient, so on sparse inputs most outputs add nothing to g; the paper
found such attacks masked.  It begins at random directions, or at an attack that is known, to see what that one misses.

Source: Madry et al., "Towards deep learning models resistant to adversarial attacks" (2018), in the L2 norm.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.attacks.analytic import Attacked
from tegum.errors import InvalidInputError


def gradient_attack(
    W: Float[np.ndarray, "m n"],
    b: NDArray[np.floating],
    x: Float[np.ndarray, "samples n"],
    size: float,
    *,
    importance: NDArray[np.floating] | None = None,
    steps: int = 40,
    restarts: int = 4,
    initial: Float[np.ndarray, "samples n"] | None = None,
    seed: int = 0,
) -> Attacked:
    """The strongest perturbation met on several ascents, each of ``steps`` steps of a quarter of the size, halving in length.

    Args:
        W: (m, n).
        b: (n,).
        x: inputs, (samples, n).
        size: the greatest length of a perturbation.
        importance: weights of the squared errors, 1 by default.
        steps: of each ascent.
        restarts: ascents from random directions, where ``initial`` is not given.
        initial: perturbations to begin at instead, shortened to the size where they are longer.
        seed: of the random directions.

    Raises:
        InvalidInputError: for a negative size.
    """
    if not size >= 0:
        raise InvalidInputError(f"size is {size}", "give a length of at least 0")
    G = np.asarray(W, dtype=np.float64).T @ W
    weights = np.ones(G.shape[0]) if importance is None else np.asarray(importance, dtype=np.float64)
    generator = np.random.default_rng(seed)
    starts = [initial] if initial is not None else [generator.normal(size=x.shape) for _ in range(restarts)]
    best = np.zeros(x.shape)
    clean = _losses(G, b, x, weights, best)
    worst = clean.copy()
    for start in starts:
        delta = _in_ball(np.asarray(start, dtype=np.float64), size) if initial is not None else _on_sphere(start, size)
        for t in range(steps + 1):
            loss = _losses(G, b, x, weights, delta)
            better = loss > worst
            worst[better], best[better] = loss[better], delta[better]
            length = size / 4 * 2.0 ** (-4 * t / max(steps, 1))
            delta = _in_ball(delta + _on_sphere(_slopes(G, b, x, weights, delta), length), size)
    return Attacked(clean, worst, best)


def _losses(
    G: NDArray[np.float64],
    b: NDArray[np.floating],
    x: NDArray[np.floating],
    weights: NDArray[np.float64],
    delta: NDArray[np.float64],
) -> NDArray[np.float64]:
    return np.asarray((x - np.maximum((x + delta) @ G + b, 0)) ** 2 @ weights, dtype=np.float64)


def _slopes(
    G: NDArray[np.float64],
    b: NDArray[np.floating],
    x: NDArray[np.floating],
    weights: NDArray[np.float64],
    delta: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The gradient of each example's loss by its perturbation."""
    z = (x + delta) @ G + b
    return np.asarray(2 * np.where(z > 0, weights * (z - x), 0.0) @ G)


def _on_sphere(vectors: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """The vectors at length ``radius``; zeros stay."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(radius * np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))


def _in_ball(vectors: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors * np.minimum(1, radius / np.maximum(norms, np.finfo(float).tiny)))
