"""Is it a minimum?  The smallest curvature of many points at once, beyond the directions that cannot curve.

The loss depends on W through W^T W, so it is constant along W -> R W: the m (m - 1) / 2 directions E W with E skew are zero
modes of the Hessian at a critical point.  They are projected out,

    H' = (1 - Q Q^T) H (1 - Q Q^T),        Q an orthonormal basis of { E W },

and the smallest eigenvalue on what is left decides: clearly below zero, a saddle; else a minimum, degenerate where it is
zero (a feature whose output never fires may move its bias freely).
"""

from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from tegum.exact.distributions import Distributions
from tegum.exact.hessian import padded_modes
from tegum.exact.kernel.hessian import Differences, differences_for, hessian_times, hessians
from tegum.exact.kernel.landscape import Landscape, Starts, enter
from tegum.exact.objective import landscape_for
from tegum.nets import Net
from tegum.threads import in_pieces

_MOST_DENSE = 600
"""Above this many parameters the smallest eigenvalue is sought by Lanczos iterations instead of from the whole Hessian."""

_LANCZOS_TOLERANCE = 1e-3
_PIECE_NUMBERS = 1e6


def flat_modes(W: Float[np.ndarray, "batch m n"], biased: bool = True) -> Float[np.ndarray, "batch r d"]:
    """The rotations of each model (rows of 0 where W has lower rank), and of a net without bias the n directions of b too.

    Coordinates are flat: W row by row, then b, d = m n + n.
    """
    modes = padded_modes(W)
    if biased:
        return modes
    count, m, n = W.shape
    d = m * n + n
    return np.concatenate([modes, np.broadcast_to(np.eye(d)[m * n :], (count, n, d))], axis=1)


def flat_projector(W: Float[np.ndarray, "batch m n"], biased: bool = True) -> Float[np.ndarray, "batch d d"]:
    """Q Q^T for the zero modes of each model, in flat coordinates."""
    basis = flat_modes(W, biased)
    return np.asarray(np.einsum("zri,zrj->zij", basis, basis))


def smallest_eigenvalues(H: Float[np.ndarray, "batch d d"], projector: Float[np.ndarray, "batch d d"]) -> Any:
    """The smallest eigenvalue of each H beyond the projected directions, and the largest |entry| of H, shapes (batch,)."""
    size = np.abs(H).max(axis=(-2, -1))
    keep = np.eye(H.shape[-1]) - projector
    lifted = keep @ H @ keep + (10 * size * H.shape[-1] + 1)[:, None, None] * projector
    return np.linalg.eigvalsh(lifted)[:, 0], size


def _extreme(operator: LinearOperator[Any], which: Literal["LA", "SA"], start: NDArray[np.float64]) -> float:
    values, _ = eigsh(operator, k=1, which=which, tol=_LANCZOS_TOLERANCE, v0=start)
    return float(values[0])


def _by_lanczos(landscape: Landscape, memory: Differences, starts: Starts, k: int) -> tuple[float, float]:
    """The smallest curvature of one large model beyond the symmetry, and the largest, from products with the Hessian."""
    enter(landscape, starts, k, memory.x)
    m, n = landscape.point.W.shape
    modes = flat_modes(memory.x[None, : m * n].reshape(1, m, n), bool(landscape.biased))[0]
    d = memory.x.size
    product = np.empty(d)

    def times(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        vector = np.asarray(vector, dtype=np.float64).ravel()
        memory.direction[...] = vector - modes.T @ (modes @ vector)
        hessian_times(landscape, memory, product)
        return np.asarray(product - modes.T @ (modes @ product))

    operator = LinearOperator((d, d), matvec=times, dtype=np.float64)
    start = np.asarray(np.random.default_rng(0).standard_normal(d))
    largest = _extreme(operator, "LA", start)
    lifted = LinearOperator((d, d), matvec=lambda v: times(v) + largest * (modes.T @ (modes @ np.ravel(v))), dtype=np.float64)
    smallest = _extreme(lifted, "SA", start)
    return smallest, largest


def smallest_curvatures(
    net: Net, distributions: Distributions, starts: Starts, terms: int, threads: int | None, progress: bool | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smallest curvature of every start beyond the symmetry, and the size of its Hessian."""
    count, d = starts.x.shape
    m, n = net.n_hidden, net.n_features
    smallest, size = np.full(count, np.nan), np.full(count, np.nan)
    dense = d <= _MOST_DENSE
    piece = min(max(1, int(_PIECE_NUMBERS / (d * d))), 512) if dense else 1

    def scratch() -> tuple[Landscape, Differences]:
        return landscape_for(net, distributions, terms), differences_for(d)

    def work(memory: tuple[Landscape, Differences], first: int, end: int) -> None:
        if not dense:
            smallest[first], size[first] = _by_lanczos(*memory, starts, first)
            return
        found = np.empty((end - first, d, d))
        hessians(*memory, starts, first, end, found)
        W = starts.x[first:end, : m * n].reshape(-1, m, n)
        smallest[first:end], size[first:end] = smallest_eigenvalues(found, flat_projector(W, net.bias))

    in_pieces(count, piece, scratch, work, threads=threads, progress=progress, title="curvatures")
    return smallest, size
