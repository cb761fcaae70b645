"""The expected squared error of every output of a model, and the gradient, compiled: one instance at a time.

    L = sum_j I_j E_j,    E_j = E x_j^2 + T_j E r(s_j)^2,    s = G x + b
    tied, G = W^T W:      dL/dW = W (dL/dG + dL/dG^T), added up row by row

The number of terms is a row's own affair: each takes more of them until its share of the tolerated error is met.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import apart_from_callers, compiled, inlined, inner
from tegum.exact.kernel.exponential import exponential_row
from tegum.exact.kernel.partition import blocks_of_row, is_unknown
from tegum.exact.kernel.records import (
    LARGEST,
    MOST_TERMS,
    WHOLE,
    ZERO,
    Distribution,
    Effort,
    Found,
    Listed,
    OwnFeature,
    Powers,
    Work,
    lean,
)
from tegum.exact.kernel.row import Span, always_active, whole
from tegum.exact.kernel.sets import sets_row
from tegum.exact.kernel.shares import (
    Again,
    Rows,
    Spent,
    all_of_them,
    error_of_all,
    lean_rows,
    rows_for,
    share_of,
    to_take_again,
)
from tegum.exact.kernel.split import split_row
from tegum.exact.kernel.vectors import WIDTH
from tegum.exact.kernel.walk import components_in, members_of

LARGEST_WEIGHT, LARGEST_BIAS = 1e30, 1e60
"""Numbers have to stay below, so that no power of them overflows."""

NEGLIGIBLE = 1e-100
"""Couplings and biases below it count as 0."""

_WEAK_OWN = 1 / 4
_DROPPED = 2
"""Where the own coupling is weak, what is left of E[x_j r(s)] is larger: a fixed number of terms is raised."""
_FIRST_SHARE = 0.25
_GRADIENT_SHARE = 100.0
_PASSES = 5
_ROUNDING = 1e-15
_ROUNDED_TOGETHER = 16
_SMALLEST = 1e-10


class Settings(NamedTuple):
    """What a loss is asked for: of which map, with or without gradient, with how many terms, to which relative tolerance."""

    tied: int
    linear: int
    gradient: int
    least: int
    most: int
    tol: float


class Point(NamedTuple):
    """One model and its results, in memory of its own: W (m, n), the rest (n,), ``dW`` as W; and what is known of its rows."""

    W: NDArray[np.float64]
    b: NDArray[np.float64]
    importance: NDArray[np.float64]
    squared_error: NDArray[np.float64]
    dW: NDArray[np.float64]
    db: NDArray[np.float64]
    rows: Rows


class Result(NamedTuple):
    """A loss, its error, the largest error of a derivative by an entry of b or of the map G, terms of the costliest row."""

    loss: float
    error: float
    gradient_error: float
    terms: int


class Batch(NamedTuple):
    """Models and distributions, and where the models' results go; compiled code walks through it."""

    W: NDArray[np.float64]
    b: NDArray[np.float64]
    distribution_of: NDArray[np.int64]
    weight: NDArray[np.float64]
    importance: NDArray[np.float64]
    loss: NDArray[np.float64]
    error: NDArray[np.float64]
    gradient_error: NDArray[np.float64]
    terms: NDArray[np.int64]
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
        rows=rows_for(n),
    )


@apart_from_callers
@inner
def row_error(distribution: Distribution, work: Work, n: int, own: OwnFeature, b: float, linear: int, effort: Effort) -> Found:
    """T E r(s)^2 of the row whose couplings are in ``work.g``; its gradient by them goes to ``work.slope``."""
    g = work.g
    for i in range(n):
        work.slope[i] = 0.0
        if abs(g[i]) < NEGLIGIBLE:
            g[i] = 0.0
    if abs(b) < NEGLIGIBLE:
        b = 0.0
    count, blocks, own, threshold, low, high = blocks_of_row(distribution, work, n, own, b, effort)
    if linear or b + low >= 0:
        value, by_b = always_active(distribution, work, blocks, own, b)
        return Found(value, 0.0, by_b, 0.0, 0.0, ZERO)
    if b + high <= 0:
        return Found(0.0, 0.0, 0.0, 0.0, 0.0, ZERO)
    if distribution.exponential:
        return exponential_row(distribution, work, blocks, own, b, effort)
    span = Span(b, b + low, b + high)
    if not distribution.simple:
        return sets_row(distribution, work, blocks, own, threshold, span, effort)
    if effort.least == effort.most and own.block >= 0 and _own_is_weak(g, n, own.feature):
        terms = min(_DROPPED * effort.most, MOST_TERMS)
        effort = Effort(terms, terms, effort.target, effort.target_b, effort.gradient, effort.tapered)
    if count < blocks.end:
        large = Listed(work.order, distribution.feature_first, ZERO, count)
        small = Listed(work.order, distribution.feature_first, count, blocks.end)
        return split_row(distribution, work, large, small, own, span, effort)
    return whole(distribution, work, blocks, own, work.alone, span, Powers(1.0, 0.0, ZERO), effort)


@inlined
def _own_is_weak(g: Any, n: int, own: int) -> bool:
    """Whether the row's own coupling is far below the others: the feature is dropped."""
    largest = 0.0
    for i in range(n):
        largest = max(largest, abs(g[i]))
    return bool(abs(g[own]) < _WEAK_OWN * largest)


@inlined
def add_unknown(distribution: Distribution, work: Work, own: int, by_b: float) -> None:
    """The slopes of blocks without coupling, which the sum does not know: E[x_i V'(s)] = E x_i E V'(s)."""
    for block in range(distribution.blocks):
        if is_unknown(distribution, work.g, block, own):
            for component in components_in(distribution, block):
                for i in members_of(distribution, component):
                    work.slope[i] = distribution.weight[component] * distribution.mean * by_b


@inlined
def couplings_of(W: Any, tied: int, j: int, g: Any) -> None:
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
def _add_slope(W: Any, tied: int, j: int, weight: float, slopes: Any, dW: Any) -> None:
    """Adds row j's part of the gradient: dL/dG_j = weight times slopes[j n], slopes[j n + 1], ...

    Tied, G_ji = sum_k W_kj W_ki depends on column i through W_kj and on column j through W_ki.
    """
    n = W.shape[1]
    if not tied:
        for i in range(n):
            dW[j, i] += weight * slopes[j * n + i]
        return
    for k in range(W.shape[0]):
        own = weight * W[k, j]
        back = 0.0
        for i in range(n):
            dW[k, i] += own * slopes[j * n + i]
            back += slopes[j * n + i] * W[k, i]
        dW[k, j] += weight * back


@inlined
def _note_row(work: Work, rows: Rows, n: int, j: int, row: Found, weight: float, rounding: float) -> None:
    """Keeps what was found of row j, times its ``weight``."""
    rows.terms[j] = row.terms
    rows.spent[j] += row.terms
    rows.error[j] = weight * work.moves[WHOLE]
    rows.rounding[j] = weight * (row.error - work.moves[WHOLE] + rounding)
    rows.parts[j] = work.moves[WHOLE] / work.moves[LARGEST] if work.moves[LARGEST] > 0 else 1.0
    for lane in range(WIDTH):
        rows.moves[j * WIDTH + lane] = weight * work.moves[lane]
        rows.moves[n * WIDTH + lane] += weight * work.moves[lane]


@inner
def _take_rows(
    distribution: Distribution, work: Work, point: Point, rows: Rows, settings: Settings, again: Again, target: float
) -> None:
    """Finds rows anew: all, which are to have the error ``target`` or tol times the loss together, or those of ``again``."""
    n = point.W.shape[1]
    whole = again.whole
    for lane in range(WIDTH):
        rows.moves[n * WIDTH + lane] = 0.0
    rounding = _ROUNDING * (1 + n / _ROUNDED_TOGETHER)
    spent = Spent(ZERO, 0, 0.0, 0.0)
    # the mean of all features, for those that are never active: their gradient has no scale of its own
    usual = 0.0
    for j in range(n):
        spent = Spent(ZERO, spent.left + (point.importance[j] > 0), 0.0, 0.0)
    for component in range(distribution.block_first[distribution.blocks]):
        size = distribution.component_first[component + 1] - distribution.component_first[component]
        usual += size / n * distribution.weight[component] * distribution.mean
    for block in range(distribution.blocks):
        for component in components_in(distribution, block):
            mean = distribution.weight[component] * distribution.mean
            square = distribution.weight[component] * (distribution.spread + distribution.mean * distribution.mean)
            for j in members_of(distribution, component):
                weight = point.importance[j]
                before = rows.error[j]
                stays = whole <= again.allowed or before <= again.above or rows.terms[j] >= settings.most
                if again.above >= 0 and stays:
                    continue
                # of no importance to the loss, an output has an error of its own
                share = settings.tol * square
                if weight > 0 and again.above < 0:
                    share = share_of(rows, spent, n, target, settings.tol) / weight
                elif weight > 0:  # what it is to have is the sum of what each of its inversions has
                    share = again.target / rows.parts[j] / weight
                target_b = _GRADIENT_SHARE * settings.tol * (mean if mean > 0 else usual)
                effort = Effort(settings.least, settings.most, share, target_b, settings.gradient, ZERO)
                couplings_of(point.W, settings.tied, j, work.g)
                for place in range(LARGEST + 1):
                    work.moves[place] = 0.0
                row = row_error(distribution, work, n, OwnFeature(j, block, component), point.b[j], settings.linear, effort)
                point.squared_error[j] = max(square + row.value, 0.0)
                _note_row(work, rows, n, j, row, weight, rounding * (square + abs(row.value)))
                if again.above >= 0:
                    whole += rows.error[j] ** again.power - before**again.power
                if weight > 0:
                    loss = spent.loss + weight * point.squared_error[j]
                    spent = Spent(spent.done + 1, spent.left - 1, loss, spent.squares + rows.error[j] ** 2)
                if settings.gradient:
                    point.db[j] = weight * row.by_b
                    # |E x_i (y - x_j)| is at most the root of E x_i^2 E (y - x_j)^2
                    rows.error_b[j] = weight * (row.error_b + rounding * (abs(row.by_b) + (square + abs(row.value)) ** 0.5))
                    add_unknown(distribution, work, j, row.by_b)
                    for i in range(n):
                        rows.slope[j * n + i] = work.slope[i]


@inner
def _added(point: Point, rows: Rows) -> Result:
    """What all rows together say of the loss."""
    n = point.importance.size
    loss = gradient_error = 0.0
    error, _ = error_of_all(rows, n)
    terms = ZERO
    for j in range(n):
        loss += point.importance[j] * point.squared_error[j]
        error += rows.rounding[j]
        gradient_error = max(gradient_error, rows.error_b[j])
        terms = max(terms, rows.terms[j])
    return Result(loss, error, gradient_error, terms)


@inlined
def _are_usable(W: Any, b: Any) -> bool:
    """Whether all numbers are finite and their squares far from overflow."""
    usable = True
    for i in range(W.shape[1]):
        usable = usable and abs(b[i]) < LARGEST_BIAS
        for k in range(W.shape[0]):
            usable = usable and abs(W[k, i]) < LARGEST_WEIGHT
    return usable


@inner
def scale_of(distribution: Distribution, point: Point) -> float:
    """sum_j I_j E x_j^2, the loss of a model of zeros."""
    scale = 0.0
    for block in range(distribution.blocks):
        for component in components_in(distribution, block):
            square = distribution.weight[component] * (distribution.spread + distribution.mean * distribution.mean)
            for j in members_of(distribution, component):
                scale += point.importance[j] * square
    return scale


@compiled
def model_loss(distribution: Distribution, work: Work, point: Point, settings: Settings) -> Result:
    """The expected loss of the model in ``point`` to the relative tolerance, or as near as the most terms come.

    ``squared_error`` and, with ``gradient``, ``dW`` and ``db`` of the point are written; the gradient is held to 100 tol of its
    scale.  NaN for numbers that are not finite or too large.
    """
    if not _are_usable(point.W, point.b):
        if settings.gradient:
            for i in range(point.W.shape[1]):
                point.db[i] = np.nan
                for k in range(point.W.shape[0]):
                    point.dW[k, i] = np.nan
        return Result(np.nan, np.nan, np.nan, 0)
    n = point.W.shape[1]
    target = settings.tol * scale_of(distribution, point)
    lean_distribution, lean_work = lean(distribution, work)
    rows = lean_rows(point.rows)
    for j in range(n):
        rows.spent[j] = 0
    _take_rows(lean_distribution, lean_work, point, rows, settings, all_of_them(), _FIRST_SHARE * target)
    found = _added(point, rows)
    for _ in range(0 if settings.least == settings.most else _PASSES):
        left, _ = error_of_all(rows, n)
        goal = settings.tol * found.loss
        goal = max(goal - (found.error - left), goal / 2, _SMALLEST * target)
        if left <= goal:
            break
        _take_rows(lean_distribution, lean_work, point, rows, settings, to_take_again(rows, n, goal), 0.0)
        found = _added(point, rows)
    if settings.gradient:
        for k in range(point.W.shape[0]):
            for i in range(n):
                point.dW[k, i] = 0.0
        for j in range(n):
            _add_slope(point.W, settings.tied, j, point.importance[j], rows.slope, point.dW)
    return found


@compiled
def enter_distribution(distribution: Distribution, point: Point, weights: Any, importances: Any, which: int) -> None:
    """Fills a thread's distribution with row ``which`` of the tables."""
    for component in range(distribution.weight.size):
        distribution.weight[component] = weights[which, component]
    for block in range(distribution.blocks):
        inactive = 1.0
        for component in components_in(distribution, block):
            inactive -= distribution.weight[component]
        distribution.inactive[block] = max(inactive, 0.0)
    for i in range(point.importance.size):
        point.importance[i] = importances[which, i]


@compiled
def evaluate_models(
    distribution: Distribution, work: Work, point: Point, models: Batch, first: int, end: int, settings: Settings
) -> None:
    """Fills the results of models ``first`` to ``end - 1``."""
    rows, n = point.W.shape
    for k in range(first, end):
        enter_distribution(distribution, point, models.weight, models.importance, models.distribution_of[k])
        for i in range(n):
            point.b[i] = models.b[k, i]
            for r in range(rows):
                point.W[r, i] = models.W[k, r, i]
        found = model_loss(distribution, work, point, settings)
        models.loss[k] = found.loss
        models.error[k] = found.error
        models.gradient_error[k] = found.gradient_error
        models.terms[k] = found.terms
        for i in range(n):
            models.squared_error[k, i] = point.squared_error[i]
        if settings.gradient:
            for i in range(n):
                models.db[k, i] = point.db[i]
                for r in range(rows):
                    models.dW[k, r, i] = point.dW[r, i]
