"""Smooth outputs y = f(s): expectations by the Fourier series of f and the characteristic function of s, in NumPy.

    E f(s)^2 = sum_k d_k phi(w_k),      E x_j f(s) = sum_k c_k E x_j e^{i w_k s},      phi(w) = E e^{iws}

with c and d the coefficients of f and f^2 (`tegum.exact.laws.series`) on an interval that s does not leave.  phi is the moment
generating function on the imaginary axis, where |phi| <= 1: e^{iwb} times what products of A(i w g_i) are for independent
features, as in `tegum.exact.laws.transform`; E x_j e^{iws} is its derivative by i w g_j, and so on.  Where f is analytic the
error falls geometrically: about a hundred terms, whatever is asked for, and rounding is all that is left.

The interval is the reach of s, all features active at once; or, of the activations that have a name and grow like s^2 at most,
what s leaves with a probability of 1e-17 (Chernoff: P(s > R) <= E e^{ts} e^{-tR} for every t > 0), which is far less where
features are many and sparse, and is all there is for exponential magnitudes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.exact.laws.answer import ON_SAMPLES, ROUNDING, Answer, Asked
from tegum.exact.laws.magnitude import Transform, Values
from tegum.exact.laws.series import Series, circle, fourier, require_smooth
from tegum.exact.laws.transform import BlockProduct, Choices
from tegum.features import Features, Joined, KSparse, Mixture
from tegum.nets import ACTIVATIONS, Activation
from tegum.nets.activation import known_code

Floats = NDArray[np.float64]
Combination = Callable[[Values], tuple[Values, Values]]
"""From the factors of all features (n, ...) to their moment generating function (...), and its derivative by each (n, ...)."""

_LOG_CHANCE, _TILTS = 39.0, 2.0 ** np.arange(-8, 9)
_BEFORE_POLE = 0.9
_FEWEST_POINTS, _MOST_POINTS, _FOLDED = 32, 512, -40.0
_LADDER, _SHORTEST = 4, 2.0**-10
_CHUNK_NUMBERS, _LEAST_UNIT = 2**18, 1e-30


@final
@dataclass(frozen=True, eq=False)
class SmoothLaw:
    """A law by its moment generating function, and the smooth output: a factor for each feature, and how they combine."""

    factors: tuple[Transform, ...]
    combination: Combination
    second: Floats
    size: Floats
    output: Activation
    code: str  # of an output of one's own

    def answer(self, G: Floats, b: Floats, importance: Floats, asked: Asked) -> Answer:
        """The squared errors of one model; as exact as rounding allows, whatever is asked."""
        G = np.where(self.size > 0, G, 0.0)  # what is never active does not move s, and its transform may be huge
        if self.output is ACTIVATIONS["square"]:
            return self.summed(self._circles(G, b), G, b, importance, asked.gradient)
        named = ACTIVATIONS.get(self.output.name) is self.output
        each = [fourier(self.output, one, self.code) for one in self.reach(G, b, named)]
        return self.summed(each, G, b, importance, asked.gradient)

    def summed(self, each: list[Series], G: Floats, b: Floats, importance: Floats, gradient: bool) -> Answer:
        """The squared errors of one model whose outputs, and their squares, are the series of every row."""
        n, terms = len(b), max(one.z.size for one in each)
        value, by_map, by_b, rounded, rounded_b = self.sums(each, G, b, gradient)
        squares = np.diag(self.second)
        lost = np.array([one.missing[1] + 2 * size * one.missing[0] for one, size in zip(each, self.size, strict=True)])
        wide = max(1.0, float(self.size.max()), float(np.sqrt(squares.max())))
        lost_b = np.array([one.missing_slope[1] + 2 * wide * one.missing_slope[0] for one in each]) * wide
        rounding = ROUNDING * (2 + n / 8)
        error = lost + rounding * (squares + np.abs(value) + rounded)
        error_b = lost_b + rounding * (np.abs(by_b) + wide * rounded_b)
        return Answer(
            np.maximum(squares + value, 0),
            float(importance @ error),
            float((importance * error_b).max()),
            terms,
            importance[:, None] * by_map,
            importance * by_b,
        )

    def sums(self, each: list[Series], G: Floats, b: Floats, gradient: bool) -> list[Floats]:
        """E f^2 - 2 E x_j f of every row (n,), by G (n, n), by b (n,), and what rounding is a share of, of it and by b."""
        n, terms = len(b), max(one.z.size for one in each)
        found = [np.zeros(n), np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros(n)]
        step = max(8, _CHUNK_NUMBERS // (n * n))
        for first in range(0, terms, step):
            more = self._terms(G, b, each, first, min(first + step, terms), gradient)
            found = [total + part for total, part in zip(found, more, strict=True)]
        return found

    def _transformed(self, z: Values) -> tuple[Values, Values, Values]:
        """A, A' and A'' of every feature at z (n, ...)."""
        if len(set(self.factors)) == 1:
            return self.factors[0](z)
        found = [np.empty_like(z) for _ in range(3)]
        for kind in dict.fromkeys(self.factors):
            mine = np.array([one == kind for one in self.factors])
            for whole, part in zip(found, kind(z[mine]), strict=True):
                whole[mine] = part
        return found[0], found[1], found[2]

    def ends(self, G: Floats, b: Floats) -> tuple[Floats, Floats]:
        """The smallest and the largest s of every row; magnitudes without an upper end reach to infinity."""
        sides = np.array([factor.reach for factor in self.factors]).T
        with np.errstate(invalid="ignore"):
            each = [np.where(G == 0, 0, side * G) for side in sides]
        return b + np.minimum(np.minimum(*each), 0).sum(axis=1), b + np.maximum(np.maximum(*each), 0).sum(axis=1)

    def reach(self, G: Floats, b: Floats, likely: bool) -> list[float]:
        """How far s may be from 0 in every row, or is ``likely`` to be; rounded up, so that models nearby have the same."""
        low, high = self.ends(G, b)
        low = -low
        if likely:
            low, high = np.minimum(low, self._unlikely(-G, -b)), np.minimum(high, self._unlikely(G, b))
        widest = np.maximum(np.maximum(np.maximum(low, high), np.abs(b)), _SHORTEST)
        return [float(one) for one in 2.0 ** (np.ceil(np.log2(widest) * _LADDER) / _LADDER)]

    def _unlikely(self, G: Floats, b: Floats) -> Floats:
        """What s exceeds with a probability below e^-39 in every row: the least of (log E e^{ts} + 39) / t over some t."""
        tilts = np.minimum(_TILTS / self._size(G, b)[:, None], _BEFORE_POLE * self._pole(G)[:, None])
        return np.asarray(((self._logarithm(G, b, tilts) + _LOG_CHANCE) / tilts).min(axis=1))

    def _circles(self, G: Floats, b: Floats) -> list[Series]:
        """The series of s^2 of every row: the largest radius at which E |e^{zs}| <= e, and points until nothing is folded."""
        pole = np.minimum(self._pole(G), self._pole(-G))[:, None]
        radii = np.minimum(_TILTS / self._size(G, b)[:, None], _BEFORE_POLE * pole)
        while True:
            height = np.maximum(self._logarithm(G, b, radii), self._logarithm(-G, -b, radii))
            height_inside = np.where(radii <= pole / 2, height, np.inf)
            if (height_inside.min(axis=1) <= 1).all():
                break
            radii = np.concatenate(
                [radii[:, :1] * (_TILTS / (2 * _TILTS[-1])), radii], axis=1
            )  # of features hardly ever active
        found = []
        for line, tall, inside in zip(radii, height, height_inside, strict=True):
            radius, points = float(line[np.flatnonzero(inside <= 1)[-1]]), _FEWEST_POINTS
            while True:
                # of a function that is at most e^tall on a wider circle, what is folded back is e^tall (radius / wider)^points
                folded = float((tall - points * np.log(line / radius))[line >= radius].min())
                if folded <= _FOLDED or points >= _MOST_POINTS:
                    break
                points *= 2
            found.append(circle(radius, points, math.exp(min(folded, 0.0))))
        return found

    def _size(self, G: Floats, b: Floats) -> Floats:
        """About the root mean square of s in every row."""
        square = (G @ self.second * G).sum(axis=1) + b * b
        return np.asarray(np.where(square > 0, np.sqrt(square), 1.0))

    def _pole(self, G: Floats) -> Floats:
        """The t above which E e^{ts} is infinite in every row: of exponential magnitudes 1 / (g mean)."""
        mean = np.array([0.0 if math.isfinite(one.law.largest) else one.law.moment(1) for one in self.factors])
        signed = np.array([one.signed for one in self.factors])
        with np.errstate(divide="ignore"):
            return np.asarray(1 / (np.where(signed, np.abs(G), np.maximum(G, 0)) * mean).max(axis=1))

    def _logarithm(self, G: Floats, b: Floats, t: Floats) -> Floats:
        """Log E e^{ts} at t (rows, k) of every row."""
        with np.errstate(all="ignore"):
            M, _ = self.combination(self._transformed((t[None] * G.T[:, :, None]).astype(np.complex128))[0])
            found = np.log(M.real) + t * b[:, None]
            return np.where(np.isfinite(found), found, np.inf)

    def _terms(self, G: Floats, b: Floats, each: list[Series], first: int, last: int, gradient: bool) -> list[Floats]:
        """Terms ``first`` to ``last - 1``, added up: E f^2 - 2 E x_j f, by G, by b, and what rounding is a share of, twice."""
        n, own = len(b), np.arange(len(b))
        names = "z", "value", "square"
        z, c, d = (_padded([getattr(one, name)[first:last] for one in each], last - first) for name in names)
        wave = np.exp(z * b[:, None])
        A, slope, bend = self._transformed(z[None] * G.T[:, :, None])
        M, by = self.combination(A)
        # multilinear in the factors: with A_j + A'_j / L for A_j it is M + E x_j e^{zs} / L
        unit = max(float(np.sqrt(np.diag(self.second)).max()), _LEAST_UNIT)
        A = A.copy()
        A[own, own] += slope[own, own] / unit
        with_own, by_with_own = self.combination(A)
        X, by_X = unit * (with_own - M), unit * (by_with_own - by)
        part = wave * (d * M - 2 * c * X)
        rounded = np.abs(wave) * (np.abs(d * M) + 2 * np.abs(c * X))
        found = [part.real.sum(axis=1), np.zeros((n, n)), np.zeros(n), rounded.sum(axis=1), (np.abs(z) * rounded).sum(axis=1)]
        if gradient:
            found[2] = (z * part).real.sum(axis=1)
            square, product = d * by * slope, 2 * c * by_X * slope
            square[own, own], product[own, own] = d * by[own, own] * slope[own, own], 2 * c * by[own, own] * bend[own, own]
            found[1] = (z * wave * (square - product)).real.sum(axis=2).T
            # near a pole slopes are larger than what they are slopes of
            steep = (np.abs(z * wave) * (np.abs(square) + np.abs(product))).sum(axis=2).max(axis=0)
            found[4] = np.maximum(found[4], steep)
        return found


def _padded(rows: list[Values], width: int) -> Values:
    """Rows of different lengths with zeros behind them."""
    found = np.zeros((len(rows), width), dtype=np.complex128)
    for line, row in zip(found, rows, strict=True):
        line[: row.size] = row
    return found


def smooth_law(features: Features, output: Activation) -> SmoothLaw:
    """The law of a single distribution for a smooth output.

    Raises:
        InvalidInputError: where no product gives its moment generating function, or the output is not smooth.
    """
    require_smooth(output)
    factors, combination = _built(features)
    if ACTIVATIONS.get(output.name) is not output and not all(math.isfinite(one.law.largest) for one in factors):
        what = f"activation {output.name!r} is one of your own, and magnitudes have no upper end"
        raise InvalidInputError(what, "choose bounded magnitudes; or sample, as tegum.expected_loss does")
    second = features.second_moment()
    size = np.sqrt(np.diag(second) * features.feature_density)
    return SmoothLaw(tuple(factors), combination, second, size, output, known_code(output))


def _built(features: Features) -> tuple[list[Transform], Combination]:
    """The factor of each feature, and how they combine."""
    if isinstance(features, Joined):
        parts = [_built(part) for part in features.parts]
        ends = np.cumsum([0, *(len(factors) for factors, _ in parts)])
        return [one for factors, _ in parts for one in factors], _Beside([part for _, part in parts], ends)
    if isinstance(features, Mixture):
        parts = [_built(part) for part in features.components]
        if any(factors != parts[0][0] for factors, _ in parts):
            raise InvalidInputError("a part is a Mixture of different magnitudes", f"mix the whole instead, or {ON_SAMPLES}")
        return parts[0][0], _Mixed([part for _, part in parts], features.weights)
    name = type(features).__name__
    if not hasattr(features, "magnitude"):
        raise InvalidInputError(f"{name} stands beside other distributions", f"the exact engine takes it alone; {ON_SAMPLES}")
    factor = Transform(features.magnitude, features.signed)
    factor.require_known()
    if isinstance(features, KSparse):
        return [factor] * features.n_features, Choices(features.n_features, features.n_active)
    if not features.has_blocks():
        raise InvalidInputError(f"{name} has no independent blocks", f"give it a method blocks(), or {ON_SAMPLES}")
    return [factor] * features.n_features, BlockProduct(features.blocks())


@final
@dataclass(frozen=True, eq=False)
class _Beside:
    """Independent parts side by side; ``ends`` are where their features begin and end."""

    parts: list[Combination]
    ends: NDArray[np.int64]

    def __call__(self, A: Values) -> tuple[Values, Values]:
        """Products of the parts' functions."""
        each = [part(A[a:e]) for part, a, e in zip(self.parts, self.ends, self.ends[1:], strict=False)]
        by = []
        for k, (_, own) in enumerate(each):
            others = np.prod([M for at, (M, _) in enumerate(each) if at != k], axis=0)
            by.append(own * others)
        return np.asarray(np.prod([M for M, _ in each], axis=0)), np.concatenate(by)


@final
@dataclass(frozen=True, eq=False)
class _Mixed:
    """Alternatives with their weights."""

    parts: list[Combination]
    weights: Floats

    def __call__(self, A: Values) -> tuple[Values, Values]:
        """Weighted sums of the alternatives' functions."""
        each = [part(A) for part in self.parts]
        M = np.sum([w * one for w, (one, _) in zip(self.weights, each, strict=True)], axis=0)
        return np.asarray(M), np.sum([w * by for w, (_, by) in zip(self.weights, each, strict=True)], axis=0)
