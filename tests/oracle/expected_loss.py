"""Slow, obvious twins of the exact engine: expected squared errors and their gradients in 150 digits, and by sampling.

Every pattern of active components is enumerated.  With the couplings g_1 .. g_k of the active features,

    uniform        E r(b + sum g_i u_i)^2 = 2 / ((k + 2)! prod g) sum_v (-1)^(k - |v|) r(b + g.v)^(k + 2),   v in {0, 1}^k
    exponential    E r(b + sum g_i u_i)^2 = sum_{g_i > 0} 2 g_i^2 e^{b / g_i} prod_{j != i} g_i / (g_i - g_j)        for b <= 0
                                          = E s^2 - E r(-s)^2                                                        for b > 0

(g in units of the mean; equal ones are moved apart by 1e-40).  E[x_j r(s)] is half the derivative of E r(s)^2 by g_j, and the
gradient a derivative too: both are taken by differences so small that only digits to spare are lost.  Good for up to six
features.  Two features are integrated as well, by adaptive quadrature, and any number sampled.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad

from tegum.features import Exponential, Features, Uniform

_DIGITS = 150
_OWN_STEP = mp.mpf(10) ** -35
_STEP = mp.mpf(10) ** -20
_APART = mp.mpf(10) ** -40

Block = list[tuple[Any, tuple[int, ...]]]


def blocks_of(features: Features) -> list[Block]:
    """The blocks of one distribution: for each its components, as probability and members."""
    blocks = features.blocks()
    found: list[Block] = [[] for _ in range(int(blocks.block_of_component[-1]) + 1)]
    for component, block in enumerate(blocks.block_of_component):
        members = tuple(int(i) for i in np.flatnonzero(blocks.component_of_feature == component))
        found[int(block)].append((mp.mpf(float(blocks.probability[component])), members))
    return found


def uniform_square(b: Any, g: Sequence[Any]) -> Any:
    """E r(b + sum_i g_i u_i)^2 for u uniform on [0, 1]; no g is 0."""
    k = len(g)
    signed = mp.mpf(0)
    for vertex in itertools.product((0, 1), repeat=k):
        t = b + mp.fsum(c for c, chosen in zip(g, vertex, strict=True) if chosen)
        if t > 0:
            signed += (-1) ** (k - sum(vertex)) * t ** (k + 2)
    return 2 * signed / (mp.factorial(k + 2) * mp.fprod(g))


def exponential_square(b: Any, g: Sequence[Any]) -> Any:
    """E r(b + sum_i g_i u_i)^2 for exponential u of mean 1; no g is 0."""
    if b > 0:
        return (b + mp.fsum(g)) ** 2 + mp.fsum(c * c for c in g) - exponential_square(-b, [-c for c in g])
    g = [c * (1 + i * _APART) for i, c in enumerate(g)]
    total = mp.mpf(0)
    for i, c in enumerate(g):
        if c > 0:
            total += 2 * c * c * mp.exp(b / c) * mp.fprod(c / (c - other) for j, other in enumerate(g) if j != i)
    return total


class Oracle:
    """The expected squared errors of one distribution, as functions of the square map G and the bias."""

    def __init__(self, features: Features) -> None:
        law = features.magnitude
        assert isinstance(law, Uniform | Exponential)
        self.features, self.blocks = features, blocks_of(features)
        self.square = exponential_square if isinstance(law, Exponential) else uniform_square
        self.mean = mp.mpf(law.mean) if isinstance(law, Exponential) else mp.mpf(1)

    def moment(self, b: Any, g: Sequence[Any]) -> Any:
        """E r(b + sum_i g_i x_i)^2."""
        choices = [[(1 - mp.fsum(w for w, _ in block), ()), *block] for block in self.blocks]
        total = mp.mpf(0)
        for pattern in itertools.product(*choices):
            probability = mp.fprod(w for w, _ in pattern)
            if probability != 0:
                on = [g[i] * self.mean for _, members in pattern for i in members if g[i] != 0]
                total += probability * self.square(b, on)
        return total

    def row(self, j: int, b: Any, g: Sequence[Any]) -> Any:
        """E (x_j - r(b + g x))^2 - E x_j^2 = (1 - d/dg_j) E r^2."""
        up, down = list(g), list(g)
        up[j], down[j] = up[j] + _OWN_STEP, down[j] - _OWN_STEP
        return self.moment(b, g) - (self.moment(b, up) - self.moment(b, down)) / (2 * _OWN_STEP)

    def squared_errors(self, G: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """E (x_j - y_j)^2 for every j, shape (n,)."""
        density = self.features.feature_density
        with mp.workdps(_DIGITS):
            second = 2 * self.mean**2 if self.square is exponential_square else mp.mpf(1) / 3
            return np.array(
                [
                    float(
                        second * mp.mpf(float(density[j])) + self.row(j, mp.mpf(float(b[j])), [mp.mpf(float(c)) for c in G[j]])
                    )
                    for j in range(len(b))
                ]
            )

    def row_gradient(self, j: int, G: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """The derivatives of feature j's squared error by row j of G, shape (n,), and by b_j."""
        with mp.workdps(_DIGITS):
            bias, g = mp.mpf(float(b[j])), [mp.mpf(float(c)) for c in G[j]]
            slopes = []
            for i in range(len(g)):
                up, down = list(g), list(g)
                up[i], down[i] = up[i] + _STEP, down[i] - _STEP
                slopes.append(float((self.row(j, bias, up) - self.row(j, bias, down)) / (2 * _STEP)))
            return np.array(slopes), float((self.row(j, bias + _STEP, g) - self.row(j, bias - _STEP, g)) / (2 * _STEP))

    def gradient(self, G: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The derivatives of the loss by the entries of G, shape (n, n), and by b, shape (n,)."""
        rows = [self.row_gradient(j, G, b) for j in range(len(b))]
        importance = self.features.importance
        return importance[:, None] * np.array([row for row, _ in rows]), importance * np.array([by_b for _, by_b in rows])


def gradient_by_weights(W: NDArray[np.float64], by_map: NDArray[np.float64]) -> NDArray[np.float64]:
    """dL/dW from dL/dG for G = W^T W."""
    return np.asarray(W @ (by_map + by_map.T))


def integrated_errors(G: NDArray[np.float64], b: NDArray[np.float64], features: Features) -> NDArray[np.float64]:
    """E (x_j - y_j)^2 of two uniform features: over the other feature by antiderivatives, over the own one by quadrature."""
    joint = features.joint_density()
    both = joint[0, 1]
    found = np.empty(2)
    for j in range(2):
        a, c, bias = G[j, j], G[j, 1 - j], b[j]
        own, other = joint[j, j] - both, joint[1 - j, 1 - j] - both

        def over_other(x: float, a: float = a, c: float = c, bias: float = bias) -> float:
            low, high = max(bias + a * x, 0.0), max(bias + a * x + c, 0.0)
            if abs(c) < 1e-9:
                return (x - (low + high) / 2) ** 2
            return x * x - x * (high**2 - low**2) / c + (high**3 - low**3) / (3 * c)

        def alone(x: float, a: float = a, bias: float = bias) -> float:
            return (x - max(bias + a * x, 0.0)) ** 2

        def integral(function: Callable[[float], float], points: list[float]) -> float:
            inside = [t for t in points if 0 < t < 1]
            return float(quad(function, 0, 1, points=inside or None, epsabs=1e-13, epsrel=1e-13)[0])

        crossings = [-bias / a, -(bias + c) / a] if a else []
        found[j] = both * integral(over_other, crossings) + own * integral(alone, crossings)
        found[j] += other * over_other(0.0) + (1 - both - own - other) * max(bias, 0.0) ** 2
    return found


def sampled_errors(
    G: NDArray[np.float64], b: NDArray[np.float64], features: Features, n_samples: int, seed: int, linear: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Monte Carlo: the mean of (x_j - y_j)^2 and its standard error, each (n,); y = r(G x + b), or without the r."""
    x = features.sample(n_samples, seed)
    s = x @ G.T + b
    squares = (x - (s if linear else np.maximum(s, 0))) ** 2
    return squares.mean(axis=0), squares.std(axis=0) / np.sqrt(n_samples)
