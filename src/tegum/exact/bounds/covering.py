"""No lower loss anywhere else: branch and bound over all parameters of a net with one hidden dimension.

The whole space is covered by boxes.  A box is given up where

    its loss is above one that is attained          by `tegum.exact.bounds.boxes`, row by row or by the mean value theorem
    its gradient is nowhere 0                       a global minimum is a critical point, in the sense of Clarke at kinks
    it holds no representative                      w ascending in equal features, sum of w >= 0: all others are images of these
    it lies where the loss is strictly convex       around the candidate or one of its images, where nothing else is a minimum

and else halved across the side along which its loss may change most.  Nothing is assumed of the size of the parameters:

* a = w_j^2 costs at least I_j p_j h(a), which tends to I_j p_j / 3, that is to more than what is attained (dropping the feature
  costs I_j (p_j / 3 - p_j^2 / 4)); so every a is at most (1 + k) / (1 - k), k^2 = 3 U / (I_j p_j), U the loss attained;
* b_j at most -sum_i max(w_j w_i, 0) leaves output j inactive, which costs I_j p_j / 3 again;
* where the derivative by b_j is 0,  b_j + sum_i p_i w_j w_i / 2 <= E r(s_j) = E x_j 1[s_j > 0] <= p_j / 2.

Source: Hansen and Walster, "Global Optimization Using Interval Analysis" (2004); Clarke, "Optimization and Nonsmooth Analysis"
(1983), 2.3.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tegum.exact.bounds.boxes import World, around_middles, couplings, least_alone, losses, rows
from tegum.exact.bounds.intervals import Array, Interval, up
from tegum.exact.bounds.symmetry import equals, images

_AT_ONCE = 4096
_UP = 1 + 2.0**-40


class Covered(NamedTuple):
    """What a covering proves.

    Attributes:
        low: a lower bound of the loss outside of the convex boxes; infinite where it is above what is attained everywhere.
        boxes: how many were looked at.
        better: a point with a loss below that of the candidate; None where none was met.
    """

    low: float
    boxes: int
    better: Array | None


class _Boxes(NamedTuple):
    """Boxes (boxes, 2 n) and lower bounds of the loss over them."""

    x: Interval
    bound: Array


def covered(
    world: World,
    candidate: Array,
    convex: Interval | None,
    reach: float,
    tol: float,
    most_boxes: int,
    seen: Callable[[int], object] = lambda _: None,
) -> Covered:
    """Looks for whatever is at most as high as a candidate (2 n,), outside of a box (2 n,) on which the loss is convex.

    Further than ``reach`` from that box and its images, boxes in which something comes within ``tol`` of the candidate,
    relatively, are set aside; so is what is left after ``most_boxes``.
    """
    at = losses(world, Interval.of(candidate[None]))
    attained, low = float(at.high[0]), float(at.low[0])
    space = whole_space(world, attained)
    if not np.isfinite(space.x.high).all():
        return Covered(0.0, 0, None)
    stack, aside, done = [space], np.inf, 0
    near = [] if convex is None else images(world, convex)
    around = [Interval(box.low - reach, box.high + reach) for box in near]
    while stack and done < most_boxes:
        boxes = _taken(stack)
        done += len(boxes.bound)
        seen(done)
        x = _narrowed(world, boxes.x, attained)
        found = rows(world, x)
        kept = (found.loss <= attained) & ((found.slope.low <= 0) & (found.slope.high >= 0)).all(axis=1)
        for box in near:
            kept &= ~((x.low >= box.low) & (x.high <= box.high)).all(axis=1)
        if not kept.any():
            continue
        x, slope = x[kept], found.slope[kept]
        bound, middle, there = around_middles(world, x, slope)
        if there.min() < low:
            return Covered(-np.inf, done, middle[there.argmin()])
        bound = np.maximum(bound, found.loss[kept])
        close = (bound >= attained - tol * attained) & (there <= attained + tol * attained)
        for box in around:
            close &= ~((x.high >= box.low) & (x.low <= box.high)).all(axis=1)
        aside = min(aside, float(bound[close & (bound <= attained)].min(initial=np.inf)))
        split = (bound <= attained) & ~close
        if split.any():
            stack.append(_halves(x[split], slope[split], bound[split]))
    left = min((float(boxes.bound.min()) for boxes in stack), default=np.inf)
    return Covered(min(aside, left), done, None)


def whole_space(world: World, attained: float) -> _Boxes:
    """One box that holds every global minimum, for a loss attained; unbounded where that is not below every I_j p_j / 3."""
    n = world.n
    k = np.array([np.sqrt(3 * attained / (world.importance[j] * world.density(j).low)) for j in range(n)]) * _UP
    reach = np.where(k < 1, np.sqrt((1 + k) / np.maximum(1 - k, 1e-300)) * _UP, np.inf)
    longest = float(up(reach.sum())) * reach * _UP
    low, high = np.concatenate([-reach, -longest]), np.concatenate([reach, longest + 1])
    return _Boxes(Interval(low[None], high[None]), np.zeros(1))


def _narrowed(world: World, x: Interval, attained: float) -> Interval:
    """The boxes that may hold a representative of a global minimum, with biases as narrow as the weights tell."""
    n = world.n
    low, high, g = x.low.copy(), x.high.copy(), couplings(x[:, :n])
    cost = Interval.of(np.zeros(len(low)))
    for j in range(n):
        cost = cost + world.density(j) * world.importance[j] * Interval.of(least_alone(g[j][j]))
        floor, ceiling = Interval.of(np.zeros(len(low))), world.density(j) * 0.5
        for i in range(n):
            floor = floor - g[j][i].clipped()
            ceiling = ceiling - world.density(i) * 0.5 * g[j][i]
        low[:, n + j], high[:, n + j] = np.maximum(low[:, n + j], floor.low), np.minimum(high[:, n + j], ceiling.high)
    kept = (low <= high).all(axis=1) & (cost.low <= attained)
    kept &= sum((x[:, k] for k in range(n)), Interval.of(np.zeros(len(low)))).high >= 0
    for i, k in equals(world):
        kept &= high[:, k] >= low[:, i]
    return Interval(low[kept], high[kept])


def _halves(x: Interval, slope: Interval, bound: Array) -> _Boxes:
    """Every box in two, across the side along which its loss may change most."""
    width = x.high - x.low
    side, each = (slope.magnitude() * width + 1e-9 * width).argmax(axis=1), np.arange(len(width))
    middle = (x.low[each, side] + x.high[each, side]) / 2
    low, high = x.low.copy(), x.high.copy()
    low[each, side], high[each, side] = middle, middle
    halves = Interval(np.concatenate([x.low, low]), np.concatenate([high, x.high]))
    return _Boxes(halves, np.concatenate([bound, bound]))


def _taken(stack: list[_Boxes]) -> _Boxes:
    """The last boxes of the stack, as many as are worth a pass."""
    taken, count = [stack.pop()], 0
    while stack and (count := count + len(taken[-1].bound)) < _AT_ONCE:
        taken.append(stack.pop())
    low, high = (np.concatenate([getattr(one.x, end) for one in taken]) for end in ("low", "high"))
    bound = np.concatenate([one.bound for one in taken])
    if len(bound) > _AT_ONCE:
        stack.append(_Boxes(Interval(low[_AT_ONCE:], high[_AT_ONCE:]), bound[_AT_ONCE:]))
    return _Boxes(Interval(low[:_AT_ONCE], high[:_AT_ONCE]), bound[:_AT_ONCE])
