"""A loss by laws as a function of flat parameters: W row by row, then b."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.kernel.hessian import STEP
from tegum.exact.laws.answer import Asked
from tegum.exact.laws.choice import Laws
from tegum.exact.laws.states import StatesLaw
from tegum.nets import Net


@final
@dataclass(frozen=True, eq=False)
class LawLoss:
    """The loss of one net on distribution ``which`` of a batch; a fixed number of terms makes it one smooth function."""

    net: Net
    laws: Laws
    which: int
    terms: int

    def __call__(self, x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Loss and gradient; of a net without bias the gradient by b is 0."""
        m, n = self.net.n_hidden, self.net.n_features
        W, b = x[: m * n].reshape(m, n), x[m * n :]
        found = self.laws.answer(self.which, W.T @ W, b, Asked(0.5, self.terms, self.terms, True))
        dW = W @ (found.dG + found.dG.T)
        db = found.db if self.net.bias else np.zeros(n)
        return float(self.laws.importance[self.which] @ found.squared_error), np.concatenate([dW.ravel(), db])

    def hessian_times(self, x: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
        """H v by central differences of the gradient; v of length 1."""
        return np.asarray((self(x + STEP * v)[1] - self(x - STEP * v)[1]) / (2 * STEP))

    def gradient(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient."""
        return self(x)[1]

    def hessian(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The symmetric Hessian: of finite laws as it is, of others by differences; rows of a bias that stays 0 are 0."""
        m, n = self.net.n_hidden, self.net.n_features
        parts = [(w, law) for w, law in self.laws.each[self.which] if isinstance(law, StatesLaw)]
        moving = x.size if self.net.bias else m * n
        H = np.zeros((x.size, x.size))
        if len(parts) == len(self.laws.each[self.which]):
            importance = self.laws.importance[self.which]
            for w, law in parts:
                H += w * law.hessian(x[: m * n].reshape(m, n), x[m * n :], importance)
            H[moving:], H[:, moving:] = 0, 0
            return H
        for i in range(moving):
            H[i] = self.hessian_times(x, np.eye(x.size)[i])
        return (H + H.T) / 2
