"""The attack of the paper: push the input along the row of W^T W that moves one output most.

    y = ReLU(G x + b), G = W^T W        delta_i = +-size (G_i / ||G_i||),        the loss keeps the true x as its target

Of all inputs of a length, G_i moves the pre-activation of output i most.  Each example is attacked by the worst of the 2 n
candidates (or by none, where none hurts); or all examples by the one that hurts most on average.

>>> import numpy as np, tegum as tg
>>> W, x = np.array([[1.0, -1.0]]), np.array([[0.5, 0.0]])                         # a pair is pushed sqrt(2) times as far
>>> for each in (W, W * [1, 0]):                                                   # as a feature without superposition
...     print(tg.attacks.analytic_attack(each, np.zeros(2), x, size=0.1).attacked.round(6))
[0.02]
[0.01]

Source: section 7 of `Toy Models of Superposition`, which reports that attacks by gradients fail on sparse inputs.  Signs, and
whether the maximum is over examples or once for a model, are not given there.
"""

from dataclasses import dataclass
from typing import Any, Literal, final, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.compilation import compiled
from tegum.errors import Problems

Maximum = Literal["example", "model"]
Signs = Literal["both", "positive"]


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


def analytic_attack(
    W: Float[np.ndarray, "m n"],
    b: Float[np.ndarray, " n"],
    x: Float[np.ndarray, "samples n"],
    size: float,
    *,
    importance: NDArray[np.floating] | None = None,
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
    problems = Problems()
    if not size >= 0:
        problems.add(f"size is {size}", "give a length of at least 0")
    for name, value, options in (("maximum", maximum, get_args(Maximum)), ("signs", signs, get_args(Signs))):
        if value not in options:
            problems.add(f"{name} is {value!r}", f"choose among {', '.join(options)}")
    problems.raise_if_any()
    G, weights, x = in_double_precision(W, importance, x)
    steps = on_sphere(G, size)
    if signs == "both":
        steps = np.concatenate([steps, -steps])
    z, moved = x @ G + b, steps @ G
    clean = losses(z, x, weights)
    worst, choice, totals = clean.copy(), np.full(len(x), -1), np.zeros(len(steps))
    _worst_candidates(z, x, weights, moved, worst, choice, totals)
    if maximum == "model":
        choice[:] = totals.argmax() if totals.max() > clean.sum() else -1
        worst = losses(z + moved[choice[0]], x, weights) if choice[0] >= 0 else clean
    return Attacked(clean, worst, np.where(choice[:, None] >= 0, steps[choice], 0.0))


def in_double_precision(
    W: NDArray[np.floating], importance: NDArray[np.floating] | None, x: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """G = W^T W, importances (1 where none are given) and inputs."""
    G = np.asarray(W, dtype=np.float64).T @ W
    weights = np.ones(len(G)) if importance is None else np.asarray(importance, dtype=np.float64)
    return G, weights, np.ascontiguousarray(x, dtype=np.float64)


def losses(z: NDArray[np.float64], x: NDArray[np.float64], importance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loss of every example whose outputs are ReLU(z) where they should be x."""
    return np.asarray((x - np.maximum(z, 0)) ** 2 @ importance)


def on_sphere(vectors: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """The vectors (k, n) at length ``radius``; zeros stay."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(radius * np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))


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
