"""The moment generating function of bounded magnitudes and its derivatives, and means over one active feature.

    A(z) = E e^{zx},  x = u or, signed, +-u        uniform on [low, high]: closed;  of your own: `Magnitude.generating`, with

    A'(z), A''(z) = k! / (N r^k) sum_m A(z + r e^{2 pi i m / N}) e^{-2 pi i m k / N}        (Cauchy, k = 1 and 2)

which for magnitudes up to L and r = 1/(4 L) is exact to rounding with N = 12.  Means E f(b + g x) of functions with a kink at 0
are Gauss-Legendre sums over the quantiles on both sides of it.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.exact.kernel.interval import interval_transform
from tegum.exact.laws.answer import ON_SAMPLES
from tegum.features import Constant, Exponential, Magnitude, Uniform

_CIRCLE, _RADIUS = 12, 0.25
_NODES, _EXACT, _CHECK_NODES, _HALVINGS = 48, 4, 256, 60
_AGREEMENT, _MOMENTS_AGREE = 1e-6, 1e-9

Floats = NDArray[np.float64]
Values = NDArray[np.complex128]


@final
@dataclass(frozen=True)
class Transform:
    """Bounded magnitudes of a law, signed or not."""

    law: Magnitude
    signed: bool

    @property
    def reach(self) -> tuple[float, float]:
        """The smallest and the largest value of an active feature."""
        low, high = self.reach_of_u
        size = max(abs(low), abs(high))
        return (-size, size) if self.signed else (low, high)

    def __call__(self, z: Values) -> tuple[Values, Values, Values]:
        """A, A' and A'' at complex z."""
        A, first, second = self._plain(z)
        if not self.signed:
            return A, first, second
        back, back_first, back_second = self._plain(-z)
        return (A + back) / 2, (first - back_first) / 2, (second + back_second) / 2

    def _plain(self, z: Values) -> tuple[Values, Values, Values]:
        if isinstance(self.law, Uniform):
            return _uniform(z, self.law.low, self.law.high)
        if isinstance(self.law, Exponential):
            A = 1 / (1 - self.law.mean * z)
            return A, self.law.mean * A**2, 2 * self.law.mean**2 * A**3
        if isinstance(self.law, Constant):
            A = np.exp(self.law.value * z)
            return A, self.law.value * A, self.law.value**2 * A
        radius = _RADIUS / max(abs(end) for end in self.reach)
        turns = np.exp(2j * np.pi * np.arange(_CIRCLE) / _CIRCLE)
        around = np.array([self.law.generating(z + radius * turn) for turn in turns], dtype=np.complex128)
        sums = np.fft.fft(around, axis=0) / _CIRCLE
        return sums[0], sums[1] / radius, sums[2] * (2 / radius**2)

    def means(self, b: Floats, g: Floats, own: NDArray[np.bool_]) -> tuple[list[Floats], float]:
        """F = E r(b + g x)^2, where ``own`` less 2 E x r(b + g x); dF/db and dF/dg; and the largest error of all of these."""
        exact = isinstance(self.law, Uniform)
        fine = self._signed_means(b, g, own, _EXACT if exact else _NODES)
        if exact:
            return fine, 0.0
        rough = self._signed_means(b, g, own, 2 * _NODES // 3)
        return fine, max(float(np.abs(one - other).max()) for one, other in zip(fine, rough, strict=True))

    def _signed_means(self, b: Floats, g: Floats, own: NDArray[np.bool_], nodes: int) -> list[Floats]:
        found = [np.zeros_like(g) for _ in range(3)]
        signs = (1.0, -1.0) if self.signed else (1.0,)
        for sign in signs:
            F, by_b, by_g = self._means(b, sign * g, sign * own.astype(np.float64), nodes)
            found = [old + new / len(signs) for old, new in zip(found, (F, by_b, sign * by_g), strict=True)]
        return found

    def _means(self, b: Floats, g: Floats, own: Floats, nodes: int) -> list[Floats]:
        """The same of x = u; ``own`` is the factor of 2 E u r."""
        p, w = quadrature(nodes, isinstance(self.law, Uniform))
        kink = self.probability_of_kink(b, g)
        left, width = np.stack([np.zeros_like(kink), kink]), np.stack([kink, 1 - kink])
        u = np.asarray(self.law.quantile(np.minimum(left[..., None] + width[..., None] * p, 1 - 1e-16)))
        s = b[..., None] + g[..., None] * u
        r, on = np.maximum(s, 0), s > 0
        weight, factor = width[..., None] * w, 2 * own[..., None] * u
        parts = r * (r - factor), 2 * r - factor * on, u * (2 * r - factor * on)
        return [(weight * part).sum(axis=(0, -1)) for part in parts]

    def probability_of_kink(self, b: Floats, g: Floats) -> Floats:
        """The probability below which b + g u keeps the sign that it has for the smallest u."""
        if isinstance(self.law, Uniform):
            with np.errstate(all="ignore"):
                at = (-b / g - self.law.low) / (self.law.high - self.law.low)
            return np.clip(np.where(np.isfinite(at), at, 0), 0, 1)
        low, high = np.zeros_like(g), np.ones_like(g)
        at_0 = b + g * self.reach_of_u[0] > 0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            same = (b + g * self.law.quantile(middle) > 0) == at_0
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return low

    @property
    def reach_of_u(self) -> tuple[float, float]:
        """The smallest and the largest magnitude."""
        return float(self.law.quantile(np.zeros(1))[0]), float(self.law.largest)

    def require_usable(self) -> None:
        """Raises an `InvalidInputError` where the exact engine cannot invert the law, saying what is missing."""
        if not math.isfinite(self.law.largest):
            raise InvalidInputError(f"the magnitudes are {type(self.law).__name__} without an upper end", ON_SAMPLES)
        self.require_known()

    def require_known(self) -> None:
        """Raises an `InvalidInputError` where the moment generating function of the law is not known, or is not that."""
        name = type(self.law).__name__
        if isinstance(self.law, Uniform | Exponential | Constant):
            return
        if not math.isfinite(self.law.largest):
            raise InvalidInputError(f"the magnitudes are {name} without an upper end", ON_SAMPLES)
        p, w = quadrature(_CHECK_NODES)
        u = self.law.quantile(p)
        size = max(abs(end) for end in self.reach_of_u)
        z = np.array([0.0, 0.7, -0.4 + 0.9j, 2.1j], dtype=np.complex128) / size
        said, expected = np.asarray(self.law.generating(z)), np.exp(z[:, None] * u) @ w
        advice = "let it return E e^(zu) for an array of complex z, and largest be the end"
        if said.shape != z.shape:
            raise InvalidInputError(f"generating of {name} returns the shape {said.shape} for {z.shape}", advice)
        worst = int(np.argmax(np.abs(said - expected)))
        if not np.abs(said - expected)[worst] <= _AGREEMENT:
            what = f"generating({z[worst]:.3g}) of {name} is {said[worst]:.6g}, the mean of e^(zu) over its quantiles"
            raise InvalidInputError(f"{what} {expected[worst]:.6g}", advice)
        _, first, second = Transform(self.law, False)(np.zeros(1, dtype=np.complex128))
        for order, found in ((1, float(first[0].real)), (2, float(second[0].real))):
            if not abs(found - self.law.moment(order)) <= _MOMENTS_AGREE * size**order:
                what = f"moment({order}) of {name} is {self.law.moment(order):.10g}, and generating(z) has {found:.10g}"
                raise InvalidInputError(what, "let both be exact")


@cache
def quadrature(nodes: int, plain: bool = False) -> tuple[Floats, Floats]:
    """Points and weights on [0, 1]: Gauss and Legendre's, or with p = t^3 (10 - 15 t + 6 t^2), which smooths both ends."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    t, w = (x + 1) / 2, w / 2
    return (t, w) if plain else (t**3 * (10 - 15 * t + 6 * t * t), 30 * (t * (1 - t)) ** 2 * w)


def _uniform(z: Values, low: float, high: float) -> tuple[Values, Values, Values]:
    """A, A' and A'' of u ~ U[low, high]."""
    points = np.ascontiguousarray(z).reshape(-1)
    found = np.empty((3, points.size), dtype=np.complex128)
    interval_transform(points, low, high, found[0], found[1], found[2])
    return found[0].reshape(z.shape), found[1].reshape(z.shape), found[2].reshape(z.shape)
