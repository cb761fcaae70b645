"""Outputs y = |s|, from outputs with a ReLU: |s| = r(s) + r(-s), of which one is 0.

    E (x_j - |s|)^2 = E (x_j - r(s))^2 + E (x_j - r(-s))^2 - E x_j^2

so that the row (g, b) is two rows of any law that knows a ReLU's, (g, b) and (-g, -b).
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.laws.answer import Answer, Asked, Law, sharpened, weighted


@final
@dataclass(frozen=True, eq=False)
class AbsoluteLaw:
    """A weighted sum of laws for outputs with a ReLU, and E x_j^2 of all of it (n,)."""

    parts: tuple[tuple[float, Law], ...]
    square: NDArray[np.float64]

    def answer(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        """The squared errors of one model y = |G x + b|."""
        return sharpened(lambda how: self._once(G, b, importance, how), importance, asked)

    def _once(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        up, down = (
            weighted([(w, law.answer(sign * G, sign * b, importance, asked)) for w, law in self.parts]) for sign in (1, -1)
        )
        return Answer(
            np.maximum(up.squared_error + down.squared_error - self.square, 0),
            up.error + down.error,
            up.gradient_error + down.gradient_error,
            max(up.terms, down.terms),
            up.dG - down.dG,
            up.db - down.db,
        )
