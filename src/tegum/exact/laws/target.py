"""Outputs that are compared with a linear map of the features, t = A x + v, from those that are compared with one feature.

Behind the features stand others of which s knows nothing (`tegum.exact.laws.neuron.beside_neuron`): o is never active and a
always is.  The row (g, b) compared with feature i, with o or with a has the losses

    F_i = E x_i^2 - 2 E x_i r + E r^2        F_o = E r^2        F_a = E a^2 - 2 E a E r + E r^2

and what E (t_j - r)^2 needs of r = r(s) is a sum of them, of as many as row j of A has entries, and two:

    E (t_j - r)^2  =  E t_j^2 - sum_i A_ji E x_i^2 - v_j E a^2 / E a  +  sum_i A_ji F_i + v_j / E a F_a
                      + (1 - sum_i A_ji - v_j / E a) F_o

Rows that share a column of A stand in models of their own.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.laws.answer import ROUNDING, Answer, Asked, Law, sharpened, weighted
from tegum.nets import TargetMap

Floats = NDArray[np.float64]

_CAUTION = 2
"""Of several estimates one is exceeded more often than of one, and a derivative is as wrong as the worst of its parts."""


@final
@dataclass(frozen=True, eq=False)
class TargetLaw:
    """The features with those beside them, as a weighted sum of laws; E x (n,) and E x x^T (n, n); E a and E a^2; the map."""

    parts: tuple[tuple[float, Law], ...]
    mean: Floats
    second: Floats
    always: tuple[float, float]
    target: TargetMap

    @property
    def square(self) -> Floats:
        """E t^2 of every output (n,)."""
        A, v = self.target.matrix(), np.array(self.target.v)
        return np.asarray(((A @ self.second) * A).sum(axis=1) + 2 * v * (A @ self.mean) + v * v)

    def answer(self, G: Floats, b: Floats, importance: Floats, asked: Asked) -> Answer:
        """The squared errors of one model y = r(G x + b)."""
        return sharpened(lambda how: self._once(G, b, importance, how), importance, asked)

    def _once(self, G: Floats, b: Floats, importance: Floats, asked: Asked) -> Answer:
        n = len(b)
        squares = self.square - self.target.matrix() @ np.diag(self.second)
        squares -= np.array(self.target.v) * (self.always[1] / self.always[0])
        size, dG, db, steep = np.abs(squares), np.zeros((n, n)), np.zeros(n), 0.0
        error, gradient_error, terms = 0.0, 0.0, 0
        for rows, owns, shares in self._models():
            wide, bias, counted = np.zeros((3 * n, 3 * n)), np.zeros(3 * n), np.zeros(3 * n)
            wide[owns, :n], bias[owns] = G[rows], b[rows]
            counted[owns] = importance[rows] * np.abs(shares)
            found = weighted([(w, law.answer(wide, bias, counted, asked)) for w, law in self.parts])
            np.add.at(squares, rows, shares * found.squared_error[owns])
            np.add.at(size, rows, np.abs(shares) * found.squared_error[owns])
            np.add.at(dG, rows, np.sign(shares)[:, None] * found.dG[owns, :n])
            np.add.at(db, rows, np.sign(shares) * found.db[owns])
            error += found.error
            gradient_error += _CAUTION * found.gradient_error * int(np.bincount(rows).max())
            steep += float(max(np.abs(found.dG).max(initial=0), np.abs(found.db).max(initial=0)))
            terms = max(terms, found.terms)
        rounding = ROUNDING * float(importance @ size)
        return Answer(np.maximum(squares, 0), error + rounding, gradient_error + ROUNDING * steep, terms, dG, db)

    def _models(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64], Floats]]:
        """Rows of the map, the features that they are compared with, and how each counts: in each model every feature once."""
        n = len(self.mean)
        models = defaultdict[int, list[tuple[int, int, float]]](list)
        used = np.zeros(3 * n, dtype=np.int64)
        for j, (entries, v) in enumerate(zip(self.target.A, self.target.v, strict=True)):
            shift = v / self.always[0]
            rest = 1.0 - sum(a for _, a in entries) - shift
            for own, share in (*entries, (n + j, rest), (2 * n + j, shift)):
                if share:
                    models[int(used[own])].append((j, own, share))
                    used[own] += 1
        found = []
        for one in models.values():
            rows, owns, shares = zip(*one, strict=True)
            found.append((np.array(rows), np.array(owns), np.array(shares)))
        return found
