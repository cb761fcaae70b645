"""Moments of the error of every output, E (x_i - y_i)^k, for whole numbers k: where errors lie, how wide, how skewed.

    E (x_i - r(s_i))^k = sum_j (-1)^j C(k, j) E x_i^(k - j) r(s_i)^j,        s = G x + b

Each mean on the right is one on a half line, found by inversion (`tegum.exact.laws.half_line`), of which those of one output
share everything that costs; a law of finitely many states is summed over.

>>> import tegum as tg
>>> features = tg.features.Independent(2, density=0.1)
>>> found = moments([[1.0, -1.0]], [0.0, 0.0], features, [1, 2])   # a pair: wrong by min(x_0, x_1) where both are active
>>> found.moment.values.round(9)                                         # p^2 / 3 and p^2 / 6
array([[0.00333333, 0.00166667],
       [0.00333333, 0.00166667]])
"""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked
from tegum.datasets import dataset
from tegum.exact.laws.functionals import Inverted
from tegum.exact.laws.half_line import NODES, Ask, HalfLine, Part, doubt_of, mean_of
from tegum.exact.laws.states import StatesLaw
from tegum.exact.tails import one_model
from tegum.features import Features, Magnitude

_MOST, _TOL, _TERMS = 8, 1e-12, 2**13
_ROUNDING = 1e-15

Array = NDArray[np.float64]


@checked
def moments(
    W: ArrayLike, b: ArrayLike, features: Features, orders: Sequence[int] = (1, 2, 3, 4), *, tied: bool = True
) -> xr.Dataset:
    """The moments ``moment`` (feature, order) of x_i - y_i, about 0.

    Args:
        W: weights (m, n), or the map (n, n) with ``tied=False``, of a ReLU-output net.
        b: biases (n,).
        features: a single distribution: independent or in sets, k of n, of uniform or exponential magnitudes or of your own, a
            law of finitely many states, or a mixture of these.
        orders: whole numbers from 1 to 8.
        tied: whether the map is W^T W, as by default.

    Returns:
        The dataset; ``error`` (feature, order) estimates the error of each.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
    """
    G, bias, laws, problems = one_model(W, b, features, tied)
    chosen = list(orders) if isinstance(orders, Sequence | np.ndarray | range) else [orders]
    whole = all(isinstance(k, int | np.integer) and not isinstance(k, bool) and 1 <= k <= _MOST for k in chosen)
    if not chosen or not whole:
        problems.add(f"orders is {orders!r}", f"give a list of whole numbers from 1 to {_MOST}")
    problems.raise_if_any()
    value, error = np.zeros((2, len(bias), len(chosen)))
    for weight, law in laws:
        found = _of_states(law, G, bias, chosen) if isinstance(law, StatesLaw) else _of_inverted(law, G, bias, chosen)
        value, error = value + weight * found[0], error + weight * found[1]
    over = ("feature", "order")
    meanings = {"moment": "mean of the error to the power of the order", "error": "estimated error of the moment"}
    variables = {"moment": (over, value), "error": (over, error)}
    return dataset(variables, {"order": [int(k) for k in chosen]}, {"features": repr(features)}, meanings)


def _of_states(law: StatesLaw, G: Array, b: Array, orders: Sequence[int]) -> tuple[Array, Array]:
    """A sum over the states."""
    value, size = np.zeros((2, len(b), len(orders)))
    for x, p in law.pieces(len(b)):
        off = x - np.maximum(x @ G.T + b, 0)
        for place, k in enumerate(orders):
            value[:, place] += p @ off**k
            size[:, place] += p @ np.abs(off) ** k
    return value, _ROUNDING * len(b) * size


def _of_inverted(law: Inverted, G: Array, b: Array, orders: Sequence[int]) -> tuple[Array, Array]:
    """By inversion, one output after the other."""
    magnitude, signed, product = law
    value, error = np.zeros((2, len(b), len(orders)))
    pairs = sorted({(k - j, j) for k in orders for j in range(1, k + 1)})
    own = {power: _powers(magnitude, signed, power) for power in range(max(orders) + 1)}
    for i, row in enumerate(G):
        line = HalfLine(magnitude, signed, product, row, i)
        asks = [Ask(float(b[i]), own[power], float(power == 0), j) for power, j in pairs]
        found = dict(zip(pairs, zip(*line.means(asks, _TOL, _TERMS), strict=True), strict=True))
        for place, k in enumerate(orders):
            value[i, place] = line.active * _mean(own[k], NODES)
            error[i, place] = line.active * doubt_of(partial(_mean, own[k]), magnitude)
            for j in range(1, k + 1):
                mean, doubt = found[k - j, j]
                value[i, place] += (-1) ** j * math.comb(k, j) * mean
                error[i, place] += math.comb(k, j) * doubt
    return value, error


def _mean(parts: tuple[Part, ...], nodes: int) -> float:
    """E x^k of an active feature."""
    return float(sum(mean_of(part, np.ones(1), np.zeros(1), 0, nodes)[0] for part in parts))


def _powers(law: Magnitude, signed: bool, power: int) -> tuple[Part, ...]:
    """x^power of an active feature."""
    return tuple(Part(1 / (1 + signed), law, sign, power=power) for sign in ((1.0, -1.0) if signed else (1.0,)))
