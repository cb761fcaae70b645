"""W as a frame: what its columns together span, how evenly, and how far they keep apart.

    leverage          h_i = W_i^T (W W^T)^+ W_i       the share of a dimension that only feature i fills; D_i <= h_i, sum = rank
    frame_spectrum    eigenvalues of F = W W^T, largest first
    tightness         (tr F)^2 / (m tr F^2)           1 exactly where F is a multiple of the identity (a tight frame)
    coherence         max_{i != j} |w_i . w_j|        w_i = W_i / ||W_i||
    welch_bound       sqrt((n - m) / (m (n - 1)))     no n directions in m dimensions have a lower coherence

>>> import tegum as tg
>>> pentagon = tg.geometry.polygon(5)
>>> tg.geometry.frame_spectrum(pentagon).round(6), tg.geometry.leverage(pentagon).round(6)
(array([2.5, 2.5]), array([0.4, 0.4, 0.4, 0.4, 0.4]))
>>> tg.geometry.tightness(pentagon).round(6), tg.geometry.coherence(pentagon).round(3), round(tg.geometry.welch_bound(5, 2), 3)
(np.float64(1.0), np.float64(0.809), 0.612)

D_i is the quotient whose largest value over all directions is h_i, taken at the direction of feature i.  Hence D_i <= h_i, and
equal exactly where W_i is an eigenvector of W W^T, as in every orthogonal sum of tight frames.

Source: Benedetto and Fickus, `Finite normalized tight frames` (2003), for the frame potential tr F^2; Welch,
`Lower bounds on the maximum cross correlation of signals` (1974).
"""

import numpy as np
from jaxtyping import Float

from tegum.errors import InvalidInputError
from tegum.geometry.measures import cosines

_RANK = 1e-10
"""Singular values below this share of the largest one count as 0."""


def frame_operator(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch m m"]:
    """F = W W^T, shape (..., m, m)."""
    return np.asarray(W @ np.swapaxes(W, -1, -2))


def frame_spectrum(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch m"]:
    """The eigenvalues of W W^T, largest first, shape (..., m); they sum to ||W||_F^2."""
    return np.asarray(np.maximum(np.linalg.eigvalsh(frame_operator(W))[..., ::-1], 0))


def tightness(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch"]:
    """(tr F)^2 / (m tr F^2), from 1/m for parallel features to 1 for a tight frame, shape (...); 0 where W is 0.

    Times m it is the number of dimensions that the frame fills evenly.
    """
    F = frame_operator(W)
    trace, potential = np.einsum("...ii->...", F), np.einsum("...ij,...ij->...", F, F)
    return np.asarray(np.divide(trace**2, F.shape[-1] * potential, out=np.zeros_like(trace), where=potential > 0))


def leverage(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n"]:
    """h_i of every feature, from 0 to 1, shape (..., n); the sum is the rank of W."""
    _, sizes, rows = np.linalg.svd(W, full_matrices=False)
    counts = sizes > _RANK * sizes.max(axis=-1, keepdims=True, initial=0.0)
    return np.asarray(np.einsum("...rn,...r->...n", rows**2, counts.astype(rows.dtype)))


def coherence(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch"]:
    """The largest |cosine| between two features, shape (...); features of norm 0 do not count."""
    size = np.abs(cosines(W))
    np.einsum("...ii->...i", size)[...] = 0
    return np.asarray(size.max(axis=(-2, -1)))


def welch_bound(n_features: int, n_hidden: int) -> float:
    """The lowest coherence that n directions in m dimensions can have by Welch's inequality; 0 where n <= m.

    Raises:
        InvalidInputError: where there is no feature or no dimension.
    """
    if n_features < 1 or n_hidden < 1:
        raise InvalidInputError(f"there are {n_features} features in {n_hidden} dimensions", "give at least one of each")
    excess = max(n_features - n_hidden, 0)
    return float(np.sqrt(excess / (n_hidden * max(n_features - 1, 1))))
