"""One dimension too few: which features share the loss of it, for any number of features.

With n features in m = n - 1 dimensions W leaves out one direction v.  The candidates are v = e_i (feature i is dropped),
v = (e_i + e_j) / sqrt 2 (an antipodal pair) and, in general, the regular simplex of k features in k - 1 dimensions; all others
get a dimension each.  What a simplex costs depends on its features only through the sum of their importances:

    loss = (I_1 + ... + I_k) S_k(p)           S_1 = p/3 - p^2/4,    S_2 = p^2/6,    S_3 = p^2/8 + p^3/24,    ...

so the k least important features share it, and the phase diagram of any n is a comparison of n numbers.  S_k above are those of
unit vectors without bias; `best_simplex` finds the norm and bias that cost least.

>>> shared_loss(0.3, [1, 1, 0.6]).round(6)                  # the two least important features share as an antipodal pair
array([0.0465  , 0.024   , 0.032175])
>>> {name: float(loss.round(6)) for name, loss in phase_losses(2, density=0.3, ratio=0.5).items()}
{'extra ignored': 0.03875, 'another ignored': 0.0775, 'extra in a pair': 0.0225}

Source: the candidates of section 3 of `Toy Models of Superposition`, generalised; its appendix on polytopes names the simplex
as what is orthogonal to (1, ..., 1).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from tegum.errors import InvalidInputError
from tegum.exact import loss, loss_and_gradient
from tegum.features import Independent
from tegum.geometry import ignoring
from tegum.theory.candidates import dropped_loss

_TERMS_TOL = 1e-9
_PHASES = (
    ("extra ignored", "another ignored"),
    ("extra in a pair", "two others in a pair"),
    ("extra in a triangle", "three others in a triangle"),
    ("extra in a simplex of {k}", "{k} others in a simplex"),
)


def _orthogonal_to_ones(size: int) -> NDArray[np.float64]:
    """W (k - 1, k) of the regular simplex."""
    return ignoring(np.ones((1, size)) / np.sqrt(size))


def simplex_loss(size: int, density: ArrayLike, norm: float = 1.0, bias: float = 0.0) -> NDArray[np.float64]:
    """S_k: what each of k equal features of a regular simplex costs, elementwise over densities.

    Every feature has this norm, every output this bias; size 1 is a dropped feature whose output is its mean.

    Raises:
        InvalidInputError: for a size below 1.
    """
    p = np.asarray(density, dtype=np.float64)
    if size < 1:
        raise InvalidInputError(f"size is {size}", "choose at least 1")
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

        tries = [minimize(of_two, start, jac=True, method="BFGS", options={"gtol": 1e-9}) for start in ([1.0, 0.0], before)]
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
    ``two others in a pair``, ``extra in a triangle``, ... up to the simplex of all n.  Density and ratio broadcast.

    Raises:
        InvalidInputError: for fewer than two features.
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
