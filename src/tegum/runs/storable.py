"""What a dataset on disk can hold: numbers, words, and attributes that JSON knows."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tegum.errors import Problems


def require_storable(data: xr.Dataset) -> None:
    """Raises an `InvalidInputError` that names everything in a dataset that would not come back as it is."""
    problems = Problems()
    for name, variable in data.variables.items():
        kind = variable.dtype.kind
        if not all(isinstance(word, str) for word in (name, *variable.dims)):
            problems.add(f"a variable is called {name!r} {variable.dims}", "give variables and dimensions words as names")
        elif name in data.dims and isinstance(data.indexes.get(name), pd.MultiIndex):
            problems.add(f"the axis {name!r} is stacked", f"unstack it, or write data.reset_index({name!r})")
        elif kind not in "biufUO" or variable.dtype == np.longdouble:
            problems.add(f"{name!r} holds {variable.dtype} values", "give real numbers of at most 64 bits, or words")
        elif kind == "O" and not all(isinstance(one, str | int | float | None) for one in variable.values.flat):
            problems.add(f"{name!r} holds Python objects", "give numbers or words")
        _require_json(f"the attributes of {name!r}", variable.attrs, problems)
    _require_json("the attributes", data.attrs, problems)
    problems.raise_if_any()


def _require_json(what: str, attributes: Mapping[Any, Any], problems: Problems) -> None:
    for key, value in attributes.items():
        try:
            json.dumps({key: value}, default=plain).encode()
        except (TypeError, ValueError):
            problems.add(f"{what} hold {key!r}: {value!r:.60}", "give numbers, words, or lists and mappings of these")
        else:
            wrong = [one for one in _keys({key: value}) if not isinstance(one, str)]
            for one in wrong[:1]:
                problems.add(f"{what} are called {one!r}", "give words as names")


def _keys(value: Any) -> list[Any]:
    """The names in mappings in each other."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [*(value if isinstance(value, Mapping) else ()), *(key for one in inner for key in _keys(one))]


def plain(value: Any) -> Any:
    """NumPy's numbers and arrays as JSON knows them, for ``json.dumps(default=plain)``; a TypeError for anything else."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")
