"""At most one feature active at a time, of uniform magnitudes: every pattern is an integral over one magnitude.

E (x_j - r(s_j))^2 = E x_j^2 + q r(b_j)^2 + sum_i p_i [E r(b_j + g_i x_i)^2 - 2 [i = j] E x_i r(b_j + g_i x_i)]
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.laws.answer import ROUNDING, Answer, Asked
from tegum.exact.laws.magnitude import Transform


@final
@dataclass(frozen=True, eq=False)
class OneActiveLaw:
    """The probability p (n,) that each feature is the active one, and its values."""

    probability: NDArray[np.float64]
    factor: Transform

    def answer(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        """The squared errors of one model, exact to rounding."""
        n, p = len(b), self.probability
        idle, top = max(1 - float(p.sum()), 0.0), np.maximum(b, 0)
        (F, by_b, by_g), _ = self.factor.means(np.broadcast_to(b[:, None], (n, n)), G, np.eye(n, dtype=bool))
        second = p * self.factor.law.moment(2)
        squares = np.maximum(second + F @ p + idle * top * top, 0)
        size = second + np.abs(F) @ p + idle * top * top
        dG = importance[:, None] * by_g * p
        db = importance * (by_b @ p + 2 * idle * top)
        rounding = ROUNDING * (4 + n / 16)
        slopes = float((importance * (np.abs(by_b) @ p + 2 * idle * top + p)).max())
        largest = max(slopes, float(np.abs(dG).max()))
        return Answer(squares, rounding * float(importance @ size), rounding * largest, 0, dG, db)
