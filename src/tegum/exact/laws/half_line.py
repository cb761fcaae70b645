"""Means of powers on a half line, E h(x_i) (c + g.x)_+^j: moments and tails of an error are sums of them.

    E h(x_i) (s)_+^j = (2 j! / P) Re sum'_k e^{z_k c} M(z_k) / z_k^{j+1} - alias,        z_k = (2 + 2 pi i k) / P

with s = c + g.x between -P and P, M(z) = E h(x_i) e^{z g.x} (the sum's first term counts half), and with q = e^-2

    alias = sum_{r >= 1} q^r E h(x_i) (s + r P)^j,        a polynomial in moments E h(x_i) s^m: derivatives of e^{zc} M at 0

For j = 0 it is the mean of h where s > 0.  "No feature moves s" and "one does" are taken out of M and added in closed form;
what is left of it falls like z^-2.  P is where Chernoff's bound leaves 1e-18 outside, so that magnitudes may be unbounded.

`HalfLine` does this for one output of any law of independent blocks, or of k of n features.  Of x_i, and of what h is of it, it
knows a sum of `Part`s, each a power of a magnitude that is shifted, has a sign and a weight; and what h is at 0.

Sources: Abate and Whitt (1992), for the inversion; Chernoff (1952).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from tegum.exact.laws.magnitude import Transform, Values, quadrature
from tegum.exact.laws.transform import Product
from tegum.features import Exponential, Magnitude, Uniform

Floats = NDArray[np.float64]

_ALPHA_P, _ROOM, _OUTSIDE, _SMALLEST = 2.0, 1.2, 42.0, 1e-6
_THETA = 2.0 ** np.arange(-5, 8)
_FIRST, _CAUTION, _ROUNDING = 64, 2.0, 1e-15
_CIRCLE, _RADIUS, _ALIASES = 32, 3.0, 60
NODES, _EXACT = 48, 10
_CHUNK_NUMBERS = 2**20


class Part(NamedTuple):
    """``weight`` E (sign u)^power f(sign (shift + u)) of an active feature's magnitude u of a law."""

    weight: float
    law: Magnitude
    sign: float = 1.0
    shift: float = 0.0
    power: int = 0


class Ask(NamedTuple):
    """E h(x_i) (constant + g.x)_+^power: h by its parts where x_i is active, and what it is at 0."""

    constant: float
    active: tuple[Part, ...]
    inactive: float
    power: int


def derivatives(law: Magnitude, z: Values, most: int) -> Values:
    """E u^l e^{zu} for l from 0 to ``most``, (l, ...), in closed form or by Cauchy's integral over a circle."""
    if isinstance(law, Exponential):
        return np.array([law.moment(k) / (1 - law.mean * z) ** (k + 1) for k in range(most + 1)])
    whole = Transform(law, False)
    if not most:
        return whole(z)[0][None] if isinstance(law, Uniform) else np.asarray(law.generating(z))[None]
    radius = _RADIUS / max(abs(end) for end in whole.reach_of_u)
    turns = np.exp(2j * np.pi * np.arange(_CIRCLE) / _CIRCLE)
    around = np.array([derivatives(law, z + radius * turn, 0)[0] for turn in turns])
    sums = np.fft.fft(around, axis=0)
    return np.array([sums[k] * (math.factorial(k) / (_CIRCLE * radius**k)) for k in range(most + 1)])


def doubt_of(found: Callable[[int], float], law: Magnitude) -> float:
    """By how much a mean changes with fewer nodes of quadrature: 0 of laws whose means are closed forms."""
    return 0.0 if isinstance(law, Uniform | Exponential) else abs(found(NODES) - found(2 * NODES // 3))


def mean_of(part: Part, c: Floats, g: Floats, power: int, nodes: int = NODES) -> Floats:
    """What a part makes of E h(x) (c + g x)_+^power, elementwise in c and g; ``nodes`` of laws that need quadrature."""
    start, slope = c + g * part.sign * part.shift, g * part.sign

    def f(u: Floats) -> Floats:
        s = start[..., None] + slope[..., None] * u
        return np.asarray(u**part.power * np.where(s > 0, np.maximum(s, 0) ** power, 0.0))

    if isinstance(part.law, Exponential):
        found = part.law.mean**part.power * _exponential_mean(part.power, power, start, part.law.mean * slope)
    else:
        p, w = quadrature(_EXACT if (exact := isinstance(part.law, Uniform)) else nodes, exact)
        kink = Transform(part.law, False).probability_of_kink(start, slope)
        found = np.zeros_like(start)
        for left, width in ((np.zeros_like(kink), kink), (kink, 1 - kink)):
            u = part.law.quantile(np.minimum(left[..., None] + width[..., None] * p, 1 - 1e-16))
            found += width * (f(np.asarray(u)) @ w)
    return np.asarray(part.weight * part.sign**part.power * found)


def _alias_share(power: int, m: int) -> float:
    """What coefficient m of e^{zc} M, on the circle of radius 2/P, is multiplied with in the alias over P^power."""
    r, rest = np.arange(1, _ALIASES), power - m
    series = float((r**rest * np.exp(-_ALPHA_P * r)).sum())
    return math.comb(power, m) * math.factorial(m) / _ALPHA_P**m * series


def _amplified(power: int) -> float:
    """By how much rounding grows on its way into the alias."""
    return 1 + math.exp(_ALPHA_P) * sum(_alias_share(power, m) for m in range(power + 1))


def _exponential_mean(own: int, power: int, b: Floats, g: Floats) -> Floats:
    """E u^own (b + g u)_+^power of u ~ Exp(1): over all u, less what lies on the other side of the kink."""
    v, w = np.polynomial.laguerre.laggauss(_EXACT)
    with np.errstate(divide="ignore", invalid="ignore"):
        kink = np.where(b * g < 0, np.minimum(-b / g, 700.0), 0.0)

    def beyond(k: Floats) -> Floats:
        u = k[..., None] + v
        return np.asarray(np.exp(-k) * ((u**own * (b[..., None] + g[..., None] * u) ** power) @ w))

    whole, late = beyond(np.zeros_like(kink)), beyond(kink)
    crossed = np.where(g > 0, late, whole - late)
    return np.where(b * g < 0, crossed, np.where((b > 0) | ((b == 0) & (g > 0)), whole, 0.0))


@final
@dataclass(frozen=True, eq=False)
class HalfLine:
    """The means of output i: the law of all features, and their couplings g (n,)."""

    law: Magnitude
    signed: bool
    product: Product
    g: Floats
    i: int

    def means(self, asks: Sequence[Ask], tol: float, most: int) -> tuple[Floats, Floats]:
        """What is asked for, and the estimated error of each; ``most`` terms at most, fewer where ``tol`` holds for all."""
        c, j = np.array([ask.constant for ask in asks]), np.array([ask.power for ask in asks])
        P = _ROOM * max(self._reach(1.0) + c.max(), self._reach(-1.0) - c.min(), _SMALLEST)
        closed = np.array([self._closed(ask) for ask in asks]) - self._alias(asks, P)
        rounding = _ROUNDING * P**j * np.array([self._size(ask) * _amplified(ask.power) for ask in asks])
        rounding += [doubt_of(partial(self._closed, ask), self.law) for ask in asks]
        done, until, total = 0, _FIRST, np.zeros(len(asks))
        step = max(8, _CHUNK_NUMBERS // (len(self.g) * len(asks)))
        while True:
            low = high = total
            for first in range(done, until, step):
                k = np.arange(first, min(first + step, until))
                z = (_ALPHA_P + 2j * np.pi * k) / P
                left = self._left(asks, z) * np.exp(z * c[:, None]) / z ** (j[:, None] + 1)
                terms = np.where(k == 0, 1, 2) / P * np.array([math.factorial(one) for one in j])[:, None] * left.real
                sums = total[:, None] + np.cumsum(terms, axis=1)
                low, high = np.minimum(low, sums.min(axis=1)), np.maximum(high, sums.max(axis=1))
                total = sums[:, -1]
            done = until
            error = _CAUTION * np.maximum(high - total, total - low) + rounding + self._unseen(asks, P / done)
            if done >= most or (error <= tol).all():
                return closed + total, error
            until = min(2 * done, most)

    @cached_property
    def active(self) -> float:
        """The probability that x_i is active."""
        return float(self.product(np.ones((len(self.g), 1), dtype=np.complex128))[1].real[self.i, 0])

    @cached_property
    def _few(self) -> tuple[float, Floats, float, Floats]:
        """Probabilities where no, or one other, feature moves s: x_i inactive, and x_i active."""
        at = np.where(self.g == 0, 1.0, 0.0)[:, None] * np.ones((1, 2))
        at[self.i] = 0, 1
        M, by = (part.real for part in self.product(at.astype(np.complex128)))
        moving = self.g != 0
        moving[self.i] = False
        return float(M[0]), by[:, 0] * moving, float(M[1] - M[0]), (by[:, 1] - by[:, 0]) * moving

    def _left(self, asks: Sequence[Ask], z: Values) -> Values:
        """E h(x_i) e^{z g.x} without what was taken out, (asks, k)."""
        A = self._factors(z[None] * self.g[:, None])
        M, by = self.product(A)
        none, one, own, own_one = self._few
        inactive = M - A[self.i] * by[self.i] - none - np.einsum("i,i...->...", one, A)
        active = by[self.i] - own - (0.0 if self.g[self.i] else np.einsum("i,i...->...", own_one, A))
        transforms = self._transforms(asks, z)
        return np.array(
            [
                ask.inactive * inactive + active * sum(transforms(part) for part in ask.active)
                if ask.active
                else ask.inactive * inactive
                for ask in asks
            ]
        )

    def _transforms(self, asks: Sequence[Ask], z: Values) -> Any:
        """For a part of x_i what h makes of e^{z g x}."""
        own, known = self.g[self.i], dict[tuple[Magnitude, float], Values]()
        most = max((part.power for ask in asks for part in ask.active), default=0)

        def transform(part: Part) -> Values:
            if (key := (part.law, part.sign)) not in known:
                known[key] = derivatives(part.law, own * part.sign * z, most)
            share = part.weight * part.sign**part.power * np.exp(own * part.sign * part.shift * z)
            return np.asarray(share * known[key][part.power])

        return transform

    def _factors(self, z: Values) -> Values:
        """E e^{zx} of an active feature."""
        up = derivatives(self.law, z, 0)[0]
        return np.asarray((up + derivatives(self.law, -z, 0)[0]) / 2 if self.signed else up)

    def _closed(self, ask: Ask, nodes: int = NODES) -> float:
        """What was taken out of the series: no feature moves s, or one."""
        none, one, own, own_one = self._few
        c, g, i = np.full(len(self.g), ask.constant), self.g, self.i
        still = float(max(ask.constant, 0) ** ask.power) if ask.constant > 0 else 0.0
        plain = [Part(w, self.law, sign) for w, sign in (((0.5, 1.0), (0.5, -1.0)) if self.signed else ((1.0, 1.0),))]
        others = sum(mean_of(part, c, g, ask.power, nodes) for part in plain)
        value = ask.inactive * (none * still + one @ others)
        if g[i]:
            return float(value + own * sum(mean_of(part, c[:1], g[i : i + 1], ask.power, nodes)[0] for part in ask.active))
        whole = sum(mean_of(part, np.ones(1), np.zeros(1), 0, nodes)[0] for part in ask.active)
        return float(value + whole * (own * still + own_one @ others))

    def _alias(self, asks: Sequence[Ask], P: float) -> Floats:
        """sum_r q^r E h (s + r P)^j over what is left in the series, from derivatives at 0 by Cauchy's integral."""
        radius = _ALPHA_P / P
        turns = np.exp(2j * np.pi * np.arange(_CIRCLE) / _CIRCLE)
        values = self._left(asks, radius * turns) * np.exp(radius * turns * np.array([ask.constant for ask in asks])[:, None])
        found = np.zeros(len(asks))
        for k, ask in enumerate(asks):
            for m in range(ask.power + 1):
                moment = (values[k] @ turns**-m).real / _CIRCLE
                found[k] += P**ask.power * _alias_share(ask.power, m) * moment
        return found

    def _reach(self, side: float) -> float:
        """How far g.x goes to one side: all the way, or where Chernoff's bound is e^-42."""
        g = side * self.g[self.g != 0]
        reach = float(np.maximum(0, [end * g for end in Transform(self.law, self.signed).reach]).max(axis=0, initial=0).sum())
        if reach == 0:
            return 0.0
        g = side * self.g
        steepest = np.abs(g).max() if self.signed else g.max()
        unit = self.law.mean if isinstance(self.law, Exponential) else 1.0
        for theta in _THETA / (np.abs(g).max() * unit):
            if isinstance(self.law, Exponential) and theta * steepest * self.law.mean >= 1:
                break
            with np.errstate(over="ignore", invalid="ignore"):
                M = float(self.product(self._factors((theta * g[:, None]).astype(np.complex128)))[0].real[0])
            if not math.isfinite(M):
                break
            reach = min(reach, (math.log(max(M, 1e-300)) + _OUTSIDE) / theta)
        return max(reach, 0.0)

    def _size(self, ask: Ask) -> float:
        """About how large h is in the mean."""
        own = sum(abs(mean_of(part, np.ones(1), np.zeros(1), 0)[0]) for part in ask.active)
        return float(self._few[2] * own) + abs(ask.inactive)

    def _unseen(self, asks: Sequence[Ask], finest: float) -> Floats:
        """What the terms spent cannot see where probabilities are asked for: couplings below ``finest`` next to the kink."""
        top = _OUTSIDE * self.law.mean if isinstance(self.law, Exponential) else max(map(abs, Transform(self.law, True).reach))
        small = np.abs(self.g) * top <= finest
        if not (self.g[small] != 0).any():
            return np.zeros(len(asks))
        M = float(self.product(small[:, None].astype(np.complex128))[0].real[0])
        near = finest + np.abs(self.g[small]).sum() * top
        return np.array([M * (ask.power == 0 and abs(ask.constant) <= near) for ask in asks])
