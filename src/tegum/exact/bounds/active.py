"""Where an output is active: moments over {s > 0} of the unit interval or square, enclosed without one cancellation.

    s = b + sum_i g_i x_i,       E[f h 1(s > 0)]        f, h among 1, x_i, s;   at most two features x_i, uniform on [0, 1]

{s > 0} is a segment, or a polygon with at most five corners, which is cut into a rectangle at the corner where s is largest and
a strip beside it, as narrow as one coupling is small; these into two triangles each.  On a simplex T of dimension d with
corners c, products of functions that are linear there are integrated exactly by

    int_T f h = |T| / ((d + 1) (d + 2))  ( sum_c f(c) sum_c h(c) + sum_c f(c) h(c) )

All of this is sums and products of numbers that are not negative: their lower ends give a lower bound, their upper ends an
upper one, each rounded fewer than forty times, which one factor at the end makes good.  Because x >= 0, all these moments rise
with b and with every g_i: over a box of (b, g) they lie between their values at its lowest and at its highest corner.

>>> import numpy as np
>>> line = Active(np.array([-0.25]), [np.array([1.0])])              # s = x - 1/4 is positive on 3/4 of [0, 1]
>>> line.moment(ONE, ONE).low.round(12), line.moment(LEVEL, LEVEL).high.round(12)     # 0.75^3 / 3
(array([0.75]), array([0.140625]))

Source: Lasserre and Avrachenkov, "The multi-dimensional version of int x^p dx" (2001), for the products on simplices.
"""

from typing import Any, final

import numpy as np

from tegum.exact.bounds.intervals import Array, Interval, down, up

LEVEL, ONE = -2, -1
"""Names of s and of 1 beside the features, which are called 0 and 1."""

_LESS, _MORE, _LEAST = 1 - 2.0**-47, 1 + 2.0**-47, 1e-300
"""40 roundings move a product of positive numbers by less than 2^-47 of it, and by less than 1e-300 where it underflows."""


@final
class Active:
    """The part of [0, 1]^k, k <= 2, on which b + g.x is positive, for arrays of b and g."""

    def __init__(self, b: Array, g: list[Array]) -> None:
        """Of biases (points,) and for each of the features that are on its couplings (points,)."""
        size = [np.abs(one) for one in g]
        top = Interval.of(b)
        for coupling in g:
            top = top + np.maximum(coupling, 0)
        corners: list[tuple[Interval, ...]]
        zero, one = Interval.of(np.zeros_like(b)), Interval.of(np.ones_like(b))
        if not g:
            corners, level = [()], [top]
            active = Interval(np.where(top.low > 0, 1.0, 0.0), np.where(top.high >= 0, 1.0, 0.0))
            self._simplices = [(active * 0.5, [0])]
        elif len(g) == 1:
            end = _share(top, size[0])
            corners, level = [(zero,), (end,)], [top, top - size[0]]
            self._simplices = [(end * (1 / 6), [0, 1])]
        else:
            polygon, level = self._polygon(top, size[0], size[1])
            corners = [*polygon]
        self._values: dict[int, list[Interval]] = {LEVEL: [one.clipped() for one in level], ONE: [one] * len(corners)}
        for i, coupling in enumerate(g):  # corners say how far each is from where s is largest
            rising = coupling > 0
            each = [corner[i] for corner in corners]
            self._values[i] = [
                Interval(np.where(rising, down(1 - u.high), u.low), np.where(rising, up(1 - u.low), u.high)).clipped(0, 1)
                for u in each
            ]
        self._sums: dict[tuple[int, bool], list[Any]] = {}

    def _polygon(self, top: Interval, first: Array, second: Array) -> tuple[list[tuple[Interval, Interval]], list[Interval]]:
        """Cuts {top - first u - second v > 0} into a rectangle and what is beyond it; its corners (u, v) and s there."""
        steep, flat = np.maximum(first, second), np.minimum(first, second)
        end, far = _share(top, steep), _share(top - flat, steep)  # along the steep side: at the flat side's start, at its end
        side, beyond = (
            _share(top, flat),
            _share(top - steep, flat),
        )  # along the flat side: at the steep side's start, at its end
        strip = (end - far).clipped()
        areas = (far * side, far * side, strip * beyond, strip * side)
        self._simplices = [
            (area * (1 / 24), corners)
            for area, corners in zip(areas, ([0, 1, 4], [0, 4, 5], [1, 2, 3], [1, 3, 4]), strict=True)
        ]
        zero = Interval.of(np.zeros_like(first))
        places = [(zero, zero), (far, zero), (end, zero), (end, beyond), (far, side), (zero, side)]
        level = [top, top - steep * far, top - steep, top - steep - flat, top - steep - flat, top - flat]
        swapped = second > first
        return [(_either(swapped, v, u), _either(swapped, u, v)) for u, v in places], level

    def moment(self, f: int, h: int) -> Interval:
        """E[f h 1(s > 0)], each the number of a feature, ``LEVEL`` or ``ONE``."""
        return Interval(self.below(f, h), self.above(f, h))

    def below(self, f: int, h: int) -> Array:
        """A lower bound of E[f h 1(s > 0)]."""
        return np.maximum(self._moment(f, h, False) * _LESS - _LEAST, 0)

    def above(self, f: int, h: int) -> Array:
        """An upper bound of E[f h 1(s > 0)]."""
        return self._moment(f, h, True) * _MORE + _LEAST

    def _moment(self, f: int, h: int, high: bool) -> Array:
        total: Any = 0.0
        for at, (share, corners) in enumerate(self._simplices):
            both: Any = self._sum(f, high)[at] * self._sum(h, high)[at]
            for c in corners:
                both = both + _end(self._values[f][c], high) * _end(self._values[h][c], high)
            total = total + _end(share, high) * both
        return np.asarray(total)

    def _sum(self, f: int, high: bool) -> list[Any]:
        """Sums of a function over the corners of each simplex."""
        if (f, high) not in self._sums:
            values = [_end(value, high) for value in self._values[f]]
            self._sums[f, high] = [sum(values[c] for c in corners) for _, corners in self._simplices]
        return self._sums[f, high]


def _end(x: Interval, high: bool) -> Array:
    return x.high if high else np.maximum(x.low, 0)


def _either(first: Any, one: Interval, other: Interval) -> Interval:
    """Elementwise one of both."""
    return Interval(np.where(first, one.low, other.low), np.where(first, one.high, other.high))


def _share(part: Interval, whole: Array) -> Interval:
    """Part / whole between 0 and 1; where nothing is the whole, 1 where there is a part, and both where that is not known."""
    nothing = whole == 0
    divisor = np.where(nothing, 1, whole)
    with np.errstate(over="ignore"):
        quotients = [np.clip(end / divisor, -2, 2) for end in (part.low, part.high)]
    low = np.where(nothing, part.low > 0, down(quotients[0]))
    high = np.where(nothing, part.high >= 0, up(quotients[1]))
    return Interval(low, high).clipped(0, 1)
