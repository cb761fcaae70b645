"""What hidden activity costs: features alone and in pairs under an L1 penalty, and the loss they save per active unit.

    h = u x (alone)  or  u (x_1 - x_2) (pair), without bias, s = u^2, importance 1, density p, x uniform on [0, 1] where active

    loss        alone  p (1 - s)^2 / 3        pair  2 p (1 - p) (1 - s)^2 / 3 + 2 p^2 (1/3 - s/4 + s^2/12)
    E |h|       alone  u p / 2                pair  u (p - 2 p^2 / 3)
    P(h != 0)   alone  p                      pair  1 - (1 - p)^2

Both losses are A (s - s_0)^2 + rest with  A = p/3, s_0 = 1  (alone)  and  A = 2p/3 - p^2/2, s_0 = (8 - 5p) / (8 - 6p)  (pair).
Under a penalty l1 E|h| = l1 c u the minimum moves to the largest root of  u^3 - s_0 u + l1 c / (4 A) = 0:  s falls like l1, the
loss rises like l1^2.  At s = 2 s_0 / 3 the minimum is worth no more than u = 0: there a feature is killed at once, at

    l1 = (4 A s_0 / 3 c) sqrt(2 s_0 / 3)             alone, importance I:  (8 / 9) sqrt(2 / 3) I = 0.726 I

>>> unit = alone(density=0.1)
>>> round(unit.killing_l1, 3), unit.penalised([0.0, 0.5, 0.8]).round(3)                    # the squared norm under a penalty
(0.726, array([1.   , 0.789, 0.   ]))
>>> pair(density=0.1).activity < 2 * unit.activity
True

So a penalty kills pairs rather than parting them: their activity cancels where both are active.

Source: the closed forms are derived here; the claims they test are in the strategic picture of `Toy Models of Superposition`.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.errors import InvalidInputError
from tegum.theory.candidates import dropped_loss


@final
@dataclass(frozen=True)
class HiddenUnit:
    """Features of importance 1 on one hidden unit.

    Attributes:
        curvature, best, least: of the loss, ``curvature (s - best)^2 + least`` at squared norm s.
        activity: E|h| / u.
        frequency: how often the unit is active.
        dropped: the loss of not representing them, where the bias outputs their mean.
    """

    curvature: float
    best: float
    least: float
    activity: float
    frequency: float
    dropped: float

    def loss(self, square: ArrayLike) -> NDArray[np.float64]:
        """The expected loss at squared norms of any shape."""
        return np.asarray(self.curvature * (np.asarray(square, dtype=np.float64) - self.best) ** 2 + self.least)

    def penalised(self, l1: ArrayLike) -> NDArray[np.float64]:
        """The squared norm at the minimum of loss + l1 E|h|, 0 where nothing else is as good; elementwise for l1 >= 0."""
        penalty = np.asarray(l1, dtype=np.float64)
        if (penalty < 0).any():
            raise InvalidInputError(f"l1 is {penalty.min():g}", "choose at least 0")
        constant = penalty * self.activity / (4 * self.curvature)
        most = 2 / 3 * self.best * np.sqrt(self.best / 3)
        angle = np.arccos(np.clip(-constant / most, -1, 1)) / 3
        root = 2 * np.sqrt(self.best / 3) * np.cos(angle)
        return np.where(penalty <= self.killing_l1, root**2, 0.0)

    @property
    def killing_l1(self) -> float:
        """The penalty above which the unit is better inactive."""
        return float(4 * self.curvature * self.best / (3 * self.activity) * np.sqrt(2 * self.best / 3))

    @property
    def reduction_per_activation(self) -> float:
        """The loss saved, over how often the unit is active, without a penalty."""
        return (self.dropped - self.least) / self.frequency


def alone(density: float) -> HiddenUnit:
    """One feature with a hidden unit of its own, at a density above 0 and at most 1."""
    p = _checked(density)
    return HiddenUnit(p / 3, 1.0, 0.0, p / 2, p, float(dropped_loss(p)))


def pair(density: float) -> HiddenUnit:
    """Two features that share a hidden unit as opposites, at a density above 0 and at most 1."""
    p = _checked(density)
    curvature, best = 2 * p / 3 - p * p / 2, (8 - 5 * p) / (8 - 6 * p)
    least = 2 * p / 3 * (1 - p) + 2 * p * p / 3 - curvature * best**2
    return HiddenUnit(curvature, best, least, p - 2 * p * p / 3, p * (2 - p), 2 * float(dropped_loss(p)))


def _checked(density: float) -> float:
    if not 0 < density <= 1:
        raise InvalidInputError(f"density is {density}", "choose above 0 and at most 1")
    return density
