"""Projected gradient ascent on the input: a general attack, to check that the analytic one is not weaker.

    delta <- P(delta + step * g / ||g||),     g = dL(x + delta)/d delta,     P puts back onto the ball of the limit

An output whose pre-activation is below zero passes no gradient, so on sparse inputs most outputs add nothing to g; the paper
found such attacks masked.  It begins at random directions, or at an attack that is known, to see what that one misses.

>>> import numpy as np, tegum as tg
>>> pair, x = np.array([[1.0, -1.0]]), np.array([[0.5, 0.0]])
>>> tg.attacks.gradient_attack(pair, np.zeros(2), x, size=0.1).attacked.round(3)
array([0.02])

Source: Madry et al., "Towards deep learning models resistant to adversarial attacks" (2018), in the L2 norm.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.attacks.analytic import Attacked, in_double_precision, losses, on_sphere
from tegum.errors import InvalidInputError


def gradient_attack(
    W: Float[np.ndarray, "m n"],
    b: Float[np.ndarray, " n"],
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

    Model, inputs and importance are as in `analytic_attack`; ``size`` is the greatest length of a perturbation.  Ascents begin
    at random directions, as many as ``restarts``, or where ``initial`` says, shortened to the size where that is longer.

    Raises:
        InvalidInputError: for a negative size.
    """
    if not size >= 0:
        raise InvalidInputError(f"size is {size}", "give a length of at least 0")
    G, weights, x = in_double_precision(W, importance, x)
    if initial is None:
        generator = np.random.default_rng(seed)
        starts = [on_sphere(generator.normal(size=x.shape), size) for _ in range(restarts)]
    else:
        starts = [_in_ball(np.asarray(initial, dtype=np.float64), size)]
    clean = losses(x @ G + b, x, weights)
    worst, best = clean.copy(), np.zeros(x.shape)
    for start in starts:
        delta = start
        for t in range(steps + 1):
            z = (x + delta) @ G + b
            loss = losses(z, x, weights)
            better = loss > worst
            worst[better], best[better] = loss[better], delta[better]
            slope = 2 * np.where(z > 0, weights * (z - x), 0.0) @ G
            length = size / 4 * 2.0 ** (-4 * t / max(steps, 1))
            delta = _in_ball(delta + on_sphere(slope, length), size)
    return Attacked(clean, worst, best)


def _in_ball(vectors: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors * np.minimum(1, radius / np.maximum(norms, np.finfo(float).tiny)))
