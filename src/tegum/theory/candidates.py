"""What one feature costs when it is dropped, paired or given a dimension: the candidates of the phase diagrams.

    dropped      I (p/3 - p^2/4)            the output is the mean p/2
    paired       (I_1 + I_2) p^2 / 6        an antipodal pair of norm 1 without bias; both active at once is the only error
    dedicated    0

for independent features of density p, uniform on [0, 1].  Two equal features prefer a pair below p = 4/7, where
p/3 - p^2/4 = 2 p^2/6.

With importances falling, I_0 >= I_1 >= ..., and m hidden dimensions, a model that represents the first N >= m features pairs
the least important 2 (N - m) of them, no matter which with which, and gives the others a dimension each.  One more feature pays
exactly if  I_N / I_{2m - N - 1} > 2p / (4 - 5p)  (never for p >= 4/5).

>>> import tegum as tg
>>> importance = tg.features.geometric(0.7, 20)                                            # in five dimensions, as in the paper
>>> [tg.theory.pair_regime_count(importance, 5, density) for density in (1, 0.3, 0.1, 0.03)]
[5, 7, 9, 10]

Source: `Toy Models of Superposition`, sections 2 and 3, and its authors' theory notebook; the count is derived here.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.errors import InvalidInputError


def dropped_loss(density: ArrayLike, importance: ArrayLike = 1.0) -> NDArray[np.float64]:
    """I (p/3 - p^2/4): the variance of a feature that is represented by its mean; elementwise."""
    p = np.asarray(density, dtype=np.float64)
    return np.asarray(np.asarray(importance) * (p / 3 - p * p / 4))


def paired_loss(density: ArrayLike, importance: ArrayLike = 1.0, other: ArrayLike = 1.0) -> NDArray[np.float64]:
    """(I_1 + I_2) p^2 / 6: both features of an antipodal pair; elementwise."""
    p = np.asarray(density, dtype=np.float64)
    return np.asarray((np.asarray(importance) + np.asarray(other)) * p * p / 6)


def dedicated_loss(density: ArrayLike) -> NDArray[np.float64]:
    """0: a feature with a dimension of its own; shaped like the density."""
    return np.zeros_like(np.asarray(density, dtype=np.float64))


def pair_boundary(ratio: ArrayLike) -> NDArray[np.float64]:
    """The density below which a pair of importances (1, ratio) beats dropping the less important one; elementwise.

    4 r / (5 r + 2) for r <= 1, the same of 1/r above.
    """
    r = np.asarray(ratio, dtype=np.float64)
    less = np.minimum(r, 1 / r)
    return np.asarray(4 * less / (5 * less + 2))


def pair_regime_count(importance: ArrayLike, n_hidden: int, density: float) -> int:
    """How many features the best model of dedicated features and pairs represents, from m to 2 m.

    Args:
        importance: of every feature, falling, (n,).
        n_hidden: m.
        density: p, above 0, up to 1.

    Raises:
        InvalidInputError: where importances rise, or there are fewer features than dimensions.
    """
    falling = np.asarray(importance, dtype=np.float64)
    if falling.ndim != 1 or (np.diff(falling) > 0).any():
        raise InvalidInputError(f"importance is {falling}", "give one number for each feature, most important first")
    if not 1 <= n_hidden <= falling.size:
        raise InvalidInputError(f"n_hidden is {n_hidden}", f"choose from 1 to {falling.size}")
    count = n_hidden
    while count < min(2 * n_hidden, falling.size):
        gain = falling[count] * (4 - 5 * density)
        if not gain > 2 * density * falling[2 * n_hidden - count - 1]:
            break
        count += 1
    return count


def pair_regime_loss(importance: ArrayLike, n_hidden: int, density: float) -> float:
    """The loss of the model that `pair_regime_count` describes, with the same arguments and errors."""
    falling = np.asarray(importance, dtype=np.float64)
    count = pair_regime_count(falling, n_hidden, density)
    paired = falling[2 * n_hidden - count : count]
    return float(paired.sum() * density**2 / 6 + falling[count:].sum() * (density / 3 - density**2 / 4))
