"""A law of finitely many states: the expected loss is a sum, with a ReLU piecewise quadratic in G and b.

    L = sum_t p_t sum_j I_j (x_tj - f(s_tj))^2,     dL/dG = 2 sum_t p_t d_t x_t^T,     d_tj = I_j (f(s_tj) - x_tj) f'(s_tj)

Where a ReLU has s_tj = 0 and x_tj is not 0 the derivative jumps; the one given is that from below.  Of weights W with
G = W^T W and outputs with a ReLU it is computed in compiled code, without G (`tegum.exact.kernel.states`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import scipy
from numpy.typing import NDArray

from tegum.checking import is_sparse
from tegum.exact.kernel.states import Inputs, inputs_of, sum_over_inputs, sums_for
from tegum.exact.laws.answer import ROUNDING, Answer, Asked
from tegum.exact.laws.curvature import Floats, add_row, add_slopes, first_reached
from tegum.nets import ACTIVATIONS, Activation, TargetMap

_CHUNK_NUMBERS = 2**18


@final
@dataclass(frozen=True, eq=False)
class StatesLaw:
    """States (T, n), their probabilities (T,), what outputs go through, which may be any function, and are compared with.

    The states may be sparse rows, which are made dense a few at a time.
    """

    states: Any
    probabilities: NDArray[np.float64]
    output: Activation = ACTIVATIONS["relu"]
    target: TargetMap | None = None

    @cached_property
    def _inputs(self) -> Inputs:
        rows = self.states if is_sparse(self.states) else scipy.sparse.csr_array(self.states)
        return inputs_of(rows, self.probabilities)

    @cached_property
    def _size(self) -> NDArray[np.float64]:
        """E x_j^2."""
        inputs = self._inputs
        each = np.repeat(self.probabilities, np.diff(inputs.first)) * inputs.value**2
        return np.bincount(inputs.column, each, self.states.shape[1]).astype(np.float64)

    @property
    def knows_weights(self) -> bool:
        """Whether `answer_of_weights` is right: for outputs with a ReLU, compared with x."""
        return self.target is None and self.output is ACTIVATIONS["relu"]

    def answer_of_weights(
        self, W: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked
    ) -> tuple[Answer, NDArray[np.float64], NDArray[np.float64]]:
        """The squared errors of y = r(W^T W x + b) without a derivative by G, and the derivatives by W (m, n) and b."""
        found = sums_for(*W.shape)
        sum_over_inputs(
            *(np.array(one, dtype=np.float64, order="C") for one in (W, b, importance)),
            self._inputs,
            int(asked.gradient),
            found,
        )
        rounding = ROUNDING * (1 + W.shape[1] / 16)
        error = rounding * float(importance @ (2 * found.squares + 3 * self._size))  # y^2 + x^2 <= 2 (y - x)^2 + 3 x^2
        slopes = max(float(np.abs(found.by_W).max(initial=0)), float(np.abs(found.by_b).max(initial=0)))
        answer = Answer(found.squares, error, rounding * slopes, 0, np.zeros((0, 0)), found.by_b)
        return answer, found.by_W, found.by_b

    def pieces(self, numbers: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """All states (some, n) and their probabilities (some,), a few at a time, for each of which so many numbers are kept."""
        step = max(1, _CHUNK_NUMBERS // numbers)
        for first in range(0, self.states.shape[0], step):
            x = self.states[first : first + step]
            yield np.asarray(x.toarray() if is_sparse(x) else x), self.probabilities[first : first + step]

    def answer(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        """The squared errors of one model, exact to rounding."""
        n = len(b)
        squares, size, dG, db = np.zeros(n), np.zeros(n), np.zeros((n, n)), np.zeros(n)
        for x, p in self.pieces(n):
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

    def hessian(
        self, W: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], step: float, terms: int
    ) -> tuple[NDArray[np.float64], float]:
        """The Hessian of one model y = r(W^T W x + b) by W, row by row, and b: exact, whatever the step and the terms.

        On a kink it is the Hessian from below; the second number, how rows jump within the step, is 0.
        """
        m, n = W.shape
        H, slopes = np.zeros((m * n + n, m * n + n)), np.zeros((n, n))
        for x, p in self.pieces(n + 1):
            s, y = x @ W.T @ W + b, np.column_stack([x, np.ones(len(x))])
            weight = (2 * p)[:, None] * importance * (s > 0)
            slopes += (weight * (s - x)).T @ x
            for j, share in enumerate(weight.T):
                on = share > 0
                add_row(H, W, j, (share[on, None] * y[on]).T @ y[on])
        add_slopes(H, m, slopes)
        return H, 0.0

    def hessian_times(self, W: Floats, b: Floats, importance: Floats, V: Floats, v: Floats) -> tuple[Floats, Floats]:
        """The product of `hessian` with a direction, V (m, n) of W and v (n,) of b, without the matrix; in the same shapes.

        With masks that stay as they are, a = [s > 0], it is the derivative of the gradient along (V, v):

            s' = x (V^T W + W^T V) + v,    S = 2 sum_t p_t (I a (s - x))^T x,    S' = 2 sum_t p_t (I a s')^T x

            by W:  V (S + S^T) + W (S' + S'^T)          by b:  2 sum_t p_t I a s'
        """
        by_W, by_b = np.zeros_like(W), np.zeros_like(b)
        for x, p in self.pieces(len(b)):
            h, moved = x @ W.T, x @ V.T
            s = h @ W + b
            on = (2 * p)[:, None] * importance * (s > 0)
            pull, turned = on * (s - x), on * (moved @ W + h @ V + v)
            # V (S + S^T) without S (n, n): V pull^T x + (x V^T)^T pull
            by_W += (pull @ V.T).T @ x + moved.T @ pull + (turned @ W.T).T @ x + h.T @ turned
            by_b += turned.sum(axis=0)
        return by_W, by_b

    def nearest_kink(self, W: NDArray[np.float64], b: NDArray[np.float64], biased: bool) -> float:
        """At least how far W, and b where ``biased``, may move, in Euclidean norm, before some state's s_j changes its sign.

        A move of length r changes s_j by at most A r^2 + B r, A = |x| and B = 2 |W| |x|, and 1 more with a bias; that reaches
        |s_j| = d not before r = 2 d / (B + sqrt(B^2 + 4 A d)).
        """
        nearest, turned = np.inf, 2 * float(np.linalg.norm(W))
        for x, p in self.pieces(W.shape[1]):
            distance = np.abs(x @ W.T @ W + b).min(axis=1)
            length = np.linalg.norm(x, axis=1)
            there = (p > 0) & (float(biased) + length > 0)
            steps = first_reached(distance[there], length[there], float(biased) + turned * length[there])
            nearest = min(nearest, float(steps.min(initial=np.inf)))
        return nearest
