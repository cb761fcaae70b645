"""Neurons: how many features one of them holds, what makes it fire, in which order to show them, and at which scale.

Scores of polysemanticity of a neuron with weights w (a row of W or W1), from one feature to n equal ones:

    participation_ratio      (sum w^2)^2 / sum w^4                          1 ... n
    weights_above            how many |w| exceed a tenth of the largest     1 ... n
    second_to_first          second largest |w| / largest                   0 ... 1
    left_out                 1 - max w^2 / sum w^2                          0 ... 1 - 1/n

>>> import numpy as np, tegum as tg
>>> W = np.array([[2.0, -1.0, 0.0], [0.0, 0.0, 3.0]])                                      # two neurons, three features
>>> tg.geometry.participation_ratio(W).round(3), tg.geometry.second_to_first(W), tg.geometry.monosemantic(W)
(array([1.471, 1.   ]), array([0.5, 0. ]), array([False,  True]))

A neuron without weights scores 0 throughout: it is inactive.  One that diverged scores NaN, where a score is no count.

A ReLU neuron between two matrices has no scale of its own: a w in, v / a out compute the same for every a > 0.
``rescaled_neurons`` makes the largest input weight 1, as the paper does for its pictures.

Without a nonlinearity on the hidden layer O W is as good as W for every rotation O, so that a score tells something about
neurons only where it differs from that of ``random_rotations`` of the same weights.

What makes a neuron fire is counted by ``primary_share``: how often its main feature is active among its activations between
two quantiles; from 0.99 to 1 one looks at top activations, as people do, from 0.4 to 0.6 at ordinary ones.

Source: `Toy Models of Superposition`, sections 8 and 9 with footnote 15; the paper judges polysemanticity by eye.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from tegum.arraylike import takes_arrays
from tegum.errors import InvalidInputError
from tegum.geometry.measures import quotient

_SMALL = 0.1


@takes_arrays
def participation_ratio(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch m"]:
    """(sum w^2)^2 / sum w^4 of every neuron, shape (..., m)."""
    share = _shares(W)
    return quotient(1.0, (share**2).sum(axis=-1))


@takes_arrays
def weights_above(W: Float[np.ndarray, "*batch m n"], share: float = _SMALL) -> Int[np.ndarray, "*batch m"]:
    """How many weights of every neuron exceed ``share`` of its largest, that one included, shape (..., m)."""
    size = abs(W)
    return np.asarray((size > share * size.max(axis=-1, keepdims=True)).sum(axis=-1))


@takes_arrays
def second_to_first(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch m"]:
    """The second largest |w| over the largest, shape (..., m); 0 for a single feature."""
    if W.shape[-1] == 1:
        return 0 * W[..., 0]
    size = np.sort(np.where(np.isfinite(W), abs(W), np.nan), axis=-1)  # NaN comes last
    return quotient(size[..., -2], size[..., -1])


@takes_arrays
def left_out(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch m"]:
    """The part of a neuron's sum of squares that is not its largest weight's, shape (..., m)."""
    share = _shares(W)
    return np.asarray(share.sum(axis=-1) - share.max(axis=-1))


@takes_arrays
def monosemantic(W: Float[np.ndarray, "*batch m n"], share: float = _SMALL) -> Bool[np.ndarray, "*batch m"]:
    """Whether all weights of a neuron but one are at most ``share`` of that one, shape (..., m); False for inactive ones."""
    return np.asarray(weights_above(W, share) == 1)


@takes_arrays
def inactive_neurons(W: Float[np.ndarray, "*batch m n"], least: float = 1e-2) -> Bool[np.ndarray, "*batch m"]:
    """Neurons whose largest |w| is below ``least`` of the net's largest, shape (..., m)."""
    size = abs(W).max(axis=-1)
    return np.asarray(size <= least * size.max(axis=-1, keepdims=True, initial=0))


@takes_arrays
def main_features(W: Float[np.ndarray, "*batch m n"]) -> Int[np.ndarray, "*batch m"]:
    """The feature of every neuron's largest |w|, shape (..., m)."""
    return np.asarray(abs(W).argmax(axis=-1))


@takes_arrays
def neuron_order(W: Float[np.ndarray, "m n"]) -> Int[np.ndarray, " m"]:
    """Rows of W in a readable order: by main feature, positive before negative, larger before smaller; inactive ones last."""
    main = main_features(W)
    weight = W[np.arange(len(W)), main]
    return np.lexsort((-abs(weight), weight < 0, main, inactive_neurons(W)))


@takes_arrays
def rescaled_neurons(
    W1: Float[np.ndarray, "*batch m n"], W2: Float[np.ndarray, "*batch n m"]
) -> tuple[Float[np.ndarray, "*batch m n"], Float[np.ndarray, "*batch n m"]]:
    """The same net with every neuron's largest |W1| weight 1; neurons without input weights stay as they are."""
    size = abs(W1).max(axis=-1)
    scale = np.where(size > 0, size, 1)
    with np.errstate(invalid="ignore", over="ignore"):  # of models that diverged
        return np.asarray(W1 / scale[..., :, None]), np.asarray(W2 * scale[..., None, :])


@takes_arrays
def random_rotations(W: Float[np.ndarray, "*batch m n"], count: int, seed: int) -> Float[np.ndarray, "count *batch m n"]:
    """O W for ``count`` random rotations and reflections O of the hidden space (Haar measure), shape (count, ..., m, n)."""
    # QR of a Gaussian matrix, with a positive diagonal of R; scipy.stats does the same, but takes a second to load.
    Q, R = np.linalg.qr(np.random.default_rng(seed).normal(size=(count, W.shape[-2], W.shape[-2])))
    return np.asarray(np.einsum("rij,...jn->r...in", Q * np.sign(np.einsum("rii->ri", R))[:, None, :], W))


@takes_arrays
def primary_share(
    h: Float[np.ndarray, "samples m"],
    active: Bool[np.ndarray, "samples n"],
    primary: Int[np.ndarray, " m"],
    low: float,
    high: float,
    least: float = 0.1,
) -> Float[np.ndarray, " m"]:
    """How often every neuron's primary feature is active where the neuron fires, shape (m,); NaN where it never fires.

    Of a neuron's activations above ``least`` times its largest those from quantile ``low`` to ``high`` (0 to 1) count.
    """
    if not 0 <= low <= high <= 1:
        raise InvalidInputError(f"the quantiles are {low} and {high}", "choose 0 <= low <= high <= 1")
    share = np.full(h.shape[1], np.nan)
    for k, feature in enumerate(primary):
        fires = h[:, k] > least * h[:, k].max()
        values = h[fires, k]
        if values.size:
            bottom, top = np.quantile(values, [low, high])
            share[k] = active[fires, feature][(values >= bottom) & (values <= top)].mean()
    return share


def _shares(W: Float[np.ndarray, "*batch m n"]) -> Float[np.ndarray, "*batch m n"]:
    """Each weight's part of its neuron's sum of squares; 0 for neurons without weights."""
    largest = abs(W).max(axis=-1, keepdims=True)
    squares = quotient(W, largest) ** 2
    return quotient(squares, squares.sum(axis=-1, keepdims=True))
