"""One rotation for all: models that differ by a rotation or a reflection only, brought to the same position.

    the first feature lies along the first axis, the next one off that line has a positive second coordinate, ...

The loss of models with a linear hidden layer does not change under W -> O W, so their pictures may be turned to be
compared by eye.  Not to be used where the hidden layer has a nonlinearity: there the axes mean something.
"""

import numpy as np
from jaxtyping import Float

_PARALLEL = 0.1
"""A feature with less than this share of its norm off the axes so far does not define the next axis."""


def aligned(W: Float[np.ndarray, "m n"]) -> Float[np.ndarray, "m n"]:
    """W turned (and reflected where needed) so that its first independent features lie along the first axes in turn.

    Features of norm below a tenth of the largest define no axis.  Norms and angles do not change.
    """
    m = W.shape[0]
    largest = np.linalg.norm(W, axis=0).max(initial=0.0)
    axes: list[np.ndarray] = []
    candidates = [W[:, i] for i in range(W.shape[1]) if np.linalg.norm(W[:, i]) > 0.1 * largest]
    for column in [*candidates, *np.eye(m)]:
        rest = column - sum((axis * (axis @ column) for axis in axes), np.zeros(m))
        if len(axes) < m and np.linalg.norm(rest) > _PARALLEL * np.linalg.norm(column):
            rest = rest - sum((axis * (axis @ rest) for axis in axes), np.zeros(m))
            axes.append(rest / np.linalg.norm(rest))
    return np.asarray(np.stack(axes) @ W)
