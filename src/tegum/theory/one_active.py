"""The loss when nothing, or exactly one feature, is active: the first two terms of the expansion by active features.

    L = sum_k  sum over sets A of k features  P(exactly A is on)  E[loss | A is on]          (y = ReLU(G x + b), x_i ~ U[0, 1])

    nothing on      sum_j I_j r(b_j)^2,                                                r(t) = max(t, 0)
    only i on       I_i int_0^1 (x - r(G_ii x + b_i))^2 dx  +  sum_{j != i} I_j int_0^1 r(G_ji x + b_j)^2 dx

The two integrals are elementary; they are written here case by case (the line stays positive, stays negative, crosses
zero) so that nothing cancels for small slopes.  Example: ``active_error(1.2, -0.2)`` is 0.0092593.

Source: `Toy Models of Superposition`, section 2.2, where they are left unevaluated.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from tegum.errors import InvalidInputError
from tegum.features import Features, Uniform


def inactive_error(slope: ArrayLike, bias: ArrayLike) -> NDArray[np.float64]:
    """int_0^1 r(slope x + bias)^2 dx: the squared output of a silent feature while another one is on; elementwise."""
    c, b = np.broadcast_arrays(np.asarray(slope, dtype=np.float64), np.asarray(bias, dtype=np.float64))
    end = b + c
    steep = np.where(c == 0, 1.0, c)
    crossing = np.where(c > 0, np.maximum(end, 0) ** 3, -(np.maximum(b, 0) ** 3)) / (3 * steep)
    inside = b * b + b * c + c * c / 3
    return np.select([(b >= 0) & (end >= 0), (b <= 0) & (end <= 0)], [inside, np.zeros_like(b)], crossing)


def _overlap(slope: NDArray[np.float64], bias: NDArray[np.float64]) -> NDArray[np.float64]:
    """int_0^1 x r(slope x + bias) dx."""
    end = bias + slope
    root = np.clip(-bias / np.where(slope == 0, 1.0, slope), 0, 1)
    rising = slope * (1 - root) ** 2 * (2 + root) / 6
    falling = bias * root**2 / 6
    inside = slope / 3 + bias / 2
    crossing = np.where(slope > 0, rising, falling)
    return np.select([(bias >= 0) & (end >= 0), (bias <= 0) & (end <= 0)], [inside, np.zeros_like(bias)], crossing)


def active_error(slope: ArrayLike, bias: ArrayLike) -> NDArray[np.float64]:
    """int_0^1 (x - r(slope x + bias))^2 dx: the squared error of the only feature that is on; elementwise."""
    a, b = np.broadcast_arrays(np.asarray(slope, dtype=np.float64), np.asarray(bias, dtype=np.float64))
    end = b + a
    inside = (1 - a) ** 2 / 3 - (1 - a) * b + b * b
    general = 1 / 3 - 2 * _overlap(a, b) + inactive_error(a, b)
    return np.where((b >= 0) & (end >= 0), inside, general)


def loss_nothing_active(b: Float[np.ndarray, "*batch n"], importance: Float[np.ndarray, "*batch n"]) -> NDArray[np.float64]:
    """sum_j I_j r(b_j)^2, shape (...)."""
    return np.asarray((importance * np.maximum(b, 0) ** 2).sum(axis=-1))


def losses_one_active(
    G: Float[np.ndarray, "*batch n n"], b: Float[np.ndarray, "*batch n"], importance: Float[np.ndarray, "*batch n"]
) -> NDArray[np.float64]:
    """The loss given that only feature i is on, for every i, shape (..., n); G_ji is what input i does to output j."""
    disturbed = inactive_error(G, b[..., :, None])
    own = np.einsum("...ii->...i", G)
    each = np.eye(G.shape[-1], dtype=bool)
    errors = np.where(each, active_error(own, b)[..., :, None], disturbed)
    return np.asarray((importance[..., :, None] * errors).sum(axis=-2))


def sparse_loss(
    G: Float[np.ndarray, "*batch n n"], b: Float[np.ndarray, "*batch n"], features: Features
) -> NDArray[np.float64]:
    """The part of the expected loss with at most one feature on, shape (...): what is left as features become sparse.

    Raises:
        InvalidInputError: unless the features are independent blocks of single features with uniform magnitudes.
    """
    blocks = features.blocks()
    single = len(blocks.block_of_component) == features.n_features == blocks.block_of_component.max() + 1
    if not single or not isinstance(features.magnitude, Uniform) or features.signed:
        raise InvalidInputError(
            f"the features are {features!r}", "this closed form needs independent features, uniform on [0, 1]"
        )
    p = features.feature_density
    others = np.array([np.prod(np.delete(1 - p, i, axis=-1), axis=-1) for i in range(features.n_features)])
    alone = p * np.moveaxis(others, 0, -1)
    nothing = np.prod(1 - p, axis=-1)
    return np.asarray(
        nothing * loss_nothing_active(b, features.importance)
        + (alone * losses_one_active(G, b, features.importance)).sum(axis=-1)
    )
