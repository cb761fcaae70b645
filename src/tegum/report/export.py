"""Results in other programs' formats: tables, netCDF, state dicts; `tegum.report.pictures` writes pictures and films.

    csv, parquet        one table for each set of dimensions: ID.density-seed.csv holds everything that has just these
    netcdf              one file, as the dataset stands
    state-dict          W, b, ... alone, as ``torch.load`` reads them, and ``safetensors.torch.load_file``

Attributes (recipe, versions, machine) stand beside the tables in ID.json.

>>> data = xr.Dataset({"loss": ("density", [0.2, 0.1]), "W": (("density", "hidden"), [[1.0], [2.0]])})
>>> [(name, list(part)) for name, part in tables(data)]
[('density', ['loss']), ('density-hidden', ['W'])]
"""

import importlib
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from tegum.datasets import PARAMETER_DIMS
from tegum.errors import InvalidInputError
from tegum.runs import plain, write_atomically, write_state_dict
from tegum.runs.files import SUFFIX

TableFormat = Literal["parquet", "csv", "netcdf", "state-dict"]


def tables(data: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    """The variables grouped by their dimensions: a name such as ``density-seed``, and those that have just these."""
    data, groups = data.reset_coords(), dict[tuple[str, ...], list[str]]()
    for name, variable in data.data_vars.items():
        groups.setdefault(tuple(map(str, variable.dims)), []).append(str(name))
    for dims, names in groups.items():
        yield "-".join(dims) or "single", data[names]


def export_data(data: xr.Dataset, stem: Path, kind: TableFormat) -> list[Path]:
    """Writes a dataset as files whose names begin with ``stem``; returns them.

    Raises:
        InvalidInputError: where a file cannot be written, or a package for the format is missing.
    """
    if kind == "netcdf":
        path = stem.with_name(f"{stem.name}.nc")
        write_atomically(path, bytes(_plain(data).to_netcdf(engine="scipy")))
        return [path]
    if kind == "state-dict":
        if not data.keys() & PARAMETER_DIMS:
            raise InvalidInputError(f"{stem.name} holds no parameters of models", "export it as csv, parquet or netcdf")
        both = [stem.with_name(f"{stem.name}.state{suffix}") for suffix in (".pt", SUFFIX)]
        for path in both:
            write_state_dict(data, path)
        return both
    if kind == "parquet":
        required("pyarrow", kind)
    written = []
    for dims, part in tables(data):
        frame = (part if part.dims else part.expand_dims("row")).to_dataframe().reset_index()
        path = beside(stem, f".{dims}.{kind}")
        write_atomically(path, frame.to_csv(index=False).encode() if kind == "csv" else frame.to_parquet(index=False))
        written.append(path)
    path = stem.with_name(f"{stem.name}.json")
    write_atomically(path, json.dumps(data.attrs, indent=2, ensure_ascii=False, default=plain).encode())
    return [*written, path]


def beside(stem: Path, ending: str) -> Path:
    """A file whose name begins with that of ``stem``; an `InvalidInputError` where it would lie in another folder."""
    if not re.fullmatch(r"[^/\\\0]{1,200}", ending):
        raise InvalidInputError(f"a file would be called {stem.name}{ending:.100}", "give axes and pictures plain names")
    return stem.with_name(f"{stem.name}{ending}")


def required(module: str, kind: str, package: str = "") -> Any:
    """A module that only this format needs, of a ``package`` that is called otherwise where one is given."""
    package = package or module
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        raise InvalidInputError(f"the package {package}, which writes {kind}, is not installed", f"pip install {package}")
    return importlib.import_module(module)


_LARGEST_EXACT = 2.0**53 - 1


def _plain(data: xr.Dataset) -> xr.Dataset:
    """The dataset as netCDF 3 can hold it: attributes in words or numbers, integers of 32 bits, larger ones where exact."""
    data = data.assign_attrs({name: _simple(value) for name, value in data.attrs.items()})
    for name, variable in list(data.variables.items()):
        if variable.dtype.kind in "iu" and variable.size and np.abs(variable.values).max() > np.iinfo(np.int32).max:
            exact = np.abs(variable.values.astype(np.float64)).max() <= _LARGEST_EXACT
            data[name] = data[name].astype(np.float64 if exact else str)  # seeds stay what they are, in words
    return data


def _simple(value: Any) -> Any:
    simple = isinstance(value, str | int | float) and not isinstance(value, bool)
    return value if simple else json.dumps(value, default=plain)
