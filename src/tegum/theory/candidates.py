"""What features cost when they are dropped, paired or given a dimension, or share as a simplex: the candidates of the phases.

    dropped      I (p/3 - p^2/4)                      the output is the mean p/2
    paired       (I_1 + I_2) p^2 / 6                  an antipodal pair without bias; both active at once is the only error
    simplex      (I_1 + ... + I_k) S_k(p)             k features in k - 1 dimensions, S_3 = p^2/8 + p^3/24, ...
    dedicated    0

for independent features of density p, uniform on [0, 1], and unit vectors.  Two equal features prefer a pair below p = 4/7.

With n features in m = n - 1 dimensions W leaves out one direction: a basis vector (a feature is dropped), the sum of two of
them (an antipodal pair) and, in general, of k (a regular simplex); all other features get a dimension each.  What a simplex
costs depends on its features only through the sum of their importances, so the k least important share it, and the phase
diagram of any n is a comparison of n numbers.

With importances falling, I_0 >= I_1 >= ..., a model of m dimensions that represents the first N >= m features, dedicated or in
pairs, pairs the least important 2 (N - m), no matter which with which.  One more feature pays exactly if
I_N / I_{2m - N - 1} > 2p / (4 - 5p)  (never for p >= 4/5).

>>> import tegum as tg
>>> shared_loss(0.3, [1, 1, 0.6]).round(6)                  # the two least important of three share as an antipodal pair
array([0.0465  , 0.024   , 0.032175])
>>> importance = tg.features.geometric(0.7, 20)             # in five dimensions, as in the paper
>>> [tg.theory.pair_regime_count(importance, 5, density) for density in (1, 0.3, 0.1, 0.03)]
[5, 7, 9, 10]

Source: `Toy Models of Superposition`, sections 2 and 3 with its authors' theory notebook, generalised; its appendix on
polytopes names the simplex as what is orthogonal to (1, ..., 1).  The count is derived here.
"""

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import require_memory, require_range
from tegum.errors import InvalidInputError, Problems
from tegum.exact import loss, loss_and_gradient
from tegum.features import Independent
from tegum.geometry import ignoring

_TERMS_TOL = 1e-9
_PHASES = (
    ("extra ignored", "another ignored"),
    ("extra in a pair", "two others in a pair"),
    ("extra in a triangle", "three others in a triangle"),
    ("extra in a simplex of {k}", "{k} others in a simplex"),
)


@takes_arrays
def dropped_loss(density: ArrayLike, importance: ArrayLike = 1.0) -> NDArray[np.float64]:
    """I (p/3 - p^2/4): the variance of a feature that is represented by its mean; elementwise."""
    p = np.asarray(density, dtype=np.float64)
    require_range("density", p, 0, 1)
    require_range("importance", importance, 0, 1e30)
    return np.asarray(np.asarray(importance) * (p / 3 - p * p / 4))


@takes_arrays
def paired_loss(density: ArrayLike, importance: ArrayLike = 1.0, other: ArrayLike = 1.0) -> NDArray[np.float64]:
    """(I_1 + I_2) p^2 / 6: both features of an antipodal pair; elementwise."""
    p = np.asarray(density, dtype=np.float64)
    require_range("density", p, 0, 1)
    for name, weight in (("importance", importance), ("other", other)):
        require_range(name, weight, 0, 1e30)
    return np.asarray((np.asarray(importance) + np.asarray(other)) * p * p / 6)


def dedicated_loss(density: ArrayLike) -> NDArray[np.float64]:
    """0: a feature with a dimension of its own; shaped like the density."""
    return np.zeros_like(np.asarray(density, dtype=np.float64))


@takes_arrays
def pair_boundary(ratio: ArrayLike) -> NDArray[np.float64]:
    """The density below which a pair of importances (1, ratio) beats dropping the less important one; elementwise.

    4 r / (5 r + 2) for r <= 1, the same of 1/r above.
    """
    r = np.asarray(ratio, dtype=np.float64)
    require_range("ratio", r, 1e-30, 1e30)
    less = np.minimum(r, 1 / r)
    return np.asarray(4 * less / (5 * less + 2))


@takes_arrays
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
    require_range("density", density, 0, 1)
    require_range("importance", falling, 0, 1e30)
    if falling.ndim != 1 or (np.diff(falling) > 0).any():
        raise InvalidInputError(f"importance is {falling}", "give one number for each feature, most important first")
    if not 1 <= n_hidden <= falling.size:
        raise InvalidInputError(f"n_hidden is {n_hidden}", f"choose from 1 to {falling.size}")
    count = np.arange(n_hidden, min(2 * n_hidden, falling.size))
    one_more_pays = falling[count] * (4 - 5 * density) > 2 * density * falling[2 * n_hidden - count - 1]
    return n_hidden + int(np.append(one_more_pays, False).argmin())


@takes_arrays
def pair_regime_loss(importance: ArrayLike, n_hidden: int, density: float) -> float:
    """The loss of the model that `pair_regime_count` describes, with the same arguments and errors."""
    falling = np.asarray(importance, dtype=np.float64)
    count = pair_regime_count(falling, n_hidden, density)
    paired = falling[2 * n_hidden - count : count]
    return float(paired.sum() * density**2 / 6 + falling[count:].sum() * (density / 3 - density**2 / 4))


def _orthogonal_to_ones(size: int) -> NDArray[np.float64]:
    """W (k - 1, k) of the regular simplex."""
    return ignoring(np.ones((1, size)) / np.sqrt(size))


@takes_arrays
def simplex_loss(size: int, density: ArrayLike, norm: float = 1.0, bias: float = 0.0) -> NDArray[np.float64]:
    """S_k: what each of k equal features of a regular simplex costs, elementwise over densities.

    Every feature has this norm, every output this bias; size 1 is a dropped feature whose output is its mean.

    Raises:
        InvalidInputError: for a size below 1.
    """
    p = np.asarray(density, dtype=np.float64)
    with Problems() as problems:
        problems.check_count("size", size)
        require_memory(f"a simplex of {size} features", 8 * size * size)
    require_range("density", p, 0, 1)
    if size == 1:
        return dropped_loss(p)
    features = Independent(size, density=p[..., None])
    return np.asarray(loss(norm * _orthogonal_to_ones(size), np.full(size, bias), features, tol=_TERMS_TOL)) / size


def best_simplex(size: int, density: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """S_k at the norm and bias that cost least, that norm and that bias at each density; 0 and p/2 for size 1.

    Found from norm 1 and bias 0, and from the best of the density before.
    """
    densities = np.atleast_1d(np.asarray(density, dtype=np.float64))
    if size == 1:
        return dropped_loss(densities), np.zeros_like(densities), densities / 2
    unit = _orthogonal_to_ones(size)
    found = np.empty((3, densities.size))
    before = np.array([1.0, 0.0])
    for k, p in enumerate(densities):
        features = Independent(size, density=float(p))

        def of_two(x: NDArray[np.float64], features: Independent = features) -> tuple[float, NDArray[np.float64]]:
            value, dW, db = loss_and_gradient(x[0] * unit, np.full(size, x[1]), features, tol=_TERMS_TOL)
            return float(value), np.array([(dW * unit).sum(), db.sum()])

        tries = [
            scipy.optimize.minimize(of_two, start, jac=True, method="BFGS", options={"gtol": 1e-9})
            for start in ([1.0, 0.0], before)
        ]
        lowest = min(tries, key=lambda result: float(result.fun))
        before = np.asarray(lowest.x)
        found[:, k] = lowest.fun / size, *before
    return found[0], found[1], found[2]


def shared_loss(density: ArrayLike, importance: ArrayLike) -> NDArray[np.float64]:
    """The loss of n features in n - 1 dimensions if the k least important share, for k = 1 to n, on the last axis.

    The density broadcasts with the leading axes of the importance, (..., n), whose order plays no part.
    """
    least_first = np.sort(np.asarray(importance, dtype=np.float64), axis=-1)
    each = np.stack([simplex_loss(k, density) for k in range(1, least_first.shape[-1] + 1)], axis=-1)
    return np.asarray(np.cumsum(least_first, axis=-1) * each)


def phase_losses(n_features: int, density: ArrayLike, ratio: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """The candidates' losses for importances (1, ..., 1, r), named by the phase of the last, extra feature.

    The names are ``extra ignored``, ``another ignored``, ``extra in a pair``, and from three features on
    ``two others in a pair``, ``extra in a triangle``, ... up to the simplex of all n >= 2.  Density and ratio broadcast.
    """
    if n_features < 2:
        raise InvalidInputError(f"n_features is {n_features}", "choose at least 2")
    r = np.asarray(ratio, dtype=np.float64)
    losses: dict[str, NDArray[np.float64]] = {}
    for size in range(1, n_features + 1):
        each = simplex_loss(size, density)
        with_extra, without = _PHASES[min(size, len(_PHASES)) - 1]
        losses[with_extra.format(k=size)] = (size - 1 + r) * each
        if size < n_features:
            losses[without.format(k=size)] = (size + 0 * r) * each
    return losses
