"""From a candidate to a proof: polished, a box around it in which the loss is strictly convex, and everything else covered.

>>> import numpy as np, tegum as tg
>>> world = World.of(tg.features.Independent(2, density=0.5, importance=[1, 0.2]))
>>> found = proved(world, np.array([1.0, 0.0, 0.0, 0.2]))                        # w_1, w_2, b_1, b_2
>>> found.x.round(6), bool(found.low <= 0.2 * (0.5 / 3 - 0.5**2 / 4) <= found.high), found.radius < 1e-12
(array([1.  , 0.  , 0.  , 0.25]), True, True)

In the box x + [-R, R] around a candidate every Hessian has eigenvalues of at least c > 0, so that with the gradient d enclosed

    |x* - x| <= 2 |d| / c,        L(x*) >= L(x) - |d|^2 / (2 c)         for every x* in it with L(x*) <= L(x)

Source: strong convexity; see Nesterov, "Lectures on Convex Optimization" (2018), 2.1.3.
"""

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal, localcontext
from typing import NamedTuple

import numpy as np
import scipy

from tegum.exact.bounds.boxes import World, losses, rows
from tegum.exact.bounds.convex import curvature_below, lowest_hessian
from tegum.exact.bounds.covering import covered
from tegum.exact.bounds.intervals import Array, Interval, down, up

_NEWTON_STEPS, _CANDIDATES, _ROUGH = 12, 8, 1e-6
_SNAP, _NOTHING, _LARGEST, _SMALLEST = 1e-5, 1e-12, 0.25, 1e-9


class Proof(NamedTuple):
    """What is proved of one distribution.

    Attributes:
        x: the candidate, w and b in a row (2 n,).
        low: a lower bound of the global minimum.
        high: an upper one, which the candidate attains.
        radius: how far every global minimiser is from the candidate or an image of it; NaN where that is not proved.
        curvature: no Hessian in the box has an eigenvalue below it; NaN where there is no such box.
        box: half of the side of the box around the candidate in which the loss is strictly convex; 0 where there is none.
        boxes: how many boxes the rest took.
    """

    x: Array
    low: float
    high: float
    radius: float
    curvature: float
    box: float
    boxes: int

    @property
    def statement(self) -> str:
        """What is proved, in words: all digits of the point, as the radius is less than what rounding would move it by."""
        lies = f"The global minimum lies in [{float(self.low)!r}, {float(self.high)!r}]"
        if np.isnan(self.radius):
            return f"{lies}."
        w, b = (", ".join(map(repr, half.tolist())) for half in np.split(self.x, 2))
        with localcontext(rounding=ROUND_CEILING):
            within = f"{Decimal(self.radius):.1e}"
        return f"{lies}, and every global minimiser within {within} of W = ({w}), b = ({b}) or of an image of it."


def proved(
    world: World, x: Array, tol: float = 1e-9, boxes: int = 3_000_000, seen: Callable[[int], object] = lambda _: None
) -> Proof:
    """What can be proved of the global minimum from a candidate (2 n,): a better one takes its place, where one is met."""
    spent, better = 0, x
    for _ in range(_CANDIDATES):
        x = polished(world, better)
        convex, curvature = convex_box(world, x)
        attained = float(losses(world, Interval.of(x[None])).high[0])
        # where the loss is about to leave what tol does not tell apart, were it as curved everywhere
        reach = 0.0 if convex is None else 2 * float(np.sqrt(2 * tol * attained / curvature))
        rest = covered(world, x, convex, reach, tol, boxes, seen)
        spent += rest.boxes
        if rest.better is None:
            break
        better = rest.better
    at = losses(world, Interval.of(x[None]))
    low, high, slope = float(at.low[0]), float(at.high[0]), _steepest(world, x)
    if convex is not None:
        low = float((Interval.of(low) - Interval.of(slope).squared().over(Interval.of(2 * curvature))).low)
    low = max(min(low, rest.low), 0.0)
    radius = np.nan
    if convex is not None and rest.low == np.inf:
        radius = float(up(up(2 * slope) / curvature))
        closer = curvature_below(world, Interval(down(x - radius)[None], up(x + radius)[None]))  # they are all in here
        radius = float(up(up(2 * slope) / max(closer, curvature)))
    half = 0.0 if convex is None else float((convex.high - x).min())
    return Proof(x, low, high, radius, curvature, half, spent)


def polished(world: World, x: Array) -> Array:
    """A critical point next to a candidate, by Newton steps as long as they help; weights and biases next to 0 become 0."""
    ends = [_descended(world, start) for start in (np.where(np.abs(x) < _SNAP, 0.0, x), x)]
    ends += [np.where(np.abs(end) < _NOTHING, 0.0, end) for end in ends]
    least = min(_steepest(world, end) for end in ends)
    return next(end for end in reversed(ends) if _steepest(world, end) <= 2 * least)


def _descended(world: World, x: Array) -> Array:
    """Where a quasi-Newton descent leads, and from there Newton's method, as long as it brings the gradient down."""

    def middles(at: Array) -> tuple[float, Array]:
        point = Interval.of(at[None])
        loss, slope = losses(world, point), rows(world, point).slope
        return float(loss.low[0] + loss.high[0]) / 2, (slope.low[0] + slope.high[0]) / 2

    if (norm := _steepest(world, x)) > _ROUGH * float(np.abs(losses(world, Interval.of(x[None])).high[0])):
        x = scipy.optimize.minimize(middles, x, jac=True, method="BFGS", options={"gtol": 1e-10}).x
        norm = _steepest(world, x)
    for _ in range(_NEWTON_STEPS):
        point = Interval.of(x[None])
        with np.errstate(invalid="ignore"):
            H = lowest_hessian(world, point)
        slope = rows(world, point).slope
        middle = (H.low + H.high) / 2
        if not np.isfinite(middle).all():
            break
        trial = x - np.linalg.lstsq(middle, (slope.low[0] + slope.high[0]) / 2, rcond=None)[0]
        if (after := _steepest(world, trial)) >= norm:
            break
        x, norm = trial, after
    return x


def convex_box(world: World, x: Array) -> tuple[Interval | None, float]:
    """The largest box x +- R, R = 1/4, 1/8, ..., in which no Hessian has an eigenvalue below a positive number; and that."""
    half = _LARGEST
    while half > _SMALLEST:
        box = Interval(down(x - half), up(x + half))
        curvature = curvature_below(world, Interval(box.low[None], box.high[None]))
        if curvature > 0:
            return box, curvature
        half /= 2
    return None, np.nan


def _steepest(world: World, x: Array) -> float:
    """An upper bound of the norm of the gradient at a point."""
    slope = rows(world, Interval.of(x[None])).slope.magnitude()[0]
    return float(np.linalg.norm(slope) * (1 + 2.0**-40))
