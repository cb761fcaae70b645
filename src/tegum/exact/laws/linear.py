"""Linear nets: the expected loss is a quadratic of second moments, whatever the features are.

E (x_j - G_j x - b_j)^2 = R_j M R_j^T - 2 b_j R_j mu + b_j^2,      R = 1 - G,  M = E x x^T,  mu = E x

Compared with A x + v they have R = A - G, and b - v in place of b.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.laws.answer import ROUNDING, Answer, Asked
from tegum.nets import TargetMap


@final
@dataclass(frozen=True, eq=False)
class LinearLaw:
    """E x (n,) and E x x^T (n, n), and what is compared with where it is not x."""

    mean: NDArray[np.float64]
    second: NDArray[np.float64]
    target: TargetMap | None = None

    def answer(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        """The squared errors of one model y = G x + b, exact to rounding."""
        R = np.eye(len(b)) - G
        if self.target is not None:
            R, b = self.target.matrix() - G, b - self.target.v
        through, shift = R @ self.second, R @ self.mean
        squares = (through * R).sum(axis=1) - 2 * b * shift + b * b
        dG = -2 * importance[:, None] * (through - b[:, None] * self.mean)
        db = 2 * importance * (b - shift)
        size = (np.abs(R) @ np.abs(self.second) * np.abs(R)).sum(axis=1) + 2 * np.abs(b * shift) + b * b
        rounding = ROUNDING * (1 + len(b) / 16)
        slopes = max(float(np.abs(dG).max()), float(np.abs(db).max()))
        return Answer(np.maximum(squares, 0), rounding * float(importance @ size), rounding * slopes, 0, dG, db)
