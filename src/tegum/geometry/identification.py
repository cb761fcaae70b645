"""From W to words: which polytopes the features form.

>>> import numpy as np, tegum as tg
>>> W = np.zeros((3, 7))
>>> W[:2, :5], W[2, 5:] = tg.geometry.polygon(5), [1, -1]
>>> found = tg.geometry.identify(W)
>>> found.label, found.polytope, [part.features.tolist() for part in found.components]
('pentagon + digon', 'pentagonal bipyramid', [[0, 1, 2, 3, 4], [5, 6]])
>>> purity(W).item(), level_distance(W).round(6).item()
(1.0, 0.0)

1. The learned features are nodes, joined where |cos| of their angle exceeds a threshold; components are candidates.
2. A component that fits a shape of the catalogue, and hardly overlaps the rest of the model, bears its name.
3. What fits nothing is tried again at a higher threshold: noise may have joined what belongs apart.
4. What still fits nothing is `irregular (k in r)`: k features that span r dimensions; `crowded` is a feature that overlaps
   with no other one much, and with all of them together too much to have a dimension of its own.

Hardly: noise that turns unit vectors by eps each makes two of them that were orthogonal overlap by cos^2 = 2 eps^2 / m on
average, in m dimensions.  A factor of k features in r dimensions, one of n learned features, is taken for itself where the
squared cosines of each of its features with all others sum to at most

    max(0.2, min(2 eps^2 (n - k) / m, k / 2r)),       eps = 1/3

on average; 2 % of noise in each of 200 weights make eps = 0.28, chance alone makes a sum of (n - k) / m, and k / r is what the
features of a tight frame have among themselves, so that two thirds at least of a factor's overlaps are its own.

Names depend on the directions of learned features only, not on their norms, and not on rotations, reflections or the numbering
of features.  Which are learned (`graph.learned`) does depend on norms, and on what D_i is beside the largest: 14 around a
circle beside a dedicated one, of D_i 1/7, are not.  The lowest threshold comes first, so that the weak bonds of a large simplex
count as bonds.  All thresholds are ours.

Random directions hardly overlap where there are fewer features than dimensions; those are called dedicated, and they are.

How clean the polytopes are, two numbers say; features with a dimension of their own are no polytopes and count in neither:

    purity               share of features in identified shapes, of all learned features that overlap with others
    level_distance       mean |D_i - r/k| over the features of identified shapes of k features in r dimensions

Source: sections 4 and 5 of `Toy Models of Superposition`, where the shapes were found by eye; the comments on it, which speak
of cleaner polytopes without a measure.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar, final

import numpy as np
import scipy
import xarray as xr
from jaxtyping import Float, Shaped
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import numbers
from tegum.errors import InvalidInputError
from tegum.geometry.catalogue import CROWDED, IRREGULAR, Fit, composite_name, nearest_shape, plural
from tegum.geometry.graph import LARGEST, factor_dimensions, learned, require_one_model, require_weights
from tegum.geometry.measures import DIVERGED, NOT_LEARNED, cosines, dimensionality, feature_norms

THRESHOLDS = (0.02, 0.04, 0.07, 0.1, 0.14, 0.18, 0.22, 0.26, 0.3)
JOINED = 0.1
"""What fits nothing is counted as one irregular shape where joined by larger cosines."""
OUTSIDE, _NOISE, _OWN = 0.2, 1 / 3, 0.5
"""What the overlaps with the rest may be: at least so much; noise so large; at most so much of those among themselves."""
_CLEAR = 0.1
"""Rows of W that are no features hardly fit shapes so well."""
P = ParamSpec("P")
R = TypeVar("R")
Factor = tuple[NDArray[np.intp], Fit | None]


@final
@dataclass(frozen=True, eq=False)
class Component:
    """One tegum factor: features that overlap with one another and hardly with the rest.

    Attributes:
        features: their numbers, ascending.
        dimensions: how many they span.
        name: the shape, `irregular (k in r)`, or `crowded` for one feature.
        fit_error: root mean square distance of their directions from the named shape (unit sphere, chords); NaN if irregular.
        nearest: the shape that came closest, where any may fit.
        tightness: of W restricted to these features, in the dimensions they span; 1 for a tight frame.
        dimensionality: the sum of their D_i; ``dimensions`` in an orthogonal sum of tight frames.
        outside: mean over them of the squared cosines with all other learned features.
    """

    features: NDArray[np.intp]
    dimensions: int
    name: str
    fit_error: float
    nearest: Fit | None
    tightness: float
    dimensionality: float
    outside: float

    @property
    def regular(self) -> bool:
        """Whether a shape was recognised."""
        return self.name != CROWDED and not self.name.startswith(IRREGULAR)


@final
@dataclass(frozen=True, eq=False)
class Identification:
    """What one model learned: components, regular and large ones first, and each feature's shape or ``not learned``, (n,)."""

    components: tuple[Component, ...]
    names: NDArray[Any]

    @property
    def label(self) -> str:
        """All shapes in short, such as ``pentagon + 2 digons``; ``nothing`` where no feature is learned."""
        counts = Counter(component.name for component in self.components)
        return " + ".join(plural(name, count) for name, count in counts.items()) or "nothing"

    @property
    def polytope(self) -> str | None:
        """The polytope that all features together form, such as ``pentagonal bipyramid``; None where it has no name."""
        names = [component.name for component in self.components]
        return names[0] if len(names) == 1 and self.components[0].regular else composite_name(names)


def _asks_for_rows(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which asks where features are most likely rows of W: unless names of axes, or ``rows``, say what they are.

    Rows would be taken for a few features with a dimension each, without a word.  Named axes are put in order by their names,
    so that ``rows`` may only repeat what these say.
    """
    parameters = list(signature(function).parameters)

    @wraps(function)
    def asking(*args: P.args, **kwargs: P.kwargs) -> R:
        given: dict[str, Any] = dict(zip(parameters, args, strict=False)) | kwargs
        W, rows = given.get("W"), given.get("rows")
        named = W.get("W") if isinstance(W, xr.Dataset) else W
        if isinstance(named, xr.DataArray) and {"hidden", "feature"} & {*named.dims}:
            if isinstance(rows, bool) and len(args) <= len(parameters):
                _require_agreement(rows, named.dims)
                return function(**given | {"rows": None})  # type: ignore[call-arg]
        elif rows is None and named is not None:
            models = numbers("W", named)
            if models.ndim > 1 and 1 < models.shape[-1] < models.shape[-2] and _are_turned(models):
                what = f"W has shape {models.shape}, and its rows form shapes where its columns form none"
                raise InvalidInputError(what, "give rows=True if a row is a feature, rows=False if a column is")
        return function(*args, **kwargs)

    return asking


def _require_agreement(rows: bool, dims: tuple[Any, ...]) -> None:
    """Raises an `InvalidInputError` where names of axes say that features are what ``rows`` says they are not."""
    feature = "feature" if "feature" in dims else next((axis for axis in dims[::-1] if axis != "hidden"), "hidden")
    hidden = "hidden" if "hidden" in dims else next((axis for axis in dims[::-1] if axis != "feature"), "feature")
    if rows != (dims.index(feature) < dims.index(hidden)):
        found = "column" if rows else "row"
        what = f"rows is {rows}, and W has the axes {', '.join(map(str, dims))}: a {found} is a feature"
        raise InvalidInputError(what, "leave rows out: named axes say which are features")


@_asks_for_rows
@takes_arrays
def identify(W: NDArray[np.floating], rows: bool | None = None) -> Identification:
    """The shapes in one model, W (m, n), or (n, m) where ``rows`` are features.

    Raises:
        InvalidInputError: where W is not one matrix of finite numbers; where its rows are fit to be features and its columns
            are not, unless ``rows`` or a DataArray's axes ``hidden`` and ``feature`` say which are; where these two disagree.
    """
    W = np.swapaxes(W, -1, -2) if rows and W.ndim > 1 else W
    require_one_model(W, "give one model, (m, n); shape_names takes (..., m, n)")
    return _identified(W.astype(np.float64))


@_asks_for_rows
@takes_arrays
def shape_names(W: NDArray[np.floating], rows: bool | None = None) -> Shaped[np.ndarray, "*batch"]:
    """The labels of many models, W (..., m, n), or (..., n, m) where ``rows`` are features: an array of strings, shape (...).

    Models with weights that are not finite are ``diverged``.

    Raises:
        InvalidInputError: where W has less than two axes, or none of some size; where rows are fit to be features and columns
            are not, unless ``rows`` or a DataArray's axes ``hidden`` and ``feature`` say which are; where these two disagree.
    """
    require_weights(W)
    W = np.swapaxes(W, -1, -2) if rows else W
    models = W.reshape(-1, *W.shape[-2:]).astype(np.float64)
    labels = [_identified(one).label if (np.abs(one) < LARGEST).all() else DIVERGED for one in models]
    return np.array(labels, dtype=object).reshape(W.shape[:-2])


@takes_arrays
def purity(W: NDArray[np.floating]) -> Float[np.ndarray, "*batch"]:
    """The purity of every model W (..., m, n), shape (...); NaN where no features overlap, or it diverged."""
    return _mean_over_features(W, lambda part, D: np.full(len(D), part.regular))


@takes_arrays
def level_distance(W: NDArray[np.floating]) -> Float[np.ndarray, "*batch"]:
    """How far the dimensionalities of every model are from those of its identified shapes, shape (...); NaN without shapes."""
    return _mean_over_features(W, lambda part, D: abs(D - part.dimensions / len(D)) if part.regular else D[:0])


def _are_turned(models: NDArray[np.floating]) -> bool:
    """Whether in most models (..., k, r) all rows together form shapes, while the columns, which are fewer, form none."""
    turned = []
    for one in models.reshape(-1, *models.shape[-2:]).astype(np.float64):
        if not (np.abs(one) < LARGEST).all():
            continue
        columns, rows = (_identified(each).components for each in (one, one.T))
        formed = [part for part in columns if part.regular and len(part.features) > 1]
        sizes = [len(part.features) for part in rows if part.regular and part.fit_error <= _CLEAR]
        turned.append(not formed and len(sizes) == len(rows) and max(sizes, default=0) > 1)
    return bool(turned) and 2 * sum(turned) > len(turned)


def _mean_over_features(
    W: NDArray[np.floating], values: Callable[[Component, NDArray[np.floating]], NDArray[Any]]
) -> NDArray[np.float64]:
    """The mean of values for the features of each component of at least two, which may depend on their D_i; NaN without any."""

    def one(model: NDArray[np.floating]) -> float:
        if not (np.abs(model) < LARGEST).all():
            return np.nan
        D, parts = dimensionality(model), _identified(model.astype(np.float64)).components
        found = np.concatenate([[], *(values(part, D[part.features]) for part in parts if len(part.features) > 1)])
        return float(found.mean()) if found.size else np.nan

    require_weights(W)
    return np.asarray(np.vectorize(one, otypes=[np.float64], signature="(m,n)->()")(W))


def _identified(W: NDArray[np.float64]) -> Identification:
    """The shapes in one model with finite weights."""
    nodes = np.flatnonzero(learned(W))
    names = np.full(W.shape[1], NOT_LEARNED, dtype=object)
    if len(nodes) == 0:
        return Identification((), names)
    U = W[:, nodes] / feature_norms(W[:, nodes])
    similar = np.minimum(np.abs(cosines(W[:, nodes])), 1)
    np.fill_diagonal(similar, 0)
    D = dimensionality(W)
    found = []
    for members, fit in _factors(U, similar):
        features = nodes[members]
        found.append(_component(W, features, fit, float(D[features].sum()), _outside(similar, members)))
        names[features] = found[-1].name
    found.sort(key=lambda one: (not one.regular, -len(one.features), one.name, one.features[0]))
    return Identification(tuple(found), names)


def _factors(U: NDArray[np.float64], similar: NDArray[np.float64]) -> list[Factor]:
    """The nodes of every factor and what they were recognised as, or came closest to."""
    found = _split(U, similar, _labels(similar, THRESHOLDS), np.arange(len(similar)))
    named = [factor for factor in found if factor[1] is not None]
    unnamed = [members for members, fit in found if fit is None]
    if not unnamed:
        return named
    rest = np.sort(np.concatenate(unnamed))
    together = _parts(rest, _labels(similar[np.ix_(rest, rest)], (JOINED,))[0])
    return named + [(members, _shape_of(U, similar, members)) for members in together]


def _split(
    U: NDArray[np.float64], similar: NDArray[np.float64], labels: NDArray[np.integer], members: NDArray[np.intp]
) -> list[Factor]:
    """Members as one shape, or as the shapes they fall into above the next thresholds; None where none fits.

    Where they are both, what is closer counts: a simplex and a feature beside it are almost the next simplex.
    """
    fit = _shape_of(U, similar, members)
    whole: list[Factor] = [(members, fit if fit is not None and fit.fits else None)]
    apart = np.flatnonzero(np.ptp(labels[:, members], axis=1))
    if not apart.size:
        return whole
    parts = _parts(members, labels[apart[0], members])
    pieces = [factor for part in parts for factor in _split(U, similar, labels[apart[0] + 1 :], part)]
    better = whole[0][1] is not None and _misfit(whole, similar) <= _misfit(pieces, similar)
    return whole if better else pieces


def _shape_of(U: NDArray[np.float64], similar: NDArray[np.float64], members: NDArray[np.intp]) -> Fit | None:
    """The shape nearest to members, which does not fit where they overlap too much with all other nodes."""
    fit, (m, n), k = nearest_shape(U[:, members]), U.shape, len(members)
    if fit is None or not fit.fits:
        return fit
    by_noise = 2 * _NOISE**2 * (n - k) / m
    most = max(OUTSIDE, min(by_noise, _OWN * k / fit.dimensions))
    return replace(fit, fits=_outside(similar, members) <= most)


def _labels(similar: NDArray[np.float64], thresholds: tuple[float, ...]) -> NDArray[np.int32]:
    """The component of every node at every threshold, shape (thresholds, nodes)."""
    if len(similar) == 1:
        return np.ones((len(thresholds), 1), np.int32)
    tree = scipy.cluster.hierarchy.linkage(scipy.spatial.distance.squareform(1 - similar, checks=False), "single")
    labels, label_of, at = np.arange(len(similar), dtype=np.int32), list(range(len(similar))), {}
    merges = iter(tree[:, :3].tolist())
    one, other, height = next(merges)
    for threshold in sorted(thresholds, reverse=True):
        while height <= 1 - threshold:  # two clusters become one, whose number is the next
            labels[labels == label_of[int(other)]] = label_of[int(one)]
            label_of.append(label_of[int(one)])
            one, other, height = next(merges, (0, 0, np.inf))
        at[threshold] = labels.copy()
    return np.stack([at[threshold] for threshold in thresholds])


def _parts(members: NDArray[np.intp], label: NDArray[np.integer]) -> list[NDArray[np.intp]]:
    """Members by their label."""
    return [members[label == k] for k in np.unique(label)]


def _misfit(factors: list[Factor], similar: NDArray[np.float64]) -> float:
    """The summed squared distance of all directions from an orthogonal sum of the shapes; infinite where some are in none.

    Two directions with cosine c become orthogonal when each moves by about c / 2.
    """
    if any(fit is None for _, fit in factors):
        return float("inf")
    inside = sum(len(members) * fit.error**2 for members, fit in factors if fit is not None)
    everything = np.concatenate([members for members, _ in factors])
    across = (similar[np.ix_(everything, everything)] ** 2).sum()
    across -= sum((similar[np.ix_(members, members)] ** 2).sum() for members, _ in factors)
    return float(inside + across / 4)


def _outside(similar: NDArray[np.float64], members: NDArray[np.intp]) -> float:
    """The mean over members of the squared cosines with all other nodes."""
    squares = similar[members] ** 2
    return float((squares.sum() - squares[:, members].sum()) / len(members))


def _component(W: NDArray[np.float64], features: NDArray[np.intp], fit: Fit | None, D: float, outside: float) -> Component:
    sizes = np.linalg.svd(W[:, features], compute_uv=False)
    if fit is not None and fit.fits:
        rank, name, error = fit.dimensions, fit.name, fit.error
    else:
        rank, error = factor_dimensions(W[:, features]), float("nan")
        name = f"{IRREGULAR} ({len(features)} in {rank})" if len(features) > 1 else CROWDED
    squares = sizes[:rank] ** 2
    evenness = float(squares.sum() ** 2 / (rank * (squares**2).sum()))
    return Component(features, rank, name, error, fit, evenness, D, outside)
