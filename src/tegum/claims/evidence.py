"""What a verdict rests on: how many models, how they were chosen, read off the dataset.

every(data)                          "16 models, all counted"
best_of(data, "exact loss")          "best of 16 by exact loss at each of 7 densities"
closed_form(densities=100)           "closed form, 100 densities"
"""

from dataclasses import dataclass, replace
from typing import final

import xarray as xr


@final
@dataclass(frozen=True)
class Evidence:
    """How many models stand behind a verdict, and how they were chosen.

    Attributes:
        words: for the page.
        models: how many were there to choose from, or are counted; None where nothing is random.
    """

    words: str
    models: int | None = None

    def adding(self, *words: str) -> "Evidence":
        """The same evidence with more said about it."""
        return replace(self, words="; ".join([self.words, *words]))


def every(data: xr.Dataset | xr.DataArray, unit: str = "model", over: str = "seed") -> Evidence:
    """All models along one dimension are counted; other dimensions that the data has are said."""
    count = data.sizes[over]
    return Evidence(f"{_count(count, unit)}{_places(data, over)}, all counted", count)


def best_of(data: xr.Dataset | xr.DataArray, by: str, unit: str = "", over: str = "seed") -> Evidence:
    """The best along one dimension is judged, by a criterion in words, such as "exact loss"."""
    count = data.sizes[over]
    return Evidence(f"best of {count}{' ' + unit + 's' if unit else ''} by {by}{_places(data, over)}", count)


def closed_form(**points: int) -> Evidence:
    """A formula, at so many points: ``closed_form(densities=100)``."""
    return Evidence(", ".join(["closed form", *(f"{count:,} {name.replace('_', ' ')}" for name, count in points.items())]))


_NOT_PLACES = ("hidden", "feature", "step", "time", "output")
_PLURALS = {"density": "densities", "importance_ratio": "importances", "n_features": "sizes"}


def _places(data: xr.Dataset | xr.DataArray, over: str) -> str:
    """Where else the data has models: ``at each of 7 densities``."""
    dims = [str(dim) for dim in data.dims if dim != over and dim not in _NOT_PLACES]
    counts = [f"{data.sizes[dim]} {_PLURALS.get(dim, dim.replace('_', ' ') + 's')}" for dim in dims if data.sizes[dim] > 1]
    return f" at each of {' and '.join(counts)}" if counts else ""


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' if number != 1 else ''}"
