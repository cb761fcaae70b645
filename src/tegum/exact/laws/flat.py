"""A loss by laws as a function of flat parameters (`tegum.exact.parameters`)."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.kernel.hessian import STEP
from tegum.exact.laws.answer import Asked
from tegum.exact.laws.choice import Laws
from tegum.exact.laws.states import StatesLaw
from tegum.exact.parameters import flat, free_of, is_neuron, output_of, parameters_of
from tegum.nets import ACTIVATIONS, Net


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
        asked = Asked(0.5, self.terms, self.terms, True)
        found, slopes = self.laws.answer_of(self.which, self.net, parameters_of(self.net, x), asked)
        gradient = flat(self.net, *slopes)
        return float(self.laws.importance[self.which] @ found.squared_error), gradient * free_of(self.net)

    def hessian_times(self, x: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
        """H v by central differences of the gradient; v of length 1."""
        return np.asarray((self(x + STEP * v)[1] - self(x - STEP * v)[1]) / (2 * STEP))

    def gradient(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient."""
        return self(x)[1]

    def hessian(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The symmetric Hessian: of finite laws as it is, of others by differences; rows of a bias that stays 0 are 0."""
        free, each = free_of(self.net), self.laws.each[self.which]
        parts = [(w, law) for w, law in each if isinstance(law, StatesLaw)]
        H = np.zeros((x.size, x.size))
        if len(parts) == len(each) and self.net.tied and not is_neuron(self.net) and output_of(self.net) is ACTIVATIONS["relu"]:
            W, b = parameters_of(self.net, x)
            importance = self.laws.importance[self.which]
            for w, law in parts:
                H += w * law.hessian(W, b, importance)
            return np.asarray(H * np.outer(free, free))
        for i in np.flatnonzero(free):
            H[i] = self.hessian_times(x, np.eye(x.size)[i])
        return (H + H.T) / 2
