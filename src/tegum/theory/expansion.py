"""The expected loss as a sum over how many features are active, each part computed without a sample.

    L = sum_k p^k (1 - p)^(n - k) L_k,        L_k = sum over sets A of k features  E[loss | exactly A is active]

for y = ReLU(G x + b), with x_i uniform on [0, 1] where active in the closed forms of the first two parts, r(t) = max(t, 0):

    nothing active      sum_j I_j r(b_j)^2
    only i active       I_i int_0^1 (x - r(G_ii x + b_i))^2 dx  +  sum_{j != i} I_j int_0^1 r(G_ji x + b_j)^2 dx

The two integrals are elementary; they are written here case by case (the line stays positive, stays negative, crosses
zero) so that nothing cancels for small slopes.  The other parts are expected losses of distributions in which the features of A
are always active and all others never, 2^n of them.

>>> import numpy as np, tegum as tg
>>> active_error(1.2, -0.2).round(7)
np.float64(0.0092593)
>>> W = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]])                                         # four features as two digons
>>> L = losses_by_count(W, np.zeros(4), tg.features.Independent(4))
>>> L[:3].round(6), shares_by_count(L, density=0.1).sum().round(6)                         # L_0, L_1, L_2 and the loss
(array([0.      , 0.      , 0.666667]), np.float64(0.006667))

Source: `Toy Models of Superposition`, section 2.2, where the integrals are left unevaluated.
"""

from itertools import combinations

import numpy as np
import scipy
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import require_range
from tegum.errors import InvalidInputError
from tegum.exact import loss
from tegum.features import Features, Independent, Uniform
from tegum.geometry import polygon

MOST_EXPANDED = 14
_TOL = 1e-10


def inactive_error(slope: ArrayLike, bias: ArrayLike) -> NDArray[np.float64]:
    """int_0^1 r(slope x + bias)^2 dx: the squared output of an inactive feature while another is active; elementwise."""
    c, b = np.broadcast_arrays(np.asarray(slope, dtype=np.float64), np.asarray(bias, dtype=np.float64))
    steep = np.where(c == 0, 1.0, c)
    crossing = np.where(c > 0, np.maximum(b + c, 0) ** 3, -(np.maximum(b, 0) ** 3)) / (3 * steep)
    return _by_case(c, b, b * b + b * c + c * c / 3, crossing)


def active_error(slope: ArrayLike, bias: ArrayLike) -> NDArray[np.float64]:
    """int_0^1 (x - r(slope x + bias))^2 dx: the squared error of the only active feature; elementwise."""
    a, b = np.broadcast_arrays(np.asarray(slope, dtype=np.float64), np.asarray(bias, dtype=np.float64))
    # int_0^1 x r(a x + b) dx, over the part of [0, 1] on one side of the line's root where it crosses zero.
    root = np.clip(-b / np.where(a == 0, 1.0, a), 0, 1)
    crossing = np.where(a > 0, a * (1 - root) ** 2 * (2 + root) / 6, b * root**2 / 6)
    overlap = _by_case(a, b, a / 3 + b / 2, crossing)
    inside = (1 - a) ** 2 / 3 - (1 - a) * b + b * b
    return np.where((b >= 0) & (b + a >= 0), inside, 1 / 3 - 2 * overlap + inactive_error(a, b))


def _by_case(
    slope: NDArray[np.float64], bias: NDArray[np.float64], positive: NDArray[np.float64], crossing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """An integral by whether slope x + bias stays positive on [0, 1], stays negative (then it is 0), or crosses zero."""
    end = bias + slope
    return np.select([(bias >= 0) & (end >= 0), (bias <= 0) & (end <= 0)], [positive, np.zeros_like(bias)], crossing)


def loss_nothing_active(b: Float[np.ndarray, "*batch n"], importance: Float[np.ndarray, "*batch n"]) -> NDArray[np.float64]:
    """sum_j I_j r(b_j)^2, shape (...)."""
    return np.asarray((importance * np.maximum(b, 0) ** 2).sum(axis=-1))


def losses_one_active(
    G: Float[np.ndarray, "*batch n n"], b: Float[np.ndarray, "*batch n"], importance: Float[np.ndarray, "*batch n"]
) -> NDArray[np.float64]:
    """The loss given that only feature i is active, for every i, shape (..., n); G_ji is what input i does to output j."""
    own = active_error(np.einsum("...ii->...i", G), b)
    errors = np.where(np.eye(G.shape[-1], dtype=bool), own[..., :, None], inactive_error(G, b[..., :, None]))
    return np.asarray((importance[..., :, None] * errors).sum(axis=-2))


@takes_arrays
def sparse_loss(
    G: Float[np.ndarray, "*batch n n"], b: Float[np.ndarray, "*batch n"], features: Features
) -> NDArray[np.float64]:
    """The part of the expected loss with at most one active feature, shape (...): what is left as features become sparse.

    Raises:
        InvalidInputError: unless the features are independent blocks of single features with uniform magnitudes.
    """
    require_range("G", G, -1e30, 1e30)
    require_range("b", b, -1e30, 1e30)
    if features.n_features != G.shape[-1]:
        what = f"G has {G.shape[-1]} features and the distribution {features.n_features}"
        raise InvalidInputError(what, "choose the same number")
    blocks = features.blocks()
    single = len(blocks.block_of_component) == features.n_features == blocks.block_of_component.max() + 1
    if not single or getattr(features, "magnitude", None) != Uniform() or features.signed:
        raise InvalidInputError(
            f"the features are {features!r}", "this closed form needs independent features, uniform on [0, 1]"
        )
    p, importance = features.feature_density, features.importance
    others = [np.prod(np.delete(1 - p, i, axis=-1), axis=-1) for i in range(features.n_features)]
    nothing, alone = np.prod(1 - p, axis=-1), p * np.stack(others, axis=-1)
    one = (alone * losses_one_active(G, b, importance)).sum(axis=-1)
    return np.asarray(nothing * loss_nothing_active(b, importance) + one)


def losses_by_count(W: Float[np.ndarray, "m n"], b: Float[np.ndarray, " n"], features: Independent) -> NDArray[np.float64]:
    """L_0 to L_n of one model of at most 14 features, shape (n + 1,); their density plays no part."""
    n = W.shape[-1]
    if n > MOST_EXPANDED:
        raise InvalidInputError(f"W has {n} features", f"give at most {MOST_EXPANDED}: every set of them is computed")
    sets = [A for k in range(n + 1) for A in combinations(range(n), k)]
    active = np.array([[float(i in A) for i in range(n)] for A in sets])
    each = loss(W, b, features.replaced(density=active), tol=_TOL)
    return np.asarray(np.bincount([len(A) for A in sets], weights=each), dtype=np.float64)


def shares_by_count(L: NDArray[np.floating], density: ArrayLike) -> NDArray[np.float64]:
    """p^k (1 - p)^(n - k) L_k for every k, shape (..., n + 1): the parts that sum to the expected loss.

    The density (...), the same for every feature, broadcasts with the leading axes of L (..., n + 1).
    """
    p, n = np.asarray(density, dtype=np.float64)[..., None], L.shape[-1] - 1
    k = np.arange(n + 1)
    return np.asarray(p**k * (1 - p) ** (n - k) * L)


def polygon_loss(sides: int, norm: float, bias: float) -> float:
    """L_1 per feature of a regular polygon: the loss given that one of its features is active."""
    W = norm * polygon(int(sides))
    return float(losses_one_active(W.T @ W, np.full(sides, bias), np.ones(sides))[0])


def best_polygon(sides: int) -> tuple[float, float, float]:
    """The lowest L_1 per feature of a regular polygon of ``sides`` features without positive bias, its norm and its bias.

    A bias above 0 costs n r(b)^2 whenever nothing is active, which is nearly always in the limit that L_1 describes.
    """

    def of_two(x: NDArray[np.float64]) -> float:
        return polygon_loss(sides, float(np.exp(x[0])), -float(np.exp(x[1])))

    starts = [(np.log(1 + 0.1 * k), np.log(0.05 + 0.25 * k)) for k in range(5)]
    ends = [
        scipy.optimize.minimize(of_two, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 4000})
        for start in starts
    ]
    found = [(float(end.fun), float(np.exp(end.x[0])), -float(np.exp(end.x[1]))) for end in ends]
    return min([(polygon_loss(sides, 1.0, 0.0), 1.0, 0.0), *found], key=lambda each: each[0])
