"""What a verdict rests on: how many models, how they were chosen, read off the dataset.

>>> data = xr.Dataset({"loss": (("density", "seed"), [[0.2, 0.1]] * 7)})
>>> every(data).words
'2 models at each of 7 densities, all counted'
>>> best_of(data, "exact loss", places={"density": "grid points"}).words
'best of 2 by exact loss at each of 7 grid points'
>>> closed_form(densities=100).words
'closed form, 100 densities'
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import scipy
import xarray as xr
from numpy.typing import ArrayLike

from tegum.checking import Checked, checked, numbers
from tegum.datasets import many
from tegum.errors import InvalidInputError


@final
@dataclass(frozen=True)
class Evidence(metaclass=Checked):
    """How many models stand behind a verdict (None where nothing is random), and how they were chosen, in words."""

    words: str
    models: int | None = None

    def adding(self, *words: str) -> "Evidence":
        """The same evidence with more said about it."""
        return replace(self, words="; ".join([self.words, *words]))


@checked
def every(
    data: xr.Dataset | xr.DataArray, unit: str = "model", over: str = "seed", places: Mapping[str, str] | None = None
) -> Evidence:
    """All models along one dimension, or what was measured of each, are counted; other dimensions that the data has are said.

    One of them is a ``unit``; ``places`` says what positions along other dimensions are called, where that is not the plural of
    the dimension's name.
    """
    count = _count(data, over)
    return Evidence(f"{count} {unit if count == 1 else many(unit)}{_at_each(data, over, places)}, all counted", count)


@checked
def best_of(
    data: xr.Dataset | xr.DataArray, by: str, unit: str = "", over: str = "seed", places: Mapping[str, str] | None = None
) -> Evidence:
    """The best along one dimension is judged, by a criterion in words, such as "exact loss"; the rest as in `every`."""
    count = _count(data, over)
    return Evidence(f"best of {count}{f' {many(unit)}' if unit else ''} by {by}{_at_each(data, over, places)}", count)


def _count(data: xr.Dataset | xr.DataArray, over: str) -> int:
    if over not in data.sizes:
        raise InvalidInputError(f"the data have dimensions {dict(data.sizes)}", f"give data along {over}")
    return data.sizes[over]


@checked
def closed_form(**points: int) -> Evidence:
    """A formula, at so many points: ``closed_form(densities=100)``."""
    return Evidence(", ".join(["closed form", *(f"{count:,} {name.replace('_', ' ')}" for name, count in points.items())]))


def fisher(found: ArrayLike, control: ArrayLike) -> float:
    """How easily a control's rate would show so many: p of Fisher's exact test, one-sided, of two arrays of yes and no.

    NaN is neither, and refused.

    >>> round(fisher([True] * 5, [True] * 9 + [False] * 3), 2)
    0.32
    """
    table = []
    for name, value in (("found", found), ("control", control)):
        array = numbers(name, value)
        if np.isnan(array).any():
            raise InvalidInputError(f"{name} has {int(np.isnan(array).sum())} NaN", "give yes and no, without what is unknown")
        table.append([(array != 0).sum(), (array == 0).sum()])
    return float(scipy.stats.fisher_exact(np.array(table), alternative="greater").pvalue)


_NOT_PLACES = ("hidden", "feature", "step", "time", "output")
_CALLED = {"importance_ratio": "importances", "n_features": "sizes"}


def _at_each(data: xr.Dataset | xr.DataArray, over: str, places: Mapping[str, str] | None) -> str:
    """Where else the data has models: ``at each of 7 densities``."""
    called, others = {**_CALLED, **(places or {})}, [str(dim) for dim in data.dims if dim not in (over, *_NOT_PLACES)]
    counts = [f"{data.sizes[dim]} {called.get(dim, many(dim))}" for dim in others if data.sizes[dim] > 1]
    return f" at each of {' and '.join(counts)}" if counts else ""
