"""The phase of a feature: not learned, a dimension of its own, or in superposition.

    not learned      norm below 1/2
    superposition    norm at least 1/2, interference at least 1/2
    dedicated        norm at least 1/2, interference below 1/2

Example: the second feature of W = [[1, -1]] has norm 1 and interference 1: superposition.

Source: the three phases of section 3 of `Toy Models of Superposition`; the thresholds are ours.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

NOT_LEARNED, DEDICATED, SUPERPOSITION = "not learned", "dedicated", "superposition"

_THRESHOLD = 0.5


def phase_of(norm: NDArray[np.floating], interference: NDArray[np.floating]) -> NDArray[Any]:
    """The phase of every feature, elementwise.

    Args:
        norm: ||W_i||; below 1/2 a feature is ``not learned``.
        interference: as `interference` measures it; from 1/2 on a learned feature is in ``superposition``, below ``dedicated``.
    """
    learned, mixed = norm >= _THRESHOLD, interference >= _THRESHOLD
    return np.where(learned, np.where(mixed, SUPERPOSITION, DEDICATED), NOT_LEARNED)
