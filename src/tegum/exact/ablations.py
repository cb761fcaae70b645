"""What every entry of the map is worth: by how much the loss changes where it is set to 0 and all else stays.

    D_ji = I_j [ E (x_j - r(s_j without g_ji x_i))^2 - E (x_j - r(s_j))^2 ],        s = G x + b

Output j reads row j alone.  So one model whose map lacks column i in every row knows D_ji for all j: n models for n^2 numbers,
each of them an exact expected loss.  A positive D_ji is what the coupling earns, a negative one what the interference costs.

>>> import numpy as np, tegum as tg
>>> features = tg.features.Independent(2, density=0.1)
>>> ablations([[1.0, -1.0]], [0.0, 0.0], features).round(5)          # each's own coupling earns 0.03167, the other's costs
array([[ 0.03167, -0.00167],
       [-0.00167,  0.03167]])
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, real_numbers, require_range
from tegum.errors import InvalidInputError
from tegum.exact.evaluate import squared_errors
from tegum.exact.kernel.model import LARGEST_WEIGHT
from tegum.exact.parameters import require_tied
from tegum.features import Features
from tegum.nets import Net


@checked
def ablations(
    W: ArrayLike,
    b: ArrayLike,
    features: Features,
    tol: float = 1e-9,
    *,
    net: Net | None = None,
    tied: bool = True,
    threads: int | None = None,
) -> NDArray[np.float64]:
    """The change of the loss where entry (j, i) of the map is 0, shape (..., n, n): row j is output j, column i what it reads.

    Args:
        W: weights (..., m, n), or maps (..., n, n) with ``tied=False``.
        b: biases (..., n).
        features: their distribution.
        tol: relative error of the losses that are compared; where one is not known to it, a warning says so.
        net: `ReluOutput` or `Linear`; by default ReLU outputs.
        tied: whether the map is W^T W, as by default.
        threads: how many threads; by default one per core.

    Raises:
        InvalidInputError: as `tegum.exact.evaluate`.
    """
    W, b = real_numbers("W", W), real_numbers("b", b)
    n = features.n_features
    if W.ndim < 2 or W.shape[-1] != n or (not tied and W.shape[-2] != n):
        raise InvalidInputError(f"W has shape {W.shape}", f"give (..., m, {n})" if tied else f"give the map as (..., {n}, {n})")
    if b.ndim < 1 or b.shape[-1] != n:
        raise InvalidInputError(f"b has shape {b.shape}", f"give (..., {n})")
    if net is not None and tied:
        require_tied(net)
    require_range("W", W, -LARGEST_WEIGHT, LARGEST_WEIGHT)
    G = np.swapaxes(W, -1, -2) @ W if tied else W
    without = np.where(np.eye(n + 1, n, dtype=bool)[:, None], 0.0, G[..., None, :, :])  # the last one lacks nothing
    each = features.replaced(**{name: values[..., None, :] for name, values in features.batched().items()})
    found = squared_errors(without, b[..., None, :], each, tol, net=net, tied=False, threads=threads)
    changes = found[..., :n, :] - found[..., n:, :]
    return np.asarray(np.swapaxes(changes * features.importance[..., None, :], -1, -2))
