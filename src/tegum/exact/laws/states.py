"""A law of finitely many states: the expected loss is a sum, with a ReLU piecewise quadratic in G and b.

    L = sum_t p_t sum_j I_j (x_tj - f(s_tj))^2,     dL/dG = 2 sum_t p_t d_t x_t^T,     d_tj = I_j (f(s_tj) - x_tj) f'(s_tj)

Where a ReLU has s_tj = 0 and x_tj is not 0 the derivative jumps; the one given is that from below.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.laws.answer import ROUNDING, Answer, Asked
from tegum.nets import ACTIVATIONS, Activation, TargetMap

_CHUNK_NUMBERS = 2**18


@final
@dataclass(frozen=True, eq=False)
class StatesLaw:
    """States (T, n), their probabilities (T,), what outputs go through, which may be any function, and are compared with."""

    states: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    output: Activation = ACTIVATIONS["relu"]
    target: TargetMap | None = None

    def answer(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        """The squared errors of one model, exact to rounding."""
        n = len(b)
        squares, size, dG, db = np.zeros(n), np.zeros(n), np.zeros((n, n)), np.zeros(n)
        step = max(1, _CHUNK_NUMBERS // n)
        for first in range(0, len(self.states), step):
            x, p = self.states[first : first + step], self.probabilities[first : first + step]
            s = x @ G.T + b
            y = self.output(s)
            wanted = x if self.target is None else self.target(x)
            wrong = y - wanted
            squares += p @ (wrong * wrong)
            size += p @ (y * y + wanted * wanted)
            if asked.gradient:
                pull = (2 * p)[:, None] * (importance * wrong * self.output.slopes(s))
                dG += pull.T @ x
                db += pull.sum(axis=0)
        rounding = ROUNDING * (1 + n / 16)
        slopes = max(float(np.abs(dG).max(initial=0)), float(np.abs(db).max(initial=0)))
        return Answer(squares, rounding * float(importance @ size), rounding * slopes, 0, dG, db)

    def hessian(self, W: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64]) -> NDArray[np.float64]:
        """The Hessian of the loss of outputs with a ReLU by W (m, n), row by row, and b, for G = W^T W.

        With a = [s > 0] and h = W x it is 2 sum_t p_t sum_j I_j a_j [ds_j ds_j^T + (s_j - x_j) d^2 s_j], where

            ds_j/dW_kl = h_k [l = j] + W_kj x_l,      d^2 s_j / dW_kl dW_kl' = x_l [l' = j] + x_l' [l = j]
        """
        m, n = W.shape
        d = m * n + n
        H = np.zeros((d, d))
        step = max(1, _CHUNK_NUMBERS // d)
        for first in range(0, len(self.states), step):
            x, p = self.states[first : first + step], self.probabilities[first : first + step]
            h = x @ W.T
            s = h @ W + b
            on = (2 * p)[:, None] * importance * (s > 0)
            for j in range(n):
                slopes = np.empty((len(x), d))
                by_W = W[:, j][None, :, None] * x[:, None, :]
                by_W[:, :, j] += h
                slopes[:, : m * n] = by_W.reshape(len(x), m * n)
                slopes[:, m * n :] = np.eye(n)[j]
                H += slopes.T @ (on[:, j, None] * slopes)
            pull = (on * (s - x)).T @ x
            for k in range(m):
                H[k * n : (k + 1) * n, k * n : (k + 1) * n] += pull + pull.T
        return H
