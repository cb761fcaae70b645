"""Any bounded magnitudes, and k of n features: inversion of the moment generating function, in NumPy, all rows at once.

    E r(s)^2 = sum_k' (2 / P) Re [2 e^{z_k b} M(z_k) / z_k^3] - alias,      z_k = (2 + 2 pi i k) / P

as in `tegum.exact.kernel`; M is a product over blocks, or for k of n features the elementary symmetric polynomial e_k of the
factors A(z g_i) over C(n, k).  "Nothing active" and "only i active" are taken out and added in closed form.  Nothing is split
by size, so that couplings of very different sizes, and outputs of dropped features, need more terms than in the compiled
engine: what is left falls like K^-2 to K^-4, and the error says so.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.exact.laws.answer import ON_SAMPLES, ROUNDING, Answer, Asked
from tegum.exact.laws.magnitude import Transform, Values
from tegum.features import Blocks, Features, KSparse

_FIRST, _CAUTION, _FLOOR = 64, 2.0, 0.125
_ALPHA_P, _ROOM, _LADDER = 2.0, 1.2, 4
_Q = math.exp(-_ALPHA_P)
_ALIAS = _Q / (1 - _Q), _Q / (1 - _Q) ** 2, _Q * (1 + _Q) / (1 - _Q) ** 3
_CHUNK_NUMBERS = 2**18
_SLOPE_SCALE = 100.0

Floats = NDArray[np.float64]


class TakenOut(NamedTuple):
    """Of each row the probability that no feature moves its sum (rows,), that only i does (rows, n), and who never can.

    A block without coupling in a row, which is not the own feature's, may be as active as it likes (``unknown``).
    """

    nothing: Floats
    alone: Floats
    unknown: NDArray[np.bool_]


class Product(Protocol):
    """How a law's moment generating function is made of the factors of its features, and what is taken out of it."""

    def taken_out(self, G: Floats, own: NDArray[np.bool_]) -> TakenOut:
        """What is taken out of it for each row of G (rows, n), whose ``own`` feature is marked."""
        ...

    def idle(self, chosen: NDArray[np.bool_]) -> float:
        """At most the probability that none of the chosen features is active."""
        ...

    def __call__(self, A: Values) -> tuple[Values, Values]:
        """M (...) of the factors (n, ...), and its derivative by each."""
        ...


@final
class BlockProduct:
    """Independent blocks."""

    def __init__(self, blocks: Blocks) -> None:
        self.owner, self.component, self.p = blocks.block_of_component, blocks.component_of_feature, blocks.probability
        count = int(self.owner[-1]) + 1
        self.inactive = np.maximum(1 - np.bincount(self.owner, weights=self.p, minlength=count), 0)
        self.single = np.bincount(self.component)[self.component] == 1

    def taken_out(self, G: Floats, own: NDArray[np.bool_]) -> TakenOut:
        """Products over the blocks that a row knows."""
        block_of = self.owner[self.component]
        coupled = (G != 0) | own
        known = np.array([coupled[:, block_of == k].any(axis=1) for k in range(len(self.inactive))])
        nothing, others = _products(np.where(known, self.inactive[:, None], 1.0))
        alone = known[block_of] * others[block_of]
        return TakenOut(nothing, (alone * (self.single * self.p[self.component])[:, None]).T, ~known[block_of].T)

    def idle(self, chosen: NDArray[np.bool_]) -> float:
        """The product over the blocks that hold them."""
        return float(np.prod(self.inactive[np.unique(self.owner[self.component[chosen]])]))

    def __call__(self, A: Values) -> tuple[Values, Values]:
        """Products within components, sums within blocks, products of blocks."""
        by = np.empty_like(A)
        blocks = []
        for block, q in enumerate(self.inactive):
            factor = np.full(A.shape[1:], q, dtype=np.complex128)
            for c in np.flatnonzero(self.owner == block):
                members = np.flatnonzero(self.component == c)
                whole, by[members] = _products(A[members])
                factor += self.p[c] * whole
                by[members] *= self.p[c]
            blocks.append(factor)
        M, others = _products(np.array(blocks))
        return M, by * others[self.owner[self.component]]


@final
class Choices:
    """Exactly k of n features: e_k of their factors, by one feature after the other."""

    def __init__(self, n: int, k: int) -> None:
        self.n, self.k, self.count = n, k, math.comb(n, k)

    def taken_out(self, G: Floats, own: NDArray[np.bool_]) -> TakenOut:
        """Nothing: with k > 1 other features are active as well."""
        return TakenOut(np.zeros(len(G)), np.zeros(G.shape), np.zeros(G.shape, dtype=bool))

    def idle(self, chosen: NDArray[np.bool_]) -> float:
        """0 where more than n - k of them would have to be inactive."""
        return 0.0 if chosen.sum() > self.n - self.k else 1.0

    def __call__(self, A: Values) -> tuple[Values, Values]:
        """The sum over all choices of k factors, over C(n, k)."""
        before, after = self._polynomials(A), self._polynomials(A[::-1])
        by = np.empty_like(A)
        for i in range(len(A)):
            rest = after[len(A) - 1 - i]
            by[i] = sum(before[i][a] * rest[self.k - 1 - a] for a in range(self.k))
        return before[-1][self.k] / self.count, by / self.count

    def _polynomials(self, A: Values) -> list[Values]:
        """e_0 .. e_k of the first 0, 1, ..., n factors."""
        one = np.zeros((self.k + 1, *A.shape[1:]), dtype=np.complex128)
        one[0] = 1
        found = [one]
        for factor in A:
            one = one.copy()
            one[1:] += factor * found[-1][:-1]
            found.append(one)
        return found


def _products(A: Any) -> tuple[Any, Any]:
    """The product over the first axis, and without each factor; zeros do no harm."""
    before, after = np.ones_like(A), np.ones_like(A)
    np.cumprod(A[:-1], axis=0, out=before[1:])
    after[:-1] = np.cumprod(A[:0:-1], axis=0)[::-1]
    others = before * after
    return A[0] * others[0], others


class _Sums(NamedTuple):
    """Partial sums of a series: the last one, and the smallest and largest since the number of terms last doubled."""

    last: Floats
    least: Floats
    most: Floats

    def spread(self, from_: Floats) -> Floats:
        """How far partial sums were from a number."""
        return np.maximum(from_ - self.least, self.most - from_)

    def anew(self) -> "_Sums":
        """The same sum, of which nothing is noted."""
        return _Sums(self.last, self.last, self.last)

    def extended(self, terms: Floats) -> "_Sums":
        """The sum with more terms (..., k)."""
        partial = self.last[..., None] + np.cumsum(terms, axis=-1)
        least, most = partial.min(axis=-1), partial.max(axis=-1)
        return _Sums(partial[..., -1], np.minimum(self.least, least), np.maximum(self.most, most))


class _Rows(NamedTuple):
    """Rows with a kink: couplings (rows, n), biases (rows,), which feature is theirs (rows, n), periods and importances."""

    G: Floats
    b: Floats
    own: NDArray[np.bool_]
    P: Floats
    importance: Floats

    def of_own(self, each: Floats) -> Floats:
        """What each row's own feature has of ``each`` (n,) or (rows, n)."""
        return np.asarray((self.own * each).sum(axis=1))


@final
@dataclass(frozen=True, eq=False)
class TransformLaw:
    """A law by its moment generating function: factors of the features, how they combine, E x, E x x^T, about E |x|."""

    factor: Transform
    product: Product
    mean: Floats
    second: Floats
    size: Floats

    def answer(self, G: Floats, b: Floats, importance: Floats, asked: Asked) -> Answer:
        """The squared errors of one model."""
        n = len(b)
        low, high = self._reach(G, b)
        linear, own = low >= 0, np.eye(n, dtype=bool)
        value, by_map, by_b = (np.where(linear, part.T, 0.0).T for part in self._always(G, b, own))
        squares, rows, terms = np.diag(self.second) + value, np.flatnonzero(~linear & (high > 0)), 0
        error = ROUNDING * (1 + n / 16) * (np.diag(self.second) + np.abs(value))
        error_b = error.copy()
        if rows.size:
            room = _ROOM * np.maximum(high, -low)[rows]
            kinked = _Rows(G[rows], b[rows], own[rows], 2.0 ** (np.ceil(np.log2(room) * _LADDER) / _LADDER), importance[rows])
            rest = float(importance @ squares)
            scale = float((importance * self.size).max())
            (value, by_map[rows], by_b[rows]), errors, terms = self._inverted(kinked, rest, scale, asked)
            squares[rows] += value
            error[rows], error_b[rows] = errors
        largest, loss_error = float((importance * error_b).max()), float(importance @ error)
        return Answer(np.maximum(squares, 0), loss_error, largest, terms, importance[:, None] * by_map, importance * by_b)

    def _inverted(
        self, rows: "_Rows", rest: float, scale: float, asked: Asked
    ) -> tuple[tuple[Floats, Floats, Floats], tuple[Floats, Floats], int]:
        """T E r(s)^2 of rows with a kink, with derivatives; errors of values and of derivatives; and the terms.

        ``rest`` is the loss without these, and ``scale`` how large derivatives are.
        """
        removed = self.product.taken_out(rows.G, rows.own)
        closed = self._closed(rows, removed)
        found, error, error_b, terms = self._series(rows, removed, closed[0], rest, scale, asked)
        value, by_b = closed[0] + found[0], closed[2] + found[2]
        by_map = np.where(removed.unknown, self.mean * by_b[:, None], closed[1] + found[1])
        size = rows.of_own(np.diag(self.second)) + np.abs(value) + rows.P**2
        rounding = ROUNDING * (1 + rows.G.shape[1] / 16) * size + closed[3]
        unseen = self._unseen(rows, rows.P / terms, removed)
        return (value, by_map, by_b), (error + rounding, error_b + unseen + rounding / np.minimum(rows.P, 1)), terms

    def _reach(self, G: Floats, b: Floats) -> tuple[Floats, Floats]:
        """The smallest and the largest s of every row, as if all features could be active at once, or any not."""
        low, high = self.factor.reach
        ends = np.array([np.zeros_like(G), low * G, high * G])
        return b + ends.min(axis=0).sum(axis=1), b + ends.max(axis=0).sum(axis=1)

    def _unseen(self, rows: "_Rows", finest: Floats, removed: TakenOut) -> Floats:
        """What the terms spent cannot see of E x_j [s > 0], of each row.

        Couplings below ``finest``, and biases next to the kink, move s across 0 on a scale that only later terms resolve:
        partial sums rest halfway until then.  It is at most 2 E |x_j| times the probability that no larger coupling is active,
        less that of what is taken out.
        """
        reach = max(abs(end) for end in self.factor.reach)
        size = np.abs(rows.G) * reach
        small = size <= finest[:, None]
        near = np.abs(rows.b) <= finest + (size * small).sum(axis=1)
        found, alone = np.zeros(len(rows.b)), rows.of_own(removed.alone)
        for k in np.flatnonzero(near & (small & rows.own).any(axis=1)):
            left = self.product.idle(~small[k]) - removed.nothing[k] - alone[k]
            found[k] = 2 * rows.of_own(self.size)[k] * max(left, 0.0)
        return found

    def _always(self, G: Floats, b: Floats, own: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
        """T E s^2 and its derivatives, T = 1 - d/dg_j, of rows whose feature j is marked."""
        mean, second = own @ self.mean, own @ self.second
        through = G @ self.second
        square = b * b + 2 * b * (G @ self.mean) + (through * G).sum(axis=1)
        crossed = b * mean + (through * own).sum(axis=1)
        by_map = 2 * (b[:, None] * self.mean + through - second)
        return square - 2 * crossed, by_map, 2 * (b + G @ self.mean - mean)

    def _closed(self, rows: "_Rows", removed: TakenOut) -> tuple[Floats, Floats, Floats, float]:
        """What was taken out of the series, and the alias of what is left, with derivatives by G and b; and its error."""
        (nothing, alone, _), (G, b, own, P, _), doubt = removed, rows, 0.0
        a0, a1, a2 = _ALIAS[0], 2 * P * _ALIAS[1], P * P * _ALIAS[2]
        square, square_map, square_b = self._always(G, b, own)
        mass = 1 - nothing - alone.sum(axis=1)
        first = square_b / 2
        top = np.maximum(b, 0)
        value, by_map, by_b = nothing * top * top, np.zeros(G.shape), 2 * nothing * top
        if alone.any():
            (F, F_b, F_g), doubt = self.factor.means(np.broadcast_to(b[:, None], G.shape), G, own)
            doubt *= float(alone.sum(axis=1).max())
            value, by_b, by_map = value + (F * alone).sum(axis=1), by_b + (F_b * alone).sum(axis=1), F_g * alone
        u1, u2 = self._moments()
        one = b[:, None] + G * u1
        one_square = b[:, None] ** 2 + 2 * b[:, None] * G * u1 + G * G * u2
        crossed = b[:, None] * u1 + G * u2
        left = square - nothing * b * b - ((one_square - 2 * own * crossed) * alone).sum(axis=1)
        left_first = first - nothing * b - ((one - own * u1) * alone).sum(axis=1)
        left_map = square_map - 2 * (crossed - own * u2) * alone
        left_b = square_b - 2 * nothing * b - 2 * ((one - own * u1) * alone).sum(axis=1)
        value = value - (a0 * left + a1 * left_first + a2 * mass)
        by_map = by_map - (a0 * left_map + a1[:, None] * (self.mean - alone * u1))
        return value, by_map, by_b - (a0 * left_b + a1 * mass), doubt

    def _moments(self) -> tuple[float, float]:
        """E x and E x^2 of an active feature."""
        law = self.factor.law
        return (0.0 if self.factor.signed else law.moment(1)), law.moment(2)

    def _series(
        self, rows: "_Rows", removed: TakenOut, closed: Floats, rest: float, scale: float, asked: Asked
    ) -> tuple[tuple[Floats, Floats, Floats], Floats, Floats, int]:
        """The sums of all rows with their derivatives, the errors of these, and the number of terms."""
        count, n = rows.G.shape
        zero = [np.zeros(shape) for shape in ((count,), (count, n), (count,))]
        fixed = asked.least == asked.most
        done, until = 0, max(asked.most // 4 if fixed else _FIRST // 4, 1)
        now = [_Sums(start, start, start) for start in zero]
        while True:
            before, now = now, [one.anew() for one in now]
            step = max(8, _CHUNK_NUMBERS // (count * n))
            for first in range(done, until, step):
                more = self._terms(rows, removed, first, min(first + step, until), asked.gradient)
                now = [one.extended(terms) for one, terms in zip(now, more, strict=True)]
            # twice what the second half of the terms wandered; an eighth of that of the second quarter is the least
            wide = [
                np.maximum(one.spread(one.last), _FLOOR * old.spread(one.last)) for one, old in zip(now, before, strict=True)
            ]
            error, error_b = (_CAUTION * one for one in (wide[0], np.maximum(wide[2], wide[1].max(axis=1))))
            done = until
            loss = abs(rest + float(rows.importance @ (now[0].last + closed)))
            enough = done >= _FIRST and rows.importance @ error <= asked.tol * loss and not fixed
            if asked.gradient:
                enough = enough and float((rows.importance * error_b).max()) <= _SLOPE_SCALE * asked.tol * scale
            if done >= asked.most or enough:
                return (now[0].last, now[1].last, now[2].last), error, error_b, done
            until = min(2 * done, asked.most)

    def _terms(self, rows: "_Rows", removed: TakenOut, first: int, last: int, gradient: bool) -> list[Floats]:
        """Terms ``first`` to ``last - 1`` of every row (rows, k), of its derivatives by G (rows, n, k) and by b (rows, k)."""
        G, b, own, P, _ = rows
        z: Values = ((_ALPHA_P + 2j * np.pi * np.arange(first, last)) / P[:, None]).astype(np.complex128)
        A, slope, bend = self._factors(G.T, z)
        D = z * slope
        at, row = own.T, np.nonzero(own.T)[1]
        A[at] -= D[at]
        D[at] -= z[row] ** 2 * bend[at]
        M, by = self.product(A)
        weight = 4 / (P[:, None] * z**3) * np.exp(z * b[:, None])
        if first == 0:
            weight[:, 0] /= 2
        left = M - removed.nothing[:, None] - np.einsum("ji,ijk->jk", removed.alone, A)
        value = (weight * left).real
        if not gradient:
            return [value, np.zeros((*G.shape, 1)), np.zeros((len(b), 1))]
        by_map = (weight * (by - removed.alone.T[:, :, None]) * D).real
        return [value, by_map.swapaxes(0, 1), (weight * z * left).real]

    def _factors(self, G: Floats, z: Values) -> tuple[Values, Values, Values]:
        """A(z g) with two derivatives, of couplings G (n, rows) and z (rows, k); where g is 0 they are moments."""
        i, row = np.nonzero(G)
        found = [np.full((*G.shape, z.shape[1]), moment, dtype=np.complex128) for moment in (1.0, *self._moments())]
        for whole, part in zip(found, self.factor(z[row] * G[i, row][:, None]), strict=True):
            whole[i, row] = part
        return found[0], found[1], found[2]


def transform_law(features: Features) -> TransformLaw:
    """The law of blocks of bounded magnitudes.

    Raises:
        InvalidInputError: where there are no blocks, or the magnitudes cannot be treated.
    """
    if not features.has_blocks():
        name = type(features).__name__
        raise InvalidInputError(f"{name} has no independent blocks", f"give it a method blocks(), or {ON_SAMPLES}")
    factor = Transform(features.magnitude, features.signed)
    factor.require_usable()
    return TransformLaw(factor, BlockProduct(features.blocks()), *_moments(features))


def choices_law(features: KSparse) -> TransformLaw:
    """The law of k of n features of bounded magnitudes; an `InvalidInputError` where they are not."""
    factor = Transform(features.magnitude, features.signed)
    factor.require_usable()
    product = Choices(features.n_features, features.n_active)
    return TransformLaw(factor, product, *_moments(features))


def _moments(features: Features) -> tuple[Floats, Floats, Floats]:
    """E x, E x x^T, and about E |x|."""
    size = features.feature_density * math.sqrt(features.magnitude.moment(2))
    return features.mean(), features.second_moment(), size
