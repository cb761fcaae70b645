"""One dimension too few: which features share the loss of it, for any number of features.

With n features in m = n - 1 dimensions W leaves out one direction v.  The candidates are v = e_i (feature i is dropped),
v = (e_i + e_j) / sqrt 2 (an antipodal pair) and, in general, the regular simplex of k features in k - 1 dimensions; all others
get a dimension each.  What a simplex costs depends on its features only through the sum of their importances:

    loss = (I_1 + ... + I_k) S_k(p)           S_1 = p/3 - p^2/4,    S_2 = p^2/6,    S_3 = p^2/8 + p^3/24,    ...

so the k least important features share it, and the phase diagram of any n is a comparison of n numbers.  S_k above are those of
unit vectors without bias; `best_simplex` finds the norm and bias that cost least.

Example: `shared_loss(0.3, [1, 1, 0.6])` is (0.0465, 0.024, 0.032175): the two least important share as an antipodal pair.

Source: the candidates of section 3 of `Toy Models of Superposition`, generalised; its appendix on polytopes names the simplex
as what is orthogonal to (1, ..., 1).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from tegum.errors import InvalidInputError
from tegum.exact import loss, loss_and_gradient
from tegum.features import Independent
from tegum.theory.candidates import dropped_loss

_TERMS_TOL = 1e-9
_PHASES = (
    ("extra ignored", "another ignored"),
    ("extra in a pair", "two others in a pair"),
    ("extra in a triangle", "three others in a triangle"),
    ("extra in a simplex of {k}", "{k} others in a simplex"),
)


def left_out(direction: ArrayLike) -> NDArray[np.float64]:
    """W of shape (n - 1, n) with rows that span everything orthogonal to a direction, columns of norm 1 (0 if left out whole).

    Raises:
        InvalidInputError: for a direction of length 0, or of fewer than two entries.
    """
    v = np.asarray(direction, dtype=np.float64)
    if v.ndim != 1 or v.size < 2 or not np.linalg.norm(v) > 0:
        raise InvalidInputError(f"the direction is {v}", "give two numbers at least, not all 0")
    v = v / np.linalg.norm(v)
    basis = np.linalg.svd(v[None])[2][1:]
    norms = np.linalg.norm(basis, axis=0)
    return np.asarray(np.divide(basis, norms, out=np.zeros_like(basis), where=norms > 1e-12))


def simplex_loss(size: int, density: ArrayLike, norm: float = 1.0, bias: float = 0.0) -> NDArray[np.float64]:
    """S_k: what each of k equal features of a regular simplex costs; size 1 is a dropped feature whose output is its mean.

    Args:
        size: k, at least 1.
        density: elementwise.
        norm: of every feature.
        bias: of every output.

    Raises:
        InvalidInputError: for a size below 1.
    """
    p = np.asarray(density, dtype=np.float64)
    if size < 1:
        raise InvalidInputError(f"size is {size}", "choose at least 1")
    if size == 1:
        return dropped_loss(p)
    W = norm * left_out(np.ones(size))
    features = Independent(size, density=p[..., None])
    return np.asarray(loss(W, np.full(size, bias), features, tol=_TERMS_TOL)) / size


def best_simplex(size: int, density: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """S_k at the norm and bias that cost least, found from (1, 0) and from the best of the density before.

    Args:
        size: k, at least 1.
        density: one dimension of densities.

    Returns:
        loss, norm and bias at each density; norm 0 and bias p/2 for size 1.
    """
    densities = np.atleast_1d(np.asarray(density, dtype=np.float64))
    if size == 1:
        return dropped_loss(densities), np.zeros_like(densities), densities / 2
    unit = left_out(np.ones(size))
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

    Args:
        density: broadcasts with the leading axes of the importance.
        importance: (..., n), in any order.
    """
    least_first = np.sort(np.asarray(importance, dtype=np.float64), axis=-1)
    size = least_first.shape[-1]
    each = np.stack([simplex_loss(k, density) for k in range(1, size + 1)], axis=-1)
    return np.asarray(np.cumsum(least_first, axis=-1) * each)


def phase_losses(n_features: int, density: ArrayLike, ratio: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """The candidates' losses for importances (1, ..., 1, r), named by the phase of the last, extra feature.

    Args:
        n_features: n, at least 2; they have n - 1 dimensions.
        density: broadcasts with the ratio.
        ratio: r.

    Returns:
        Losses by name: ``extra ignored``, ``another ignored``, ``extra in a pair``, and from three features on
        ``two others in a pair``, ``extra in a triangle``, ... up to the simplex of all n.

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
