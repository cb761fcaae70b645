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
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.exact.batches import evaluated
from tegum.exact.distributions import Distributions, owned, tables
from tegum.exact.kernel.model import Settings
from tegum.exact.laws.answer import ON_SAMPLES, Answer, Asked
from tegum.features import Blocks, Magnitude, Uniform

MOST_COPIES = 1024
_SAFETY = 0.5
_LEAST_TOL = 1e-15


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
        found = self._once(G, b / self.unit, importance, asked)
        loss = float(importance @ found.squared_error)
        if asked.least < asked.most and found.error > asked.tol * loss > 0:
            sharper = max(_SAFETY * asked.tol * asked.tol * loss / found.error, _LEAST_TOL)
            found = self._once(G, b / self.unit, importance, asked._replace(tol=sharper))
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


def blocks_law(
    blocks: Blocks, probability: NDArray[np.float64], weights: NDArray[np.float64], law: Magnitude, signed: bool
) -> BlocksLaw:
    """The law of a mixture: ``probability`` (distributions, components) and ``weights`` (distributions,).

    Raises:
        InvalidInputError: where sets of features of both signs are so large that there would be too many copies.
    """
    unit, pieces = _pieces(law, signed)
    plain = Uniform() if isinstance(law, Uniform) else law
    if pieces == [(1.0, 1.0)]:
        n = len(blocks.component_of_feature)
        found = tables(blocks, probability, np.ones((1, n)), plain)
        return BlocksLaw(found, weights, unit, None)
    feature, component, block, source = list[int](), list[int](), list[int](), list[int]()
    factor, shares = list[float](), list[float]()
    for old, owner in enumerate(blocks.block_of_component):
        members = np.flatnonzero(blocks.component_of_feature == old)
        if len(pieces) ** len(members) * len(members) > MOST_COPIES:
            what = f"a set of {len(members)} features of both signs has {len(pieces)}^{len(members)} combinations of signs"
            advice = f"the exact engine takes up to {MOST_COPIES} copies of features; {ON_SAMPLES}"
            raise InvalidInputError(what, advice)
        for chosen in itertools.product(pieces, repeat=len(members)):
            feature += members.tolist()
            factor += [c for c, _ in chosen]
            component += [len(shares)] * len(members)
            block.append(int(owner))
            shares.append(float(np.prod([share for _, share in chosen])))
            source.append(old)
    n, blocks_so_far = len(blocks.component_of_feature), int(blocks.block_of_component[-1]) + 1
    never = 1 - np.bincount(feature, weights=factor, minlength=n)
    idle = np.flatnonzero(never)
    component += range(len(shares), len(shares) + len(idle))
    block += range(blocks_so_far, blocks_so_far + len(idle))
    every = np.concatenate([probability[:, source] * shares, np.zeros((len(probability), len(idle)))], axis=1)
    wide = Blocks(np.array(component), np.array(block), every)
    c, of = np.array(factor + [0.0] * len(idle)), np.array(feature + idle.tolist())
    coefficient = np.concatenate([factor, never[idle]])
    chance = weights @ every[:, component]
    second = plain.moment(2)
    square = np.bincount(of, weights=chance * second * (c * c - c), minlength=n).astype(np.float64)
    return BlocksLaw(tables(wide, every, np.ones((1, len(of))), plain), weights, unit, Copies(of, c, coefficient, square))


def _pieces(law: Magnitude, signed: bool) -> tuple[float, list[tuple[float, float]]]:
    """A unit, and factors with probabilities: the value is unit times factor times a magnitude that the engine knows."""
    unit, pieces = 1.0, [(1.0, 1.0)]
    if isinstance(law, Uniform) and not law.is_unit:
        unit, width = max(abs(law.low), abs(law.high)), law.high - law.low
        pieces = [(end / unit, abs(end) / width) for end in (law.high, law.low) if end]
    if signed:
        pieces = [(sign * factor, share / 2) for factor, share in pieces for sign in (1, -1)]
    return unit, pieces
