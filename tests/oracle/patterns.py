"""The exact loss of any law that is a list of patterns: which features are active, each uniform on an interval or constant.

    E r(b + sum_i g_i x_i)^2,  x_i ~ U[low_i, high_i]:  b + sum g_i low_i, couplings g_i (high_i - low_i), magnitudes on [0, 1]

in 150 digits, by `tests.oracle.expected_loss`; E x_j r(s) and the gradient are derivatives of it.  A distribution is taken
apart by what it says it is (its class and its fields), not by what the engine makes of it.

>>> from tegum.features import KSparse, Mixture, Uniform
>>> [(float(p), [i for i, _, _ in on]) for p, on in patterns(KSparse(2, 1))]
[(0.5, [0]), (0.5, [1])]
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

from tegum.features import (
    AnticorrelatedSets,
    Constant,
    CorrelatedSets,
    Features,
    FiniteLaw,
    Independent,
    Joined,
    KSparse,
    Mixture,
    Uniform,
)
from tests.oracle.expected_loss import uniform_square

_DIGITS = 150
_OWN_STEP, _STEP = mp.mpf(10) ** -35, mp.mpf(10) ** -20

Active = list[tuple[int, Any, Any]]
Pattern = tuple[Any, Active]


def _sets(features: Features) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """Which features are active, with the probability of just that."""
    n = features.n_features
    if isinstance(features, KSparse):
        chosen = list(itertools.combinations(range(n), features.n_active))
        yield from ((mp.mpf(1) / len(chosen), one) for one in chosen)
        return
    groups: list[list[tuple[float, tuple[int, ...]]]]
    if isinstance(features, Independent):
        groups = [[(float(p), (i,))] for i, p in enumerate(features.density)]
    elif isinstance(features, CorrelatedSets):
        size = features.set_size
        groups = [[(float(p), tuple(range(k * size, (k + 1) * size)))] for k, p in enumerate(features.density)]
    elif isinstance(features, AnticorrelatedSets):
        size = features.set_size
        groups = [[(float(features.density[i]), (i,)) for i in range(k, k + size)] for k in range(0, n, size)]
    else:
        raise TypeError(type(features))
    for choice in itertools.product(*([*group, (1 - mp.fsum(p for p, _ in group), ())] for group in groups)):
        probability = mp.fprod(p for p, _ in choice)
        if probability > 0:
            yield probability, tuple(i for _, on in choice for i in on)


def patterns(features: Features) -> Iterator[Pattern]:
    """Probability, and the interval of every active feature."""
    if isinstance(features, Mixture):
        for weight, one in zip(features.weights, features.components, strict=True):
            yield from ((mp.mpf(float(weight)) * p, on) for p, on in patterns(one))
        return
    if isinstance(features, Joined):
        first = np.cumsum([0, *(part.n_features for part in features.parts)])
        for choice in itertools.product(*(list(patterns(part)) for part in features.parts)):
            on = [(i + int(k), low, high) for k, (_, own) in zip(first, choice, strict=False) for i, low, high in own]
            yield mp.fprod(p for p, _ in choice), on
        return
    if isinstance(features, FiniteLaw):
        for p, x in zip(features.probabilities, features.states, strict=True):
            yield mp.mpf(float(p)), [(i, mp.mpf(float(v)), mp.mpf(float(v))) for i, v in enumerate(x) if v]
        return
    law = features.magnitude
    if isinstance(law, Constant):
        ends = law.value, law.value
    else:
        assert isinstance(law, Uniform)
        ends = law.low, law.high
    low, high = mp.mpf(ends[0]), mp.mpf(ends[1])
    sides = [(low, high), (-high, -low)] if features.signed else [(low, high)]
    for probability, members in _sets(features):
        for signs in itertools.product(sides, repeat=len(members)):
            yield probability / len(sides) ** len(members), [(i, *side) for i, side in zip(members, signs, strict=True)]


class PatternOracle:
    """E (x_j - r(G_j x + b_j))^2 of one distribution, and its gradient."""

    def __init__(self, features: Features) -> None:
        self.features = features
        with mp.workdps(_DIGITS):
            self.patterns = list(patterns(features))
            assert abs(mp.fsum(p for p, _ in self.patterns) - 1) < mp.mpf(10) ** -12

    def moment(self, b: Any, g: list[Any]) -> Any:
        """E r(b + g x)^2."""
        total = mp.mpf(0)
        for probability, on in self.patterns:
            start = b + mp.fsum(g[i] * low for i, low, _ in on)
            moving = [g[i] * (high - low) for i, low, high in on if g[i] * (high - low) != 0]
            total += probability * uniform_square(start, moving)
        return total

    def second(self, j: int) -> Any:
        """E x_j^2."""
        squares = ((p, low, high) for p, on in self.patterns for i, low, high in on if i == j)
        return mp.fsum(p * (low * low + low * high + high * high) / 3 for p, low, high in squares)

    def row(self, j: int, b: Any, g: list[Any]) -> Any:
        """E (x_j - r(b + g x))^2."""
        up, down = list(g), list(g)
        up[j], down[j] = up[j] + _OWN_STEP, down[j] - _OWN_STEP
        return self.second(j) + self.moment(b, g) - (self.moment(b, up) - self.moment(b, down)) / (2 * _OWN_STEP)

    def squared_errors(self, G: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of every output, (n,)."""
        with mp.workdps(_DIGITS):
            rows = [(mp.mpf(float(b[j])), [mp.mpf(float(c)) for c in G[j]]) for j in range(len(b))]
            return np.array([float(self.row(j, *row)) for j, row in enumerate(rows)])

    def gradient(self, G: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Derivatives of sum_j I_j E_j by G (n, n) and by b (n,)."""
        n, importance = len(b), self.features.importance
        by_map, by_b = np.zeros((n, n)), np.zeros(n)
        with mp.workdps(_DIGITS):
            for j in range(n):
                bias, g = mp.mpf(float(b[j])), [mp.mpf(float(c)) for c in G[j]]
                for i in range(n):
                    up, down = list(g), list(g)
                    up[i], down[i] = up[i] + _STEP, down[i] - _STEP
                    by_map[j, i] = float((self.row(j, bias, up) - self.row(j, bias, down)) / (2 * _STEP))
                by_b[j] = float((self.row(j, bias + _STEP, g) - self.row(j, bias - _STEP, g)) / (2 * _STEP))
        return importance[:, None] * by_map, importance * by_b


def hostile_model(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A map and biases: couplings of one size or of many, rows of dropped features, biases next to the kink."""
    G = rng.normal(size=(n, n)) * 10 ** rng.uniform(-5, 0, (n, n)) if rng.random() < 0.5 else rng.normal(size=(n, n))
    if rng.random() < 0.3:
        G[rng.integers(n), rng.integers(n)] = 0.0
    scale = math.exp(-rng.choice([1.0, 4.0, 12.0]))
    return G, rng.normal(size=n) * scale
