"""Independent blocks in the compiled engine, signed magnitudes and uniform ones around 0 included.

The engine knows uniform magnitudes on [0, 1] and exponential ones.  Other values are written with *copies*: a feature of both
signs is two copies of which at most one is active, x_i = u_+ - u_-; one that is uniform on [low, high] around 0 is
x_i = high u_+ + low u_- with probabilities high / (high - low) and -low / (high - low).  In general

    x_i = sum_v c_v u_v          over the copies v of i, each with magnitudes the engine knows, in components of its own

and from the engine's rows E (u_v - r(s))^2 = E u_v^2 + V_v and E r(s)^2 = V_0, the row of a copy that is never active,

    E (x_j - r(s))^2 = E x_j^2 + V_0 + sum_v c_v (V_v - V_0)

Several distributions with the same blocks, the product laws of a mixture, go through the engine together.
"""

import itertools
import math
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.exact.batches import evaluated
from tegum.exact.distributions import Distributions, owned, tables
from tegum.exact.kernel.hessian import Differences, differences_for, hessians_of_rows
from tegum.exact.kernel.landscape import Landscape
from tegum.exact.kernel.model import Settings, enter_distribution, point_for
from tegum.exact.kernel.records import work_for
from tegum.exact.laws.alternatives import Alternatives, Kind
from tegum.exact.laws.answer import ON_SAMPLES, Answer, Asked, sharpened
from tegum.exact.laws.curvature import add_row, add_slopes
from tegum.features import Blocks, Exponential, Magnitude, Uniform
from tegum.threads import in_pieces

Floats = NDArray[np.float64]

MOST_COPIES = 1024
_BRIEF = 1e8


@final
@dataclass(frozen=True, eq=False)
class Copies:
    """Which feature each copy stands for, its factor c, its row's coefficient; ``square`` (n,) is E x_j^2 - sum c E u_v^2."""

    feature: NDArray[np.int64]
    factor: NDArray[np.float64]
    coefficient: NDArray[np.float64]
    square: NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class BlocksLaw:
    """A mixture of distributions with the same blocks: their tables, the weight of each, the unit of x, and its copies."""

    tables: Distributions
    weights: NDArray[np.float64]
    unit: float
    copies: Copies | None

    def answer(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        """The squared errors of one model, by the compiled engine."""
        found = sharpened(lambda how: self._once(G, b / self.unit, importance, how), importance, asked)
        square = self.unit**2
        return Answer(
            square * found.squared_error,
            square * found.error,
            max(square, self.unit) * found.gradient_error,
            found.terms,
            square * found.dG,
            self.unit * found.db,
        )

    def _once(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        count, copies = len(self.weights), self.copies
        settings = Settings(0, 0, int(asked.gradient), asked.least, asked.most, asked.tol)
        rows, by, weight = G, b, importance
        if copies is not None:
            rows, by = G[np.ix_(copies.feature, copies.feature)] * copies.factor, b[copies.feature]
            weight = importance[copies.feature] * np.abs(copies.coefficient)
        own = replace(self.tables, importance=owned(np.broadcast_to(weight, (count, len(weight)))))
        which = np.arange(count)
        models = evaluated(rows[None], by[None], which, own, settings, threads=1, progress=False)
        squares, dG, db = self.weights @ models.squared_error, np.zeros_like(rows), np.zeros_like(by)
        if asked.gradient:
            dG, db = np.tensordot(self.weights, models.dW, 1), self.weights @ models.db
        error = float(self.weights @ models.error)
        gradient_error = float(self.weights @ models.gradient_error) if asked.gradient else 0.0
        terms = int(models.terms.max())
        if copies is None:
            return Answer(squares, error, gradient_error, terms, dG, db)
        n = len(b)
        feature, sign = copies.feature, np.sign(copies.coefficient)
        together = np.zeros(n) + copies.square
        np.add.at(together, feature, copies.coefficient * squares)
        by_map, by_bias = np.zeros((n, n)), np.zeros(n)
        if asked.gradient:
            by_row = np.zeros((n, len(feature)))
            np.add.at(by_row, feature, sign[:, None] * dG)
            np.add.at(by_map.T, feature, (by_row * copies.factor).T)
            np.add.at(by_bias, feature, sign * db)
        most = float(np.bincount(feature).max())
        return Answer(together, error, most * gradient_error, terms, by_map, by_bias)

    def hessian(self, W: Floats, b: Floats, importance: Floats, step: float, terms: int) -> tuple[Floats, float]:
        """The Hessian of one model y = r(W^T W x + b) by W, row by row, and b, and how a row's differs from side to side.

        Found by the compiled engine as `tegum.exact.kernel.hessian` says.
        """
        (m, n), G, copies = W.shape, W.T @ W, self.copies or _themselves(len(b))
        feature, factor = copies.feature, copies.factor
        share = importance[feature] * copies.coefficient
        rows, slopes, jump = self._of_rows(G[np.ix_(feature, feature)] * factor, b[feature] / self.unit, share, step, terms)
        back = np.zeros((len(feature) + 1, n + 1))  # of a copy's couplings by its feature's, and of the bias
        back[np.arange(len(feature)), feature], back[-1, n] = self.unit * factor, 1.0
        H, S = np.zeros((m * n + n, m * n + n)), np.zeros((n, n))
        for j, part, R, slope in zip(feature, share, rows, slopes, strict=True):
            add_row(H, W, j, part * (back.T @ R @ back))
            S[j] += part * self.unit * (slope @ back)[:n]
        add_slopes(H, m, S)
        return H, max(1.0, self.unit) ** 2 * float(np.abs(share).max()) * jump

    def _of_rows(self, rows: Floats, b: Floats, share: Floats, step: float, terms: int) -> tuple[Floats, Floats, float]:
        """Hessians and gradients of the engine's rows, and how the former jump, of the mixture; 0 where a row has no share."""
        n, tables = len(b), self.tables
        landscape = Landscape(tables.blank(), work_for(n), point_for(n, n), 0, np.ones(n * n + n), terms, 0.0, 0.0)
        landscape.point.W[...], landscape.point.b[...] = rows, b
        counted, jump = np.tile((share != 0).astype(np.float64), (len(self.weights), 1)), 0.0
        found, slopes = np.zeros((n, n + 1, n + 1)), np.zeros((n, n + 1))

        def work(memory: Differences, first: int, end: int) -> None:
            nonlocal jump
            for k in range(first, end):
                one, slope = np.zeros_like(found), np.zeros_like(slopes)
                enter_distribution(landscape.distribution, landscape.point, tables.weight, counted, k)
                jump += self.weights[k] * hessians_of_rows(landscape, memory, step, one, slope)
                np.add(found, self.weights[k] * one, out=found)
                np.add(slopes, self.weights[k] * slope, out=slopes)

        brief = bool(hessians_of_rows.overloads) and len(self.weights) * n**3 * terms <= _BRIEF
        in_pieces(len(self.weights), 1, lambda stop: differences_for(n, n, stop), work, threads=1, brief=brief)
        return found, slopes, jump


def _themselves(n: int) -> Copies:
    """Features that the engine takes as they are."""
    each = np.arange(n)
    return Copies(each, np.ones(n), np.ones(n), np.zeros(n))


def blocks_law(
    blocks: Blocks, probability: NDArray[np.float64], weights: NDArray[np.float64], law: Magnitude, signed: bool
) -> BlocksLaw:
    """The law of a mixture: ``probability`` (distributions, components) and ``weights`` (distributions,).

    Raises:
        InvalidInputError: where sets of features of both signs are so large that there would be too many copies.
    """
    n = len(blocks.component_of_feature)
    unit, pieces = _unit([law]), _pieces(law, signed)
    if pieces == [(unit, 1.0)]:
        return BlocksLaw(tables(blocks, probability, np.ones((1, n)), _standard(law)), weights, unit, None)
    members = [np.flatnonzero(blocks.component_of_feature == c).tolist() for c in range(len(blocks.block_of_component))]
    table = list(zip(blocks.block_of_component.tolist(), members, probability.T, strict=True))
    return _with_copies(table, [(law, signed)] * n, weights)


def alternatives_law(blocks: list[Alternatives], kinds: list[Kind]) -> BlocksLaw:
    """The law of blocks of alternatives, whatever features they share; an `InvalidInputError` for too many copies."""
    table = [(k, list(members), np.array([p])) for k, block in enumerate(blocks) for members, p in block]
    return _with_copies(table, kinds, np.ones(1))


def _with_copies(
    table: list[tuple[int, list[int], NDArray[np.float64]]], kinds: list[Kind], weights: NDArray[np.float64]
) -> BlocksLaw:
    """The law of components (block, members, probability in each distribution), a copy for each member and piece of its law."""
    n, unit, standard = len(kinds), _unit([law for law, _ in kinds]), _standard(kinds[0][0])
    pieces = [_pieces(law, signed) for law, signed in kinds]
    feature, component, block = list[int](), list[int](), list[int]()
    factor, chances = list[float](), list[NDArray[np.float64]]()
    for owner, members, p in table:
        count = math.prod(len(pieces[i]) for i in members)
        if len(feature) + count * len(members) > MOST_COPIES:
            what = f"sets of features of both signs, or that share features, have more than {MOST_COPIES} combinations"
            raise InvalidInputError(what, f"let them be smaller, or {ON_SAMPLES}")
        for chosen in itertools.product(*(pieces[i] for i in members)):
            feature += members
            factor += [c / unit for c, _ in chosen]
            component += [len(chances)] * len(members)
            block.append(owner)
            chances.append(p * math.prod(share for _, share in chosen))
    never = 1 - np.bincount(feature, weights=factor, minlength=n)
    idle = np.flatnonzero(never)
    component += range(len(chances), len(chances) + len(idle))
    block += range(block[-1] + 1, block[-1] + 1 + len(idle))
    chances += [np.zeros(len(weights))] * len(idle)
    every = np.array(chances).T
    c, of = np.array(factor + [0.0] * len(idle)), np.array(feature + idle.tolist())
    coefficient = np.concatenate([factor, never[idle]])
    chance, second = weights @ every[:, component], standard.moment(2)
    square = np.bincount(of, weights=chance * second * (c * c - c), minlength=n).astype(np.float64)
    wide = Blocks(np.array(component), np.array(block), every)
    found = tables(wide, every, np.ones((1, len(of))), standard)
    return BlocksLaw(found, weights, unit, Copies(of, c, coefficient, square))


def in_engine(law: Magnitude) -> bool:
    """Whether the values of a law are magnitudes that the engine knows, times factors."""
    return isinstance(law, Exponential) or (isinstance(law, Uniform) and law.low <= 0 <= law.high)


def _standard(law: Magnitude) -> Magnitude:
    """The magnitudes that the engine is given."""
    return Uniform() if isinstance(law, Uniform) else Exponential(1.0)


def _pieces(law: Magnitude, signed: bool) -> list[tuple[float, float]]:
    """Factors of standard magnitudes, with probabilities."""
    pieces = [(law.moment(1), 1.0)]
    if isinstance(law, Uniform):
        pieces = [(end, abs(end) / (law.high - law.low)) for end in (law.high, law.low) if end]
    return [(sign * factor, share / 2) for factor, share in pieces for sign in (1, -1)] if signed else pieces


def _unit(laws: list[Magnitude]) -> float:
    """The largest factor."""
    return max(abs(factor) for law in laws for factor, _ in _pieces(law, False))
