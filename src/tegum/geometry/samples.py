"""Where a model puts its samples: their hidden vectors, and how many dimensions each has to itself.

    sample_vectors          h_s = W x_s
    sample_dimensionality   D_s = ||h_s||^2 / sum_t (h^_s . h_t)^2        h^_s = h_s / ||h_s||; t over all samples, s too

What feature dimensionality is to the columns of W, this is to the samples: a model that has memorised T samples on a regular
polygon gives each 2 / T dimensions, as it would give them to T features.

>>> import numpy as np, tegum as tg
>>> W, x = tg.geometry.polygon(5), np.eye(5)                          # a sample for each feature: the features themselves
>>> tg.geometry.sample_dimensionality(W, x).round(3)
array([0.4, 0.4, 0.4, 0.4, 0.4])

Samples may be sparse rows of SciPy, as those of a data set are (`tegum.features.data_set`): `law.rows`.

Source: Henighan et al., "Superposition, Memorization, and Double Descent" (2023).
"""

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import is_sparse, real_numbers
from tegum.errors import InvalidInputError
from tegum.geometry.measures import dimensionality


@takes_arrays
def sample_vectors(W: Float[np.ndarray, "*batch m n"], x: Any) -> NDArray[np.floating]:
    """The hidden vectors (..., m, samples) of samples x (samples, n): a column for each, as features have in W (..., m, n).

    It is an array, also of weights whose axes have names: other measures may take it for weights, as it stands.

    Raises:
        InvalidInputError: where shapes do not fit, or there is no sample.
    """
    rows = x if is_sparse(x) and x.dtype.kind in "biuf" else real_numbers("x", x)
    if rows.ndim != 2 or not rows.shape[0] or rows.shape[1] != W.shape[-1]:
        raise InvalidInputError(f"W has shape {W.shape} and x {rows.shape}", "give W (..., m, n) and x (samples, n), none 0")
    found = (rows @ W.reshape(-1, W.shape[-1]).T).T
    return np.asarray(found).reshape(*W.shape[:-1], rows.shape[0])


def sample_dimensionality(W: Any, x: Any) -> NDArray[np.floating]:
    """D_s of every sample among x (samples, n), from 0 to 1, shape (..., samples); the sum is at most the rank of W.

    A sample whose hidden vector is 0 has 0; a model that diverged has NaN.

    Raises:
        InvalidInputError: where shapes do not fit.
    """
    return dimensionality(sample_vectors(W, x))
