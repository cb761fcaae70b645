"""Numbers that describe how features share a space: norms, interference, dimensionality.

    feature_norms            ||W_i||
    gram                     G = W^T W
    interference             sum_{j != i} (w_i . W_j)^2                w_i = W_i / ||W_i||; 0 alone, 1 and more very mixed
    dimensionality           D_i = ||W_i||^2 / sum_j (w_i . W_j)^2     1 dedicated, 1/2 digon, 2/5 pentagon, 0 not learned
    dimensions_per_feature   D* = m / ||W||_F^2

>>> import numpy as np, tegum as tg
>>> W = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]])                # a digon and a feature with a dimension of its own
>>> tg.geometry.dimensionality(W), tg.geometry.interference(W)
(array([0.5, 0.5, 1. ]), array([1., 1., 0.]))

All take W of shape (..., m, n), a column for each feature; none changes when W is rotated, W -> O W.  Features of norm 0 have
interference and dimensionality 0.  By norm and interference a feature is in one of three phases (`phase_of`):

    not learned      norm below 1/2
    superposition    norm at least 1/2, interference at least 1/2
    dedicated        norm at least 1/2, interference below 1/2

Source: `Toy Models of Superposition`, sections 2 and 4, and 3 for the phases; their thresholds are ours.  (The authors'
notebook colours by the square *root* of the paper's interference; ``interference(W, root=True)`` is that.)
"""

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.errors import InvalidInputError

NOT_LEARNED, DEDICATED, SUPERPOSITION = "not learned", "dedicated", "superposition"
_THRESHOLD = 0.5


def feature_norms(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n"]:
    """||W_i|| of every feature, shape (..., n)."""
    return np.asarray(np.sqrt(np.einsum("...mn,...mn->...n", W, W)))


def gram(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n n"]:
    """G = W^T W, shape (..., n, n)."""
    return np.asarray(np.swapaxes(W, -1, -2) @ W)


def cosines(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n n"]:
    """The cosine of the angle between each two features, shape (..., n, n); 0 where one of them has norm 0."""
    norms = feature_norms(W)
    size = norms[..., :, None] * norms[..., None, :]
    return np.asarray(np.divide(gram(W), size, out=np.zeros_like(size), where=size > 0))


def _overlaps(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n n"]:
    """(w_i . W_j)^2 with w_i of norm 1, shape (..., i, j)."""
    norms = feature_norms(W)[..., :, None]
    products = gram(W)
    return np.asarray(np.divide(products, norms, out=np.zeros_like(products), where=norms > 0) ** 2)


def interference(W: Float[np.ndarray, "*batch m n"], root: bool = False) -> Float[np.ndarray, "*batch n"]:
    """sum_{j != i} (w_i . W_j)^2 of every feature, shape (..., n); its square root on request."""
    squares = _overlaps(W)
    own = np.einsum("...ii->...i", squares)
    total = np.maximum(squares.sum(axis=-1) - own, 0)
    return np.asarray(np.sqrt(total) if root else total)


def dimensionality(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n"]:
    """D_i of every feature, from 0 to 1, shape (..., n); the sum over features is at most the rank of W."""
    total = _overlaps(W).sum(axis=-1)
    return np.asarray(np.divide(feature_norms(W) ** 2, total, out=np.zeros_like(total), where=total > 0))


def dimensions_per_feature(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch"]:
    """D* = m / ||W||_F^2, shape (...); infinite where W is 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(W.shape[-2] / np.einsum("...mn,...mn->...", W, W))


def polar_angles(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch n"]:
    """The direction of every feature in two dimensions, degrees in [0, 360), shape (..., n).

    Raises:
        InvalidInputError: unless W has two hidden dimensions.
    """
    if W.shape[-2] != 2:
        raise InvalidInputError(f"W has {W.shape[-2]} hidden dimensions", "polar angles need 2")
    return np.asarray(np.degrees(np.arctan2(W[..., 1, :], W[..., 0, :])) % 360)


def phase_of(norm: NDArray[np.floating], interference: NDArray[np.floating]) -> NDArray[Any]:
    """The phase of every feature by its norm and its interference, elementwise: an array of strings."""
    mixed = np.where(interference >= _THRESHOLD, SUPERPOSITION, DEDICATED)
    return np.where(norm >= _THRESHOLD, mixed, NOT_LEARNED)
