"""How noisy the gradient of a single sample is: the covariance that batches add to a chain.

    l(w; x) = sum_j I_j (x_j - y_j)^2,       C = Cov_x l'(w; x)

>>> import tegum as tg
>>> features = tg.features.FiniteLaw([[1.0], [0.0]])                       # x is 1 or 0, l = (x - b)^2 at W = 0: l' = 2 (b - x)
>>> gradient_covariance(tg.nets.Linear(1, 1), features, [[0.0]], [0.5]).round(6) + 0.0
array([[0., 0.],
       [0., 1.]])
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.exact.parameters import free_of, output_of
from tegum.features import Features, FiniteLaw
from tegum.nets import ACTIVATIONS, Net

_SAMPLES = 20_000

Floats = NDArray[np.float64]


def gradient_covariance(net: Net, features: Features, W: ArrayLike, b: ArrayLike) -> Floats:
    """C (d, d) at W (m, n) and b (n,): of a finite law exactly, else of 20,000 samples, always the same ones."""
    if isinstance(features, FiniteLaw):
        x, p = features.table, features.probabilities
    else:
        x = features.sample(_SAMPLES, seed=0)
        p = np.full(len(x), 1 / len(x))
    G = sample_gradients(net, features.importance, np.asarray(W, dtype=np.float64), np.asarray(b, dtype=np.float64), x)
    centred = G - p @ G
    return np.asarray(centred.T @ (p[:, None] * centred))


def sample_gradients(net: Net, importance: Floats, W: Floats, b: Floats, x: Floats) -> Floats:
    """The gradient (T, d) by W (m, n) and b (n,) of the loss of every sample x (T, n)."""
    h = x @ W.T
    s = h @ W + b
    on = np.ones_like(s) if output_of(net) is ACTIVATIONS["identity"] else (s > 0).astype(np.float64)
    pull = 2 * importance * (s * on - x) * on
    by_W = h[:, :, None] * pull[:, None, :] + (pull @ W.T)[:, :, None] * x[:, None, :]
    return np.concatenate([by_W.reshape(len(x), -1), pull], axis=1) * free_of(net)


def sample_losses(net: Net, importance: Floats, W: Floats, b: Floats, x: Floats) -> Floats:
    """The loss (..., T) of models W (..., m, n) and b (..., n) on every sample x (T, n)."""
    y = output_of(net)(x @ np.swapaxes(W, -1, -2) @ W + b[..., None, :])
    return np.asarray((y - x) ** 2 @ importance)
