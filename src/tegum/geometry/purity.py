"""How clean the polytopes of a model are: which features belong to a shape of the catalogue, and how exactly.

    purity               share of features in identified shapes, of all learned features that overlap with others
    level_distance       mean |D_i - r/k| over the features of identified shapes of k features in r dimensions

A feature with a dimension of its own is no polytope and counts in neither.  Both take W (..., m, n) of finite numbers, and are
NaN where there is nothing to count.

>>> import numpy as np, tegum as tg
>>> random = np.random.default_rng(0).normal(size=(2, 5))
>>> purity(np.stack([tg.geometry.polygon(5), random])), level_distance(tg.geometry.polygon(5)).round(6)
(array([1., 0.]), np.float64(0.0))

Source: the comments on `Toy Models of Superposition` speak of cleaner polytopes without a measure; both are ours.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tegum.geometry.identification import Component, identify
from tegum.geometry.measures import dimensionality


def purity(W: NDArray[np.floating]) -> NDArray[np.float64]:
    """The purity of every model, shape (...)."""

    def one(_: NDArray[np.floating], shared: list[Component]) -> float:
        regular = sum(len(part.features) for part in shared if part.regular)
        return regular / sum(len(part.features) for part in shared) if shared else np.nan

    return _of_each(W, one)


def level_distance(W: NDArray[np.floating]) -> NDArray[np.float64]:
    """How far the dimensionalities of every model are from those of its identified shapes, shape (...)."""

    def one(model: NDArray[np.floating], shared: list[Component]) -> float:
        D = dimensionality(model)
        gaps = [abs(D[part.features] - part.dimensions / len(part.features)) for part in shared if part.regular]
        return float(np.concatenate(gaps).mean()) if gaps else np.nan

    return _of_each(W, one)


def _of_each(W: NDArray[np.floating], measure: Callable[[NDArray[np.floating], list[Component]], float]) -> NDArray[np.float64]:
    """The measure of each model and its components of at least two features."""
    models = W.reshape(-1, *W.shape[-2:])
    values = [measure(one, [part for part in identify(one).components if len(part.features) > 1]) for one in models]
    return np.array(values, dtype=np.float64).reshape(W.shape[:-2])
