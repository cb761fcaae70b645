"""The asymmetric superposition motif: two features share a neuron so unequally that one hardly disturbs the other.

In a net y = ReLU(W2 ReLU(W1 x) + b) that computes |x|, neuron A holds culprit c and victim v with unequal weights,

    W1[A] = [2, -1/2],   W2[:, A] = [1/2, 2]         (symmetric superposition: [1, -1] and [1, 1])

so that x_c = 1 puts 4 on the victim's output, x_v = -1 only 1/4 on the culprit's.  Neuron B fires on the same sign of x_c and
inhibits the victim's output, where an error below 0 costs nothing.  With r[j, i] the input of output j when only x_i is active,
at the sign for which A fires (biases left out), a motif is a pair (A, B), a culprit and a victim with

    A holds these two                    W2[c, A] > 0,  W2[v, A] > 0, and |W1[A, i]| W2[i, A] lower for every other i
    unequal in, reciprocal out           |W1[A, c] / W1[A, v]| > 2,  W2[c, A] / W2[v, A] < 1/2,  their product in 1/3 ... 3
    the net computes both                r[c, c] and r[v, v] within 1/2 ... 3/2
    B inhibits on the culprit            W1[B, c] of the same sign as W1[A, c], and at least 0.3 of B's largest
                                         W2[v, B] < -1/2 at B's canonical scale (largest input weight 1)
    and does undo the harm               r[v, c] below half of what A alone gives

The product is 1 where A alone computes both features and 1/2 where a second neuron shares the culprit's; factor 3, 0.3 and the
halves are our choice.

>>> import tegum as tg
>>> tg.geometry.motifs(*tg.geometry.hand_built_motif(4))
[Motif(neuron=0, inhibitor=1, culprit=0, victim=1, ratio=4.0, product=1.0)]
>>> tg.geometry.motifs(*tg.geometry.hand_built_motif(1))                                   # the symmetric version
[]

Source: `Toy Models of Superposition`, section 9; what it draws is put into conditions here.
"""

from dataclasses import dataclass
from itertools import permutations
from typing import final

import numpy as np
from jaxtyping import Float

from tegum.arraylike import takes_arrays
from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.geometry.neurons import rescaled_neurons

_UNEQUAL, _RECIPROCAL, _COMPUTED = 2.0, 3.0, (0.5, 1.5)
_ON_CULPRIT, _INHIBITS, _UNDONE = 0.3, -0.5, 0.5


@final
@dataclass(frozen=True)
class Motif:
    """One asymmetric superposition.

    Args:
        neuron: A, which both features share.
        inhibitor: B, which inhibits the victim; of several the strongest.
        culprit: the feature that disturbs.
        victim: the feature that is disturbed, and inhibited.
        ratio: |W1[A, culprit] / W1[A, victim]|.
        product: that ratio times W2[culprit, A] / W2[victim, A].
    """

    neuron: int
    inhibitor: int
    culprit: int
    victim: int
    ratio: float
    product: float


def responses(W1: Float[np.ndarray, "m n"], W2: Float[np.ndarray, "n m"], sign: int) -> Float[np.ndarray, "n n"]:
    """r[j, i], the input of output j when only x_i is active, at ``sign`` (+1 or -1); biases left out."""
    return np.asarray(W2 @ np.maximum(sign * W1, 0))


@takes_arrays
def motifs(W1: Float[np.ndarray, "m n"], W2: Float[np.ndarray, "n m"]) -> list[Motif]:
    """Every asymmetric superposition motif of a net, by neuron: what makes one is said at the top of `tegum.geometry.motif`.

    A neuron is a row of W1 and a column of W2; each is rescaled to a largest input weight of 1 first.
    """
    W1, W2 = rescaled_neurons(np.asarray(W1, np.float64), np.asarray(W2, np.float64))
    response = {sign: responses(W1, W2, sign) for sign in (1, -1)}
    found = []
    for A in range(len(W1)):
        gain = abs(W1[A]) * np.maximum(W2[:, A], 0)
        held = [i for i in np.argsort(-gain, kind="stable")[:2].tolist() if gain[i] > 0]
        for c, v in permutations(held, 2):
            sign, other_sign = np.sign(W1[A, [c, v]]).astype(int).tolist()
            ratio = abs(W1[A, c] / W1[A, v])
            product = ratio * W2[c, A] / W2[v, A]
            if not (ratio > _UNEQUAL and product < ratio / 2 and 1 / _RECIPROCAL < product < _RECIPROCAL):
                continue
            own = response[sign][c, c], response[other_sign][v, v]
            if not all(_COMPUTED[0] <= each <= _COMPUTED[1] for each in own):
                continue
            harm = W2[v, A] * abs(W1[A, c])
            inhibitors = (sign * W1[:, c] >= _ON_CULPRIT) & (W2[v] < _INHIBITS)
            if inhibitors.any() and response[sign][v, c] < _UNDONE * harm:
                strength = np.where(inhibitors, W2[v] * abs(W1[:, c]), 0)
                found.append(Motif(A, int(strength.argmin()), c, v, float(ratio), float(product)))
    return found


@checked
def hand_built_motif(ratio: float, inhibited: bool = True) -> tuple[Float[np.ndarray, "5 3"], Float[np.ndarray, "3 5"]]:
    """W1 (5, 3) and W2 (3, 5) of a net that computes |x| of three features with five neurons instead of six.

    Neurons 0 and 1 are A and B: both fire on x_0 > 0, one on x_1 < 0, the other on x_2 < 0; with ``inhibited`` each inhibits
    the other's victim.  The culprit's output comes from A alone.  Neurons 2 to 4 compute the other halves in the ordinary way.
    The ratio is W1[A, culprit] / -W1[A, victim]: 4 gives the paper's [2, -1/2] and [1/2, 2], 1 the symmetric version.

    Raises:
        InvalidInputError: for a ratio that is not above 0.
    """
    if not 0 < ratio < np.inf:
        raise InvalidInputError(f"ratio is {ratio}", "choose a number above 0; 4 is the paper's, 1 is symmetric")
    a = float(np.sqrt(ratio))
    W1 = np.array([[a, -1 / a, 0], [a, 0, -1 / a], [-1, 0, 0], [0, 1, 0], [0, 0, 1]])
    inhibition = -a if inhibited else 0.0
    W2 = np.array([[1 / a, 0, 1, 0, 0], [a, inhibition, 0, 1, 0], [inhibition, a, 0, 0, 1]])
    return W1, W2
