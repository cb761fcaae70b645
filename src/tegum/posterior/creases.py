"""Minima on creases: where a data set has negative values the gradient of a ReLU net's loss jumps, and minima lie there.

    p I (r(s) - x)^2,  x < 0:        its slope by s is 0 where s < 0, and 2 p I |x| > 0 just above

Next to a point with s_k = 0 for K pairs of a state and an output, s_k an output before its ReLU,

    L = L_0 + sum_k c_k max(s_k, 0),     c_k = 2 p I |x|,          critical:  L_0' + sum_k mu_k c_k s_k' = 0,  0 <= mu_k <= 1

If the s_k' are independent and no mu_k is 0 or 1, beyond what a minimum is rounded by, L - L* rises like |u| in K
coordinates u.  On the surface u = 0 it has the Hessian of L_0 + sum_k mu_k c_k s_k; where that is positive across rotations, of
d - K - rotations directions,

    Vol{L - L* < eps} ~ eps^K eps^((d - K - rotations) / 2):        lambda = K + (d - K - rotations) / 2

>>> import tegum as tg
>>> net = tg.nets.ReluOutput(2, 1)
>>> features = tg.features.FiniteLaw([[0.3, 0.8], [0.3, -1.3], [0.9, 0.4], [-0.5, 0.6], [0.4, 0.3]])
>>> objective = tg.exact.Objective(net, features)
>>> x = objective.flat([[0.7247929564, 0.5236785804]], [0.0349272869, 0.2426434682])     # s[1, 1] = s[3, 0] = 0
>>> found = on_creases(objective, x)
>>> found.across, found.strict, found.low.round(2)                                      # lambda = 2 + 2 / 2
(2, True, array([1.74, 2.92]))

Source: Rockafellar and Wets, "Variational Analysis" (1998), for partly smooth functions and their multipliers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from tegum.exact import Objective
from tegum.exact.hessian import complement, still_directions
from tegum.exact.parameters import free_of, is_compiled, output_of
from tegum.features import FiniteLaw
from tegum.nets import ACTIVATIONS

Floats = NDArray[np.float64]

_NEAR, _ON, _BESIDE = 1e-6, 2e-7, 1e-9
"""Distances: of creases that a minimum may be meant to lie on, of those that differences of gradients see, of other kinks."""
_INSIDE, _FORCE, _DEPENDENT = 1e-6, 1e-5, 1e-7
"""How far multipliers of a crease that is not so near are from 0 and 1; the least force to a side that is none of rounding,
as a share of the largest curvature; the least singular value of slopes of length 1 that are independent."""
_STEPS, _ROWS, _PROBES, _AWAY = 4, 1024, 6, 1e-2

BENT = 1e-9
"""The share of the largest curvature that is 0."""


class Creases(NamedTuple):
    """K creases next to a point: states (K, n) with the output (K,) and the weight c (K,) of each."""

    states: Floats
    output: NDArray[np.int64]
    weight: Floats

    def at(self, objective: Objective, x: Floats) -> tuple[Floats, Floats]:
        """Their s (K,) at flat parameters x (d,), and the slopes of s (K, d)."""
        W, b = objective.parameters(x)
        h, rows = self.states @ W.T, np.arange(len(self.output))
        s = (h * W[:, self.output].T).sum(axis=1) + b[self.output]
        by_W = W[:, self.output].T[:, :, None] * self.states[:, None, :]
        by_W[rows, :, self.output] += h
        slopes = np.concatenate([by_W.reshape(len(rows), W.size), np.eye(b.size)[self.output]], axis=1)
        return s, slopes * free_of(objective.net)

    def among(self, kept: NDArray[np.bool_]) -> "Creases":
        """Some of them."""
        return Creases(self.states[kept], self.output[kept], self.weight[kept])


class OnCreases(NamedTuple):
    """What derivatives say of a point on creases.

    ``across`` is how many directions they cross, ``rest`` the norm of the gradient that no multipliers balance.  ``low`` are
    curvatures along the creases, ascending, across what is still, on the lower side of each kink, ``high`` on the upper.
    ``strict`` says whether creases are independent and the loss rises at once on both sides of each, ``flat`` whether it is
    constant where ``low`` is 0.
    """

    across: int
    rest: float
    low: Floats
    high: Floats
    strict: bool
    flat: bool

    @property
    def size(self) -> float:
        """The largest curvature along the creases."""
        return float(np.abs(np.append(self.low, self.high)).max(initial=0.0))

    @property
    def rank(self) -> int:
        """How many directions along the creases are bent."""
        return int((self.low > BENT * self.size).sum())


def creases_near(objective: Objective, x: Floats) -> Creases | None:
    """Those within 10^-6 of flat parameters x; None where the loss can have none, and where none is near."""
    net, law = objective.net, objective.features
    if not (isinstance(law, FiniteLaw) and law.signed and is_compiled(net) and output_of(net) is ACTIVATIONS["relu"]):
        return None
    s, reach = _outputs(objective, x, law.table)
    weight = -2 * law.probabilities[:, None] * law.importance * law.table
    t, j = np.nonzero((weight > 0) & (np.abs(s) <= _NEAR * reach))
    if not t.size:
        return None
    once, group = np.unique(np.column_stack([j, law.table[t]]), axis=0, return_inverse=True)  # the same row may be there twice
    summed = np.bincount(group.ravel(), weight[t, j]).astype(np.float64)
    return Creases(once[:, 1:], once[:, 0].astype(np.int64), summed)


def on_creases(objective: Objective, x: Floats) -> OnCreases | None:
    """What a point says that lies on creases, to within what it is rounded by; None where it lies on none."""
    creases = creases_near(objective, x)
    if creases is None:
        return None
    s, slopes = creases.at(objective, x)
    balance = _balance(objective, x, creases, slopes)[0]
    on = (np.abs(s) <= _ON * np.linalg.norm(slopes, axis=1)) | ((balance > _INSIDE) & (balance < 1 - _INSIDE))
    if not on.any():
        return None
    creases = creases.among(on)
    for _ in range(_STEPS):
        s, slopes = creases.at(objective, x)
        x = x - np.linalg.lstsq(slopes, s, _DEPENDENT)[0]
    _, slopes = creases.at(objective, x)
    balance, rest = _balance(objective, x, creases, slopes)
    length = np.linalg.norm(slopes, axis=1, keepdims=True)
    _, size, directions = np.linalg.svd(slopes / np.maximum(length, np.finfo(np.float64).tiny), full_matrices=False)
    count = int((size > _DEPENDENT).sum())
    still = still_directions(objective.net, x, free_of(objective.net))
    along = complement(np.linalg.qr(np.concatenate([still, directions[:count]]).T)[0].T)
    low, vectors = np.linalg.eigh(along @ _smooth(objective, x, creases, balance, False)[1] @ along.T)
    high = np.linalg.eigvalsh(along @ _smooth(objective, x, creases, balance, True)[1] @ along.T)
    found = OnCreases(count, rest, low, high, strict=False, flat=False)
    force = creases.weight * length[:, 0] * np.minimum(balance, 1 - balance)
    flat = _is_flat(objective, x, vectors[:, np.abs(low) <= BENT * found.size].T @ along, found.size)
    return found._replace(strict=count == len(slopes) and bool((force > _FORCE * found.size).all()), flat=flat)


def _balance(objective: Objective, x: Floats, creases: Creases, slopes: Floats) -> tuple[Floats, float]:
    """The multipliers (K,) that leave the least gradient, and its norm."""
    gradient = _smooth(objective, x, creases, np.zeros(len(slopes)), False)[0]
    pull = (creases.weight[:, None] * slopes).T
    balance = np.asarray(lsq_linear(pull, -gradient, (0.0, 1.0)).x)
    return balance, float(np.linalg.norm(gradient + pull @ balance))


def _is_flat(objective: Objective, x: Floats, still: Floats, size: float) -> bool:
    """Whether the loss is constant along straight lines in the rows of ``still``, such as biases of outputs that never fire."""
    mixed = np.random.default_rng(0).normal(size=(_PROBES, len(still))) @ still
    lines = [one / np.linalg.norm(one) for one in (*still, *mixed) if one.any()]
    changes = [objective.loss(x + sign * _AWAY * one) - objective.loss(x) for one in lines for sign in (1, -1)]
    return bool(np.abs(changes).max(initial=0.0) <= BENT * size * _AWAY**2)


def _outputs(objective: Objective, x: Floats, states: Floats) -> tuple[Floats, Floats]:
    """Outputs s (T, n) before the ReLU, and the length of their slopes (T, n)."""
    W, b = objective.parameters(x)
    h = states @ W.T
    linear = h @ W
    square = (W**2).sum(axis=0) * (states**2).sum(axis=1, keepdims=True) + (h**2).sum(axis=1, keepdims=True)
    square = square + 2 * states * linear + float(objective.net.bias)
    return linear + b, np.sqrt(np.maximum(square, 0.0))


def _smooth(objective: Objective, x: Floats, creases: Creases, balance: Floats, upper: bool) -> tuple[Floats, Floats]:
    """Gradient (d,) of L_0, and the Hessian (d, d) of L_0 + sum_k mu_k c_k s_k; of kinks on their ``upper`` or lower side."""
    law = objective.features
    assert isinstance(law, FiniteLaw)
    W, _ = objective.parameters(x)
    m, n = W.shape
    gradient, H = np.zeros(x.size), np.zeros((x.size, x.size))
    bend = np.zeros((n, n))  # of s_j'' = sum over hidden units of what x_l multiplies: (j, l)
    np.add.at(bend, creases.output, (balance * creases.weight)[:, None] * creases.states)
    for first in range(0, len(law.table), _ROWS):
        states, p = law.table[first : first + _ROWS], law.probabilities[first : first + _ROWS]
        s, reach = _outputs(objective, x, states)
        beside = _BESIDE * reach
        on = (s > beside) | (upper & (s > -beside) & (states >= 0))
        for j in np.flatnonzero(on.any(axis=0)).tolist():
            kept = on[:, j]
            rows, weight = states[kept], 2 * p[kept] * law.importance[j]
            slopes = Creases(rows, np.full(len(rows), j), weight).at(objective, x)[1]
            wrong = weight * (s[kept, j] - rows[:, j])
            gradient += wrong @ slopes
            H += slopes.T @ (weight[:, None] * slopes)
            bend[j] += wrong @ rows
    for j in range(n):
        for k in range(m):
            own = slice(k * n, (k + 1) * n)
            H[k * n + j, own] += bend[j]
            H[own, k * n + j] += bend[j]
    free = free_of(objective.net)
    return gradient * free, H * np.outer(free, free)
