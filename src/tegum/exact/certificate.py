"""Is it a minimum?  The smallest curvature of many points at once, beyond the directions that cannot curve.

Along the rotations of W, zero modes of the Hessian at every critical point (`tegum.exact.hessian`), nothing can curve:

    H' = (1 - Q Q^T) H (1 - Q Q^T),        Q an orthonormal basis of the directions of W -> R W,

and the smallest eigenvalue on what is left decides: clearly below zero, a saddle; else a minimum, degenerate where it is
zero (a feature whose output never fires may move its bias freely).  Where H jumps (a feature with a dimension to itself sits on
a kink), the side that curves least counts; above 600 parameters it is the mean of both sides.  Looking at all sides costs more
than the descent, and most starts end at one of a few points, turned, reflected or with equal features exchanged: ends of one
distribution whose losses and whose mean Hessians' eigenvalues agree are looked at once.

Above 600 parameters Lanczos' method asks for products with H alone.  With the Hessians H_j and slopes S_j of the rows, found
once, and V, v a direction of W and b, G = W^T W, they are

    y_j = H_j (V^T W + W^T V, v)_j,       H (V, v)  =  V (S + S^T) + W (Y + Y^T),  the biases' parts of y_j

exact, where differences of gradients would be off by more than flat directions curve.  Beyond 500 features the rows have no
room, and curvatures stay unknown.  Of sums over states products need no rows (`StatesLaw.hessian_times`), and are exact for any
number of features, from below on kinks; of what is inverted in Python they are differences.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import scipy
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.compilation import compile_beside, is_compiled
from tegum.exact.distributions import Distributions, distributions_of
from tegum.exact.hessian import differentiated, padded_modes, smallest_curvature, still_directions
from tegum.exact.kernel.descent import descend_many, starts_at
from tegum.exact.kernel.hessian import STEP, Differences, differences_for, hessian_at_point, hessians, hessians_of_rows
from tegum.exact.kernel.landscape import Landscape, Starts, enter, loss_at
from tegum.exact.kernel.model import point_for
from tegum.exact.laws import CurvedBy, LawLoss, Laws
from tegum.exact.objective import landscape_for
from tegum.exact.parameters import free_of, parameters_of, size_of
from tegum.exact.penalties import Penalty
from tegum.features import Independent
from tegum.nets import Net, ReluOutput
from tegum.threads import in_pieces

_MOST_DENSE = 600
"""Above this many parameters the smallest eigenvalue is sought by Lanczos iterations instead of from the whole Hessian."""
_MOST_ROWS = 500
"""Of so many features the Hessians of all rows take a gigabyte."""

Way = Literal["whole", "rows", "products", "nothing"]
"""How curvatures are found: of whole Hessians, by Lanczos' method from those of rows or from products, or not at all."""

_OF_LARGEST, _OF_SMALLEST, _KEPT = 1e-3, 1e-7, 60
_PIECE_NUMBERS = 1e6
_JUMPS = 1e-2
"""Where an entry of the Hessian jumps by more than this share of its size, or seems to, the sides are looked at."""
_SAME_LOSS, _SAME_EIGENVALUES = 1e-10, 1e-4
"""Two ends are one up to symmetry where they differ by no more, relative to the loss and to the Hessian's largest entry."""


def way_of(net: Net, distributions: Distributions | Laws) -> Way:
    """How the curvatures of a net's minima are found."""
    if size_of(net) <= _MOST_DENSE:
        return "whole"
    if isinstance(distributions, Laws):
        return "products"
    return "rows" if net.n_features <= _MOST_ROWS else "nothing"


def flat_projector(W: Float[np.ndarray, "batch m n"], biased: bool = True) -> Float[np.ndarray, "batch d d"]:
    """Q Q^T for the directions that cannot curve of each model (`tegum.exact.hessian.rotation_modes`)."""
    basis = padded_modes(W, biased)
    return np.asarray(np.einsum("zri,zrj->zij", basis, basis))


def _projector(net: Net, starts: Starts, first: int, end: int) -> NDArray[np.float64]:
    """Q Q^T of some starts, where weights may be held."""
    x, free = starts.x[first:end], starts.free[first:end] > 0
    if net.tied and not net.hidden_relu and (free == free_of(net)).all():
        return flat_projector(parameters_of(net, x)[0], net.bias)
    each = [still_directions(net, x[k], free[k]) for k in range(end - first)]
    return np.array([basis.T @ basis for basis in each])


def smallest_eigenvalues(H: Float[np.ndarray, "batch d d"], projector: Float[np.ndarray, "batch d d"]) -> Any:
    """The smallest eigenvalue of each H beyond the projected directions, and the largest |entry| of H, shapes (batch,)."""
    size = np.abs(H).max(axis=(-2, -1))
    keep = np.eye(H.shape[-1]) - projector
    lift = np.where(size > 0, 10 * size * H.shape[-1], 1.0)
    lifted = keep @ H @ keep + lift[:, None, None] * projector
    return np.linalg.eigvalsh(lifted)[:, 0], size


def _by_lanczos(
    net: Net,
    x: NDArray[np.float64],
    free: NDArray[np.bool_],
    product: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    stop: NDArray[np.int64],
) -> tuple[float, float]:
    """The smallest curvature of one large model beyond the symmetry, and the largest, from products with the Hessian.

    NaN where Lanczos' iterations do not settle.
    """
    modes = still_directions(net, x, free)
    d = x.size

    def times(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        if stop[0]:
            raise KeyboardInterrupt
        vector = np.asarray(vector, dtype=np.float64).ravel()
        found = product(vector - modes.T @ (modes @ vector))
        return np.asarray(found - modes.T @ (modes @ found))

    def extreme(
        matvec: Callable[[NDArray[np.float64]], NDArray[np.float64]], which: Literal["LA", "SA"], tolerance: float
    ) -> float:
        operator = scipy.sparse.linalg.LinearOperator((d, d), matvec=matvec, dtype=np.float64)
        try:
            values, _ = scipy.sparse.linalg.eigsh(operator, k=1, which=which, tol=tolerance, v0=start, ncv=_KEPT)
        except scipy.sparse.linalg.ArpackNoConvergence:
            return np.nan
        return float(values[0])

    def raised(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        vector = np.ravel(vector)
        return times(vector) + largest * (vector + modes.T @ (modes @ vector))

    start = np.random.default_rng(0).standard_normal(d)
    largest = extreme(times, "LA", _OF_LARGEST)
    if np.isnan(largest):
        return largest, largest
    # where many directions are nearly flat, few kept vectors would lose on restarts what they had found;
    # tolerances are relative to an eigenvalue, which may be 0: raised by the largest, the smallest is found to a share of that
    return extreme(raised, "SA", _OF_SMALLEST) - largest, largest


@final
@dataclass(frozen=True, eq=False)
class RowHessians:
    """The Hessian of an objective as the Hessians of its rows: W (m, n), ``slopes`` (n, n + 1), ``rows`` (n, n + 1, n + 1)."""

    W: NDArray[np.float64]
    slopes: NDArray[np.float64]
    rows: NDArray[np.float64]
    free: NDArray[np.float64]
    l2: float

    def times(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """H v, of flat parameters (d,)."""
        W, (m, n) = self.W, self.W.shape
        V, v = np.split(vector * self.free, [m * n])
        V = V.reshape(m, n)
        moved = np.concatenate([V.T @ W + W.T @ V, v[:, None]], axis=1)
        turned = np.matmul(self.rows, moved[:, :, None])[:, :, 0]
        S, Y = self.slopes[:, :n], turned[:, :n]
        by_W = V @ (S + S.T) + W @ (Y + Y.T) + 2 * self.l2 * V
        return np.asarray(np.append(by_W, turned[:, n]) * self.free)


def _rows_of(landscape: Landscape, stop: NDArray[np.int64], starts: Starts, k: int) -> RowHessians:
    """Those of start k."""
    enter(landscape, starts, k, np.empty_like(starts.x[k]))
    n = landscape.point.b.size
    (m, _), x = landscape.point.W.shape, starts.x[k]
    W, importance = x[: m * n].reshape(m, n), landscape.point.importance
    of_map = point_for(n, n)
    of_map.W[...], of_map.b[...], of_map.importance[...] = W.T @ W, x[m * n :], importance
    rows, slopes = np.zeros((n, n + 1, n + 1)), np.zeros((n, n + 1))
    hessians_of_rows(landscape._replace(point=of_map), differences_for(n, n, stop), STEP, rows, slopes)
    rows *= importance[:, None, None]
    slopes *= importance[:, None]
    # interference is a function of the couplings, too: the sum over i other than j of g_i^2
    others = 2 * landscape.interference * (1 - np.eye(n))
    slopes[:, :n] += others * of_map.W
    rows[:, np.arange(n), np.arange(n)] += others
    return RowHessians(W, slopes, rows, starts.free[k], landscape.l2)


@final
@dataclass(frozen=True, eq=False)
class _Compiled:
    """The gradient and the Hessian of a landscape, for `tegum.exact.hessian`."""

    landscape: Landscape
    memory: Differences
    curved_by: CurvedBy = "inversion"

    @property
    def terms(self) -> int:
        return self.landscape.terms

    def gradient(self, x: NDArray[np.float64], /) -> NDArray[np.float64]:
        found = np.empty_like(x)
        loss_at(self.landscape, np.ascontiguousarray(x), found)
        return found

    def hessian_by_rows(
        self, x: NDArray[np.float64], step: float = STEP, terms: int | None = None
    ) -> tuple[NDArray[np.float64], float]:
        self.memory.x[...] = x
        H = np.empty((x.size, x.size))
        jump = hessian_at_point(self.landscape._replace(terms=terms or self.terms), self.memory, step, H)
        return H, float(jump)


def _by_law(law: LawLoss, x: NDArray[np.float64], free: NDArray[np.bool_]) -> tuple[float, float]:
    """The smallest curvature of one model whose loss is a law's, to the side that curves least, and the size of its Hessian."""
    H, error = differentiated(law, x)
    return smallest_curvature(law, x, still_directions(law.net, x, free), (H, error)).value, float(np.abs(H).max())


def _to_one_side(
    net: Net, landscape: Landscape, memory: Differences, starts: Starts, k: int, mean: tuple[NDArray[np.float64], float]
) -> float:
    """The smallest curvature of one model to the side that curves least; ``mean`` is the Hessian of both, and how it jumps."""
    enter(landscape, starts, k, memory.x)
    x = memory.x.copy()
    return smallest_curvature(_Compiled(landscape, memory), x, still_directions(net, x, landscape.free > 0), mean).value


def _to_one_side_each(
    net: Net,
    landscape: Landscape,
    memory: Differences,
    starts: Starts,
    first: int,
    means: NDArray[np.float64],
    jumps: NDArray[np.float64],
    size: NDArray[np.float64],
) -> dict[int, float]:
    """`_to_one_side` of every start from ``first`` on whose Hessian jumps, by its place; of ends that are alike once."""
    seen: dict[int, list[tuple[float, NDArray[np.float64], float]]] = {}
    found = {}
    for k in np.flatnonzero(jumps > _JUMPS * size).tolist():
        loss, eigenvalues = float(starts.loss[first + k]), np.linalg.eigvalsh(means[k])
        others = seen.setdefault(int(starts.distribution_of[first + k]), [])
        for there, spectrum, value in others:
            same = np.abs(spectrum - eigenvalues).max() <= _SAME_EIGENVALUES * size[k]
            if same and abs(there - loss) <= _SAME_LOSS * abs(loss):
                found[k] = value
                break
        else:
            found[k] = _to_one_side(net, landscape, memory, starts, first + k, (means[k], float(jumps[k])))
            others.append((loss, eigenvalues, found[k]))
    return found


def smallest_curvatures(
    net: Net,
    distributions: Distributions | Laws,
    starts: Starts,
    terms: int,
    penalties: Sequence[Penalty],
    threads: int | None,
    progress: bool | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smallest curvature of every start beyond the symmetry, and the size of its Hessian."""
    count, d = starts.x.shape
    smallest, size = np.full(count, np.nan), np.full(count, np.nan)
    way = way_of(net, distributions)
    if way == "nothing":
        return smallest, size
    piece = min(max(1, int(_PIECE_NUMBERS / (d * d))), 512) if way == "whole" else 1

    def memory(stop: NDArray[np.int64]) -> Any:
        if isinstance(distributions, Laws):
            return None, None, stop
        return landscape_for(net, distributions, terms, penalties), differences_for(net.n_hidden, net.n_features, stop), stop

    def work(memory: Any, first: int, end: int) -> None:
        landscape, differences, stop = memory
        if isinstance(distributions, Laws):
            for k in range(first, end):
                law = LawLoss(net, distributions, int(starts.distribution_of[k]), terms)
                free = starts.free[k] > 0
                if way == "whole":
                    smallest[k], size[k] = _by_law(law, starts.x[k], free)
                else:
                    smallest[k], size[k] = _by_lanczos(net, starts.x[k], free, law.hessian_product(starts.x[k]), stop)
            return
        if way == "rows":
            product = _rows_of(landscape, stop, starts, first).times
            smallest[first], size[first] = _by_lanczos(net, starts.x[first], starts.free[first] > 0, product, stop)
            return
        found, jumps = np.empty((end - first, d, d)), np.empty(end - first)
        hessians(landscape, differences, starts, first, end, found, jumps)
        if stop[0]:
            return
        smallest[first:end], size[first:end] = smallest_eigenvalues(found, _projector(net, starts, first, end))
        sides = _to_one_side_each(net, landscape, differences, starts, first, found, jumps, size[first:end])
        smallest[first + np.array(list(sides), dtype=np.int64)] = list(sides.values())

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


def compile_hessians() -> None:
    """Looks at the curvatures of a smallest model, which compiles what they need."""
    net, distributions = ReluOutput(2, 1), distributions_of(Independent(2, density=0.5))
    x = np.array([[1.0, -1.0, 0.0, 0.0]])
    starts = starts_at(x, np.ones(x.shape), np.zeros(1, dtype=np.int64), distributions.weight, distributions.importance)
    smallest_curvatures(net, distributions, starts, 64, (), threads=1, progress=False)


def have_hessians_compiled() -> None:
    """Has a second process compile Hessians while this one compiles what it needs before, where neither is compiled."""
    if not is_compiled(descend_many):
        compile_beside(f"{compile_hessians.__module__}:{compile_hessians.__name__}", hessians)
