"""Adversarial perturbations of the input, never longer than their limit, and what they do to the loss.

    y = ReLU(G x + b), G = W^T W,        loss of an example  sum_j I_j (x_j - y_j(x + delta))^2,        the true x is its target

The attack of the paper pushes the input along the row of G that moves one output most, `analytic_attack`:

    delta_i = +-size (G_i / ||G_i||)                          of all inputs of a length, G_i moves the pre-activation i most

Each example is attacked by the worst of the 2 n candidates (or by none, where none hurts); or all examples by the one that
hurts most on average.  A general attack checks that this one is not weaker: projected gradient ascent, `gradient_attack`,

    delta <- P(delta + step * g / ||g||),     g = dL(x + delta)/d delta,     P puts back onto the ball of the limit

An output whose pre-activation is below zero passes no gradient, so on sparse inputs most outputs add nothing to g; the paper
found such attacks masked.  The ascent begins at random directions, or at an attack that is known, to see what that one misses.
Models are compared with one `without_superposition`: the m most important features on an axis each, the mean of the others as
output; where features are independent, that is their best linear model.

>>> import numpy as np, tegum as tg
>>> x, b, pair = np.array([[0.5, 0.0]]), np.zeros(2), np.array([[1.0, -1.0]])
>>> alone, _ = tg.attacks.without_superposition(tg.features.Independent(2, density=0.1), n_hidden=1)
>>> [tg.attacks.analytic_attack(W, b, x, size=0.1).attacked.round(6) for W in (pair, alone)]       # a pair is pushed further
[array([0.02]), array([0.01])]
>>> tg.attacks.gradient_attack(pair, b, x, size=0.1).attacked.round(6)
array([0.02])

Sources: section 7 of `Toy Models of Superposition`, which does not say whether signs are both and the maximum over examples or
once for a model, nor what its reference is; Madry et al., "Towards deep learning models resistant to adversarial attacks"
(2018), in the L2 norm.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, final, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import checked, require_range, require_seeds
from tegum.compilation import compiled
from tegum.errors import InvalidInputError, Problems
from tegum.features import Features

Maximum = Literal["example", "model"]
Signs = Literal["both", "positive"]

_LARGEST = 1e30  # the square of W^T W x is a number
_LENGTHS = f"give a length from 0 to {_LARGEST:g}"


@final
@dataclass(frozen=True, eq=False)
class Attacked:
    """What an attack did to each example.

    Attributes:
        clean: losses before, shape (samples,).
        attacked: losses under attack.
        perturbations: what was added to the inputs, shape (samples, n).
    """

    clean: NDArray[np.float64]
    attacked: NDArray[np.float64]
    perturbations: NDArray[np.float64]

    @property
    def rise(self) -> float:
        """By how much the mean loss rises."""
        return float(self.attacked.mean() - self.clean.mean())


@takes_arrays
def analytic_attack(
    W: Float[np.ndarray, "m n"],
    b: Float[np.ndarray, " n"],
    x: Float[np.ndarray, "samples n"],
    size: float,
    *,
    importance: Float[np.ndarray, " n"] | None = None,
    maximum: Maximum = "example",
    signs: Signs = "both",
) -> Attacked:
    """The paper's attack on y = ReLU(W^T W x + b) at inputs x, by perturbations of length ``size``.

    Each example meets its own worst candidate, or with ``maximum="model"`` all of them the one that is worst on average.
    Candidates point both ways, or with ``signs="positive"`` only along the rows of W^T W.  Squared errors are weighted by the
    importance, 1 by default.

    Raises:
        InvalidInputError: for a negative size, or options that do not exist.
    """
    with Problems() as problems:
        if not 0 <= size <= _LARGEST:
            problems.add(f"size is {size}", _LENGTHS)
        for name, value, options in (("maximum", maximum, get_args(Maximum)), ("signs", signs, get_args(Signs))):
            if value not in options:
                problems.add(f"{name} is {value!r}", f"choose among {', '.join(options)}")
    G, weights, x = _in_double_precision(W, b, importance, x)
    steps = _on_sphere(G, size)
    if signs == "both":
        steps = np.concatenate([steps, -steps])
    z, moved = x @ G + b, steps @ G
    clean = _losses(z, x, weights)
    worst, choice, totals = clean.copy(), np.full(len(x), -1), np.zeros(len(steps))
    _worst_candidates(z, x, weights, moved, worst, choice, totals)
    if maximum == "model":
        choice[:] = totals.argmax() if totals.max() > clean.sum() else -1
        worst = _losses(z + moved[choice[0]], x, weights) if choice[0] >= 0 else clean
    return Attacked(clean, worst, np.where(choice[:, None] >= 0, steps[choice], 0.0))


@takes_arrays
def gradient_attack(
    W: Float[np.ndarray, "m n"],
    b: Float[np.ndarray, " n"],
    x: Float[np.ndarray, "samples n"],
    size: float,
    *,
    importance: Float[np.ndarray, " n"] | None = None,
    steps: int = 40,
    restarts: int = 4,
    initial: Float[np.ndarray, "samples n"] | None = None,
    seed: int = 0,
) -> Attacked:
    """The strongest perturbation met on several ascents, each of ``steps`` steps of a quarter of the size, halving in length.

    Model, inputs and importance are as in `analytic_attack`; ``size`` is the greatest length of a perturbation.  Ascents begin
    at random directions, as many as ``restarts``, or where ``initial`` says, shortened to the size where that is longer.

    Raises:
        InvalidInputError: for a negative size or number of steps, no restart, no seed, and starts that are not finite.
    """
    with Problems() as problems:
        if not 0 <= size <= _LARGEST:
            problems.add(f"size is {size}", _LENGTHS)
        problems.check_least("steps", steps, 0)
        problems.check_least("restarts", restarts)
        with problems.collecting():
            require_seeds(seed)
        if initial is not None:
            with problems.collecting():
                require_range("initial", initial, -_LARGEST, _LARGEST)
    G, weights, x = _in_double_precision(W, b, importance, x)
    W = np.asarray(W, dtype=np.float64)
    maps = (W.T, W) if 2 * len(W) < len(G) else (G,)  # what costs less to multiply with

    def coupled(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        return reduce(np.matmul, maps, vectors)

    if initial is None:
        generator = np.random.default_rng(seed)
        starts = [_on_sphere(generator.normal(size=x.shape), size) for _ in range(restarts)]
    else:
        starts = [_in_ball(np.asarray(initial, dtype=np.float64), size)]
    clean = _losses(coupled(x) + b, x, weights)
    worst, best = clean.copy(), np.zeros(x.shape)
    for start in starts:
        delta = start
        for t in range(steps + 1):
            z = coupled(x + delta) + b
            loss = _losses(z, x, weights)
            better = loss > worst
            worst[better], best[better] = loss[better], delta[better]
            slope = coupled(2 * np.where(z > 0, weights * (z - x), 0.0))
            length = size / 4 * 2.0 ** (-4 * t / max(steps, 1))
            delta = _in_ball(delta + _on_sphere(slope, length), size)
    return Attacked(clean, worst, best)


@checked
def without_superposition(features: Features, n_hidden: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """W (m, n) and b (n,) of the best model of one distribution that gives each feature a dimension or none.

    Raises:
        InvalidInputError: where there are more dimensions than features, and for many distributions at once.
    """
    n = features.n_features
    if features.batch_shape:
        raise InvalidInputError(f"the features have leading axes {features.batch_shape}", "give one distribution at a time")
    if not 1 <= n_hidden <= n:
        raise InvalidInputError(
            f"n_hidden is {n_hidden} and there are {n} features", "choose 1 to as many as there are features"
        )
    lost = np.broadcast_to(features.importance, (n,)) * np.diagonal(features.covariance())
    represented = np.argsort(-lost, kind="stable")[:n_hidden]
    b = np.broadcast_to(features.mean(), (n,)).astype(np.float64)
    b[represented] = 0
    return np.eye(n)[np.sort(represented)], b


@takes_arrays
def average_norm(x: Float[np.ndarray, "samples n"]) -> float:
    """The mean length of inputs (samples, n)."""
    require_range("x", x, -1e150, 1e150)
    return float(np.linalg.norm(x, axis=-1).mean())


def _in_double_precision(
    W: NDArray[np.floating], b: NDArray[np.floating], importance: NDArray[np.floating] | None, x: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """G = W^T W, importances (1 where none are given) and inputs."""
    weights = np.ones(W.shape[1]) if importance is None else np.asarray(importance, dtype=np.float64)
    for name, array in (("W", W), ("b", b), ("x", x), ("importance", weights)):
        require_range(name, array, -_LARGEST, _LARGEST)
    G = np.asarray(W, dtype=np.float64).T @ W
    return G, weights, np.ascontiguousarray(x, dtype=np.float64)


def _losses(z: NDArray[np.float64], x: NDArray[np.float64], importance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loss of every example whose outputs are ReLU(z) where they should be x."""
    return np.asarray((x - np.maximum(z, 0)) ** 2 @ importance)


def _on_sphere(vectors: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """The vectors (k, n) at length ``radius``; zeros stay."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(radius * np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))


def _in_ball(vectors: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """The vectors (k, n), those longer than ``radius`` shortened to it."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors * np.minimum(1, radius / np.maximum(norms, np.finfo(float).tiny)))


@compiled
def _worst_candidates(z: Any, x: Any, importance: Any, moved: Any, worst: Any, choice: Any, totals: Any) -> None:
    """Every example under every candidate: its highest loss and which gave it, and the sum of each candidate's losses."""
    for s in range(z.shape[0]):
        for c in range(moved.shape[0]):
            loss = 0.0
            for j in range(z.shape[1]):
                error = x[s, j] - max(z[s, j] + moved[c, j], 0.0)
                loss += importance[j] * error * error
            totals[c] += loss
            if loss > worst[s]:
                worst[s] = loss
                choice[s] = c
