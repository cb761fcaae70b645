"""One rotation for all: models that differ by a rotation or a reflection only, brought to the same position.

    aligned        the first feature lies along an axis, the next one off that line on the positive side of another, ...
    aligned_to     min over Q, P of ||Q W P - W'||, with Q^T Q = 1 and P a permutation of features that are alike
    likeness       max over Q of <Q W, T> / (||W|| ||T||), that is ||W T^T||_* / (||W|| ||T||): 1 where W is T, turned

>>> import tegum as tg
>>> pentagon = tg.geometry.polygon(5)
>>> tg.geometry.aligned(pentagon[:, ::-1], order=[0], axes=[1])[:, 0].round(6) + 0.0        # feature 0 points upwards
array([0., 1.])
>>> turned, features = tg.geometry.aligned_to(pentagon[:, [3, 1, 2, 0, 4]], pentagon, groups=[[0, 3]])
>>> abs(turned - pentagon).max().round(6), features                                         # features 0 and 3 changed places
(np.float64(0.0), array([3, 1, 2, 0, 4]))
>>> tg.geometry.likeness(pentagon[:, [0, 2, 4, 1, 3]], pentagon).round(6)                   # a pentagon in another order
np.float64(0.0)
>>> float(tg.geometry.likeness_by_chance(pentagon, pentagon, permutations=999)) < 0.1       # 10 of the 120 orders are as like
True

The loss of models with a linear hidden layer does not change under W -> Q W, and where features have the same density,
importance and companions it does not change when they change places, so their pictures may be turned and their features
renumbered to be compared by eye.  Not to be used where the hidden layer has a nonlinearity: there the axes mean something.

Source: Schoenemann, "A generalized solution of the orthogonal Procrustes problem" (1966).
"""

from collections.abc import Sequence
from itertools import chain, groupby, permutations, product
from math import factorial, prod

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import require_range, require_seeds
from tegum.errors import InvalidInputError, Problems
from tegum.geometry.matching import procrustes_turn
from tegum.geometry.measures import quotient

_PARALLEL = 0.1
"""A feature with less than this share of its norm off the axes so far does not define the next axis."""
_FAINT = 0.1
"""A feature with less than this share of the largest norm defines no axis."""
_MOST_PERMUTATIONS = 50_000
_AT_ONCE = 4096
_ROUNDING = 1e-9


@takes_arrays
def aligned(
    W: Float[np.ndarray, "*batch m n"], order: Sequence[int] | None = None, axes: Sequence[int] | None = None
) -> Float[np.ndarray, "*batch m n"]:
    """W turned (and reflected where needed) so that features chosen in turn lie along chosen axes, shape (..., m, n).

    Norms and angles do not change.  Features of norm below a tenth of the model's largest define no axis, nor do those within
    6 degrees of the space of the axes so far: the next one takes their place.  Hence models that differ by a rotation and a
    reflection only become equal, unless fewer than m features define an axis.

    Args:
        W: one model, or a batch; each is turned by itself.
        order: the features that define the axes, first to last; those not named follow in their own order.
        axes: the axes that they define, first to last; those not named follow in their own order.  In the plane ``[1]`` lays
            the first feature upwards and the next off its line to the right.

    Raises:
        InvalidInputError: for features or axes that do not exist or are named twice.
    """
    W = np.asarray(W)
    m, n = W.shape[-2:]
    problems = Problems()
    features, places = _completed("order", order, n, problems), _completed("axes", axes, m, problems)
    problems.raise_if_any()
    with np.errstate(invalid="ignore"):
        turned = [_turn(model, features, places) @ model for model in W.reshape(-1, m, n)]
    return np.asarray(turned, dtype=np.result_type(W, np.float32)).reshape(W.shape)


@takes_arrays
def aligned_to(
    W: Float[np.ndarray, "*batch m n"],
    reference: Float[np.ndarray, "*references k l"],
    groups: Sequence[Sequence[int]] = (),
    whole: bool = False,
) -> tuple[Float[np.ndarray, "*lead m n"], Int[np.ndarray, "*lead n"]]:
    """W as close to a reference as turning, reflecting and renumbering can bring it, and which feature stands in each place.

    The result is ``Q @ W[:, features]`` with the least ||Q W P - reference||_F over all orthogonal Q and all permutations P
    that are allowed: every one of them is tried.

    Args:
        W: one model, or a batch.
        reference: one model, or one for each.
        groups: features that may change places with one another, group by group; features in no group keep theirs.
        whole: whether groups of the same size may also change places as a whole, as equal sets of correlated features may.

    Raises:
        InvalidInputError: for shapes that do not match, for groups that overlap or name features that do not exist, and for
            more than 50,000 permutations.
    """
    W, reference = np.asarray(W), np.asarray(reference)
    problems = Problems()
    shape, n = W.shape[-2:], W.shape[-1]
    if shape != reference.shape[-2:]:
        problems.add(f"models have shape {shape} and the reference {reference.shape[-2:]}", "compare models of one shape")
    _completed("groups", list(chain(*groups)), n, problems)
    by_size = sorted(groups, key=len)
    alike = [list(some) for _, some in groupby(by_size, key=len)] if whole else [[group] for group in by_size]
    count = prod(factorial(len(some)) for some in [*groups, *alike])
    if count > _MOST_PERMUTATIONS:
        problems.add(f"the groups allow {count:,} permutations", f"make them smaller, for {_MOST_PERMUTATIONS:,} at most")
    problems.raise_if_any()
    allowed = _allowed(alike, n)
    lead = np.broadcast_shapes(W.shape[:-2], reference.shape[:-2])
    models, targets = (np.broadcast_to(each, lead + shape).reshape(-1, *shape) for each in (W, reference))
    found = [_closest(model, target, allowed) for model, target in zip(models, targets, strict=True)]
    turned = np.asarray([model for model, _ in found], dtype=np.result_type(W, np.float32))
    return turned.reshape(*lead, *shape), np.asarray([places for _, places in found], dtype=np.intp).reshape(*lead, n)


@takes_arrays
def likeness(W: Float[np.ndarray, "*batch m n"], target: Float[np.ndarray, "k n"]) -> Float[np.ndarray, "*batch"]:
    """How like a known arrangement of the same features the columns of W lie, from 0 to 1, shape (...); 0 where either is 0.

    Rotations, reflections and a common factor make no difference; which feature is where does.

    Args:
        W: models.
        target: where each feature would be, a column for each, in any number of dimensions.

    Raises:
        InvalidInputError: where the target is not finite.
    """
    return _likeness(np.asarray(W, dtype=np.float64), np.asarray(target, dtype=np.float64))


@takes_arrays
def likeness_by_chance(
    W: Float[np.ndarray, "*batch m n"], target: Float[np.ndarray, "k n"], permutations: int = 999, seed: int = 0
) -> Float[np.ndarray, "*batch"]:
    """How probable so high a `likeness` is where features have changed places at random, shape (...): a permutation test.

    It is (1 + how many of the permutations are at least as like) / (1 + permutations), never 0.

    Args:
        W: models.
        target: where each feature would be, a column for each.
        permutations: how many are drawn.
        seed: names them; all models are compared with the same.

    Raises:
        InvalidInputError: where there are no permutations, or too many, or the target is not finite.
    """
    require_range("permutations", permutations, 1, _MOST_PERMUTATIONS)
    require_seeds(seed)
    W, target = np.asarray(W, dtype=np.float64), np.asarray(target, dtype=np.float64)
    finite, U, T = _scaled(W, target)
    generator, models = np.random.default_rng(seed), U.reshape(-1, *U.shape[-2:])
    reached, found = np.zeros(len(models)), _overlap(models, T) * (1 - _ROUNDING)
    for begin in range(0, permutations, _AT_ONCE):
        count = min(_AT_ONCE, permutations - begin)
        permuted = np.array([T[:, generator.permutation(T.shape[1])] for _ in range(count)])
        # Norms do not change where features change places: what is compared are nuclear norms.
        reached += [(_overlap(model, permuted) >= least).sum() for model, least in zip(models, found, strict=True)]
    return np.asarray(np.where(finite, (1 + reached.reshape(finite.shape)) / (1 + permutations), np.nan))


def _likeness(W: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.floating]:
    """The nuclear norm of W T^T over the norms of both; NaN for models that diverged."""
    finite, U, T = _scaled(W, target)
    found = quotient(_overlap(U, T), np.linalg.norm(U, axis=(-2, -1)) * np.linalg.norm(T))
    return np.asarray(np.where(finite, np.minimum(found, 1.0), np.nan))


def _scaled(
    W: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.floating], NDArray[np.floating]]:
    """Which models are finite; models, those that are not as 0, and the target, with a largest entry of 1."""
    if not np.isfinite(target).all():
        raise InvalidInputError("target has numbers that are not finite", "say of every feature where it would be")
    finite = np.asarray(np.isfinite(W).all(axis=(-2, -1)))
    W = np.where(finite[..., None, None], W, 0.0)
    largest = np.abs(W).max(axis=(-2, -1), keepdims=True, initial=0.0)
    return finite, quotient(W, largest), quotient(target, np.abs(target).max(initial=0.0))


def _overlap(W: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.floating]:
    """The nuclear norm of W T^T."""
    return np.asarray(np.linalg.svd(W @ np.swapaxes(target, -1, -2), compute_uv=False).sum(axis=-1))


def _completed(name: str, given: Sequence[int] | None, size: int, problems: Problems) -> list[int]:
    """All numbers below size, those given first."""
    first = [] if given is None else [int(i) for i in given]
    if len(set(first)) < len(first) or not all(0 <= i < size for i in first):
        problems.add(f"{name} names {first}", f"name each of 0 to {size - 1} at most once")
    return first + [i for i in range(size) if i not in first]


def _turn(W: NDArray[np.floating], order: Sequence[int], places: Sequence[int]) -> NDArray[np.floating]:
    """The orthogonal matrix that lays the first independent features along the axes."""
    m = W.shape[0]
    largest = np.abs(W).max(initial=0.0)
    if not 0 < largest < np.inf:
        return np.eye(m)
    W = W / largest
    norms = np.linalg.norm(W, axis=0)
    candidates = [W[:, i] for i in order if norms[i] > _FAINT * norms.max(initial=0.0)]
    directions: list[NDArray[np.floating]] = []
    for column in [*candidates, *np.eye(m)]:
        rest = column - sum((axis * (axis @ column) for axis in directions), np.zeros(m))
        if len(directions) < m and np.linalg.norm(rest) > _PARALLEL * np.linalg.norm(column):
            rest = rest - sum((axis * (axis @ rest) for axis in directions), np.zeros(m))
            directions.append(rest / np.linalg.norm(rest))
    turn = np.empty((m, m))
    turn[list(places)] = directions
    return turn


def _allowed(alike: Sequence[Sequence[Sequence[int]]], n: int) -> NDArray[np.intp]:
    """Every permutation of n features within groups, and of groups that are alike, shape (permutations, n)."""
    places = [i for some in alike for group in some for i in group]
    orders = product(*(permutations(some) for some in alike))
    chosen = [list(chain(*members)) for order in orders for members in product(*map(permutations, chain(*order)))]
    allowed = np.tile(np.arange(n), (len(chosen), 1))
    allowed[:, places] = chosen
    return allowed


def _closest(
    W: NDArray[np.floating], reference: NDArray[np.floating], allowed: NDArray[np.intp]
) -> tuple[NDArray[np.floating], NDArray[np.intp]]:
    """The best permutation maximises the sum of singular values of reference (W P)^T; with it the best turn is U V^T."""
    if not (np.isfinite(W).all() and np.isfinite(reference).all()):
        return W, np.arange(W.shape[-1])
    scores = [
        np.linalg.svd(np.einsum("in,jpn->pij", reference, W[:, some]), compute_uv=False).sum(axis=-1)
        for some in (allowed[start : start + _AT_ONCE] for start in range(0, len(allowed), _AT_ONCE))
    ]
    features = allowed[int(np.argmax(np.concatenate(scores)))]
    return procrustes_turn(reference, W[:, features]) @ W[:, features], features
