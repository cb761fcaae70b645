"""Is it a minimum?  The smallest curvature of many points at once, beyond the directions that cannot curve.

Along the rotations of W, zero modes of the Hessian at every critical point (`tegum.exact.hessian`), nothing can curve:

    H' = (1 - Q Q^T) H (1 - Q Q^T),        Q an orthonormal basis of the directions of W -> R W,

and the smallest eigenvalue on what is left decides: clearly below zero, a saddle; else a minimum, degenerate where it is
zero (a feature whose output never fires may move its bias freely).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from tegum.exact.distributions import Distributions
from tegum.exact.hessian import padded_modes
from tegum.exact.kernel.hessian import Differences, differences_for, hessian_times, hessians
from tegum.exact.kernel.landscape import Landscape, Starts, enter
from tegum.exact.laws import LawLoss, Laws
from tegum.exact.objective import landscape_for, parameters_of
from tegum.nets import Net
from tegum.threads import in_pieces

_MOST_DENSE = 600
"""Above this many parameters the smallest eigenvalue is sought by Lanczos iterations instead of from the whole Hessian."""

_LANCZOS_TOLERANCE = 1e-3
_PIECE_NUMBERS = 1e6


def flat_projector(W: Float[np.ndarray, "batch m n"], biased: bool = True) -> Float[np.ndarray, "batch d d"]:
    """Q Q^T for the directions that cannot curve of each model (`tegum.exact.hessian.rotation_modes`)."""
    basis = padded_modes(W, biased)
    return np.asarray(np.einsum("zri,zrj->zij", basis, basis))


def smallest_eigenvalues(H: Float[np.ndarray, "batch d d"], projector: Float[np.ndarray, "batch d d"]) -> Any:
    """The smallest eigenvalue of each H beyond the projected directions, and the largest |entry| of H, shapes (batch,)."""
    size = np.abs(H).max(axis=(-2, -1))
    keep = np.eye(H.shape[-1]) - projector
    lifted = keep @ H @ keep + (10 * size * H.shape[-1] + 1)[:, None, None] * projector
    return np.linalg.eigvalsh(lifted)[:, 0], size


def _by_lanczos(
    net: Net, x: NDArray[np.float64], product: Callable[[NDArray[np.float64]], NDArray[np.float64]], stop: NDArray[np.int64]
) -> tuple[float, float]:
    """The smallest curvature of one large model beyond the symmetry, and the largest, from products with the Hessian."""
    modes = padded_modes(parameters_of(net, x[None])[0], net.bias)[0]
    d = x.size

    def times(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        if stop[0]:
            raise KeyboardInterrupt
        vector = np.asarray(vector, dtype=np.float64).ravel()
        found = product(vector - modes.T @ (modes @ vector))
        return np.asarray(found - modes.T @ (modes @ found))

    def extreme(matvec: Callable[[NDArray[np.float64]], NDArray[np.float64]], which: Literal["LA", "SA"]) -> float:
        operator = LinearOperator((d, d), matvec=matvec, dtype=np.float64)
        values, _ = eigsh(operator, k=1, which=which, tol=_LANCZOS_TOLERANCE, v0=start)
        return float(values[0])

    start = np.random.default_rng(0).standard_normal(d)
    largest = extreme(times, "LA")
    return extreme(lambda v: times(v) + largest * (modes.T @ (modes @ np.ravel(v))), "SA"), largest


def _product(memory: tuple[Landscape, Differences], starts: Starts, k: int, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """H v of start k in compiled code."""
    landscape, differences = memory
    enter(landscape, starts, k, differences.x)
    differences.direction[...] = vector
    found = np.empty(vector.size)
    hessian_times(landscape, differences, found)
    return found


def smallest_curvatures(
    net: Net, distributions: Distributions | Laws, starts: Starts, terms: int, threads: int | None, progress: bool | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smallest curvature of every start beyond the symmetry, and the size of its Hessian."""
    count, d = starts.x.shape
    smallest, size = np.full(count, np.nan), np.full(count, np.nan)
    dense = d <= _MOST_DENSE
    piece = min(max(1, int(_PIECE_NUMBERS / (d * d))), 512) if dense else 1

    def memory(stop: NDArray[np.int64]) -> Any:
        tables = distributions
        return None if isinstance(tables, Laws) else (landscape_for(net, tables, terms), differences_for(d, stop)), stop

    def work(memories: Any, first: int, end: int) -> None:
        memory, stop = memories
        by_law = (
            [LawLoss(net, distributions, int(starts.distribution_of[k]), terms) for k in range(first, end)]
            if isinstance(distributions, Laws)
            else []
        )
        if not dense:
            x = starts.x[first]
            product = partial(by_law[0].hessian_times, x) if memory is None else partial(_product, memory, starts, first)
            smallest[first], size[first] = _by_lanczos(net, x, product, stop)
            return
        found = np.empty((end - first, d, d))
        if memory is not None:
            hessians(*memory, starts, first, end, found)
        for k, loss in enumerate(by_law):
            found[k] = loss.hessian(starts.x[first + k])
        if stop[0]:
            return
        W, _ = parameters_of(net, starts.x[first:end])
        smallest[first:end], size[first:end] = smallest_eigenvalues(found, flat_projector(W, net.bias))

    in_pieces(
        count,
        piece,
        memory,
        work,
        threads=threads,
        progress=progress,
        title="curvatures",
    )
    return smallest, size
