"""The feature graph: features are nodes, joined where they overlap; its components are the tegum factors.

    edge between i and j        |W_i . W_j| > threshold              weight |W_i . W_j|
    node                        learned features only: norm at least 0.3 of the largest, D_i at least 0.15 of the largest

>>> import numpy as np, tegum as tg
>>> graph = tg.geometry.feature_graph(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]))
>>> graph.edges, graph.component
(array([[0, 1]]), array([0, 0, 1]))

Two features lie in different tegum factors exactly where no path joins them.  Where features are dense, most keep a small
overlap with everything; they are no nodes, as in the paper's pictures.

Source: section 4 of `Toy Models of Superposition`, which gives neither threshold; both are ours.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import scipy
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.errors import InvalidInputError
from tegum.geometry.measures import dimensionality, feature_norms, gram

_SMALL_NORM, _SMALL_DIMENSIONALITY, _SPANNED = 0.3, 0.15, 0.2
LARGEST = 1e30


@final
@dataclass(frozen=True, eq=False)
class FeatureGraph:
    """The learned features of one model and their overlaps: the weights |W_i . W_j| of every edge, 0 elsewhere, shape (n, n).

    The component of each feature, shape (n,), is numbered from 0 by its first feature; -1 where not learned.
    """

    weights: NDArray[np.floating]
    component: NDArray[np.integer]

    @property
    def components(self) -> list[NDArray[np.intp]]:
        """The features of every component."""
        return [np.flatnonzero(self.component == k) for k in range(int(self.component.max(initial=-1)) + 1)]

    @property
    def edges(self) -> NDArray[np.intp]:
        """The two features of every edge, the smaller first, shape (edges, 2)."""
        return np.argwhere(np.triu(self.weights) > 0)


@takes_arrays
def learned(W: Float[np.ndarray, "*batch m n"]) -> Bool[np.ndarray, "*batch n"]:
    """Which features are nodes of the graph, shape (..., n)."""
    norms, D = feature_norms(W), dimensionality(W)
    long = norms >= _SMALL_NORM * norms.max(axis=-1, keepdims=True, initial=0.0)
    wide = _SMALL_DIMENSIONALITY * D.max(axis=-1, keepdims=True, initial=0.0) <= D
    return np.asarray(long & wide & (norms > 0))


@takes_arrays
def feature_graph(W: NDArray[np.floating], threshold: float = 0.1) -> FeatureGraph:
    """The graph of one model, W (m, n); an edge needs |W_i . W_j| above ``threshold``.

    Raises:
        InvalidInputError: where W is not one matrix of finite numbers, or the threshold is negative.
    """
    require_one_model(W, "a feature graph is that of one model, (m, n)")
    if not threshold >= 0:
        raise InvalidInputError(f"threshold is {threshold:g}", "choose 0 or more")
    size = np.abs(gram(W))
    np.fill_diagonal(size, 0)
    nodes = learned(W)
    joined = (size > threshold) & nodes & nodes[:, None]
    component = np.full(len(nodes), -1)
    component[nodes] = scipy.sparse.csgraph.connected_components(joined[np.ix_(nodes, nodes)], directed=False)[1]
    return FeatureGraph(np.where(joined, size, 0.0), component)


def largest_across(W: Float[np.ndarray, "m n"], component: Int[np.ndarray, " n"]) -> float:
    """The largest |W_i . W_j| of features in different components (numbered as in `FeatureGraph`); 0 where all are in one."""
    apart = (component[:, None] != component) & (component[:, None] >= 0) & (component >= 0)
    return float(np.where(apart, np.abs(gram(W)), 0.0).max(initial=0.0))


def factor_dimensions(W: Float[np.ndarray, "m n"]) -> int:
    """How many dimensions the features of one component span: singular values above a fifth of the largest."""
    return int(np.linalg.matrix_rank(W, rtol=_SPANNED))


def require_weights(W: NDArray[Any]) -> None:
    """Raises an `InvalidInputError` unless W is (..., m, n)."""
    if W.ndim < 2 or W.size == 0:
        raise InvalidInputError(f"W has shape {W.shape}", "give (..., m, n), a column for each feature")


def require_one_model(W: NDArray[Any], advice: str) -> None:
    """Raises an `InvalidInputError` unless W is (m, n) and finite."""
    require_weights(W)
    bad = np.argwhere(~(np.abs(W) < LARGEST))
    if len(bad):
        place = tuple(int(i) for i in bad[0])
        advice = f"give numbers below {LARGEST:g}" if np.isfinite(W[place]) else "a model that diverged has no geometry"
        raise InvalidInputError(f"W is {W[place]} at {place}", advice)
    if W.ndim != 2:
        raise InvalidInputError(f"W has shape {W.shape}", advice)
