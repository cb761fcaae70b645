"""A loss by laws as a function of flat parameters (`tegum.exact.parameters`)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from tegum.exact.kernel.hessian import STEP
from tegum.exact.laws.answer import Asked
from tegum.exact.laws.blocks import BlocksLaw
from tegum.exact.laws.choice import Laws
from tegum.exact.laws.curvature import CurvedBy, Floats, differences
from tegum.exact.laws.lattice import LatticeLaw
from tegum.exact.laws.states import StatesLaw
from tegum.exact.parameters import flat, free_of, has_rows, output_of, parameters_of
from tegum.nets import ACTIVATIONS, Net

_BESIDE = 1e-2
"""Within so many steps a kink counts as being there."""


@final
@dataclass(frozen=True, eq=False)
class LawLoss:
    """The loss of one net on distribution ``which`` of a batch; a fixed number of terms makes it one smooth function."""

    net: Net
    laws: Laws
    which: int
    terms: int

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """Loss and gradient; of a net without bias the gradient by b is 0."""
        asked = Asked(0.5, self.terms, self.terms, True)
        found, slopes = self.laws.answer_of(self.which, self.net, parameters_of(self.net, x), asked)
        gradient = flat(self.net, *slopes)
        return float(self.laws.importance[self.which] @ found.squared_error), gradient * free_of(self.net)

    def hessian_product(self, x: Floats) -> Callable[[Floats], Floats]:
        """H v as a function of v, of length 1: exact of sums over states, from below on their kinks, else by differences."""
        if self.curved_by != "sum":
            return lambda v: np.asarray((self.gradient(x + STEP * v) - self.gradient(x - STEP * v)) / (2 * STEP))
        each = self.laws.each[self.which]
        states = [(share, law) for share, law in each if isinstance(law, StatesLaw)]
        if len(states) < len(each):
            return self._known(x, STEP, self.terms)[0].__matmul__
        (W, b), free, importance = parameters_of(self.net, x), free_of(self.net), self.laws.importance[self.which]

        def product(v: Floats) -> Floats:
            direction = parameters_of(self.net, v * free)
            products = (flat(self.net, *law.hessian_times(W, b, importance, *direction)) * share for share, law in states)
            return np.asarray(sum(products, np.zeros_like(x)) * free)

        return product

    def gradient(self, x: Floats) -> Floats:
        """The gradient."""
        return self(x)[1]

    @cached_property
    def curved_by(self) -> CurvedBy:
        """How `hessian_by_rows` finds the Hessian."""
        known = has_rows(self.net) and output_of(self.net) is ACTIVATIONS["relu"]
        kinds = {type(law) for _, law in self.laws.each[self.which]}
        if not known or kinds - {StatesLaw, LatticeLaw, BlocksLaw}:
            return "differences"
        return "inversion" if BlocksLaw in kinds else "sum"

    def hessian(self, x: Floats) -> Floats:
        """The symmetric Hessian; rows of a bias that stays 0 are 0."""
        found = self._known(x, STEP, self.terms) if self.curved_by != "differences" else self._differences(x, STEP, self.terms)
        if found is not None:
            return found[0]
        H, product = np.zeros((x.size, x.size)), self.hessian_product(x)
        for i in np.flatnonzero(free_of(self.net)):
            H[i] = product(np.eye(x.size)[i])
        return (H + H.T) / 2

    def hessian_by_rows(self, x: Floats, step: float = STEP, terms: int | None = None) -> tuple[Floats, float] | None:
        """As `tegum.exact.Objective.hessian_by_rows`; None of untied nets, and of finite laws next to a kink."""
        terms = terms or self.terms
        if self.curved_by == "differences":
            return self._differences(x, step, terms)
        W, b = parameters_of(self.net, x)
        for _, law in self.laws.each[self.which]:
            if not isinstance(law, BlocksLaw) and law.nearest_kink(W, b, self.net.bias) <= _BESIDE * step:
                return None
        return self._known(x, step, terms)

    def _known(self, x: Floats, step: float, terms: int) -> tuple[Floats, float]:
        """The sum of the laws' own Hessians, and of how they jump."""
        (W, b), importance = parameters_of(self.net, x), self.laws.importance[self.which]
        H, jump = np.zeros((x.size, x.size)), 0.0
        for w, law in self.laws.each[self.which]:
            found, jumps = law.hessian(W, b, importance, step, terms)
            H, jump = H + w * found, jump + w * jumps
        return self._freed(H), jump

    def _differences(self, x: Floats, step: float, terms: int) -> tuple[Floats, float] | None:
        if not has_rows(self.net):
            return None
        W, b = parameters_of(self.net, x)

        def slopes(G: Floats, bias: Floats) -> tuple[Floats, Floats]:
            found = self.laws.answer(self.which, G, bias, Asked(0.5, terms, terms, True))
            return found.dG, found.db

        H, jump = differences(slopes, W, b, step, self.net.bias)
        return self._freed(H), jump

    def _freed(self, H: Floats) -> Floats:
        free = free_of(self.net)
        return np.asarray(H * np.outer(free, free))
