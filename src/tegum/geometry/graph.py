"""The feature graph: features are nodes, joined where they overlap; its components are the tegum factors.

    edge between i and j        |W_i . W_j| > threshold              weight |W_i . W_j|
    node                        learned features only: norm at least 0.3 of the largest, D_i at least 0.15 of the largest

Example: W = [[1, -1, 0], [0, 0, 1]] has one edge, between features 0 and 1, and two components.

Two features lie in different tegum factors exactly where no path joins them.  In dense worlds most features keep a small
overlap with everything; they are no nodes, as in the paper's pictures.

Source: section 4 of `Toy Models of Superposition`, which gives neither threshold; both are ours.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tegum.errors import InvalidInputError
from tegum.geometry.measures import dimensionality, feature_norms, gram

SMALL_NORM = 0.3
SMALL_DIMENSIONALITY = 0.15
SPANNED = 0.2
"""A dimension counts where its singular value exceeds this share of the component's largest."""


@final
@dataclass(frozen=True, eq=False)
class FeatureGraph:
    """The learned features of one model and their overlaps.

    Attributes:
        weights: |W_i . W_j| of every edge, 0 elsewhere, shape (n, n), symmetric.
        component: the component of each feature, numbered from 0 by its first feature; -1 where not learned, shape (n,).
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


def learned(W: Float[np.ndarray, "*batch m n"]) -> Bool[np.ndarray, "*batch n"]:
    """Which features are nodes of the graph, shape (..., n)."""
    norms, D = feature_norms(W), dimensionality(W)
    long = norms >= SMALL_NORM * norms.max(axis=-1, keepdims=True, initial=0.0)
    wide = SMALL_DIMENSIONALITY * D.max(axis=-1, keepdims=True, initial=0.0) <= D
    return np.asarray(long & wide & (norms > 0))


def labelled_components(
    joined: Bool[np.ndarray, "batch n n"], nodes: Bool[np.ndarray, "batch n"]
) -> Int[np.ndarray, "batch n"]:
    """The component of every node of many graphs at once, numbered over all of them; -1 for what is no node."""
    count, n = nodes.shape
    instance, one, other = np.nonzero(joined & nodes[:, :, None] & nodes[:, None, :])
    size = count * n
    edges: csr_array[Any, Any] = csr_array((np.ones(len(one), bool), (instance * n + one, instance * n + other)), (size, size))
    _, label = connected_components(edges, directed=False)
    component = np.full(size, -1)
    component[nodes.ravel()] = np.unique(label[nodes.ravel()], return_inverse=True)[1]
    return np.asarray(component.reshape(nodes.shape))


def feature_graph(W: NDArray[np.floating], threshold: float = 0.1) -> FeatureGraph:
    """The graph of one model.

    Args:
        W: shape (m, n).
        threshold: an edge needs a larger |W_i . W_j|.

    Raises:
        InvalidInputError: where W is not one matrix of finite numbers, or the threshold is negative.
    """
    require_weights(W)
    if W.ndim != 2:
        raise InvalidInputError(f"W has shape {W.shape}", "a feature graph is that of one model, (m, n)")
    if not threshold >= 0:
        raise InvalidInputError(f"threshold is {threshold:g}", "choose 0 or more")
    size = np.abs(gram(W))
    np.fill_diagonal(size, 0)
    nodes = learned(W)
    joined = (size > threshold) & nodes & nodes[:, None]
    return FeatureGraph(np.where(joined, size, 0.0), labelled_components(joined[None], nodes[None])[0])


def largest_across(W: Float[np.ndarray, "m n"], component: Int[np.ndarray, " n"]) -> float:
    """The largest |W_i . W_j| of features in different components (numbered as in `FeatureGraph`); 0 where all are in one."""
    apart = (component[:, None] != component) & (component[:, None] >= 0) & (component >= 0)
    return float(np.where(apart, np.abs(gram(W)), 0.0).max(initial=0.0))


def factor_dimensions(W: Float[np.ndarray, "m n"]) -> int:
    """How many dimensions the features of one component span: singular values above a fifth of the largest."""
    sizes = np.linalg.svd(W, compute_uv=False)
    return int((sizes > SPANNED * sizes[0]).sum())


def require_weights(W: NDArray[Any]) -> None:
    """Raises a `InvalidInputError` unless W is (..., m, n) and finite."""
    if W.ndim < 2 or W.size == 0:
        raise InvalidInputError(f"W has shape {W.shape}", "give (..., m, n), a column for each feature")
    bad = np.argwhere(~np.isfinite(W))
    if len(bad):
        place = tuple(int(i) for i in bad[0])
        raise InvalidInputError(f"W is {W[place]} at {place}", "give finite numbers; a model that diverged has no geometry")
