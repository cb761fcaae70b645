"""How many features fit: recovering sparse vectors from few numbers, and the bound that follows for superposition.

    h = W x, x (n,) with k entries that are not 0          which m = len(h) allows x to be read off again?

Problem.  If a layer T(x) = ReLU(W' W x - b) returned every k-sparse x up to a small error, it would yield an exact decoder:

    keep the k largest outputs of T as the support S,  x' = argmin ||W_S x' - h|| on S,  0 elsewhere           `denoised`

and exact recovery is known to need m = Omega(k log(n/k)).  With a share p = k/n of active features, n / m = O(x / ln x) for
x = 1/p.

>>> [recovery_rate(n=128, m=m, k=2, samples=100, seed=0) for m in (6, 12, 24)]             # two of 128 entries are 1
[0.16, 0.51, 0.96]
>>> recovery_threshold(n=128, k=2, samples=100, seed=0, decoder="told")                    # on the true support m = k suffices
2.0

Source: the appendix of `Toy Models of Superposition` on compressed sensing (Lemma 1 and Theorem 1), which rests on Do Ba,
Indyk, Price and Woodruff, "Lower bounds for sparse recovery" (2010).
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import real_numbers, shown
from tegum.errors import InvalidInputError, Problems

Decoder = Literal["denoiser", "linear", "guess", "told"]
_EXACT, _INPUTS, _CLOSE = 1e-6, 20, 1.08


def denoised(
    W: Float[np.ndarray, "m n"], h: Float[np.ndarray, "samples m"], outputs: Float[np.ndarray, "samples n"], k: int
) -> Float[np.ndarray, "samples n"]:
    """The inputs as Lemma 1 decodes them from h = W x: least squares on the k <= m largest outputs of the layer."""
    if not 1 <= k <= W.shape[0]:
        raise InvalidInputError(f"k is {k}", f"choose from 1 to the number of hidden dimensions, {W.shape[0]}")
    return _fitted(W, h, np.argpartition(-outputs, k - 1, axis=1)[:, :k])


def _fitted(W: NDArray[np.floating], h: NDArray[np.floating], support: NDArray[np.intp]) -> NDArray[np.float64]:
    """Least squares for h on each sample's support (samples, k)."""
    columns = np.moveaxis(W[:, support], 0, 1).astype(np.float64)
    across = np.swapaxes(columns, 1, 2)
    values = (np.linalg.pinv(across @ columns, hermitian=True) @ (across @ h[..., None]))[..., 0]
    decoded = np.zeros((len(h), W.shape[1]))
    np.put_along_axis(decoded, support, values, axis=1)
    return decoded


def recovered(x: Float[np.ndarray, "*samples n"], decoded: Float[np.ndarray, "*samples n"]) -> Bool[np.ndarray, "*samples"]:
    """Which samples came back, to a relative error of 1e-6."""
    return np.asarray(np.linalg.norm(decoded - x, axis=-1) <= _EXACT * np.linalg.norm(x, axis=-1))


def recovery_rate(n: int, m: int, k: int, samples: int, seed: int, decoder: Decoder = "denoiser") -> float:
    """The share of inputs with k ones among n entries that a decoder gets back from h = W x, W (m, n) of random unit columns.

    There are twenty samples for each W.  The decoders: "denoiser", behind the layer T(x) = ReLU(W^T W x); "linear", the
    pseudo-inverse of W and nothing else; "guess", least squares on a random support; "told", least squares on the true support.
    """
    with Problems() as problems:
        if not 1 <= k <= n:
            problems.add(f"k is {k}", f"choose from 1 to the number of features, {n}")
        if decoder not in get_args(Decoder):
            problems.add(f"decoder is {decoder!r}", f"choose among {', '.join(get_args(Decoder))}")
        problems.check_count("samples", samples)
    if k > m:
        return 0.0
    generator = np.random.default_rng([seed, n, m, k])
    came_back = 0
    matrices = -(-samples // _INPUTS)
    for _ in range(matrices):
        W = generator.standard_normal((m, n))
        W /= np.linalg.norm(W, axis=0)
        support = generator.random((_INPUTS, n)).argpartition(k - 1, axis=1)[:, :k]
        x = np.zeros((_INPUTS, n))
        np.put_along_axis(x, support, 1.0, axis=1)
        h = x @ W.T
        if decoder == "linear":
            decoded = h @ np.linalg.pinv(W).T
        elif decoder == "told":
            decoded = _fitted(W, h, support)
        else:
            outputs = generator.random(x.shape) if decoder == "guess" else np.maximum(h @ W, 0)
            decoded = denoised(W, h, outputs, k)
        came_back += int(recovered(x, decoded).sum())
    return came_back / (matrices * _INPUTS)


def half_recovered(m: ArrayLike, rates: ArrayLike) -> float:
    """The m at which recovery first reaches one half, between two of the given m on a logarithmic scale; NaN if never."""
    sizes, shares = np.log(np.asarray(m, dtype=np.float64)), np.asarray(rates, dtype=np.float64)
    above = np.flatnonzero(shares >= 0.5)
    if not above.size:
        return float("nan")
    j = int(above[0])
    if j == 0:
        return float(np.exp(sizes[0]))
    part = (0.5 - shares[j - 1]) / (shares[j] - shares[j - 1])
    return float(np.exp(sizes[j - 1] + part * (sizes[j] - sizes[j - 1])))


def recovery_threshold(n: int, k: int, samples: int, seed: int, decoder: Decoder = "denoiser") -> float:
    """The m from k to n at which `recovery_rate` passes one half, to 4 % by bisection; NaN where it never does."""

    def half(m: int) -> bool:
        return recovery_rate(n, m, k, samples, seed, decoder) >= 0.5

    low, high = k, n
    if half(low):
        return float(low)
    if not half(high):
        return float("nan")
    while high > _CLOSE * low and high - low > 1:
        middle = round(np.sqrt(low * high))
        low, high = (low, middle) if half(middle) else (middle, high)
    return float(np.sqrt(low * high))


@takes_arrays
def bound_units(n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """What m must be in proportion to, k ln(n/k), elementwise for 0 < k <= n."""
    n, k = np.asarray(n, dtype=np.float64), np.asarray(k, dtype=np.float64)
    if not ((k > 0) & (k <= n) & (n < np.inf)).all():
        raise InvalidInputError(f"n is {n} and k {k}", "choose finite numbers, 0 < k <= n")
    return np.asarray(k * np.log(n / k))


def features_per_dimension(x: ArrayLike) -> NDArray[np.float64]:
    """The n / m that the bound allows at x = 1 / density, x / ln x, elementwise for x > 1; its constant is left open.

    >>> features_per_dimension(10.0).round(3)
    np.float64(4.343)
    """
    x = real_numbers("x", x)
    if not ((x > 1) & (x < np.inf)).all():
        raise InvalidInputError(f"x is {shown(x)}", "choose finite numbers above 1")
    return np.asarray(x / bound_units(x, 1))
