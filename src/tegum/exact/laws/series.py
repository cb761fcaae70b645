"""A smooth output f and its square as sums of exponentials e^{zs}, whose expectations are known (`tegum.exact.laws.smooth`).

Of most functions it is a Fourier series, good on an interval around 0:

    f(s) = sum_k c_k e^{i w_k s},   w_k = 2 pi k / P,   for |s| <= R,   P = 4 R

f is not periodic; f times a window is, once it is repeated: with w(s) = erfc((|s| - 2 R) / (R / 6)) / 2, which is 1 up to R
and 0 from 3 R on, to 1e-17 each,

    F(s) = sum_r f(s + r P) w(s + r P)

is f on [-R, R], has the period P, and is as smooth as f and w: where f is analytic its coefficients fall geometrically.  They
are trapezoidal sums over N points, a fast Fourier transform; N doubles until nothing is left at its end.

>>> from tegum.nets import ACTIVATIONS
>>> series, s = fourier(ACTIVATIONS["tanh"], 2.0), 1.3
>>> bool(abs((series.value @ np.exp(series.z * s)).real - np.tanh(s)) < 1e-14)
True

Of s^2 and s^4 it is Cauchy's formula on a circle around 0, which wants no interval:

    s^k / k! = 1 / N sum_m e^{z_m s} / z_m^k + what is folded back: s^{k + N} r^N / (k + N)! and less,     |z_m| = r

Source: Boyd, "A comparison of numerical algorithms for Fourier extension of the first, second, and third kinds" (2002), whose
third kind this is; Fang and Oosterlee, "A novel pricing method for European options based on Fourier-cosine series expansions"
(2008), for expectations by the coefficients of a function and the characteristic function of a law.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.nets import Activation
from tegum.nets.activation import known_code

_PERIOD, _STEEP, _OVERLAP = 4.0, 6.0, 1
_FEWEST, _USUALLY, _MOST = 64, 2**13, 2**16
_NOTHING, _LEAST = 1e-15, 1e-18
_ROUNDING, _BEYOND = 1e-15, 16
_USUAL, _SMOOTH = 4.0, 1e-9


Pair = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""From points to the values of an output and of its square."""


class Series(NamedTuple):
    """f(s) = Re sum_k value_k e^{z_k s}, the same of f(s)^2 with ``square``, and how much is missing of each.

    ``missing`` and ``missing_slope`` are by how much expectations of f and f^2, and of their derivatives, may be off.
    """

    z: NDArray[np.complex128]
    value: NDArray[np.complex128]
    square: NDArray[np.complex128]
    missing: tuple[float, float]
    missing_slope: tuple[float, float]


@lru_cache(maxsize=1024)
def fourier(activation: Activation, reach: float, code: str = "") -> Series:
    """The series of an activation that is good for |s| <= ``reach``; of one's own it is kept under its ``code``, too."""

    def squared(s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        f = np.asarray(activation(s), dtype=np.float64)
        return f, f * f

    most = int(_USUALLY * min(max(1.0, reach / _USUAL), _MOST / _USUALLY))
    return _series(squared, reach, most)


@lru_cache(maxsize=4096)
def noisy(tau: float, reach: float) -> tuple[Series, Series]:
    """Of a ReLU behind Gaussian noise: E r(s + tau xi), and E r(s + tau xi)^2 for the square; and of their second derivatives.

    With t = s / tau, phi and Phi the density and the distribution function of xi,

        E r(s + tau xi) = s Phi(t) + tau phi(t),      E r(s + tau xi)^2 = (s^2 + tau^2) Phi(t) + tau s phi(t)
    """

    def smoothed(s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        density, below = np.exp(-0.5 * (s / tau) ** 2) / math.sqrt(2 * math.pi), scipy.special.ndtr(s / tau)
        return s * below + tau * density, (s * s + tau * tau) * below + tau * s * density

    def bends(s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.exp(-0.5 * (s / tau) ** 2) / (tau * math.sqrt(2 * math.pi)), 2 * scipy.special.ndtr(s / tau)

    return _series(smoothed, reach, _MOST), _series(bends, reach, _MOST)


def _series(both: Pair, reach: float, most: int) -> Series:
    """The series of f and of its square, which ``both`` gives at points of any shape."""
    period, points = _PERIOD * reach, _FEWEST
    while True:
        s = period * (np.arange(points) / points - 0.5)
        shifts = period * np.arange(-_OVERLAP, _OVERLAP + 1)
        everywhere = s[:, None] + shifts
        window = scipy.special.erfc((np.abs(everywhere) - 2 * reach) * (_STEEP / reach)) / 2
        values = [one.reshape(everywhere.shape) for one in both(everywhere.ravel())]
        parts = [np.where(window > _LEAST, one, 0) for one in values]
        # (-1)^k: the points begin at -P / 2
        turn = (-1.0) ** np.arange(points // 2)
        each = [np.fft.rfft((part * window).sum(axis=1))[:-1] / points * turn for part in parts]
        left = max(float(np.abs(c[3 * points // 8 :]).max() / np.abs(c).max(initial=_LEAST)) for c in each)
        if left <= _NOTHING or points >= most:
            break
        points *= 2
    frequency = 2 * np.pi * np.arange(points // 2) / period
    large = [np.flatnonzero(np.abs(c) > _LEAST * np.abs(c).max(initial=0)) for c in each]
    end = 1 + max((int(one[-1]) for one in large if one.size), default=0)
    if left <= _NOTHING:
        end = min(end, 3 * points // 8)
    missing, slopes = [], []
    for c, part in zip(each, parts, strict=True):
        # of what lies beyond, and has been folded back, the last eighth tells: coefficients of a kink fall like 1 / k^2
        last = frequency[7 * points // 16 :], np.abs(c[7 * points // 16 :])
        dropped = np.abs(c[end:])
        rounding = _ROUNDING * float(np.abs((part * window).sum(axis=1)).max())
        missing.append(float(2 * dropped.sum() + _BEYOND * last[1].sum()) + rounding)
        slopes.append(float(2 * frequency[end:] @ dropped + _BEYOND * last[0] @ last[1]) + rounding * float(frequency[end - 1]))
    both_signs = np.where(np.arange(end), 2, 1)
    value, square = (both_signs * c[:end].astype(np.complex128) for c in each)
    z = (1j * frequency[:end]).astype(np.complex128)
    return Series(z, value, square, (missing[0], missing[1]), (slopes[0], slopes[1]))


def circle(radius: float, points: int, folded: float) -> Series:
    """The series of s^2 by points on a circle, where what is folded back is at most that share of the largest E |e^{zs}|."""
    turn = np.exp(2j * np.pi * (np.arange(points // 2) + 0.5) / points)
    value, square = 4 / points * (radius * turn) ** -2.0, 48 / points * (radius * turn) ** -4.0
    share = 4 * _ROUNDING + folded
    missing = 2 * np.e / radius**2 * share, 24 * np.e / radius**4 * share
    return Series(radius * turn, value, square, missing, (radius * missing[0], radius * missing[1]))


def require_smooth(activation: Activation) -> None:
    """Raises an `InvalidInputError` for an output whose series does not converge: one with a kink, or that is not smooth."""
    series = fourier(activation, _USUAL, known_code(activation))
    size = float(np.abs(series.square).max(initial=0)) + float(np.abs(series.value).max(initial=0))
    if not max(series.missing) <= _SMOOTH * size:
        what = f"activation {activation.name!r} has a kink, or bends on a scale below 0.01"
        raise InvalidInputError(
            what, "the exact engine takes smooth ones, relu and abs; tegum.expected_loss samples the others"
        )
