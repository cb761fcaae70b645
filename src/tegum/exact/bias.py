"""The best bias for weights as they are: each output has its own, so a line is searched for each, and all of it.

    b_j = argmin_b  E (x_j - r(G_j x + b))^2

>>> import numpy as np, tegum as tg
>>> features = tg.features.Independent(2, density=0.1)
>>> pair = np.array([[1.0, -1.0]])
>>> b = best_bias(pair, features)
>>> b.round(4), bool(tg.exact.loss(pair, b, features) <= tg.exact.loss(pair, np.zeros(2), features))
(array([0.0019, 0.0019]), True)
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, real_numbers, require_range
from tegum.errors import InvalidInputError
from tegum.exact.evaluate import evaluate
from tegum.exact.kernel.model import LARGEST_WEIGHT
from tegum.exact.parameters import is_neuron, output_of, require_tied
from tegum.features import Features
from tegum.nets import Net
from tegum.recorded import require_meant

_POINTS, _MOST_POINTS, _FINE, _ROUNDS = 41, 2001, 0.5, 6


@checked
def best_bias(W: ArrayLike, features: Features, *, net: Net | None = None, tied: bool = True) -> NDArray[np.float64]:
    """The biases (..., n) of lowest loss for weights W (..., m, n), or maps (..., n, n) with ``tied=False``.

    They are good to about 1e-5; those of a net without bias are 0.  Leading axes of W and the features are broadcast; other
    arguments and errors are those of `tegum.exact.evaluate`.
    """
    W = real_numbers("W", W)
    if W.ndim < 2 or W.shape[-1] != features.n_features:
        raise InvalidInputError(f"W has shape {W.shape}", f"give (..., m, {features.n_features})")
    if net is not None and not (tied and net.tied and is_neuron(net) and not net.has_hidden_bias):
        output_of(net)
        if tied:
            require_tied(net)
    if net is not None and not net.bias and (tied or not net.has_hidden_bias):
        return np.zeros((*np.broadcast_shapes(W.shape[:-2], features.batch_shape), W.shape[-1]))
    require_meant(features, W.shape[:-2])
    features = features.replaced(importance=1.0)  # each bias is of one output: what counts little is found as exactly
    require_range("W", W, -LARGEST_WEIGHT, LARGEST_WEIGHT)
    G = np.swapaxes(W, -1, -2) @ W if tied else W
    shape = (*np.broadcast_shapes(W.shape[:-2], features.batch_shape), W.shape[-1])
    strength = _strength(features)
    reach = max(1.0, strength) + np.abs(G).sum(axis=-1) * max(1.0, 4 * strength)
    centre, width = np.zeros(shape), np.broadcast_to(reach, shape)
    # a well may be as narrow as features are strong, however far couplings reach
    points = int(np.clip(np.ceil(2 * reach.max(initial=0) / (_FINE * max(strength, 1e-300))), _POINTS, _MOST_POINTS))
    for _ in range(_ROUNDS):
        b = centre + width * np.linspace(-1, 1, points).reshape(-1, *([1] * len(shape)))
        errors = evaluate(W, b, features, 1e-7, net=net, tied=tied)["squared_error"].values
        centre = np.take_along_axis(b, errors.argmin(axis=0)[None], axis=0)[0]
        width, points = width * (2.5 / (points - 1)), _POINTS
    return centre


def _strength(features: Features) -> float:
    """How strong an active feature is, the largest root of a mean square, E (x_i^2 | x_i != 0)."""
    if hasattr(features, "magnitude"):
        return math.sqrt(features.magnitude.moment(2))
    squares, density = np.diagonal(features.second_moment()), features.feature_density
    return float(np.sqrt(np.divide(squares, density, out=np.zeros(density.shape), where=density > 0).max()))
