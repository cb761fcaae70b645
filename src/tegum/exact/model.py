"""The expected squared error of every output of a model, and the gradient, compiled: one instance at a time.

    L = sum_j I_j E_j,    E_j = E x_j^2 + T_j E r(s_j)^2,    s = G x + b
    tied, G = W^T W:      dL/dW = W (dL/dG + dL/dG^T), added up row by row, so that G is never stored

The number of terms is a row's own affair: each doubles them until its share of the tolerated error is met.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled, inlined
from tegum.exact.exponential import exponential_row
from tegum.exact.lanes import pointer
from tegum.exact.partition import partition, reach
from tegum.exact.product import MOST_TERMS, Work, World
from tegum.exact.row import Effort, always_on, whole
from tegum.exact.split import split_row

LARGEST_WEIGHT, LARGEST_BIAS = 1e30, 1e60
"""Numbers have to stay below, so that no power of them overflows."""

_NEGLIGIBLE = 1e-100
_NEGLIGIBLE_OWN = 1 / 4
_DROPPED = 2
"""Where the own coupling is negligible, what is left of E[x_j r(s)] is larger: a fixed number of terms is raised."""
_FIRST_SHARE = 0.25
_GRADIENT_SHARE = 100.0
_PASSES = 3
_ROUNDING = 1e-15


@compiled
def row_error(
    world: Any, work: Any, n: int, own: int, own_block: int, own_component: int, b: float, linear: int, effort: Any
) -> Any:
    """T E r(s)^2 of the row whose couplings are in ``work.g``; its gradient by them goes to ``work.slope``.

    Returns:
        value, derivative by b, their error estimates, terms.
    """
    g = work.g
    for i in range(n):
        work.slope[i] = 0.0
        if abs(g[i]) < _NEGLIGIBLE:
            g[i] = 0.0
    if abs(b) < _NEGLIGIBLE:
        b = 0.0
    large, count = partition(world, work, g, n)
    if world.weight[own_component] == 0:
        own_block = -1
    low, high = reach(world, g, work.order, 0, count)
    if world.exponential:
        low = -np.inf if low < 0 else 0.0
        high = np.inf if high > 0 else 0.0
    if linear or b + low >= 0:
        value, by_b = always_on(world, work, g, work.order, count, own, own_block, own_component, b)
        return value, by_b, 0.0, 0.0, 0
    if b + high <= 0:
        return 0.0, 0.0, 0.0, 0.0, 0
    if world.exponential:
        return exponential_row(world, work, n, g, work.order, count, own, own_block, own_component, b, effort)
    if effort.least == effort.most and own_block >= 0 and _own_is_negligible(g, n, own):
        terms = min(_DROPPED * effort.most, MOST_TERMS)
        effort = Effort(terms, terms, effort.target, effort.target_b, effort.gradient)
    if large < count:
        return split_row(
            world, work, n, g, work.order, large, count, own, own_block, own_component, b, b + low, b + high, effort
        )
    value, _, by_b, error, error_b, terms = whole(
        world, work, n, g, work.order, count, own, own_block, own_component, b, b + low, b + high, 1.0, 0.0, work.c, effort
    )
    return value, by_b, error, error_b, terms


@inlined
def _own_is_negligible(g: Any, n: int, own: int) -> bool:
    """Whether the row's own coupling is far below the others: the feature is dropped."""
    largest = 0.0
    for i in range(n):
        largest = max(largest, abs(g[i]))
    return bool(abs(g[own]) < _NEGLIGIBLE_OWN * largest)


@inlined
def _couplings(W: Any, tied: int, j: int, g: Any) -> None:
    """Row j of G into g."""
    n = W.shape[1]
    if not tied:
        for i in range(n):
            g[i] = W[j, i]
        return
    for i in range(n):
        g[i] = 0.0
    for k in range(W.shape[0]):
        weight = W[k, j]
        for i in range(n):
            g[i] += weight * W[k, i]


@inlined
def _add_slope(W: Any, tied: int, j: int, weight: float, slope: Any, dW: Any) -> None:
    """Adds row j's part of the gradient: dL/dG_j = weight times slope."""
    n = W.shape[1]
    if not tied:
        for i in range(n):
            dW[j, i] += weight * slope[i]
        return
    for k in range(W.shape[0]):
        own = weight * W[k, j]
        back = 0.0
        for i in range(n):
            dW[k, i] += own * slope[i]
            back += slope[i] * W[k, i]
        dW[k, j] += weight * back


@compiled
def _once(
    world: Any,
    work: Any,
    W: Any,
    b: Any,
    importance: Any,
    tied: int,
    linear: int,
    gradient: int,
    least: int,
    most: int,
    target: float,
    target_b: float,
    squared_error: Any,
    dW: Any,
    db: Any,
) -> Any:
    """One pass over the rows; tolerated errors: ``target`` of the loss, ``target_b`` of the gradient by b as a share of E x."""
    n = W.shape[1]
    loss = 0.0
    error = 0.0
    terms = 0
    if gradient:
        for k in range(W.shape[0]):
            for i in range(n):
                dW[k, i] = 0.0
    for block in range(world.blocks):
        for component in range(world.block_first[block], world.block_first[block + 1]):
            mean = world.weight[component] * world.mean
            square = world.weight[component] * (world.spread + world.mean * world.mean)
            for j in range(world.component_first[component], world.component_first[component + 1]):
                _couplings(W, tied, j, work.g)
                weight = importance[j]
                share = np.inf if weight == 0 else target / (n * weight)
                effort = Effort(least, most, share, target_b * mean, gradient)
                value, by_b, row, _, spent = row_error(world, work, n, j, block, component, b[j], linear, effort)
                squared_error[j] = max(square + value, 0.0)
                row += _ROUNDING * (square + abs(value))
                loss += weight * squared_error[j]
                error += weight * row
                terms = max(terms, spent)
                if gradient:
                    db[j] = weight * by_b
                    _add_slope(W, tied, j, weight, work.slope, dW)
    return loss, error, terms


@inlined
def _are_usable(W: Any, b: Any) -> bool:
    """Whether all numbers are finite and their squares far from overflow."""
    usable = True
    for i in range(W.shape[1]):
        usable = usable and abs(b[i]) < LARGEST_BIAS
        for k in range(W.shape[0]):
            usable = usable and abs(W[k, i]) < LARGEST_WEIGHT
    return usable


@compiled
def model_loss(
    world: Any,
    work: Any,
    W: Any,
    b: Any,
    importance: Any,
    tied: int,
    linear: int,
    gradient: int,
    least: int,
    most: int,
    tol: float,
    squared_error: Any,
    dW: Any,
    db: Any,
) -> Any:
    """The expected loss of one model to the relative tolerance ``tol``, or as near as ``most`` terms come.

    ``squared_error`` (n,) and, with ``gradient``, ``dW`` and ``db`` are written; the gradient is held to 100 tol of its scale.

    Returns:
        loss, its error estimate, terms of the row that needed most; NaN for numbers that are not finite or too large.
    """
    if not _are_usable(W, b):
        if gradient:
            for i in range(W.shape[1]):
                db[i] = np.nan
                for k in range(W.shape[0]):
                    dW[k, i] = np.nan
        return np.nan, np.nan, 0
    scale = 0.0
    for block in range(world.blocks):
        for component in range(world.block_first[block], world.block_first[block + 1]):
            square = world.weight[component] * (world.spread + world.mean * world.mean)
            for j in range(world.component_first[component], world.component_first[component + 1]):
                scale += importance[j] * square
    target = tol * scale * _FIRST_SHARE
    lean_world = World(
        world.blocks,
        pointer(world.block_first),
        pointer(world.component_first),
        pointer(world.weight),
        pointer(world.silent),
        world.mean,
        world.spread,
        world.exponential,
        world.simple,
    )
    lean = Work(
        pointer(work.v),
        pointer(work.g),
        pointer(work.slope),
        pointer(work.c),
        pointer(work.c_small),
        pointer(work.order),
        pointer(work.order_small),
        pointer(work.bucket_sum),
        pointer(work.bucket_least),
        pointer(work.bucket_count),
        pointer(work.partial),
        pointer(work.partial_b),
    )
    loss = error = 0.0
    terms = 0
    for _ in range(_PASSES):
        loss, error, terms = _once(
            lean_world,
            lean,
            W,
            b,
            importance,
            tied,
            linear,
            gradient,
            least,
            most,
            target,
            _GRADIENT_SHARE * tol,
            squared_error,
            dW,
            db,
        )
        if least == most or error <= tol * loss:
            break
        target *= 0.5 * min(tol * loss / error, 1.0)
    return loss, error, terms


class Models(NamedTuple):
    """A batch of models and worlds, and where their results go; compiled code walks through it."""

    W: NDArray[np.float64]
    b: NDArray[np.float64]
    world_of: NDArray[np.int64]
    weight: NDArray[np.float64]
    importance: NDArray[np.float64]
    loss: NDArray[np.float64]
    error: NDArray[np.float64]
    terms: NDArray[np.int64]
    squared_error: NDArray[np.float64]
    dW: NDArray[np.float64]
    db: NDArray[np.float64]


class Point(NamedTuple):
    """One model and its results, in memory of its own."""

    W: NDArray[np.float64]
    b: NDArray[np.float64]
    importance: NDArray[np.float64]
    squared_error: NDArray[np.float64]
    dW: NDArray[np.float64]
    db: NDArray[np.float64]


def point_for(rows: int, n: int) -> Point:
    """Fresh memory for one model whose W has ``rows`` rows."""
    return Point(
        W=np.zeros((rows, n)),
        b=np.zeros(n),
        importance=np.zeros(n),
        squared_error=np.zeros(n),
        dW=np.zeros((rows, n)),
        db=np.zeros(n),
    )


@compiled
def enter_world(world: Any, point: Any, weights: Any, importances: Any, which: int) -> None:
    """Fills a thread's world with row ``which`` of the tables."""
    for component in range(world.weight.size):
        world.weight[component] = weights[which, component]
    for block in range(world.blocks):
        silent = 1.0
        for component in range(world.block_first[block], world.block_first[block + 1]):
            silent -= world.weight[component]
        world.silent[block] = max(silent, 0.0)
    for i in range(point.importance.size):
        point.importance[i] = importances[which, i]


@compiled
def evaluate_models(
    world: Any,
    work: Any,
    point: Any,
    models: Any,
    first: int,
    end: int,
    tied: int,
    linear: int,
    gradient: int,
    least: int,
    most: int,
    tol: float,
) -> None:
    """Fills the results of models ``first`` to ``end - 1``."""
    rows, n = point.W.shape
    for k in range(first, end):
        enter_world(world, point, models.weight, models.importance, models.world_of[k])
        for i in range(n):
            point.b[i] = models.b[k, i]
            for r in range(rows):
                point.W[r, i] = models.W[k, r, i]
        loss, error, terms = model_loss(
            world,
            work,
            point.W,
            point.b,
            point.importance,
            tied,
            linear,
            gradient,
            least,
            most,
            tol,
            point.squared_error,
            point.dW,
            point.db,
        )
        models.loss[k] = loss
        models.error[k] = error
        models.terms[k] = terms
        for i in range(n):
            models.squared_error[k, i] = point.squared_error[i]
        if gradient:
            for i in range(n):
                models.db[k, i] = point.db[i]
                for r in range(rows):
                    models.dW[k, r, i] = point.dW[r, i]
