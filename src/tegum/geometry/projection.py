"""The polytope that ignores given vectors: low-rank matrices and polytopes are the same thing.

    W = unit columns of P,    P the projection of the basis vectors on what is orthogonal to all ignored vectors

Example: ignoring (1, 1, 1) gives the triangle; ignoring (1, 0, 1, 0) and (0, 1, 0, 1) the square.

Source: the aside on polytopes and low-rank matrices in section 4 of `Toy Models of Superposition`.
"""

import numpy as np
from jaxtyping import Float

from tegum.errors import InvalidInputError

_SMALL = 1e-9


def ignoring(vectors: Float[np.ndarray, "k n"]) -> Float[np.ndarray, "m n"]:
    """W (n - rank, n) with W v = 0 before its columns are scaled to norm 1; features in the span of the vectors are 0.

    Raises:
        InvalidInputError: where the vectors leave no dimension.
    """
    _, sizes, rows = np.linalg.svd(vectors)
    rank = int((sizes > _SMALL * sizes.max(initial=0.0)).sum())
    W = rows[rank:]
    if len(W) == 0:
        raise InvalidInputError(f"{len(vectors)} vectors span all {rows.shape[0]} dimensions", "ignore fewer")
    norms = np.linalg.norm(W, axis=0)
    return np.asarray(np.divide(W, norms, out=np.zeros_like(W), where=norms > _SMALL))
