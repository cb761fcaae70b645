"""Means of functions of the radius |w| under Gaussian weights in the plane, which may begin like roots, have corners or jump.

    E f(|w|) = integral of (r / sigma^2) exp(-r^2 / 2 sigma^2) f(r) dr

>>> import numpy as np
>>> mean, error = radial_mean(lambda r: r[:, None] ** 2, 0.5)                                                # 2 sigma^2
>>> mean.round(6).tolist()
[0.5]

Source: derived here.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import legfit, leggauss, legval
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked

Array = NDArray[np.float64]

PANELS = 1e-5, 0.06, 0.3, 1.2, 3.6
"""Radii between which panels are halved; what is below the first and above the last is left out."""
_FINE, _NARROWEST = 60, 1e-6


class _Leaf(NamedTuple):
    """A panel of the radius: its ends, means over it and over its halves (..., k), and the values (nodes, k) of the halves."""

    low: float
    high: float
    whole: Array
    halves: tuple[Array, Array]
    values: tuple[Array, Array]

    @property
    def change(self) -> Array:
        """By how much the halves differ from the whole."""
        return np.abs(self.halves[0] + self.halves[1] - self.whole)


@checked
def radial_mean(
    values: Callable[[Array], Array], deviation: ArrayLike, error: float = 1e-6, nodes: int = 5
) -> tuple[Array, Array]:
    """The mean (..., k) of functions of |w|, w Gaussian in the plane with a deviation (...), and an estimate of its error.

    In each panel the functions are taken for the polynomial through their values at Chebyshev's points, and the density is
    integrated with it.  The ends are among the points: what begins next to an end would not be seen without.  The panels with
    the largest change by halving are halved until twice the sum of all changes is at most ``error``, or the panels are too
    narrow: the functions may have kinks, roots and jumps, as shares of angles have where a basin begins.  Radii below 1e-5 and
    above 3.6 are left out: that is 5e-9 at a deviation of 0.1 and 2e-8 at one of 0.6.

    Args:
        values: of radii (r,) the functions (r, k).
        deviation: sigma, (...), above 0.
        error: asked for.
        nodes: radii in a panel, its ends among them.
    """
    sigma = np.asarray(deviation, dtype=np.float64)
    x, (fine, mass) = -np.cos(np.pi * np.arange(nodes) / (nodes - 1)), leggauss(_FINE)
    known: dict[float, Array] = {}
    through = np.stack([legval(fine, legfit(x, one, nodes - 1)) for one in np.eye(nodes)], axis=-1)

    def mean(low: float, high: float, at: Array) -> Array:
        radius = (low + (high - low) * (fine + 1) / 2) / sigma[..., None]
        dense = radius / sigma[..., None] * np.exp(-(radius**2) / 2) * mass * (high - low) / 2
        return np.asarray(dense @ through @ at)

    def looked_up(panels: Sequence[tuple[float, float]]) -> list[Array]:
        radii = np.array([(low * (1 - x) + high * (1 + x)) / 2 for low, high in panels])  # neighbours agree in their ends
        new = np.array([radius for radius in np.unique(radii) if radius not in known])
        if new.size:
            known.update(zip(new.tolist(), values(new), strict=True))
        return [np.stack([known[radius] for radius in row]) for row in radii.tolist()]

    def leaves(panels: Sequence[tuple[float, float]], whole: Sequence[Array]) -> list[_Leaf]:
        parts = [part for low, high in panels for part in ((low, (low + high) / 2), ((low + high) / 2, high))]
        found = looked_up(parts)
        means = [mean(*part, at) for part, at in zip(parts, found, strict=True)]
        return [
            _Leaf(*panel, mean(*panel, at), (means[2 * k], means[2 * k + 1]), (found[2 * k], found[2 * k + 1]))
            for k, (panel, at) in enumerate(zip(panels, whole, strict=True))
        ]

    first = list(pairwise(PANELS))
    tree = leaves(first, looked_up(first))
    while True:
        changes = np.array([leaf.change for leaf in tree])
        off = 2 * changes.sum(axis=0)
        each = changes.reshape(len(tree), -1).max(axis=1)
        split = (each > error / 4 / len(tree)) & [leaf.high - leaf.low > _NARROWEST for leaf in tree]
        if off.max() <= error or not split.any():
            return np.sum([leaf.halves[0] + leaf.halves[1] for leaf in tree], axis=0), off
        coarse = [leaf for leaf, parts in zip(tree, split, strict=True) if parts]
        tree = [leaf for leaf, parts in zip(tree, split, strict=True) if not parts]
        middles = [(leaf.low + leaf.high) / 2 for leaf in coarse]
        parts = [part for leaf, c in zip(coarse, middles, strict=True) for part in ((leaf.low, c), (c, leaf.high))]
        tree += leaves(parts, [at for leaf in coarse for at in leaf.values])
