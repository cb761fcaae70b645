"""How clean the polytopes of a model are: which features belong to a shape of the catalogue, and how exactly.

    purity               share of features in identified shapes, of all learned features that overlap with others
    level_distance       mean |D_i - r/k| over the features of identified shapes of k features in r dimensions

A feature with a dimension of its own is no polytope and counts in neither.  Example: a pentagon beside three dedicated features
has purity 1 and distance 0; five random directions in two dimensions have purity 0 and no distance (NaN).

Source: the comments on `Toy Models of Superposition` speak of cleaner polytopes without a measure; both are ours.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tegum.geometry.identification import Component, identify
from tegum.geometry.measures import dimensionality


def purity(W: NDArray[np.floating]) -> NDArray[np.float64]:
    """The purity of many models, W (..., m, n): shape (...), NaN where no features overlap.

    Raises:
        InvalidInputError: where W has numbers that are not finite.
    """

    def one(model: NDArray[np.floating], shared: list[Component]) -> float:
        counts = np.array([len(part.features) for part in shared])
        regular = np.array([part.regular for part in shared])
        return float(counts[regular].sum() / counts.sum()) if shared else float("nan")

    return _of_each(W, one)


def level_distance(W: NDArray[np.floating]) -> NDArray[np.float64]:
    """How far dimensionalities are from those of the identified shapes, W (..., m, n): shape (...), NaN where there are none.

    Raises:
        InvalidInputError: where W has numbers that are not finite.
    """

    def one(model: NDArray[np.floating], shared: list[Component]) -> float:
        D = dimensionality(model)
        gaps = [abs(D[part.features] - part.dimensions / len(part.features)) for part in shared if part.regular]
        return float(np.concatenate(gaps).mean()) if gaps else float("nan")

    return _of_each(W, one)


def _of_each(W: NDArray[np.floating], measure: Callable[[NDArray[np.floating], list[Component]], float]) -> NDArray[np.float64]:
    """The measure of each model and its components of at least two features."""
    models = W.reshape(-1, *W.shape[-2:])
    values = [measure(one, [part for part in identify(one).components if len(part.features) > 1]) for one in models]
    return np.array(values, dtype=np.float64).reshape(W.shape[:-2])
