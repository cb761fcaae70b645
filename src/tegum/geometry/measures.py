"""Numbers that describe how features share a space: norms, interference, dimensionality, and what they are as a frame.

    feature_norms            ||W_i||
    gram                     G = W^T W
    interference             sum_{j != i} (w_i . W_j)^2                w_i = W_i / ||W_i||; 0 alone, 1 and more very mixed
    dimensionality           D_i = ||W_i||^2 / sum_j (w_i . W_j)^2     1 dedicated, 1/2 digon, 2/5 pentagon, 0 not learned
    dimensions_per_feature   D* = m / ||W||_F^2

    frame_spectrum           eigenvalues of F = W W^T, largest first
    tightness                (tr F)^2 / (m tr F^2)                     1 exactly where F is a multiple of the identity
    leverage                 h_i = W_i^T F^+ W_i                       the share of a dimension that only feature i fills
    spectral_spread          |F w_i - r w_i| / r, r = w_i . F w_i      0 exactly where W_i lies in a single eigenspace of F
    coherence                max_{i != j} |w_i . w_j|
    welch_bound              sqrt((n - m) / (m (n - 1)))               no n directions in m dimensions have a lower coherence

>>> import numpy as np, tegum as tg
>>> W = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]])                # a digon and a feature with a dimension of its own
>>> tg.geometry.dimensionality(W), tg.geometry.interference(W)
(array([0.5, 0.5, 1. ]), array([1., 1., 0.]))
>>> tg.geometry.frame_spectrum(W), tg.geometry.tightness(W), tg.geometry.coherence(tg.geometry.polygon(5)).round(3)
(array([2., 1.]), array(0.9), np.float64(0.809))

All take W of shape (..., m, n), a column for each feature; none changes when W is rotated, W -> O W.  Features of norm 0 have
interference and dimensionality 0; a model that diverged has NaN everywhere, and the phase "diverged".  D_i <= h_i, whose sum
is the rank of W: D_i is a quotient whose largest value over all directions is h_i, taken at the direction of feature i.  They
are equal exactly where W_i is an eigenvector of F, as in every orthogonal sum of tight frames, that is where its
`spectral_spread` is 0.  By norm and interference a
feature is in one of three phases (`phase_of`):

    not learned      norm below 1/2
    superposition    norm at least 1/2, interference at least 1/2
    dedicated        norm at least 1/2, interference below 1/2

Sources: `Toy Models of Superposition`, sections 2 and 4, and 3 for the phases, whose thresholds are ours (the authors' notebook
colours by the square *root* of the paper's interference; ``interference(W, root=True)`` is that); Benedetto and Fickus, "Finite
normalized tight frames" (2003), for the frame potential tr F^2; Welch, "Lower bounds on the maximum cross correlation of
signals" (1974).
"""

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import ArrayLike, NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import checked
from tegum.errors import InvalidInputError

NOT_LEARNED, DEDICATED, SUPERPOSITION, DIVERGED = "not learned", "dedicated", "superposition", "diverged"
_THRESHOLD = 0.5
_RANK = 1e-10


def _weights(W: NDArray[np.floating]) -> NDArray[np.floating]:
    """W, with NaN for models that diverged: whose products of four weights, which D_i has, are not finite."""
    tame = np.abs(W) < np.finfo(W.dtype).max ** 0.2
    return W if tame.all() else np.where(tame.all(axis=(-2, -1), keepdims=True), W, np.nan)


def _of_size_one(W: NDArray[np.floating]) -> NDArray[np.floating]:
    """W times the power of 2 that brings its largest entry to about 1, for what no size changes: small products would be 0."""
    W = _weights(W)
    return np.asarray(np.ldexp(W, -np.frexp(np.abs(W).max(axis=(-2, -1), keepdims=True, initial=0.0))[1]))


def quotient(top: ArrayLike, bottom: ArrayLike) -> NDArray[np.floating]:
    """``top / bottom``, and 0 where the bottom is 0; what is not a number stays so."""
    blank = np.zeros(np.broadcast_shapes(np.shape(top), np.shape(bottom)), np.result_type(top, bottom))
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.divide(top, bottom, out=blank, where=np.not_equal(bottom, 0)))


def negligible(W: NDArray[np.floating]) -> float:
    """Singular values up to this share of the largest are rounding: 1e-10, more where the weights have single precision.

    They keep it in an array or a tensor of double precision.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        single = W.astype(np.float32)
    rounding = np.finfo(np.float32 if np.array_equal(single, W, equal_nan=True) else W.dtype).eps
    return float(max(_RANK, max(W.shape[-2:]) * rounding))


@takes_arrays
def feature_norms(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n"]:
    """||W_i|| of every feature, shape (..., n)."""
    W = _weights(W)
    return np.asarray(np.sqrt(np.einsum("...mn,...mn->...n", W, W)))


@takes_arrays
def gram(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n n"]:
    """G = W^T W, shape (..., n, n)."""
    W = _weights(W)
    return np.asarray(np.swapaxes(W, -1, -2) @ W)


@takes_arrays
def cosines(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n n"]:
    """The cosine of the angle between each two features, shape (..., n, n); 0 where one of them has norm 0."""
    W = _of_size_one(W)
    norms = feature_norms(W)
    size = norms[..., :, None] * norms[..., None, :]
    return quotient(gram(W), size)


def _overlaps(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n n"]:
    """(w_i . W_j)^2 with w_i of norm 1, shape (..., i, j)."""
    norms = feature_norms(W)[..., :, None]
    products = gram(W)
    return quotient(products, norms) ** 2


@takes_arrays
def interference(W: Float[np.ndarray, "*batch m n"], root: bool = False) -> Float[np.ndarray, "*batch n"]:
    """sum_{j != i} (w_i . W_j)^2 of every feature, shape (..., n); its square root on request."""
    squares = _overlaps(W)
    own = np.einsum("...ii->...i", squares)
    total = np.maximum(squares.sum(axis=-1) - own, 0)
    return np.asarray(np.sqrt(total) if root else total)


@takes_arrays
def dimensionality(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n"]:
    """D_i of every feature, from 0 to 1, shape (..., n); the sum over features is at most the rank of W."""
    W = _of_size_one(W)
    norms = feature_norms(W)
    w = quotient(W, norms[..., None, :])
    # sum_j (w_i . W_j)^2 = w_i . F w_i: thousands of features need no matrix of each with each
    total = (w * (frame_operator(W) @ w)).sum(axis=-2)
    return quotient(norms**2, total)


@takes_arrays
def dimensions_per_feature(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch"]:
    """D* = m / ||W||_F^2, shape (...); infinite where W is 0."""
    W = _weights(W)
    with np.errstate(divide="ignore"):
        return np.asarray(W.shape[-2] / np.einsum("...mn,...mn->...", W, W))


@takes_arrays
def polar_angles(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n"]:
    """The direction of every feature in two dimensions, degrees in [0, 360), shape (..., n).

    Raises:
        InvalidInputError: unless W has two hidden dimensions.
    """
    if W.shape[-2] != 2:
        raise InvalidInputError(f"W has {W.shape[-2]} hidden dimensions", "polar angles need 2")
    angles = np.degrees(np.arctan2(W[..., 1, :], W[..., 0, :])) % 360
    return np.asarray(np.where(angles >= 360, 0, angles))  # just below 0, the remainder is rounded to 360


@takes_arrays
def phase_of(norm: Float[np.ndarray, "*batch"], interference: Float[np.ndarray, "*batch"]) -> Shaped[np.ndarray, "*batch"]:
    """The phase of every feature by its norm and its interference, elementwise: an array of strings."""
    mixed = np.where(interference >= _THRESHOLD, SUPERPOSITION, DEDICATED)
    learned = np.where(norm >= _THRESHOLD, mixed, NOT_LEARNED)
    return np.where(np.isnan(norm) | np.isnan(interference), DIVERGED, learned)


@takes_arrays
def frame_operator(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch m m"]:
    """F = W W^T, shape (..., m, m)."""
    W = _weights(W)
    return np.asarray(W @ np.swapaxes(W, -1, -2))


@takes_arrays
def frame_spectrum(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch m"]:
    """The eigenvalues of W W^T, largest first, shape (..., m); they sum to ||W||_F^2."""
    F = frame_operator(W)
    finite = np.isfinite(F).all(axis=(-2, -1), keepdims=True)
    found = np.maximum(np.linalg.eigvalsh(np.where(finite, F, 0.0))[..., ::-1], 0)
    return np.asarray(np.where(finite[..., 0], found, np.nan))


@takes_arrays
def tightness(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch"]:
    """(tr F)^2 / (m tr F^2), from 1/m for parallel features to 1 for a tight frame, shape (...); 0 where W is 0.

    Times m it is the number of dimensions that the frame fills evenly.
    """
    F = frame_operator(_of_size_one(W))
    trace, potential = np.einsum("...ii->...", F), np.einsum("...ij,...ij->...", F, F)
    return quotient(trace**2, F.shape[-1] * potential)


@takes_arrays
def leverage(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n"]:
    """h_i of every feature, from 0 to 1, shape (..., n); the sum is the rank of W."""
    finite = np.isfinite(W).all(axis=(-2, -1), keepdims=True)
    _, sizes, rows = np.linalg.svd(np.where(finite, W, 0.0), full_matrices=False)
    counts = sizes > negligible(W) * sizes.max(axis=-1, keepdims=True, initial=0.0)
    shares = np.einsum("...rn,...r->...n", rows**2, counts.astype(rows.dtype))
    return np.asarray(np.where(finite[..., 0], shares, np.nan))


@takes_arrays
def spectral_spread(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n"]:
    """How far each feature is from a single eigenspace of F, shape (..., n): 0 in one, and for features of norm 0.

    F's eigenvalues, weighted with the squares of a feature's components along their eigenvectors, have a mean, the feature's
    norm squared over its dimensionality, and a standard deviation: it is their quotient.
    """
    W = _of_size_one(W)
    w = quotient(W, feature_norms(W)[..., None, :])
    turned = frame_operator(W) @ w
    mean = np.einsum("...mn,...mn->...n", w, turned)
    rest = turned - mean[..., None, :] * w
    return quotient(np.sqrt(np.einsum("...mn,...mn->...n", rest, rest)), mean)


@takes_arrays
def coherence(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch"]:
    """The largest |cosine| between two features, shape (...); features of norm 0 do not count."""
    size = np.abs(cosines(W))
    np.einsum("...ii->...i", size)[...] = 0
    return np.asarray(size.max(axis=(-2, -1)))


@checked
def welch_bound(n_features: int, n_hidden: int) -> float:
    """The lowest coherence that n directions in m dimensions can have by Welch's inequality; 0 where n <= m.

    Raises:
        InvalidInputError: where there is no feature or no dimension.
    """
    if n_features < 1 or n_hidden < 1:
        raise InvalidInputError(f"there are {n_features} features in {n_hidden} dimensions", "give at least one of each")
    excess = max(n_features - n_hidden, 0)
    return float(np.sqrt(excess / (n_hidden * max(n_features - 1, 1))))
