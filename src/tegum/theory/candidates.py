"""What one feature costs when it is dropped, paired or given a dimension: the candidates of the phase diagrams.

    dropped      I (p/3 - p^2/4)            the output is the mean p/2
    paired       (I_1 + I_2) p^2 / 6        an antipodal pair of norm 1 without bias; both on at once is the only error
    dedicated    0

for independent features of density p, uniform on [0, 1].  Two equal features prefer a pair below p = 4/7, where
p/3 - p^2/4 = 2 p^2/6.

Source: `Toy Models of Superposition`, section 3, and its authors' theory notebook.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
