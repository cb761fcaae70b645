"""How many features a model represents while features are either dedicated or in antipodal pairs.

With importances falling, I_0 >= I_1 >= ..., and m hidden dimensions, a model that represents the first N >= m features pairs
the least important 2 (N - m) of them and gives the others a dimension each.  Its loss is

    sum over pairs (I_i + I_j) p^2 / 6  +  sum over dropped (p/3 - p^2/4) I_k

and one more feature pays exactly if  I_N / I_{2m - N - 1} > 2p / (4 - 5p)  (never for p >= 4/5).  Which features are matched
within the paired set makes no difference.  Example: importance 0.7^i in 5 dimensions gives N = 5, 7, 9, 10 at densities
1, 0.3, 0.1, 0.03, as in the paper's figure.

Source: derived here from the losses in `tegum.theory.candidates`; checked against section 2 of `Toy Models of Superposition`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.errors import InvalidInputError


def _falling(importance: ArrayLike, n_hidden: int) -> NDArray[np.float64]:
    falling = np.asarray(importance, dtype=np.float64)
    if falling.ndim != 1 or (np.diff(falling) > 0).any():
        raise InvalidInputError(f"importance is {falling}", "give one number for each feature, most important first")
    if not 1 <= n_hidden <= falling.size:
        raise InvalidInputError(f"n_hidden is {n_hidden}", f"choose from 1 to {falling.size}")
    return falling


def pair_regime_count(importance: ArrayLike, n_hidden: int, density: float) -> int:
    """How many features the best model of dedicated features and pairs represents, from m to 2 m.

    Args:
        importance: of every feature, falling, (n,).
        n_hidden: m.
        density: p, above 0, up to 1.

    Raises:
        InvalidInputError: where importances rise, or there are fewer features than dimensions.
    """
    falling = _falling(importance, n_hidden)
    count = n_hidden
    while count < min(2 * n_hidden, falling.size):
        gain = falling[count] * (4 - 5 * density)
        if not gain > 2 * density * falling[2 * n_hidden - count - 1]:
            break
        count += 1
    return count


def pair_regime_loss(importance: ArrayLike, n_hidden: int, density: float) -> float:
    """The loss of the model that `pair_regime_count` describes; takes the same arguments.

    Raises:
        InvalidInputError: as `pair_regime_count`.
    """
    falling = _falling(importance, n_hidden)
    count = pair_regime_count(falling, n_hidden, density)
    paired = falling[2 * n_hidden - count : count]
    return float(paired.sum() * density**2 / 6 + falling[count:].sum() * (density / 3 - density**2 / 4))
