"""Is it a minimum?  The smallest curvature of many points at once, beyond the directions that cannot curve.

The loss depends on W through W^T W, so it is constant along W -> R W: the m (m - 1) / 2 directions E W with E skew are zero
modes of the Hessian at a critical point.  They are projected out,

    H' = (1 - Q Q^T) H (1 - Q Q^T),        Q an orthonormal basis of { E W },

and the smallest eigenvalue on what is left decides: clearly below zero, a saddle; else a minimum, degenerate where it is
zero (a feature whose output never fires may move its bias freely).
"""

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.exact.descent import Starts
from tegum.exact.differences import differences_for, hessians
from tegum.exact.model import point_for
from tegum.exact.product import work_for
from tegum.exact.worlds import Worlds
from tegum.threads import in_pieces

MOST_PARAMETERS = 600
"""Above this many parameters a dense Hessian of every start costs too much, and none is computed."""

_STEP = 1e-4
_RANK_TOLERANCE = 1e-7
_PIECE_NUMBERS = 1e6


def rotation_projector(W: Float[np.ndarray, "batch m n"]) -> Float[np.ndarray, "batch d d"]:
    """Q Q^T for the zero modes E W of each model, in flat coordinates (W row by row, then b), d = m n + n."""
    count, m, n = W.shape
    d = m * n + n
    pairs = [(k, other) for k in range(m) for other in range(k + 1, m)]
    turned = np.zeros((count, len(pairs), m, n))
    for row, (k, other) in enumerate(pairs):
        turned[:, row, k] = W[:, other]
        turned[:, row, other] = -W[:, k]
    projector = np.zeros((count, d, d))
    if pairs:
        _, size, basis = np.linalg.svd(turned.reshape(count, len(pairs), m * n), full_matrices=False)
        basis = np.where((size > _RANK_TOLERANCE * (1 + size[:, :1]))[..., None], basis, 0.0)
        projector[:, : m * n, : m * n] = np.einsum("zri,zrj->zij", basis, basis)
    return projector


def smallest_eigenvalues(H: Float[np.ndarray, "batch d d"], projector: Float[np.ndarray, "batch d d"]) -> Any:
    """The smallest eigenvalue of each H beyond the projected directions, and the largest |entry| of H, shapes (batch,)."""
    size = np.abs(H).max(axis=(-2, -1))
    keep = np.eye(H.shape[-1]) - projector
    lifted = keep @ H @ keep + (10 * size * H.shape[-1] + 1)[:, None, None] * projector
    return np.linalg.eigvalsh(lifted)[:, 0], size


def smallest_curvatures(
    starts: Starts,
    worlds: Worlds,
    n_hidden: int,
    n_features: int,
    linear: bool,
    terms: int,
    threads: int | None,
    progress: bool | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smallest curvature of every start beyond the symmetry, and the size of its Hessian; NaN where d is too large."""
    count, d = starts.x.shape
    smallest, size = np.full(count, np.nan), np.full(count, np.nan)
    if d > MOST_PARAMETERS:
        return smallest, size
    piece = max(1, int(_PIECE_NUMBERS / (d * d)))

    def scratch() -> tuple[Any, ...]:
        return worlds.blank(), work_for(n_features), point_for(n_hidden, n_features), differences_for(d)

    def work(memory: tuple[Any, ...], first: int, end: int) -> None:
        found = np.empty((end - first, d, d))
        hessians(*memory, starts, first, end, int(linear), terms, _STEP, found)
        W = starts.x[first:end, : n_hidden * n_features].reshape(-1, n_hidden, n_features)
        smallest[first:end], size[first:end] = smallest_eigenvalues(found, rotation_projector(W))

    in_pieces(count, min(piece, 512), scratch, work, threads=threads, progress=progress, title="curvatures")
    return smallest, size
