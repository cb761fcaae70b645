"""Linear nets: the expected loss is a quadratic of second moments, whatever the features are.

E (x_j - G_j x - b_j)^2 = R_j M R_j^T - 2 b_j R_j mu + b_j^2,      R = 1 - G,  M = E x x^T,  mu = E x
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.laws.answer import ROUNDING, Answer, Asked


@final
@dataclass(frozen=True, eq=False)
class LinearLaw:
    """E x (n,) and E x x^T (n, n)."""

    mean: NDArray[np.float64]
    second: NDArray[np.float64]

    def answer(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        """The squared errors of one model y = G x + b, exact to rounding."""
        R = np.eye(len(b)) - G
        through, shift = R @ self.second, R @ self.mean
        squares = (through * R).sum(axis=1) - 2 * b * shift + b * b
        dG = -2 * importance[:, None] * (through - b[:, None] * self.mean)
        db = 2 * importance * (b - shift)
        size = (np.abs(R) @ np.abs(self.second) * np.abs(R)).sum(axis=1) + 2 * np.abs(b * shift) + b * b
        rounding = ROUNDING * (1 + len(b) / 16)
        slopes = max(float(np.abs(dG).max()), float(np.abs(db).max()))
        return Answer(np.maximum(squares, 0), rounding * float(importance @ size), rounding * slopes, 0, dG, db)
