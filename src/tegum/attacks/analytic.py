"""The attack of the paper: push the input along the row of W^T W that moves one output most.

    y = ReLU(G x + b), G = W^T W        delta_i = +-size (G_i / ||G_i||),        the loss keeps the true x as its target

Of all inputs of a length, G_i moves the pre-activation of output i most.  Each example is attacked by the worst of the 2 n
candidates (or by none, where none hurts); or all examples by the one that hurts most on average.

Example: for W = [[1, -1]] the row G_1 = (1, -1) shifts the hidden unit by sqrt(2) times the
size; without superposition only by the size itself.

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
    b: NDArray[np.floating],
    x: Float[np.ndarray, "samples n"],
    size: float,
    *,
    importance: NDArray[np.floating] | None = None,
    maximum: Maximum = "example",
    signs: Signs = "both",
) -> Attacked:
    """The paper's attack on y = ReLU(W^T W x + b).

    Args:
        W: (m, n).
        b: (n,).
        x: inputs, (samples, n).
        size: the length of every perturbation, at least 0.
        importance: weights of the squared errors, 1 by default.
        maximum: whether each example meets its own worst candidate, or all of them the one that is worst on average.
        signs: whether candidates point both ways, or only along the rows of W^T W.

    Raises:
        InvalidInputError: for a negative size, or options that do not exist.
    """
    _require(size, maximum, signs)
    G = np.asarray(W, dtype=np.float64).T @ W
    norms = np.linalg.norm(G, axis=1, keepdims=True)
    steps = size * np.divide(G, norms, out=np.zeros_like(G), where=norms > 0)
    if signs == "both":
        steps = np.concatenate([steps, -steps])
    weights = np.ones(G.shape[0]) if importance is None else np.asarray(importance, dtype=np.float64)
    x = np.ascontiguousarray(x, dtype=np.float64)
    z, moved = x @ G + b, np.ascontiguousarray(steps @ G)
    clean = ((x - np.maximum(z, 0)) ** 2 @ weights).astype(np.float64)
    worst, choice, totals = clean.copy(), np.full(len(x), -1), np.zeros(len(steps))
    _worst_candidates(z, x, weights, moved, worst, choice, totals)
    if maximum == "model":
        choice[:] = totals.argmax() if totals.max() > clean.sum() else -1
        chosen = moved[choice[0]] if choice[0] >= 0 else np.zeros_like(b)
        worst = (x - np.maximum(z + chosen, 0)) ** 2 @ weights
    perturbations = np.where(choice[:, None] >= 0, steps[choice], 0.0)
    return Attacked(clean, worst, perturbations)


def _require(size: float, maximum: str, signs: str) -> None:
    problems = Problems()
    if not size >= 0:
        problems.add(f"size is {size}", "give a length of at least 0")
    if maximum not in get_args(Maximum):
        problems.add(f"maximum is {maximum!r}", f"choose among {', '.join(get_args(Maximum))}")
    if signs not in get_args(Signs):
        problems.add(f"signs is {signs!r}", f"choose among {', '.join(get_args(Signs))}")
    problems.raise_if_any()


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
